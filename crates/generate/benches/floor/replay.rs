//! A run whose decisions are known: every operation with its place and its time. Carrying it out again decides nothing.
//!
//! It does the work that any generator on this device model must do:
//! - events for ends, hooks and refills; two hooks for each operation and each resumed one, each with its random numbers and the
//!   phase key that it finds;
//! - for each operation one judgement, its start, its end, the changes of the address book and a list of its targets.
//!
//! It leaves out everything that finds out what may start: constraints of dies, availability of addresses, draws of names and
//! addresses, chains and whether they can complete, and waiting. It also leaves out wake events, blocks held for chains, and what
//! a sink is told besides targets.

use std::hint::black_box;
use std::io;

use nandseq_device::{Device, FlightId, Place, Reach, Tables};
use nandseq_generate::{RandomNumbers, RunLimits, Setup, Site, Stream, StreamKind, probability};
use nandseq_profile::{Die, OpId, Plane, Profile, Target, Ticks};
use nandseq_trace::{Operation, Sink};

/// An operation of the run.
struct Decision {
    op: OpId,
    place: Place,
    start: Ticks,
}

/// A run and its device.
pub(crate) struct Known {
    tables: Tables,
    decisions: Vec<Decision>,
    refill_period: Ticks,
    window: Ticks,
}

/// Takes down the decisions of a run.
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

/// Events to come, the next one last.
struct Queue(Vec<(Ticks, u64, Happening)>);

#[derive(Clone, Copy)]
enum Happening {
    End(FlightId),
    Hook(Die, Plane),
    Refill,
}

impl Queue {
    fn push(&mut self, time: Ticks, number: u64, happening: Happening) {
        let entry = (time, number, happening);
        let mut at = self.0.len();
        self.0.push(entry);
        while at > 0 && (self.0[at - 1].0, self.0[at - 1].1) < (time, number) {
            self.0[at] = self.0[at - 1];
            at -= 1;
        }
        self.0[at] = entry;
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

    /// The device before the run.
    pub(crate) fn device(&self) -> Device {
        Device::new(&self.tables, &[])
    }

    /// Carries the run out. Returns the number of hooks.
    pub(crate) fn carry_out(&self, device: Device) -> u64 {
        let mut course = self.course(device);
        course.push(Ticks::ZERO, Happening::Refill);
        for decision in &self.decisions {
            while let Some(&(time, _, happening)) = course.queue.0.last()
                && time <= decision.start
            {
                course.queue.0.pop();
                course.happen(time, happening);
            }
            course.start(decision);
        }
        course.hooks
    }

    /// Makes hooks and nothing else, with one to come on each plane of a die: for each an event that is taken from the queue and one that
    /// is added, random numbers, and a phase key. Returns the number of hooks.
    pub(crate) fn make_hooks(&self, device: Device, hooks: u64) -> u64 {
        let mut course = self.course(device);
        for plane in 0..self.tables.size.planes {
            course.push(Ticks(u64::from(plane)), Happening::Hook(Die(0), Plane(plane)));
        }
        while course.hooks < hooks
            && let Some((time, _, happening)) = course.queue.0.pop()
        {
            course.happen(time, happening);
            course.push(time + self.window, happening);
        }
        course.hooks
    }

    fn course(&self, device: Device) -> Course<'_> {
        Course { known: self, device, queue: Queue(Vec::new()), number: 0, hooks: 0, targets: Vec::new() }
    }
}

/// A run under way.
struct Course<'a> {
    known: &'a Known,
    device: Device,
    queue: Queue,
    /// Events so far.
    number: u64,
    hooks: u64,
    targets: Vec<Target>,
}

impl Course<'_> {
    fn push(&mut self, time: Ticks, happening: Happening) {
        self.number += 1;
        self.queue.push(time, self.number, happening);
    }

    fn happen(&mut self, now: Ticks, happening: Happening) {
        match happening {
            Happening::End(id) => self.end(id, now),
            Happening::Refill => {
                self.push(now + self.known.refill_period, Happening::Refill);
                self.look((Die(0), Plane(0)), now);
            }
            Happening::Hook(die, plane) => self.look((die, plane), now),
        }
    }

    /// A hook: the phase key it finds, and one draw.
    fn look(&mut self, (die, plane): (Die, Plane), now: Ticks) {
        self.hooks += 1;
        let mut stream = Stream::new([42, 0], StreamKind::Hook, self.hooks);
        black_box((self.device.phase_key(die, plane, now), stream.below(1 << 40)));
    }

    fn end(&mut self, id: FlightId, now: Ticks) {
        if self.device.flight(id).is_none() {
            return;
        }
        let tables = &self.known.tables;
        let flight = self.device.finish(tables, id);
        if let Some(axis) = tables.base(tables.op(flight.op).base).effects.resume {
            let resumed = self.device.resume(tables, flight.place.die, axis, now);
            self.follow(resumed, StreamKind::Resume);
        }
    }

    fn start(&mut self, decision: &Decision) {
        let &Decision { op, ref place, start: now } = decision;
        let tables = &self.known.tables;
        let verdict = self.device.judge(tables, op, place, now);
        assert!(verdict.is_ok(), "an operation may not start: {verdict:?}");
        let flight = self.device.start(tables, op, place, now);
        place.targets(&tables.size, &mut self.targets);
        black_box(&self.targets);
        if let Some(id) = flight {
            self.follow(id, StreamKind::Operation);
        }
    }

    /// Queues the end of a flight, a hook inside its phase and a hook after it.
    fn follow(&mut self, id: FlightId, kind: StreamKind) {
        let Some(&flight) = self.device.flight(id) else { return };
        self.push(flight.end, Happening::End(id));
        let tables = &self.known.tables;
        let info = tables.base(tables.op(flight.op).base);
        if !info.affects_state || info.busy_key.is_none() {
            return;
        }
        let (_, planes) = self.device.occupied_by(info, &flight.place);
        let mut stream = Stream::new([42, 0], kind, self.number);
        let busy = flight.end.0 - flight.busy_from.0;
        for (first, length) in [(flight.busy_from, busy), (flight.end, self.known.window.0)] {
            let index = stream.below(u64::from(planes.len().max(1))) as usize;
            let plane = planes.iter().nth(index).unwrap_or_default();
            let at = Ticks(first.0 + 1 + stream.below(length.max(1)));
            self.push(at.ceil_to(tables.grid), Happening::Hook(flight.place.die, plane));
        }
    }
}
