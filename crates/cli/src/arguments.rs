//! The command line as typed: flags, their help and their defaults. What they mean together is `plan`'s business.
//!
//! The same flags are taken by `nandseqgen generate` and, without a subcommand, by `nandseqgen` itself.

pub(crate) mod explain;
pub(crate) mod in_force;
pub(crate) mod reports;

use std::ops::RangeInclusive;
use std::path::PathBuf;

use self::explain::ExplainArgs;
use self::in_force::{DeviceArgs, InForceArgs, TableArgs};
use self::reports::{CoverageCommand, ExportArgs, ReportArgs};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use nandseq_profile::Ticks;
use nandseq_trace::files::{FileKind, Outputs, Stamp};

use crate::plan::{Shard, Share, SiteList};

/// Simulated time of a run when neither time nor operations are given, µs.
pub(crate) const DEFAULT_RUN_US: u64 = 100_000;
/// The most sites of a batch.
pub(crate) const MAX_SITES: u64 = 100_000;

/// Random legal NAND operation sequences for automated test equipment.
///
/// Without a subcommand this is `nandseqgen generate`: it writes sequences for the built-in device, or for the profile that
/// --config names, into the output folder.
#[derive(Parser, Debug)]
#[command(name = "nandseqgen", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 violations or differences found (verify, replay); 2 wrong usage or unusable input; \
                        3 could not write; 130 interrupted."
)]
pub(crate) struct CommandLine {
    /// What to do; generate, if not said.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The flags of `generate`.
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
}

impl GenerateArgs {
    /// The pattern of the folders of sites, named or not.
    pub(crate) fn site_dir_pattern(&self) -> &str {
        let usual = match self.output.format {
            Format::Csv => "site_{site_id:02d}",
            Format::Parquet => "site={site_id:02d}",
        };
        self.sites.site_dir_pattern.as_deref().unwrap_or(usual)
    }

    /// The arguments that a manifest lists: `generate` and its flags.
    pub(crate) fn of_manifest(arguments: &[String]) -> Result<Self, String> {
        let name = std::iter::once(env!("CARGO_PKG_NAME").to_owned());
        let line = CommandLine::try_parse_from(name.chain(arguments.iter().cloned()));
        match line.map_err(|error| error.to_string())?.command {
            Some(Command::Generate(arguments)) => Ok(*arguments),
            _ => Err("they are not those of `generate`".to_owned()),
        }
    }
}

/// The subcommands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Write operation sequences.
    Generate(Box<GenerateArgs>),
    /// Judge written sequences by every rule of the device.
    Verify(VerifyArgs),
    /// Make several campaigns, one after another, from a YAML list.
    RunList(RunListArgs),
    /// Make again what a manifest lists, and compare.
    Replay(ReplayArgs),
    /// Join what shards of a batch wrote, and check that it is complete.
    Merge(MergeArgs),
    /// Show what runs did on one HTML page that needs no network.
    Report(ReportArgs),
    /// Write what runs did as a timeline for other viewers.
    Export(ExportArgs),
    /// Say how much of what can happen has happened.
    #[command(subcommand)]
    Coverage(CoverageCommand),
    /// Say why an operation never appears, or how often it does; or what a rule says.
    Explain(ExplainArgs),
    /// Check, convert and show device profiles.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Print the completion script of a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
}

/// What is judged, and by which profile.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Sequence files, folders of sites, or output folders of batches
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// Profile the sequences were made for, native or legacy [default: the built-in device]
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Leave out operations that the profile describes wrongly, as --lenient did when generating
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Bad blocks [default: the list that the manifest names]
    #[arg(long, value_name = "CSV")]
    pub(crate) badlist: Option<PathBuf>,
    /// Findings of each rule that are shown in full; all are counted
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) max_findings: usize,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
    /// Sites judged at the same time [default: one for each core]
    #[arg(long, value_name = "N", value_parser = whole(1..=1024))]
    pub(crate) jobs: Option<u64>,
}

/// Which campaigns are made.
#[derive(Args, Debug)]
pub(crate) struct RunListArgs {
    /// YAML file with a list of `campaigns`, whose fields are the flags of `generate` with `_` for `-`
    #[arg(value_name = "FILE")]
    pub(crate) list: PathBuf,
    /// Go on with each campaign from its newest snapshots
    #[arg(long)]
    pub(crate) resume: bool,
    /// Neither progress nor summaries
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What is made again.
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
    /// Neither progress nor a word when all is equal
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What is joined, and where.
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
}

/// What can be done with profiles.
#[derive(Subcommand, Debug)]
pub(crate) enum ProfileCommand {
    /// Say everything that is wrong, or suspicious, about a profile.
    Check(CheckArgs),
    /// Print a legacy profile in the native form.
    Import(ProfileArgs),
    /// Print a profile in the native form; without PATH the built-in device.
    Show(ProfileArgs),
    /// Print the JSON Schema of native profiles, for editors.
    Schema,
}

/// Which profile, and how much to say.
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
}

/// Which profile.
#[derive(Args, Debug)]
pub(crate) struct ProfileArgs {
    /// The profile, native or legacy; without it the built-in device.
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,
    /// Leave out operations that are described wrongly, with a warning, instead of refusing the profile.
    #[arg(long)]
    pub(crate) lenient: bool,
}

