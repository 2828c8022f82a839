//! Whose data registers, latches and pages of a die hold, as data.
//!
//! The pages of a block are words separated by spaces, from page 0 on: the difference of each uid from the uid before it, from 0 on. A
//! page with levels has three, with commas between them; `?` is data of which nobody can tell whose it is. A last word that begins
//! with `|` is the data of all pages after those, which a block has that was closed.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use nandseq_device::{
    BlockData, BlockRecord, BlockStage, DataContents, Datum, Device, HeldData, LevelData, NOT_LOADED, PlaneData, Size,
    SuspendedOperation, Tables,
};
use nandseq_profile::model::LatchKind;
use nandseq_profile::{Block, Die, Page, Plane};
use serde::{Deserialize, Serialize};

use super::error::StateError;

/// The data of a die.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DataEntry {
    /// By plane: the data of the page register and of the output register.
    registers: Vec<[Datum; 2]>,
    /// By plane: the data of the levels of each latch that is loaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_shot: Option<Vec<LevelData>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copyback: Option<Vec<LevelData>>,
    /// By plane: the data that a suspended program commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    suspended: Option<Vec<LevelData>>,
    /// By block: the data of its pages.
    pages: BTreeMap<u32, String>,
}

/// A program or load that is suspended on a die, with its uid.
pub(super) type SuspendedUid<'a> = Option<(u64, &'a SuspendedOperation)>;

impl DataEntry {
    /// The data of a die. What holds nothing has none.
    pub(super) fn new(
        (size, device): (&Size, &Device),
        contents: &DataContents,
        die: Die,
        suspended: SuspendedUid<'_>,
    ) -> Self {
        let logic = device.logic(die);
        let registers = |plane| {
            let (held, data) = (logic.planes.plane(plane), contents.registers(die, plane));
            [held.page.and(data.page), held.output.and(data.output)]
        };
        let by_plane = |data: &HeldData| data[..usize::from(size.planes)].to_vec();
        let latch = |kind| logic.latch(kind).map(|_| by_plane(contents.latch(die, kind)));
        let pending = suspended.and_then(|(uid, _)| contents.pending(die, uid));
        debug_assert_eq!(contents.pending_count(die), usize::from(pending.is_some()), "the rest has ended");
        Self {
            registers: (0..size.planes).map(Plane).map(registers).collect(),
            one_shot: latch(LatchKind::OneShot),
            copyback: latch(LatchKind::Copyback),
            suspended: pending.map(by_plane),
            pages: contents.blocks(die).map(|(block, data)| (block.0, write(data))).collect(),
        }
    }

    /// The uids in registers and latches, and of what is suspended.
    fn uids(&self, tables: &Tables, suspended: SuspendedUid<'_>) -> impl Iterator<Item = u64> {
        // The planes on which a suspended program commits all levels.
        let commits = suspended.map(|(_, held)| (held.place.planes, &tables.base_of(held.op).effects));
        let commits = commits.filter(|(_, effects)| effects.program || effects.close).map(|(planes, _)| planes);
        let is_whole = move |plane: usize| commits.is_some_and(|planes| planes.iter().any(|one| one.index() == plane));
        let latches = [&self.one_shot, &self.copyback].into_iter().flatten().flatten();
        let latches = latches.flatten().filter(|datum| **datum != NOT_LOADED).flatten();
        let pending = (0..).zip(self.suspended.iter().flatten()).flat_map(move |(plane, levels)| {
            let is_whole = is_whole(plane);
            levels.iter().filter(move |datum| is_whole || **datum != NOT_LOADED).flatten()
        });
        self.registers.iter().flatten().flatten().chain(latches).chain(pending).map(|uid| uid.get())
    }

    /// Puts the data of a die into the contents. `last` is the last uid of the site.
    pub(super) fn put_into(
        &self,
        contents: &mut DataContents,
        (tables, device): (&Tables, &Device),
        (die, last): (Die, u64),
        suspended: SuspendedUid<'_>,
    ) -> Result<(), StateError> {
        let size = &tables.size;
        if self.uids(tables, suspended).any(|uid| uid > last) {
            return Err(StateError::new("data of an operation that is to come"));
        }
        let wrong = || StateError::new("data of other registers or latches than those that hold any");
        let by_plane = |list: &[LevelData]| {
            let mut data = HeldData::default();
            let is_whole = list.len() == usize::from(size.planes);
            data.iter_mut().zip(list).for_each(|(data, own)| *data = *own);
            is_whole.then_some(data).ok_or_else(wrong)
        };
        if self.registers.len() != usize::from(size.planes) {
            return Err(wrong());
        }
        for (plane, &[page, output]) in (0..).map(Plane).zip(&self.registers) {
            let held = device.logic(die).planes.plane(plane);
            if (page.is_some() && held.page.is_none()) || (output.is_some() && held.output.is_none()) {
                return Err(wrong());
            }
            contents.set_registers(die, plane, PlaneData { page, output });
        }
        for (kind, data) in [(LatchKind::OneShot, &self.one_shot), (LatchKind::Copyback, &self.copyback)] {
            match (device.logic(die).latch(kind), data) {
                (None, None) => {}
                (Some(_), Some(data)) => contents.set_latch(die, kind, by_plane(data)?),
                (Some(_), None) | (None, Some(_)) => return Err(wrong()),
            }
        }
        match (suspended, &self.suspended) {
            (None, None) => {}
            (Some((uid, held)), Some(data)) => {
                contents.add_pending(&held.place, uid, by_plane(data)?);
            }
            (Some(_), None) | (None, Some(_)) => {
                return Err(StateError::new("data of another program than the one that is suspended"));
            }
        }
        for (&block, text) in &self.pages {
            let data = read(text, size.pages, last)?;
            let exists = block < size.blocks && is_of(device.book.record(die, Block(block)), &data, size.pages);
            if !exists {
                return Err(StateError::new("data of other pages than those that are programmed"));
            }
            contents.set_block(die, Block(block), data);
        }
        let has_data = |block: &u32| self.pages.contains_key(block);
        let lacks = |block: &u32| {
            let record = device.book.record(die, Block(*block));
            !record.in_flight && record.pages > 0 && !has_data(block)
        };
        if (0..size.blocks).any(|block| lacks(&block)) {
            return Err(StateError::new("programmed pages without data"));
        }
        Ok(())
    }
}

