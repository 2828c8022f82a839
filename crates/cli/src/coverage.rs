//! `nandseqgen coverage`: what can be covered, what written runs covered, and whether that is enough.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use nandseq_profile::Profile;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_reach::{COINCIDENCE, Verdict};
use nandseq_report::coverage::{
    self, Conditions, Coverage, CoverageComparison, CoverageParts, CoverageUniverse, Figures, FileError, Standing,
};
use nandseq_report::page::KeyDistribution;
use nandseq_report::plan::{AddressReport, PlanReport};
use nandseq_trace::manifest::Origin;
use nandseq_trace::recorded::{path_of, quoted, recorded, shown};
use nandseq_trace::table::TableKind;
use rayon::prelude::*;
use serde::Serialize;

use crate::arguments::ReportFormat;
use crate::arguments::reports::{
    CoverageCommand, CoverageDiffArgs, CoverageGateArgs, CoverageMergeArgs, CoverageReportArgs, CoverageUniverseArgs,
    ReadDeviceArgs, Threshold,
};
use crate::failure::{Failure, Problem, note_text, warning_text};
use crate::in_force::InForce;
use crate::json::{self, Of};
use crate::plan_counts::ComparedPlan;
use crate::universe::{of_reach, universe};
use crate::written::{self, WrittenRuns};
use crate::{conditions, console, inputs, ledger, origins, plan_counts, target, tell, terminal};

/// Number of runs that are counted at the same time. The counts of as many runs are in memory.
const AT_ONCE: usize = 16;

/// Runs a subcommand of `coverage`.
pub(crate) fn run(command: &CoverageCommand) -> Result<(), Failure> {
    match command {
        CoverageCommand::Universe(arguments) => print_universe(arguments),
        CoverageCommand::Report(arguments) => report(arguments),
        CoverageCommand::Merge(arguments) => merge(arguments),
        CoverageCommand::Diff(arguments) => diff(arguments),
        CoverageCommand::Gate(arguments) => gate(arguments),
    }
}

/// Why a pair that can be reached lacks time bins, in the word of the column.
const OTHER_TIME_BINS: &str =
    "in its other tenths the chain under way holds the bus, or no instant of the time grid lies";

/// The time bins of a set, a digit each.
fn digits(time_bins: u16) -> String {
    (0..coverage::TIME_BINS)
        .filter(|time_bin| time_bins >> time_bin & 1 == 1)
        .map(|time_bin| time_bin.to_string())
        .collect()
}

/// The bins that can be covered, as JSON.
#[derive(Serialize)]
struct ListedUniverse<'a> {
    /// The version of this form.
    schema: u32,
    profile: &'a str,
    universe: &'a str,
    #[serde(rename = "cells")]
    bins: usize,
    /// Whether the bootstrap comes first.
    bootstrap: bool,
    pairs: Vec<ListedPair<'a>>,
}

/// A phase key and an op name: the number of their bins, or why they have none.
#[derive(Serialize)]
struct ListedPair<'a> {
    phase_key: &'a str,
    op_name: &'a str,
    #[serde(rename = "cells")]
    bins: u8,
    reason: &'a str,
    /// The time bins of the phase that count, a digit each.
    #[serde(rename = "tenths")]
    time_bins: String,
}

