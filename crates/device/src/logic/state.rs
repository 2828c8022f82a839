//! The parts of the lasting state of a die, as data.

use nandseq_profile::BaseId;
use nandseq_profile::model::{Axis, CacheProgramKind, DeviceState, LatchKind, LatchLevel};
use serde::{Deserialize, Serialize};

use super::registers::DieRegisters;
use crate::place::Place;
use crate::state_bits::state_bit;

/// The contents of a latch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// The level of the last load.
    pub level: LatchLevel,
    /// The address it is loaded for.
    pub place: Place,
}

/// A cache program under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CacheProgram {
    /// Its kind.
    pub kind: CacheProgramKind,
    /// Its last page.
    pub place: Place,
}

/// A suspended operation, as far as rules need it. [`crate::SuspendedOperation`] has its remainder.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Suspended {
    /// Its address.
    pub place: Place,
    /// Its base.
    pub base: BaseId,
}

/// The lasting state of a die.
///
/// Who writes one of its fields calls [`DieLogic::note_states`] afterwards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "SavedLogic")]
pub struct DieLogic {
    /// The one-shot latch.
    pub one_shot: Option<Loaded>,
    /// The copyback latch.
    pub copyback: Option<Loaded>,
    /// The cache-program state.
    pub cache_program: Option<CacheProgram>,
    /// The suspended erase.
    pub erase: Option<Suspended>,
    /// The suspended program.
    pub program: Option<Suspended>,
    /// Whether on-die termination is off (the same on every die).
    pub odt_disabled: bool,
    /// Whether write protect is on (the same on every die). A snapshot leaves it out if it is off.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub write_protected: bool,
    /// The registers of the planes.
    pub planes: DieRegisters,
    /// The states that the die is in, as bits of [`state_bit`]. They follow from the fields.
    #[serde(skip)]
    pub(crate) states: u16,
}

/// The lasting state of a die as a snapshot has it.
#[derive(Deserialize)]
struct SavedLogic {
    one_shot: Option<Loaded>,
    copyback: Option<Loaded>,
    cache_program: Option<CacheProgram>,
    erase: Option<Suspended>,
    program: Option<Suspended>,
    odt_disabled: bool,
    #[serde(default)]
    write_protected: bool,
    planes: DieRegisters,
}

impl From<SavedLogic> for DieLogic {
    fn from(saved: SavedLogic) -> Self {
        let SavedLogic { one_shot, copyback, cache_program, erase, program, odt_disabled, write_protected, planes } =
            saved;
        let mut logic = Self {
            one_shot,
            copyback,
            cache_program,
            erase,
            program,
            odt_disabled,
            write_protected,
            planes,
            states: 0,
        };
        logic.note_states();
        logic
    }
}

impl Default for DieLogic {
    fn default() -> Self {
        let (one_shot, copyback, cache_program, erase, program) = (None, None, None, None, None);
        let (odt_disabled, write_protected, planes) = (false, false, DieRegisters::default());
        Self::from(SavedLogic {
            one_shot,
            copyback,
            cache_program,
            erase,
            program,
            odt_disabled,
            write_protected,
            planes,
        })
    }
}

impl DieLogic {
    /// The suspended operation of an axis.
    #[must_use]
    pub const fn suspended(&self, axis: Axis) -> Option<Suspended> {
        match axis {
            Axis::Erase => self.erase,
            Axis::Program => self.program,
        }
    }

    /// A latch.
    #[must_use]
    pub const fn latch(&self, kind: LatchKind) -> Option<Loaded> {
        match kind {
            LatchKind::OneShot => self.one_shot,
            LatchKind::Copyback => self.copyback,
        }
    }

    pub(super) const fn latch_mut(&mut self, kind: LatchKind) -> &mut Option<Loaded> {
        match kind {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }

    /// An operation of an axis is suspended from now on.
    pub const fn suspend(&mut self, axis: Axis, suspended: Suspended) {
        match axis {
            Axis::Erase => self.erase = Some(suspended),
            Axis::Program => self.program = Some(suspended),
        }
        self.note_states();
    }

    /// The states that this die is in, as bits of [`state_bit`].
    #[inline]
    pub(super) fn states(&self) -> u16 {
        debug_assert_eq!(self.states, self.found_states(), "noted after the last change");
        self.states
    }

    /// Notes the states that this die is in, after its fields have been written.
    pub const fn note_states(&mut self) {
        self.states = self.found_states();
    }

    /// The states that follow from the fields. The pattern names every field, so that none is forgotten.
    const fn found_states(&self) -> u16 {
        #[rustfmt::skip]
        let Self { one_shot, copyback: _, cache_program, erase, program, odt_disabled, write_protected, planes: _, states: _ } = self;
        let by_latch = match one_shot {
            Some(loaded) => state_bit(DeviceState::LatchOn(loaded.level)),
            None => 0,
        };
        let by_cache_program = match cache_program {
            Some(state) => state_bit(DeviceState::CacheProgram(state.kind)),
            None => 0,
        };
        by_latch
            | by_cache_program
            | state_bit(of_axis(Axis::Erase, erase))
            | state_bit(of_axis(Axis::Program, program))
            | if *odt_disabled { state_bit(DeviceState::OdtDisabled) } else { 0 }
            | if *write_protected { state_bit(DeviceState::WriteProtect) } else { 0 }
    }

    /// Takes over the state of the target, which all dies have in common. A reset leaves it as it is.
    pub(crate) const fn share_target(&mut self, other: &Self) {
        #[rustfmt::skip]
        let Self { odt_disabled, write_protected, one_shot: _, copyback: _, cache_program: _, erase: _, program: _, planes: _, states: _ } = *other;
        (self.odt_disabled, self.write_protected) = (odt_disabled, write_protected);
        self.note_states();
    }

    /// Whether another die has the same state of the target, as all dies have.
    #[must_use]
    pub fn agrees_on_target(&self, other: &Self) -> bool {
        let mut shared = *self;
        shared.share_target(other);
        shared == *self
    }
}

const fn of_axis(axis: Axis, suspended: &Option<Suspended>) -> DeviceState {
    match suspended {
        Some(_) => DeviceState::Suspended(axis),
        None => DeviceState::NotSuspended(axis),
    }
}
