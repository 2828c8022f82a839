//! The flags that select the device and the probabilities of its operations. Every subcommand that generates, or predicts what a
//! generation would do, takes them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nandseq_profile::Ticks;

use super::values::{time, whole};

/// The device, the probabilities of its operations, and whether the bootstrap comes first.
#[derive(Args, Clone, Debug)]
pub(crate) struct InForceArgs {
    #[command(flatten, next_help_heading = "Device")]
    pub(crate) device: DeviceArgs,
    #[command(flatten, next_help_heading = "Probabilities")]
    pub(crate) table: TableArgs,
    /// Look at what a device can do after the profile's bootstrap
    #[arg(long, overrides_with = "no_bootstrap")]
    pub(crate) bootstrap: bool,
    /// Look at a blank device (the default, unless the profile says otherwise)
    #[arg(long, overrides_with = "bootstrap")]
    pub(crate) no_bootstrap: bool,
}

/// The flags that select the device.
#[derive(Args, Clone, Debug)]
pub(crate) struct DeviceArgs {
    /// Device profile, native or legacy [default: the built-in device]
    #[arg(long, value_name = "PATH")]
    pub(crate) config: Option<PathBuf>,
    /// Leave out operations that the profile describes wrongly, with a warning, instead of refusing it
    #[arg(long)]
    pub(crate) lenient: bool,
    /// How long a proposal may wait for the bus [default: as the profile says]
    #[arg(long, value_name = "US", value_parser = time)]
    pub(crate) admission_window: Option<Ticks>,
    /// Whether only files that flags name are read, and none that merely lies there. A manifest names all that were read.
    #[arg(skip)]
    pub(crate) only_named: bool,
    /// Bad blocks, a CSV file with the header die,block [default: badlist.csv if there is one]
    #[arg(long, value_name = "CSV")]
    pub(crate) badlist: Option<PathBuf>,
}

/// The flags that select the probability table.
#[derive(Args, Clone, Debug)]
pub(crate) struct TableArgs {
    /// Preset for the phase key DEFAULT
    #[arg(long, value_name = "PRESET")]
    pub(crate) pc_demo: Option<DemoFlag>,
    /// Probability table to load [default: op_state_probs.yaml beside the profile, if it is there]
    #[arg(long, value_name = "PATH")]
    pub(crate) op_state_probs: Option<PathBuf>,
    /// Build the table anew, whatever file there is
    #[arg(long)]
    pub(crate) autofill_pc: bool,
    /// Seed of a built table
    #[arg(long, value_name = "N", default_value_t = nandseq_generate::probability::DEFAULT_TABLE_SEED, value_parser = whole(0..=u64::MAX))]
    pub(crate) pc_seed: u64,
}

/// Presets for the phase key DEFAULT.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum, Debug)]
pub(crate) enum DemoFlag {
    /// Erases only
    EraseOnly,
    /// Erases, programs and reads
    Mix,
    /// Programs and reads
    PgmRead,
}
