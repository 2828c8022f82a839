//! The flags of the subcommands that are about test plans alone.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::in_force::InForceArgs;
use super::values::ReportFormat;

/// The subcommands of `plan`.
#[derive(Subcommand, Debug)]
pub(crate) enum PlanCommand {
    /// Say everything that is wrong, or suspicious, about a test plan.
    Check(PlanArgs),
    /// Print what a test plan means on the device: its runs, shares, regions and steps.
    Show(PlanArgs),
    /// Print a short test plan with comments, to begin with.
    New,
    /// Print the JSON Schema of test plans, for editors.
    Schema,
}

/// The flags of `plan check` and `plan show`.
#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    /// The test plan.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) in_force: InForceArgs,
    /// Form of the answer: for people, or one JSON object.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}
