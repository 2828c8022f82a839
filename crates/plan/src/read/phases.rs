//! Reading `phases`.

use nandseq_profile::diagnostic::{counted, quoted};
use nandseq_profile::units::MAX_US;
use nandseq_profile::yaml::{Entry, Fields, Node};
use nandseq_profile::{Diagnostic, Diagnostics, Span, Ticks};

use super::lists::{MAX_PHASES, items, refuse_later_sections};
use super::names::{PlanNames, check_defined, report_unknown, texts};
use super::values::percent_above_0;
use super::{masses, mix};
use crate::model::{MAX_RUNS, MixShare, PhaseUntil, PlanPhase};

/// What the phases of a plan have in common: the shares of those that state none, and the entries that they name.
pub(super) struct CommonSettings<'n> {
    pub(super) mix: &'n [MixShare],
    pub(super) addresses: &'n [Entry],
    pub(super) scenarios: &'n [Entry],
}

pub(super) fn read(
    node: &Node,
    common: &CommonSettings<'_>,
    names: &PlanNames<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<PlanPhase> {
    let mut known: Vec<(&str, Span)> = Vec::new();
    let mut phases = Vec::new();
    for item in items(node, "phases", MAX_PHASES, diagnostics) {
        let Some(mut fields) = Fields::new(item, "the phase", diagnostics) else { continue };
        let name = fields.require("name", diagnostics);
        if let Some((name, at)) = name.and_then(|node| Some((node.expect_str("name", diagnostics)?, node.span))) {
            check_defined("phase", name, at, diagnostics);
            if let Some((_, first)) = known.iter().find(|(known, _)| *known == name) {
                let message = format!("there are two phases {}", quoted(name));
                diagnostics.push(Diagnostic::error("duplicate-name", message).at(at, "").also(*first, "the first"));
            }
            known.push((name, at));
        }
        let name = name.and_then(Node::as_str).unwrap_or_default().to_owned();
        phases.extend(read_phase(name, (item, fields), common, names, diagnostics).map(|phase| (phase, item.span)));
    }
    check_extent(&phases, diagnostics);
    phases.into_iter().map(|(phase, _)| phase).collect()
}

/// Reports the phase with which the runs are more, or longer, than a site may have.
fn check_extent(phases: &[(PlanPhase, Span)], diagnostics: &mut Diagnostics) {
    let (mut runs, mut time) = (0u64, 0u128);
    let longest = u128::from(Ticks::from_us(MAX_US).0);
    for (phase, at) in phases {
        let (fit, has_time) = (runs <= MAX_RUNS, time <= longest);
        runs += phase.runs;
        // A run without a limit of time takes what is left of the clock.
        time += u128::from(phase.runs) * phase.time_limit().map_or(0, |time| u128::from(time.0));
        if fit && runs > MAX_RUNS {
            let message = format!("the phases up to this one have {} together", counted(runs, "run"));
            let help = format!("a site has {MAX_RUNS} runs at most");
            diagnostics.push(Diagnostic::error("too-many", message).at(*at, "").help(help));
        }
        if has_time && time > longest {
            let message = "the runs up to this phase are longer together than the 100 days a site may be simulated";
            let help = "lower `run_until` or `runs` of the longest phases";
            diagnostics.push(Diagnostic::error("out-of-range", message).at(*at, "").help(help));
        }
    }
}

fn read_phase(
    name: String,
    (node, mut fields): (&Node, Fields<'_>),
    common: &CommonSettings<'_>,
    names: &PlanNames<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PlanPhase> {
    let mark = diagnostics.mark();
    let mut count = |what| fields.take(what).and_then(|node| node.expect_u32(what, 1..=u32::MAX, diagnostics));
    let (runs, ops) = (count("runs"), count("ops"));
    let run_until = fields.take("run_until").and_then(|node| {
        let time = node.expect_time("run_until", diagnostics)?;
        if time == Ticks::ZERO {
            let message = "`run_until` must be above 0";
            diagnostics.push(Diagnostic::error("out-of-range", message).at(node.span, ""));
        }
        Some(time)
    });
    let until = fields.take("until");
    let ends = until.and_then(|node| read_until(node, diagnostics));
    let stated = fields.take("probabilities");
    let (global, by_key) = stated.and_then(|node| masses::read(node, names, diagnostics)).unwrap_or_default();
    if let Some(node) = stated {
        masses::warn_of_all((&global, &by_key), (&name, node.span), names.profile, diagnostics);
    }
    let mix = match fields.take("mix") {
        Some(node) => mix::read(Some(node), names, diagnostics),
        None => common.mix.to_vec(),
    };
    let addresses = in_force(fields.take("addresses"), "addresses", common.addresses, diagnostics);
    let scenarios = in_force(fields.take("scenarios"), "scenarios", common.scenarios, diagnostics);
    refuse_later_sections(&mut fields, diagnostics);
    fields.finish(diagnostics);
    if let (Some(PhaseUntil::ScenariosDone), Some(until), true) = (ends, until, scenarios.is_empty()) {
        let message = "this phase has no scenario that could be done";
        let help = "name one under `scenarios`, or end the phase by something else";
        diagnostics.push(Diagnostic::error("no-scenario", message).at(until.span, "").help(help));
    }
    if run_until.is_none() && ops.is_none() && until.is_none() && !diagnostics.errors_since(mark) {
        let message = format!("nothing ends the runs of the phase {}", quoted(&name));
        let help = "state `run_until` (µs) or `ops`, or what ends the phase with `until`";
        diagnostics.push(Diagnostic::error("missing-field", message).at(node.span, "").help(help));
    }
    let runs = u64::from(runs.unwrap_or(1));
    let ops = ops.map(u64::from);
    Some(PlanPhase { name, runs, run_until, ops, until: ends, global, by_key, mix, addresses, scenarios })
}

/// What ends a phase: exactly one thing.
fn read_until(node: &Node, diagnostics: &mut Diagnostics) -> Option<PhaseUntil> {
    let mark = diagnostics.mark();
    let mut fields = Fields::new(node, "until", diagnostics)?;
    let mut share = |what| fields.take(what).and_then(|node| percent_above_0(node, what, diagnostics));
    let stated = [
        share("programmed").map(PhaseUntil::Programmed),
        share("erased").map(PhaseUntil::Erased),
        share("covered").map(PhaseUntil::Covered),
        fields.take("scenarios").and_then(|node| match node.expect_str("scenarios", diagnostics)? {
            "done" => Some(PhaseUntil::ScenariosDone),
            other => {
                let message = format!("`scenarios` of `until` must be `done`, not {}", quoted(other));
                diagnostics.push(Diagnostic::error("unknown-name", message).at(node.span, ""));
                None
            }
        }),
    ];
    fields.finish(diagnostics);
    let mut stated = stated.into_iter().flatten();
    match (stated.next(), stated.next()) {
        (Some(until), None) => Some(until),
        (first, _) => {
            if !diagnostics.errors_since(mark) {
                let found = if first.is_some() { "several things" } else { "nothing" };
                let message = format!("`until` states {found} that would end the phase");
                let help = "state one of `programmed`, `erased`, `covered` and `scenarios`";
                diagnostics.push(Diagnostic::error("one-of", message).at(node.span, "").help(help));
            }
            None
        }
    }
}

/// The positions of the entries that a phase names, ascending; all of them if it names none.
fn in_force(node: Option<&Node>, section: &str, entries: &[Entry], diagnostics: &mut Diagnostics) -> Vec<usize> {
    let Some(node) = node else { return (0..entries.len()).collect() };
    let mut found: Vec<usize> = Vec::new();
    for (name, at) in texts(node, section, diagnostics).unwrap_or_default() {
        match entries.iter().position(|entry| &*entry.key == name) {
            Some(entry) if found.contains(&entry) => {
                let message = format!("{} lists {} twice", quoted(section), quoted(name));
                diagnostics.push(Diagnostic::error("duplicate-name", message).at(at, ""));
            }
            Some(entry) => found.push(entry),
            None => {
                let kind = format!("entry of {}", quoted(section));
                report_unknown(&kind, name, at, entries.iter().map(|entry| &*entry.key), diagnostics);
            }
        }
    }
    found.sort_unstable();
    found
}
