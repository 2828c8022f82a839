//! The planes of a die that have an address for a use, alone and together: what is asked before an address is drawn.
//!
//! An index of blocks keeps its own. A die with several regions has those of all of them, put together when one changes, so that a question
//! costs the same however many regions there are.

use std::ops::Range;

use nandseq_profile::{CellTypeId, PlaneSet};

use super::masks::MaskSet;
use crate::tables::Tables;

/// What has changed of the planes of a die that have an address for a use: those for one use alone or together, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Changed(u8);

impl Changed {
    pub(super) const ANY: Self = Self(1);
    pub(super) const NEXT: Self = Self(2);
    pub(super) const READ: Self = Self(4);
    pub(super) const ANY_TOGETHER: Self = Self(8);
    pub(super) const NEXT_TOGETHER: Self = Self(16);
    pub(super) const READ_TOGETHER: Self = Self(32);

    /// The same if something is so, else nothing.
    #[inline]
    pub(super) const fn if_so(self, is_so: bool) -> Self {
        Self(self.0 * is_so as u8)
    }

    /// Adds what else has changed.
    #[inline]
    pub(super) const fn add(&mut self, other: Self) {
        self.0 |= other.0;
    }

    #[inline]
    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// 1 if something has changed, else 0.
    #[inline]
    pub(super) const fn times(self) -> u64 {
        (self.0 != 0) as u64
    }
}

/// The planes of a die that have an address for a use. Functions that take `slots` answer for so many blocks that may be opened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct UsablePlanes {
    /// Those on which there is a block to erase, and to program or to read as each cell type.
    any: PlaneSet,
    next: [u8; 8],
    read: [u8; 8],
    /// Those of `next` with a block that has programmed pages.
    next_open: [u8; 8],
    /// The same by plane: the cell types with which some block may be programmed, or one that has programmed pages, and as which some page
    /// may be read.
    next_cells: [u8; 8],
    next_cells_open: [u8; 8],
    read_cells: [u8; 8],
    /// How many plane sets there are.
    masks: usize,
    /// Whether blocks with programmed pages can be drawn alone to be programmed.
    pub(super) splits: bool,
    /// For each plane set whether (1) some two of its planes can be erased together.
    any_together: Vec<u8>,
    /// For each plane set, by part (see [`parts`]), the cell types with which some two of its planes can work together, one bit each.
    next_together: Vec<u8>,
    read_together: Vec<u8>,
}

/// The parts of the groups that can be programmed, of which those are left out that would open more blocks than `slots`. If they are split,
/// groups with programmed pages are the second part.
#[inline]
pub(super) const fn parts(splits: bool, slots: u32) -> Range<usize> {
    if !splits {
        0..1
    } else if slots < 2 {
        1..2
    } else {
        0..2
    }
}

impl UsablePlanes {
    /// None yet.
    pub(super) fn new(tables: &Tables, splits: bool) -> Self {
        let masks = 1 << tables.size.planes;
        Self {
            any: PlaneSet::EMPTY,
            next: [0; 8],
            read: [0; 8],
            next_open: [0; 8],
            next_cells: [0; 8],
            next_cells_open: [0; 8],
            read_cells: [0; 8],
            masks,
            splits,
            any_together: vec![0; masks],
            next_together: vec![0; masks * (1 + usize::from(splits))],
            read_together: vec![0; masks],
        }
    }

