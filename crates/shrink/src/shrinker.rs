//! The search for the smallest sequence that still fails, round by round.
//!
//! A [`Shrinker`] hands out the candidates of a round, is told which of them failed, and goes on. It keeps nothing but its
//! [`ShrinkState`], which is data: written to disk after each round, it lets a process that was killed go on to the same result. No
//! candidate is asked for twice, unless answers are a matter of chance: [`RepeatRule`].

use std::collections::{BTreeMap, BTreeSet};

use nandseq_device::Rule;
use nandseq_trace::files::Digest;
use serde::{Deserialize, Serialize};

use crate::evidence::{FailRate, RepeatRule, TryCounts};
use crate::history::SequenceHistory;
use crate::player::Player;
use crate::recipe::{Recipe, SequenceSize};
use crate::reduce::{Reduction, ReductionStage};
use crate::removal::RemovalOutcome;
use crate::repair::{LegalSequence, NotLegal, Repair, carry_out};
use crate::round::{Candidate, CandidateKind, Round, RoundMaker, digest_of};

/// The most rounds of a search.
pub const MOST_ROUNDS: u64 = 60;

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
    /// The digest of the history that is shrunk.
    history: Digest,
    /// The operation that fails, as a position in the history, if it is known.
    failing: Option<u32>,
    rule: RepeatRule,
    stage: ReductionStage,
    best: Recipe,
    /// Rounds that asked for something.
    rounds: u64,
    /// By digest of a sequence: how often it was tried, and how often it failed.
    tried: BTreeMap<String, TryCounts>,
    /// The same of a round whose answers leave a doubt: what the round tries follows from what was known before it.
    of_round: BTreeMap<String, TryCounts>,
    steps: Vec<ShrinkStep>,
}

/// What comes next.
#[derive(Debug)]
pub enum NextRound {
    /// Each of these sequences is to be tried.
    Try(Vec<Candidate>),
    /// The run itself does not fail.
    NeverFails,
    /// Nothing smaller fails, or there were as many rounds as a search may have.
    Done,
}

/// Why a state cannot be gone on with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ShrinkStateError {
    /// It is of another run.
    #[error("it is of another run")]
    History,
    /// It names operations that the run does not have.
    #[error("it is damaged")]
    Damaged,
    /// Its sequences are tried more or less often.
    #[error("it was begun with another --repeat or --fails-at-least")]
    Rule,
}

/// A search for the smallest sequence that fails.
pub struct Shrinker<'h> {
    history: &'h SequenceHistory<'h>,
    state: ShrinkState,
    best: LegalSequence,
    best_digest: String,
    /// The round that is asked about.
    round: Option<Round>,
}

impl std::fmt::Debug for Shrinker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shrinker").field("state", &self.state).finish_non_exhaustive()
    }
}

impl<'h> Shrinker<'h> {
    /// Begins a search. `failing` is the operation that fails, as a position in the history, if it is known.
    ///
    /// # Errors
    /// When the history cannot be carried out in one run from a fresh device.
    pub fn new(history: &'h SequenceHistory<'h>, failing: Option<u32>, rule: RepeatRule) -> Result<Self, NotLegal> {
        let recipe = Recipe::everything(history);
        let best = again(history, &recipe)?;
        let state = ShrinkState {
            history: digest_of_history(history),
            failing,
            rule,
            stage: ReductionStage::Begin,
            best: recipe,
            rounds: 0,
            tried: BTreeMap::new(),
            of_round: BTreeMap::new(),
            steps: Vec::new(),
        };
        Ok(Self { history, state, best_digest: digest_of(&best).to_string(), best, round: None })
    }

