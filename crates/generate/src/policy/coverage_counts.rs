//! How often each bin was hit by a site, and which are uncovered.
//!
//! The counts are the state; everything else here follows from them, so that they are all that a snapshot keeps.

use std::fmt::Write as _;

use nandseq_profile::input_time::TIME_BINS;
use nandseq_profile::{OpId, PhaseKey, Ticks};
use nandseq_trace::Proposal;

use crate::setup::CHUNK;
use crate::setup::coverage_model::{CoverageModel, time_bins};

/// A bin is uncovered below `at_least`, which rises by one whenever so many hits for each bin have come: once all is covered, what was
/// hit least goes first.
const HITS_OF_A_STEP: u64 = 4;

/// How much of a model was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Bins hit at least once.
    pub hit: u64,
    /// Bins that count.
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
    /// How many hits cover a bin.
    at_least: u32,
    /// By pair: the uncovered time bins, a bit each.
    uncovered: Vec<u16>,
    /// By key and time bin: how many names are uncovered.
    uncovered_names: Vec<[u32; TIME_BINS as usize]>,
    /// By class: how many bins of its names are uncovered.
    of_class: Vec<u32>,
    /// By key and class: how many bins of its names are uncovered, and by chunk where that is not 0.
    uncovered_of: Vec<u32>,
    uncovered_bits: Vec<u64>,
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
            of_class: vec![0; model.classes],
            uncovered_of: vec![0; model.keys() * model.classes],
            uncovered_bits: vec![0; model.keys() * model.classes.div_ceil(CHUNK)],
            classes: model.classes,
        };
        counts.rise(model);
        counts
    }

    /// Sets `at_least` as it belongs to the hits, and finds what is uncovered then.
    fn rise(&mut self, model: &CoverageModel) {
        self.at_least = 1 + (self.total / (HITS_OF_A_STEP * model.bin_count().max(1))) as u32;
        self.uncovered_names.fill([0; TIME_BINS as usize]);
        self.of_class.fill(0);
        self.uncovered_of.fill(0);
        self.uncovered_bits.fill(0);
        for (at, pair) in model.pairs.iter().enumerate() {
            self.uncovered[at] = 0;
            for (bin, time_bin) in (pair.first..).zip(time_bins(pair.time_bins)) {
                if self.hits[bin as usize] < self.at_least {
                    self.uncovered[at] |= 1 << time_bin;
                    self.uncovered_names[pair.key.index()][usize::from(time_bin)] += 1;
                    let class = model.class_of[pair.op.index()];
                    self.of_class[class.index()] += 1;
                    self.uncovered_of[pair.key.index() * self.classes + class.index()] += 1;
                    self.uncovered_bits[pair.key.index() * self.classes.div_ceil(CHUNK) + class.chunk()] |= class.bit();
                }
            }
        }
    }

    /// Counts the first operation of a proposal; returns whether the hit covered its bin.
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

    /// How much is covered.
    pub(crate) fn reached(&self) -> Reached {
        Reached { hit: self.covered, bins: self.hits.len() as u64 }
    }

    /// Hits by bin.
    pub(crate) fn hits(&self) -> Vec<u32> {
        self.hits.clone()
    }

    /// Whether a name is uncovered in a time bin under a key.
    pub(super) fn is_uncovered(&self, model: &CoverageModel, key: PhaseKey, op: OpId, time_bin: u8) -> bool {
        model.pair(key, op).is_some_and(|pair| self.uncovered[pair] >> time_bin & 1 == 1)
    }

    /// How many names are uncovered in each time bin of a key's phase.
    pub(super) fn uncovered_names(&self, key: PhaseKey) -> &[u32; TIME_BINS as usize] {
        &self.uncovered_names[key.index()]
    }

    /// How many bins of a class are uncovered.
    pub(super) fn uncovered_in_class(&self, chunk: usize, place: usize) -> u64 {
        u64::from(self.of_class[chunk * CHUNK + place])
    }

    /// The classes of a chunk with uncovered bins under a key.
    pub(super) fn uncovered_classes(&self, key: PhaseKey, chunk: usize) -> u64 {
        self.uncovered_bits[key.index() * self.classes.div_ceil(CHUNK) + chunk]
    }

    /// How many bins of a class under a key are uncovered.
    pub(super) fn uncovered_of_class(&self, key: PhaseKey, chunk: usize, place: usize) -> u32 {
        self.uncovered_of[key.index() * self.classes + chunk * CHUNK + place]
    }

    /// How many bins of a key are uncovered.
    pub(super) fn uncovered_under(&self, key: PhaseKey) -> u64 {
        self.uncovered_names(key).iter().map(|&uncovered_names| u64::from(uncovered_names)).sum()
    }

    /// The hits as text: words separated by spaces, one for each stretch of bins with the same, with a count before `*` where there
    /// are several.
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

    /// The counts of a text; `None` when it says something else than the hits of the model's bins.
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
