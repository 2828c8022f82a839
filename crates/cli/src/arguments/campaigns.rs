//! The flags of the subcommands that make campaigns, make them again and join them: `run-list`, `replay`, `merge`.

use std::path::PathBuf;

use clap::Args;

use super::values::{ReportFormat, whole};
use crate::site_list::SiteList;

/// The flags of `run-list`.
#[derive(Args, Debug)]
pub(crate) struct RunListArgs {
    /// YAML file with a list of `campaigns`, whose fields are the flags of `generate` with `_` for `-`
    #[arg(value_name = "FILE")]
    pub(crate) list: PathBuf,
    /// Go on with each campaign from its newest snapshots
    #[arg(long)]
    pub(crate) resume: bool,
    /// Form of the summaries on standard output: for people, or one JSON object for all campaigns
    #[arg(long, visible_alias = "format", value_name = "FORM", default_value = "text")]
    pub(crate) summary: ReportFormat,
}

/// The flags of `replay`.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    /// The manifest of a site or a batch, or its folder
    #[arg(value_name = "MANIFEST")]
    pub(crate) manifest: PathBuf,
    /// Compare just this run (of each site); the runs before it are made too
    #[arg(long, value_name = "N", value_parser = whole(1..=9_999_999))]
    pub(crate) run: Option<u64>,
    /// Just these sites of a batch
    #[arg(long, value_name = "LIST")]
    pub(crate) sites: Option<SiteList>,
    /// The profile, if it is no longer where the manifest says
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Where to make files, which are removed as soon as they are compared [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
    /// Sites made at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole(1..=1024))]
    pub(crate) jobs: Option<u64>,
    /// Form of the result: for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// The flags of `merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// Output folders of shards; one, if they share it
    #[arg(value_name = "DIR", required = true)]
    pub(crate) folders: Vec<PathBuf>,
    /// Folder that is to hold the whole batch [default: the folder, if there is just one]
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Sites checked at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole(1..=1024))]
    pub(crate) jobs: Option<u64>,
    /// Form of the result: for people, or one JSON object
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}
