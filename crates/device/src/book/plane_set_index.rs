//! Block groups by the planes that can work together on them: the index behind multi-plane addresses.
//!
//! For each group and each way of use (erase; program as a cell type; read as a cell type) the planes whose blocks allow the
//! same operation at the same page form a plane set. Groups are kept in sets by plane set, so that the groups on which a given
//! plane set can work are the union of the sets of its supersets.

use nandseq_profile::{CellTypeId, PlaneSet};

use super::masks::{KnownPlaneSets, Masks, bits};
use super::sets::Sets;
use super::usable_planes::{Changed, UsablePlanes};
use super::uses::{GroupNews, GroupUses, LENGTHS};
use crate::tables::Tables;

/// The sets of groups of a die. Groups count from the first of the index.
#[derive(Clone, Debug)]
pub(super) struct PlaneSetIndex {
    cells: usize,
    masks: usize,
    slots: usize,
    /// Set = mask; entry = group.
    any: Sets,
    /// Set = (part × cells + cell) × masks + mask; entry = (group × cells + cell) × slots + slot.
    next: Sets,
    /// Set = (cell × masks + mask) × 17 + bit length; entry = group × cells + cell.
    read: Sets,
    /// By set of `read` without its bit length: which lengths have an entry, one bit each.
    read_lengths: Vec<u32>,
    /// Whether groups with programmed pages are in a part of `next` of their own, the second, so that they can be drawn alone.
    splits: bool,
    /// The masks for which `any`, `next` by part and cell type, and `read` by cell type have an entry.
    any_known: KnownPlaneSets,
    next_known: Vec<KnownPlaneSets>,
    read_known: Vec<KnownPlaneSets>,
}

impl PlaneSetIndex {
    /// The sets of `groups` groups, without a group in any.
    pub(super) fn new(tables: &Tables, groups: u32, splits: bool) -> Self {
        let planes = usize::from(tables.size.planes);
        let (cells, masks, slots) = (tables.programs.len(), 1 << planes, planes / 2);
        let groups = if planes > 1 { groups as usize } else { 0 };
        let parts = 1 + usize::from(splits);
        Self {
            cells,
            masks,
            slots,
            any: Sets::new(masks, groups),
            splits,
            next: Sets::new(parts * cells * masks, groups * cells * slots),
            read: Sets::new(cells * masks * LENGTHS, groups * cells),
            read_lengths: vec![0; cells * masks],
            any_known: KnownPlaneSets::default(),
            next_known: vec![KnownPlaneSets::default(); parts * cells],
            read_known: vec![KnownPlaneSets::default(); cells],
        }
    }

    /// Puts the groups of every set in ascending order.
    pub(super) fn settle(&mut self) {
        self.any.settle();
        self.next.settle();
        self.read.settle();
    }

    /// The groups with a free block on exactly the planes of `mask`.
    pub(super) fn any(&self, mask: PlaneSet) -> &[u32] {
        self.any.get(usize::from(mask.0))
    }

    /// The entries (see [`PlaneSetIndex::next_group`]) of a part that can program a cell type on exactly `mask`.
    pub(super) fn next(&self, part: usize, cell: CellTypeId, mask: PlaneSet) -> &[u32] {
        self.next.get((part * self.cells + cell.index()) * self.masks + usize::from(mask.0))
    }

    /// The entries that can read a cell type on exactly `mask`, by the bit length of their longest readable stretch.
    pub(super) fn read(&self, cell: CellTypeId, mask: PlaneSet, length: usize) -> &[u32] {
        self.read.get((cell.index() * self.masks + usize::from(mask.0)) * LENGTHS + length)
    }

    /// The bit lengths for which [`PlaneSetIndex::read`] has an entry, one bit each.
    pub(super) fn read_lengths(&self, cell: CellTypeId, mask: PlaneSet) -> u32 {
        self.read_lengths[cell.index() * self.masks + usize::from(mask.0)]
    }

    /// The masks for which [`PlaneSetIndex::any`] has an entry.
    pub(super) const fn any_known(&self) -> &KnownPlaneSets {
        &self.any_known
    }

    /// The masks for which [`PlaneSetIndex::next`] has an entry.
    pub(super) fn next_known(&self, part: usize, cell: CellTypeId) -> &KnownPlaneSets {
        &self.next_known[part * self.cells + cell.index()]
    }

