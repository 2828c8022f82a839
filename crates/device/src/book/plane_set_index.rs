//! Block groups by the planes that can work together on them: the index behind multi-plane addresses.
//!
//! For each group and each way of use (erase; program as a cell type; read as a cell type) the planes whose blocks allow the
//! same operation at the same page form a plane set. Groups are kept in sets by plane set, so that the groups on which a given
//! plane set can work are the union of the sets of its supersets.

use nandseq_profile::{CellTypeId, Die, PlaneSet};

use super::masks::{KnownPlaneSets, MaskSet, Masks, bits};
use super::sets::Sets;
use super::uses::{GroupNews, GroupUses, LENGTHS};
use crate::size::Size;
use crate::tables::Tables;

/// The sets of groups.
#[derive(Clone, Debug)]
pub(super) struct PlaneSetIndex {
    size: Size,
    cells: usize,
    masks: usize,
    slots: usize,
    /// Set = die × masks + mask; entry = die × groups + group.
    any: Sets,
    /// Set = (die × cells + cell) × masks + mask; entry = ((die × groups + group) × cells + cell) × slots + slot.
    next: Sets,
    /// Set = ((die × cells + cell) × masks + mask) × 17 + bit length; entry = (die × groups + group) × cells + cell.
    read: Sets,
    /// By set of `read` without its bit length: which lengths have an entry, one bit each.
    read_lengths: Vec<u32>,
    /// The masks for which `any` (by die), `next` and `read` (by die × cells + cell) have an entry.
    any_known: Vec<KnownPlaneSets>,
    next_known: Vec<KnownPlaneSets>,
    read_known: Vec<KnownPlaneSets>,
    /// For each die and plane set whether (1) some two of its planes can be erased together.
    any_together: Vec<u8>,
    /// For each die and plane set the cell types with which some two of its planes can work together, one bit each.
    next_together: Vec<u8>,
    read_together: Vec<u8>,
}

impl PlaneSetIndex {
    pub(super) fn new(tables: &Tables) -> Self {
        let size = tables.size;
        let (planes, dies) = (usize::from(size.planes), usize::from(size.dies));
        let (cells, masks, slots) = (tables.programs.len(), 1 << planes, planes / 2);
        let groups = dies * size.groups as usize;
        let multi = planes > 1;
        let entries = |count: usize| if multi { count } else { 0 };
        Self {
            size,
            cells,
            masks,
            slots,
            any: Sets::new(dies * masks, entries(groups)),
            next: Sets::new(dies * cells * masks, entries(groups * cells * slots)),
            read: Sets::new(dies * cells * masks * LENGTHS, entries(groups * cells)),
            read_lengths: vec![0; dies * cells * masks],
            any_known: vec![KnownPlaneSets::default(); dies],
            next_known: vec![KnownPlaneSets::default(); dies * cells],
            read_known: vec![KnownPlaneSets::default(); dies * cells],
            any_together: vec![0; dies * masks],
            next_together: vec![0; dies * masks],
            read_together: vec![0; dies * masks],
        }
    }

    /// Puts the groups of every set in ascending order.
    pub(super) fn settle(&mut self) {
        self.any.settle();
        self.next.settle();
        self.read.settle();
    }

    fn group_entry(&self, die: Die, group: u32) -> usize {
        usize::from(die.0) * self.size.groups as usize + group as usize
    }

    /// The groups with a free block on exactly the planes of `mask`.
    pub(super) fn any(&self, die: Die, mask: PlaneSet) -> &[u32] {
        self.any.get(usize::from(die.0) * self.masks + usize::from(mask.0))
    }

    /// The entries (see [`PlaneSetIndex::next_group`]) that can program a cell type on exactly `mask`.
    pub(super) fn next(&self, die: Die, cell: CellTypeId, mask: PlaneSet) -> &[u32] {
        self.next.get((usize::from(die.0) * self.cells + cell.index()) * self.masks + usize::from(mask.0))
    }

    /// The entries that can read a cell type on exactly `mask`, by the bit length of their longest readable stretch.
    pub(super) fn read(&self, die: Die, cell: CellTypeId, mask: PlaneSet, length: usize) -> &[u32] {
        let set = (usize::from(die.0) * self.cells + cell.index()) * self.masks + usize::from(mask.0);
        self.read.get(set * LENGTHS + length)
    }

    /// The bit lengths for which [`PlaneSetIndex::read`] has an entry, one bit each.
    pub(super) fn read_lengths(&self, die: Die, cell: CellTypeId, mask: PlaneSet) -> u32 {
        self.read_lengths[(usize::from(die.0) * self.cells + cell.index()) * self.masks + usize::from(mask.0)]
    }

    /// Whether some two of `planes` can be erased together.
    pub(super) fn any_together(&self, die: Die, planes: PlaneSet) -> bool {
        self.any_together[usize::from(die.0) * self.masks + usize::from(planes.0)] != 0
    }

    /// The masks for which [`PlaneSetIndex::any`] has an entry.
    pub(super) fn any_masks(&self, die: Die) -> &MaskSet {
        &self.any_known[usize::from(die.0)].masks
    }

    /// The masks for which [`PlaneSetIndex::next`] has an entry.
    pub(super) fn next_masks(&self, die: Die, cell: CellTypeId) -> &MaskSet {
        &self.next_known[usize::from(die.0) * self.cells + cell.index()].masks
    }

