//! The search for combinations that go with failing: first single features of operations, then one more condition on the best, twice.
//!
//! A combination is kept if its fails are more than chance gives, among all that are looked at, and if the same holds of its last
//! condition among the operations that meet the others. Only counts are kept; the number of combinations that get a further
//! condition is bounded.

use rustc_hash::FxHashMap;

use crate::feature::{Combination, Condition, Fact, Feature, Quantity};
use crate::names::{NameTable, OpName};
use crate::occurrence::{EarlierList, Occurrence};
use crate::statistics::UnitCount;
use crate::table::CountTable;
use crate::walk::{self, DiagnoseError, Listener, TestedRuns, ToldRun};

/// The combinations that get a second and a third condition.
const SEEDS: [usize; 2] = [40, 20];
/// How many combinations of each size are looked at exactly.
const MOST_KEPT: usize = 120;
/// A hundred to one, as a logarithm, for each of the families of features.
const SURE: f64 = 4.7 + 2.1;
/// The number of families: names, the kinds of places, other facts, numbers, earlier operations.
const FAMILIES: usize = 8;

/// The family of a feature. Chance is judged among the features of a family, so that a few places are not drowned by many pairs.
const fn family(feature: Feature) -> usize {
    match feature {
        Feature::Name(_) => 0,
        Feature::Fact(Fact::Site(_)) => 1,
        Feature::Fact(Fact::Die(_)) => 2,
        Feature::Fact(Fact::Plane(..) | Fact::SitePlane(..)) => 3,
        Feature::Fact(Fact::Block(..) | Fact::SiteBlock(..) | Fact::Page(_)) => 4,
        Feature::Fact(
            Fact::CellType(_) | Fact::Planes(_) | Fact::State(_) | Fact::Suspended(_) | Fact::Cache | Fact::Latch,
        ) => 5,
        Feature::Number(_) => 6,
        Feature::After(..) | Feature::AfterThat(..) => 7,
    }
}

/// A combination and what was counted of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct FoundCombination {
    pub(crate) combination: Combination,
    pub(crate) counted: UnitCount,
    /// How much likelier it makes all fails.
    pub(crate) gain: f64,
    /// Whether chance hardly explains it.
    pub(crate) is_sure: bool,
}

/// What a search found.
#[derive(Debug)]
pub(crate) struct SuspectSearch {
    /// The units that were counted.
    pub(crate) whole: UnitCount,
    pub(crate) found: Vec<FoundCombination>,
    /// What was counted in each place that has fails.
    pub(crate) places: Vec<(Fact, UnitCount)>,
    /// How many different features were counted.
    pub(crate) features: usize,
    /// How much likelier a further condition must make the fails, among all that a combination may get.
    pub(crate) further: f64,
}

impl SuspectSearch {
    /// Searches all runs. `by_run` says that runs are compared rather than operations.
    pub(crate) fn new(runs: &TestedRuns<'_>, names: &NameTable, by_run: bool) -> Result<Self, DiagnoseError> {
        let mut parents = vec![Combination::default()];
        let all_names = (0..names.len() as u16).map(|at| Condition::whole(Feature::Name(OpName(at))));
        parents.extend(all_names.map(|name| Combination(vec![name])));
        let first = Level::counted(runs, names, by_run, &parents)?;
        let whole = first.of_parents.first().copied().unwrap_or_default();
        let places = first.places();
        let mut features = first.table.len();
        let mut further = first.table.most_features();
        let mut found = first.found(whole);
        let mut last = found.clone();
        for seeds in SEEDS {
            let parents = seeds_of(&last, seeds);
            if parents.is_empty() {
                break;
            }
            let level = Level::counted(runs, names, by_run, &parents)?;
            features += level.table.len();
            further = further.max(level.table.most_features());
            last = level.found(whole);
            found.extend(last.iter().filter(|one| one.is_sure).cloned());
        }
        found.retain(|one| one.is_sure);
        let further = SURE + (further.max(1) as f64).ln();
        Ok(Self { whole, found, places, features, further })
    }
}

/// The combinations that get a further condition: those that make the fails likeliest, one of each that count the same.
fn seeds_of(found: &[FoundCombination], most: usize) -> Vec<Combination> {
    let mut order: Vec<&FoundCombination> = found.iter().filter(|one| one.gain > 0.0).collect();
    order.sort_by(|one, other| other.gain.total_cmp(&one.gain).then_with(|| one.combination.cmp(&other.combination)));
    let mut seen = FxHashMap::default();
    order.retain(|one| seen.insert((one.counted.fails, one.counted.all), ()).is_none());
    order.into_iter().take(most).map(|one| one.combination.clone()).collect()
}