    /// Becomes those of several indexes together, of which it has been so before something changed. Returns whether it has changed by that.
    pub(super) fn join<'a>(&mut self, indexes: impl Iterator<Item = &'a Self> + Clone, changed: Changed) -> bool {
        let mut is_other = false;
        if changed.has(Changed::ANY) {
            let all = indexes.clone().fold(PlaneSet::EMPTY, |all, index| all.union(index.any));
            is_other |= self.any != all;
            self.any = all;
        }
        if changed.has(Changed::NEXT) {
            is_other |= join_eight(&mut self.next, indexes.clone().map(|index| &index.next))
                | join_eight(&mut self.next_cells, indexes.clone().map(|index| &index.next_cells));
            if self.splits {
                is_other |= join_eight(&mut self.next_open, indexes.clone().map(|index| &index.next_open))
                    | join_eight(&mut self.next_cells_open, indexes.clone().map(|index| &index.next_cells_open));
            }
        }
        if changed.has(Changed::READ) {
            is_other |= join_eight(&mut self.read, indexes.clone().map(|index| &index.read))
                | join_eight(&mut self.read_cells, indexes.clone().map(|index| &index.read_cells));
        }
        if changed.has(Changed::ANY_TOGETHER) {
            is_other |= join(&mut self.any_together, &indexes.clone().map(|index| &index.any_together[..]));
        }
        if changed.has(Changed::NEXT_TOGETHER) {
            is_other |= join(&mut self.next_together, &indexes.clone().map(|index| &index.next_together[..]));
        }
        if changed.has(Changed::READ_TOGETHER) {
            is_other |= join(&mut self.read_together, &indexes.map(|index| &index.read_together[..]));
        }
        is_other
    }

    /// Notes whether a plane has a block to erase.
    #[inline]
    pub(super) const fn put_any(&mut self, plane: u8, has: bool) {
        put(&mut self.any.0, plane, has);
    }

    /// Notes the cell types with which blocks of a plane may be programmed, and blocks that have programmed pages. Returns whether they are
    /// others than before.
    pub(super) fn put_next(&mut self, plane: u8, (cells, open): (u8, u8)) -> bool {
        let at = usize::from(plane % 8);
        let mut is_other = cells != self.next_cells[at];
        self.next_cells[at] = cells;
        put_cells(&mut self.next, plane, cells);
        if self.splits {
            is_other |= open != self.next_cells_open[at];
            self.next_cells_open[at] = open;
            put_cells(&mut self.next_open, plane, open);
        }
        is_other
    }

    /// Notes whether a plane has a page to read as a cell type.
    pub(super) const fn put_read(&mut self, plane: u8, cell: usize, has: bool) {
        put(&mut self.read_cells[plane as usize % 8], cell as u8, has);
        put(&mut self.read[cell % 8], plane, has);
    }

    /// The cell types as which some page of a plane may be read, one bit each.
    pub(super) const fn read_cells_of(&self, plane: u8) -> u8 {
        self.read_cells[plane as usize % 8]
    }

    /// Turns whether some two planes of each of these plane sets can be erased together. Returns whether something has changed.
    pub(super) fn turn_any(&mut self, changed: MaskSet) -> Changed {
        Changed::ANY_TOGETHER.if_so(turn(&mut self.any_together, 0, changed))
    }

    /// Turns whether some two planes of each of these plane sets can be programmed together, in a part.
    pub(super) fn turn_next(&mut self, part: usize, cell: usize, changed: MaskSet) -> Changed {
        Changed::NEXT_TOGETHER.if_so(turn(&mut self.next_together[part * self.masks..][..self.masks], cell, changed))
    }

    /// Turns whether some two planes of each of these plane sets can be read together.
    pub(super) fn turn_read(&mut self, cell: usize, changed: MaskSet) -> Changed {
        Changed::READ_TOGETHER.if_so(turn(&mut self.read_together, cell, changed))
    }

    /// Those among `allowed` with a block that may be erased.
    #[inline]
    pub(super) const fn any_planes(&self, allowed: PlaneSet) -> PlaneSet {
        self.any.and(allowed)
    }

    /// Those with a block that may be programmed, by cell type.
    #[inline]
    const fn next_by_cell(&self, slots: u32) -> &[u8; 8] {
        if slots == 0 { &self.next_open } else { &self.next }
    }

    /// Those among `allowed` with a block that may be programmed with a cell type.
    #[inline]
    pub(super) const fn next_planes(&self, cell: CellTypeId, allowed: PlaneSet, slots: u32) -> PlaneSet {
        PlaneSet(self.next_by_cell(slots)[cell.index() % 8]).and(allowed)
    }

    /// Those among `allowed` with a block that may be programmed at all.
    pub(super) fn any_next_planes(&self, allowed: PlaneSet, slots: u32) -> PlaneSet {
        PlaneSet(self.next_by_cell(slots).iter().fold(0, |all, planes| all | planes)).and(allowed)
    }

    /// Those among `allowed` with a readable page of a cell type.
    #[inline]
    pub(super) const fn read_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        PlaneSet(self.read[cell.index() % 8]).and(allowed)
    }

    /// The cell types with which some block of the allowed planes may be programmed, one bit each.
    pub(super) fn next_cells(&self, allowed: PlaneSet, slots: u32) -> u8 {
        let by_plane = if slots == 0 { &self.next_cells_open } else { &self.next_cells };
        allowed.iter().fold(0, |all, plane| all | by_plane[usize::from(plane.0 % 8)])
    }

    /// The cell types as which some page of the allowed planes may be read, one bit each.
    pub(super) fn read_cells(&self, allowed: PlaneSet) -> u8 {
        allowed.iter().fold(0, |all, plane| all | self.read_cells[usize::from(plane.0 % 8)])
    }

    /// Whether some two of `planes` can be erased together.
    pub(super) fn any_together(&self, planes: PlaneSet) -> bool {
        self.any_together[usize::from(planes.0)] != 0
    }

    /// The cell types with which some two of `planes` can be programmed together, one bit each.
    pub(super) fn next_together(&self, planes: PlaneSet, slots: u32) -> u8 {
        let of_part = |part| self.next_together[part * self.masks + usize::from(planes.0)];
        parts(self.splits, slots).map(of_part).fold(0, |all, cells| all | cells)
    }

    /// The cell types as which some two of `planes` can be read together, one bit each.
    pub(super) fn read_together(&self, planes: PlaneSet) -> u8 {
        self.read_together[usize::from(planes.0)]
    }
}

