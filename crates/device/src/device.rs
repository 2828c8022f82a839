//! The present state of one site's device, and the functions that judge, start and finish operations.
//!
//! [`Device::judge`] returns the rule that forbids an operation, and changes nothing. [`Device::start`] applies the start of an
//! operation, and asserts in debug builds that `judge` allows it. [`Device::finish`] applies its end. Only the present is kept;
//! nothing is reserved ahead. The caller owns the clock, and must have finished every operation that ends up to `now` before it
//! judges.

mod cut;
mod op_state;
mod quiescent;

use nandseq_profile::model::{ByAxis, StatusOf};
use nandseq_profile::{Block, Die, OpId, PlaneSet, Ticks};

use crate::book::AddressBook;
use crate::logic::DieLogic;
use crate::place::Place;
use crate::rule::Rule;
use crate::tables::{BaseInfo, OpInfo, Reach, Tables};

pub use cut::SuspendedOperation;
use op_state::Segment;
pub use op_state::{PlanePhase, SeenStatus};
pub use quiescent::QuiescentDie;

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

#[derive(Clone, Copy, Debug, Default)]
struct DieState {
    logic: DieLogic,
    segments: [Option<Segment>; 8],
    /// The suspended erase and the suspended program, with their remainders. `logic` has the part of them that rules need.
    suspended: ByAxis<Option<SuspendedOperation>>,
    occupied: PlaneSet,
    /// Operations that occupy planes of this die.
    occupants: u8,
    /// Whether all of them may interleave with others on the die.
    tolerant: bool,
    /// Counts changes of the above.
    stamp: u64,
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
    dies: Vec<DieState>,
    /// By slot: how many flights have left it, and the one that it holds.
    flights: Vec<(u32, Option<Flight>)>,
    free: Vec<u32>,
    /// For each die the slots of the flights whose place is there, ascending.
    on: Vec<Vec<u32>>,
    bus_free: Ticks,
    all: PlaneSet,
}

impl Device {
    /// A fresh device with these bad blocks.
    ///
    /// # Panics
    /// When a bad block does not exist.
    #[must_use]
    pub fn new(tables: &Tables, bad: &[(Die, Block)]) -> Self {
        let idle = DieState { tolerant: true, stamp: 1, ..DieState::default() };
        Self {
            book: AddressBook::new(tables, bad),
            dies: vec![idle; usize::from(tables.size.dies)],
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
        self.dies[usize::from(die.0)].stamp + self.book.stamp(die)
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
        let ends = self.dies.iter().flat_map(|die| die.segments.iter().flatten().map(|segment| segment.end));
        ends.max().unwrap_or_default().max(self.bus_free)
    }

    /// Whether something is in flight whose place is on a die.
    #[must_use]
    pub fn flies_on(&self, die: Die) -> bool {
        !self.on[usize::from(die.0)].is_empty()
    }

    /// The dies an operation looks at.
    const fn dies_of(&self, info: &BaseInfo, place: &Place) -> std::ops::Range<usize> {
        match info.reach {
            Reach::Planes | Reach::Die => place.die.0 as usize..place.die.0 as usize + 1,
            Reach::Target => 0..self.dies.len(),
        }
    }

    /// The planes an operation looks at on each of its dies.
    const fn planes_of(&self, info: &BaseInfo, place: &Place) -> PlaneSet {
        match info.reach {
            Reach::Planes => place.planes,
            Reach::Die | Reach::Target => self.all,
        }
    }

    /// Judges whether `op` may start at `place` now. The bus is judged last: [`Rule::Bus`] means that no other rule forbids it.
    ///
    /// # Errors
    /// The rule that forbids it.
    pub fn judge(&self, tables: &Tables, op: OpId, place: &Place, now: Ticks) -> Result<(), Rule> {
        let op = tables.op(op);
        let info = tables.base(op.base);
        self.judge_shape(tables, op, info, place)?;
        judge_cell_type(op, info, place)?;
        self.book.judge(info, place, place.cell_type)?;
        self.judge_occupation(tables, op, info, place)?;
        for die in self.dies_of(info, place) {
            let die = Die(die as u8);
            if info.forbidden_in_op_states {
                for plane in self.planes_of(info, place).iter() {
                    if self.forbidden_by_op_state(tables, die, plane, now).contains(op.base) {
                        return Err(Rule::OpState);
                    }
                }
            }
            self.logic(die).judge(tables, op.base, place, self.all)?;
        }
        if let Some(axis) = info.effects.suspend {
            let free = self.logic(place.die).suspended(axis).is_none();
            if !free || self.suspend_target(tables, place.die, axis, now).is_none() {
                return Err(Rule::SuspendTarget);
            }
        }
        if let Some(rule) = info.effects.needs_nothing_in_flight
            && self.on.iter().any(|on| !on.is_empty())
        {
            return Err(rule);
        }
        if op.bus > Ticks::ZERO && now < self.bus_free { Err(Rule::Bus) } else { Ok(()) }
    }

    fn judge_shape(&self, tables: &Tables, op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        if place.die.0 >= tables.size.dies || !place.planes.is_subset(self.all) {
            return Err(Rule::Bounds);
        }
        if let Some(StatusOf::Lun(lun)) = op.status_of {
            if lun >= tables.size.dies {
                return Err(Rule::Bounds);
            }
            if place.die != Die(lun) {
                return Err(Rule::StatusValue);
            }
        }
        if info.reach == Reach::Planes || info.has_block {
            let right = if op.multi { place.planes.len() >= 2 } else { place.planes.len() == 1 };
            return if right { Ok(()) } else { Err(Rule::MultiPlaneGroup) };
        }
        Ok(())
    }

    fn judge_occupation(&self, tables: &Tables, op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
        let effects = &info.effects;
        if effects.reset_die && !effects.reset_target && self.is_shared(tables) {
            return Err(Rule::PlaneBusy);
        }
        if effects.suspend.is_some() {
            // The operation that it suspends is cut; no other operation may occupy the die.
            let alone = self.dies[usize::from(place.die.0)].occupants <= 1;
            return if alone { Ok(()) } else { Err(Rule::PlaneBusy) };
        }
        if !info.occupies || effects.resets() {
            return Ok(());
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            if !self.dies[die].occupied.and(planes).is_empty() {
                return Err(Rule::PlaneBusy);
            }
            if !self.tolerates(Die(die as u8), info, op.multi) {
                return Err(Rule::MultiPlaneExclusive);
            }
        }
        Ok(())
    }

    /// Whether an operation occupies every die of several: a reset of one die does not end it (rulebook, question 24).
    fn is_shared(&self, tables: &Tables) -> bool {
        let shared = |flight: &Flight| {
            let info = tables.base(tables.op(flight.op).base);
            info.occupies && info.reach == Reach::Target
        };
        self.dies.len() > 1 && self.flights().any(|(_, flight)| shared(flight))
    }

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
        if let Some(axis) = info.effects.suspend {
            self.suspend(tables, place.die, axis, now);
        }
        if info.effects.resets() {
            self.reset(tables, info, place, now);
        }
        if info.affects_state && info.occupies {
            self.open_segments(info, place, |before| Segment {
                start: now,
                issue_end: now + op.issue,
                busy_end: now + op.occupied,
                end: now + op.total,
                busy_key: info.busy_key,
                window_key: info.window_key,
                window: info.window,
                end_key: info.end_key,
                before,
            });
        }
        for die in self.dies_of(info, place) {
            let die = &mut self.dies[die];
            die.logic.start(info, place);
            die.stamp += u64::from(!info.is_inert());
        }
        self.enter(info, op.multi, place);
        if info.effects.changes_block() {
            self.book.begin(place);
        }
        if info.effects.holds_target {
            self.share_target(place.die);
        }
        let matters = info.occupies || info.effects.acts_at_end();
        matters.then(|| {
            let end = now + op.array_done.max(op.occupied);
            self.keep(Flight { op: id, place: *place, busy_from: now + op.issue, end, window_end: now + op.total })
        })
    }