    /// The masks for which [`PlaneSetIndex::read`] has an entry.
    pub(super) fn read_masks(&self, die: Die, cell: CellTypeId) -> &MaskSet {
        &self.read_known[usize::from(die.0) * self.cells + cell.index()].masks
    }

    /// The cell types with which some two of `planes` can be programmed together, one bit each.
    pub(super) fn next_together(&self, die: Die, planes: PlaneSet) -> u8 {
        self.next_together[usize::from(die.0) * self.masks + usize::from(planes.0)]
    }

    /// The cell types as which some two of `planes` can be read together, one bit each.
    pub(super) fn read_together(&self, die: Die, planes: PlaneSet) -> u8 {
        self.read_together[usize::from(die.0) * self.masks + usize::from(planes.0)]
    }

    /// The group of an entry of [`PlaneSetIndex::any`].
    pub(super) fn any_group(&self, entry: u32) -> u32 {
        entry % self.size.groups
    }

    /// The group of an entry of [`PlaneSetIndex::next`].
    pub(super) fn next_group(&self, entry: u32) -> u32 {
        entry / (self.cells * self.slots) as u32 % self.size.groups
    }

    /// The group of an entry of [`PlaneSetIndex::read`].
    pub(super) fn read_group(&self, entry: u32) -> u32 {
        entry / self.cells as u32 % self.size.groups
    }

    /// Updates the plane sets of a group; `news` is what has changed of the uses of its blocks. Returns how often it has changed what
    /// some two planes of the die can do together.
    pub(super) fn refresh(
        &mut self,
        relations: &Masks,
        (die, group): (Die, u32),
        uses: &GroupUses,
        news: GroupNews,
    ) -> u64 {
        let entry = self.group_entry(die, group);
        let mut changes = 0;
        if news.free {
            changes += self.set_any(relations, die, entry, uses);
        }
        for cell in bits(u32::from(news.next_as)) {
            changes += self.set_next(relations, die, (entry, cell), uses);
        }
        for cell in bits(u32::from(news.read_as)) {
            changes += self.set_read(relations, die, (entry, cell), uses);
        }
        changes
    }

    /// Files the plane set of a group for erasing.
    fn set_any(&mut self, relations: &Masks, die: Die, group: usize, uses: &GroupUses) -> u64 {
        let free = uses.free();
        let first = usize::from(die.0) * self.masks;
        let moved = self.any.assign(group as u32, (free.len() >= 2).then_some(first + usize::from(free.0)));
        let mut changes = 0;
        for (set, some) in moved.each() {
            let changed = self.any_known[usize::from(die.0)].put(relations, PlaneSet((set - first) as u8), some);
            changes += note(&mut self.any_together[first..][..self.masks], 0, changed);
        }
        changes
    }

    /// Files the plane sets of a group for programming a cell type: planes at the same next page, at least two.
    fn set_next(&mut self, relations: &Masks, die: Die, (group, cell): (usize, usize), uses: &GroupUses) -> u64 {
        let row = usize::from(die.0) * self.cells + cell;
        let first = row * self.masks;
        let slot = (group * self.cells + cell) * self.slots;
        let mut left = uses.next_as(cell);
        let mut changes = 0;
        for slot in slot..slot + self.slots {
            let mut mask = PlaneSet::EMPTY;
            while left.len() >= 2 && mask.len() < 2 {
                mask = uses.at_page_of_first(left).and(left);
                left = left.minus(mask);
            }
            let moved = self.next.assign(slot as u32, (mask.len() >= 2).then_some(first + usize::from(mask.0)));
            for (set, some) in moved.each() {
                let changed = self.next_known[row].put(relations, PlaneSet((set - first) as u8), some);
                let together = &mut self.next_together[usize::from(die.0) * self.masks..][..self.masks];
                changes += note(together, cell, changed);
            }
        }
        changes
    }

    /// Files the plane set of a group for reading a cell type.
    fn set_read(&mut self, relations: &Masks, die: Die, (group, cell): (usize, usize), uses: &GroupUses) -> u64 {
        let mask = uses.read_as(cell);
        let row = usize::from(die.0) * self.cells + cell;
        let first = row * self.masks;
        let set = (mask.len() >= 2).then(|| {
            let length = (16 - uses.most_read_pages(mask).leading_zeros()) as usize;
            (first + usize::from(mask.0)) * LENGTHS + length
        });
        let moved = self.read.assign((group * self.cells + cell) as u32, set);
        let mut changes = 0;
        for (set, some) in moved.each() {
            let lengths = &mut self.read_lengths[set / LENGTHS];
            let before = *lengths;
            *lengths = before & !(1 << (set % LENGTHS)) | u32::from(some) << (set % LENGTHS);
            let some = *lengths != 0;
            if some != (before != 0) {
                let mask = PlaneSet((set / LENGTHS - first) as u8);
                let changed = self.read_known[row].put(relations, mask, some);
                let together = &mut self.read_together[usize::from(die.0) * self.masks..][..self.masks];
                changes += note(together, cell, changed);
            }
        }
        changes
    }
}

/// Turns a bit of the plane sets that have changed. Returns 1 if some have, else 0.
fn note(together: &mut [u8], bit: usize, changed: MaskSet) -> u64 {
    changed.iter().for_each(|planes| together[usize::from(planes.0)] ^= 1 << bit);
    u64::from(changed != MaskSet::default())
}
