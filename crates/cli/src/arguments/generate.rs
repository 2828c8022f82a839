//! The flags of `generate`, in groups as its help shows them.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use nandseq_profile::Ticks;
use nandseq_profile::model::Expectations;
use nandseq_trace::file_form::{FileForm, Layout};
use nandseq_trace::files::{Outputs, Stamp};
use nandseq_trace::manifest::MAX_RUN;

use super::in_force::{DeviceArgs, TableArgs};
use super::values::{ReportFormat, outputs, time, whole};
use crate::inputs::FORMS;
use crate::share::Share;
use crate::site_list::{MAX_SITES, Shard, SiteList};

/// Simulated time of a run when neither time nor operations are given, µs.
pub(crate) const DEFAULT_RUN_US: u64 = 100_000;

/// The output folder if none is named.
pub(crate) const DEFAULT_OUT_DIR: &str = "out";

/// The flags of `generate`.
#[derive(Args, Debug)]
pub(crate) struct GenerateArgs {
    #[command(flatten, next_help_heading = "Device")]
    pub(crate) device: DeviceArgs,
    #[command(flatten, next_help_heading = "Device")]
    pub(crate) start: StartArgs,
    #[command(flatten, next_help_heading = "Extent")]
    pub(crate) extent: ExtentArgs,
    #[command(flatten, next_help_heading = "Sites")]
    pub(crate) sites: SiteArgs,
    #[command(flatten, next_help_heading = "Probabilities")]
    pub(crate) table: TableArgs,
    #[command(flatten, next_help_heading = "Probabilities")]
    pub(crate) table_file: TableFileArgs,
    #[command(flatten, next_help_heading = "Output")]
    pub(crate) output: OutputArgs,
}

impl SiteArgs {
    /// The number of the first site.
    pub(crate) fn first_site(&self) -> u64 {
        self.site_start.unwrap_or(1)
    }
}

impl GenerateArgs {
    /// The pattern of the names of site folders: the one given, otherwise the default for the form of the tables.
    pub(crate) fn site_dir_pattern(&self) -> &str {
        let usual = match self.output.format.form().layout {
            Layout::Site => "site_{site_id:02d}",
            Layout::Dataset => "site={site_id:02d}",
        };
        self.sites.site_dir_pattern.as_deref().unwrap_or(usual)
    }
}

/// The state that a site starts from.
#[derive(Args, Debug)]
pub(crate) struct StartArgs {
    /// Bring the device to a useful state first, as the profile's bootstrap says, if there is more than one run
    #[arg(long, overrides_with = "no_bootstrap")]
    pub(crate) bootstrap: bool,
    /// Start from a blank device (the default, unless the profile says otherwise)
    #[arg(long, overrides_with = "bootstrap")]
    pub(crate) no_bootstrap: bool,
    /// Go on from a snapshot, or from the newest good one of each site in an output folder; the other flags stay the same
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) resume: Option<PathBuf>,
}

/// How much is generated.
#[derive(Args, Debug)]
pub(crate) struct ExtentArgs {
    /// Test plan: what to try, in phases with limits and probabilities of their own
    #[arg(long, value_name = "PATH")]
    pub(crate) plan: Option<PathBuf>,
    /// Simulated time of each run [default: 100000, or no limit with --ops]
    #[arg(short = 't', long, value_name = "US", value_parser = time)]
    pub(crate) run_until: Option<Ticks>,
    /// Stop each run after this many operations (1000000, 1_000_000 or 1e6); chains that have begun are completed
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub(crate) ops: Option<u64>,
    /// Go for what was not covered: names, states and moments that are uncovered come first, within the same rules
    #[arg(long)]
    pub(crate) closure: bool,
    /// End each site when it has covered so much of what can be proposed; [without -t and --ops: or after 100 operations for
    /// each bin]
    #[arg(long, value_name = "PERCENT")]
    pub(crate) until_coverage: Option<Share>,
    /// Runs of each site; they continue one another [default: 1, or as the phases of the plan say]
    #[arg(short = 'n', long, value_name = "N", value_parser = whole(1..=MAX_RUN))]
    pub(crate) num_runs: Option<u64>,
    /// Complete what is in flight at the end of a run (the default)
    #[arg(long, overrides_with = "no_drain_op_end")]
    pub(crate) drain_op_end: bool,
    /// Accepted for old scripts; runs are completed all the same
    #[arg(long, overrides_with = "drain_op_end")]
    pub(crate) no_drain_op_end: bool,
}

impl ExtentArgs {
    /// Runs of each site, if no phases of a plan say it.
    pub(crate) fn runs(&self) -> u64 {
        self.num_runs.unwrap_or(1)
    }
}

