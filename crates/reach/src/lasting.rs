//! The lasting states that an operation can bring about and another must end.

use nandseq_device::BaseInfo;
use nandseq_profile::model::{Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchKind, LatchLevel};

use crate::state::{Die, Plane};

/// A lasting state that a device may be unable to leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lasting {
    /// A state that exclusion tables look at.
    Of(DeviceState),
    /// The copyback latch is loaded.
    CopybackLatch,
}

impl Lasting {
    /// All that an operation can bring about and another must end.
    pub const ALL: [Self; 11] = [
        Self::Of(DeviceState::LatchOn(LatchLevel::Lsb)),
        Self::Of(DeviceState::LatchOn(LatchLevel::Csb)),
        Self::Of(DeviceState::LatchOn(LatchLevel::Msb)),
        Self::Of(DeviceState::Suspended(Axis::Erase)),
        Self::Of(DeviceState::Suspended(Axis::Program)),
        Self::Of(DeviceState::OdtDisabled),
        Self::Of(DeviceState::CacheRead(CacheReadKind::Cache)),
        Self::Of(DeviceState::CacheRead(CacheReadKind::PlaneCache)),
        Self::Of(DeviceState::CacheProgram(CacheProgramKind::Slc)),
        Self::Of(DeviceState::CacheProgram(CacheProgramKind::OneShot)),
        Self::CopybackLatch,
    ];

    /// The name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Of(state) => state.name(),
            Self::CopybackLatch => "the copyback latch",
        }
    }

    pub(crate) fn holds(self, (die, plane): &(Die, Plane)) -> bool {
        match self {
            Self::Of(state) => die.states().chain(plane.states()).any(|other| other == state),
            Self::CopybackLatch => die.copyback.is_some(),
        }
    }

    /// Whether an operation of a base ends it by its own effect, not by a reset.
    pub(crate) fn ended_by(self, info: &BaseInfo) -> bool {
        let effects = &info.effects;
        match self {
            Self::Of(DeviceState::LatchOn(_)) => effects.consume.is_some_and(|(kind, _)| kind == LatchKind::OneShot),
            Self::CopybackLatch => effects.consume.is_some_and(|(kind, _)| kind == LatchKind::Copyback),
            Self::Of(DeviceState::Suspended(axis)) => effects.resume == Some(axis),
            Self::Of(DeviceState::OdtDisabled) => effects.odt_enable,
            Self::Of(DeviceState::CacheRead(kind)) => effects.cache_read_end == Some(kind),
            Self::Of(DeviceState::CacheProgram(kind)) => effects.cache_program_end == Some(kind),
            Self::Of(DeviceState::LatchOnRead) => effects.data_out,
            Self::Of(DeviceState::NotSuspended(_)) => false,
        }
    }
}
