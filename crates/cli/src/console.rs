//! How much the program says: `-q`, `-v`.
//!
//! The level is set once, after the command line is read, and holds for the whole program. Notes, progress and summaries depend
//! on it. Warnings, errors and results do not.

use std::sync::atomic::{AtomicU8, Ordering};

/// How much the program says beside warnings, errors and results.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verbosity {
    /// Nothing.
    Quiet,
    /// Progress, notes, short summaries.
    Usual,
    /// As `Usual`, with whole lists.
    Verbose,
}

static LEVEL: AtomicU8 = AtomicU8::new(Verbosity::Usual as u8);

/// Sets the level for all later output.
pub(crate) fn set(level: Verbosity) {
    LEVEL.store(level as u8, Ordering::Relaxed);
}

/// Whether neither progress nor notes nor summaries are wanted.
pub(crate) fn is_quiet() -> bool {
    LEVEL.load(Ordering::Relaxed) == Verbosity::Quiet as u8
}

/// Whether whole lists are wanted.
pub(crate) fn is_verbose() -> bool {
    LEVEL.load(Ordering::Relaxed) == Verbosity::Verbose as u8
}
