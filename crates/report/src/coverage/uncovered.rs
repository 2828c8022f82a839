//! The uncovered bins, and the reasons.

use std::collections::BTreeMap;

use nandseq_profile::diagnostic::counted;
use nandseq_profile::{OpId, PhaseKey, Profile};
use serde::{Deserialize, Serialize};

use super::{Coverage, CoverageUniverse, add_count};
use crate::page::{KeyDistribution, shares};

/// The uncovered bins of an operation under a phase key.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct UncoveredBins {
    /// The phase key.
    pub phase_key: String,
    /// The operation.
    pub op_name: String,
    /// The time bins without a hit.
    #[serde(rename = "bins")]
    pub time_bins: Vec<u8>,
    /// Hits in the other time bins.
    pub hits: u64,
    /// The expected number of draws if the table alone had drawn all proposals that were accepted under the key; `None` without a
    /// table.
    pub expected: Option<f64>,
    /// The reason, as far as the files tell.
    pub why: String,
}

/// The uncovered bins by pair of key and operation, nearest first: pairs with hits in other tenths, those with the fewest tenths
/// missing first; then pairs by their expected draws, the most first; then pairs under keys that never came up.
#[must_use]
pub fn uncovered_bins(
    profile: &Profile,
    coverage: &Coverage,
    universe: &CoverageUniverse,
    table: Option<&[KeyDistribution]>,
) -> Vec<UncoveredBins> {
    let mut at_key: BTreeMap<PhaseKey, u64> = BTreeMap::new();
    let mut at_pair: BTreeMap<(PhaseKey, OpId), u64> = BTreeMap::new();
    for (bin, &count) in &coverage.bins {
        add_count(&mut at_key, bin.key, count);
        add_count(&mut at_pair, (bin.key, bin.op), count);
    }
    let mut missing: BTreeMap<(PhaseKey, OpId), Vec<u8>> = BTreeMap::new();
    for bin in universe.bins().filter(|bin| !coverage.bins.contains_key(bin)) {
        missing.entry((bin.key, bin.op)).or_default().push(bin.time_bin);
    }
    let of_key =
        |(key, weights): &KeyDistribution| shares(weights).map(|(op, share)| ((*key, op), share)).collect::<Vec<_>>();
    let shares: Option<BTreeMap<_, _>> = table.map(|table| table.iter().flat_map(of_key).collect());
    let mut uncovered_bins: Vec<((u8, u64), UncoveredBins)> = Vec::new();
    for ((key, op), time_bins) in missing {
        let visits = at_key.get(&key).copied().unwrap_or_default();
        let hits = at_pair.get(&(key, op)).copied().unwrap_or_default();
        let share = shares.as_ref().map(|shares| shares.get(&(key, op)).copied().unwrap_or_default());
        let expected = share.map(|share| (share * visits as f64 * 1e6).round() / 1e6);
        let rank = if hits > 0 {
            (0, time_bins.len() as u64)
        } else {
            // Expected draws, the most first; without a table, visits of the key.
            let likely = expected.map_or(visits, |expected| (expected * 1e6) as u64);
            (if visits > 0 { 1 } else { 2 }, u64::MAX - likely)
        };
        let why = why(coverage, key, op, visits, hits, expected);
        let (phase_key, op_name) = (profile.phase_keys[key].name.clone(), profile.ops[op].name.clone());
        uncovered_bins.push((rank, UncoveredBins { phase_key, op_name, time_bins, hits, expected, why }));
    }
    // Stable: pairs of one rank stay in the order of key and operation.
    uncovered_bins.sort_by_key(|(rank, _)| *rank);
    uncovered_bins.into_iter().map(|(_, uncovered)| uncovered).collect()
}

fn why(coverage: &Coverage, key: PhaseKey, op: OpId, visits: u64, hits: u64, expected: Option<f64>) -> String {
    let from = (key, op, String::new());
    let refused: Vec<(&str, u64)> = coverage
        .refusals
        .range(from..)
        .take_while(|((of_key, of_op, _), _)| (*of_key, *of_op) == (key, op))
        .map(|((_, _, reason), &count)| (reason.as_str(), count))
        .collect();
    if let Some((reason, count)) = refused.iter().max_by_key(|(reason, count)| (*count, std::cmp::Reverse(*reason))) {
        return format!("refused {}: {reason}", counted(*count, "time"));
    }
    if visits == 0 {
        return "nothing was started under this key".to_owned();
    }
    if hits > 0 {
        return format!("started {}, at other moments of the phase", counted(hits, "time"));
    }
    match expected {
        Some(expected) if expected < 3.0 => {
            format!(
                "too seldom drawn: {} {} accepted under this key, and {expected:.3} of it to be expected",
                counted(visits, "proposal"),
                if visits == 1 { "was" } else { "were" }
            )
        }
        Some(_) | None => {
            let proposals = counted(visits, "proposal");
            format!("never started in {proposals} accepted under this key; a log of the proposer would say why")
        }
    }
}
