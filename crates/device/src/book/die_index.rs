//! The blocks of a die that are drawn from, in sets by what may be done with them.

use std::ops::Range;

use nandseq_profile::{CellTypeId, Plane, PlaneSet};

use super::masks::{MaskSet, Masks, bits};
use super::plane_set_index::PlaneSetIndex;
use super::sets::{Moved, Sets};
use super::uses::{GroupNews, GroupUses, LENGTHS, Uses};
use crate::tables::Tables;

/// The sets of a die, or of a region of it. Entries count from the first block of the first group.
#[derive(Clone, Debug)]
pub(super) struct DieIndex {
    pub(super) cells: usize,
    /// The first group.
    pub(super) first: u32,
    pub(super) planes: u32,
    /// Whether blocks with programmed pages can be drawn alone to be programmed.
    splits: bool,
    /// Blocks that may be erased: set = plane.
    pub(super) any: Sets,
    /// Blocks that may be programmed: set = plane × 2 cells + class (erased, then open, by cell type).
    pub(super) next: Sets,
    /// Blocks with readable pages: set = (plane × cells + cell) × 17 + bit length of the page count.
    pub(super) read: Sets,
    /// Block groups by the planes that can work together.
    pub(super) plane_sets: PlaneSetIndex,
    /// Which of the sets above have a block, by plane.
    pub(super) of_planes: Vec<PlaneSummary>,
    /// The planes whose sets have a block.
    summary: DieSummary,
}

/// Which sets of one plane have a block, so that they need not be looked through.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PlaneSummary {
    /// The classes of [`DieIndex::next`] with a block, one bit each.
    next_classes: u16,
    /// For each cell type the bit lengths of [`DieIndex::read`] with a block, one bit each.
    pub(super) read_lengths: [u32; 8],
    /// The cell types with which some block may be programmed, and with which one that has programmed pages.
    next_cells: u8,
    next_cells_open: u8,
    /// The cell types as which some page may be read.
    read_cells: u8,
}

/// The planes of a die on which there is a block to erase, and to program or to read as each cell type.
#[derive(Clone, Copy, Default, Debug)]
struct DieSummary {
    any: PlaneSet,
    next: [PlaneSet; 8],
    /// Those of `next` with a block that has programmed pages.
    next_open: [PlaneSet; 8],
    read: [PlaneSet; 8],
}

impl DieIndex {
    /// The index of some groups, without a block in any set. If it `splits`, blocks with programmed pages can be drawn alone to be
    /// programmed: no further block may be opened.
    pub(super) fn new(tables: &Tables, groups: Range<u32>, splits: bool) -> Self {
        let planes = usize::from(tables.size.planes);
        let cells = tables.programs.len();
        let blocks = groups.len() * planes;
        Self {
            cells,
            first: groups.start,
            planes: planes as u32,
            splits,
            any: Sets::new(planes, blocks),
            next: Sets::new(planes * cells * 2, blocks),
            read: Sets::new(planes * cells * LENGTHS, blocks),
            plane_sets: PlaneSetIndex::new(tables, groups.len() as u32, splits),
            of_planes: vec![PlaneSummary::default(); planes],
            summary: DieSummary::default(),
        }
    }

    /// Brings the sets into the order in which they would be made anew.
    pub(super) fn settle(&mut self) {
        self.any.settle();
        self.next.settle();
        self.read.settle();
        self.plane_sets.settle();
    }

    /// The block of an entry of the sets by plane.
    pub(super) const fn block(&self, entry: u32) -> u32 {
        entry + self.first * self.planes
    }

    /// The planes among `allowed` with a block that may be erased.
    #[inline]
    pub(super) const fn any_planes(&self, allowed: PlaneSet) -> PlaneSet {
        self.summary.any.and(allowed)
    }

    /// The planes with a block that may be programmed, by cell type, if so many blocks may be opened.
    #[inline]
    const fn next_by_cell(&self, slots: u32) -> &[PlaneSet; 8] {
        if slots == 0 { &self.summary.next_open } else { &self.summary.next }
    }

    /// The planes among `allowed` with a block that may be programmed with a cell type.
    #[inline]
    pub(super) const fn next_planes(&self, cell: CellTypeId, allowed: PlaneSet, slots: u32) -> PlaneSet {
        self.next_by_cell(slots)[cell.index() % 8].and(allowed)
    }

    /// The planes among `allowed` with a block that may be programmed at all.
    pub(super) fn any_next_planes(&self, allowed: PlaneSet, slots: u32) -> PlaneSet {
        self.next_by_cell(slots).iter().fold(PlaneSet::EMPTY, |all, &planes| all.union(planes)).and(allowed)
    }

    /// The plane sets on which some group may be programmed together with a cell type, if so many blocks may be opened.
    pub(super) fn next_inside(&self, cell: CellTypeId, slots: u32) -> MaskSet {
        let parts = self.plane_sets.parts(slots);
        parts.fold(MaskSet::default(), |all, part| all.or(&self.plane_sets.next_known(part, cell).inside))
    }

