//! The flags of `diagnose`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nandseq_diagnose::Metric;
use nandseq_tester::{FieldMap, OtherRuns};

use super::reports::SourceArgs;
use super::values::{ReportFormat, whole};

/// The flags of `diagnose`.
#[derive(Args, Debug)]
pub(crate) struct DiagnoseArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// What the tester reported: CSV or STDF V4
    #[arg(long, value_name = "FILE")]
    pub(crate) fails: PathBuf,
    /// Where the file has site, run and operation: site=A,run=B,op_uid=C
    #[arg(long, value_name = "FIELDS")]
    pub(crate) map: Option<FieldMap>,
    /// What runs count as that the file does not name
    #[arg(long, value_name = "RESULT", default_value = "unknown")]
    pub(crate) others: OtherRunsFlag,
    /// Score that ranks the suspects
    #[arg(long, value_name = "METRIC", default_value = "ochiai")]
    pub(crate) metric: MetricFlag,
    /// Seed of the samples that the intervals come from
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Form of the diagnosis
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
    /// Page to write besides, with the suspects and what happened around their examples
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write a test plan for each of the first N suspects: sequences with it, and with everything but it
    #[arg(long, value_name = "N", value_parser = whole(1..=nandseq_diagnose::MOST_SUSPECTS as u64))]
    pub(crate) confirm: Option<u64>,
    /// Folder of these plans
    #[arg(long, value_name = "DIR", default_value = "confirm", requires = "confirm")]
    pub(crate) plans: PathBuf,
}

/// What other runs count as.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum OtherRunsFlag {
    /// They passed
    Passed,
    /// Nothing is known of them
    Unknown,
}

impl From<OtherRunsFlag> for OtherRuns {
    fn from(flag: OtherRunsFlag) -> Self {
        match flag {
            OtherRunsFlag::Passed => Self::Passed,
            OtherRunsFlag::Unknown => Self::Unknown,
        }
    }
}

/// The scores.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum MetricFlag {
    /// Rate of failing with it, times its share of the fails, under a root
    Ochiai,
    /// Fails with it, squared, by what speaks against it
    Dstar,
    /// Its rate among failing, by its rates among failing and passing
    Tarantula,
}

impl From<MetricFlag> for Metric {
    fn from(flag: MetricFlag) -> Self {
        match flag {
            MetricFlag::Ochiai => Self::Ochiai,
            MetricFlag::Dstar => Self::Dstar,
            MetricFlag::Tarantula => Self::Tarantula,
        }
    }
}
