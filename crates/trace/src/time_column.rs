//! The `time` column: a start time, scaled and rounded, as a decimal.
//!
//! All arithmetic is exact, on integers. The scale is the decimal number that the profile states: `0.001` is one thousandth, not
//! the nearest binary fraction. The product is rounded once, half to even. A text has at least one decimal (`0.0`, `7600.0`,
//! `9741.14`) and no trailing zeros beyond that.

use nandseq_profile::{Profile, Ticks};

/// The largest number of decimals of a `time` column.
pub const MAX_DECIMALS: u32 = 9;
/// The smallest and largest factor between simulated and written time.
pub const SCALE_RANGE: (f64, f64) = (1e-9, 1e9);
/// Decimals of a microsecond in a picosecond.
const TICK_DECIMALS: i32 = 6;

/// Why a profile's export settings cannot be used.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum TimeColumnError {
    /// The scale is not in [`SCALE_RANGE`].
    #[error("the time scale {0} is not between 1e-9 and 1e9")]
    Scale(f64),
    /// More decimals than [`MAX_DECIMALS`].
    #[error("{0} decimals of the time column are more than 9")]
    Decimals(u32),
    /// Rounding would move start times, so the written sequence would not be the one that was judged.
    #[error("the time column is too coarse for start times on multiples of {0}")]
    Coarse(Ticks),
}

/// The conversion of start times to text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimeColumn {
    /// Start in ticks × factor = time in units of the last decimal.
    factor: Factor,
    /// The number of decimals.
    decimals: u32,
    /// Ticks in a unit of the last decimal, at least 1. Multiples of it are written unrounded, in µs. `None` unless the scale is
    /// 1.
    plain: Option<u64>,
}

/// The number that ticks are multiplied by.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Factor {
    /// 1 / the number. This is the usual case: scale 1 and at most six decimals.
    OnePart(u64),
    /// Any other ratio, in lowest terms.
    Ratio { numerator: u128, denominator: u128 },
}

impl TimeColumn {
    /// The time column of a profile's sequences.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn of(profile: &Profile) -> Result<Self, TimeColumnError> {
        let column = Self::new(profile.export.time_scale, profile.export.round_decimals)?;
        let grid = profile.policies.time_resolution;
        if column.is_exact_on(grid) { Ok(column) } else { Err(TimeColumnError::Coarse(grid)) }
    }

    /// A column of start × `scale`, in µs, with `decimals` decimals (0..=9).
    ///
    /// # Errors
    /// If the scale is not in [`SCALE_RANGE`], or there are more decimals than [`MAX_DECIMALS`].
    pub fn new(scale: f64, decimals: u32) -> Result<Self, TimeColumnError> {
        if !(SCALE_RANGE.0..=SCALE_RANGE.1).contains(&scale) {
            return Err(TimeColumnError::Scale(scale));
        }
        let kept = i32::try_from(decimals).map_err(|_| TimeColumnError::Decimals(decimals))?;
        if decimals > MAX_DECIMALS {
            return Err(TimeColumnError::Decimals(decimals));
        }
        let (digits, exponent) = shortest_decimal(scale).ok_or(TimeColumnError::Scale(scale))?;
        let shift = exponent + kept - TICK_DECIMALS;
        let power = 10u128.pow(shift.unsigned_abs());
        let (numerator, denominator) = if shift >= 0 { (digits * power, 1) } else { (digits, power) };
        let shared = greatest_common_divisor(numerator, denominator);
        let (numerator, denominator) = (numerator / shared, denominator / shared);
        let factor = match u64::try_from(denominator) {
            Ok(parts) if numerator == 1 && parts <= u64::MAX / 2 => Factor::OnePart(parts),
            _ => Factor::Ratio { numerator, denominator },
        };
        let of_last_decimal = 10u64.pow(TICK_DECIMALS.unsigned_abs().saturating_sub(decimals));
        let plain = (scale == 1.0).then_some(of_last_decimal);
        Ok(Self { factor, decimals, plain })
    }

    /// Whether every multiple of `grid` is written without rounding.
    fn is_exact_on(&self, grid: Ticks) -> bool {
        let (numerator, denominator) = match self.factor {
            Factor::OnePart(parts) => (1, u128::from(parts)),
            Factor::Ratio { numerator, denominator } => (numerator, denominator),
        };
        u128::from(grid.0).checked_mul(numerator).is_some_and(|product| product % denominator == 0)
    }

    /// The scaled and rounded start time, in units of the last decimal of the column.
    #[must_use]
    pub fn units(&self, start: Ticks) -> u128 {
        match self.factor {
            Factor::OnePart(parts) => u128::from(divide_half_even(start.0, parts)),
            Factor::Ratio { numerator, denominator } => {
                let product = u128::from(start.0) * numerator;
                let (units, rest) = (product / denominator, product % denominator);
                let up = 2 * rest > denominator || (2 * rest == denominator && units % 2 == 1);
                units + u128::from(up)
            }
        }
    }

    /// The number of decimals of the column.
    #[must_use]
    pub const fn decimals(&self) -> u32 {
        self.decimals
    }

    /// Whether the text of this start time is its exact number of µs, neither scaled nor rounded.
    #[inline]
    #[must_use]
    pub fn is_plain(&self, start: Ticks) -> bool {
        self.plain.is_some_and(|unit| start.0.is_multiple_of(unit))
    }

    /// Appends the text of a start time.
    pub fn append(&self, start: Ticks, line: &mut Vec<u8>) {
        let units = self.units(start);
        let one = 10u128.pow(self.decimals);
        line.extend_from_slice(itoa::Buffer::new().format(units / one).as_bytes());
        let below_one = u64::try_from(units % one).unwrap_or_default();
        append_fraction(below_one, self.decimals, line);
    }
}

