//! Footprints: the parts of a die's lasting state that a step looks at, and those that it changes.
//!
//! If neither of two steps changes a part that the other looks at or changes, they may come in either order: both orders are
//! allowed or neither is, and both end in the same state. This keeps the search for an order of many steps short. A footprint may
//! name a part without need, but never leaves one out.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::{AddressSource, Axis, DeviceState, LatchKind};

use crate::effects::{Effects, Precondition, StateChange};
use crate::logic::DieLogic;
use crate::state_bits::state_bit;

/// Parts of the lasting state of a die, one bit each: what the registers of each plane hold in the lowest 8, whether that is unread in
/// the next 8, its cache-read state in the next, then what the die has once.
pub type Parts = u32;

/// What the registers of every plane hold.
const CONTENTS: Parts = (1 << 8) - 1;
/// Whether the output register of every plane is unread.
const UNREAD: Parts = CONTENTS << 8;
/// The cache-read state of every plane.
const CACHE_READ: Parts = CONTENTS << 16;
/// All that planes have.
const OF_PLANES: Parts = CONTENTS | UNREAD | CACHE_READ;
/// The one-shot latch.
const ONE_SHOT: Parts = 1 << 24;
/// The copyback latch.
const COPYBACK: Parts = 1 << 25;
/// The cache-program state.
const CACHE_PROGRAM: Parts = 1 << 26;
/// The suspended erase.
const ERASE: Parts = 1 << 27;
/// The suspended program.
const PROGRAM: Parts = 1 << 28;
/// On-die termination.
const ODT: Parts = 1 << 29;
/// Write protect.
const WRITE_PROTECT: Parts = 1 << 30;
/// All parts. The pattern names every field of the lasting state: a new field needs a bit, here too.
const ALL: Parts = {
    #[rustfmt::skip]
    const _: fn(DieLogic) = |DieLogic { planes: _, one_shot: _, copyback: _, cache_program: _, erase: _, program: _, odt_disabled: _, write_protected: _, states: _ }| ();
    OF_PLANES | ONE_SHOT | COPYBACK | CACHE_PROGRAM | ERASE | PROGRAM | ODT | WRITE_PROTECT
};
const _: () = {
    let mut at = 0;
    while at < DeviceState::ALL.len() {
        assert!(part_of(DeviceState::ALL[at]) & !ALL == 0, "the part of each state is one of all parts");
        at += 1;
    }
};

const fn latch(kind: LatchKind) -> Parts {
    match kind {
        LatchKind::OneShot => ONE_SHOT,
        LatchKind::Copyback => COPYBACK,
    }
}

/// The part of the lasting state that a state of the exclusion tables belongs to.
const fn part_of(state: DeviceState) -> Parts {
    match state {
        DeviceState::LatchOnRead => UNREAD,
        DeviceState::CacheRead(_) => CACHE_READ,
        DeviceState::LatchOn(_) => ONE_SHOT,
        DeviceState::Suspended(Axis::Erase) | DeviceState::NotSuspended(Axis::Erase) => ERASE,
        DeviceState::Suspended(Axis::Program) | DeviceState::NotSuspended(Axis::Program) => PROGRAM,
        DeviceState::OdtDisabled => ODT,
        DeviceState::WriteProtect => WRITE_PROTECT,
        DeviceState::CacheProgram(_) => CACHE_PROGRAM,
    }
}

/// The parts that a step, or a sequence of steps, looks at, changes and hinders.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Footprint {
    /// The parts that decide whether it may start, and what its changes are.
    pub looks: Parts,
    /// The parts that its start or end may change.
    pub changes: Parts,
    /// The parts of `changes` whose change may keep another step from starting. A data output hinders none: it only ends what
    /// forbids others.
    pub hinders: Parts,
    /// Parts that are the same afterwards whatever they were before.
    settles: Parts,
    /// Parts that forbid no other step afterwards, whatever an earlier step made of them.
    lifts: Parts,
}

impl Footprint {
    /// Whether neither step changes a part that the other looks at or changes.
    #[must_use]
    pub const fn is_apart_from(self, other: Self) -> bool {
        self.changes & (other.looks | other.changes) == 0 && self.looks & other.changes == 0
    }

    /// Whether a step that may start now may come before the other steps, which it follows in an order that can be done: they may
    /// still start, and the state after all of them is the same. It is if it is apart from them, and also if it hinders no step at
    /// all and changes nothing that they change. That is a data output: what it puts out would have changed with what it changes.
    #[must_use]
    pub const fn may_come_before(self, others: Self) -> bool {
        self.is_apart_from(others) || self.hinders == 0 && self.changes & others.changes == 0
    }

