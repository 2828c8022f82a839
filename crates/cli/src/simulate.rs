//! `nandseqgen simulate`: plays written runs against a planted fault and writes what a tester would report.

use std::path::Path;

use nandseq_input::folder::SiteFiles;
use nandseq_profile::diagnostic::counted;
use nandseq_profile::places::Places;
use nandseq_report::load::{self, LoadError};
use nandseq_simulate::{FailsForm, FailsWriter, FaultOccurrences, FaultySite, PlantedFault};
use nandseq_tester::site_numbers;
use nandseq_trace::recorded::{quoted, shown};
use rayon::prelude::*;

use crate::arguments::SimulateArgs;
use crate::failure::{Failure, Problem, note_text, warning_text};
use crate::site_list::SiteList;
use crate::written::{self, WrittenRuns};
use crate::{console, inputs, target, tell, terminal, tester_fails};

/// The runs of a site, each with the operations at which it fails.
type PlayedRuns = Vec<(u32, Vec<u64>)>;
/// Those of a site, and what of the fault occurred in them.
type PlayedSite = (PlayedRuns, FaultOccurrences);

/// Runs `nandseqgen simulate`.
pub(crate) fn run(arguments: &SimulateArgs) -> Result<(), Failure> {
    let Some(fault) = arguments.fault.as_deref().filter(|_| !arguments.schema) else {
        return terminal::print(&nandseq_simulate::schema_json());
    };
    let (form, path) = (arguments.form(), arguments.written_file());
    target::check(path, "--output", [fault])?;
    // A file of this name may have the fails of a real tester.
    if arguments.output.is_none() && path.symlink_metadata().is_ok() {
        let problem = Problem::new(format!("`{}` is there, and would be replaced", shown(path)));
        return Err(problem
            .help(format!("name it with --output {} if that is meant", quoted(path.as_os_str())))
            .into());
    }
    let found = WrittenRuns::find(&arguments.paths, &arguments.device, Some(path))?;
    let fault = read_fault(fault, &found)?;
    let numbers = site_numbers(&found.sites).map_err(tester_fails::unusable)?;
    if let Some(site) = numbers.iter().find(|site| **site > form.most_site()) {
        let problem = Problem::new(format!("STDF has sites up to {}, and there is a site {site}", form.most_site()));
        return Err(problem.help("write the fails as CSV: --format csv").into());
    }
    if let Some(site) =
        numbers.iter().enumerate().find(|(at, site)| numbers[..*at].contains(site)).map(|(_, site)| site)
    {
        let problem = Problem::new(format!("there are two sites {site}, which a tester could not tell apart"));
        return Err(problem.help("name the folder of one campaign").into());
    }
    let played: Vec<_> = found
        .sites
        .par_iter()
        .zip(&numbers)
        .map(|(files, &site)| play(&found, files, FaultySite::new(&found.profile, &fault, arguments.seed, site)))
        .collect();
    let played: Vec<PlayedSite> =
        played.into_iter().collect::<Result<_, _>>().map_err(|error| found.unreadable(error))?;
    let (played, occurrences): (Vec<PlayedRuns>, Vec<FaultOccurrences>) = played.into_iter().unzip();
    let mut sites: Vec<(u32, PlayedRuns)> = numbers.into_iter().zip(played).collect();
    sites.sort_by_key(|(site, _)| *site);
    remark(&fault, &found, &occurrences, &sites);
    let written = written::write(path, "--output", |out| {
        let mut fails = FailsWriter::begin(form, out, &found.profile.name, &fault.name)?;
        for (site, runs) in &sites {
            fails.begin_site(*site)?;
            runs.iter().try_for_each(|(run, failed)| fails.run(*run, failed))?;
            fails.end_site()?;
        }
        fails.finish().map(drop)
    })?;
    match written {
        Some(_) if !console::is_quiet() => terminal::print(&told(path, form, &sites)),
        Some(_) | None => Ok(()),
    }
}

/// Reads the description of a fault of the device that runs were made for.
fn read_fault(path: &Path, found: &WrittenRuns) -> Result<PlantedFault, Failure> {
    let (source, _) = inputs::text("the fault", path)?;
    let classes = Places::new(&found.profile_text, &found.stated).classes();
    match nandseq_simulate::read(&source, &found.stated, &classes) {
        (Some(fault), _) => Ok(fault),
        (None, diagnostics) => Err(Failure::Faulty(Box::new((source, diagnostics)))),
    }
}

/// Says which sites of the fault the runs lack, and why nothing of the fault was seen, if that is so.
fn remark(fault: &PlantedFault, found: &WrittenRuns, occurrences: &[FaultOccurrences], sites: &[(u32, PlayedRuns)]) {
    let there: Vec<u64> = sites.iter().map(|(site, _)| u64::from(*site)).collect();
    let mut has_fault = true;
    if let Some(of_fault) = &fault.sites {
        has_fault = sites.iter().any(|(site, _)| of_fault.contains(*site));
        let is_there = |site: &u32| there.contains(&u64::from(*site));
        // More than there are sites need not be looked at.
        let all = of_fault.0.iter().flat_map(|range| range.clone().take(sites.len() + 1));
        if let Some(site) = all.into_iter().find(|site| !is_there(site)) {
            let there = SiteList::in_words(&there);
            tell(&warning_text(&format!("`sites` has site {site}, which the runs lack: they are of {there}")));
        }
    }
    let mut all = FaultOccurrences::default();
    occurrences.iter().for_each(|one| all.add(one));
    if let Some(why) = all.never(fault, &found.stated).filter(|_| has_fault) {
        tell(&note_text(&format!("the fault does not show: {why}")));
    }
}

/// Plays the runs of a site.
fn play(found: &WrittenRuns, files: &SiteFiles, mut site: FaultySite<'_>) -> Result<PlayedSite, LoadError> {
    let mut runs = Vec::new();
    for file in &files.runs {
        // Numbers of runs have at most seven digits.
        let run = file.run as u32;
        site.begin_run(run);
        load::sequence_rows(&found.profile, &*found.source, &file.path, |row| site.operation(row))?;
        runs.push((run, site.end_run()));
    }
    Ok((runs, site.occurrences().clone()))
}

/// What was written, in a line.
fn told(path: &Path, form: FailsForm, sites: &[(u32, PlayedRuns)]) -> String {
    let runs = || sites.iter().flat_map(|(_, runs)| runs);
    let (all, failed) = (runs().count(), runs().filter(|(_, failed)| !failed.is_empty()).count());
    let operations: usize = runs().map(|(_, failed)| failed.len()).sum();
    let form = match form {
        FailsForm::Csv => "CSV",
        FailsForm::Stdf => "STDF",
    };
    format!(
        "wrote `{}`, {form}: {failed} of {} of {} failed, at {}\n",
        quoted(path.as_os_str()),
        counted(all as u64, "run"),
        counted(sites.len() as u64, "site"),
        counted(operations as u64, "operation"),
    )
}
