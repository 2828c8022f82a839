//! The event queue. Its order is the same on every machine.
//!
//! Events are ordered by time, then by class (ends, due chain steps, tries of what waits, hooks, refills), then by creation.

use std::hint::select_unpredictable;

use nandseq_device::FlightId;
use nandseq_profile::{Die, Plane, Ticks};

use super::chain::ChainId;
use crate::refills::DiePlane;

/// Something that happens at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    /// An operation's end takes effect.
    End(FlightId),
    /// The next step of a chain is due.
    Due(ChainId),
    /// Everything that waits for the bus or for planes is tried again.
    Wake,
    /// A proposal on a plane.
    Hook(Hook),
    /// A further proposal of a directed site.
    Extra(Die, Plane),
    /// The periodic proposal on the next plane of the round.
    Refill,
}

/// A proposal to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hook {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    /// The operation whose phase it belongs to, while that can still be cut.
    pub(crate) of: Option<FlightId>,
    /// For a hook after a phase: when the phase ends. `None`: inside a phase.
    pub(crate) after: Option<Ticks>,
}

impl Event {
    /// The same event after its operation has ended and can no longer be cut.
    pub(crate) const fn past_cutting(self) -> Self {
        match self {
            Self::Hook(hook) => Self::Hook(Hook { of: None, ..hook }),
            Self::End(_) | Self::Due(_) | Self::Wake | Self::Extra(..) | Self::Refill => self,
        }
    }
}

/// The class of an event: the upper 4 bits of its order.
const END: u64 = 0;
const DUE: u64 = 1;
const HOOK: u64 = 3;
/// The class of a try of what waits, which has no order.
const WAKE: u64 = 2;
/// A refill has this bit in its class, with whatever is there too: so it is told from the others without a branch.
const REFILL: u64 = 1 << 4;
/// What stands in the place of a flight or time that is not there.
const NONE: u64 = u64::MAX;
const NEVER: Ticks = Ticks(u64::MAX);
/// In the order of a further hook of a directed site.
const IS_EXTRA: u64 = 1 << 16;

/// An end, a due step or a hook, in 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct QueuedEvent {
    time: Ticks,
    /// Class 4 bits | number of creation 43 | whether it is a further hook 1 | die 8 | plane 8. Die and plane never decide: no two
    /// events have the same number. A run has fewer than 2⁴⁰ hooks, and about two other events for each.
    order: u64,
    /// The flight or chain that ends, is due, or has the hook.
    of: u64,
    /// The `after` of a hook.
    after: u64,
}

const fn packed(id: FlightId) -> u64 {
    (id.slot as u64) << 32 | id.generation as u64
}

impl QueuedEvent {
    /// Later than every event.
    const NEVER: Self = Self { time: NEVER, order: END << 60, of: NONE, after: NONE };

    #[inline]
    const fn end(time: Ticks, id: FlightId) -> Self {
        Self { time, order: END << 60, of: packed(id), after: NONE }
    }

    #[inline]
    const fn due(time: Ticks, chain: ChainId) -> Self {
        Self { time, order: DUE << 60, of: chain.0 as u64, after: NONE }
    }

    #[inline]
    fn hook(time: Ticks, hook: Hook) -> Self {
        let order = HOOK << 60 | u64::from(hook.die.0) << 8 | u64::from(hook.plane.0);
        Self { time, order, of: hook.of.map_or(NONE, packed), after: hook.after.map_or(NONE, |end| end.0) }
    }

    #[inline]
    const fn key(&self) -> u128 {
        (self.time.0 as u128) << 64 | self.order as u128
    }

    const fn flight(&self) -> FlightId {
        FlightId { slot: (self.of >> 32) as u32, generation: self.of as u32 }
    }

    const fn place(&self) -> DiePlane {
        DiePlane { die: Die((self.order >> 8) as u8), plane: Plane(self.order as u8) }
    }

