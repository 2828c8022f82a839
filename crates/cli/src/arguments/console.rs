//! The flags that every subcommand takes: how much the program says, and in which colours.

use clap::{Args, ValueEnum};

use crate::console::Verbosity;

/// The flags that every subcommand takes.
#[derive(Args, Debug)]
pub(crate) struct ConsoleArgs {
    /// Neither progress nor notes nor a summary; warnings and errors are said all the same
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Messages")]
    quiet: bool,
    /// Say more: summaries with all of their lists
    #[arg(short, long, global = true, help_heading = "Messages")]
    verbose: bool,
    /// When to use colours; auto: on terminals, unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Messages")]
    color: Color,
}

impl ConsoleArgs {
    /// How much the program says.
    pub(crate) fn level(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Usual,
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
#[value(rename_all = "lower")]
pub(crate) enum Color {
    /// On terminals that can show them, and where CLICOLOR_FORCE asks for them
    Auto,
    /// Into files and pipes too
    Always,
    /// Not at all
    Never,
}

impl Color {
    /// Sets the use of colours for all later output, messages of the parser included.
    pub(super) fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}
