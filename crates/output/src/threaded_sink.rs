//! A sink that works in a thread of its own.
//!
//! The sink gets the same events in the same order, so its files have the same bytes. Nothing is allocated once the first batches
//! have come back. The thread lives in a scope, so it ends with the run. An error of the sink is returned by a later call than
//! the one that caused it, at the latest by [`ThreadedSink::finish`]. If no thread can be started, the sink works in the caller's
//! thread. Refusals are not passed on. Leaves out the decision whether a thread pays: the caller knows how many cores are idle.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use nandseq_profile::model::ByAxis;
use nandseq_profile::{OpId, Target, Ticks};

use nandseq_trace::{Cut, DiePlanes, OpState, Operation, Proposal, Sink, Status};

/// The number of events in a batch. A run of 1,000 operations still keeps both threads busy.
const BATCH: usize = 128;
/// The number of batches between the threads. They even out the different costs of operations; more would not fit the caches.
const BATCHES: usize = 8;

/// A sink in its own thread, or in the caller's.
pub struct ThreadedSink<'scope, S>(Where<'scope, S>);

enum Where<'scope, S> {
    /// The sink works in the caller's thread.
    Here(S),
    There(There<'scope, S>),
}

/// A sink in its own thread.
struct There<'scope, S> {
    batch: EventBatch,
    full: SyncSender<EventBatch>,
    empty: Receiver<EventBatch>,
    /// The thread; `None` once its result has been taken.
    thread: Option<ScopedJoinHandle<'scope, io::Result<S>>>,
}

/// A batch of events, in order.
#[derive(Default)]
struct EventBatch {
    events: Vec<HeldEvent>,
    /// The targets of all operations, one after another.
    targets: Vec<Target>,
    /// The op_states of all operations, one after another.
    states: Vec<OpState>,
    /// The data of all targets that have any, one after another.
    data: Vec<Option<u64>>,
}

/// The targets, op_states and data of the operations of a batch that are still to come.
type Lists<'b> = (&'b [Target], &'b [OpState], &'b [Option<u64>]);

enum HeldEvent {
    Operation(Held),
    StillSuspended(Held),
    Cut { uid: u64, at: Ticks, cut: Cut },
    Resumed { uid: u64, from: Ticks, busy_end: Ticks, end: Ticks },
}

/// An operation without the targets, op_states and data, which are in the batch.
struct Held {
    seq: u64,
    uid: u64,
    op: OpId,
    start: Ticks,
    status: Option<Status>,
    suspended: ByAxis<bool>,
    proposal: Proposal,
    is_first: bool,
    die_planes: Option<DiePlanes>,
    /// The number of its targets.
    targets: usize,
    /// The number of its op_states.
    states: usize,
    /// The number of its targets with data.
    data: usize,
}

impl EventBatch {
    fn hold(&mut self, operation: &Operation<'_>) -> Held {
        let Operation { seq, uid, op, start, status, suspended, proposal, is_first, die_planes, .. } = *operation;
        self.targets.extend_from_slice(operation.targets);
        self.states.extend_from_slice(operation.states);
        self.data.extend_from_slice(operation.data);
        Held {
            seq,
            uid,
            op,
            start,
            status,
            suspended,
            proposal: *proposal,
            is_first,
            die_planes,
            targets: operation.targets.len(),
            states: operation.states.len(),
            data: operation.data.len(),
        }
    }

    /// Gives all events to a sink, and empties the batch.
    fn tell(&mut self, sink: &mut impl Sink) -> io::Result<()> {
        let mut lists = (&*self.targets, &*self.states, &*self.data);
        for event in &self.events {
            match event {
                HeldEvent::Operation(held) => sink.operation(&held.operation(&mut lists))?,
                HeldEvent::StillSuspended(held) => sink.still_suspended(&held.operation(&mut lists))?,
                &HeldEvent::Cut { uid, at, cut } => sink.cut(uid, at, cut)?,
                &HeldEvent::Resumed { uid, from, busy_end, end } => sink.resumed(uid, from, busy_end, end)?,
            }
        }
        self.events.clear();
        self.targets.clear();
        self.states.clear();
        self.data.clear();
        Ok(())
    }
}

