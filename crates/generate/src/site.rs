//! One site: a discrete-event simulation of one device.
//!
//! Hands each event to the parts that it concerns: the kernel keeps the device in time, the policy decides with the proposer what
//! is proposed, the reporter tells the sink. A site reads no clock, and writes through the sink alone.

use nandseq_device::{Flight, FlightId, RegionSet, UseCounts};
use nandseq_plan::model::PhaseGoal;
use nandseq_profile::input_time::Bin;
use nandseq_profile::model::Axis;
use nandseq_profile::{Die, PhaseKey, Ticks};
use nandseq_trace::{Cut, Proposal, Sink};

use crate::dead::DeadDieDetector;
use crate::goal_counts::{GoalCounts, is_share};
use crate::kernel::{ChainId, Event, Kernel, NextEvent, Step, op_state};
use crate::policy::scripted::ScenarioDirector;
use crate::policy::{AtHook, CoverageCounts, HookKind, Policy, Reached, is_on, key_at};
use crate::proposal::{Proposer, View};
use crate::random::{SeedPlan, Stream, StreamKind};
use crate::refills::{DiePlane, Refills};
use crate::reporting::{RefusalReason, Reporter};
use crate::setup::coverage_model::CoverageModel;
use crate::setup::{Addresses, Distribution, Setup};
use crate::shares::{MixController, ShareReached};

/// One site with its device.
#[derive(Debug)]
pub struct Site<'s> {
    pub(crate) setup: &'s Setup,
    seeds: SeedPlan,
    /// The index of the present run, from 0; between runs that of the next.
    pub(crate) run: u64,
    /// The key of its streams.
    key: [u64; 2],
    /// Hooks so far in the present run.
    pub(crate) hooks: u64,
    /// Whether the present run still proposes.
    pub(crate) proposing: bool,
    pub(crate) refills: Refills,
    pub(crate) kernel: Kernel<'s>,
    pub(crate) proposer: Proposer,
    pub(crate) policy: Policy,
    /// The hits of the coverage model, if there is one.
    pub(crate) counts: Option<CoverageCounts>,
    /// The controller of the setup's shares of what starts, if there are any.
    pub(crate) mix: Option<Box<MixController>>,
    /// The director of the attempts at the setup's scenarios, if there are any.
    pub(crate) scenarios: Option<Box<ScenarioDirector>>,
    /// What is programmed and erased, in a run whose phase has a goal of them.
    pub(crate) goal_counts: Option<GoalCounts>,
    /// Whether the goal of the phase was reached: its further runs propose nothing.
    pub(crate) goal_reached: bool,
    pub(crate) reporter: Reporter,
    pub(crate) detector: DeadDieDetector,
}

impl<'s> Site<'s> {
    /// A site on a fresh device. Its runs have the seeds of `seeds`; a number stands for the sequential plan that begins with it.
    #[must_use]
    pub fn new(setup: &'s Setup, seeds: impl Into<SeedPlan>) -> Self {
        let seeds = seeds.into();
        let mut site = Self {
            setup,
            seeds,
            run: 0,
            key: seeds.key(0),
            hooks: 0,
            proposing: false,
            refills: Refills::new(setup.tables.size, 0),
            kernel: Kernel::new(&setup.tables, &setup.bad_blocks, setup.gap, setup.resuming),
            proposer: Proposer::new(setup),
            policy: Policy::of(setup),
            counts: setup.coverage_model.as_ref().map(CoverageCounts::new),
            mix: MixController::of(setup),
            scenarios: ScenarioDirector::of(setup.scenarios.as_ref()),
            goal_counts: None,
            goal_reached: false,
            reporter: Reporter::default(),
            detector: DeadDieDetector::new(setup.tables.size.dies),
        };
        if let Some(counted) = &setup.addresses.counted {
            site.kernel.device.book.count_uses(UseCounts::new(&setup.tables.size, counted));
        }
        site.draw_addresses(false);
        site
    }