/// Prints every pair of phase key and op name with the number of its bins, or why it has none.
fn print_universe(arguments: &CoverageUniverseArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let in_force = InForce::of_flags(&arguments.in_force, None, &mut remarks);
    tell(&remarks);
    let in_force = in_force?;
    let about = in_force.described();
    tell(&note_text(about.trim_end()));
    let table = &in_force.table.distributions;
    let reach = nandseq_reach::Universe::with_start(&in_force.profile, table, in_force.start());
    let universe = of_reach(&in_force.profile, &reach);
    let InForce { profile, bootstrap, .. } = in_force;
    let mut pairs = Vec::new();
    for (key, info) in profile.phase_keys.iter_ids() {
        for (op, name) in profile.ops.iter_ids().map(|(op, info)| (op, &info.name)) {
            let time_bins = universe.time_bins(key, op);
            let (time_bins, reason) = match universe.standing(key, op) {
                Standing::Counts if reach.verdict(key, op) == Verdict::Undecided => (time_bins, Verdict::UNDECIDED),
                Standing::Counts if time_bins.count_ones() == u32::from(universe.time_bin_count(key)) => {
                    (time_bins, "")
                }
                Standing::Counts => (time_bins, OTHER_TIME_BINS),
                Standing::Chance => (0, COINCIDENCE),
                Standing::Never(reason) => (0, reason.as_str()),
            };
            let (bins, time_bins) = (time_bins.count_ones() as u8, digits(time_bins));
            pairs.push(ListedPair { phase_key: &info.name, op_name: name, bins, reason, time_bins });
        }
    }
    if arguments.format == ReportFormat::Json {
        let (name, bins) = (&profile.name, universe.bins().count());
        let listed = ListedUniverse { schema: 1, profile: name, universe: universe.source(), bins, bootstrap, pairs };
        return json::print(&Of::command("coverage universe", &listed));
    }
    let mut text = String::from("phase_key\top_name\tcells\treason\ttenths\n");
    for ListedPair { phase_key, op_name, bins, reason, time_bins } in &pairs {
        text += &format!("{phase_key}\t{op_name}\t{bins}\t{reason}\t{time_bins}\n");
    }
    terminal::print(&text)
}

/// Counts the hits of every run.
pub(crate) fn count(found: &WrittenRuns, universe: &CoverageUniverse) -> Result<CoverageParts, Failure> {
    let mut parts = CoverageParts::default();
    each_run(found, |site, run, coverage| parts.add(universe, site, run, coverage))?;
    Ok(parts)
}

/// Counts the hits of every run. `take` gets the site, the run and the counts, in the order of the runs.
fn each_run(found: &WrittenRuns, mut take: impl FnMut(&str, &str, &Coverage)) -> Result<(), Failure> {
    let runs: Vec<_> = found.sites.iter().flat_map(|site| site.runs.iter().map(move |run| (site, run))).collect();
    let mut phases: BTreeMap<(&Path, u64), String> = BTreeMap::new();
    for site in &found.sites {
        phases.extend(origins::phases_of_runs(site).into_iter().map(|(run, phase)| ((&*site.folder, run), phase)));
    }
    for some in runs.chunks(AT_ONCE) {
        let counted: Vec<_> = some
            .par_iter()
            .map(|(site, run)| Coverage::of_run(&found.profile, &*found.source, &recorded(&site.folder), run))
            .collect();
        for ((site, run), coverage) in some.iter().zip(counted) {
            let coverage = coverage.map_err(|error| found.unreadable(error))?;
            let coverage = coverage.in_phase(phases.get(&(&*site.folder, run.run)));
            take(&recorded(&site.folder), &format!(" run {}", run.run), &coverage);
        }
    }
    Ok(())
}

/// The sources of counts: written runs, and files of `coverage merge`.
struct Sources {
    found: WrittenRuns,
    /// The paths of the files of counts.
    paths: Vec<PathBuf>,
    files: Vec<(String, Coverage)>,
    /// The conditions of the runs, each from the first source that states it.
    conditions: Conditions,
}

