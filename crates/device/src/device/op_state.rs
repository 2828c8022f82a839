//! The phases of planes: op_states, phase keys, and the status of dies.
//!
//! A plane remembers the last state-affecting operation on it and the bounds of its phases, so that its op_state is a
//! function of the time and needs no events.

use nandseq_profile::model::{PhaseKind, StatusOf};
use nandseq_profile::{BaseSet, Die, PhaseKey, Plane, PlaneSet, Ticks};

use super::state::{Device, Segment};
use crate::place::Place;
use crate::tables::{BaseInfo, OpInfo, Tables};

/// The status of a die, which a status read sees.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SeenStatus {
    /// A plane of the die is in CORE_BUSY.
    Busy,
    /// A plane of the die is in DATA_OUT or DATA_IN, none in CORE_BUSY.
    ExtReady,
    /// No plane of the die is in CORE_BUSY, DATA_OUT or DATA_IN.
    Ready,
}

/// The phase a plane is in at an instant: half-open, ISSUE included.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PlanePhase {
    /// The END key of the operation that is, or was last, on the plane; [`PhaseKey::DEFAULT`] when nothing ever ran there.
    pub of: PhaseKey,
    /// The phase; `None` when that operation has ended.
    pub phase: Option<PhaseKind>,
    /// When the phase began here; meaningless without a phase.
    pub start: Ticks,
    /// When the phase will end if nothing cuts it; meaningless without a phase.
    pub end: Ticks,
}

impl Segment {
    /// See [`Device::state_key`].
    fn key(&self, now: Ticks) -> (Option<PhaseKey>, Ticks) {
        if now >= self.end {
            (None, Ticks(u64::MAX))
        } else if now < self.issue_end {
            (None, self.issue_end)
        } else if now < self.busy_end {
            (self.busy_key, self.busy_end)
        } else {
            (self.window_key, self.end)
        }
    }
}

impl Device {
    /// The phase key of a plane as the proposer sees it: during ISSUE, and at the very tick at which CORE_BUSY or a window
    /// starts, still that of the operation before.
    #[must_use]
    pub fn phase_key(&self, die: Die, plane: Plane, now: Ticks) -> PhaseKey {
        let Some(segment) = &self.dies[usize::from(die.0)].segments[usize::from(plane.0)] else {
            return PhaseKey::DEFAULT;
        };
        if now >= segment.end {
            segment.end_key
        } else if now <= segment.issue_end {
            segment.before
        } else if now < segment.busy_end {
            segment.busy_key.unwrap_or(segment.before)
        } else if now == segment.busy_end {
            segment.before
        } else {
            segment.window_key.unwrap_or(segment.before)
        }
    }

    /// The phase a plane is in now.
    #[must_use]
    pub fn plane_phase(&self, die: Die, plane: Plane, now: Ticks) -> PlanePhase {
        let Some(segment) = &self.dies[usize::from(die.0)].segments[usize::from(plane.0)] else {
            return PlanePhase::default();
        };
        let (phase, start, end) = if now >= segment.end {
            return PlanePhase { of: segment.end_key, ..PlanePhase::default() };
        } else if now < segment.issue_end {
            (PhaseKind::Issue, segment.start, segment.issue_end)
        } else if now < segment.busy_end {
            (PhaseKind::CoreBusy, segment.issue_end, segment.busy_end)
        } else {
            (segment.window, segment.busy_end, segment.end)
        };
        PlanePhase { of: segment.end_key, phase: Some(phase), start, end }
    }

    /// The planes whose op_state an operation becomes: the first die, how many, and the planes of each; `None` when it
    /// affects none.
    #[must_use]
    pub fn shows_on(&self, info: &BaseInfo, place: &Place) -> Option<(Die, u8, PlaneSet)> {
        let dies = self.dies_of(info, place);
        info.becomes_op_state().then(|| (Die(dies.start as u8), dies.len() as u8, self.planes_of(info, place)))
    }