    /// The masks for which [`PlaneSetIndex::read`] has an entry.
    pub(super) fn read_known(&self, cell: CellTypeId) -> &KnownPlaneSets {
        &self.read_known[cell.index()]
    }

    /// The group of an entry of [`PlaneSetIndex::next`].
    pub(super) const fn next_group(&self, entry: u32) -> u32 {
        entry / (self.cells * self.slots) as u32
    }

    /// The group of an entry of [`PlaneSetIndex::read`].
    pub(super) const fn read_group(&self, entry: u32) -> u32 {
        entry / self.cells as u32
    }

    /// Updates the plane sets of a group `within` some planes; `news` is what has changed of the uses of its blocks. Returns whether it has
    /// changed what some two planes of the die can do together.
    pub(super) fn refresh(
        &mut self,
        (relations, usable): (&Masks, &mut UsablePlanes),
        (group, within): (u32, PlaneSet),
        uses: &GroupUses,
        news: GroupNews,
    ) -> Changed {
        let group = group as usize;
        let mut changes = Changed::default();
        if news.free {
            changes.add(self.set_any((relations, usable), group, uses.free().and(within)));
        }
        for cell in bits(u32::from(news.next_as)) {
            changes.add(self.set_next((relations, usable), (group, cell), uses.next_as(cell).and(within), uses));
        }
        for cell in bits(u32::from(news.read_as)) {
            changes.add(self.set_read((relations, usable), (group, cell), uses.read_as(cell).and(within), uses));
        }
        changes
    }

    /// Files the plane set of a group for erasing.
    fn set_any(&mut self, (relations, usable): (&Masks, &mut UsablePlanes), group: usize, free: PlaneSet) -> Changed {
        let moved = self.any.assign(group as u32, (free.len() >= 2).then_some(usize::from(free.0)));
        let mut changes = Changed::default();
        for (set, some) in moved.each() {
            let changed = self.any_known.put(relations, PlaneSet(set as u8), some);
            changes.add(usable.turn_any(changed));
        }
        changes
    }

    /// Files the plane sets of a group for programming a cell type: planes at the same next page, at least two.
    fn set_next(
        &mut self,
        (relations, usable): (&Masks, &mut UsablePlanes),
        (group, cell): (usize, usize),
        mut left: PlaneSet,
        uses: &GroupUses,
    ) -> Changed {
        let slot = (group * self.cells + cell) * self.slots;
        let mut changes = Changed::default();
        for slot in slot..slot + self.slots {
            let mut mask = PlaneSet::EMPTY;
            while left.len() >= 2 && mask.len() < 2 {
                mask = uses.at_page_of_first(left).and(left);
                left = left.minus(mask);
            }
            let row = cell + if self.splits && uses.has_programmed(mask) { self.cells } else { 0 };
            let set = row * self.masks + usize::from(mask.0);
            let moved = self.next.assign(slot as u32, (mask.len() >= 2).then_some(set));
            for (set, some) in moved.each() {
                let (row, mask) = (set / self.masks, PlaneSet((set % self.masks) as u8));
                let changed = self.next_known[row].put(relations, mask, some);
                changes.add(usable.turn_next(row / self.cells, cell, changed));
            }
        }
        changes
    }

    /// Files the plane set of a group for reading a cell type.
    fn set_read(
        &mut self,
        (relations, usable): (&Masks, &mut UsablePlanes),
        (group, cell): (usize, usize),
        mask: PlaneSet,
        uses: &GroupUses,
    ) -> Changed {
        let first = cell * self.masks;
        let set = (mask.len() >= 2).then(|| {
            let length = (16 - uses.most_read_pages(mask).leading_zeros()) as usize;
            (first + usize::from(mask.0)) * LENGTHS + length
        });
        let moved = self.read.assign((group * self.cells + cell) as u32, set);
        let mut changes = Changed::default();
        for (set, some) in moved.each() {
            let lengths = &mut self.read_lengths[set / LENGTHS];
            let before = *lengths;
            *lengths = before & !(1 << (set % LENGTHS)) | u32::from(some) << (set % LENGTHS);
            let some = *lengths != 0;
            if some != (before != 0) {
                let mask = PlaneSet((set / LENGTHS - first) as u8);
                let changed = self.read_known[cell].put(relations, mask, some);
                changes.add(usable.turn_read(cell, changed));
            }
        }
        changes
    }
}
