//! How often a site has hit each bin, and which bins are uncovered.
//!
//! A snapshot keeps the hits alone: everything else here follows from them.

use std::fmt::Write as _;

use nandseq_profile::input_time::TENTHS;
use nandseq_profile::{OpId, PhaseKey, Ticks};
use nandseq_trace::Proposal;

use crate::setup::CHUNK;
use crate::setup::coverage_model::{Goal, tenths};

/// The level (`at_least`) at which a bin counts as covered rises by one whenever this many hits per bin have come: once all bins
/// are covered, those with the fewest hits come first.
const HITS_OF_A_LEVEL: u64 = 4;

/// How much of a coverage model a site has reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Bins hit at least once.
    pub hit: u64,
    /// Bins of the coverage model.
    pub cells: u64,
}

/// The hits of a site.
#[derive(Clone, Debug)]
pub(crate) struct CoverageCounts {
    /// By bin.
    hits: Vec<u32>,
    /// Hits of all bins.
    total: u64,
    /// Bins hit at least once.
    covered: u64,
    /// The hits that a bin needs to be covered now (`at_least`).
    level: u32,
    /// By pair: the tenths with an uncovered bin, a bit each.
    lacking: Vec<u16>,
    /// By key and tenth: how many bins are uncovered.
    missing: Vec<[u32; TENTHS as usize]>,
    /// By class: how many bins of its names are uncovered.
    of_class: Vec<u32>,
    /// By key and class: how many bins are uncovered.
    lacking_of: Vec<u32>,
    /// By key and chunk: the classes with uncovered bins, a bit each.
    lacking_bits: Vec<u64>,
    classes: usize,
}

impl CoverageCounts {
    /// No hits.
    pub(crate) fn new(goal: &Goal) -> Self {
        Self::with_hits(goal, vec![0; goal.cells() as usize])
    }

    fn with_hits(goal: &Goal, hits: Vec<u32>) -> Self {
        let total = hits.iter().map(|&hits| u64::from(hits)).sum();
        let covered = hits.iter().filter(|&&hits| hits > 0).count() as u64;
        let mut counts = Self {
            hits,
            total,
            covered,
            level: 0,
            lacking: vec![0; goal.pairs.len()],
            missing: vec![[0; TENTHS as usize]; goal.keys()],
            of_class: vec![0; goal.classes],
            lacking_of: vec![0; goal.keys() * goal.classes],
            lacking_bits: vec![0; goal.keys() * goal.classes.div_ceil(CHUNK)],
            classes: goal.classes,
        };
        counts.rise(goal);
        counts
    }

    /// Sets the level that belongs to the hits, and finds the bins that are uncovered at it.
    fn rise(&mut self, goal: &Goal) {
        self.level = 1 + (self.total / (HITS_OF_A_LEVEL * goal.cells().max(1))) as u32;
        self.missing.fill([0; TENTHS as usize]);
        self.of_class.fill(0);
        self.lacking_of.fill(0);
        self.lacking_bits.fill(0);
        for (at, pair) in goal.pairs.iter().enumerate() {
            self.lacking[at] = 0;
            for (cell, bin) in (pair.first..).zip(tenths(pair.bins)) {
                if self.hits[cell as usize] < self.level {
                    self.lacking[at] |= 1 << bin;
                    self.missing[pair.key.index()][usize::from(bin)] += 1;
                    let class = goal.class_of[pair.op.index()];
                    self.of_class[class.index()] += 1;
                    self.lacking_of[pair.key.index() * self.classes + class.index()] += 1;
                    self.lacking_bits[pair.key.index() * self.classes.div_ceil(CHUNK) + class.chunk()] |= class.bit();
                }
            }
        }
    }

