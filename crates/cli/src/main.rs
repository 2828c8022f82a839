//! `nandseqgen`: arguments, files, progress, exit codes.
//!
//! Thin: flags are resolved into a checked plan before any work, the work is the other crates', and everything that
//! stops the program is a `Failure` with a text and an exit code.

mod arguments;
mod badlist;
mod coverage;
mod execute;
mod failure;
mod inputs;
mod ledger;
mod merge;
mod plan;
mod profiles;
mod progress;
mod reach;
mod replay;
mod reports;
mod run_list;
mod site_folders;
mod summary;
mod verify;
mod written;

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, Parser};

use crate::arguments::{Command, CommandLine, GenerateArgs};
use crate::failure::{Failure, Problem};
use crate::plan::Plan;
use crate::progress::Progress;

/// The exit code after an interruption: 128 + SIGINT.
const INTERRUPTED: i32 = 130;
/// Whether an interruption may end the program at once.
static NOTHING_TO_LOSE: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let command_line = CommandLine::parse();
    let done = match &command_line.command {
        None => generate(&command_line.generate),
        Some(Command::Generate(arguments)) => generate(arguments),
        Some(Command::Verify(arguments)) => verify::run(arguments),
        Some(Command::RunList(arguments)) => run_list::run(arguments),
        Some(Command::Replay(arguments)) => replay::run(arguments),
        Some(Command::Merge(arguments)) => merge::run(arguments),
        Some(Command::Report(arguments)) => reports::report(arguments),
        Some(Command::Export(arguments)) => reports::export(arguments),
        Some(Command::Coverage(command)) => coverage::run(command),
        Some(Command::Profile(command)) => profiles::run(command),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut CommandLine::command(), "nandseqgen", &mut script);
            profiles::print(&String::from_utf8_lossy(&script))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure.text());
            failure.exit_code()
        }
    }
}

fn generate(arguments: &GenerateArgs) -> Result<(), Failure> {
    let mut remarks = String::new();
    let plan = Plan::new(arguments, &mut remarks);
    tell(&remarks);
    let plan = plan?;
    generate_plan(&plan, &*stop_on_signals()?)
}

/// Generates what a plan asks for, and says so.
pub(crate) fn generate_plan(plan: &Plan, stop: &AtomicBool) -> Result<(), Failure> {
    let progress = Progress::new(plan);
    let totals = execute::execute(plan, &progress, stop, None);
    progress.close();
    let totals = totals?;
    if totals.ops == 0 && totals.runs > 0 {
        tell(
            "warning: no operation could start: the probability table proposes nothing that the device's state allows\n",
        );
    }
    if let Some(shortfall) = summary::shortfall(plan, &totals) {
        tell(&failure::warning_text(&shortfall));
    }
    if !plan.quiet {
        profiles::print(&summary::text(plan, &totals, progress.elapsed()))?;
    }
    if !plan.verify {
        return Ok(());
    }
    // Everything is written: whoever interrupts now need not wait.
    NOTHING_TO_LOSE.store(true, Ordering::Relaxed);
    let judged = verify::judge_written(plan);
    NOTHING_TO_LOSE.store(false, Ordering::Relaxed);
    judged
}

/// A flag that the first interruption sets; the second ends the program at once.
pub(crate) fn stop_on_signals() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        let at_once = NOTHING_TO_LOSE.load(Ordering::Relaxed);
        if at_once {
            tell("interrupted while judging: everything is written\n");
        }
        if flag.swap(true, Ordering::Relaxed) || at_once {
            std::process::exit(INTERRUPTED);
        }
    };
    ctrlc::set_handler(handler).map_err(|error| Problem::new(format!("cannot listen for interruptions: {error}")))?;
    Ok(stop)
}

/// Writes to stderr, without colours where it is no terminal. If nobody listens, there is nobody to tell.
fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
