//! Reads that stand for others: a read becomes another one of the history, so that what set up its own page can go.
//!
//! The other read is one of the same base on the same planes or on some of them: one that the sequence keeps, or the nearest one of another cell
//! type or on fewer planes whose page was there. A page of one bit for each cell takes fewer operations than one of three, and what is read of one
//! plane needs one output of data. Whether the sequence still fails, nobody knows before it is
//! tried: the name of the operation, its cell type or its page may be what fails.

use std::collections::BTreeSet;

use crate::history::{HistoryOperation, SequenceHistory};
use crate::repair::{KeptOperation, LegalSequence};

/// Reads are changed in sequences up to this long.
const MOST_OPERATIONS: usize = 64;
/// How many reads of the sequence one is tried as.
const MOST_OTHERS: usize = 3;
/// How far back a read of another cell type is looked for.
const MOST_LOOKED_AT: usize = 20_000;

/// A read with another that may stand for it.
pub(crate) struct ReadAs {
    /// The read.
    pub(crate) item: u32,
    /// The other one, whether it is kept or not.
    pub(crate) like: u32,
    /// What is kept and set up the pages that it read, and the outputs of planes that the other one does not read: it comes back as far as
    /// something needs it.
    pub(crate) set_up: Vec<u32>,
}

/// The reads of a sequence that may be other ones.
pub(crate) fn reads_as_others(history: &SequenceHistory<'_>, of: &LegalSequence) -> Vec<ReadAs> {
    if of.operations.len() > MOST_OPERATIONS {
        return Vec::new();
    }
    let tables = history.tables;
    let reads: Vec<&KeptOperation> =
        of.operations.iter().filter(|kept| tables.base(tables.op(kept.op).base).reads_page).collect();
    let mut found = Vec::new();
    for kept in &reads {
        let set_up = set_up(history, of, kept);
        if set_up.is_empty() {
            continue;
        }
        let own = &history.past[of.recipe.model(kept.item) as usize];
        let is_alike = |other: &HistoryOperation| {
            tables.op(other.op).base == tables.op(own.op).base
                && other.place.die == own.place.die
                && other.place.planes.and(own.place.planes) == other.place.planes
        };
        let is_other = |other: &HistoryOperation| (other.op, other.place) != (own.op, own.place);
        let mut likes: Vec<u32> = Vec::new();
        for other in &reads {
            let like = of.recipe.model(other.item);
            let past = &history.past[like as usize];
            if other.item != kept.item && is_alike(past) && is_other(past) && likes.len() < MOST_OTHERS {
                likes.push(like);
            }
        }
        let kind = |past: &HistoryOperation| (past.place.cell_type.0, past.place.planes.len());
        let mut kinds = BTreeSet::from([kind(own)]);
        let before = (0..kept.item).rev().take(MOST_LOOKED_AT);
        let after = (kept.item + 1..history.past.len() as u32).take(MOST_LOOKED_AT);
        for like in before.chain(after) {
            let past = &history.past[like as usize];
            let is_new = is_alike(past) && !kinds.contains(&kind(past));
            if is_new && is_programmed(history, past, kept.item) {
                kinds.insert(kind(past));
                likes.push(like);
            }
        }
        likes.sort_unstable();
        likes.dedup();
        found.extend(likes.into_iter().map(|like| {
            let unread = unread(history, of, (kept.item, like));
            ReadAs { item: kept.item, like, set_up: [&set_up[..], &unread].concat() }
        }));
    }
    found
}

/// Whether the page of a read was there before an operation: the last that was done to its block up to then, from its erase on, programmed
/// it. Of several planes the first is looked at.
fn is_programmed(history: &SequenceHistory<'_>, read: &HistoryOperation, item: u32) -> bool {
    let tables = history.tables;
    let Some(plane) = read.place.planes.iter().next() else { return false };
    let block = (read.place.die, read.place.block(&tables.size, plane));
    let Some(all) = history.of_block.get(&block) else { return false };
    let before = all[..all.partition_point(|other| *other < item)].iter().rev();
    let operations = before.map(|other| &history.past[*other as usize]);
    let effects = |past: &HistoryOperation| &tables.base(tables.op(past.op).base).effects;
    let is_there = |past: &HistoryOperation| effects(past).close || past.place.page == read.place.page;
    operations
        .take_while(|past| !effects(past).erase)
        .any(|past| is_there(past) && past.place.cell_type == read.place.cell_type)
}

/// The operations of the chain of a read, after it, that have nothing to do if another one with fewer planes stands for it.
fn unread(history: &SequenceHistory<'_>, of: &LegalSequence, (item, like): (u32, u32)) -> Vec<u32> {
    let planes = |item: u32| history.past[item as usize].place.planes;
    let (own, left) = (planes(item), planes(like));
    let later = history.unit_of(item).iter().copied().filter(|other| *other > item && of.recipe.keeps(*other));
    let is_lost = |other: &u32| {
        let on = planes(*other);
        !on.and(own).is_empty() && on.and(left).is_empty()
    };
    later.filter(is_lost).collect()
}

/// What a sequence does to the blocks of a read before it, with the chains of that; its own chain stays.
fn set_up(history: &SequenceHistory<'_>, of: &LegalSequence, read: &KeptOperation) -> Vec<u32> {
    let tables = history.tables;
    let blocks = |kept: &KeptOperation| -> BTreeSet<u32> {
        kept.place.planes.iter().map(|plane| kept.place.block(&tables.size, plane).0).collect()
    };
    let (wanted, own) = (blocks(read), history.unit[read.item as usize]);
    let before = of.operations.iter().take_while(|kept| kept.item < read.item);
    let changes = before.filter(|kept| {
        kept.place.die == read.place.die
            && tables.base(tables.op(kept.op).base).effects.changes_block()
            && !blocks(kept).is_disjoint(&wanted)
    });
    let all: BTreeSet<u32> = changes.flat_map(|kept| history.unit_of(kept.item)).copied().collect();
    all.into_iter().filter(|item| of.recipe.keeps(*item) && history.unit[*item as usize] != own).collect()
}
