//! The kernel: a device in time, with the operations that have started, are suspended or wait, and the events to come.
//!
//! It admits, starts, ends, cuts and resumes operations. It knows the present exactly and reserves nothing: operations that must
//! start later wait, and are judged again when they start. It draws nothing and does not decide what is proposed.

mod admission;
mod chain;
mod flight;
mod holding;
mod lasting;
mod order;
mod queue;
mod search;
mod wait_queue;

use nandseq_device::{BaseInfo, Device, Flight, FlightId, OpInfo, Rule, Tables, UseCounts};
use nandseq_profile::model::{Axis, ByAxis};
use nandseq_profile::{Block, Die, OpId, Ticks};
use nandseq_trace::Cut;

pub(crate) use admission::{NotAdmitted, has_room};
pub(crate) use chain::{ChainId, Chains, Step};
pub(crate) use flight::{OperationOrigin, Started, StateName, op_state};
pub(crate) use holding::counts_on_blocks;
use holding::{count, release};
pub(crate) use lasting::{carry_out, settle, settled, settled_by_itself};
use order::{CompletionOrder, NewOrder};
pub(crate) use queue::{Event, Hook, NextEvent, Queue};
use search::{Drops, SearchScratch};
use wait_queue::ReadyChain;
pub(crate) use wait_queue::WaitQueue;

/// A device with everything that is under way on it.
#[derive(Debug)]
pub(crate) struct Kernel<'s> {
    tables: &'s Tables,
    /// Time between the end of a chain's step and the moment at which the next is due.
    gap: Ticks,
    /// For each axis, a name that resumes it, if one can be proposed.
    resuming: ByAxis<Option<OpId>>,
    pub(crate) device: Device,
    pub(crate) chains: Chains,
    pub(crate) queue: Queue,
    pub(crate) waiting: WaitQueue,
    /// The last times at which the bus would be free and a window close for which a try was queued.
    woken: [Ticks; 2],
    /// The origin and chain of each flight, by slot.
    flights: Vec<Started>,
    /// Origin and chain of the suspended operations of each die. The device has their remainders.
    pub(crate) suspended: Vec<ByAxis<Option<Started>>>,
    orders: CompletionOrders,
    cuts: Cuts,
    /// When everything that has started will have ended, windows and bus included.
    pub(crate) quiet: Ticks,
    /// Operations started so far: the last op_uid.
    pub(crate) operations: u64,
    /// Operations resumed so far.
    pub(crate) resumes: u64,
}

/// For each die, an order in which its chains can complete.
#[derive(Debug)]
struct CompletionOrders {
    of_dies: Vec<CompletionOrder>,
    /// What becomes of the order of the die when the plan that was admitted last starts.
    new: NewOrder,
    scratch: SearchScratch,
}

/// The operations that the last start has cut.
#[derive(Default, Debug)]
struct Cuts {
    /// Every flight before it, with whether it occupies planes.
    before: Vec<(FlightId, bool)>,
    /// The uid of each operation that was cut, and how, in the order in which the sink is told.
    told: Vec<(u64, Cut)>,
}

impl<'s> Kernel<'s> {
    /// A fresh device with these bad blocks; see the fields for `gap` and `resuming`.
    pub(crate) fn new(
        tables: &'s Tables,
        bad_blocks: &[(Die, Block)],
        gap: Ticks,
        resuming: ByAxis<Option<OpId>>,
    ) -> Self {
        let dies = usize::from(tables.size.dies);
        let mut queue = Queue::default();
        queue.push(Ticks::ZERO, Event::Refill);
        Self {
            tables,
            gap,
            resuming,
            device: Device::new(tables, bad_blocks),
            chains: Chains::default(),
            queue,
            waiting: WaitQueue::default(),
            woken: [Ticks::ZERO; 2],
            flights: Vec::new(),
            suspended: vec![ByAxis::default(); dies],
            orders: CompletionOrders {
                of_dies: vec![CompletionOrder::new(); dies],
                new: NewOrder::AsItIs,
                scratch: SearchScratch::default(),
            },
            cuts: Cuts::default(),
            quiet: Ticks::ZERO,
            operations: 0,
            resumes: 0,
        }
    }

    /// Goes on with other tables of the same device; see the field for `resuming`.
    pub(crate) const fn enter(&mut self, tables: &'s Tables, resuming: ByAxis<Option<OpId>>) {
        self.tables = tables;
        self.resuming = resuming;
    }

    /// Counts uses after those of what has started; the steps to come of chains count too.
    pub(crate) fn count_uses(&mut self, counts: UseCounts) {
        let Self { tables, device, chains, .. } = self;
        device.book.count_uses(counts);
        chains.live().flat_map(|(_, chain)| chain.rest()).for_each(|step| count(device, tables, step));
    }

