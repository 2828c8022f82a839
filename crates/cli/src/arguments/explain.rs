//! The flags of `explain`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::in_force::InForceArgs;
use super::values::{ReportFormat, whole};

/// The number of operations for which to estimate, if no flag and no plan says it.
pub(crate) const DEFAULT_OPS: u64 = 10_000;

/// The flags of `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// An operation, a base or a class of the profile, or the code of a rule
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Explain for this phase key alone: DEFAULT, READ.CORE_BUSY, READ.END
    #[arg(long, value_name = "KEY")]
    pub(crate) under: Option<String>,
    /// Number of operations for which to estimate how often it starts [default: 10000; with phases of a plan, those of the plan]
    #[arg(short = 'n', long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub(crate) ops: Option<u64>,
    /// What the name means, if it has several meanings
    #[arg(long = "as", value_name = "WHAT")]
    pub(crate) kind: Option<NameOf>,
    /// Test plan to take into account
    #[arg(long, value_name = "PATH")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) in_force: InForceArgs,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// What a name may be the name of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum NameOf {
    /// An operation
    Operation,
    /// A base
    Base,
    /// A class of bases
    Class,
    /// A rule of the device
    Rule,
}

impl NameOf {
    /// The word for it in messages.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Base => "base",
            Self::Class => "class",
            Self::Rule => "rule",
        }
    }
}
