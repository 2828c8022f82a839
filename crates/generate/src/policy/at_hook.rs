//! The acts of a policy at a hook: draw a name, plan it, and hand the plan in. A failed proposal changes only a count.

use nandseq_device::{Reach, Rule, Tables};
use nandseq_profile::{OpId, PhaseKey, PlaneSet, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::kernel::{Kernel, Step};
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
pub(crate) fn key_at(kind: HookKind, is_idle: bool, refill_uses_end_key: bool, of_plane: PhaseKey) -> PhaseKey {
    if (kind == HookKind::Refill) & !refill_uses_end_key & is_idle { PhaseKey::DEFAULT } else { of_plane }
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
    pub(crate) proposer: &'a mut Proposer,
    pub(crate) reporter: &'a mut Reporter,
    pub(crate) sink: &'a mut dyn Sink,
    pub(crate) view: &'a View,
    pub(crate) kind: HookKind,
    pub(crate) proposal: &'a Proposal,
    pub(crate) distribution: &'a Distribution,
    /// A class drawn from the whole distribution, eligible or not; `None` where the policy draws in a way of its own.
    pub(crate) first: Option<ClassId>,
    /// The dies that attempts at scenarios have for themselves, a bit each.
    pub(crate) held: u64,
    pub(crate) stream: &'a mut Stream,
}

/// Whether a plan works on a die of some, a bit each.
pub(crate) fn is_on(tables: &Tables, plan: &[Step], dies: u64) -> bool {
    let is_target_scoped = |step: &Step| tables.base_of(step.op).reach == Reach::Target;
    dies != 0 && plan.iter().any(|step| dies >> step.place.die.0 & 1 == 1 || is_target_scoped(step))
}

impl AtHook<'_, '_> {
    /// Draws a name that is eligible and was not drawn before, with the planes on which it may work.
    pub(crate) fn draw(&mut self) -> Option<((OpId, ClassId), PlaneSet)> {
        let hook = (self.view, self.distribution, self.proposal.time);
        self.proposer.draw(hook, (self.kernel, self.setup), self.first.take(), self.stream)
    }

    /// Plans a name of an eligible class as [`AtHook::plan_on`] does. All eligible classes have been found.
    pub(crate) fn plan(
        &mut self,
        name: (OpId, ClassId),
        preference: Preference<'_>,
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let planes = self.view.allowed(&self.proposer.constraints, &self.kernel.device, name.1);
        self.plan_on((name, planes), preference)
    }

    /// Plans a name with its chain on some of the planes given with it; returns the rule in the way of its start, if that is the bus. A name
    /// for which the bus does not come free in time is not planned.
    pub(crate) fn plan_on(
        &mut self,
        (name, planes): ((OpId, ClassId), PlaneSet),
        preference: Preference<'_>,
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let needs_bus = self.setup.tables.op(name.0).bus > Ticks::ZERO;
        if needs_bus && self.kernel.device.bus_free() > self.proposal.time {
            self.deadline(name.0)?;
        }
        let (parts, at) = ((self.setup, &self.kernel.device), (self.view, self.proposal.time));
        self.proposer.make(parts, at, (name, planes), preference, self.stream)
    }

    /// Decides whether the proposer's plan starts now or waits for the bus; `verdict` is the inner result of [`AtHook::plan`].
    pub(crate) fn hand_in(&mut self, verdict: Result<(), Rule>) -> Result<WhenToStart, RefusalReason> {
        if is_on(&self.setup.tables, &self.proposer.plan, self.held) {
            return Err(RefusalReason::Scenario);
        }
        self.kernel.admit_new(&self.proposer.plan, self.proposal.time)?;
        match verdict {
            Ok(()) => Ok(WhenToStart::Now),
            Err(_) => self.wait_for_bus(),
        }
    }

    /// Until when an operation for which the bus is not free may wait for it, if it frees in time.
    fn deadline(&self, op: OpId) -> Result<Ticks, RefusalReason> {
        let setup = self.setup;
        let is_instant = setup.tables.base_of(op).instant;
        let deadline = if is_instant { Ticks(u64::MAX) } else { self.proposal.time + setup.admission_window };
        let planes = usize::from(setup.tables.size.dies) * usize::from(setup.tables.size.planes);
        let is_full = self.kernel.waiting.waiters.len() >= planes * WAITERS_PER_PLANE;
        if is_full || self.kernel.device.bus_free() > deadline { Err(RefusalReason::BusWindow) } else { Ok(deadline) }
    }

    /// Lets the plan wait if the bus frees in time.
    fn wait_for_bus(&mut self) -> Result<WhenToStart, RefusalReason> {
        let plan = &self.proposer.plan;
        let deadline = self.deadline(plan[0].op)?;
        self.kernel.waiting.wait(plan, *self.proposal, deadline);
        self.kernel.wake_at(self.kernel.device.bus_free());
        Ok(WhenToStart::WhenBusIsFree)
    }

    /// Counts a name that did not start.
    pub(crate) fn refuse(&mut self, op: OpId, reason: RefusalReason) {
        self.reporter.refuse(self.proposal, op, reason, self.sink);
    }
}
