//! Simulated times in fitting units, for texts in which a digit or two is enough.

use nandseq_profile::units::MAX_US;

/// A day, µs.
const DAY_US: u64 = 24 * 3_600_000_000;

/// A time of µs, in a fitting unit. Above the longest time that a site can have, it is only said to be more than that.
pub(crate) fn simulated(us: f64) -> String {
    if us > MAX_US as f64 {
        return format!("more than {} days", MAX_US / DAY_US);
    }
    let units = [(DAY_US as f64, "days"), (3.6e9, "h"), (6e7, "min"), (1e6, "s"), (1e3, "ms")];
    let (unit, word) = units.into_iter().find(|(unit, _)| us >= 2.0 * unit).unwrap_or((1.0, "µs"));
    let number = us / unit;
    if number < 10.0 { format!("{number:.1} {word}") } else { format!("{number:.0} {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_fitting_units() {
        for (us, expected) in [
            (0.25, "0.2 µs"),
            (1999.0, "1999 µs"),
            (2000.0, "2.0 ms"),
            (50e6, "50 s"),
            (5e10, "14 h"),
            (8.64e12, "100 days"),
            (8.65e12, "more than 100 days"),
            (1e30, "more than 100 days"),
        ] {
            assert_eq!(simulated(us), expected);
        }
    }
}
