//! `nandseqgen report` and `nandseqgen export`: a page and timelines of written runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use nandseq_input::archive;
use nandseq_input::folder::SiteFiles;
use nandseq_profile::Ticks;
use nandseq_report::coverage::Conditions;
use nandseq_report::load::{self, SiteTables, Wanted};
use nandseq_report::page::{self, PageOfPlan, PageSubject, VerifierVerdict};
use nandseq_report::{coverage, perfetto, vcd};
use nandseq_trace::file_form::FileForm;
use nandseq_trace::json_fault;
use nandseq_trace::recorded::{quoted, shown};
use nandseq_trace::table::TableKind;
use rayon::prelude::*;

use nandseq_profile::diagnostic::counted;

use crate::arguments::reports::{ExportArgs, FormOrTime, ReportArgs, SourceArgs, TimelineForm};
use crate::failure::{Failure, Problem, note_text, warning_text};
use crate::hint::{Hint, profile_flags};
use crate::plan_counts::ComparedPlan;
use crate::run_selection::RunSelection;
use crate::site_list::SiteList;
use crate::summary::text::size;
use crate::universe::universe;
use crate::written::{self, WrittenRuns};
use crate::{conditions, console, inputs, origins, shrunk, target, tell, terminal, tester_fails};

/// The name and version of the program on a page.
pub(crate) const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Runs `nandseqgen report`.
pub(crate) fn report(arguments: &ReportArgs) -> Result<(), Failure> {
    let selection = RunSelection::new(&arguments.selection, arguments.to)?;
    target::check(&arguments.output, "--output", arguments.violations.iter().chain(&arguments.fails))?;
    let mut found = WrittenRuns::find(&arguments.source.paths, &arguments.source.device, Some(&arguments.output))?;
    // Those of sites and runs that are not shown are judged too.
    let fails = arguments.fails.as_deref().map(|path| tester_fails::read(path, arguments.map.as_ref(), &found));
    let fails = fails.transpose()?;
    selection.choose(&mut found)?;
    let conditions = conditions::of_runs(&found)?;
    let verdict = arguments.violations.as_deref().map(|path| verdict(path, &found, &arguments.source)).transpose()?;
    let most_rows = arguments.max_rows / found.sites.len().max(1);
    let wanted = Wanted { most_rows, window: selection.window, ..Wanted::ALL };
    let (sites, figures) = if selection.window.is_none() {
        let (sites, figures) = rayon::join(|| load(&found, wanted), || figures(&found, &conditions));
        (sites?, figures?)
    } else {
        // Which runs count is known only after they are read.
        let sites = load(&found, wanted)?;
        selection.keep(&mut found, &sites)?;
        let figures = figures(&found, &conditions)?;
        (sites, figures)
    };
    let sites = in_phases(sites, &found);
    let figures = [figures, phases(&sites), shrunk::figures(&found)].concat();
    let plan = ComparedPlan::find(arguments.plan.as_deref(), &found)?;
    let counted = plan.map(|plan| plan.count(&found, Some(&sites))).transpose()?;
    let table = conditions::table(&conditions, &found.profile);
    let fails = fails.map(|fails| tester_fails::of_page(&fails, &found, &sites)).transpose()?;
    let subject = PageSubject {
        profile: &found.profile,
        sites: &sites,
        table: table.as_deref(),
        verdict: verdict.as_ref(),
        fails: fails.as_ref(),
        tool: TOOL,
        figures: &figures,
        cut: &selection.sentence(),
        plan: counted.as_ref().map(|plan| PageOfPlan { report: &plan.report, matches: &plan.matches }),
        suspects: None,
    };
    let bytes = written::write(&arguments.output, "--output", |out| page::write(&subject, out))?;
    told(&arguments.output, bytes)
}

