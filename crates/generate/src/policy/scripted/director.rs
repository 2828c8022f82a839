//! The attempts under way, and when others begin.
//!
//! Attempts are begun so that hits are spread evenly over the phase. There is at most one on a die. This file draws dies, values and
//! times; operations and addresses are drawn where they are planned.

use nandseq_device::{Device, Flight, SeenStatus, Tables};
use nandseq_plan::model::StepTime;
use nandseq_profile::{Die, OpId, Ticks};

use super::attempt::{Attempt, DoneStep, StepWindow, dies_of};
use super::reached::{GivenUp, ScenarioHit, ScenarioReached, ValueReached};
use super::state::{FAILED, GIVEN_UP, ScenarioState, ScenariosState, UNBEGUN, ValueState};
use crate::kernel::{Queue, Step};
use crate::random::{RandomNumbers, Stream, StreamKind};
use crate::reporting::RefusalReason;
use crate::setup::{CompiledScenario, ScenarioSet};

/// Parts of a phase are counted in units of 2⁻³².
pub(crate) const WHOLE_PHASE: u64 = 1 << 32;

/// The part of a phase that a run is, and its limits.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct PhaseExtent {
    /// The run's number in the phase, from 0, and how many runs the phase has.
    pub(crate) run: u64,
    pub(crate) runs: u64,
    /// Until when the run proposes, and after how many operations it stops.
    pub(crate) end: Ticks,
    pub(crate) most: u64,
    /// Whether the phase ends when its scenarios are done: attempts follow one another at once.
    pub(crate) until_done: bool,
}

/// Directs the attempts at the scenarios of a setup.
#[derive(Debug)]
pub(crate) struct ScenarioDirector {
    pub(crate) state: ScenariosState,
    pub(super) attempts: Vec<Attempt>,
    extent: PhaseExtent,
    /// When the run's first proposal outside a bootstrap came, and how many operations had started.
    since: Option<(Ticks, u64)>,
    /// Whether the device rests and the phase does not go on, so that what is due later is due now.
    is_idle: bool,
    /// Streams drawn from in the present run.
    streams: u64,
    /// The attempt that proposes what starts now.
    pub(crate) own: Option<usize>,
    /// By scenario: hits wanted of values that are not given up, and hits of these so far.
    wanted: Vec<(u64, u64)>,
    /// By scenario: attempts that began.
    begun: Vec<u64>,
    /// By scenario: whether more attempts are due than dies are there for.
    is_late: Vec<bool>,
    /// By die: when attempts may keep it for themselves again. After one that failed, others go on for as long as it took.
    kept_again: Vec<Ticks>,
    /// The hits of the phase, if they are kept.
    pub(crate) kept: Option<Vec<ScenarioHit>>,
}

/// An operation that has started.
#[derive(Clone, Copy)]
pub(crate) struct StartedStep {
    pub(crate) step: Step,
    pub(crate) uid: u64,
    /// Whether it is the first of its proposal, not a step of a chain.
    pub(crate) is_first: bool,
    pub(crate) status: Option<SeenStatus>,
    pub(crate) now: Ticks,
}

impl ScenarioDirector {
    /// The director of a phase that begins; `None` if the setup has no scenarios.
    pub(crate) fn of(set: Option<&ScenarioSet>) -> Option<Box<Self>> {
        let set = set?;
        let values = |scenario: &CompiledScenario| ScenarioState {
            values: vec![ValueState::default(); scenario.values.len()],
            ..ScenarioState::default()
        };
        let scenarios = set.all.iter().map(values).collect();
        Some(Box::new(Self::from_state(set, ScenariosState { proposals: 0, scenarios })))
    }

    /// The director in a state, which fits the setup.
    pub(crate) fn from_state(set: &ScenarioSet, state: ScenariosState) -> Self {
        let wanted = vec![(0, 0); set.all.len()];
        let attempts_of = |scenario: &ScenarioState| scenario.values.iter().map(|value| value.attempts).sum();
        let begun = state.scenarios.iter().map(attempts_of).collect();
        let (attempts, extent) = (Vec::new(), PhaseExtent::default());
        let mut director = Self {
            begun,
            state,
            attempts,
            extent,
            since: None,
            is_idle: false,
            streams: 0,
            own: None,
            wanted,
            is_late: vec![false; set.all.len()],
            kept_again: Vec::new(),
            kept: None,
        };
        (0..set.all.len()).for_each(|at| director.add_up(set, at));
        director
    }

