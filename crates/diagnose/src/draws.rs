//! Random weights of runs for the bootstrap. A draw depends on the seed and its own number alone, so that the order of runs and
//! whatever else is drawn make no difference.

/// Mixes the bits of a number (the finaliser of SplitMix64).
pub(crate) const fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The pattern of what an operation programs, by its site and `op_uid`: the low eight bits of a chain of the numbers 4, site, 0 and
/// `op_uid` that begins with that of 0. docs/failures.md has the rule.
pub(crate) fn pattern(site: u32, op_uid: u64) -> u8 {
    [4, site.into(), 0, op_uid].into_iter().fold(mixed(0), |state, word| mixed(state ^ mixed(word))) as u8
}

/// For each count the probability that a weight is at most so many, as a share of all draws: Poisson's distribution with the mean 1.
const UP_TO: [u64; 9] = [
    6_786_177_901_268_885_274,
    13_572_355_802_537_770_549,
    16_965_444_753_172_213_186,
    18_096_474_403_383_694_065,
    18_379_231_815_936_564_285,
    18_435_783_298_447_138_329,
    18_445_208_545_532_234_003,
    18_446_555_009_401_533_385,
    18_446_723_317_385_195_808,
];

/// How often a run counts in a sample.
pub(crate) fn weight(seed: u64, site: usize, run: u64, sample: usize) -> u32 {
    let draw = mixed(mixed(mixed(seed ^ mixed(site as u64)) ^ run) ^ sample as u64);
    UP_TO.partition_point(|&bound| bound <= draw) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_have_the_mean_and_the_variance_1() {
        let draws = 20_000;
        let weights: Vec<f64> = (0..draws).map(|run| f64::from(weight(7, 3, run, 11))).collect();
        let mean = weights.iter().sum::<f64>() / draws as f64;
        let variance = weights.iter().map(|weight| (weight - mean).powi(2)).sum::<f64>() / draws as f64;
        assert!((mean - 1.0).abs() < 0.03, "{mean}");
        assert!((variance - 1.0).abs() < 0.05, "{variance}");
    }

    /// The values are those of the simulator's own test: `numbers_never_change`.
    #[test]
    fn patterns_are_those_of_the_simulator() {
        assert_eq!([(1, 1), (5, 84_213), (32, 3_224)].map(|(site, uid)| pattern(site, uid)), [252, 129, 85]);
    }

    #[test]
    fn samples_runs_sites_and_seeds_draw_apart() {
        let draws = |seed, site, run: u64, sample| -> Vec<u32> {
            (0..32).map(|at| weight(seed, site, run * 100 + at, sample)).collect()
        };
        let all = [draws(1, 1, 1, 1), draws(2, 1, 1, 1), draws(1, 2, 1, 1), draws(1, 1, 2, 1), draws(1, 1, 1, 2)];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[..at].contains(one));
        }
        assert_eq!(all[0], draws(1, 1, 1, 1));
    }
}
