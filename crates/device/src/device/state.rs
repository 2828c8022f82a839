//! The present state of a device, and questions that it answers without a look at the time.

use nandseq_profile::model::{Axis, ByAxis, PhaseKind};
use nandseq_profile::{Block, Die, OpId, PhaseKey, PlaneSet, Ticks};
use serde::{Deserialize, Serialize};

use crate::book::AddressBook;
use crate::logic::DieLogic;
use crate::place::Place;
use crate::tables::{BaseInfo, ForbiddenBases, Reach, Tables};

/// An operation whose end is still to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flight {
    /// The operation.
    pub op: OpId,
    /// Its address.
    pub place: Place,
    /// When its CORE_BUSY begins, or went on after a suspension.
    pub busy_from: Ticks,
    /// When its end is to be applied: when the array is done, or when it no longer occupies anything, whichever is later. For an
    /// erase or program both are the end of CORE_BUSY.
    pub end: Ticks,
    /// When its last phase ends: `end`, or later by its window, if nothing cuts that.
    pub window_end: Ticks,
}

/// The id of a [`Flight`] of a device. The id of a flight that has ended or was cut is never valid again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct FlightId {
    /// The slot that holds the flight; later flights use it again.
    pub slot: u32,
    /// How many flights the slot has held before this one.
    pub generation: u32,
}

/// An erase or program that waits to be resumed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SuspendedOperation {
    /// The operation.
    pub op: OpId,
    /// Its address.
    pub place: Place,
    /// The rest of CORE_BUSY.
    #[serde(rename = "busy")]
    pub busy_left: Ticks,
    /// The whole window after it.
    pub window: Ticks,
}

/// The op_state of a plane: the last state-affecting operation on it; by default that of a plane on which nothing ever ran.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    /// Bounds of ISSUE, CORE_BUSY and the window; an absent phase has no length.
    pub(super) start: Ticks,
    pub(super) issue_end: Ticks,
    pub(super) busy_end: Ticks,
    pub(super) end: Ticks,
    /// The op_states of ISSUE, CORE_BUSY, the window, and after them; [`Tables::NO_OP_STATE`] stands for none.
    pub(super) op_states: [PhaseKey; 4],
    /// The bases that the op_states of CORE_BUSY and of the window forbid.
    pub(super) forbidden: ForbiddenBases,
    /// The kind of the window; CORE_BUSY if there is none, and then the window has no length.
    pub(super) window: PhaseKind,
    /// The keys of [`Device::phase_key`]: the END key of the operation before it, those of CORE_BUSY and of the window, its own END key.
    /// Until it is on a plane, all are its END key.
    pub(super) keys: [PhaseKey; 4],
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            start: Ticks::ZERO,
            issue_end: Ticks::ZERO,
            busy_end: Ticks::ZERO,
            end: Ticks::ZERO,
            op_states: [Tables::NO_OP_STATE; 4],
            forbidden: ForbiddenBases::default(),
            window: PhaseKind::CoreBusy,
            keys: [PhaseKey::DEFAULT; 4],
        }
    }
}

/// The present state of a die.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DieState {
    pub(super) logic: DieLogic,
    pub(super) segments: [Segment; 8],
    /// The suspended erase and the suspended program, with their remainders. `logic` has the part of them that rules need.
    pub(super) suspended: ByAxis<Option<SuspendedOperation>>,
    pub(super) occupied: PlaneSet,
    /// Operations that occupy planes of this die.
    pub(super) occupants: u8,
    /// Whether all of them may interleave with others on the die.
    pub(super) tolerant: bool,
}

/// The present state of a device.
///
/// Dies and planes handed to its functions are those of its tables; others are a fault of the caller and panic. Only
/// [`Device::judge`] takes places that do not exist, and refuses them. `now` is the time since the start of the site and
/// never runs backwards.
#[derive(Clone, Debug)]
pub struct Device {
    /// All blocks.
    pub book: AddressBook,
    pub(super) dies: Vec<DieState>,
    /// For each die how often its state has changed. They are side by side: hooks ask for those of all dies.
    pub(super) stamps: Vec<u64>,
    /// By slot: how many flights have left it, and the one that it holds.
    pub(super) flights: Vec<(u32, Option<Flight>)>,
    pub(super) free: Vec<u32>,
    /// For each die the slots of the flights whose place is there, ascending.
    pub(super) on: Vec<Vec<u32>>,
    pub(super) bus_free: Ticks,
    pub(super) all: PlaneSet,
}

impl Device {
    /// A fresh device with these bad blocks.
    ///
    /// # Panics
    /// When a bad block does not exist.
    #[must_use]
    pub fn new(tables: &Tables, bad: &[(Die, Block)]) -> Self {
        let idle = DieState { tolerant: true, ..DieState::default() };
        Self {
            book: AddressBook::new(tables, bad),
            dies: vec![idle; usize::from(tables.size.dies)],
            stamps: vec![1; usize::from(tables.size.dies)],
            flights: Vec::new(),
            free: Vec::new(),
            on: vec![Vec::new(); usize::from(tables.size.dies)],
            bus_free: Ticks::ZERO,
            all: PlaneSet::first(u32::from(tables.size.planes)),
        }
    }

