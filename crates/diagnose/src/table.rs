//! Counts of features, by bin, for many combinations at once.
//!
//! A unit is an operation, or a run. A run counts once for each feature: in its least bin where the last occurrence of something
//! matters, in its greatest where something adds up, and once in each bin elsewhere.

use nandseq_profile::model::Topology;
use rustc_hash::FxHashMap;

use crate::bins::Scale;
use crate::feature::{Bins, Condition, Feature, Quantity};
use crate::statistics::Counted;

/// A combination, by its number, with a feature.
pub(crate) type TableKey = (u32, Feature);

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
            Feature::Number(Quantity::Tenth(_) | Quantity::Block | Quantity::Page)
            | Feature::Name(_)
            | Feature::Fact(_) => Self::Each,
        }
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Entry {
    first: u32,
    /// The run that counted last, from 1, with its bins.
    run: u32,
    bins: Bins,
    seen: u64,
}

/// The counts.
#[derive(Debug)]
pub(crate) struct CountTable {
    topology: Topology,
    places: FxHashMap<TableKey, u32>,
    entries: Vec<Entry>,
    counts: Vec<(u32, u32)>,
}

impl CountTable {
    pub(crate) fn new(topology: Topology) -> Self {
        Self { topology, places: FxHashMap::default(), entries: Vec::new(), counts: Vec::new() }
    }

    /// The number of features.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an occurrence of a feature. `run` is the number of the run, from 1, where runs count.
    pub(crate) fn add(&mut self, key: TableKey, bins: Bins, fails: bool, run: Option<u32>) {
        let scales = key.1.scales(self.topology);
        let place = *self.places.entry(key).or_insert_with(|| {
            let first = self.counts.len();
            let bins: usize = scales.iter().flatten().map(|scale| usize::from(scale.bins())).sum();
            self.counts.resize(first + bins, (0, 0));
            self.entries.push(Entry { first: first as u32, ..Entry::default() });
            self.entries.len() as u32 - 1
        });
        let entry = &mut self.entries[place as usize];
        let mut first = entry.first as usize;
        let is_again = run.is_some_and(|run| run == entry.run);
        for (measure, scale) in scales.iter().enumerate() {
            let Some(scale) = scale else { break };
            let (bin, had) = (bins[measure], entry.bins[measure]);
            let counts = &mut self.counts[first..first + usize::from(scale.bins())];
            first += usize::from(scale.bins());
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
                        counts[usize::from(had)].0 -= u32::from(fails);
                        counts[usize::from(had)].1 -= 1;
                    }
                    RunBin::Each => {}
                }
            }
            counts[usize::from(bin)].0 += u32::from(fails);
            counts[usize::from(bin)].1 += 1;
            entry.bins[measure] = bin;
            entry.seen = if is_again { entry.seen | 1 << bin } else { 1 << bin };
        }
        entry.run = run.unwrap_or(0);
    }

    /// Moves the features of another table that have fails into this one.
    pub(crate) fn take_failing(&mut self, other: &mut Self) {
        let mut keys: Vec<(TableKey, u32)> = other.places.drain().collect();
        keys.sort_unstable();
        for (key, place) in keys {
            let counts = other.counts_of(key.1, place);
            if counts.iter().any(|count| count.0 > 0) {
                let (first, run) = (self.counts.len() as u32, other.entries[place as usize]);
                self.counts.extend_from_slice(counts);
                self.places.insert(key, self.entries.len() as u32);
                self.entries.push(Entry { first, ..run });
            }
        }
        other.entries.clear();
        other.counts.clear();
    }

    fn counts_of(&self, feature: Feature, place: u32) -> &[(u32, u32)] {
        let scales = feature.scales(self.topology);
        let bins: usize = scales.iter().flatten().map(|scale| usize::from(scale.bins())).sum();
        let first = self.entries[place as usize].first as usize;
        &self.counts[first..first + bins]
    }

    /// All features that have fails, in their order, with what a condition on each counts at its best: the condition that makes the
    /// fails of the combination most likely, fewer bounds going before more.
    pub(crate) fn best(&self, runs: bool, whole_of: impl Fn(u32) -> Counted) -> Vec<(u32, Condition, Counted)> {
        let mut keys: Vec<(TableKey, u32)> = self.places.iter().map(|(key, place)| (*key, *place)).collect();
        keys.sort_unstable();
        let mut found = Vec::new();
        for ((of, feature), place) in keys {
            let mut counts = self.counts_of(feature, place);
            for (measure, scale) in feature.scales(self.topology).into_iter().flatten().enumerate() {
                let (own, rest) = counts.split_at(usize::from(scale.bins()));
                counts = rest;
                let is_additive = !runs || RunBin::of(feature) != RunBin::Each;
                let best = best_bins(own, scale, whole_of(of), is_additive);
                // The whole is the same in every measure.
                let is_whole = |from: u8, to: u8| measure > 0 && from == 0 && to + 1 == scale.bins();
                if let Some((from, to, counted)) = best.filter(|&(from, to, _)| !is_whole(from, to)) {
                    found.push((of, Condition { feature, measure: measure as u8, from, to }, counted));
                }
            }
        }
        found
    }
}

/// What a bound costs: how much likelier it must make the fails.
const BOUND_COST: f64 = 3.0;

/// The bins that go best with failing; `None` if nothing fails there. Only bins with fails are bounds.
fn best_bins(counts: &[(u32, u32)], scale: Scale, whole: Counted, is_additive: bool) -> Option<(u8, u8, Counted)> {
    let failing: Vec<u8> = (0..scale.bins()).filter(|&bin| counts[usize::from(bin)].0 > 0).collect();
    let (&first, &last) = (failing.first()?, failing.last()?);
    let end = scale.bins() - 1;
    let sum = |from: u8, to: u8| {
        let some = &counts[usize::from(from)..=usize::from(to)];
        some.iter().fold(Counted::default(), |sum, count| Counted {
            fails: sum.fails + u64::from(count.0),
            all: sum.all + u64::from(count.1),
        })
    };
    let mut best: Option<(f64, (u8, u8, Counted))> = None;
    let mut try_bins = |from: u8, to: u8| {
        let counted = sum(from, to);
        let bounds = f64::from(u8::from(from > 0) + u8::from(to < end));
        let worth = whole.gain(counted) - BOUND_COST * bounds;
        if best.is_none_or(|(most, _)| worth > most) {
            best = Some((worth, (from, to, counted)));
        }
    };
    if !is_additive {
        failing.iter().for_each(|&bin| try_bins(bin, bin));
        return best.map(|(_, found)| found);
    }
    try_bins(0, end);
    failing.iter().filter(|&&to| to < end).for_each(|&to| try_bins(0, to));
    failing.iter().filter(|&&from| from > 0).for_each(|&from| try_bins(from, end));
    if first > 0 && last < end {
        for (at, &from) in failing.iter().enumerate() {
            failing[at..].iter().filter(|&&to| from > 0 && to < end).for_each(|&to| try_bins(from, to));
        }
    }
    best.map(|(_, found)| found)
}
