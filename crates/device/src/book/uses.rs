//! What may be done with a block, as the sets of the address book file it.

use nandseq_profile::{CellTypeId, Page, PlaneSet};

use super::record::{BlockRecord, BlockStage};
use crate::block_needs::BlockNeeds;
use crate::tables::Tables;

/// What may be done with a block.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Uses {
    /// Whether it may be erased.
    pub(super) free: bool,
    /// The cell types with which its next page may be programmed, one bit each, and its class in the book's sets of next pages, which
    /// means something if there is one.
    pub(super) next_as: u8,
    pub(super) next_class: u8,
    /// The cell type as which it may be read, one bit, and below how many pages from 0.
    pub(super) read_as: u8,
    pub(super) next_page: u16,
    pub(super) read_pages: u16,
}

/// Bit lengths of a page count 1..=65535 are 1..=16.
pub(super) const LENGTHS: usize = 17;

impl Uses {
    /// Its set among the book's sets of next pages of its plane, if it is in one.
    pub(super) fn next_set(&self) -> Option<usize> {
        (self.next_as != 0).then_some(usize::from(self.next_class))
    }

    /// Its set among the book's sets of readable pages of its plane, if it is in one: cell × 17 + bit length of the page count.
    pub(super) fn read_set(&self) -> Option<usize> {
        let cell = self.read_as.trailing_zeros() as usize;
        (self.read_as != 0).then_some(cell * LENGTHS + (16 - self.read_pages.leading_zeros()) as usize)
    }

    /// The cell type as which it may be read, and 2 to the power of the bit length of the page count; 0 if it may not be read.
    pub(super) fn read_share(&self) -> (usize, u64) {
        let share = u64::from(self.read_as != 0) << (16 - self.read_pages.leading_zeros());
        (self.read_as.trailing_zeros() as usize % 8, share)
    }
}

/// What has changed on the blocks of a group, as far as several planes can work together there.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct GroupNews {
    /// Which blocks may be erased.
    pub(super) free: bool,
    /// The cell types for which blocks that may be programmed with it, or their next pages, have changed: one bit each.
    pub(super) next_as: u8,
    /// The cell types for which blocks that may be read as it, or their readable pages, have changed: one bit each.
    pub(super) read_as: u8,
}

impl GroupNews {
    /// Adds what has changed on one block.
    pub(super) const fn add(&mut self, before: &Uses, after: &Uses) {
        let other_page = (before.next_page != after.next_page) as u8;
        let other_pages = (before.read_pages != after.read_pages) as u8;
        self.free |= before.free != after.free;
        self.next_as |= (before.next_as ^ after.next_as) | ((before.next_as | after.next_as) * other_page);
        self.read_as |= (before.read_as ^ after.read_as) | ((before.read_as | after.read_as) * other_pages);
    }
}

/// What may be done with the blocks of a group, by plane.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct GroupUses {
    free: [u8; 8],
    next_as: [u8; 8],
    read_as: [u8; 8],
    next_page: [u16; 8],
    read_pages: [u16; 8],
}

impl GroupUses {
    pub(super) fn put(&mut self, plane: usize, uses: Uses) {
        let plane = plane % 8;
        self.free[plane] = u8::from(uses.free);
        self.next_as[plane] = uses.next_as;
        self.read_as[plane] = uses.read_as;
        self.next_page[plane] = uses.next_page;
        self.read_pages[plane] = uses.read_pages;
    }

    /// The planes whose block may be erased.
    pub(super) fn free(&self) -> PlaneSet {
        with_bit(self.free, 0)
    }

    /// The planes whose block may be programmed with a cell type.
    pub(super) fn next_as(&self, cell: usize) -> PlaneSet {
        with_bit(self.next_as, cell)
    }

    /// The planes whose block may be read as a cell type.
    pub(super) fn read_as(&self, cell: usize) -> PlaneSet {
        with_bit(self.read_as, cell)
    }

    /// The planes whose block has the same next page as that of the first of some planes.
    pub(super) fn at_page_of_first(&self, planes: PlaneSet) -> PlaneSet {
        let page = self.next_page[planes.0.trailing_zeros() as usize % 8];
        let alike = self.next_page.iter().enumerate().map(|(plane, &own)| u8::from(own == page) << plane);
        PlaneSet(alike.fold(0, |all, plane| all | plane))
    }

    /// Whether the block of the first of some planes has a programmed page.
    pub(super) fn has_programmed(&self, planes: PlaneSet) -> bool {
        self.next_page[planes.0.trailing_zeros() as usize % 8] > 0
    }

