//! The search for combinations that go with failing: first single features of operations, then one more condition on the best, twice.
//!
//! A combination is kept if its fails are more than chance gives, among all that are looked at, and if the same holds of its last
//! condition among the operations that meet the others. Only counts are kept; the number of combinations that get a further
//! condition is bounded. Operations are counted in a sample of them, runs in the runs themselves.

use std::cmp::Reverse;

use nandseq_trace::rows::StateId;
use rustc_hash::FxHashMap;

use crate::bins::Scales;
use crate::feature::{Bins, Combination, Condition, Fact, Feature, Quantity, Relation};
use crate::found::{FoundCombination, SURE};
use crate::gaps::with_gaps;
use crate::names::{NameTable, OpName, OpNameKind};
use crate::occurrence::{EarlierList, EarlierOperation, ONE, Occurrence};
use crate::parents::{Shape, seeds_of, with_one_less, with_others};
use crate::sample::OperationSample;
use crate::site_groups::groups_of_sites;
use crate::statistics::UnitCount;
use crate::table::{BOUND_COST, CountTable, WeightedCount};
use crate::threads::Absorb;
use crate::walk::{self, CountedOperation, DiagnoseError, Listener, TestedRuns, ToldRun};

/// The combinations that get a second and a third condition.
const SEEDS: [usize; 2] = [60, 40];
/// How many operations that are before nearly all fails get a third one, whatever they say by themselves.
const COMMON: usize = 20;
/// How many combinations of each size are looked at exactly.
const MOST_KEPT: usize = 400;
/// What holds a smaller part of the fails than one in so many is no suspect.
const LEAST_SHARE: u64 = 50;
/// The number of families: names, the kinds of places, other facts, numbers, earlier operations.
const FAMILIES: usize = 8;

/// The family of a feature. Chance is judged among the features of a family, so that a few places are not drowned by many pairs.
const fn family(feature: Feature) -> usize {
    match feature {
        Feature::Name(_) => 0,
        Feature::Fact(Fact::Site(_) | Fact::Sites(_)) => 1,
        Feature::Fact(Fact::Die(_)) => 2,
        Feature::Fact(Fact::Plane(..) | Fact::PlaneOfAny(_) | Fact::SitePlane(..)) => 3,
        Feature::Fact(Fact::Block(..) | Fact::SiteBlock(..) | Fact::Page(_)) => 4,
        Feature::Fact(
            Fact::EvenPage
            | Fact::OddPage
            | Fact::CellType(_)
            | Fact::Planes(_)
            | Fact::State(_)
            | Fact::Suspended(_)
            | Fact::Cache
            | Fact::Latch,
        ) => 5,
        Feature::Number(_) => 6,
        Feature::After(..) | Feature::AfterThat(..) => 7,
    }
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
    costs: [f64; FAMILIES],
}

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum CountedUnits<'a> {
    /// Operations, in a sample.
    Operations(&'a OperationSample),
    /// Runs.
    Runs(&'a TestedRuns<'a>),
}

impl CountedUnits<'_> {
    const fn is_by_run(self) -> bool {
        matches!(self, Self::Runs(_))
    }

    fn scales(self) -> Scales {
        match self {
            Self::Operations(sample) => sample.scales(),
            Self::Runs(runs) => Scales::even(runs.profile.topology),
        }
    }

    /// All units.
    fn whole(self) -> UnitCount {
        match self {
            Self::Operations(sample) => sample.whole(),
            Self::Runs(runs) => runs.count(),
        }
    }

    /// Tells of all units, or of those that fail.
    fn tell<'b>(self, fails: bool, level: &Level<'b>) -> Result<Level<'b>, DiagnoseError> {
        match self {
            Self::Operations(sample) => Ok(sample.tell(level.names, fails, &|| level.clone())),
            Self::Runs(runs) => walk::all(runs, level.names, true, &|| level.clone()),
        }
    }
}

