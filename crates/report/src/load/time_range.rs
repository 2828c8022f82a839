//! The part of a site's time in which rows are wanted.

use nandseq_profile::{Profile, Ticks};
use nandseq_trace::time_column::TimeColumn;

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

    /// The range as the sequence of a profile prints times: scaled and rounded.
    pub(super) fn printed(self, profile: &Profile) -> Self {
        // With settings that are no time column, no sequence was written.
        let Ok(column) = TimeColumn::new(profile.export.time_scale, profile.export.round_decimals) else { return self };
        let scaled = |time: Ticks| {
            let (units, decimals) = (column.units(time), column.decimals());
            let ticks = if decimals <= 6 {
                units.saturating_mul(10u128.pow(6 - decimals))
            } else {
                units / 10u128.pow(decimals - 6)
            };
            Ticks(u64::try_from(ticks).unwrap_or(u64::MAX))
        };
        Self { from: scaled(self.from), to: scaled(self.to) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nandseq_profile::builtin;

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

    #[test]
    fn the_sequence_is_cut_by_its_own_scale() {
        let mut profile = builtin::profile();
        let window = TimeRange { from: Ticks::from_us(1000), to: Ticks::from_us(2500) };
        assert_eq!(window.printed(&profile), window);
        profile.export.time_scale = 0.001;
        assert_eq!(window.printed(&profile), TimeRange { from: Ticks::from_us(1), to: Ticks(2_500_000) });
        profile.export.round_decimals = 9;
        assert_eq!(window.printed(&profile), TimeRange { from: Ticks::from_us(1), to: Ticks(2_500_000) });
    }
}
