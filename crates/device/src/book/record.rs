//! The record of a block.

use nandseq_profile::CellTypeId;

use crate::place::Place;
use crate::tables::BaseInfo;

/// The stage of a block in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockStage {
    /// It is never usable.
    Bad,
    /// It must be erased before anything else.
    NotErased,
    /// It is erased as a cell type, with nothing programmed.
    Erased(CellTypeId),
    /// It is programmed as a cell type, up to a page.
    Programmed(CellTypeId),
}

/// The record of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockRecord {
    /// The stage.
    pub stage: BlockStage,
    /// How many pages are programmed, `0..=pages_per_block`: the next page to program.
    pub pages: u16,
    /// Whether an erase or program of it is in flight or suspended.
    pub in_flight: bool,
    /// How many waiting chain steps will erase or program it, or count on its next page.
    pub held_to_change: u16,
    /// How many waiting chain steps will read it.
    pub held_to_read: u16,
}

impl BlockRecord {
    /// Whether waiting chain steps count on it.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        (self.held_to_change | self.held_to_read) != 0
    }

    /// Whether it is partly programmed, or what has started or waits will program its first page.
    #[must_use]
    pub const fn is_open(&self, pages_per_block: u16) -> bool {
        let is_partly_programmed = matches!(self.stage, BlockStage::Programmed(_)) && self.pages < pages_per_block;
        let is_begun = matches!(self.stage, BlockStage::Erased(_)) && self.in_flight;
        is_partly_programmed || is_begun || self.held_to_change > 0
    }

    pub(super) const fn holds(&mut self, to_change: bool) -> &mut u16 {
        if to_change { &mut self.held_to_change } else { &mut self.held_to_read }
    }

    /// Applies what an operation does to the block when its array is done.
    pub const fn finish(&mut self, info: &BaseInfo, place: &Place, pages_per_block: u16) {
        self.in_flight = false;
        if info.effects.erase {
            self.stage = BlockStage::Erased(place.cell_type);
            self.pages = 0;
        }
        if info.effects.program || info.effects.close {
            self.stage = BlockStage::Programmed(place.cell_type);
            self.pages = if info.effects.close { pages_per_block } else { place.page.0 + 1 };
        }
    }
}