/// Runs `nandseqgen export`.
pub(crate) fn export(arguments: &ExportArgs) -> Result<(), Failure> {
    let (form, to) = form_and_end(arguments)?;
    let selection = RunSelection::new(&arguments.selection, to)?;
    let name = match form {
        TimelineForm::Perfetto => "timeline.pftrace",
        TimelineForm::Vcd => "timeline.vcd",
    };
    let path = arguments.output.as_deref().unwrap_or(Path::new(name));
    if let Some(note) = misnamed(form, path) {
        tell(&note_text(&note));
    }
    let mut found = WrittenRuns::find(&arguments.source.paths, &arguments.source.device, Some(path))?;
    selection.choose(&mut found)?;
    found.with_tables(&[TableKind::OperationTimeline, TableKind::OpStateTimeline], "timelines are made")?;
    let counts = form == TimelineForm::Perfetto;
    let operations = arguments.flows.is_some();
    if operations {
        has_flows_of_data(form, &found)?;
    }
    let wanted =
        Wanted { operations, stretches: true, segments: true, counts, window: selection.window, ..Wanted::NONE };
    let sites = load(&found, wanted)?;
    selection.keep(&mut found, &sites)?;
    let bytes = written::write(path, "--output", |out| match form {
        TimelineForm::Perfetto => perfetto::write(&found.profile, &sites, out),
        TimelineForm::Vcd => vcd::write(&found.profile, &sites, out),
    })?;
    told(path, bytes)
}

/// Checks that flows of data can be shown.
fn has_flows_of_data(form: TimelineForm, found: &WrittenRuns) -> Result<(), Failure> {
    if form == TimelineForm::Vcd {
        let problem = Problem::new("a value change dump has no flows");
        return Err(problem.help("leave out --flows, or write a trace with --format perfetto").into());
    }
    if !found.profile.expects_data() {
        let problem = Problem::new("these runs do not say whose data passes on the bus");
        return Err(problem.help("generate them with --expect data, or leave out --flows").into());
    }
    Ok(())
}

/// The note that the name of a file is that of another form than what is written there.
fn misnamed(form: TimelineForm, path: &Path) -> Option<String> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    let (holds, others, own) = match form {
        TimelineForm::Perfetto => ("a trace in the binary form of Perfetto (protobuf)", ["json", "vcd"], "pftrace"),
        TimelineForm::Vcd => ("a value change dump (VCD)", ["json", "pftrace"], "vcd"),
    };
    let renamed = path.with_extension(own);
    let is_other = others.contains(&ending.as_str());
    is_other.then(|| {
        let name = quoted(renamed.as_os_str());
        format!("`{}` will hold {holds}, which its name does not say: `-o {name}` does", shown(path))
    })
}

/// The form of a timeline, and the time at which its part ends.
fn form_and_end(arguments: &ExportArgs) -> Result<(TimelineForm, Option<Ticks>), Failure> {
    let form = |one: &FormOrTime| if let FormOrTime::Form(form) = one { Some(*form) } else { None };
    let time = |one: &FormOrTime| if let FormOrTime::Time(time) = one { Some(*time) } else { None };
    let forms: Vec<TimelineForm> = arguments.format.into_iter().chain(arguments.to.iter().filter_map(form)).collect();
    let times: Vec<Ticks> = arguments.to.iter().filter_map(time).collect();
    if times.len() > 1 {
        let problem = Problem::new("--to says twice where the part ends");
        return Err(problem.help("write one time after --to").into());
    }
    match forms.as_slice() {
        [form] => Ok((*form, times.first().copied())),
        [] => Err(Problem::new("the form of the timeline is not said")
            .help("add --format perfetto or --format vcd")
            .into()),
        [..] => Err(Problem::new("the form of the timeline is said twice").help("export each form by itself").into()),
    }
}

fn load(found: &WrittenRuns, wanted: Wanted) -> Result<Vec<SiteTables>, Failure> {
    let sites: Vec<_> =
        found.sites.par_iter().map(|site| load::site(&found.profile, &*found.source, site, wanted)).collect();
    sites.into_iter().collect::<Result<_, _>>().map_err(|error| found.unreadable(error))
}

/// Figures of coverage for the page: name, value and note of each. None if no hit was counted.
fn figures(found: &WrittenRuns, conditions: &Conditions) -> Result<Vec<(String, String, String)>, Failure> {
    let table = conditions::table(conditions, &found.profile);
    let universe = universe(&found.profile, table.as_deref(), conditions::start(conditions));
    let parts = crate::coverage::count(found, &universe)?;
    if parts.merged().bins.is_empty() {
        return Ok(Vec::new());
    }
    let figures = coverage::Figures::new(parts.merged(), &universe);
    let bins = format!("{} of {}: phase key × op name × time bin", figures.hit, counted(figures.bins, "bin"));
    let line = |name: &str, value: String, note: String| (name.to_owned(), value, note);
    Ok(vec![
        line("Covered", format!("{:.2} %", figures.closure), bins),
        line("Covered ten times", format!("{:.2} %", figures.closure_ten), counted(figures.hit_ten, "bin")),
        line("Evenness", format!("{:.3}", figures.evenness), "1: every bin as often as every other".to_owned()),
        line(
            "Unseen",
            format!("{:.3}", figures.unseen),
            "probability that one more proposal hits a new bin".to_owned(),
        ),
    ])
}

