//! The part of a site's time in which rows are wanted.

use nandseq_profile::Ticks;

/// An interval in the time of a site, which is that of the timelines: it begins with the first run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TimeRange {
    /// The first instant.
    pub from: Ticks,
    /// The instant after the last.
    pub to: Ticks,
}

impl TimeRange {
    /// Whether the time from `start` to `end` overlaps it. A time without length counts as the instant `start`.
    #[must_use]
    pub fn holds(self, start: Ticks, end: Ticks) -> bool {
        start < self.to && (end > self.from || start >= self.from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_a_window_is_in_it_and_what_ends_where_it_begins_is_not() {
        let window = TimeRange { from: Ticks(10), to: Ticks(20) };
        for (start, end, is_in) in [
            (0, 10, false),
            (0, 11, true),
            (10, 10, true),
            (19, 30, true),
            (20, 20, false),
            (20, 21, false),
            (0, 99, true),
        ] {
            assert_eq!(window.holds(Ticks(start), Ticks(end)), is_in, "{start} to {end}");
        }
    }
}