impl SuspectSearch {
    /// Searches what is counted.
    pub(crate) fn new(counted: CountedUnits<'_>, names: &NameTable) -> Result<Self, DiagnoseError> {
        let mut parents = vec![Combination::default()];
        let all_names = (0..names.len() as u16).map(|at| Condition::whole(Feature::Name(OpName(at))));
        parents.extend(all_names.map(|name| Combination(vec![name])));
        let whole = counted.whole();
        let first = Level::counted(counted, names, &parents)?;
        let places = first.places();
        let (mut features, mut further) = (first.noted, first.most_noted);
        let costs = first.costs;
        let common = if counted.is_by_run() { Vec::new() } else { first.common_befores(whole) };
        let mut found = first.found(whole);
        let (mut last, mut known) = (found.clone(), parents);
        for step in 0..=SEEDS.len() {
            let parents = match SEEDS.get(step) {
                // Every step reads the runs twice where they are compared.
                Some(_) | None if counted.is_by_run() && step > 0 => break,
                Some(&seeds) if step == 0 => with_others(seeds_of(&last, seeds), &common),
                Some(&seeds) => seeds_of(&last, seeds),
                None => with_one_less(&found, &known),
            };
            if parents.is_empty() {
                break;
            }
            let level = Level::counted(counted, names, &parents)?;
            features += level.noted;
            further = further.max(level.most_noted);
            last = level.found(whole);
            if let CountedUnits::Operations(sample) = counted {
                last = level.with_reasons(sample, last);
            }
            found.extend(last.iter().filter(|one| one.is_sure).cloned());
            known.extend(parents);
        }
        found.retain(|one| one.is_sure);
        if let CountedUnits::Operations(sample) = counted {
            // A triple has two gaps: with one of them exact, the other is looked for once more.
            let of_one = with_gaps(sample, names, &found, whole);
            found.extend(with_gaps(sample, names, &of_one, whole));
            found.extend(of_one);
        }
        let further = SURE + (further.max(1) as f64).ln();
        found.sort_by(|one, other| one.combination.cmp(&other.combination));
        found.dedup_by(|one, other| one.combination == other.combination);
        Ok(Self { whole, found, places, features, further, costs })
    }

    /// What it costs to state a combination: for each condition the logarithm of how many of its family there are, and a bound.
    pub(crate) fn cost(&self, combination: &Combination) -> f64 {
        let bounds = |one: &Condition| f64::from(u8::from(one.least > 0) + u8::from(one.most != u64::MAX));
        let times = |one: &Condition| match one.feature {
            Feature::Fact(Fact::Sites(sites)) => f64::from(sites.count_ones()),
            Feature::Fact(_) | Feature::Name(_) | Feature::Number(_) | Feature::After(..) | Feature::AfterThat(..) => {
                1.0
            }
        };
        let cost = |one: &Condition| self.costs[family(one.feature)] * times(one) + BOUND_COST * bounds(one);
        combination.0.iter().map(cost).sum()
    }
}

/// What features count with each of some combinations.
#[derive(Clone)]
struct Level<'a> {
    names: &'a NameTable,
    by_run: bool,
    parents: &'a [Combination],
    shapes: Vec<Shape>,
    /// By name the combinations that name it; then those that name none.
    of_name: Vec<Vec<u32>>,
    unnamed: Vec<u32>,
    of_parents: Vec<WeightedCount>,
    last_runs: Vec<u32>,
    table: CountTable,
    /// The features that were noted: of each family, all of them, and most of those with one combination.
    members: [u32; FAMILIES],
    noted: usize,
    most_noted: usize,
    /// What it costs to state a condition of each family.
    costs: [f64; FAMILIES],
    /// Whether the features of failing operations, or runs, are noted; then all are counted.
    is_noting: bool,
    /// The combinations that something that fails meets.
    is_failing: Vec<bool>,
    /// The number of the run, from 1.
    run: u32,
    /// The earlier operations of an operation, and those of the one that a combination names.
    earlier: EarlierList,
    before_that: EarlierList,
    states_of_that: Vec<(StateId, u32)>,
}

