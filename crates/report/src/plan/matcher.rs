//! Finds the matches of a scenario in the rows of a run, in one pass.
//!
//! A match begins with an operation that fits the first step. Every way to go on is followed: a [`PartialMatch`] for each choice of
//! the operations that later steps refer to. What no later step refers to is chosen as early as possible, which loses no match. An
//! operation begins at most one match for each value; the match that is complete first counts. The operations of a repeated first step
//! are all of one value, and those that count do not overlap on a die. Partial matches are dropped when their windows are over, so memory
//! follows from the windows; beyond [`MOST_OPEN`] the oldest are given up and counted.

use std::cmp::Ordering;

use nandseq_plan::model::{AddressPart, PlaceRelation, Scenario, ScenarioAxis, ScenarioStep, StepTime};
use nandseq_profile::model::PayloadField;
use nandseq_profile::{Profile, Ticks};
use rustc_hash::{FxHashMap, FxHashSet};

use super::conditions::{EarlierRows, value};
use super::history::{DieSet, SiteHistory, WrittenOperation};
use super::repeats::{CountedFirsts, RepeatedFirst};
use super::values::{AxisValue, value_of_match, values_of_first};

/// The most partial matches of a scenario that are kept in a run.
pub const MOST_OPEN: usize = 16_384;

/// How many of the partial matches that wait are searched for one that is equal to another.
const SEARCHED: usize = 64;

/// A match, or the beginning of one.
#[derive(Clone, PartialEq, Eq, Debug)]
struct PartialMatch {
    /// The row of its first operation.
    first: u64,
    /// What of its value the first step decides, where that is repeated: every repetition has it.
    value: Option<Vec<AxisValue>>,
    /// The step that it waits for.
    step: usize,
    /// How often this step has come.
    repeated: u32,
    /// For each step so far the row of its operation, that of the last repetition.
    rows: Vec<u64>,
    /// The dies that its operations work on.
    dies: DieSet,
    /// The dies on which other operations have started.
    others: DieSet,
}

/// A complete match.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct FoundMatch {
    /// The values that it counts for and that its first operation has not counted for.
    pub(super) values: Vec<Vec<AxisValue>>,
    /// Whether its first operation begins no match that was found before.
    pub(super) is_first: bool,
    /// The row of its first operation.
    pub(super) first: u64,
    /// The row of each step, that of the last repetition.
    pub(super) rows: Vec<u64>,
}

/// What is known of a step before any row is read.
#[derive(Debug)]
struct KnownStep {
    /// The earlier step whose block its own is, if it says so: partial matches that wait for it are looked up by block.
    block_of: Option<usize>,
    /// The steps that this one and later ones refer to.
    needed: Vec<usize>,
    /// Whether a later step, or an axis, refers to it.
    is_needed_later: bool,
}

/// The matches of a scenario in a run.
#[derive(Debug)]
pub(super) struct ScenarioMatcher<'p> {
    profile: &'p Profile,
    scenario: &'p Scenario,
    /// The number of planes of a die.
    planes: i64,
    steps: Vec<KnownStep>,
    /// By operation of the profile the steps that it may be, the last first.
    steps_of: Vec<Vec<usize>>,
    /// The partial matches that wait for each step, by [`Self::key`].
    waiting: Vec<FxHashMap<u64, Vec<PartialMatch>>>,
    open: usize,
    /// The number of open partial matches at which those that cannot go on are looked for.
    look_at: usize,
    /// The first operations that have counted, with their values, as long as they have partial matches.
    counted: FxHashMap<u64, Vec<Vec<AxisValue>>>,
    /// The operations of a repeated first step, where all that matters of them is their order; `None` where partial matches wait
    /// for the repetitions as they do for other steps.
    repeated: Option<RepeatedFirst>,
    /// The repeated first steps that have counted.
    firsts: CountedFirsts,
    /// Partial matches that were given up because there were too many.
    pub(super) given_up: u64,
}

/// The row that is looked at.
#[derive(Clone, Copy)]
pub(super) struct CurrentRow<'a> {
    /// Has the operation too, without its effects.
    pub(super) history: &'a SiteHistory,
    pub(super) operation: &'a WrittenOperation,
    /// Whether a chain may force it.
    pub(super) is_forced: bool,
}

