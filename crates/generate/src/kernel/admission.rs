//! Admission: whether a plan, a due step or a waiting proposal may start, so that all chains under way can still complete.

use nandseq_device::{Device, Rule, Tables};
use nandseq_profile::{Die, Ticks};
use nandseq_trace::Proposal;

use super::chain::{ChainId, Step, is_target_scoped};
use super::holding::{hold, release};
use super::lasting::outputs_what_moves;
use super::order::{Joining, NewOrder};
use super::search::{Drops, SearchInput, find_order, lets_in, looks_everywhere};
use super::{CompletionOrders, Kernel};

/// The reason why a plan that breaks no rule is not admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum NotAdmitted {
    /// A chain under way could no longer complete.
    ChainUnderWay,
    /// A limit of the plan leaves no room for it.
    Limit,
}

/// Whether limits leave room for all operations of a plan; they are known to leave room for the first `judged` of them.
#[inline]
pub(crate) fn has_room(device: &Device, tables: &Tables, plan: &[Step], judged: usize) -> bool {
    !device.book.has_limits() || limits_leave_room(device, tables, plan, judged)
}

#[cold]
#[inline(never)]
fn limits_leave_room(device: &Device, tables: &Tables, plan: &[Step], judged: usize) -> bool {
    let operation = |step: &Step| (tables.base_of(step.op), step.place);
    device.book.has_room_after(&plan.iter().map(operation), judged)
}

