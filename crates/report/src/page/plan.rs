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
    pub matches: &'a [Vec<ScenarioMatch>],
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

    /// The matches of a site, by scenario. Matches of which no operation is shown are left out.
    pub(super) fn of_site(&self, profile: &Profile, at: usize, site: &SiteTables, unit: u64) -> Vec<MatchesOfSite> {
        let all = self.matches.get(at).map(Vec::as_slice).unwrap_or_default();
        if all.is_empty() {
            return Vec::new();
        }
        let shown: FxHashSet<u64> = site.operations.iter().map(|row| row.uid).collect();
        let is_shown = |one: &&ScenarioMatch| one.steps.iter().any(|step| shown.contains(&step.uid));
        let of = |scenario: usize| {
            let found: Vec<&ScenarioMatch> =
                all.iter().filter(|one| one.scenario == scenario).filter(is_shown).collect();
            (!found.is_empty()).then(|| MatchesOfSite::new(profile, scenario, &found, unit))
        };
        (0..self.report.scenarios.len()).filter_map(of).collect()
    }
}

impl MatchesOfSite {
    fn new(profile: &Profile, scenario: usize, found: &[&ScenarioMatch], unit: u64) -> Self {
        let (mut times, mut uids): ([Column; 2], Column) = Default::default();
        let (mut before, mut rows) = (0u64, 0);
        let mut values = Vec::new();
        let units = |time: Ticks| time.0 / unit.max(1);
        for one in found.iter().take(MOST_MATCHES) {
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
        let listed = values.len();
        Self {
            scenario,
            count: found.len(),
            steps: found.first().map_or(0, |one| one.steps.len()),
            values,
            times: named(listed, ["start", "length"], &times),
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
