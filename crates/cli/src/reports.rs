//! `nandseqgen report` and `nandseqgen export`: pictures of what was written.

use std::path::Path;

use nandseq_report::load::{self, SiteTables, Wanted};
use nandseq_report::page::{self, Subject, Verdict};
use nandseq_report::{coverage, perfetto, vcd};
use nandseq_trace::read::table::TableKind;
use rayon::prelude::*;

use crate::arguments::reports::{ExportArgs, ReportArgs, SourceArgs, TimelineForm};
use crate::failure::{Failure, Problem};
use crate::hint::{self, Hint, profile_flags};
use crate::written::{self, Written};
use crate::{console, inputs, profiles};

/// What a page says wrote it.
const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Writes the page.
pub(crate) fn report(arguments: &ReportArgs) -> Result<(), Failure> {
    let found = Written::find(&arguments.source.paths, &arguments.source.device)?;
    let verdict = arguments.violations.as_deref().map(|path| verdict(path, &arguments.source)).transpose()?;
    let wanted = Wanted { most_rows: arguments.max_rows / found.sites.len().max(1), ..Wanted::ALL };
    let (sites, figures) = rayon::join(|| load(&found, wanted), || figures(&found));
    let (sites, figures) = (sites?, figures?);
    let subject = Subject {
        profile: &found.profile,
        sites: &sites,
        table: found.table.as_deref(),
        verdict: verdict.as_ref(),
        tool: TOOL,
        figures: &figures,
    };
    let bytes = written::write(&arguments.output, "--output", |out| page::write(&subject, out))?;
    told(&arguments.output, bytes)
}

/// Writes a timeline.
pub(crate) fn export(arguments: &ExportArgs) -> Result<(), Failure> {
    let found = Written::find(&arguments.source.paths, &arguments.source.device)?;
    found.with_tables(&[TableKind::OperationTimeline, TableKind::OpStateTimeline], "timelines are made")?;
    let counts = arguments.to == TimelineForm::Perfetto;
    let wanted = Wanted { stretches: true, segments: true, counts, ..Wanted::NONE };
    let sites = load(&found, wanted)?;
    let name = match arguments.to {
        TimelineForm::Perfetto => "timeline.pftrace",
        TimelineForm::Vcd => "timeline.vcd",
    };
    let path = arguments.output.as_deref().unwrap_or(Path::new(name));
    let bytes = written::write(path, "--output", |out| match arguments.to {
        TimelineForm::Perfetto => perfetto::write(&found.profile, &sites, out),
        TimelineForm::Vcd => vcd::write(&found.profile, &sites, out),
    })?;
    told(path, bytes)
}

fn load(found: &Written, wanted: Wanted) -> Result<Vec<SiteTables>, Failure> {
    let sites: Vec<_> =
        found.sites.par_iter().map(|site| load::site(&found.profile, &*found.source, site, wanted)).collect();
    sites.into_iter().collect::<Result<_, _>>().map_err(|error| found.unreadable(error))
}

/// Figures of coverage for the summary; none where nothing was counted.
fn figures(found: &Written) -> Result<Vec<(String, String, String)>, Failure> {
    let universe = crate::coverage::universe(&found.profile, found.table.as_deref(), &[]);
    let parts = crate::coverage::count(found, &universe)?;
    if parts.merged().cells.is_empty() {
        return Ok(Vec::new());
    }
    let figures = coverage::Figures::new(parts.merged(), &universe);
    let cells = format!("{} of {} cells: phase key × op name × tenth of the phase", figures.hit, figures.cells);
    let line = |name: &str, value: String, note: String| (name.to_owned(), value, note);
    Ok(vec![
        line("Covered", format!("{:.2} %", figures.closure), cells),
        line("Covered ten times", format!("{:.2} %", figures.closure_ten), format!("{} cells", figures.hit_ten)),
        line("Evenness", format!("{:.3}", figures.evenness), "1: every cell as often as every other".to_owned()),
        line(
            "Unseen",
            format!("{:.3}", figures.unseen),
            "probability that one more proposal hits a new cell".to_owned(),
        ),
    ])
}

fn verdict(path: &Path, source: &SourceArgs) -> Result<Verdict, Failure> {
    let text = inputs::large(path).map_err(|reason| Problem::unreadable("the verdict", path, &reason))?;
    Verdict::read(&text).map_err(|error| {
        let problem = Problem::new(format!("`{}` is no verdict: {error}", path.display()));
        let flags = profile_flags(source.device.config.as_deref(), source.device.lenient);
        let verify = Hint::new("verify").flags(&flags).with("--format", "json");
        let verify = source.paths.iter().fold(verify, Hint::operand);
        problem.help(format!("write one with `{verify} > {}`", hint::shell_word(path.as_os_str()))).into()
    })
}

fn told(path: &Path, bytes: Option<u64>) -> Result<(), Failure> {
    let Some(bytes) = bytes else { return Ok(()) };
    if console::is_quiet() {
        return Ok(());
    }
    profiles::print(&format!("wrote `{}`, {:.1} MB\n", path.display(), bytes as f64 / 1e6))
}
