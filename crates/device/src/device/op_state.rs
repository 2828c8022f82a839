//! The phases of planes: op_states, phase keys, and the status of dies.
//!
//! A plane remembers the last state-affecting operation on it and the bounds of its phases, so that its op_state is a
//! function of the time and needs no events.

use nandseq_profile::model::{ByAxis, PhaseKind, StatusOf};
use nandseq_profile::{BaseId, Die, PhaseKey, Plane, PlaneSet, Ticks};

use super::state::{Device, DieState, Segment};
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

/// Which of the four keys of [`Device::phase_key`] counts: before, CORE_BUSY, the window, END. By the bits of [`Segment::key_seen`].
const SEEN: [u8; 16] = {
    let mut seen = [3; 16];
    let mut bits = 0;
    while bits < 8 {
        let (issued, at_busy_end, after_busy) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0);
        seen[bits] = if issued && !at_busy_end {
            1
        } else if issued && after_busy {
            2
        } else {
            0
        };
        bits += 1;
    }
    seen
};

impl Segment {
    /// The phase at a time: 0 ISSUE, 1 CORE_BUSY, 2 the window, 3 none any more.
    #[inline]
    fn phase_at(&self, now: Ticks) -> usize {
        usize::from(now >= self.issue_end) + usize::from(now >= self.busy_end) + usize::from(now >= self.end)
    }

    /// The op_state at a time.
    fn op_state(&self, now: Ticks) -> PhaseKey {
        self.op_states[self.phase_at(now) % 4]
    }

    /// Whether the op_state at a time forbids a base.
    #[inline]
    fn forbids(&self, base: BaseId, now: Ticks) -> bool {
        let (issued, was_busy, is_over) = (now >= self.issue_end, now >= self.busy_end, now >= self.end);
        self.forbidden.contain(base, was_busy) & issued & !is_over
    }

    /// See [`Device::phase_key`].
    #[inline]
    fn key_seen(&self, now: Ticks) -> PhaseKey {
        let bits = usize::from(now > self.issue_end)
            | usize::from(now >= self.busy_end) << 1
            | usize::from(now > self.busy_end) << 2
            | usize::from(now >= self.end) << 3;
        self.keys[usize::from(SEEN[bits] % 4)]
    }
}

impl Device {
    /// The phase key of a plane as the proposer sees it: during ISSUE, and at the very tick at which CORE_BUSY or a window
    /// starts, still that of the operation before.
    #[must_use]
    pub fn phase_key(&self, die: Die, plane: Plane, now: Ticks) -> PhaseKey {
        self.segment(die, plane).key_seen(now)
    }

    fn segment(&self, die: Die, plane: Plane) -> &Segment {
        &self.dies[usize::from(die.0)].segments[usize::from(plane.0)]
    }

    /// The phase a plane is in now.
    #[must_use]
    pub fn plane_phase(&self, die: Die, plane: Plane, now: Ticks) -> PlanePhase {
        let segment = self.segment(die, plane);
        let kinds = [Some(PhaseKind::Issue), Some(PhaseKind::CoreBusy), Some(segment.window), None];
        let starts = [segment.start, segment.issue_end, segment.busy_end, Ticks::ZERO];
        let ends = [segment.issue_end, segment.busy_end, segment.end, Ticks::ZERO];
        let at = segment.phase_at(now) % 4;
        PlanePhase { of: segment.keys[3], phase: kinds[at], start: starts[at], end: ends[at] }
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
        now >= self.segment(die, plane).end
    }

    /// When the last phase on a die ends, or ended; 0 when nothing ever ran there. Operations that do not show in the op_state
    /// have no phase here. On a device made by [`Device::from_quiescent`] all earlier phases ended at its `now`.
    #[must_use]
    pub fn rests_from(&self, die: Die) -> Ticks {
        let segments = self.dies[usize::from(die.0)].segments.iter();
        segments.map(|segment| segment.end).max().unwrap_or_default()
    }

    /// When the first of the DATA_IN and DATA_OUT windows closes that are open on a die now if nothing cuts them, or never; and until
    /// when this stays so if nothing starts or is cut there.
    #[must_use]
    pub fn first_window_end(&self, die: Die, now: Ticks) -> (Ticks, Ticks) {
        let never = Ticks(u64::MAX);
        let (mut first, mut all) = (never, never);
        for segment in self.dies[usize::from(die.0)].segments.iter().take(self.all.len() as usize) {
            let (is_before, is_open) = (now < segment.busy_end, (segment.busy_end <= now) & (now < segment.end));
            first = first.min(if is_open { segment.end } else { never });
            all = all.min(if is_before { segment.busy_end } else { never });
        }
        (first, all.min(first))
    }