    /// The planes among `allowed` with a readable page of a cell type.
    #[inline]
    pub(super) const fn read_planes(&self, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.summary.read[cell.index() % 8].and(allowed)
    }

    /// The cell types with which some block of the allowed planes may be programmed, one bit each.
    pub(super) fn next_cells(&self, allowed: PlaneSet, slots: u32) -> u8 {
        let of_plane = |plane: Plane| {
            let plane = &self.of_planes[usize::from(plane.0)];
            if slots == 0 { plane.next_cells_open } else { plane.next_cells }
        };
        allowed.iter().fold(0, |all, plane| all | of_plane(plane))
    }

    /// The cell types as which some page of the allowed planes may be read, one bit each.
    pub(super) fn read_cells(&self, allowed: PlaneSet) -> u8 {
        allowed.iter().fold(0, |all, plane| all | self.of_planes[usize::from(plane.0)].read_cells)
    }

    /// Files the block of a group on a plane in the sets. Returns how often the planes have changed that have a block for a use.
    #[inline]
    pub(super) fn file(&mut self, programs: &[u8], (group, plane): (u32, u8), before: &Uses, after: &Uses) -> u64 {
        let entry = (group - self.first) * self.planes + u32::from(plane);
        let index = usize::from(plane);
        let mut changes = 0;
        if before.free != after.free {
            let moved = self.any.assign(entry, after.free.then_some(index));
            if moved != Moved::default() {
                put(&mut self.summary.any, plane, moved.filled.is_some());
                changes += 1;
            }
        }
        if before.next_set() != after.next_set() {
            let first = index * self.cells * 2;
            let moved = self.next.assign(entry, after.next_set().map(|set| first + set));
            if moved != Moved::default() {
                changes += self.note_next(programs, plane, moved);
            }
        }
        if before.read_set() != after.read_set() {
            let first = index * self.cells * LENGTHS;
            let moved = self.read.assign(entry, after.read_set().map(|set| first + set));
            if moved != Moved::default() {
                changes += self.note_read(plane, moved);
            }
        }
        changes
    }

    /// Files a group in the sets of groups; `news` is what has changed of the uses of its blocks. Returns the same as [`DieIndex::file`].
    pub(super) fn refresh(&mut self, relations: &Masks, group: u32, uses: &GroupUses, news: GroupNews) -> u64 {
        self.plane_sets.refresh(relations, group - self.first, uses, news)
    }

    /// Notes the classes as which blocks of a plane may be programmed.
    fn note_next(&mut self, programs: &[u8], plane: u8, moved: Moved) -> u64 {
        let index = usize::from(plane);
        let own = &mut self.of_planes[index];
        for (set, some) in moved.each() {
            let bit = set - index * self.cells * 2;
            own.next_classes = own.next_classes & !(1 << bit) | u16::from(some) << bit;
        }
        let cells = bits(u32::from(own.next_classes)).map(|class| match class.checked_sub(self.cells) {
            Some(open) => 1 << open,
            None => programs[class],
        });
        let cells = cells.fold(0, |all, cells| all | cells);
        let mut is_other = cells != own.next_cells;
        own.next_cells = cells;
        for (cell, planes) in self.summary.next.iter_mut().enumerate() {
            put(planes, plane, cells >> cell & 1 == 1);
        }
        if self.splits {
            let open = (own.next_classes >> self.cells) as u8;
            is_other |= open != own.next_cells_open;
            own.next_cells_open = open;
            for (cell, planes) in self.summary.next_open.iter_mut().enumerate() {
                put(planes, plane, open >> cell & 1 == 1);
            }
        }
        u64::from(is_other)
    }

    /// Notes the cell types as which blocks of a plane may be read, with the bit lengths of their readable pages.
    fn note_read(&mut self, plane: u8, moved: Moved) -> u64 {
        let index = usize::from(plane);
        let own = &mut self.of_planes[index];
        let before = own.read_cells;
        for (set, some) in moved.each() {
            let set = set - index * self.cells * LENGTHS;
            let (cell, length) = (set / LENGTHS, set % LENGTHS);
            let lengths = &mut own.read_lengths[cell % 8];
            *lengths = *lengths & !(1 << length) | u32::from(some) << length;
            let some = *lengths != 0;
            own.read_cells = own.read_cells & !(1 << cell) | u8::from(some) << cell;
            put(&mut self.summary.read[cell % 8], plane, some);
        }
        u64::from(own.read_cells != before)
    }
}

/// Puts a plane into a set of planes or takes it out.
const fn put(planes: &mut PlaneSet, plane: u8, inside: bool) {
    planes.0 = planes.0 & !(1 << plane) | (inside as u8) << plane;
}
