//! The command line as typed: flags, their help and their defaults. `campaign` decides what the flags mean together.
//!
//! `nandseqgen` without a subcommand takes the same flags as `nandseqgen generate`. Each group of subcommands has a file of its
//! own. This file has the program and the list of subcommands.

pub(crate) mod campaigns;
mod console;
pub(crate) mod diagnose;
pub(crate) mod environment;
mod examples;
pub(crate) mod explain;
pub(crate) mod generate;
pub(crate) mod in_force;
pub(crate) mod judging;
mod of_manifest;
pub(crate) mod plan;
pub(crate) mod profile;
pub(crate) mod reports;
pub(crate) mod shrink;
mod simulate;
mod values;
mod words;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use self::campaigns::{MergeArgs, ReplayArgs, RunListArgs};
use self::console::ConsoleArgs;
use self::diagnose::DiagnoseArgs;
use self::explain::ExplainArgs;
pub(crate) use self::generate::{
    DEFAULT_OUT_DIR, DEFAULT_RUN_US, Format, GenerateArgs, ProposerLog, SeedFormula, SiteArgs,
};
pub(crate) use self::in_force::DemoFlag;
pub(crate) use self::judging::VerifyArgs;
pub(crate) use self::of_manifest::{OF_SHRINK, first_line, flags_of_manifest, flags_of_origin, words_of_manifest};
pub(crate) use self::plan::{PlanArgs, PlanCommand};
pub(crate) use self::profile::{CheckArgs, ListArgs, ProfileArgs, ProfileCommand};
use self::reports::{CoverageCommand, ExportArgs, ReadDeviceArgs, ReportArgs};
use self::shrink::ShrinkArgs;
pub(crate) use self::simulate::SimulateArgs;
pub(crate) use self::values::ReportFormat;
pub(crate) use self::words::opposed;

/// Random legal NAND operation sequences for automated test equipment.
///
/// Without a subcommand this is `nandseqgen generate`: it writes sequences for the built-in device, or for the profile that
/// --config names, into the output folder.
#[derive(Parser, Debug)]
#[command(name = "nandseqgen", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Exit codes: 0 done; 1 violations or differences found (verify, replay); 2 wrong usage or unusable input; \
                        3 could not write; 4 what was asked for (--ops, --until-coverage, hits of a plan) was not reached; 130 interrupted."
)]
pub(crate) struct CommandLine {
    /// The subcommand; `None` means `generate`.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// The flags of `generate`.
    #[command(flatten)]
    pub(crate) generate: GenerateArgs,
    /// The flags of every subcommand.
    #[command(flatten)]
    pub(crate) console: ConsoleArgs,
}

impl CommandLine {
    /// The flags that select the profile of written runs; `None` for commands that read none, or take it from a manifest alone.
    fn read_device(&mut self) -> Option<&mut ReadDeviceArgs> {
        match self.command.as_mut()? {
            Command::Verify(arguments) => Some(&mut arguments.device),
            Command::Report(arguments) => Some(&mut arguments.source.device),
            Command::Export(arguments) => Some(&mut arguments.source.device),
            Command::Simulate(arguments) => Some(&mut arguments.device),
            Command::Diagnose(arguments) => Some(&mut arguments.source.device),
            Command::Shrink(arguments) => Some(&mut arguments.device),
            Command::Coverage(command) => command.read_device(),
            Command::Generate(_)
            | Command::RunList(_)
            | Command::Replay(_)
            | Command::Merge(_)
            | Command::Explain(_)
            | Command::Profile(_)
            | Command::Plan(_)
            | Command::Completions { .. }
            | Command::ShellFiles { .. } => None,
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
    /// Play written runs against a planted fault, and write what a tester would report.
    Simulate(SimulateArgs),
    /// Say what goes with failing: a combination of operations, or a bad site or block.
    Diagnose(DiagnoseArgs),
    /// Find the smallest legal sequence that still fails.
    Shrink(ShrinkArgs),
    /// Say why an operation never appears, or how often it does; or what a rule says.
    Explain(ExplainArgs),
    /// Check, convert and show device profiles.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Check and show test plans, which say what to try on a device.
    #[command(subcommand)]
    Plan(PlanCommand),
    /// Print the completion script of a shell.
    Completions {
        /// Which shell.
        shell: Shell,
    },
    /// Write manual pages and the completion scripts of all shells.
    ///
    /// man, bash and fish find them if the folder is one of theirs: ~/.local/share for yourself,
    /// /usr/local/share for everybody.
    ShellFiles {
        /// The folder; it is made if need be
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}
