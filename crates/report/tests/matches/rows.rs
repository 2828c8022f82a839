//! Sequences and plans of the rulebook's device, written by hand.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Cursor};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use nandseq_input::Source;
use nandseq_input::folder::{RunFile, SiteFiles};
use nandseq_plan::TestPlan;
use nandseq_profile::model::PayloadField;
use nandseq_profile::places::Places;
use nandseq_profile::{Profile, ReadOptions, SourceFile, builtin};
use nandseq_report::plan::{PlanCounts, ScenarioCounts, ScenarioMatch};

/// The rulebook's device. A READ is followed by an OUTPUT, a PLANE_READ by nothing, or by a READ and a FEATURE.
pub(crate) static DEVICE: LazyLock<(Profile, SourceFile)> = LazyLock::new(|| device(2));

/// The same with one die.
pub(crate) static ONE_DIE: LazyLock<(Profile, SourceFile)> = LazyLock::new(|| device(1));

fn device(dies: u8) -> (Profile, SourceFile) {
    let text = include_str!("../../../../rulebook/device.yaml")
        .replace("dies: 2", &format!("dies: {dies}"))
        .replace(
            "  READ: {class: read, effects: [fill_registers]}",
            "  READ: {class: read, effects: [fill_registers], follow_ups: {OUTPUT: {weight: 1, inherit: [prev_page]}}}",
        )
        .replace(
            "  PLANE_READ: {class: read, effects: [fill_registers]}",
            "  PLANE_READ: {class: read, effects: [fill_registers], follow_ups: {NONE: 1, TWO.SEQ: 1}}",
        )
        .replace(
            "\nexclusion_groups:",
            "\nchains:\n  TWO.SEQ: {steps: [READ: [same_page], FEATURE: [none]]}\n\nexclusion_groups:",
        );
    let source = SourceFile::new("device.yaml", text);
    let (profile, diagnostics) = nandseq_profile::read(&source, ReadOptions { lenient: false });
    let plain = nandseq_profile::diagnostic::Styling::Plain;
    (profile.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, plain))), source)
}

/// The built-in device.
pub(crate) static BUILT_IN: LazyLock<(Profile, SourceFile)> =
    LazyLock::new(|| (builtin::profile(), SourceFile::new(builtin::NAME, builtin::text())));

/// A plan of some scenarios.
pub(crate) fn plan(scenarios: &str) -> TestPlan {
    plan_of(&DEVICE, scenarios)
}

/// A plan of some scenarios for a device.
pub(crate) fn plan_of((profile, text): &(Profile, SourceFile), scenarios: &str) -> TestPlan {
    let source = SourceFile::new("plan.yaml", format!("schema: 1\n{scenarios}"));
    let (plan, diagnostics) = nandseq_plan::read(&source, profile, &Places::new(text, profile).classes());
    plan.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, nandseq_profile::diagnostic::Styling::Plain)))
}

/// A plan of one scenario, `one`, with these steps, one a line, and further fields.
pub(crate) fn scenario(fields: &str, steps: &[&str]) -> TestPlan {
    let steps: String = steps.iter().map(|step| format!("      - {step}\n")).collect();
    plan(&format!("scenarios:\n  one:\n    {fields}\n    steps:\n{steps}"))
}

/// Runs whose sequences are texts.
struct Texts(Vec<String>);

impl Source for Texts {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let at: usize = path.to_str().unwrap().parse().unwrap();
        Ok(Box::new(Cursor::new(self.0[at].clone().into_bytes())))
    }
}

/// A sequence as text. A row is `µs name address`. The address has the values of the payload's fields but the cell type; several
/// targets are separated by `/`.
fn csv<R: AsRef<str>>(profile: &Profile, rows: &[R]) -> String {
    let mut text = "seq,time,op_id,op_name,op_uid,payload\n".to_owned();
    for (number, row) in (1..).zip(rows) {
        let (time, rest) = row.as_ref().split_once(' ').unwrap();
        let (name, address) = rest.split_once(' ').unwrap_or((rest, ""));
        let op = profile.ops.iter().find(|op| op.name == name).unwrap_or_else(|| panic!("{name}"));
        let target = |address: &str| {
            let mut values = address.split_whitespace();
            let fields = profile.bases[op.base].payload.iter().map(|field| match field {
                PayloadField::CellType => format!("\"celltype\":\"{}\"", profile.cell_types[op.cell_type].name),
                PayloadField::ExpectedStatus => format!("\"exp_val\":\"{}\"", values.next().unwrap()),
                PayloadField::Die
                | PayloadField::Plane
                | PayloadField::Block
                | PayloadField::Page
                | PayloadField::Data => {
                    format!("\"{}\":{}", field.name(), values.next().unwrap())
                }
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        };
        let payload = address.split('/').map(target).collect::<Vec<_>>().join(",").replace('"', "\"\"");
        text += &format!("{number},{time},0,{name},{number},\"[{payload}]\"\n");
    }
    text
}

/// What some runs did of a plan, and the matches. The phase of a run is the value of its number, from 1.
pub(crate) fn count(
    plan: &TestPlan,
    runs: &[Vec<String>],
    phases: &BTreeMap<u64, usize>,
) -> (PlanCounts, Vec<ScenarioMatch>) {
    count_of(&DEVICE.0, plan, runs, phases)
}

/// As [`count`], for a device.
pub(crate) fn count_of(
    profile: &Profile,
    plan: &TestPlan,
    runs: &[Vec<String>],
    phases: &BTreeMap<u64, usize>,
) -> (PlanCounts, Vec<ScenarioMatch>) {
    let source = Texts(runs.iter().map(|rows| csv(profile, rows)).collect());
    let run = |at: usize| RunFile {
        run: at as u64 + 1,
        path: PathBuf::from(at.to_string()),
        rows: None,
        tables: Vec::new(),
        log: None,
    };
    let site = SiteFiles {
        folder: PathBuf::new(),
        runs: (0..runs.len()).map(run).collect(),
        listed: Vec::new(),
        damage: Vec::new(),
        notes: Vec::new(),
        is_unfinished: false,
    };
    let mut matches = Vec::new();
    let phase = |run| phases.get(&run).copied();
    let counts = PlanCounts::of_site(profile, plan, &source, &site, phase, |one| matches.push(one)).unwrap();
    (counts, matches)
}

/// The counts of the only scenario of a plan in one run of no phase.
pub(crate) fn count_one(plan: &TestPlan, rows: &[&str]) -> ScenarioCounts {
    let rows = rows.iter().map(|&row| row.to_owned()).collect();
    let (counts, matches) = count(plan, &[rows], &BTreeMap::new());
    let counts = counts.phases[&None].scenarios[&0].clone();
    assert!(matches.len() as u64 >= counts.matches);
    counts
}

/// The rows of the matches of the only scenario of a plan, as their numbers from 1.
pub(crate) fn found(plan: &TestPlan, rows: &[&str]) -> Vec<Vec<u64>> {
    let rows = rows.iter().map(|&row| row.to_owned()).collect();
    let (_, matches) = count(plan, &[rows], &BTreeMap::new());
    matches.iter().map(|one| one.steps.iter().map(|step| step.uid).collect()).collect()
}
