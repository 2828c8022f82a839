//! `nandseqgen coverage`: how much was covered, and whether that is enough.

use std::path::{Path, PathBuf};

use nandseq_generate::probability;
use nandseq_profile::Profile;
use nandseq_reach::Verdict;
use nandseq_report::coverage::{self, Comparison, Coverage, Figures, Parts, Standing, Universe};
use nandseq_report::page::Distribution;
use nandseq_trace::read::table::TableKind;
use rayon::prelude::*;

use crate::arguments::ReportFormat;
use crate::arguments::reports::{
    CountedArgs, CoverageCommand, CoverageDiffArgs, CoverageGateArgs, CoverageMergeArgs, CoverageReportArgs,
    ReadDeviceArgs, Threshold,
};
use crate::failure::{Failure, Problem};
use crate::written::{self, Written};
use crate::{inputs, profiles};

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

/// What can be covered under a table; without one under the profile's own, or one that is built: the same names have a weight then.
pub(crate) fn universe(profile: &Profile, table: Option<&[Distribution]>) -> Universe {
    let built;
    let table = if let Some(table) = table {
        table
    } else {
        built = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
        &built
    };
    let reach = nandseq_reach::Universe::new(profile, table);
    let universe =
        Universe::new(profile, "what can be proposed and accepted", |key, op| match reach.verdict(key, op) {
            Verdict::Reachable => Standing::Counts,
            Verdict::Coincidence => Standing::Chance,
            Verdict::Unreachable(reason) => Standing::Never(reason.text(profile, key, op)),
        });
    universe.with_tenths(profile, |key, op| reach.tenths(key, op))
}

/// Why a pair that can be reached lacks tenths.
const OTHER_TENTHS: &str = "in its other tenths the chain under way holds the bus, or no instant of the time grid lies";

/// The tenths of a set, a digit each.
fn digits(tenths: u16) -> String {
    (0..coverage::BINS).filter(|bin| tenths >> bin & 1 == 1).map(|bin| bin.to_string()).collect()
}

/// Prints every pair of phase key and op name: how many cells it counts for, or why for none.
fn print_universe(arguments: &ReadDeviceArgs) -> Result<(), Failure> {
    let profile = inputs::profile(arguments.config.as_deref(), arguments.lenient)?.profile;
    let universe = universe(&profile, None);
    let mut text = String::from("phase_key\top_name\tcells\treason\ttenths\n");
    for (key, info) in profile.phase_keys.iter_ids() {
        for (op, name) in profile.ops.iter_ids().map(|(op, info)| (op, &info.name)) {
            let (cells, reason) = match universe.standing(key, op) {
                Standing::Counts => {
                    let cells = universe.tenths(key, op).count_ones() as u8;
                    (cells, if cells < universe.bins(key) { OTHER_TENTHS } else { "" })
                }
                Standing::Chance => (0, "by coincidence only"),
                Standing::Never(reason) => (0, reason.as_str()),
            };
            let tenths: String = if cells > 0 { digits(universe.tenths(key, op)) } else { String::new() };
            text += &format!("{}\t{name}\t{cells}\t{reason}\t{tenths}\n", info.name);
        }
    }
    profiles::print(&text)
}

/// Counts every run.
pub(crate) fn count(found: &Written, universe: &Universe) -> Result<Parts, Failure> {
    let mut parts = Parts::default();
    let runs: Vec<_> = found.sites.iter().flat_map(|site| site.runs.iter().map(move |run| (site, run))).collect();
    for some in runs.chunks(AT_ONCE) {
        let counted: Vec<_> = some
            .par_iter()
            .map(|(site, run)| {
                Coverage::of_run(&found.profile, &*found.source, &site.folder.display().to_string(), run)
            })
            .collect();
        for ((site, run), coverage) in some.iter().zip(counted) {
            let name = site.folder.display().to_string();
            parts.add(universe, &name, &format!(" run {}", run.run), &coverage.map_err(written::unreadable)?);
        }
    }
    Ok(parts)
}

