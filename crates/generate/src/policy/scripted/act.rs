//! What becomes of an attempt when it is looked at: its next step is planned, something is prepared for it, it waits, or it is given up.

use nandseq_device::{Device, Tables};
use nandseq_profile::{Die, OpId, Ticks};

use super::director::ScenarioDirector;
use super::prepare::DEPTH;
use super::reached::GivenUp;
use super::search::{StepSearch, WantedStep};
use crate::kernel::Step;
use crate::refills::DiePlane;
use crate::reporting::RefusalReason;

/// How often the next step of an attempt is tried in vain on idle dies, and in all, before the attempt is given up.
const MOST_TRIES: u32 = 48;
const MOST_OF_ALL: u32 = 20_000;
/// How many operations prepare one step.
const MOST_PREPARED: u32 = 10_000;
/// How many of them erase blocks.
const MOST_ERASES: u32 = 64;
/// The least weight of an operation of the first step with which attempts have failed, as a power of 2.
const LEAST_WEIGHT: u32 = 12;

impl ScenarioDirector {
    /// Looks at the attempt of a die. If an operation of it is to start now, the plan is the proposer's; returns the hook's die and plane.
    pub(crate) fn act(&mut self, search: &mut StepSearch<'_, '_>, die: Die) -> Option<DiePlane> {
        let (set, now) = (search.set, search.now);
        let tables = &search.setup.tables;
        let at = self.at_hook(die, now)?;
        self.attempts[at].wake = Ticks(u64::MAX);
        let (scenario, next) = (&set.all[self.attempts[at].scenario], self.attempts[at].next);
        let Some((window, target)) = self.window((set, tables), at, now, &mut search.stream) else {
            self.tried(search, at, GivenUp::NoMoment);
            return None;
        };
        if window.until.is_some_and(|until| now > until) {
            let refused = self.attempts[at].refused;
            let reason = refused.map_or(GivenUp::WindowPassed, |refused| self.why(search, at, refused));
            self.give_up((set, now), at, reason);
            return None;
        }
        if target > now {
            self.attempts[at].wake_at(&mut search.kernel.queue, target);
            return None;
        }
        // What failed before is not tried again before others went on for a while.
        if scenario.others_between && scenario.opens_window(next) && self.attempts[at].keeps_from > now {
            let keeps_from = self.attempts[at].keeps_from;
            self.wait(search, at, keeps_from);
            return None;
        }
        if scenario.ops(tables, next, self.attempts[at].value).next().is_none() {
            self.give_up((set, now), at, GivenUp::NoOperation);
            return None;
        }
        if self.waits_for_chain(search, at) {
            // The step is one of a chain that is under way, or another chain is to end first.
            let until = window.until.map_or(Ticks(u64::MAX), |until| Ticks(until.0 + 1));
            self.wait(search, at, until.min(now + search.setup.refill_period));
            return None;
        }
        let planned = self.plan_next(search, at);
        if planned.is_ok() {
            self.own = Some(at);
            return planned.ok();
        }
        let reason = planned.err().unwrap_or(RefusalReason::NoAddress);
        self.attempts[at].refused = Some(reason);
        if reason == RefusalReason::BusWindow {
            let free = search.kernel.device.bus_free();
            self.wait(search, at, free);
            return None;
        }
        let prepared = self.prepare(search, at);
        if prepared.is_some() {
            let head = tables.op(search.proposer.plan[0].op).base;
            self.attempts[at].prepared += 1;
            self.attempts[at].erased += u32::from(tables.base(head).effects.erase);
            self.own = Some(at);
            return prepared;
        }
        self.tried(search, at, GivenUp::Refused(reason));
        None
    }

    /// Why an attempt is given up whose next step was refused: an address may be lacking because of a limit.
    fn why(&self, search: &StepSearch<'_, '_>, at: usize, refused: RefusalReason) -> GivenUp {
        let attempt = &self.attempts[at];
        let is_limit =
            refused == RefusalReason::NoAddress && search.is_kept_by_limits(&search.set.all[attempt.scenario], attempt);
        GivenUp::Refused(if is_limit { RefusalReason::Limit } else { refused })
    }

    /// Whether the next step is to come from a chain under way, or chains of others have to end first.
    fn waits_for_chain(&self, search: &StepSearch<'_, '_>, at: usize) -> bool {
        let (attempt, kernel, tables) = (&self.attempts[at], &*search.kernel, &search.setup.tables);
        let scenario = &search.set.all[attempt.scenario];
        let has_next = |step: &Step| {
            let fits = &scenario.steps[attempt.next].ops;
            fits.binary_search(&step.op).is_ok()
                && scenario.ops(tables, attempt.next, attempt.value).any(|op| op == step.op)
        };
        let die = attempt.dies[attempt.next];
        let alone = if scenario.others_between {
            scenario.opens_window(attempt.next) && attempt.keeps_dies(search.now)
        } else {
            attempt.is_before_first()
        };
        let is_on = |die: &Die| attempt.mask >> die.0 & 1 == 1;
        kernel.waiting_chains(die).any(|id| kernel.chains.get(id).rest().iter().any(has_next))
            || alone && attempt.dies.iter().any(|&die| kernel.waiting_chains(die).next().is_some())
            || alone && kernel.waiting.waiters.iter().any(|waiter| is_on(&waiter.plan[0].place.die))
    }