impl Sources {
    fn find(paths: &[PathBuf], device: &ReadDeviceArgs, output: Option<&Path>) -> Result<Self, Failure> {
        let (files, folders): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| path.is_file() && path.extension().is_some_and(|end| end == "json"));
        if let Some(output) = output {
            target::check(output, "--output", &files)?;
        }
        let recorded_device = if folders.is_empty() { device_of_counts(&files, device) } else { None };
        let found = WrittenRuns::find(&folders, recorded_device.as_ref().unwrap_or(device), output)?;
        let mut conditions = conditions::of_runs(&found)?;
        let mut stored_files = Vec::new();
        for path in &files {
            let name = recorded(path);
            let (coverage, of_file) = stored(&found.stated, path, &name)?;
            conditions::agree(&mut conditions, of_file, &shown(path));
            stored_files.push((name, coverage));
        }
        Ok(Self { found, paths: files, files: stored_files, conditions })
    }

    /// Checks that the runs have the table of hits, which a plan does not need.
    fn check_hits(&self) -> Result<(), Failure> {
        self.found.with_tables(&[TableKind::InputTimeCount], "coverage is counted")
    }

    /// Counts everything. `take` gets each part: a run, or the counts of a file. Warns on stderr of runs that a file counts
    /// again.
    fn each(&self, mut take: impl FnMut(CountedPart<'_>)) -> Result<(), Failure> {
        let mut runs = BTreeSet::new();
        each_run(&self.found, |site, run, coverage| {
            runs.extend(coverage.runs.iter().map(identity));
            take(CountedPart::Run(site, run, coverage));
        })?;
        for (name, coverage) in &self.files {
            if let Some((site, run)) = coverage.runs.iter().find(|run| runs.contains(&identity(run))) {
                tell(&warning_text(&format!(
                    "`{name}`: run {run} of `{site}` is counted more than once, or two sites have this name"
                )));
            }
            take(CountedPart::Stored(coverage));
            runs.extend(coverage.runs.iter().map(identity));
        }
        Ok(())
    }

    fn sum(&self) -> Result<Coverage, Failure> {
        let mut sum = Coverage::default();
        self.each(|counted| sum.add(counted.coverage()))?;
        Ok(sum)
    }

    /// What the runs did of the plan that a flag or a manifest names.
    fn plan(&self, flag: Option<&Path>) -> Result<Option<PlanReport>, Failure> {
        plan_counts::with_rows(flag, &self.found, &self.paths)?;
        let plan = ComparedPlan::find(flag, &self.found)?;
        plan.map(|plan| Ok(plan.count(&self.found, None)?.report)).transpose()
    }

    /// The probability table in force; `None` if it is not known.
    fn table(&self) -> Option<Cow<'_, [KeyDistribution]>> {
        conditions::table(&self.conditions, &self.found.profile)
    }

    /// The bins that can be covered under the conditions of the runs.
    fn universe(&self) -> CoverageUniverse {
        universe(&self.found.profile, self.table().as_deref(), conditions::start(&self.conditions))
    }
}

/// A part of what is counted.
enum CountedPart<'a> {
    /// A run: its site, the words for the run that follow the site, and its counts.
    Run(&'a str, &'a str, &'a Coverage),
    /// The counts of a file.
    Stored(&'a Coverage),
}

impl CountedPart<'_> {
    fn coverage(&self) -> &Coverage {
        match self {
            Self::Run(.., coverage) | Self::Stored(coverage) => coverage,
        }
    }
}

/// Identifies a run however the path of its site is spelled. A folder that does not exist is identified by its spelling.
fn identity((site, run): &(String, u64)) -> (PathBuf, u64) {
    let site = path_of(site);
    let spelled = || site.components().filter(|part| *part != Component::CurDir).collect();
    (fs::canonicalize(&site).unwrap_or_else(|_| spelled()), *run)
}

/// The profile that the first of some files was counted for, if a manifest of a counted site says where it is and no flag names
/// another.
fn device_of_counts(files: &[PathBuf], device: &ReadDeviceArgs) -> Option<ReadDeviceArgs> {
    let is_named = device.config.is_some() && !device.is_config_of_environment;
    let text = files.first().filter(|_| !is_named).and_then(|path| inputs::large(path).ok())?;
    let (resolved_sha256, sites) = coverage::counted_for(&text)?;
    let mut origins = sites.iter().filter_map(|site| Some(ledger::read(&path_of(site)).ok()??.manifest.origin));
    let origin = origins.find(|origin| may_be_of(origin, &resolved_sha256))?;
    if origin.profile.source == inputs::BUILT_IN {
        return Some(ReadDeviceArgs { config: None, lenient: device.lenient, is_config_of_environment: false });
    }
    let (_, path, lenient) = written::recorded_profile(&origin, device.lenient)?;
    tell(&note_text(&format!("the profile is `{}`, as the manifest of a counted site says", shown(&path))));
    Some(ReadDeviceArgs { config: Some(path), lenient, is_config_of_environment: false })
}

