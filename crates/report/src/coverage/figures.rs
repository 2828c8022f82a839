//! Numbers that say how much was covered, and how evenly.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_profile::{CellTypeId, Profile};
use serde::{Deserialize, Serialize};

use super::{Coverage, CoverageUniverse};
use crate::sums::total;

/// How much of a universe was covered. Fractions are rounded to nine decimals, effective bins to six, so that they can be
/// compared. Counts stop at the greatest `u64`.
#[derive(Clone, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// Operations in the sequences.
    pub operations: u64,
    /// Bins of the universe.
    #[serde(rename = "cells")]
    pub bins: u64,
    /// Hits of these bins.
    pub hits: u64,
    /// Bins hit at least once.
    pub hit: u64,
    /// Bins hit at least ten times.
    pub hit_ten: u64,
    /// `hit` in percent of `bins`.
    pub closure: f64,
    /// `hit_ten` in percent of `bins`.
    pub closure_ten: f64,
    /// Entropy of the hits over the bins, divided by that of an even spread. 1 is perfectly even; a universe of one bin has 1
    /// when it is hit. 0 without hits.
    pub evenness: f64,
    /// e to the entropy: how many bins, hit evenly, would give the same.
    #[serde(rename = "effective_cells")]
    pub effective_bins: f64,
    /// Gini coefficient of the hits over all bins, those without a hit included: 0 is perfectly even.
    pub gini: f64,
    /// Good and Turing's estimate of the probability that one more hit is the first of its bin: bins hit once ÷ hits; 1 without
    /// hits.
    pub unseen: f64,
    /// The bins outside the universe that were hit, and the hits there.
    pub outside: (u64, u64),
}

/// Rounds to nine decimals.
fn rounded(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// Rounds to six decimals: of a number in the thousands, more decimals would depend on how a machine computes a logarithm.
fn six_decimals(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { rounded(100.0 * part as f64 / whole as f64) }
}

impl Figures {
    /// The figures of a coverage.
    #[must_use]
    pub fn new(coverage: &Coverage, universe: &CoverageUniverse) -> Self {
        let mut counts: Vec<u64> =
            universe.bins().map(|bin| coverage.bins.get(&bin).copied().unwrap_or_default()).collect();
        counts.sort_unstable();
        let outside: Vec<u64> =
            coverage.bins.iter().filter(|(bin, _)| !universe.holds(**bin)).map(|(_, &count)| count).collect();
        let bins = counts.len() as u64;
        let at_least = |least: u64| counts.iter().filter(|&&count| count >= least).count() as u64;
        // The sum may be greater than a `u64`. The fractions are those of the whole sum.
        let sum: u128 = counts.iter().copied().map(u128::from).sum();
        let (hits, hit, hit_ten) = (u64::try_from(sum).unwrap_or(u64::MAX), at_least(1), at_least(10));
        let once = counts.iter().filter(|&&count| count == 1).count() as f64;
        let entropy = entropy(&counts, sum);
        let even = (bins as f64).ln();
        Self {
            operations: coverage.operations,
            bins,
            hits,
            hit,
            hit_ten,
            closure: percent(hit, bins),
            closure_ten: percent(hit_ten, bins),
            evenness: rounded(if hits == 0 {
                0.0
            } else if even > 0.0 {
                entropy / even
            } else {
                1.0
            }),
            effective_bins: if hits > 0 { six_decimals(entropy.exp()) } else { 0.0 },
            gini: rounded(gini(&counts, sum)),
            unseen: rounded(if hits > 0 { once / sum as f64 } else { 1.0 }),
            outside: (outside.len() as u64, total(outside.iter().copied())),
        }
    }
}

/// Shannon's entropy of counts, in nats.
fn entropy(counts: &[u64], sum: u128) -> f64 {
    let share = |count: u64| count as f64 / sum as f64;
    // That of a single count is 0, not −0.
    counts.iter().filter(|&&count| count > 0).map(|&count| -share(count) * share(count).ln()).sum::<f64>() + 0.0
}

/// The Gini coefficient of counts in ascending order.
fn gini(counts: &[u64], sum: u128) -> f64 {
    if sum == 0 {
        return 0.0;
    }
    let number = counts.len() as u128;
    let ranked: u128 = counts.iter().zip(1..).map(|(&count, rank): (_, u128)| rank * u128::from(count)).sum();
    2.0 * ranked as f64 / (number as f64 * sum as f64) - (number as f64 + 1.0) / number as f64
}

/// How many addresses of a cell type were touched.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct AddressFigures {
    /// The cell type.
    pub cell_type: String,
    /// Different planes, blocks and pages that were programmed.
    pub programmed: TouchedPlaces,
    /// Different planes, blocks and pages that were read.
    pub read: TouchedPlaces,
}

/// Numbers of different places.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct TouchedPlaces {
    /// Planes, over all dies.
    pub planes: u64,
    /// Blocks, over all dies.
    pub blocks: u64,
    /// Pages.
    pub pages: u64,
    /// Touches in all.
    pub touches: u64,
}

impl AddressFigures {
    /// The figures of a coverage, by cell type.
    #[must_use]
    pub fn of(profile: &Profile, coverage: &Coverage) -> Vec<Self> {
        #[derive(Default)]
        struct Seen {
            planes: BTreeSet<(u64, u64)>,
            blocks: BTreeSet<(u64, u64)>,
            places: TouchedPlaces,
        }
        let planes = u64::from(profile.topology.planes.max(1));
        let mut seen: BTreeMap<_, [Seen; 2]> = BTreeMap::new();
        for (touched, &count) in &coverage.touches {
            let seen = &mut seen.entry(touched.cell_type).or_default()[usize::from(!touched.program)];
            seen.planes.insert((touched.die, touched.block % planes));
            seen.blocks.insert((touched.die, touched.block));
            seen.places.pages += 1;
            seen.places.touches = seen.places.touches.saturating_add(count);
        }
        let places = |seen: &Seen| TouchedPlaces {
            planes: seen.planes.len() as u64,
            blocks: seen.blocks.len() as u64,
            ..seen.places
        };
        let figures = |(cell_type, [programmed, read]): (CellTypeId, [Seen; 2])| Self {
            cell_type: profile.cell_types[cell_type].name.clone(),
            programmed: places(&programmed),
            read: places(&read),
        };
        seen.into_iter().map(figures).collect()
    }
}

/// How many ordered pairs of operations were seen.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PairFigures {
    /// All pairs of names: the square of their number.
    pub pairs: u64,
    /// Pairs seen in rows that follow one another.
    pub adjacent: u64,
    /// Pairs seen within [`GAP`](super::GAP) rows.
    pub within: u64,
}

impl PairFigures {
    /// The figures of a coverage.
    #[must_use]
    pub fn of(profile: &Profile, coverage: &Coverage) -> Self {
        let ops = profile.ops.len() as u64;
        let adjacent = coverage.pairs.values().filter(|pair| pair.adjacent > 0).count() as u64;
        Self { pairs: ops * ops, adjacent, within: coverage.pairs.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_even_spread_is_even_and_a_single_heap_is_not() {
        assert!((entropy(&[5, 5, 5, 5], 20) - 4f64.ln()).abs() < 1e-12);
        assert!(gini(&[5, 5, 5, 5], 20).abs() < 1e-12);
        assert!(entropy(&[0, 0, 0, 20], 20).abs() < 1e-12);
        assert!((gini(&[0, 0, 0, 20], 20) - 0.75).abs() < 1e-12);
        assert!(gini(&[0, 0], 0).abs() < 1e-12);
    }
}
