//! Resolves flags and files into a campaign.
//!
//! All mistakes of the flags are reported together.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use nandseq_input::archive;
use nandseq_profile::Ticks;
use nandseq_profile::diagnostic::counted;
use nandseq_trace::files::{FileKind, Outputs, Stamp};
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::{recorded, shown};

use super::digests::Digests;
use super::phases::MAX_SITE_US;
use super::table::push;
use super::{Batch, Campaign, CampaignPhase, CampaignSite, Closure, Phases, phases, sites};
use crate::arguments::{DEFAULT_RUN_US, GenerateArgs, ProposerLog};
use crate::failure::{Failure, Problem, both};
use crate::in_force::InForce;
use crate::inputs::ReadProfile;
use crate::site_folders::SiteFolders;
use crate::test_plan::PlanInForce;
use crate::{console, failure, inputs, reach, site_files, target};

/// Resolves the flags and reads the files they name. Notes and warnings are added to `remarks`.
pub(crate) fn resolve(arguments: &GenerateArgs, remarks: &mut String) -> Result<Campaign, Failure> {
    resolve_for(arguments, None, remarks)
}

/// The same for a profile that is `known`, and not read again.
pub(crate) fn resolve_for(
    arguments: &GenerateArgs,
    known: Option<&ReadProfile>,
    remarks: &mut String,
) -> Result<Campaign, Failure> {
    let mut problems = Vec::new();
    let (folders, run_until) = check_flags(arguments, true, &mut problems);
    let (Some(folders), true) = (folders, problems.is_empty()) else {
        // Notes and warnings are not wanted beside these errors.
        let inputs = InForce::of_generate(arguments, known, &mut String::new());
        return Err(Failure::Unusable(problems).and(inputs));
    };
    let batch = Batch::new(&arguments.sites);
    let sites = sites::campaigns(&arguments.sites, batch.as_ref(), &folders);
    let in_force = InForce::of_generate(arguments, known, remarks);
    let (in_force, resume) = both(in_force, resume_from(arguments, &sites))?;
    if let (Some(table), Some(resume)) = (&in_force.table.output, &resume) {
        target::check(&table.path, "--op-state-probs", site_files::listed(resume, &sites))?;
    }
    let mut problems = Vec::new();
    let of_plan = phases::of_plan(arguments, &in_force, &mut problems);
    let num_runs = in_force.plan.as_ref().and_then(PlanInForce::runs).unwrap_or_else(|| arguments.extent.runs());
    if !of_plan.is_empty() {
        sites::check(&arguments.sites, num_runs, &mut problems);
    }
    if !problems.is_empty() {
        return Err(Failure::Unusable(problems));
    }
    let warnings = reach::refill_warnings(&in_force.profile, &in_force.table.distributions);
    let warnings = warnings.into_iter().flatten().chain(reach::dead_ends(&in_force));
    remarks.extend(warnings.map(|warning| failure::warning_text(&warning)));
    remarks.extend(sites::assumed(&arguments.sites).map(|assumed| failure::note_text(&assumed)));
    warn_of_no_effect(arguments, (num_runs, !of_plan.is_empty()), remarks);
    let closure = Closure::new(arguments, &in_force)?;
    let said = arguments.start.bootstrap || arguments.start.no_bootstrap;
    let bootstrap_left_out = in_force.profile.bootstrap.enabled && !in_force.bootstrap && !said;
    let max_ops = max_ops(arguments, closure.as_ref());
    let all =
        CampaignPhase { name: None, runs: num_runs, run_until, max_ops, wanted_ops: arguments.extent.ops, until: None };
    let phases = Phases::new(of_plan, all);
    let device_arguments = device_arguments(arguments, &phases, &in_force);
    let earlier = resume.as_deref().and_then(|resume| site_files::stamp(resume, &sites));
    let campaign = Campaign {
        seed_formula: arguments.sites.seed_formula,
        digests: Digests::new(&in_force),
        sites,
        batch,
        in_force,
        phases,
        closure,
        num_runs,
        bootstrap_left_out,
        base_seed: arguments.sites.seed,
        out_dir: arguments.output.out_dir.clone(),
        stamp: arguments.output.stamp.or(earlier).unwrap_or_else(now),
        outputs: outputs(arguments),
        pack: arguments.output.pack,
        proposer_log: proposer_log(arguments, outputs(arguments)),
        resume,
        asked_to_resume: arguments.start.resume.clone(),
        jobs: arguments.sites.jobs,
        clean: arguments.output.clean,
        quiet: console::is_quiet(),
        verify: arguments.output.verify,
        device_arguments,
        site_dir_pattern: arguments.site_dir_pattern().to_owned(),
        format: arguments.output.format,
    };
    Ok(campaign.going_on_with_its_name())
}

