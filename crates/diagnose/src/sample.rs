//! A sample of the operations that count, with what is known of each: all steps of the search count in it, so that the runs are
//! read once for them.
//!
//! Passing operations are drawn apart for each base, more of the bases whose operations fail; failing operations are drawn only if there
//! are very many. Whether an operation is drawn follows from its place alone. An operation stands for as many as were not drawn.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use nandseq_profile::{BaseId, Profile};
use nandseq_report::load;

use crate::bins::{Scales, SeenNumbers};
use crate::draws::mixed;
use crate::feature::{Combination, Fact, Quantity};
use crate::names::{NameTable, OpName};
use crate::occurrence::{EarlierStart, ONE, Occurrence, OperationPlace};
use crate::past_operation::PastOperation;
use crate::statistics::UnitCount;
use crate::table::WeightedCount;
use crate::threads::{self, Absorb};
use crate::walk::{self, CountedOperation, DiagnoseError, Listener, RunOutcome, TestedRuns, ToldRun};

/// The most failing operations.
const MOST_FAILING: usize = 2_000;
/// The most passing operations of all bases, shared out by how many of their operations fail.
const MOST_PASSING: usize = 5_000;
/// The most passing operations of a base besides.
const LEAST_OF_BASE: usize = 40;
/// The failing runs that say which bases fail.
const RUNS_LOOKED_AT: usize = 64;
/// The operations that a thread counts at once.
const CHUNK: usize = 1024;

/// An operation that was drawn.
#[derive(Debug)]
struct DrawnOperation {
    place: OperationPlace,
    operation: Arc<PastOperation>,
    fails: bool,
    run_fails: bool,
    facts: Box<[Fact]>,
    numbers: Box<[(Quantity, u64)]>,
    before: Box<[EarlierStart]>,
    known_from: u64,
}

impl DrawnOperation {
    /// The operation as it was, standing for others too.
    fn occurrence<'a>(&'a self, names: &'a NameTable, weight: u64) -> Occurrence<'a> {
        Occurrence {
            names,
            place: self.place,
            operation: &self.operation,
            fails: self.fails,
            run_fails: self.run_fails,
            weight,
            facts: &self.facts,
            numbers: &self.numbers,
            before: &self.before,
            known_from: self.known_from,
        }
    }
}

/// What was drawn with its number, which orders it.
#[derive(Debug)]
struct NumberedDraw<T>(u64, T);

impl<T> PartialEq for NumberedDraw<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for NumberedDraw<T> {}

impl<T> PartialOrd for NumberedDraw<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for NumberedDraw<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

/// Operations of which those with the least numbers are drawn.
#[derive(Debug)]
struct Stratum<T> {
    most: usize,
    seen: AtomicU64,
    /// Operations with a greater number are not drawn.
    bound: AtomicU64,
    drawn: Mutex<BinaryHeap<NumberedDraw<T>>>,
}

impl<T> Stratum<T> {
    fn new(most: usize) -> Self {
        let (seen, bound) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
        Self { most, seen, bound, drawn: Mutex::default() }
    }

    /// Counts an operation. Returns whether it may be drawn.
    fn sees(&self, number: u64) -> bool {
        self.seen.fetch_add(1, Relaxed);
        number <= self.bound.load(Relaxed)
    }

    fn add(&self, number: u64, operation: T) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        drawn.push(NumberedDraw(number, operation));
        if drawn.len() > self.most {
            drawn.pop();
            self.bound.store(drawn.peek().map_or(0, |greatest| greatest.0), Relaxed);
        }
    }

    /// What was drawn, with how many operations each stands for, in parts of [`ONE`].
    fn into_drawn(self) -> impl Iterator<Item = (u64, T)> {
        let drawn = self.drawn.into_inner().unwrap_or_else(PoisonError::into_inner).into_sorted_vec();
        let weight = (self.seen.into_inner() * ONE).checked_div(drawn.len() as u64).unwrap_or(ONE);
        drawn.into_iter().map(move |one| (weight, one.1))
    }
}

