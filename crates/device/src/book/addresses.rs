//! The addresses of a die: which planes have one for a use, and draws of one.
//!
//! Draws of regions choose a region first: by weight, among those that have an eligible address for the draw. The draw within the region is
//! that of [`sample`](super::sample).

use nandseq_profile::{CellTypeId, Die, Plane, PlaneSet};

use super::address_book::AddressBook;
use super::die_index::DieIndex;
use super::region::{RegionIndex, RegionSet};
use super::sample::Draws;
use crate::place::Place;

/// The addresses of a die that a draw may choose from.
///
/// Draws and their arguments are as in the draws of the whole device: `below` draws uniformly below a bound ≥ 1, `allowed` are planes of the
/// device, `max_planes` is the most planes of a draw (below 2: the draw is `None`). A draw is `None` if no address qualifies.
#[derive(Clone, Copy, Debug)]
pub struct DieAddresses<'a> {
    book: &'a AddressBook,
    die: Die,
    set: RegionSet,
}

impl AddressBook {
    /// The addresses of a die that draws without a set of regions come from.
    #[must_use]
    pub const fn on(&self, die: Die) -> DieAddresses<'_> {
        self.within(die, RegionSet::PLAIN)
    }

    /// The addresses of a die in the regions of a set.
    #[must_use]
    pub const fn within(&self, die: Die, set: RegionSet) -> DieAddresses<'_> {
        DieAddresses { book: self, die, set }
    }
}

