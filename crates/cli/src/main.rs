//! `nandseqgen`: arguments, files, progress, exit codes.
//!
//! Thin: flags are resolved into a checked plan before any work, the work is the other crates', and everything that
//! stops the program is a `Failure` with a text and an exit code.

mod arguments;
mod badlist;
mod coverage;
mod cut;
mod execute;
mod failure;
mod inputs;
mod interrupt;
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
use std::sync::atomic::AtomicBool;

use clap::{CommandFactory, Parser};

use crate::arguments::{Command, CommandLine, GenerateArgs};
use crate::failure::Failure;
use crate::interrupt::stop_on_signals;
use crate::plan::Plan;
use crate::progress::Progress;

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
    interrupt::with_nothing_to_lose(|| verify::judge_written(plan))
}

/// Writes to stderr, without colours where it is no terminal. If nobody listens, there is nobody to tell.
fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
