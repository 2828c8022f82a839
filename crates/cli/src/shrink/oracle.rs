//! The oracle: a command, or a function of the caller, that says whether a sequence fails.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_shrink::TryCounts;
use nandseq_trace::recorded::shown;

use crate::failure::{Failure, Problem};

/// A function of a caller: whether the sequence in a file fails, or why that is not known.
pub(crate) type AskFunction<'a> = dyn Fn(&Path) -> Result<bool, String> + Sync + 'a;

/// Who is asked.
#[derive(Clone, Copy)]
pub(super) enum Asked<'a> {
    Command(&'a str),
    Function(&'a AskFunction<'a>),
}

/// Who is asked, and how often.
pub(super) struct Oracle<'a> {
    pub(super) asked: Asked<'a>,
    pub(super) repeat: u64,
    pub(super) stop: &'a AtomicBool,
}

impl Oracle<'_> {
    /// Tries a sequence. How often it fails is counted.
    pub(super) fn answer(&self, sequence: &Path) -> Result<TryCounts, Failure> {
        let mut counts = TryCounts::default();
        for _ in 0..self.repeat {
            counts.tries += 1;
            counts.fails += u64::from(self.ask(sequence)?);
        }
        Ok(counts)
    }

    fn ask(&self, sequence: &Path) -> Result<bool, Failure> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(Failure::INTERRUPTED);
        }
        match self.asked {
            Asked::Command(command) => self.run(command, sequence),
            Asked::Function(function) => function(sequence).map_err(|reason| {
                let message = format!("the oracle failed for `{}`: {reason}", shown(sequence));
                Problem::new(message).help("mend it, and the same call goes on").into()
            }),
        }
    }

    fn run(&self, command: &str, sequence: &Path) -> Result<bool, Failure> {
        let status = shell(command).arg(sequence).stdin(Stdio::null()).stdout(Stdio::null()).status();
        let status = status.map_err(|reason| Problem::new(format!("cannot run `{command}`: {reason}")))?;
        match status.code() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ if self.stop.load(Ordering::Relaxed) => Err(Failure::INTERRUPTED),
            code => {
                let ended =
                    code.map_or_else(|| "was ended by a signal".to_owned(), |code| format!("exited with {code}"));
                let message = format!("`{command}` {ended} for `{}`", shown(sequence));
                let help = "it exits with 0 if a sequence passes and with 1 if it fails; mend it, and the same command goes on";
                Err(Problem::new(message).help(help).into())
            }
        }
    }
}

/// The shell with a command that gets the arguments to come.
#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{command} \"$@\"")).arg("oracle");
    shell
}

/// The command without a shell.
#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    Command::new(command)
}
