//! The coverage model: its bins, and the tenth of a phase for which a proposal counts.
//!
//! A bin is a phase key, an op name and a tenth of the key's phase, as coverage reports count them ([`Cell`]). The caller decides
//! which bins a model has.

use nandseq_device::Tables;
use nandseq_profile::input_time::{TENTHS, tenth};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{OpId, PhaseKey, Profile, Ticks};
use nandseq_trace::OpState;
use nandseq_trace::files::Digest;

use super::classes::{ClassId, Classes};
use super::consequences::Consequences;

/// No pair.
const NONE: u32 = u32::MAX;

/// A bin: an operation under a phase key, in a tenth of its phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell {
    /// The phase key whose distribution proposes it.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// The tenth of the phase, 0..=9; 0 under a key without length.
    pub bin: u8,
}

/// The span of time in which a phase key is in force, as far as tenths depend on it.
#[derive(Clone, Copy, Debug)]
enum Span {
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
    pub(crate) bins: u16,
    /// The number of its first bin; its other bins follow.
    pub(crate) first: u32,
}

/// A coverage model: a set of bins, compiled.
#[derive(Clone, Debug)]
pub struct Goal {
    ops: usize,
    pub(crate) bases: usize,
    pub(crate) pairs: Vec<Pair>,
    /// By key and name: the number of their pair, or [`NONE`].
    pair_of: Vec<u32>,
    /// By name.
    pub(crate) class_of: Vec<ClassId>,
    /// By key.
    spans: Vec<Span>,
    cells: u32,
    pub(crate) classes: usize,
    directed: bool,
    /// The consequences of operations.
    pub(crate) consequences: Consequences,
}

impl Goal {
    /// A model of `cells`, which may come in any order. `tenths` says how many tenths a key has, 10 or 1. `directed`: whether
    /// generation draws uncovered bins more often; otherwise it counts hits only.
    ///
    /// # Panics
    /// When a bin does not belong to the profile.
    #[must_use]
    pub fn new(
        profile: &Profile,
        cells: impl IntoIterator<Item = Cell>,
        tenths: impl Fn(PhaseKey) -> u8,
        directed: bool,
    ) -> Self {
        let ops = profile.ops.len();
        let mut masks = vec![0u16; profile.phase_keys.len() * ops];
        for cell in cells {
            assert!(cell.op.index() < ops && cell.bin < TENTHS, "a cell of another profile");
            masks[cell.key.index() * ops + cell.op.index()] |= 1 << cell.bin;
        }
        let span = |key: PhaseKey| {
            let info = &profile.phase_keys[key];
            match (info.base, info.phase) {
                (Some(base), Some(phase)) if tenths(key) > 1 => {
                    profile.phase_key(base, None).map_or(Span::Whole, |end| Span::Phase(end, phase))
                }
                (Some(_) | None, Some(_) | None) => Span::Whole,
            }
        };
        let mut goal = Self {
            ops,
            bases: profile.bases.len(),
            pairs: Vec::new(),
            pair_of: vec![NONE; masks.len()],
            class_of: Vec::new(),
            classes: 0,
            spans: profile.phase_keys.ids().map(span).collect(),
            cells: 0,
            directed,
            consequences: Consequences::default(),
        };
        for (at, &bins) in masks.iter().enumerate().filter(|(_, bins)| **bins != 0) {
            goal.pair_of[at] = goal.pairs.len() as u32;
            let (key, op) = (PhaseKey::from(at / ops), OpId::from(at % ops));
            goal.pairs.push(Pair { key, op, bins, first: goal.cells });
            goal.cells += bins.count_ones();
        }
        goal
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
    pub const fn cells(&self) -> u64 {
        self.cells as u64
    }

    /// A digest of the model's bins, in the order in which hits are kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let pair = |pair: &Pair| format!("{} {} {}\n", pair.key.index(), pair.op.index(), pair.bins);
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
    pub(crate) fn bin(&self, key: PhaseKey, state: &OpState, start: Ticks) -> u8 {
        match self.spans[key.index()] {
            Span::Whole => 0,
            Span::Phase(of, phase) if state.of == of && state.phase == Some(phase) => tenth(state.hundredths(start)),
            Span::Phase(..) => TENTHS - 1,
        }
    }

    /// The bins of the model, in the order in which hits are kept.
    pub(crate) fn bins(&self) -> impl Iterator<Item = Cell> {
        let bins = |pair: &Pair| {
            let (key, op) = (pair.key, pair.op);
            tenths(pair.bins).map(move |bin| Cell { key, op, bin })
        };
        self.pairs.iter().flat_map(bins)
    }
}

/// The tenths of a set, ascending.
pub(crate) fn tenths(set: u16) -> impl Iterator<Item = u8> {
    (0..TENTHS).filter(move |bin| set >> bin & 1 == 1)
}
