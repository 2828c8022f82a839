//! The event queue. Its order is the same on every machine.
//!
//! Events are ordered by time, then by class (ends, due chain steps, tries of what waits, hooks, refills), then by creation.

use nandseq_device::FlightId;
use nandseq_profile::{Die, Plane, Ticks};

use super::chain::ChainId;

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

    const fn class(self) -> u64 {
        match self {
            Self::End(_) => 0,
            Self::Due(_) => 1,
            Self::Wake => 2,
            Self::Hook(_) | Self::Extra(..) => 3,
            Self::Refill => 4,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct QueuedEvent {
    time: Ticks,
    /// Class in the upper 4 bits, number of creation below.
    order: u64,
    event: Event,
}

impl QueuedEvent {
    const fn key(&self) -> u128 {
        (self.time.0 as u128) << 64 | self.order as u128
    }
}

/// Events to come.
///
/// The queue is sorted, the next event last. On a device of two dies about five events wait at any time: at most one end and two
/// hooks for each operation in flight, and in directed runs also hooks for the tenths of its phases. A new event comes before one
/// or two of them, so moving it there costs less than a binary search, and less than a binary heap.
#[derive(Clone, Default, Debug)]
pub(crate) struct Queue {
    entries: Vec<QueuedEvent>,
    created: u64,
    /// The refill to come. There is one at most, it is the last of the events of its time, and more than a third of all events are
    /// refills: so it has a place of its own.
    refill: Option<Ticks>,
}

impl Queue {
    /// Adds an event; a refill replaces the one to come.
    #[inline]
    pub(crate) fn push(&mut self, time: Ticks, event: Event) {
        if event == Event::Refill {
            self.refill = Some(time);
            return;
        }
        self.insert(time, event);
    }

    fn insert(&mut self, time: Ticks, event: Event) {
        self.created += 1;
        let entry = QueuedEvent { time, order: event.class() << 60 | self.created, event };
        let key = entry.key();
        let mut at = self.entries.len();
        self.entries.push(entry);
        while at > 0 && self.entries[at - 1].key() < key {
            self.entries[at] = self.entries[at - 1];
            at -= 1;
        }
        self.entries[at] = entry;
    }

    /// When the next event happens.
    #[inline]
    pub(crate) fn next_time(&self) -> Option<Ticks> {
        let first = self.entries.last().map(|entry| entry.time);
        first.into_iter().chain(self.refill).min()
    }

    /// Takes the next event.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(Ticks, Event)> {
        if let Some(time) = self.refill
            && self.entries.last().is_none_or(|entry| time < entry.time)
        {
            self.refill = None;
            return Some((time, Event::Refill));
        }
        self.entries.pop().map(|entry| (entry.time, entry.event))
    }

    /// Removes the due event of a chain, if there is one.
    pub(crate) fn forget(&mut self, chain: ChainId) {
        self.entries.retain(|entry| entry.event != Event::Due(chain));
    }

    /// Removes the hooks of an operation.
    pub(crate) fn forget_hooks(&mut self, of: FlightId) {
        self.entries.retain(|entry| !matches!(entry.event, Event::Hook(hook) if hook.of == Some(of)));
    }

    /// Every event, in no particular order.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> {
        self.entries.iter().map(|entry| entry.event).chain(self.refill.map(|_| Event::Refill))
    }

    /// When the next refill comes.
    pub(crate) const fn next_refill(&self) -> Option<Ticks> {
        self.refill
    }

    /// Every event, in order.
    pub(crate) fn in_order(&self) -> Vec<(Ticks, Event)> {
        let mut left = self.clone();
        std::iter::from_fn(|| left.pop()).collect()
    }

    /// Removes every hook and refill, and returns them in order.
    pub(crate) fn take_proposals(&mut self) -> Vec<(Ticks, Event)> {
        let proposes = |event: &Event| match event {
            Event::Hook(_) | Event::Extra(..) | Event::Refill => true,
            Event::End(_) | Event::Due(_) | Event::Wake => false,
        };
        let mut taken = self.in_order();
        taken.retain(|(_, event)| proposes(event));
        self.entries.retain(|entry| !proposes(&entry.event));
        self.refill = None;
        taken
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
        assert_eq!((queue.next_time(), queue.next_refill()), (Some(Ticks(4)), Some(Ticks(4))));
        let proposals: Vec<Event> = queue.take_proposals().into_iter().map(|(_, event)| event).collect();
        assert_eq!(proposals, [Event::Refill, hook(1), hook(0), hook(2)]);
        assert_eq!((events(&queue), queue.next_refill()), (vec![end, due], None));
    }
}
