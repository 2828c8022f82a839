//! How often each cell was hit by a site, and which lack hits.
//!
//! The counts are the state; everything else here follows from them, so that they are all that a snapshot keeps.

use std::fmt::Write as _;

use nandseq_profile::input_time::TENTHS;
use nandseq_profile::{BaseId, OpId, PhaseKey, PlaneSet, Ticks};
use nandseq_trace::Proposal;

use super::draw::WeightedChoices;
use super::lookahead::LookaheadScratch;
use super::{Goal, Reached};
use crate::classes::{CHUNK, ClassId};

/// A cell lacks hits below a level that rises by one whenever so many hits for each cell have come: once all is covered, what was
/// hit least goes first.
const HITS_OF_A_LEVEL: u64 = 4;

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
    /// By die: when the last hook that follows another one comes.
    pub(super) next: [Ticks; 64],
    /// By die: the planes where nothing that lacks hits could start since anything did.
    pub(super) tried: [PlaneSet; 64],
    /// By die: whether nothing was worth going for there when that was last asked.
    pub(super) lost: [bool; 64],
    /// By die: whether further hooks have found nothing to start there since anything did.
    pub(super) sought: [bool; 64],
    /// By key: how many operations have come into its phase since the last hit there of what lacked hits.
    pub(super) idle: Vec<u32>,
    /// By base: how often it was drawn for what it leads to since the last such hit.
    pub(super) steered: Vec<u32>,
    /// By class: how often something was drawn for what this would lead to after it.
    pub(super) promised: Vec<u32>,
    /// Scratch memory of proposals.
    pub(super) choices: WeightedChoices,
    pub(super) lookahead: LookaheadScratch,
}

impl CoverageCounts {
    /// No hits.
    pub(crate) fn new(goal: &Goal) -> Self {
        Self::with_hits(goal, vec![0; goal.cells as usize])
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
            missing: vec![[0; TENTHS as usize]; goal.spans.len()],
            of_class: vec![0; goal.classes],
            lacking_of: vec![0; goal.spans.len() * goal.classes],
            lacking_bits: vec![0; goal.spans.len() * goal.classes.div_ceil(CHUNK)],
            classes: goal.classes,
            next: [Ticks::ZERO; 64],
            tried: [PlaneSet::EMPTY; 64],
            lost: [false; 64],
            sought: [false; 64],
            idle: vec![0; goal.spans.len()],
            steered: vec![0; goal.bases],
            promised: vec![0; goal.classes],
            choices: WeightedChoices::default(),
            lookahead: LookaheadScratch::default(),
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
            for (cell, bin) in (pair.first..).zip(bits(pair.bins)) {
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

    /// Counts the first operation of a proposal.
    pub(crate) fn count(&mut self, goal: &Goal, proposal: &Proposal, op: OpId, start: Ticks) {
        let Some(at) = goal.pair(proposal.key_used, op) else { return };
        let bin = goal.bin(proposal.key_used, &proposal.state, start);
        let pair = &goal.pairs[at];
        if pair.bins >> bin & 1 == 0 {
            return;
        }
        let before = (pair.bins & ((1 << bin) - 1)).count_ones();
        let hits = &mut self.hits[(pair.first + before) as usize];
        self.covered += u64::from(*hits == 0);
        *hits = hits.saturating_add(1);
        self.total += 1;
        if *hits == self.level {
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
            self.idle[pair.key.index()] = 0;
            self.steered.iter_mut().chain(&mut self.promised).for_each(|steered| *steered /= 2);
        }
        if self.total.is_multiple_of(HITS_OF_A_LEVEL * goal.cells()) {
            self.rise(goal);
        }
    }

    /// Forgets what was tried in vain: a run depends on the hits before it alone.
    pub(crate) fn begin_run(&mut self) {
        self.next = [Ticks::ZERO; 64];
        self.tried = [PlaneSet::EMPTY; 64];
        self.lost = [false; 64];
        self.sought = [false; 64];
        self.idle.fill(0);
        self.steered.fill(0);
        self.promised.fill(0);
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

    /// What the value of a base is divided by: it grows while what is drawn for its value leads to no hit.
    pub(super) fn tiredness(&self, base: BaseId) -> u64 {
        1 + u64::from(self.steered[base.index()]).pow(2) / 16
    }

    /// The same for what is to follow.
    pub(super) fn promise_tiredness(&self, class: ClassId) -> u64 {
        1 + u64::from(self.promised[class.index()]).pow(2) / 4
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

    /// What going for a key is worth: less while operations come into its phase without a hit there.
    pub(super) fn fresh(&self, key: PhaseKey, worth: u64) -> u64 {
        let idle = u64::from(self.idle[key.index()]);
        worth / (1 + idle * idle / 64)
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
        let cells = goal.cells as usize;
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

/// The tenths of a set, ascending.
pub(super) fn bits(set: u16) -> impl Iterator<Item = u8> {
    (0..TENTHS).filter(move |bin| set >> bin & 1 == 1)
}
