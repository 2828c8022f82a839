//! One site: a discrete-event simulation of one device.
//!
//! Knows the present exactly and reserves nothing: what must happen later waits, and is judged again when it starts. Runs
//! continue one another; a run boundary completes everything in flight and carries the hooks on. Reads no clock, and writes
//! through the sink alone.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_device::{Device, FlightId, Rule};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Die, OpId, Plane, Target, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::bootstrap::Bootstrap;
use crate::chain::{ChainId, Chains, Step};
use crate::closure::CoverageCounts;
use crate::dead::{DeadDie, DeadDieDetector};
use crate::die_constraints::DieConstraints;
use crate::event_reporter::EventReporter;
use crate::philox::{Stream, StreamKind};
use crate::plan::Draft;
use crate::propose::HookKind;
use crate::queue::{Event, Hook, Queue};
use crate::reason::Rejections;
use crate::safety::{Drops, Order, SearchScratch};
use crate::seed::SeedPlan;
use crate::setup::Setup;
use crate::waiting::WaitQueue;
use crate::weighted_sampler::WeightedSampler;

/// No run may propose beyond this: it leaves two months of the clock for what is in flight then.
pub(crate) const LAST: Ticks = Ticks::from_us(150 * 24 * 3_600_000_000);

/// How far a run goes.
#[derive(Clone, Copy, Default)]
pub struct RunLimits<'a> {
    /// Simulated time during which operations are proposed.
    pub run_until: Ticks,
    /// Proposals also stop when this many operations have started in the run.
    pub max_ops: Option<u64>,
    /// Whether a site's first run begins with the profile's bootstrap, however long that takes: time and operations are
    /// limited after it.
    pub bootstrap: bool,
    /// Proposals also stop when this many cells of the setup's goal are covered, over all runs of the site.
    pub until_covered: Option<u64>,
    /// Set from outside to abandon the run.
    pub stop: Option<&'a AtomicBool>,
    /// Told of each die on which nothing can ever start again, soon after that is known.
    pub on_dead: Option<&'a (dyn Fn(&DeadDie) + Sync)>,
}

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The sink could not write.
    #[error("{0}")]
    Output(#[from] io::Error),
    /// The stop flag was set.
    #[error("interrupted")]
    Interrupted,
    /// A chain cannot go on: its profile is faulty in a way that planning did not foresee.
    #[error("a chain can never go on: {op} is forbidden by the rule {}", rule.code())]
    ChainStuck {
        /// The step that cannot start.
        op: String,
        /// The rule that forbids it.
        rule: Rule,
    },
    /// Simulated time has run out.
    #[error("simulated time ends after 150 days")]
    ClockEnd,
}

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// Operations started.
    pub ops: u64,
    /// Operations started, by [`OpId`].
    pub by_op: Vec<u64>,
    /// When the run began and when everything it started had ended.
    pub start: Ticks,
    /// See `start`.
    pub end: Ticks,
    /// Proposals that failed.
    pub rejections: Rejections,
    /// The dies on which nothing can ever start again, in the order in which they were found, in earlier runs of the site too.
    pub dead: Vec<DeadDie>,
}