    /// Adds the hits of a scenario up.
    fn add_up(&mut self, set: &ScenarioSet, at: usize) {
        let hits = set.all[at].hits;
        let open = self.state.scenarios[at].values.iter().filter(|value| is_open(value) || value.hits >= hits);
        self.wanted[at] = open.fold((0, 0), |(wanted, sum), value| (wanted + hits, sum + value.hits.min(hits)));
    }

    /// Begins a run.
    pub(crate) fn begin_run(&mut self, extent: PhaseExtent) {
        self.extent = extent;
        (self.since, self.is_idle, self.streams, self.own) = (None, false, 0, None);
        self.is_late.fill(false);
        self.kept_again.clear();
    }

    /// Ends a run, after all chains: attempts under way are given up.
    pub(crate) fn end_run(&mut self, set: &ScenarioSet) {
        while !self.attempts.is_empty() {
            self.give_up((set, Ticks::ZERO), self.attempts.len() - 1, GivenUp::RunEnded);
        }
    }

    /// Whether a scenario still wants hits that it may get.
    pub(crate) fn wants_more(&self) -> bool {
        self.wanted.iter().any(|&(wanted, hits)| hits < wanted)
    }

    /// Whether attempts are under way, or may still begin.
    pub(crate) fn may_start(&self) -> bool {
        self.wants_more() || !self.attempts.is_empty()
    }

    /// The device has long been at rest, in a phase that goes on by operations.
    pub(crate) const fn rests(&mut self) {
        self.is_idle = true;
    }

    /// Whether nothing else than attempts may start in the phase.
    pub(crate) fn is_alone(&self, set: &ScenarioSet) -> bool {
        self.extent.until_done && self.wants_more() && set.all.iter().all(|scenario| !scenario.others_between)
    }

    /// A stream that nothing was drawn from.
    pub(crate) fn stream(&mut self, key: [u64; 2]) -> Stream {
        self.streams += 1;
        Stream::new(key, StreamKind::Scenario, self.streams)
    }

    /// Notes an accepted proposal.
    pub(crate) const fn proposed(&mut self) {
        self.state.proposals += 1;
    }

    /// The dies on which nothing but attempts and chains may start, a bit each.
    pub(crate) fn held(&self, set: &ScenarioSet) -> u64 {
        if self.is_alone(set) {
            return u64::MAX;
        }
        let alone = self.attempts.iter().filter(|attempt| !set.all[attempt.scenario].others_between);
        alone.fold(0, |all, attempt| all | attempt.mask)
    }

    /// Whether no other proposal is made on a die now: an attempt has it for itself, or will soon need it, or the bus.
    pub(crate) fn holds_back(&self, set: &ScenarioSet, die: Die, now: Ticks) -> bool {
        let (bus, occupation) = set.longest;
        // What is still refused when all that may have been in the way then is over is not worth a silent device.
        let is_near = |attempt: &Attempt, guard: Ticks| {
            let near = |target: Ticks| target <= now + guard && now <= target + guard;
            attempt.until.is_some() && attempt.target.is_some_and(near)
        };
        // Another die is in the way of the bus alone.
        let needs_bus = |attempt: &Attempt| {
            attempt.refused.is_none_or(|refused| refused == RefusalReason::BusWindow) && is_near(attempt, bus)
        };
        self.attempts.iter().any(|attempt| {
            let is_own = attempt.mask >> die.0 & 1 == 1;
            let is_kept = || self.keeps_dies(set, attempt, now);
            let is_alone = !set.all[attempt.scenario].others_between;
            needs_bus(attempt) || is_own && (is_alone || is_near(attempt, occupation) || is_kept())
        }) || self.is_alone(set)
    }

    /// Whether an attempt between whose steps others may start keeps its dies for itself: what others leave under way there would be in the way
    /// of a step with a window, or hits are late.
    pub(super) fn keeps_dies(&self, set: &ScenarioSet, attempt: &Attempt, now: Ticks) -> bool {
        let opens_window = || set.all[attempt.scenario].opens_window(attempt.next);
        attempt.keeps_dies(now) && (self.is_late[attempt.scenario] || opens_window())
    }