/// What features count with each of some combinations.
struct Level<'a> {
    names: &'a NameTable,
    by_run: bool,
    parents: &'a [Combination],
    shapes: Vec<Shape>,
    /// By name the combinations that name it; then those that name none.
    of_name: Vec<Vec<u32>>,
    unnamed: Vec<u32>,
    of_parents: Vec<UnitCount>,
    last_runs: Vec<u32>,
    table: CountTable,
    /// Whether the features of failing operations, or runs, are noted; then all are counted.
    is_noting: bool,
    /// The combinations that something that fails meets.
    is_failing: Vec<bool>,
    /// The number of the run, from 1.
    run: u32,
    list: EarlierList,
}

/// What a further condition of a combination may be.
#[derive(Clone, Copy, Debug)]
struct Shape {
    name: Option<OpName>,
    /// It is a name and nothing else: addresses are left to the combination without conditions, names to other names.
    is_name: bool,
    afters: usize,
    after_thats: usize,
    /// The name of the operation before, the first if there are two.
    after: Option<OpName>,
}

impl Shape {
    fn of(combination: &Combination) -> Self {
        let count = |wanted: fn(&Feature) -> bool| combination.0.iter().filter(|one| wanted(&one.feature)).count();
        let name = combination.name();
        Self {
            name,
            is_name: name.is_some() && combination.0.len() == 1,
            afters: count(|feature| matches!(feature, Feature::After(..))),
            after_thats: count(|feature| matches!(feature, Feature::AfterThat(..))),
            after: combination.after().and_then(|condition| match condition.feature {
                Feature::After(name, _) => Some(name),
                Feature::Name(_) | Feature::Fact(_) | Feature::Number(_) | Feature::AfterThat(..) => None,
            }),
        }
    }
}

impl<'a> Level<'a> {
    fn counted(
        runs: &TestedRuns<'a>,
        names: &'a NameTable,
        by_run: bool,
        parents: &'a [Combination],
    ) -> Result<Self, DiagnoseError> {
        let mut of_name = vec![Vec::new(); names.len()];
        let mut unnamed = Vec::new();
        for (parent, at) in parents.iter().zip(0..) {
            match parent.name() {
                Some(name) => of_name[name.index()].push(at),
                None => unnamed.push(at),
            }
        }
        let mut level = Self {
            names,
            by_run,
            parents,
            shapes: parents.iter().map(Shape::of).collect(),
            of_name,
            unnamed,
            of_parents: vec![UnitCount::default(); parents.len()],
            last_runs: vec![0; parents.len()],
            table: CountTable::new(runs.profile.topology, parents.len(), names.len()),
            is_noting: true,
            is_failing: vec![false; parents.len()],
            run: 1,
            list: EarlierList::new(names),
        };
        walk::all(runs, names, by_run, &mut level)?;
        (level.is_noting, level.run) = (false, 1);
        walk::all(runs, names, by_run, &mut level)?;
        Ok(level)
    }

    /// The places with fails, whatever the operation.
    fn places(&self) -> Vec<(Fact, UnitCount)> {
        let best = self.table.best(self.by_run, |parent| self.of_parents[parent as usize]);
        let of_all = best.into_iter().filter(|(parent, ..)| self.parents[*parent as usize].0.is_empty());
        of_all.filter_map(|(_, condition, counted)| Some((condition.place()?, counted))).collect()
    }

    /// Each combination with its best further conditions.
    fn found(&self, whole: UnitCount) -> Vec<FoundCombination> {
        let mut members = [0u32; FAMILIES];
        self.table.features().for_each(|feature| members[family(feature)] += 1);
        let best = self.table.best(self.by_run, |parent| self.of_parents[parent as usize]);
        let mut found: Vec<FoundCombination> = best
            .into_iter()
            .map(|(parent, condition, counted)| {
                let (of, gain) = (self.of_parents[parent as usize], whole.gain(counted));
                // Of places without fails there are as many as the share of one says.
                let others = whole.all as f64 / counted.all.max(1) as f64;
                let places = if condition.place().is_some() { others } else { 1.0 };
                let needed = SURE + f64::from(members[family(condition.feature)]).max(places).ln();
                let is_sure = gain >= needed && of.gain(counted) >= needed;
                let combination = self.parents[parent as usize].with(condition);
                FoundCombination { combination, counted, gain, is_sure }
            })
            .collect();
        found.sort_by(|one, other| {
            let by_gain = other.gain.total_cmp(&one.gain);
            other.is_sure.cmp(&one.is_sure).then(by_gain).then_with(|| one.combination.cmp(&other.combination))
        });
        found.dedup_by(|one, other| one.combination == other.combination);
        found.truncate(MOST_KEPT);
        found
    }

