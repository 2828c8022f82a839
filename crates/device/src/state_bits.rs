//! Sets of states of the exclusion tables, as bits.

use nandseq_profile::model::{Axis, CacheProgramKind, CacheReadKind, DeviceState, LatchLevel};

/// The states that planes can be in. Dies can be in the others.
pub(crate) const STATES_OF_PLANES: [DeviceState; 3] = [
    DeviceState::LatchOnRead,
    DeviceState::CacheRead(CacheReadKind::Cache),
    DeviceState::CacheRead(CacheReadKind::PlaneCache),
];

/// The bit of a state in sets of states.
pub(crate) const fn state_bit(state: DeviceState) -> u16 {
    1 << state_index(state)
}

/// Position of a state in [`DeviceState::ALL`].
pub(crate) const fn state_index(state: DeviceState) -> usize {
    match state {
        DeviceState::LatchOnRead => 0,
        DeviceState::LatchOn(LatchLevel::Lsb) => 1,
        DeviceState::LatchOn(LatchLevel::Csb) => 2,
        DeviceState::LatchOn(LatchLevel::Msb) => 3,
        DeviceState::Suspended(Axis::Erase) => 4,
        DeviceState::NotSuspended(Axis::Erase) => 5,
        DeviceState::Suspended(Axis::Program) => 6,
        DeviceState::NotSuspended(Axis::Program) => 7,
        DeviceState::OdtDisabled => 8,
        DeviceState::WriteProtect => 9,
        DeviceState::CacheRead(CacheReadKind::Cache) => 10,
        DeviceState::CacheRead(CacheReadKind::PlaneCache) => 11,
        DeviceState::CacheProgram(CacheProgramKind::Slc) => 12,
        DeviceState::CacheProgram(CacheProgramKind::OneShot) => 13,
    }
}

const _: () = assert!(DeviceState::ALL.len() <= u16::BITS as usize, "each state has a bit");
