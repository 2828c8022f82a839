//! Looks of a site for dead dies, in and between runs.

use nandseq_profile::Ticks;

use crate::dead::{DeadDie, DeadDieDetector, Look};
use crate::kernel::Event;
use crate::refills::Refills;
use crate::site::Site;

impl<'s> Site<'s> {
    /// The dead dies, between runs: those that the last run of this site object found, and those that the present state shows to
    /// be dead.
    #[must_use]
    pub fn dead_dies(&mut self) -> Vec<DeadDie> {
        self.look_at_rest();
        self.detector.dead.clone()
    }

    /// Looks, between runs, for dies on which nothing can ever start again; returns whether all are dead. What attempts at scenarios may
    /// still start is not known: as long as hits are wanted, no die is dead.
    pub(crate) fn look_at_rest(&mut self) -> bool {
        if self.has_attempts() {
            return false;
        }
        let (mut look, detector, _) = self.parts_of_look(self.kernel.quiet);
        !look.policy.is_bootstrap() && detector.look_at_rest(&mut look)
    }

    /// Looks, before a run proposes anything, for dies on which nothing can ever start again; if all are dead, ends its refills.
    pub(crate) fn look_before_run(&mut self) {
        if self.look_at_rest() {
            self.skip_refills(self.detector.run_end);
        }
    }

    /// Looks for dead dies at a refill. If all are dead, skips the rest of the run's refills; if nothing can start for long, those until
    /// then.
    #[cold]
    #[inline(never)]
    pub(crate) fn look_for_dead_dies(&mut self, now: Ticks) {
        let proposing = self.proposing;
        if self.has_attempts() {
            let (look, detector, refills) = self.parts_of_look(now);
            let rests = detector.has_long_rested(&look, refills);
            self.scenarios.iter_mut().filter(|_| rests && proposing).for_each(|director| director.rests());
            return;
        }
        let (mut look, detector, refills) = self.parts_of_look(now);
        let (is_bootstrap, is_silent) = (look.policy.is_bootstrap(), detector.is_silent(look.kernel.operations));
        let mut until = None;
        if is_bootstrap || !proposing {
            detector.look_later(refills);
        } else if detector.look_at_refill(&mut look, refills) {
            until = Some(detector.run_end);
        }
        if until.is_none() && proposing && (is_bootstrap || is_silent) {
            // A bootstrap takes the time that it needs.
            let end = if is_bootstrap { Ticks(u64::MAX) } else { detector.run_end };
            until = look.nothing_starts_until(end);
        }
        if let Some(until) = until {
            self.hooks += self.skip_refills(until);
            self.detector.skip_looks(&self.refills, is_bootstrap);
        }
    }

    fn parts_of_look(&mut self, now: Ticks) -> (Look<'_, 's>, &mut DeadDieDetector, &Refills) {
        let key = self.key();
        let Self { setup, kernel, proposer, policy, counts, detector, refills, .. } = self;
        (Look { setup, kernel, proposer, policy, counts: counts.as_ref(), key, now }, detector, refills)
    }

    /// Counts the refills before `until`, at which nothing can start, and skips them. Returns how many they are.
    fn skip_refills(&mut self, until: Ticks) -> u64 {
        #[cfg(test)]
        if self.detector.walks_on {
            return 0;
        }
        let Some(next) = self.kernel.queue.next_refill().filter(|&next| next < until) else { return 0 };
        let period = self.setup.refill_period.0;
        let skipped = (until - next).0.div_ceil(period);
        self.refills.skip(skipped);
        self.kernel.queue.push(Ticks(next.0 + skipped * period), Event::Refill);
        skipped
    }
}
