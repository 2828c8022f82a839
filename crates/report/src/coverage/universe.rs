//! The universe: the bins that can be hit, as the caller states them.

use nandseq_profile::{IdVec, OpId, PhaseKey, Profile, Ticks};

use super::cell::{BINS, Cell};
use crate::page::Distribution;

/// Whether an operation under a phase key counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It can be proposed and accepted: its bins count.
    Counts,
    /// It can, but only by coincidence: its bins do not count, and a hit of them is no mistake.
    Chance,
    /// It never can, with the reason.
    Never(String),
}

/// The standing of every operation under every phase key.
#[derive(Clone, Debug)]
pub struct Universe {
    standings: IdVec<PhaseKey, Vec<Standing>>,
    /// Whether the key's phase has a length.
    lengths: IdVec<PhaseKey, bool>,
    /// By key and operation: the tenths in which it can start, one bit each; `None` if they are not known.
    tenths: Option<IdVec<PhaseKey, Vec<u16>>>,
    source: String,
}

impl Universe {
    /// A universe of the standings that `standing` returns. `source` tells readers where they come from.
    #[must_use]
    pub fn new(profile: &Profile, source: &str, standing: impl Fn(PhaseKey, OpId) -> Standing) -> Self {
        let of_key = |key: PhaseKey| profile.ops.ids().map(|op| standing(key, op)).collect();
        Self {
            standings: profile.phase_keys.ids().map(of_key).collect(),
            lengths: lengths(profile),
            tenths: None,
            source: source.to_owned(),
        }
    }

    /// Limits the bins of each pair to the `tenths` in which it can start, one bit each.
    #[must_use]
    pub fn with_tenths(mut self, profile: &Profile, tenths: impl Fn(PhaseKey, OpId) -> u16) -> Self {
        let of_key = |key: PhaseKey| profile.ops.ids().map(|op| tenths(key, op)).collect();
        self.tenths = Some(profile.phase_keys.ids().map(of_key).collect());
        self
    }

    /// The universe of the pairs that a probability table proposes. The rules of the device allow less, so that 100 % is out of
    /// reach.
    #[must_use]
    pub fn of_table(profile: &Profile, table: &[Distribution]) -> Self {
        let mut proposed = vec![vec![false; profile.ops.len()]; profile.phase_keys.len()];
        for (key, weights) in table {
            for (op, _) in weights.iter().filter(|(_, weight)| *weight > 0.0) {
                proposed[key.index()][op.index()] = true;
            }
        }
        Self::new(profile, "what the probability table proposes", |key, op| {
            if proposed[key.index()][op.index()] {
                Standing::Counts
            } else {
                Standing::Never("the probability table gives it no weight".to_owned())
            }
        })
    }

    /// Where the universe comes from, in words.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The standing of an operation under a key.
    #[must_use]
    pub fn standing(&self, key: PhaseKey, op: OpId) -> &Standing {
        &self.standings[key][op.index()]
    }

    /// The number of tenths of a key's phase; 1 if it has no length.
    #[must_use]
    pub fn bins(&self, key: PhaseKey) -> u8 {
        if self.lengths[key] { BINS } else { 1 }
    }

    /// The tenths of a key in which an operation can start, one bit each.
    #[must_use]
    pub fn tenths(&self, key: PhaseKey, op: OpId) -> u16 {
        let all = (1 << self.bins(key)) - 1;
        all & self.tenths.as_ref().map_or(all, |tenths| tenths[key][op.index()])
    }

    /// The bins that count, in their order.
    pub fn cells(&self) -> impl Iterator<Item = Cell> + '_ {
        let of_pair = move |key, op| {
            let tenths = self.tenths(key, op);
            (0..BINS).filter(move |bin| tenths >> bin & 1 == 1).map(move |bin| Cell { key, op, bin })
        };
        self.standings.iter_ids().flat_map(move |(key, ops)| {
            let counting = ops.iter().enumerate().filter(|(_, standing)| **standing == Standing::Counts);
            counting.flat_map(move |(op, _)| of_pair(key, OpId::from(op)))
        })
    }

    /// Whether a bin counts.
    #[must_use]
    pub fn holds(&self, cell: Cell) -> bool {
        self.tenths(cell.key, cell.op) >> cell.bin & 1 == 1 && *self.standing(cell.key, cell.op) == Standing::Counts
    }
}

/// For each phase key whether its phase has a length.
pub(super) fn lengths(profile: &Profile) -> IdVec<PhaseKey, bool> {
    profile.phase_keys.ids().map(|key| has_length(profile, key)).collect()
}

/// Whether the key's phase has a length with some operation.
fn has_length(profile: &Profile, key: PhaseKey) -> bool {
    let info = &profile.phase_keys[key];
    let (Some(base), Some(phase)) = (info.base, info.phase) else { return false };
    let Some(at) = profile.bases[base].phases.iter().position(|one| one.kind == phase) else { return false };
    profile.ops.iter().any(|op| op.base == base && op.durations.get(at).is_some_and(|&length| length > Ticks::ZERO))
}
