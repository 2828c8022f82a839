//! The candidates of a round: the reductions of a stage, carried out.
//!
//! A [`Round`] follows from the stage and from the smallest sequence so far. It holds as many candidates that nobody was asked about as a
//! round may have, and those between them that have been answered before. A candidate is its recipe: its operations are made
//! again when they are wanted, as a round of long sequences would take much memory.

use std::collections::BTreeMap;

use nandseq_trace::files::Digest;

use crate::evidence::{FailRate, RepeatRule, TryCounts};
use crate::history::SequenceHistory;
use crate::recipe::{Recipe, SequenceSize};
use crate::reduce::{Reduction, ReductionStage, WITHOUT_HEAD};
use crate::removal::{ElementChunk, MOST_CANDIDATES, Pass, ReducedPart, Removal, TriedChunk, reduced};
use crate::repair::{LegalSequence, Repair, carry_out};

/// The most sequences that are asked about again at a time because their answers leave a doubt.
const MOST_DOUBTFUL: usize = 4;

/// A legal sequence that may be tried.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Its recipe.
    pub recipe: Recipe,
    /// Its size.
    pub size: SequenceSize,
    /// The digest of its operations.
    pub(crate) digest: String,
}

impl Candidate {
    fn of(sequence: LegalSequence) -> Self {
        let digest = digest_of(&sequence).to_string();
        Self { recipe: sequence.recipe, size: sequence.size, digest }
    }
}

/// What a candidate was made by.
pub(crate) enum CandidateKind {
    /// The cut of this number among those of the stage.
    Cut(usize),
    /// Hits together.
    Hits,
    /// None: it is the smallest sequence so far, which is asked about again.
    Best,
    /// A chunk.
    Chunk(TriedChunk),
}

/// A trial that gives a candidate.
pub(crate) struct RoundEntry {
    pub(crate) trial: CandidateKind,
    /// What it makes smaller.
    pub(crate) reduction: Reduction,
    pub(crate) candidate: Candidate,
}

/// The candidates of a round.
#[derive(Default)]
pub(crate) struct Round {
    pub(crate) entries: Vec<RoundEntry>,
    /// The entries that are asked about: each digest once, unless answers are a matter of chance.
    pub(crate) asked: Vec<usize>,
    /// The cuts that were tried, whether they give candidates or not.
    pub(crate) cuts: usize,
    /// Where the removal of parts has come to, with the number of elements there and whether all chunks have been tried.
    pub(crate) end: Option<(Removal, (usize, bool))>,
}

/// What rounds are made of.
pub(crate) struct RoundMaker<'a> {
    pub(crate) history: &'a SequenceHistory<'a>,
    pub(crate) best: &'a LegalSequence,
    /// The operation that fails, if it is known.
    pub(crate) failing: Option<u32>,
    /// By digest of a sequence: how often it was tried, and how often it failed.
    pub(crate) tried: &'a BTreeMap<String, TryCounts>,
    /// What answers say.
    pub(crate) rule: RepeatRule,
    /// The rate of fails at which something is looked for.
    pub(crate) rate: FailRate,
    /// How often a round asks about a sequence.
    pub(crate) at_a_time: usize,
}

