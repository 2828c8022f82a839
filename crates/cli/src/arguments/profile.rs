//! The flags of the subcommands that are about profiles alone.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::in_force::InForceArgs;
use super::values::ReportFormat;

/// The subcommands of `profile`.
#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// Say everything that is wrong, or suspicious, about a profile.
    Check(CheckArgs),
    /// Print a legacy profile in the native form.
    Import(ProfileArgs),
    /// Print a profile in the native form; without PATH the built-in device.
    Show(ProfileArgs),
    /// Print a short profile with comments, to begin with.
    New,
    /// List the built-in device and the profiles in files and folders, a line each.
    List(ListArgs),
    /// Print the JSON Schema of native profiles, for editors.
    Schema,
}

/// The flags of `profile check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The profile, native or legacy; without it the built-in device.
    #[arg(value_name = "PATH", conflicts_with = "config")]
    pub(crate) path: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) in_force: InForceArgs,
    /// List every phase key and op name that the table gives a weight and that is never proposed, with the reason.
    #[arg(long)]
    pub(crate) pairs: bool,
    /// List the pairs of these operations alone: names of operations or bases, or patterns with * and ?; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) op: Vec<String>,
    /// Form of the findings: for people, or one JSON object.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// The flags of `profile import` and `profile show`.
#[derive(Args, Debug)]
pub(crate) struct ProfileArgs {
    /// The profile, native or legacy; without it the built-in device.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// Leave out operations that are described wrongly, with a warning, instead of refusing the profile.
    #[arg(long)]
    pub(crate) lenient: bool,
}

/// The flags of `profile list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// Profiles, native or legacy, and folders with profiles (*.yaml, *.yml).
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// Form of the list: for people, or one JSON object.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}