impl Kernel<'_> {
    /// Whether the next step of a chain may start now, and all chains can complete after it. The chain is the one at `at` of those
    /// that are ready.
    pub(crate) fn may_go_on(&mut self, at: usize, now: Ticks) -> bool {
        let Self { tables, device, chains, waiting, .. } = self;
        let ready = &mut waiting.ready[at];
        let chain = chains.get(ready.chain);
        let (die, step, id) = (chain.die, chain.rest()[0], ready.chain);
        if let Err(rule) = device.judge(tables, step.op, &step.place, now) {
            // It is not judged again before what forbids it can have changed: an op_state of its die with time, all but the bus with
            // a change of the die.
            if rule != Rule::Bus && !is_target_scoped(tables, &step) {
                let is_by_time = rule == Rule::OpState;
                let until = if is_by_time { device.op_states(step.place.die, now, |_, _| {}) } else { Ticks(u64::MAX) };
                ready.bar(device, until);
            }
            return false;
        }
        self.keep_order(die, step, id, now)
    }

    /// Takes the next step of a chain, which starts now. Returns the step, and the chain if more steps are to come.
    pub(crate) fn take_step(&mut self, id: ChainId) -> (Step, Option<ChainId>) {
        let step = self.chains.get(id).rest()[0];
        release(&mut self.device, self.tables, &step);
        (step, self.chains.advance(id).then_some(id))
    }

    /// Whether all chains of the die can complete after the next step of one. If so, keeps the order that shows it.
    fn keep_order(&mut self, die: Die, step: Step, id: ChainId, now: Ticks) -> bool {
        let crosses = outputs_what_moves(&self.device, self.tables, &step);
        let (input, orders) = self.search_input(die, now);
        let known = &mut orders.of_dies[usize::from(die.0)];
        if !crosses && input.brings_forward(known, id) {
            return true;
        }
        let is_safe = find_order(&input, &mut orders.scratch, &[step], Some(id));
        if is_safe {
            std::mem::swap(known, &mut orders.scratch.order);
        }
        is_safe
    }

    /// The input of the search for an order of a die's chains, and the orders that are kept.
    pub(super) fn search_input(&mut self, die: Die, now: Ticks) -> (SearchInput<'_>, &mut CompletionOrders) {
        let suspended_chains = self.suspended_chains(die);
        let Self { tables, resuming, device, chains, flights, orders, .. } = self;
        let input = SearchInput { tables, resuming: *resuming, device, chains, suspended_chains, flights, die, now };
        (input, orders)
    }

    /// Whether a waiting proposal may start now; `None`: it waits on for the bus. The error is the rule that forbids it, or
    /// `None` if the bus was not free in time.
    pub(crate) fn judge_waiter(&self, at: usize, now: Ticks) -> Option<Result<(), Option<Rule>>> {
        let waiter = &self.waiting.waiters[at];
        let verdict = self.device.judge(self.tables, waiter.plan[0].op, &waiter.plan[0].place, now);
        let is_late = now > waiter.deadline || self.device.bus_free() > waiter.deadline;
        match verdict {
            Err(Rule::Bus) if !is_late => None,
            Err(Rule::Bus) => Some(Err(None)),
            Err(rule) => Some(Err(Some(rule))),
            Ok(()) if now > waiter.deadline => Some(Err(None)),
            Ok(()) => Some(Ok(())),
        }
    }

    /// Whether a plan whose first operation may start leaves every chain of its die, its own included, able to complete, and keeps within
    /// limits.
    pub(crate) fn admit(&mut self, plan: &[Step], now: Ticks) -> Result<(), NotAdmitted> {
        self.leave_held_blocks(plan)?;
        if !has_room(&self.device, self.tables, plan, 0) {
            return Err(NotAdmitted::Limit);
        }
        self.orders.new = self.find_order_with(plan, now)?;
        Ok(())
    }

    /// Admits a plan that was made at this hook: planning has found that limits leave room for it.
    pub(crate) fn admit_new(&mut self, plan: &[Step], now: Ticks) -> Result<(), NotAdmitted> {
        self.leave_held_blocks(plan)?;
        debug_assert!(has_room(&self.device, self.tables, plan, 0), "limits left room when it was planned");
        self.orders.new = self.find_order_with(plan, now)?;
        Ok(())
    }

    /// Whether a plan leaves the blocks alone that steps to come count on, and the target while a step is to come.
    #[inline]
    fn leave_held_blocks(&mut self, plan: &[Step]) -> Result<(), NotAdmitted> {
        self.orders.new = NewOrder::AsItIs;
        let info = |step: &Step| self.tables.base_of(step.op);
        if info(&plan[0]).effects.holds_target && !self.chains.is_empty() {
            return Err(NotAdmitted::ChainUnderWay);
        }
        let takes_held = |(at, step): (usize, &Step)| {
            let (info, book) = (info(step), &self.device.book);
            (info.changes_block && book.is_held(&step.place))
                || (at > 0 && info.effects.reads_array() && book.is_held_to_change(&step.place))
        };
        // Only steps of chains hold blocks.
        if !self.chains.is_empty() && plan.iter().enumerate().any(takes_held) {
            return Err(NotAdmitted::ChainUnderWay);
        }
        Ok(())
    }

    /// Whether a plan leaves every chain able to complete. If so, returns how the order that shows it comes about.
    pub(super) fn find_order_with(&mut self, plan: &[Step], now: Ticks) -> Result<NewOrder, NotAdmitted> {
        let tables = self.tables;
        let head = plan[0];
        let die = head.place.die;
        let info = tables.base_of(head.op);
        if looks_everywhere(tables, &plan[1..]).next().is_some() {
            for other in (0..tables.size.dies).map(Die).filter(|&other| other != die) {
                let (input, orders) = self.search_input(other, now);
                if !lets_in(&input, &mut orders.scratch, &plan[1..]) {
                    return Err(NotAdmitted::ChainUnderWay);
                }
            }
        }
        let drops = Drops::of(&self.device, info, &head.place);
        let has_target_scoped = drops != Drops::All && self.chains.has_target_scoped(die);
        // The plan is the die's only chain, and no step of another die depends on the state in which it leaves the die.
        let alone = drops != Drops::None || !self.chains.any_on(die);
        let is_idle = plan.len() == 1 && info.is_inert();
        if alone && (is_idle || !has_target_scoped) {
            return Ok(NewOrder::PlanAlone);
        }
        if is_idle {
            return Ok(NewOrder::AsItIs);
        }
        let (input, CompletionOrders { of_dies, scratch, .. }) = self.search_input(die, now);
        if let Some(joining) = input.joins_order(&of_dies[usize::from(die.0)], plan) {
            return Ok(NewOrder::Joined(joining));
        }
        if find_order(&input, scratch, plan, None) { Ok(NewOrder::Found) } else { Err(NotAdmitted::ChainUnderWay) }
    }

    /// Keeps the steps of an admitted plan after the first, which is to start now, as a chain; `None` if there are none.
    pub(crate) fn begin_chain(&mut self, plan: &[Step], proposal: Proposal) -> Option<ChainId> {
        let (head, rest) = plan.split_first().filter(|(_, rest)| !rest.is_empty())?;
        let tables = self.tables;
        rest.iter().for_each(|step| hold(&mut self.device, tables, step));
        Some(self.chains.begin(tables, head.place.die, proposal, rest))
    }

    /// Keeps the order with which a plan was admitted, after its first operation has started; `chain` is the plan's chain.
    pub(crate) fn keep_order_of(&mut self, plan: &[Step], chain: Option<ChainId>) {
        let own = usize::from(plan[0].place.die.0);
        let CompletionOrders { of_dies, new, scratch } = &mut self.orders;
        if looks_everywhere(self.tables, &plan[1..]).next().is_some() {
            // The orders of the other dies were found before those dies had to come to a state in which this chain's steps may
            // start.
            let others = of_dies.iter_mut().enumerate().filter(|(die, _)| *die != own);
            others.for_each(|(_, order)| order.clear());
        }
        let (order, steps) = (&mut of_dies[own], plan.len() - 1);
        match std::mem::replace(new, NewOrder::AsItIs) {
            NewOrder::AsItIs => {}
            NewOrder::PlanAlone => {
                order.clear();
                order.resize(steps, chain);
            }
            NewOrder::Joined(Joining::Last) => order.resize(order.len() + steps, chain),
            NewOrder::Joined(Joining::First) => {
                order.splice(..0, std::iter::repeat_n(chain, steps));
            }
            NewOrder::Found => {
                std::mem::swap(order, &mut scratch.order);
                order.iter_mut().filter(|slot| slot.is_none()).for_each(|slot| *slot = chain);
            }
        }
    }
}

#[cfg(test)]
mod tests;