    fn event(&self) -> Event {
        match self.order >> 60 {
            END => Event::End(self.flight()),
            DUE => Event::Due(ChainId(self.of as u32)),
            _ => {
                let DiePlane { die, plane } = self.place();
                if self.order & IS_EXTRA != 0 {
                    return Event::Extra(die, plane);
                }
                let of = (self.of != NONE).then(|| self.flight());
                Event::Hook(Hook { die, plane, of, after: (self.after != NONE).then_some(Ticks(self.after)) })
            }
        }
    }
}

/// The next event, without what only events of its class have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NextEvent {
    pub(crate) time: Ticks,
    class: u64,
}

impl NextEvent {
    /// Whether it is a hook or a refill.
    #[inline]
    pub(crate) const fn proposes(self) -> bool {
        self.class >= HOOK
    }

    /// Whether it is a refill.
    #[inline]
    pub(crate) const fn is_refill(self) -> bool {
        self.class & REFILL != 0
    }

    /// Whether it is an end.
    #[inline]
    pub(crate) const fn is_end(self) -> bool {
        self.class == END
    }
}

/// How many events a new one is compared with at a time.
const BLOCK: usize = 4;

/// Events to come.
///
/// The queue is sorted, the next event last. On a device of two dies about five events wait at any time, on one of 16 about 20: at
/// most one end and two hooks for each operation in flight, and in directed runs also hooks for the tenths of its phases. A new
/// event comes before one or two of them, so moving it there costs less than a binary search, and less than a binary heap.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    /// Begins with a block of events that never come, so that the last block and the next event are always there.
    entries: Vec<QueuedEvent>,
    created: u64,
    /// The next time at which what waits is tried again, or never. No two tries have the same time, so that they need no number.
    wake: Ticks,
    /// The times of the tries after that, the last one first.
    later_wakes: Vec<Ticks>,
    /// The refill to come, or never. There is one at most, and more than a third of all events are refills: so it has a place of its
    /// own.
    refill: Ticks,
}

impl Default for Queue {
    fn default() -> Self {
        let entries = vec![QueuedEvent::NEVER; BLOCK];
        Self { entries, created: 0, wake: NEVER, later_wakes: Vec::new(), refill: NEVER }
    }
}

impl Queue {
    /// Adds an event.
    pub(crate) fn push(&mut self, time: Ticks, event: Event) {
        match event {
            Event::End(id) => self.push_end(time, id),
            Event::Due(chain) => self.push_due(time, chain),
            Event::Wake => self.wake_at(time),
            Event::Hook(hook) => self.push_hook(time, hook),
            Event::Extra(die, plane) => {
                let hook = QueuedEvent::hook(time, Hook { die, plane, of: None, after: None });
                self.insert(QueuedEvent { order: hook.order | IS_EXTRA, ..hook });
            }
            Event::Refill => self.refill = time,
        }
    }

    /// Adds the end of a flight.
    #[inline]
    pub(crate) fn push_end(&mut self, time: Ticks, id: FlightId) {
        self.insert(QueuedEvent::end(time, id));
    }

    /// Adds the due step of a chain.
    #[inline]
    pub(crate) fn push_due(&mut self, time: Ticks, chain: ChainId) {
        self.insert(QueuedEvent::due(time, chain));
    }

    /// Adds a hook.
    #[inline]
    pub(crate) fn push_hook(&mut self, time: Ticks, hook: Hook) {
        self.insert(QueuedEvent::hook(time, hook));
    }

    /// Adds a try of what waits; there is one at a time.
    #[inline]
    pub(crate) fn wake_at(&mut self, time: Ticks) {
        let later = self.wake.max(time);
        if self.wake != time && later != NEVER {
            self.wake_later(later);
        }
        self.wake = self.wake.min(time);
    }

    fn wake_later(&mut self, time: Ticks) {
        let at = self.later_wakes.partition_point(|&other| other > time);
        if self.later_wakes.get(at) != Some(&time) {
            self.later_wakes.insert(at, time);
        }
    }

    fn take_wake(&mut self) {
        self.wake = self.later_wakes.pop().unwrap_or(NEVER);
    }