/// Whether counts of the profile with this hash may be of runs of an origin. Coverage does not depend on data that is expected, so the hash
/// of an origin that expects data is another one.
fn may_be_of(origin: &Origin, resolved_sha256: &str) -> bool {
    origin.expectations().data || origin.profile.resolved_sha256 == resolved_sha256
}

/// Reads a file of counts: the counts, and the conditions of their runs.
fn stored(profile: &Profile, path: &Path, name: &str) -> Result<(Coverage, Conditions), Failure> {
    let text = inputs::large(path).map_err(|reason| Problem::unreadable("the coverage", path, &reason))?;
    coverage::read(profile, &text, name).map_err(|error| {
        let problem = Problem::new(format!("`{}`: {error}", shown(path)));
        match &error {
            FileError::Profile { resolved_sha256, sites, .. } => problem.help(which_profile(resolved_sha256, sites)),
            FileError::Form(_) | FileError::Version(_) | FileError::Sums | FileError::Unknown { .. } => {
                problem.help("name a file that `coverage merge` wrote")
            }
        }
        .into()
    })
}

/// The help for counts of another profile. The manifests of the counted sites may say where that profile is.
fn which_profile(resolved_sha256: &str, sites: &BTreeSet<String>) -> String {
    let of_site = |site: &String| Some(ledger::read(&path_of(site)).ok()??.manifest.origin);
    let is_built_in = || inputs::profile(None, false).is_ok_and(|read| read.input.resolved_sha256 == resolved_sha256);
    match sites.iter().filter_map(of_site).find(|origin| may_be_of(origin, resolved_sha256)) {
        Some(origin) => origins::which_profile(&origin.profile),
        None if is_built_in() => origins::LEAVE_CONFIG_OUT.to_owned(),
        None => format!("name that profile with --config PATH: it resolves to SHA-256 {resolved_sha256}"),
    }
}

fn report(arguments: &CoverageReportArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device, None)?;
    if let Err(missing) = sources.check_hits() {
        let plan = sources.plan(arguments.plan.as_deref())?;
        return report_plan_alone(&sources, &plan.ok_or(missing)?, arguments.format);
    }
    let universe = sources.universe();
    let mut parts = CoverageParts::default();
    sources.each(|counted| match counted {
        CountedPart::Run(site, run, coverage) => parts.add(&universe, site, run, coverage),
        CountedPart::Stored(coverage) => parts.add_stored(&universe, coverage),
    })?;
    let mut report = parts.report(&sources.found.profile, &universe, sources.table().as_deref());
    report.plan = sources.plan(arguments.plan.as_deref())?;
    match arguments.format {
        ReportFormat::Text => terminal::print(&report.to_text(arguments.holes)),
        ReportFormat::Json => json::print(&Of::command("coverage report", &report)),
    }
}

/// What runs did of a plan, without coverage.
#[derive(Serialize)]
struct PlanAlone<'a> {
    /// The version of this form.
    schema: u32,
    profile: &'a str,
    plan: &'a PlanReport,
}

/// Reports on a plan alone, for sequences without the tables that coverage is counted from.
fn report_plan_alone(sources: &Sources, plan: &PlanReport, format: ReportFormat) -> Result<(), Failure> {
    let name = TableKind::InputTimeCount.name();
    tell(&note_text(&format!("some runs have no {name}, from which coverage is counted: only the plan is")));
    match format {
        ReportFormat::Text => terminal::print(&plan.to_text()),
        ReportFormat::Json => {
            let alone = PlanAlone { schema: 1, profile: &sources.found.profile.name, plan };
            json::print(&Of::command("coverage report", &alone))
        }
    }
}

