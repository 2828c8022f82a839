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

use std::collections::HashMap;
use std::hint::black_box;
use std::io;

use nandseq_device::{Device, FlightId, Place, Reach, Tables};
use nandseq_generate::{RandomNumbers, RunLimits, Setup, Site, Stream, StreamKind, probability};
use nandseq_profile::{Die, OpId, Plane, Profile, Target, Ticks};
use nandseq_trace::{Operation, Sink};

/// An operation of the run.
pub(crate) struct Decision {
    pub(crate) op: OpId,
    pub(crate) place: Place,
    pub(crate) start: Ticks,
    /// Its chain, if there is one, and its place there.
    pub(crate) chain: Option<(u32, u32)>,
}

/// What a caller does besides, to whom the decisions are not known.
pub(crate) trait Deciding {
    /// Whether there is such a caller.
    const IS_THERE: bool = true;
    /// A hook has come; it has a stream of its own.
    fn hook(&mut self, device: &Device, hook: (Die, Plane), now: Ticks, stream: &mut Stream);
    /// An operation starts, and will be told of.
    fn starting(&mut self, device: &Device, decision: &Decision);
    /// An operation has started.
    fn started(&mut self, device: &mut Device, decision: &Decision);
    /// The next step of a chain is due.
    fn due(&mut self, device: &Device, next: &Decision, now: Ticks);
}

/// Nobody: all decisions are known.
pub(crate) struct Nobody;

impl Deciding for Nobody {
    const IS_THERE: bool = false;

    fn hook(&mut self, device: &Device, (die, plane): (Die, Plane), now: Ticks, stream: &mut Stream) {
        black_box((device.phase_key(die, plane, now), stream.below(1 << 40)));
    }

    fn starting(&mut self, _: &Device, _: &Decision) {}

    fn started(&mut self, _: &mut Device, _: &Decision) {}

    fn due(&mut self, _: &Device, _: &Decision, _: Ticks) {}
}

/// A run and its device.
pub(crate) struct Known {
    tables: Tables,
    decisions: Vec<Decision>,
    /// The decisions of each chain.
    chains: Vec<Vec<usize>>,
    refill_period: Ticks,
    window: Ticks,
    gap: Ticks,
}

/// Takes down the decisions of a run.
struct Notes<'a> {
    tables: &'a Tables,
    decisions: Vec<Decision>,
    chains: Vec<Vec<usize>>,
    /// By proposal: its chain, as far as it has come.
    of_proposals: HashMap<(Ticks, Die, Plane), usize>,
}

impl Sink for Notes<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let info = self.tables.base_of(operation.op);
        let first = operation.targets[0];
        let place = if info.has_block || info.reach == Reach::Planes {
            Place::from_targets(&self.tables.size, operation.targets).expect("the engine's own targets")
        } else {
            Place { cell_type: first.cell_type, ..Place::die(first.die) }
        };
        let proposal = (operation.proposal.time, operation.proposal.die, operation.proposal.plane);
        if operation.is_first {
            self.of_proposals.insert(proposal, self.chains.len());
            self.chains.push(Vec::new());
        }
        if let Some(&chain) = self.of_proposals.get(&proposal) {
            self.chains[chain].push(self.decisions.len());
        }
        self.decisions.push(Decision { op: operation.op, place, start: operation.start, chain: None });
        Ok(())
    }
}

/// Events to come, the next one last.
struct Queue(Vec<(Ticks, u64, Happening)>);