/// The flags of `generate`.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
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

/// What a site starts from.
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
    /// Simulated time of each run [default: 100000, or no limit with --ops]
    #[arg(short = 't', long, value_name = "US", value_parser = Ticks::parse_us)]
    pub(crate) run_until: Option<Ticks>,
    /// Stop each run after this many operations; chains that have begun are completed
    #[arg(long, value_name = "N", value_parser = whole(1..=u64::MAX))]
    pub(crate) ops: Option<u64>,
    /// Go for what was not covered: names, states and moments that lack hits come first, within the same rules
    #[arg(long)]
    pub(crate) closure: bool,
    /// End each site when it has covered so much of what can be proposed; [without -t and --ops: or after 100 operations for
    /// each cell]
    #[arg(long, value_name = "PERCENT")]
    pub(crate) until_coverage: Option<Share>,
    /// Runs of each site; they continue one another
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1, value_parser = whole(1..=9_999_999))]
    pub(crate) num_runs: u64,
    /// Complete what is in flight at the end of a run (the default)
    #[arg(long, overrides_with = "no_drain_op_end")]
    pub(crate) drain_op_end: bool,
    /// Accepted for old scripts; runs are completed all the same
    #[arg(long, overrides_with = "drain_op_end")]
    pub(crate) no_drain_op_end: bool,
}

/// Seeds and sites.
#[derive(Args, Debug)]
pub(crate) struct SiteArgs {
    /// Base seed
    #[arg(long, value_name = "N", default_value_t = 42, value_parser = whole(0..=u64::MAX))]
    pub(crate) seed: u64,
    /// How the seeds of sites and runs follow from it
    #[arg(long, value_name = "HOW", default_value = "sequential")]
    pub(crate) seed_formula: SeedFormula,
    /// Sites, each with a folder of its own; 0: one site, written straight into the output folder
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=MAX_SITES))]
    pub(crate) site_count: u64,
    /// Number of the first site
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole(0..=u64::MAX))]
    pub(crate) site_start: u64,
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

/// What is done with the table of probabilities beside using it.
#[derive(Args, Debug)]
pub(crate) struct TableFileArgs {
    /// Build the table anew and write it to the file
    #[arg(long)]
    pub(crate) refresh_op_state_probs: bool,
    /// Check the table and say what is wrong before anything is generated
    #[arg(long)]
    pub(crate) validate_pc: bool,
}

/// Where the results go.
#[derive(Args, Debug)]
pub(crate) struct OutputArgs {
    /// Output folder
    #[arg(long, value_name = "DIR", default_value = "out")]
    pub(crate) out_dir: PathBuf,
    /// Form of the tables
    #[arg(long, value_name = "FORMAT", default_value = "csv")]
    pub(crate) format: Format,
    /// Date in file names: 2026-11-21, 20261121 or 261121 [default: today, UTC]
    #[arg(long, value_name = "DATE")]
    pub(crate) stamp: Option<Stamp>,
    /// Which files each run writes, by name [default: all]
    #[arg(long, value_name = "LIST", value_parser = outputs)]
    pub(crate) outputs: Option<Outputs>,
    /// How much to log of proposals
    #[arg(long, value_name = "HOW", default_value = "summary")]
    pub(crate) proposer_log: ProposerLog,
    /// Neither progress nor summary
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) quiet: bool,
    /// Judge what was written by every rule of the device; exit code 1 if one is broken
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) verify: bool,
}

/// How seeds follow from one another.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum SeedFormula {
    /// Base seed + site - first site + run index: neighbouring base seeds share sites
    Sequential,
    /// Base seed, site and run mixed into 64 bits: different base seeds share nothing
    Hashed,
}

/// Presets for the phase key DEFAULT.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Demo {
    /// Erases only
    EraseOnly,
    /// Erases, programs and reads
    Mix,
    /// Programs and reads
    PgmRead,
}

/// Forms of the tables.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Format {
    /// Text
    Csv,
    /// Columns, in folders that readers take for one dataset
    Parquet,
}

/// Forms of a report.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

/// How much to log of proposals.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum ProposerLog {
    /// Nothing
    Off,
    /// Counts by phase key, operation and outcome
    Summary,
    /// Every proposal
    Full,
}

/// Reads whole numbers of a range, and says which they are.
fn whole(range: RangeInclusive<u64>) -> impl Fn(&str) -> Result<u64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        number.ok_or_else(|| format!("not a whole number from {} to {}", range.start(), range.end()))
    }
}

/// Reads names of outputs.
fn outputs(text: &str) -> Result<Outputs, String> {
    let known = || FileKind::ALL.map(FileKind::name);
    text.split(',')
        .map(|name| {
            let unknown = || {
                let near = nandseq_profile::diagnostic::nearest(name.trim(), known());
                let hint = near.map_or_else(|| known().join(", "), |near| format!("did you mean `{near}`?"));
                format!("there is no output `{}`: {hint}", name.trim())
            };
            FileKind::named(name.trim()).ok_or_else(unknown)
        })
        .collect()
}
