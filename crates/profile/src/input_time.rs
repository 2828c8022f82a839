//! Input times: the part of a phase that has passed when an operation starts, in hundredths; and the tenths that coverage counts.
//!
//! The tenth of an instant and the bounds of a tenth agree. Times count from the beginning of the phase.

use std::ops::RangeInclusive;

use crate::ids::{OpId, PhaseKey};
use crate::model::Profile;
use crate::units::Ticks;

/// Time bins of a phase that has a length.
pub const TIME_BINS: u8 = 10;

/// A bin of coverage: an operation under a phase key, at a time of the key's phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Bin {
    /// The phase key whose distribution proposes the operation.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// The time bin, 0..=9; 0 under a key without length.
    pub time_bin: u8,
}

/// Whether any operation is in the key's phase for a time: then the key has ten time bins, else one.
#[must_use]
pub fn has_length(profile: &Profile, key: PhaseKey) -> bool {
    let info = &profile.phase_keys[key];
    let (Some(base), Some(phase)) = (info.base, info.phase) else { return false };
    let Some(at) = profile.bases[base].phases.iter().position(|one| one.kind == phase) else { return false };
    profile.ops.iter().any(|op| op.base == base && op.durations.get(at).is_some_and(|&length| length > Ticks::ZERO))
}

/// The part of a phase that has passed, in hundredths: 0..=100, rounded half up; 100 at the end of the phase and after it.
#[must_use]
pub fn hundredths(passed: Ticks, length: Ticks) -> u8 {
    if passed >= length {
        return 100;
    }
    let (passed, length) = (passed.0, length.0.max(1));
    // The products fit 64 bits unless the phase lasts more than a day.
    let rounded = match (passed.checked_mul(200), length.checked_mul(2)) {
        (Some(passed), Some(double)) if passed <= u64::MAX - length => (passed + length) / double,
        (Some(_) | None, Some(_) | None) => {
            let (passed, length) = (u128::from(passed), u128::from(length));
            ((passed * 200 + length) / (length * 2)) as u64
        }
    };
    rounded.min(100) as u8
}

/// The tenth, 0..=9, that an input time in hundredths belongs to.
#[must_use]
pub fn time_bin(hundredths: Option<u8>) -> u8 {
    hundredths.map_or(TIME_BINS - 1, |hundredths| (hundredths / 10).min(TIME_BINS - 1))
}

/// The instants strictly inside a phase of this length that belong to a tenth (0..=9), in ticks; empty if there are none.
///
/// # Panics
/// If `tenth` is above 9, which is a mistake of the caller.
#[must_use]
pub fn inside_time_bin(time_bin: u8, length: Ticks) -> RangeInclusive<u64> {
    assert!(time_bin < TIME_BINS, "a phase has ten time bins");
    // Input times are rounded to hundredths, so a tenth begins half a hundredth early.
    let edge = |half: u64| (u128::from(length.0) * u128::from(half)).div_ceil(200) as u64;
    let first = if time_bin == 0 { 1 } else { edge(u64::from(time_bin) * 20 - 1).max(1) };
    let after = if time_bin + 1 == TIME_BINS { length.0 } else { edge(u64::from(time_bin) * 20 + 19).min(length.0) };
    if first < after { first..=after - 1 } else { RangeInclusive::new(1, 0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_of_tenths_are_where_the_tenth_changes() {
        for length in [1, 2, 3, 7, 10, 19, 20, 21, 99, 100, 101, 199, 200, 201, 1000, 12_345] {
            let mut inside = 0;
            for bin in 0..TIME_BINS {
                for at in inside_time_bin(bin, Ticks(length)) {
                    assert_eq!(time_bin(Some(hundredths(Ticks(at), Ticks(length)))), bin, "{at} of {length}");
                    inside += 1;
                }
            }
            assert_eq!(inside, length - 1, "every instant strictly inside a phase of {length} is in one time bin");
        }
    }

    #[test]
    fn what_comes_after_a_phase_counts_for_its_last_tenth() {
        assert_eq!(hundredths(Ticks(5), Ticks(5)), 100);
        assert_eq!([Some(100), None].map(time_bin), [9, 9]);
        assert_eq!(hundredths(Ticks(0), Ticks(5)), 0);
    }

    #[test]
    fn phases_of_days_are_divided_as_short_ones_are() {
        let day = Ticks::from_us(24 * 3_600_000_000);
        assert_eq!(hundredths(Ticks(day.0 / 2), day), 50);
        assert!(inside_time_bin(5, day).contains(&(day.0 / 2)));
    }
}
