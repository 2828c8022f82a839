//! `nandseqgen diagnose`: what goes with failing in written runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nandseq_diagnose::{
    ConfirmingPlan, DiagnoseError, DiagnoseOptions, Diagnosis, DiagnosisPage, PartRuns, RunOutcome, TestedRuns,
    UnitCount, confirming_plan, diagnose, text,
};
use nandseq_input::folder::number_of;
use nandseq_profile::places::Places;
use nandseq_tester::{CampaignRuns, Fails, FailsError, RunResult};
use nandseq_trace::recorded::shown;
use serde::Serialize;

use crate::arguments::ReportFormat;
use crate::arguments::diagnose::DiagnoseArgs;
use crate::failure::{Failure, Problem};
use crate::hint::Hint;
use crate::json::{self, Of};
use crate::written::{self, WrittenRuns};
use crate::{reports, target, terminal};

/// Runs `nandseqgen diagnose`.
pub(crate) fn run(arguments: &DiagnoseArgs) -> Result<(), Failure> {
    let fails = [arguments.fails.clone()];
    if let Some(output) = &arguments.output {
        target::check(output, "--output", &fails)?;
    }
    let found = WrittenRuns::find(&arguments.source.paths, &arguments.source.device, arguments.output.as_deref())?;
    let Outcomes { of: outcomes, parts } = outcomes(arguments, &found)?;
    let classes = Places::new(&found.profile_text, &found.profile).classes();
    let site_numbers: Vec<u32> = found.sites.iter().map(|site| number_of(site).unwrap_or(1) as u32).collect();
    let site_names: Vec<String> = site_numbers.iter().map(|number| format!("site {number}")).collect();
    let outcome = |site: usize, run: u64| outcomes.get(&(site, run)).cloned().unwrap_or(RunOutcome::Unknown);
    let runs = TestedRuns {
        profile: &found.profile,
        classes: &classes,
        source: &*found.source,
        sites: &found.sites,
        site_numbers: &site_numbers,
        site_names: &site_names,
        parts: &parts,
        outcome: &outcome,
    };
    let options = DiagnoseOptions { metric: arguments.metric.into(), seed: arguments.seed };
    let diagnosis = diagnose(&runs, options).map_err(|error| match error {
        DiagnoseError::Load(error) => found.unreadable(error),
        error @ DiagnoseError::NoOperation { .. } => Problem::new(error.to_string()).into(),
    })?;
    if let Some(output) = &arguments.output {
        let page = DiagnosisPage::new(&runs, &diagnosis).map_err(|error| found.unreadable(error))?;
        let bytes = written::write(output, "--output", |out| page.write(&runs, reports::TOOL, out))?;
        if arguments.format == ReportFormat::Text {
            reports::told(output, bytes)?;
        }
    }
    let plans = match arguments.confirm {
        Some(most) => {
            let generate = Hint::new("generate").flags(&found.flags);
            write_plans((&runs, &diagnosis), most as usize, &arguments.plans, &generate)?
        }
        None => Vec::new(),
    };
    show(&diagnosis, &plans, arguments.format)
}

/// What the tester says of the runs.
struct Outcomes {
    /// By the place of their site and their number.
    of: BTreeMap<(usize, u64), RunOutcome>,
    parts: Vec<PartRuns>,
}

