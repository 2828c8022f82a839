//! The blocks of a die that are drawn from, in sets by what may be done with them.

use std::ops::Range;

use nandseq_profile::{CellTypeId, PlaneSet};

use super::masks::{MaskSet, Masks, bits};
use super::plane_set_index::PlaneSetIndex;
use super::sets::{Moved, Sets};
use super::usable_planes::{Changed, UsablePlanes, parts};
use super::uses::{GroupNews, GroupUses, LENGTHS, Uses};
use crate::tables::Tables;

/// The sets of a die, or of a region of it. Entries count from the first block of the first group.
#[derive(Clone, Debug)]
pub(super) struct DieIndex {
    pub(super) cells: usize,
    /// The first group.
    pub(super) first: u32,
    pub(super) planes: u32,
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
    /// The planes that have a block or a group in some set.
    pub(super) usable: UsablePlanes,
}

/// Which sets of one plane have a block, so that they need not be looked through.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PlaneSummary {
    /// The classes of [`DieIndex::next`] with a block, one bit each.
    next_classes: u16,
    /// For each cell type the bit lengths of [`DieIndex::read`] with a block, one bit each.
    pub(super) read_lengths: [u32; 8],
    /// For each cell type the sum over the blocks of [`DieIndex::read`] of 2 to the power of their bit length.
    pub(super) read_shares: [u64; 8],
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
            any: Sets::new(planes, blocks),
            next: Sets::new(planes * cells * 2, blocks),
            read: Sets::new(planes * cells * LENGTHS, blocks),
            plane_sets: PlaneSetIndex::new(tables, groups.len() as u32, splits),
            of_planes: vec![PlaneSummary::default(); planes],
            usable: UsablePlanes::new(tables, splits),
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

    /// The plane sets on which some group may be programmed together with a cell type, if so many blocks may be opened.
    pub(super) fn next_inside(&self, cell: CellTypeId, slots: u32) -> MaskSet {
        parts(self.usable.splits, slots)
            .fold(MaskSet::default(), |all, part| all.or(&self.plane_sets.next_known(part, cell).inside))
    }

    /// Files the block of a group on a plane in the sets. Returns what has changed of the planes that have a block for a use.
    #[inline]
    pub(super) fn file(&mut self, programs: &[u8], (group, plane): (u32, u8), before: &Uses, after: &Uses) -> Changed {
        let entry = (group - self.first) * self.planes + u32::from(plane);
        let index = usize::from(plane);
        let mut changes = Changed::default();
        if before.free != after.free {
            let moved = self.any.assign(entry, after.free.then_some(index));
            if moved != Moved::default() {
                self.usable.put_any(plane, moved.filled.is_some());
                changes.add(Changed::ANY);
            }
        }
        if before.next_set() != after.next_set() {
            let first = index * self.cells * 2;
            let moved = self.next.assign(entry, after.next_set().map(|set| first + set));
            if moved != Moved::default() {
                changes.add(Changed::NEXT.if_so(self.note_next(programs, plane, moved)));
            }
        }
        if before.read_set() != after.read_set() {
            let first = index * self.cells * LENGTHS;
            let moved = self.read.assign(entry, after.read_set().map(|set| first + set));
            let shares = &mut self.of_planes[index].read_shares;
            let (out, into) = (before.read_share(), after.read_share());
            shares[out.0] = shares[out.0].wrapping_sub(out.1);
            shares[into.0] = shares[into.0].wrapping_add(into.1);
            if moved != Moved::default() {
                changes.add(Changed::READ.if_so(self.note_read(plane, moved)));
            }
        }
        changes
    }

    /// Whether the shares of each plane are those of its sets of readable pages.
    pub(super) fn counts_shares(&self, cell: CellTypeId) -> bool {
        self.of_planes.iter().enumerate().all(|(plane, own)| {
            let first = (plane * self.cells + cell.index()) * LENGTHS;
            let shares = (0..LENGTHS).map(|length| (self.read.get(first + length).len() as u64) << length);
            own.read_shares[cell.index() % 8] == shares.sum::<u64>()
        })
    }

    /// Files a group in the sets of groups; `news` is what has changed of the uses of its blocks. Returns the same as [`DieIndex::file`].
    pub(super) fn refresh(
        &mut self,
        relations: &Masks,
        (group, within): (u32, PlaneSet),
        uses: &GroupUses,
        news: GroupNews,
    ) -> Changed {
        self.plane_sets.refresh((relations, &mut self.usable), (group - self.first, within), uses, news)
    }

    /// Notes the classes as which blocks of a plane may be programmed. Returns whether the cell types are others than before.
    fn note_next(&mut self, programs: &[u8], plane: u8, moved: Moved) -> bool {
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
        let open = (own.next_classes >> self.cells) as u8;
        self.usable.put_next(plane, (cells, open))
    }

    /// Notes the cell types as which blocks of a plane may be read, with the bit lengths of their readable pages. Returns the same.
    fn note_read(&mut self, plane: u8, moved: Moved) -> bool {
        let index = usize::from(plane);
        let own = &mut self.of_planes[index];
        let before = self.usable.read_cells_of(plane);
        for (set, some) in moved.each() {
            let set = set - index * self.cells * LENGTHS;
            let (cell, length) = (set / LENGTHS, set % LENGTHS);
            let lengths = &mut own.read_lengths[cell % 8];
            *lengths = *lengths & !(1 << length) | u32::from(some) << length;
            self.usable.put_read(plane, cell, *lengths != 0);
        }
        self.usable.read_cells_of(plane) != before
    }
}
