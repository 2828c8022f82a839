//! `nandseqgen coverage`: how much was covered, and whether that is enough.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use nandseq_profile::Profile;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_reach::{COINCIDENCE, Verdict};
use nandseq_report::coverage::{
    self, Conditions, Coverage, CoverageComparison, CoverageParts, Figures, FileError, Standing, Universe,
};
use nandseq_report::page::Distribution;
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
use crate::universe::{of_reach, universe};
use crate::written::{self, Written};
use crate::{conditions, console, inputs, ledger, origins, tell, terminal};

/// Runs that are counted at the same time before they are added up: as many are in memory.
const AT_ONCE: usize = 16;

/// Does what is asked.
pub(crate) fn run(command: &CoverageCommand) -> Result<(), Failure> {
    match command {
        CoverageCommand::Universe(arguments) => print_universe(arguments),
        CoverageCommand::Report(arguments) => report(arguments),
        CoverageCommand::Merge(arguments) => merge(arguments),
        CoverageCommand::Diff(arguments) => diff(arguments),
        CoverageCommand::Gate(arguments) => gate(arguments),
    }
}

/// Why a pair that can be reached lacks tenths.
const OTHER_TENTHS: &str = "in its other tenths the chain under way holds the bus, or no instant of the time grid lies";

/// The tenths of a set, a digit each.
fn digits(tenths: u16) -> String {
    (0..coverage::BINS).filter(|bin| tenths >> bin & 1 == 1).map(|bin| bin.to_string()).collect()
}

/// The universe as JSON.
#[derive(Serialize)]
struct ListedUniverse<'a> {
    /// The version of this form.
    schema: u32,
    profile: &'a str,
    universe: &'a str,
    cells: usize,
    /// Whether the bootstrap comes first.
    bootstrap: bool,
    pairs: Vec<ListedPair<'a>>,
}

/// A phase key and an op name: the cells they count for, or why for none.
#[derive(Serialize)]
struct ListedPair<'a> {
    phase_key: &'a str,
    op_name: &'a str,
    cells: u8,
    reason: &'a str,
    /// The tenths of the phase that count, a digit each.
    tenths: String,
}

/// Prints every pair of phase key and op name: how many cells it counts for, or why for none.
fn print_universe(arguments: &CoverageUniverseArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let in_force = InForce::of_flags(&arguments.in_force, &mut remarks);
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
            let tenths = universe.tenths(key, op);
            let (tenths, reason) = match universe.standing(key, op) {
                Standing::Counts if reach.verdict(key, op) == Verdict::Undecided => (tenths, Verdict::UNDECIDED),
                Standing::Counts if tenths.count_ones() == u32::from(universe.bins(key)) => (tenths, ""),
                Standing::Counts => (tenths, OTHER_TENTHS),
                Standing::Chance => (0, COINCIDENCE),
                Standing::Never(reason) => (0, reason.as_str()),
            };
            let (cells, tenths) = (tenths.count_ones() as u8, digits(tenths));
            pairs.push(ListedPair { phase_key: &info.name, op_name: name, cells, reason, tenths });
        }
    }
    if arguments.format == ReportFormat::Json {
        let (name, cells) = (&profile.name, universe.cells().count());
        let listed = ListedUniverse { schema: 1, profile: name, universe: universe.source(), cells, bootstrap, pairs };
        return json::print(&Of::command("coverage universe", &listed));
    }
    let mut text = String::from("phase_key\top_name\tcells\treason\ttenths\n");
    for ListedPair { phase_key, op_name, cells, reason, tenths } in &pairs {
        text += &format!("{phase_key}\t{op_name}\t{cells}\t{reason}\t{tenths}\n");
    }
    terminal::print(&text)
}

/// Counts every run.
pub(crate) fn count(found: &Written, universe: &Universe) -> Result<CoverageParts, Failure> {
    let mut parts = CoverageParts::default();
    each_run(found, |site, run, coverage| parts.add(universe, site, run, coverage))?;
    Ok(parts)
}