    /// Draws addresses from the regions and within the limits of the setup; in a bootstrap from the whole device.
    pub(crate) fn draw_addresses(&mut self, restricted_before: bool) {
        let Addresses { regions, limits, .. } = &self.setup.addresses;
        if restricted_before || !self.setup.addresses.restrict_nothing() {
            let regions = if self.policy.is_bootstrap() { &[][..] } else { regions };
            self.kernel.device.book.draw_from(&self.setup.tables, regions, limits);
        }
    }

    /// Goes on with the setup of another phase of a plan, between runs: of the same device and bad blocks, with the same coverage
    /// model. The state of the device, what is suspended there, the hooks to come and all counts stay; those towards shares and scenarios
    /// begin anew.
    pub fn enter(&mut self, setup: &'s Setup) {
        let before = std::mem::replace(&mut self.setup, setup);
        self.kernel.enter(&setup.tables, setup.resuming);
        self.proposer = Proposer::new(setup);
        self.policy = Policy::of(setup);
        self.draw_addresses(!before.addresses.restrict_nothing());
        self.mix = MixController::of(setup);
        self.scenarios = ScenarioDirector::of(setup.scenarios.as_ref());
        self.detector.enter();
        self.goal_reached = false;
    }

    /// Whether the goal of the last run's phase was reached.
    #[must_use]
    pub const fn goal_reached(&self) -> bool {
        self.goal_reached
    }

    /// Whether the goal of the phase is reached, or was.
    pub(crate) fn has_reached(&mut self, goal: PhaseGoal) -> bool {
        let counts = self.goal_counts.unwrap_or_default();
        self.goal_reached = self.goal_reached
            || match goal {
                PhaseGoal::Programmed(share) => counts.has_programmed(share, self.setup.tables.size.pages),
                PhaseGoal::Erased(share) => counts.has_erased(share),
                PhaseGoal::Covered(share) => {
                    self.reached().is_some_and(|reached| is_share(reached.hit, reached.bins, share))
                }
                PhaseGoal::ScenariosDone => !self.wants_hits(),
            };
        self.goal_reached
    }

    /// The shares of the setup's mix and what was reached of them since the phase began, between runs; empty without a mix.
    #[must_use]
    pub fn shares(&self) -> Vec<ShareReached> {
        let parts = self.mix.as_ref().zip(self.setup.mix.as_ref());
        parts.map_or_else(Vec::new, |(controller, mix)| controller.reached(self.setup, mix))
    }

    /// How much of the setup's coverage model the site has reached so far; `None` without a model.
    #[must_use]
    pub fn reached(&self) -> Option<Reached> {
        self.counts.as_ref().map(CoverageCounts::reached)
    }

    /// Hits by bin, in the order of key, name and tenth; empty without a coverage model.
    #[must_use]
    pub fn hits(&self) -> Vec<u32> {
        self.counts.as_ref().map_or_else(Vec::new, CoverageCounts::hits)
    }

    /// The bins that were never hit; none without a coverage model.
    #[must_use]
    pub fn uncovered(&self) -> Vec<Bin> {
        let bins = self.setup.coverage_model.iter().flat_map(CoverageModel::bins);
        bins.zip(self.hits()).filter(|(_, hits)| *hits == 0).map(|(bin, _)| bin).collect()
    }

    /// Whether at least this many bins have been hit.
    #[must_use]
    pub fn has_covered(&self, least: u64) -> bool {
        self.reached().is_some_and(|reached| reached.hit >= least)
    }

    /// The key of the current run's streams.
    pub(crate) const fn key(&self) -> [u64; 2] {
        self.key
    }

    /// Makes a run the present one.
    pub(crate) const fn begin_at(&mut self, run: u64) {
        (self.run, self.key) = (run, self.seeds.key(run));
    }

    /// Handles the next event. A hook that comes when the run no longer proposes is added to `carried`, for the next run.
    #[inline]
    pub(crate) fn step(&mut self, next: NextEvent, sink: &mut dyn Sink, carried: &mut Vec<(Ticks, Event)>) {
        let now = next.time;
        if next.proposes() {
            if self.proposing {
                self.hook(next, sink);
            } else {
                carried.extend(self.kernel.queue.pop().filter(|(_, event)| matches!(event, Event::Hook(_))));
            }
        } else if next.is_end() {
            let flight = self.kernel.queue.take_end();
            self.end(flight, now, sink);
        } else {
            if let Some(chain) = self.kernel.queue.take_due(next) {
                self.kernel.make_ready(chain);
            }
            self.try_waiting(now, sink);
        }
    }

