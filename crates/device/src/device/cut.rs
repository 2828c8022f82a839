//! Operations that are cut: suspended, resumed, reset.
//!
//! A SUSPEND keeps the remainder of its target to the picosecond: the rest of CORE_BUSY and, after it, the whole window. A second
//! SUSPEND of the same operation keeps the rest of the CORE_BUSY that the RESUME moved. A reset keeps nothing: blocks that it
//! finds in flight must be erased before anything else.

use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, OpId, Ticks};

use super::state::{Device, Flight, FlightId, Segment, SuspendedOperation};
use crate::logic::Suspended;
use crate::place::Place;
use crate::tables::{BaseInfo, Tables};

impl Segment {
    /// Ends the phase that is open at `now`. Later phases do not come.
    fn cut(&mut self, now: Ticks) {
        self.issue_end = self.issue_end.min(now);
        self.busy_end = self.busy_end.min(now);
        self.end = self.end.min(now);
    }
}

impl Device {
    /// The operation of an axis that is in CORE_BUSY on a die: what a SUSPEND would cut.
    #[must_use]
    pub fn suspend_target(&self, tables: &Tables, die: Die, axis: Axis, now: Ticks) -> Option<FlightId> {
        let mut suspend_targets = self.suspend_targets(tables, die, axis);
        suspend_targets.find(|(_, flight)| flight.busy_from <= now && now < flight.end).map(|(id, _)| id)
    }

    /// The flights of an axis on a die, in CORE_BUSY or not.
    fn suspend_targets(&self, tables: &Tables, die: Die, axis: Axis) -> impl Iterator<Item = (FlightId, &Flight)> {
        self.flights_on(die).filter(move |(_, flight)| tables.base_of(flight.op).effects.is_of(axis))
    }

    /// By axis whether a SUSPEND would have a target; and until when that stays so if nothing starts or ends on the die.
    #[must_use]
    pub fn suspend_targets_until(&self, tables: &Tables, die: Die, now: Ticks) -> (ByAxis<bool>, Ticks) {
        let (mut found, mut until) = (ByAxis::default(), Ticks(u64::MAX));
        for (_, flight) in self.flights_on(die) {
            let effects = &tables.base_of(flight.op).effects;
            if effects.changes_block() {
                let is_busy = (flight.busy_from <= now) & (now < flight.end);
                Axis::ALL.into_iter().for_each(|axis| found[axis] |= is_busy & effects.is_of(axis));
                let change = if now < flight.busy_from { flight.busy_from } else { flight.end };
                until = until.min(if now < change { change } else { Ticks(u64::MAX) });
            }
        }
        (found, until)
    }

    /// Removes a flight before its end: its planes become free, its op_state is cut at `now`, and its end is never applied.
    fn take(&mut self, tables: &Tables, id: FlightId, now: Ticks) -> Flight {
        let flight = self.remove(id);
        let info = tables.base_of(flight.op);
        self.leave(info, &flight.place);
        if info.affects_state {
            let planes = self.planes_of(info, &flight.place);
            for die in self.dies_of(info, &flight.place) {
                self.stamps[die] += 1;
                for plane in planes.iter() {
                    self.dies[die].segments[usize::from(plane.0)].cut(now);
                }
            }
        }
        flight
    }

    /// Cuts the operation of an axis on a die, and keeps its remainder.
    pub(super) fn suspend(&mut self, tables: &Tables, die: Die, axis: Axis, now: Ticks) {
        let id = self.suspend_target(tables, die, axis, now).expect("judge found an operation to suspend");
        let flight = self.take(tables, id, now);
        let base = tables.op(flight.op).base;
        let busy_left = flight.end - now;
        let window = flight.window_end - flight.end;
        let state = &mut self.dies[usize::from(die.0)];
        state.suspended[axis] = Some(SuspendedOperation { op: flight.op, place: flight.place, busy_left, window });
        self.stamps[usize::from(die.0)] += 1;
        state.logic.suspend(axis, Suspended { place: flight.place, base });
    }

    /// Lets the suspended operation of an axis go on from `now`, the end of its RESUME.
    ///
    /// # Panics
    /// When no operation of the axis is suspended: a fault of the caller.
    pub fn resume(&mut self, tables: &Tables, die: Die, axis: Axis, now: Ticks) -> FlightId {
        let suspended =
            self.dies[usize::from(die.0)].suspended[axis].take().expect("a RESUME has a suspended operation");
        let op = tables.op(suspended.op);
        let info = tables.base(op.base);
        let end = now + suspended.busy_left;
        let window_end = end + suspended.window;
        if info.affects_state {
            let segment = Segment {
                start: now,
                issue_end: now,
                busy_end: end,
                end: window_end,
                op_states: info.op_states,
                forbidden: info.forbidden,
                window: info.window,
                keys: [info.end_key; 4],
            };
            self.open_segments(info, &suspended.place, &segment);
        }
        self.enter(op, info, &suspended.place);
        self.keep(Flight { op: suspended.op, place: suspended.place, busy_from: now, end, window_end })
    }

    /// Ends everything in flight, or suspended, on the dies that a reset works on.
    pub(super) fn reset(&mut self, tables: &Tables, info: &BaseInfo, place: &Place, now: Ticks) {
        let dies = self.dies_of(info, place);
        let caught = |device: &Self, flight: &Flight| {
            let own = device.dies_of(tables.base_of(flight.op), &flight.place);
            // A reset of one die does not end an operation on several (rulebook, question 24).
            dies.start <= own.start && own.end <= dies.end
        };
        for slot in 0..self.flights.len() {
            let (generation, flight) = self.flights[slot];
            if flight.is_some_and(|flight| caught(self, &flight)) {
                let flight = self.take(tables, FlightId { slot: slot as u32, generation }, now);
                self.abort(tables, flight.op, &flight.place);
            }
        }
        for die in dies {
            for suspended in std::mem::take(&mut self.dies[die].suspended).values().flatten() {
                self.abort(tables, suspended.op, &suspended.place);
            }
        }
    }

    fn abort(&mut self, tables: &Tables, op: OpId, place: &Place) {
        if tables.base_of(op).changes_block {
            self.book.abort(place);
        }
    }
}