    /// Whether a plane has no operation's phase on it now.
    #[must_use]
    pub fn is_idle(&self, die: Die, plane: Plane, now: Ticks) -> bool {
        self.dies[usize::from(die.0)].segments[usize::from(plane.0)].is_none_or(|segment| now >= segment.end)
    }

    /// When the last phase on a die ends, or ended; 0 when nothing ever ran there. Operations that do not show in the op_state
    /// have no phase here. On a device made by [`Device::from_quiescent`] all earlier phases ended at its `now`.
    #[must_use]
    pub fn rests_from(&self, die: Die) -> Ticks {
        let segments = self.dies[usize::from(die.0)].segments.iter().flatten();
        segments.map(|segment| segment.end).max().unwrap_or_default()
    }

    /// When the DATA_IN or DATA_OUT window that is open on a plane now closes if nothing cuts it; `None` when none is open.
    #[must_use]
    pub fn window_end(&self, die: Die, plane: Plane, now: Ticks) -> Option<Ticks> {
        let segment = self.dies[usize::from(die.0)].segments[usize::from(plane.0)]?;
        (segment.busy_end <= now && now < segment.end).then_some(segment.end)
    }

    /// The bases that the op_state of a plane forbids; none during ISSUE and when the plane is idle.
    #[must_use]
    pub fn forbidden_by_op_state(&self, tables: &Tables, die: Die, plane: Plane, now: Ticks) -> BaseSet {
        self.state_key(die, plane, now).0.map_or(BaseSet::EMPTY, |key| tables.forbidden_in(key))
    }

    /// The key of a plane's op_state, `None` during ISSUE and when the plane is idle; and until when it stays so if nothing
    /// starts or is cut there.
    #[must_use]
    pub fn state_key(&self, die: Die, plane: Plane, now: Ticks) -> (Option<PhaseKey>, Ticks) {
        let segment = &self.dies[usize::from(die.0)].segments[usize::from(plane.0)];
        segment.as_ref().map_or((None, Ticks(u64::MAX)), |segment| segment.key(now))
    }

    /// The keys of [`Device::state_key`] for every plane of a die, and until when all of them stay so.
    #[must_use]
    pub fn state_keys(&self, die: Die, now: Ticks) -> ([Option<PhaseKey>; 8], Ticks) {
        let mut keys = [None; 8];
        let mut all = Ticks(u64::MAX);
        for (key, segment) in keys.iter_mut().zip(&self.dies[usize::from(die.0)].segments).take(self.all.len() as usize)
        {
            if let Some(segment) = segment {
                let (own, until) = segment.key(now);
                *key = own;
                all = all.min(until);
            }
        }
        (keys, all)
    }

    /// The status of a die.
    #[must_use]
    pub fn status(&self, die: Die, now: Ticks) -> SeenStatus {
        let mut status = SeenStatus::Ready;
        for segment in self.dies[usize::from(die.0)].segments.iter().flatten() {
            if segment.issue_end <= now && now < segment.busy_end {
                return SeenStatus::Busy;
            }
            if segment.busy_end <= now && now < segment.end {
                status = SeenStatus::ExtReady;
            }
        }
        status
    }

    /// The status that a status read must expect; `None` for any other operation.
    #[must_use]
    pub fn expected_status(&self, op: &OpInfo, place: &Place, now: Ticks) -> Option<SeenStatus> {
        Some(match op.status_of? {
            // A plane in CORE_BUSY makes its die busy, so the status of a plane is that of its die (rulebook, question 6).
            StatusOf::Die | StatusOf::Plane => self.status(place.die, now),
            StatusOf::Lun(lun) => self.status(Die(lun), now),
        })
    }

    /// Puts a new op_state on the planes of an operation; `segment` gets the END key of what was there before.
    pub(super) fn open_segments(&mut self, info: &BaseInfo, place: &Place, segment: impl Fn(PhaseKey) -> Segment) {
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            self.dies[die].stamp += 1;
            for plane in planes.iter() {
                let slot = &mut self.dies[die].segments[usize::from(plane.0)];
                *slot = Some(segment(slot.map_or(PhaseKey::DEFAULT, |before| before.end_key)));
            }
        }
    }
}