    fn add(&mut self, parent: u32, feature: Feature, bins: [u8; 3], fails: bool) {
        match self.is_noting {
            true => self.table.note((parent, feature)),
            false => self.table.add((parent, feature), bins, fails, self.by_run.then_some(self.run)),
        }
    }

    /// Counts an operation that meets a combination.
    fn count(&mut self, parent: u32, occurrence: &Occurrence<'_>, fails: bool) {
        let (at, shape) = (parent as usize, self.shapes[parent as usize]);
        if self.is_noting {
            self.is_failing[at] = true;
        } else if !self.by_run || self.last_runs[at] != self.run {
            self.of_parents[at].add(fails);
            self.last_runs[at] = self.run;
        }
        let known: &'a [Combination] = self.parents;
        let has = |feature: Feature| known[at].0.iter().any(|one| one.feature == feature);
        if !shape.is_name {
            for &name in occurrence.own_names() {
                let is_further = |of: OpName| name != of && self.names.holds(of, name);
                if shape.name.is_none_or(is_further) {
                    self.add(parent, Feature::Name(name), [0; 3], fails);
                }
            }
        }
        for &fact in occurrence.facts.iter().filter(|fact| !(shape.is_name && fact.is_of_many())) {
            if !has(Feature::Fact(fact)) {
                self.add(parent, Feature::Fact(fact), [0; 3], fails);
            }
        }
        for &(quantity, bin) in occurrence.numbers {
            if !has(Feature::Number(quantity)) {
                self.add(parent, Feature::Number(quantity), [bin, 0, 0], fails);
            }
        }
        if shape.afters < 2 && shape.after_thats == 0 {
            for earlier in occurrence.earlier.iter() {
                let feature = Feature::After(earlier.name, earlier.relation);
                // Another bound of the same operations would say nothing new.
                let is_other =
                    |known: OpName| !self.names.holds(known, earlier.name) && !self.names.holds(earlier.name, known);
                if shape.after.is_none_or(is_other) {
                    self.add(parent, feature, earlier.bins, fails);
                }
            }
        }
        if shape.afters == 1
            && shape.after_thats == 0
            && !has_state_of_that(&known[at])
            && let Some(that) = known[at].after().and_then(|after| occurrence.earlier(after))
        {
            let mut list = std::mem::replace(&mut self.list, EarlierList::empty());
            occurrence.before_that(&that.operation, &mut list);
            let (state, bin) = that.operation.state;
            self.add(parent, Feature::Number(Quantity::ThatTenth(state)), [bin, 0, 0], fails);
            for earlier in list.iter() {
                let feature = Feature::AfterThat(earlier.name, earlier.relation);
                self.add(parent, feature, earlier.bins, fails);
            }
            self.list = list;
        }
    }
}

/// Whether the state in which the operation before started is among the conditions.
fn has_state_of_that(combination: &Combination) -> bool {
    combination.0.iter().any(|one| matches!(one.feature, Feature::Number(Quantity::ThatTenth(_))))
}

impl Listener for Level<'_> {
    fn wants(&self, fails: bool, run_fails: bool) -> bool {
        !self.is_noting || if self.by_run { run_fails } else { fails }
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        let fails = if self.by_run { occurrence.run_fails } else { occurrence.fails };
        let named = occurrence.own_names().iter().flat_map(|name| &self.of_name[name.index()]);
        let is_wanted = |at: &u32| self.is_noting || self.is_failing[*at as usize];
        let candidates: Vec<u32> = named.chain(&self.unnamed).copied().filter(is_wanted).collect();
        for parent in candidates {
            if occurrence.fits(&self.parents[parent as usize], &mut self.list) {
                self.count(parent, occurrence, fails);
            }
        }
    }

    fn run_end(&mut self, _: ToldRun) {
        self.run += 1;
    }
}