impl<'p> ScenarioMatcher<'p> {
    pub(super) fn new(profile: &'p Profile, scenario: &'p Scenario) -> Self {
        let count = scenario.steps.len();
        let axes = scenario.each.iter().filter_map(|axis| match axis {
            ScenarioAxis::Op(step) => Some(*step),
            ScenarioAxis::CellType | ScenarioAxis::Die | ScenarioAxis::Plane => None,
        });
        let axes: Vec<usize> = axes.collect();
        let known = |at: usize| {
            let later = scenario.steps.iter().skip(at).flat_map(references).chain(axes.iter().copied());
            let mut needed: Vec<usize> = later.filter(|&step| step < at).collect();
            needed.sort_unstable();
            needed.dedup();
            let is_needed_later =
                axes.contains(&at) || scenario.steps.iter().skip(at + 1).flat_map(references).any(|step| step == at);
            KnownStep { block_of: block_of(&scenario.steps[at]), needed, is_needed_later }
        };
        Self {
            profile,
            scenario,
            planes: profile.topology.planes.into(),
            steps: (0..count).map(known).collect(),
            steps_of: profile
                .ops
                .ids()
                .map(|op| (0..count).rev().filter(|&at| scenario.steps[at].ops.contains(&op)).collect())
                .collect(),
            waiting: (0..count).map(|_| FxHashMap::default()).collect(),
            open: 0,
            look_at: 1024,
            counted: FxHashMap::default(),
            repeated: has_plain_repetitions(profile, scenario).then(RepeatedFirst::default),
            firsts: CountedFirsts::default(),
            given_up: 0,
        }
    }

    /// Takes the next row. `found` gets each match that it completes.
    pub(super) fn take(&mut self, row: CurrentRow<'_>, mut found: impl FnMut(FoundMatch)) {
        let (mut longer, op) = (Vec::new(), row.operation.op.index());
        if self.steps_of[op].is_empty() && (self.scenario.others_between || row.is_forced) {
            return;
        }
        // Later steps come first: no row is two steps of a match.
        for place in 0..self.steps_of[op].len() {
            self.extend(self.steps_of[op][place], row, &mut longer);
        }
        let is_first = self.repeated.is_some() && self.begins(row);
        let values = if is_first { values_of_first(self.scenario, self.profile, row.operation) } else { Vec::new() };
        values.iter().for_each(|value| self.repeat_first(row.operation, value, &mut longer));
        if !self.scenario.others_between && !row.is_forced {
            self.note_other(row.operation.dies(), &values);
        }
        let (mut complete, waiting): (Vec<_>, Vec<_>) =
            longer.into_iter().partition(|partial| partial.step == self.scenario.steps.len());
        complete.sort_unstable_by_key(|partial| (partial.first, partial.rows.first().copied()));
        let mut matches: Vec<FoundMatch> = Vec::new();
        for one in complete.into_iter().filter_map(|partial| self.complete(partial, row.history)) {
            // The same operations may be a match of several values.
            match matches.last_mut().filter(|last| (last.first, &last.rows) == (one.first, &one.rows)) {
                Some(last) => last.values.extend(one.values),
                None => matches.push(one),
            }
        }
        matches.into_iter().for_each(&mut found);
        waiting.into_iter().for_each(|partial| self.wait(partial, row.history));
        if self.open.max(self.counted.len()) >= self.look_at {
            self.forget(row.history, row.operation.clock.start);
        }
    }

    /// The rows that partial matches refer to.
    pub(super) fn needed(&self) -> impl Iterator<Item = u64> {
        let all = self.waiting.iter().flat_map(|waiting| waiting.values().flatten());
        let waiting = all.flat_map(|partial| partial.rows.iter().copied().chain([partial.first]));
        waiting.chain(self.repeated.iter().flat_map(RepeatedFirst::rows))
    }

    /// Whether an operation fits the first step.
    fn begins(&self, row: CurrentRow<'_>) -> bool {
        let earlier = EarlierRows { history: row.history, first: None, rows: &[], planes: self.planes };
        self.steps_of[row.operation.op.index()].contains(&0) && earlier.fit(self.scenario, 0, row.operation)
    }

