//! The effects of an operation at its start, and the times of suspended operations.

use nandseq_profile::model::{Axis, ByAxis, Effect, LatchKind, PhaseKind};
use nandseq_profile::{Die, Ticks};

use super::{
    BlockContent, BusHold, DeviceModel, DiePlaneSet, FilledRegister, HeldDatum, LevelsByPlane, Occupation,
    OpStateInterval, OpenCacheProgram, PendingOperation, Suspension, Targets, same_page,
};
use crate::compiled_profile::{CompiledProfile, OperationKind, Reset};
use crate::finding::StartedOperation;
use crate::judge::JudgedOperation;
use crate::time::Interval;

/// The most entries of a list of things under way. A legal sequence needs a few for each plane. A broken sequence may add ever
/// more, so the oldest entry is dropped then.
const MOST: usize = 1024;

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= MOST {
        list.remove(0);
    }
    list.push(item);
}

impl DeviceModel {
    /// Starts an operation, legal or not.
    pub(crate) fn start(&mut self, compiled: &CompiledProfile, operation: &JudgedOperation<'_>) {
        self.serial += 1;
        let id = self.serial;
        for die in operation.touched.dies.clone().map(Die) {
            if let Some(axis) = operation.kind.suspends {
                self.suspend(die, axis, operation);
            }
            if let Some(reset) = operation.kind.resets {
                self.reset(die, reset, operation);
            }
        }
        let brings = self.brought(compiled, operation);
        self.hold_bus(operation, id);
        for die in operation.occupied.dies.clone() {
            let occupations = &mut self.dies[usize::from(die)].occupations;
            occupations.retain(|occupation| occupation.time.to > operation.origin.start);
        }
        let time = Interval::new(operation.origin.start, operation.kind.occupied);
        self.occupy(&operation.occupied, time, operation.kind, operation.origin, id);
        self.show_op_state(operation, id);
        for &effect in &operation.kind.effects {
            self.at_start(compiled, effect, operation);
        }
        if operation.kind.erases || operation.kind.programs {
            self.empty_registers(&operation.targets);
        }
        if operation.kind.lasting || !operation.occupied.dies.is_empty() {
            self.take_off(operation, id, brings);
        }
    }

    fn take_off(&mut self, operation: &JudgedOperation<'_>, id: u64, brings: Option<Box<LevelsByPlane>>) {
        let core = operation.kind.span(PhaseKind::CoreBusy);
        let core = core.map_or(Interval { from: operation.origin.start, to: operation.origin.start }, |span| {
            span.time(operation.origin.start)
        });
        self.flights.push(PendingOperation {
            id,
            origin: operation.origin,
            op: operation.origin.op,
            targets: operation.targets,
            cell_type: operation.cell_type,
            dies: operation.touched.dies.clone(),
            occupied: operation.occupied.clone(),
            core,
            brings,
            remains: None,
            axis: operation.kind.axis(),
        });
        self.put_due(operation.array_done(), id);
        if self.flights.len() > MOST
            && let Some(oldest) = self.flights.iter().map(|flight| flight.id).min()
        {
            self.drop_flight(oldest);
        }
    }

    fn drop_flight(&mut self, id: u64) {
        self.flights.retain(|flight| flight.id != id);
        self.due.retain(|due| due.id != id);
    }

    fn empty_registers(&mut self, targets: &Targets) {
        for at in targets.iter() {
            let plane = self.plane_mut(at);
            plane.page = None;
            plane.output = None;
        }
    }

    fn hold_bus(&mut self, operation: &JudgedOperation<'_>, id: u64) {
        let mut bus = std::mem::take(&mut self.bus);
        for held in &mut bus {
            if self.closes_window(held, operation) {
                held.time.cut(operation.origin.start);
            }
        }
        bus.retain(|held| held.time.to > operation.origin.start);
        let dies = &operation.touched.dies;
        let die = (dies.len() == 1).then_some(dies.start);
        for span in operation.kind.spans.iter().filter(|span| span.bus) {
            let time = span.time(operation.origin.start);
            push(&mut bus, BusHold { time, by: operation.origin, window: span.kind.is_window(), id, die });
        }
        self.bus = bus;
    }

    /// Whether a window that holds the bus ends because this operation starts on the last planes that show it.
    pub(crate) fn closes_window(&self, held: &BusHold, operation: &JudgedOperation<'_>) -> bool {
        if !held.window || !held.time.contains(operation.origin.start) || !operation.kind.affects_state {
            return false;
        }
        let shows = |segment: &OpStateInterval| segment.id == held.id && segment.time.contains(operation.origin.start);
        self.dies.iter().enumerate().all(|(die, state)| {
            state
                .planes
                .iter()
                .enumerate()
                .all(|(plane, state)| operation.occupied.contains(die, plane) || !state.segments.iter().any(shows))
        })
    }