    /// When the bus is free again. An operation that needs it may start at that very tick.
    #[must_use]
    pub const fn bus_free(&self) -> Ticks {
        self.bus_free
    }

    /// The lasting state of a die.
    #[must_use]
    pub fn logic(&self, die: Die) -> &DieLogic {
        &self.dies[usize::from(die.0)].logic
    }

    /// A number that grows whenever the state of a die changes, except for phases that end in time. A change of its blocks
    /// counts only if [`AddressBook::stamp`] counts it.
    #[must_use]
    pub fn stamp(&self, die: Die) -> u64 {
        self.state_stamp(die) + self.book.stamp(die)
    }

    /// The same without changes of its blocks.
    #[must_use]
    pub fn state_stamp(&self, die: Die) -> u64 {
        self.stamps[usize::from(die.0)]
    }

    /// [`Device::state_stamp`] of each die.
    #[must_use]
    pub fn state_stamps(&self) -> &[u64] {
        &self.stamps
    }

    /// Every plane of a die.
    #[must_use]
    pub const fn planes(&self) -> PlaneSet {
        self.all
    }

    /// The planes of a die that are occupied now.
    #[must_use]
    pub fn occupied(&self, die: Die) -> PlaneSet {
        self.dies[usize::from(die.0)].occupied
    }

    /// Whether all operations that occupy a die may interleave with others; `None` if there are none.
    #[must_use]
    pub fn occupants(&self, die: Die) -> Option<bool> {
        let die = &self.dies[usize::from(die.0)];
        (die.occupants > 0).then_some(die.tolerant)
    }

    /// Whether an operation of this base, multi-plane or not, may start beside the operations that occupy other planes of a die.
    #[must_use]
    pub fn tolerates(&self, die: Die, info: &BaseInfo, multi: bool) -> bool {
        let die = &self.dies[usize::from(die.0)];
        die.occupants == 0 || (die.tolerant && info.interleaved && !multi)
    }

    /// The operations in flight whose end is still to come, in the order of their ids (not of time).
    pub fn flights(&self) -> impl Iterator<Item = (FlightId, &Flight)> {
        self.flights.iter().enumerate().filter_map(|(at, &(generation, ref flight))| {
            Some((FlightId { slot: at as u32, generation }, flight.as_ref()?))
        })
    }

    /// The flights whose place is on a die, in the order of their ids.
    pub fn flights_on(&self, die: Die) -> impl Iterator<Item = (FlightId, &Flight)> {
        self.on[usize::from(die.0)].iter().filter_map(|&slot| {
            let (generation, flight) = &self.flights[slot as usize];
            Some((FlightId { slot, generation: *generation }, flight.as_ref()?))
        })
    }

    /// A flight; `None` when it has ended or was cut.
    #[must_use]
    pub fn flight(&self, id: FlightId) -> Option<&Flight> {
        let (generation, flight) = self.flights.get(id.slot as usize)?;
        flight.as_ref().filter(|_| *generation == id.generation)
    }

    /// The number of dies on which an operation works, and its planes on each.
    #[must_use]
    pub fn occupied_by(&self, info: &BaseInfo, place: &Place) -> (u64, PlaneSet) {
        (self.dies_of(info, place).len() as u64, self.planes_of(info, place))
    }

    /// When the last phase on any plane has ended and the bus is free.
    #[must_use]
    pub fn quiet(&self) -> Ticks {
        let ends = self.dies.iter().flat_map(|die| die.segments.iter().map(|segment| segment.end));
        ends.max().unwrap_or_default().max(self.bus_free)
    }

    /// Whether something is in flight whose place is on a die.
    #[must_use]
    pub fn flies_on(&self, die: Die) -> bool {
        !self.on[usize::from(die.0)].is_empty()
    }

    /// The dies an operation looks at.
    pub(super) const fn dies_of(&self, info: &BaseInfo, place: &Place) -> std::ops::Range<usize> {
        match info.reach {
            Reach::Planes | Reach::Die => place.die.0 as usize..place.die.0 as usize + 1,
            Reach::Target => 0..self.dies.len(),
        }
    }

    /// The planes an operation looks at on each of its dies.
    pub(super) const fn planes_of(&self, info: &BaseInfo, place: &Place) -> PlaneSet {
        info.planes_of(place, self.all)
    }

    /// The suspended operation of an axis.
    #[must_use]
    pub fn suspended(&self, die: Die, axis: Axis) -> Option<&SuspendedOperation> {
        self.dies[usize::from(die.0)].suspended[axis].as_ref()
    }
}
