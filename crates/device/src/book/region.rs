//! Regions: parts of the device that addresses are drawn from by weight. Each has sets of its own over the same records.

use std::ops::RangeInclusive;

use nandseq_profile::{Block, Die, Plane, PlaneSet};

use super::die_index::DieIndex;
use super::masks::{Masks, bits};
use super::page_ranges::{PageRanges, UsedUp};
use super::usable_planes::{Changed, UsablePlanes};
use super::uses::{GroupNews, GroupUses, Uses};
use crate::place::Place;
use crate::size::Size;
use crate::tables::Tables;

/// A part of the device that addresses are drawn from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddressRegion {
    /// The weight against the other regions, above 0.
    pub weight: u32,
    /// The dies, one bit each.
    pub dies: u64,
    /// The planes.
    pub planes: PlaneSet,
    /// The blocks of each of the dies, numbered over all planes of a die: ascending ranges.
    pub blocks: Vec<RangeInclusive<u32>>,
    /// The pages to program and to read: ascending ranges. Blocks are erased whatever the pages.
    pub pages: Vec<RangeInclusive<u32>>,
}

impl AddressRegion {
    /// The whole of a device, with weight 1.
    #[must_use]
    pub fn whole(size: &Size) -> Self {
        Self {
            weight: 1,
            dies: u64::MAX,
            planes: PlaneSet::first(size.planes.into()),
            blocks: vec![0..=size.blocks.saturating_sub(1)],
            pages: vec![0..=u32::from(size.pages).saturating_sub(1)],
        }
    }

    /// Whether it has a die.
    #[must_use]
    pub const fn has_die(&self, die: Die) -> bool {
        self.dies >> die.0 & 1 == 1
    }

    /// Whether it has a block.
    #[must_use]
    pub fn has_block(&self, size: &Size, die: Die, block: Block) -> bool {
        let plane = Plane((block.0 % u32::from(size.planes)) as u8);
        let has = self.blocks.iter().any(|range| range.contains(&block.0));
        self.has_die(die) && self.planes.contains(plane) && has && block.0 < size.blocks
    }

    /// Whether it has a page of each of its blocks.
    #[must_use]
    pub fn has_page(&self, page: u16) -> bool {
        self.pages.iter().any(|range| range.contains(&page.into()))
    }

    /// Whether it has the blocks of a place and, unless these are erased, the page.
    #[must_use]
    pub fn has(&self, size: &Size, place: &Place, erases: bool) -> bool {
        let has_block = |plane| self.has_block(size, place.die, place.block(size, plane));
        (erases || self.has_page(place.page.0)) && place.planes.iter().all(has_block)
    }

    /// The planes of a group whose block is in the region.
    fn planes_of(&self, size: &Size, die: Die, group: u32) -> PlaneSet {
        let first = group * u32::from(size.planes);
        let mut planes = PlaneSet::EMPTY;
        for plane in self.planes.and(PlaneSet::first(size.planes.into())).iter() {
            if self.has_block(size, die, Block(first + u32::from(plane.0))) {
                planes.insert(plane);
            }
        }
        planes
    }
}

/// The blocks of a group before and after a change, whatever the region.
pub(super) struct GroupChange<'a> {
    pub(super) group: u32,
    /// The planes on which something else may be done with the block than before, or whose pages have reached a limit or no longer have.
    pub(super) changed: PlaneSet,
    /// What might be done with these, by plane.
    pub(super) before: &'a [Uses; 8],
    /// What may be done with all blocks of the group, by plane.
    pub(super) now: &'a [Uses; 8],
    /// The same.
    pub(super) of_group: &'a GroupUses,
    /// What has changed on all of the changed blocks.
    pub(super) news: GroupNews,
    /// The pages that have reached a limit, if there are any on some block of the device.
    pub(super) used_up: Option<&'a UsedUpPages<'a>>,
}