/// The quotient, rounded to the nearest integer, half to even.
const fn divide_half_even(value: u64, parts: u64) -> u64 {
    let (units, rest) = (value / parts, value % parts);
    let up = 2 * rest > parts || (2 * rest == parts && units % 2 == 1);
    units + up as u64
}

/// Appends `.` and `fraction` as `decimals` digits, without trailing zeros beyond the first digit.
fn append_fraction(fraction: u64, decimals: u32, line: &mut Vec<u8>) {
    line.push(b'.');
    if fraction == 0 {
        line.push(b'0');
        return;
    }
    let mut rest = fraction;
    let mut unit = 10u64.pow(decimals);
    while rest > 0 {
        unit /= 10;
        line.push(b'0' + (rest / unit) as u8);
        rest %= unit;
    }
}

/// The shortest decimal number that reads back as `value`: `digits × 10^exponent`.
fn shortest_decimal(value: f64) -> Option<(u128, i32)> {
    let text = format!("{value:e}");
    let (mantissa, exponent) = text.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat().parse().ok()?;
    Some((digits, exponent - i32::try_from(fraction.len()).ok()?))
}

/// Euclid's algorithm; both arguments are above zero.
fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use proptest::prelude::*;

    fn text(scale: f64, decimals: u32, ps: u64) -> String {
        let mut line = Vec::new();
        TimeColumn::new(scale, decimals).unwrap().append(Ticks(ps), &mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn times_print_with_at_least_one_decimal_and_no_needless_zeros() {
        for (ps, expected) in [
            (0, "0.0"),
            (100_000_000, "100.0"),
            (9_741_140_000, "9741.14"),
            (7_600_000_000, "7600.0"),
            (7_500_085_000, "7500.085"),
            (1_000, "0.001"),
            (10_000, "0.01"),
            (1_050_000, "1.05"),
        ] {
            assert_eq!(text(1.0, 3, ps), expected);
        }
    }

    #[test]
    fn ties_round_to_the_even_digit() {
        for (ps, expected) in
            [(500, "0.0"), (501, "0.001"), (1_500, "0.002"), (2_500, "0.002"), (2_499, "0.002"), (999_999, "1.0")]
        {
            assert_eq!(text(1.0, 3, ps), expected, "{ps} ps");
        }
    }

    #[test]
    fn every_number_of_decimals_up_to_nine_works() {
        assert_eq!(text(1.0, 0, 1_500_000), "2.0");
        assert_eq!(text(1.0, 1, 1_250_000), "1.2");
        assert_eq!(text(1.0, 6, 1_234_567), "1.234567");
        assert_eq!(text(1.0, 9, 1_234_567), "1.234567");
        assert_eq!(text(1.0, 9, u64::MAX), "18446744073709.551615");
        assert_eq!(TimeColumn::new(1.0, 10), Err(TimeColumnError::Decimals(10)));
    }

    #[test]
    fn a_scale_is_the_decimal_number_it_is_written_as() {
        assert_eq!(text(0.001, 3, 7_500_085_000), "7.5");
        assert_eq!(text(0.001, 6, 7_500_085_000), "7.500085");
        assert_eq!(text(1000.0, 3, 7_500_085), "7500.085");
        assert_eq!(text(0.1, 3, 45_000), "0.004");
        assert_eq!(text(0.1, 3, 55_000), "0.006");
        assert_eq!(text(2.5, 3, 1_000_000), "2.5");
        assert_eq!(text(0.333, 3, 1_000_000), "0.333");
        assert_eq!(text(1e9, 9, u64::MAX), "18446744073709551615000.0");
        assert_eq!(text(1e-9, 0, u64::MAX), "18447.0");
    }

    #[test]
    fn a_scale_out_of_range_is_refused() {
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e10, 1e-10] {
            assert!(matches!(TimeColumn::new(scale, 3), Err(TimeColumnError::Scale(_))), "{scale}");
        }
    }

    proptest! {
        #[test]
        fn both_ways_of_computing_agree(ps in any::<u64>(), decimals in 0u32..=6) {
            let column = TimeColumn::new(1.0, decimals).unwrap();
            let parts = 10u128.pow(6 - decimals);
            let general = TimeColumn { factor: Factor::Ratio { numerator: 1, denominator: parts }, decimals, plain: None };
            let (mut one, mut other) = (Vec::new(), Vec::new());
            column.append(Ticks(ps), &mut one);
            general.append(Ticks(ps), &mut other);
            prop_assert_eq!(one, other);
        }

        #[test]
        fn plain_times_are_microseconds(steps in any::<u32>(), decimals in 0u32..=9) {
            let column = TimeColumn::new(1.0, decimals).unwrap();
            let start = Ticks(u64::from(steps) * 1000);
            if column.is_plain(start) {
                let mut line = Vec::new();
                column.append(start, &mut line);
                let exact = start.to_us_text();
                let exact = if exact.contains('.') { exact } else { exact + ".0" };
                prop_assert_eq!(String::from_utf8(line).unwrap(), exact);
            }
            prop_assert!(decimals < 3 || column.is_plain(start));
            prop_assert!(!TimeColumn::new(2.0, decimals).unwrap().is_plain(start));
        }

        #[test]
        fn six_decimals_at_scale_one_are_exact(ps in any::<u64>()) {
            let printed = text(1.0, 6, ps);
            let exact = Ticks(ps).to_us_text();
            prop_assert_eq!(printed.trim_end_matches(".0"), exact.trim_end_matches(".0"));
        }
    }
}