fn merge(arguments: &CoverageMergeArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device, Some(&arguments.output))?;
    sources.check_hits()?;
    let merged = sources.sum()?;
    let text = coverage::write(&sources.found.stated, &merged, &sources.conditions);
    if written::write(&arguments.output, "--output", |out| out.write_all(text.as_bytes()))?.is_none() {
        return Ok(());
    }
    if console::is_quiet() {
        return Ok(());
    }
    let (runs, bins) = (merged.runs.len() as u64, merged.bins.len() as u64);
    let (runs, bins) = (counted(runs, "run"), counted(bins, "bin"));
    terminal::print(&format!("wrote `{}`: {runs}, {bins}\n", quoted(arguments.output.as_os_str())))
}

fn diff(arguments: &CoverageDiffArgs) -> Result<(), Failure> {
    let first = Sources::find(std::slice::from_ref(&arguments.first), &arguments.device, None)?;
    let second = Sources::find(std::slice::from_ref(&arguments.second), &arguments.device, None)?;
    [&first, &second].into_iter().try_for_each(Sources::check_hits)?;
    let comparison = CoverageComparison::new(&first.found.profile, &first.universe(), &first.sum()?, &second.sum()?);
    const SHOWN: usize = 40;
    match arguments.format {
        ReportFormat::Text => terminal::print(&comparison.to_text(SHOWN)),
        ReportFormat::Json => json::print(&Of::command("coverage diff", &comparison)),
    }
}

fn gate(arguments: &CoverageGateArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device, None)?;
    let mut verdicts = Vec::new();
    if let Some(least) = arguments.min {
        sources.check_hits()?;
        let figures = Figures::new(&sources.sum()?, &sources.universe());
        verdicts.push(closure_verdict(&figures, arguments.hits, least));
    }
    if let Some(plan) = &arguments.plan
        && let Some(report) = sources.plan(Some(plan))?
    {
        verdicts.push(plan_verdict(&report));
    }
    let enough = verdicts.iter().all(|(enough, _)| *enough);
    if !(enough && console::is_quiet()) {
        verdicts.iter().try_for_each(|(_, text)| terminal::print(text))?;
    }
    if enough { Ok(()) } else { Err(Failure::Found) }
}

/// Whether enough bins were hit, and a sentence about it.
fn closure_verdict(figures: &Figures, hits: Threshold, least: f64) -> (bool, String) {
    let (closure, hit, times) = match hits {
        Threshold::Once => (figures.closure, figures.hit, "once"),
        Threshold::Ten => (figures.closure_ten, figures.hit_ten, "ten times"),
    };
    let enough = closure >= least;
    let verdict = if enough { "enough" } else { "too little" };
    let were = if figures.bins == 1 { "was" } else { "were" };
    let bins = counted(figures.bins, "bin");
    let hit = grouped(hit);
    (enough, format!("{hit} of {bins} {were} hit at least {times}: {closure:.3} %, {verdict} ({least} % wanted).\n"))
}

/// Whether the scenarios of a plan have all their hits and its limits were kept, and a sentence about it.
fn plan_verdict(report: &PlanReport) -> (bool, String) {
    let scenarios = counted(report.scenarios.len() as u64, "scenario");
    let lacking = report.scenarios.iter().filter(|scenario| scenario.missing > 0);
    let lacking: Vec<String> =
        lacking.map(|scenario| format!("{} lacks {}", scenario.name, grouped(scenario.missing))).collect();
    let hits = if lacking.is_empty() {
        "all hits were found".to_owned()
    } else {
        format!("{} are missing: {}", counted(report.missing(), "hit"), lacking.join(", "))
    };
    let exceeded = |entry: &AddressReport| -> Vec<String> {
        let beyond = entry.limits.iter().filter(|limit| limit.beyond > 0);
        beyond.map(|limit| format!("{} of {} by {}", limit.name, entry.name, grouped(limit.beyond))).collect()
    };
    let exceeded: Vec<String> = report.addresses.iter().flat_map(exceeded).collect();
    let limits =
        if exceeded.is_empty() { String::new() } else { format!("; limits were exceeded: {}", exceeded.join(", ")) };
    (lacking.is_empty() && exceeded.is_empty(), format!("{scenarios} of `{}`: {hits}{limits}.\n", report.plan))
}
