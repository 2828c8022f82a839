//! The phases of a written operation in time, with its suspensions.
//!
//! Times follow from the start, the durations of the profile, and the rows of SUSPEND, RESUME and RESET. A position is a time that
//! the operation itself has been at work: it stands still while the operation is suspended.

use nandseq_plan::model::{StepMoment, WHOLE};
use nandseq_profile::model::{Base, Op, PhaseKind};
use nandseq_profile::{IdVec, OpId, Profile, Ticks};

/// The phases of an operation as positions.
#[derive(Clone, Debug)]
pub(super) struct PhaseLengths {
    /// Where each kind of phase begins and ends; `None` if the operation does not have it.
    phases: [Option<(Ticks, Ticks)>; PhaseKind::ALL.len()],
    /// Where it no longer occupies its planes.
    occupied: Ticks,
    /// Where its array is done.
    pub(super) array_done: Ticks,
    /// Where its last phase ends.
    total: Ticks,
}

impl PhaseLengths {
    /// The phases of all operations of a profile.
    pub(super) fn all(profile: &Profile) -> IdVec<OpId, Self> {
        profile.ops.iter().map(|op| Self::new(&profile.bases[op.base], op)).collect()
    }

    fn new(base: &Base, op: &Op) -> Self {
        let mut lengths =
            Self { phases: Default::default(), occupied: Ticks::ZERO, array_done: Ticks::ZERO, total: Ticks::ZERO };
        for (phase, &length) in base.phases.iter().zip(&op.durations) {
            let begin = lengths.total;
            lengths.total = Ticks(begin.0.saturating_add(length.0));
            lengths.phases[phase.kind as usize] = Some((begin, lengths.total));
            if !phase.kind.is_window() {
                lengths.occupied = lengths.total;
            }
            match phase.kind {
                PhaseKind::Issue | PhaseKind::CoreBusy => lengths.array_done = lengths.total,
                PhaseKind::DataIn | PhaseKind::DataOut => {}
            }
        }
        lengths
    }

    fn phase(&self, kind: PhaseKind) -> Option<(Ticks, Ticks)> {
        self.phases[kind as usize]
    }
}

/// A suspension that a RESUME has ended, or will have ended.
#[derive(Clone, Copy, Debug)]
struct Pause {
    position: Ticks,
    length: Ticks,
}

/// The times of an operation that has started.
#[derive(Clone, Debug)]
pub(super) struct PhaseClock {
    pub(super) start: Ticks,
    /// In order of their positions.
    pauses: Vec<Pause>,
    /// The position and the time at which it was suspended, if no RESUME has come.
    suspended: Option<(Ticks, Ticks)>,
    /// When a reset ended it.
    reset: Option<Ticks>,
    /// When later operations had cut its window short.
    window_cut: Option<Ticks>,
}

impl PhaseClock {
    pub(super) fn new(start: Ticks) -> Self {
        Self { start, pauses: Vec::new(), suspended: None, reset: None, window_cut: None }
    }

    /// The position at a time; `None` while it is suspended.
    fn position(&self, now: Ticks) -> Option<Ticks> {
        if self.suspended.is_some_and(|(_, since)| since <= now) {
            return None;
        }
        let mut position = now.0.saturating_sub(self.start.0);
        for pause in &self.pauses {
            if position < pause.position.0 {
                break;
            }
            if position < pause.position.0.saturating_add(pause.length.0) {
                return None;
            }
            position -= pause.length.0;
        }
        Some(Ticks(position))
    }

    /// The position at a time, whether it is suspended or not.
    fn reached(&self, now: Ticks) -> Ticks {
        let paused = || {
            let begun = self.pauses.iter().rev().find(|pause| self.time_of(pause.position) <= Some(now));
            begun.map_or(Ticks::ZERO, |pause| pause.position)
        };
        self.position(now).unwrap_or_else(|| self.suspended.map_or_else(paused, |(position, _)| position))
    }

    /// When a position is reached; `None` if that is not known yet.
    fn time_of(&self, position: Ticks) -> Option<Ticks> {
        if self.suspended.is_some_and(|(stopped, _)| position > stopped) {
            return None;
        }
        let before = self.pauses.iter().take_while(|pause| pause.position < position);
        let paused = before.fold(0u64, |sum, pause| sum.saturating_add(pause.length.0));
        Some(Ticks(self.start.0.saturating_add(position.0).saturating_add(paused)))
    }

    /// Suspends the operation.
    pub(super) fn suspend(&mut self, now: Ticks) {
        if let Some(position) = self.position(now) {
            self.suspended = Some((position, now));
        }
    }

