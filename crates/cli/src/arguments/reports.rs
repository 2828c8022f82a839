//! The flags of the subcommands that read written runs: `report`, `export`, `coverage`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use nandseq_profile::Ticks;
use nandseq_profile::whole::leading_zero_line;
use nandseq_tester::FieldMap;

use super::in_force::InForceArgs;
use super::values::{ReportFormat, lines, time};
use crate::site_list::ranges;

/// The folders that are read, and the profile of their runs.
#[derive(Args, Debug)]
pub(crate) struct SourceArgs {
    /// Folders of sites, or output folders of batches
    #[arg(value_name = "DIR", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
}

/// The profile that written runs were made for.
#[derive(Args, Debug)]
pub(crate) struct ReadDeviceArgs {
    /// Profile the sequences were made for, native or legacy [default: the built-in device]
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Leave out operations that the profile describes wrongly, as --lenient did when generating
    #[arg(long)]
    pub(crate) lenient: bool,
    /// Whether a variable names the profile, and no flag. Manifests go before it then.
    #[arg(skip)]
    pub(crate) is_config_of_environment: bool,
}

/// The part of the runs that is read.
#[derive(Args, Debug)]
#[command(next_help_heading = "Part of the runs")]
pub(crate) struct RunSelectionArgs {
    /// Just these sites: 1-4,9
    #[arg(long, value_name = "LIST", value_parser = sites)]
    pub(crate) site: Option<NumberList>,
    /// Just these runs of each site: 1-4,9
    #[arg(long, value_name = "LIST", value_parser = runs)]
    pub(crate) run: Option<NumberList>,
    /// Just what goes on at this time or later, in µs since the start of the site's first run, as the timelines print it
    #[arg(long, value_name = "US", value_parser = time)]
    pub(crate) from: Option<Ticks>,
}

/// Numbers of sites or runs: `1-4,9`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NumberList {
    pub(crate) text: String,
    pub(crate) ranges: Vec<RangeInclusive<u64>>,
}

impl NumberList {
    /// Whether it names a single number.
    pub(crate) fn is_one(&self) -> bool {
        matches!(&self.ranges[..], [range] if range.start() == range.end())
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.ranges.iter().any(|range| range.contains(&number))
    }
}

fn sites(text: &str) -> Result<NumberList, String> {
    ranges(text, "site").map(|ranges| NumberList { text: text.to_owned(), ranges })
}

fn runs(text: &str) -> Result<NumberList, String> {
    ranges(text, "run").map(|ranges| NumberList { text: text.to_owned(), ranges })
}

/// The flags of `report`.
#[derive(Args, Debug)]
pub(crate) struct ReportArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) selection: RunSelectionArgs,
    /// Just what goes on before this time, in µs as above
    #[arg(long, value_name = "US", value_parser = time, help_heading = "Part of the runs")]
    pub(crate) to: Option<Ticks>,
    /// The page to write
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
    /// Test plan whose scenarios are counted and marked [default: the one that the runs were made with]
    #[arg(long, value_name = "PATH")]
    pub(crate) plan: Option<PathBuf>,
    /// What `verify --format json` printed: marks what it found
    #[arg(long, value_name = "FILE")]
    pub(crate) violations: Option<PathBuf>,
    /// What a tester reports, as CSV or STDF: marks the failing operations
    #[arg(long, value_name = "FILE")]
    pub(crate) fails: Option<PathBuf>,
    /// Columns or fields of --fails that have other names: site=NAME,run=NAME,op_uid=NAME
    #[arg(long, value_name = "MAP", requires = "fails")]
    pub(crate) map: Option<FieldMap>,
    /// Rows of the timelines that are shown at most, over all sites; later ones are left out, and the page says so
    #[arg(long, value_name = "N", default_value_t = nandseq_report::page::MOST_ROWS, value_parser = lines)]
    pub(crate) max_rows: usize,
}

/// The flags of `export`.
#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    #[command(flatten)]
    pub(crate) selection: RunSelectionArgs,
    /// Just what goes on before this time, in µs as above; `--to perfetto` and `--to vcd` choose the form, as --format does
    #[arg(long, value_name = "US", value_parser = form_or_time, help_heading = "Part of the runs")]
    pub(crate) to: Vec<FormOrTime>,
    /// Form of the timeline
    #[arg(long, value_name = "FORM")]
    pub(crate) format: Option<TimelineForm>,
    /// Join operations in a Perfetto trace: `data` joins each with the one that brought in the data that it passes
    #[arg(long, value_name = "WHAT")]
    pub(crate) flows: Option<Flows>,
    /// The file to write [default: timeline.pftrace or timeline.vcd]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// A value of `export --to`: the end of the part, or a form, as earlier versions had it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FormOrTime {
    /// The form.
    Form(TimelineForm),
    /// The end.
    Time(Ticks),
}