impl Held {
    /// The operation, with the next entries of the lists of the batch, which are removed from the slices.
    fn operation<'b>(&'b self, (targets, states, data): &mut Lists<'b>) -> Operation<'b> {
        let (own_targets, own_states, own_data);
        (own_targets, *targets) = targets.split_at(self.targets);
        (own_states, *states) = states.split_at(self.states);
        (own_data, *data) = data.split_at(self.data);
        Operation {
            seq: self.seq,
            uid: self.uid,
            op: self.op,
            start: self.start,
            targets: own_targets,
            status: self.status,
            suspended: self.suspended,
            data: own_data,
            proposal: &self.proposal,
            is_first: self.is_first,
            states: own_states,
            die_planes: self.die_planes,
        }
    }
}

impl<'scope, S: Sink + Send + 'scope> ThreadedSink<'scope, S> {
    /// Puts a sink into a thread of a scope. Without a scope, the sink works in the caller's thread.
    pub fn new(scope: Option<&'scope Scope<'scope, '_>>, sink: S) -> Self {
        let Some(scope) = scope else { return Self(Where::Here(sink)) };
        let (full, filled) = sync_channel::<EventBatch>(BATCHES);
        // The channel has room for all batches, so the thread never waits to give one back.
        let (back, empty) = sync_channel(BATCHES + 1);
        (0..BATCHES).for_each(|_| drop(back.try_send(EventBatch::default())));
        // The sink is sent to the thread once it has started. If it does not start, the sink is not lost.
        let (hand_in, handed_in) = sync_channel::<S>(1);
        let work = move || {
            let mut sink = handed_in.recv().map_err(io::Error::other)?;
            while let Ok(mut batch) = filled.recv() {
                batch.tell(&mut sink)?;
                drop(back.try_send(batch));
            }
            Ok(sink)
        };
        match Builder::new().spawn_scoped(scope, work) {
            Ok(thread) => match hand_in.try_send(sink) {
                Ok(()) => Self(Where::There(There { batch: EventBatch::default(), full, empty, thread: Some(thread) })),
                Err(TrySendError::Full(sink) | TrySendError::Disconnected(sink)) => Self(Where::Here(sink)),
            },
            Err(_) => Self(Where::Here(sink)),
        }
    }

    /// Gives the sink back once it has all events.
    ///
    /// # Errors
    /// An error of the sink that no call has returned yet.
    pub fn finish(self) -> io::Result<S> {
        match self.0 {
            Where::Here(sink) => Ok(sink),
            Where::There(mut there) => {
                there.hand_over()?;
                let There { full, thread, .. } = there;
                drop(full);
                result_of(thread)
            }
        }
    }
}

/// The result of a thread. A panic of the thread continues here.
fn result_of<S>(thread: Option<ScopedJoinHandle<'_, io::Result<S>>>) -> io::Result<S> {
    let Some(thread) = thread else { return Err(io::Error::other("the output failed earlier")) };
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl<S> There<'_, S> {
    /// Adds an event.
    fn push(&mut self, event: impl FnOnce(&mut EventBatch) -> HeldEvent) -> io::Result<()> {
        let event = event(&mut self.batch);
        self.batch.events.push(event);
        if self.batch.events.len() < BATCH { Ok(()) } else { self.hand_over() }
    }

    /// Sends the batch to the thread, and takes an empty one.
    fn hand_over(&mut self) -> io::Result<()> {
        let handed = self.empty.recv().ok().and_then(|empty| {
            let full = std::mem::replace(&mut self.batch, empty);
            self.full.send(full).ok()
        });
        match handed {
            Some(()) => Ok(()),
            // The thread ends early only on an error.
            None => result_of(self.thread.take()).map(drop),
        }
    }
}

