//! Why an operation of the profile did not start: it was refused, has no weight, is never eligible, was not drawn before the
//! device was dead, or was not drawn by chance.
//!
//! Summary and proposer log both take the reasons from here. Two things take time: the analysis of what operations need, and a
//! short trial. Each is done at first use, once for each [`Absences`], and its result does not depend on who asks.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use nandseq_generate::Rejections;
use nandseq_profile::OpId;
use nandseq_reach::{Reason, Search, never_provided};

use crate::campaign::Campaign;
use crate::explain::{Expected, Trial, figure, most_of_none};
use crate::in_force::InForce;

/// Number of operations of the trial that shows which operations can start, and estimates how often. It takes some 5 ms.
const TRIAL_OPS: u64 = 5_000;
/// The seed of that trial: one that hardly any campaign has, so that it is no repetition of a run.
const TRIAL_SEED: u64 = 0x6e6f_745f_6472_776e;

/// From this number of operations on, the states of the device are searched wherever that says more. On the built-in device the
/// search takes 0.1 s. Tests of shorter runs would take several times as long with it.
const SEARCHED_FROM: u64 = 1_000;

/// The states of a device with no more operations than this are searched in any case. It takes some 10 ms.
const SMALL: usize = 32;

/// If an operation that never came would have come so often on average, by its weights or by a trial, chance hardly explains that
/// (once in 22,000 such operations).
const NO_CHANCE: f64 = 10.0;

/// Why an operation did not start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Absence {
    /// It was drawn and never started: the number of refusals, and the code of the most frequent reason.
    Refused(u64, &'static str),
    /// No phase key gives it a weight, and no chain that can run has it.
    NoWeight,
    /// It can never start, for this reason.
    NeverEligible(Reason),
    /// It was not drawn before the device was dead.
    Dead,
    /// It was not drawn by chance: it can start. The number of starts to be expected, if the trial says so.
    NotDrawn(Option<Expected>),
    /// It was not drawn, and whether it can start is not known; the number of starts to be expected at most, if the trial says so.
    Undecided(Option<Expected>),
    /// It was not drawn, although by the trial it is next to impossible that none starts.
    UnlikeTrial(Expected),
}

/// The starts and refusals of some runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartCounts<'s> {
    /// Operations started, by [`OpId`].
    pub(crate) by_op: &'s [u64],
    /// Refused proposals.
    pub(crate) rejections: &'s Rejections,
    /// Operations started.
    pub(crate) ops: u64,
    /// Whether the device was dead at the end, so that nothing could ever start again.
    pub(crate) all_dead: bool,
}

impl Absence {
    /// The number of refusals.
    pub(crate) const fn times(&self) -> u64 {
        match self {
            Self::Refused(times, _) => *times,
            Self::NoWeight
            | Self::NeverEligible(_)
            | Self::Dead
            | Self::NotDrawn(_)
            | Self::Undecided(_)
            | Self::UnlikeTrial(_) => 0,
        }
    }

    /// The code of the reason in the proposer log.
    pub(crate) fn code(&self) -> String {
        match self {
            Self::Refused(..) => "never_started".to_owned(),
            Self::NoWeight => "no_weight".to_owned(),
            Self::NeverEligible(reason) => format!("never_eligible:{}", reason.code()),
            Self::Dead => "dead_device".to_owned(),
            Self::UnlikeTrial(expected) => format!("unlike_trial:{}", figure(expected.mean)),
            Self::NotDrawn(expected) => format!("never_drawn{}", estimate(expected.as_ref())),
            Self::Undecided(expected) => format!("undecided{}", estimate(expected.as_ref())),
        }
    }
}

/// An estimate in the proposer log: `:12`, or `:<3.7` if the trial had none.
fn estimate(expected: Option<&Expected>) -> String {
    match expected {
        None => String::new(),
        Some(expected) if expected.counted == 0 => format!(":<{}", figure(expected.most)),
        Some(expected) => format!(":{}", figure(expected.mean)),
    }
}