    /// A hook or a refill comes. They follow one another in no order that could be foreseen, so they are not told apart by
    /// decisions. A refill proposes on the next plane of the round, and schedules the next refill.
    #[inline]
    fn hook(&mut self, next: NextEvent, sink: &mut dyn Sink) {
        let (now, is_refill) = (next.time, next.is_refill());
        let following = now + self.setup.refill_period;
        let (own, is_extra) = self.kernel.queue.take_proposal(is_refill, following);
        let of_round = self.refills.advance(is_refill);
        let plane = if is_refill { of_round } else { own };
        let of_hook = if is_extra { HookKind::Extra } else { HookKind::Phase };
        let kind = if is_refill { HookKind::Refill } else { of_hook };
        if self.policy.is_bootstrap() {
            self.in_bootstrap(is_refill);
        }
        if self.scenarios.is_none() || !self.hook_with_scenarios(plane, kind, now, sink) {
            self.propose(plane, kind, now, sink);
        }
        if self.refills.count >= self.detector.next_look {
            self.look_for_dead_dies(now);
        }
    }

    /// A hook or a refill comes in a bootstrap.
    #[cold]
    #[inline(never)]
    fn in_bootstrap(&mut self, is_refill: bool) {
        if is_refill && self.policy.refilled(self.setup, &self.kernel.device, &self.refills) {
            self.end_stage();
        }
    }

    /// A stage of the bootstrap is over: proposals that wait for the bus were made for it. The bootstrap draws from the whole device.
    #[cold]
    fn end_stage(&mut self) {
        self.kernel.waiting.drop_waiters();
        if !self.policy.is_bootstrap() {
            self.draw_addresses(false);
        }
    }

    /// An operation ends. A RESUME lets the suspended operation go on; chain steps and proposals that wait are tried again.
    fn end(&mut self, id: FlightId, now: Ticks, sink: &mut dyn Sink) {
        if self.kernel.device.flight(id).is_none() {
            return; // it was cut: this end is void
        }
        let flight = if self.goal_counts.is_some() { self.end_towards_goal(id, now) } else { self.kernel.end(id, now) };
        self.end_with_scenarios(&flight, now);
        if self.policy.ended(self.setup, &self.kernel.device, &flight) {
            self.end_stage();
        }
        let tables = &self.setup.tables;
        if let Some(axis) = tables.base(tables.op(flight.op).base).effects.resume {
            self.resume((flight.place.die, axis), now, sink);
        }
        if !self.kernel.waiting.is_empty() {
            self.kernel.wake_at(now);
        }
    }

    /// Ends an operation that was not cut, in a run that counts towards a goal.
    #[cold]
    #[inline(never)]
    fn end_towards_goal(&mut self, id: FlightId, now: Ticks) -> Flight {
        let tables = &self.setup.tables;
        let place = self.kernel.device.flight(id).map(|flight| flight.place).unwrap_or_default();
        let before = GoalCounts::at(&self.kernel.device, tables, &place);
        let flight = self.kernel.end(id, now);
        if let Some(counts) = &mut self.goal_counts {
            counts.replace(before, GoalCounts::at(&self.kernel.device, tables, &place));
        }
        flight
    }

    /// Resumes the suspended operation of a die and axis.
    fn resume(&mut self, (die, axis): (Die, Axis), now: Ticks, sink: &mut dyn Sink) {
        let mut stream = Stream::new(self.key(), StreamKind::Resume, self.kernel.resumes);
        let Some((uid, id, flight)) = self.kernel.resume(die, axis, now) else { return };
        self.reporter.tell_resumed(uid, &flight, now, sink);
        if let Some(director) = &mut self.scenarios {
            director.resumed(uid, &flight);
        }
        let operation = (Step { op: flight.op, place: flight.place }, id, (now, flight.end));
        self.policy.place_hooks((self.setup, &mut self.kernel), self.counts.as_ref(), operation, &mut stream);
    }