impl<S: Sink> Sink for ThreadedSink<'_, S> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        match &mut self.0 {
            Where::Here(sink) => sink.operation(operation),
            Where::There(there) => there.push(|batch| HeldEvent::Operation(batch.hold(operation))),
        }
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        match &mut self.0 {
            Where::Here(sink) => sink.still_suspended(operation),
            Where::There(there) => there.push(|batch| HeldEvent::StillSuspended(batch.hold(operation))),
        }
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        match &mut self.0 {
            Where::Here(sink) => sink.cut(uid, at, cut),
            Where::There(there) => there.push(|_| HeldEvent::Cut { uid, at, cut }),
        }
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        match &mut self.0 {
            Where::Here(sink) => sink.resumed(uid, from, busy_end, end),
            Where::There(there) => there.push(|_| HeldEvent::Resumed { uid, from, busy_end, end }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use nandseq_profile::model::Axis;
    use nandseq_profile::{Block, CellTypeId, Die, Page, Plane};

    /// A sink that keeps the events as text. It fails at the operation with the `seq` of `fails_at`.
    #[derive(Default)]
    struct Notes {
        lines: Vec<String>,
        fails_at: Option<u64>,
    }

    impl Sink for Notes {
        fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
            self.lines.push(format!("{operation:?}"));
            if self.fails_at == Some(operation.seq) { Err(io::Error::other("full")) } else { Ok(()) }
        }

        fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
            self.lines.push(format!("suspended {operation:?}"));
            Ok(())
        }

        fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
            self.lines.push(format!("{uid} {at} {cut:?}"));
            Ok(())
        }

        fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
            self.lines.push(format!("{uid} {from} {busy_end} {end}"));
            Ok(())
        }
    }

    /// Gives a sink a stream of events in which neighbouring operations have different numbers of targets and states.
    fn tell(sink: &mut impl Sink, operations: u64) -> io::Result<()> {
        let target = |at: u64| Target {
            die: Die(0),
            plane: Plane(at as u8),
            block: Block(at as u32),
            page: Page(1),
            cell_type: CellTypeId(0),
        };
        let targets: Vec<Target> = (0..4).map(target).collect();
        let states = [OpState::default(); 3];
        sink.still_suspended(&Operation { uid: 7, targets: &targets[..1], ..Operation::default() })?;
        for seq in 1..=operations {
            let proposal = Proposal { time: Ticks(seq), ..Proposal::default() };
            let (targets, states) = (&targets[..seq as usize % 5], &states[..seq as usize % 4]);
            let suspended = ByAxis::new(|axis| axis == Axis::Erase && seq % 7 == 0);
            let data = &[Some(seq), None][..seq as usize % 3];
            let operation = Operation { seq, targets, suspended, data, states, ..Operation::default() };
            sink.operation(&Operation { proposal: &proposal, ..operation })?;
            if seq % 3 == 0 {
                sink.cut(seq, Ticks(seq), Cut::Suspended)?;
                sink.resumed(seq, Ticks(1), Ticks(2), Ticks(seq))?;
            }
        }
        Ok(())
    }

    #[test]
    fn a_sink_apart_is_told_the_same_in_the_same_order() {
        for operations in [0, 1, 127, 128, 129, 5000] {
            let mut here = Notes::default();
            tell(&mut here, operations).unwrap();
            let there = std::thread::scope(|scope| {
                let mut threaded = ThreadedSink::new(Some(scope), Notes::default());
                assert!(matches!(threaded.0, Where::There(_)));
                tell(&mut threaded, operations).unwrap();
                threaded.finish().unwrap()
            });
            assert!(here.lines == there.lines, "{operations}");
        }
    }

    #[test]
    fn an_error_comes_out_of_a_later_call_or_at_the_end() {
        for operations in [1, 200, 100_000] {
            let error = std::thread::scope(|scope| {
                let mut threaded = ThreadedSink::new(Some(scope), Notes { fails_at: Some(1), ..Notes::default() });
                tell(&mut threaded, operations).and_then(|()| threaded.finish().map(drop)).unwrap_err()
            });
            assert_eq!(error.to_string(), "full", "{operations}");
        }
    }

    #[test]
    fn a_sink_that_is_dropped_ends_its_thread() {
        std::thread::scope(|scope| {
            let mut threaded = ThreadedSink::new(Some(scope), Notes::default());
            tell(&mut threaded, 1000).unwrap();
            drop(threaded);
        });
    }

    #[test]
    fn without_a_scope_the_sink_works_here() {
        let mut threaded = ThreadedSink::new(None, Notes::default());
        tell(&mut threaded, 3).unwrap();
        assert_eq!(threaded.finish().unwrap().lines.len(), 6);
    }
}