/// Adds to `problems` the mistakes that flags show by themselves; those of the flags of sites only with `with_sites`. Returns the
/// folders of sites and the simulated time of each run.
pub(crate) fn check_flags(
    arguments: &GenerateArgs,
    with_sites: bool,
    problems: &mut Vec<Problem>,
) -> (Option<SiteFolders>, Ticks) {
    refuse_unavailable(arguments, problems);
    let folders = folders(arguments, problems);
    let run_until = run_until(arguments, problems);
    if with_sites {
        sites::check(&arguments.sites, arguments.extent.runs(), problems);
    }
    (folders, run_until)
}

/// Refuses flags that this build, or the choice of outputs, makes impossible.
fn refuse_unavailable(arguments: &GenerateArgs, problems: &mut Vec<Problem>) {
    let output = &arguments.output;
    if !output.format.is_built() {
        problems.push(Problem::new(inputs::NOT_BUILT).help("use --format csv"));
    }
    if output.verify && !outputs(arguments).contains(FileKind::OperationSequence) {
        let message = "--verify judges operation_sequence, and none is written";
        problems.push(Problem::new(message).help("add operation_sequence to --outputs"));
    }
}

fn folders(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Option<SiteFolders> {
    let pattern = arguments.site_dir_pattern();
    match SiteFolders::parse(pattern) {
        Ok(folders) => Some(folders),
        Err(wrong) => {
            let message = format!("the value `{pattern}` of --site-dir-pattern cannot be used: {}", wrong.message());
            problems.push(Problem::new(message).help(wrong.help()));
            None
        }
    }
}

/// Whether a run is limited by operations or coverage and not by time.
fn has_no_time(arguments: &GenerateArgs) -> bool {
    let extent = &arguments.extent;
    extent.run_until.is_none() && (extent.ops.is_some() || extent.until_coverage.is_some())
}

/// The simulated time of each run. All runs of a site must fit its clock. A run without a time limit may take the whole clock,
/// however many runs there are, so that further runs do not change the earlier ones.
fn run_until(arguments: &GenerateArgs, problems: &mut Vec<Problem>) -> Ticks {
    let extent = &arguments.extent;
    if has_no_time(arguments) {
        return Ticks::from_us(MAX_SITE_US);
    }
    let longest = Ticks::from_us(MAX_SITE_US / extent.runs());
    let wanted = extent.run_until.unwrap_or(Ticks::from_us(DEFAULT_RUN_US));
    if wanted == Ticks::ZERO {
        let problem = Problem::new("a run of 0 µs (--run-until, -t) leaves no time in which an operation could start");
        problems.push(problem.help("say how long each run is simulated, in µs: `--run-until 100000` is 0.1 s"));
    }
    if wanted > longest {
        let message = format!(
            "{} of {wanted} each: more than the 100 days a site may be simulated",
            counted(extent.runs(), "run")
        );
        let help = format!("at most `--run-until {}` with this `--num-runs`", longest.to_us_text());
        problems.push(Problem::new(message).help(help));
    }
    wanted
}

/// The arguments that decide what every site does, with defaults and with files that no flag names.
fn device_arguments(arguments: &GenerateArgs, phases: &Phases, in_force: &InForce) -> Vec<String> {
    let mut all = Vec::new();
    let limits = Some(&phases.all()[0]).filter(|_| !phases.are_named());
    if let Some(path) = &arguments.device.config {
        push(&mut all, "--config", recorded(path));
    }
    if arguments.device.lenient {
        all.push("--lenient".to_owned());
    }
    if let Some(plan) = &in_force.plan {
        push(&mut all, "--plan", &plan.input.source);
    }
    if let Some(limits) = limits.filter(|_| !has_no_time(arguments)) {
        push(&mut all, "--run-until", limits.run_until.to_us_text());
    }
    if let Some(ops) = limits.and_then(|limits| limits.max_ops) {
        push(&mut all, "--ops", ops);
    }
    if arguments.extent.closure {
        all.push("--closure".to_owned());
    }
    if let Some(share) = arguments.extent.until_coverage {
        push(&mut all, "--until-coverage", share);
    }
    if let Some(limits) = limits {
        push(&mut all, "--num-runs", limits.runs);
    }
    if arguments.start.bootstrap {
        all.push("--bootstrap".to_owned());
    } else if arguments.start.no_bootstrap {
        all.push("--no-bootstrap".to_owned());
    }
    if let Some(window) = arguments.device.admission_window {
        push(&mut all, "--admission-window", window.to_us_text());
    }
    if let Some(badlist) = &in_force.badlist_input {
        push(&mut all, "--badlist", &badlist.source);
    }
    all.extend(in_force.table.arguments());
    let outputs = outputs(arguments);
    if outputs.with(FileKind::ProposerLog) != Outputs::ALL {
        let names: Vec<&str> = outputs.iter().map(FileKind::name).collect();
        push(&mut all, "--outputs", names.join(","));
    }
    all.extend(Origin::arguments_of(arguments.output.expectations()));
    push_choice(&mut all, "--format", &arguments.output.format);
    if let Some(runs) = arguments.output.pack {
        push(&mut all, "--pack", runs);
    }
    push_choice(&mut all, "--proposer-log", &arguments.output.proposer_log);
    all
}

/// Adds a flag whose value is another than without it.
fn push_choice<V: ValueEnum + Default + PartialEq>(arguments: &mut Vec<String>, flag: &str, value: &V) {
    if let Some(name) = value.to_possible_value().filter(|_| *value != V::default()) {
        push(arguments, flag, name.get_name());
    }
}

/// Operations after which a run stops; `None` for no limit.
fn max_ops(arguments: &GenerateArgs, closure: Option<&Closure>) -> Option<u64> {
    match (arguments.extent.ops, arguments.extent.run_until) {
        (Some(ops), _) => Some(ops),
        (None, Some(_)) => None,
        (None, None) => closure.and_then(Closure::most_ops),
    }
}

/// Warns of flags without effect: runs are always completed, and a single run has no bootstrap.
fn warn_of_no_effect(arguments: &GenerateArgs, (num_runs, is_in_phases): (u64, bool), remarks: &mut String) {
    if arguments.extent.no_drain_op_end {
        remarks.push_str(&failure::warning_text(
            "without draining a run boundary is unsafe: --no-drain-op-end has no effect, runs are completed",
        ));
    }
    if arguments.sites.site_dir_pattern.is_some() && Batch::new(&arguments.sites).is_none() {
        remarks.push_str(&failure::warning_text(
            "--site-dir-pattern has no effect without --site-count: --out-dir names the folder of a single device",
        ));
    }
    let chosen = arguments.output.outputs.map(|outputs| outputs.contains(FileKind::ProposerLog));
    match (arguments.output.proposer_log, chosen) {
        (ProposerLog::Off, Some(true)) => remarks.push_str(&failure::warning_text(
            "--proposer-log off leaves out the proposer_log that --outputs lists: no log is written",
        )),
        (ProposerLog::Full, Some(false)) => remarks.push_str(&failure::warning_text(
            "--proposer-log full has no effect: --outputs does not list proposer_log, so no log is written",
        )),
        (ProposerLog::Off | ProposerLog::Summary | ProposerLog::Full, _) => {}
    }
    if arguments.start.bootstrap && num_runs <= 1 {
        let more = if is_in_phases { "raise `runs` of a phase in the plan" } else { "ask for more with --num-runs" };
        remarks.push_str(&failure::warning_text(&format!(
            "--bootstrap has no effect on a single run: it prepares the device for the runs that follow; {more}"
        )));
    }
}

/// How much the proposer log says; nothing if it is no output.
fn proposer_log(arguments: &GenerateArgs, outputs: Outputs) -> ProposerLog {
    if outputs.contains(FileKind::ProposerLog) { arguments.output.proposer_log } else { ProposerLog::Off }
}

/// The outputs: those that are chosen, otherwise all. A log that is switched off is no output.
pub(crate) fn outputs(arguments: &GenerateArgs) -> Outputs {
    let chosen = arguments.output.outputs.unwrap_or(Outputs::ALL);
    if arguments.output.proposer_log == ProposerLog::Off { chosen.without(FileKind::ProposerLog) } else { chosen }
}

/// Where to go on from. Nothing to go on from in the output folder itself is no mistake: a campaign may be killed early.
fn resume_from(arguments: &GenerateArgs, sites: &[CampaignSite]) -> Result<Option<PathBuf>, Failure> {
    let Some(resume) = &arguments.start.resume else { return Ok(None) };
    if archive::is_file(resume) && sites.len() > 1 {
        let message = format!("the snapshot `{}` is of one site, and there are {}", shown(resume), sites.len());
        return Err(Problem::new(message).help("choose the site with --sites, or name the folder of the batch").into());
    }
    let is_here = *resume == arguments.output.out_dir;
    if site_files::is_there(resume, sites, is_here)? {
        return Ok(Some(resume.clone()));
    }
    if !is_here {
        let message =
            format!("there is nothing to go on from in `{}`: {}", shown(resume), site_files::nothing_in(resume));
        return Err(Problem::new(message).help("name a snapshot, or the output folder of the same command").into());
    }
    Ok(None)
}

/// The date and time, UTC.
fn now() -> Stamp {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let date = Stamp::from_days_since_1970(u32::try_from(seconds / 86_400).unwrap_or(0));
    date.at_second((seconds % 86_400) as u32)
}
