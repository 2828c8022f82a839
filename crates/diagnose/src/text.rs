//! A diagnosis as text.

use std::fmt::Write as _;

use nandseq_profile::diagnostic::{counted, grouped};

use crate::diagnosis::Diagnosis;
use crate::statistics::UnitCount;
use crate::suspect::{Suspect, SuspectExample};

/// The diagnosis as lines of text.
#[must_use]
pub fn text(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    let outcomes = diagnosis.outcomes;
    let failed = outcomes.failed + outcomes.failed_somewhere;
    // A String takes whatever is written to it.
    let _ = write!(out, "{} failed, {} passed", counted(failed, "run"), grouped(outcomes.passed));
    if outcomes.failed_somewhere > 0 {
        let _ = write!(out, "; {} at an operation that is not known", grouped(outcomes.failed_somewhere));
    }
    if outcomes.unknown > 0 {
        let _ = write!(out, "; nothing is said of {}", counted(outcomes.unknown, "other run"));
    }
    let what = if diagnosis.by_run { "runs" } else { "operations" };
    let of = grouped(diagnosis.compared.all);
    let _ = writeln!(out, "\nCompared: {of} {what}, {}", counted(diagnosis.features as u64, "feature"));
    let _ = writeln!(out, "Verdict: {}", diagnosis.verdict);
    if !diagnosis.spread.is_empty() {
        out += "\nFails by place, the most uneven of each kind\n";
    }
    for one in &diagnosis.spread {
        let fails = format!("{} of {} fails", grouped(one.fails), grouped(one.of));
        let _ = writeln!(
            out,
            "  {:<16} {:<34} {fails}, {} % of the time, chance {}",
            one.kind, one.place, one.share, one.chance
        );
    }
    if !diagnosis.suspects.is_empty() {
        let _ = writeln!(out, "\nSuspects by {}", diagnosis.metric.name());
    }
    for suspect in &diagnosis.suspects {
        add_suspect(&mut out, suspect);
    }
    out
}

fn add_suspect(out: &mut String, suspect: &Suspect) {
    let [low, high] = suspect.interval;
    let _ = writeln!(out, "{:>3}. {:.3} ({low:.3} to {high:.3})  {}", suspect.rank, suspect.score, suspect.what);
    let share = |of: UnitCount, what: &str| format!("{} of {} fail", grouped(of.fails), counted(of.all, what));
    let _ = writeln!(out, "     {}; {}", share(suspect.operations, "operation"), share(suspect.runs, "run"));
    let at = |example: &SuspectExample| format!("`{}` row {} (op_uid {})", example.file, example.row, example.op_uid);
    for (word, example) in [("fails", &suspect.fails_at), ("passes", &suspect.passes_at)] {
        if let Some(example) = example {
            let _ = writeln!(out, "     {word}: {}", at(example));
        }
    }
    for other in &suspect.also_explains {
        let _ = writeln!(out, "     also explains: {other}");
    }
}
