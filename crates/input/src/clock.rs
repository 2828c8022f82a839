//! Reading the `time` column into [`Ticks`].
//!
//! If the scale is 1 and the rounding can represent every multiple of the time grid, a time is read exactly as it is written, on
//! the grid or not. Otherwise the scale is undone in integers, and the result is rounded to the nearest multiple of the grid.

use nandseq_profile::units::{MAX_US, TICKS_PER_US, TimeError};
use nandseq_profile::{Profile, Ticks};

/// The conversion of the written times of a profile.
pub(super) struct Clock {
    /// `None` if times are written unchanged; the scale if they are written as start × scale, rounded.
    scaled: Option<Scale>,
}

/// The scale as `mantissa / 10^decimals`, and the time grid in ticks, at least 1.
struct Scale {
    mantissa: u128,
    decimals: u32,
    grid: u128,
}

/// A decimal number as `mantissa × 10^exponent`.
struct Decimal {
    mantissa: u64,
    exponent: i32,
}

/// The longest time, in ticks.
const LONGEST: u128 = MAX_US as u128 * TICKS_PER_US as u128;

impl Clock {
    pub(super) fn new(profile: &Profile) -> Self {
        let export = &profile.export;
        let grid = profile.policies.time_resolution.0.max(1);
        let unit = 10_u64.pow(6_u32.saturating_sub(export.round_decimals));
        #[expect(clippy::float_cmp, reason = "a scale of exactly one is written as it is")]
        let plain = export.time_scale == 1.0;
        if plain && grid.is_multiple_of(unit) {
            return Self { scaled: None };
        }
        // The shortest decimal of the scale is the number in the profile.
        let scale = decimal(export.time_scale.to_string().as_bytes())
            .ok()
            .filter(|scale| scale.mantissa > 0 && scale.exponent > -20 && scale.exponent < 20);
        let (mantissa, decimals) = match scale {
            Some(Decimal { mantissa, exponent }) if exponent <= 0 => (u128::from(mantissa), exponent.unsigned_abs()),
            Some(Decimal { mantissa, exponent }) => (u128::from(mantissa) * power(exponent.unsigned_abs()), 0),
            None => (1, 0),
        };
        Self { scaled: Some(Scale { mantissa, decimals, grid: u128::from(grid) }) }
    }

    pub(super) fn is_exact(&self) -> bool {
        self.scaled.is_none()
    }

    pub(super) fn parse(&self, field: &[u8]) -> Result<Ticks, TimeError> {
        let Decimal { mantissa, exponent } = decimal(field)?;
        if mantissa == 0 {
            return Ok(Ticks::ZERO);
        }
        match &self.scaled {
            None => exact(mantissa, exponent),
            Some(scale) => scale.undo(mantissa, exponent),
        }
    }
}

/// `mantissa × 10^exponent` µs in ticks.
fn exact(mantissa: u64, exponent: i32) -> Result<Ticks, TimeError> {
    let shift = exponent + 6;
    let ticks = if shift >= 0 {
        if shift > 30 {
            return Err(TimeError::TooLong);
        }
        u128::from(mantissa).checked_mul(power(shift.unsigned_abs())).ok_or(TimeError::TooLong)?
    } else {
        let unit = if shift < -19 { return Err(TimeError::TooFine) } else { power(shift.unsigned_abs()) };
        let mantissa = u128::from(mantissa);
        if !mantissa.is_multiple_of(unit) {
            return Err(TimeError::TooFine);
        }
        mantissa / unit
    };
    bounded(ticks)
}

fn bounded(ticks: u128) -> Result<Ticks, TimeError> {
    if ticks > LONGEST {
        return Err(TimeError::TooLong);
    }
    u64::try_from(ticks).map(Ticks).map_err(|_| TimeError::TooLong)
}

impl Scale {
    /// The multiple of the grid nearest to `mantissa × 10^exponent / scale` µs.
    fn undo(&self, mantissa: u64, exponent: i32) -> Result<Ticks, TimeError> {
        let shift = exponent + 6 + self.decimals.cast_signed();
        let (up, down) = if shift >= 0 { (shift.unsigned_abs(), 0) } else { (0, shift.unsigned_abs()) };
        if down > 30 {
            return Ok(Ticks::ZERO);
        }
        if up > 30 {
            return Err(TimeError::TooLong);
        }
        let above = u128::from(mantissa).checked_mul(power(up)).ok_or(TimeError::TooLong)?;
        let below = self
            .mantissa
            .checked_mul(self.grid)
            .and_then(|step| step.checked_mul(power(down)))
            .ok_or(TimeError::NotANumber)?;
        let steps = above / below + u128::from(above % below >= below.div_ceil(2));
        bounded(steps.checked_mul(self.grid).ok_or(TimeError::TooLong)?)
    }
}

/// `10^exponent`, `exponent` ≤ 30.
const fn power(exponent: u32) -> u128 {
    10_u128.pow(exponent)
}

/// Reads a decimal number such as `12`, `12.5` or `1e-05`. Trailing zeros of the fraction are dropped, so `0.0000000` is not too
/// fine.
fn decimal(field: &[u8]) -> Result<Decimal, TimeError> {
    let (negative, body) = match field.first() {
        Some(b'-') => (true, &field[1..]),
        _ => (false, field),
    };
    let mut mantissa = 0_u64;
    let mut digits = 0_u32;
    let mut fraction = 0_i32;
    let mut zeros = 0_i32;
    let mut in_fraction = false;
    let mut exponent = 0_i32;
    for (at, &byte) in body.iter().enumerate() {
        match byte {
            b'0' if in_fraction => {
                digits += 1;
                zeros += 1;
            }
            b'0'..=b'9' => {
                digits += 1;
                let places = if in_fraction { zeros + 1 } else { 1 };
                let shifted = 10_u64.checked_pow(places.unsigned_abs()).and_then(|by| mantissa.checked_mul(by));
                let grown = shifted.and_then(|value| value.checked_add(u64::from(byte - b'0')));
                mantissa = grown.ok_or(if in_fraction { TimeError::TooFine } else { TimeError::TooLong })?;
                if in_fraction {
                    fraction += places;
                    zeros = 0;
                }
            }
            b'.' if !in_fraction => in_fraction = true,
            b'e' | b'E' => {
                exponent = exponent_of(&body[at + 1..])?;
                break;
            }
            _ => return Err(TimeError::NotANumber),
        }
    }
    if digits == 0 {
        return Err(TimeError::NotANumber);
    }
    if negative && mantissa > 0 {
        return Err(TimeError::Negative);
    }
    Ok(Decimal { mantissa, exponent: exponent - fraction })
}

fn exponent_of(text: &[u8]) -> Result<i32, TimeError> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse::<i32>().ok())
        .filter(|exponent| exponent.abs() <= 60)
        .ok_or(TimeError::NotANumber)
}
