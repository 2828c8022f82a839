//! The answers of commands as JSON: one object on standard output.
//!
//! Each object says which flags the environment has set, if any. They are noted once, after the command line is read.

use std::sync::OnceLock;

use serde::Serialize;

use crate::arguments::environment::Applied;
use crate::failure::Failure;
use crate::terminal;

static ENVIRONMENT: OnceLock<Vec<Applied>> = OnceLock::new();

/// Notes which flags the environment has set.
pub(crate) fn set_environment(applied: Vec<Applied>) {
    // This happens once, because there is one command line.
    let _ = ENVIRONMENT.set(applied);
}

/// An object of another crate, with the command and the version added.
#[derive(Serialize)]
pub(crate) struct Of<'a, T> {
    command: &'static str,
    version: &'static str,
    #[serde(flatten)]
    object: &'a T,
}

impl<'a, T> Of<'a, T> {
    /// The answer of a command.
    pub(crate) const fn command(command: &'static str, object: &'a T) -> Self {
        Self { command, version: env!("CARGO_PKG_VERSION"), object }
    }
}

/// Prints an object as JSON.
///
/// # Errors
/// When standard output cannot be written to.
pub(crate) fn print(object: &impl Serialize) -> Result<(), Failure> {
    terminal::print(&text(object))
}

/// An object as JSON, with a final newline.
pub(crate) fn text(object: &impl Serialize) -> String {
    #[derive(Serialize)]
    struct Whole<'a, T> {
        #[serde(flatten)]
        object: &'a T,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        environment: &'a [Applied],
    }
    let environment = ENVIRONMENT.get().map_or(&[][..], Vec::as_slice);
    // Strings and numbers only: this cannot fail.
    serde_json::to_string_pretty(&Whole { object, environment }).unwrap_or_default() + "\n"
}