/// What was counted, wherever it comes from.
struct Counted {
    profile: Profile,
    table: Option<Vec<Distribution>>,
    universe: Universe,
    parts: Parts,
}

impl Counted {
    /// Reads folders and files of counts.
    fn read(paths: &[PathBuf], device: &ReadDeviceArgs) -> Result<Self, Failure> {
        let (files, folders): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.iter().cloned().partition(|path| path.is_file() && path.extension().is_some_and(|end| end == "json"));
        let found = Written::find(&folders, device)?;
        for run in found.sites.iter().flat_map(|site| &site.runs) {
            if !run.tables.iter().any(|table| table.kind == TableKind::InputTimeCount) {
                let name = TableKind::InputTimeCount.name();
                let problem = Problem::new(format!("no {name} lies beside `{}`", run.path.display()));
                return Err(problem.help("coverage is counted from that table: generate it too").into());
            }
        }
        let universe = universe(&found.profile, found.table.as_deref());
        let mut parts = count(&found, &universe)?;
        for path in &files {
            let coverage = stored(&found.profile, path)?;
            parts.add(&universe, &path.display().to_string(), "", &coverage);
        }
        Ok(Self { profile: found.profile, table: found.table, universe, parts })
    }

    fn of(arguments: &CountedArgs) -> Result<Self, Failure> {
        Self::read(&arguments.paths, &arguments.device)
    }
}

/// A file of counts.
fn stored(profile: &Profile, path: &Path) -> Result<Coverage, Failure> {
    let text = inputs::large(path).map_err(|reason| Problem::unreadable("the coverage", path, &reason))?;
    coverage::read(profile, &text).map_err(|error| {
        let problem = Problem::new(format!("`{}`: {error}", path.display()));
        problem.help("such a file is written by `nandseqgen coverage merge`, for one profile (--config)").into()
    })
}

fn report(arguments: &CoverageReportArgs) -> Result<(), Failure> {
    let Counted { profile, table, universe, parts } = Counted::of(&arguments.counted)?;
    let report = parts.report(&profile, &universe, table.as_deref());
    profiles::print(&match arguments.format {
        ReportFormat::Text => report.to_text(arguments.holes),
        ReportFormat::Json => report.to_json(),
    })
}

fn merge(arguments: &CoverageMergeArgs) -> Result<(), Failure> {
    let counted = Counted::of(&arguments.counted)?;
    let merged = counted.parts.merged();
    let text = coverage::write(&counted.profile, merged);
    written::write(&arguments.output, |out| out.write_all(text.as_bytes()))?;
    let (runs, cells) = (merged.runs.len(), merged.cells.len());
    profiles::print(&format!("wrote `{}`: {runs} runs, {cells} cells\n", arguments.output.display()))
}

fn diff(arguments: &CoverageDiffArgs) -> Result<(), Failure> {
    let first = Counted::read(std::slice::from_ref(&arguments.first), &arguments.device)?;
    let second = Counted::read(std::slice::from_ref(&arguments.second), &arguments.device)?;
    let comparison = Comparison::new(&first.profile, &first.universe, first.parts.merged(), second.parts.merged());
    const SHOWN: usize = 40;
    profiles::print(&match arguments.format {
        ReportFormat::Text => comparison.to_text(SHOWN),
        ReportFormat::Json => comparison.to_json(),
    })
}

fn gate(arguments: &CoverageGateArgs) -> Result<(), Failure> {
    let counted = Counted::of(&arguments.counted)?;
    let figures = Figures::new(counted.parts.merged(), &counted.universe);
    let (closure, hit, times) = match arguments.hits {
        Threshold::Once => (figures.closure, figures.hit, "once"),
        Threshold::Ten => (figures.closure_ten, figures.hit_ten, "ten times"),
    };
    let enough = closure >= arguments.min;
    let verdict = if enough { "enough" } else { "too little" };
    let least = arguments.min;
    let cells = figures.cells;
    profiles::print(&format!(
        "{hit} of {cells} cells were hit at least {times}: {closure:.3} %, {verdict} ({least} % wanted).\n"
    ))?;
    if enough { Ok(()) } else { Err(Failure::Found) }
}
