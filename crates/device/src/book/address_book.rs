//! The blocks of a site: their records, and the sets that follow from them.

use nandseq_profile::{Block, CellTypeId, Die, PlaneSet};

use super::masks::{Masks, bits};
use super::plane_set_index::PlaneSetIndex;
use super::record::{BlockRecord, BlockStage};
use super::sets::Sets;
use super::uses::{LENGTHS, Uses};
use crate::place::Place;
use crate::size::Size;
use crate::tables::{BaseInfo, Tables};

/// All blocks of a site.
///
/// Dies and blocks handed to its functions exist, and the planes asked about are those of the device; others are a fault of
/// the caller and panic. Only [`AddressBook::judge`] takes addresses that do not exist, and refuses them.
#[derive(Clone, Debug)]
pub struct AddressBook {
    pub(super) size: Size,
    pub(super) offset_guard: u32,
    pub(super) programs: Vec<u8>,
    pub(super) cells: usize,
    pub(super) records: Vec<BlockRecord>,
    /// Blocks that may be erased: set = die × planes + plane.
    pub(super) any: Sets,
    /// Blocks that may be programmed: set = (die × planes + plane) × 2 cells + class (erased, then open, by cell type).
    pub(super) next: Sets,
    /// Blocks with readable pages: set = ((die × planes + plane) × cells + cell) × 17 + bit length of the page count.
    pub(super) read: Sets,
    /// Block groups by the planes that can work together.
    pub(super) plane_set_index: PlaneSetIndex,
    /// Which of the sets above have a block, by die × planes + plane.
    pub(super) die_planes: Vec<PlaneSummary>,
    pub(super) masks: Masks,
    /// For each die, how often the uses have changed that its planes have a block for.
    stamps: Vec<u64>,
}

/// Which sets of one plane have a block, so that they need not be looked through.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct PlaneSummary {
    /// The classes of [`AddressBook::next`] with a block, one bit each.
    pub(super) next_classes: u16,
    /// For each cell type the bit lengths of [`AddressBook::read`] with a block, one bit each.
    pub(super) read_lengths: [u32; 8],
    /// The cell types with which some block may be programmed.
    pub(super) next_cells: u8,
    /// The cell types as which some page may be read.
    pub(super) read_cells: u8,
}

impl AddressBook {
    /// The book of a fresh device: no block is erased, and the blocks of `bad` are never usable.
    ///
    /// # Panics
    /// When a bad block does not exist.
    #[must_use]
    pub fn new(tables: &Tables, bad: &[(Die, Block)]) -> Self {
        let size = tables.size;
        let blocks = usize::from(size.dies) * size.blocks as usize;
        let fresh = BlockRecord {
            stage: BlockStage::NotErased,
            pages: 0,
            in_flight: false,
            held_to_change: 0,
            held_to_read: 0,
        };
        let mut records = vec![fresh; blocks];
        for &(die, block) in bad {
            assert!(die.0 < size.dies && block.0 < size.blocks, "a bad block exists");
            records[usize::from(die.0) * size.blocks as usize + block.0 as usize].stage = BlockStage::Bad;
        }
        Self::with_records(tables, records)
    }

    /// The book of a device whose blocks have these records, by die, then by block.
    ///
    /// # Panics
    /// When there is not one record for each block.
    #[must_use]
    pub fn with_records(tables: &Tables, records: Vec<BlockRecord>) -> Self {
        let size = tables.size;
        let cells = tables.programs.len();
        let blocks = usize::from(size.dies) * size.blocks as usize;
        let count = usize::from(size.dies) * usize::from(size.planes);
        assert_eq!(records.len(), blocks, "one record for each block");
        let mut book = Self {
            size,
            offset_guard: tables.offset_guard,
            programs: tables.programs.clone(),
            cells,
            records,
            any: Sets::new(count, blocks),
            next: Sets::new(count * cells * 2, blocks),
            read: Sets::new(count * cells * LENGTHS, blocks),
            plane_set_index: PlaneSetIndex::new(tables),
            die_planes: vec![PlaneSummary::default(); count],
            masks: Masks::new(size.planes),
            stamps: vec![1; usize::from(size.dies)],
        };
        for die in 0..size.dies {
            for group in 0..size.groups {
                let planes = book.planes_of(group);
                let mut uses = [Uses::default(); 8];
                for plane in planes.iter() {
                    let block = Block(group * u32::from(size.planes) + u32::from(plane.0));
                    uses[usize::from(plane.0)] = book.uses(book.record(Die(die), block));
                }
                book.refresh(Die(die), group, planes, &uses);
            }
        }
        book
    }