/// Seeds and sites.
#[derive(Args, Debug)]
pub(crate) struct SiteArgs {
    /// Base seed
    #[arg(long, value_name = "N", default_value_t = 42, value_parser = whole(0..=u64::MAX))]
    pub(crate) seed: u64,
    /// How the seeds of sites and runs follow from the base seed
    #[arg(long, value_name = "HOW", default_value = "sequential")]
    pub(crate) seed_formula: SeedFormula,
    /// Sites, each with a folder of its own; 0: one site, written straight into the output folder
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=MAX_SITES))]
    pub(crate) site_count: u64,
    /// Number of the first site [default: 1]
    #[arg(long, value_name = "N", value_parser = whole(0..=u64::MAX))]
    pub(crate) site_start: Option<u64>,
    /// Just these sites of the batch that --seed, --site-start and --site-count define: 1-4,9,12-32
    #[arg(long, value_name = "LIST")]
    pub(crate) sites: Option<SiteList>,
    /// Just the K-th of N equal shares of the batch; `nandseqgen merge` joins them
    #[arg(long, value_name = "K/N", conflicts_with = "sites")]
    pub(crate) shard: Option<Shard>,
    /// Folder of a site in the output folder [default: site_{site_id:02d}, with Parquet site={site_id:02d}]
    #[arg(long, value_name = "P")]
    pub(crate) site_dir_pattern: Option<String>,
    /// Sites generated at the same time; the output does not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole(1..=1024))]
    pub(crate) jobs: Option<u64>,
}

/// What else is done with the probability table.
#[derive(Args, Debug)]
pub(crate) struct TableFileArgs {
    /// Build the table anew and write it to the file
    #[arg(long)]
    pub(crate) refresh_op_state_probs: bool,
    /// Check the table first; generate only if it has no fault
    #[arg(long)]
    pub(crate) validate_pc: bool,
}

/// Where the results go.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Output folder
    #[arg(long, value_name = "DIR", default_value = DEFAULT_OUT_DIR)]
    pub(crate) out_dir: PathBuf,
    /// Form of the tables
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Date in file names: 2026-11-21, 20261121 or 261121 [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    pub(crate) stamp: Option<Stamp>,
    /// What to expect: `data` says in each payload whose data goes in or comes out
    #[arg(long, value_name = "WHAT")]
    pub(crate) expect: Option<ExpectedFields>,
    /// What status reads expect: `full` adds to the word whether an erase and a program are suspended
    #[arg(long, value_name = "FORM")]
    pub(crate) status: Option<StatusForm>,
    /// Which files each run writes, by name [default: all]
    #[arg(long, value_name = "LIST", value_parser = outputs)]
    pub(crate) outputs: Option<Outputs>,
    /// Put the files of so many runs of a site into one archive: a ZIP file of the same files, pack_<date>_<first run>.zip; with
    /// --format parquet each table into one file, pack=<first run>/<table>.parquet, and the rest into that archive
    #[arg(long, value_name = "N", value_parser = whole(1..=MAX_RUN))]
    pub(crate) pack: Option<u64>,
    /// How much to log of proposals
    #[arg(long, value_name = "HOW", value_enum, default_value_t)]
    pub(crate) proposer_log: ProposerLog,
    /// Remove what earlier campaigns of this program left in the output folder first, and nothing else
    #[arg(long, conflicts_with = "resume")]
    pub(crate) clean: bool,
    /// Write nothing; say what would be written where, the expected mix of operations, and about how much and how long
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Form of the summary on standard output: for people, or one JSON object
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) summary: ReportFormat,
    /// Judge what was written by every rule of the device; exit code 1 if one is broken
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) verify: bool,
}

impl OutputArgs {
    /// What the flags add to the payloads of the profile.
    pub(crate) const fn expectations(&self) -> Expectations {
        Expectations { data: self.expect.is_some(), full_status: self.status.is_some() }
    }
}

/// What payloads may say beside addresses and status.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ExpectedFields {
    /// The operation whose data goes in or comes out
    Data,
}

/// Forms of an expected status.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum StatusForm {
    /// A list: busy, extrdy or ready; whether an erase is suspended; whether a program is
    Full,
}

/// How the seeds of sites and runs follow from the base seed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum SeedFormula {
    /// Base seed + site - first site + run index: neighbouring base seeds share sites
    Sequential,
    /// Base seed, site and run mixed into 64 bits: different base seeds share nothing
    Hashed,
}

/// Forms of the tables.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum, Debug)]
pub(crate) enum Format {
    /// Text
    #[default]
    Csv,
    /// Columns, in folders that readers take for one dataset
    Parquet,
}

impl Format {
    /// What its files are called and where they lie.
    pub(crate) const fn form(self) -> FileForm {
        match self {
            Self::Csv => FileForm::CSV,
            Self::Parquet => FileForm::PARQUET,
        }
    }

    /// Whether this build reads and writes it.
    pub(crate) fn is_built(self) -> bool {
        FORMS.iter().any(|form| form.table == self.form() && form.source.is_some())
    }
}

/// How much to log of proposals.
#[derive(Clone, Copy, PartialEq, Eq, Default, ValueEnum, Debug)]
pub(crate) enum ProposerLog {
    /// Nothing
    Off,
    /// Counts by phase key, operation and outcome
    #[default]
    Summary,
    /// Every proposal
    Full,
}
