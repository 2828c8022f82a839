//! Which operations never started, and why: those that were refused first, then those that never can, then those that nobody drew.

use std::cmp::Reverse;
use std::fmt::Write as _;

use nandseq_profile::PhaseKey;

use super::{SHOWN_REJECTIONS, grouped};
use crate::absent::{Absence, Absences};
use crate::execute::Totals;
use crate::explain::figure;
use crate::hint::Hint;
use crate::plan::Plan;
use crate::progress::plural;

/// Adds the list; nothing where every operation started.
pub(super) fn write(text: &mut String, plan: &Plan, totals: &Totals, absences: &Absences<'_>) -> std::fmt::Result {
    let mut absent: Vec<(&str, Absence)> = absences
        .of(&totals.by_op, &totals.rejections, totals.ops)
        .into_iter()
        .map(|(op, absence)| (&*plan.profile.ops[op].name, absence))
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    absent.sort_by_key(|&(name, absence)| (rank(absence), Reverse(absence.times()), name));
    let kinds = (0..KINDS.len()).map(|kind| absent.iter().filter(|(_, absence)| rank(*absence) == kind).count());
    let kinds: Vec<String> = kinds
        .zip(KINDS)
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{} {kind}", grouped(count as u64)))
        .collect();
    writeln!(text, "Never started: {} of {} operations ({})", absent.len(), plan.profile.ops.len(), kinds.join(", "))?;
    let shown = &absent[..absent.len().min(SHOWN_REJECTIONS)];
    let width = shown.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    for (name, absence) in shown {
        writeln!(text, "  {name:width$}  {}", words(plan, name, *absence))?;
    }
    let more = absent.len() - shown.len();
    let more = if more > 0 { format!("{more} more: the proposer logs name all; ") } else { String::new() };
    let explain = Hint::new("explain").flags(&plan.flags.all()).operand(absent[0].0);
    writeln!(text, "  {more}`{explain}` says why")
}

/// The kinds of absence in the order in which they are shown.
const KINDS: [&str; 4] = ["refused", "never eligible", "without weight", "not drawn"];

const fn rank(absence: Absence) -> usize {
    match absence {
        Absence::Refused(..) => 0,
        Absence::NeverEligible(_) => 1,
        Absence::NoWeight => 2,
        Absence::NotDrawn(_) => 3,
    }
}

fn words(plan: &Plan, name: &str, absence: Absence) -> String {
    match absence {
        Absence::Refused(times, code) => format!("refused {} time{}, mostly {code}", grouped(times), plural(times)),
        Absence::NeverEligible(reason) => {
            let op = plan.profile.ops.iter_ids().find(|(_, op)| op.name == name).map(|(id, _)| id);
            let why = op.map_or_else(String::new, |op| reason.text(&plan.profile, PhaseKey::DEFAULT, op));
            format!("never eligible: {why}")
        }
        Absence::NoWeight => "weight 0 under every phase key".to_owned(),
        Absence::NotDrawn(Some(expected)) if expected.counted == 0 => {
            format!("not drawn by chance: at most {} expected", figure(expected.most))
        }
        Absence::NotDrawn(Some(expected)) => format!("not drawn by chance: {} expected", figure(expected.mean)),
        Absence::NotDrawn(None) => "not drawn by chance".to_owned(),
    }
}
