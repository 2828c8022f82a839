//! The rows that operations should have in the timelines: their stretches on targets, and the op_states of planes.
//!
//! [`ExpectedTables`] follows the sequence with lists of its own, beside the model of the device: the operations under way and
//! their phases, the remainders of suspended ones, and the op_state of each plane. It asks the model only for the target of a
//! SUSPEND and for the operation that a RESUME resumes.

mod shows;

use std::io;

use nandseq_input::Addressed;
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, Plane, Profile, Ticks};

use super::expected::{SegmentRow, StateCode, Stretch, WrittenNames};
use super::order::{RowOrder, Slot, Ticket};
use super::touches::Touches;
use crate::compiled_profile::{CompiledProfile, OperationKind, Reset};
use crate::finding::{RowPlace, StartedOperation};
use crate::judge::JudgedOperation;
use crate::model::{DeviceModel, DiePlaneSet, Targets};
use crate::time::Interval;
use shows::{Show, Shows};

/// The most operations under way; legal sequences have a few for each plane.
const MOST: usize = 1024;
/// The most flights that are kept to be used again.
const SPARE: usize = 64;

/// A phase of the present stretch of an operation.
#[derive(Clone, Copy, Debug)]
struct ComingPhase {
    kind: PhaseKind,
    time: Interval,
}

/// Rows of operation_timeline: die, plane, block and page, and the op_state that the operation found there.
type StretchRows = Vec<([i32; 4], StateCode)>;
/// A plane on which an operation was ended, and when.
type PlaneCut = (Die, Plane, Ticks);

/// An operation under way, or suspended.
#[derive(Clone, Debug)]
struct OpenOperation {
    origin: StartedOperation,
    ticket: Ticket,
    /// Its rows of operation_timeline.
    rows: StretchRows,
    dies: std::ops::Range<u8>,
    occupied: DiePlaneSet,
    resumed: bool,
    /// The phases of the present stretch.
    phases: Vec<ComingPhase>,
    /// The planes on which other operations ended it.
    cuts: Vec<PlaneCut>,
    /// The rest of CORE_BUSY while it is suspended.
    remains: Option<Ticks>,
    /// The pages it touches, and whether it programs them.
    touches: Option<(bool, Targets)>,
    /// When its array is done.
    done: Ticks,
}

impl OpenOperation {
    fn new(origin: StartedOperation, ticket: Ticket) -> Self {
        Self {
            origin,
            ticket,
            rows: Vec::new(),
            dies: 0..0,
            occupied: DiePlaneSet::NOTHING,
            resumed: false,
            phases: Vec::new(),
            cuts: Vec::new(),
            remains: None,
            touches: None,
            done: origin.start,
        }
    }

    /// The end of the present stretch.
    fn end(&self) -> Ticks {
        self.phases.iter().map(|phase| phase.time.to).fold(self.done, Ord::max)
    }

    /// When another operation ended it on a plane, if one did.
    fn cut_on(&self, die: i64, plane: i64) -> Option<Ticks> {
        let here = |cut: &&PlaneCut| (i64::from(cut.0.0), i64::from(cut.1.0)) == (die, plane);
        self.cuts.iter().filter(here).map(|cut| cut.2).min()
    }

    /// Ends all phases at `at`; phases that have not begun are dropped.
    fn cut(&mut self, at: Ticks) {
        self.phases.retain(|phase| phase.time.from < at);
        for phase in &mut self.phases {
            phase.time.cut(at);
        }
    }
}

/// The expected rows of a site, which follow from its operations one by one.
#[derive(Debug)]
pub(super) struct ExpectedTables {
    shows: Shows,
    #[expect(clippy::vec_box, reason = "they come and go all the time, and each is large")]
    flights: Vec<Box<OpenOperation>>,
    /// Flights that are over, whose memory is used again.
    #[expect(clippy::vec_box, reason = "as those of `flights`")]
    spare: Vec<Box<OpenOperation>>,
    /// The rows of the operation that starts.
    rows: StretchRows,
    /// When the first flight is over.
    next_end: Ticks,
    pub(super) order: RowOrder,
    pub(super) touches: Touches,
}