    /// The part of the phase that is over.
    fn progress(&mut self, now: Ticks, ops: u64) -> u64 {
        let (since, ops_before) = *self.since.get_or_insert((now, ops));
        let part = |part: u64, whole: u64| {
            let part = u128::from(part) * u128::from(WHOLE_PHASE) / u128::from(whole.max(1));
            part.min(WHOLE_PHASE.into()) as u64
        };
        let in_time = part((now - since).0, self.extent.end.0.saturating_sub(since.0));
        let in_ops = part(ops - ops_before, self.extent.most.saturating_sub(ops_before));
        let runs = u128::from(self.extent.runs.max(1));
        let begun = u128::from(self.extent.run) * u128::from(WHOLE_PHASE) + u128::from(in_time.max(in_ops));
        (begun / runs) as u64
    }

    /// Begins the attempts that are due. `ops` operations have started in the run.
    pub(crate) fn begin_due(
        &mut self,
        (set, tables): (&ScenarioSet, &Tables),
        (now, ops): (Ticks, u64),
        key: [u64; 2],
        queue: &mut Queue,
    ) {
        if !self.wants_more() {
            return;
        }
        let progress = self.progress(now, ops);
        for at in 0..set.all.len() {
            let is_short = now.0.saturating_add(set.all[at].least.0) > self.extent.end.0;
            while !is_short && self.is_due(set, at, progress) {
                let mut stream = self.stream(key);
                let Some(mut attempt) = self.draw_attempt((set, tables), at, &mut stream) else { break };
                self.begun[at] += 1;
                self.state.scenarios[at].values[attempt.value].attempts += 1;
                let free = attempt.dies.iter().filter_map(|die| self.kept_again.get(usize::from(die.0))).max();
                (attempt.began, attempt.keeps_from) = (now, free.copied().unwrap_or_default());
                let has_dies = !attempt.dies.is_empty();
                if has_dies {
                    attempt.wake_at(queue, now);
                }
                self.attempts.push(attempt);
                if !has_dies {
                    self.give_up((set, now), self.attempts.len() - 1, GivenUp::Refused(RefusalReason::NoAddress));
                }
            }
            self.is_late[at] = !is_short && !self.extent.until_done && self.is_due(set, at, progress);
        }
    }

    /// Whether an attempt at a scenario is due.
    fn is_due(&self, set: &ScenarioSet, at: usize, progress: u64) -> bool {
        let (wanted, hits) = self.wanted[at];
        let under_way = self.attempts.iter().filter(|attempt| attempt.scenario == at).count() as u64;
        let started = hits + under_way;
        if started >= wanted {
            return false;
        }
        match set.all[at].rate {
            _ if self.extent.until_done || self.is_idle => true,
            Some(rate) => {
                self.begun[at]
                    < self.state.proposals / 1000 * u64::from(rate)
                        + self.state.proposals % 1000 * u64::from(rate) / 1000
            }
            // Hit number k (from 0) of n is due in the middle of its n-th part of the phase.
            None => {
                (2 * u128::from(started) + 1) * u128::from(WHOLE_PHASE) <= 2 * u128::from(progress) * u128::from(wanted)
            }
        }
    }

    /// An attempt at a value that still wants one, on dies without attempts; `None` if there is none. It has no dies if its steps find none
    /// even where no attempt is under way.
    fn draw_attempt(&self, (set, tables): (&ScenarioSet, &Tables), at: usize, stream: &mut Stream) -> Option<Attempt> {
        let scenario = &set.all[at];
        let busy = self.attempts.iter().fold(0, |all, attempt| all | attempt.mask);
        let free = u64::MAX >> (64 - u32::from(tables.size.dies)) & !busy;
        let is_first = self.attempts.is_empty();
        if free == 0 || scenario.is_everywhere && !is_first {
            return None;
        }
        let under_way = |value: usize| {
            self.attempts.iter().filter(|attempt| (attempt.scenario, attempt.value) == (at, value)).count() as u64
        };
        let left = self.state.scenarios[at].values.iter().enumerate().map(|(value, state)| {
            let is_free = scenario.values[value].die.is_none_or(|die| free >> die.0 & 1 == 1);
            let left =
                if is_open(state) && is_free { scenario.hits.saturating_sub(state.hits + under_way(value)) } else { 0 };
            (value, left)
        });
        let value = stream.pick(left)?;
        let dies = scenario.draw_dies(scenario.values[value].die, free, stream);
        let mut attempt = Attempt::new((at, value), dies.or_else(|| is_first.then(Vec::new))?);
        if scenario.is_everywhere {
            attempt.mask = u64::MAX;
        }
        Some(attempt)
    }

