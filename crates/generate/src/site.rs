//! One site: a discrete-event simulation of one device.
//!
//! The kernel keeps the device in time, the policy decides with the proposer what is proposed, the reporter tells the sink. A site reads no clock, and writes through the sink alone.

use nandseq_device::{SeenStatus, UseCounts};
use nandseq_plan::model::PhaseUntil;
use nandseq_profile::input_time::Bin;
use nandseq_profile::model::ByAxis;
use nandseq_profile::{PhaseKey, Ticks};
use nandseq_trace::{Cut, Proposal, Sink};

use crate::dead::DeadDieDetector;
use crate::kernel::{ChainId, Kernel, Step, op_state};
use crate::policy::scripted::{ScenarioDirector, ScenarioHit, ScenarioReached, StartedStep};
use crate::policy::{AtHook, CoverageCounts, HookKind, Policy, Reached, key_at};
use crate::proposal::{Proposer, View};
use crate::random::{SeedPlan, Stream, StreamKind};
use crate::refills::{DiePlane, Refills};
use crate::reporting::Reporter;
use crate::setup::coverage_model::CoverageModel;
use crate::setup::{Addresses, Distribution, Setup};
use crate::shares::MixController;
use crate::site_data::SiteData;
use crate::until_counts::{UntilCounts, is_share};

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
    /// What is programmed and erased, in a run whose phase ends at a share of them.
    pub(crate) until_counts: Option<UntilCounts>,
    /// Whether the `until` of the phase was reached: its further runs propose nothing.
    pub(crate) until_reached: bool,
    pub(crate) reporter: Reporter,
    pub(crate) detector: DeadDieDetector,
    /// Whose data registers, latches and pages hold, if payloads name it.
    pub(crate) data: Option<Box<SiteData<'s>>>,
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
            until_counts: None,
            until_reached: false,
            reporter: Reporter::default(),
            detector: DeadDieDetector::new(setup.tables.size.dies),
            data: SiteData::of(setup),
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
        self.until_reached = false;
    }

    /// Whether the `until` of the last run's phase was reached.
    #[must_use]
    pub const fn until_reached(&self) -> bool {
        self.until_reached
    }

    /// Whether the `until` of the phase is reached, or was.
    pub(crate) fn reaches(&mut self, until: PhaseUntil) -> bool {
        let counts = self.until_counts.as_ref();
        self.until_reached = self.until_reached
            || match until {
                PhaseUntil::Programmed(share) => counts.is_some_and(|counts| counts.has_programmed(share)),
                PhaseUntil::Erased(share) => counts.is_some_and(|counts| counts.has_erased(share)),
                PhaseUntil::Covered(share) => {
                    self.reached().is_some_and(|reached| is_share(reached.hit, reached.bins, share))
                }
                PhaseUntil::ScenariosDone => !self.wants_hits(),
            };
        self.until_reached
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

    /// Proposes at a hook.
    #[inline]
    pub(crate) fn propose(
        &mut self,
        DiePlane { die, plane }: DiePlane,
        kind: HookKind,
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
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
        let distribution = self.policy.distribution(setup, key);
        if self.may_propose(distribution, &stream) {
            self.propose_from(distribution, hook, stream, now, sink);
        }
    }

    /// Whether a hook may propose what is drawn from a distribution. Most hooks draw what proposes nothing, and end here.
    #[inline]
    fn may_propose(&self, distribution: &Distribution, stream: &Stream) -> bool {
        self.policy.is_directed() | !distribution.idles_at(stream.first())
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
            if self.may_propose(distribution, &stream) {
                self.propose_from(distribution, hook, stream, now, sink);
            }
        }
        self.mix = controller;
    }

    /// Proposes at a hook from a distribution. `keys`: the key that is used, and that of the plane.
    #[inline(never)]
    fn propose_from(
        &mut self,
        distribution: &Distribution,
        (DiePlane { die, plane }, kind, keys): (DiePlane, HookKind, (PhaseKey, PhaseKey)),
        mut stream: Stream,
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        let state = op_state(self.kernel.device.plane_phase(die, plane, now));
        let proposal = &Proposal { time: now, die, plane, key_used: keys.0, key_virtual: keys.1, state };
        let stream = &mut stream;
        // Classes are drawn from the distribution and asked for one after the other, or all are asked for first.
        let by_class = distribution.is_mostly_idle && !self.policy.is_directed();
        let first = if by_class { distribution.draw_any(stream) } else { None };
        let setup = self.setup;
        let view = View { die, plane, chained: self.kernel.chains.any_on(die), rested: self.refills.has_rested() };
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
    pub(crate) fn start(
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
        let Self { kernel, reporter, data, .. } = self;
        let status = kernel.device.expected_status(op, &step.place, now);
        let sees_suspension = status.is_some() && self.setup.sees_suspension;
        let suspended = match sees_suspension {
            true => kernel.device.expected_suspension(tables, op, &step.place),
            false => ByAxis::default(),
        };
        let from = (kernel.operations + 1, *proposal, is_first);
        let origin = reporter.look_at_targets((&kernel.device, tables), (step, info), from, now);
        if let Some(data) = data {
            data.start(self.setup, kernel, (&step, origin.uid), reporter);
        }
        let flight = kernel.start(step, (op, info), chain, &origin, now);
        // What a reset cuts may leave blocks in another state; what is suspended leaves them as they are.
        if self.until_counts.is_some() && kernel.cut_by_last_start().iter().any(|(_, cut)| *cut == Cut::Reset) {
            self.until_counts.iter_mut().for_each(|counts| counts.count(&kernel.device));
        }
        reporter.tell_cuts(kernel.cut_by_last_start(), now, sink);
        reporter.tell(&kernel.device, (step, info), &origin, (status, suspended, now), sink);
        if let Some(data) = data {
            data.cut(kernel);
        }
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

    /// What was reached of the setup's scenarios since the phase began, between runs; empty without scenarios.
    #[must_use]
    pub fn scenarios(&self) -> Vec<ScenarioReached> {
        let parts = self.scenarios.as_ref().zip(self.setup.scenarios.as_ref());
        parts.map_or_else(Vec::new, |(director, set)| director.reached(set))
    }

    /// Keeps the hits of the setup's scenarios from now on, until the next setup is entered. Snapshots do not have them.
    pub fn keep_hits(&mut self) {
        self.scenarios.iter_mut().for_each(|director| director.kept = Some(Vec::new()));
    }

    /// The hits that were kept.
    #[must_use]
    pub fn kept_hits(&self) -> &[ScenarioHit] {
        self.scenarios.as_ref().and_then(|director| director.kept.as_deref()).unwrap_or_default()
    }

    /// Whether attempts at scenarios may still start operations.
    pub(crate) fn has_attempts(&self) -> bool {
        self.scenarios.as_ref().is_some_and(|director| director.may_start())
    }

    /// Whether a scenario still wants hits that it may get.
    pub(crate) fn wants_hits(&self) -> bool {
        self.scenarios.as_ref().is_some_and(|director| director.wants_more())
    }

    /// The dies on which nothing but attempts and chains may start, a bit each.
    #[inline]
    pub(crate) fn held(&self) -> u64 {
        match (&self.scenarios, &self.setup.scenarios) {
            (Some(director), Some(set)) if !self.policy.is_bootstrap() => director.held(set),
            (Some(_) | None, _) => 0,
        }
    }

    /// An operation has started.
    #[cold]
    #[inline(never)]
    fn start_with_scenarios(
        &mut self,
        (step, uid, is_first): (Step, u64, bool),
        status: Option<SeenStatus>,
        now: Ticks,
    ) {
        let (Some(director), Some(set)) = (&mut self.scenarios, &self.setup.scenarios) else { return };
        let start = StartedStep { step, uid, is_first, status, now };
        director.started((set, &self.setup.tables), start, &mut self.kernel.queue);
        // What a SUSPEND stops was in CORE_BUSY when it started.
        for &(uid, _) in self.kernel.cut_by_last_start().iter().filter(|(_, cut)| *cut == Cut::Suspended) {
            director.suspended(uid);
        }
    }
}
