//! Block groups by the planes that can work together on them: the index behind multi-plane addresses.
//!
//! For each group and each way of use (erase; program as a cell type; read as a cell type) the planes whose blocks allow the
//! same operation at the same page form a plane set. Groups are kept in sets by plane set, so that the groups on which a given
//! plane set can work are the union of the sets of its supersets.

use nandseq_profile::{CellTypeId, Die, PlaneSet};

use super::masks::{MaskSet, Masks, bits};
use super::sets::Sets;
use super::uses::{LENGTHS, Uses};
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
    any_masks: Vec<MaskSet>,
    next_masks: Vec<MaskSet>,
    read_masks: Vec<MaskSet>,
    /// For each die and plane set whether (1) some two of its planes can be erased together.
    any_together: Vec<u8>,
    /// For each die and plane set the cell types with which some two of its planes can work together, one bit each.
    next_together: Vec<u8>,
    read_together: Vec<u8>,
    /// For each group, the cell types that it could program, or read, after its last update: only these are looked at again.
    last_next: Vec<u8>,
    last_read: Vec<u8>,
    /// For each die, how often the bits of its planes in `any_together`, `next_together` and `read_together` have changed.
    stamps: Vec<u64>,
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
            any_masks: vec![MaskSet::default(); dies],
            next_masks: vec![MaskSet::default(); dies * cells],
            read_masks: vec![MaskSet::default(); dies * cells],
            any_together: vec![0; dies * masks],
            next_together: vec![0; dies * masks],
            read_together: vec![0; dies * masks],
            last_next: vec![0; entries(groups)],
            last_read: vec![0; entries(groups)],
            stamps: vec![0; dies],
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

    /// A number that grows whenever it changes what some two planes of a die can do together.
    pub(super) fn stamp(&self, die: Die) -> u64 {
        self.stamps[usize::from(die.0)]
    }

    /// Whether some two of `planes` can be erased together.
    pub(super) fn any_together(&self, die: Die, planes: PlaneSet) -> bool {
        self.any_together[usize::from(die.0) * self.masks + usize::from(planes.0)] != 0
    }

    /// The masks for which [`PlaneSetIndex::any`] has an entry.
    pub(super) fn any_masks(&self, die: Die) -> &MaskSet {
        &self.any_masks[usize::from(die.0)]
    }

    /// The masks for which [`PlaneSetIndex::next`] has an entry.
    pub(super) fn next_masks(&self, die: Die, cell: CellTypeId) -> &MaskSet {
        &self.next_masks[usize::from(die.0) * self.cells + cell.index()]
    }

    /// The masks for which [`PlaneSetIndex::read`] has an entry.
    pub(super) fn read_masks(&self, die: Die, cell: CellTypeId) -> &MaskSet {
        &self.read_masks[usize::from(die.0) * self.cells + cell.index()]
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

    /// Updates the plane sets of a group; `uses` is by plane.
    pub(super) fn refresh(&mut self, relations: &Masks, die: Die, group: u32, uses: &[Uses; 8]) {
        if self.size.planes < 2 {
            return;
        }
        let entry = self.group_entry(die, group);
        let uses = &uses[..usize::from(self.size.planes)];
        let mut free = PlaneSet::EMPTY;
        let (mut next_as, mut read_as) = (0u8, 0u8);
        for (plane, own) in uses.iter().enumerate() {
            free.0 |= u8::from(own.free) << plane;
            next_as |= own.next_as;
            read_as |= own.read_as;
        }
        self.set_any(relations, die, entry, free);
        for cell in bits(u32::from(next_as | self.last_next[entry])) {
            self.set_next(relations, die, entry, cell, uses);
        }
        for cell in bits(u32::from(read_as | self.last_read[entry])) {
            self.set_read(relations, die, entry, cell, uses);
        }
        self.last_next[entry] = next_as;
        self.last_read[entry] = read_as;
    }
    /// Files the plane set of a group for erasing.
    fn set_any(&mut self, relations: &Masks, die: Die, group: usize, free: PlaneSet) {
        let set = (free.len() >= 2).then(|| usize::from(die.0) * self.masks + usize::from(free.0));
        let left = self.any.home(group as u32);
        if left == set {
            return;
        }
        self.any.assign(group as u32, set);
        for changed in [left, set].into_iter().flatten() {
            let (row, mask) = (changed / self.masks, changed % self.masks);
            if self.any_masks[row].put(mask, self.any.len(changed) > 0) {
                let together = &mut self.any_together[row * self.masks..][..self.masks];
                let news = relations.note_together(together, 1, mask, &self.any_masks[row]);
                self.stamps[row] += u64::from(news);
            }
        }
    }

    /// Moves an entry of `next`, and notes which masks have an entry.
    fn move_next(&mut self, relations: &Masks, entry: u32, set: Option<usize>) {
        let left = self.next.home(entry);
        if left == set {
            return;
        }
        self.next.assign(entry, set);
        for changed in [left, set].into_iter().flatten() {
            let some = self.next.len(changed) > 0;
            let (row, mask) = (changed / self.masks, changed % self.masks);
            if self.next_masks[row].put(mask, some) {
                let (die, cell) = (row / self.cells, row % self.cells);
                let together = &mut self.next_together[die * self.masks..][..self.masks];
                let news = relations.note_together(together, 1 << cell, mask, &self.next_masks[row]);
                self.stamps[die] += u64::from(news);
            }
        }
    }

    /// Files the plane sets of a group for programming a cell type: planes at the same next page, at least two.
    fn set_next(&mut self, relations: &Masks, die: Die, group: usize, cell: usize, uses: &[Uses]) {
        let mut slot = (group * self.cells + cell) * self.slots;
        let end = slot + self.slots;
        let mut left = PlaneSet::EMPTY;
        for (plane, own) in uses.iter().enumerate() {
            left.0 |= (own.next_as >> cell & 1) << plane;
        }
        while let Some(first) = left.iter().next() {
            let page = uses[usize::from(first.0)].next_page;
            let mut mask = PlaneSet::EMPTY;
            left.iter()
                .filter(|plane| uses[usize::from(plane.0)].next_page == page)
                .for_each(|plane| mask.insert(plane));
            left = left.minus(mask);
            if mask.len() >= 2 {
                let set = (usize::from(die.0) * self.cells + cell) * self.masks + usize::from(mask.0);
                self.move_next(relations, slot as u32, Some(set));
                slot += 1;
            }
        }
        for slot in slot..end {
            self.move_next(relations, slot as u32, None);
        }
    }

    /// Files the plane set of a group for reading a cell type.
    fn set_read(&mut self, relations: &Masks, die: Die, group: usize, cell: usize, uses: &[Uses]) {
        let mut mask = PlaneSet::EMPTY;
        let mut longest = 0;
        for (at, uses) in uses.iter().enumerate().filter(|(_, uses)| uses.read_as >> cell & 1 == 1) {
            mask = mask.union(PlaneSet(1 << at));
            longest = longest.max(uses.read_pages);
        }
        let set = (mask.len() >= 2).then(|| {
            let set = (usize::from(die.0) * self.cells + cell) * self.masks + usize::from(mask.0);
            set * LENGTHS + (16 - longest.leading_zeros()) as usize
        });
        let entry = (group * self.cells + cell) as u32;
        let left = self.read.home(entry);
        if left == set {
            return;
        }
        self.read.assign(entry, set);
        for changed in [left, set].into_iter().flatten() {
            let bit = 1 << (changed % LENGTHS);
            let lengths = &mut self.read_lengths[changed / LENGTHS];
            *lengths = if self.read.len(changed) > 0 { *lengths | bit } else { *lengths & !bit };
            let some = *lengths != 0;
            let (row, mask) = (changed / LENGTHS / self.masks, changed / LENGTHS % self.masks);
            if self.read_masks[row].put(mask, some) {
                let die = row / self.cells;
                let together = &mut self.read_together[die * self.masks..][..self.masks];
                let news = relations.note_together(together, 1 << cell, mask, &self.read_masks[row]);
                self.stamps[die] += u64::from(news);
            }
        }
    }
}