    fn occupy(&mut self, occupied: &DiePlaneSet, time: Interval, kind: &OperationKind, by: StartedOperation, id: u64) {
        let OperationKind { multi, interleaved, .. } = *kind;
        for die in occupied.dies.clone() {
            let occupation = Occupation { time, planes: occupied.planes, multi, interleaved, by, id };
            push(&mut self.dies[usize::from(die)].occupations, occupation);
        }
    }

    fn show_op_state(&mut self, operation: &JudgedOperation<'_>, id: u64) {
        if !operation.kind.affects_state {
            return;
        }
        for (die, plane) in operation.occupied.iter() {
            let state = &mut self.dies[die.index()];
            state.changes += 1;
            let segments = &mut state.planes[plane.index()].segments;
            for open in segments.iter_mut() {
                if open.kind.is_window() && open.time.contains(operation.origin.start) {
                    open.time.cut(operation.origin.start);
                }
            }
            segments.retain(|segment| segment.time.to > operation.origin.start);
            for span in operation.kind.spans.iter().filter(|span| span.kind != PhaseKind::Issue) {
                let time = span.time(operation.origin.start);
                push(
                    segments,
                    OpStateInterval { time, base: operation.kind.base, kind: span.kind, by: operation.origin, id },
                );
            }
        }
    }

    fn at_start(&mut self, compiled: &CompiledProfile, effect: Effect, operation: &JudgedOperation<'_>) {
        match effect {
            Effect::CacheRead(kind) => {
                for at in operation.targets.iter() {
                    self.plane_mut(at).cache_read = Some((kind, operation.origin));
                }
            }
            Effect::CacheProgramStart(kind) => {
                for die in operation.touched.dies.clone() {
                    self.dies[usize::from(die)].cache_program = Some(OpenCacheProgram {
                        kind,
                        cell_type: operation.cell_type,
                        targets: operation.targets,
                        by: operation.origin,
                    });
                }
            }
            Effect::DataOut => {
                // A wrong address is believed, so that repeating it is not a finding of its own.
                for at in operation.targets.iter() {
                    let output = &mut self.plane_mut(at).output;
                    if !output.is_some_and(|held| same_page(&held.at, at) && held.at.cell_type == at.cell_type) {
                        let (datum, by) = (HeldDatum::UNKNOWN, operation.origin);
                        *output = Some(FilledRegister { at: *at, copyback: false, output: true, datum, by });
                    }
                }
            }
            Effect::OdtDisable => self.odt_off = Some(operation.origin),
            Effect::WriteProtectOn => self.write_protect = Some(operation.origin),
            Effect::Resume(axis) => {
                for die in operation.touched.dies.clone() {
                    self.resume(compiled, Die(die), axis, operation);
                }
            }
            Effect::Erase
            | Effect::Program
            | Effect::CloseBlock
            | Effect::LoadLatch { .. }
            | Effect::ConsumeLatch { .. }
            | Effect::FillRegisters { .. }
            | Effect::CacheReadEnd(_)
            | Effect::CacheProgramEnd(_)
            | Effect::CopybackSource
            | Effect::Suspend(_)
            | Effect::ResetDie
            | Effect::ResetTarget
            | Effect::OdtEnable
            | Effect::WriteProtectOff
            | Effect::StatusRead
            | Effect::Delay => {}
        }
    }

