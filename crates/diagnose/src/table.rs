//! Counts of features, by bin, for many combinations at once.
//!
//! Only features that were seen in enough failing units are counted: the others are no suspects. [`CountTable::note`] notes them before
//! anything is counted, and [`CountTable::prune`] drops those with few. A unit is an operation, or a run. An operation counts as many times as its weight says. A run counts once for each feature:
//! in its least bin where the last occurrence of something matters, in its greatest where something adds up, and once in each bin elsewhere.

use std::ops::AddAssign;

use rustc_hash::FxHashMap;

use crate::bins::Scales;
use crate::feature::{Bins, Condition, Feature, Quantity, Relation};
use crate::occurrence::ONE;
use crate::statistics::UnitCount;

/// A combination, by its number, with a feature.
pub(crate) type TableKey = (u32, Feature);

/// Units that were counted, in parts of [`ONE`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct WeightedCount {
    pub(crate) fails: u64,
    all: u64,
}

impl WeightedCount {
    pub(crate) const fn of(weight: u64, fails: bool) -> Self {
        Self { fails: if fails { weight } else { 0 }, all: weight }
    }

    /// The nearest whole numbers.
    pub(crate) fn rounded(self) -> UnitCount {
        let whole = |parts: u64| (parts + ONE / 2) / ONE;
        UnitCount { fails: whole(self.fails), all: whole(self.all) }
    }
}

impl AddAssign for WeightedCount {
    fn add_assign(&mut self, other: Self) {
        self.fails += other.fails;
        self.all += other.all;
    }
}

/// How a run counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum RunBin {
    Least,
    Greatest,
    Each,
}

impl RunBin {
    const fn of(feature: Feature) -> Self {
        match feature {
            Feature::After(..) | Feature::AfterThat(..) => Self::Least,
            Feature::Number(Quantity::Erases | Quantity::Reads) => Self::Greatest,
            Feature::Number(
                Quantity::Tenth(_)
                | Quantity::ThatTenth(_)
                | Quantity::Block
                | Quantity::Page
                | Quantity::PatternBefore,
            )
            | Feature::Name(_)
            | Feature::Fact(_) => Self::Each,
        }
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    /// The failing units in which it was noted.
    noted: u64,
    /// The run that counted last, from 1, with its bins.
    run: u32,
    bins: Bins,
    seen: u64,
}

/// The counts.
#[derive(Clone, Debug)]
pub(crate) struct CountTable {
    scales: Scales,
    places: FxHashMap<TableKey, u32>,
    /// The places of features of earlier operations, by combination, name and relation: most of what is counted. `NOWHERE` for none.
    earlier: Vec<u32>,
    names: usize,
    entries: Vec<Entry>,
    /// By place, where the counts begin.
    firsts: Vec<u32>,
    counts: Vec<WeightedCount>,
}

/// The place of a feature that is not counted.
const NOWHERE: u32 = u32::MAX;

impl CountTable {
    /// A table of the features of some combinations, on a device with some names.
    pub(crate) fn new(scales: Scales, combinations: usize, names: usize) -> Self {
        let earlier = vec![NOWHERE; combinations * names * Relation::ALL.len() * 2];
        Self {
            scales,
            places: FxHashMap::default(),
            earlier,
            names,
            entries: Vec::new(),
            firsts: Vec::new(),
            counts: Vec::new(),
        }
    }

    /// The features that were noted, each as often as combinations have it.
    pub(crate) fn features(&self) -> impl Iterator<Item = Feature> {
        self.keys().map(|(_, feature)| feature)
    }

    /// The same with the combinations.
    pub(crate) fn keys(&self) -> impl Iterator<Item = TableKey> {
        self.places.keys().copied()
    }

    /// The most features that were noted with one combination.
    pub(crate) fn most_features(&self) -> usize {
        let mut of: FxHashMap<u32, usize> = FxHashMap::default();
        self.places.keys().for_each(|(combination, _)| *of.entry(*combination).or_default() += 1);
        of.into_values().max().unwrap_or(0)
    }

    /// The place of a feature of an earlier operation in the list of such.
    fn earlier_at(&self, (of, feature): TableKey) -> Option<usize> {
        let (kind, name, relation) = match feature {
            Feature::After(name, relation) => (0, name, relation),
            Feature::AfterThat(name, relation) => (1, name, relation),
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => return None,
        };
        let of_name = (of as usize * 2 + kind) * self.names + name.index();
        Some(of_name * Relation::ALL.len() + relation as usize)
    }

