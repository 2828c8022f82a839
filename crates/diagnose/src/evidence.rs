//! The exact evidence for some combinations: in how many operations and runs, in which, and how sure the score is.
//!
//! Intervals come from a bootstrap over runs: in each sample a run counts as often as a draw says, so that nothing but sums is kept.

use nandseq_profile::Ticks;

use crate::draws::{mixed, weight};
use crate::feature::{Combination, Feature};
use crate::names::{NameTable, OpName};
use crate::occurrence::{EarlierList, Occurrence, OperationPlace};
use crate::statistics::{Metric, UnitCount, rounded};
use crate::walk::{self, DiagnoseError, Listener, TestedRuns, ToldRun};

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
    /// The same for combinations of the same operations, or runs where runs are compared.
    pub(crate) print: u64,
    pub(crate) failing: Option<ExampleOperation>,
    pub(crate) passing: Option<ExampleOperation>,
    in_run: UnitCount,
    print_of_run: u64,
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
#[derive(Debug)]
pub(crate) struct EvidenceOfAll {
    pub(crate) operations: UnitCount,
    pub(crate) runs: UnitCount,
    pub(crate) of: Vec<Evidence>,
    samples: Samples,
    /// For each site its runs.
    pub(crate) sites: Vec<UnitCount>,
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
        let all = Self {
            operations: UnitCount::default(),
            runs: UnitCount::default(),
            of: vec![Evidence::default(); combinations.len()],
            samples: Samples::default(),
            sites: vec![UnitCount::default(); runs.sites.len()],
        };
        let list = EarlierList::new(names);
        let mut collector = Collector {
            all,
            combinations,
            of_name,
            by_run,
            seed,
            list,
            in_run: UnitCount::default(),
            touched: Vec::new(),
        };
        walk::all(runs, names, by_run, &mut collector)?;
        Ok(collector.all)
    }

    /// The units that are compared.
    pub(crate) const fn units(&self, by_run: bool) -> UnitCount {
        if by_run { self.runs } else { self.operations }
    }

    /// The interval that holds the score in 95 of 100 samples.
    pub(crate) fn interval(&self, at: usize, metric: Metric) -> [f64; 2] {
        self.of[at].samples.interval(&self.samples, metric)
    }
}

struct Collector<'a> {
    all: EvidenceOfAll,
    combinations: &'a [&'a Combination],
    /// By name the combinations that name it; last those that name none.
    of_name: Vec<Vec<u32>>,
    by_run: bool,
    seed: u64,
    list: EarlierList,
    in_run: UnitCount,
    /// The combinations that the run under way has.
    touched: Vec<u32>,
}

impl Listener for Collector<'_> {
    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        self.in_run.add(occurrence.fails);
        let last = self.of_name.len() - 1;
        let named = occurrence.own_names().iter().map(|name| name.index()).chain([last]);
        for at in named.flat_map(|name| &self.of_name[name]) {
            let (combination, evidence) = (self.combinations[*at as usize], &mut self.all.of[*at as usize]);
            if !occurrence.fits(combination, &mut self.list) {
                continue;
            }
            if evidence.in_run.all == 0 {
                self.touched.push(*at);
            }
            evidence.in_run.add(occurrence.fails);
            let OperationPlace { site, run, uid, .. } = occurrence.place;
            let print = mixed(mixed(mixed(site as u64) ^ run as u64) ^ uid);
            evidence.print_of_run = evidence.print_of_run.wrapping_add(print);
            let fails = if self.by_run { occurrence.run_fails } else { occurrence.fails };
            let example = if fails { &mut evidence.failing } else { &mut evidence.passing };
            if example.is_none() {
                let place = occurrence.place;
                *example = Some(ExampleOperation { place, from: first_start(occurrence, combination, &mut self.list) });
            }
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
        self.all.operations.fails += self.in_run.fails;
        self.all.operations.all += self.in_run.all;
        for at in self.touched.drain(..) {
            let evidence = &mut self.all.of[at as usize];
            let in_run = std::mem::take(&mut evidence.in_run);
            evidence.samples.add(counts(in_run), &weights);
            evidence.operations.fails += in_run.fails;
            evidence.operations.all += in_run.all;
            evidence.runs.add(run.fails);
            let print = std::mem::take(&mut evidence.print_of_run);
            let print = if self.by_run { mixed(mixed(run.site as u64) ^ run.run) } else { print };
            evidence.print = evidence.print.wrapping_add(print);
        }
        self.in_run = UnitCount::default();
    }
}

/// The start of the first operation that a combination names.
fn first_start(occurrence: &Occurrence<'_>, combination: &Combination, list: &mut EarlierList) -> Ticks {
    let mut first = occurrence.operation.start;
    for condition in &combination.0 {
        let found = match condition.feature {
            Feature::After(..) => occurrence.earlier(condition).map(|one| one.operation.start),
            Feature::AfterThat(name, relation) => combination.after().and_then(|after| {
                occurrence.before_that(&occurrence.earlier(after)?.operation, list);
                list.get(name, relation).map(|one| one.operation.start)
            }),
            Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) => None,
        };
        first = first.min(found.unwrap_or(first));
    }
    first
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