/// One site and its device, between or within runs.
#[derive(Debug)]
pub struct Site<'s> {
    pub(crate) setup: &'s Setup,
    pub(crate) device: Device,
    pub(crate) chains: Chains,
    pub(crate) queue: Queue,
    pub(crate) wait_queue: WaitQueue,
    /// The chain that each flight is a step of.
    pub(crate) flight_chains: Vec<Option<ChainId>>,
    /// For each die the chains whose last step is suspended on the erase and on the program axis.
    pub(crate) suspended_chains: Vec<ByAxis<Option<ChainId>>>,
    seeds: SeedPlan,
    pub(crate) run: u64,
    /// Hooks so far in this run.
    pub(crate) hooks: u64,
    pub(crate) uid: u64,
    pub(crate) refills: u64,
    /// Where the next refill looks: that many refills on in the round of all planes of all dies.
    pub(crate) lane: (Die, Plane),
    /// Operations resumed so far.
    pub(crate) revivals: u64,
    /// When everything that has started will have ended, windows and bus included.
    pub(crate) quiet: Ticks,
    pub(crate) proposing: bool,
    /// See [`Site::has_rested`].
    pub(crate) rests_until: u64,
    pub(crate) summary: RunSummary,
    pub(crate) plan: Vec<Step>,
    /// What the present proposal may draw.
    pub(crate) sampler: WeightedSampler,
    /// What each die forbids.
    pub(crate) constraints: Vec<DieConstraints>,
    /// For each die an order in which its chains can complete.
    pub(crate) orders: Vec<Order>,
    /// Whether the order in the scratch memory is to replace the die's when the plan starts: the one that shows that it is safe; `None`
    /// in it stands for the plan's own chain.
    pub(crate) ordered: bool,
    /// Out of here while a search writes on it.
    pub(crate) scratch: Option<Box<SearchScratch>>,
    pub(crate) draft: Draft,
    pub(crate) targets: Vec<Target>,
    pub(crate) reporter: EventReporter,
    /// The bootstrap, while it goes on.
    pub(crate) bootstrap: Option<Bootstrap>,
    /// What was covered, if there is a goal.
    pub(crate) counts: Option<CoverageCounts>,
    /// What tells dead dies from idle ones.
    pub(crate) detector: DeadDieDetector,
    /// An error of the sink, kept until the event loop sees it.
    pub(crate) failure: Option<io::Error>,
}

impl<'s> Site<'s> {
    /// A site on a fresh device; its runs use the keys of the plan, for a number those of the sequential plan from it.
    #[must_use]
    pub fn new(setup: &'s Setup, seeds: impl Into<SeedPlan>) -> Self {
        let mut queue = Queue::default();
        queue.push(Ticks::ZERO, Event::Refill);
        Self {
            setup,
            device: Device::new(&setup.tables, &setup.bad_blocks),
            chains: Chains::default(),
            queue,
            wait_queue: WaitQueue::default(),
            flight_chains: Vec::new(),
            suspended_chains: vec![ByAxis::default(); usize::from(setup.tables.size.dies)],
            seeds: seeds.into(),
            run: 0,
            hooks: 0,
            uid: 0,
            refills: 0,
            lane: (Die(0), Plane(0)),
            revivals: 0,
            quiet: Ticks::ZERO,
            proposing: false,
            rests_until: 0,
            summary: RunSummary::default(),
            plan: Vec::new(),
            sampler: WeightedSampler::new(setup),
            constraints: vec![DieConstraints::new(setup); usize::from(setup.tables.size.dies)],
            orders: vec![Order::new(); usize::from(setup.tables.size.dies)],
            ordered: false,
            scratch: None,
            draft: Draft::default(),
            targets: Vec::new(),
            reporter: EventReporter::new(setup.tables.size.dies),
            bootstrap: None,
            counts: setup.goal.as_ref().map(CoverageCounts::new),
            detector: DeadDieDetector::new(setup.tables.size.dies),
            failure: None,
        }
    }

    /// The key of the current run's streams.
    pub(crate) fn key(&self) -> [u64; 2] {
        self.seeds.key(self.run)
    }

