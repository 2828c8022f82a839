//! How much of a phase's addresses is programmed and erased, kept up to date during a run whose phase ends at such a share.
//!
//! What counts is the regions in force, or the whole device without regions. Without such an end nothing is counted.

use std::ops::RangeInclusive;

use nandseq_device::{AddressRegion, BlockRecord, BlockStage, Device, Place, Size, Tables};
use nandseq_plan::model::WHOLE;
use nandseq_profile::{Block, Die};
use rustc_hash::FxHashMap;

/// Ascending ranges of pages, both ends included.
type Pages = Vec<RangeInclusive<u32>>;

/// The pages and blocks that count, and how many of them are programmed and erased.
#[derive(Clone, Debug)]
pub(crate) struct UntilCounts {
    size: Size,
    /// By die and block: which of `pages` count; those with index 0 are none. Empty if all pages of all blocks count, those with index 1.
    of_block: Vec<u32>,
    pages: Vec<Pages>,
    sums: BlockSums,
}

/// The pages and blocks of some good blocks.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
struct BlockSums {
    /// Blocks of which a page counts.
    blocks: u64,
    /// Pages that count.
    pages: u64,
    /// Those of these that are programmed.
    programmed: u64,
    /// Blocks that are erased and not yet programmed.
    erased: u64,
}

impl UntilCounts {
    /// Counts the blocks of some regions, or all without regions.
    pub(crate) fn new(device: &Device, size: &Size, regions: &[AddressRegion]) -> Self {
        let blocks = if regions.is_empty() { 0 } else { usize::from(size.dies) * size.blocks as usize };
        let (of_block, whole) = (vec![0; blocks], vec![0..=u32::from(size.pages).saturating_sub(1)]);
        let mut counts = Self { size: *size, of_block, pages: vec![Vec::new(), whole], sums: BlockSums::default() };
        let mut known = FxHashMap::default();
        for (at, region) in regions.iter().enumerate() {
            for (die, block) in blocks_of(region, size) {
                let place = usize::from(die.0) * size.blocks as usize + block.index();
                let before = counts.of_block[place];
                counts.of_block[place] = *known.entry((before, at)).or_insert_with(|| {
                    counts.pages.push(union(&counts.pages[before as usize], &region.pages));
                    counts.pages.len() as u32 - 1
                });
            }
        }
        counts.count(device);
        counts
    }

    /// Counts all blocks anew.
    pub(crate) fn count(&mut self, device: &Device) {
        self.sums = self.of_device(device);
    }

    /// Whether the counts are those of the device.
    pub(crate) fn are_those_of(&self, device: &Device) -> bool {
        self.sums == self.of_device(device)
    }

    fn of_device(&self, device: &Device) -> BlockSums {
        device.book.records().iter().enumerate().map(|(at, record)| self.of_record(at, record)).sum()
    }

    /// Takes the blocks of a place out of the counts, before a change.
    pub(crate) fn take_out(&mut self, device: &Device, tables: &Tables, place: &Place) {
        let BlockSums { blocks, pages, programmed, erased } = self.at(device, tables, place);
        self.sums.blocks -= blocks;
        self.sums.pages -= pages;
        self.sums.programmed -= programmed;
        self.sums.erased -= erased;
    }

    /// Puts the blocks of a place into the counts, after a change.
    pub(crate) fn put_in(&mut self, device: &Device, tables: &Tables, place: &Place) {
        self.sums = [self.sums, self.at(device, tables, place)].into_iter().sum();
    }

    fn at(&self, device: &Device, tables: &Tables, place: &Place) -> BlockSums {
        // An operation that addresses no block may be on planes that have none.
        let blocks = place.planes.iter().map(|plane| place.block(&tables.size, plane));
        let of_block = |block: Block| {
            let at = usize::from(place.die.0) * self.size.blocks as usize + block.index();
            self.of_record(at, device.book.record(place.die, block))
        };
        blocks.filter(|block| block.0 < tables.size.blocks).map(of_block).sum()
    }

    fn of_record(&self, at: usize, record: &BlockRecord) -> BlockSums {
        let pages = &self.pages[self.of_block.get(at).copied().unwrap_or(1) as usize];
        if pages.is_empty() || record.stage == BlockStage::Bad {
            return BlockSums::default();
        }
        let below = |end: u32| {
            let of_range =
                |range: &RangeInclusive<u32>| u64::from((range.end() + 1).min(end).saturating_sub(*range.start()));
            pages.iter().map(of_range).sum()
        };
        let erased = u64::from(matches!(record.stage, BlockStage::Erased(_)));
        BlockSums { blocks: 1, pages: below(self.size.pages.into()), programmed: below(record.pages.into()), erased }
    }

    /// Whether so many millionths of the pages are programmed.
    pub(crate) fn has_programmed(&self, share: u32) -> bool {
        is_share(self.sums.programmed, self.sums.pages, share)
    }

    /// Whether so many millionths of the blocks are erased and not yet programmed.
    pub(crate) fn has_erased(&self, share: u32) -> bool {
        is_share(self.sums.erased, self.sums.blocks, share)
    }
}

impl std::iter::Sum for BlockSums {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            blocks: sum.blocks + one.blocks,
            pages: sum.pages + one.pages,
            programmed: sum.programmed + one.programmed,
            erased: sum.erased + one.erased,
        })
    }
}

/// The blocks of a region.
fn blocks_of(region: &AddressRegion, size: &Size) -> impl Iterator<Item = (Die, Block)> {
    let all = (0..size.dies).map(Die).flat_map(move |die| {
        let last = size.blocks.saturating_sub(1);
        let ranges = region.blocks.iter().map(move |range| *range.start()..=last.min(*range.end()));
        ranges.flatten().map(move |block| (die, Block(block)))
    });
    all.filter(|(die, block)| region.has_block(size, *die, *block))
}

/// The pages that are in one of two lists of ranges.
fn union(one: &[RangeInclusive<u32>], other: &[RangeInclusive<u32>]) -> Pages {
    let mut all: Pages = one.iter().chain(other).cloned().collect();
    all.sort_unstable_by_key(|range| *range.start());
    let mut merged: Pages = Vec::new();
    for range in all {
        match merged.last_mut().filter(|last| *range.start() <= last.end() + 1) {
            Some(last) => *last = *last.start()..=*last.end().max(range.end()),
            None => merged.push(range),
        }
    }
    merged
}

/// Whether a part is at least so many millionths of the whole.
pub(crate) fn is_share(part: u64, whole: u64, share: u32) -> bool {
    u128::from(part) * u128::from(WHOLE) >= u128::from(whole) * u128::from(share)
}