/// Counts every run, and hands on site, run and counts in their order.
fn each_run(found: &Written, mut take: impl FnMut(&str, &str, &Coverage)) -> Result<(), Failure> {
    let runs: Vec<_> = found.sites.iter().flat_map(|site| site.runs.iter().map(move |run| (site, run))).collect();
    for some in runs.chunks(AT_ONCE) {
        let counted: Vec<_> = some
            .par_iter()
            .map(|(site, run)| Coverage::of_run(&found.profile, &*found.source, &recorded(&site.folder), run))
            .collect();
        for ((site, run), coverage) in some.iter().zip(counted) {
            let coverage = coverage.map_err(|error| found.unreadable(error))?;
            take(&recorded(&site.folder), &format!(" run {}", run.run), &coverage);
        }
    }
    Ok(())
}

/// What is to be counted: folders, and files of counts.
struct Sources {
    found: Written,
    files: Vec<(String, Coverage)>,
    /// What the runs were made under, as the first source that knows it says.
    conditions: Conditions,
}

impl Sources {
    fn find(paths: &[PathBuf], device: &ReadDeviceArgs) -> Result<Self, Failure> {
        let (files, folders): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| path.is_file() && path.extension().is_some_and(|end| end == "json"));
        let found = Written::find(&folders, device)?;
        found.with_tables(&[TableKind::InputTimeCount], "coverage is counted")?;
        let mut conditions = conditions::of_runs(&found, device)?;
        let mut stored_files = Vec::new();
        for path in &files {
            let name = recorded(path);
            let (coverage, of_file) = stored(&found.profile, path, &name)?;
            conditions::agree(&mut conditions, of_file, &shown(path));
            stored_files.push((name, coverage));
        }
        Ok(Self { found, files: stored_files, conditions })
    }

    /// Counts everything, and hands on each part: a run with its site and name, or what a file stored; says on stderr which runs come
    /// up again.
    fn each(&self, mut take: impl FnMut(CountedPart<'_>)) -> Result<(), Failure> {
        let mut runs = BTreeSet::new();
        each_run(&self.found, |site, run, coverage| {
            runs.extend(coverage.runs.iter().map(identity));
            take(CountedPart::Run(site, run, coverage));
        })?;
        for (name, coverage) in &self.files {
            if let Some((site, run)) = coverage.runs.iter().find(|run| runs.contains(&identity(run))) {
                tell(&warning_text(&format!(
                    "`{name}`: run {run} of `{site}` is counted more than once, or two sites are called that"
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

    /// The table in force; `None` where nobody knows it.
    fn table(&self) -> Option<Cow<'_, [Distribution]>> {
        conditions::table(&self.conditions, &self.found.profile)
    }

    /// What can be covered of the device, under the conditions of the runs.
    fn universe(&self) -> Universe {
        universe(&self.found.profile, self.table().as_deref(), conditions::start(&self.conditions))
    }
}

/// Part of what is counted.
enum CountedPart<'a> {
    /// A run: its site, what it is called after it, and its counts.
    Run(&'a str, &'a str, &'a Coverage),
    /// What a file of counts holds.
    Stored(&'a Coverage),
}

impl CountedPart<'_> {
    fn coverage(&self) -> &Coverage {
        match self {
            Self::Run(.., coverage) | Self::Stored(coverage) => coverage,
        }
    }
}

/// A run, whatever way the path of its site is spelled; a folder that is not there is known by its spelling alone.
fn identity((site, run): &(String, u64)) -> (PathBuf, u64) {
    let site = path_of(site);
    let spelled = || site.components().filter(|part| *part != Component::CurDir).collect();
    (fs::canonicalize(&site).unwrap_or_else(|_| spelled()), *run)
}

/// A file of counts.
fn stored(profile: &Profile, path: &Path, name: &str) -> Result<(Coverage, Conditions), Failure> {
    let text = inputs::large(path).map_err(|reason| Problem::unreadable("the coverage", path, &reason))?;
    coverage::read(profile, &text, name).map_err(|error| {
        let problem = Problem::new(format!("`{}`: {error}", shown(path)));
        match &error {
            FileError::Profile { resolved_sha256, sites, .. } => problem.help(which_profile(resolved_sha256, sites)),
            FileError::Form(_) | FileError::Version(_) | FileError::Sums | FileError::Unknown { .. } => {
                problem.help("such a file is what `coverage merge` writes")
            }
        }
        .into()
    })
}

/// What to do about coverage of another profile, of which the manifests of the sites that were counted may say where it is.
fn which_profile(resolved_sha256: &str, sites: &BTreeSet<String>) -> String {
    let of_site = |site: &String| Some(ledger::read(&path_of(site)).ok()??.manifest.origin.profile);
    let is_built_in = || inputs::profile(None, false).is_ok_and(|read| read.input.resolved_sha256 == resolved_sha256);
    match sites.iter().filter_map(of_site).find(|profile| profile.resolved_sha256 == resolved_sha256) {
        Some(profile) => origins::which_profile(&profile),
        None if is_built_in() => origins::LEAVE_CONFIG_OUT.to_owned(),
        None => format!("name that profile with --config PATH: it resolves to SHA-256 {resolved_sha256}"),
    }
}

fn report(arguments: &CoverageReportArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device)?;
    let universe = sources.universe();
    let mut parts = CoverageParts::default();
    sources.each(|counted| match counted {
        CountedPart::Run(site, run, coverage) => parts.add(&universe, site, run, coverage),
        CountedPart::Stored(coverage) => parts.add_stored(&universe, coverage),
    })?;
    let report = parts.report(&sources.found.profile, &universe, sources.table().as_deref());
    match arguments.format {
        ReportFormat::Text => terminal::print(&report.to_text(arguments.holes)),
        ReportFormat::Json => json::print(&Of::command("coverage report", &report)),
    }
}

fn merge(arguments: &CoverageMergeArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device)?;
    let merged = sources.sum()?;
    let text = coverage::write(&sources.found.profile, &merged, &sources.conditions);
    if written::write(&arguments.output, "--output", |out| out.write_all(text.as_bytes()))?.is_none() {
        return Ok(());
    }
    if console::is_quiet() {
        return Ok(());
    }
    let (runs, cells) = (merged.runs.len() as u64, merged.cells.len() as u64);
    let (runs, cells) = (counted(runs, "run"), counted(cells, "cell"));
    terminal::print(&format!("wrote `{}`: {runs}, {cells}\n", quoted(arguments.output.as_os_str())))
}

fn diff(arguments: &CoverageDiffArgs) -> Result<(), Failure> {
    let first = Sources::find(std::slice::from_ref(&arguments.first), &arguments.device)?;
    let second = Sources::find(std::slice::from_ref(&arguments.second), &arguments.device)?;
    let comparison = CoverageComparison::new(&first.found.profile, &first.universe(), &first.sum()?, &second.sum()?);
    const SHOWN: usize = 40;
    match arguments.format {
        ReportFormat::Text => terminal::print(&comparison.to_text(SHOWN)),
        ReportFormat::Json => json::print(&Of::command("coverage diff", &comparison)),
    }
}

fn gate(arguments: &CoverageGateArgs) -> Result<(), Failure> {
    let sources = Sources::find(&arguments.counted.paths, &arguments.counted.device)?;
    let figures = Figures::new(&sources.sum()?, &sources.universe());
    let (closure, hit, times) = match arguments.hits {
        Threshold::Once => (figures.closure, figures.hit, "once"),
        Threshold::Ten => (figures.closure_ten, figures.hit_ten, "ten times"),
    };
    let enough = closure >= arguments.min;
    let verdict = if enough { "enough" } else { "too little" };
    let least = arguments.min;
    let were = if figures.cells == 1 { "was" } else { "were" };
    let cells = counted(figures.cells, "cell");
    if !(enough && console::is_quiet()) {
        terminal::print(&format!(
            "{} of {cells} {were} hit at least {times}: {closure:.3} %, {verdict} ({least} % wanted).\n",
            grouped(hit)
        ))?;
    }
    if enough { Ok(()) } else { Err(Failure::Found) }
}
