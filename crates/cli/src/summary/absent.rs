//! The operations that never started, with the reason: first those that were refused, then those that never can start, then those
//! that were not drawn.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_profile::model::Effect;
use nandseq_profile::{OpId, PhaseKey, Profile};
use nandseq_reach::Reason;
use nandseq_trace::recorded::quoted;
use serde::Serialize;

use crate::absent::{Absence, Absences, StartCounts, last_phase};
use crate::campaign::Campaign;
use crate::execute::Totals;
use crate::explain::{Expected, figure};
use crate::not_reached;

/// So many operations hardly fail to come by chance if they come one by one.
const SOME: f64 = 3.0;

/// An operation that never started.
#[derive(Serialize, Debug)]
pub(super) struct NeverStarted {
    op_name: String,
    why: Why,
    /// Number of its refusals.
    refused: u64,
    /// The most frequent code of its refusals.
    mostly: Option<&'static str>,
    /// Why it can never start, in words, or the state in which it can no longer start.
    never: Option<String>,
    /// The number of starts to be expected, if nothing rules it out.
    expected: Option<Expected>,
}

/// The reason why an operation never started. Operations are shown in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Why {
    Refused,
    NeverEligible,
    NoWeight,
    Dead,
    Trapped,
    UnlikeTrial,
    Undecided,
    NotDrawn,
}