/// A number of an address, limited to the numbers that a row can hold here.
fn part(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

impl ExpectedTables {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            shows: Shows::new(profile.topology),
            flights: Vec::new(),
            spare: Vec::new(),
            rows: Vec::new(),
            next_end: Ticks(u64::MAX),
            order: RowOrder::default(),
            touches: Touches::default(),
        }
    }

    /// Earlier runs are missing: nothing is known of the operations before.
    pub(super) fn forget(&mut self) {
        self.flights.clear();
        self.shows.forget();
    }

    /// A run begins. Suspended operations get places in its order, since they may be resumed in it.
    pub(super) fn begin_run(&mut self) {
        self.flights.sort_by_key(|flight| flight.origin.uid);
        for flight in &mut self.flights {
            flight.ticket = self.order.open(flight.origin);
        }
    }

    /// The run ends: every operation that is not suspended ends in its time.
    pub(super) fn end_run(&mut self, compiled: &CompiledProfile, words: &WrittenNames) -> io::Result<()> {
        self.advance(compiled, words, Ticks(u64::MAX))
    }

    /// An operation starts. Is called before the device starts it.
    pub(super) fn start(
        &mut self,
        compiled: &CompiledProfile,
        words: &WrittenNames,
        device: &DeviceModel,
        operation: &JudgedOperation<'_>,
    ) -> io::Result<()> {
        self.advance(compiled, words, operation.origin.start)?;
        self.find_rows(operation);
        for die in operation.touched.dies.clone().map(Die) {
            if let Some(axis) = operation.kind.suspends
                && let Some(suspend_target) = device.in_core_busy(die, axis, operation.origin.start)
            {
                self.suspend(compiled, suspend_target.origin.place, operation.origin.start);
            }
            if let Some(reset) = operation.kind.resets {
                self.reset(compiled, words, die, reset, operation.origin.start)?;
            }
        }
        if operation.kind.affects_state {
            self.cut_windows(operation);
        }
        self.take_off(operation);
        if let Some(axis) = operation.kind.resumes {
            for die in operation.touched.dies.clone().map(Die) {
                let suspend_target = device.suspended_flight(die, axis).map(|flight| flight.origin.place);
                self.resume(compiled, suspend_target, die, operation);
            }
        }
        Ok(())
    }

    /// Notes the targets of the operation, and the op_state of their planes.
    fn find_rows(&mut self, operation: &JudgedOperation<'_>) {
        let row = |target: &Addressed| {
            let place = [target.die, target.plane, target.block, target.page].map(part);
            (place, self.shows.at(target.die, target.plane, operation.origin.start))
        };
        self.rows.clear();
        self.rows.extend(operation.written.iter().map(row));
        self.rows.sort_by_key(|(place, _)| (place[0], place[1]));
    }

    fn take_off(&mut self, operation: &JudgedOperation<'_>) {
        let ticket = self.order.open(operation.origin);
        // The parts of a flight are set one by one: it is large, and would be copied otherwise.
        let mut flight = self.spare.pop().unwrap_or_else(|| Box::new(OpenOperation::new(operation.origin, ticket)));
        flight.origin = operation.origin;
        flight.ticket = ticket;
        std::mem::swap(&mut flight.rows, &mut self.rows);
        flight.dies = operation.touched.dies.clone();
        flight.occupied = operation.occupied.clone();
        flight.resumed = false;
        flight.remains = None;
        flight.touches = touch(operation.kind).map(|program| (program, operation.targets));
        flight.done = operation.array_done();
        flight.cuts.clear();
        let phases = &mut flight.phases;
        phases.clear();
        phases.extend(
            operation
                .kind
                .spans
                .iter()
                .map(|span| ComingPhase { kind: span.kind, time: span.time(operation.origin.start) }),
        );
        if operation.kind.affects_state {
            for (die, plane) in operation.occupied.iter() {
                for phase in phases.iter() {
                    self.shows.push(
                        die,
                        plane,
                        operation.origin.start,
                        Show::new(ticket, operation.kind.base, phase.kind, phase.time),
                    );
                }
            }
        }
        if flight.occupied == DiePlaneSet::NOTHING && flight.touches.is_none() {
            // No later operation changes its rows.
            self.order.add(ticket, |stretches, _| stretch_rows(&flight, stretches));
            self.order.close(ticket);
            self.keep(flight);
            return;
        }
        self.next_end = self.next_end.min(flight.end());
        self.flights.push(flight);
        if self.flights.len() > MOST {
            let lost = self.flights.remove(0);
            self.order.close(lost.ticket);
        }
    }

    /// Keeps the memory of a flight that is over for the next one.
    fn keep(&mut self, flight: Box<OpenOperation>) {
        if self.spare.len() < SPARE {
            self.spare.push(flight);
        }
    }

    /// Ends every operation that is over at `now` or before.
    fn advance(&mut self, compiled: &CompiledProfile, words: &WrittenNames, now: Ticks) -> io::Result<()> {
        if now < self.next_end {
            return Ok(());
        }
        let mut next = Ticks(u64::MAX);
        let mut at = 0;
        while let Some(flight) = self.flights.get(at) {
            if flight.remains.is_some() || flight.end() > now {
                if flight.remains.is_none() {
                    next = next.min(flight.end());
                }
                at += 1;
                continue;
            }
            let flight = self.flights.remove(at);
            self.land(compiled, words, &flight, now)?;
            self.keep(flight);
        }
        self.next_end = next;
        Ok(())
    }

    /// An operation is over: in its time, or because a reset ended it at `at`.
    fn land(
        &mut self,
        compiled: &CompiledProfile,
        words: &WrittenNames,
        flight: &OpenOperation,
        at: Ticks,
    ) -> io::Result<()> {
        self.note(compiled, flight);
        self.order.close(flight.ticket);
        match &flight.touches {
            Some((program, targets)) if flight.done <= at => {
                targets.iter().try_for_each(|target| self.touches.count(words.touch(*program, target)))
            }
            _ => Ok(()),
        }
    }

    /// Adds the rows of the present stretch.
    fn note(&mut self, compiled: &CompiledProfile, flight: &OpenOperation) {
        let kind = &compiled.kinds[flight.origin.op];
        self.order.add(flight.ticket, |stretches, segments| {
            stretch_rows(flight, stretches);
            if kind.affects_state {
                segment_rows(flight, segments);
            }
        });
    }

    fn suspend(&mut self, compiled: &CompiledProfile, suspend_target: RowPlace, at: Ticks) {
        let Some(index) = self.flights.iter().position(|flight| flight.origin.place == suspend_target) else { return };
        let mut flight = self.flights[index].clone();
        let core = flight.phases.iter().find(|phase| phase.kind == PhaseKind::CoreBusy);
        flight.remains = Some(Ticks(core.map_or(0, |core| core.time.to.0.saturating_sub(at.0))));
        flight.cut(at);
        self.shows.cut(&flight.occupied, flight.ticket, at);
        self.note(compiled, &flight);
        flight.phases.clear();
        flight.cuts.clear();
        self.flights[index] = flight;
    }

    fn resume(
        &mut self,
        compiled: &CompiledProfile,
        suspend_target: Option<RowPlace>,
        die: Die,
        operation: &JudgedOperation<'_>,
    ) {
        let from = operation.array_done();
        let known = suspend_target
            .and_then(|suspend_target| self.flights.iter_mut().find(|flight| flight.origin.place == suspend_target));
        let Some(flight) = known else {
            self.shows.lose(die, operation.origin.start, from);
            return;
        };
        let Some(remains) = flight.remains.take() else { return };
        let kind = &compiled.kinds[flight.origin.op];
        let mut at = from;
        flight.resumed = true;
        for span in kind.spans.iter().filter(|span| span.kind != PhaseKind::Issue) {
            let duration = if span.kind == PhaseKind::CoreBusy { remains } else { span.duration };
            let phase = ComingPhase { kind: span.kind, time: Interval::new(at, duration) };
            flight.phases.push(phase);
            if span.kind == PhaseKind::CoreBusy {
                flight.done = phase.time.to;
            }
            at = phase.time.to;
            if kind.affects_state {
                for (die, plane) in flight.occupied.iter() {
                    let show = Show::new(flight.ticket, kind.base, phase.kind, phase.time);
                    self.shows.push(die, plane, operation.origin.start, show);
                }
            }
        }
        self.next_end = self.next_end.min(flight.end());
    }

    /// A reset ends the operations under way on a die. The reset of one die leaves an operation on several dies running on the
    /// others.
    fn reset(
        &mut self,
        compiled: &CompiledProfile,
        words: &WrittenNames,
        die: Die,
        reset: Reset,
        at: Ticks,
    ) -> io::Result<()> {
        let whole = reset == Reset::Target;
        let mut index = 0;
        while index < self.flights.len() {
            let flight = &mut self.flights[index];
            if !flight.dies.contains(&die.0) {
                index += 1;
            } else if flight.occupied == DiePlaneSet::NOTHING {
                // Its rows are never cut, but if its array is not done, its touches no longer count.
                flight.touches = flight.touches.filter(|_| flight.done <= at);
                index += 1;
            } else if !whole && flight.dies.len() > 1 {
                for (_, plane) in flight.occupied.iter().filter(|(other, _)| *other == die) {
                    flight.cuts.push((die, plane, at));
                }
                index += 1;
            } else {
                let mut flight = self.flights.remove(index);
                if flight.remains.is_some() {
                    self.order.close(flight.ticket);
                } else {
                    flight.cut(at);
                    self.land(compiled, words, &flight, at)?;
                }
            }
        }
        self.shows.cut_die(die, at);
        Ok(())
    }

    /// Ends the windows that are open on the planes of a state-affecting operation.
    fn cut_windows(&mut self, operation: &JudgedOperation<'_>) {
        if operation.occupied == DiePlaneSet::NOTHING {
            return;
        }
        let open = |phase: &ComingPhase| phase.kind.is_window() && phase.time.contains(operation.origin.start);
        for flight in self.flights.iter_mut().filter(|flight| flight.phases.iter().any(open)) {
            for (die, plane) in flight.occupied.iter() {
                if operation.occupied.contains(die.index(), plane.index())
                    && flight.cut_on(i64::from(die.0), i64::from(plane.0)).is_none()
                {
                    flight.cuts.push((die, plane, operation.origin.start));
                    self.shows.cut(
                        &DiePlaneSet::planes(die, nandseq_profile::PlaneSet::one(plane)),
                        flight.ticket,
                        operation.origin.start,
                    );
                }
            }
        }
    }

    /// Hands on the operations whose rows are complete, in the order of their starts.
    pub(super) fn hand_on(&mut self, hand_on: impl FnMut(&Slot) -> io::Result<()>) -> io::Result<()> {
        self.order.advance(hand_on)
    }
}