    /// Proposes at a hook.
    #[inline]
    fn propose(&mut self, DiePlane { die, plane }: DiePlane, kind: HookKind, now: Ticks, sink: &mut dyn Sink) {
        self.hooks += 1;
        let setup = self.setup;
        let stream = Stream::new(self.key(), StreamKind::Hook, self.hooks).begun();
        let device = &self.kernel.device;
        let key_virtual = device.phase_key(die, plane, now);
        let key = key_at(kind, device.is_idle(die, plane, now), setup.refill_uses_end_key, key_virtual);
        let hook = (DiePlane { die, plane }, kind, (key, key_virtual));
        if self.mix.is_some() && !self.policy.is_bootstrap() {
            return self.propose_in_mix(hook, stream, now, sink);
        }
        self.propose_under(self.policy.distribution(setup, key), hook, stream, now, sink);
    }

    /// Proposes at a hook with the weights of a mix.
    #[inline(never)]
    fn propose_in_mix(
        &mut self,
        hook: (DiePlane, HookKind, (PhaseKey, PhaseKey)),
        stream: Stream,
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        let (mut controller, setup) = (self.mix.take(), self.setup);
        if let (Some(controller), Some(mix)) = (&mut controller, &setup.mix) {
            let counts = (&self.reporter.summary, now);
            let distribution = controller.distribution((setup, mix), hook.2.0, counts);
            self.propose_under(distribution, hook, stream, now, sink);
        }
        self.mix = controller;
    }

    /// Proposes at a hook, unless what is drawn from the distribution proposes nothing. `keys`: the key that is used, and that of the plane.
    #[inline]
    fn propose_under(
        &mut self,
        distribution: &Distribution,
        (DiePlane { die, plane }, kind, keys): (DiePlane, HookKind, (PhaseKey, PhaseKey)),
        stream: Stream,
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        // Most hooks draw what proposes nothing, and end here.
        if self.policy.is_directed() | !distribution.idles_at(stream.first()) {
            let state = op_state(self.kernel.device.plane_phase(die, plane, now));
            let proposal = Proposal { time: now, die, plane, key_used: keys.0, key_virtual: keys.1, state };
            self.propose_from(distribution, (&proposal, kind), stream, sink);
        }
    }

    /// Proposes at a hook from a distribution.
    #[inline(never)]
    fn propose_from(
        &mut self,
        distribution: &Distribution,
        (proposal, kind): (&Proposal, HookKind),
        mut stream: Stream,
        sink: &mut dyn Sink,
    ) {
        let stream = &mut stream;
        // Classes are drawn from the distribution and asked for one after the other, or all are asked for first.
        let by_class = distribution.is_mostly_idle && !self.policy.is_directed();
        let first = if by_class { distribution.draw_any(stream) } else { None };
        let (setup, &Proposal { time: now, die, plane, .. }) = (self.setup, proposal);
        let view = View {
            die,
            plane,
            chained: self.kernel.chains.any_on(die),
            rested: self.refills.has_rested(),
            within: RegionSet::PLAIN,
        };
        self.proposer.sampler.clear();
        if first.is_none() {
            self.proposer.look(&view, distribution, (&self.kernel, setup), now);
        }
        let held = self.held();
        let mut at = AtHook {
            setup,
            kernel: &mut self.kernel,
            proposer: &mut self.proposer,
            reporter: &mut self.reporter,
            sink,
            view: &view,
            kind,
            proposal,
            distribution,
            first,
            held,
            stream,
        };
        if self.policy.propose(&mut at, self.counts.as_ref()) {
            self.begin(proposal, now, sink);
            let parts = (setup, &mut self.kernel);
            self.policy.after_start(parts, self.counts.as_ref(), proposal, stream);
        }
    }

    /// Starts the proposer's plan, which was admitted: its first operation now, the rest as a chain.
    pub(crate) fn begin(&mut self, proposal: &Proposal, now: Ticks, sink: &mut dyn Sink) {
        let head = self.proposer.plan[0];
        if let Some(director) = &mut self.scenarios
            && !self.policy.is_bootstrap()
        {
            director.proposed();
        }
        let chain = self.kernel.begin_chain(&self.proposer.plan, *proposal);
        if let (Some(counts), Some(model)) = (&mut self.counts, &self.setup.coverage_model)
            && counts.count(model, proposal, head.op, now)
        {
            self.policy.hit(proposal.key_used);
        }
        self.start(head, chain, (proposal, true), now, sink);
        self.kernel.keep_order_of(&self.proposer.plan, chain);
    }

