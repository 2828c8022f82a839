//! `nandseqgen generate`: carries out a campaign, prints its summary and, with `--verify`, judges the files.
//!
//! The summary is printed as text if nothing stopped the work, as one JSON object whatever happened. Errors are returned to the
//! caller, which tells the user.

pub(crate) mod dry_run;

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::absent::Absences;
use crate::arguments::{GenerateArgs, ReportFormat};
use crate::campaign::{Campaign, resolve};
use crate::execute::{self, Stopped, Totals};
use crate::failure::{self, Failure};
use crate::interrupt::stop_on_signals;
use crate::json::Of;
use crate::progress::Progress;
use crate::summary::Summary;
use crate::summary::text::{Detail, text};
use crate::{console, json, not_reached, tell, terminal, verify};

/// Runs `nandseqgen generate`.
pub(crate) fn run(arguments: &GenerateArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let campaign = resolve(arguments, &mut remarks);
    tell(&remarks);
    let (campaign, form) = (campaign?, arguments.output.summary);
    if arguments.output.dry_run {
        return dry_run::print(&dry_run::look(&campaign)?, form, Detail::wanted());
    }
    let Made { summary, end } = carry_out(&campaign, &*stop_on_signals()?, form);
    if form == ReportFormat::Json {
        json::print(&summary)?;
    }
    end
}

/// The result of a campaign.
pub(crate) struct Made {
    pub(crate) summary: Summary,
    pub(crate) end: Result<(), Failure>,
}

/// Generates what a campaign asks for. Prints the summary if it is text. The caller prints it if it is JSON, because it may be
/// part of a larger object.
pub(crate) fn carry_out(campaign: &Campaign, stop: &AtomicBool, form: ReportFormat) -> Made {
    let not_begun = |failure: Failure| {
        let mut summary = Summary::new(campaign, &Totals::new(campaign), Duration::ZERO, None);
        summary.ended(&failure);
        Made { summary, end: Err(failure) }
    };
    // It is known before the work begins that nothing can start.
    if let Some(message) = campaign.nothing_starts() {
        return not_begun(Failure::NothingStarts(message.to_owned()));
    }
    let progress = Progress::new(campaign);
    let absences = Absences::new(campaign);
    let done = execute::execute(campaign, &progress, stop, None, &absences);
    progress.close();
    let (totals, stopped) = match done {
        Ok(totals) => (totals, None),
        Err(Stopped { failure, totals: Some(totals) }) => (*totals, Some(failure)),
        Err(Stopped { failure, totals: None }) => return not_begun(failure),
    };
    let mut summary = Summary::new(campaign, &totals, progress.elapsed(), Some(&absences));
    let end = match stopped {
        Some(failure) => Err(failure),
        None => conclude(&absences, stop, &totals, &mut summary, form),
    };
    if let Err(failure) = &end {
        summary.ended(failure);
    }
    Made { summary, end }
}

/// Says what was made, and judges it.
fn conclude(
    absences: &Absences<'_>,
    stop: &AtomicBool,
    totals: &Totals,
    summary: &mut Summary,
    form: ReportFormat,
) -> Result<(), Failure> {
    let campaign = absences.campaign;
    let warnings = not_reached::warnings(absences, totals);
    for warning in &warnings {
        tell(&failure::warning_text(warning));
    }
    summary.warn(warnings);
    match (form, campaign.quiet) {
        (ReportFormat::Text, false) => terminal::print(&text(summary, Detail::wanted()))?,
        // The summary says this, and nothing else would.
        (ReportFormat::Text, true) => summary.empty.iter().for_each(|empty| tell(&failure::warning_text(empty))),
        (ReportFormat::Json, _) => {}
    }
    if campaign.verify {
        judge(campaign, stop, summary, form)?;
    }
    if not_reached::is_short(campaign, totals) { Err(Failure::NotReached) } else { Ok(()) }
}

/// Judges the files of a campaign.
fn judge(campaign: &Campaign, stop: &AtomicBool, summary: &mut Summary, form: ReportFormat) -> Result<(), Failure> {
    let report = verify::judge_written(campaign, stop)?;
    match form {
        ReportFormat::Json => summary.judged(Of::command("verify", &report.json())),
        ReportFormat::Text if campaign.quiet && report.is_clean() => {}
        ReportFormat::Text => {
            let text = report.to_string();
            // The summary has named the profile already, and fills most of a screen.
            let said = |line: &&str| !["Judged by ", "Compared with "].iter().any(|start| line.starts_with(start));
            let is_short = report.is_clean() && !console::is_verbose();
            let short = || text.split_inclusive('\n').filter(said).collect();
            terminal::print(&if is_short { short() } else { text.clone() })?;
        }
    }
    if report.is_clean() { Ok(()) } else { Err(Failure::Found) }
}
