//! The flags of `verify`.

use std::path::PathBuf;

use clap::Args;

use super::generate::{ExpectedFields, StatusForm};
use super::reports::ReadDeviceArgs;
use super::values::{ReportFormat, lines, whole};

/// The flags of `verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sequence files, folders of sites, or output folders of batches
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
    /// Bad blocks [default: the list that the manifest names]
    #[arg(long, value_name = "CSV")]
    pub(crate) badlist: Option<PathBuf>,
    /// Judge data: payloads say whose data goes in or comes out [default: as the manifest says]
    #[arg(long, value_name = "WHAT")]
    pub(crate) expect: Option<ExpectedFields>,
    /// Judge a status with its fields of suspension [default: as the manifest says]
    #[arg(long, value_name = "FORM")]
    pub(crate) status: Option<StatusForm>,
    /// Findings of each rule that are shown in full; all are counted
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = lines)]
    pub(crate) max_findings: usize,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
    /// Sites judged at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole(1..=1024))]
    pub(crate) jobs: Option<u64>,
}
