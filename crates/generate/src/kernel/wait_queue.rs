//! The operations that wait to start: due chain steps, and proposals that only the bus kept from starting.
//!
//! Due steps go first, in the order in which they came due; then proposals, in the order in which they were made. Each is judged
//! again at its turn.

use nandseq_device::{Device, Rule, Tables};
use nandseq_profile::{Die, Ticks};
use nandseq_trace::Proposal;

use super::chain::{ChainId, Chains, Step};
use super::order::remove_at;

/// A chain whose next step is due.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadyChain {
    pub(crate) chain: ChainId,
    /// The die of the chain.
    die: Die,
    /// The die of the place of the step.
    at: Die,
    needs_bus: bool,
    /// The step is forbidden while the state of `at` has this stamp, before this time: blocks change only when something starts or ends there.
    barred: (u64, Ticks),
    /// While `die` has this stamp, before this time: when the first of its windows that are open closes.
    windows: (u64, Ticks, Ticks),
}

impl ReadyChain {
    /// A chain whose next step has just come due.
    pub(crate) fn new(chain: ChainId, chains: &Chains, tables: &Tables) -> Self {
        let own = chains.get(chain);
        let step = own.rest()[0];
        Self {
            chain,
            die: own.die,
            at: step.place.die,
            needs_bus: tables.op(step.op).bus > Ticks::ZERO,
            barred: (0, Ticks::ZERO),
            windows: (0, Ticks::ZERO, Ticks::ZERO),
        }
    }

    /// Whether the step needs no judgement to be known to be forbidden now.
    #[inline]
    fn is_barred(&self, device: &Device, now: Ticks) -> bool {
        let lacks_bus = self.needs_bus & (now < device.bus_free());
        lacks_bus | ((now < self.barred.1) & (device.state_stamp(self.at) == self.barred.0))
    }

    /// Notes that the step is forbidden as long as nothing changes on its die, before `until`.
    pub(crate) fn bar(&mut self, device: &Device, until: Ticks) {
        self.barred = (device.state_stamp(self.at), until);
    }

    /// When the first of the windows closes that are open on the die; never if none is.
    fn window_end(&mut self, device: &Device, now: Ticks) -> Ticks {
        let stamp = device.state_stamp(self.die);
        if self.windows.0 != stamp || now >= self.windows.1 {
            let (end, until) = device.first_window_end(self.die, now);
            self.windows = (stamp, until, end);
        }
        debug_assert_eq!(self.windows.2, device.first_window_end(self.die, now).0, "a window opened or closed unseen");
        self.windows.2
    }
}

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
    pub(crate) ready: Vec<ReadyChain>,
    pub(crate) waiters: Vec<Waiter>,
    /// Memory of waiters that are gone.
    spare: Vec<Vec<Step>>,
}

impl WaitQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.ready.is_empty() & self.waiters.is_empty()
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

    /// The first chain from `at` on whose step has to be judged, as a position.
    #[inline]
    pub(crate) fn to_be_judged(&self, at: usize, device: &Device, now: Ticks) -> Option<usize> {
        let left = self.ready.get(at..)?;
        left.iter().position(|ready| !ready.is_barred(device, now)).map(|further| at + further)
    }

    /// Removes a chain whose step has started.
    pub(crate) fn remove(&mut self, at: usize, chain: ChainId) {
        if self.ready.get(at).is_some_and(|ready| ready.chain == chain) {
            remove_at(&mut self.ready, at);
        } else {
            // A reset has dropped others that were ready.
            self.ready.retain(|ready| ready.chain != chain);
        }
    }

    /// When the first of the windows closes that are open on the dies of the chains whose steps are due.
    pub(crate) fn window_end(&mut self, device: &Device, now: Ticks) -> Option<Ticks> {
        let ends = self.ready.iter_mut().map(|ready| ready.window_end(device, now));
        ends.min().filter(|&end| end < Ticks(u64::MAX))
    }

    /// Whether a due step of a chain on a die waits for planes, not for the bus.
    pub(crate) fn waits_for_planes(
        &self,
        chains: &Chains,
        device: &Device,
        tables: &Tables,
        (die, now): (Die, Ticks),
    ) -> bool {
        self.ready.iter().filter(|ready| ready.die == die).any(|ready| {
            let step = chains.get(ready.chain).rest()[0];
            let verdict = device.judge(tables, step.op, &step.place, now);
            matches!(verdict, Err(Rule::PlaneBusy | Rule::MultiPlaneExclusive | Rule::OpState))
        })
    }
}

#[cfg(test)]
mod tests {
    use nandseq_device::Place;
    use nandseq_profile::{OpId, builtin};

    use super::*;

    /// The tables of the built-in device, a device, and an operation that needs the bus and may start on a whole die.
    fn bench() -> (Tables, Device, Step) {
        let tables = Tables::new(&builtin::profile());
        let device = Device::new(&tables, &[]);
        let place = Place::die(Die(0));
        let ops: Vec<OpId> = tables.ops().filter(|(_, info)| info.bus > Ticks::ZERO).map(|(op, _)| op).collect();
        let may_start = |op: &OpId| {
            let mut after = device.clone();
            device.judge(&tables, *op, &place, Ticks::ZERO).is_ok() && {
                after.start(&tables, *op, &place, Ticks::ZERO);
                after.stamp(Die(0)) != device.stamp(Die(0))
            }
        };
        let op = ops.into_iter().find(may_start).expect("a reset may start");
        (tables, device, Step { op, place })
    }

    #[test]
    fn a_step_is_barred_until_its_time_a_change_of_its_die_or_the_bus_and_the_next_step_anew() {
        let (tables, mut device, step) = bench();
        let mut chains = Chains::default();
        let id = chains.begin(&tables, Die(0), Proposal::default(), &[step, step]);
        let mut ready = ReadyChain::new(id, &chains, &tables);
        assert!(!ready.is_barred(&device, Ticks(0)));
        ready.bar(&device, Ticks(10));
        assert!(ready.is_barred(&device, Ticks(9)));
        assert!(!ready.is_barred(&device, Ticks(10)));
        assert!(!ReadyChain::new(id, &chains, &tables).is_barred(&device, Ticks(9)), "a step that comes due later");
        ready.bar(&device, Ticks(u64::MAX));
        device.start(&tables, step.op, &step.place, Ticks(0));
        let free = device.bus_free();
        assert!(ready.is_barred(&device, Ticks(free.0 - 1)), "the bus is taken");
        assert!(!ready.is_barred(&device, free), "the die has changed");
    }

    #[test]
    fn the_step_that_has_started_is_removed_wherever_a_reset_has_left_it() {
        let (tables, _, step) = bench();
        let mut chains = Chains::default();
        let ids = [(); 3].map(|()| chains.begin(&tables, Die(0), Proposal::default(), &[step]));
        let mut queue = WaitQueue::default();
        queue.ready.extend(ids.map(|id| ReadyChain::new(id, &chains, &tables)));
        let left = |queue: &WaitQueue| queue.ready.iter().map(|ready| ready.chain).collect::<Vec<_>>();
        queue.remove(1, ids[1]);
        assert_eq!(left(&queue), [ids[0], ids[2]]);
        queue.remove(0, ids[2]);
        assert_eq!(left(&queue), [ids[0]]);
        queue.remove(5, ids[0]);
        assert_eq!(left(&queue), []);
    }
}
