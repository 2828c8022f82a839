//! The coverage model: its bins, and the tenth of a phase for which a proposal counts.
//!
//! A bin is a phase key, an op name and a tenth of the key's phase, as coverage reports count them ([`Cell`]). The caller decides
//! which bins a model has.

use nandseq_device::Tables;
use nandseq_profile::input_time::{Bin, TIME_BINS, time_bin};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_trace::OpState;
use nandseq_trace::files::Digest;

use super::classes::{ClassId, Classes};
use super::consequences::Consequences;

/// No pair.
const NONE: u32 = u32::MAX;

/// The span of time in which a phase key is in force, as far as tenths depend on it.
#[derive(Clone, Copy, Debug)]
enum KeySpan {
    /// A span without bounds: one bin for each name.
    Whole,
    /// A phase of the base with this END key.
    Phase(PhaseKey, PhaseKind),
}

/// A name under a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: PhaseKey,
    pub(crate) op: OpId,
    /// The tenths for which the model has a bin, a bit each.
    pub(crate) time_bins: u16,
    /// The number of its first bin; its other bins follow.
    pub(crate) first: u32,
}

/// A coverage model: a set of bins, compiled.
#[derive(Clone, Debug)]
pub struct CoverageModel {
    ops: usize,
    pub(crate) bases: usize,
    pub(crate) pairs: Vec<Pair>,
    /// By key and name: the number of their pair, or [`NONE`].
    pair_of: Vec<u32>,
    /// By name.
    pub(crate) class_of: Vec<ClassId>,
    /// By key.
    spans: Vec<KeySpan>,
    bins: u32,
    pub(crate) classes: usize,
    directed: bool,
    /// The consequences of operations.
    pub(crate) consequences: Consequences,
}

impl CoverageModel {
    /// A model of `cells`, which may come in any order. `tenths` says how many tenths a key has, 10 or 1. `directed`: whether
    /// generation draws uncovered bins more often; otherwise it counts hits only.
    ///
    /// # Panics
    /// When a bin does not belong to the profile.
    #[must_use]
    pub fn new(
        profile: &Profile,
        bins: impl IntoIterator<Item = Bin>,
        time_bins: impl Fn(PhaseKey) -> u8,
        directed: bool,
    ) -> Self {
        let ops = profile.ops.len();
        let mut masks = vec![0u16; profile.phase_keys.len() * ops];
        for bin in bins {
            assert!(bin.op.index() < ops && bin.time_bin < TIME_BINS, "a bin of another profile");
            masks[bin.key.index() * ops + bin.op.index()] |= 1 << bin.time_bin;
        }
        let span = |key: PhaseKey| {
            let info = &profile.phase_keys[key];
            match (info.base, info.phase) {
                (Some(base), Some(phase)) if time_bins(key) > 1 => {
                    profile.phase_key(base, None).map_or(KeySpan::Whole, |end| KeySpan::Phase(end, phase))
                }
                (Some(_) | None, Some(_) | None) => KeySpan::Whole,
            }
        };
        let mut model = Self {
            ops,
            bases: profile.bases.len(),
            pairs: Vec::new(),
            pair_of: vec![NONE; masks.len()],
            class_of: Vec::new(),
            classes: 0,
            spans: profile.phase_keys.ids().map(span).collect(),
            bins: 0,
            directed,
            consequences: Consequences::default(),
        };
        for (at, &time_bins) in masks.iter().enumerate().filter(|(_, time_bins)| **time_bins != 0) {
            model.pair_of[at] = model.pairs.len() as u32;
            let (key, op) = (PhaseKey::from(at / ops), OpId::from(at % ops));
            model.pairs.push(Pair { key, op, time_bins, first: model.bins });
            model.bins += time_bins.count_ones();
        }
        model
    }

    /// The same model, with the consequences of operations.
    pub(crate) fn compiled(mut self, profile: &Profile, tables: &Tables, classes: &Classes) -> Self {
        self.class_of = tables.ops().map(|(_, info)| classes.of(info)).collect();
        self.classes = classes.count();
        self.consequences = Consequences::new(profile, tables, classes);
        self
    }

    /// How many bins the model has.
    #[must_use]
    pub const fn bin_count(&self) -> u64 {
        self.bins as u64
    }

    /// A digest of the model's bins, in the order in which hits are kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let pair = |pair: &Pair| format!("{} {} {}\n", pair.key.index(), pair.op.index(), pair.time_bins);
        Digest::of(self.pairs.iter().map(pair).collect::<String>().as_bytes())
    }

    /// Whether generation draws uncovered bins more often.
    pub(crate) const fn is_directed(&self) -> bool {
        self.directed
    }

    /// How many phase keys the profile has.
    pub(crate) fn keys(&self) -> usize {
        self.spans.len()
    }

    /// The number of the pair of a key and a name, if the model has a bin of it.
    pub(crate) fn pair(&self, key: PhaseKey, op: OpId) -> Option<usize> {
        match self.pair_of[key.index() * self.ops + op.index()] {
            NONE => None,
            pair => Some(pair as usize),
        }
    }

    /// The tenth for which a proposal counts that is made in the op_state `state` and starts at `start`.
    ///
    /// A hook in the ISSUE of the next operation, or on the tick at which a phase begins, still has the key before. Then the
    /// op_state is not the key's, the key's phase is just over, and its last tenth counts.
    pub(crate) fn time_bin(&self, key: PhaseKey, state: &OpState, start: Ticks) -> u8 {
        match self.spans[key.index()] {
            KeySpan::Whole => 0,
            KeySpan::Phase(of, phase) => {
                let is_of_key = state.of == of && state.phase == Some(phase);
                time_bin(is_of_key.then(|| state.hundredths(start)))
            }
        }
    }

    /// The bins of the model, in the order in which hits are kept.
    pub(crate) fn bins(&self) -> impl Iterator<Item = Bin> {
        let bins = |pair: &Pair| {
            let (key, op) = (pair.key, pair.op);
            time_bins(pair.time_bins).map(move |time_bin| Bin { key, op, time_bin })
        };
        self.pairs.iter().flat_map(bins)
    }
}

/// The time bins of a set, ascending.
pub(crate) fn time_bins(set: u16) -> impl Iterator<Item = u8> {
    (0..TIME_BINS).filter(move |time_bin| set >> time_bin & 1 == 1)
}