/// Says why operations did not start: see [`Absences::of`].
pub(crate) type WhyAbsent<'w> = &'w (dyn Fn(&StartCounts<'_>) -> Vec<(OpId, Absence)> + Sync);

/// Facts about the operations of a campaign that do not depend on its runs, each found at first use.
#[derive(Debug)]
pub(crate) struct Absences<'p> {
    /// The campaign.
    pub(crate) campaign: &'p Campaign,
    never: OnceLock<Vec<Option<Reason>>>,
    by_states: OnceLock<(Vec<Option<Reason>>, bool)>,
    trial: OnceLock<Trial>,
    /// What [`Trial::by_weights`] says of the table in force.
    by_weights: OnceLock<Vec<f64>>,
}

impl<'p> Absences<'p> {
    /// Finds nothing yet.
    pub(crate) fn new(campaign: &'p Campaign) -> Self {
        Self {
            campaign,
            never: OnceLock::new(),
            by_states: OnceLock::new(),
            trial: OnceLock::new(),
            by_weights: OnceLock::new(),
        }
    }

    /// Why each operation that is missing did not start.
    pub(crate) fn of(&self, started: &StartCounts<'_>) -> Vec<(OpId, Absence)> {
        let mut refused: BTreeMap<OpId, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (&(_, op, reason), count) in started.rejections {
            *refused.entry(op).or_default().entry(reason.code()).or_default() += count;
        }
        let absent =
            || started.by_op.iter().enumerate().filter(|&(_, &count)| count == 0).map(|(op, _)| OpId::from(op));
        let is_searched = absent().any(|op| !refused.contains_key(&op) && self.needs_search(op, started));
        let absence = |op| match refused.get(&op) {
            Some(reasons) => most_frequent(reasons),
            None => self.without_refusal(op, started, is_searched),
        };
        absent().map(|op| (op, absence(op))).collect()
    }

    fn without_refusal(&self, op: OpId, started: &StartCounts<'_>, is_searched: bool) -> Absence {
        if !self.is_possible(op) {
            return Absence::NoWeight;
        }
        let (never, others_can) = if is_searched { self.by_states() } else { (self.never(), false) };
        match never[op.index()] {
            Some(Reason::NoWeight | Reason::Excluded) => return Absence::NoWeight,
            Some(reason) => return Absence::NeverEligible(reason),
            None => {}
        }
        if started.all_dead {
            return Absence::Dead;
        }
        // Directed generation draws by other weights than the trial.
        let plain = self.campaign.closure.as_ref().is_none_or(|closure| !closure.directed);
        let trial = plain.then(|| self.trial()).filter(|trial| !trial.is_over);
        let expected = trial.and_then(|trial| trial.expected(op, started.ops)).map(|expected| {
            // That the runs had none is evidence too.
            let most = if expected.counted == 0 { expected.most.min(most_of_none()) } else { expected.most };
            Expected { most, ..expected }
        });
        match expected {
            Some(expected) if expected.least > most_of_none() && expected.mean >= NO_CHANCE => {
                Absence::UnlikeTrial(expected)
            }
            expected if others_can || self.trial().has_started(op) => Absence::NotDrawn(expected),
            expected => Absence::Undecided(expected),
        }
    }

    /// Whether an operation has a weight under some phase key, or comes with a chain.
    fn is_possible(&self, op: OpId) -> bool {
        self.campaign.table.gives_weight(op) || self.is_step(op)
    }

    /// Whether only a search of the states tells whether an operation can start, and the search is worth its time.
    fn needs_search(&self, op: OpId, started: &StartCounts<'_>) -> bool {
        if !self.is_possible(op) || self.never()[op.index()].is_some() || self.trial().has_started(op) {
            return false;
        }
        let InForce { profile, table, .. } = &self.campaign.in_force;
        let by_weights = || self.by_weights.get_or_init(|| self.trial().by_weights(|key| table.masses(key)));
        let is_unlikely = || !started.all_dead && started.ops as f64 * by_weights()[op.index()] >= NO_CHANCE;
        started.ops >= SEARCHED_FROM || profile.ops.len() <= SMALL || is_unlikely()
    }

    /// Whether some chain has the operation's base as a step.
    fn is_step(&self, op: OpId) -> bool {
        let profile = &self.campaign.profile;
        let base = profile.ops[op].base;
        profile.chains.iter().any(|chain| chain.steps.iter().any(|step| step.base == base))
    }

    /// For each operation the reason why it can never start, by what operations need alone.
    fn never(&self) -> &[Option<Reason>] {
        let InForce { profile, table, .. } = &self.campaign.in_force;
        self.never.get_or_init(|| never_provided(profile, &table.distributions, self.campaign.start()))
    }

    /// For each operation the reason why it can never start, by what operations need and by the states of the device; and whether all
    /// others can.
    fn by_states(&self) -> (&[Option<Reason>], bool) {
        let (never, is_complete) = self.by_states.get_or_init(|| {
            let InForce { profile, table, .. } = &self.campaign.in_force;
            let never = self.never();
            let search = Search::new(profile, &table.distributions, self.campaign.start());
            let by_states = search.why_never(|op| never[op.index()].is_some());
            let never = never.iter().zip(by_states).map(|(quick, by_states)| quick.or(by_states)).collect();
            (never, search.is_complete())
        });
        (never, *is_complete)
    }

    fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| {
            let InForce { profile, table, .. } = &self.campaign.in_force;
            Trial::with_seed(profile, &table.distributions, self.campaign.start(), (TRIAL_OPS, TRIAL_SEED))
        })
    }
}

/// The refusals with their most frequent reason; of equally frequent reasons, the first by code.
fn most_frequent(reasons: &BTreeMap<&'static str, u64>) -> Absence {
    let times = reasons.values().sum();
    let most = reasons.iter().max_by_key(|&(code, count)| (count, std::cmp::Reverse(code)));
    Absence::Refused(times, most.map_or("", |(code, _)| code))
}
