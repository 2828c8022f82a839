//! Factors of weights as levels: logarithms to the base 2 in units of 2⁻¹⁶, straight between the powers of 2.

/// The level of the factor 2.
pub(super) const DOUBLE: i32 = 1 << 16;

/// The level of a number from 1 on.
pub(super) fn level_of(number: u64) -> i32 {
    let number = number.max(1);
    let power = number.ilog2();
    let mantissa = (u128::from(number) << 16 >> power) as i32;
    power as i32 * DOUBLE + mantissa - DOUBLE
}

/// A weight multiplied by the factor of a level, at least 1. The weight is at most 2⁴⁴, the factor at most 2¹⁵ and at least 2⁻⁴⁰.
pub(super) const fn multiplied(weight: u64, level: i32) -> u64 {
    let mantissa = (DOUBLE + level.rem_euclid(DOUBLE)) as u64;
    let weight = (weight * mantissa) >> (16 - level.div_euclid(DOUBLE));
    if weight == 0 { 1 } else { weight }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_multiplied_by_the_factor_of_a_level() {
        assert_eq!([0, 1, 2, 3, 4, 1 << 40].map(level_of), [0, 0, 2, 3, 4, 80].map(|half| half * DOUBLE / 2));
        for (weight, level, expected) in [
            (1000, 0, 1000),
            (1000, 3 * DOUBLE, 8000),
            (1000, -3 * DOUBLE, 125),
            (1000, DOUBLE / 2, 1500),
            (1000, -DOUBLE / 2, 750),
            (1000, -20 * DOUBLE, 1),
            (1 << 44, 15 * DOUBLE, 1 << 59),
        ] {
            assert_eq!(multiplied(weight, level), expected, "{weight} at {level}");
        }
    }
}
