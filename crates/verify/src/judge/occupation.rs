//! Bus and occupation: `bus`, `plane_busy`, `multi_plane_exclusive`.

use nandseq_profile::Die;

use super::breaches::{Judge, plane_text};
use crate::rule::RuleCode;
use crate::time::Interval;

impl Judge<'_> {
    /// `bus`, of the operation and of what it resumes.
    pub(super) fn bus(&mut self) {
        let operation = self.operation;
        let own = || {
            let spans = operation.kind.spans.iter().filter(|span| span.bus);
            spans.map(|span| span.time(operation.origin.start))
        };
        let mut resumed: Vec<Interval> = Vec::new();
        if let Some(axis) = operation.kind.resumes {
            for die in operation.touched.dies.clone() {
                resumed.extend(self.device.bus_of_resumed(self.compiled, operation, Die(die), axis));
            }
        }
        let clash = self.device.bus.iter().find(|held| {
            // Whatever the operation wants begins at its start or later.
            if held.time.to <= operation.origin.start {
                return false;
            }
            let mut wanted = own().chain(resumed.iter().copied());
            wanted.any(|time| time.overlaps(held.time)) && !self.device.closes_window(held, operation)
        });
        let Some(held) = clash.copied() else { return };
        self.breaks(RuleCode::Bus, Some(held.by), |names| {
            format!("{} holds the IO bus until {}.", names.op(&held.by), held.time.to)
        });
    }

    /// `plane_busy` if two occupations share a plane, `multi_plane_exclusive` if they share only the die.
    pub(super) fn occupation(&mut self) {
        let operation = self.operation;
        if operation.kind.resets.is_some() {
            // A reset ends what is in flight before it occupies planes.
            return;
        }
        let time = Interval::new(operation.origin.start, operation.kind.occupied);
        for die in operation.occupied.dies.clone() {
            let die = Die(die);
            // The latest occupation comes first, so that the finding names it.
            for index in (0..self.device.die(die).occupations.len()).rev() {
                let other = self.device.die(die).occupations[index];
                if !other.time.overlaps(time) || self.suspends_it(die, &other) {
                    continue;
                }
                let shared = other.planes.and(operation.occupied.planes);
                if let Some(plane) = shared.iter().next() {
                    self.breaks(RuleCode::PlaneBusy, Some(other.by), |names| {
                        let place = plane_text(die, plane);
                        format!("{} occupies {place} until {}.", names.op(&other.by), other.time.to)
                    });
                } else if operation.kind.multi || other.multi || !(operation.kind.interleaved && other.interleaved) {
                    self.breaks(RuleCode::MultiPlaneExclusive, Some(other.by), |names| {
                        let name = names.op(&other.by);
                        format!(
                            "{name} occupies other planes of die {} until {} and may not overlap.",
                            die.0, other.time.to
                        )
                    });
                }
            }
        }
    }

    /// Whether this operation suspends the one that holds the occupation.
    fn suspends_it(&self, die: Die, occupation: &crate::model::Occupation) -> bool {
        let Some(axis) = self.operation.kind.suspends else { return false };
        self.device
            .in_core_busy(die, axis, self.operation.origin.start)
            .is_some_and(|suspend_target| suspend_target.origin == occupation.by)
    }
}