    /// Puts an event in its place: before the events that are sooner. Each block is moved without decisions.
    fn insert(&mut self, entry: QueuedEvent) {
        self.created += 1;
        let entry = QueuedEvent { order: entry.order | self.created << 17, ..entry };
        let key = entry.key();
        let mut at = self.entries.len();
        self.entries.push(entry);
        while let Some(block) = self.entries[..=at].last_chunk_mut::<{ BLOCK + 1 }>() {
            let sooner = block[..BLOCK].iter().map(|other| usize::from(other.key() < key)).sum::<usize>();
            for to in (1..=BLOCK).rev() {
                block[to] = block[to - usize::from(to + sooner > BLOCK)];
            }
            at -= sooner;
            if sooner < BLOCK {
                break;
            }
        }
        self.entries[at] = entry;
    }

    /// The next event.
    #[inline]
    pub(crate) fn next(&self) -> Option<NextEvent> {
        let QueuedEvent { time: first, order, .. } = self.entries[self.entries.len() - 1];
        let class = order >> 60;
        // A try comes before the hooks of its time, a refill after everything.
        let is_wake = (self.wake < first) | ((self.wake == first) & (class >= HOOK));
        let sooner = first.min(self.wake);
        let time = sooner.min(self.refill);
        let class = if is_wake { WAKE } else { class };
        let class = class | (REFILL * u64::from(self.refill < sooner));
        (time != NEVER).then_some(NextEvent { time, class })
    }

    /// Takes the next event, which is an end. Returns the flight.
    #[inline]
    pub(crate) fn take_end(&mut self) -> FlightId {
        self.entries.pop().unwrap_or(QueuedEvent::NEVER).flight()
    }

    /// Takes the next event, which is a due step or a try of what waits. Returns the chain of a due step.
    #[inline]
    pub(crate) fn take_due(&mut self, next: NextEvent) -> Option<ChainId> {
        if next.class == WAKE {
            self.take_wake();
            return None;
        }
        self.entries.pop().map(|entry| ChainId(entry.of as u32))
    }

    /// Takes the next event, which is a hook or a refill; another refill comes at `following` then. Returns the plane of a hook, and
    /// whether it is a further one.
    #[inline]
    pub(crate) fn take_proposal(&mut self, is_refill: bool, following: Ticks) -> (DiePlane, bool) {
        self.refill = select_unpredictable(is_refill, following, self.refill);
        let at = self.entries.len() - 1;
        let entry = &self.entries[at];
        let hook = (entry.place(), entry.order & IS_EXTRA != 0);
        self.entries.truncate(at + usize::from(is_refill));
        hook
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Ticks, Event)> {
        let next = self.next()?;
        let event = if next.is_refill() {
            self.refill = NEVER;
            Event::Refill
        } else if next.class == WAKE {
            self.take_wake();
            Event::Wake
        } else {
            self.entries.pop()?.event()
        };
        Some((next.time, event))
    }

    /// Removes the due event of a chain, if there is one.
    pub(crate) fn forget(&mut self, chain: ChainId) {
        self.entries.retain(|entry| entry.order >> 60 != DUE || entry.of != u64::from(chain.0));
    }

    /// Removes the hooks of an operation.
    pub(crate) fn forget_hooks(&mut self, of: FlightId) {
        self.entries.retain(|entry| entry.order >> 60 != HOOK || entry.of == NONE || entry.flight() != of);
    }

