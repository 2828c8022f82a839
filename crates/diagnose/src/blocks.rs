//! What has happened to the blocks of a site: erases, reads, and who touched which page last.
//!
//! A block remembers its last operations and the last that programmed each of its pages, of the last pages that were programmed.

use std::collections::VecDeque;
use std::sync::Arc;

use nandseq_profile::model::{ArrayWork, Base};
use rustc_hash::FxHashMap;

use crate::past_operation::{NamedBlock, PastOperation};

/// How many operations a block remembers.
const RECENT: usize = 6;
/// How many programs a block remembers.
const PROGRAMS: usize = 64;

#[derive(Default, Debug)]
struct BlockPast {
    erases: u32,
    /// Since the last erase.
    reads: u32,
    recent: VecDeque<Arc<PastOperation>>,
    programs: VecDeque<(u32, Arc<PastOperation>)>,
    /// By page the pattern that it was programmed with since the last erase.
    patterns: FxHashMap<u32, u8>,
}

/// The blocks of a site that were touched.
#[derive(Default, Debug)]
pub(crate) struct BlockPasts {
    blocks: FxHashMap<(u8, u32), BlockPast>,
}

/// The array work of a base: the first that one of its effects does.
pub(crate) fn array_work(base: &Base) -> Option<ArrayWork> {
    base.effects.iter().find_map(|effect| effect.properties().array_work)
}

impl BlockPasts {
    /// Erases of a block, and its reads since the last one.
    pub(crate) fn counts(&self, at: NamedBlock) -> (u32, u32) {
        self.blocks.get(&(at.die, at.block)).map_or((0, 0), |past| (past.erases, past.reads))
    }

    /// The pattern that a page of a block holds.
    pub(crate) fn pattern(&self, at: &NamedBlock, page: u32) -> Option<u8> {
        self.blocks.get(&(at.die, at.block))?.patterns.get(&page).copied()
    }

    /// The operations that a block remembers, those that programmed a page and the pages beside it, and those that the blocks beside
    /// it remember, on a device with so many planes.
    pub(crate) fn of(&self, at: NamedBlock, planes: u32) -> impl Iterator<Item = &Arc<PastOperation>> {
        let past = self.blocks.get(&(at.die, at.block));
        let beside = [at.block.checked_sub(planes), at.block.checked_add(planes)].into_iter().flatten();
        let beside = beside.filter_map(move |block| self.blocks.get(&(at.die, block)));
        let beside = beside.flat_map(|past| past.recent.iter().rev());
        let recent = past.into_iter().flat_map(|past| past.recent.iter().rev());
        let is_near = move |page: u32| at.page.is_some_and(|own| own.abs_diff(page) <= 1);
        let programs = past.into_iter().flat_map(|past| past.programs.iter().rev());
        recent.chain(programs.filter(move |(page, _)| is_near(*page)).map(|(_, program)| program)).chain(beside)
    }

    /// Adds an operation that has started, and the pattern that it programs its pages with.
    pub(crate) fn add(&mut self, operation: &Arc<PastOperation>, work: Option<ArrayWork>, pattern: Option<u8>) {
        for at in &operation.blocks {
            let past = self.blocks.entry((at.die, at.block)).or_default();
            match work {
                Some(ArrayWork::Erase) => {
                    past.erases = past.erases.saturating_add(1);
                    past.reads = 0;
                    past.programs.clear();
                    past.patterns.clear();
                }
                Some(ArrayWork::Commit | ArrayWork::Load) => {
                    past.programs.extend(at.page.map(|page| (page, Arc::clone(operation))));
                    past.programs.drain(..past.programs.len().saturating_sub(PROGRAMS));
                }
                Some(ArrayWork::Read) => past.reads = past.reads.saturating_add(1),
                None => {}
            }
            past.patterns.extend(at.page.zip(pattern));
            past.recent.push_back(Arc::clone(operation));
            past.recent.drain(..past.recent.len().saturating_sub(RECENT));
        }
    }
}