    /// Leaves the one of some planes out of reading on which the fewest pages may be read.
    pub(super) fn leave_out_least_read(&mut self, planes: PlaneSet) {
        if let Some(least) = planes.iter().min_by_key(|plane| self.read_pages[usize::from(plane.0 % 8)]) {
            self.read_as[usize::from(least.0 % 8)] = 0;
        }
    }

    /// How many pages may be read on that of some planes on which they are most.
    pub(super) fn most_read_pages(&self, planes: PlaneSet) -> u16 {
        let pages = self.read_pages.iter().enumerate();
        pages.map(|(plane, &pages)| pages * u16::from(planes.0 >> plane & 1)).max().unwrap_or(0)
    }
}

/// The positions of the bytes that have a bit. The product brings the bits of all bytes together in its upper byte.
const fn with_bit(bytes: [u8; 8], bit: usize) -> PlaneSet {
    let bits = u64::from_le_bytes(bytes) >> bit & 0x0101_0101_0101_0101;
    PlaneSet((bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8)
}

/// What the stage of a block lets be done with it, if nothing works on it or counts on it.
#[derive(Clone, Copy, Default, Debug)]
struct StageUses {
    free: bool,
    next_as: u8,
    next_class: u8,
    read_as: u8,
}

/// The uses of blocks by their records: a table of the stages, so that a record is looked at without decisions.
#[derive(Clone, Debug)]
pub(super) struct UsesOfRecords {
    by_stage: [StageUses; 32],
    pages: u16,
    offset_guard: u32,
}

impl UsesOfRecords {
    pub(super) fn new(tables: &Tables) -> Self {
        let mut by_stage = [StageUses::default(); 32];
        by_stage[row_of(BlockStage::NotErased)].free = true;
        let cells = tables.programs.len() as u8;
        for (cell, &programs) in (0..).zip(&tables.programs) {
            by_stage[row_of(BlockStage::Erased(CellTypeId(cell)))] =
                StageUses { free: true, next_as: programs, next_class: cell, read_as: 0 };
            by_stage[row_of(BlockStage::Programmed(CellTypeId(cell)))] =
                StageUses { free: true, next_as: 1 << cell, next_class: cells + cell, read_as: 1 << cell };
        }
        Self { by_stage, pages: tables.size.pages, offset_guard: tables.offset_guard }
    }

    /// Whether the rules about blocks let an operation work on the block of a record, at a page with a cell type. It is found without a
    /// branch: which of the rules hold follows no pattern.
    #[inline]
    pub(super) fn allow(&self, needs: BlockNeeds, record: &BlockRecord, (page, cell): (Page, CellTypeId)) -> bool {
        let stage = self.by_stage[row_of(record.stage)];
        let without = |masks: u8| !masks.wrapping_shr(cell.0.into()) & 1;
        let in_flight = u8::from(record.in_flight) & needs.unless_in_flight;
        let program = without(stage.next_as) | u8::from(page.0 != record.pages);
        let is_above = u32::from(page.0).saturating_add(self.offset_guard) >= u32::from(record.pages);
        let read = without(stage.read_as) | u8::from(is_above);
        u8::from(!stage.free) | in_flight | program & needs.program | read & needs.read == 0
    }

    /// What may be done with the block of a record.
    pub(super) fn of(&self, record: &BlockRecord) -> Uses {
        let stage = self.by_stage[row_of(record.stage)];
        let free = stage.free & !record.in_flight & !record.is_held();
        let is_next = free & (record.pages < self.pages);
        let pages = u32::from(record.pages).saturating_sub(self.offset_guard) as u16;
        let is_read = (stage.read_as != 0) & !record.in_flight & (pages > 0);
        Uses {
            free,
            next_as: stage.next_as * u8::from(is_next),
            next_class: stage.next_class,
            next_page: record.pages,
            read_as: stage.read_as * u8::from(is_read),
            read_pages: pages * u16::from(is_read),
        }
    }
}

/// The row of a stage in the table of stages; a device has at most eight cell types.
const fn row_of(stage: BlockStage) -> usize {
    // Each of these is a choice of a number: no branch.
    let cell = match stage {
        BlockStage::Erased(cell) | BlockStage::Programmed(cell) => cell.0,
        BlockStage::Bad | BlockStage::NotErased => 0,
    };
    let first = match stage {
        BlockStage::Bad => 0,
        BlockStage::NotErased => 1,
        BlockStage::Erased(_) => 16,
        BlockStage::Programmed(_) => 24,
    };
    first + cell as usize % 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_bytes_become_planes() {
        for planes in 0..=255u8 {
            for bit in 0..8 {
                let bytes =
                    [0, 1, 2, 3, 4, 5, 6, 7].map(|plane| if planes >> plane & 1 == 1 { 1 << bit } else { !(1 << bit) });
                assert_eq!(with_bit(bytes, bit), PlaneSet(planes));
            }
        }
    }
}
