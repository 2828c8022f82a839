//! The operations that never started, with the reason: first those that were refused, then those that never can start, then those
//! that were not drawn.

use std::cmp::Reverse;
use std::fmt::{self, Write as _};

use nandseq_profile::PhaseKey;
use nandseq_profile::diagnostic::{counted, grouped};
use nandseq_reach::Reason;
use nandseq_trace::recorded::quoted;
use serde::Serialize;

use crate::absent::{Absence, Absences, StartCounts};
use crate::campaign::Campaign;
use crate::execute::Totals;
use crate::explain::{Expected, figure};
use crate::not_reached;

/// An operation that never started.
#[derive(Serialize, Debug)]
pub(super) struct NeverStarted {
    op_name: String,
    why: Why,
    /// Number of its refusals.
    refused: u64,
    /// The most frequent code of its refusals.
    mostly: Option<&'static str>,
    /// Why it can never start, in words.
    never: Option<String>,
    /// The number of starts to be expected, if nothing rules it out.
    expected: Option<Expected>,
    /// Whether nothing rules it out, but the device has too many states to decide that it can start.
    #[serde(skip)]
    is_undecided: bool,
}

/// The reason why an operation never started. Operations are shown in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Debug)]
#[serde(rename_all = "snake_case")]
enum Why {
    Refused,
    NeverEligible,
    NoWeight,
    Dead,
    UnlikeTrial,
    NotDrawn,
}

impl Why {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Refused, "refused"),
        (Self::NeverEligible, "never eligible"),
        (Self::NoWeight, "without weight"),
        (Self::Dead, "not drawn before nothing could ever start again"),
        (Self::UnlikeTrial, "not drawn, unlike a trial"),
        (Self::NotDrawn, "not drawn by chance"),
    ];
}

/// Every operation that never started.
pub(super) fn never_started(campaign: &Campaign, totals: &Totals, absences: &Absences<'_>) -> Vec<NeverStarted> {
    let profile = &campaign.profile;
    let mut all: Vec<NeverStarted> = absences
        .of(&StartCounts {
            by_op: &totals.by_op,
            rejections: &totals.rejections,
            ops: totals.ops,
            all_dead: not_reached::all_dead(campaign, totals, campaign.sites.len()),
        })
        .into_iter()
        .map(|(op, absence)| {
            let one = NeverStarted {
                op_name: profile.ops[op].name.clone(),
                why: Why::NoWeight,
                refused: absence.times(),
                mostly: None,
                never: None,
                expected: None,
                is_undecided: false,
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
                Absence::UnlikeTrial(expected) => {
                    NeverStarted { why: Why::UnlikeTrial, expected: Some(expected), ..one }
                }
                Absence::NotDrawn(expected) => NeverStarted { why: Why::NotDrawn, expected, ..one },
                Absence::NotRuledOut(expected) => {
                    NeverStarted { why: Why::NotDrawn, expected, is_undecided: true, ..one }
                }
            }
        })
        .collect();
    all.sort_by_cached_key(|one| (one.why, Reverse(one.refused), one.op_name.clone()));
    all
}

/// Writes how many operations there are for each reason, and the command that explains the first one.
pub(super) fn write_shortly(text: &mut String, absent: &[NeverStarted], known: u64, command: &str) -> fmt::Result {
    let Some(first) = absent.first() else { return Ok(()) };
    let kinds: Vec<String> = Why::ALL
        .iter()
        .map(|(why, words)| (absent.iter().filter(|one| one.why == *why).count(), words))
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("{} {words}", grouped(count as u64)))
        .collect();
    let (all, known) = (absent.len(), counted(known, "operation"));
    writeln!(text, "Never started: {all} of {known}: {} (-v shows all); why one did not:", kinds.join(", "))?;
    writeln!(text, "  {}", explain(command, first))
}

/// Writes all of these operations.
pub(super) fn write(text: &mut String, absent: &[NeverStarted], known: u64, command: &str) -> fmt::Result {
    let Some(first) = absent.first() else { return Ok(()) };
    let (all, known) = (absent.len(), counted(known, "operation"));
    writeln!(text, "Never started: {all} of {known}; why one did not: {}", explain(command, first))?;
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
        let not_drawn =
            if self.is_undecided { "not drawn, though nothing rules it out" } else { "not drawn by chance" };
        match self.why {
            Why::Refused => {
                format!("refused {}, mostly {}", counted(self.refused, "time"), self.mostly.unwrap_or_default())
            }
            Why::NeverEligible => format!("never eligible: {}", self.never.as_deref().unwrap_or_default()),
            Why::NoWeight => "weight 0 under every phase key".to_owned(),
            Why::Dead => "not drawn before nothing could ever start again".to_owned(),
            Why::UnlikeTrial | Why::NotDrawn => match self.expected {
                None => not_drawn.to_owned(),
                Some(expected) if self.why == Why::UnlikeTrial => {
                    let trial = grouped(expected.trial);
                    format!("not drawn, although {} were to be expected by a trial of {trial}", figure(expected.mean))
                }
                Some(expected) if expected.counted == 0 => {
                    format!("{not_drawn}: at most {} expected", figure(expected.most))
                }
                Some(expected) => format!("{not_drawn}: {} expected", figure(expected.mean)),
            },
        }
    }
}