    /// Goes on from a state.
    ///
    /// # Errors
    /// When the state is not one of this history.
    pub fn resume(
        history: &'h SequenceHistory<'h>,
        state: ShrinkState,
        rule: RepeatRule,
    ) -> Result<Self, ShrinkStateError> {
        if state.rule != rule {
            return Err(ShrinkStateError::Rule);
        }
        if state.history != digest_of_history(history) {
            return Err(ShrinkStateError::History);
        }
        if state.best.keep.last().is_some_and(|item| *item as usize >= history.past.len()) {
            return Err(ShrinkStateError::Damaged);
        }
        let best = again(history, &state.best).map_err(|_| ShrinkStateError::Damaged)?;
        Ok(Self { history, best_digest: digest_of(&best).to_string(), best, state, round: None })
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

    /// Whether the search ended because it had as many rounds as it may have: more could go.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.state.rounds >= MOST_ROUNDS && self.state.stage != ReductionStage::Done
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

    /// The operations of a candidate.
    ///
    /// # Panics
    /// When the candidate is not one of this search.
    #[must_use]
    pub fn carried_out(&self, candidate: &Candidate) -> LegalSequence {
        again(self.history, &candidate.recipe).expect("a candidate was carried out before")
    }

    /// The tries of the smallest sequence so far.
    #[must_use]
    pub fn tries_of_best(&self) -> TryCounts {
        self.counts(&self.best_digest)
    }

    /// How often each sequence is tried.
    #[must_use]
    pub const fn rule(&self) -> RepeatRule {
        self.state.rule
    }

    /// What is known of a sequence.
    fn counts(&self, digest: &str) -> TryCounts {
        let mut known = self.state.tried.get(digest).copied().unwrap_or_default();
        known.add(self.state.of_round.get(digest).copied().unwrap_or_default());
        known
    }

    /// The rate of fails at which something is looked for: the lowest, and at the end that of the smallest sequence.
    fn rate(&self) -> FailRate {
        match &self.state.stage {
            ReductionStage::Remove(removal) if removal.is_again => {
                let known = self.state.tried.get(&self.best_digest).copied().unwrap_or_default();
                self.state.rule.rate_of_reductions(known)
            }
            ReductionStage::Begin
            | ReductionStage::Tail { .. }
            | ReductionStage::Head { .. }
            | ReductionStage::Remove(_)
            | ReductionStage::Done => self.state.rule.lowest_rate(),
        }
    }

    fn maker(&self) -> RoundMaker<'_> {
        let ShrinkState { failing, tried, rule, .. } = &self.state;
        let (failing, rule, rate) = (*failing, *rule, self.rate());
        let at_a_time = rule.asks_at_a_time(tried.get(&self.best_digest).copied().unwrap_or_default());
        RoundMaker { history: self.history, best: &self.best, failing, tried, rule, rate, at_a_time }
    }

    /// The candidates of the next round. Asked again without an answer, it gives the same ones.
    pub fn next_round(&mut self) -> NextRound {
        loop {
            if self.state.stage == ReductionStage::Done || self.is_cut_short() {
                return NextRound::Done;
            }
            let is_first = self.state.stage == ReductionStage::Begin;
            let has_passed = |whole: &TryCounts| self.state.rule.passes(*whole, self.rate());
            if is_first && self.state.tried.get(&self.best_digest).is_some_and(has_passed) {
                return NextRound::NeverFails;
            }
            let mut round = self.round.take().unwrap_or_else(|| self.maker().round(&self.state.stage));
            if !self.state.of_round.is_empty() {
                round.asked = self.doubtful(&round);
            }
            if !round.asked.is_empty() {
                let asked = round.asked.iter().map(|at| round.entries[*at].candidate.clone()).collect();
                self.round = Some(round);
                return NextRound::Try(asked);
            }
            self.go_on(round);
        }
    }

    /// The entries of a round whose answers leave a doubt.
    fn doubtful(&self, round: &Round) -> Vec<usize> {
        if !self.state.rule.is_of_chance() {
            return Vec::new();
        }
        let is_first = self.state.stage == ReductionStage::Begin;
        self.maker().doubtful(round, |candidate| self.counts(&candidate.digest), is_first)
    }

    /// Takes the answers to the last round: for each of its sequences, how often it was tried and how often it failed.
    ///
    /// # Panics
    /// When there are not as many answers as sequences: a fault of the caller.
    pub fn answer(&mut self, answers: &[TryCounts]) {
        let round = self.round.take().unwrap_or_default();
        assert_eq!(answers.len(), round.asked.len(), "an answer for each sequence");
        self.state.rounds += 1;
        for (at, counts) in round.asked.iter().zip(answers) {
            let known = self.state.of_round.entry(round.entries[*at].candidate.digest.clone()).or_default();
            known.add(*counts);
        }
        if self.doubtful(&round).is_empty() {
            self.go_on(round);
        } else {
            self.round = Some(round);
        }
    }