/// The pages of the blocks of a group that had reached a limit before a change, and those that have now, by plane.
pub(super) struct UsedUpPages<'a> {
    pub(super) before: [Option<&'a [u64]>; 8],
    pub(super) now: [Option<&'a [u64]>; 8],
}

impl<'a> GroupChange<'a> {
    /// The pages of a block that had reached a limit before, and those that have now.
    fn used_up_on(&self, plane: usize) -> [Option<&'a [u64]>; 2] {
        self.used_up.map_or([None; 2], |pages| [pages.before[plane % 8], pages.now[plane % 8]])
    }
}

/// The regions that have a block on a die.
#[derive(Clone, Debug)]
pub(super) struct DieRegions {
    all: Vec<RegionIndex>,
    /// What several have together.
    together: UsablePlanes,
}

impl DieRegions {
    /// The regions on a die. For `splits` see [`DieIndex::new`].
    pub(super) fn new(tables: &Tables, regions: &[AddressRegion], (die, splits): (Die, bool)) -> Self {
        let all = regions.iter().filter_map(|region| RegionIndex::new(tables, region, (die, splits))).collect();
        Self { all, together: UsablePlanes::new(tables, splits) }
    }

    /// Each of them.
    #[inline]
    pub(super) fn all(&self) -> &[RegionIndex] {
        &self.all
    }

    /// The planes that have an address in some region.
    #[inline]
    pub(super) fn usable(&self) -> &UsablePlanes {
        if let [alone] = &self.all[..] { &alone.index.usable } else { &self.together }
    }

    /// Brings the sets into the order in which they would be made anew.
    pub(super) fn settle(&mut self) {
        self.all.iter_mut().for_each(|region| region.index.settle());
    }

    /// Files a group after a change. Returns 1 if the planes have changed that have an address for a use, else 0.
    pub(super) fn file(&mut self, (masks, programs): (&Masks, &[u8]), change: &GroupChange<'_>) -> u64 {
        let Self { all, together } = self;
        let mut changes = Changed::default();
        all.iter_mut().for_each(|region| changes.add(region.file((masks, programs), change)));
        if changes == Changed::default() || all.len() < 2 {
            return changes.times();
        }
        u64::from(together.join(all.iter().map(|region| &region.index.usable), changes))
    }
}

/// A region on one die.
#[derive(Clone, Debug)]
pub(super) struct RegionIndex {
    pub(super) weight: u64,
    pages: PageRanges,
    /// Whether it has all pages of its blocks.
    has_all_pages: bool,
    /// By group from the first of the index on: the planes whose block is in the region.
    planes: Vec<PlaneSet>,
    pub(super) index: DieIndex,
}

impl RegionIndex {
    /// The region on a die; `None` if it has no block there. For `splits` see [`DieIndex::new`].
    pub(super) fn new(tables: &Tables, region: &AddressRegion, (die, splits): (Die, bool)) -> Option<Self> {
        if !region.has_die(die) {
            return None;
        }
        let size = &tables.size;
        let (per_group, last) = (u32::from(size.planes), size.groups.checked_sub(1)?);
        let first = region.blocks.first()?.start() / per_group;
        let last = last.min(region.blocks.last()?.end() / per_group);
        let planes: Vec<PlaneSet> = (first..=last).map(|group| region.planes_of(size, die, group)).collect();
        if planes.iter().all(|planes| planes.is_empty()) {
            return None;
        }
        let pages = PageRanges::new(&region.pages, size.pages);
        Some(Self {
            weight: region.weight.into(),
            has_all_pages: pages.count(size.pages, &UsedUp::default()) == size.pages,
            pages,
            index: DieIndex::new(tables, first..first + planes.len() as u32, splits),
            planes,
        })
    }

    /// The pages of the region; `None` if it has all, and none can have reached a limit.
    #[inline]
    pub(super) fn pages(&self, may_be_used_up: bool) -> Option<&PageRanges> {
        (may_be_used_up | !self.has_all_pages).then_some(&self.pages)
    }

    /// The planes of a group whose block is in the region.
    fn planes_of(&self, group: u32) -> PlaneSet {
        let at = group.checked_sub(self.index.first);
        at.and_then(|at| self.planes.get(at as usize)).copied().unwrap_or(PlaneSet::EMPTY)
    }

    /// What may be done in the region with a block of it, of what may be done with it whatever the region; `used_up` are its pages that have
    /// reached a limit.
    fn uses_of(uses: &Uses, used_up: Option<&[u64]>, pages: &PageRanges) -> Uses {
        let read_pages = if uses.read_as == 0 { 0 } else { pages.count(uses.read_pages, &UsedUp::of(used_up)) };
        Uses {
            next_as: uses.next_as * u8::from(pages.contains(uses.next_page)),
            read_as: uses.read_as * u8::from(read_pages > 0),
            read_pages,
            ..*uses
        }
    }

    /// Files a group after a change, by what may be done with its blocks in the region. Returns the same as [`DieIndex::file`].
    #[inline]
    fn file(&mut self, (masks, programs): (&Masks, &[u8]), change: &GroupChange<'_>) -> Changed {
        let own = self.planes_of(change.group);
        if own.and(change.changed).is_empty() {
            return Changed::default();
        }
        if self.has_all_pages && change.used_up.is_none() {
            self.file_all_pages((masks, programs), own, change)
        } else {
            self.file_some_pages((masks, programs), own, change)
        }
    }

    /// The same where all pages count: what may be done in the region is what may be done whatever the region.
    fn file_all_pages(
        &mut self,
        (masks, programs): (&Masks, &[u8]),
        own: PlaneSet,
        change: &GroupChange<'_>,
    ) -> Changed {
        let (changed, mut changes) = (own.and(change.changed), Changed::default());
        for plane in changed.iter() {
            let at = usize::from(plane.0 % 8);
            changes.add(self.index.file(programs, (change.group, plane.0), &change.before[at], &change.now[at]));
        }
        let mut news = change.news;
        if changed != change.changed {
            news = GroupNews::default();
            let pairs = changed.iter().map(|plane| usize::from(plane.0 % 8));
            pairs.for_each(|at| news.add(&change.before[at], &change.now[at]));
        }
        if self.index.planes > 1 && news != GroupNews::default() {
            changes.add(self.index.refresh(masks, (change.group, own), change.of_group, news));
        }
        changes
    }

    /// The same where pages are missing, or have reached a limit.
    fn file_some_pages(
        &mut self,
        (masks, programs): (&Masks, &[u8]),
        own: PlaneSet,
        change: &GroupChange<'_>,
    ) -> Changed {
        let (mut news, mut of_group, mut changes) = (GroupNews::default(), GroupUses::default(), Changed::default());
        for plane in own.and(change.changed).iter() {
            let at = usize::from(plane.0 % 8);
            let [used_up_before, used_up] = change.used_up_on(at);
            let before = Self::uses_of(&change.before[at], used_up_before, &self.pages);
            let now = Self::uses_of(&change.now[at], used_up, &self.pages);
            of_group.put(at, now);
            if before != now {
                changes.add(self.index.file(programs, (change.group, plane.0), &before, &now));
                news.add(&before, &now);
            }
        }
        if self.index.planes > 1 && news != GroupNews::default() {
            for plane in own.minus(change.changed).iter() {
                let at = usize::from(plane.0 % 8);
                of_group.put(at, Self::uses_of(&change.now[at], change.used_up_on(at)[1], &self.pages));
            }
            if change.used_up.is_some() {
                for cell in bits(news.read_as.into()) {
                    self.leave_out_without_common_page(cell, &mut of_group, change);
                }
            }
            changes.add(self.index.refresh(masks, (change.group, own), &of_group, news));
        }
        changes
    }

    /// Leaves planes out of those that may be read together as a cell type until they have a page in common. Without pages that have
    /// reached a limit they all have their first.
    fn leave_out_without_common_page(&self, cell: usize, uses: &mut GroupUses, change: &GroupChange<'_>) {
        loop {
            let planes = uses.read_as(cell);
            let mut used_up = UsedUp::default();
            planes.iter().for_each(|plane| used_up.add(change.used_up_on(plane.index())[1]));
            let readable = planes.iter().map(|plane| change.now[plane.index() % 8].read_pages).min().unwrap_or(0);
            if planes.len() < 2 || used_up.is_empty() || self.pages.count(readable, &used_up) > 0 {
                return;
            }
            uses.leave_out_least_read(planes);
        }
    }
}
