//! Counts of uses and their limits, in the address book: what is counted when, and whether a plan keeps the limits.

use nandseq_profile::{Block, Die, Page};

use super::address_book::AddressBook;
use super::limits::{Counting, Limits, UseLimits};
use super::use_counts::UseCounts;
use crate::place::Place;
use crate::tables::BaseInfo;

impl AddressBook {
    /// Counts uses from now on, after those that were counted. Without this nothing is counted.
    pub fn count_uses(&mut self, counts: UseCounts) {
        let limits = Limits::new(&self.size, &UseLimits::default(), &counts);
        self.counting = Some(Box::new(Counting { counts, limits }));
    }

    /// Whether uses are counted.
    #[must_use]
    pub const fn counts_uses(&self) -> bool {
        self.counting.is_some()
    }

    /// The counts, if uses are counted: of what has started and of the steps to come of chains.
    #[must_use]
    pub fn use_counts(&self) -> Option<&UseCounts> {
        self.counting.as_ref().map(|counting| &counting.counts)
    }

    /// The pages of a block that have reached their limit, one bit each; `None` if there is none.
    pub(super) fn used_up(&self, die: Die, block: Block) -> Option<&[u64]> {
        self.counting.as_ref().and_then(|counting| counting.limits.used_up(self.at(die, block)))
    }

    /// An operation starts, or a step of a chain will: its erases and reads count.
    pub fn count_use(&mut self, info: &BaseInfo, place: &Place) {
        self.change_counts(info, place, true);
    }

    /// A step of a chain starts now, and counts from then on, or never will.
    pub fn uncount_use(&mut self, info: &BaseInfo, place: &Place) {
        self.change_counts(info, place, false);
    }

    fn change_counts(&mut self, info: &BaseInfo, place: &Place, is_more: bool) {
        if self.counting.is_none() || !(info.effects.erase || info.reads_page) {
            return;
        }
        self.note_uses(place);
        let size = self.size;
        if let Some(Counting { counts, limits }) = self.counting.as_deref_mut() {
            counts.change(&size, info, place, is_more);
            for plane in place.planes.iter().filter(|_| info.reads_page) {
                let at = usize::from(place.die.0) * size.blocks as usize + place.block(&size, plane).index();
                limits.note_page(at, place.page.0, counts);
            }
        }
        self.file_in_regions(place);
    }

    /// Whether the limits in force let all operations of a plan start, its steps to come included.
    pub fn has_room<'a>(&self, plan: &(impl Iterator<Item = (&'a BaseInfo, Place)> + Clone)) -> bool {
        let Some(Counting { counts, limits }) = self.counting.as_deref() else { return true };
        let opens = |info: &BaseInfo| info.effects.is_program();
        let opens_too = |info: &BaseInfo, _: Page| opens(info);
        let mut opened = 0;
        for (index, (info, place)) in plan.clone().enumerate() {
            for plane in place.planes.iter() {
                let at = self.at(place.die, place.block(&self.size, plane));
                // How many steps before this one do the same to the block.
                let earlier = |does: &dyn Fn(&BaseInfo, Page) -> bool| {
                    let same = plan.clone().take(index).filter(|(info, other)| {
                        let is_same = other.die == place.die && other.group == place.group;
                        is_same && other.planes.contains(plane) && does(info, other.page)
                    });
                    same.count() as u32
                };
                if info.effects.erase
                    && counts.erases[at] + earlier(&|info, _| info.effects.erase) >= limits.of_erases(at)
                {
                    return false;
                }
                if info.reads_page {
                    let reads = counts.reads.get(at).copied().unwrap_or(0) + earlier(&|info, _| info.reads_page);
                    let of_page = counts.reads_of_page(at, place.page.0)
                        + earlier(&|info, page| info.reads_page && page == place.page);
                    if reads >= limits.of_reads(at) || of_page >= limits.of_page(at, place.page.0) {
                        return false;
                    }
                }
                let is_open = || self.records[at].is_open(self.size.pages);
                if limits.open.is_some() && opens(info) && !is_open() && earlier(&opens_too) == 0 {
                    opened += 1;
                }
            }
        }
        opened == 0 || opened <= self.slots
    }
}
