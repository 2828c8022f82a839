//! The exact evidence for some combinations: in how many operations and runs, in which, and how sure the score is.
//!
//! Intervals come from a bootstrap over runs: in each sample a run counts as often as a draw says, so that nothing but sums is kept.

use nandseq_profile::Ticks;

use crate::draws::weight;
use crate::feature::Combination;
use crate::names::{NameTable, OpName};
use crate::occurrence::{Occurrence, OperationPlace};
use crate::statistics::{Metric, UnitCount, rounded};
use crate::threads::Absorb;
use crate::walk::{self, CountedOperation, DiagnoseError, Listener, TestedRuns, ToldRun};

/// The number of samples of the bootstrap.
pub(crate) const SAMPLES: usize = 200;

/// An operation that is an example of a combination.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExampleOperation {
    pub(crate) place: OperationPlace,
    /// The start of the first operation that the combination names.
    pub(crate) from: Ticks,
}

/// What is known of a combination.
#[derive(Clone, Default, Debug)]
pub(crate) struct Evidence {
    pub(crate) operations: UnitCount,
    pub(crate) runs: UnitCount,
    pub(crate) failing: Option<ExampleOperation>,
    pub(crate) passing: Option<ExampleOperation>,
    in_run: UnitCount,
    samples: Samples,
}

/// The failing and all units of each sample.
#[derive(Clone, Debug)]
struct Samples(Vec<(u32, u32)>);

impl Default for Samples {
    fn default() -> Self {
        Self(vec![(0, 0); SAMPLES])
    }
}

impl Samples {
    /// Adds the units of a run, as often as each sample has the run.
    fn add(&mut self, (fails, all): (u32, u32), weights: &[u32; SAMPLES]) {
        for (sample, weight) in self.0.iter_mut().zip(weights) {
            sample.0 = sample.0.saturating_add(fails.saturating_mul(*weight));
            sample.1 = sample.1.saturating_add(all.saturating_mul(*weight));
        }
    }

    fn absorb(&mut self, other: &Self) {
        for (own, other) in self.0.iter_mut().zip(&other.0) {
            *own = (own.0.saturating_add(other.0), own.1.saturating_add(other.1));
        }
    }

    /// The interval that holds the score in 95 of 100 samples, of units that are part of `whole`.
    fn interval(&self, whole: &Self, metric: Metric) -> [f64; 2] {
        let of_sample = |(&(fails, all), &(whole_fails, whole)): (&(u32, u32), &(u32, u32))| {
            let [ef, ep] = [fails, all - fails].map(f64::from);
            let [fails, passes] = [whole_fails, whole - whole_fails].map(f64::from);
            metric.of(ef, ep, fails, passes)
        };
        let mut scores: Vec<f64> = self.0.iter().zip(&whole.0).map(of_sample).collect();
        scores.sort_by(f64::total_cmp);
        let tail = SAMPLES / 40;
        [rounded(scores[tail]), rounded(scores[SAMPLES - 1 - tail])]
    }
}

/// The weights of a run in the samples.
fn weights(seed: u64, site: usize, run: u64) -> [u32; SAMPLES] {
    std::array::from_fn(|sample| weight(seed, site, run, sample))
}

/// The evidence for combinations.
#[derive(Clone, Debug)]
pub(crate) struct EvidenceOfAll {
    pub(crate) operations: UnitCount,
    pub(crate) runs: UnitCount,
    pub(crate) of: Vec<Evidence>,
    samples: Samples,
    /// For each site its runs.
    pub(crate) sites: Vec<UnitCount>,
    /// For each two combinations the units in which both were seen, by the greater number and the smaller one.
    both: Vec<UnitCount>,
}

impl EvidenceOfAll {
    pub(crate) fn new(
        runs: &TestedRuns<'_>,
        names: &NameTable,
        by_run: bool,
        seed: u64,
        combinations: &[&Combination],
    ) -> Result<Self, DiagnoseError> {
        let mut of_name: Vec<Vec<u32>> = vec![Vec::new(); names.len() + 1];
        for (combination, at) in combinations.iter().zip(0..) {
            of_name[combination.name().map_or(names.len(), OpName::index)].push(at);
        }
        let of_name = &of_name;
        let collected = walk::all(runs, names, by_run, &|| Collector {
            all: Self {
                operations: UnitCount::default(),
                runs: UnitCount::default(),
                of: vec![Evidence::default(); combinations.len()],
                samples: Samples::default(),
                sites: vec![UnitCount::default(); runs.sites.len()],
                both: vec![UnitCount::default(); combinations.len() * (combinations.len() + 1) / 2],
            },
            names,
            combinations,
            of_name,
            by_run,
            seed,
            in_run: UnitCount::default(),
            met: Vec::new(),
            touched: Vec::new(),
        })?;
        Ok(collected.all)
    }

    /// The units that are compared.
    pub(crate) const fn units(&self, by_run: bool) -> UnitCount {
        if by_run { self.runs } else { self.operations }
    }

    /// The units in which two combinations were seen.
    pub(crate) fn both(&self, one: usize, other: usize) -> UnitCount {
        self.both[pair_at(one, other)]
    }

    /// The interval that holds the score in 95 of 100 samples.
    pub(crate) fn interval(&self, at: usize, metric: Metric) -> [f64; 2] {
        self.of[at].samples.interval(&self.samples, metric)
    }

