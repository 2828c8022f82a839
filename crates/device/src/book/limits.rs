//! Limits of how often blocks and pages are used: what they leave of the uses of a block, and whether a plan keeps them.
//!
//! A block that has reached a limit is in no set of the use that the limit is of, so that draws find only what may still be used. Pages that
//! have reached theirs are bits of their block. Blocks that are open are counted for the whole site.

use nandseq_profile::{Block, Die, PlaneSet};

use super::region::{AddressRegion, UsedUpPages};
use super::use_counts::UseCounts;
use super::uses::Uses;
use crate::size::Size;
use crate::tables::BaseInfo;

/// How often the addresses of some regions may be used; `None` for no limit.
#[derive(Clone, Default, Debug)]
pub struct UseLimit {
    /// The regions; without any, the whole device.
    pub regions: Vec<AddressRegion>,
    /// Erases of a block.
    pub erases: Option<u32>,
    /// Reads of pages of a block.
    pub reads: Option<u32>,
    /// Reads of a page of the regions.
    pub page_reads: Option<u32>,
}

impl UseLimit {
    /// Whether it has a block.
    #[must_use]
    pub fn has_block(&self, size: &Size, (die, block): (Die, Block)) -> bool {
        self.regions.is_empty() || self.regions.iter().any(|region| region.has_block(size, die, block))
    }

    /// Whether it has a page of a block.
    #[must_use]
    pub fn has_page(&self, size: &Size, (die, block): (Die, Block), page: u16) -> bool {
        let has = |region: &AddressRegion| region.has_block(size, die, block) && region.has_page(page);
        self.regions.is_empty() || self.regions.iter().any(has)
    }
}

/// The limits of a phase.
#[derive(Clone, Default, Debug)]
pub struct UseLimits {
    /// Limits of blocks and pages; where several hold, the least does.
    pub each: Vec<UseLimit>,
    /// How many blocks of the site may be open: partly programmed, or about to be. A block is open from the start of the operation that
    /// programs its first page, or of the chain that will, until it is full or erased.
    pub open_blocks: Option<u32>,
}

impl UseLimits {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.each.is_empty() && self.open_blocks.is_none()
    }
}

/// The limits in force.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    size: Size,
    /// By block of the device; the greatest number where there is no limit. Empty if no block has any.
    erases: Vec<u32>,
    reads: Vec<u32>,
    /// The limits with one for reads of pages, and the least of these.
    of_pages: Vec<UseLimit>,
    least_of_pages: u32,
    /// By block of the device: its pages that have reached their limit, one bit each; `None` if there is none.
    used_up: Vec<Option<Box<[u64]>>>,
    /// How many blocks of the site may be open.
    pub(super) open: Option<u32>,
}

impl Limits {
    pub(super) fn new(size: &Size, limits: &UseLimits, counts: &UseCounts) -> Self {
        let (limits, open) = (&limits.each, limits.open_blocks);
        let blocks = usize::from(size.dies) * size.blocks as usize;
        let least = |of: fn(&UseLimit) -> Option<u32>| -> Vec<u32> {
            if limits.iter().all(|limit| of(limit).is_none()) {
                return Vec::new();
            }
            let of_block = |at: usize| {
                let address = address(size, at);
                let own = limits.iter().filter(|limit| limit.has_block(size, address));
                own.filter_map(of).min().unwrap_or(u32::MAX)
            };
            (0..blocks).map(of_block).collect()
        };
        let of_pages: Vec<UseLimit> = limits.iter().filter(|limit| limit.page_reads.is_some()).cloned().collect();
        let mut all = Self {
            least_of_pages: of_pages.iter().filter_map(|limit| limit.page_reads).min().unwrap_or(u32::MAX),
            size: *size,
            erases: least(|limit| limit.erases),
            reads: least(|limit| limit.reads),
            used_up: vec![None; if of_pages.is_empty() { 0 } else { blocks }],
            of_pages,
            open,
        };
        if !all.used_up.is_empty() {
            for (at, _) in counts.page_reads.iter().enumerate().filter(|(_, pages)| pages.is_some()) {
                (0..size.pages).for_each(|page| all.note_page(at, page, counts));
            }
        }
        all
    }

    /// Whether there is one.
    pub(super) const fn are_any(&self) -> bool {
        self.limits_erases() || self.limits_reads() || self.open.is_some()
    }

    /// Whether reads of some page are limited.
    pub(super) const fn limits_pages(&self) -> bool {
        !self.of_pages.is_empty()
    }

    /// Whether erases or reads of some block are limited.
    pub(super) const fn limits_blocks(&self) -> bool {
        !self.erases.is_empty() || !self.reads.is_empty()
    }

    /// Whether erases of some block are limited.
    pub(super) const fn limits_erases(&self) -> bool {
        !self.erases.is_empty()
    }

    /// Whether reads of some block or page are limited.
    pub(super) const fn limits_reads(&self) -> bool {
        !self.reads.is_empty() || self.limits_pages()
    }

