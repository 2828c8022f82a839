//! `nandseqgen generate`: carries a plan out, says what it has come to, and judges what was written if that is asked for.
//!
//! Promises that what was made is summed up: as text where the work came to its own end, as one JSON object however it ended; and that
//! errors are the caller's to say.

pub(crate) mod dry_run;

use std::sync::atomic::AtomicBool;

use serde::Serialize;

use crate::absent::Absences;
use crate::arguments::{GenerateArgs, ReportFormat};
use crate::execute::{self, Stopped};
use crate::failure::{self, Failure};
use crate::interrupt::{self, stop_on_signals};
use crate::json::Of;
use crate::plan::{Plan, resolve};
use crate::progress::Progress;
use crate::summary::Summary;
use crate::summary::text::{Detail, text};
use crate::{console, json, not_reached, tell, terminal, verify};

/// Does what the flags of `generate` ask for.
pub(crate) fn run(arguments: &GenerateArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let plan = resolve(arguments, &mut remarks);
    tell(&remarks);
    let (plan, form) = (plan?, arguments.output.summary);
    if arguments.output.dry_run && plan.nothing_starts().is_none() {
        return dry_run::print(&dry_run::look(&plan)?, form, Detail::wanted());
    }
    let Made { summary, end } = carry_out(&plan, &*stop_on_signals()?, form);
    match (form, summary, &end) {
        (ReportFormat::Json, Some(summary), _) => json::print(&summary)?,
        (ReportFormat::Json, None, Err(Failure::NothingStarts(problem))) => {
            let made = NothingMade { schema: 1, exit_code: 4, operations: 0, problem, warnings: [problem] };
            json::print(&Of::command("generate", &made))?;
        }
        (ReportFormat::Json | ReportFormat::Text, _, _) => {}
    }
    end
}

/// The answer as JSON where nothing was made.
#[derive(Serialize)]
struct NothingMade<'a> {
    schema: u32,
    exit_code: u8,
    operations: u64,
    problem: &'a str,
    warnings: [&'a str; 1],
}

/// What became of a plan.
pub(crate) struct Made {
    /// What was made, if the work began.
    pub(crate) summary: Option<Summary>,
    pub(crate) end: Result<(), Failure>,
}

/// Generates what a plan asks for. The summary as text is printed here; as JSON it is the caller's, as it is part of one object.
pub(crate) fn carry_out(plan: &Plan, stop: &AtomicBool, form: ReportFormat) -> Made {
    // What cannot be reached is known before anything is made.
    if let Some(message) = plan.nothing_starts() {
        return Made { summary: None, end: Err(Failure::NothingStarts(message.to_owned())) };
    }
    let progress = Progress::new(plan);
    let absences = Absences::new(plan);
    let done = execute::execute(plan, &progress, stop, None, &|started| absences.of(started));
    progress.close();
    let (totals, stopped) = match done {
        Ok(totals) => (totals, None),
        Err(Stopped { failure, totals: Some(totals) }) => (*totals, Some(failure)),
        Err(Stopped { failure, totals: None }) => return Made { summary: None, end: Err(failure) },
    };
    let mut summary = Summary::new(plan, &totals, progress.elapsed(), &absences);
    let end = match stopped {
        Some(failure) => Err(failure),
        None => conclude(plan, &totals, &mut summary, form),
    };
    if let Err(failure) = &end {
        summary.ended(failure);
    }
    Made { summary: Some(summary), end }
}

/// Says what was made, and judges it.
fn conclude(plan: &Plan, totals: &execute::Totals, summary: &mut Summary, form: ReportFormat) -> Result<(), Failure> {
    let warnings = not_reached::warnings(plan, totals);
    for warning in &warnings {
        tell(&failure::warning_text(warning));
    }
    summary.warn(warnings);
    if form == ReportFormat::Text && !plan.quiet {
        terminal::print(&text(summary, Detail::wanted()))?;
    }
    if plan.verify {
        judge(plan, summary, form)?;
    }
    if not_reached::is_short(plan, totals) { Err(Failure::NotReached) } else { Ok(()) }
}

/// Judges what was made.
fn judge(plan: &Plan, summary: &mut Summary, form: ReportFormat) -> Result<(), Failure> {
    // Everything is written: whoever interrupts now need not wait.
    interrupt::with_nothing_to_lose(|| {
        let report = verify::judge_written(plan)?;
        match form {
            ReportFormat::Json => summary.judged(Of::command("verify", &report.json())),
            ReportFormat::Text if plan.quiet && report.is_clean() => {}
            ReportFormat::Text => {
                let text = report.to_string();
                // The summary has said by which profile, and has most of the lines of a screen.
                let said = |line: &&str| !["Judged by ", "Compared with "].iter().any(|start| line.starts_with(start));
                let is_short = report.is_clean() && !console::is_verbose();
                let short = || text.split_inclusive('\n').filter(said).collect();
                terminal::print(&if is_short { short() } else { text.clone() })?;
            }
        }
        if report.is_clean() { Ok(()) } else { Err(Failure::Found) }
    })
}
