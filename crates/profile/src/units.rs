//! Simulated time as a whole number of picoseconds.
//!
//! Arithmetic is exact: a decimal number of microseconds is either converted exactly or refused. Leaves out calendars and clocks.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// An instant or a length of simulated time, in picoseconds.
///
/// 64 bits reach about 213 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Ticks(pub u64);

/// The time grid: operations start at the multiples of its step.
///
/// It keeps the reciprocal of the step, because every event is put on the grid and a division takes as long as a dozen other
/// instructions. A time × `⌊(2⁶⁴ − 1) / step⌋` / 2⁶⁴, rounded down, is the quotient of time and step or one less.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    step: Ticks,
    reciprocal: u64,
}

impl Grid {
    /// The grid of the multiples of a step.
    ///
    /// # Panics
    /// If the step is 0, which no profile can state.
    #[must_use]
    pub const fn new(step: Ticks) -> Self {
        assert!(step.0 > 0, "a grid has a step");
        Self { step, reciprocal: u64::MAX / step.0 }
    }

    /// The step: the distance between neighbouring times of the grid.
    #[must_use]
    pub const fn step(self) -> Ticks {
        self.step
    }
}

/// The number of picoseconds in a microsecond.
pub const TICKS_PER_US: u64 = 1_000_000;

/// The longest time that a text may state, in µs: 100 days. It leaves room for sums below `u64::MAX` ticks.
pub const MAX_US: u64 = 8_640_000_000_000;

/// Why a text is not a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TimeError {
    /// The text is not a decimal number.
    #[error("not a number")]
    NotANumber,
    /// The number is negative.
    #[error("a time cannot be negative")]
    Negative,
    /// The number has more than six decimals of a microsecond.
    #[error("finer than 1 ps, the resolution of time")]
    TooFine,
    /// The time is above [`MAX_US`].
    #[error("longer than 100 days")]
    TooLong,
}

impl Ticks {
    /// Zero time.
    pub const ZERO: Self = Self(0);

    /// The time of a whole number of microseconds.
    #[must_use]
    pub const fn from_us(us: u64) -> Self {
        Self(us * TICKS_PER_US)
    }

    /// Reads a decimal number of µs (`7000`, `0.085`, `1e-3`) exactly.
    ///
    /// # Errors
    /// [`TimeError`] if the text is not a decimal number, or is negative, finer than 1 ps or above [`MAX_US`].
    pub fn parse_us(text: &str) -> Result<Self, TimeError> {
        parse_scaled(text, 6, MAX_US)
    }

    /// Rounds up to a multiple of the grid's step.
    #[inline]
    #[must_use]
    pub const fn ceil_to(self, grid: Grid) -> Self {
        let whole = ((self.0 as u128 * grid.reciprocal as u128) >> 64) as u64 * grid.step.0;
        let rest = self.0 - whole;
        let steps = (rest > 0) as u64 + (rest > grid.step.0) as u64;
        Self(whole + steps * grid.step.0)
    }