impl<'a> Level<'a> {
    fn counted(
        counted: CountedUnits<'_>,
        names: &'a NameTable,
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
        let level = Self {
            names,
            by_run: counted.is_by_run(),
            parents,
            shapes: parents.iter().map(Shape::of).collect(),
            of_name,
            unnamed,
            of_parents: vec![WeightedCount::default(); parents.len()],
            last_runs: vec![0; parents.len()],
            table: CountTable::new(counted.scales(), parents.len(), names.len()),
            members: [0; FAMILIES],
            noted: 0,
            most_noted: 0,
            costs: [0.0; FAMILIES],
            is_noting: true,
            is_failing: vec![false; parents.len()],
            run: 1,
            earlier: EarlierList::new(names),
            before_that: EarlierList::new(names),
            states_of_that: Vec::new(),
        };
        let mut noted = counted.tell(true, &level)?;
        noted.end_noting(counted.whole());
        counted.tell(false, &noted)
    }

    /// Drops the features that fail too rarely to be suspects, with whatever further conditions.
    fn end_noting(&mut self, whole: UnitCount) {
        (self.is_noting, self.run) = (false, 1);
        self.table.features().for_each(|feature| self.members[family(feature)] += 1);
        self.costs = self.costs();
        (self.noted, self.most_noted) = (self.table.len(), self.table.most_features());
        let least = self.members.map(|members| {
            let needed = SURE + f64::from(members).max(1.0).ln();
            let is_enough = |fails: &u64| whole.gain(UnitCount { fails: *fails, all: *fails }) >= needed;
            (1..whole.fails).find(is_enough).unwrap_or(whole.fails).max(whole.fails / LEAST_SHARE)
        });
        let is_place = |(of, feature): (u32, Feature)| of == 0 && Condition::whole(feature).place().is_some();
        self.table.prune(|key, fails| fails >= least[family(key.1)] || is_place(key));
    }

    /// The logarithm of how many features of each family there are.
    fn costs(&self) -> [f64; FAMILIES] {
        let mut members = [0u32; FAMILIES];
        members[family(Feature::Name(OpName(0)))] = self.names.len() as u32;
        for (of, feature) in self.table.keys() {
            let is_name = matches!(feature, Feature::Name(_));
            members[family(feature)] += u32::from(!is_name && self.parents[of as usize].0.is_empty());
        }
        members.map(|members| f64::from(members.max(1)).ln())
    }

    /// The places with fails, whatever the operation.
    fn places(&self) -> Vec<(Fact, UnitCount)> {
        let best = self.table.best(self.by_run, |parent| self.of_parents[parent as usize].rounded());
        let of_all = best.into_iter().filter(|(parent, ..)| self.parents[*parent as usize].0.is_empty());
        of_all.filter_map(|(_, condition, counted)| Some((condition.place()?, counted))).collect()
    }

    /// Each combination with its best further conditions.
    fn found(&self, whole: UnitCount) -> Vec<FoundCombination> {
        let best = self.table.best(self.by_run, |parent| self.of_parents[parent as usize].rounded());
        let mut found: Vec<FoundCombination> = best
            .into_iter()
            .map(|(parent, condition, counted)| {
                let (of, gain) = (self.of_parents[parent as usize].rounded(), whole.gain(counted));
                // Of places without fails there are as many as the share of one says.
                let others = whole.all as f64 / counted.all.max(1) as f64;
                let places = if condition.place().is_some() { others } else { 1.0 };
                let needed = SURE + f64::from(self.members[family(condition.feature)]).max(places).ln();
                let is_sure = gain >= needed && of.gain(counted) >= needed;
                let combination = self.parents[parent as usize].with(condition);
                FoundCombination { combination, counted, gain, needed, is_sure }
            })
            .collect();
        let cost = self.costs[family(Feature::Fact(Fact::Sites(0)))];
        found.extend(groups_of_sites(&found, whole, cost));
        found.sort_by(|one, other| {
            let by_gain = other.gain.total_cmp(&one.gain);
            other.is_sure.cmp(&one.is_sure).then(by_gain).then_with(|| one.combination.cmp(&other.combination))
        });
        found.dedup_by(|one, other| one.combination == other.combination);
        found.truncate(MOST_KEPT);
        found
    }

