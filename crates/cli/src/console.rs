//! How much is said, and in which colours: `-q`, `-v`, `--color`.
//!
//! It is said once, when the command line has been read, and holds for the whole program. Notes, progress and summaries ask here;
//! warnings, errors and what a command is asked to print do not.

use std::sync::atomic::{AtomicU8, Ordering};

/// How much is said beside warnings, errors and results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// Progress, notes, short summaries.
    Usual,
    /// Lists to their ends.
    Verbose,
}

static LEVEL: AtomicU8 = AtomicU8::new(Verbosity::Usual as u8);

/// Sets how much is said from now on.
pub(crate) fn set(level: Verbosity) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether neither progress nor notes nor summaries are wanted.
pub(crate) fn is_quiet() -> bool {
    LEVEL.load(Ordering::Relaxed) == Verbosity::Quiet as u8
}

/// Whether lists are wanted to their ends.
pub(crate) fn is_verbose() -> bool {
    LEVEL.load(Ordering::Relaxed) == Verbosity::Verbose as u8
}