    /// Those of some planes of a die whose op_state forbids a base; none during ISSUE and when a plane is idle.
    #[must_use]
    pub fn forbidding(&self, tables: &Tables, (die, planes): (Die, PlaneSet), base: BaseId, now: Ticks) -> PlaneSet {
        let segments = &self.dies[usize::from(die.0)].segments;
        let (mut forbidding, mut left) = (0, u32::from(planes.0));
        while left != 0 {
            let plane = left.trailing_zeros();
            left &= left - 1;
            let segment = &segments[plane as usize % 8];
            let is_so = segment.forbids(base, now);
            debug_assert_eq!(
                is_so,
                tables.op_states_against(base).contains(segment.op_state(now)),
                "as its op_state says"
            );
            forbidding |= u32::from(is_so) << plane;
        }
        PlaneSet(forbidding as u8)
    }

    /// Whether the op_state of one of some planes of a die forbids a base. Most operations look at one plane.
    #[inline]
    pub(super) fn is_forbidden(
        &self,
        tables: &Tables,
        (die, planes): (Die, PlaneSet),
        base: BaseId,
        now: Ticks,
    ) -> bool {
        if planes.0.is_power_of_two() {
            let plane = planes.0.trailing_zeros() as usize % 8;
            self.dies[usize::from(die.0)].segments[plane].forbids(base, now)
        } else {
            !self.forbidding(tables, (die, planes), base, now).is_empty()
        }
    }

    /// Tells of every plane of a die the key of its op_state, [`Tables::NO_OP_STATE`] during ISSUE and when it is idle. Returns until when
    /// all of them stay so if nothing starts or is cut there.
    #[inline]
    pub fn op_states(&self, die: Die, now: Ticks, mut tell: impl FnMut(Plane, PhaseKey)) -> Ticks {
        let mut all = Ticks(u64::MAX);
        let segments = self.dies[usize::from(die.0)].segments.iter();
        for (plane, segment) in (0..).map(Plane).zip(segments.take(self.all.len() as usize)) {
            let at = segment.phase_at(now) % 4;
            let until = [segment.issue_end, segment.busy_end, segment.end, Ticks(u64::MAX)][at];
            tell(plane, segment.op_states[at]);
            all = all.min(until);
        }
        all
    }

    /// The status of a die.
    #[must_use]
    pub fn status(&self, die: Die, now: Ticks) -> SeenStatus {
        let mut status = SeenStatus::Ready;
        for segment in &self.dies[usize::from(die.0)].segments {
            match segment.phase_at(now) {
                1 => return SeenStatus::Busy,
                2 => status = SeenStatus::ExtReady,
                _ => {}
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

    /// The axes that a status read sees suspended: each from the end of its SUSPEND to the start of its RESUME.
    #[must_use]
    pub fn expected_suspension(&self, tables: &Tables, op: &OpInfo, place: &Place) -> ByAxis<bool> {
        let die = match op.status_of {
            Some(StatusOf::Lun(lun)) => Die(lun),
            Some(StatusOf::Die | StatusOf::Plane) | None => place.die,
        };
        let is_under_way = |axis| {
            let mut flights = self.flights_on(die).map(|(_, flight)| &tables.base_of(flight.op).effects);
            flights.any(|effects| effects.suspend == Some(axis) || effects.resume == Some(axis))
        };
        ByAxis::new(|axis| self.suspended(die, axis).is_some() && !is_under_way(axis))
    }

    /// Puts a new op_state on the planes of an operation.
    pub(super) fn open_segments(&mut self, info: &BaseInfo, place: &Place, segment: &Segment) {
        let planes = self.planes_of(info, place);
        for die in self.dies_of(info, place) {
            self.stamps[die] += 1;
            self.dies[die].open(planes, segment);
        }
    }
}

impl DieState {
    /// Puts a new op_state on some planes. It remembers the END key of what was there before.
    #[inline]
    pub(super) fn open(&mut self, planes: PlaneSet, segment: &Segment) {
        let mut left = u32::from(planes.0);
        while left != 0 {
            let slot = &mut self.segments[left.trailing_zeros() as usize % 8];
            let ([_, busy, window, _], [.., before]) = (segment.op_states, slot.keys);
            let or_before = |key| if key == Tables::NO_OP_STATE { before } else { key };
            let keys = [before, or_before(busy), or_before(window), segment.keys[3]];
            *slot = Segment { keys, ..*segment };
            left &= left - 1;
        }
    }
}