    /// The exact decimal number of microseconds: `7500.085`, `9.8244`, `0`.
    #[must_use]
    pub fn to_us_text(self) -> String {
        let whole = self.0 / TICKS_PER_US;
        let rest = self.0 % TICKS_PER_US;
        if rest == 0 {
            return whole.to_string();
        }
        let digits = format!("{rest:06}");
        format!("{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// Reads a decimal number with an optional exponent exactly, in units of `10^-decimals`. At most `max_whole` whole ones are
/// allowed.
fn parse_scaled(text: &str, decimals: i32, max_whole: u64) -> Result<Ticks, TimeError> {
    let text = text.trim();
    let (negative, body) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => {
            let exponent: i32 = body[at + 1..].parse().map_err(|_| TimeError::NotANumber)?;
            (&body[..at], exponent)
        }
        None => (body, 0),
    };
    if exponent.abs() > 40 || mantissa.len() > 60 {
        return Err(TimeError::NotANumber);
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(TimeError::NotANumber);
    }
    if !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(TimeError::NotANumber);
    }
    let digits: String = [whole, fraction].concat();
    let significant = digits.trim_start_matches('0');
    if significant.is_empty() {
        return Ok(Ticks::ZERO);
    }
    if negative {
        return Err(TimeError::Negative);
    }
    let places = i32::try_from(fraction.len()).map_err(|_| TimeError::NotANumber)?;
    let shift = decimals + exponent - places;
    let value: u128 = if shift >= 0 {
        if significant.len() + usize::try_from(shift).unwrap_or(usize::MAX) > 30 {
            return Err(TimeError::TooLong);
        }
        let zeros = "0".repeat(usize::try_from(shift).unwrap_or(0));
        [significant, &zeros].concat().parse().map_err(|_| TimeError::TooLong)?
    } else {
        let cut = usize::try_from(-shift).unwrap_or(usize::MAX);
        let kept = significant.len().saturating_sub(cut);
        if significant[kept..].bytes().any(|b| b != b'0') {
            return Err(TimeError::TooFine);
        }
        if kept == 0 { 0 } else { significant[..kept].parse().map_err(|_| TimeError::TooLong)? }
    };
    let limit = u128::from(max_whole) * 10u128.pow(decimals.unsigned_abs());
    if value > limit {
        return Err(TimeError::TooLong);
    }
    u64::try_from(value).map(Ticks).map_err(|_| TimeError::TooLong)
}

impl Add for Ticks {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Ticks {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sub for Ticks {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl fmt::Display for Ticks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} µs", self.to_us_text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_goes_to_the_next_multiple_of_the_step() {
        let steps = [1, 2, 3, 7, 10, 1_000, 1_000_000, 123_457, (1 << 40) + 1, 8_640_000_000_000_000_000];
        for step in steps {
            let grid = Grid::new(Ticks(step));
            let near =
                |time: u64| (time.saturating_sub(2)..=time.saturating_add(2)).filter(|&at| at <= u64::MAX - step);
            for multiple in [0, 1, 2, 3, 1_000, 999_999_937, u64::MAX / step - 1] {
                for time in near(multiple.saturating_mul(step)) {
                    assert_eq!(Ticks(time).ceil_to(grid), Ticks(time.div_ceil(step) * step), "{time} by {step}");
                }
            }
        }
    }

    #[test]
    fn decimal_microseconds_convert_exactly() {
        for (text, ps) in [
            ("0", 0),
            ("0.085", 85_000),
            ("9.8244", 9_824_400),
            ("7000.0", 7_000_000_000),
            ("1e-3", 1_000),
            ("2.5E2", 250_000_000),
            (".5", 500_000),
            ("0.000001", 1),
            ("0.0000010", 1),
            ("-0.0", 0),
        ] {
            assert_eq!(Ticks::parse_us(text), Ok(Ticks(ps)), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_exact_time_is_refused() {
        for (text, why) in [
            ("400.6036˝", TimeError::NotANumber),
            ("", TimeError::NotANumber),
            (".", TimeError::NotANumber),
            ("nan", TimeError::NotANumber),
            ("1e999", TimeError::NotANumber),
            ("-3", TimeError::Negative),
            ("0.0000001", TimeError::TooFine),
            ("1e-7", TimeError::TooFine),
            ("99999999999999", TimeError::TooLong),
            ("1e30", TimeError::TooLong),
        ] {
            assert_eq!(Ticks::parse_us(text), Err(why), "{text}");
        }
    }

    #[test]
    fn a_time_prints_as_the_shortest_exact_decimal() {
        assert_eq!(Ticks(7_500_085_000).to_us_text(), "7500.085");
        assert_eq!(Ticks(1).to_us_text(), "0.000001");
        assert_eq!(Ticks(1_000_000).to_us_text(), "1");
    }
}
