//! Spans of time that cannot overflow, whatever a profile or a file says.

use nandseq_profile::Ticks;

/// `start + span`, at most the end of time.
pub(crate) const fn after(start: Ticks, span: Ticks) -> Ticks {
    Ticks(start.0.saturating_add(span.0))
}

/// A half-open interval; an empty one overlaps nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Interval {
    pub(crate) from: Ticks,
    pub(crate) to: Ticks,
}

impl Interval {
    pub(crate) const fn new(from: Ticks, span: Ticks) -> Self {
        Self { from, to: after(from, span) }
    }

    pub(crate) fn contains(self, at: Ticks) -> bool {
        self.from <= at && at < self.to
    }

    pub(crate) fn is_empty(self) -> bool {
        self.from >= self.to
    }

    pub(crate) fn overlaps(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.from < other.to && other.from < self.to
    }

    /// Ends no later than `at`; what lies behind becomes empty.
    pub(crate) fn cut(&mut self, at: Ticks) {
        self.to = self.to.min(at);
    }
}
