//! What runs did of a test plan, for the page: the phases of runs, the report, and the matches of each site.

use nandseq_profile::{Profile, Ticks};
use rustc_hash::FxHashSet;
use serde::Serialize;

use super::pack::Column;
use super::tracks::{PackedColumns, named};
use crate::load::SiteTables;
use crate::plan::{PlanReport, ScenarioMatch};

/// The most matches of a scenario that a page lists for a site. The counts are of all.
pub const MOST_MATCHES: usize = 2_000;
/// The most values of a scenario that a page lists, those that lack hits first.
const MOST_VALUES: usize = 500;

/// What runs did of a plan.
#[derive(Clone, Copy, Debug)]
pub struct PageOfPlan<'a> {
    /// The counts.
    pub report: &'a PlanReport,
    /// For each site its matches.
    pub matches: &'a [ListedMatches],
}

/// The matches of a site that a page lists, and how many there are. Takes them one by one and keeps [`MOST_MATCHES`] of each scenario, so
/// that memory does not grow with their number.
#[derive(Debug)]
pub struct ListedMatches {
    /// The uids of the operations that are shown. Matches of which none is shown are left out.
    shown: FxHashSet<u64>,
    /// By scenario: the number of matches, and the first of them.
    of_scenarios: Vec<(usize, Vec<ScenarioMatch>)>,
}

impl ListedMatches {
    /// No matches yet, of a plan with so many scenarios. `shown`: the uids of the operations of the site that are shown.
    #[must_use]
    pub fn new(shown: impl Iterator<Item = u64>, scenarios: usize) -> Self {
        Self { shown: shown.collect(), of_scenarios: vec![(0, Vec::new()); scenarios] }
    }

    /// Adds a match.
    pub fn add(&mut self, one: ScenarioMatch) {
        if !one.steps.iter().any(|step| self.shown.contains(&step.uid)) {
            return;
        }
        let (count, listed) = &mut self.of_scenarios[one.scenario];
        *count += 1;
        if listed.len() < MOST_MATCHES {
            listed.push(one);
        }
    }
}

/// The matches of a scenario in a site.
#[derive(Serialize, Debug)]
pub(super) struct MatchesOfSite {
    /// The number of the scenario.
    scenario: usize,
    /// All matches, those that are not listed too.
    count: usize,
    /// The number of operations of a match.
    steps: usize,
    /// The value that each listed match counts for first, as text.
    values: Vec<String>,
    /// By match: the start of its first and of its last operation.
    times: PackedColumns,
    /// By match and step: the difference of its uid to that before it.
    uids: PackedColumns,
}

/// A run on the time axis.
#[derive(Serialize, Debug)]
pub(super) struct RunTimes {
    /// The starts of its first and last operation that are shown; `None` if there are none.
    span: Option<(u64, u64)>,
}

impl PageOfPlan<'_> {
    /// The report as a page has it.
    pub(super) fn shown(&self) -> PlanReport {
        let mut report = self.report.clone();
        for scenario in report.scenarios.iter_mut().filter(|scenario| scenario.values.len() > MOST_VALUES) {
            scenario.values.sort_by_key(|value| value.missing == 0);
            scenario.values.truncate(MOST_VALUES);
        }
        report
    }

    /// The matches of a site, by scenario.
    pub(super) fn of_site(&self, profile: &Profile, at: usize, unit: u64) -> Vec<MatchesOfSite> {
        let all = self.matches.get(at).map(|listed| &*listed.of_scenarios).unwrap_or_default();
        let has_any = |(_, of): &(usize, &(usize, Vec<ScenarioMatch>))| of.0 > 0;
        let all = all.iter().enumerate().filter(has_any);
        all.map(|(scenario, (count, listed))| MatchesOfSite::new(profile, (scenario, *count), listed, unit)).collect()
    }
}

impl MatchesOfSite {
    fn new(profile: &Profile, (scenario, count): (usize, usize), listed: &[ScenarioMatch], unit: u64) -> Self {
        let (mut times, mut uids): ([Column; 2], Column) = Default::default();
        let (mut before, mut rows) = (0u64, 0);
        let mut values = Vec::new();
        let units = |time: Ticks| time.0 / unit.max(1);
        for one in listed {
            let first = one.steps.first().map_or(0, |step| units(step.start));
            let last = one.steps.last().map_or(first, |step| units(step.start));
            times[0].push(first);
            times[1].push(last.saturating_sub(first));
            for step in &one.steps {
                uids.push_signed(step.uid.wrapping_sub(before).cast_signed());
                before = step.uid;
                rows += 1;
            }
            let value = one.values.first().map(|value| value.iter().map(|one| one.text(profile)).collect::<Vec<_>>());
            values.push(value.unwrap_or_default().join(", "));
        }
        Self {
            scenario,
            count,
            steps: listed.first().map_or(0, |one| one.steps.len()),
            values,
            times: named(listed.len(), ["start", "length"], &times),
            uids: named(rows, ["uid"], &[uids]),
        }
    }
}

/// The times of a site's runs, in order.
pub(super) fn run_times(site: &SiteTables, unit: u64) -> Vec<RunTimes> {
    let (mut at, units) = (0, |time: Ticks| time.0 / unit.max(1));
    let of_run = |count: u64| {
        let rows = site.operations.get(at..at + count as usize).unwrap_or_default();
        at += count as usize;
        RunTimes { span: rows.first().zip(rows.last()).map(|(first, last)| (units(first.time), units(last.time))) }
    };
    site.runs.iter().map(|run| run.operations).map(of_run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::MatchedOperation;

    #[test]
    fn all_matches_are_counted_and_the_first_of_a_scenario_kept() {
        let mut all = ListedMatches::new(0..5_000, 2);
        for uid in 0..6_000 {
            let steps = vec![MatchedOperation { uid, start: Ticks(uid) }];
            all.add(ScenarioMatch { scenario: 1, run: 1, values: Vec::new(), steps });
        }
        let kept = all.of_scenarios.iter().map(|(count, listed)| (*count, listed.len()));
        assert_eq!(kept.collect::<Vec<_>>(), [(0, 0), (5_000, MOST_MATCHES)]);
        assert_eq!(all.of_scenarios[1].1.last().map(|one| one.steps[0].uid), Some(MOST_MATCHES as u64 - 1));
    }
}
