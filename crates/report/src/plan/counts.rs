//! Counts what runs did of a plan: matches of its scenarios, operations by phase, use of addresses.

use std::collections::BTreeMap;

use nandseq_input::Source;
use nandseq_input::folder::{RunFile, SiteFiles};
use nandseq_plan::TestPlan;
use nandseq_profile::{Profile, Ticks};
use rustc_hash::FxHashSet;

use super::addresses::{EntryCounts, SiteAddresses};
use super::forced::PossibleChains;
use super::history::{SiteHistory, WrittenOperation};
use super::matcher::{CurrentRow, FoundMatch, ScenarioMatcher};
use super::values::AxisValue;
use crate::load::{self, LoadError};
use crate::sums::{add_count, add_counts};

/// The number of rows after which operations that nothing refers to are forgotten.
const FORGET_EVERY: u64 = 8192;

/// The matches of a scenario.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct ScenarioCounts {
    /// Operations that begin a match.
    pub matches: u64,
    /// For each value of `each` the operations that begin a match of it.
    pub by_value: BTreeMap<Vec<AxisValue>, u64>,
    /// Beginnings of matches that were given up because too many were open. If there are any, matches may be missing.
    pub given_up: u64,
}

/// What the runs of a phase did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PhaseCounts {
    /// The number of runs.
    pub runs: u64,
    /// Operations by name.
    pub operations: Vec<u64>,
    /// The matches of the scenarios that are in force, by their index.
    pub scenarios: BTreeMap<usize, ScenarioCounts>,
}

/// What runs did of a plan. Sums do not depend on the order of the runs.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PlanCounts {
    /// By the index of the phase; `None` for runs that belong to none, in which all scenarios are in force.
    pub phases: BTreeMap<Option<usize>, PhaseCounts>,
    /// The use of the entries of `addresses`, in order.
    pub addresses: Vec<EntryCounts>,
}

/// An operation that is a step of a match.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MatchedOperation {
    /// Its `op_uid`.
    pub uid: u64,
    /// Its start.
    pub start: Ticks,
}

/// A match of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioMatch {
    /// The index of the scenario.
    pub scenario: usize,
    /// The run.
    pub run: u64,
    /// The values that it counts for.
    pub values: Vec<Vec<AxisValue>>,
    /// The operation of each step, that of the last repetition.
    pub steps: Vec<MatchedOperation>,
}

impl PlanCounts {
    /// Counts the runs of a site. `phase_of` gives the index of a run's phase. `found` gets each match, in the order in which they
    /// are complete.
    ///
    /// # Errors
    /// [`LoadError`] at the first row that makes no sense.
    pub fn of_site(
        profile: &Profile,
        plan: &TestPlan,
        source: &dyn Source,
        site: &SiteFiles,
        phase_of: impl Fn(u64) -> Option<usize>,
        mut found: impl FnMut(ScenarioMatch),
    ) -> Result<Self, LoadError> {
        let (mut counts, mut addresses) = (Self::default(), SiteAddresses::new(profile, &plan.addresses));
        let mut history = SiteHistory::new(profile);
        for run in &site.runs {
            let phase = phase_of(run.run);
            let of_phase = counts.phases.entry(phase).or_default();
            of_phase.runs += 1;
            let run = RunOfPlan { profile, plan, source, run, phase };
            count_run(&run, of_phase, (&mut history, &mut addresses), &mut found)?;
        }
        counts.addresses = addresses.finish();
        Ok(counts)
    }

    /// Adds the counts of other sites.
    pub fn add(&mut self, other: &Self) {
        self.addresses.resize(self.addresses.len().max(other.addresses.len()), EntryCounts::default());
        self.addresses.iter_mut().zip(&other.addresses).for_each(|(sum, more)| sum.add(more));
        for (phase, more) in &other.phases {
            let sum = self.phases.entry(*phase).or_default();
            sum.runs += more.runs;
            sum.operations.resize(sum.operations.len().max(more.operations.len()), 0);
            sum.operations.iter_mut().zip(&more.operations).for_each(|(sum, more)| *sum += more);
            for (scenario, more) in &more.scenarios {
                let sum = sum.scenarios.entry(*scenario).or_default();
                sum.matches += more.matches;
                sum.given_up += more.given_up;
                add_counts(&mut sum.by_value, &more.by_value);
            }
        }
    }
}

/// A run whose rows are counted.
struct RunOfPlan<'a> {
    profile: &'a Profile,
    plan: &'a TestPlan,
    source: &'a dyn Source,
    run: &'a RunFile,
    phase: Option<usize>,
}

fn count_run(
    run: &RunOfPlan<'_>,
    counts: &mut PhaseCounts,
    (history, addresses): (&mut SiteHistory, &mut SiteAddresses<'_>),
    found: &mut impl FnMut(ScenarioMatch),
) -> Result<(), LoadError> {
    let RunOfPlan { profile, plan, source, .. } = *run;
    let (in_force, entries) = match run.phase.and_then(|at| plan.phases.get(at)) {
        Some(phase) => (phase.scenarios.clone(), phase.addresses.clone()),
        None => ((0..plan.scenarios.len()).collect(), (0..plan.addresses.len()).collect()),
    };
    let mut matchers: Vec<(usize, ScenarioMatcher<'_>)> =
        in_force.iter().map(|&at| (at, ScenarioMatcher::new(profile, &plan.scenarios[at]))).collect();
    let needs_chains = in_force.iter().any(|&at| !plan.scenarios[at].others_between);
    let mut chains = PossibleChains::new(profile);
    history.keep(&FxHashSet::default());
    counts.operations.resize(profile.ops.len(), 0);
    load::sequence_rows(profile, source, &run.run.path, |row| {
        counts.operations[row.op.index()] += 1;
        let number = history.next_row();
        let operation = WrittenOperation::new(row, number);
        let is_forced = needs_chains && chains.add(&operation);
        addresses.add(&operation, &entries);
        history.add(operation);
        if let Some(operation) = history.get(number) {
            for (scenario, matcher) in &mut matchers {
                let sums = counts.scenarios.entry(*scenario).or_default();
                let current = CurrentRow { history, operation, is_forced };
                matcher.take(current, |one| take(one, (*scenario, run.run.run), history, sums, found));
            }
        }
        for stopped in history.start(number) {
            history.get(stopped).into_iter().for_each(|operation| addresses.cut(operation));
        }
        if (number + 1).is_multiple_of(FORGET_EVERY) {
            let needed: FxHashSet<u64> = matchers.iter().flat_map(|(_, matcher)| matcher.needed()).collect();
            history.keep(&needed);
        }
    })?;
    for (scenario, matcher) in matchers {
        counts.scenarios.entry(scenario).or_default().given_up += matcher.given_up;
    }
    Ok(())
}

/// Counts a match.
fn take(
    one: FoundMatch,
    (scenario, run): (usize, u64),
    history: &SiteHistory,
    sums: &mut ScenarioCounts,
    found: &mut impl FnMut(ScenarioMatch),
) {
    sums.matches += u64::from(one.is_first);
    for values in &one.values {
        add_count(&mut sums.by_value, values.clone(), 1);
    }
    let step = |row: &u64| {
        let operation = history.get(*row)?;
        Some(MatchedOperation { uid: operation.uid, start: operation.clock.start })
    };
    let steps = one.rows.iter().filter_map(step).collect();
    found(ScenarioMatch { scenario, run, values: one.values, steps });
}
