//! A site with scenarios: when attempts begin and are looked at, and what they are told of.

use nandseq_device::{Flight, Reach};
use nandseq_profile::{Die, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::kernel::op_state;
use crate::policy::HookKind;
use crate::policy::scripted::StepSearch;
use crate::refills::DiePlane;
use crate::site::Site;

impl Site<'_> {
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

    /// An operation has ended.
    #[inline]
    pub(crate) fn end_with_scenarios(&mut self, flight: &Flight, now: Ticks) {
        let Some(director) = &mut self.scenarios else { return };
        let tables = &self.setup.tables;
        let everywhere = tables.base_of(flight.op).reach == Reach::Target;
        director.ended((!everywhere).then_some(flight.place.die), now.ceil_to(tables.grid), &mut self.kernel.queue);
    }
}
