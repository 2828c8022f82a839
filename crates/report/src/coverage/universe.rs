//! The universe: the bins that can be hit, as the caller states them.

use nandseq_profile::input_time::{Bin, TIME_BINS, has_length};
use nandseq_profile::{IdVec, OpId, PhaseKey, Profile};

use crate::page::KeyDistribution;

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
pub struct CoverageUniverse {
    standings: IdVec<PhaseKey, Vec<Standing>>,
    /// Whether the key's phase has a length.
    lengths: IdVec<PhaseKey, bool>,
    /// By key and operation: the tenths in which it can start, one bit each; `None` if they are not known.
    time_bins: Option<IdVec<PhaseKey, Vec<u16>>>,
    source: String,
}

impl CoverageUniverse {
    /// A universe of the standings that `standing` returns. `source` tells readers where they come from.
    #[must_use]
    pub fn new(profile: &Profile, source: &str, standing: impl Fn(PhaseKey, OpId) -> Standing) -> Self {
        let of_key = |key: PhaseKey| profile.ops.ids().map(|op| standing(key, op)).collect();
        Self {
            standings: profile.phase_keys.ids().map(of_key).collect(),
            lengths: lengths(profile),
            time_bins: None,
            source: source.to_owned(),
        }
    }

    /// Limits the bins of each pair to the `tenths` in which it can start, one bit each.
    #[must_use]
    pub fn with_time_bins(mut self, profile: &Profile, time_bins: impl Fn(PhaseKey, OpId) -> u16) -> Self {
        let of_key = |key: PhaseKey| profile.ops.ids().map(|op| time_bins(key, op)).collect();
        self.time_bins = Some(profile.phase_keys.ids().map(of_key).collect());
        self
    }

    /// The universe of the pairs that a probability table proposes. The rules of the device allow less, so that 100 % is out of
    /// reach.
    #[must_use]
    pub fn of_table(profile: &Profile, table: &[KeyDistribution]) -> Self {
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
    pub fn time_bin_count(&self, key: PhaseKey) -> u8 {
        if self.lengths[key] { TIME_BINS } else { 1 }
    }

    /// The tenths of a key in which an operation can start, one bit each.
    #[must_use]
    pub fn time_bins(&self, key: PhaseKey, op: OpId) -> u16 {
        let all = (1 << self.time_bin_count(key)) - 1;
        all & self.time_bins.as_ref().map_or(all, |time_bins| time_bins[key][op.index()])
    }

    /// The bins that count, in their order.
    pub fn bins(&self) -> impl Iterator<Item = Bin> + '_ {
        let of_pair = move |key, op| {
            let time_bins = self.time_bins(key, op);
            (0..TIME_BINS).filter(move |time_bin| time_bins >> time_bin & 1 == 1).map(move |time_bin| Bin {
                key,
                op,
                time_bin,
            })
        };
        self.standings.iter_ids().flat_map(move |(key, ops)| {
            let counting = ops.iter().enumerate().filter(|(_, standing)| **standing == Standing::Counts);
            counting.flat_map(move |(op, _)| of_pair(key, OpId::from(op)))
        })
    }

    /// Whether a bin counts.
    #[must_use]
    pub fn holds(&self, bin: Bin) -> bool {
        self.time_bins(bin.key, bin.op) >> bin.time_bin & 1 == 1 && *self.standing(bin.key, bin.op) == Standing::Counts
    }
}

/// For each phase key whether its phase has a length.
pub(super) fn lengths(profile: &Profile) -> IdVec<PhaseKey, bool> {
    profile.phase_keys.ids().map(|key| has_length(profile, key)).collect()
}