/// The sites with the phases of their runs.
fn in_phases(mut sites: Vec<SiteTables>, found: &WrittenRuns) -> Vec<SiteTables> {
    for (tables, site) in sites.iter_mut().zip(&found.sites) {
        let mut phases = origins::phases_of_runs(site);
        tables.runs.iter_mut().for_each(|run| run.phase = phases.remove(&run.run));
    }
    sites
}

/// The phases of the runs as figures: name, runs and operations of each. None without phases.
fn phases(sites: &[SiteTables]) -> Vec<(String, String, String)> {
    let mut phases: Vec<(String, BTreeSet<u64>, u64)> = Vec::new();
    for run in sites.iter().flat_map(|site| &site.runs) {
        let Some(name) = &run.phase else { continue };
        let at = phases.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
            phases.push((name.clone(), BTreeSet::new(), 0));
            phases.len() - 1
        });
        phases[at].1.insert(run.run);
        phases[at].2 = phases[at].2.saturating_add(run.operations);
    }
    let figure = |(name, runs, operations): (String, BTreeSet<u64>, u64)| {
        let s = if runs.len() == 1 { "" } else { "s" };
        let runs = SiteList::of(&runs.into_iter().collect::<Vec<_>>());
        (format!("Phase {name}"), format!("run{s} {runs}"), counted(operations, "operation"))
    };
    phases.into_iter().map(figure).collect()
}

fn verdict(path: &Path, found: &WrittenRuns, source: &SourceArgs) -> Result<VerifierVerdict, Failure> {
    let text = inputs::large(path).map_err(|reason| Problem::unreadable("the verdict", path, &reason))?;
    let flags = profile_flags(source.device.config.as_deref(), source.device.lenient);
    let verify = Hint::new("verify").flags(&flags).with("--format", "json");
    let verify = source.paths.iter().fold(verify, Hint::operand);
    let help = format!("write one with `{verify} > {}`", quoted(path.as_os_str()));
    let verdict = VerifierVerdict::read(&text).map_err(|error| {
        let problem = Problem::new(format!("`{}` is not a verdict: {}", shown(path), json_fault::describe(&error)));
        problem.help(&help)
    })?;
    let is_judged = |site: &SiteFiles| verdict.folders().any(|judged| is_same_site(&judged, &site.folder));
    if !found.sites.iter().any(is_judged) {
        let judged = verdict.folders().next().map_or_else(|| "no site".to_owned(), |one| format!("`{}`", shown(&one)));
        let problem = Problem::new(format!("`{}` judges {judged}, and none of these sites", shown(path)));
        return Err(problem.help(help).into());
    }
    for site in found.sites.iter().filter(|site| !is_judged(site)) {
        tell(&warning_text(&format!("`{}` does not judge `{}`", shown(path), shown(&site.folder))));
    }
    Ok(verdict)
}

/// Whether a verdict means this folder. A folder that is not there, because it was moved, is known by its name alone.
fn is_same_site(judged: &Path, folder: &Path) -> bool {
    let judged_folder = FileForm::of(judged).site_folder(judged).filter(|_| archive::is_file(judged));
    match (fs::canonicalize(judged_folder.unwrap_or(judged)), fs::canonicalize(folder)) {
        (Ok(judged), Ok(folder)) => judged == folder,
        _ => judged.file_name() == folder.file_name(),
    }
}

/// Says which file was written.
pub(crate) fn told(path: &Path, bytes: Option<u64>) -> Result<(), Failure> {
    let Some(bytes) = bytes else { return Ok(()) };
    if console::is_quiet() {
        return Ok(());
    }
    terminal::print(&format!("wrote `{}`, {}\n", quoted(path.as_os_str()), size(bytes)))
}
