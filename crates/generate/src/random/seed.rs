//! From a campaign's base seed to the key of each run.
//!
//! The values never change: golden vectors below hold both formulas. A key is the pair (`seed_i`, run index), so the runs of a
//! site never share one, whatever the formula.

/// How the seeds of sites and runs follow from one another.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SeedPlan {
    /// `seed_i = site_seed + run`. Sites of a batch have neighbouring seeds, and so have campaigns with neighbouring base seeds:
    /// they share sites.
    Sequential {
        /// The seed of the site's first run.
        site_seed: u64,
    },
    /// `seed_i = mix(base, site, run)`: campaigns with different base seeds share nothing.
    Hashed {
        /// The campaign's base seed.
        base: u64,
        /// The number of the site.
        site: u64,
    },
}

impl SeedPlan {
    /// `seed_i` of the run with this index (from 0).
    #[must_use]
    pub const fn seed(self, run: u64) -> u64 {
        match self {
            Self::Sequential { site_seed } => site_seed.wrapping_add(run),
            Self::Hashed { base, site } => mix(base, site, run),
        }
    }

    /// The key of a run's streams: `seed_i` alone repeats (site 2's first run and site 1's second), the pair never does
    /// within a batch.
    pub(crate) const fn key(self, run: u64) -> [u64; 2] {
        [self.seed(run), run]
    }
}

impl From<u64> for SeedPlan {
    /// The sequential plan of a site with this seed.
    fn from(site_seed: u64) -> Self {
        Self::Sequential { site_seed }
    }
}

/// Mixes three numbers to 64 bits. Each in turn is XORed to the state, which is 0 at first; the golden ratio's fraction (2⁶⁴/φ)
/// is added; and the sum goes through the finaliser of SplitMix64.
///
/// The result is a bijection of each number while the other two stay.
#[must_use]
pub const fn mix(base: u64, site: u64, run: u64) -> u64 {
    step(step(step(0, base), site), run)
}

const fn step(state: u64, word: u64) -> u64 {
    finalise((state ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15))
}

/// The output function of SplitMix64 (S. Vigna's reference; D. Stafford's variant 13 of MurmurHash3's finaliser).
const fn finalise(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_runs_of_any_two_sites_share_a_key() {
        let sequential = |site: u64| SeedPlan::from(1000 + site);
        let hashed = |site| SeedPlan::Hashed { base: 1000, site };
        for plan in [&sequential as &dyn Fn(u64) -> SeedPlan, &hashed] {
            let keys: BTreeSet<[u64; 2]> =
                (0..32).flat_map(|site| (0..200).map(move |run| plan(site).key(run))).collect();
            assert_eq!(keys.len(), 32 * 200);
        }
    }

    #[test]
    fn the_finaliser_is_that_of_splitmix64() {
        // The first outputs of the reference generator seeded with 1234567.
        let outputs = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423u64];
        let mut state = 1_234_567u64;
        for expected in outputs {
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            assert_eq!(finalise(state), expected);
        }
    }

    #[test]
    fn mixed_seeds_never_change() {
        for ((base, site, run), expected) in GOLDEN {
            assert_eq!(mix(base, site, run), expected, "({base}, {site}, {run}): {:#018x}", mix(base, site, run));
        }
    }

    const GOLDEN: [((u64, u64, u64), u64); 5] = [
        ((0, 0, 0), 0x2382_75BC_38FC_BE91),
        ((42, 1, 0), 0x93BE_8420_BB55_B94C),
        ((1000, 1, 0), 0x2729_27D8_E41E_273A),
        ((1001, 1, 0), 0x8C75_A898_C4D3_10AE),
        ((u64::MAX, u64::MAX, u64::MAX), 0x595B_17F4_87C0_E71B),
    ];

    #[test]
    fn neighbouring_campaigns_share_no_hashed_seed() {
        let seeds: BTreeSet<u64> = (1000..1032)
            .flat_map(|base| (1..33).flat_map(move |site| (0..20).map(move |run| mix(base, site, run))))
            .collect();
        assert_eq!(seeds.len(), 32 * 32 * 20);
    }

    #[test]
    fn each_input_bit_changes_about_half_of_the_output() {
        let base = mix(1000, 5, 7);
        for bit in 0..64 {
            for other in [mix(1000 ^ 1 << bit, 5, 7), mix(1000, 5 ^ 1 << bit, 7), mix(1000, 5, 7 ^ 1 << bit)] {
                let changed = (base ^ other).count_ones();
                assert!((14..=50).contains(&changed), "{changed} of 64 bits changed by bit {bit}");
            }
        }
    }
}
