//! Applies the start of an operation, and its end.

use nandseq_profile::{Die, OpId, PlaneSet, Ticks};

use super::state::{Device, Flight, FlightId, Segment};
use crate::place::Place;
use crate::tables::{BaseInfo, OpInfo, Reach, Tables};

impl Device {
    /// Starts an operation that [`Device::judge`] allows now. Returns its flight if its end has to be applied.
    ///
    /// # Panics
    /// In debug builds, when the operation may not start: a fault of the caller. A release build does not judge twice.
    pub fn start(&mut self, tables: &Tables, id: OpId, place: &Place, now: Ticks) -> Option<FlightId> {
        debug_assert_eq!(self.judge(tables, id, place, now), Ok(()), "judge before start");
        let op = tables.op(id);
        let info = tables.base(op.base);
        if op.bus > Ticks::ZERO {
            self.bus_free = now + op.bus;
        }
        let segment = Segment {
            start: now,
            issue_end: now + op.issue,
            busy_end: now + op.occupied,
            end: now + op.total,
            op_states: info.op_states,
            forbidden: info.forbidden,
            window: info.window,
            keys: [info.end_key; 4],
        };
        if info.is_ordinary {
            self.start_on_die(op, info, place, &segment);
        } else {
            self.start_anywhere(tables, op, info, place, &segment);
        }
        if (info.reads_page | info.effects.erase) & self.book.counts_uses() {
            self.book.count_use(info, place);
        }
        if info.changes_block {
            self.book.begin(place);
        }
        info.ends.then(|| {
            let end = now + op.ends_after();
            self.keep(Flight { op: id, place: *place, busy_from: segment.issue_end, end, window_end: segment.end })
        })
    }

    /// What the start of an ordinary operation changes, but for blocks and flights: all of it is on its die.
    #[inline]
    fn start_on_die(&mut self, op: &OpInfo, info: &BaseInfo, place: &Place, segment: &Segment) {
        let planes = self.planes_of(info, place);
        let die = &mut self.dies[usize::from(place.die.0)];
        die.logic.start(info, place);
        self.stamps[usize::from(place.die.0)] += u64::from(info.occupies | !info.is_inert());
        if info.occupies {
            if info.affects_state {
                die.open(planes, segment);
            }
            die.enter(planes, op.may_join);
        }
    }

    /// The same for any operation.
    #[inline(never)]
    fn start_anywhere(&mut self, tables: &Tables, op: &OpInfo, info: &BaseInfo, place: &Place, segment: &Segment) {
        let now = segment.start;
        if let Some(axis) = info.effects.suspend {
            self.suspend(tables, place.die, axis, now);
        }
        if info.effects.resets() {
            self.reset(tables, info, place, now);
        }
        if info.becomes_op_state() {
            self.open_segments(info, place, segment);
        }
        for die in self.dies_of(info, place) {
            self.dies[die].logic.start(info, place);
            self.stamps[die] += u64::from(!info.is_inert());
        }
        self.enter(op, info, place);
        if info.effects.holds_target {
            self.share_target(place.die);
        }
    }

    /// Applies the end of a flight and removes it.
    ///
    /// # Panics
    /// When there is no such flight: a fault of the caller.
    pub fn finish(&mut self, tables: &Tables, id: FlightId) -> Flight {
        let flight = self.remove(id);
        let info = tables.base_of(flight.op);
        let planes = self.planes_of(info, &flight.place);
        if info.reach == Reach::Target {
            (0..self.dies.len()).for_each(|die| self.finish_on(die, info, &flight.place, planes));
        } else {
            self.finish_on(usize::from(flight.place.die.0), info, &flight.place, planes);
        }
        if info.changes_block {
            self.book.finish(info, &flight.place);
        }
        if info.effects.changes_target {
            self.share_target(flight.place.die);
        }
        flight
    }

    /// Applies the end of an operation to one of its dies, but for blocks.
    #[inline]
    fn finish_on(&mut self, die: usize, info: &BaseInfo, place: &Place, planes: PlaneSet) {
        self.stamps[die] += 1;
        let die = &mut self.dies[die];
        die.leave_if(info.occupies, planes);
        die.logic.finish(info, place);
    }

    /// Copies the state of the target from one die to all others.
    fn share_target(&mut self, from: Die) {
        let logic = self.dies[usize::from(from.0)].logic;
        self.dies.iter_mut().for_each(|die| die.logic.share_target(&logic));
        self.stamps.iter_mut().for_each(|stamp| *stamp += 1);
    }
}
