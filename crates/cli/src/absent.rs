//! Why an operation of the profile did not start: it was refused, has no weight, is never eligible, was not drawn before the
//! device was dead or trapped, or was not drawn by chance.
//!
//! Summary and proposer log both take the reasons from here. What is said of an operation does not depend on who asks
//! ([`CanStart`]). An operation counts as able to start unless something rules that out.

use std::collections::BTreeMap;
use std::sync::Arc;

use nandseq_generate::dead::LastingState;
use nandseq_generate::{Rejections, Site};
use nandseq_profile::OpId;
use nandseq_profile::model::DeviceState;
use nandseq_reach::{Reason, Verdict};

use crate::campaign::{Campaign, Closure};
use crate::can_start::{CanStart, TrappedDies};
use crate::explain::{Expected, Trial, figure, most_of_none};

/// Why an operation did not start.
#[derive(Clone, Debug)]
pub(crate) enum Absence {
    /// It was drawn and never started: the number of refusals, and the code of the most frequent reason.
    Refused(u64, &'static str),
    /// No phase key gives it a weight, and no chain that draws it ever begins.
    NoWeight,
    /// It can never start, for this reason.
    NeverEligible(Reason),
    /// It was not drawn before the device was dead.
    Dead,
    /// It was not drawn before every die was in states that nothing ends, in which it cannot start: the names of the states.
    Trapped(String),
    /// It was not drawn by chance: it can start. The number of starts to be expected, if the trial says so.
    NotDrawn(Option<Expected>),
    /// It was not drawn, and nothing rules it out, on a device with too many states to decide whether it can start.
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
    /// Of these, the operations of bootstraps, which are drawn by other weights.
    pub(crate) bootstrap_ops: u64,
    /// The number of sites that started them.
    pub(crate) sites: u64,
    /// The lasting states of each die at the end; none if they are not known.
    pub(crate) at_end: &'s [Vec<DeviceState>],
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
            | Self::Trapped(_)
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
            Self::Trapped(state) => format!("trapped:{state}"),
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

/// Why operations of a campaign did not start.
#[derive(Debug)]
pub(crate) struct Absences<'p> {
    /// The campaign.
    pub(crate) campaign: &'p Campaign,
    can_start: CanStart<'p>,
}

impl<'p> Absences<'p> {
    /// Finds nothing yet.
    pub(crate) const fn new(campaign: &'p Campaign) -> Self {
        Self { campaign, can_start: CanStart::new(&campaign.in_force) }
    }

    /// Why each operation that is missing did not start.
    pub(crate) fn of(&self, started: &StartCounts<'_>) -> Vec<(OpId, Absence)> {
        let mut refused: BTreeMap<OpId, BTreeMap<&'static str, u64>> = BTreeMap::new();
        for (&(_, op, reason), count) in started.rejections {
            *refused.entry(op).or_default().entry(reason.code()).or_default() += count;
        }
        let trap = (!started.all_dead).then(|| self.can_start.trap(started.at_end)).flatten();
        let absent = started.by_op.iter().enumerate().filter(|&(_, &count)| count == 0).map(|(op, _)| OpId::from(op));
        let absence = |op| match refused.get(&op) {
            Some(reasons) => most_frequent(reasons),
            None => self.without_refusal(op, started, trap.as_deref()),
        };
        absent.map(|op| (op, absence(op))).collect()
    }

    /// The trap in which all dies are at the end; `None` if there is none.
    pub(crate) fn trap(&self, at_end: &[Vec<DeviceState>]) -> Option<Arc<TrappedDies>> {
        self.can_start.trap(at_end)
    }

    /// The trap that keeps a site from the coverage at which it ends; `None` if it may still reach it.
    pub(crate) fn trap_before_goal(&self, site: &Site<'_>) -> Option<Arc<TrappedDies>> {
        let until = self.campaign.closure.as_ref().and_then(Closure::until)?;
        let states: Vec<Vec<DeviceState>> = site.lasting_states().iter().map(LastingState::device_states).collect();
        let trap = self.can_start.trap(&states)?;
        let left = {
            let may_come = self.can_start.left_in(&trap, &site.shown_keys());
            site.uncovered().into_iter().filter(|bin| may_come(bin.key, bin.op)).count() as u64
        };
        let hit = site.reached().map_or(0, |reached| reached.hit);
        (hit + left < until).then_some(trap)
    }

    fn without_refusal(&self, op: OpId, started: &StartCounts<'_>, trap: Option<&TrappedDies>) -> Absence {
        let verdict = self.can_start.verdict(op);
        match verdict {
            Verdict::Unreachable(Reason::NoWeight | Reason::Excluded | Reason::NoHead) => return Absence::NoWeight,
            Verdict::Unreachable(reason) => return Absence::NeverEligible(reason),
            Verdict::Reachable | Verdict::Coincidence | Verdict::Undecided => {}
        }
        if started.all_dead {
            return Absence::Dead;
        }
        if let Some(trap) = trap.filter(|trap| trap.lost.contains(&op)) {
            return Absence::Trapped(trap.states_against(&self.campaign.profile, op));
        }
        let drawn = started.ops.saturating_sub(started.bootstrap_ops);
        // Directed generation, and phases with masses of their own, draw by other weights than the trial.
        let plain = self.campaign.closure.as_ref().is_none_or(|closure| !closure.directed)
            && self.campaign.plan.as_ref().is_none_or(|plan| plan.table(0).is_none());
        let trial = plain.then(|| self.can_start.trial()).filter(|trial| !trial.is_over);
        let expected = trial
            .filter(|_| Trial::is_like(drawn, started.sites))
            .and_then(|trial| trial.expected(op, (drawn, started.sites), self.can_start.lost_in_trial()))
            .filter(|expected| expected.counted > 0 || expected.has_bounds());
        let expected = expected.map(|expected| {
            // That the runs had none is evidence too.
            let most = if expected.counted == 0 { expected.most.min(most_of_none()) } else { expected.most };
            Expected { most, ..expected }
        });
        match expected {
            Some(expected) if trial.is_some_and(|trial| trial.is_unlike(op, drawn, started.sites)) => {
                Absence::UnlikeTrial(expected)
            }
            expected if verdict == Verdict::Undecided => Absence::Undecided(expected),
            expected => Absence::NotDrawn(expected),
        }
    }
}

/// The refusals with their most frequent reason; of equally frequent reasons, the first by code.
fn most_frequent(reasons: &BTreeMap<&'static str, u64>) -> Absence {
    let times = reasons.values().sum();
    let most = reasons.iter().max_by_key(|&(code, count)| (count, std::cmp::Reverse(code)));
    Absence::Refused(times, most.map_or("", |(code, _)| code))
}
