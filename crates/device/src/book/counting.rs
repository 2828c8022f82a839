//! Counts of uses and their limits, in the address book: what is counted when, and whether a plan keeps the limits.

use nandseq_profile::{Block, Die, Page};

use super::address_book::AddressBook;
use super::limits::{Counting, Limits, UseLimits};
use super::use_counts::UseCounts;
use super::uses::Uses;
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

    /// Whether a limit is in force.
    #[must_use]
    #[inline]
    pub fn has_limits(&self) -> bool {
        self.counting.as_ref().is_some_and(|counting| counting.limits.are_any())
    }

    /// The counts, if uses are counted: of what has started and of the steps to come of chains.
    #[must_use]
    pub fn use_counts(&self) -> Option<&UseCounts> {
        self.counting.as_ref().map(|counting| &counting.counts)
    }

    /// Whether there is a limit that pages may reach.
    #[inline]
    pub(super) fn may_be_used_up(&self) -> bool {
        self.counting.as_ref().is_some_and(|counting| counting.limits.limits_pages())
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
        if !(info.effects.erase || info.reads_page) {
            return;
        }
        let Some(Counting { counts, limits }) = self.counting.as_deref_mut() else { return };
        if !(info.effects.erase || counts.counts_reads()) {
            return;
        }
        let size = self.size;
        if !(limits.limits_erases() | limits.limits_reads()) {
            counts.change(&size, info, place, is_more);
            return;
        }
        let number = |plane| place.die.index() * size.blocks as usize + place.block(&size, plane).index();
        let turns = |plane| limits.turns(counts, (info, number(plane), place.page.0), is_more);
        // Most uses are far from their limits, and change no set.
        if !place.planes.iter().any(turns) {
            counts.change(&size, info, place, is_more);
            return;
        }
        let mut before = [Uses::default(); 8];
        place.planes.iter().for_each(|plane| before[plane.index()] = self.uses_of(number(plane)));
        let Some(Counting { counts, limits }) = self.counting.as_deref_mut() else { return };
        let mut used_up: [Option<Box<[u64]>>; 8] = Default::default();
        place.planes.iter().for_each(|plane| used_up[plane.index()] = limits.used_up(number(plane)).map(Box::from));
        counts.change(&size, info, place, is_more);
        if info.reads_page {
            place.planes.iter().for_each(|plane| limits.note_page(number(plane), place.page.0, counts));
        }
        let mut now = [Uses::default(); 8];
        place.planes.iter().for_each(|plane| now[plane.index()] = self.uses_of(number(plane)));
        self.file_in_regions((place.die, place.group), place.planes, (&before, &mut now), Some(&used_up));
    }

    /// Whether the limits in force let all operations of a plan start, its steps to come included.
    pub fn has_room<'a>(&self, plan: &(impl ExactSizeIterator<Item = (&'a BaseInfo, Place)> + Clone)) -> bool {
        self.has_room_after(plan, 0)
    }

    /// The same if it is known that the limits let the first `judged` of them start.
    pub fn has_room_after<'a>(
        &self,
        plan: &(impl ExactSizeIterator<Item = (&'a BaseInfo, Place)> + Clone),
        judged: usize,
    ) -> bool {
        let Some(Counting { counts, limits }) = self.counting.as_deref() else { return true };
        let opens = |info: &BaseInfo| info.effects.is_program();
        let opens_too = |info: &BaseInfo, _: Page| opens(info);
        // A place has at most eight blocks.
        let may_open_all = limits.open.is_none() || self.slots as usize >= 8 * plan.len();
        if may_open_all && !(limits.limits_erases() || limits.limits_reads()) {
            return true;
        }
        let mut opened = 0;
        for (index, (info, place)) in plan.clone().enumerate().skip(if may_open_all { judged } else { 0 }) {
            let (erases, reads) = (info.effects.erase & (index >= judged), info.reads_page & (index >= judged));
            let is_counted = erases && limits.limits_erases() || reads && limits.limits_reads();
            if !is_counted && (may_open_all || !opens(info)) {
                continue;
            }
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
                // What is far from its limit is not counted exactly.
                let most = index as u32;
                let erased = counts.erases[at];
                if erases
                    && erased + most >= limits.of_erases(at)
                    && erased + earlier(&|info, _| info.effects.erase) >= limits.of_erases(at)
                {
                    return false;
                }
                if reads {
                    let (of_block, of_page) = (counts.reads_of(at), counts.reads_of_page(at, place.page.0));
                    let is_over = of_block + most >= limits.of_reads(at)
                        && of_block + earlier(&|info, _| info.reads_page) >= limits.of_reads(at);
                    let is_same = |info: &BaseInfo, page| info.reads_page && page == place.page;
                    let lets_read = |reads| limits.lets_read(at, place.page.0, reads);
                    if is_over || !lets_read(of_page + most) && !lets_read(of_page + earlier(&is_same)) {
                        return false;
                    }
                }
                let is_open = || self.records[at].is_open(self.size.pages);
                if !may_open_all && opens(info) && !is_open() && earlier(&opens_too) == 0 {
                    opened += 1;
                }
            }
        }
        opened == 0 || opened <= self.slots
    }
}