    /// Gives an attempt up.
    pub(super) fn give_up(&mut self, (set, now): (&ScenarioSet, Ticks), at: usize, reason: GivenUp) {
        let attempt = self.attempts.remove(at);
        for die in attempt.dies.iter().map(|die| usize::from(die.0)) {
            self.kept_again.resize(self.kept_again.len().max(die + 1), Ticks::ZERO);
            self.kept_again[die] = now + Ticks(now.0.saturating_sub(attempt.began.0));
        }
        let scenario = &mut self.state.scenarios[attempt.scenario];
        let value = &mut scenario.values[attempt.value];
        *value.given_up.entry(reason.code().to_owned()).or_default() += 1;
        if reason == GivenUp::RunEnded {
            return;
        }
        value.in_vain = match reason {
            GivenUp::NoOperation => GIVEN_UP,
            GivenUp::WindowPassed
            | GivenUp::NoMoment
            | GivenUp::OtherOperation
            | GivenUp::RunEnded
            | GivenUp::Refused(_) => {
                let more = if attempt.done.is_empty() { UNBEGUN } else { FAILED };
                (value.in_vain + more).min(GIVEN_UP)
            }
        };
        let is_over = !is_open(value);
        if let Some(first) = attempt.done.first() {
            let failed = scenario.failed.entry(first.op()).or_default();
            *failed = failed.saturating_add(1);
        }
        if is_over {
            self.add_up(set, attempt.scenario);
        }
    }

    /// An operation has started. Attempts take it as their next step, or may be spoilt by it.
    pub(crate) fn started(&mut self, (set, tables): (&ScenarioSet, &Tables), start: StartedStep, queue: &mut Queue) {
        let after = Ticks(start.now.0 + 1).ceil_to(tables.grid);
        let own = self.own.take();
        self.is_idle = false;
        let on = dies_of(tables, start.step);
        // An operation begins one match of a value, whatever the dies that it works on.
        let mut begun: Vec<(usize, usize)> = Vec::new();
        for at in (0..self.attempts.len()).rev() {
            let attempt = &mut self.attempts[at];
            if attempt.mask & on == 0 {
                continue;
            }
            let scenario = &set.all[attempt.scenario];
            let of = (attempt.scenario, attempt.value);
            let is_taken = attempt.next == 0 && begun.contains(&of);
            if !is_taken && attempt.fits((tables, scenario), start.step, start.status, start.now) {
                if attempt.next == 0 {
                    begun.push(of);
                }
                if attempt.advance((tables, scenario), (start.step, start.uid), start.now) {
                    self.hit(set, at);
                    continue;
                }
            } else if !scenario.others_between && !attempt.is_before_first() && start.is_first && own != Some(at) {
                self.give_up((set, start.now), at, GivenUp::OtherOperation);
                continue;
            }
            self.attempts[at].disturb(tables, start.step, (start.uid, start.now));
            self.attempts[at].look_again(queue, after);
        }
    }

    fn hit(&mut self, set: &ScenarioSet, at: usize) {
        let attempt = self.attempts.remove(at);
        if let Some(kept) = &mut self.kept {
            let steps = attempt.done.iter().map(|done| done.uid).collect();
            kept.push(ScenarioHit { scenario: attempt.scenario, value: attempt.value, steps });
        }
        let scenario = &mut self.state.scenarios[attempt.scenario];
        let value = &mut scenario.values[attempt.value];
        let was_open = is_open(value);
        (value.hits, value.in_vain) = (value.hits + 1, 0);
        scenario.failed.remove(&attempt.done[0].op());
        if was_open {
            self.wanted[attempt.scenario].1 += 1;
        } else {
            self.add_up(set, attempt.scenario);
        }
    }

    /// An operation is suspended.
    pub(crate) fn suspended(&mut self, uid: u64) {
        let done = self.attempts.iter_mut().flat_map(|attempt| &mut attempt.done);
        done.filter(|done| done.uid == uid).for_each(DoneStep::suspended);
    }