    /// Counts a unit in which some combinations were seen.
    fn add_pairs(&mut self, met: &[u32], fails: bool) {
        for (at, &greater) in met.iter().enumerate() {
            for &smaller in &met[..=at] {
                self.both[pair_at(greater as usize, smaller as usize)].add(fails);
            }
        }
    }
}

/// The place of two combinations in the list of pairs.
fn pair_at(one: usize, other: usize) -> usize {
    let (greater, smaller) = (one.max(other), one.min(other));
    greater * (greater + 1) / 2 + smaller
}

struct Collector<'a> {
    all: EvidenceOfAll,
    names: &'a NameTable,
    combinations: &'a [&'a Combination],
    /// By name the combinations that name it; last those that name none.
    of_name: &'a [Vec<u32>],
    by_run: bool,
    seed: u64,
    in_run: UnitCount,
    /// The combinations that the operation meets.
    met: Vec<u32>,
    /// The combinations that the run under way has.
    touched: Vec<u32>,
}

impl Absorb for Collector<'_> {
    fn absorb(&mut self, other: Self) {
        let add = |own: &mut UnitCount, other: &UnitCount| *own = own.with(*other);
        add(&mut self.all.operations, &other.all.operations);
        add(&mut self.all.runs, &other.all.runs);
        self.all.sites.iter_mut().zip(&other.all.sites).for_each(|(own, other)| add(own, other));
        self.all.both.iter_mut().zip(&other.all.both).for_each(|(own, other)| add(own, other));
        self.all.samples.absorb(&other.all.samples);
        let first = |one: Option<ExampleOperation>, other| {
            one.into_iter().chain(other).min_by_key(|example: &ExampleOperation| example.place)
        };
        for (own, other) in self.all.of.iter_mut().zip(&other.all.of) {
            add(&mut own.operations, &other.operations);
            add(&mut own.runs, &other.runs);
            own.samples.absorb(&other.samples);
            own.failing = first(own.failing, other.failing);
            own.passing = first(own.passing, other.passing);
        }
    }
}

impl Listener for Collector<'_> {
    fn wants(&mut self, operation: CountedOperation) -> bool {
        self.in_run.add(operation.fails);
        let mut names = self.names.of(operation.op).iter().map(|name| name.index()).chain([self.of_name.len() - 1]);
        names.any(|name| !self.of_name[name].is_empty())
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        let fails = if self.by_run { occurrence.run_fails } else { occurrence.fails };
        let named = occurrence.own_names().iter().map(|name| name.index()).chain([self.of_name.len() - 1]);
        let is_met = |at: &u32| occurrence.fits(self.combinations[*at as usize]);
        self.met.clear();
        self.met.extend(named.flat_map(|name| &self.of_name[name]).copied().filter(is_met));
        for &at in &self.met {
            let evidence = &mut self.all.of[at as usize];
            if evidence.in_run.all == 0 {
                self.touched.push(at);
            }
            evidence.in_run.add(occurrence.fails);
            let example = if fails { &mut evidence.failing } else { &mut evidence.passing };
            if example.is_none() {
                let from = first_start(occurrence, self.combinations[at as usize]);
                *example = Some(ExampleOperation { place: occurrence.place, from });
            }
        }
        if !self.by_run {
            self.all.add_pairs(&self.met, fails);
        }
    }

    fn run_end(&mut self, run: ToldRun) {
        let counts = |operations: UnitCount| {
            let of_run = (u32::from(run.fails), 1);
            if self.by_run { of_run } else { (operations.fails as u32, operations.all as u32) }
        };
        let weights = weights(self.seed, run.site, run.run);
        self.all.samples.add(counts(self.in_run), &weights);
        self.all.runs.add(run.fails);
        self.all.sites[run.site].add(run.fails);
        self.all.operations = self.all.operations.with(self.in_run);
        if self.by_run {
            self.all.add_pairs(&self.touched, run.fails);
        }
        for at in self.touched.drain(..) {
            let evidence = &mut self.all.of[at as usize];
            let in_run = std::mem::take(&mut evidence.in_run);
            evidence.samples.add(counts(in_run), &weights);
            evidence.operations = evidence.operations.with(in_run);
            evidence.runs.add(run.fails);
        }
        self.in_run = UnitCount::default();
    }
}

/// The start of the first operation that a combination names.
fn first_start(occurrence: &Occurrence<'_>, combination: &Combination) -> Ticks {
    let earlier = occurrence.earlier(combination).into_iter().chain(occurrence.before_that(combination));
    earlier.map(|one| one.start).fold(occurrence.operation.start, Ord::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::mixed;

    /// Of lots of 40 runs in which an operation fails in three of ten cases, 95 of 100 intervals should hold the true score.
    #[test]
    fn intervals_hold_the_true_score() {
        let truth = 0.3f64.sqrt();
        let lots = 200;
        let holds = |lot: u64| {
            let (mut part, mut whole) = (Samples::default(), Samples::default());
            for run in 0..40 {
                let weights = weights(lot, 1, run);
                let draws = (0..6).map(|at| mixed(mixed(lot * 1_000 + run) ^ at) % 10);
                let fails = draws.filter(|draw| *draw < 3).count() as u32;
                part.add((fails, 6), &weights);
                whole.add((fails, 500), &weights);
            }
            let [low, high] = part.interval(&whole, Metric::Ochiai);
            low <= truth && truth <= high
        };
        let held = (0..lots).filter(|lot| holds(*lot)).count();
        assert!((180..=198).contains(&held), "{held} of {lots}");
    }
}