    /// Every event, in no particular order.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        let wakes = std::iter::once(&self.wake).chain(&self.later_wakes).filter(|&&time| time != NEVER);
        let refill = self.next_refill().map(|_| Event::Refill);
        self.entries[BLOCK..].iter().map(QueuedEvent::event).chain(wakes.map(|_| Event::Wake)).chain(refill)
    }

    /// When the next refill comes.
    pub(crate) fn next_refill(&self) -> Option<Ticks> {
        (self.refill != NEVER).then_some(self.refill)
    }

    /// Every event, in order.
    pub(crate) fn in_order(&self) -> Vec<(Ticks, Event)> {
        let mut left = self.clone();
        std::iter::from_fn(|| left.pop()).collect()
    }

    /// Removes every hook and refill, and returns them in order.
    pub(crate) fn take_proposals(&mut self) -> Vec<(Ticks, Event)> {
        let mut taken = self.in_order();
        taken.retain(|(_, event)| matches!(event, Event::Hook(_) | Event::Extra(..) | Event::Refill));
        self.entries.retain(|entry| entry.order >> 60 != HOOK);
        self.refill = NEVER;
        taken
    }

    /// Between runs, when nothing is to come: numbers the events of the next run from 1.
    pub(crate) fn settle(&mut self) {
        debug_assert!(self.next().is_none(), "nothing is to come between runs");
        self.created = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_are_ordered_by_class_then_creation() {
        let mut queue = Queue::default();
        let end = Event::End(FlightId { slot: 1, generation: 0 });
        let hook = |die| Event::Hook(Hook { die: Die(die), plane: Plane(0), of: None, after: None });
        queue.push(Ticks(5), Event::Refill);
        queue.push(Ticks(5), hook(1));
        queue.push(Ticks(5), hook(0));
        queue.push(Ticks(5), Event::Due(ChainId(3)));
        queue.push(Ticks(5), end);
        queue.push(Ticks(6), hook(2));
        let events = |queue: &Queue| queue.in_order().into_iter().map(|(_, event)| event).collect::<Vec<_>>();
        let due = Event::Due(ChainId(3));
        assert_eq!(events(&queue), [end, due, hook(1), hook(0), Event::Refill, hook(2)]);
        queue.push(Ticks(4), Event::Refill);
        assert_eq!(events(&queue), [Event::Refill, end, due, hook(1), hook(0), hook(2)]);
        let next = queue.next().map(|next| (next.time, next.proposes(), next.is_refill()));
        assert_eq!((next, queue.next_refill()), (Some((Ticks(4), true, true)), Some(Ticks(4))));
        let proposals: Vec<Event> = queue.take_proposals().into_iter().map(|(_, event)| event).collect();
        assert_eq!(proposals, [Event::Refill, hook(1), hook(0), hook(2)]);
        assert_eq!((events(&queue), queue.next_refill()), (vec![end, due], None));
    }

    #[test]
    fn events_keep_all_they_have() {
        let mut queue = Queue::default();
        let of = FlightId { slot: u32::MAX, generation: 7 };
        let hook = Hook { die: Die(63), plane: Plane(7), of: Some(of), after: Some(Ticks(9)) };
        let events = [
            Event::End(of),
            Event::Due(ChainId(u32::MAX)),
            Event::Wake,
            Event::Hook(hook),
            Event::Hook(Hook { of: None, after: None, ..hook }),
            Event::Extra(Die(63), Plane(7)),
            Event::Refill,
        ];
        events.iter().for_each(|&event| queue.push(Ticks(3), event));
        queue.push(Ticks(3), Event::Wake);
        assert_eq!(queue.in_order(), events.map(|event| (Ticks(3), event)));
        queue.forget_hooks(FlightId { generation: 6, ..of });
        queue.forget(ChainId(0));
        assert_eq!(queue.events().count(), 7);
        queue.forget_hooks(of);
        queue.forget(ChainId(u32::MAX));
        assert_eq!(queue.in_order(), [0, 2, 4, 5, 6].map(|at| (Ticks(3), events[at])));
    }

    #[test]
    fn events_come_in_order_whatever_the_order_in_which_they_were_added() {
        let mut queue = Queue::default();
        // Multiples of 37 modulo 101 come in an order like none of theirs.
        for at in 1..=100 {
            let class = [Event::Due(ChainId(at)), Event::Wake, Event::Extra(Die(0), Plane(0))][at as usize % 3];
            queue.push(Ticks(u64::from(at * 37 % 101)), class);
        }
        let order: Vec<Ticks> = queue.in_order().into_iter().map(|(time, _)| time).collect();
        assert_eq!(order, (1..=100).map(Ticks).collect::<Vec<_>>());
    }
}
