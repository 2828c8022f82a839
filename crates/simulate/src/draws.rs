//! The random numbers of the simulator: one for each (seed, use, site, run, operation), in no order.

use crate::fault::WHOLE;

/// What a number is drawn for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DrawFor {
    /// Whether an operation fails by the fault.
    Fault = 1,
    /// Whether a run has a false fail.
    Noise = 2,
    /// Which operation of a run fails falsely: the one with the least number.
    NoisyOp = 3,
    /// The pattern that an operation programs. It does not depend on the seed.
    Pattern = 4,
}

/// A number of 64 bits, each value as probable as any other.
pub(crate) fn draw(seed: u64, of: DrawFor, site: u32, run: u32, op_uid: u64) -> u64 {
    [of as u64, site.into(), run.into(), op_uid]
        .into_iter()
        .fold(scatter(seed), |state, word| scatter(state ^ scatter(word)))
}

/// Whether something of a probability in millionths happens by this number.
pub(crate) fn happens(number: u64, millionths: u32) -> bool {
    (u128::from(number) * u128::from(WHOLE)) >> 64 < u128::from(millionths)
}

/// A step of SplitMix64.
const fn scatter(word: u64) -> u64 {
    let word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ word >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_never_change() {
        // The first two outputs of SplitMix64 from 0, of which `scatter` is a step.
        assert_eq!(scatter(0), 0xe220_a839_7b1d_cdaf);
        assert_eq!(scatter(0x9e37_79b9_7f4a_7c15), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!(draw(1, DrawFor::Fault, 5, 12, 84_213), draw(1, DrawFor::Fault, 5, 12, 84_213));
        // What the diagnosis takes for the pattern of a page, as docs/failures.md says.
        let pattern = |(site, uid)| draw(0, DrawFor::Pattern, site, 0, uid) as u8;
        assert_eq!([(1, 1), (5, 84_213), (32, 3_224)].map(pattern), [252, 129, 85]);
        assert_ne!(draw(1, DrawFor::Fault, 5, 12, 84_213), draw(1, DrawFor::Noise, 5, 12, 84_213));
        assert_ne!(draw(1, DrawFor::Fault, 5, 12, 84_213), draw(1, DrawFor::Fault, 12, 5, 84_213));
    }

    #[test]
    fn a_probability_is_met_and_its_ends_are_certain() {
        for (millionths, least, most) in [(0, 0, 0), (WHOLE, 10_000, 10_000), (300_000, 2_850, 3_150), (1, 0, 3)] {
            let hits = (0..10_000).filter(|&uid| happens(draw(7, DrawFor::Fault, 1, 1, uid), millionths)).count();
            assert!((least..=most).contains(&hits), "{millionths}: {hits}");
        }
        assert!(happens(u64::MAX, WHOLE) && !happens(0, 0));
    }
}