/// The operations that were drawn, the failing ones first.
#[derive(Debug)]
pub(crate) struct OperationSample {
    /// With their weights.
    drawn: Vec<(u64, DrawnOperation)>,
    failing: usize,
    whole: UnitCount,
}

impl OperationSample {
    /// Draws from all runs.
    pub(crate) fn new(runs: &TestedRuns<'_>, names: &NameTable) -> Result<Self, DiagnoseError> {
        let of_bases = passing_of_bases(runs)?;
        let strata: Vec<Stratum<DrawnOperation>> =
            [MOST_FAILING].into_iter().chain(of_bases).map(Stratum::new).collect();
        walk::all(runs, names, false, &|| Drawing { profile: runs.profile, strata: &strata, number: 0 })?;
        let seen: Vec<u64> = strata.iter().map(|stratum| stratum.seen.load(Relaxed)).collect();
        let drawn: Vec<Vec<(u64, DrawnOperation)>> =
            strata.into_iter().map(|stratum| stratum.into_drawn().collect()).collect();
        let failing = drawn[0].len();
        let whole = UnitCount { fails: seen[0], all: seen.iter().sum() };
        Ok(Self { drawn: drawn.into_iter().flatten().collect(), failing, whole })
    }

    /// All operations that were drawn from.
    pub(crate) const fn whole(&self) -> UnitCount {
        self.whole
    }

    /// The scales in which it is counted.
    pub(crate) fn scales(&self) -> Scales {
        let seen = |wanted: Quantity| {
            let of = |drawn: &[(u64, DrawnOperation)]| {
                let numbers = drawn.iter().flat_map(|(_, one)| &one.numbers);
                numbers.filter(|(of, _)| *of == wanted).map(|(_, value)| *value).collect()
            };
            SeenNumbers { failing: of(&self.drawn[..self.failing]), all: of(&self.drawn) }
        };
        Scales::of_seen(seen(Quantity::Block), seen(Quantity::Page))
    }

    /// How many operations meet some combinations.
    pub(crate) fn count(&self, names: &NameTable, combinations: &[Combination]) -> Vec<UnitCount> {
        let mut of_name = vec![Vec::new(); names.len() + 1];
        for (at, combination) in combinations.iter().enumerate() {
            of_name[combination.name().map_or(names.len(), OpName::index)].push(at);
        }
        let counts = vec![WeightedCount::default(); combinations.len()];
        let new = || CombinationCounts { combinations, of_name: &of_name, counts: counts.clone() };
        self.tell(names, false, &new).counts.into_iter().map(WeightedCount::rounded).collect()
    }

    /// Tells of the drawn operations, or of those that fail.
    pub(crate) fn tell<L: Listener>(&self, names: &NameTable, fails: bool, new: &(impl Fn() -> L + Sync)) -> L {
        let wanted = if fails { &self.drawn[..self.failing] } else { &self.drawn };
        let chunks: Vec<&[(u64, DrawnOperation)]> = wanted.chunks(CHUNK).collect();
        let told = threads::collect::<L, std::convert::Infallible>(chunks.len(), new, &|listener, at| {
            let occurrences: Vec<Occurrence<'_>> =
                chunks[at].iter().map(|(weight, one)| one.occurrence(names, *weight)).collect();
            listener.operations(&occurrences);
            Ok(())
        });
        match told {
            Ok(told) => told,
            Err(never) => match never {},
        }
    }
}

/// Counts combinations.
struct CombinationCounts<'a> {
    combinations: &'a [Combination],
    /// By name the combinations that name it; last those that name none.
    of_name: &'a [Vec<usize>],
    counts: Vec<WeightedCount>,
}

impl Absorb for CombinationCounts<'_> {
    fn absorb(&mut self, other: Self) {
        self.counts.iter_mut().zip(other.counts).for_each(|(own, other)| *own += other);
    }
}

