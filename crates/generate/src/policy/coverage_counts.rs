//! How often a site has hit each bin, and which bins are uncovered.
//!
//! A snapshot keeps the hits alone: everything else here follows from them.

use std::fmt::Write as _;

use nandseq_profile::input_time::TIME_BINS;
use nandseq_profile::{OpId, PhaseKey, Ticks};
use nandseq_trace::Proposal;

use crate::setup::coverage_model::{CoverageModel, time_bins};
use crate::setup::{CHUNK, ClassSet};

/// The level (`at_least`) at which a bin counts as covered rises by one whenever this many hits per bin have come: once all bins
/// are covered, those with the fewest hits come first.
const HITS_OF_A_STEP: u64 = 4;

/// How much of a coverage model a site has reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Bins hit at least once.
    pub hit: u64,
    /// Bins of the coverage model.
    pub bins: u64,
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
    at_least: u32,
    /// By pair: the tenths with an uncovered bin, a bit each.
    uncovered: Vec<u16>,
    /// By key and tenth: how many bins are uncovered.
    uncovered_names: Vec<[u32; TIME_BINS as usize]>,
    /// By key: how many bins are uncovered.
    of_key: Vec<u32>,
    /// By class: how many bins of its names are uncovered.
    of_class: Vec<u32>,
    /// By key and class: how many bins are uncovered.
    uncovered_of: Vec<u32>,
    /// By key and chunk: the classes with uncovered bins, a bit each.
    uncovered_bits: Vec<ClassSet>,
    classes: usize,
}

impl CoverageCounts {
    /// No hits.
    pub(crate) fn new(model: &CoverageModel) -> Self {
        Self::with_hits(model, vec![0; model.bin_count() as usize])
    }

    fn with_hits(model: &CoverageModel, hits: Vec<u32>) -> Self {
        let total = hits.iter().map(|&hits| u64::from(hits)).sum();
        let covered = hits.iter().filter(|&&hits| hits > 0).count() as u64;
        let mut counts = Self {
            hits,
            total,
            covered,
            at_least: 0,
            uncovered: vec![0; model.pairs.len()],
            uncovered_names: vec![[0; TIME_BINS as usize]; model.keys()],
            of_key: vec![0; model.keys()],
            of_class: vec![0; model.classes],
            uncovered_of: vec![0; model.keys() * model.classes],
            uncovered_bits: vec![ClassSet::NONE; model.keys() * model.classes.div_ceil(CHUNK)],
            classes: model.classes,
        };
        counts.rise(model);
        counts
    }

    /// Sets the level that belongs to the hits, and finds the bins that are uncovered at it.
    fn rise(&mut self, model: &CoverageModel) {
        self.at_least = 1 + (self.total / (HITS_OF_A_STEP * model.bin_count().max(1))) as u32;
        self.uncovered_names.fill([0; TIME_BINS as usize]);
        self.of_key.fill(0);
        self.of_class.fill(0);
        self.uncovered_of.fill(0);
        self.uncovered_bits.fill(ClassSet::NONE);
        for (at, pair) in model.pairs.iter().enumerate() {
            self.uncovered[at] = 0;
            for (bin, time_bin) in (pair.first..).zip(time_bins(pair.time_bins)) {
                if self.hits[bin as usize] < self.at_least {
                    self.uncovered[at] |= 1 << time_bin;
                    self.uncovered_names[pair.key.index()][usize::from(time_bin)] += 1;
                    self.of_key[pair.key.index()] += 1;
                    let class = model.class_of[pair.op.index()];
                    self.of_class[class.index()] += 1;
                    self.uncovered_of[pair.key.index() * self.classes + class.index()] += 1;
                    self.uncovered_bits[pair.key.index() * self.classes.div_ceil(CHUNK) + class.chunk()] |= class.bit();
                }
            }
        }
    }