    /// Lets the suspended operation go on at a time, which may be to come.
    pub(super) fn resume(&mut self, at: Ticks) {
        if let Some((position, since)) = self.suspended.take() {
            self.pauses.push(Pause { position, length: Ticks(at.0.saturating_sub(since.0)) });
        }
    }

    /// Ends the operation.
    pub(super) fn reset(&mut self, now: Ticks) {
        self.reset.get_or_insert(now);
    }

    /// Ends the window of the operation.
    pub(super) fn cut_window(&mut self, now: Ticks) {
        self.window_cut.get_or_insert(now);
    }

    /// Whether it is in a phase, as half-open intervals say: not at the phase's end.
    pub(super) fn is_in(&self, lengths: &PhaseLengths, kind: PhaseKind, now: Ticks) -> bool {
        let Some((begin, end)) = lengths.phase(kind) else { return false };
        !self.is_cut(kind, now) && self.position(now).is_some_and(|position| begin <= position && position < end)
    }

    /// The phase that it is in, and how many millionths of its length have passed.
    pub(super) fn phase_at(&self, lengths: &PhaseLengths, now: Ticks) -> Option<(PhaseKind, u32)> {
        let kind = PhaseKind::ALL.into_iter().find(|&kind| self.is_in(lengths, kind, now))?;
        let ((begin, end), position) = (lengths.phase(kind)?, self.position(now)?);
        let passed = u128::from(position.0 - begin.0) * u128::from(WHOLE) / u128::from(end.0 - begin.0);
        Some((kind, u32::try_from(passed).unwrap_or(WHOLE)))
    }

    fn is_cut(&self, kind: PhaseKind, now: Ticks) -> bool {
        let window = self.window_cut.filter(|_| kind.is_window());
        self.reset.into_iter().chain(window).any(|cut| cut <= now)
    }

    /// Whether a start at a time is in a part of a phase: from `at.0` millionths of its length on, before `at.1`. A part that goes
    /// to the whole has the end of the phase.
    pub(super) fn is_in_part(&self, lengths: &PhaseLengths, kind: PhaseKind, at: (u32, u32), now: Ticks) -> bool {
        let Some((begin, end)) = lengths.phase(kind) else { return false };
        let Some(position) = self.position(now).filter(|_| !self.is_cut(kind, now)) else { return false };
        if position < begin || position > end {
            return false;
        }
        let passed = u128::from(position.0 - begin.0) * u128::from(WHOLE);
        let [from, to] = [at.0, at.1].map(|part| u128::from(part) * u128::from(end.0 - begin.0));
        from <= passed && (passed < to || at.1 == WHOLE)
    }

    /// Whether no start after `now` can be in a part of a phase that ends at `to` millionths.
    pub(super) fn is_past_part(&self, lengths: &PhaseLengths, kind: PhaseKind, to: u32, now: Ticks) -> bool {
        let Some((begin, end)) = lengths.phase(kind) else { return true };
        let passed = u128::from(self.reached(now).0.saturating_sub(begin.0)) * u128::from(WHOLE);
        let last = u128::from(to) * u128::from(end.0 - begin.0);
        self.is_cut(kind, now) || passed > last || (passed == last && to != WHOLE)
    }

    /// A moment, if it is not after `now`.
    pub(super) fn moment(&self, lengths: &PhaseLengths, moment: StepMoment, now: Ticks) -> Option<Ticks> {
        let time = match moment {
            StepMoment::Start => Some(self.start),
            StepMoment::End => earlier(self.time_of(lengths.occupied), self.reset),
            StepMoment::PhaseEnd(kind) => {
                let (begin, end) = lengths.phase(kind)?;
                let window_cut = self.window_cut.filter(|_| kind.is_window());
                let end = earlier(earlier(self.time_of(end), window_cut), self.reset);
                // A phase that a reset prevented never ends.
                end.filter(|&end| self.time_of(begin).is_some_and(|begin| begin <= end))
            }
        };
        time.filter(|&time| time <= now)
    }

    /// Whether its array is done.
    pub(super) fn is_done(&self, lengths: &PhaseLengths, now: Ticks) -> bool {
        self.time_of(lengths.array_done).is_some_and(|done| done <= now)
    }

    /// Whether it has ended, so that nothing changes its times any more.
    pub(super) fn is_over(&self, lengths: &PhaseLengths, now: Ticks) -> bool {
        earlier(self.time_of(lengths.total), self.reset).is_some_and(|end| end <= now)
    }
}

/// The earlier of two times, as far as they are known.
fn earlier(one: Option<Ticks>, other: Option<Ticks>) -> Option<Ticks> {
    one.into_iter().chain(other).min()
}
