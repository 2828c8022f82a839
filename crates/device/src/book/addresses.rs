//! The addresses of a die: which planes have one for a use. Draws of one are in `book::sample`.
//!
//! A die draws from one index of all its blocks or, with regions, from that of each region. What is asked here is asked of all its indexes
//! together, by what they say together.

use nandseq_profile::{CellTypeId, Die, PlaneSet};

use super::address_book::AddressBook;
use super::die_index::DieIndex;
use super::region::{DieRegions, RegionIndex};
use super::usable_planes::UsablePlanes;

/// The addresses of a die that a draw may choose from. `allowed` are planes of the device.
#[derive(Clone, Copy, Debug)]
pub struct DieAddresses<'a> {
    pub(super) book: &'a AddressBook,
    pub(super) die: Die,
}

impl AddressBook {
    /// The addresses of a die: in the regions in force or, without any, on the whole of it.
    #[must_use]
    pub const fn on(&self, die: Die) -> DieAddresses<'_> {
        DieAddresses { book: self, die }
    }
}

impl<'a> DieAddresses<'a> {
    /// The index of all blocks, if draws come from the whole device.
    #[inline]
    pub(super) fn whole(&self) -> Option<&'a DieIndex> {
        self.book.whole.get(usize::from(self.die.0))
    }

    /// The regions that have a block on the die.
    pub(super) fn regions(&self) -> &'a [RegionIndex] {
        self.book.regions.get(usize::from(self.die.0)).map_or(&[], DieRegions::all)
    }

    /// The planes that have an address in what is drawn from, and how many blocks may be opened.
    #[inline]
    fn usable(&self) -> (&'a UsablePlanes, u32) {
        let at = usize::from(self.die.0);
        let usable = match self.whole() {
            Some(index) => &index.usable,
            None => self.book.regions[at].usable(),
        };
        (usable, self.book.slots)
    }

    /// The planes among `allowed` with a block that may be erased.
    #[must_use]
    pub fn any_planes(&self, allowed: PlaneSet) -> PlaneSet {
        self.usable().0.any_planes(allowed)
    }

    /// The planes among `allowed` with a block that may be programmed with a cell type.
    #[must_use]
    pub fn next_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        let (usable, slots) = self.usable();
        usable.next_planes(cell, allowed, slots)
    }

    /// The planes among `allowed` with a block that may be programmed at all.
    #[must_use]
    pub fn any_next_planes(&self, allowed: PlaneSet) -> PlaneSet {
        let (usable, slots) = self.usable();
        usable.any_next_planes(allowed, slots)
    }

    /// The planes among `allowed` with a readable page of a cell type.
    #[must_use]
    pub fn read_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.usable().0.read_planes(cell, allowed)
    }

    /// The cell types, one bit each, with which some block of the allowed planes may be programmed.
    #[must_use]
    pub fn next_cells(&self, allowed: PlaneSet) -> u8 {
        let (usable, slots) = self.usable();
        usable.next_cells(allowed, slots)
    }

    /// The cell types, one bit each, as which some page of the allowed planes may be read.
    #[must_use]
    pub fn read_cells(&self, allowed: PlaneSet) -> u8 {
        self.usable().0.read_cells(allowed)
    }

    /// The cell types, one bit each, with which some two of the allowed planes can be programmed together.
    #[must_use]
    pub fn next_cells_together(&self, allowed: PlaneSet) -> u8 {
        let (usable, slots) = self.usable();
        usable.next_together(allowed, slots)
    }

    /// The cell types, one bit each, as which some two of the allowed planes can be read together.
    #[must_use]
    pub fn read_cells_together(&self, allowed: PlaneSet) -> u8 {
        self.usable().0.read_together(allowed)
    }

    /// Whether some two of the allowed planes can be erased together.
    #[must_use]
    pub fn any_together(&self, allowed: PlaneSet) -> bool {
        self.usable().0.any_together(allowed)
    }

    /// Whether some two of the allowed planes can be programmed together.
    #[must_use]
    pub fn next_together(&self, cell: CellTypeId, allowed: PlaneSet) -> bool {
        self.next_cells_together(allowed) >> cell.0 & 1 == 1
    }

    /// Whether some two of the allowed planes can be read together.
    #[must_use]
    pub fn read_together(&self, cell: CellTypeId, allowed: PlaneSet) -> bool {
        self.read_cells_together(allowed) >> cell.0 & 1 == 1
    }
}