    /// The operation that fails, with each earlier one that nearly all fails have before them, if much has it or not: it may be the middle of
    /// three that go with failing only together. Those that are the likeliest to fail go first.
    fn common_befores(&self, whole: UnitCount) -> Vec<Combination> {
        let of_parent = |at: usize| self.of_parents[at].rounded();
        let is_most = |part: u64, all: u64| part * 5 >= all * 4;
        // A name of nearly all fails, the one with the fewest operations; or none.
        let names = (0..self.parents.len()).filter(|&at| self.shapes[at].is_name);
        let of_most = names.filter(|&at| is_most(of_parent(at).fails, whole.fails));
        let parent = of_most.min_by_key(|&at| of_parent(at).all).unwrap_or(0);
        let mut found: Vec<(UnitCount, OpName)> = Vec::new();
        for name in (0..self.names.len() as u16).map(OpName) {
            if let Some(counted) = self.table.whole_of((parent as u32, Feature::After(name, Relation::Die)))
                && is_most(counted.fails, of_parent(parent).fails)
                && found.iter().all(|(known, _)| *known != counted)
            {
                found.push((counted, name));
            }
        }
        // Classes first: they hold what else may be the middle.
        let share = |counted: UnitCount| counted.fails * (u64::from(u32::MAX) / counted.all.max(1));
        found.sort_by_key(|&(counted, name)| {
            (self.names.kind(name) != OpNameKind::Class, Reverse(share(counted)), counted.all, name)
        });
        found.truncate(COMMON);
        let with = |name| self.parents[parent].with(Condition::whole(Feature::After(name, Relation::Die)));
        found.into_iter().map(|(_, name)| with(name)).collect()
    }

    /// The combinations whose every condition makes the fails likelier, among the operations that meet the others, than chance does. A name
    /// that nearly all of them have needs no reason: so a suspect can say which operation it is.
    fn with_reasons(&self, sample: &OperationSample, mut found: Vec<FoundCombination>) -> Vec<FoundCombination> {
        let mut less: Vec<Combination> = Vec::new();
        let mut places: FxHashMap<Combination, usize> = FxHashMap::default();
        for (_, combination) in found.iter().filter(|one| one.is_sure).flat_map(|one| one.combination.with_one_less()) {
            places.entry(combination).or_insert_with_key(|combination| {
                less.push(combination.clone());
                less.len() - 1
            });
        }
        let counts = sample.count(self.names, &less);
        found.retain(|one| {
            !one.is_sure
                || one.combination.with_one_less().all(|(condition, less)| {
                    let members = f64::from(self.members[family(condition.feature)]).max(1.0);
                    let without = counts[places[&less]];
                    let is_name = matches!(condition.feature, Feature::Name(_));
                    is_name && without.is_about(one.counted) || without.gain(one.counted) >= SURE + members.ln()
                })
        });
        found
    }

    fn add(&mut self, parent: u32, feature: Feature, bins: Bins, count: WeightedCount) {
        let run = self.by_run.then_some(self.run);
        match self.is_noting {
            true => self.table.note((parent, feature), count.fails, run),
            false => self.table.add((parent, feature), bins, count, run),
        }
    }

    fn add_number(&mut self, parent: u32, quantity: Quantity, value: u64, count: WeightedCount) {
        let feature = Feature::Number(quantity);
        let [scale, ..] = feature.scales();
        let bin = scale.map_or(0, |scale| self.table.scales().bin(scale, value));
        self.add(parent, feature, [bin, 0, 0], count);
    }