    /// Starts an operation that has been judged, and returns its flight, if it has one. `chain` goes on after it. What it cuts is
    /// in [`Kernel::cut_by_last_start`] until the next start.
    #[inline]
    pub(crate) fn start(
        &mut self,
        step: Step,
        (op, info): (&OpInfo, &BaseInfo),
        chain: Option<ChainId>,
        origin: &OperationOrigin,
        now: Ticks,
    ) -> Option<FlightId> {
        let tables = self.tables;
        self.cuts.told.clear();
        let is_cutting = info.effects.cuts();
        if is_cutting {
            self.note_flights();
            self.drop_chains(step, chain);
        }
        let flight = self.device.start(tables, step.op, &step.place, now);
        if is_cutting {
            self.note_cuts(step.place.die, info.effects.suspend);
        }
        self.operations += 1;
        match flight {
            Some(id) => {
                self.queue.push_end(now + op.ends_after(), id);
                self.keep(id, origin, chain);
            }
            None => {
                if let Some(chain) = chain {
                    let due = (now + op.array_done + self.gap).ceil_to(tables.grid);
                    self.queue.push_due(due, chain);
                }
            }
        }
        flight
    }

    /// The uid of each operation that the last start has cut, and how.
    pub(crate) fn cut_by_last_start(&self) -> &[(u64, Cut)] {
        &self.cuts.told
    }

    /// An operation that was not cut ends: its effects hold, its planes are free, its chain goes on.
    #[inline]
    pub(crate) fn end(&mut self, id: FlightId, now: Ticks) -> Flight {
        let tables = self.tables;
        let flight = self.device.finish(tables, id);
        self.quiet = now;
        if let Some(chain) = self.flights[id.slot as usize].chain.take() {
            let due = (flight.end + self.gap).ceil_to(tables.grid);
            self.queue.push_due(due, chain);
        }
        flight
    }

    /// The uid of a flight, or of the last one in its slot.
    pub(crate) fn uid_of(&self, id: FlightId) -> u64 {
        self.flights[id.slot as usize].origin.uid
    }

    /// At the end of a RESUME, the suspended operation goes on for exactly its remainder. Returns its uid and its flight.
    pub(crate) fn resume(&mut self, die: Die, axis: Axis, now: Ticks) -> Option<(u64, FlightId, Flight)> {
        let id = self.device.resume(self.tables, die, axis, now);
        let started = self.suspended[usize::from(die.0)][axis].take()?;
        let flight = *self.device.flight(id)?;
        self.queue.push_end(flight.end, id);
        self.keep(id, &started.origin, started.chain);
        self.resumes += 1;
        Some((started.origin.uid, id, flight))
    }

    #[inline]
    fn keep(&mut self, id: FlightId, origin: &OperationOrigin, chain: Option<ChainId>) {
        let slot = id.slot as usize;
        if self.flights.len() <= slot {
            self.flights.resize(slot + 1, Started::default());
        }
        let started = &mut self.flights[slot];
        started.origin = *origin;
        started.chain = chain;
    }

    /// Notes every flight before the start of an operation that may cut some of them.
    fn note_flights(&mut self) {
        let tables = self.tables;
        let occupies = |op| tables.base_of(op).occupies;
        self.cuts.before.clear();
        self.cuts.before.extend(self.device.flights().map(|(id, flight)| (id, occupies(flight.op))));
    }

    /// Keeps the operation that the SUSPEND that has just started has suspended, or forgets the operations that a reset has
    /// ended. Their hooks will not come.
    fn note_cuts(&mut self, die: Die, suspends: Option<Axis>) {
        for &(id, occupies) in &self.cuts.before {
            if self.device.flight(id).is_some() {
                continue;
            }
            self.queue.forget_hooks(id);
            let started = &mut self.flights[id.slot as usize];
            let cut = match suspends {
                Some(axis) => {
                    self.suspended[usize::from(die.0)][axis] = Some(*started);
                    Cut::Suspended
                }
                None => Cut::Reset,
            };
            started.chain = None;
            if occupies {
                self.cuts.told.push((started.origin.uid, cut));
            }
        }
        if suspends.is_some() {
            return;
        }
        for (die, suspended) in (0..).map(Die).zip(&mut self.suspended) {
            for axis in Axis::ALL {
                if self.device.suspended(die, axis).is_none()
                    && let Some(started) = suspended[axis].take()
                {
                    self.cuts.told.push((started.origin.uid, Cut::Reset));
                }
            }
        }
    }