    /// Plans the next step of an attempt.
    fn plan_next(&self, search: &mut StepSearch<'_, '_>, at: usize) -> Result<DiePlane, RefusalReason> {
        let attempt = &self.attempts[at];
        let tables = &search.setup.tables;
        let scenario = &search.set.all[attempt.scenario];
        let conditions = attempt.conditions(tables, scenario, attempt.next);
        let is_first = attempt.is_before_first();
        let weight = |op: OpId| {
            let failed = if is_first { self.failures(attempt.scenario, op).min(LEAST_WEIGHT) } else { 0 };
            1 << (LEAST_WEIGHT - failed)
        };
        let rate = |_: &Device, plan: &[Step]| Some(attempt.unmatched((tables, scenario), plan));
        let planned = search.plan(&WantedStep {
            ops: scenario.ops(tables, attempt.next, attempt.value).map(|op| (op, weight(op))).collect(),
            conditions: &conditions,
            expect: scenario.steps[attempt.next].expect,
            rate: &rate,
            takes_first: is_first,
        });
        if planned.is_ok() && is_first {
            let first = search.proposer.plan[0].place;
            search.lack = search.lack_of_later(scenario, attempt, first);
            if search.lack.is_some() {
                return Err(RefusalReason::NoAddress);
            }
        }
        planned
    }

    /// Plans an operation that brings the next step about, where others may start before it.
    fn prepare(&self, search: &mut StepSearch<'_, '_>, at: usize) -> Option<DiePlane> {
        let attempt = &self.attempts[at];
        let scenario = &search.set.all[attempt.scenario];
        let lacking_on = search.lack.as_ref().map_or(attempt.dies[attempt.next], |(_, conditions)| conditions.die);
        let is_busy = !search.kernel.device.occupied(lacking_on).is_empty();
        if !attempt.may_prepare(scenario)
            || attempt.prepared >= MOST_PREPARED
            || attempt.erased >= MOST_ERASES
            || is_busy && !search.needs_suspended(scenario, attempt)
        {
            return None;
        }
        if let Some((need, conditions)) = search.lack.clone() {
            return search.provide(need, &conditions, DEPTH);
        }
        search.prepare(scenario, attempt)
    }

    /// Lets an attempt be looked at at a time, or sooner if something changes.
    fn wait(&mut self, search: &mut StepSearch<'_, '_>, at: usize, until: Ticks) {
        let attempt = &mut self.attempts[at];
        attempt.wake_at(&mut search.kernel.queue, until.ceil_to(search.setup.tables.grid));
    }

    /// The next step was tried in vain: it is tried again when something has changed, or the attempt is given up.
    fn tried(&mut self, search: &mut StepSearch<'_, '_>, at: usize, reason: GivenUp) {
        let is_idle = self.is_idle(at, &search.kernel.device);
        let attempt = &mut self.attempts[at];
        attempt.tries += u32::from(is_idle);
        attempt.all_tries += 1;
        if attempt.tries > MOST_TRIES || attempt.all_tries > MOST_OF_ALL {
            let reason = match reason {
                GivenUp::Refused(refused) => self.why(search, at, refused),
                GivenUp::WindowPassed
                | GivenUp::NoMoment
                | GivenUp::OtherOperation
                | GivenUp::RunEnded
                | GivenUp::NoOperation => reason,
            };
            return self.give_up((search.set, search.now), at, reason);
        }
        let after_window = attempt.until.map_or(Ticks(u64::MAX), |until| Ticks(until.0.max(search.now.0) + 1));
        let soon = soon((&search.kernel.device, &search.setup.tables), attempt.dies[attempt.next], search.now);
        let period = search.now + search.setup.refill_period;
        self.wait(search, at, soon.unwrap_or(period).min(after_window));
    }
}

/// When the bus is free, or a phase on a die ends; `None` if nothing is to end.
fn soon((device, tables): (&Device, &Tables), die: Die, now: Ticks) -> Option<Ticks> {
    let times = [device.bus_free(), device.op_states(die, now, |_, _| {})];
    let next = times.into_iter().filter(|&time| time > now && time < Ticks(u64::MAX)).min();
    next.map(|time| time.ceil_to(tables.grid))
}