    /// Goes to the next stage: all trials have been answered.
    fn go_on(&mut self, round: Round) {
        let Round { mut entries, cuts, end, asked } = round;
        let (rule, rate) = (self.state.rule, self.rate());
        let leaves_open = rule.is_of_chance() && !asked.is_empty();
        for (digest, answers) in std::mem::take(&mut self.state.of_round) {
            self.state.tried.entry(digest).or_default().add(answers);
        }
        let known = |candidate: &Candidate| self.state.tried.get(&candidate.digest).copied().unwrap_or_default();
        let fails = |candidate: &Candidate| rule.fails(known(candidate), rate);
        if self.state.stage == ReductionStage::Begin && !entries.iter().any(|entry| fails(&entry.candidate)) {
            return;
        }
        let smallest = entries.iter().filter(|entry| fails(&entry.candidate)).min_by_key(|entry| entry.candidate.size);
        let smaller = smallest.filter(|entry| entry.candidate.size < self.best.size);
        let smaller = smaller.map(|entry| (entry.reduction, entry.candidate.recipe.clone()));
        let mut failed_cuts = vec![false; cuts];
        let mut chunks = Vec::new();
        for entry in entries.drain(..) {
            match entry.trial {
                CandidateKind::Cut(at) => failed_cuts[at] = fails(&entry.candidate),
                CandidateKind::Chunk(tried) => chunks.push((tried, rule.seems_to_fail(known(&entry.candidate), rate))),
                CandidateKind::Hits | CandidateKind::Best => {}
            }
        }
        let whole = (self.state.stage.clone(), self.state.best.clone());
        let mut has_progress = false;
        if let Some((reduction, recipe)) = smaller {
            let best = again(self.history, &recipe).expect("a candidate was carried out before");
            let (before, after) = (self.best.size, best.size);
            self.state.steps.push(ShrinkStep { round: self.state.rounds, reduction, before, after });
            has_progress = after.is_worth_more_than(&before);
            (self.state.best, self.best_digest, self.best) = (recipe, digest_of(&best).to_string(), best);
        }
        self.state.stage = match end {
            Some((removal, end)) => {
                let outcome = RemovalOutcome { best: &self.best, has_progress, leaves_open };
                removal.after(end, chunks, outcome).map_or(ReductionStage::Done, ReductionStage::Remove)
            }
            None => whole.0.after_cuts(&whole.1, self.state.failing, &failed_cuts),
        };
    }

    /// Why the best sequence has an operation: what becomes of it without the operation.
    #[must_use]
    pub fn need(&self, item: u32) -> KeptReason {
        let (history, recipe) = (self.history, &self.best.recipe);
        let without =
            |items: BTreeSet<u32>| carry_out(history, recipe, recipe.without(&items), Repair::Nothing, usize::MAX);
        let broken = self.first_broken(item).map(|(item, rule)| NotLegal { item, rule: Some(rule) });
        let broken = broken.or_else(|| without(BTreeSet::from([item])).err());
        let Some(NotLegal { item: other, rule }) = broken else { return KeptReason::Failing };
        let chain = history.unit_of(item);
        let chain: BTreeSet<u32> = chain.iter().copied().filter(|member| recipe.keeps(*member)).collect();
        let is_of_failing = chain.len() < recipe.keep.len() && without(chain).is_ok();
        KeptReason::Rule { item: other, rule, is_of_failing }
    }

    /// The first operation that breaks a rule, and the rule, if the best sequence is carried out as it is but without an operation.
    fn first_broken(&self, left_out: u32) -> Option<(u32, Rule)> {
        let mut player = Player::of(self.history.tables, self.history.fresh.clone());
        let mut rest = self.best.operations.iter().filter(|kept| kept.item != left_out);
        rest.find_map(|kept| {
            player.happened.clear();
            let started = player.start_at(kept.item, (kept.op, &kept.place), kept.start);
            started.err().map(|rule| (kept.item, rule))
        })
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
        rule: Option<Rule>,
        /// Whether the sequence is legal without the whole chain, but does not fail.
        is_of_failing: bool,
    },
}

/// The sequence of a recipe that gave a legal one before.
fn again(history: &SequenceHistory<'_>, recipe: &Recipe) -> Result<LegalSequence, NotLegal> {
    carry_out(history, recipe, recipe.clone(), Repair::Nothing, usize::MAX)
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