/// Whether a block has just these pages.
fn is_of(record: &BlockRecord, data: &BlockData, pages_per_block: u16) -> bool {
    let pages = data.pages().count();
    let is_programmed = match record.stage {
        BlockStage::Programmed(_) => true,
        BlockStage::Bad | BlockStage::NotErased | BlockStage::Erased(_) => false,
    };
    let is_whole = match data.rest() {
        Some(_) => record.pages == pages_per_block,
        None => usize::from(record.pages) == pages,
    };
    is_programmed && is_whole && pages <= usize::from(record.pages)
}

/// The data of a block as text.
fn write(data: &BlockData) -> String {
    let mut text = String::new();
    let mut before = 0;
    let mut number = |datum: Datum, text: &mut String| match datum {
        None => text.push('?'),
        Some(uid) => {
            let difference = uid.get().wrapping_sub(before).cast_signed();
            before = uid.get();
            text.push_str(&difference.to_string());
        }
    };
    for levels in data.pages() {
        if !text.is_empty() {
            text.push(' ');
        }
        let [first, ..] = levels;
        let count = if levels == [first; 3] { 1 } else { levels.len() };
        for (at, &datum) in levels.iter().take(count).enumerate() {
            if at > 0 {
                text.push(',');
            }
            number(datum, &mut text);
        }
    }
    if let Some(rest) = data.rest() {
        text.push_str(if text.is_empty() { "|" } else { " |" });
        number(rest, &mut text);
    }
    text
}

/// The data of a text, of at most so many pages and of uids up to `last`.
fn read(text: &str, most: u16, last: u64) -> Result<BlockData, StateError> {
    let wrong = || StateError::new(format!("`{}` says nothing of data that was brought in", text.escape_default()));
    let mut before = 0_u64;
    let mut datum = |word: &str| match word {
        "?" => Some(None),
        word => {
            before = before.wrapping_add(word.parse::<i64>().ok()?.cast_unsigned());
            NonZeroU64::new(before).filter(|uid| uid.get() <= last).map(Some)
        }
    };
    let mut data = BlockData::default();
    let mut words = text.split(' ');
    for page in (0..most).map(Page) {
        let Some(word) = words.next() else { return Ok(data) };
        if let Some(rest) = word.strip_prefix('|') {
            data.close(page, datum(rest).ok_or_else(wrong)?);
            return if words.next().is_none() { Ok(data) } else { Err(wrong()) };
        }
        let levels = word.split(',').map(&mut datum).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        match *levels.as_slice() {
            [one] => data.program(page, [one; 3]),
            [lsb, csb, msb] => data.program(page, [lsb, csb, msb]),
            _ => return Err(wrong()),
        }
    }
    if words.next().is_none() { Ok(data) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_written_as_differences_and_read_back() {
        let datum = NonZeroU64::new;
        let mut data = BlockData::default();
        for (page, levels) in (0..).map(Page).zip([
            [datum(1_000_000); 3],
            [datum(1_000_010), datum(1_000_012), datum(1_000_009)],
            [None; 3],
            [None, datum(7), datum(8)],
        ]) {
            data.program(page, levels);
        }
        assert_eq!(write(&data), "1000000 10,2,-3 ? ?,-1000002,1");
        assert_eq!(read(&write(&data), 4, 1_000_012), Ok(data.clone()));
        assert!(read(&write(&data), 4, 1_000_011).is_err(), "of an operation that is to come");
        data.close(Page(4), datum(9));
        assert_eq!(write(&data), "1000000 10,2,-3 ? ?,-1000002,1 |1");
        assert_eq!(read(&write(&data), 5, 1_000_012), Ok(data));
        let mut closed = BlockData::default();
        closed.close(Page(0), datum(3));
        assert_eq!((write(&closed).as_str(), read("|3", 1, 3)), ("|3", Ok(closed)));
        for text in ["", "x", "0", "-1", "1,2", "1,2,3,4", "1 2 3", "|1 2", "1 ", "1,?,", "99999999999999999999"] {
            assert!(read(text, 2, 1_000_000).is_err(), "`{text}`");
        }
    }
}
