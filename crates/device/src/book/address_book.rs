//! The blocks of a site: their records, and the sets that follow from them.

use nandseq_profile::{Block, CellTypeId, Die, PlaneSet};

use super::masks::{Masks, bits};
use super::plane_set_index::PlaneSetIndex;
use super::record::{BlockRecord, BlockStage};
use super::sets::{Moved, Sets};
use super::uses::{GroupNews, GroupUses, LENGTHS, Uses, UsesOfRecords};
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
    /// The planes whose sets have a block, by die.
    pub(super) dies: Vec<DieSummary>,
    uses: UsesOfRecords,
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

/// The planes of a die on which there is a block to erase, and to program or to read as each cell type.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct DieSummary {
    pub(super) any: PlaneSet,
    pub(super) next: [PlaneSet; 8],
    pub(super) read: [PlaneSet; 8],
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
            dies: vec![DieSummary::default(); usize::from(size.dies)],
            uses: UsesOfRecords::new(tables),
            masks: Masks::new(size.planes),
            stamps: vec![1; usize::from(size.dies)],
        };
        for die in (0..size.dies).map(Die) {
            for group in 0..size.groups {
                let planes = book.planes_of(group);
                let place = Place { die, group, planes, ..Place::default() };
                book.change_from(&place, |_, _| Uses::default(), |_| {});
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
        self.stamps[usize::from(die.0)]
    }

    /// [`AddressBook::stamp`] of each die.
    pub(crate) fn stamps(&self) -> &[u64] {
        &self.stamps
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

    /// The cell type as which a block may be read, and how many pages from 0; `None` if it may not be.
    pub(super) fn readable(&self, record: &BlockRecord) -> Option<(CellTypeId, u16)> {
        let BlockStage::Programmed(cell) = record.stage else { return None };
        let pages = u32::from(record.pages).saturating_sub(self.offset_guard);
        if record.in_flight || pages == 0 { None } else { Some((cell, pages as u16)) }
    }

    /// Files a block of a plane (given by die × planes + plane) in the sets.
    #[inline]
    fn file(&mut self, block: u32, index: usize, before: &Uses, after: &Uses) {
        if before.free != after.free {
            let moved = self.any.assign(block, after.free.then_some(index));
            if moved != Moved::default() {
                self.note_any(index, moved.filled.is_some());
            }
        }
        if before.next_set() != after.next_set() {
            let first = index * self.cells * 2;
            let moved = self.next.assign(block, after.next_set().map(|set| first + set));
            if moved != Moved::default() {
                self.note_next(index, moved);
            }
        }
        if before.read_set() != after.read_set() {
            let first = index * self.cells * LENGTHS;
            let moved = self.read.assign(block, after.read_set().map(|set| first + set));
            if moved != Moved::default() {
                self.note_read(index, moved);
            }
        }
    }

    /// Splits the index of a plane into its die and the plane of that.
    fn die_and_plane(&self, index: usize) -> (usize, u8) {
        let planes = usize::from(self.size.planes);
        (index / planes, (index % planes) as u8)
    }

    /// Notes whether a plane has a block that may be erased.
    fn note_any(&mut self, index: usize, some: bool) {
        let (die, plane) = self.die_and_plane(index);
        put(&mut self.dies[die].any, plane, some);
        self.stamps[die] += 1;
    }

    /// Notes the classes as which blocks of a plane may be programmed.
    fn note_next(&mut self, index: usize, moved: Moved) {
        let (die, plane) = self.die_and_plane(index);
        let own = &mut self.die_planes[index];
        for (set, some) in moved.each() {
            let bit = set - index * self.cells * 2;
            own.next_classes = own.next_classes & !(1 << bit) | u16::from(some) << bit;
        }
        let cells = bits(u32::from(own.next_classes)).map(|class| match class.checked_sub(self.cells) {
            Some(open) => 1 << open,
            None => self.programs[class],
        });
        let cells = cells.fold(0, |all, cells| all | cells);
        self.stamps[die] += u64::from(cells != own.next_cells);
        own.next_cells = cells;
        for (cell, planes) in self.dies[die].next.iter_mut().enumerate() {
            put(planes, plane, cells >> cell & 1 == 1);
        }
    }

    /// Notes the cell types as which blocks of a plane may be read, with the bit lengths of their readable pages.
    fn note_read(&mut self, index: usize, moved: Moved) {
        let (die, plane) = self.die_and_plane(index);
        let own = &mut self.die_planes[index];
        let before = own.read_cells;
        for (set, some) in moved.each() {
            let set = set - index * self.cells * LENGTHS;
            let (cell, length) = (set / LENGTHS, set % LENGTHS);
            let lengths = &mut own.read_lengths[cell % 8];
            *lengths = *lengths & !(1 << length) | u32::from(some) << length;
            let some = *lengths != 0;
            own.read_cells = own.read_cells & !(1 << cell) | u8::from(some) << cell;
            put(&mut self.dies[die].read[cell % 8], plane, some);
        }
        self.stamps[die] += u64::from(own.read_cells != before);
    }

    /// The classes of blocks that may be programmed with a cell type.
    pub(super) fn program_classes(&self, cell: usize) -> impl Iterator<Item = usize> + '_ {
        let erased = (0..self.cells).filter(move |&erased| self.programs[erased] >> cell & 1 == 1);
        erased.chain(std::iter::once(self.cells + cell))
    }

    /// Applies `change` to every block of a place.
    fn change(&mut self, place: &Place, change: impl FnMut(&mut BlockRecord)) {
        self.change_from(place, UsesOfRecords::of, change);
    }

    /// Applies `change` to every block of a place. The sets are as they follow from `filed`, of the records as they were.
    #[inline]
    fn change_from(
        &mut self,
        place: &Place,
        filed: impl Fn(&UsesOfRecords, &BlockRecord) -> Uses,
        mut change: impl FnMut(&mut BlockRecord),
    ) {
        let (die, planes) = (place.die, self.size.planes);
        let first = self.at(die, Block(place.group * u32::from(planes)));
        let mut news = GroupNews::default();
        for plane in place.planes.iter() {
            let record = &mut self.records[first + usize::from(plane.0)];
            let before = filed(&self.uses, record);
            change(record);
            let after = self.uses.of(record);
            // Holding a block a second time, say, changes no set.
            if before != after {
                let index = usize::from(die.0) * usize::from(planes) + usize::from(plane.0);
                self.file((first + usize::from(plane.0)) as u32, index, &before, &after);
                news.add(&before, &after);
            }
        }
        if planes > 1 && news != GroupNews::default() {
            let mut uses = GroupUses::default();
            let records = &self.records[first..];
            let records = records.iter().take(self.planes_of(place.group).len() as usize);
            records.enumerate().for_each(|(plane, record)| uses.put(plane, self.uses.of(record)));
            self.stamps[usize::from(die.0)] +=
                self.plane_set_index.refresh(&self.masks, (die, place.group), &uses, news);
        }
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

/// Puts a plane into a set of planes or takes it out.
const fn put(planes: &mut PlaneSet, plane: u8, inside: bool) {
    planes.0 = planes.0 & !(1 << plane) | (inside as u8) << plane;
}
