//! Policies: what is proposed at a hook, and where further hooks come.
//!
//! A policy draws names, plans them and hands the plans in, through [`AtHook`]. It does not have to care for legality: the kernel
//! does. Another way of choosing is another variant of [`Policy`].

mod at_hook;
mod bootstrap;
mod coverage_counts;
mod directed;
mod plain;
pub(crate) mod scripted;

use nandseq_device::{Device, Flight, FlightId, Place};
use nandseq_profile::{BaseId, PhaseKey, Ticks};
use nandseq_trace::Proposal;

pub(crate) use at_hook::{AtHook, HookKind, is_on, key_at};
use bootstrap::BootstrapProgress;
pub(crate) use coverage_counts::CoverageCounts;
pub use coverage_counts::Reached;
use directed::Directed;

use crate::kernel::{Kernel, Step};
use crate::proposal::Preference;
use crate::random::Stream;
use crate::refills::Refills;
use crate::setup::{Distribution, Setup, Stage};

/// A way of choosing what is proposed.
#[derive(Debug)]
pub(crate) enum Policy {
    /// Draws names by weight.
    Plain,
    /// Draws names by weight, from the distribution of a stage of the bootstrap.
    Bootstrap(BootstrapProgress),
    /// Draws names with uncovered bins more often.
    Directed(Box<Directed>),
}

impl Policy {
    /// The policy of a setup, without bootstrap.
    pub(crate) fn of(setup: &Setup) -> Self {
        match &setup.coverage_model {
            Some(model) if model.is_directed() => {
                Self::Directed(Box::new(Directed::new(model, usize::from(setup.tables.size.dies))))
            }
            Some(_) | None => Self::Plain,
        }
    }

    /// Begins a run, with a bootstrap if there is something to do for it.
    pub(crate) fn begin_run(&mut self, setup: &Setup, device: &Device, with_bootstrap: bool) {
        if let Self::Directed(directed) = self {
            directed.forget();
        }
        if let Some(bootstrap) = with_bootstrap.then(|| BootstrapProgress::begin(&setup.bootstrap, device)).flatten() {
            *self = Self::Bootstrap(bootstrap);
        }
    }

    /// Whether a bootstrap is under way: limits of the run count only after it.
    pub(crate) const fn is_bootstrap(&self) -> bool {
        matches!(self, Self::Bootstrap(_))
    }

    /// Whether the policy is directed: uncovered bins come more often, at further hooks too.
    pub(crate) const fn is_directed(&self) -> bool {
        matches!(self, Self::Directed(_))
    }

    /// The distribution that is drawn from under a phase key.
    pub(crate) fn distribution<'s>(&self, setup: &'s Setup, key: PhaseKey) -> &'s Distribution {
        match self {
            Self::Bootstrap(bootstrap) => setup.bootstrap.distribution(bootstrap.stage()),
            Self::Plain | Self::Directed(_) => setup.distribution(key),
        }
    }

    /// Proposes at a hook. Returns whether the proposer's plan is admitted and is to start now. `counts` are there if the policy
    /// is directed.
    pub(crate) fn propose(&mut self, at: &mut AtHook<'_, '_>, counts: Option<&CoverageCounts>) -> bool {
        if let (Self::Directed(directed), Some(counts)) = (&mut *self, counts) {
            return directed.propose(at, counts);
        }
        let (policy, tables) = (&*self, &at.setup.tables);
        let is_fresh = |place: &Place| match policy {
            Self::Bootstrap(bootstrap) => !bootstrap.has_reached(tables, place),
            Self::Plain | Self::Directed(_) => true,
        };
        plain::propose(at, Preference { is_fresh: policy.is_bootstrap().then_some(&is_fresh), ..Preference::NONE })
    }

    /// A proposal of a hook has started: another hook may follow.
    pub(crate) fn after_start(
        &mut self,
        (setup, kernel): (&Setup, &mut Kernel<'_>),
        counts: Option<&CoverageCounts>,
        proposal: &Proposal,
        stream: &mut Stream,
    ) {
        if let (Self::Directed(directed), Some(counts)) = (self, counts) {
            directed.after_start((setup, kernel), counts, proposal, stream);
        }
    }

    /// Places hooks in and after the CORE_BUSY, from its begin to its end, of an operation that starts, or goes on, now.
    pub(crate) fn place_hooks(
        &mut self,
        (setup, kernel): (&Setup, &mut Kernel<'_>),
        counts: Option<&CoverageCounts>,
        (step, id, busy): (Step, FlightId, (Ticks, Ticks)),
        stream: &mut Stream,
    ) {
        plain::place_hooks((setup, kernel), (step, id, busy), stream);
        if let (Self::Directed(directed), Some(counts)) = (self, counts) {
            directed::place_in_phases((setup, kernel), counts, &mut directed.discounts, (step, id, busy.0), stream);
        }
    }

    /// The factor by which an operation of a base stands alone more often than otherwise, if it may stand alone.
    pub(crate) fn alone(&self, setup: &Setup, counts: Option<&CoverageCounts>, base: BaseId) -> u64 {
        match (self, counts) {
            (Self::Directed(_), Some(counts)) => directed::alone(setup, counts, base),
            (Self::Plain | Self::Bootstrap(_) | Self::Directed(_), _) => 1,
        }
    }

    /// An uncovered bin of a key was hit.
    pub(crate) fn hit(&mut self, key: PhaseKey) {
        if let Self::Directed(directed) = self {
            directed.discounts.hit(key);
        }
    }

    /// An operation has started.
    pub(crate) const fn started(&mut self) {
        if let Self::Bootstrap(bootstrap) = self {
            bootstrap.accepted();
        }
    }

    /// An operation has ended. Returns whether a stage of the bootstrap is over: proposals that wait for the bus were made for
    /// it.
    pub(crate) fn ended(&mut self, setup: &Setup, device: &Device, flight: &Flight) -> bool {
        self.after_bootstrap(setup, |bootstrap| bootstrap.ended(setup, device, flight))
    }

    /// A refill has come. Returns the same as [`Policy::ended`].
    pub(crate) fn refilled(&mut self, setup: &Setup, device: &Device, refills: &Refills) -> bool {
        let is_idle = || device.flights().next().is_none();
        self.after_bootstrap(setup, |bootstrap| {
            !is_idle() || bootstrap.waited(&setup.bootstrap, refills.round() as u32)
        })
    }

    /// Lets a bootstrap take note of an event; `look` returns whether the bootstrap goes on. Returns whether a stage is over.
    fn after_bootstrap(&mut self, setup: &Setup, look: impl FnOnce(&mut BootstrapProgress) -> bool) -> bool {
        let Self::Bootstrap(bootstrap) = self else { return false };
        let stage: Stage = bootstrap.stage();
        let goes_on = look(bootstrap);
        let is_over = !goes_on || bootstrap.stage() != stage;
        if !goes_on {
            *self = Self::of(setup);
        }
        is_over
    }
}

#[cfg(test)]
mod tests;