    /// Counts the first operation of a proposal. Returns whether the hit covers an uncovered bin.
    pub(crate) fn count(&mut self, goal: &Goal, proposal: &Proposal, op: OpId, start: Ticks) -> bool {
        let Some(at) = goal.pair(proposal.key_used, op) else { return false };
        let bin = goal.bin(proposal.key_used, &proposal.state, start);
        let pair = &goal.pairs[at];
        if pair.bins >> bin & 1 == 0 {
            return false;
        }
        let before = (pair.bins & ((1 << bin) - 1)).count_ones();
        let hits = &mut self.hits[(pair.first + before) as usize];
        self.covered += u64::from(*hits == 0);
        *hits = hits.saturating_add(1);
        self.total += 1;
        let fills = *hits == self.level;
        if fills {
            self.lacking[at] &= !(1 << bin);
            self.missing[pair.key.index()][usize::from(bin)] -= 1;
            let class = goal.class_of[op.index()];
            self.of_class[class.index()] -= 1;
            let lacking = &mut self.lacking_of[pair.key.index() * self.classes + class.index()];
            *lacking -= 1;
            if *lacking == 0 {
                let chunk = pair.key.index() * self.classes.div_ceil(CHUNK) + class.chunk();
                self.lacking_bits[chunk] &= !class.bit();
            }
        }
        if self.total.is_multiple_of(HITS_OF_A_LEVEL * goal.cells()) {
            self.rise(goal);
        }
        fills
    }

    /// How many bins are hit.
    pub(crate) fn reached(&self) -> Reached {
        Reached { hit: self.covered, cells: self.hits.len() as u64 }
    }

    /// Hits by bin.
    pub(crate) fn hits(&self) -> Vec<u32> {
        self.hits.clone()
    }

    /// Whether the bin of a key, a name and a tenth is uncovered.
    pub(super) fn lacks(&self, goal: &Goal, key: PhaseKey, op: OpId, bin: u8) -> bool {
        goal.pair(key, op).is_some_and(|pair| self.lacking[pair] >> bin & 1 == 1)
    }

    /// By tenth of a key's phase: how many bins are uncovered.
    pub(super) fn missing(&self, key: PhaseKey) -> &[u32; TENTHS as usize] {
        &self.missing[key.index()]
    }

    /// How many bins of a class are uncovered.
    pub(super) fn missing_in_class(&self, chunk: usize, place: usize) -> u64 {
        u64::from(self.of_class[chunk * CHUNK + place])
    }

    /// The classes of a chunk with uncovered bins under a key.
    pub(super) fn lacking_classes(&self, key: PhaseKey, chunk: usize) -> u64 {
        self.lacking_bits[key.index() * self.classes.div_ceil(CHUNK) + chunk]
    }

    /// How many bins of a class under a key are uncovered.
    pub(super) fn lacking_of_class(&self, key: PhaseKey, chunk: usize, place: usize) -> u32 {
        self.lacking_of[key.index() * self.classes + chunk * CHUNK + place]
    }

    /// How many bins of a key are uncovered.
    pub(super) fn missing_under(&self, key: PhaseKey) -> u64 {
        self.missing(key).iter().map(|&missing| u64::from(missing)).sum()
    }

    /// The hits as text: words separated by spaces, one for each sequence of neighbouring bins with equal hits, with their count
    /// before `*` where there are several.
    pub(crate) fn to_text(&self) -> String {
        let mut text = String::new();
        for stretch in self.hits.chunk_by(|a, b| a == b) {
            if !text.is_empty() {
                text.push(' ');
            }
            // Writing to a string cannot fail.
            let _ = match stretch.len() {
                1 => write!(text, "{}", stretch[0]),
                several => write!(text, "{several}*{}", stretch[0]),
            };
        }
        text
    }

    /// The counts of a text; `None` when the text is not the hits of the coverage model's bins.
    pub(crate) fn of_text(goal: &Goal, text: &str) -> Option<Self> {
        let cells = goal.cells() as usize;
        let mut hits: Vec<u32> = Vec::with_capacity(cells);
        for word in text.split(' ').filter(|_| !text.is_empty()) {
            let (count, value) = match word.split_once('*') {
                Some((count, value)) => (count.parse::<usize>().ok()?, value),
                None => (1, word),
            };
            if count > cells - hits.len() {
                return None;
            }
            hits.extend(std::iter::repeat_n(value.parse::<u32>().ok()?, count));
        }
        (hits.len() == cells).then(|| Self::with_hits(goal, hits))
    }
}
