//! The data that pages, latches and operations under way hold.
//!
//! A [`HeldDatum`] is named by the `op_uid` of the operation that brought it in. Registers hold theirs themselves
//! (`FilledRegister`), and so do programs that are not finished. A [`DataModel`] exists only if the payload of
//! some operation has `data`. Its memory is that of the pages that hold data: 8 bytes for each of their levels.

use nandseq_profile::model::{LatchKind, LatchLevel, LatchNeed};
use nandseq_profile::{Block, Die, Target};
use rustc_hash::FxHashMap;

use crate::compiled_profile::OperationKind;

/// The levels of a page: LSB, CSB, MSB.
pub(super) const LEVELS: usize = 3;
/// The place of the last level.
pub(super) const MSB: usize = LatchLevel::Msb as usize;
/// The most planes of a die.
pub(super) const PLANES: usize = 8;

/// What a register, or a level of a page or latch, holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct HeldDatum(u64);

impl HeldDatum {
    /// Not known, because the sequence breaks another rule.
    pub(crate) const UNKNOWN: Self = Self(u64::MAX);
    /// What nobody can tell: it comes from a level that the read does not name.
    pub(crate) const UNTOLD: Self = Self(u64::MAX - 1);
    /// Nothing: the level is not loaded.
    pub(super) const NOTHING: Self = Self(u64::MAX - 2);

    /// What the operation of this `op_uid` brings in.
    pub(super) const fn of(uid: u64) -> Self {
        Self(uid)
    }

    /// The `op_uid` of the operation that brought it in, if that is known.
    pub(crate) fn uid(self) -> Option<u64> {
        (self.0 < Self::NOTHING.0).then_some(self.0)
    }
}

/// A datum for each level of a page. A page of one level has the last one.
pub(super) type Levels = [HeldDatum; LEVELS];

/// The data of the planes of a die.
pub(super) type LevelsByPlane = [Levels; PLANES];

/// The data of the programmed pages of a block.
#[derive(Clone, Debug)]
struct BlockData {
    /// The number of levels of a page: 1 or 3.
    levels: usize,
    /// The first page whose data is known: 0 unless the sequence breaks a rule.
    first: usize,
    /// The data of this page and those after it, level by level.
    pages: Vec<HeldDatum>,
    /// The data of all pages after those, if the block was closed.
    rest: Option<HeldDatum>,
}

impl BlockData {
    const fn new(levels: usize, first: usize) -> Self {
        Self { levels, first, pages: Vec::new(), rest: None }
    }

    /// Where the data of a page begins, if it is a known page or the one after them.
    fn place(&self, page: usize) -> Option<usize> {
        page.checked_sub(self.first).map(|page| page * self.levels).filter(|place| *place <= self.pages.len())
    }

    /// The data of a page at a level.
    fn at(&self, page: usize, level: Option<LatchLevel>) -> HeldDatum {
        let within = match level {
            _ if self.levels == 1 => 0,
            Some(level) => level as usize,
            None => return HeldDatum::UNTOLD,
        };
        let known = page.checked_sub(self.first).and_then(|page| self.pages.get(page * self.levels + within));
        known.copied().or(self.rest.filter(|_| page >= self.first)).unwrap_or(HeldDatum::UNKNOWN)
    }
}

/// The data of a device.
#[derive(Clone, Default, Debug)]
pub(super) struct DataModel {
    blocks: FxHashMap<(Die, Block), BlockData>,
    /// What the latches that are loaded hold.
    latches: FxHashMap<(Die, LatchKind), LevelsByPlane>,
}

impl DataModel {
    /// A page is programmed; the model believes it whatever the page.
    pub(super) fn program(&mut self, at: &Target, has_levels: bool, data: Levels) {
        let (levels, page) = (if has_levels { LEVELS } else { 1 }, at.page.index());
        let block = self.blocks.entry((at.die, at.block)).or_insert(BlockData::new(levels, page));
        let place = block.place(page).filter(|_| block.levels == levels);
        if let Some(place) = place {
            block.pages.truncate(place);
            block.rest = None;
        } else {
            *block = BlockData::new(levels, page);
        }
        block.pages.extend_from_slice(&data[LEVELS - levels..]);
    }

    /// A block is closed: its pages from this one on hold the same.
    pub(super) fn close(&mut self, at: &Target, has_levels: bool, data: Levels) {
        self.program(at, has_levels, data);
        if let Some(block) = self.blocks.get_mut(&(at.die, at.block)) {
            block.rest = Some(data[MSB]);
        }
    }

    /// What a page holds at a level.
    pub(super) fn page(&self, at: &Target, level: Option<LatchLevel>) -> HeldDatum {
        self.blocks.get(&(at.die, at.block)).map_or(HeldDatum::UNKNOWN, |block| block.at(at.page.index(), level))
    }

    /// The block of a target holds nothing any more.
    pub(super) fn empty(&mut self, at: &Target) {
        self.blocks.remove(&(at.die, at.block));
    }

    /// A latch holds this from now on.
    pub(super) fn load(&mut self, die: Die, latch: LatchKind, data: Option<&LevelsByPlane>) {
        match data {
            Some(data) => self.latches.insert((die, latch), *data),
            None => self.latches.remove(&(die, latch)),
        };
    }

    /// What an operation brings to a plane if `own` is what it brings in or copies: that for all levels, but what is loaded instead.
    /// `is_loaded` says whether a latch is loaded for its address, which matters where the operation does not need it to be.
    pub(super) fn levels(
        &self,
        kind: &OperationKind,
        at: &Target,
        own: HeldDatum,
        is_loaded: impl Fn(LatchKind) -> bool,
    ) -> Levels {
        let mut levels = [own; LEVELS];
        for of in &kind.latches {
            let is_first = of.needs == LatchNeed::default();
            let loaded = self.latches.get(&(at.die, of.latch)).filter(|_| !is_first || is_loaded(of.latch));
            let loaded = loaded.map_or([HeldDatum::NOTHING; LEVELS], |planes| planes[at.plane.index()]);
            if let Some(level) = of.loads {
                let below = if is_first { 0 } else { level as usize };
                levels = [HeldDatum::NOTHING; LEVELS];
                levels[..below].copy_from_slice(&loaded[..below]);
                levels[level as usize] = own;
            } else {
                let taken = if is_first || of.needs.msb { LEVELS } else { MSB };
                let held =
                    levels.iter_mut().zip(loaded).take(taken).filter(|(_, loaded)| *loaded != HeldDatum::NOTHING);
                held.for_each(|(level, loaded)| *level = loaded);
            }
        }
        levels
    }
}