impl Listener for CombinationCounts<'_> {
    fn wants(&mut self, _: CountedOperation) -> bool {
        true
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        let named = occurrence.own_names().iter().map(|name| name.index()).chain([self.of_name.len() - 1]);
        for &at in named.flat_map(|name| &self.of_name[name]) {
            if occurrence.fits(&self.combinations[at]) {
                self.counts[at] += WeightedCount::of(occurrence.weight, occurrence.fails);
            }
        }
    }

    fn run_end(&mut self, _: ToldRun) {}
}

/// How many passing operations of each base are drawn. Some of the failing runs say whose operations fail.
fn passing_of_bases(runs: &TestedRuns<'_>) -> Result<Vec<usize>, DiagnoseError> {
    let mut failing = Vec::new();
    for (site, files) in runs.sites.iter().enumerate() {
        for file in &files.runs {
            if let RunOutcome::Failed(uids) = (runs.outcome)(site, file.run)
                && !uids.is_empty()
            {
                failing.push((file, uids));
            }
        }
    }
    let mut fails = vec![0usize; runs.profile.bases.len()];
    for (file, uids) in failing.iter().step_by(failing.len().div_ceil(RUNS_LOOKED_AT).max(1)) {
        load::sequence_rows(runs.profile, runs.source, &file.path, |row| {
            if uids.binary_search(&row.uid).is_ok() {
                fails[runs.profile.ops[row.op].base.index()] += 1;
            }
        })?;
    }
    let all = fails.iter().sum::<usize>().max(1);
    Ok(fails.into_iter().map(|own| LEAST_OF_BASE + MOST_PASSING * own / all).collect())
}

/// Draws operations.
struct Drawing<'a> {
    profile: &'a Profile,
    strata: &'a [Stratum<DrawnOperation>],
    /// That of the operation that is wanted.
    number: u64,
}

impl Drawing<'_> {
    fn stratum(&self, fails: bool, base: BaseId) -> &Stratum<DrawnOperation> {
        &self.strata[if fails { 0 } else { 1 + base.index() }]
    }
}

impl Absorb for Drawing<'_> {
    fn absorb(&mut self, _: Self) {}
}

impl Listener for Drawing<'_> {
    fn wants(&mut self, operation: CountedOperation) -> bool {
        self.number = mixed(mixed(operation.site as u64) ^ operation.uid);
        let stratum = self.stratum(operation.fails, self.profile.ops[operation.op].base);
        stratum.sees(self.number)
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        let base = self.profile.ops[occurrence.operation.op].base;
        let drawn = DrawnOperation {
            place: occurrence.place,
            operation: Arc::clone(occurrence.operation),
            fails: occurrence.fails,
            run_fails: occurrence.run_fails,
            facts: occurrence.facts.into(),
            numbers: occurrence.numbers.into(),
            before: occurrence.before.into(),
            known_from: occurrence.known_from,
        };
        self.stratum(occurrence.fails, base).add(self.number, drawn);
    }

    fn run_end(&mut self, _: ToldRun) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratum_holds_no_more_than_it_may_whatever_the_order() {
        let numbers: Vec<u64> = (0..5_000).map(mixed).collect();
        let draw = |numbers: &mut dyn Iterator<Item = &u64>| -> Vec<(u64, u64)> {
            let stratum = Stratum::new(100);
            for &number in numbers {
                if stratum.sees(number) {
                    stratum.add(number, number);
                    assert!(stratum.drawn.lock().is_ok_and(|drawn| drawn.len() <= 100));
                }
            }
            stratum.into_drawn().collect()
        };
        let drawn = draw(&mut numbers.iter());
        assert_eq!(drawn, draw(&mut numbers.iter().rev()));
        assert_eq!((drawn.len(), drawn[0].0), (100, 50 * ONE));
        let mut least = numbers;
        least.sort_unstable();
        assert!(drawn.iter().map(|(_, number)| number).eq(&least[..100]));
    }
}