    /// Starts an operation that has been judged, tells the sink of it, and places its hooks.
    fn start(
        &mut self,
        step: Step,
        chain: Option<ChainId>,
        (proposal, is_first): (&Proposal, bool),
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        let tables = &self.setup.tables;
        let op = tables.op(step.op);
        let info = tables.base(op.base);
        let Self { kernel, reporter, .. } = self;
        let status = kernel.device.expected_status(op, &step.place, now);
        let from = (kernel.operations + 1, *proposal, is_first);
        let origin = reporter.look_at_targets((&kernel.device, tables), (step, info), from, now);
        let flight = kernel.start(step, (op, info), chain, &origin, now);
        // What a reset cuts may leave blocks in another state; what is suspended leaves them as they are.
        if self.goal_counts.is_some() && kernel.cut_by_last_start().iter().any(|(_, cut)| *cut == Cut::Reset) {
            self.goal_counts = Some(GoalCounts::of(&kernel.device));
        }
        reporter.tell_cuts(kernel.cut_by_last_start(), now, sink);
        reporter.tell(&kernel.device, (step, info), &origin, (status, now), sink);
        if self.scenarios.is_some() {
            self.start_with_scenarios((step, origin.uid, is_first), status, now);
        }
        self.policy.started();
        self.refills.started(info.occupies);
        self.detector.started(step, info.reach, now);
        if let Some(id) = flight
            && info.affects_state
            && info.busy_key.is_some()
        {
            let mut stream = Stream::new(self.key(), StreamKind::Operation, origin.uid);
            let operation = (step, id, (now + op.issue, now + op.occupied));
            self.policy.place_hooks((self.setup, &mut self.kernel), self.counts.as_ref(), operation, &mut stream);
        }
    }

    /// Starts all chain steps and proposals that wait and can start now.
    fn try_waiting(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut from = 0;
        while let Some(at) = self.kernel.to_be_judged(from, now) {
            from = at + 1;
            if self.kernel.may_go_on(at, now) {
                let chain = self.kernel.waiting.ready[at].chain;
                let proposal = self.kernel.chains.get(chain).proposal;
                let (step, rest) = self.kernel.take_step(chain);
                if let (Some(controller), Some(mix)) = (&mut self.mix, &self.setup.mix) {
                    controller.forced(mix, step.op);
                }
                self.start(step, rest, (&proposal, false), now, sink);
                self.kernel.waiting.remove(at, chain);
                from = 0;
            }
        }
        self.try_waiters(now, sink);
        self.kernel.plan_wake(now);
    }

    /// Starts or refuses the proposals that have waited for the bus, once it is free or has not come free in time.
    fn try_waiters(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut at = 0;
        while at < self.kernel.waiting.waiters.len() {
            let Some(verdict) = self.kernel.judge_waiter(at, now) else {
                at += 1;
                continue;
            };
            let mut waiter = self.kernel.waiting.take(at);
            // The plan was made for the state at the hook: every step of it must still be possible.
            let outcome = match verdict {
                Err(None) => Err(RefusalReason::BusWindow),
                Err(Some(rule)) => Err(RefusalReason::Rule(rule)),
                Ok(()) if is_on(&self.setup.tables, &waiter.plan, self.held()) => Err(RefusalReason::Scenario),
                Ok(()) => self.proposer.is_possible((self.setup, &self.kernel.device), &waiter.plan, now),
            };
            let outcome = outcome.and_then(|()| Ok(self.kernel.admit(&waiter.plan, now)?));
            match outcome {
                Ok(()) => {
                    std::mem::swap(&mut self.proposer.plan, &mut waiter.plan);
                    self.begin(&waiter.proposal, now, sink);
                }
                Err(reason) => self.reporter.refuse(&waiter.proposal, waiter.plan[0].op, reason, sink),
            }
            self.kernel.waiting.reuse(waiter.plan);
        }
    }
}