    /// Occupies the planes of an operation.
    fn enter(&mut self, info: &BaseInfo, multi: bool, place: &Place) {
        if !info.occupies {
            return;
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            let die = &mut self.dies[die];
            die.stamp += 1;
            die.occupied = die.occupied.union(planes);
            die.occupants += 1;
            die.tolerant &= info.interleaved && !multi;
        }
    }

    /// Frees the planes of an operation.
    fn leave(&mut self, info: &BaseInfo, place: &Place) {
        if !info.occupies {
            return;
        }
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            let die = &mut self.dies[die];
            die.stamp += 1;
            die.occupied = die.occupied.minus(planes);
            die.occupants -= 1;
            die.tolerant |= die.occupants == 0;
        }
    }

    fn keep(&mut self, flight: Flight) -> FlightId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.flights.push((0, None));
            self.flights.len() as u32 - 1
        });
        let on = &mut self.on[usize::from(flight.place.die.0)];
        on.insert(on.partition_point(|&other| other < slot), slot);
        let kept = &mut self.flights[slot as usize];
        kept.1 = Some(flight);
        FlightId { slot, generation: kept.0 }
    }

    /// Takes a flight out of its slot. The next flight in the slot will have another id.
    fn remove(&mut self, id: FlightId) -> Flight {
        let kept = &mut self.flights[id.slot as usize];
        assert_eq!(kept.0, id.generation, "a flight ends once");
        kept.0 = kept.0.wrapping_add(1);
        self.free.push(id.slot);
        let flight = kept.1.take().expect("a flight ends once");
        self.on[usize::from(flight.place.die.0)].retain(|&slot| slot != id.slot);
        flight
    }

    /// Applies the end of a flight and removes it.
    ///
    /// # Panics
    /// When there is no such flight: a fault of the caller.
    pub fn finish(&mut self, tables: &Tables, id: FlightId) -> Flight {
        let flight = self.remove(id);
        let info = tables.base(tables.op(flight.op).base);
        self.leave(info, &flight.place);
        for die in self.dies_of(info, &flight.place) {
            let die = &mut self.dies[die];
            die.logic.finish(info, &flight.place);
            die.stamp += 1;
        }
        if info.effects.changes_block() {
            self.book.finish(info, &flight.place);
        }
        if info.effects.changes_target {
            self.share_target(flight.place.die);
        }
        flight
    }

    /// Copies the state of the target from one die to all others.
    fn share_target(&mut self, from: Die) {
        let logic = self.dies[usize::from(from.0)].logic;
        for die in &mut self.dies {
            die.logic.share_target(&logic);
            die.stamp += 1;
        }
    }
}

/// The cell type of the payload is that of the operation, if the operation has one of its own.
fn judge_cell_type(op: &OpInfo, info: &BaseInfo, place: &Place) -> Result<(), Rule> {
    let effects = &info.effects;
    if !info.has_block || op.cell_type.is_none_or(|own| own == place.cell_type) {
        return Ok(());
    }
    Err(if effects.reads_array() {
        Rule::ReadCellType
    } else if effects.data_out {
        Rule::DoutSource
    } else if effects.cache_read_end {
        Rule::CacheSequence
    } else {
        Rule::ProgramCellType
    })
}
