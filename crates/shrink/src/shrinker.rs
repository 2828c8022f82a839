//! The search for the smallest sequence that still fails, round by round.
//!
//! A [`Shrinker`] hands out the candidates of a round, is told which of them failed, and goes on. It keeps nothing but its
//! [`ShrinkState`], which is data: written to disk after each round, it lets a process that was killed go on to the same result. No
//! candidate is asked for twice.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_trace::files::Digest;
use serde::{Deserialize, Serialize};

use crate::history::SequenceHistory;
use crate::recipe::{Recipe, SequenceSize};
use crate::reduce::{MOST_CANDIDATES, Reduction, ReductionStage, ReductionTrial};
use crate::repair::{LegalSequence, NotLegal, Repair, carry_out};

/// The form of the state.
const SCHEMA: u32 = 1;

/// A step of the story.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ShrinkStep {
    /// The round, from 1.
    pub round: u64,
    /// What was done.
    pub reduction: Reduction,
    /// The size before.
    pub before: SequenceSize,
    /// The size after.
    pub after: SequenceSize,
}

/// Everything that a search knows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ShrinkState {
    schema: u32,
    /// The digest of the history that is shrunk.
    history: Digest,
    /// The operation that fails, as a position in the history, if it is known.
    failing: Option<u32>,
    stage: ReductionStage,
    best: Recipe,
    /// Rounds that asked for something.
    rounds: u64,
    /// By digest of a sequence: whether it failed.
    tried: BTreeMap<String, bool>,
    steps: Vec<ShrinkStep>,
}

/// What comes next.
#[derive(Debug)]
pub enum NextRound {
    /// Each of these sequences is to be tried.
    Try(Vec<LegalSequence>),
    /// The run itself does not fail.
    NeverFails,
    /// Nothing smaller fails.
    Done,
}

/// Why a state cannot be gone on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ShrinkStateError {
    /// It has another form.
    #[error("another version wrote it")]
    Schema,
    /// It is of another run.
    #[error("it is of another run")]
    History,
    /// It names operations that the run does not have.
    #[error("it is damaged")]
    Damaged,
}

/// A search for the smallest sequence that fails.
#[derive(Debug)]
pub struct Shrinker<'h> {
    history: &'h SequenceHistory<'h>,
    state: ShrinkState,
    best: LegalSequence,
    /// The candidates of the round, by digest.
    asked: Vec<String>,
}

/// A trial that was made a sequence, and whether that failed.
struct Tried {
    sequence: LegalSequence,
    digest: String,
    failed: Option<bool>,
}

