//! Commands whose text the caller gets.

use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::arguments::environment::parse_words;
use crate::arguments::{Command, CommandLine, first_line};
use crate::captured::{Captured, capture};
use crate::failure::{Failure, Problem, Refusal};
use crate::interrupt::for_caller;
use crate::placed_problem::PlacedProblem;
use crate::shrink::AskFunction;
use crate::{console, interrupt, shrink as shrinking};

/// What a command says.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct CommandAnswer {
    /// The exit code: 0, or what a verdict sets.
    pub code: u8,
    /// What it prints.
    pub printed: String,
    /// Its notes and warnings, without colours.
    pub told: String,
    /// These one by one.
    pub remarks: Vec<PlacedProblem>,
}

/// Carries out a command, given by the words that follow the name of the program. `stop` abandons commands that make runs, `verify` and
/// `shrink`; others go on to their end.
///
/// # Errors
/// When the command cannot be carried out. A verdict, such as that rules are broken, is no error.
pub fn answer(words: &[OsString], stop: &Arc<AtomicBool>) -> Result<CommandAnswer, Refusal> {
    let line = match parse(words) {
        Ok(line) => line,
        Err(NoCommand::Shown(printed)) => return Ok(CommandAnswer { printed, ..CommandAnswer::default() }),
        Err(NoCommand::Refused(refusal)) => return Err(refusal),
    };
    console::set(line.console.level());
    carried_out(stop, || crate::run(&line))
}

/// Carries out `shrink` with a function in place of the command of `--oracle`. It is asked in other threads, several of them if `--jobs` says
/// so. Its error ends the search, and so does `stop` before the next question; the same call goes on with it.
///
/// # Errors
/// As [`answer`]; also if the words are of another command.
pub fn shrink(words: &[OsString], oracle: &AskFunction<'_>, stop: &Arc<AtomicBool>) -> Result<CommandAnswer, Refusal> {
    match parse(words)?.command {
        Some(Command::Shrink(arguments)) => carried_out(stop, || shrinking::run_asking(&arguments, oracle)),
        _ => Err(Failure::from(Problem::new("the words are not those of `shrink`")).into()),
    }
}

/// Why words are no command to carry out.
pub(super) enum NoCommand {
    /// They ask for help or the version, which is this.
    Shown(String),
    Refused(Refusal),
}

impl From<NoCommand> for Refusal {
    fn from(no_command: NoCommand) -> Self {
        match no_command {
            NoCommand::Shown(_) => {
                Self::new("a call in memory shows no help: leave out `--help`, or call `nandseqgen` as a command")
            }
            NoCommand::Refused(refusal) => refusal,
        }
    }
}

/// The command line of these words.
pub(super) fn parse(words: &[OsString]) -> Result<CommandLine, NoCommand> {
    interrupt::leave_signals_to_the_caller();
    let name = std::iter::once(OsString::from(env!("CARGO_PKG_NAME")));
    parse_words(name.chain(words.iter().cloned()).collect()).map_err(|error| {
        if error.use_stderr() {
            NoCommand::Refused(Failure::from(Problem::new(first_line(&error))).into())
        } else {
            NoCommand::Shown(error.render().to_string())
        }
    })
}

fn carried_out(stop: &Arc<AtomicBool>, run: impl FnOnce() -> Result<(), Failure>) -> Result<CommandAnswer, Refusal> {
    let (end, Captured { printed, told, remarks }) = capture(|| for_caller(stop, run));
    match end {
        Ok(()) => Ok(CommandAnswer { code: 0, printed, told, remarks }),
        Err(failure) if failure.is_verdict() => Ok(CommandAnswer { code: failure.code(), printed, told, remarks }),
        Err(failure) => Err(Refusal::from(failure).after(&told, remarks)),
    }
}
