//! What is to be covered: the bins that count, and the tenth of a phase for which a proposal counts.
//!
//! A bin is a phase key, an op name and a tenth of the key's phase, as coverage reports count them ([`Cell`]). Which bins count is
//! handed in as data; nothing here knows why.

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

/// What can be covered: an operation under a phase key, at a time of its phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell {
    /// The phase key whose distribution proposes it.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// The tenth of the phase, 0..=9; 0 under a key without length.
    pub bin: u8,
}

/// When a phase key is in force, as far as input times ask.
#[derive(Clone, Copy, Debug)]
enum Span {
    /// At no stretch of time with bounds: one cell for each name.
    Whole,
    /// In a phase of a base, whose END key this is.
    Phase(PhaseKey, PhaseKind),
}

/// A name under a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    pub(crate) key: PhaseKey,
    pub(crate) op: OpId,
    /// Its tenths that count, a bit each.
    pub(crate) bins: u16,
    /// Its first cell; the others follow.
    pub(crate) first: u32,
}

/// The cells that count, compiled.
#[derive(Clone, Debug)]
pub struct Goal {
    ops: usize,
    pub(crate) bases: usize,
    pub(crate) pairs: Vec<Pair>,
    /// By key and name.
    pair_of: Vec<u32>,
    /// By name.
    pub(crate) class_of: Vec<ClassId>,
    /// By key.
    spans: Vec<Span>,
    cells: u32,
    pub(crate) classes: usize,
    directed: bool,
    /// What operations lead to.
    pub(crate) consequences: Consequences,
}

impl Goal {
    /// The cells that count, in any order; `tenths` says how many tenths a key counts for, 10 or 1. `directed`: whether proposals
    /// are to go for what lacks hits; else they are only counted.
    ///
    /// # Panics
    /// When a cell is none of the profile.
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

    /// The same, with what operations lead to.
    pub(crate) fn compiled(mut self, profile: &Profile, tables: &Tables, classes: &Classes) -> Self {
        self.class_of = tables.ops().map(|(_, info)| classes.of(info)).collect();
        self.classes = classes.count();
        self.consequences = Consequences::new(profile, tables, classes);
        self
    }

    /// How many cells count.
    #[must_use]
    pub const fn cells(&self) -> u64 {
        self.cells as u64
    }

    /// Which cells count, in the order in which hits are kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let pair = |pair: &Pair| format!("{} {} {}\n", pair.key.index(), pair.op.index(), pair.bins);
        Digest::of(self.pairs.iter().map(pair).collect::<String>().as_bytes())
    }

    /// Whether proposals go for what lacks hits.
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

    /// The tenth for which a proposal counts that is made in an op_state and starts then.
    ///
    /// Where the op_state is not the key's (a hook in the ISSUE of the next operation, or on the tick at which a phase begins, still
    /// has the key before), the key's phase is just over: its last tenth.
    pub(crate) fn bin(&self, key: PhaseKey, state: &OpState, start: Ticks) -> u8 {
        match self.spans[key.index()] {
            Span::Whole => 0,
            Span::Phase(of, phase) if state.of == of && state.phase == Some(phase) => tenth(state.hundredths(start)),
            Span::Phase(..) => TENTHS - 1,
        }
    }

    /// The bins that count, in the order in which hits are kept.
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
