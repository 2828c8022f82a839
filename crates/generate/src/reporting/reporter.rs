//! Tells the sink of operations with their origin, of cuts and resumes, and of refusals.

use std::io;

use nandseq_device::{BaseInfo, Device, Flight, Place, Tables};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, OpId, PhaseKey, Target, Ticks};
use nandseq_trace::{Cut, DiePlanes, OpState, Operation, Proposal, Sink, Status};

use rustc_hash::FxHashMap;

use super::reason::RefusalReason;
use super::summary::RunSummary;
use crate::kernel::{Kernel, OperationOrigin, StateName, Step, op_state};

/// The op_states of no target. A static is copied as a whole.
static NO_STATES: [StateName; 8] = [StateName { of: PhaseKey::DEFAULT, phase: None }; 8];

/// Reports the present run.
#[derive(Default, Debug)]
pub(crate) struct Reporter {
    pub(crate) summary: RunSummary,
    /// Failed proposals of the run, counted.
    refused: FxHashMap<(PhaseKey, OpId, RefusalReason), u64>,
    /// The targets of the operation that is reported, and their op_states; how many there are.
    targets: [Target; 8],
    states: [OpState; 8],
    count: usize,
    /// Whose data the operation that is reported passes on the bus, target by target; how many there are.
    pub(crate) data: [Option<u64>; 8],
    pub(crate) passing: usize,
    /// An error of the sink, kept until the event loop sees it.
    pub(crate) failure: Option<io::Error>,
}

impl Reporter {
    /// Begins the report of a run that starts at a time, on a device with this many op names.
    pub(crate) fn begin_run(&mut self, start: Ticks, names: usize) {
        self.summary = RunSummary { start, by_op: vec![0; names], ..RunSummary::default() };
        self.refused.clear();
    }

    /// Ends the report of a run.
    pub(crate) fn end_run(&mut self) -> RunSummary {
        RunSummary { rejections: self.refused.drain().collect(), ..std::mem::take(&mut self.summary) }
    }

    /// Tells, at the start of a run, of the operations that earlier runs left suspended.
    pub(crate) fn tell_suspended(&mut self, kernel: &Kernel<'_>, tables: &Tables, sink: &mut dyn Sink) {
        for (die, suspended) in (0..).map(Die).zip(&kernel.suspended) {
            for axis in Axis::ALL {
                let Some(origin) = suspended[axis].map(|started| started.origin) else { continue };
                let Some(&held) = kernel.device.suspended(die, axis) else { continue };
                self.note_targets(tables, &held.place);
                self.states =
                    origin.states.map(|name| OpState { of: name.of, phase: name.phase, ..OpState::default() });
                let step = Step { op: held.op, place: held.place };
                let operation = Operation {
                    start: origin.proposal.time,
                    ..self.operation(&kernel.device, (step, tables.base_of(held.op)), &origin)
                };
                let told = sink.still_suspended(&operation);
                self.note(told);
            }
        }
    }

    /// What is told of an operation whose targets have been looked at; its number in the run, its start and its status are still to come.
    fn operation<'a>(
        &'a self,
        device: &Device,
        (step, info): (Step, &BaseInfo),
        origin: &'a OperationOrigin,
    ) -> Operation<'a> {
        let shown = device.shows_on(info, &step.place);
        Operation {
            seq: 0,
            uid: origin.uid,
            op: step.op,
            start: Ticks::ZERO,
            targets: &self.targets[..self.count],
            status: None,
            suspended: ByAxis::default(),
            data: &[],
            proposal: &origin.proposal,
            is_first: origin.is_first,
            states: &self.states[..self.count],
            die_planes: shown.map(|(die, dies, planes)| DiePlanes { die, dies, planes }),
        }
    }

    /// Notes the targets of an operation and their op_states just before it starts. Returns its origin.
    pub(crate) fn look_at_targets(
        &mut self,
        (device, tables): (&Device, &Tables),
        (step, info): (Step, &BaseInfo),
        (uid, proposal, is_first): (u64, Proposal, bool),
        now: Ticks,
    ) -> OperationOrigin {
        self.note_targets(tables, &step.place);
        let die = if info.names_die { step.place.die } else { Die(0) };
        let mut states = NO_STATES;
        let targets = &self.targets[..self.count];
        for ((name, state), target) in states.iter_mut().zip(&mut self.states).zip(targets) {
            *state = op_state(device.plane_phase(die, target.plane, now));
            *name = StateName { of: state.of, phase: state.phase };
        }
        OperationOrigin { uid, proposal, is_first, states }
    }

    /// Notes the targets of a place in ascending order of planes; a place without planes is one target.
    #[inline]
    fn note_targets(&mut self, tables: &Tables, place: &Place) {
        self.targets[0] = Target { die: place.die, cell_type: place.cell_type, ..Target::default() };
        self.count = 1;
        for (at, plane) in place.planes.iter().enumerate() {
            self.targets[at % 8] = place.target(&tables.size, plane);
            self.count = at + 1;
        }
    }

    /// Tells of an operation that starts now and whose targets have been looked at. Counts it.
    pub(crate) fn tell(
        &mut self,
        device: &Device,
        (step, info): (Step, &BaseInfo),
        origin: &OperationOrigin,
        (status, suspended, now): (Option<nandseq_device::SeenStatus>, ByAxis<bool>, Ticks),
        sink: &mut dyn Sink,
    ) {
        self.summary.ops += 1;
        self.summary.by_op[step.op.index()] += 1;
        let operation = Operation {
            seq: self.summary.ops,
            start: now,
            status: status.map(into_trace),
            suspended,
            data: &self.data[..self.passing],
            ..self.operation(device, (step, info), origin)
        };
        let told = sink.operation(&operation);
        self.note(told);
    }

    /// Tells of the operations that the last start has cut.
    pub(crate) fn tell_cuts(&mut self, cuts: &[(u64, Cut)], now: Ticks, sink: &mut dyn Sink) {
        for &(uid, cut) in cuts {
            let told = sink.cut(uid, now, cut);
            self.note(told);
        }
    }

    /// Tells that a suspended operation is resumed.
    pub(crate) fn tell_resumed(&mut self, uid: u64, flight: &Flight, now: Ticks, sink: &mut dyn Sink) {
        let told = sink.resumed(uid, now, flight.end, flight.window_end);
        self.note(told);
    }

    /// Counts a failed proposal.
    pub(crate) fn refuse(&mut self, proposal: &Proposal, op: OpId, reason: RefusalReason, sink: &mut dyn Sink) {
        *self.refused.entry((proposal.key_used, op, reason)).or_insert(0) += 1;
        if sink.wants_refusals() {
            let told = sink.refused(proposal, op, reason.code());
            self.note(told);
        }
    }

    /// Keeps the first error of the sink until the event loop sees it.
    fn note(&mut self, told: io::Result<()>) {
        if let Err(error) = told {
            self.failure.get_or_insert(error);
        }
    }
}

const fn into_trace(status: nandseq_device::SeenStatus) -> Status {
    match status {
        nandseq_device::SeenStatus::Busy => Status::Busy,
        nandseq_device::SeenStatus::ExtReady => Status::ExtReady,
        nandseq_device::SeenStatus::Ready => Status::Ready,
    }
}
