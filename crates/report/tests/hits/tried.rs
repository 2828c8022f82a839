//! Brings scenarios about on the built-in device, and counts them in what is written.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_generate::{RunLimits, ScenarioHit, ScenarioReached, ScenarioValue, Setup, Site, probability};
use nandseq_input::{CsvFiles, folder};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_plan::TestPlan;
use nandseq_plan::model::{PhaseUntil, Scenario, ScenarioAxis};
use nandseq_profile::places::Places;
use nandseq_profile::{Profile, SourceFile, Ticks, builtin};
use nandseq_report::plan::{AxisValue, PlanCounts, ScenarioMatch};
use nandseq_trace::files::{FileKind, Outputs};
use tempfile::TempDir;

/// What came of a plan.
pub(crate) struct Tried {
    pub(crate) reached: Vec<ScenarioReached>,
    pub(crate) operations: u64,
    hits: Vec<ScenarioHit>,
    plan: TestPlan,
    counts: PlanCounts,
    matches: Vec<ScenarioMatch>,
}

/// Limits of a run that ends when the scenarios are done, or after a time.
pub(crate) fn until_done(us: u64) -> RunLimits<'static> {
    RunLimits { until: Some(PhaseUntil::ScenariosDone), ..until(us) }
}

/// Limits of a run that ends after a time.
pub(crate) fn until(us: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(us), ..RunLimits::default() }
}

/// The plan of a text without its schema; what is wrong if there is none.
pub(crate) fn plan(text: &str) -> Result<TestPlan, String> {
    let (profile, of) = (builtin::profile(), SourceFile::new(builtin::NAME, builtin::text()));
    let source = SourceFile::new("plan.yaml", format!("schema: 1\n{text}"));
    let (plan, diagnostics) = nandseq_plan::read(&source, &profile, &Places::new(&of, &profile).classes());
    plan.ok_or_else(|| diagnostics.render(&source, nandseq_profile::diagnostic::Styling::Plain))
}

/// Makes runs with the scenarios and addresses of a plan. Every hit is among the matches.
pub(crate) fn tried(text: &str, limits: &RunLimits<'_>, runs: u64) -> Tried {
    tried_with(text, None, limits, runs)
}

/// The same with a table that proposes one operation alone.
pub(crate) fn tried_with(text: &str, only: Option<&str>, limits: &RunLimits<'_>, runs: u64) -> Tried {
    let (profile, plan) = (builtin::profile(), plan(text).unwrap());
    let mut table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    if let Some(only) = only {
        let op = profile.ops.ids().find(|&op| profile.ops[op].name == only).unwrap();
        table.iter_mut().for_each(|(_, names)| *names = vec![(op, 1.0)]);
    }
    let setup = Setup::new(&profile, &table, &[]).unwrap();
    let entries: Vec<usize> = (0..plan.addresses.len()).collect();
    let setup = setup.with_addresses(&plan.addresses, &entries).with_scenarios(&plan.scenarios).unwrap();
    let mut site = Site::new(&setup, 5);
    site.keep_hits();
    let (folder, format) = (TempDir::new().unwrap(), CsvTables::new(&profile).unwrap());
    let outputs = Outputs::NONE.with(FileKind::OperationSequence);
    let mut operations = 0;
    for run in 0..runs {
        let files = RunFiles::create(folder.path(), &format, outputs, "2026-11-22".parse().unwrap(), run + 1);
        let mut sink = files.unwrap();
        operations += site.run(&RunLimits { of_phase: (run, runs), ..*limits }, &mut sink).unwrap().ops;
        sink.finish().unwrap();
    }
    let mut matches = Vec::new();
    let files = &folder::find(folder.path()).unwrap()[0];
    let counts = PlanCounts::of_site(&profile, &plan, &CsvFiles, files, |_| None, |one| matches.push(one)).unwrap();
    let (reached, hits) = (site.scenarios(), site.kept_hits().to_vec());
    let tried = Tried { reached, operations, hits, plan, counts, matches };
    tried.compare(&profile);
    tried
}

impl Tried {
    /// The hits of all values of all scenarios.
    pub(crate) fn all_hits(&self) -> u64 {
        self.reached.iter().flat_map(|scenario| &scenario.values).map(|value| value.hits).sum()
    }

    /// When the first match began.
    pub(crate) fn first_start(&self) -> Ticks {
        self.matches.iter().map(|one| one.steps[0].start).min().unwrap()
    }

    /// Whether all values have their hits.
    pub(crate) fn assert_done(&self) {
        for scenario in &self.reached {
            for value in &scenario.values {
                assert!(value.hits >= scenario.wanted, "{} of {}: {value:?}", value.hits, scenario.wanted);
            }
        }
    }

    /// Each hit is among the matches of its value. Of a repeated first step the matches are known by number alone, since those that count
    /// do not overlap.
    fn compare(&self, profile: &Profile) {
        for (at, scenario) in self.plan.scenarios.iter().enumerate() {
            let mut begun: BTreeMap<u64, BTreeSet<&[AxisValue]>> = BTreeMap::new();
            for one in self.matches.iter().filter(|one| one.scenario == at) {
                begun.entry(one.steps[0].uid).or_default().extend(one.values.iter().map(Vec::as_slice));
            }
            let mut by_value: BTreeMap<Vec<AxisValue>, BTreeSet<u64>> = BTreeMap::new();
            for hit in self.hits.iter().filter(|hit| hit.scenario == at) {
                let value = axis_values(scenario, &self.reached[at].values[hit.value].value);
                if scenario.steps[0].repeat == 1 {
                    let matched = begun.get(&hit.steps[0]).is_some_and(|values| values.contains(value.as_slice()));
                    assert!(matched, "{}, {}: no match: {hit:?}", scenario.name, text(&value, profile));
                }
                let is_new = by_value.entry(value).or_default().insert(hit.steps[0]);
                assert!(is_new, "{}: counted twice: {hit:?}", scenario.name);
            }
            let matches = &self.counts.phases[&None].scenarios.get(&at);
            for (value, hits) in by_value {
                let found = matches.and_then(|counts| counts.by_value.get(&value)).copied().unwrap_or_default();
                let name = text(&value, profile);
                assert!(found >= hits.len() as u64, "{}, {name}: {found} of {}", scenario.name, hits.len());
            }
        }
    }
}

fn text(value: &[AxisValue], profile: &Profile) -> String {
    value.iter().map(|axis| axis.text(profile)).collect::<Vec<_>>().join(", ")
}

/// A value in the order of the scenario's axes.
fn axis_values(scenario: &Scenario, value: &ScenarioValue) -> Vec<AxisValue> {
    let of = |axis: &ScenarioAxis| match axis {
        ScenarioAxis::CellType => value.cell_type.map(AxisValue::CellType),
        ScenarioAxis::Die => value.die.map(|die| AxisValue::Die(die.0.into())),
        ScenarioAxis::Plane => value.plane.map(|plane| AxisValue::Plane(plane.0.into())),
        ScenarioAxis::Op(step) => value.ops.iter().find(|(of, _)| of == step).map(|&(_, op)| AxisValue::Op(op)),
    };
    scenario.each.iter().map(|axis| of(axis).unwrap()).collect()
}
