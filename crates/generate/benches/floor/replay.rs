//! A run whose decisions are known: every operation with its place and its time. Carrying it out again decides nothing.
//!
//! What is left is what no generator on this device model can do without: the events, two hooks for each operation with their
//! random numbers and the phase key they find, and for each operation one judgement, its start, its end and the changes of the
//! address book. What it leaves out is everything that finds out what may start: what a die forbids and offers, draws of names and
//! addresses, chains and whether they can complete.

use std::io;

use divan::black_box;
use nandseq_device::{Device, FlightId, Place, Reach, Tables};
use nandseq_generate::{RunLimits, Setup, Site, Stream, StreamKind, probability};
use nandseq_profile::{Die, OpId, Plane, Profile, Ticks};
use nandseq_trace::{Operation, Sink};

/// An operation of the run.
struct Decision {
    op: OpId,
    place: Place,
    start: Ticks,
}

/// A run, and the device that it is of.
pub(crate) struct Known {
    tables: Tables,
    decisions: Vec<Decision>,
    refill_period: Ticks,
    window: Ticks,
}

/// Takes down what a run decides.
struct Notes<'a> {
    tables: &'a Tables,
    decisions: Vec<Decision>,
}

impl Sink for Notes<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let info = self.tables.base(self.tables.op(operation.op).base);
        let first = operation.targets[0];
        let place = if info.has_block || info.reach == Reach::Planes {
            Place::from_targets(&self.tables.size, operation.targets).expect("the engine's own targets")
        } else {
            Place { cell_type: first.cell_type, ..Place::die(first.die) }
        };
        self.decisions.push(Decision { op: operation.op, place, start: operation.start });
        Ok(())
    }
}

/// What happens next, the next one last.
#[derive(Default)]
struct Queue(Vec<(Ticks, u64, Happening)>);

#[derive(Clone, Copy)]
enum Happening {
    End(FlightId),
    Hook(Die, Plane),
    Refill,
}

impl Queue {
    fn push(&mut self, time: Ticks, number: u64, happening: Happening) {
        let mut at = self.0.len();
        self.0.push((time, number, happening));
        while at > 0 && (self.0[at - 1].0, self.0[at - 1].1) < (time, number) {
            self.0.swap(at - 1, at);
            at -= 1;
        }
    }
}

impl Known {
    /// A run of a site on a fresh device.
    pub(crate) fn new(profile: &Profile, operations: u64) -> Self {
        let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
        let setup = Setup::new(profile, &table, &[]).expect("the profile proposes something");
        let limits =
            RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(operations), ..RunLimits::default() };
        let tables = Tables::new(profile);
        let mut notes = Notes { tables: &tables, decisions: Vec::new() };
        Site::new(&setup, 42).run(&limits, &mut notes).expect("nothing can fail");
        let decisions = notes.decisions;
        let policies = &profile.policies;
        Self { tables, decisions, refill_period: policies.queue_refill_period, window: policies.post_hook_window }
    }

    /// Carries the run out; returns how many hooks there were.
    pub(crate) fn carry_out(&self) -> u64 {
        let tables = &self.tables;
        let mut device = Device::new(tables, &[]);
        let mut queue = Queue::default();
        let (mut number, mut hooks) = (0, 0);
        queue.push(Ticks::ZERO, 0, Happening::Refill);
        for (uid, decision) in self.decisions.iter().enumerate() {
            while let Some(&(time, _, happening)) = queue.0.last()
                && time <= decision.start
            {
                queue.0.pop();
                number += 1;
                match happening {
                    Happening::End(id) => self.end(id, time, number, &mut device, &mut queue),
                    Happening::Refill => {
                        queue.push(time + self.refill_period, number, Happening::Refill);
                        hooks += 1;
                        look(&device, (Die(0), Plane(0)), hooks, time);
                    }
                    Happening::Hook(die, plane) => {
                        hooks += 1;
                        look(&device, (die, plane), hooks, time);
                    }
                }
            }
            self.start(decision, uid as u64, &mut device, &mut queue);
        }
        hooks
    }

    fn end(&self, id: FlightId, now: Ticks, number: u64, device: &mut Device, queue: &mut Queue) {
        if device.flight(id).is_none() {
            return;
        }
        let flight = device.finish(&self.tables, id);
        if let Some(axis) = self.tables.base(self.tables.op(flight.op).base).effects.resume {
            let revived = device.revive(&self.tables, flight.place.die, axis, now);
            let end = device.flight(revived).map_or(now, |flight| flight.end);
            queue.push(end, number, Happening::End(revived));
        }
    }

    fn start(&self, decision: &Decision, uid: u64, device: &mut Device, queue: &mut Queue) {
        let &Decision { op, ref place, start: now } = decision;
        let tables = &self.tables;
        let verdict = device.judge(tables, op, place, now);
        assert!(
            verdict.is_ok(),
            "operation {uid} may not start: {verdict:?} {place:?} {now} {:?}",
            tables.base(tables.op(op).base)
        );
        let Some(id) = device.start(tables, op, place, now) else { return };
        let (from, end) = device.flight(id).map_or((now, now), |flight| (flight.busy_from, flight.end));
        queue.push(end, uid, Happening::End(id));
        let info = tables.base(tables.op(op).base);
        if !info.affects_state || info.busy_key.is_none() {
            return;
        }
        let (_, planes) = device.occupied_by(info, place);
        let mut stream = Stream::new([42, 0], StreamKind::Operation, uid);
        for (first, length) in [(from, end.0 - from.0), (end, self.window.0)] {
            let index = stream.below(u64::from(planes.len().max(1))) as usize;
            let plane = planes.iter().nth(index).unwrap_or_default();
            let at = Ticks(first.0 + 1 + stream.below(length.max(1)));
            queue.push(at.ceil_to(tables.grid), uid, Happening::Hook(place.die, plane));
        }
    }
}

/// A hook: the phase key it finds, and one draw.
fn look(device: &Device, (die, plane): (Die, Plane), hooks: u64, now: Ticks) {
    let mut stream = Stream::new([42, 0], StreamKind::Hook, hooks);
    black_box((device.phase_key(die, plane, now), stream.below(1 << 40)));
}
