//! Regions: parts of the device that addresses are drawn from by weight. Each has sets of its own over the same records.

use std::ops::RangeInclusive;

use nandseq_profile::{Block, Die, Plane, PlaneSet};

use super::die_index::DieIndex;
use super::masks::{Masks, bits};
use super::page_ranges::{PageRanges, UsedUp};
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

/// What may be done with the blocks of a group before a change, by plane, whatever the region.
#[derive(Default)]
pub(super) struct GroupBefore {
    pub(super) uses: [Uses; 8],
    /// The pages of each that had reached a limit, if these have changed.
    pub(super) used_up: Option<[Option<Box<[u64]>>; 8]>,
}

impl GroupBefore {
    /// The pages of a block that had reached a limit; `now` are those that have.
    fn used_up_on<'a>(&'a self, plane: Plane, now: Option<&'a [u64]>) -> Option<&'a [u64]> {
        self.used_up.as_ref().map_or(now, |before| before[usize::from(plane.0)].as_deref())
    }
}

/// A region on one die.
#[derive(Clone, Debug)]
pub(super) struct RegionIndex {
    pub(super) weight: u64,
    pub(super) pages: PageRanges,
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
        Some(Self {
            weight: region.weight.into(),
            pages: PageRanges::new(&region.pages, size.pages),
            index: DieIndex::new(tables, first..first + planes.len() as u32, splits),
            planes,
        })
    }

    /// The planes of a group whose block is in the region.
    pub(super) fn planes_of(&self, group: u32) -> PlaneSet {
        let at = group.checked_sub(self.index.first);
        at.and_then(|at| self.planes.get(at as usize)).copied().unwrap_or(PlaneSet::EMPTY)
    }

    /// What may be done in the region with a block of it; `of_block` says it whatever the region, with the pages that have reached a limit.
    fn uses_of((uses, used_up): (Uses, Option<&[u64]>), pages: &PageRanges) -> Uses {
        let read_pages = if uses.read_as == 0 { 0 } else { pages.count(uses.read_pages, &UsedUp::of(used_up)) };
        Uses {
            next_as: uses.next_as * u8::from(pages.contains(uses.next_page)),
            read_as: uses.read_as * u8::from(read_pages > 0),
            read_pages,
            ..uses
        }
    }

    /// Files a group, by what may be done with its blocks in the region. Those on `planes` have changed from `before`; `of_block` says of a block
    /// what may be done with it whatever the region, with its pages that have reached a limit. Returns the same as [`DieIndex::file`].
    pub(super) fn file<'u>(
        &mut self,
        (masks, programs): (&Masks, &[u8]),
        (group, planes): (u32, PlaneSet),
        before: &GroupBefore,
        of_block: impl Fn(u8) -> (Uses, Option<&'u [u64]>),
    ) -> u64 {
        let (mut news, mut of_group, mut changes) = (GroupNews::default(), GroupUses::default(), 0);
        for plane in self.planes_of(group).and(planes).iter() {
            let at = usize::from(plane.0);
            let (block, after) = (of_block(plane.0), Self::uses_of(of_block(plane.0), &self.pages));
            let before = Self::uses_of((before.uses[at], before.used_up_on(plane, block.1)), &self.pages);
            of_group.put(at, after);
            if before != after {
                changes += self.index.file(programs, (group, plane.0), &before, &after);
                news.add(&before, &after);
            }
        }
        if self.index.planes > 1 && news != GroupNews::default() {
            for plane in self.planes_of(group).minus(planes).iter() {
                of_group.put(plane.0.into(), Self::uses_of(of_block(plane.0), &self.pages));
            }
            for cell in bits(news.read_as.into()) {
                self.leave_out_without_common_page(cell, &mut of_group, &of_block);
            }
            changes += self.index.refresh(masks, group, &of_group, news);
        }
        changes
    }

    /// Leaves planes out of those that may be read together as a cell type until they have a page in common. Without pages that have
    /// reached a limit they all have their first.
    fn leave_out_without_common_page<'u>(
        &self,
        cell: usize,
        uses: &mut GroupUses,
        of_block: impl Fn(u8) -> (Uses, Option<&'u [u64]>),
    ) {
        loop {
            let planes = uses.read_as(cell);
            let mut used_up = UsedUp::default();
            planes.iter().for_each(|plane| used_up.add(of_block(plane.0).1));
            let readable = planes.iter().map(|plane| of_block(plane.0).0.read_pages).min().unwrap_or(0);
            if planes.len() < 2 || used_up.is_empty() || self.pages.count(readable, &used_up) > 0 {
                return;
            }
            uses.leave_out_least_read(planes);
        }
    }
}