/// The outcomes of the runs. A run fails if one of its parts fails, at the operations at
/// which one does.
fn outcomes(arguments: &DiagnoseArgs, found: &WrittenRuns) -> Result<Outcomes, Failure> {
    let campaign = CampaignRuns::of_sites(&found.profile, &*found.source, &found.sites).map_err(unusable)?;
    let map = arguments.map.clone().unwrap_or_default();
    let fails = Fails::read(&arguments.fails, &map, &campaign, arguments.others.into()).map_err(unusable)?;
    let mut outcomes = BTreeMap::new();
    let mut parts: BTreeMap<(usize, u32), UnitCount> = BTreeMap::new();
    for (at, site) in found.sites.iter().enumerate() {
        let number = number_of(site).unwrap_or(1) as u32;
        for run in &site.runs {
            let results = fails.of(number, run.run as u32).map(|(part, result)| {
                let outcome = match result {
                    RunResult::Passed => RunOutcome::Passed,
                    RunResult::Failed(failed) => RunOutcome::Failed(failed.ops().collect()),
                };
                parts.entry((at, part)).or_default().add(outcome != RunOutcome::Passed);
                outcome
            });
            if let Some(outcome) = results.reduce(worse) {
                outcomes.insert((at, run.run), outcome);
            }
        }
    }
    if outcomes.values().all(|outcome| *outcome == RunOutcome::Passed) {
        let problem = Problem::new(format!("`{}` has no fail: there is nothing to diagnose", shown(&arguments.fails)));
        return Err(problem.into());
    }
    if !outcomes.values().any(|outcome| *outcome == RunOutcome::Passed) && outcomes.len() < 2 {
        let problem = Problem::new(format!("`{}` says nothing of runs that passed", shown(&arguments.fails)));
        return Err(problem.help("--others passed: every run that it does not name passed").into());
    }
    let parts = parts.into_iter().map(|((site, part), runs)| PartRuns { site, part, runs }).collect();
    Ok(Outcomes { of: outcomes, parts })
}

/// The outcome of a run with two parts.
fn worse(one: RunOutcome, other: RunOutcome) -> RunOutcome {
    match (one, other) {
        (RunOutcome::Failed(mut uids), RunOutcome::Failed(others)) => {
            uids.extend(others);
            uids.sort_unstable();
            uids.dedup();
            RunOutcome::Failed(uids)
        }
        (failed @ RunOutcome::Failed(_), _) | (_, failed @ RunOutcome::Failed(_)) => failed,
        (one @ (RunOutcome::Passed | RunOutcome::Unknown), RunOutcome::Passed | RunOutcome::Unknown) => one,
    }
}

fn unusable(error: FailsError) -> Failure {
    let problem = Problem::new(error.to_string());
    match error.help {
        Some(help) => problem.help(help).into(),
        None => problem.into(),
    }
}

/// A plan that was written.
#[derive(Serialize)]
struct WrittenPlan {
    rank: usize,
    /// Its path; `None` if there is no plan.
    path: Option<String>,
    /// The command that makes its runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    command: Option<String>,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// The conditions that it cannot say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unsaid: Vec<String>,
}

/// Writes the plans of the first suspects.
fn write_plans(
    (runs, diagnosis): (&TestedRuns<'_>, &Diagnosis),
    most: usize,
    folder: &Path,
    generate: &Hint,
) -> Result<Vec<WrittenPlan>, Failure> {
    fs::create_dir_all(folder).map_err(|reason| Failure::cannot_write(folder, reason).placed_by("--plans"))?;
    let mut written = Vec::new();
    for suspect in diagnosis.suspects.iter().take(most) {
        let plan = match confirming_plan(runs, suspect) {
            ConfirmingPlan::Plan { text, unsaid } => {
                let path = folder.join(format!("suspect-{:02}.yaml", suspect.rank));
                written::write(&path, "--plans", |out| out.write_all(text.as_bytes()))?;
                let command = Some(generate.clone().with("--plan", &path).to_string());
                WrittenPlan { rank: suspect.rank, path: Some(shown(&path)), command, reason: None, unsaid }
            }
            ConfirmingPlan::None(reason) => {
                let reason = Some(reason);
                WrittenPlan { rank: suspect.rank, path: None, command: None, reason, unsaid: Vec::new() }
            }
        };
        written.push(plan);
    }
    Ok(written)
}

fn show(diagnosis: &Diagnosis, plans: &[WrittenPlan], format: ReportFormat) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Answer<'a> {
        #[serde(flatten)]
        diagnosis: &'a Diagnosis,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        plans: &'a [WrittenPlan],
    }
    if format == ReportFormat::Json {
        return json::print(&Of::command("diagnose", &Answer { diagnosis, plans }));
    }
    let mut out = text(diagnosis);
    for plan in plans {
        out += &match (&plan.path, &plan.command) {
            (Some(path), Some(command)) => {
                format!("plan for suspect {}: `{path}`; its runs: {command}\n", plan.rank)
            }
            _ => format!("no plan for suspect {}: {}\n", plan.rank, plan.reason.unwrap_or_default()),
        };
        for condition in &plan.unsaid {
            out += &format!("  it cannot say: {condition}\n");
        }
    }
    terminal::print(&out)
}