    /// Runs on: proposes for `run_until`, then completes everything in flight and every chain.
    ///
    /// # Errors
    /// [`RunError::Output`] when the sink fails, [`RunError::Interrupted`] when the stop flag is set; the site cannot go on
    /// after either.
    pub fn run(&mut self, limits: &RunLimits<'_>, sink: &mut dyn Sink) -> Result<RunSummary, RunError> {
        let start = self.quiet;
        let end = start
            .0
            .checked_add(limits.run_until.0)
            .filter(|&end| end <= LAST.0)
            .map(Ticks)
            .ok_or(RunError::ClockEnd)?;
        self.hooks = 0;
        self.proposing = true;
        self.rests_until = if self.run > 0 { self.refills + self.round() } else { 0 };
        self.summary = RunSummary { start, by_op: vec![0; self.setup.tables.ops().count()], ..RunSummary::default() };
        if let Some(counts) = &mut self.counts {
            counts.begin_run();
        }
        self.detector.begin_run(end, limits.max_ops.is_some() || limits.until_covered.is_some());
        self.tell_suspended(sink);
        if limits.bootstrap && self.run == 0 {
            self.bootstrap = Bootstrap::begin(&self.setup.bootstrap, &self.device);
        }
        self.look_before_run();
        let mut carried = Vec::new();
        let mut boundary = end;
        let mut overran = false;
        let mut events = 0u32;
        while let Some(time) = self.queue.next_time() {
            let over = time >= end
                || limits.max_ops.is_some_and(|most| self.summary.ops >= most)
                || limits.until_covered.is_some_and(|least| self.has_covered(least));
            if self.bootstrap.is_some() {
                // It takes the time it needs; the run is over when both are.
                if time > LAST {
                    return Err(RunError::ClockEnd);
                }
                overran = time >= end;
            } else if self.proposing && over {
                self.proposing = false;
                boundary = if overran { time } else { end.min(time) };
                self.wait_queue.drop_waiters();
                carried = self.queue.take_proposals();
                continue;
            }
            let Some((now, event)) = self.queue.pop() else { break };
            self.handle(event, now, sink, &mut carried);
            if let Some(error) = self.failure.take() {
                return Err(RunError::Output(error));
            }
            events = events.wrapping_add(1);
            if events.is_multiple_of(1024) {
                self.detector.tell(limits.on_dead);
                if limits.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                    return Err(RunError::Interrupted);
                }
            }
        }
        self.detector.tell(limits.on_dead);
        self.quiet = self.quiet.max(self.device.quiet());
        let suspended_chains = self.suspended_chains.iter().flat_map(ByAxis::values).flatten().count() as u32;
        if self.chains.count() != suspended_chains {
            return Err(self.stuck());
        }
        self.settle();
        self.carry_on(carried, boundary);
        self.run += 1;
        let mut summary = std::mem::take(&mut self.summary);
        summary.end = self.quiet;
        summary.dead.clone_from(&self.detector.dead);
        Ok(summary)
    }

    /// What keeps the first chain that cannot go on.
    #[cold]
    fn stuck(&self) -> RunError {
        let tables = &self.setup.tables;
        let first = self.wait_queue.ready.first().map(|&id| self.chains.get(id).rest()[0]);
        let verdict = first.map(|step| (step.op, self.device.judge(tables, step.op, &step.place, self.quiet)));
        let (op, rule) = match verdict {
            Some((op, Err(rule))) => (op, rule),
            Some((op, Ok(()))) => (op, Rule::PlaneBusy),
            None => (OpId(0), Rule::PlaneBusy),
        };
        RunError::ChainStuck { op: self.setup.name(op).to_owned(), rule }
    }

    pub(crate) fn handle(&mut self, event: Event, now: Ticks, sink: &mut dyn Sink, carried: &mut Vec<(Ticks, Event)>) {
        match event {
            Event::End(flight) => self.end(flight, now, sink),
            Event::Due(chain) => {
                self.wait_queue.ready.push(chain);
                self.try_waiting(now, sink);
            }
            Event::Wake => {
                self.wait_queue.woken(now);
                self.try_waiting(now, sink);
            }
            Event::Hook(_) if !self.proposing => carried.push((now, event)),
            Event::Hook(hook) => self.propose((hook.die, hook.plane), HookKind::Phase, now, sink),
            Event::Extra(die, plane) => self.propose((die, plane), HookKind::Extra, now, sink),
            Event::Refill => self.refill(now, sink),
        }
    }

    /// An operation ends: its effects hold, its planes are free, its chain and what it resumes go on.
    fn end(&mut self, id: FlightId, now: Ticks, sink: &mut dyn Sink) {
        let tables = &self.setup.tables;
        if self.device.flight(id).is_none() {
            return; // it was cut: this end is void
        }
        let flight = self.device.finish(tables, id);
        self.quiet = now;
        self.bootstrap_after(|bootstrap, setup, device| {
            let info = tables.base(tables.op(flight.op).base);
            bootstrap.ended(&setup.bootstrap, tables, device, info, &flight.place)
        });
        if let Some(chain) = self.flight_chains[id.slot as usize].take() {
            let due = (flight.end + self.setup.gap).ceil_to(tables.grid);
            self.queue.push(due, Event::Due(chain));
        }
        if let Some(axis) = tables.base(tables.op(flight.op).base).effects.resume {
            self.resume(flight.place.die, axis, now, sink);
        }
        if !self.wait_queue.is_empty() {
            self.wake_at(now);
        }
    }

    /// What was suspended goes on for exactly what remained.
    fn resume(&mut self, die: Die, axis: Axis, now: Ticks, sink: &mut dyn Sink) {
        let id = self.device.resume(&self.setup.tables, die, axis, now);
        self.tell_resumed(die, axis, id, now, sink);
        let Some(&flight) = self.device.flight(id) else { return };
        self.queue.push(flight.end, Event::End(id));
        let chain = self.suspended_chains[usize::from(die.0)][axis].take();
        self.link(id, chain);
        let mut stream = Stream::new(self.key(), StreamKind::Revival, self.revivals);
        self.revivals += 1;
        let step = Step { op: flight.op, place: flight.place };
        self.place_hooks(step, id, (now, flight.end), &mut stream);
        if self.is_directed() {
            self.place_extra_hooks(step, id, now, &mut stream);
        }
    }

    /// The chain of each flight, by slot.
    pub(crate) fn links(&self) -> &[Option<ChainId>] {
        &self.flight_chains
    }

    /// Remembers which chain a flight is a step of.
    fn link(&mut self, id: FlightId, chain: Option<ChainId>) {
        let slot = id.slot as usize;
        if self.flight_chains.len() <= slot {
            self.flight_chains.resize(slot + 1, None);
        }
        self.flight_chains[slot] = chain;
    }

    /// What a SUSPEND or a reset that starts now does to chains.
    fn cut_chains(&mut self, step: Step, own: Option<ChainId>, now: Ticks) {
        let tables = &self.setup.tables;
        let info = tables.base(tables.op(step.op).base);
        if let Some(axis) = info.effects.suspend
            && let Some(suspend_target) = self.device.suspend_target(tables, step.place.die, axis, now)
        {
            let chain = self.flight_chains[suspend_target.slot as usize].take();
            self.suspended_chains[usize::from(step.place.die.0)][axis] = chain;
        }
        let drops = Drops::of(&self.device, info, &step.place);
        if drops != Drops::None {
            let caught = |die: Die| drops == Drops::All || die == step.place.die;
            let next = |chains: &Chains| {
                let mut live = chains.live().filter(|&(id, chain)| caught(chain.die) && own != Some(id));
                live.next().map(|(id, _)| id)
            };
            while let Some(id) = next(&self.chains) {
                self.drop_chain(id);
            }
        }
    }

    /// Forgets a chain and all that refers to it.
    fn drop_chain(&mut self, id: ChainId) {
        let die = self.chains.get(id).die;
        for at in 0..self.chains.get(id).rest().len() {
            let step = self.chains.get(id).rest()[at];
            self.release(&step);
        }
        self.chains.forget(id);
        self.wait_queue.ready.retain(|&ready| ready != id);
        self.orders[usize::from(die.0)].clear();
        self.flight_chains.iter_mut().filter(|slot| **slot == Some(id)).for_each(|slot| *slot = None);
        let suspended_chains = self.suspended_chains.iter_mut().flat_map(ByAxis::values_mut);
        suspended_chains.filter(|slot| **slot == Some(id)).for_each(|slot| *slot = None);
        self.queue.forget(id);
    }

    /// Tries what waits for the bus or for planes at `time` or as soon after as operations may start.
    pub(crate) fn wake_at(&mut self, time: Ticks) {
        let time = time.ceil_to(self.setup.tables.grid);
        if self.wait_queue.wants_wake(time) {
            self.queue.push(time, Event::Wake);
        }
    }

    /// Starts an operation that has been judged, and everything that follows from it.
    pub(crate) fn commit(
        &mut self,
        step: Step,
        chain: Option<ChainId>,
        (proposal, is_first): (Proposal, bool),
        now: Ticks,
        sink: &mut dyn Sink,
    ) {
        let setup = self.setup;
        let op = setup.tables.op(step.op);
        let info = setup.tables.base(op.base);
        let status = self.device.expected_status(op, &step.place, now);
        if let Some(bootstrap) = &mut self.bootstrap {
            bootstrap.accepted();
        }
        let flying = info.effects.cuts().then(|| self.flying(step));
        self.look_at_targets(step, now);
        if flying.is_some() {
            self.cut_chains(step, chain, now);
        }
        let flight = self.device.start(&setup.tables, step.op, &step.place, now);
        if let Some(flying) = flying {
            self.tell_cuts(flying, step, now, sink);
        }
        self.uid += 1;
        self.summary.ops += 1;
        self.summary.by_op[step.op.index()] += 1;
        let origin = self.origin(self.uid, proposal, is_first);
        self.tell(step, &origin, status.map(into_trace), now, sink);
        self.rests_until *= u64::from(!info.occupies);
        self.detector.started(step, info.reach, now);
        match flight {
            Some(id) => {
                let end = self.device.flight(id).map_or(now, |flight| flight.end);
                self.queue.push(end, Event::End(id));
                self.link(id, chain);
                self.reporter.remember(id, origin);
                if info.affects_state && info.busy_key.is_some() {
                    let mut stream = Stream::new(self.key(), StreamKind::Operation, self.uid);
                    self.place_hooks(step, id, (now + op.issue, now + op.occupied), &mut stream);
                    if self.is_directed() {
                        self.place_extra_hooks(step, id, now + op.issue, &mut stream);
                    }
                }
            }
            None => {
                if let Some(chain) = chain {
                    let due = (now + op.array_done + setup.gap).ceil_to(setup.tables.grid);
                    self.queue.push(due, Event::Due(chain));
                }
            }
        }
    }

    /// One hook inside CORE_BUSY and one shortly after its end, each on one of the operation's planes.
    fn place_hooks(&mut self, step: Step, of: FlightId, busy: (Ticks, Ticks), stream: &mut Stream) {
        let setup = self.setup;
        let op = setup.tables.op(step.op);
        let info = setup.tables.base(op.base);
        let grid = setup.tables.grid;
        let (dies, planes) = self.device.occupied_by(info, &step.place);
        let draw = |stream: &mut Stream, after| {
            let die = if dies == 1 { step.place.die } else { Die(stream.below(dies) as u8) };
            let index = stream.below(u64::from(planes.len())) as usize;
            let plane = planes.iter().nth(index).unwrap_or_default();
            Hook { die, plane, of: Some(of), after }
        };
        let inside = draw(stream, None);
        let length = busy.1.0 - busy.0.0;
        if length > 1 {
            let at = Ticks(busy.0.0 + 1 + stream.below(length - 1)).ceil_to(grid);
            self.queue.push(at, Event::Hook(inside));
        }
        let after = draw(stream, Some(busy.1));
        let distance = 1 + stream.below(setup.post_hook_window.0.max(1));
        self.queue.push(Ticks(busy.1.0 + distance).ceil_to(grid), Event::Hook(after));
    }
}

const fn into_trace(status: nandseq_device::Status) -> nandseq_trace::Status {
    match status {
        nandseq_device::Status::Busy => nandseq_trace::Status::Busy,
        nandseq_device::Status::ExtReady => nandseq_trace::Status::ExtReady,
        nandseq_device::Status::Ready => nandseq_trace::Status::Ready,
    }
}
