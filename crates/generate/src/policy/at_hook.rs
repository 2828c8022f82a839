//! The acts of a policy at a hook: draw a name, plan it, and hand the plan in. A failed proposal changes only a count.

use nandseq_device::Rule;
use nandseq_profile::{OpId, PhaseKey, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::kernel::Kernel;
use crate::proposal::{Preference, Proposer, View};
use crate::random::Stream;
use crate::reporting::{RefusalReason, Reporter};
use crate::setup::{ClassId, Distribution, Setup};

/// How many proposals may wait for the bus, per plane of the device. Only refills in quick succession can ever reach this number:
/// other hooks come from operations that hold the bus for longer than the waiting proposals would.
const WAITERS_PER_PLANE: usize = 16;

/// The kind of a hook.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HookKind {
    /// A hook inside or after a phase of an operation.
    Phase,
    /// A refill.
    Refill,
    /// A further hook of the policy.
    Extra,
}

/// The key whose distribution a hook draws from; `of_plane` is that of its plane.
#[inline]
pub(crate) fn key_at(
    kind: HookKind,
    is_idle: impl FnOnce() -> bool,
    refill_uses_end_key: bool,
    of_plane: PhaseKey,
) -> PhaseKey {
    if kind == HookKind::Refill && !refill_uses_end_key && is_idle() { PhaseKey::DEFAULT } else { of_plane }
}

/// When an accepted proposal starts.
pub(crate) enum WhenToStart {
    Now,
    WhenBusIsFree,
}

/// A hook, with everything that a policy works with there.
pub(crate) struct AtHook<'a, 's> {
    pub(crate) setup: &'s Setup,
    pub(crate) kernel: &'a mut Kernel<'s>,
    /// Its sampler has the names that are eligible at the hook.
    pub(crate) proposer: &'a mut Proposer,
    pub(crate) reporter: &'a mut Reporter,
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) view: &'a View,
    pub(crate) kind: HookKind,
    pub(crate) proposal: &'a Proposal,
    pub(crate) distribution: &'s Distribution,
    pub(crate) stream: &'a mut Stream,
}

impl AtHook<'_, '_> {
    /// Plans a name with its chain. The inner result is the rule of the bus, if only the bus keeps it from starting now.
    pub(crate) fn plan(
        &mut self,
        name: (OpId, ClassId),
        preference: Preference<'_>,
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let (parts, at) = ((self.setup, &self.kernel.device), (self.view, self.proposal.time));
        self.proposer.make(parts, at, name, preference, self.stream)
    }

    /// Decides whether the proposer's plan starts now or waits for the bus; `verdict` is the inner result of [`AtHook::plan`].
    pub(crate) fn hand_in(&mut self, verdict: Result<(), Rule>) -> Result<WhenToStart, RefusalReason> {
        self.kernel.admit(&self.proposer.plan, self.proposal.time)?;
        match verdict {
            Ok(()) => Ok(WhenToStart::Now),
            Err(_) => self.wait_for_bus(),
        }
    }

    /// Lets the plan wait if the bus frees in time.
    fn wait_for_bus(&mut self) -> Result<WhenToStart, RefusalReason> {
        let (setup, plan) = (self.setup, &self.proposer.plan);
        let is_instant = setup.tables.base(setup.tables.op(plan[0].op).base).instant;
        let free = self.kernel.device.bus_free();
        let deadline = if is_instant { Ticks(u64::MAX) } else { self.proposal.time + setup.admission_window };
        let planes = usize::from(setup.tables.size.dies) * usize::from(setup.tables.size.planes);
        if free > deadline || self.kernel.waiting.waiters.len() >= planes * WAITERS_PER_PLANE {
            return Err(RefusalReason::BusWindow);
        }
        self.kernel.waiting.wait(plan, *self.proposal, deadline);
        self.kernel.wake_at(free);
        Ok(WhenToStart::WhenBusIsFree)
    }

    /// Counts a name that did not start.
    pub(crate) fn refuse(&mut self, op: OpId, reason: RefusalReason) {
        self.reporter.refuse(self.proposal, op, reason, self.sink);
    }
}
