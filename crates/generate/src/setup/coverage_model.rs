//! What is to be covered: the bins that count, and the time bin for which a proposal counts.
//!
//! A bin is a phase key, an op name and a time bin of the key's phase ([`Bin`]). Which bins count is handed in as data; nothing here
//! knows why.

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

/// When a phase key is in force, as far as input times ask.
#[derive(Clone, Copy, Debug)]
enum KeySpan {
    /// At no stretch of time with bounds: one bin for each name.
    Whole,
    /// In a phase of a base, whose END key this is.
    Phase(PhaseKey, PhaseKind),
}

/// A name under a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: PhaseKey,
    pub(crate) op: OpId,
    /// Its time bins that count, a bit each.
    pub(crate) time_bins: u16,
    /// Its first bin; the others follow.
    pub(crate) first: u32,
}

/// The bins that count, compiled.
#[derive(Clone, Debug)]
pub struct CoverageModel {
    ops: usize,
    pub(crate) bases: usize,
    pub(crate) pairs: Vec<Pair>,
    /// By key and name.
    pair_of: Vec<u32>,
    /// By name.
    pub(crate) class_of: Vec<ClassId>,
    /// By key.
    spans: Vec<KeySpan>,
    bins: u32,
    pub(crate) classes: usize,
    directed: bool,
    /// What operations lead to.
    pub(crate) consequences: Consequences,
}

impl CoverageModel {
    /// The bins that count, in any order; `time_bins` says how many time bins a key counts for, 10 or 1. `directed`: whether proposals
    /// are to go for what is uncovered; else they are only counted.
    ///
    /// # Panics
    /// When a bin is none of the profile.
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

    /// The same, with what operations lead to.
    pub(crate) fn compiled(mut self, profile: &Profile, tables: &Tables, classes: &Classes) -> Self {
        self.class_of = tables.ops().map(|(_, info)| classes.of(info)).collect();
        self.classes = classes.count();
        self.consequences = Consequences::new(profile, tables, classes);
        self
    }

    /// How many bins count.
    #[must_use]
    pub const fn bin_count(&self) -> u64 {
        self.bins as u64
    }

    /// Which bins count, in the order in which hits are kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let pair = |pair: &Pair| format!("{} {} {}\n", pair.key.index(), pair.op.index(), pair.time_bins);
        Digest::of(self.pairs.iter().map(pair).collect::<String>().as_bytes())
    }

    /// Whether proposals go for what is uncovered.
    pub(crate) const fn is_directed(&self) -> bool {
        self.directed
    }

    /// How many phase keys the profile has.
    pub(crate) fn keys(&self) -> usize {
        self.spans.len()
    }

    /// The number of the pair of a key and a name, if it counts.
    pub(crate) fn pair(&self, key: PhaseKey, op: OpId) -> Option<usize> {
        match self.pair_of[key.index() * self.ops + op.index()] {
            NONE => None,
            pair => Some(pair as usize),
        }
    }

    /// The time bin for which a proposal counts that is made in an op_state and starts then.
    pub(crate) fn time_bin(&self, key: PhaseKey, state: &OpState, start: Ticks) -> u8 {
        match self.spans[key.index()] {
            KeySpan::Whole => 0,
            KeySpan::Phase(of, phase) => {
                let is_of_key = state.of == of && state.phase == Some(phase);
                time_bin(is_of_key.then(|| state.hundredths(start)))
            }
        }
    }

    /// The bins that count, in the order in which hits are kept.
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
