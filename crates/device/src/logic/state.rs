//! The parts of the lasting state of a die, as data.

use nandseq_profile::BaseId;
use nandseq_profile::model::{Axis, CacheProgramKind, LatchKind, LatchLevel};
use serde::{Deserialize, Serialize};

use super::registers::DieRegisters;
use crate::place::Place;

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
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
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
    }

    /// Takes over the state of the target, which all dies have in common. A reset leaves it as it is.
    pub(crate) const fn share_target(&mut self, other: &Self) {
        #[rustfmt::skip]
        let Self { odt_disabled, write_protected, one_shot: _, copyback: _, cache_program: _, erase: _, program: _, planes: _ } = *other;
        (self.odt_disabled, self.write_protected) = (odt_disabled, write_protected);
    }

    /// Whether another die has the same state of the target, as all dies have.
    #[must_use]
    pub fn agrees_on_target(&self, other: &Self) -> bool {
        let mut shared = *self;
        shared.share_target(other);
        shared == *self
    }
}
