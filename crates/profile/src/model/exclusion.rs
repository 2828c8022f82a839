//! The exclusion tables: the bases that are forbidden in each state of the device.

use super::{Axis, CacheProgramKind, CacheReadKind, LatchLevel};
use crate::ids::{BaseSet, GroupId, IdVec, PhaseKey};

/// The exclusion tables: state → groups → forbidden bases.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Exclusions {
    /// Named lists of forbidden bases.
    pub groups: IdVec<GroupId, ExclusionGroup>,
    /// The groups that are forbidden in an op_state. An entry of `BASE.END` is not a rule of the device: it only keeps operations
    /// from being proposed under that phase key.
    pub by_op_state: Vec<(PhaseKey, Vec<GroupId>)>,
    /// The groups that are forbidden in another state, in the order of the file.
    pub by_state: Vec<(DeviceState, Vec<GroupId>)>,
}

/// A named list of forbidden bases.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExclusionGroup {
    /// The name (`on_busy`).
    pub name: String,
    /// The bases it forbids.
    pub forbids: BaseSet,
}

/// A state of the device that has an exclusion table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DeviceState {
    /// `LATCH_ON_READ`: the output register of the plane has data that was not put out.
    LatchOnRead,
    /// `LATCH_ON_LSB`, `LATCH_ON_CSB`, `LATCH_ON_MSB`: the level of the one-shot latch of the die.
    LatchOn(LatchLevel),
    /// `ERASE_SUSPENDED`, `PROGRAM_SUSPENDED`
    Suspended(Axis),
    /// `NOT_ERASE_SUSPENDED`, `NOT_PROGRAM_SUSPENDED`
    NotSuspended(Axis),
    /// `ODT_DISABLE`
    OdtDisabled,
    /// `WRITE_PROTECT`: write protect of the target is on.
    WriteProtect,
    /// `ON_CACHE_READ`, `ON_PLANE_CACHE_READ`
    CacheRead(CacheReadKind),
    /// `ON_CACHE_PROGRAM`, `ON_ONESHOT_CACHE_PROGRAM`
    CacheProgram(CacheProgramKind),
}

impl DeviceState {
    /// All states, in the order of their documentation.
    pub const ALL: [Self; 14] = [
        Self::LatchOnRead,
        Self::LatchOn(LatchLevel::Lsb),
        Self::LatchOn(LatchLevel::Csb),
        Self::LatchOn(LatchLevel::Msb),
        Self::Suspended(Axis::Erase),
        Self::NotSuspended(Axis::Erase),
        Self::Suspended(Axis::Program),
        Self::NotSuspended(Axis::Program),
        Self::OdtDisabled,
        Self::WriteProtect,
        Self::CacheRead(CacheReadKind::Cache),
        Self::CacheRead(CacheReadKind::PlaneCache),
        Self::CacheProgram(CacheProgramKind::Slc),
        Self::CacheProgram(CacheProgramKind::OneShot),
    ];

    /// The name in profiles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LatchOnRead => "LATCH_ON_READ",
            Self::LatchOn(LatchLevel::Lsb) => "LATCH_ON_LSB",
            Self::LatchOn(LatchLevel::Csb) => "LATCH_ON_CSB",
            Self::LatchOn(LatchLevel::Msb) => "LATCH_ON_MSB",
            Self::Suspended(Axis::Erase) => "ERASE_SUSPENDED",
            Self::NotSuspended(Axis::Erase) => "NOT_ERASE_SUSPENDED",
            Self::Suspended(Axis::Program) => "PROGRAM_SUSPENDED",
            Self::NotSuspended(Axis::Program) => "NOT_PROGRAM_SUSPENDED",
            Self::OdtDisabled => "ODT_DISABLE",
            Self::WriteProtect => "WRITE_PROTECT",
            Self::CacheRead(CacheReadKind::Cache) => "ON_CACHE_READ",
            Self::CacheRead(CacheReadKind::PlaneCache) => "ON_PLANE_CACHE_READ",
            Self::CacheProgram(CacheProgramKind::Slc) => "ON_CACHE_PROGRAM",
            Self::CacheProgram(CacheProgramKind::OneShot) => "ON_ONESHOT_CACHE_PROGRAM",
        }
    }
}

impl DeviceState {
    /// Whether a reset leaves the state unchanged. This is so for the states of the whole target.
    #[must_use]
    pub const fn survives_reset(self) -> bool {
        match self {
            Self::OdtDisabled | Self::WriteProtect => true,
            Self::LatchOnRead
            | Self::LatchOn(_)
            | Self::Suspended(_)
            | Self::NotSuspended(_)
            | Self::CacheRead(_)
            | Self::CacheProgram(_) => false,
        }
    }
}

impl Exclusions {
    /// The bases forbidden by a list of groups.
    #[must_use]
    pub fn forbidden(&self, groups: &[GroupId]) -> BaseSet {
        groups.iter().fold(BaseSet::EMPTY, |set, &group| set.union(self.groups[group].forbids))
    }

    /// The bases forbidden under a phase key.
    #[must_use]
    pub fn in_op_state(&self, key: PhaseKey) -> BaseSet {
        self.by_op_state
            .iter()
            .filter(|(state, _)| *state == key)
            .fold(BaseSet::EMPTY, |set, (_, groups)| set.union(self.forbidden(groups)))
    }

    /// The bases forbidden in a device state.
    #[must_use]
    pub fn in_state(&self, wanted: DeviceState) -> BaseSet {
        self.by_state
            .iter()
            .filter(|(state, _)| *state == wanted)
            .fold(BaseSet::EMPTY, |set, (_, groups)| set.union(self.forbidden(groups)))
    }
}