#[derive(Clone, Copy)]
enum Happening {
    End(FlightId),
    /// The next step of a chain is due, a decision.
    Due(usize),
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
        let mut notes =
            Notes { tables: &tables, decisions: Vec::new(), chains: Vec::new(), of_proposals: HashMap::new() };
        Site::new(&setup, 42).run(&limits, &mut notes).expect("nothing can fail");
        let Notes { mut decisions, chains, .. } = notes;
        for (chain, steps) in chains.iter().enumerate().filter(|(_, steps)| steps.len() > 1) {
            for (at, &step) in steps.iter().enumerate() {
                decisions[step].chain = Some((chain as u32, at as u32));
            }
        }
        let policies = &profile.policies;
        Self {
            tables,
            decisions,
            chains,
            refill_period: policies.queue_refill_period,
            window: policies.post_hook_window,
            gap: policies.sequence_gap,
        }
    }

    /// The device before the run.
    pub(crate) fn device(&self) -> Device {
        Device::new(&self.tables, &[])
    }

    pub(crate) const fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The decisions of a chain.
    pub(crate) fn chain(&self, chain: u32) -> impl ExactSizeIterator<Item = &Decision> {
        self.chains[chain as usize].iter().map(|&at| &self.decisions[at])
    }

    /// Carries the run out. Returns the number of hooks.
    pub(crate) fn carry_out(&self, device: Device, deciding: &mut impl Deciding) -> u64 {
        let mut course = self.course(device, deciding);
        course.push(Ticks::ZERO, Happening::Refill);
        for (at, decision) in self.decisions.iter().enumerate() {
            while let Some(&(time, _, happening)) = course.queue.0.last()
                && time <= decision.start
            {
                course.queue.0.pop();
                course.happen(time, happening);
            }
            course.start(at, decision);
        }
        course.hooks
    }

    /// Makes hooks and nothing else, with one to come on each plane of a die: for each an event that is taken from the queue and one that
    /// is added, random numbers, and a phase key. Returns the number of hooks.
    pub(crate) fn make_hooks(&self, device: Device, hooks: u64) -> u64 {
        let mut nobody = Nobody;
        let mut course = self.course(device, &mut nobody);
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

    fn course<'a, D: Deciding>(&'a self, device: Device, deciding: &'a mut D) -> Course<'a, D> {
        let (queue, targets, of_flights) = (Queue(Vec::new()), Vec::new(), Vec::new());
        Course { known: self, deciding, device, queue, number: 0, hooks: 0, targets, of_flights }
    }
}

/// A run under way.
struct Course<'a, D> {
    known: &'a Known,
    deciding: &'a mut D,
    device: Device,
    queue: Queue,
    /// Events so far.
    number: u64,
    hooks: u64,
    targets: Vec<Target>,
    /// By slot of a flight: its decision.
    of_flights: Vec<usize>,
}

impl<D: Deciding> Course<'_, D> {
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
            Happening::Due(next) => self.deciding.due(&self.device, &self.known.decisions[next], now),
        }
    }

    /// A hook: the phase key it finds, and one draw at least.
    fn look(&mut self, hook: (Die, Plane), now: Ticks) {
        self.hooks += 1;
        let mut stream = Stream::new([42, 0], StreamKind::Hook, self.hooks).begun();
        self.deciding.hook(&self.device, hook, now, &mut stream);
    }

    /// The next step of the chain of a decision, if there is one, comes due.
    fn go_on(&mut self, decision: usize, ended: Ticks) {
        let known = self.known;
        if let Some((chain, at)) = known.decisions[decision].chain
            && let Some(&next) = known.chains[chain as usize].get(at as usize + 1)
        {
            self.push((ended + known.gap).ceil_to(known.tables.grid), Happening::Due(next));
        }
    }

    fn end(&mut self, id: FlightId, now: Ticks) {
        if self.device.flight(id).is_none() {
            return;
        }
        let tables = &self.known.tables;
        let flight = self.device.finish(tables, id);
        if D::IS_THERE {
            self.go_on(self.of_flights[id.slot as usize], now);
        }
        if let Some(axis) = tables.base_of(flight.op).effects.resume {
            let resumed = self.device.resume(tables, flight.place.die, axis, now);
            self.follow(resumed, StreamKind::Resume);
        }
    }

    fn start(&mut self, at: usize, decision: &Decision) {
        let &Decision { op, ref place, start: now, .. } = decision;
        let tables = &self.known.tables;
        let verdict = self.device.judge(tables, op, place, now);
        assert!(verdict.is_ok(), "an operation may not start: {verdict:?}");
        self.deciding.starting(&self.device, decision);
        let flight = self.device.start(tables, op, place, now);
        place.targets(&tables.size, &mut self.targets);
        black_box(&self.targets);
        self.deciding.started(&mut self.device, decision);
        if D::IS_THERE {
            match flight {
                Some(id) => {
                    self.of_flights.resize(self.of_flights.len().max(id.slot as usize + 1), 0);
                    self.of_flights[id.slot as usize] = at;
                }
                None => self.go_on(at, now + tables.op(op).array_done),
            }
        }
        if let Some(id) = flight {
            self.follow(id, StreamKind::Operation);
        }
    }

    /// Queues the end of a flight, a hook inside its phase and a hook after it.
    fn follow(&mut self, id: FlightId, kind: StreamKind) {
        let Some(&flight) = self.device.flight(id) else { return };
        self.push(flight.end, Happening::End(id));
        let tables = &self.known.tables;
        let info = tables.base_of(flight.op);
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