    /// Brings the sets into the order in which [`AddressBook::with_records`] would make them.
    pub(crate) fn settle(&mut self) {
        self.any.settle();
        self.next.settle();
        self.read.settle();
        self.plane_set_index.settle();
    }

    /// The records of all blocks, by die, then by block.
    #[must_use]
    pub fn records(&self) -> &[BlockRecord] {
        &self.records
    }

    /// A number that grows whenever the planes of a die change on which there is a block to erase, to program or to read, as some
    /// cell type, alone or together.
    #[must_use]
    pub fn stamp(&self, die: Die) -> u64 {
        self.stamps[usize::from(die.0)] + self.plane_set_index.stamp(die)
    }

    /// The planes on which a group has a block (the last group may be incomplete).
    pub(super) fn planes_of(&self, group: u32) -> PlaneSet {
        let left = self.size.blocks - group * u32::from(self.size.planes);
        PlaneSet::first(left.min(u32::from(self.size.planes)))
    }

    const fn at(&self, die: Die, block: Block) -> usize {
        die.0 as usize * self.size.blocks as usize + block.0 as usize
    }

    /// The record of a block.
    #[must_use]
    pub fn record(&self, die: Die, block: Block) -> &BlockRecord {
        &self.records[self.at(die, block)]
    }

    /// The bits of the cell types a block may be programmed with next.
    fn programmable(&self, record: &BlockRecord) -> u8 {
        if record.in_flight || record.is_held() || record.pages >= self.size.pages {
            return 0;
        }
        match record.stage {
            BlockStage::Bad | BlockStage::NotErased => 0,
            BlockStage::Erased(cell) => self.programs[cell.index()],
            BlockStage::Programmed(cell) => 1 << cell.0,
        }
    }

    /// The cell type as which a block may be read, and how many pages from 0; `None` if it may not be.
    pub(super) fn readable(&self, record: &BlockRecord) -> Option<(CellTypeId, u16)> {
        let BlockStage::Programmed(cell) = record.stage else { return None };
        let pages = u32::from(record.pages).saturating_sub(self.offset_guard);
        if record.in_flight || pages == 0 { None } else { Some((cell, pages as u16)) }
    }

    /// What may be done with a block.
    fn uses(&self, record: &BlockRecord) -> Uses {
        let (read_as, read_pages) = match self.readable(record) {
            Some((cell, pages)) => (1 << cell.0, pages),
            None => (0, 0),
        };
        Uses {
            free: record.stage != BlockStage::Bad && !record.in_flight && !record.is_held(),
            next_as: self.programmable(record),
            next_class: match record.stage {
                BlockStage::Bad | BlockStage::NotErased => 0,
                BlockStage::Erased(cell) => cell.0,
                BlockStage::Programmed(cell) => self.cells as u8 + cell.0,
            },
            next_page: record.pages,
            read_as,
            read_pages,
        }
    }

    /// Updates the sets for the blocks of a group. `uses` is by plane; `news` are the planes whose blocks have changed.
    fn refresh(&mut self, die: Die, group: u32, news: PlaneSet, uses: &[Uses; 8]) {
        for plane in news.iter() {
            let block = Block(group * u32::from(self.size.planes) + u32::from(plane.0));
            let index = usize::from(die.0) * usize::from(self.size.planes) + usize::from(plane.0);
            self.refresh_block(die, self.at(die, block) as u32, index, &uses[usize::from(plane.0)]);
        }
        self.plane_set_index.refresh(&self.masks, die, group, uses);
    }

    fn refresh_block(&mut self, die: Die, block: u32, index: usize, uses: &Uses) {
        let before = self.any.len(index);
        self.any.assign(block, uses.free.then_some(index));
        if (before == 0) != (self.any.len(index) == 0) {
            self.stamps[usize::from(die.0)] += 1;
        }
        self.file_next(block, index, (uses.next_as != 0).then_some(usize::from(uses.next_class)));
        self.file_read(block, index, uses);
    }

    /// Files a block under the class as which it may be programmed.
    fn file_next(&mut self, block: u32, index: usize, class: Option<usize>) {
        let first = index * self.cells * 2;
        let left = self.next.home(block);
        let set = class.map(|class| first + class);
        if left == set {
            return;
        }
        self.next.assign(block, set);
        let before = self.die_planes[index].next_classes;
        let mut classes = before;
        for changed in [left, set].into_iter().flatten() {
            let bit = 1 << (changed - first);
            classes = if self.next.len(changed) > 0 { classes | bit } else { classes & !bit };
        }
        if classes != before {
            let cells = bits(u32::from(classes)).map(|class| match class.checked_sub(self.cells) {
                Some(open) => 1 << open,
                None => self.programs[class],
            });
            let cells = cells.fold(0, |all, cells| all | cells);
            self.stamps[index / usize::from(self.size.planes)] += u64::from(cells != self.die_planes[index].next_cells);
            self.die_planes[index].next_cells = cells;
            self.die_planes[index].next_classes = classes;
        }
    }

