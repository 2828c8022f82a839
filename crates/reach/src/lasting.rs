//! The lasting states that an operation can bring about and another must end.

use nandseq_device::{BaseInfo, StateChange};
use nandseq_profile::model::{DeviceState, LatchKind};

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
    /// All states that an operation can bring about and another must end.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let must_end = |state: &DeviceState| match state {
            // Unread data gives way to the next operation on the plane. A die that is not suspended is at rest.
            DeviceState::LatchOnRead | DeviceState::NotSuspended(_) => false,
            DeviceState::LatchOn(_)
            | DeviceState::Suspended(_)
            | DeviceState::OdtDisabled
            | DeviceState::WriteProtect
            | DeviceState::CacheRead(_)
            | DeviceState::CacheProgram(_) => true,
        };
        DeviceState::ALL.into_iter().filter(must_end).map(Self::Of).chain([Self::CopybackLatch])
    }

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
        info.effects.changes().any(|change| match change {
            StateChange::Clear(LatchKind::OneShot) => matches!(self, Self::Of(DeviceState::LatchOn(_))),
            StateChange::Clear(LatchKind::Copyback) => self == Self::CopybackLatch,
            StateChange::EndSuspension(axis) => self == Self::Of(DeviceState::Suspended(axis)),
            StateChange::EndCacheProgram(kind) => self == Self::Of(DeviceState::CacheProgram(kind)),
            StateChange::PutOut => self == Self::Of(DeviceState::LatchOnRead),
            StateChange::SwitchOdt { off } => !off && self == Self::Of(DeviceState::OdtDisabled),
            StateChange::SwitchWriteProtect { on } => !on && self == Self::Of(DeviceState::WriteProtect),
            StateChange::EndCacheRead(kind) => self == Self::Of(DeviceState::CacheRead(kind)),
            StateChange::EmptyRegisters
            | StateChange::EmptyResumed(_)
            | StateChange::Fill { .. }
            | StateChange::EnterCacheRead(_)
            | StateChange::ReadOn
            | StateChange::Load(..)
            | StateChange::EnterCacheProgram(_)
            | StateChange::Reset => false,
        })
    }

    /// Whether an operation of a base is a reset that ends it.
    pub(crate) fn reset_by(self, info: &BaseInfo) -> bool {
        !matches!(self, Self::Of(DeviceState::OdtDisabled | DeviceState::WriteProtect))
            && info.effects.changes().any(|change| matches!(change, StateChange::Reset))
    }

    /// Whether an operation of a base may end it, or another of its kind take its place.
    pub(crate) fn may_be_ended_by(self, info: &BaseInfo) -> bool {
        self.ended_by(info)
            || self.reset_by(info)
            || info.effects.changes().any(|change| match change {
                StateChange::Load(LatchKind::OneShot, _) => matches!(self, Self::Of(DeviceState::LatchOn(_))),
                StateChange::Load(LatchKind::Copyback, _) => self == Self::CopybackLatch,
                StateChange::EnterCacheProgram(_) => matches!(self, Self::Of(DeviceState::CacheProgram(_))),
                StateChange::Clear(_)
                | StateChange::EndSuspension(_)
                | StateChange::EndCacheProgram(_)
                | StateChange::PutOut
                | StateChange::SwitchOdt { .. }
                | StateChange::SwitchWriteProtect { .. }
                | StateChange::EndCacheRead(_)
                | StateChange::EmptyRegisters
                | StateChange::EmptyResumed(_)
                | StateChange::Fill { .. }
                | StateChange::EnterCacheRead(_)
                | StateChange::ReadOn
                | StateChange::Reset => false,
            })
    }
}
