//! What the sink is told: operations with their origin, and what cuts and resumes them.
//!
//! Keeps, for every flight and every suspended operation, what a later line about it needs: its number, its proposal and the
//! op_states it started in. Decides nothing.

use nandseq_device::{FlightId, PlanePhase};
use nandseq_profile::model::{Axis, ByAxis, PhaseKind};
use nandseq_profile::{Die, OpId, PhaseKey, Ticks};
use nandseq_trace::{Cut, Lanes, OpState, Operation, Proposal, Sink};
use serde::{Deserialize, Serialize};

use crate::chain::Step;
use crate::reason::Reason;
use crate::site::Site;

/// An op_state without its bounds: what is told again of an operation that was suspended.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct StateName {
    pub(crate) of: PhaseKey,
    pub(crate) phase: Option<PhaseKind>,
}

/// Where an operation comes from.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub(crate) struct Origin {
    pub(crate) uid: u64,
    pub(crate) proposal: Proposal,
    pub(crate) is_first: bool,
    /// The op_states of its targets before it started.
    pub(crate) states: [StateName; 8],
}

/// What is remembered of operations that have not ended.
#[derive(Clone, Debug)]
pub(crate) struct EventReporter {
    /// The origin of each flight, by slot.
    flights: Vec<Origin>,
    /// For each die the suspended erase and program.
    suspended: Vec<ByAxis<Option<Origin>>>,
    /// The op_states of the operation being told of.
    states: Vec<OpState>,
    /// The memory of the last [`Flying`].
    flying: Vec<(FlightId, bool)>,
}

impl EventReporter {
    pub(crate) fn new(dies: u8) -> Self {
        Self {
            flights: Vec::new(),
            suspended: vec![ByAxis::default(); usize::from(dies)],
            states: Vec::new(),
            flying: Vec::new(),
        }
    }

    /// Remembers the origin of a flight.
    pub(crate) fn remember(&mut self, id: FlightId, origin: Origin) {
        let slot = id.slot as usize;
        if self.flights.len() <= slot {
            self.flights.resize(slot + 1, Origin::default());
        }
        self.flights[slot] = origin;
    }

    /// Forgets flights: none is left between runs.
    pub(crate) fn settle(&mut self) {
        self.flights.clear();
    }

    /// Notes what was suspended on an axis of a die in an earlier run.
    pub(crate) fn suspend(&mut self, die: Die, axis: Axis, origin: Origin) {
        self.suspended[usize::from(die.0)][axis] = Some(origin);
    }

    /// The origin of what is suspended on an axis of a die.
    pub(crate) fn suspended(&self, die: Die, axis: Axis) -> Option<&Origin> {
        self.suspended[usize::from(die.0)][axis].as_ref()
    }
}

/// What an operation that starts now may cut.
#[derive(Debug)]
pub(crate) struct Flying {
    /// Every flight before it starts, with whether it occupies planes.
    flights: Vec<(FlightId, bool)>,
    /// The axis it suspends, if it does.
    suspends: Option<Axis>,
}