    /// Adds a repetition of the first step to those of a value. It may be the last one that a beginning needs.
    fn repeat_first(&mut self, operation: &WrittenOperation, value: &[AxisValue], longer: &mut Vec<PartialMatch>) {
        let Some((repeated, die)) = self.repeated.as_mut().zip(operation.die()) else { return };
        if let Some(first) = repeated.add((die, value.to_vec()), operation.row, self.scenario.steps[0].repeat) {
            let (rows, dies, value) = (vec![operation.row], operation.dies(), Some(value.to_vec()));
            longer.push(PartialMatch { first, value, step: 1, repeated: 0, rows, dies, others: 0 });
        }
    }

    /// Goes on with the partial matches that wait for a step that the row may be. Those that are better replaced are.
    fn extend(&mut self, at: usize, row: CurrentRow<'_>, longer: &mut Vec<PartialMatch>) {
        let CurrentRow { history, operation, .. } = row;
        let (scenario, now, planes) = (self.scenario, operation.clock.start, self.planes);
        let mut of_first: Vec<Option<Vec<AxisValue>>> = Vec::new();
        if at == 0 && self.repeated.is_none() && self.begins(row) {
            of_first = match scenario.steps[0].repeat {
                1 => vec![None],
                _ => values_of_first(scenario, self.profile, operation).into_iter().map(Some).collect(),
            };
            let begun = |value: &Option<Vec<AxisValue>>| {
                PartialMatch::new(operation.row, value.clone()).with(scenario, operation)
            };
            longer.extend(of_first.iter().filter_map(begun));
        }
        let key = self.key_of_row(at, operation);
        let replaces = scenario.others_between && !self.steps[at].is_needed_later;
        let Some(waiting) = self.waiting[at].get_mut(&key) else { return };
        let before = waiting.len();
        waiting.retain(|partial| {
            let earlier = EarlierRows { history, first: Some(partial.first), rows: &partial.rows, planes };
            if earlier.is_too_late(scenario.steps[at].when, now) {
                return false;
            }
            if !earlier.fit(scenario, at, operation) || at == 0 && !of_first.contains(&partial.value) {
                return true;
            }
            let Some(next) = partial.clone().with(scenario, operation) else { return true };
            // A repetition that is not the last is referred to by nothing.
            let is_replaced = replaces || (scenario.others_between && next.step == at);
            longer.push(next);
            !is_replaced
        });
        self.open -= before - waiting.len();
        if waiting.is_empty() {
            self.waiting[at].remove(&key);
        }
    }

    /// Notes that an operation that is no step of the open matches starts on some dies. `own`: the values for which it is a repeated
    /// first step.
    fn note_other(&mut self, dies: DieSet, own: &[Vec<AxisValue>]) {
        if let Some(repeated) = &mut self.repeated {
            repeated.interrupt(|die| u32::try_from(die).is_ok_and(|die| dies.unbounded_shr(die) & 1 == 1), own);
        }
        for waiting in self.waiting.iter_mut().flat_map(FxHashMap::values_mut) {
            let before = waiting.len();
            waiting.retain_mut(|partial| {
                partial.others |= dies;
                partial.others & partial.dies == 0
            });
            self.open -= before - waiting.len();
        }
        self.waiting.iter_mut().for_each(|waiting| waiting.retain(|_, partials| !partials.is_empty()));
    }