/// How an operation touches the pages of its targets: `true` if it programs them, `false` if it reads them, `None` if neither.
fn touch(kind: &OperationKind) -> Option<bool> {
    if kind.commits { Some(true) } else { kind.reads.then_some(false) }
}

fn stretch_rows(flight: &OpenOperation, rows: &mut Vec<Stretch>) {
    let (Some(first), Some(last)) = (flight.phases.first(), flight.phases.last()) else {
        if !flight.resumed {
            let at = flight.origin.start;
            rows.extend(flight.rows.iter().map(|&(place, state)| Stretch {
                start: at,
                end: at,
                place,
                state,
                resumed: false,
            }));
        }
        return;
    };
    let stretches = flight.rows.iter().map(|&(place, state)| {
        let cut = flight.cut_on(i64::from(place[0]), i64::from(place[1])).unwrap_or(last.time.to);
        Stretch { start: first.time.from, end: last.time.to.min(cut), place, state, resumed: flight.resumed }
    });
    // The first stretch has a row even if it is empty.
    rows.extend(stretches.filter(|stretch| !stretch.resumed || stretch.start < stretch.end));
}

fn segment_rows(flight: &OpenOperation, rows: &mut Vec<SegmentRow>) {
    for phase in &flight.phases {
        for (die, plane) in flight.occupied.iter() {
            let cut = flight.cut_on(i64::from(die.0), i64::from(plane.0)).unwrap_or(phase.time.to);
            let (start, end) = (phase.time.from, phase.time.to.min(cut));
            if start < end {
                rows.push(SegmentRow { start, end, die, plane, kind: phase.kind });
            }
        }
    }
}
