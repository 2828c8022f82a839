//! The gaps of combinations, both bounds of them at once.
//!
//! While features are counted, the last operation of a name stands for those before it. That is enough for the greatest distance, but with
//! a least one any earlier operation counts that is so far back. Here each combination that names an earlier operation is counted once
//! more: for each operation that meets the rest of it, in which bins all such earlier operations lie. The range of bins that makes the fails
//! likeliest follows exactly.

use rustc_hash::FxHashMap;

use crate::bins::Scales;
use crate::feature::{Combination, Condition, Feature};
use crate::found::FoundCombination;
use crate::names::{NameTable, OpName};
use crate::occurrence::Occurrence;
use crate::parents::seeds_of;
use crate::sample::OperationSample;
use crate::statistics::UnitCount;
use crate::table::{BOUND_COST, WeightedCount};
use crate::threads::Absorb;
use crate::walk::{CountedOperation, Listener, ToldRun};

/// How many combinations are counted once more.
const MOST: usize = 60;

/// A combination with one of its conditions on an earlier operation.
#[derive(Clone, Debug)]
struct GapOf {
    combination: Combination,
    condition: Condition,
    /// The conditions that do not depend on that one.
    rest: Combination,
    needed: f64,
}

/// The best combinations with other gaps, where these make the fails likelier.
pub(crate) fn with_gaps(
    sample: &OperationSample,
    names: &NameTable,
    found: &[FoundCombination],
    whole: UnitCount,
) -> Vec<FoundCombination> {
    let sure: Vec<FoundCombination> = found.iter().filter(|one| one.is_sure).cloned().collect();
    let mut gaps = Vec::new();
    for combination in seeds_of(&sure, MOST) {
        let Some(one) = sure.iter().find(|one| one.combination == combination) else { continue };
        for (condition, rest) in combination.with_one_less() {
            let is_earlier = match condition.feature {
                Feature::After(..) | Feature::AfterThat(..) => true,
                Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => false,
            };
            if is_earlier && condition.is_time() {
                gaps.push(GapOf { combination: combination.clone(), condition, rest, needed: one.needed });
            }
        }
    }
    let mut of_name = vec![Vec::new(); names.len() + 1];
    for (at, gap) in gaps.iter().enumerate() {
        of_name[gap.combination.name().map_or(names.len(), OpName::index)].push(at);
    }
    let scales = sample.scales();
    let bins = vec![FxHashMap::default(); gaps.len()];
    let new = || GapBins { gaps: &gaps, of_name: &of_name, scales: &scales, bins: bins.clone() };
    let counted = sample.tell(names, false, &new).bins;
    gaps.iter().zip(counted).filter_map(|(gap, bins)| best_gap(gap, &bins, &scales, whole)).collect()
}

/// The range of bins that makes the fails likeliest, if it is another one.
fn best_gap(
    gap: &GapOf,
    bins: &FxHashMap<u64, WeightedCount>,
    scales: &Scales,
    whole: UnitCount,
) -> Option<FoundCombination> {
    let Condition { feature, measure, .. } = gap.condition;
    let scale = feature.scales()[usize::from(measure)]?;
    let end = scales.bins(scale) - 1;
    let mut best: Option<(f64, Condition, UnitCount)> = None;
    for from in 0..=end {
        for to in from..=end {
            let wanted = (u64::MAX >> (u64::BITS - 1 - u32::from(to - from))) << from;
            let mut counted = WeightedCount::default();
            bins.iter().filter(|(in_bins, _)| **in_bins & wanted != 0).for_each(|(_, count)| counted += *count);
            let counted = counted.rounded();
            let bounds = f64::from(u8::from(from > 0) + u8::from(to < end));
            let worth = whole.gain(counted) - BOUND_COST * bounds;
            if best.is_none_or(|(most, ..)| worth > most) {
                let (least, most) = scales.range(scale, from, to);
                best = Some((worth, Condition { feature, measure, least, most }, counted));
            }
        }
    }
    let (_, condition, counted) = best.filter(|(_, condition, _)| *condition != gap.condition)?;
    let mut combination = gap.combination.clone();
    combination.0.iter_mut().filter(|one| **one == gap.condition).for_each(|one| *one = condition);
    combination.0.sort_unstable();
    let gain = whole.gain(counted);
    let is_sure = gain >= gap.needed;
    is_sure.then_some(FoundCombination { combination, counted, gain, needed: gap.needed, is_sure })
}

/// By combination, the bins in which earlier operations lie, one bit each, with how often that was so.
struct GapBins<'a> {
    gaps: &'a [GapOf],
    /// By name the combinations that name it; last those that name none.
    of_name: &'a [Vec<usize>],
    scales: &'a Scales,
    bins: Vec<FxHashMap<u64, WeightedCount>>,
}

impl Absorb for GapBins<'_> {
    fn absorb(&mut self, other: Self) {
        for (own, other) in self.bins.iter_mut().zip(other.bins) {
            other.into_iter().for_each(|(bins, count)| *own.entry(bins).or_default() += count);
        }
    }
}

impl Listener for GapBins<'_> {
    fn wants(&mut self, _: CountedOperation) -> bool {
        true
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        let named = occurrence.own_names().iter().map(|name| name.index()).chain([self.of_name.len() - 1]);
        for &at in named.flat_map(|name| &self.of_name[name]) {
            let gap = &self.gaps[at];
            if occurrence.fits(&gap.rest) {
                let bins = occurrence.gap_bins(&gap.combination, &gap.condition, self.scales);
                let count = WeightedCount::of(occurrence.weight, occurrence.fails);
                *self.bins[at].entry(bins).or_default() += count;
            }
        }
    }

    fn run_end(&mut self, _: ToldRun) {}
}