    fn complete(&mut self, partial: PartialMatch, history: &SiteHistory) -> Option<FoundMatch> {
        let first = history.get(partial.first)?;
        let of_step = |step: usize| history.get(*partial.rows.get(step)?);
        let (die, last) = (first.die(), partial.rows.first().copied().unwrap_or(partial.first));
        let of_first = match &partial.value {
            Some(value) => vec![value.clone()],
            None => values_of_first(self.scenario, self.profile, first),
        };
        let mut values: Vec<Vec<AxisValue>> =
            of_first.iter().filter_map(|value| value_of_match(self.scenario, value, of_step)).collect();
        let is_repeated = partial.value.is_some();
        if is_repeated {
            values.retain(|value| !self.firsts.overlaps(&(die, value.clone()), partial.first, last));
        }
        let is_first = !self.counted.contains_key(&partial.first);
        values.retain(|value| self.counted.get(&partial.first).is_none_or(|counted| !counted.contains(value)));
        if values.is_empty() && (is_repeated || !is_first) {
            return None;
        }
        self.counted.entry(partial.first).or_default().extend(values.iter().cloned());
        for value in values.iter().filter(|_| is_repeated) {
            self.firsts.add((die, value.clone()), partial.first, last);
        }
        // Another operation of a later step may be another value, for which the same first steps count.
        if !self.has_axes_of_steps()
            && let (Some(repeated), Some(die), Some(value)) = (&mut self.repeated, die, partial.value)
        {
            repeated.forget(&(die, value), last);
        }
        Some(FoundMatch { values, is_first, first: partial.first, rows: partial.rows })
    }

    /// Lets a partial match wait for its next step, unless one waits that is equal in all that matters from now on.
    fn wait(&mut self, partial: PartialMatch, history: &SiteHistory) {
        if !self.has_axes_of_steps() && partial.has_counted(&self.counted) {
            return;
        }
        let key = self.key_of_partial(&partial, history);
        let needed = &self.steps[partial.step].needed;
        let waiting = self.waiting[partial.step].entry(key).or_default();
        let is_known = |other: &PartialMatch| {
            let same = |step: &usize| other.rows.get(*step) == partial.rows.get(*step);
            (other.first, other.repeated, other.dies, other.others, &other.value)
                == (partial.first, partial.repeated, partial.dies, partial.others, &partial.value)
                && needed.iter().all(same)
        };
        // Equal ones come one after another. One that is not found costs time alone.
        if !waiting.iter().rev().take(SEARCHED).any(is_known) {
            waiting.push(partial);
            self.open += 1;
        }
    }

    /// Whether a match has values that do not follow from its first operation.
    fn has_axes_of_steps(&self) -> bool {
        self.scenario.each.iter().any(|axis| match axis {
            ScenarioAxis::Op(step) => *step > 0,
            ScenarioAxis::CellType | ScenarioAxis::Die | ScenarioAxis::Plane => false,
        })
    }

    /// Drops the partial matches that cannot go on, or whose beginning has counted; and the oldest if there are still too many.
    fn forget(&mut self, history: &SiteHistory, now: Ticks) {
        let (planes, ends_with_first) = (self.planes, !self.has_axes_of_steps());
        for (waiting, step) in self.waiting.iter_mut().zip(&self.scenario.steps) {
            waiting.retain(|_, partials| {
                partials.retain(|partial| {
                    let earlier = EarlierRows { history, first: Some(partial.first), rows: &partial.rows, planes };
                    let is_done = ends_with_first && partial.has_counted(&self.counted);
                    !is_done && !earlier.is_too_late(step.when, now)
                });
                !partials.is_empty()
            });
        }
        let all = || self.waiting.iter().flat_map(|waiting| waiting.values().flatten());
        let left = all().count();
        if left > MOST_OPEN {
            let mut open: Vec<&PartialMatch> = all().collect();
            let (_, oldest, _) = open.select_nth_unstable_by(left - MOST_OPEN / 2, |one, other| one.cmp_age(other));
            let oldest = oldest.clone();
            for waiting in &mut self.waiting {
                waiting.values_mut().for_each(|partials| partials.retain(|partial| partial.cmp_age(&oldest).is_ge()));
                waiting.retain(|_, partials| !partials.is_empty());
            }
        }
        let firsts: FxHashSet<u64> =
            self.waiting.iter().flat_map(|waiting| waiting.values().flatten()).map(|partial| partial.first).collect();
        self.open = self.waiting.iter().flat_map(FxHashMap::values).map(Vec::len).sum();
        self.given_up += (left - self.open) as u64;
        self.counted.retain(|first, _| firsts.contains(first));
        let begun = self.repeated.iter().flat_map(RepeatedFirst::rows).chain(firsts);
        self.firsts.forget(begun.min().unwrap_or(u64::MAX));
        self.look_at = (2 * self.open).clamp(1024, MOST_OPEN + 1);
    }