    /// Drops the chains that a reset which starts now ends, all but its own.
    fn drop_chains(&mut self, step: Step, own: Option<ChainId>) {
        let info = self.tables.base_of(step.op);
        let drops = Drops::of(&self.device, info, &step.place);
        if drops == Drops::None {
            return;
        }
        let caught = |die: Die| drops == Drops::All || die == step.place.die;
        let next = |chains: &Chains| {
            let mut live = chains.live().filter(|&(id, chain)| caught(chain.die) && own != Some(id));
            live.next().map(|(id, _)| id)
        };
        while let Some(id) = next(&self.chains) {
            self.drop_chain(id);
        }
    }

    /// Forgets a chain and all that refers to it.
    fn drop_chain(&mut self, id: ChainId) {
        let die = self.chains.get(id).die;
        for step in self.chains.get(id).rest() {
            release(&mut self.device, self.tables, step);
        }
        self.chains.forget(id);
        self.waiting.ready.retain(|ready| ready.chain != id);
        self.orders.of_dies[usize::from(die.0)].clear();
        let suspended = self.suspended.iter_mut().flat_map(ByAxis::values_mut).flatten();
        let kept = self.flights.iter_mut().chain(suspended);
        kept.filter(|started| started.chain == Some(id)).for_each(|started| started.chain = None);
        self.queue.forget(id);
    }

    /// Queues a try of everything that waits, at `time` or at the first tick of the grid after it.
    pub(crate) fn wake_at(&mut self, time: Ticks) {
        self.queue.wake_at(time.ceil_to(self.tables.grid));
    }

    /// The next step of a chain is due.
    pub(crate) fn make_ready(&mut self, chain: ChainId) {
        self.waiting.ready.push(ReadyChain::new(chain, &self.chains, self.tables));
    }

    /// The first of the ready chains from `from` on whose step has to be judged, as a position. The steps before it cannot start.
    #[inline]
    pub(crate) fn to_be_judged(&self, from: usize, now: Ticks) -> Option<usize> {
        let at = self.waiting.to_be_judged(from, &self.device, now);
        debug_assert!(
            self.waiting.ready[from..at.unwrap_or(self.waiting.ready.len())].iter().all(|ready| {
                let step = self.chains.get(ready.chain).rest()[0];
                self.device.judge(self.tables, step.op, &step.place, now).is_err()
            }),
            "barred, but free"
        );
        at
    }

    /// Queues the next try of everything that still waits.
    pub(crate) fn plan_wake(&mut self, now: Ticks) {
        if self.waiting.is_empty() {
            return;
        }
        let times = [self.device.bus_free(), self.waiting.window_end(&self.device, now).unwrap_or_default()];
        for (woken, time) in self.woken.iter_mut().zip(times) {
            // A try that was queued before is still to come.
            if (time > now) & (time != *woken) {
                *woken = time;
                self.queue.wake_at(time.ceil_to(self.tables.grid));
            }
        }
    }

    /// The chains of a die whose last step is suspended.
    pub(crate) fn suspended_chains(&self, die: Die) -> ByAxis<Option<ChainId>> {
        ByAxis::new(|axis| self.suspended[usize::from(die.0)][axis]?.chain)
    }

    /// The chains of a die that go on by themselves: those whose last step is not suspended.
    pub(crate) fn waiting_chains(&self, die: Die) -> impl Iterator<Item = ChainId> {
        let suspended = self.suspended_chains(die);
        self.chains.live_on(die).map(|(id, _)| id).filter(move |id| suspended.values().all(|chain| *chain != Some(*id)))
    }

    /// When nothing is in flight: a chain that no RESUME would let go on, as its next step and the rule that forbids it.
    #[cold]
    pub(crate) fn stuck_chain(&self) -> Option<(OpId, Rule)> {
        let suspended = self.suspended.iter().flat_map(ByAxis::values).flatten();
        if self.chains.count() == suspended.filter(|started| started.chain.is_some()).count() as u32 {
            return None;
        }
        let first = self.waiting.ready.first().map(|ready| self.chains.get(ready.chain).rest()[0]);
        let Some(step) = first else { return Some((OpId(0), Rule::PlaneBusy)) };
        let verdict = self.device.judge(self.tables, step.op, &step.place, self.quiet);
        Some((step.op, verdict.err().unwrap_or(Rule::PlaneBusy)))
    }

    /// Between runs, brings everything into a form that follows from the state alone. So a site made anew from a snapshot goes on
    /// exactly as this one.
    pub(crate) fn settle(&mut self) {
        self.device.settle();
        self.queue.settle();
        self.flights.clear();
        self.waiting = WaitQueue::default();
        self.orders.of_dies.iter_mut().for_each(CompletionOrder::clear);
        self.orders.new = NewOrder::AsItIs;
        let chains = std::mem::take(&mut self.chains);
        for started in self.suspended.iter_mut().flat_map(ByAxis::values_mut).flatten() {
            started.chain = started.chain.map(|id| {
                let chain = chains.get(id);
                self.chains.begin(self.tables, chain.die, chain.proposal, chain.rest())
            });
        }
    }
}