impl<'a> DieAddresses<'a> {
    /// The index of all blocks, if draws come from the whole device.
    #[inline]
    fn whole(&self) -> Option<&'a DieIndex> {
        if self.set == RegionSet::PLAIN { self.book.whole.get(usize::from(self.die.0)) } else { None }
    }

    /// The regions of the set.
    fn regions(&self) -> impl Iterator<Item = &'a RegionIndex> + use<'a> {
        let (regions, set) = (self.book.regions.get(usize::from(self.die.0)), self.set);
        regions.into_iter().flatten().filter(move |region| region.set == set)
    }

    /// What the indexes that are drawn from say together, given how many blocks may be opened.
    #[inline]
    fn all<T: Default>(&self, of: impl Fn(&DieIndex, u32) -> T, join: impl Fn(T, T) -> T) -> T {
        match self.whole() {
            Some(index) => of(index, u32::MAX),
            None => self.regions().map(|region| of(&region.index, self.book.slots)).fold(T::default(), join),
        }
    }

    #[inline]
    fn planes(&self, of: impl Fn(&DieIndex, u32) -> PlaneSet) -> PlaneSet {
        self.all(of, PlaneSet::union)
    }

    #[inline]
    fn cells(&self, of: impl Fn(&DieIndex, u32) -> u8) -> u8 {
        self.all(of, |all, cells| all | cells)
    }

    /// The planes among `allowed` with a block that may be erased.
    #[must_use]
    pub fn any_planes(&self, allowed: PlaneSet) -> PlaneSet {
        self.planes(|index, _| index.any_planes(allowed))
    }

    /// The planes among `allowed` with a block that may be programmed with a cell type.
    #[must_use]
    pub fn next_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.planes(|index, slots| index.next_planes(cell, allowed, slots))
    }

    /// The planes among `allowed` with a block that may be programmed at all.
    #[must_use]
    pub fn any_next_planes(&self, allowed: PlaneSet) -> PlaneSet {
        self.planes(|index, slots| index.any_next_planes(allowed, slots))
    }

    /// The planes among `allowed` with a readable page of a cell type.
    #[must_use]
    pub fn read_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.planes(|index, _| index.read_planes(cell, allowed))
    }

    /// The cell types, one bit each, with which some block of the allowed planes may be programmed.
    #[must_use]
    pub fn next_cells(&self, allowed: PlaneSet) -> u8 {
        self.cells(|index, slots| {
            let of_plane = |plane: Plane| {
                let plane = &index.of_planes[usize::from(plane.0)];
                if slots == 0 { plane.next_cells_open } else { plane.next_cells }
            };
            allowed.iter().fold(0, |all, plane| all | of_plane(plane))
        })
    }

    /// The cell types, one bit each, as which some page of the allowed planes may be read.
    #[must_use]
    pub fn read_cells(&self, allowed: PlaneSet) -> u8 {
        self.cells(|index, _| {
            allowed.iter().fold(0, |all, plane| all | index.of_planes[usize::from(plane.0)].read_cells)
        })
    }

    /// The cell types, one bit each, with which some two of the allowed planes can be programmed together.
    #[must_use]
    pub fn next_cells_together(&self, allowed: PlaneSet) -> u8 {
        self.cells(|index, slots| index.plane_sets.next_together(allowed, slots))
    }

    /// The cell types, one bit each, as which some two of the allowed planes can be read together.
    #[must_use]
    pub fn read_cells_together(&self, allowed: PlaneSet) -> u8 {
        self.cells(|index, _| index.plane_sets.read_together(allowed))
    }

    /// Whether some two of the allowed planes can be erased together.
    #[must_use]
    pub fn any_together(&self, allowed: PlaneSet) -> bool {
        self.all(|index, _| index.plane_sets.any_together(allowed), |some, one| some | one)
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

    /// Draws from the whole device, or from a region that was drawn by weight among those that have an address.
    #[inline]
    fn draw<B: FnMut(u64) -> u64>(
        &self,
        has: impl Fn(&DieIndex) -> bool,
        draw: impl FnOnce(Draws<'a>, &mut B) -> Option<Place>,
        below: &mut B,
    ) -> Option<Place> {
        let (book, die) = (self.book, self.die);
        if let Some(index) = self.whole() {
            return draw(Draws { book, die, index, pages: None, slots: u32::MAX }, below);
        }
        let region = self.draw_region(has, below)?;
        draw(Draws { book, die, index: &region.index, pages: Some(&region.pages), slots: book.slots }, below)
    }

    /// Draws a region by weight among those that have an address.
    fn draw_region(
        &self,
        has: impl Fn(&DieIndex) -> bool,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<&'a RegionIndex> {
        let with_address = || self.regions().filter(|region| has(&region.index));
        let total: u64 = with_address().map(|region| region.weight).sum();
        let mut at = if total > 0 { below(total) } else { return None };
        with_address().find(|region| {
            let is_here = at < region.weight;
            at = at.wrapping_sub(region.weight);
            is_here
        })
    }

    /// A block that may be erased, at page 0; the caller fills in the cell type.
    pub fn sample_any(&self, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let has = |index: &DieIndex| !index.any_planes(allowed).is_empty();
        self.draw(has, |draws, below| draws.any(allowed, below), below)
    }

    /// The next page of a block that may be programmed with a cell type.
    pub fn sample_next(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| !index.next_planes(cell, allowed, self.book.slots).is_empty();
        self.draw(has, |draws, below| draws.next(cell, allowed, below), below)
    }

    /// The next page of a block that may be programmed with some cell type. The place has the cell type that the block is erased
    /// or programmed as.
    pub fn sample_any_next(&self, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let has = |index: &DieIndex| !index.any_next_planes(allowed, self.book.slots).is_empty();
        self.draw(has, |draws, below| draws.any_next(allowed, below), below)
    }

    /// A readable page of a cell type.
    pub fn sample_read(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| !index.read_planes(cell, allowed).is_empty();
        self.draw(has, |draws, below| draws.read(cell, allowed, below), below)
    }

    /// Blocks of one group that may be erased together, at page 0; the caller fills in the cell type.
    pub fn sample_any_together(
        &self,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.plane_sets.any_together(allowed);
        self.draw(has, |draws, below| draws.any_together(allowed, max_planes, below), below)
    }

    /// Blocks of one group that may be programmed together at the same page.
    pub fn sample_next_together(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.plane_sets.next_together(allowed, self.book.slots) >> cell.0 & 1 == 1;
        self.draw(has, |draws, below| draws.next_together(cell, allowed, max_planes, below), below)
    }

    /// Blocks of one group that may be programmed together at the same page, on exactly these planes.
    pub fn sample_next_on(
        &self,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| self.book.meets(planes, &index.next_masks(cell, self.book.slots));
        self.draw(has, |draws, below| draws.next_on(cell, planes, below), below)
    }

    /// A page that can be read together on several planes of one group.
    pub fn sample_read_together(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.plane_sets.read_together(allowed) >> cell.0 & 1 == 1;
        self.draw(has, |draws, below| draws.read_together(cell, allowed, max_planes, below), below)
    }

    /// A page that can be read together on exactly these planes of one group.
    pub fn sample_read_on(
        &self,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| self.book.meets(planes, index.plane_sets.read_masks(cell));
        self.draw(has, |draws, below| draws.read_on(cell, planes, below), below)
    }
}
