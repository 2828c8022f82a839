//! One run of a site, into whatever sink: its limits follow from the campaign.

use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_generate::dead::DeadDie;
use nandseq_generate::{CanCover, RunError, RunLimits, RunSummary, Site};
use nandseq_trace::Sink;

use super::setups::Setups;
use crate::absent::Absences;
use crate::campaign::Closure;
use crate::can_start::TrappedDies;

/// What a run is made with.
pub(super) struct OneRun<'a, 'p> {
    pub(super) absences: &'a Absences<'p>,
    pub(super) setups: &'p Setups,
    pub(super) stop: &'a AtomicBool,
    pub(super) run_index: u64,
    /// Is told of each dead die.
    pub(super) on_dead: &'a (dyn Fn(&DeadDie) + Sync),
    /// Is told of the trap that keeps the site from the coverage that ends its runs, unless an earlier run ended in it.
    pub(super) on_trap: &'a (dyn Fn(&TrappedDies) + Sync),
}

impl<'p> OneRun<'_, 'p> {
    /// Makes the run.
    ///
    /// # Errors
    /// As those of [`Site::run`].
    pub(super) fn make(&self, site: &mut Site<'p>, sink: &mut dyn Sink) -> Result<RunSummary, RunError> {
        let campaign = self.absences.campaign;
        let (phase, at) = (campaign.phases.limits(self.run_index), campaign.phases.of_run(self.run_index));
        self.setups.enter(site, self.run_index);
        // A run asks once before its first event.
        let begun = AtomicBool::new(true);
        let can_cover = |site: &Site<'_>| self.can_cover(site, (at, begun.swap(false, Ordering::Relaxed)));
        let limits = RunLimits {
            run_until: campaign.run_until_from(self.run_index, site.clock()),
            max_ops: phase.max_ops,
            cut_after: None,
            bootstrap: campaign.bootstrap,
            until_covered: campaign.closure.as_ref().and_then(Closure::until),
            until: phase.until,
            can_cover: self.absences.has_until(at).then_some(&can_cover as CanCover<'_>),
            of_phase: campaign.phases.place_of(self.run_index),
            stop: Some(self.stop),
            on_dead: Some(self.on_dead),
        };
        site.run(&limits, sink)
    }

    /// Whether a site may still reach the coverage at which it, or the phase, ends. If not, says so, unless the run has only `begun`: then
    /// an earlier one ended in the trap.
    fn can_cover(&self, site: &Site<'_>, (phase, begun): (usize, bool)) -> bool {
        let trap = self.absences.trap_before_until(site, phase);
        if let Some(trap) = trap.as_ref().filter(|_| !begun) {
            (self.on_trap)(trap);
        }
        trap.is_none()
    }
}
