//! The shares of a mix, compiled: which share each operation counts to.

use nandseq_device::Tables;
use nandseq_plan::model::{MixShare, WHOLE};
use nandseq_profile::OpId;

use super::distribution::Distribution;

/// The shares of what starts. What no share names is one more share, the last.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    /// By operation: its share; `None` for what proposes nothing.
    of_op: Vec<Option<u16>>,
    /// By operation: whether it keeps a die from falling idle, or leaves something suspended there. These yield to shares that come in bursts;
    /// what ends a lasting state goes on.
    holds_die: Vec<bool>,
    /// By share: what is wanted, in millionths.
    pub(crate) wanted: Vec<u32>,
    /// By share: whether some phase key gives one of its operations a weight.
    pub(crate) has_weight: Vec<bool>,
}

impl Mix {
    /// Compiles shares.
    pub(super) fn new(tables: &Tables, distributions: &[Distribution], shares: &[MixShare]) -> Self {
        let rest = WHOLE.saturating_sub(shares.iter().map(|share| share.share).sum());
        let mut of_op: Vec<Option<u16>> = tables.ops().map(|_| Some(shares.len() as u16)).collect();
        for (share, number) in shares.iter().zip(0..) {
            share.ops.iter().for_each(|op| of_op[op.index()] = Some(number));
        }
        for (op, _) in tables.ops().filter(|(_, info)| tables.base(info.base).effects.delay) {
            of_op[op.index()] = None;
        }
        let mut has_weight = vec![false; shares.len() + 1];
        let names = distributions.iter().flat_map(Distribution::names);
        for share in names.filter_map(|&(op, _)| of_op[op.index()]) {
            has_weight[usize::from(share)] = true;
        }
        let holds_die = tables.ops().map(|(_, info)| {
            let base = tables.base(info.base);
            base.changes_block || base.reads_page || base.effects.suspend.is_some()
        });
        let holds_die = holds_die.collect();
        Self { of_op, holds_die, wanted: shares.iter().map(|share| share.share).chain([rest]).collect(), has_weight }
    }

    /// The share that an operation counts to; `None` if it proposes nothing.
    pub(crate) fn share_of(&self, op: OpId) -> Option<usize> {
        self.of_op[op.index()].map(usize::from)
    }

    /// Whether an operation keeps a die from falling idle.
    pub(crate) fn holds_die(&self, op: OpId) -> bool {
        self.holds_die[op.index()]
    }

    /// Adds a number of each operation up by share.
    pub(crate) fn add_up(&self, by_op: &[u64], sums: &mut [u64]) {
        sums.fill(0);
        for (&share, number) in self.of_op.iter().zip(by_op) {
            share.into_iter().for_each(|share| sums[usize::from(share)] += number);
        }
    }
}
