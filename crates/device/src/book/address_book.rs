//! The blocks of a site: their records, and the sets that follow from them.

use nandseq_profile::{Block, CellTypeId, Die, PlaneSet};

use super::die_index::DieIndex;
use super::limits::{Counting, Limits, UseLimits};
use super::masks::Masks;
use super::record::{BlockRecord, BlockStage};
use super::region::{AddressRegion, DieRegions, GroupChange};
use super::uses::{GroupNews, GroupUses, Uses, UsesOfRecords};
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
    pub(super) records: Vec<BlockRecord>,
    /// By die: the index of all its blocks. Without an entry if there are regions.
    pub(super) whole: Vec<DieIndex>,
    /// By die: its regions. Without an entry if there is no region.
    pub(super) regions: Vec<DieRegions>,
    pub(super) uses: UsesOfRecords,
    pub(super) masks: Masks,
    /// For each die, how often the uses have changed that its planes have a block for.
    stamps: Vec<u64>,
    /// How often blocks and pages were used, and the limits of that, if it is counted.
    pub(super) counting: Option<Box<Counting>>,
    /// How many blocks are open: see [`Counting`]. Counted while there is a limit.
    open: u32,
    /// How many more may be.
    pub(super) slots: u32,
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
        let blocks = usize::from(size.dies) * size.blocks as usize;
        assert_eq!(records.len(), blocks, "one record for each block");
        let mut book = Self {
            size,
            offset_guard: tables.offset_guard,
            programs: tables.programs.clone(),
            records,
            whole: Vec::new(),
            regions: Vec::new(),
            uses: UsesOfRecords::new(tables),
            masks: Masks::new(size.planes),
            stamps: vec![0; usize::from(size.dies)],
            counting: None,
            open: 0,
            slots: u32::MAX,
        };
        book.draw_from(tables, &[], &UseLimits::default());
        book
    }

    /// Draws from regions and within limits from now on, and from the whole device without regions. The tables are those of the book. Limits
    /// hold only for what is counted: see [`AddressBook::count_uses`].
    pub fn draw_from(&mut self, tables: &Tables, regions: &[AddressRegion], limits: &UseLimits) {
        if let Some(counting) = &mut self.counting {
            counting.limits = Limits::new(&self.size, limits, &counting.counts);
        }
        self.count_open();
        let dies = (0..self.size.dies).map(Die);
        // Limits are kept in regions alone.
        let all = [AddressRegion::whole(&self.size)];
        let regions = if regions.is_empty() && !limits.is_empty() { &all } else { regions };
        let is_whole = regions.is_empty();
        let splits = limits.open_blocks.is_some();
        let index = |_| DieIndex::new(tables, 0..self.size.groups, false);
        self.whole = dies.clone().filter(|_| is_whole).map(index).collect();
        let of_die = |die| DieRegions::new(tables, regions, (die, splits));
        self.regions = dies.clone().filter(|_| !is_whole).map(of_die).collect();
        for die in dies {
            for group in 0..self.size.groups {
                let planes = self.planes_of(group);
                if is_whole {
                    let place = Place { die, group, planes, ..Place::default() };
                    self.change_from(&place, |_, _| Uses::default(), |_| {});
                } else {
                    let mut now = [Uses::default(); 8];
                    let first = self.at(die, Block(group * u32::from(self.size.planes)));
                    planes.iter().for_each(|plane| now[plane.index()] = self.uses_of(first + plane.index()));
                    self.file_in_regions((die, group), planes, (&[Uses::default(); 8], &mut now), None);
                }
            }
            self.stamps[usize::from(die.0)] += 1;
        }
    }

    /// Brings the sets into the order in which [`AddressBook::draw_from`] would make them.
    pub(crate) fn settle(&mut self) {
        self.whole.iter_mut().for_each(DieIndex::settle);
        self.regions.iter_mut().for_each(DieRegions::settle);
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

    /// The planes on which a group has a block (the last group may be incomplete); none beyond the last.
    pub(super) fn planes_of(&self, group: u32) -> PlaneSet {
        let left = self.size.blocks.saturating_sub(group.saturating_mul(self.size.planes.into()));
        PlaneSet::first(left.min(u32::from(self.size.planes)))
    }

    pub(super) const fn at(&self, die: Die, block: Block) -> usize {
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

    /// Applies `change` to every block of a place.
    #[inline]
    fn change(&mut self, place: &Place, change: impl FnMut(&mut BlockRecord)) {
        if self.regions.is_empty() {
            self.change_from(place, UsesOfRecords::of, change);
        } else {
            self.change_in_regions(place, change);
        }
    }

    /// Applies `change` to every block of a place of a device with regions.
    #[inline(never)]
    fn change_in_regions(&mut self, place: &Place, mut change: impl FnMut(&mut BlockRecord)) {
        let first = self.at(place.die, Block(place.group * u32::from(self.size.planes)));
        let (mut before, mut now) = ([Uses::default(); 8], [Uses::default(); 8]);
        let (pages, mut changed, mut open) = (self.size.pages, PlaneSet::EMPTY, self.open);
        let limited = self.counting.as_deref().filter(|counting| counting.limits.limits_blocks());
        for plane in place.planes.iter() {
            let at = first + plane.index();
            let record = &mut self.records[at];
            let mut uses = self.uses.of(record);
            open = open.wrapping_sub(record.is_open(pages).into());
            change(record);
            open = open.wrapping_add(record.is_open(pages).into());
            let mut uses_now = self.uses.of(record);
            if let Some(counting) = limited {
                (uses, uses_now) = (counting.leave(at, uses), counting.leave(at, uses_now));
            }
            // Holding a block a second time, say, changes no set.
            changed.0 |= u8::from(uses != uses_now) << (plane.0 % 8);
            (before[plane.index() % 8], now[plane.index() % 8]) = (uses, uses_now);
        }
        if !changed.is_empty() {
            self.file_in_regions((place.die, place.group), changed, (&before, &mut now), None);
        }
        if open != self.open && self.open_limit().is_some() {
            self.note_open(open);
        }
    }

    /// How many blocks of the site may be open, if there is a limit: see [`UseLimits::open_blocks`].
    #[must_use]
    pub fn open_limit(&self) -> Option<u32> {
        self.counting.as_ref().and_then(|counting| counting.limits.open)
    }

    /// Whether a block may be opened.
    #[must_use]
    pub const fn may_open(&self) -> bool {
        self.slots > 0
    }

    /// Notes how many blocks are open.
    fn note_open(&mut self, open: u32) {
        let slots = self.open_limit().map_or(u32::MAX, |most| most.saturating_sub(open));
        // Every die has other addresses when no block may be opened any more, or no two blocks.
        if slots.min(2) != self.slots.min(2) {
            self.stamps.iter_mut().for_each(|stamp| *stamp += 1);
        }
        (self.open, self.slots) = (open, slots);
    }

    /// Counts the blocks that are open anew.
    fn count_open(&mut self) {
        let is_open = |record: &&BlockRecord| record.is_open(self.size.pages);
        let open = if self.open_limit().is_some() { self.records.iter().filter(is_open).count() } else { 0 };
        self.note_open(open as u32);
    }

    /// What may be done with a block, given by its number on the device, whatever the region.
    #[inline]
    pub(super) fn uses_of(&self, at: usize) -> Uses {
        let uses = self.uses.of(&self.records[at]);
        self.counting.as_ref().map_or(uses, |counting| counting.leave(at, uses))
    }

    /// Files the blocks of a group in the regions of its die after a change. What may be done with the blocks on the `changed` planes is given,
    /// as it was before and as it is now, and the pages of them that had reached a limit, if these have changed. The other planes of the group
    /// are filled in.
    pub(super) fn file_in_regions(
        &mut self,
        (die, group): (Die, u32),
        changed: PlaneSet,
        (before, now): (&[Uses; 8], &mut [Uses; 8]),
        used_up_before: Option<&[Option<Box<[u64]>>; 8]>,
    ) {
        let (planes, first) = (self.planes_of(group), self.at(die, Block(group * u32::from(self.size.planes))));
        let (mut of_group, mut news) = (GroupUses::default(), GroupNews::default());
        let limited = self.counting.as_deref().filter(|counting| counting.limits.limits_blocks());
        let records = self.records[first..].iter().take(planes.len() as usize);
        for (plane, record) in records.enumerate() {
            if changed.0 >> plane & 1 == 0 {
                let uses = self.uses.of(record);
                now[plane % 8] = limited.map_or(uses, |counting| counting.leave(first + plane, uses));
            } else {
                news.add(&before[plane % 8], &now[plane % 8]);
            }
            of_group.put(plane, now[plane % 8]);
        }
        let Self { regions, masks, programs, stamps, counting, .. } = self;
        let used_up = counting.as_ref().and_then(|counting| counting.used_up_pages((first, planes), used_up_before));
        let (of_group, used_up) = (&of_group, used_up.as_ref());
        let change = GroupChange { group, changed, before, now, of_group, news, used_up };
        if let Some(regions) = regions.get_mut(die.index()) {
            stamps[die.index()] += regions.file((masks, programs), &change);
        }
    }

    /// Applies `change` to every block of a place, and files it in the index of all blocks. The sets are as they follow from `filed`, of the
    /// records as they were.
    #[inline]
    fn change_from(
        &mut self,
        place: &Place,
        filed: impl Fn(&UsesOfRecords, &BlockRecord) -> Uses,
        mut change: impl FnMut(&mut BlockRecord),
    ) {
        let (die, planes) = (usize::from(place.die.0), self.size.planes);
        let first = self.at(place.die, Block(place.group * u32::from(planes)));
        let mut news = GroupNews::default();
        for plane in place.planes.iter() {
            let record = &mut self.records[first + usize::from(plane.0)];
            let before = filed(&self.uses, record);
            change(record);
            let after = self.uses.of(record);
            // Holding a block a second time, say, changes no set.
            if before != after {
                let of_block = (place.group, plane.0);
                self.stamps[die] += self.whole[die].file(&self.programs, of_block, &before, &after).times();
                news.add(&before, &after);
            }
        }
        if planes > 1 && news != GroupNews::default() {
            let mut uses = GroupUses::default();
            let records = &self.records[first..];
            let records = records.iter().take(self.planes_of(place.group).len() as usize);
            records.enumerate().for_each(|(plane, record)| uses.put(plane, self.uses.of(record)));
            let all = (place.group, PlaneSet::EMPTY.complement());
            self.stamps[die] += self.whole[die].refresh(&self.masks, all, &uses, news).times();
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