    /// Notes a feature that was seen in a failing unit. `run` is the number of the run, from 1, where runs count.
    pub(crate) fn note(&mut self, key: TableKey, weight: u64, run: Option<u32>) {
        let place = self.place(key).unwrap_or_else(|| {
            let next = self.entries.len() as u32;
            if let Some(at) = self.earlier_at(key) {
                self.earlier[at] = next;
            }
            self.places.insert(key, next);
            self.entries.push(Entry::default());
            next
        });
        let entry = &mut self.entries[place as usize];
        if run.is_none_or(|run| run != entry.run) {
            entry.noted += weight;
            entry.run = run.unwrap_or(0);
        }
    }

    /// Drops features after they were noted, and makes room for the counts of the others. `is_kept` is asked with the failing units.
    pub(crate) fn prune(&mut self, is_kept: impl Fn(TableKey, u64) -> bool) {
        // The counts of a combination lie side by side, as its operations are counted one after the other.
        let mut noted: Vec<(TableKey, u32)> = std::mem::take(&mut self.places).into_iter().collect();
        noted.sort_unstable();
        let entries = std::mem::take(&mut self.entries);
        for (key, place) in noted {
            let at = self.earlier_at(key);
            if is_kept(key, entries[place as usize].noted / ONE) {
                let next = self.entries.len() as u32;
                self.places.insert(key, next);
                self.entries.push(Entry::default());
                self.firsts.push(self.counts.len() as u32);
                self.counts.resize(self.counts.len() + self.bins(key.1), WeightedCount::default());
                at.into_iter().for_each(|at| self.earlier[at] = next);
            } else {
                at.into_iter().for_each(|at| self.earlier[at] = NOWHERE);
            }
        }
    }

    /// The number of bins of a feature on all of its scales.
    fn bins(&self, feature: Feature) -> usize {
        feature.scales().into_iter().flatten().map(|scale| usize::from(self.scales.bins(scale))).sum()
    }

    /// The scales in which it counts.
    pub(crate) const fn scales(&self) -> &Scales {
        &self.scales
    }

    /// The number of features.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The place of a feature that was noted.
    fn place(&self, key: TableKey) -> Option<u32> {
        match self.earlier_at(key) {
            Some(at) => Some(self.earlier[at]).filter(|&place| place != NOWHERE),
            None => self.places.get(&key).copied(),
        }
    }

    /// Takes over the features that another table noted.
    pub(crate) fn absorb_noted(&mut self, other: &Self) {
        for (key, place) in &other.places {
            self.note(*key, other.entries[*place as usize].noted, None);
        }
    }

    /// Takes over what a table counted that was the same before anything was counted.
    pub(crate) fn absorb_counts(&mut self, other: &Self) {
        self.counts.iter_mut().zip(&other.counts).for_each(|(own, other)| *own += *other);
    }

    /// Counts an occurrence of a feature, if it was noted. `run` is the number of the run, from 1, where runs count.
    pub(crate) fn add(&mut self, key: TableKey, bins: Bins, count: WeightedCount, run: Option<u32>) {
        let Some(place) = self.place(key) else { return };
        let mut first = self.firsts[place as usize] as usize;
        let Some(run) = run else {
            for (scale, bin) in key.1.scales().into_iter().flatten().zip(bins) {
                self.counts[first + usize::from(bin)] += count;
                first += usize::from(self.scales.bins(scale));
            }
            return;
        };
        let entry = &mut self.entries[place as usize];
        let is_again = run == entry.run;
        for (measure, scale) in key.1.scales().into_iter().flatten().enumerate() {
            let (bin, had) = (bins[measure], entry.bins[measure]);
            let bins = usize::from(self.scales.bins(scale));
            let counts = &mut self.counts[first..first + bins];
            first += bins;
            if is_again {
                let moves = match RunBin::of(key.1) {
                    RunBin::Least => bin < had,
                    RunBin::Greatest => bin > had,
                    RunBin::Each if entry.seen >> bin & 1 == 1 => continue,
                    RunBin::Each => false,
                };
                match RunBin::of(key.1) {
                    RunBin::Least | RunBin::Greatest if !moves => continue,
                    RunBin::Least | RunBin::Greatest => {
                        counts[usize::from(had)].fails -= count.fails;
                        counts[usize::from(had)].all -= count.all;
                    }
                    RunBin::Each => {}
                }
            }
            counts[usize::from(bin)] += count;
            entry.bins[measure] = bin;
            entry.seen = if is_again { entry.seen | 1 << bin } else { 1 << bin };
        }
        entry.run = run;
    }