/// Sets a bit, or clears it.
const fn put(bits: &mut u8, at: u8, is_set: bool) {
    *bits = *bits & !(1 << at) | (is_set as u8) << at;
}

/// Puts a plane into the sets of some cell types, and takes it out of the others.
const fn put_cells(planes: &mut [u8; 8], plane: u8, cells: u8) {
    // Each byte is 1 or 0, by its bit of the cell types.
    let own_bits = (cells as u64 * 0x0101_0101_0101_0101) & 0x8040_2010_0804_0201;
    let ones = (own_bits + 0x7f7f_7f7f_7f7f_7f7f) >> 7 & 0x0101_0101_0101_0101;
    let others = u64::from_le_bytes(*planes) & !(0x0101_0101_0101_0101 << (plane % 8));
    *planes = (others | ones << (plane % 8)).to_le_bytes();
}

/// Puts the bits of several times eight bytes together. Returns whether some have changed.
#[inline]
fn join_eight<'a>(own: &mut [u8; 8], all: impl Iterator<Item = &'a [u8; 8]>) -> bool {
    let bits = all.fold(0, |bits, bytes| bits | u64::from_le_bytes(*bytes));
    let is_other = u64::from_le_bytes(*own) != bits;
    *own = bits.to_le_bytes();
    is_other
}

/// The same for lists of one length, eight bytes at a time.
fn join<'a>(own: &mut [u8], lists: &(impl Iterator<Item = &'a [u8]> + Clone)) -> bool {
    let (eights, rest) = own.as_chunks_mut::<8>();
    let mut is_other = false;
    for (at, own) in eights.iter_mut().enumerate() {
        is_other |= join_eight(own, lists.clone().filter_map(|list| list.as_chunks::<8>().0.get(at)));
    }
    // A die has a power of two of plane sets: a list that is not made of eights is shorter than eight.
    for (at, own) in rest.iter_mut().enumerate() {
        let all = lists.clone().filter_map(|list| list.get(at)).fold(0, |all, bits| all | bits);
        is_other |= *own != all;
        *own = all;
    }
    is_other
}

/// Turns a bit of the plane sets that have changed. Returns whether some have.
fn turn(together: &mut [u8], bit: usize, changed: MaskSet) -> bool {
    // Mostly none has.
    if changed.is_empty() {
        return false;
    }
    changed.iter().for_each(|planes| together[usize::from(planes.0)] ^= 1 << bit);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plane_is_put_into_the_sets_of_its_cell_types_alone() {
        for plane in 0..8 {
            for cells in 0..=255u8 {
                let mut planes = [0x00, 0xff, 0x5a, 0xa5, 0x01, 0x80, 0x7e, 0x81];
                let mut expected = planes;
                put_cells(&mut planes, plane, cells);
                (0..8).for_each(|cell| put(&mut expected[cell], plane, cells >> cell & 1 == 1));
                assert_eq!(planes, expected);
            }
        }
    }
}
