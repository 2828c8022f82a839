//! A site with scenarios: when attempts begin and are looked at, and what they are told of.

use nandseq_device::{Flight, Reach, SeenStatus};
use nandseq_plan::model::PhaseGoal;
use nandseq_profile::{Die, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::kernel::{Step, op_state};
use crate::policy::HookKind;
use crate::policy::scripted::{PhaseExtent, ScenarioReached, StartedStep, StepSearch};
use crate::refills::DiePlane;
use crate::run::RunLimits;
use crate::site::Site;

impl Site<'_> {
    /// What was reached of the setup's scenarios since the phase began, between runs; empty without scenarios.
    #[must_use]
    pub fn scenarios(&self) -> Vec<ScenarioReached> {
        let parts = self.scenarios.as_ref().zip(self.setup.scenarios.as_ref());
        parts.map_or_else(Vec::new, |(director, set)| director.reached(set))
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

    /// Begins a run of a phase.
    pub(crate) fn begin_run_with_scenarios(&mut self, limits: &RunLimits<'_>, end: Ticks) {
        let (run, runs) = limits.of_phase;
        let (most, until_done) = (limits.max_ops.unwrap_or(u64::MAX), limits.goal == Some(PhaseGoal::ScenariosDone));
        if let Some(director) = &mut self.scenarios {
            director.begin_run(PhaseExtent { run, runs, end, most, until_done });
        }
    }

    /// Ends a run: attempts under way are given up.
    pub(crate) fn end_run_with_scenarios(&mut self) {
        if let (Some(director), Some(set)) = (&mut self.scenarios, &self.setup.scenarios) {
            director.end_run(set);
        }
    }

    /// A hook or a refill comes. Returns whether nothing else is proposed there.
    #[cold]
    #[inline(never)]
    pub(crate) fn hook_with_scenarios(
        &mut self,
        DiePlane { die, plane: _ }: DiePlane,
        kind: HookKind,
        now: Ticks,
        sink: &mut dyn Sink,
    ) -> bool {
        if self.policy.is_bootstrap() {
            return false;
        }
        if kind == HookKind::Extra && self.act(die, now, sink) {
            self.begin_attempts(now);
            return true;
        }
        let (Some(director), Some(set)) = (&self.scenarios, &self.setup.scenarios) else { return false };
        let is_held = director.holds_back(set, die, now);
        self.hooks += u64::from(is_held);
        if kind == HookKind::Refill {
            self.begin_attempts(now);
        }
        is_held || kind == HookKind::Extra && !self.policy.is_directed()
    }

    /// Begins the attempts that are due.
    fn begin_attempts(&mut self, now: Ticks) {
        let (key, ops) = (self.key(), self.reporter.summary.ops);
        if let (Some(director), Some(set)) = (&mut self.scenarios, &self.setup.scenarios) {
            director.begin_due((set, &self.setup.tables), (now, ops), key, &mut self.kernel.queue);
        }
    }

    /// Looks at the attempt of a die. Returns whether there is one to be looked at now.
    fn act(&mut self, die: Die, now: Ticks, sink: &mut dyn Sink) -> bool {
        let (key, rested) = (self.key(), self.refills.has_rested());
        let (Some(mut director), Some(set)) = (self.scenarios.take(), &self.setup.scenarios) else { return false };
        let mut is_there = false;
        let mut starts = None;
        if director.has_hook(die, now) {
            is_there = true;
            let facts = (now, rested, director.held_by_others(set, die));
            let stream = director.stream(key);
            let parts = (self.setup, set);
            let mut search = StepSearch::new(parts, &mut self.kernel, &mut self.proposer, facts, stream);
            starts = director.act(&mut search, die);
        }
        self.scenarios = Some(director);
        if let Some(DiePlane { die, plane }) = starts {
            let device = &self.kernel.device;
            let key = device.phase_key(die, plane, now);
            let state = op_state(device.plane_phase(die, plane, now));
            let proposal = Proposal { time: now, die, plane, key_used: key, key_virtual: key, state };
            // The controller of a mix did not draw it: for the mix it is forced, like a step of a chain.
            if let (Some(controller), Some(mix)) = (&mut self.mix, &self.setup.mix) {
                controller.forced(mix, self.proposer.plan[0].op);
            }
            self.begin(&proposal, now, sink);
        }
        is_there
    }

    /// An operation has started.
    #[cold]
    #[inline(never)]
    pub(crate) fn start_with_scenarios(
        &mut self,
        (step, uid, is_first): (Step, u64, bool),
        status: Option<SeenStatus>,
        now: Ticks,
    ) {
        let (Some(director), Some(set)) = (&mut self.scenarios, &self.setup.scenarios) else { return };
        let start = StartedStep { step, uid, is_first, status, now };
        director.started((set, &self.setup.tables), start, &mut self.kernel.queue);
        // What a SUSPEND stops was in CORE_BUSY when it started.
        for &(uid, _) in self.kernel.cut_by_last_start() {
            director.cut(uid, now);
        }
    }

    /// An operation has ended.
    #[inline]
    pub(crate) fn end_with_scenarios(&mut self, flight: &Flight, now: Ticks) {
        let Some(director) = &mut self.scenarios else { return };
        let tables = &self.setup.tables;
        let everywhere = tables.base(tables.op(flight.op).base).reach == Reach::Target;
        director.ended((!everywhere).then_some(flight.place.die), now.ceil_to(tables.grid), &mut self.kernel.queue);
    }
}