fn form_or_time(text: &str) -> Result<FormOrTime, String> {
    if let Ok(form) = TimelineForm::from_str(text, false) {
        return Ok(FormOrTime::Form(form));
    }
    match time(text) {
        Ok(time) => Ok(FormOrTime::Time(time)),
        Err(error) => Err(format!("neither a form, `perfetto` or `vcd`, nor a time: {error}")),
    }
}

/// Forms of a timeline.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum TimelineForm {
    /// Native trace of the Perfetto viewer
    Perfetto,
    /// Value change dump, for waveform viewers
    Vcd,
}

/// Further flows of a trace.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Flows {
    /// From the operation that brings data in to each that passes it on the bus later
    Data,
}

/// The subcommands of `coverage`.
#[derive(Subcommand, Debug)]
pub(crate) enum CoverageCommand {
    /// List what can be covered: every phase key and op name, with its bins, or why it has none.
    Universe(CoverageUniverseArgs),
    /// Say how much was covered, how evenly, and what was not.
    Report(CoverageReportArgs),
    /// Add up what sites and runs covered, wherever they were counted.
    Merge(CoverageMergeArgs),
    /// Compare what two sets of runs covered.
    Diff(CoverageDiffArgs),
    /// Exit with 1 unless enough was covered.
    Gate(CoverageGateArgs),
}

impl CoverageCommand {
    /// The flags that select the profile of written runs, if any are read.
    pub(super) const fn read_device(&mut self) -> Option<&mut ReadDeviceArgs> {
        match self {
            Self::Universe(_) => None,
            Self::Report(arguments) => Some(&mut arguments.counted.device),
            Self::Merge(arguments) => Some(&mut arguments.counted.device),
            Self::Diff(arguments) => Some(&mut arguments.device),
            Self::Gate(arguments) => Some(&mut arguments.counted.device),
        }
    }
}

/// The flags of `coverage universe`.
#[derive(Args, Debug)]
pub(crate) struct CoverageUniverseArgs {
    #[command(flatten)]
    pub(crate) in_force: InForceArgs,
    /// Form of the list: a table with tabs, or JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// The folders and files whose hits are counted, and the profile of their runs.
#[derive(Args, Debug)]
pub(crate) struct CountedArgs {
    /// Folders of sites, output folders of batches, or files that `coverage merge` wrote
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
}

/// The flags of `coverage report`.
#[derive(Args, Debug)]
pub(crate) struct CoverageReportArgs {
    #[command(flatten)]
    pub(crate) counted: CountedArgs,
    /// Test plan whose scenarios are counted [default: the one that the runs were made with]
    #[arg(long, value_name = "PATH")]
    pub(crate) plan: Option<PathBuf>,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
    /// Uncovered bins that the text lists; the JSON lists all
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = lines)]
    pub(crate) holes: usize,
}

/// The flags of `coverage merge`.
#[derive(Args, Debug)]
pub(crate) struct CoverageMergeArgs {
    #[command(flatten)]
    pub(crate) counted: CountedArgs,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "coverage.json")]
    pub(crate) output: PathBuf,
}

/// The flags of `coverage diff`.
#[derive(Args, Debug)]
pub(crate) struct CoverageDiffArgs {
    /// A folder, or a file that `coverage merge` wrote
    #[arg(value_name = "FIRST")]
    pub(crate) first: PathBuf,
    /// What it is compared with
    #[arg(value_name = "SECOND")]
    pub(crate) second: PathBuf,
    #[command(flatten)]
    pub(crate) device: ReadDeviceArgs,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: ReportFormat,
}

/// The flags of `coverage gate`.
#[derive(Args, Debug)]
pub(crate) struct CoverageGateArgs {
    #[command(flatten)]
    pub(crate) counted: CountedArgs,
    /// Test plan whose scenarios must have all their hits
    #[arg(long, value_name = "PATH")]
    pub(crate) plan: Option<PathBuf>,
    /// Percent of the bins that must have been hit
    #[arg(long, value_name = "PERCENT", value_parser = percent, required_unless_present = "plan")]
    pub(crate) min: Option<f64>,
    /// How often a bin must have been hit to count
    #[arg(long, value_name = "HITS", default_value = "1")]
    pub(crate) hits: Threshold,
}

/// How often a bin must have been hit.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum Threshold {
    /// Once
    #[value(name = "1")]
    Once,
    /// Ten times
    #[value(name = "10")]
    Ten,
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 =
        leading_zero_line(text).map_or_else(|| text.parse().map_err(|_| "not a number".to_owned()), Err)?;
    if (0.0..=100.0).contains(&number) { Ok(number) } else { Err("a percentage is 0 to 100".to_owned()) }
}
