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

/// Parts of the lasting state of a die, one bit each: the registers of each plane in the low 8, then what the die has once.
pub type Parts = u16;

/// The registers of every plane.
const REGISTERS: Parts = (1 << 8) - 1;
/// The one-shot latch.
const ONE_SHOT: Parts = 1 << 8;
/// The copyback latch.
const COPYBACK: Parts = 1 << 9;
/// The cache-program state.
const CACHE_PROGRAM: Parts = 1 << 10;
/// The suspended erase.
const ERASE: Parts = 1 << 11;
/// The suspended program.
const PROGRAM: Parts = 1 << 12;
/// On-die termination.
const ODT: Parts = 1 << 13;
/// Write protect.
const WRITE_PROTECT: Parts = 1 << 14;
/// All parts. The pattern names every field of the lasting state: a new field needs a bit, here too.
const ALL: Parts = {
    #[rustfmt::skip]
    const _: fn(DieLogic) = |DieLogic { planes: _, one_shot: _, copyback: _, cache_program: _, erase: _, program: _, odt_disabled: _, write_protected: _, states: _ }| ();
    REGISTERS | ONE_SHOT | COPYBACK | CACHE_PROGRAM | ERASE | PROGRAM | ODT | WRITE_PROTECT
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
        DeviceState::LatchOnRead | DeviceState::CacheRead(_) => REGISTERS,
        DeviceState::LatchOn(_) => ONE_SHOT,
        DeviceState::Suspended(Axis::Erase) | DeviceState::NotSuspended(Axis::Erase) => ERASE,
        DeviceState::Suspended(Axis::Program) | DeviceState::NotSuspended(Axis::Program) => PROGRAM,
        DeviceState::OdtDisabled => ODT,
        DeviceState::WriteProtect => WRITE_PROTECT,
        DeviceState::CacheProgram(_) => CACHE_PROGRAM,
    }
}

/// The parts that a step looks at, changes and hinders.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Footprint {
    /// The parts that decide whether the step may start, and what its changes are.
    pub looks: Parts,
    /// The parts that its start or end may change.
    pub changes: Parts,
    /// The parts of `changes` whose change may keep another step from starting. A data output hinders none: it only ends what
    /// forbids others.
    pub hinders: Parts,
}

impl Footprint {
    /// Whether neither step changes a part that the other looks at or changes.
    #[must_use]
    pub const fn is_apart_from(self, other: Self) -> bool {
        self.changes & (other.looks | other.changes) == 0 && self.looks & other.changes == 0
    }

    /// The parts of both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            looks: self.looks | other.looks,
            changes: self.changes | other.changes,
            hinders: self.hinders | other.hinders,
        }
    }

    /// Whether it may change every part: a SUSPEND, a RESUME or a reset.
    #[must_use]
    pub const fn is_sweeping(self) -> bool {
        self.changes == ALL
    }

    const SWEEPING: Self = Self { looks: ALL, changes: ALL, hinders: ALL };

    const fn of_need(need: Precondition) -> Self {
        let looks = match need {
            Precondition::CopybackPage
            | Precondition::NothingUnread
            | Precondition::PageToReadOn
            | Precondition::PageToPutOut
            | Precondition::Output => REGISTERS,
            Precondition::Latch(kind, _) => latch(kind),
            Precondition::NextOfCacheProgram => CACHE_PROGRAM,
            Precondition::NothingInFlight(_) => 0,
            Precondition::Suspended(_) | Precondition::InCoreBusy(_) => return Self::SWEEPING,
        };
        Self { looks, changes: 0, hinders: 0 }
    }

    const fn of_change(change: StateChange) -> Self {
        let (looks, changes, hinders) = match change {
            StateChange::EmptyRegisters
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::EndCacheRead(_) => (REGISTERS, REGISTERS, REGISTERS),
            StateChange::PutOut => (REGISTERS, REGISTERS, 0),
            StateChange::Load(kind, _) | StateChange::Clear(kind) => (latch(kind), latch(kind), latch(kind)),
            StateChange::EnterCacheProgram(_) | StateChange::EndCacheProgram(_) => {
                (CACHE_PROGRAM, CACHE_PROGRAM, CACHE_PROGRAM)
            }
            StateChange::SwitchOdt { .. } => (0, ODT, ODT),
            StateChange::SwitchWriteProtect { .. } => (0, WRITE_PROTECT, WRITE_PROTECT),
            StateChange::EmptyResumed(_) | StateChange::EndSuspension(_) | StateChange::Reset => return Self::SWEEPING,
        };
        Self { looks, changes, hinders }
    }
}

/// The footprint of a base, for any place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BaseFootprint {
    /// From its preconditions and state changes. Registers stand for those of the planes that it addresses.
    own: Footprint,
    /// The parts whose states exclude it. Registers stand for those of the planes that it looks at.
    states: Parts,
}

impl BaseFootprint {
    /// The footprint of some effects; `forbidden_in` are the states that exclude the base, as bits of [`state_bit`].
    pub(crate) fn new(effects: &Effects, address: AddressSource, forbidden_in: u16) -> Self {
        let needs = effects.needs().map(Footprint::of_need);
        let own = needs.chain(effects.changes().map(Footprint::of_change)).fold(Footprint::default(), Footprint::and);
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
        let planes = !REGISTERS | Parts::from(addressed.0);
        Footprint {
            looks: own.looks & planes | states & (!REGISTERS | Parts::from(seen.0)),
            changes: own.changes & planes,
            hinders: own.hinders & planes,
        }
    }
}