impl RoundMaker<'_> {
    /// The next round of a stage.
    pub(crate) fn round(&self, stage: &ReductionStage) -> Round {
        let mut round = Round::default();
        match (stage, stage.cuts_what()) {
            (ReductionStage::Remove(removal), _) => self.removal(&mut round, removal),
            (_, Some(reduction)) => {
                let cuts = stage.cuts(self.history, &self.best.recipe, self.failing);
                round.cuts = cuts.len();
                let is_first = *stage == ReductionStage::Begin;
                let bar = (!is_first).then_some(&self.best.size);
                for (at, recipe) in cuts.into_iter().enumerate() {
                    let cuts_head = is_first && self.failing.is_some() && at >= WITHOUT_HEAD;
                    let reduction = if cuts_head { Reduction::Ends } else { reduction };
                    if let Some(made) = self.made(recipe, Repair::PutBack, bar, self.best.size.operations) {
                        self.add(&mut round, CandidateKind::Cut(at), reduction, made);
                    }
                }
            }
            (_, None) => {}
        }
        if self.rule.is_of_chance() && round.cuts > 0 {
            self.ask_more_often(&mut round);
        }
        round
    }

    /// The next round of a removal: the hits together, and further chunks, as if that failed.
    fn removal(&self, round: &mut Round, removal: &Removal) {
        let mut without_hits = None;
        for (at, hits) in removal.unions().into_iter().enumerate() {
            let recipe = reduced(&self.best.recipe, hits);
            let repairs = [Repair::PutBack, Repair::LeaveOut].into_iter();
            let most = self.best.size.operations;
            let made = repairs.filter_map(|repair| self.made(recipe.clone(), repair, Some(&self.best.size), most));
            let Some(made) = made.min_by_key(|made| made.size) else { continue };
            let may_be_base = (at == 0 && !removal.is_careful).then(|| made.clone());
            if self.add(round, CandidateKind::Hits, reduction_of(hits), made) {
                without_hits = without_hits.or(may_be_base);
            }
        }
        let base = without_hits.as_ref().unwrap_or(self.best);
        let gone = if without_hits.is_some() { &removal.hits[..] } else { &[] };
        let mut pass = Pass::new(self.history, base, removal.clone());
        while round.asked.len() + self.at_a_time <= MOST_CANDIDATES
            && let Some(tried) = pass.next_chunk()
        {
            if !self.add_chunk(round, tried, (base, gone)) {
                pass.was_in_vain();
            }
        }
        if removal.is_again {
            self.ask_about_best(round);
            if pass.is_over() {
                self.ask_more_often(round);
            }
        }
        if !round.asked.is_empty() {
            let mut pairs = pass.pairs();
            while round.asked.len() + self.at_a_time <= MOST_CANDIDATES
                && let Some(pair) = pairs.next()
            {
                self.add_chunk(round, pair, (base, gone));
            }
        }
        round.end = Some(pass.end());
    }

    /// Asks about the smallest sequence so far, unless it was tried as often as its reductions are before they are given up: how often it
    /// fails says when that is.
    fn ask_about_best(&self, round: &mut Round) {
        let best = Candidate::of(self.best.clone());
        if self.asks_about_best(&best) > 0 && round.asked.len() < MOST_CANDIDATES {
            round.asked.push(round.entries.len());
            let reduction = Reduction::Part(ReducedPart::Units);
            round.entries.push(RoundEntry { trial: CandidateKind::Best, reduction, candidate: best });
        }
    }

    fn known(&self, candidate: &Candidate) -> TryCounts {
        self.tried.get(&candidate.digest).copied().unwrap_or_default()
    }

    fn asks_about_best(&self, best: &Candidate) -> usize {
        let wanted = self.rule.asks_until_it_passes(TryCounts::default(), self.rate);
        let before = self.known(best).tries / self.rule.repeat;
        wanted.saturating_sub(usize::try_from(before).unwrap_or(usize::MAX))
    }

    /// Fills a round by asking about its sequences several times, as often as is needed to give them up.
    fn ask_more_often(&self, round: &mut Round) {
        let mut once = round.asked.clone();
        once.dedup();
        for more in self.at_a_time..MOST_CANDIDATES {
            for at in &once {
                let RoundEntry { trial, candidate, .. } = &round.entries[*at];
                let wanted = match trial {
                    CandidateKind::Best => self.asks_about_best(candidate),
                    CandidateKind::Cut(_) | CandidateKind::Hits | CandidateKind::Chunk(_) => {
                        self.rule.asks_until_it_passes(self.known(candidate), self.rate)
                    }
                };
                if more < wanted && round.asked.len() < MOST_CANDIDATES {
                    round.asked.push(*at);
                }
            }
        }
    }

    /// The entries of a round that have failed, but not so that it is certain, where that makes a difference: those smaller than the
    /// smallest that fails for certain. Each is asked about several times. At the beginning the whole run is one of them until it is known whether it fails.
    pub(crate) fn doubtful(
        &self,
        round: &Round,
        counts: impl Fn(&Candidate) -> TryCounts,
        is_first: bool,
    ) -> Vec<usize> {
        let (rule, rate) = (self.rule, self.rate);
        let fails = |entry: &&RoundEntry| rule.fails(counts(&entry.candidate), rate);
        let certain = round.entries.iter().filter(fails).map(|entry| entry.candidate.size).min();
        let mut found: Vec<usize> = Vec::new();
        for (at, entry) in round.entries.iter().enumerate() {
            let (size, known) = (entry.candidate.size, counts(&entry.candidate));
            let is_small = size < self.best.size && certain.is_none_or(|certain| size < certain);
            let is_open = is_small && rule.seems_to_fail(known, rate) && !rule.fails(known, rate);
            let is_whole = is_first && certain.is_none() && size == self.best.size && !rule.passes(known, rate);
            let is_new = found.iter().all(|other| round.entries[*other].candidate.digest != entry.candidate.digest);
            if (is_open || is_whole) && is_new {
                found.push(at);
            }
        }
        found.sort_by_key(|at| round.entries[*at].candidate.size);
        found.truncate(MOST_DOUBTFUL);
        found.iter().flat_map(|at| std::iter::repeat_n(*at, MOST_CANDIDATES / MOST_DOUBTFUL)).collect()
    }

    /// Adds a sequence without a chunk, from which hits have gone before. Returns whether it gives a candidate that may fail.
    fn add_chunk(&self, round: &mut Round, tried: TriedChunk, (base, gone): (&LegalSequence, &[ElementChunk])) -> bool {
        let chunk = &tried.chunk;
        let recipe = reduced(&base.recipe, [chunk]);
        let most = base.size.operations - usize::from(chunk.part.removes());
        let may_leave_out = chunk.part == ReducedPart::Operations;
        let repairs = [Some(Repair::PutBack), may_leave_out.then_some(Repair::LeaveOut)];
        let mut made = repairs.into_iter().flatten();
        let Some(made) = made.find_map(|repair| self.made(recipe.clone(), repair, Some(&base.size), most)) else {
            return false;
        };
        let reduction = reduction_of(gone.iter().chain([chunk]));
        self.add(round, CandidateKind::Chunk(tried), reduction, made)
    }

    /// A recipe as a sequence that is smaller than `bar` and has at most so many operations; `None` if there is none.
    fn made(&self, recipe: Recipe, repair: Repair, bar: Option<&SequenceSize>, most: usize) -> Option<LegalSequence> {
        let made = carry_out(self.history, &self.best.recipe, recipe, repair, most).ok()?;
        bar.is_none_or(|bar| made.size < *bar).then_some(made)
    }

    /// Adds a candidate. Returns whether it may fail.
    fn add(&self, round: &mut Round, trial: CandidateKind, reduction: Reduction, made: LegalSequence) -> bool {
        let candidate = Candidate::of(made);
        let known = self.tried.get(&candidate.digest).copied();
        if known.is_some_and(|known| self.rule.passes(known, self.rate)) {
            return false;
        }
        let is_open = known.is_none_or(|known| !self.rule.fails(known, self.rate));
        let is_new = is_open && round.entries.iter().all(|entry| entry.candidate.digest != candidate.digest);
        if is_new && round.asked.len() + self.at_a_time > MOST_CANDIDATES {
            return true;
        }
        if is_new {
            round.asked.extend(std::iter::repeat_n(round.entries.len(), self.at_a_time));
        }
        round.entries.push(RoundEntry { trial, reduction, candidate });
        true
    }
}

/// What chunks that go together make smaller.
fn reduction_of<'c>(chunks: impl IntoIterator<Item = &'c ElementChunk>) -> Reduction {
    let part = chunks.into_iter().map(|chunk| chunk.part).min();
    Reduction::Part(part.unwrap_or(ReducedPart::Units))
}

/// The digest of what a tester is given: operations, addresses, times.
pub(crate) fn digest_of(sequence: &LegalSequence) -> Digest {
    let mut bytes = Vec::with_capacity(sequence.operations.len() * 24);
    for kept in &sequence.operations {
        let place = &kept.place;
        bytes.extend(kept.op.0.to_le_bytes());
        bytes.extend([place.die.0, place.planes.0, place.cell_type.0]);
        bytes.extend(place.page.0.to_le_bytes());
        bytes.extend(place.group.to_le_bytes());
        bytes.extend(kept.start.0.to_le_bytes());
    }
    Digest::of(&bytes)
}
