//! What can be covered: the legal universe, as somebody who knows the rules hands it in.

use nandseq_profile::input_time::{Bin, TIME_BINS, has_length};
use nandseq_profile::{IdVec, OpId, PhaseKey, Profile};

use crate::page::KeyDistribution;

/// What is known of an operation under a phase key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It can be proposed and accepted: its bins count.
    Counts,
    /// It can, but only by a coincidence that nobody waits for: its bins do not count, and are no mistake.
    Chance,
    /// It never can: why.
    Never(String),
}

/// The standing of every operation under every phase key.
#[derive(Clone, Debug)]
pub struct CoverageUniverse {
    standings: IdVec<PhaseKey, Vec<Standing>>,
    /// Whether the key's phase has a length.
    lengths: IdVec<PhaseKey, bool>,
    /// By key and name: the time bins that can be reached, if anybody knows.
    time_bins: Option<IdVec<PhaseKey, Vec<u16>>>,
    source: String,
}

impl CoverageUniverse {
    /// A universe of standings that `standing` says; `source` says for readers where it comes from.
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

    /// The same, with the time bins in which what counts can start, a bit each.
    #[must_use]
    pub fn with_time_bins(mut self, profile: &Profile, time_bins: impl Fn(PhaseKey, OpId) -> u16) -> Self {
        let of_key = |key: PhaseKey| profile.ops.ids().map(|op| time_bins(key, op)).collect();
        self.time_bins = Some(profile.phase_keys.ids().map(of_key).collect());
        self
    }

    /// What a probability table proposes: larger than what the rules of the device let happen, so that 100 % is out of reach.
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

    /// Where it comes from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The standing of an operation under a key.
    #[must_use]
    pub fn standing(&self, key: PhaseKey, op: OpId) -> &Standing {
        &self.standings[key][op.index()]
    }

    /// How many time bins a key's phase counts for: one where it has no length.
    #[must_use]
    pub fn time_bin_count(&self, key: PhaseKey) -> u8 {
        if self.lengths[key] { TIME_BINS } else { 1 }
    }

    /// The time bins of a key for which an operation counts that can be proposed under it, a bit each.
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