    /// Files a block under the cell type as which it may be read and the bit length of its readable pages.
    fn file_read(&mut self, block: u32, index: usize, uses: &Uses) {
        let first = index * self.cells * LENGTHS;
        let left = self.read.home(block);
        let set = (uses.read_as != 0).then(|| {
            let cell = uses.read_as.trailing_zeros() as usize;
            first + cell * LENGTHS + (16 - uses.read_pages.leading_zeros()) as usize
        });
        if left == set {
            return;
        }
        self.read.assign(block, set);
        for changed in [left, set].into_iter().flatten() {
            let (cell, bit) = ((changed - first) / LENGTHS, 1 << ((changed - first) % LENGTHS));
            let state = &mut self.die_planes[index];
            let lengths = &mut state.read_lengths[cell];
            *lengths = if self.read.len(changed) > 0 { *lengths | bit } else { *lengths & !bit };
            let cell_bit = 1 << cell;
            let some = state.read_lengths[cell] != 0;
            let before = state.read_cells;
            state.read_cells = if some { before | cell_bit } else { before & !cell_bit };
            self.stamps[index / usize::from(self.size.planes)] += u64::from(state.read_cells != before);
        }
    }

    /// The classes of blocks that may be programmed with a cell type.
    pub(super) fn program_classes(&self, cell: usize) -> impl Iterator<Item = usize> + '_ {
        let erased = (0..self.cells).filter(move |&erased| self.programs[erased] >> cell & 1 == 1);
        erased.chain(std::iter::once(self.cells + cell))
    }

    /// Applies `change` to every block of a place.
    fn change(&mut self, place: &Place, mut change: impl FnMut(&mut BlockRecord)) {
        let (die, group) = (place.die, place.group);
        let first = self.at(die, Block(group * u32::from(self.size.planes)));
        let mut uses = [Uses::default(); 8];
        let mut news = PlaneSet::EMPTY;
        for plane in place.planes.iter() {
            let at = first + usize::from(plane.0);
            let before = self.uses(&self.records[at]);
            change(&mut self.records[at]);
            let after = self.uses(&self.records[at]);
            if before != after {
                news.insert(plane);
            }
            uses[usize::from(plane.0 % 8)] = after;
        }
        // Holding a block a second time, say, changes no set.
        if news.is_empty() {
            return;
        }
        for plane in self.planes_of(group).minus(place.planes).iter() {
            uses[usize::from(plane.0 % 8)] = self.uses(&self.records[first + usize::from(plane.0)]);
        }
        self.refresh(die, group, news, &uses);
    }

    /// An erase or program of the blocks of a place begins.
    pub fn begin(&mut self, place: &Place) {
        self.change(place, |record| record.in_flight = true);
    }

    /// The array is done with the blocks of a place: they are no longer in flight, and the effects of `info` on blocks are
    /// applied.
    pub fn finish(&mut self, info: &BaseInfo, place: &Place) {
        let pages = self.size.pages;
        self.change(place, |record| record.finish(info, place, pages));
    }

    /// The erase or program of the blocks of a place was cut by a reset: they must be erased before anything else.
    pub fn abort(&mut self, place: &Place) {
        self.change(place, |record| {
            record.in_flight = false;
            record.stage = BlockStage::NotErased;
            record.pages = 0;
        });
    }

    /// A waiting chain step counts on the blocks of a place: nothing new may be sampled there to change them.
    pub fn hold(&mut self, place: &Place, to_change: bool) {
        self.change(place, |record| *record.holds(to_change) += 1);
    }

    /// The chain step no longer counts on the blocks of a place.
    pub fn release(&mut self, place: &Place, to_change: bool) {
        self.change(place, |record| *record.holds(to_change) -= 1);
    }

    /// Whether waiting chain steps will read or change a block of this place.
    #[must_use]
    pub fn is_held(&self, place: &Place) -> bool {
        self.any_record(place, BlockRecord::is_held)
    }

    /// Whether a waiting chain step will change a block of this place.
    #[must_use]
    pub fn is_held_to_change(&self, place: &Place) -> bool {
        self.any_record(place, |record| record.held_to_change > 0)
    }

    fn any_record(&self, place: &Place, test: impl Fn(&BlockRecord) -> bool) -> bool {
        place.planes.iter().any(|plane| test(self.record(place.die, place.block(&self.size, plane))))
    }
}
