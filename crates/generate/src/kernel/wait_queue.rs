//! The operations that wait to start: due chain steps, and proposals that only the bus kept from starting.
//!
//! Due steps go first, in the order in which they came due; then proposals, in the order in which they were made. Each is judged
//! again at its turn.

use nandseq_device::{Device, Rule, Tables};
use nandseq_profile::{Die, Ticks};
use nandseq_trace::Proposal;

use super::chain::{ChainId, Chains, Step};

/// A proposal that waits for the bus.
#[derive(Clone, Debug)]
pub(crate) struct Waiter {
    pub(crate) plan: Vec<Step>,
    pub(crate) proposal: Proposal,
    /// The latest time at which it may start.
    pub(crate) deadline: Ticks,
}

/// Everything that waits.
#[derive(Clone, Default, Debug)]
pub(crate) struct WaitQueue {
    /// Chains whose next step is due.
    pub(crate) ready: Vec<ChainId>,
    pub(crate) waiters: Vec<Waiter>,
    /// Times at which a wake event is already queued.
    wakes: Vec<Ticks>,
    /// Memory of waiters that are gone.
    spare: Vec<Vec<Step>>,
}

impl WaitQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.waiters.is_empty()
    }

    /// Removes a waiting proposal.
    pub(crate) fn take(&mut self, at: usize) -> Waiter {
        self.waiters.remove(at)
    }

    /// Keeps the memory of a proposal that was removed.
    pub(crate) fn reuse(&mut self, plan: Vec<Step>) {
        self.spare.push(plan);
    }

    pub(crate) fn drop_waiters(&mut self) {
        self.spare.extend(self.waiters.drain(..).map(|waiter| waiter.plan));
    }

    /// Adds a proposal that waits until `deadline` at the latest.
    pub(crate) fn wait(&mut self, plan: &[Step], proposal: Proposal, deadline: Ticks) {
        let mut own = self.spare.pop().unwrap_or_default();
        own.clear();
        own.extend_from_slice(plan);
        self.waiters.push(Waiter { plan: own, proposal, deadline });
    }

    /// Whether a wake event has to be queued for `time`. If so, notes that it is.
    pub(crate) fn wants_wake(&mut self, time: Ticks) -> bool {
        let new = !self.wakes.contains(&time);
        if new {
            self.wakes.push(time);
        }
        new
    }

    pub(crate) fn woken(&mut self, now: Ticks) {
        self.wakes.retain(|&time| time > now);
    }

    /// Whether a due step of a chain on a die waits for planes, not for the bus.
    pub(crate) fn waits_for_planes(
        &self,
        chains: &Chains,
        device: &Device,
        tables: &Tables,
        (die, now): (Die, Ticks),
    ) -> bool {
        self.ready.iter().any(|&id| {
            let chain = chains.get(id);
            let step = chain.rest()[0];
            chain.die == die
                && matches!(
                    device.judge(tables, step.op, &step.place, now),
                    Err(Rule::PlaneBusy | Rule::MultiPlaneExclusive | Rule::OpState)
                )
        })
    }
}