    /// Cuts the target of a SUSPEND at the instant of the SUSPEND, and keeps the remainder.
    fn suspend(&mut self, die: Die, axis: Axis, operation: &JudgedOperation<'_>) {
        let suspend_target = self.in_core_busy(die, axis, operation.origin.start).map(|flight| flight.id);
        let already = self.die(die).suspension(axis).copied();
        self.dies[die.index()].suspended[axis as usize] = match (suspend_target, already) {
            // A second SUSPEND without a target changes nothing.
            (None, Some(already)) => Some(already),
            // A SUSPEND with a target replaces an earlier one. A first SUSPEND without a target is believed, or its RESUME would
            // be a finding too.
            (flight, _) => Some(Suspension { by: operation.origin, flight }),
        };
        let Some(suspend_target) = suspend_target else { return };
        if let Some(lost) = already.and_then(|already| already.flight) {
            // Its RESUME was lost; nothing can resume it any more.
            self.drop_flight(lost);
        }
        self.due.retain(|due| due.id != suspend_target);
        if let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == suspend_target) {
            flight.remains = Some(flight.core.to - operation.origin.start);
            flight.core.cut(operation.origin.start);
        }
        self.cut(suspend_target, operation.origin.start);
    }

    /// Schedules the remainder of the suspended operation from the end of the RESUME on, and empties the registers of its planes.
    fn resume(&mut self, compiled: &CompiledProfile, die: Die, axis: Axis, operation: &JudgedOperation<'_>) {
        self.dies[die.index()].seen_suspended[axis] = false;
        let Some(suspended) = self.die(die).suspension(axis).and_then(|suspension| suspension.flight) else {
            return;
        };
        let Some(flight) = self.flights.iter_mut().find(|flight| flight.id == suspended) else { return };
        let Some(remains) = flight.remains.take() else { return };
        flight.core = Interval::new(operation.array_done(), remains);
        let flight = flight.clone();
        self.empty_registers(&flight.targets);
        self.put_due(flight.core.to, suspended);
        self.go_on(&flight, &compiled.kinds[flight.op]);
    }

    /// Adds the remainder of a resumed operation: the rest of CORE_BUSY, then its whole window.
    fn go_on(&mut self, flight: &PendingOperation, kind: &OperationKind) {
        let dies = &flight.dies;
        let die = (dies.len() == 1).then_some(dies.start);
        for (span, time) in coming_phases(flight, kind) {
            if span.bus {
                let window = span.kind.is_window();
                push(&mut self.bus, BusHold { time, by: flight.origin, window, id: flight.id, die });
            }
            if !kind.affects_state {
                continue;
            }
            for (die, plane) in flight.occupied.iter() {
                let segments = &mut self.dies[die.index()].planes[plane.index()].segments;
                let segment =
                    OpStateInterval { time, base: kind.base, kind: span.kind, by: flight.origin, id: flight.id };
                push(segments, segment);
            }
        }
        self.occupy(&flight.occupied, flight.core, kind, flight.origin, flight.id);
    }

    /// When the bus is held by what a RESUME would resume.
    pub(crate) fn bus_of_resumed(
        &self,
        compiled: &CompiledProfile,
        operation: &JudgedOperation<'_>,
        die: Die,
        axis: Axis,
    ) -> Vec<Interval> {
        let Some(mut flight) = self.suspended_flight(die, axis).cloned() else { return Vec::new() };
        let Some(remains) = flight.remains else { return Vec::new() };
        flight.core = Interval::new(operation.array_done(), remains);
        coming_phases(&flight, &compiled.kinds[flight.op]).filter(|(span, _)| span.bus).map(|(_, time)| time).collect()
    }

    /// Ends an operation's holds of the bus, its occupations and its op_states.
    fn cut(&mut self, id: u64, at: Ticks) {
        for held in self.bus.iter_mut().filter(|held| held.id == id) {
            held.time.cut(at);
        }
        for die in &mut self.dies {
            for occupation in die.occupations.iter_mut().filter(|occupation| occupation.id == id) {
                occupation.time.cut(at);
            }
            for segment in die.planes.iter_mut().flat_map(|plane| &mut plane.segments) {
                if segment.id == id {
                    segment.time.cut(at);
                }
            }
        }
    }

    /// Ends everything in flight on a die, and clears its latches, registers, cache and suspend state. The blocks of an erase or
    /// program that it ends are not erased afterwards.
    fn reset(&mut self, die: Die, reset: Reset, operation: &JudgedOperation<'_>) {
        let whole = reset == Reset::Target;
        for held in self.bus.iter_mut().filter(|held| whole || held.die == Some(die.0)) {
            held.time.cut(operation.origin.start);
        }
        let state = &mut self.dies[die.index()];
        state.occupations.clear();
        state.suspended = [None; 2];
        state.seen_suspended = ByAxis::default();
        state.latches = [None; 2];
        state.cache_program = None;
        for plane in &mut state.planes {
            plane.segments.clear();
            plane.page = None;
            plane.output = None;
            plane.cache_read = None;
        }
        if let Some(data) = &mut self.data {
            data.load(die, LatchKind::OneShot, None);
            data.load(die, LatchKind::Copyback, None);
        }
        let mut ended = Vec::new();
        self.flights.retain(|flight| {
            let ends = flight.dies.contains(&die.0) && (whole || flight.dies.len() == 1);
            if ends {
                ended.push((flight.id, flight.axis.map(|_| flight.targets)));
            }
            !ends
        });
        for (id, spoilt) in ended {
            self.due.retain(|due| due.id != id);
            for at in spoilt.iter().flat_map(Targets::iter) {
                self.blocks.set(at.die, at.block, BlockContent::NotErased, operation.origin);
            }
            spoilt.iter().for_each(|targets| self.empty_blocks(targets));
        }
    }
}

/// The phases after ISSUE of an operation whose CORE_BUSY has been moved.
fn coming_phases<'a>(
    flight: &'a PendingOperation,
    kind: &'a OperationKind,
) -> impl Iterator<Item = (&'a crate::compiled_profile::PhaseSpan, Interval)> {
    let mut from = flight.core.from;
    kind.spans.iter().filter(|span| span.kind != PhaseKind::Issue).map(move |span| {
        let core = span.kind == PhaseKind::CoreBusy;
        let time = if core { flight.core } else { Interval::new(from, span.duration) };
        from = time.to;
        (span, time)
    })
}