    fn key_of_row(&self, at: usize, operation: &WrittenOperation) -> u64 {
        if self.steps[at].block_of.is_some() { self.block_key(operation) } else { 0 }
    }

    fn key_of_partial(&self, partial: &PartialMatch, history: &SiteHistory) -> u64 {
        let of = self.steps[partial.step].block_of.and_then(|step| history.get(*partial.rows.get(step)?));
        of.map_or(0, |operation| self.block_key(operation))
    }

    /// The block group of an operation: the same for all its targets.
    fn block_key(&self, operation: &WrittenOperation) -> u64 {
        let block = operation.targets.first().and_then(|at| value(at, AddressPart::Block));
        let group = block
            .and_then(|block| u64::try_from(block).ok())
            .map(|block| block / u64::from(self.profile.topology.planes));
        group.map_or(0, |group| group + 1)
    }
}

impl PartialMatch {
    /// A match before its first operation, which is that of a row.
    fn new(first: u64, value: Option<Vec<AxisValue>>) -> Self {
        Self { first, value, step: 0, repeated: 0, rows: Vec::new(), dies: 0, others: 0 }
    }

    /// Whether its first operation has begun a match of its value, which follows from the first step.
    fn has_counted(&self, counted: &FxHashMap<u64, Vec<Vec<AxisValue>>>) -> bool {
        let counted = counted.get(&self.first);
        counted.is_some_and(|values| self.value.as_ref().is_none_or(|value| values.contains(value)))
    }

    /// Older beginnings come first; of one beginning those that have come furthest, in the order of their last operations: what came
    /// less far gives rise to more of them.
    fn cmp_age(&self, other: &Self) -> Ordering {
        let by_rows = || self.rows.iter().rev().cmp(other.rows.iter().rev());
        self.first.cmp(&other.first).then(other.step.cmp(&self.step)).then_with(by_rows)
    }

    /// The match with one operation more. `None` if others have started on the operation's die.
    fn with(mut self, scenario: &Scenario, operation: &WrittenOperation) -> Option<Self> {
        self.dies |= operation.dies();
        if !scenario.others_between && self.dies & self.others != 0 {
            return None;
        }
        self.rows.truncate(self.step);
        self.rows.push(operation.row);
        self.repeated += 1;
        if self.repeated == scenario.steps[self.step].repeat {
            (self.step, self.repeated) = (self.step + 1, 0);
        }
        Some(self)
    }
}

/// Whether the first step is repeated, and all that matters of its operations is their order: nothing refers to the last of them, and
/// all operations of a match are on one die that their rows name.
fn has_plain_repetitions(profile: &Profile, scenario: &Scenario) -> bool {
    let names_die = |step: &ScenarioStep| {
        let states_die = step.places.iter().any(|place| place.part == AddressPart::Die);
        !states_die && step.ops.iter().all(|op| profile.bases[profile.ops[*op].base].payload_has(PayloadField::Die))
    };
    let is_referred_to = scenario.steps.iter().flat_map(references).any(|step| step == 0);
    let (first, others) = (&scenario.steps[0], &scenario.steps[1..]);
    first.repeat > 1 && !is_referred_to && names_die(first) && (scenario.others_between || others.iter().all(names_die))
}

/// The earlier steps that a step refers to.
fn references(step: &ScenarioStep) -> Vec<usize> {
    let time = match step.when {
        StepTime::Next => None,
        StepTime::During { step, .. } | StepTime::After { step, .. } => Some(step),
    };
    let places = step.places.iter().filter_map(|place| match place.relation {
        PlaceRelation::SameAs(step) | PlaceRelation::OtherThan(step) | PlaceRelation::NextTo(step) => Some(step),
        PlaceRelation::In(_) => None,
    });
    places.chain(time).collect()
}

/// The earlier step whose block a step's own is.
fn block_of(step: &ScenarioStep) -> Option<usize> {
    step.places.iter().find_map(|place| match place.relation {
        PlaceRelation::SameAs(of) if place.part == AddressPart::Block => Some(of),
        PlaceRelation::SameAs(_) | PlaceRelation::OtherThan(_) | PlaceRelation::NextTo(_) | PlaceRelation::In(_) => {
            None
        }
    })
}
