//! What waits to start: due chain steps, and proposals for which only the bus was in the way.
//!
//! Due steps go first, in the order in which they came due; then proposals, in the order in which they were made. Each is judged
//! again at its turn.

use nandseq_device::{Device, Rule, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{Die, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::chain::{ChainId, Chains, Step};
use crate::plan::{outputs_what_moves, still_possible};
use crate::reason::Reason;
use crate::safety::{Drops, SearchInput, SearchScratch, find_order, is_target_scoped, lets_in, looks_everywhere};
use crate::site::Site;

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

    pub(crate) fn drop_waiters(&mut self) {
        self.spare.extend(self.waiters.drain(..).map(|waiter| waiter.plan));
    }

    /// Lets a proposal wait.
    pub(crate) fn wait(&mut self, plan: &[Step], proposal: Proposal, deadline: Ticks) {
        let mut own = self.spare.pop().unwrap_or_default();
        own.clear();
        own.extend_from_slice(plan);
        self.waiters.push(Waiter { plan: own, proposal, deadline });
    }

    /// Whether a wake event must be queued for `time`; remembers it.
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
        lane: (Die, Ticks),
    ) -> bool {
        let (die, now) = lane;
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

impl Site<'_> {
    /// Starts what can start now of all that waits.
    pub(crate) fn try_waiting(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut at = 0;
        while let Some(&chain) = self.wait_queue.ready.get(at) {
            if self.try_step(chain, now, sink) {
                // A reset among the steps may have dropped others that were ready.
                self.wait_queue.ready.retain(|&ready| ready != chain);
                at = 0;
            } else {
                at += 1;
            }
        }
        self.try_waiters(now, sink);
        self.plan_wake(now);
    }

    /// Starts the next step of a chain if it may.
    fn try_step(&mut self, id: ChainId, now: Ticks, sink: &mut dyn Sink) -> bool {
        let setup = self.setup;
        let chain = self.chains.get(id);
        let (die, step) = (chain.die, chain.rest()[0]);
        // While the bus is busy most of what waits need not be judged.
        if now < self.device.bus_free() && setup.tables.op(step.op).bus > Ticks::ZERO {
            return false;
        }
        let lane = step.place.die;
        if chain.is_barred(self.device.stamp(lane), now) {
            debug_assert!(self.device.judge(&setup.tables, step.op, &step.place, now).is_err(), "barred, but free");
            return false;
        }
        if let Err(rule) = self.device.judge(&setup.tables, step.op, &step.place, now) {
            // Most often an op_state of its own die: nothing to be asked again before that, or the die, has changed.
            if rule == Rule::OpState && !is_target_scoped(&setup.tables, &step) {
                self.chains.bar(id, self.device.stamp(lane), self.device.state_keys(lane, now).1);
            }
            return false;
        }
        if !self.keep_order(die, step, id, now) {
            return false;
        }
        self.release(&step);
        let proposal = self.chains.get(id).proposal;
        let more = self.chains.advance(id);
        self.commit(step, more.then_some(id), (proposal, false), now, sink);
        true
    }

    /// Whether all chains of the die can complete after the next step of one; keeps the order that shows it.
    fn keep_order(&mut self, die: Die, step: Step, id: ChainId, now: Ticks) -> bool {
        let mut known = std::mem::take(&mut self.orders[usize::from(die.0)]);
        let crosses = outputs_what_moves(&self.device, &self.setup.tables, &step);
        let goes_on = !crosses && self.search_input(die, now).brings_forward(&mut known, id);
        self.orders[usize::from(die.0)] = known;
        if goes_on {
            return true;
        }
        let mut scratch = self.scratch.take().unwrap_or_default();
        let safe = find_order(&self.search_input(die, now), &mut scratch, &[step], Some(id));
        if safe {
            std::mem::swap(&mut self.orders[usize::from(die.0)], &mut scratch.order);
        }
        self.scratch = Some(scratch);
        safe
    }

    fn try_waiters(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut at = 0;
        while at < self.wait_queue.waiters.len() {
            let waiter = &self.wait_queue.waiters[at];
            let head = waiter.plan[0];
            let verdict = self.device.judge(&self.setup.tables, head.op, &head.place, now);
            let late = now > waiter.deadline || self.device.bus_free() > waiter.deadline;
            let outcome = match verdict {
                Err(Rule::Bus) if !late => {
                    at += 1;
                    continue;
                }
                Err(Rule::Bus) => Err(Reason::BusWindow),
                Err(rule) => Err(Reason::Rule(rule)),
                Ok(()) if now > waiter.deadline => Err(Reason::BusWindow),
                Ok(()) => Ok(()),
            };
            let mut waiter = self.wait_queue.waiters.remove(at);
            // The plan was made for the state at the hook: every step of it must still be possible.
            let outcome =
                outcome.and_then(|()| still_possible(self.setup, &self.device, &mut self.draft, &waiter.plan, now));
            let outcome = outcome.and_then(|()| self.admit(&waiter.plan, now));
            match outcome {
                Ok(()) => {
                    std::mem::swap(&mut self.plan, &mut waiter.plan);
                    self.begin(waiter.proposal, now, sink);
                }
                Err(reason) => self.refuse(&waiter.proposal, waiter.plan[0].op, reason, sink),
            }
            self.wait_queue.spare.push(waiter.plan);
        }
    }

    /// Queues the next try for what still waits.
    fn plan_wake(&mut self, now: Ticks) {
        if self.wait_queue.is_empty() {
            return;
        }
        if self.device.bus_free() > now {
            self.wake_at(self.device.bus_free());
        }
        let mut next: Option<Ticks> = None;
        for &id in &self.wait_queue.ready {
            let die = self.chains.get(id).die;
            let windows = self.device.planes().iter().filter_map(|plane| self.device.window_end(die, plane, now));
            next = windows.chain(next).min();
        }
        if let Some(time) = next {
            self.wake_at(time);
        }
    }

    /// The chains of a die that go on by themselves: those whose last step is not suspended.
    pub(crate) fn waiting_chains(&self, die: Die) -> impl Iterator<Item = ChainId> {
        let suspended = self.suspended_chains[usize::from(die.0)];
        self.chains.live_on(die).map(|(id, _)| id).filter(move |id| suspended.values().all(|chain| *chain != Some(*id)))
    }

    /// The chains of a die as the search for an order sees them.
    pub(crate) fn search_input(&self, die: Die, now: Ticks) -> SearchInput<'_> {
        let (setup, device, chains) = (self.setup, &self.device, &self.chains);
        SearchInput {
            setup,
            device,
            chains,
            suspended_chains: self.suspended_chains[usize::from(die.0)],
            links: self.links(),
            die,
            now,
        }
    }

    /// Whether a plan whose first operation may start leaves every chain of its die, its own included, able to complete.
    pub(crate) fn admit(&mut self, plan: &[Step], now: Ticks) -> Result<(), Reason> {
        self.ordered = false;
        let setup = self.setup;
        let head = plan[0];
        let info = setup.tables.base(setup.tables.op(head.op).base);
        if info.effects.holds_target && !self.chains.is_empty() {
            return Err(Reason::ChainUnderWay);
        }
        let holds = |step: &Step| {
            let info = setup.tables.base(setup.tables.op(step.op).base);
            info.effects.changes_block() && self.device.book.is_held(&step.place)
        };
        let reads_held = |step: &Step| {
            let info = setup.tables.base(setup.tables.op(step.op).base);
            info.effects.reads_array() && self.device.book.is_held_to_change(&step.place)
        };
        if plan.iter().any(holds) || plan[1..].iter().any(reads_held) {
            return Err(Reason::ChainUnderWay);
        }
        let mut scratch = self.scratch.take().unwrap_or_default();
        let safe = self.keeps_chains_safe(&mut scratch, plan, now);
        self.scratch = Some(scratch);
        self.ordered = safe?;
        Ok(())
    }

    /// Whether a plan leaves every chain able to complete; if so, whether the order that shows it is in the scratch memory: an operation
    /// alone that changes nothing leaves the die's as it is.
    pub(crate) fn keeps_chains_safe(
        &self,
        scratch: &mut SearchScratch,
        plan: &[Step],
        now: Ticks,
    ) -> Result<bool, Reason> {
        let setup = self.setup;
        let head = plan[0];
        let die = head.place.die;
        let info = setup.tables.base(setup.tables.op(head.op).base);
        if looks_everywhere(&setup.tables, &plan[1..]).next().is_some() {
            let mut elsewhere = (0..setup.tables.size.dies).map(Die).filter(|&other| other != die);
            if !elsewhere.all(|other| lets_in(&self.search_input(other, now), scratch, &plan[1..])) {
                return Err(Reason::ChainUnderWay);
            }
        }
        let drops = Drops::of(&self.device, info, &head.place);
        let has_target_scoped = drops != Drops::All && self.chains.has_target_scoped(die);
        // The plan is the die's only chain, and nobody else asks in which state it leaves the die.
        let alone = drops != Drops::None || !self.chains.any_on(die);
        if alone && ((plan.len() == 1 && info.is_inert()) || !has_target_scoped) {
            scratch.order.clear();
            scratch.order.resize(plan.len() - 1, None);
            return Ok(true);
        }
        if plan.len() == 1 && info.is_inert() {
            return Ok(false);
        }
        let search_input = self.search_input(die, now);
        let known = &self.orders[usize::from(die.0)];
        if search_input.keeps_order(known, plan) {
            scratch.order.clone_from(known);
            scratch.order.resize(known.len() + plan.len() - 1, None);
            return Ok(true);
        }
        if find_order(&search_input, scratch, plan, None) { Ok(true) } else { Err(Reason::ChainUnderWay) }
    }

    /// Starts the plan in `self.plan`: its first operation now, the rest as a chain.
    pub(crate) fn begin(&mut self, proposal: Proposal, now: Ticks, sink: &mut dyn Sink) {
        let head = self.plan[0];
        let rest = std::mem::take(&mut self.plan);
        let chain = (rest.len() > 1).then(|| {
            rest[1..].iter().for_each(|step| self.hold(step));
            let tables = &self.setup.tables;
            self.chains.begin(head.place.die, proposal, &rest[1..], |step| is_target_scoped(tables, step))
        });
        self.plan = rest;
        self.count(&proposal, head.op, now);
        self.commit(head, chain, (proposal, true), now, sink);
        if looks_everywhere(&self.setup.tables, &self.plan[1..]).next().is_some() {
            // The orders of the other dies were found before they had to leave a state in which this chain's steps may start.
            let others = self.orders.iter_mut().enumerate().filter(|(die, _)| *die != usize::from(head.place.die.0));
            others.for_each(|(_, order)| order.clear());
        }
        if std::mem::take(&mut self.ordered)
            && let Some(scratch) = &mut self.scratch
        {
            let order = &mut self.orders[usize::from(head.place.die.0)];
            std::mem::swap(order, &mut scratch.order);
            order.iter_mut().filter(|slot| slot.is_none()).for_each(|slot| *slot = chain);
        }
    }

    /// How a waiting step counts on its blocks: to change them (or on their next page), to read them, or not at all.
    pub(crate) fn counts_on_blocks(&self, step: &Step) -> Option<bool> {
        let info = self.setup.tables.base(self.setup.tables.op(step.op).base);
        match info.address {
            AddressSource::AnyBlock | AddressSource::NextPage => Some(true),
            _ if info.effects.changes_block() => Some(true),
            AddressSource::ReadablePage => Some(false),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => None,
        }
    }

    fn hold(&mut self, step: &Step) {
        if let Some(to_change) = self.counts_on_blocks(step) {
            self.device.book.hold(&step.place, to_change);
        }
    }

    pub(crate) fn release(&mut self, step: &Step) {
        if let Some(to_change) = self.counts_on_blocks(step) {
            self.device.book.release(&step.place, to_change);
        }
    }
}

#[cfg(test)]
mod tests;