    fn counts_of(&self, feature: Feature, place: u32) -> &[WeightedCount] {
        let first = self.firsts[place as usize] as usize;
        &self.counts[first..first + self.bins(feature)]
    }

    /// What a feature counts with a combination, whatever its value; `None` if it is not counted. Operations only.
    pub(crate) fn whole_of(&self, key: TableKey) -> Option<UnitCount> {
        let [scale, ..] = key.1.scales();
        let bins = scale.map_or(1, |scale| self.scales.bins(scale));
        let counts = self.counts_of(key.1, self.place(key)?);
        let mut sum = WeightedCount::default();
        counts[..usize::from(bins)].iter().for_each(|&count| sum += count);
        Some(sum.rounded())
    }

    /// All features that have fails, in their order, with what a condition on each counts at its best: the condition that makes the
    /// fails of the combination most likely, fewer bounds going before more.
    pub(crate) fn best(&self, runs: bool, whole_of: impl Fn(u32) -> UnitCount) -> Vec<(u32, Condition, UnitCount)> {
        let mut keys: Vec<(TableKey, u32)> = self.places.iter().map(|(key, place)| (*key, *place)).collect();
        keys.sort_unstable();
        let mut found = Vec::new();
        for ((of, feature), place) in keys {
            let mut counts = self.counts_of(feature, place);
            for (measure, scale) in feature.scales().into_iter().flatten().enumerate() {
                let (own, rest) = counts.split_at(usize::from(self.scales.bins(scale)));
                counts = rest;
                let is_additive = !runs || RunBin::of(feature) != RunBin::Each;
                let Some((from, to, counted)) = best_bins(own, whole_of(of), is_additive) else { continue };
                let (least, most) = self.scales.range(scale, from, to);
                let condition = Condition { feature, measure: measure as u8, least, most };
                // The whole is the same in every measure.
                if measure == 0 || !condition.is_whole() {
                    found.push((of, condition, counted));
                }
            }
        }
        found
    }
}

/// What a bound costs: how much likelier it must make the fails.
pub(crate) const BOUND_COST: f64 = 3.0;

/// The bins that go best with failing; `None` if nothing fails there. Only bins with fails are bounds.
fn best_bins(counts: &[WeightedCount], whole: UnitCount, is_additive: bool) -> Option<(u8, u8, UnitCount)> {
    let end = counts.len() as u8 - 1;
    let failing: Vec<u8> = (0..=end).filter(|&bin| counts[usize::from(bin)].fails > 0).collect();
    let (&first, &last) = (failing.first()?, failing.last()?);
    let sum = |from: u8, to: u8| {
        let mut sum = WeightedCount::default();
        counts[usize::from(from)..=usize::from(to)].iter().for_each(|&count| sum += count);
        sum.rounded()
    };
    let mut best: Option<(f64, (u8, u8, UnitCount))> = None;
    let try_bins = |best: &mut Option<(f64, (u8, u8, UnitCount))>, from: u8, to: u8| {
        let counted = sum(from, to);
        let bounds = f64::from(u8::from(from > 0) + u8::from(to < end));
        let worth = whole.gain(counted) - BOUND_COST * bounds;
        if best.is_none_or(|(most, _)| worth > most) {
            *best = Some((worth, (from, to, counted)));
        }
    };
    if !is_additive {
        failing.iter().for_each(|&bin| try_bins(&mut best, bin, bin));
        return best.map(|(_, found)| found);
    }
    // A lower bound is tried with the best upper bound, and the other way round.
    try_bins(&mut best, 0, end);
    let upper = |from: u8| failing.iter().copied().filter(move |&to| to < end && to >= from);
    let lower = |to: u8| failing.iter().copied().filter(move |&from| from > 0 && from <= to);
    upper(0).for_each(|to| try_bins(&mut best, 0, to));
    lower(end).for_each(|from| try_bins(&mut best, from, end));
    if first > 0 && last < end {
        lower(last).for_each(|from| try_bins(&mut best, from, last));
        upper(first).for_each(|to| try_bins(&mut best, first, to));
        let found = best;
        if let Some((_, (from, to, _))) = found {
            lower(to).for_each(|from| try_bins(&mut best, from, to));
            upper(from).for_each(|to| try_bins(&mut best, from, to));
        }
    }
    best.map(|(_, found)| found)
}