    /// Whether a limit of reads of pages lets a page be read once more after so many reads. Most pages are far from any.
    pub(super) fn lets_read(&self, at: usize, page: u16, reads: u32) -> bool {
        reads < self.least_of_pages || reads < self.of_page(at, page)
    }

    /// The limit of reads of a page.
    fn of_page(&self, at: usize, page: u16) -> u32 {
        let size = &self.size;
        let own = self.of_pages.iter().filter(|limit| limit.has_page(size, address(size, at), page));
        own.filter_map(|limit| limit.page_reads).min().unwrap_or(u32::MAX)
    }

    /// The limit of reads of a block.
    pub(super) fn of_reads(&self, at: usize) -> u32 {
        self.reads.get(at).copied().unwrap_or(u32::MAX)
    }

    /// The limit of erases of a block.
    pub(super) fn of_erases(&self, at: usize) -> u32 {
        self.erases.get(at).copied().unwrap_or(u32::MAX)
    }

    /// Whether an operation that counts, or counts no more, on a page of a block lets the block or the page reach a limit, or takes it back.
    pub(super) fn turns(&self, counts: &UseCounts, (info, at, page): (&BaseInfo, usize, u16), is_more: bool) -> bool {
        let greater = |count: u32| count.saturating_add(u32::from(is_more));
        let erases = || counts.erases.get(at).is_some_and(|&erases| greater(erases) == self.of_erases(at));
        let reads = || greater(counts.reads_of(at)) == self.of_reads(at);
        let of_page = || greater(counts.reads_of_page(at, page));
        let page_reads = || of_page() >= self.least_of_pages && of_page() == self.of_page(at, page);
        info.effects.erase && erases() || info.reads_page && (reads() || page_reads())
    }

    /// Notes whether a page has reached its limit.
    pub(super) fn note_page(&mut self, at: usize, page: u16, counts: &UseCounts) {
        let is_used_up = !self.lets_read(at, page, counts.reads_of_page(at, page));
        let pages = self.size.pages;
        let Some(used_up) = self.used_up.get_mut(at) else { return };
        if !is_used_up && used_up.is_none() {
            return;
        }
        let words = used_up.get_or_insert_with(|| vec![0; usize::from(pages).div_ceil(64)].into_boxed_slice());
        let (word, bit) = (&mut words[usize::from(page) / 64], 1 << (page % 64));
        *word = if is_used_up { *word | bit } else { *word & !bit };
        if words.iter().all(|word| *word == 0) {
            *used_up = None;
        }
    }

    /// The pages of a block that have reached their limit, one bit each; `None` if there is none.
    pub(super) fn used_up(&self, at: usize) -> Option<&[u64]> {
        self.used_up.get(at)?.as_deref()
    }

    /// What the limits of a block leave of its uses; pages that have reached theirs are left out elsewhere.
    pub(super) fn leave(&self, at: usize, counts: &UseCounts, uses: Uses) -> Uses {
        let may_erase = counts.erases.get(at).is_none_or(|erases| *erases < self.of_erases(at));
        let may_read = counts.reads.get(at).is_none_or(|reads| *reads < self.of_reads(at));
        Uses {
            free: uses.free & may_erase,
            read_as: uses.read_as * u8::from(may_read),
            read_pages: uses.read_pages * u16::from(may_read),
            ..uses
        }
    }
}

/// The counts, and the limits in force.
#[derive(Clone, Debug)]
pub(super) struct Counting {
    pub(super) counts: UseCounts,
    pub(super) limits: Limits,
}

impl Counting {
    /// What the limits leave of the uses of a block; pages that have reached theirs are left out elsewhere.
    #[inline]
    pub(super) fn leave(&self, at: usize, uses: Uses) -> Uses {
        self.limits.leave(at, &self.counts, uses)
    }

    /// The pages of the blocks of a group that have reached their limit, and those that had before if these are others; `None` if there are
    /// none. `first` is the number of its first block on the device.
    #[inline]
    pub(super) fn used_up_pages<'a>(
        &'a self,
        (first, planes): (usize, PlaneSet),
        before: Option<&'a [Option<Box<[u64]>>; 8]>,
    ) -> Option<UsedUpPages<'a>> {
        if self.limits.used_up.is_empty() {
            return None;
        }
        let is_here = |at: usize| planes.0 >> at & 1 == 1;
        let now = std::array::from_fn(|at| self.limits.used_up(first + at).filter(|_| is_here(at)));
        let before = before.map_or(now, |before| std::array::from_fn(|at| before[at].as_deref()));
        let are_any = before.iter().chain(&now).any(Option::is_some);
        are_any.then_some(UsedUpPages { before, now })
    }
}

/// The die and block of a number on the device.
fn address(size: &Size, at: usize) -> (Die, Block) {
    let blocks = size.blocks as usize;
    (Die((at / blocks) as u8), Block((at % blocks) as u32))
}
