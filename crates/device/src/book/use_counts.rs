//! How often blocks were erased and pages were read, over the life of a site.
//!
//! An erase or a read counts when it starts, whatever becomes of it; a step of a chain that is to come counts from the moment at which its
//! chain begins. Memory is 4 bytes for each block, 4 more if reads of blocks are counted, and 8 if reads of pages are, with 4 for each page
//! of every block of these of which a page was read.

use nandseq_profile::{Block, Die};

use super::region::AddressRegion;
use crate::place::Place;
use crate::size::Size;
use crate::tables::BaseInfo;

/// Which uses are counted beside erases.
#[derive(Clone, Default, Debug)]
pub struct CountedUses {
    /// Whether reads are counted by block.
    pub block_reads: bool,
    /// The regions in whose blocks reads are counted by page.
    pub page_reads: Vec<AddressRegion>,
}

/// The counts of every block of a device, by die, then by block.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct UseCounts {
    /// Erases of each block.
    pub erases: Vec<u32>,
    /// Reads of pages of each block; empty if they are not counted.
    pub reads: Vec<u32>,
    /// Reads of each page of a block; `None` for a block of which none was read, or whose pages are not counted. Empty if none are.
    pub page_reads: Vec<Option<Box<[u32]>>>,
    /// Whether the pages of a block are counted.
    counts_pages: Vec<bool>,
}

impl UseCounts {
    /// No uses yet.
    #[must_use]
    pub fn new(size: &Size, counted: &CountedUses) -> Self {
        let blocks = usize::from(size.dies) * size.blocks as usize;
        let has_pages = !counted.page_reads.is_empty();
        let counts = |at: usize| {
            let (die, block) = (Die((at / size.blocks as usize) as u8), Block((at % size.blocks as usize) as u32));
            counted.page_reads.iter().any(|region| region.has_block(size, die, block))
        };
        Self {
            erases: vec![0; blocks],
            reads: vec![0; if counted.block_reads { blocks } else { 0 }],
            page_reads: vec![None; if has_pages { blocks } else { 0 }],
            counts_pages: (0..if has_pages { blocks } else { 0 }).map(counts).collect(),
        }
    }

    /// Whether reads of the pages of a block, given by its number on the device, are counted.
    #[must_use]
    pub fn counts_pages_of(&self, at: usize) -> bool {
        self.counts_pages.get(at).is_some_and(|counts| *counts)
    }

    /// Whether reads of some block or page are counted.
    pub(super) const fn counts_reads(&self) -> bool {
        !(self.reads.is_empty() && self.page_reads.is_empty())
    }

    /// Reads of pages of a block, if they are counted.
    #[must_use]
    pub fn reads_of(&self, at: usize) -> u32 {
        self.reads.get(at).copied().unwrap_or(0)
    }

    /// Reads of a page of a block.
    #[must_use]
    pub fn reads_of_page(&self, at: usize, page: u16) -> u32 {
        let pages = self.page_reads.get(at).and_then(Option::as_ref);
        pages.and_then(|pages| pages.get(usize::from(page))).copied().unwrap_or(0)
    }

    /// Puts the reads of the pages of a block. Returns whether they are counted, and the block has so many pages.
    #[must_use]
    pub fn put_page_reads(&mut self, size: &Size, at: usize, reads: Vec<u32>) -> bool {
        let fits = self.counts_pages_of(at) && reads.len() == usize::from(size.pages);
        if fits {
            self.page_reads[at] = Some(reads.into_boxed_slice());
        }
        fits
    }

    /// Counts an operation, or takes its count back.
    pub fn change(&mut self, size: &Size, info: &BaseInfo, place: &Place, is_more: bool) {
        let change = |count: &mut u32| *count = if is_more { count.saturating_add(1) } else { count.saturating_sub(1) };
        for plane in place.planes.iter() {
            let at = usize::from(place.die.0) * size.blocks as usize + place.block(size, plane).index();
            if info.effects.erase {
                self.erases.get_mut(at).into_iter().for_each(change);
            }
            if info.reads_page {
                self.reads.get_mut(at).into_iter().for_each(change);
                self.page_mut(at, place.page.0, size.pages).into_iter().for_each(change);
            }
        }
    }

    /// The count of a page of a block, if it is counted.
    fn page_mut(&mut self, at: usize, page: u16, pages: u16) -> Option<&mut u32> {
        if !self.counts_pages_of(at) {
            return None;
        }
        let counts = self.page_reads[at].get_or_insert_with(|| vec![0; usize::from(pages)].into_boxed_slice());
        counts.get_mut(usize::from(page))
    }
}