impl Site<'_> {
    /// The flights that an operation with this step may end before their time.
    pub(crate) fn flying(&mut self, step: Step) -> Flying {
        let tables = &self.setup.tables;
        let occupies = |op| tables.base(tables.op(op).base).occupies;
        let mut flights = std::mem::take(&mut self.reporter.flying);
        flights.clear();
        flights.extend(self.device.flights().map(|(id, flight)| (id, occupies(flight.op))));
        Flying { flights, suspends: tables.base(tables.op(step.op).base).effects.suspend }
    }

    /// Tells of the flights that `step`, which has just started, has cut, and forgets their hooks: they will not come.
    pub(crate) fn tell_cuts(&mut self, flying: Flying, step: Step, now: Ticks, sink: &mut dyn Sink) {
        let die = step.place.die;
        for &(id, occupies) in &flying.flights {
            if self.device.flight(id).is_some() {
                continue;
            }
            self.queue.forget_hooks(id);
            let origin = self.reporter.flights[id.slot as usize];
            let cut = match flying.suspends {
                Some(axis) => {
                    self.reporter.suspend(die, axis, origin);
                    Cut::Suspended
                }
                None => Cut::Reset,
            };
            if occupies {
                let told = sink.cut(origin.uid, now, cut);
                self.note(told);
            }
        }
        self.reporter.flying = flying.flights;
        if flying.suspends.is_some() {
            return;
        }
        for at in 0..self.reporter.suspended.len() {
            for axis in Axis::ALL {
                if self.device.suspended(Die(at as u8), axis).is_some() {
                    continue;
                }
                if let Some(origin) = self.reporter.suspended[at][axis].take() {
                    let told = sink.cut(origin.uid, now, Cut::Reset);
                    self.note(told);
                }
            }
        }
    }

    /// Tells that a suspended operation goes on as flight `id`.
    pub(crate) fn tell_resumed(&mut self, die: Die, axis: Axis, id: FlightId, now: Ticks, sink: &mut dyn Sink) {
        let Some(origin) = self.reporter.suspended[usize::from(die.0)][axis].take() else { return };
        let Some(&flight) = self.device.flight(id) else { return };
        self.reporter.remember(id, origin);
        let told = sink.resumed(origin.uid, now, flight.end, flight.window_end);
        self.note(told);
    }

    /// Tells, at the start of a run, of what earlier runs left suspended.
    pub(crate) fn tell_suspended(&mut self, sink: &mut dyn Sink) {
        for die in (0..self.setup.tables.size.dies).map(Die) {
            for axis in Axis::ALL {
                let Some(&origin) = self.reporter.suspended(die, axis) else { continue };
                let Some(&suspended_chains) = self.device.suspended(die, axis) else { continue };
                suspended_chains.place.targets(&self.setup.tables.size, &mut self.targets);
                self.reporter.states.clear();
                let states = origin.states.iter().take(self.targets.len());
                self.reporter.states.extend(states.map(|name| OpState {
                    of: name.of,
                    phase: name.phase,
                    ..OpState::default()
                }));
                let operation = Operation {
                    seq: 0,
                    uid: origin.uid,
                    op: suspended_chains.op,
                    start: origin.proposal.time,
                    targets: &self.targets,
                    status: None,
                    proposal: &origin.proposal,
                    is_first: origin.is_first,
                    states: &self.reporter.states,
                    lanes: self.lanes(Step { op: suspended_chains.op, place: suspended_chains.place }),
                };
                let told = sink.still_suspended(&operation);
                self.note(told);
            }
        }
    }

    /// The planes whose op_state an operation becomes.
    fn lanes(&self, step: Step) -> Option<Lanes> {
        let tables = &self.setup.tables;
        let shown = self.device.shows_on(tables.base(tables.op(step.op).base), &step.place);
        shown.map(|(die, dies, planes)| Lanes { die, dies, planes })
    }

    /// Notes the targets of an operation and the op_states they have just before it starts.
    pub(crate) fn look_at_targets(&mut self, step: Step, now: Ticks) {
        let setup = self.setup;
        let info = setup.tables.base(setup.tables.op(step.op).base);
        step.place.targets(&setup.tables.size, &mut self.targets);
        self.reporter.states.clear();
        for target in &self.targets {
            let die = if info.names_die { target.die } else { Die(0) };
            self.reporter.states.push(op_state(self.device.plane_phase(die, target.plane, now)));
        }
    }

    /// Tells of an operation that starts now, whose targets have been looked at.
    pub(crate) fn tell(
        &mut self,
        step: Step,
        origin: &Origin,
        status: Option<nandseq_trace::Status>,
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        let operation = Operation {
            seq: self.summary.ops,
            uid: origin.uid,
            op: step.op,
            start: now,
            targets: &self.targets,
            status,
            proposal: &origin.proposal,
            is_first: origin.is_first,
            states: &self.reporter.states,
            lanes: self.lanes(step),
        };
        let told = sink.operation(&operation);
        self.note(told);
    }

    /// The origin of the operation whose targets have been looked at.
    pub(crate) fn origin(&self, uid: u64, proposal: Proposal, is_first: bool) -> Origin {
        let mut states = [StateName::default(); 8];
        for (name, state) in states.iter_mut().zip(&self.reporter.states) {
            *name = StateName { of: state.of, phase: state.phase };
        }
        Origin { uid, proposal, is_first, states }
    }

    /// Counts a failed proposal.
    pub(crate) fn refuse(&mut self, proposal: &Proposal, op: OpId, reason: Reason, sink: &mut dyn Sink) {
        *self.summary.rejections.entry((proposal.key_used, op, reason)).or_insert(0) += 1;
        if sink.wants_refusals() {
            let told = sink.refused(proposal, op, reason.code());
            self.note(told);
        }
    }

    /// Keeps an error of the sink until the event loop sees it.
    pub(crate) fn note(&mut self, told: std::io::Result<()>) {
        if let Err(error) = told {
            self.failure.get_or_insert(error);
        }
    }
}

/// A plane's phase as traces call it.
pub(crate) const fn op_state(phase: PlanePhase) -> OpState {
    OpState { of: phase.of, phase: phase.phase, start: phase.start, end: phase.end }
}