impl<'h> Shrinker<'h> {
    /// Begins a search. `failing` is the operation that fails, as a position in the history, if it is known.
    ///
    /// # Errors
    /// When the history cannot be carried out in one run from a fresh device.
    pub fn new(history: &'h SequenceHistory<'h>, failing: Option<u32>) -> Result<Self, NotLegal> {
        let best = Recipe::everything(history);
        let state = ShrinkState {
            schema: SCHEMA,
            history: digest_of_history(history),
            failing,
            stage: ReductionStage::Begin,
            best: best.clone(),
            rounds: 0,
            tried: BTreeMap::new(),
            steps: Vec::new(),
        };
        let best = carry_out(history, &best, best.clone(), Repair::Nothing)?;
        Ok(Self { history, state, best, asked: Vec::new() })
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// When the state is not one of this history.
    pub fn resume(history: &'h SequenceHistory<'h>, state: ShrinkState) -> Result<Self, ShrinkStateError> {
        if state.schema != SCHEMA {
            return Err(ShrinkStateError::Schema);
        }
        if state.history != digest_of_history(history) {
            return Err(ShrinkStateError::History);
        }
        if state.best.keep.last().is_some_and(|item| *item as usize >= history.past.len()) {
            return Err(ShrinkStateError::Damaged);
        }
        let best = carry_out(history, &state.best, state.best.clone(), Repair::Nothing);
        Ok(Self { history, best: best.map_err(|_| ShrinkStateError::Damaged)?, state, asked: Vec::new() })
    }

    /// What has to be kept for [`Shrinker::resume`].
    #[must_use]
    pub const fn state(&self) -> &ShrinkState {
        &self.state
    }

    /// The history that is shrunk.
    #[must_use]
    pub const fn history(&self) -> &'h SequenceHistory<'h> {
        self.history
    }

    /// The smallest sequence so far that fails.
    #[must_use]
    pub const fn best(&self) -> &LegalSequence {
        &self.best
    }

    /// The rounds so far.
    #[must_use]
    pub const fn rounds(&self) -> u64 {
        self.state.rounds
    }

    /// The sequences that were tried.
    #[must_use]
    pub fn tried(&self) -> usize {
        self.state.tried.len()
    }

    /// The steps so far.
    #[must_use]
    pub fn steps(&self) -> &[ShrinkStep] {
        &self.state.steps
    }

    /// The candidates of the next round. Asked again without an answer, it gives the same ones.
    pub fn next_round(&mut self) -> NextRound {
        loop {
            if self.state.stage == ReductionStage::Done {
                return NextRound::Done;
            }
            let trials = self.state.stage.trials(self.history, &self.best, self.state.failing);
            let tried: Vec<Option<Tried>> = trials.iter().map(|trial| self.sequence_of(trial)).collect();
            let mut asked: BTreeMap<&str, &LegalSequence> = BTreeMap::new();
            let mut order = Vec::new();
            for one in tried.iter().flatten().filter(|one| one.failed.is_none()) {
                if asked.len() < MOST_CANDIDATES && asked.insert(&one.digest, &one.sequence).is_none() {
                    order.push((one.digest.clone(), one.sequence.clone()));
                }
            }
            if !order.is_empty() {
                let (digests, sequences) = order.into_iter().unzip();
                self.asked = digests;
                return NextRound::Try(sequences);
            }
            if self.state.stage == ReductionStage::Begin && tried.iter().flatten().all(|one| one.failed != Some(true)) {
                return NextRound::NeverFails;
            }
            self.go_on(tried);
        }
    }

    /// Takes the answers to the last round: for each of its sequences, whether it failed.
    ///
    /// # Panics
    /// When there are not as many answers as sequences: a fault of the caller.
    pub fn answer(&mut self, failed: &[bool]) {
        assert_eq!(failed.len(), self.asked.len(), "an answer for each sequence");
        self.state.rounds += 1;
        self.state.tried.extend(self.asked.drain(..).zip(failed.iter().copied()));
    }

    /// A trial as a sequence; `None` if none is legal and smaller than the best.
    fn sequence_of(&self, trial: &ReductionTrial) -> Option<Tried> {
        let is_first = self.state.stage == ReductionStage::Begin;
        let repairs = [Some(Repair::PutBack), trial.may_leave_out.then_some(Repair::LeaveOut)];
        let made = repairs.into_iter().flatten().find_map(|repair| {
            let made = carry_out(self.history, &self.best.recipe, trial.recipe.clone(), repair).ok()?;
            (is_first || made.size < self.best.size).then_some(made)
        })?;
        let digest = digest_of(&made).to_string();
        let failed = self.state.tried.get(&digest).copied();
        Some(Tried { sequence: made, digest, failed })
    }

    /// Goes to the next stage: all trials have been answered.
    fn go_on(&mut self, tried: Vec<Option<Tried>>) {
        let has_failed = |one: &Option<Tried>| one.as_ref().is_some_and(|one| one.failed == Some(true));
        let failed: Vec<bool> = tried.iter().map(has_failed).collect();
        let smallest = tried.into_iter().flatten().filter(|one| one.failed == Some(true));
        let smallest = smallest.map(|one| one.sequence).min_by_key(|sequence| sequence.size);
        let smaller = smallest.filter(|found| found.size < self.best.size && self.state.stage.replaces());
        let stage = self.state.stage.after(self.history, &self.best, &failed, smaller.is_some());
        let before = std::mem::replace(&mut self.state.stage, stage);
        if let (Some(sequence), Some(reduction)) = (smaller, before.reduction()) {
            let (before, after) = (self.best.size, sequence.size);
            self.state.steps.push(ShrinkStep { round: self.state.rounds, reduction, before, after });
            self.state.best = sequence.recipe.clone();
            self.best = sequence;
        }
    }

    /// Why the best sequence has an operation: what becomes of it without the operation.
    #[must_use]
    pub fn need(&self, item: u32) -> KeptReason {
        let (history, recipe) = (self.history, &self.best.recipe);
        let without = |items: BTreeSet<u32>| carry_out(history, recipe, recipe.without(&items), Repair::Nothing);
        let Err(NotLegal { item: other, rule }) = without(BTreeSet::from([item])) else { return KeptReason::Failing };
        let members = history.members.get(&history.unit[item as usize]).map_or(&[][..], Vec::as_slice);
        let chain: BTreeSet<u32> = members.iter().copied().filter(|member| recipe.keeps(*member)).collect();
        let is_of_failing = chain.len() < recipe.keep.len() && without(chain).is_ok();
        KeptReason::Rule { item: other, rule, is_of_failing }
    }
}

/// Why a sequence has an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeptReason {
    /// Without it the sequence is legal, but does not fail.
    Failing,
    /// Without it another operation breaks a rule; or, without a rule, a chain is left half done that the other operation belongs to.
    Rule {
        /// The other operation, as a position in the history.
        item: u32,
        /// The rule.
        rule: Option<nandseq_device::Rule>,
        /// Whether the sequence is legal without the whole chain, but does not fail.
        is_of_failing: bool,
    },
}

/// The digest of what a tester is given: operations, addresses, times.
fn digest_of(sequence: &LegalSequence) -> Digest {
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

fn digest_of_history(history: &SequenceHistory<'_>) -> Digest {
    let mut bytes = Vec::with_capacity(history.past.len() * 10);
    for past in &history.past {
        bytes.extend(past.op.0.to_le_bytes());
        bytes.extend(past.start.0.to_le_bytes());
        bytes.extend(past.place.group.to_le_bytes());
        bytes.extend(past.place.page.0.to_le_bytes());
    }
    Digest::of(&bytes)
}