    /// Counts the first operation of a proposal. Returns whether the hit covers an uncovered bin.
    pub(crate) fn count(&mut self, model: &CoverageModel, proposal: &Proposal, op: OpId, start: Ticks) -> bool {
        let Some(at) = model.pair(proposal.key_used, op) else { return false };
        let time_bin = model.time_bin(proposal.key_used, &proposal.state, start);
        let pair = &model.pairs[at];
        if pair.time_bins >> time_bin & 1 == 0 {
            return false;
        }
        let before = (pair.time_bins & ((1 << time_bin) - 1)).count_ones();
        let hits = &mut self.hits[(pair.first + before) as usize];
        self.covered += u64::from(*hits == 0);
        *hits = hits.saturating_add(1);
        self.total += 1;
        let fills = *hits == self.at_least;
        if fills {
            self.uncovered[at] &= !(1 << time_bin);
            self.uncovered_names[pair.key.index()][usize::from(time_bin)] -= 1;
            self.of_key[pair.key.index()] -= 1;
            let class = model.class_of[op.index()];
            self.of_class[class.index()] -= 1;
            let uncovered = &mut self.uncovered_of[pair.key.index() * self.classes + class.index()];
            *uncovered -= 1;
            if *uncovered == 0 {
                let chunk = pair.key.index() * self.classes.div_ceil(CHUNK) + class.chunk();
                self.uncovered_bits[chunk] &= !class.bit();
            }
        }
        if self.total.is_multiple_of(HITS_OF_A_STEP * model.bin_count()) {
            self.rise(model);
        }
        fills
    }

    /// How many bins are hit.
    pub(crate) fn reached(&self) -> Reached {
        Reached { hit: self.covered, bins: self.hits.len() as u64 }
    }

    /// Hits by bin.
    pub(crate) fn hits(&self) -> Vec<u32> {
        self.hits.clone()
    }

    /// Whether the bin of a key, a name and a tenth is uncovered.
    pub(super) fn is_uncovered(&self, model: &CoverageModel, key: PhaseKey, op: OpId, time_bin: u8) -> bool {
        model.pair(key, op).is_some_and(|pair| self.uncovered[pair] >> time_bin & 1 == 1)
    }

    /// By tenth of a key's phase: how many bins are uncovered.
    pub(super) fn uncovered_names(&self, key: PhaseKey) -> &[u32; TIME_BINS as usize] {
        &self.uncovered_names[key.index()]
    }

    /// How many bins of a class are uncovered.
    pub(super) fn uncovered_in_class(&self, chunk: usize, place: usize) -> u64 {
        u64::from(self.of_class[chunk * CHUNK + place])
    }

    /// The classes with uncovered bins under a key, by chunk.
    pub(super) fn uncovered_classes(&self, key: PhaseKey) -> &[ClassSet] {
        let chunks = self.classes.div_ceil(CHUNK);
        &self.uncovered_bits[key.index() * chunks..][..chunks]
    }

    /// How many bins under a key are uncovered, by class.
    pub(super) fn uncovered_by_class(&self, key: PhaseKey) -> &[u32] {
        &self.uncovered_of[key.index() * self.classes..][..self.classes]
    }

    /// How many bins of a key are uncovered.
    pub(super) fn uncovered_under(&self, key: PhaseKey) -> u64 {
        u64::from(self.of_key[key.index()])
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
    pub(crate) fn of_text(model: &CoverageModel, text: &str) -> Option<Self> {
        let bins = model.bin_count() as usize;
        let mut hits: Vec<u32> = Vec::with_capacity(bins);
        for word in text.split(' ').filter(|_| !text.is_empty()) {
            let (count, value) = match word.split_once('*') {
                Some((count, value)) => (count.parse::<usize>().ok()?, value),
                None => (1, word),
            };
            if count > bins - hits.len() {
                return None;
            }
            hits.extend(std::iter::repeat_n(value.parse::<u32>().ok()?, count));
        }
        (hits.len() == bins).then(|| Self::with_hits(model, hits))
    }
}
