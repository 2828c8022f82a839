//! Which parts of a die's lasting state a step looks at and which it changes.
//!
//! Two steps of which neither changes what the other looks at or changes may come in either order: both orders are allowed or
//! neither is, and both end in the same state. That is what makes a search for an order of many steps short. Parts may be
//! named without need, never left out.

use nandseq_profile::PlaneSet;
use nandseq_profile::model::{AddressSource, Axis, CacheProgramKind, DeviceState, LatchKind, LatchLevel};

use crate::place::Place;
use crate::tables::{BaseInfo, Effects, Reach, state_bit};

/// Parts of the lasting state of a die, one bit each: the registers of each plane in the low 8, then what the die has once.
pub type Parts = u16;

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
/// Everything.
const ALL: Parts = (1 << 14) - 1;

/// What a step looks at and what it changes.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Footprint {
    /// Whether it may start, and what it changes into what, follows from these parts.
    pub looks: Parts,
    /// No other part is changed by its start or end.
    pub changes: Parts,
    /// Of these, those whose change may keep another step from starting that could have started without it. Putting data out
    /// only ends what forbids others, and whatever comes after.
    pub hinders: Parts,
}

impl Footprint {
    /// What a step of a base at a place touches; `all` are the planes of the die.
    #[must_use]
    pub fn of(info: &BaseInfo, place: &Place, all: PlaneSet) -> Self {
        let own = |footprints: bool| if footprints { Parts::from(place.planes.0) } else { 0 };
        let seen = match info.reach {
            Reach::Planes => place.planes,
            Reach::Die | Reach::Target => all,
        };
        let seen = if info.looks_at_plane_states { Parts::from(seen.0) } else { 0 };
        let fills = info.effects.reads_array() || info.effects.cache_read_end.is_some() || info.effects.changes_block();
        Self {
            looks: info.footprint.looks | own(info.looks_at_registers) | seen,
            changes: info.footprint.changes | own(fills || info.effects.data_out),
            hinders: info.footprint.hinders | own(fills),
        }
    }

    /// Whether neither changes what the other looks at or changes.
    #[must_use]
    pub const fn is_apart_from(self, other: Self) -> bool {
        self.changes & (other.looks | other.changes) == 0 && self.looks & other.changes == 0
    }

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            looks: self.looks | other.looks,
            changes: self.changes | other.changes,
            hinders: self.hinders | other.hinders,
        }
    }

    /// Whether it may change anything: suspensions, resumptions and resets.
    #[must_use]
    pub const fn is_sweeping(self) -> bool {
        self.changes == ALL
    }

    /// What a base looks at and changes beyond the registers of its planes; `forbidden_in` are the states that forbid it.
    pub(crate) fn of_base(effects: &Effects, address: AddressSource, forbidden_in: u16) -> Self {
        let sweeps = effects.cuts() || effects.resume.is_some();
        if sweeps {
            return Self { looks: ALL, changes: ALL, hinders: ALL };
        }
        let given = |holds: bool, part: Parts| if holds { part } else { 0 };
        let by = |states: &[DeviceState]| states.iter().any(|&state| forbidden_in & state_bit(state) != 0);
        let latch = |kind| match kind {
            LatchKind::OneShot => ONE_SHOT,
            LatchKind::Copyback => COPYBACK,
        };
        let axis = |axis| by(&[DeviceState::Suspended(axis), DeviceState::NotSuspended(axis)]);
        let latches =
            effects.load.map_or(0, |(kind, ..)| latch(kind)) | effects.consume.map_or(0, |(kind, _)| latch(kind));
        let goes_on = effects.cache_program.is_some() || effects.cache_program_end.is_some();
        let levels = [LatchLevel::Lsb, LatchLevel::Csb, LatchLevel::Msb].map(DeviceState::LatchOn);
        let kinds = [CacheProgramKind::Slc, CacheProgramKind::OneShot].map(DeviceState::CacheProgram);
        let changes = latches | given(goes_on, CACHE_PROGRAM) | given(effects.odt_disable || effects.odt_enable, ODT);
        Self {
            looks: latches
                | given(by(&levels), ONE_SHOT)
                | given(by(&kinds) || effects.is_program() || goes_on, CACHE_PROGRAM)
                | given(axis(Axis::Erase), ERASE)
                | given(axis(Axis::Program) || address == AddressSource::SuspendedProgram, PROGRAM)
                | given(by(&[DeviceState::OdtDisabled]), ODT),
            changes,
            hinders: changes,
        }
    }
}
