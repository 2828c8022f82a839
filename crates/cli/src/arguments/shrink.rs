//! The flags of `shrink`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use nandseq_tester::FieldMap;

use super::reports::ReadDeviceArgs;
use super::values::{ReportFormat, whole};

/// The flags of `shrink`.
#[derive(Args, Debug)]
#[command(group = ArgGroup::new("judge").required(true).args(["oracle", "batch"]))]
pub(crate) struct ShrinkArgs {
    /// The folder of a site or a batch, or a sequence file
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
    /// The site that failed [default: the only one]
    #[arg(long, value_name = "N", value_parser = whole(0..=u64::MAX))]
    pub(crate) site: Option<u64>,
    /// The run that failed [default: the last one]
    #[arg(long, value_name = "N", value_parser = whole(1..=9_999_999))]
    pub(crate) run: Option<u64>,
    /// The operation that failed, by its op_uid, if it is known
    #[arg(long, value_name = "OP_UID", value_parser = whole(1..=u64::MAX))]
    pub(crate) op: Option<u64>,
    /// Command that is run with the path of a sequence: it exits with 0 if the sequence passes, with 1 if it fails
    #[arg(long, value_name = "CMD")]
    pub(crate) oracle: Option<String>,
    /// Folder for the candidates of each round, up to 32 as the sites of a campaign. The program stops there, and goes on with --fails
    #[arg(long, value_name = "DIR")]
    pub(crate) batch: Option<PathBuf>,
    /// What the tester reported of the last round, CSV or STDF; give it again for each time that the round was tested
    #[arg(long, value_name = "FILE", requires = "batch")]
    pub(crate) fails: Vec<PathBuf>,
    /// The round that --fails is about: one that was answered before is not answered again
    #[arg(long, value_name = "N", requires = "fails", value_parser = whole(1..=u64::MAX))]
    pub(crate) round: Option<u64>,
    /// Fields of --fails that have other names: site=NAME,run=NAME,op_uid=NAME
    #[arg(long, value_name = "FIELDS", requires = "fails")]
    pub(crate) map: Option<FieldMap>,
    /// What sequences count as that --fails says nothing of
    #[arg(long, value_name = "WHAT", requires = "fails")]
    pub(crate) others: Option<UnnamedSequences>,
    /// Times that each sequence is tried
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole(1..=1_000_000))]
    pub(crate) repeat: u64,
    /// Times of --repeat that a sequence must fail to count as failing
    #[arg(long, value_name = "K", default_value = "1", value_parser = whole(1..=1_000_000))]
    pub(crate) fails_at_least: u64,
    /// Folder for the result; with --oracle also for what is needed to go on after an interruption
    #[arg(short = 'o', long, value_name = "DIR", default_value = "shrunk")]
    pub(crate) into: PathBuf,
    /// Commands run at the same time
    #[arg(long, value_name = "N", default_value = "1", value_parser = whole(1..=1024))]
    pub(crate) jobs: u64,
    /// Form of the story on standard output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// What sequences count as that a file of fails says nothing of.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum UnnamedSequences {
    /// They passed
    Passed,
}