    /// The parts of both together, in whatever order their steps come.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            looks: self.looks | other.looks,
            changes: self.changes | other.changes,
            hinders: self.hinders | other.hinders,
            settles: 0,
            lifts: 0,
        }
    }

    /// The footprint of a sequence of steps with another sequence right after it. What the first settles, the second does not look
    /// at; what the second lifts, the first does not hinder.
    #[must_use]
    pub const fn then(self, after: Self) -> Self {
        Self {
            looks: self.looks | after.looks & !self.settles,
            changes: self.changes | after.changes,
            hinders: self.hinders & !after.lifts | after.hinders,
            settles: self.settles | after.settles,
            lifts: self.lifts & !after.hinders | after.lifts,
        }
    }

    /// Whether it may change every part: a SUSPEND, a RESUME or a reset.
    #[must_use]
    pub const fn is_sweeping(self) -> bool {
        self.changes == ALL
    }

    const SWEEPING: Self = Self { looks: ALL, changes: ALL, hinders: ALL, settles: 0, lifts: 0 };

    const fn of_need(need: Precondition) -> Self {
        let looks = match need {
            Precondition::CopybackPage | Precondition::Output => CONTENTS,
            Precondition::NothingUnread => UNREAD,
            Precondition::PageToReadOn | Precondition::PageToPutOut => CONTENTS | UNREAD,
            Precondition::Latch(kind, _) => latch(kind),
            Precondition::NextOfCacheProgram => CACHE_PROGRAM,
            Precondition::NothingInFlight(_) => 0,
            Precondition::Suspended(_) | Precondition::InCoreBusy(_) => return Self::SWEEPING,
        };
        Self { looks, changes: 0, hinders: 0, settles: 0, lifts: 0 }
    }

    const fn of_change(change: StateChange) -> Self {
        let registers = CONTENTS | UNREAD;
        let (looks, changes, hinders) = match change {
            StateChange::EmptyRegisters => (0, registers, CONTENTS),
            StateChange::Fill { .. } => (0, registers, registers),
            StateChange::EnterCacheRead(_) => (0, CACHE_READ, CACHE_READ),
            StateChange::ReadOn => (CONTENTS, registers, registers),
            StateChange::EndCacheRead(_) => (CONTENTS, registers | CACHE_READ, registers),
            StateChange::PutOut => (registers, UNREAD, 0),
            StateChange::Load(kind, _) | StateChange::Clear(kind) => (latch(kind), latch(kind), latch(kind)),
            StateChange::EnterCacheProgram(_) => (CACHE_PROGRAM, CACHE_PROGRAM, CACHE_PROGRAM),
            StateChange::EndCacheProgram(_) => (CACHE_PROGRAM, CACHE_PROGRAM, 0),
            StateChange::SwitchOdt { off } => (0, ODT, if off { ODT } else { 0 }),
            StateChange::SwitchWriteProtect { on } => (0, WRITE_PROTECT, if on { WRITE_PROTECT } else { 0 }),
            StateChange::EmptyResumed(_) | StateChange::EndSuspension(_) | StateChange::Reset => return Self::SWEEPING,
        };
        let empties = matches!(change, StateChange::EmptyRegisters);
        let settles = if empties || matches!(change, StateChange::Fill { .. }) { registers } else { 0 };
        let lifts = if empties || matches!(change, StateChange::PutOut) { UNREAD } else { 0 };
        Self { looks, changes, hinders, settles, lifts }
    }

    /// What several changes of one step are together.
    const fn with(self, other: Self) -> Self {
        let hinders = self.hinders | other.hinders;
        Self {
            looks: self.looks | other.looks,
            changes: self.changes | other.changes,
            hinders,
            settles: self.settles | other.settles,
            lifts: (self.lifts | other.lifts) & !hinders,
        }
    }
}

/// The footprint of a base, for any place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BaseFootprint {
    /// From its preconditions and state changes. Parts of planes stand for those of the planes that it addresses.
    own: Footprint,
    /// The parts whose states exclude it. Parts of planes stand for those of the planes that it looks at.
    states: Parts,
}

impl BaseFootprint {
    /// The footprint of some effects; `forbidden_in` are the states that exclude the base, as bits of [`state_bit`].
    pub(crate) fn new(effects: &Effects, address: AddressSource, forbidden_in: u16) -> Self {
        let needs = effects.needs().map(Footprint::of_need);
        let own = needs.chain(effects.changes().map(Footprint::of_change)).fold(Footprint::default(), Footprint::with);
        let suspended_program = if address == AddressSource::SuspendedProgram { PROGRAM } else { 0 };
        let states = DeviceState::ALL.into_iter().filter(|&state| forbidden_in & state_bit(state) != 0);
        Self { own, states: states.fold(suspended_program, |all, state| all | part_of(state)) }
    }
    /// The footprint of a step that addresses some planes and looks at others.
    pub(crate) fn on(&self, addressed: PlaneSet, seen: PlaneSet) -> Footprint {
        let Self { own, states } = *self;
        if own.is_sweeping() {
            return own;
        }
        let planes = !OF_PLANES | of_planes(addressed);
        Footprint {
            looks: own.looks & planes | states & (!OF_PLANES | of_planes(seen)),
            changes: own.changes & planes,
            hinders: own.hinders & planes,
            settles: own.settles & planes,
            lifts: own.lifts & planes,
        }
    }
}

/// All that some planes have.
fn of_planes(planes: PlaneSet) -> Parts {
    Parts::from(planes.0) * (1 | 1 << 8 | 1 << 16)
}