    /// Counts an operation that meets a combination.
    fn count(&mut self, parent: u32, occurrence: &Occurrence<'_>, count: WeightedCount) {
        let (at, shape) = (parent as usize, self.shapes[parent as usize]);
        if self.is_noting {
            self.is_failing[at] = true;
        } else if !self.by_run || self.last_runs[at] != self.run {
            self.of_parents[at] += count;
            self.last_runs[at] = self.run;
        }
        let known: &'a [Combination] = self.parents;
        let has = |feature: Feature| known[at].0.iter().any(|one| one.feature == feature);
        if !shape.is_name {
            for &name in occurrence.own_names() {
                let is_further = |of: OpName| name != of && self.names.holds(of, name);
                if shape.name.is_none_or(is_further) {
                    self.add(parent, Feature::Name(name), [0; 3], count);
                }
            }
        }
        for &fact in occurrence.facts.iter().filter(|fact| !(shape.is_name && fact.is_of_many())) {
            if !has(Feature::Fact(fact)) {
                self.add(parent, Feature::Fact(fact), [0; 3], count);
            }
        }
        for (before, &(quantity, value)) in occurrence.numbers.iter().enumerate() {
            // Of several planes the first counts here; all of them do where combinations are compared.
            let is_first = occurrence.numbers[..before].iter().all(|(of, _)| *of != quantity);
            if is_first && !has(Feature::Number(quantity)) {
                self.add_number(parent, quantity, value, count);
            }
        }
        if shape.afters < 2 && shape.after_thats == 0 {
            let list = std::mem::take(&mut self.earlier.list);
            for earlier in &list {
                let feature = Feature::After(earlier.name, earlier.relation);
                // Another bound of the same operations would say nothing new.
                let is_other =
                    |known: OpName| !self.names.holds(known, earlier.name) && !self.names.holds(earlier.name, known);
                if shape.after.is_none_or(is_other) {
                    self.add(parent, feature, earlier.bins, count);
                }
            }
            self.earlier.list = list;
        }
        if shape.afters == 1 && shape.after_thats == 0 && !has_state_of_that(&known[at]) {
            let mut states = std::mem::take(&mut self.states_of_that);
            occurrence.list_before_that(&known[at], self.table.scales(), &mut self.before_that, &mut states);
            for &(state, passed) in &states {
                self.add_number(parent, Quantity::ThatTenth(state), passed.into(), count);
            }
            self.states_of_that = states;
            let list = std::mem::take(&mut self.before_that.list);
            for earlier in &list {
                self.add(parent, Feature::AfterThat(earlier.name, earlier.relation), earlier.bins, count);
            }
            self.before_that.list = list;
        }
    }
}

/// Whether the state in which the operation before started is among the conditions.
fn has_state_of_that(combination: &Combination) -> bool {
    combination.0.iter().any(|one| matches!(one.feature, Feature::Number(Quantity::ThatTenth(_))))
}

impl Absorb for Level<'_> {
    fn absorb(&mut self, other: Self) {
        match self.is_noting {
            true => self.table.absorb_noted(&other.table),
            false => self.table.absorb_counts(&other.table),
        }
        self.of_parents.iter_mut().zip(other.of_parents).for_each(|(own, other)| *own += other);
        self.is_failing.iter_mut().zip(other.is_failing).for_each(|(own, other)| *own |= other);
    }
}

impl Listener for Level<'_> {
    fn wants(&mut self, operation: CountedOperation) -> bool {
        !self.is_noting || operation.run_fails
    }

    fn operation(&mut self, occurrence: &Occurrence<'_>) {
        self.operations(std::slice::from_ref(occurrence));
    }

    /// Counts for one combination after the other, whose counts lie side by side.
    fn operations(&mut self, occurrences: &[Occurrence<'_>]) {
        let mut met: Vec<(u32, u32)> = Vec::new();
        let mut lists: Vec<Vec<EarlierOperation>> = Vec::new();
        for (occurrence, at) in occurrences.iter().zip(0..) {
            let named = occurrence.own_names().iter().flat_map(|name| &self.of_name[name.index()]);
            let is_wanted = |parent: &u32| self.is_noting || self.is_failing[*parent as usize];
            let is_met = |parent: &u32| occurrence.fits(&self.parents[*parent as usize]);
            let known = met.len();
            let fitting = named.chain(&self.unnamed).copied().filter(is_wanted).filter(is_met);
            met.extend(fitting.map(|parent| (parent, at)));
            self.earlier.list.clear();
            if met.len() > known {
                occurrence.list_before(self.table.scales(), &mut self.earlier);
            }
            lists.push(self.earlier.list.clone());
        }
        met.sort_unstable();
        for (parent, at) in met {
            let (occurrence, at) = (&occurrences[at as usize], at as usize);
            let fails = if self.by_run { occurrence.run_fails } else { occurrence.fails };
            let count = WeightedCount::of(if self.by_run { ONE } else { occurrence.weight }, fails);
            self.earlier.list = std::mem::take(&mut lists[at]);
            self.count(parent, occurrence, count);
            lists[at] = std::mem::take(&mut self.earlier.list);
        }
    }

    fn run_end(&mut self, _: ToldRun) {
        self.run += 1;
    }
}
