//! Spans of time that cannot overflow, whatever a profile or a file says.

use nandseq_profile::Ticks;

/// `start + span`, at most the end of time.
pub const fn after(start: Ticks, span: Ticks) -> Ticks {
    Ticks(start.0.saturating_add(span.0))
}

/// A half-open interval; an empty one overlaps nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// Its first instant, ps.
    pub from: Ticks,
    /// The instant after its last, ps.
    pub to: Ticks,
}

impl Interval {
    /// The interval of length `span` that starts at `from`.
    pub const fn new(from: Ticks, span: Ticks) -> Self {
        Self { from, to: after(from, span) }
    }

    /// Whether the instant lies in it.
    pub fn contains(self, at: Ticks) -> bool {
        self.from <= at && at < self.to
    }

    /// Whether no instant lies in it.
    pub fn is_empty(self) -> bool {
        self.from >= self.to
    }

    /// Whether an instant lies in both.
    pub fn overlaps(self, other: Self) -> bool {
        !self.is_empty() && !other.is_empty() && self.from < other.to && other.from < self.to
    }

    /// Ends the interval at `at`, if it ends later. An interval that starts at `at` or later becomes empty.
    pub fn cut(&mut self, at: Ticks) {
        self.to = self.to.min(at);
    }
}
