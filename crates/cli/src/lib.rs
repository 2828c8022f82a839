//! `nandseqgen`: arguments, files, progress, exit codes.
//!
//! This crate resolves flags into a checked campaign before any work. The other crates do the work. Whatever stops the program is
//! a `Failure` with a text and an exit code. The command itself is [`command_line`]; [`embedded`] offers the same work to programs that call it.

mod absent;
mod arguments;
mod bad_blocks;
mod badlist;
mod beginnings;
mod campaign;
mod can_start;
mod captured;
mod conditions;
mod console;
mod coverage;
mod dead_dies;
mod diagnose;
pub mod embedded;
mod execute;
mod expected_fields;
mod explain;
mod extended;
mod failure;
mod generate;
mod hint;
mod impossible;
mod in_force;
mod inputs;
mod interrupt;
mod json;
mod known_batches;
mod ledger;
mod limits_reached;
mod merge;
mod nearest;
mod not_reached;
mod op_filter;
mod origins;
mod phase_setups;
mod placed_problem;
mod plan_counts;
mod plans;
mod profile_list;
mod profiles;
mod progress;
mod reach;
mod replay;
mod reports;
mod run_list;
mod run_selection;
mod scenarios_reached;
mod share;
mod shares_reached;
mod shell_files;
mod shortfall;
mod shrink;
mod shrunk;
mod simulate;
mod simulated;
mod site_files;
mod site_folders;
mod site_list;
mod sites_of_campaign;
mod summary;
mod target;
mod terminal;
mod test_plan;
mod tester_fails;
mod thread_pool;
mod unfinished;
mod universe;
mod verify;
mod warnings;
mod written;

use std::ffi::OsString;

use crate::arguments::environment::{self, Applied, Read};
use crate::arguments::{Command, CommandLine};
use crate::failure::{Failure, note_text, remark_text};
use crate::terminal::tell;

/// Carries out a command line, whose first word is the name of the program. Returns the exit code. A mistake in the command line, and an
/// interruption, end the process.
#[must_use]
pub fn command_line(words: Vec<OsString>) -> u8 {
    interrupt::survive_size_limits();
    let Read { line, applied } = match environment::read_words(words) {
        Ok(Some(read)) => read,
        Ok(None) => return 0,
        Err(failure) => {
            tell(&failure.text());
            return failure.code();
        }
    };
    console::set(line.console.level());
    let set_by_environment = Applied::remark(&applied);
    json::set_environment(applied);
    if let Some(remark) = &set_by_environment {
        tell(&note_text(remark));
    }
    match run(&line) {
        Ok(()) => 0,
        Err(failure) => {
            // With `-q` the remark was not shown yet, and a variable of the environment may be the cause of the failure.
            if let (Some(remark), true) = (&set_by_environment, console::is_quiet()) {
                tell(&remark_text(remark));
            }
            tell(&failure.text());
            failure.code()
        }
    }
}

/// Does what the command line asks for.
fn run(line: &CommandLine) -> Result<(), Failure> {
    match &line.command {
        None => generate::run(&line.generate),
        Some(Command::Generate(arguments)) => generate::run(arguments),
        Some(Command::Verify(arguments)) => verify::run(arguments),
        Some(Command::RunList(arguments)) => run_list::run(arguments),
        Some(Command::Replay(arguments)) => replay::run(arguments),
        Some(Command::Merge(arguments)) => merge::run(arguments),
        Some(Command::Report(arguments)) => reports::report(arguments),
        Some(Command::Export(arguments)) => reports::export(arguments),
        Some(Command::Coverage(command)) => coverage::run(command),
        Some(Command::Simulate(arguments)) => simulate::run(arguments),
        Some(Command::Diagnose(arguments)) => diagnose::run(arguments),
        Some(Command::Shrink(arguments)) => shrink::run(arguments),
        Some(Command::Explain(arguments)) => explain::run(arguments),
        Some(Command::Profile(command)) => profiles::run(command),
        Some(Command::Plan(command)) => plans::run(command),
        Some(Command::Completions { shell }) => shell_files::print_completions(*shell),
        Some(Command::ShellFiles { folder }) => shell_files::write(folder),
    }
}
