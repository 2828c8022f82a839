//! The site of a trial: how far it goes, its bootstrap, and how it ended.

use std::io;

use nandseq_generate::dead::{DeadDie, LastingState};
use nandseq_generate::{RunError, RunLimits, RunSummary, Site};
use nandseq_profile::Ticks;
use nandseq_profile::model::DeviceState;
use nandseq_reach::Start;
use nandseq_trace::{Operation, Sink};

/// Operations of a trial of `explain` or `profile check`.
pub(crate) const TRIAL_OPS: u64 = 20_000;
/// Greatest simulated time of a trial with few operations, µs.
pub(super) const LONGEST_US: u64 = 20_000_000;
/// The seed of the trial: that of a campaign without `--seed`.
pub(super) const SEED: u64 = 42;

/// How a trial ended.
pub(super) struct Ended {
    /// The dead dies.
    pub(super) dead: Vec<DeadDie>,
    /// The lasting states of each die.
    pub(super) at_end: Vec<Vec<DeviceState>>,
    /// Operations of the bootstrap.
    pub(super) bootstrap_ops: u64,
}

impl Ended {
    /// With a run, after a bootstrap of some operations.
    pub(super) fn with(summary: RunSummary, bootstrap_ops: u64) -> Self {
        let at_end = summary.at_end.iter().map(LastingState::device_states).collect();
        Self { dead: summary.dead, at_end, bootstrap_ops }
    }
}

/// Makes the bootstrap, if there is one. Returns the number of its operations.
pub(super) fn bootstrap(site: &mut Site<'_>, start: Start<'_>) -> Result<u64, RunError> {
    let first = RunLimits { run_until: Ticks::ZERO, bootstrap: true, ..RunLimits::default() };
    Ok(if start.bootstrap { site.run(&first, &mut Uncounted)?.ops } else { 0 })
}

/// A sink that ignores the bootstrap before a trial.
struct Uncounted;

impl Sink for Uncounted {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}