impl Why {
    const ALL: [(Self, &'static str); 8] = [
        (Self::Refused, "refused"),
        (Self::NeverEligible, "never eligible"),
        (Self::NoWeight, "without weight"),
        (Self::Dead, "not drawn before nothing could ever start again"),
        (Self::Trapped, "not drawn before every die was trapped"),
        (Self::UnlikeTrial, "not drawn, unlike a trial"),
        (Self::Undecided, "not drawn, perhaps impossible"),
        (Self::NotDrawn, "not drawn by chance"),
    ];
}

/// Whether an operation is there to start, and not to be drawn so that nothing does.
pub(super) fn starts_something(profile: &Profile, op: OpId) -> bool {
    !profile.bases[profile.ops[op].base].has(Effect::Delay)
}

/// Every operation that never started.
pub(super) fn never_started(campaign: &Campaign, totals: &Totals, absences: &Absences<'_>) -> Vec<NeverStarted> {
    let (profile, sites) = (&campaign.profile, campaign.sites.len());
    let mut all: Vec<NeverStarted> = absences
        .of(&StartCounts {
            by_op: &totals.by_op,
            rejections: &totals.rejections,
            ops: totals.ops,
            bootstrap_ops: totals.bootstrap_ops,
            sites: totals.made_sites as u64,
            at_end: not_reached::at_end(totals, sites),
            phase: last_phase(campaign),
            all_dead: not_reached::all_dead(campaign, totals, sites),
        })
        .into_iter()
        .filter(|(op, _)| starts_something(profile, *op))
        .map(|(op, absence)| {
            let one = NeverStarted {
                op_name: profile.ops[op].name.clone(),
                why: Why::NoWeight,
                refused: absence.times(),
                mostly: None,
                never: None,
                expected: None,
            };
            match absence {
                Absence::Refused(_, code) => NeverStarted { why: Why::Refused, mostly: Some(code), ..one },
                Absence::NeverEligible(reason) => {
                    let never = Some(if reason == Reason::NoHook {
                        "no phase key that gives it a weight ever comes up".to_owned()
                    } else {
                        reason.text(profile, PhaseKey::DEFAULT, op)
                    });
                    NeverStarted { why: Why::NeverEligible, never, ..one }
                }
                Absence::NoWeight => one,
                Absence::Dead => NeverStarted { why: Why::Dead, ..one },
                Absence::Trapped(state) => NeverStarted { why: Why::Trapped, never: Some(state), ..one },
                Absence::UnlikeTrial(expected) => {
                    NeverStarted { why: Why::UnlikeTrial, expected: Some(expected), ..one }
                }
                Absence::NotDrawn(expected) => NeverStarted { why: Why::NotDrawn, expected, ..one },
                Absence::Undecided(expected) => NeverStarted { why: Why::Undecided, expected, ..one },
            }
        })
        .collect();
    all.sort_by_cached_key(|one| (one.why, Reverse(one.refused), one.op_name.clone()));
    all
}

/// The reasons of which one is explained, the most telling first: what is ruled out although it has a weight, then what the runs show
/// to be odd, then what has no weight, then what had bad luck.
const TELLING: [Why; 8] = [
    Why::NeverEligible,
    Why::Trapped,
    Why::Dead,
    Why::UnlikeTrial,
    Why::Refused,
    Why::NoWeight,
    Why::Undecided,
    Why::NotDrawn,
];

/// The operation that is explained: of the most telling reason the one that shares what it says with the most others.
fn example(absent: &[NeverStarted]) -> Option<&NeverStarted> {
    let mut alike: BTreeMap<(Why, Option<&str>), usize> = BTreeMap::new();
    absent.iter().for_each(|one| *alike.entry((one.why, one.never.as_deref())).or_default() += 1);
    let order = |why: Why| TELLING.iter().position(|telling| *telling == why);
    absent.iter().min_by_key(|one| (order(one.why), Reverse(alike[&(one.why, one.never.as_deref())])))
}

/// Writes how many operations there are for each reason, and the command that explains one of them.
pub(super) fn write_shortly(text: &mut String, absent: &[NeverStarted], known: u64, command: &str) -> fmt::Result {
    let Some(example) = example(absent) else { return Ok(()) };
    let kinds: Vec<String> = Why::ALL
        .iter()
        .map(|(why, words)| (absent.iter().filter(|one| one.why == *why).count(), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", grouped(count as u64)))
        .collect();
    let (all, known) = (absent.len(), counted(known, "operation"));
    writeln!(text, "Never started: {all} of {known}: {} (-v shows all); why one did not:", kinds.join(", "))?;
    writeln!(text, "  {}", explain(command, example))
}

/// Writes all of these operations.
pub(super) fn write(text: &mut String, absent: &[NeverStarted], known: u64, command: &str) -> fmt::Result {
    let Some(example) = example(absent) else { return Ok(()) };
    let (all, known) = (absent.len(), counted(known, "operation"));
    writeln!(text, "Never started: {all} of {known}; why one did not: {}", explain(command, example))?;
    let width = absent.iter().map(|one| one.op_name.chars().count()).max().unwrap_or(0);
    for one in absent {
        writeln!(text, "  {:width$}  {}", one.op_name, one.words())?;
    }
    Ok(())
}

fn explain(command: &str, one: &NeverStarted) -> String {
    let divider = if one.op_name.starts_with('-') { "-- " } else { "" };
    format!("{command} {divider}{}", quoted(one.op_name.as_ref()))
}

impl NeverStarted {
    fn words(&self) -> String {
        match self.why {
            Why::Refused => {
                format!("refused {}, mostly {}", counted(self.refused, "time"), self.mostly.unwrap_or_default())
            }
            Why::NeverEligible => format!("never eligible: {}", self.never.as_deref().unwrap_or_default()),
            Why::NoWeight => "weight 0 under every phase key, and no chain that draws it ever begins".to_owned(),
            Why::Dead => "not drawn before nothing could ever start again".to_owned(),
            Why::Trapped => {
                format!("not drawn before every die was trapped in {}", self.never.as_deref().unwrap_or_default())
            }
            Why::UnlikeTrial => {
                let (mean, trial) = self.expected.map_or((0.0, 0), |expected| (expected.mean, expected.trial));
                let trial = grouped(trial);
                format!("not drawn, although {} were to be expected by a trial of {trial}", figure(mean))
            }
            Why::Undecided => {
                "not drawn; nothing rules it out, but the device has too many states for a quick search (explain takes longer)".to_owned()
            }
            Why::NotDrawn => match self.expected {
                None => "not drawn by chance".to_owned(),
                Some(expected) if expected.counted == 0 => {
                    format!("not drawn by chance: at most {} expected", figure(expected.most))
                }
                Some(expected) => {
                    let Expected { mean, stretches, without, .. } = expected;
                    let bursts = if mean >= SOME && expected.comes_in_bursts() {
                        format!(", in bursts: {without} of {stretches} parts of a trial had none")
                    } else {
                        String::new()
                    };
                    format!("not drawn by chance: {} expected{bursts}", figure(mean))
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_is_ruled_out_for_the_reason_of_most_others() {
        let one = |name: &str, why, never: Option<&str>| NeverStarted {
            op_name: name.to_owned(),
            why,
            refused: 9,
            mostly: None,
            never: never.map(str::to_owned),
            expected: None,
        };
        let (page, die) = (Some("no page"), Some("no such die"));
        let all = [
            one("A", Why::Refused, None),
            one("B", Why::NeverEligible, die),
            one("C", Why::NeverEligible, page),
            one("D", Why::NeverEligible, page),
            one("E", Why::NoWeight, None),
            one("F", Why::NoWeight, None),
            one("G", Why::NoWeight, None),
            one("H", Why::NotDrawn, None),
        ];
        let of = |absent: &[NeverStarted]| example(absent).map(|one| one.op_name.clone());
        assert_eq!(of(&all).as_deref(), Some("C"));
        let without = |all: [NeverStarted; 8], gone: &[Why]| {
            of(&all.into_iter().filter(|one| !gone.contains(&one.why)).collect::<Vec<_>>())
        };
        assert_eq!(without(all, &[Why::NeverEligible, Why::NoWeight]).as_deref(), Some("A"));
        assert_eq!(of(&[one("H", Why::NotDrawn, None), one("E", Why::NoWeight, None)]).as_deref(), Some("E"));
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_short_summary_counts_the_operations_of_each_kind() {
        let one = |name: &str, why| NeverStarted {
            op_name: name.to_owned(),
            why,
            refused: 0,
            mostly: None,
            never: None,
            expected: None,
        };
        let absent =
            [one("A", Why::NoWeight), one("B", Why::Undecided), one("C", Why::Undecided), one("D", Why::NotDrawn)];
        let mut text = String::new();
        assert!(write_shortly(&mut text, &absent, 9, "explain").is_ok());
        let expected = "Never started: 4 of 9 operations: 1 without weight, 2 not drawn, perhaps impossible, 1 not drawn by chance (-v shows all); \
                        why one did not:\n  explain A\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn bursts_are_told_of_only_where_the_starts_of_the_trial_cluster() {
        let words = |counted, without| {
            let expected = Expected {
                of: 5_000,
                mean: counted as f64,
                least: 0.0,
                most: 0.0,
                counted,
                trial: 5_000,
                stretches: 20,
                without,
                trapped_after: None,
                limited: false,
            };
            let absent = NeverStarted {
                op_name: "Read".to_owned(),
                why: Why::NotDrawn,
                refused: 0,
                mostly: None,
                never: None,
                expected: Some(expected),
            };
            absent.words()
        };
        assert_eq!(words(40, 15), "not drawn by chance: 40 expected, in bursts: 15 of 20 parts of a trial had none");
        // Twelve that come one by one leave ten or eleven parts without any.
        assert_eq!(words(12, 11), "not drawn by chance: 12 expected");
        // Few are no surprise, however they come.
        assert_eq!(words(2, 19), "not drawn by chance: 2.0 expected");
    }
}
