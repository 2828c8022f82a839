//! How often each cell was hit by a site, and which lack hits.
//!
//! The counts are the state; everything else here follows from them, so that they are all that a snapshot keeps.

use std::fmt::Write as _;

use nandseq_profile::input_time::TENTHS;
use nandseq_profile::{OpId, PhaseKey, Ticks};
use nandseq_trace::Proposal;

use crate::setup::CHUNK;
use crate::setup::coverage_model::{Goal, tenths};

/// A cell lacks hits below a level that rises by one whenever so many hits for each cell have come: once all is covered, what was
/// hit least goes first.
const HITS_OF_A_LEVEL: u64 = 4;

/// How much of a goal was reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reached {
    /// Cells hit at least once.
    pub hit: u64,
    /// Cells that count.
    pub cells: u64,
}

/// The hits of a site.
#[derive(Clone, Debug)]
pub(crate) struct CoverageCounts {
    /// By cell.
    hits: Vec<u32>,
    /// Hits of all cells.
    total: u64,
    /// Cells hit at least once.
    covered: u64,
    /// The hits that no cell is to lack.
    level: u32,
    /// By pair: the tenths that lack hits, a bit each.
    lacking: Vec<u16>,
    /// By key and tenth: how many names lack hits.
    missing: Vec<[u32; TENTHS as usize]>,
    /// By class: how many cells of its names lack hits.
    of_class: Vec<u32>,
    /// By key and class: how many cells of its names lack hits, and by chunk where that is not 0.
    lacking_of: Vec<u32>,
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

    /// Sets the level that belongs to the hits, and finds what lacks hits then.
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

    /// Counts the first operation of a proposal; returns whether it was the last hit that its cell lacked.
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

    /// How much is covered.
    pub(crate) fn reached(&self) -> Reached {
        Reached { hit: self.covered, cells: self.hits.len() as u64 }
    }

    /// Hits by cell.
    pub(crate) fn hits(&self) -> Vec<u32> {
        self.hits.clone()
    }

    /// Whether a name lacks hits in a tenth under a key.
    pub(super) fn lacks(&self, goal: &Goal, key: PhaseKey, op: OpId, bin: u8) -> bool {
        goal.pair(key, op).is_some_and(|pair| self.lacking[pair] >> bin & 1 == 1)
    }

    /// How many names lack hits in each tenth of a key's phase.
    pub(super) fn missing(&self, key: PhaseKey) -> &[u32; TENTHS as usize] {
        &self.missing[key.index()]
    }

    /// How many cells of a class lack hits.
    pub(super) fn missing_in_class(&self, chunk: usize, place: usize) -> u64 {
        u64::from(self.of_class[chunk * CHUNK + place])
    }

    /// The classes of a chunk with cells under a key that lack hits.
    pub(super) fn lacking_classes(&self, key: PhaseKey, chunk: usize) -> u64 {
        self.lacking_bits[key.index() * self.classes.div_ceil(CHUNK) + chunk]
    }

    /// How many cells of a class under a key lack hits.
    pub(super) fn lacking_of_class(&self, key: PhaseKey, chunk: usize, place: usize) -> u32 {
        self.lacking_of[key.index() * self.classes + chunk * CHUNK + place]
    }

    /// How many cells of a key lack hits.
    pub(super) fn missing_under(&self, key: PhaseKey) -> u64 {
        self.missing(key).iter().map(|&missing| u64::from(missing)).sum()
    }

    /// The hits as text: words separated by spaces, one for each stretch of cells with the same, with a count before `*` where there
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

    /// The counts of a text; `None` when it says something else than the hits of the goal's cells.
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
