//! Reading an entry of `scenarios`.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::yaml::{Entry, Fields, Node};
use nandseq_profile::{Diagnostic, Diagnostics, OpId, Profile, Span};

use super::lists::{MAX_ENTRIES, items};
use super::names::{PlanNames, report_unknown, some_texts};
use super::steps::{self, EarlierSteps, STEP_FIELDS, names_part};
use crate::model::{AddressPart, Scenario, ScenarioAxis};

/// Reads a scenario. Returns `None` if it is no mapping or has no steps.
pub(super) fn read(entry: &Entry, names: &PlanNames<'_>, diagnostics: &mut Diagnostics) -> Option<Scenario> {
    let mut fields = Fields::of(entry, diagnostics)?;
    let hits = fields.take("hits").map_or(Some(1), |node| node.expect_u32("hits", 1..=u32::MAX, diagnostics));
    let rate = fields.take("rate").and_then(|node| node.expect_u32("rate", 1..=1000, diagnostics));
    let others_between = fields.take("between").and_then(|node| read_between(node, diagnostics)).unwrap_or(true);
    let each = fields.take("each");
    let nodes = fields.require("steps", diagnostics).map(|node| items(node, "steps", MAX_ENTRIES, diagnostics));
    fields.finish(diagnostics);
    let labelled: Vec<(Option<&Entry>, &Node)> = nodes.unwrap_or_default().iter().map(labelled).collect();
    let labels = labels(&labelled, diagnostics);
    let mut ops: Vec<Vec<OpId>> = Vec::new();
    let mut steps = Vec::new();
    for (at, (_, node)) in labelled.iter().enumerate() {
        let step = steps::read(node, labels[at], &EarlierSteps { names, labels: &labels, ops: &ops }, diagnostics);
        ops.push(step.as_ref().map(|step| step.ops.clone()).unwrap_or_default());
        steps.extend(step);
    }
    let first = (names.profile, ops.first().map_or(&[][..], Vec::as_slice));
    let each = each.map(|node| read_each(node, &labels, first, diagnostics)).unwrap_or_default();
    let name = entry.key.to_string();
    (!steps.is_empty()).then_some(Scenario { name, each, hits: hits.unwrap_or(1), rate, others_between, steps })
}

/// A step and its label: `LABEL: {…}`, or the fields alone. No field of a step is a mapping.
fn labelled(node: &Node) -> (Option<&Entry>, &Node) {
    match node.as_mapping() {
        Some([entry]) if entry.value.as_mapping().is_some() => (Some(entry), &entry.value),
        Some(_) | None => (None, node),
    }
}

/// The labels of the steps. Those that cannot be referred to are reported.
fn labels<'n>(steps: &[(Option<&'n Entry>, &Node)], diagnostics: &mut Diagnostics) -> Vec<Option<&'n str>> {
    let mut first: Vec<(&str, Span)> = Vec::new();
    for entry in steps.iter().filter_map(|(label, _)| *label) {
        let (label, at) = (&*entry.key, entry.key_span);
        let unusual = |c: char| c.is_control() || c.is_whitespace() || c == '.';
        if STEP_FIELDS.contains(&label) || label.is_empty() || label.len() > 200 || label.contains(unusual) {
            let message = format!("{} cannot be the label of a step", quoted(label));
            let help = "a label is a word without spaces and dots, and not the name of a field of a step";
            diagnostics.push(Diagnostic::error("bad-name", message).at(at, "").help(help));
        }
        match first.iter().find(|(known, _)| *known == label) {
            Some((_, earlier)) => {
                let message = format!("two steps have the label {}", quoted(label));
                diagnostics.push(Diagnostic::error("duplicate-name", message).at(at, "").also(*earlier, "the first"));
            }
            None => first.push((label, at)),
        }
    }
    steps.iter().map(|(label, _)| label.map(|entry| &*entry.key)).collect()
}

fn read_between(node: &Node, diagnostics: &mut Diagnostics) -> Option<bool> {
    match node.expect_str("between", diagnostics)? {
        "anything" => Some(true),
        "nothing" => Some(false),
        other => {
            report_unknown("value of `between`", other, node.span, ["anything", "nothing"].into_iter(), diagnostics);
            None
        }
    }
}

/// What the hits of a scenario are wanted for: `celltype`, `die`, `plane` of the first step, `op of LABEL`.
fn read_each(
    node: &Node,
    labels: &[Option<&str>],
    (profile, first): (&Profile, &[OpId]),
    diagnostics: &mut Diagnostics,
) -> Vec<ScenarioAxis> {
    let mut found = Vec::new();
    for (text, at) in some_texts(node, "each", diagnostics).unwrap_or_default() {
        let axis = match text {
            "celltype" => ScenarioAxis::CellType,
            "die" => ScenarioAxis::Die,
            "plane" => ScenarioAxis::Plane,
            _ => match text.strip_prefix("op of ") {
                Some(label) => match labels.iter().position(|known| *known == Some(label.trim())) {
                    Some(step) => ScenarioAxis::Op(step),
                    None => {
                        report_unknown("step", label.trim(), at, labels.iter().filter_map(|label| *label), diagnostics);
                        continue;
                    }
                },
                None => {
                    let known = ["celltype", "die", "plane", "op of LABEL"].into_iter();
                    report_unknown("value of `each`", text, at, known, diagnostics);
                    continue;
                }
            },
        };
        let part = match axis {
            ScenarioAxis::Die => Some(AddressPart::Die),
            ScenarioAxis::Plane => Some(AddressPart::Plane),
            ScenarioAxis::CellType | ScenarioAxis::Op(_) => None,
        };
        if part.is_some_and(|part| !first.is_empty() && !names_part(profile, first, part)) {
            let message = format!("no operation of the first step has a {text} in its address");
            diagnostics.push(Diagnostic::error("not-in-address", message).at(at, ""));
        }
        if found.contains(&axis) {
            let message = format!("`each` lists {} twice", quoted(text));
            diagnostics.push(Diagnostic::error("duplicate-name", message).at(at, ""));
        }
        found.push(axis);
    }
    found
}
