//! Why operations did not start: refused, without a weight, never eligible, too late on a dead device, or merely not drawn.
//!
//! Summary and proposer logs say the same by the same means. What takes time, a look at what operations need and a short trial, is done
//! when it is asked for, once for a campaign, and does not depend on who asks first.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use nandseq_generate::Rejections;
use nandseq_profile::OpId;
use nandseq_reach::{Reason, Search, never_provided};

use crate::campaign::Campaign;
use crate::explain::{Expected, Trial, figure, most_of_none};

/// Operations of the trial that says how many to expect.
const TRIAL_OPS: u64 = 1_000;

/// From so many operations on the states of the device are searched too: that takes about as long as making them.
const SEARCHED_FROM: u64 = 100_000;

/// Why an operation did not start.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Absence {
    /// It was drawn and refused so often, mostly for the reason of this code.
    Refused(u64, &'static str),
    /// No phase key gives it a weight, and no chain that can run has it.
    NoWeight,
    /// It can never start, for this reason.
    NeverEligible(Reason),
    /// It was not drawn before nothing could ever start again.
    Dead,
    /// Nothing is known to be in its way, and it was not drawn; how many were to be expected, where that is known.
    NotDrawn(Option<Expected>),
    /// The same, although by a trial it is next to impossible that there is none.
    UnlikeTrial(Expected),
}

/// What operations did among which some are missing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartCounts<'s> {
    /// Operations started, by [`OpId`].
    pub(crate) by_op: &'s [u64],
    /// Proposals that failed.
    pub(crate) rejections: &'s Rejections,
    /// Operations started.
    pub(crate) ops: u64,
    /// Whether nothing could ever start again at the end.
    pub(crate) all_dead: bool,
}

impl Absence {
    /// How often it was refused.
    pub(crate) const fn times(&self) -> u64 {
        match self {
            Self::Refused(times, _) => *times,
            Self::NoWeight | Self::NeverEligible(_) | Self::Dead | Self::NotDrawn(_) | Self::UnlikeTrial(_) => 0,
        }
    }

    /// What it is in the proposer log.
    pub(crate) fn code(&self) -> String {
        match self {
            Self::Refused(..) => "never_started".to_owned(),
            Self::NoWeight => "no_weight".to_owned(),
            Self::NeverEligible(reason) => format!("never_eligible:{}", reason.code()),
            Self::Dead => "dead_device".to_owned(),
            Self::UnlikeTrial(expected) => format!("unlike_trial:{}", figure(expected.mean)),
            Self::NotDrawn(None) => "never_drawn".to_owned(),
            Self::NotDrawn(Some(expected)) if expected.counted == 0 => {
                format!("never_drawn:<{}", figure(expected.most))
            }
            Self::NotDrawn(Some(expected)) => format!("never_drawn:{}", figure(expected.mean)),
        }
    }
}

/// Says why operations did not start: see [`Absences::of`].
pub(crate) type WhyAbsent<'w> = &'w (dyn Fn(&StartCounts<'_>) -> Vec<(OpId, Absence)> + Sync);

/// What is known of a campaign's operations beside what they did.
#[derive(Debug)]
pub(crate) struct Absences<'p> {
    campaign: &'p Campaign,
    never: OnceLock<Vec<Option<Reason>>>,
    never_by_states: OnceLock<Vec<Option<Reason>>>,
    trial: OnceLock<Trial>,
}

impl<'p> Absences<'p> {
    /// Nothing is looked for yet.
    pub(crate) fn new(campaign: &'p Campaign) -> Self {
        Self { campaign, never: OnceLock::new(), never_by_states: OnceLock::new(), trial: OnceLock::new() }
    }

    /// Why each operation that is missing did not start.
    pub(crate) fn of(&self, started: &StartCounts<'_>) -> Vec<(OpId, Absence)> {
        let mut refused: BTreeMap<OpId, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (&(_, op, reason), count) in started.rejections {
            *refused.entry(op).or_default().entry(reason.code()).or_default() += count;
        }
        let absent = started.by_op.iter().enumerate().filter(|&(_, &count)| count == 0).map(|(op, _)| OpId::from(op));
        absent
            .map(|op| {
                let absence = match refused.get(&op) {
                    Some(reasons) => most_frequent(reasons),
                    None => self.without_refusal(op, started),
                };
                (op, absence)
            })
            .collect()
    }

    fn without_refusal(&self, op: OpId, started: &StartCounts<'_>) -> Absence {
        if !self.campaign.table.gives_weight(op) && !self.is_step(op) {
            return Absence::NoWeight;
        }
        let never = if started.ops < SEARCHED_FROM { self.never() } else { self.never_by_states() };
        match never[op.index()] {
            Some(Reason::NoWeight | Reason::Excluded) => return Absence::NoWeight,
            Some(reason) => return Absence::NeverEligible(reason),
            None => {}
        }
        if started.all_dead {
            return Absence::Dead;
        }
        // Going for coverage draws by other weights.
        let plain = self.campaign.closure.as_ref().is_none_or(|closure| !closure.directed);
        let trial = plain.then(|| self.trial()).filter(|trial| !trial.is_over);
        match trial.and_then(|trial| trial.expected(op, started.ops)) {
            Some(expected) if expected.least > most_of_none() => Absence::UnlikeTrial(expected),
            // That there was none is evidence, too.
            Some(expected) if expected.counted == 0 => {
                Absence::NotDrawn(Some(Expected { most: expected.most.min(most_of_none()), ..expected }))
            }
            expected => Absence::NotDrawn(expected),
        }
    }

    /// Whether some chain has the operation's base as a step.
    fn is_step(&self, op: OpId) -> bool {
        let profile = &self.campaign.profile;
        let base = profile.ops[op].base;
        profile.chains.iter().any(|chain| chain.steps.iter().any(|step| step.base == base))
    }

    /// For each operation why it can never start, as far as a look at what operations need tells.
    fn never(&self) -> &[Option<Reason>] {
        let Campaign { profile, table, .. } = self.campaign;
        self.never.get_or_init(|| never_provided(profile, &table.distributions, self.campaign.start()))
    }

    /// The same, as far as the states of the device tell, too.
    fn never_by_states(&self) -> &[Option<Reason>] {
        self.never_by_states.get_or_init(|| {
            let Campaign { profile, table, .. } = self.campaign;
            let never = self.never();
            let search = Search::new(profile, &table.distributions, self.campaign.start());
            let by_states = search.why_never(|op| never[op.index()].is_some());
            never.iter().zip(by_states).map(|(quick, by_states)| quick.or(by_states)).collect()
        })
    }

    fn trial(&self) -> &Trial {
        self.trial.get_or_init(|| {
            Trial::new(&self.campaign.profile, &self.campaign.table.distributions, self.campaign.start(), TRIAL_OPS)
        })
    }
}

/// Of several reasons the most frequent one; of equally frequent ones the first by name.
fn most_frequent(reasons: &BTreeMap<&'static str, u64>) -> Absence {
    let times = reasons.values().sum();
    let most = reasons.iter().max_by_key(|&(code, count)| (count, std::cmp::Reverse(code)));
    Absence::Refused(times, most.map_or("", |(code, _)| code))
}
