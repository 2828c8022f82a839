//! What a run did, in sum.

use nandseq_profile::Ticks;

use super::reason::Rejections;
use crate::dead::DeadDie;

/// What a run did.
#[derive(Clone, Debug, Default)]
pub struct RunSummary {
    /// Operations started.
    pub ops: u64,
    /// Operations started, by [`OpId`](nandseq_profile::OpId).
    pub by_op: Vec<u64>,
    /// When the run began and when everything it started had ended.
    pub start: Ticks,
    /// See `start`.
    pub end: Ticks,
    /// Proposals that failed.
    pub rejections: Rejections,
    /// The dies on which nothing can ever start again, in the order in which they were found, in earlier runs of the site too.
    pub dead: Vec<DeadDie>,
}
