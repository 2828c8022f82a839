//! Commands whose text the caller gets.

use std::ffi::OsString;

use clap::Parser as _;

use crate::arguments::{Command, CommandLine, first_line};
use crate::failure::{Failure, Problem, Refusal};
use crate::shrink::AskFunction;
use crate::terminal::{Captured, capture};
use crate::{console, interrupt, shrink as shrinking};

/// What a command says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CommandAnswer {
    /// The exit code: 0, or what a verdict sets.
    pub code: u8,
    /// What it prints.
    pub printed: String,
    /// Its notes and warnings, without colours.
    pub told: String,
}

/// Carries out a command, given by the words that follow the name of the program.
///
/// # Errors
/// When the command cannot be carried out. A verdict, such as that rules are broken, is no error.
pub fn answer(words: &[OsString]) -> Result<CommandAnswer, Refusal> {
    let line = parse(words)?;
    console::set(line.console.level());
    carried_out(|| crate::run(&line))
}

/// Carries out `shrink` with a function in place of the command of `--oracle`. It is asked from several threads, as `--jobs` says. Its
/// error ends the search, which the same call goes on with.
///
/// # Errors
/// As [`answer`]; also if the words are of another command.
pub fn shrink(words: &[OsString], oracle: &AskFunction<'_>) -> Result<CommandAnswer, Refusal> {
    match parse(words)?.command {
        Some(Command::Shrink(arguments)) => carried_out(|| shrinking::run_asking(&arguments, oracle)),
        _ => Err(Failure::from(Problem::new("the words are not those of `shrink`")).into()),
    }
}

/// The command line of these words.
pub(super) fn parse(words: &[OsString]) -> Result<CommandLine, Refusal> {
    interrupt::leave_signals_to_the_caller();
    let name = std::iter::once(OsString::from(env!("CARGO_PKG_NAME")));
    let line = CommandLine::try_parse_from(name.chain(words.iter().cloned()));
    line.map_err(|error| Failure::from(Problem::new(first_line(&error))).into())
}

fn carried_out(run: impl FnOnce() -> Result<(), Failure>) -> Result<CommandAnswer, Refusal> {
    let (end, Captured { printed, told }) = capture(run);
    match end {
        Ok(()) => Ok(CommandAnswer { code: 0, printed, told }),
        Err(failure) if failure.is_verdict() => Ok(CommandAnswer { code: failure.code(), printed, told }),
        Err(failure) => Err(Refusal::from(failure).after(&told)),
    }
}
