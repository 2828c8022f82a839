//! The sums of a run.

use nandseq_profile::Ticks;

use super::reason::Rejections;
use crate::dead::{DeadDie, LastingState};

/// The sums of a run.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// Operations started.
    pub ops: u64,
    /// Of these, the operations of the bootstrap.
    pub bootstrap_ops: u64,
    /// Operations started, by [`OpId`](nandseq_profile::OpId).
    pub by_op: Vec<u64>,
    /// When the run began.
    pub start: Ticks,
    /// When the next run begins: everything in flight has ended.
    pub end: Ticks,
    /// Proposals that failed, counted.
    pub rejections: Rejections,
    /// The dead dies in the order in which they were found, those found in earlier runs of the site included.
    pub dead: Vec<DeadDie>,
    /// The lasting state of each die at the end. Its blocks are not counted.
    pub at_end: Vec<LastingState>,
}