    /// Something has ended on a die, or on all: attempts whose time has come are looked at at a time.
    pub(crate) fn ended(&mut self, die: Option<Die>, time: Ticks, queue: &mut Queue) {
        let on = die.map_or(u64::MAX, |die| 1 << die.0);
        for attempt in self.attempts.iter_mut().filter(|attempt| attempt.mask & on != 0) {
            attempt.look_again(queue, time);
        }
    }

    /// A suspended operation goes on.
    pub(crate) fn resumed(&mut self, uid: u64, flight: &Flight) {
        let done = self.attempts.iter_mut().flat_map(|attempt| &mut attempt.done);
        done.filter(|done| done.uid == uid).for_each(|done| done.resumed(flight));
    }

    /// Whether an attempt is to be looked at on a die now.
    pub(crate) fn has_hook(&self, die: Die, now: Ticks) -> bool {
        self.at_hook(die, now).is_some()
    }

    /// The dies that attempts on other dies have for themselves, a bit each.
    pub(crate) fn held_by_others(&self, set: &ScenarioSet, die: Die) -> u64 {
        let others = self.attempts.iter().filter(|attempt| attempt.mask >> die.0 & 1 == 0);
        let alone = others.filter(|attempt| !set.all[attempt.scenario].others_between);
        alone.fold(0, |all, attempt| all | attempt.mask)
    }

    /// The attempt that is to be looked at on a die now, as an index.
    pub(super) fn at_hook(&self, die: Die, now: Ticks) -> Option<usize> {
        self.attempts.iter().position(|attempt| attempt.wake <= now && attempt.mask >> die.0 & 1 == 1)
    }

    /// The window of an attempt's next step, with the time that was drawn in it for the step.
    pub(super) fn window(
        &mut self,
        (set, tables): (&ScenarioSet, &Tables),
        at: usize,
        now: Ticks,
        stream: &mut Stream,
    ) -> Option<(StepWindow, Ticks)> {
        let attempt = &mut self.attempts[at];
        let scenario = &set.all[attempt.scenario];
        let when: StepTime = scenario.steps[attempt.next].when;
        let window = attempt.window(tables, when)?;
        let least = window.from.max(now);
        let target = match (attempt.target, window.until) {
            (Some(target), until) if target >= window.from && until.is_none_or(|until| target <= until) => target,
            (Some(_) | None, None) => least,
            (Some(_) | None, Some(until)) => {
                let length = until.0.saturating_sub(least.0) / attempt.left_in_part(scenario).max(1);
                Ticks(least.0 + stream.below(length + 1))
            }
        };
        let is_over = |time: Ticks| window.until.is_some_and(|until| time > until);
        let target = Some(target.ceil_to(tables.grid)).filter(|&target| !is_over(target));
        let target = target.unwrap_or_else(|| least.ceil_to(tables.grid));
        (attempt.target, attempt.until) = (Some(target), window.until);
        Some((window, target))
    }

    /// How often attempts with an operation as the first step have failed since the last hit.
    pub(super) fn failures(&self, scenario: usize, op: OpId) -> u32 {
        self.state.scenarios[scenario].failed.get(&op).copied().unwrap_or(0)
    }

    /// What was reached, by scenario.
    pub(crate) fn reached(&self, set: &ScenarioSet) -> Vec<ScenarioReached> {
        let of = |(scenario, state): (&CompiledScenario, &ScenarioState)| ScenarioReached {
            wanted: scenario.hits,
            least: scenario.least,
            values: scenario
                .values
                .iter()
                .zip(&state.values)
                .map(|(value, state)| ValueReached {
                    value: value.clone(),
                    hits: state.hits,
                    attempts: state.attempts,
                    given_up: state.given_up.clone(),
                })
                .collect(),
        };
        set.all.iter().zip(&self.state.scenarios).map(of).collect()
    }

    /// Whether the device has nothing in flight on the dies of an attempt.
    pub(super) fn is_idle(&self, at: usize, device: &Device) -> bool {
        self.attempts[at].dies.iter().all(|&die| device.occupied(die).is_empty())
    }
}

/// Whether a value is not given up. It may have all its hits.
const fn is_open(value: &ValueState) -> bool {
    value.in_vain < GIVEN_UP
}
