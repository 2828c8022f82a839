//! Reading a step of a scenario: which operations, when, where.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::model::{Effect, PayloadField, PhaseKind};
use nandseq_profile::yaml::{Fields, Node};
use nandseq_profile::{CellTypeId, Diagnostic, Diagnostics, OpId, Profile, Span, Ticks};

use super::lists::finish_with_ranges;
use super::names::{AllowedNames, PlanNames, report_unknown, some_texts};
use super::values::{percent_range, ranges, times};
use crate::model::{AddressPart, ExpectedWord, PlaceRelation, ScenarioStep, StepMoment, StepPlace, StepTime, WHOLE};

/// The fields of a step, which are no labels.
pub(super) const STEP_FIELDS: [&str; 19] = [
    "op", "base", "class", "celltype", "multi", "in", "at", "after", "within", "die", "dies", "plane", "planes",
    "block", "blocks", "page", "pages", "repeat", "expect",
];

/// The most times that a step follows itself.
const MAX_REPEAT: u32 = 1_000_000;

/// What a step may refer to.
#[derive(Clone, Copy)]
pub struct EarlierSteps<'a> {
    /// The names of the device.
    pub names: &'a PlanNames<'a>,
    /// The labels of all steps of the scenario.
    pub labels: &'a [Option<&'a str>],
    /// The operations of each earlier step; empty for a step with a mistake.
    pub ops: &'a [Vec<OpId>],
}

impl EarlierSteps<'_> {
    /// The earlier step with a label.
    fn find(&self, label: &str, at: Span, diagnostics: &mut Diagnostics) -> Option<usize> {
        let this = self.ops.len();
        match self.labels.iter().position(|known| *known == Some(label)) {
            Some(step) if step < this => return Some(step),
            Some(step) => {
                let which = if step == this { "is this step" } else { "comes later" };
                let message = format!("the step {} {which}", quoted(label));
                let help = "a step refers to steps before it";
                diagnostics.push(Diagnostic::error("not-earlier", message).at(at, "").help(help));
            }
            None => report_unknown("step", label, at, self.labels.iter().filter_map(|label| *label), diagnostics),
        }
        None
    }

    /// Whether an operation of some has a phase of a length above 0.
    fn has_phase(&self, ops: &[OpId], kind: PhaseKind) -> bool {
        let profile = self.names.profile;
        ops.iter().any(|&op| {
            let phases = profile.bases[profile.ops[op].base].phases.iter().zip(&profile.ops[op].durations);
            phases.into_iter().any(|(phase, &length)| phase.kind == kind && length > Ticks::ZERO)
        })
    }
}

/// Whether the rows of an operation of some name a part of its address.
pub(super) fn names_part(profile: &Profile, ops: &[OpId], part: AddressPart) -> bool {
    let field = match part {
        AddressPart::Die => PayloadField::Die,
        AddressPart::Plane => PayloadField::Plane,
        AddressPart::Block => PayloadField::Block,
        AddressPart::Page => PayloadField::Page,
    };
    ops.iter().any(|&op| profile.bases[profile.ops[op].base].payload_has(field))
}

/// Reads a step. Returns `None` if no operation fits it.
pub(super) fn read(
    node: &Node,
    label: Option<&str>,
    earlier: &EarlierSteps<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<ScenarioStep> {
    let mut fields = Fields::new(node, "the step", diagnostics)?;
    let ops = read_ops(node, &mut fields, earlier.names, diagnostics);
    let when = read_time(&mut fields, earlier, diagnostics);
    let places = read_places(&mut fields, ops.as_deref(), earlier, diagnostics);
    let repeat = fields.take("repeat").map_or(Some(1), |node| node.expect_u32("repeat", 1..=MAX_REPEAT, diagnostics));
    let expect = fields.take("expect").and_then(|node| read_expected(node, ops.as_deref(), earlier, diagnostics));
    finish_with_ranges(fields, node, diagnostics);
    let (label, repeat) = (label.map(str::to_owned), repeat.unwrap_or(1));
    Some(ScenarioStep { label, ops: ops?, when: when.unwrap_or(StepTime::Next), places, repeat, expect })
}

/// Reads the conditions of a step on its address: `die`, `plane`, `block` and `page`, or their plurals.
pub fn read_places(
    fields: &mut Fields<'_>,
    ops: Option<&[OpId]>,
    earlier: &EarlierSteps<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<StepPlace> {
    let mut places = Vec::new();
    for (part, keys) in [
        (AddressPart::Die, ["die", "dies"]),
        (AddressPart::Plane, ["plane", "planes"]),
        (AddressPart::Block, ["block", "blocks"]),
        (AddressPart::Page, ["page", "pages"]),
    ] {
        for key in keys {
            let Some(node) = fields.take(key) else { continue };
            if let Some(ops) = ops
                && !names_part(earlier.names.profile, ops, part)
            {
                let message = format!("no operation of this step has a {} in its address", keys[0]);
                diagnostics.push(Diagnostic::error("not-in-address", message).at(node.span, ""));
            }
            let relation = read_place(node, (part, keys[0], key), earlier, diagnostics);
            places.extend(relation.map(|relation| StepPlace { part, relation }));
        }
    }
    places
}

/// The operations that fit a step, in ascending order and never empty: `op`, `base` or `class`, with `celltype` and `multi`.
pub fn read_ops(
    node: &Node,
    fields: &mut Fields<'_>,
    names: &PlanNames<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<OpId>> {
    let stated: Vec<(&str, AllowedNames, &Node)> =
        [("op", AllowedNames::Any), ("base", AllowedNames::Bases), ("class", AllowedNames::Classes)]
            .into_iter()
            .filter_map(|(key, allowed)| Some((key, allowed, fields.take(key)?)))
            .collect();
    let cell_type = fields.take("celltype").map(|node| read_cell_type(node, names, diagnostics));
    let multi = fields.take("multi").map(|node| node.expect_bool("multi", diagnostics));
    let &[(key, allowed, name)] = stated.as_slice() else {
        let found = if stated.is_empty() { "no operation" } else { "its operation in several ways" };
        let message = format!("this step states {found}");
        let help = "state one of `op`, `base` and `class`";
        diagnostics.push(Diagnostic::error("one-of", message).at(node.span, "").help(help));
        return None;
    };
    let mark = diagnostics.mark();
    let mut ops: Vec<OpId> = Vec::new();
    for of in some_texts(name, key, diagnostics)? {
        ops.extend(names.ops(of, allowed, diagnostics).map(|(_, ops)| ops).unwrap_or_default());
    }
    ops.sort_unstable();
    ops.dedup();
    // A wrong cell type was reported.
    let (cell_type, multi) =
        (cell_type.map_or(Some(None), |of| of.map(Some))?, multi.map_or(Some(None), |of| of.map(Some))?);
    let of = &names.profile.ops;
    ops.retain(|&op| {
        cell_type.is_none_or(|wanted| of[op].cell_type == wanted) && multi.is_none_or(|wanted| of[op].multi == wanted)
    });
    if ops.is_empty() && !diagnostics.errors_since(mark) {
        let message = "no operation of the device fits all that this step states";
        let help = "its name, `celltype` and `multi` exclude one another";
        diagnostics.push(Diagnostic::error("matches-nothing", message).at(name.span, "").help(help));
    }
    (!ops.is_empty()).then_some(ops)
}

fn read_cell_type(node: &Node, names: &PlanNames<'_>, diagnostics: &mut Diagnostics) -> Option<CellTypeId> {
    let name = node.expect_str("celltype", diagnostics)?;
    let known = &names.profile.cell_types;
    let found = known.iter_ids().find(|(_, cell_type)| cell_type.name == name).map(|(id, _)| id);
    if found.is_none() {
        report_unknown("cell type", name, node.span, known.iter().map(|one| &*one.name), diagnostics);
    }
    found
}

/// When a step starts: `in` with `at`, or `after` with `within`.
fn read_time(fields: &mut Fields<'_>, earlier: &EarlierSteps<'_>, diagnostics: &mut Diagnostics) -> Option<StepTime> {
    let (during, at) = (fields.take("in"), fields.take("at"));
    let (after, within) = (fields.take("after"), fields.take("within"));
    let range = at.map_or(Some((0, WHOLE)), |node| percent_range(node, "at", diagnostics));
    let distance = within.map_or(Some((Ticks::ZERO, None)), |node| times(node, "within", diagnostics));
    for (node, key, other) in [
        (at.filter(|_| during.is_none()), "at", "in: LABEL.PHASE"),
        (within.filter(|_| after.is_none()), "within", "after: LABEL.end"),
    ] {
        if let Some(node) = node {
            let message = format!("{} needs a moment of an earlier step", quoted(key));
            diagnostics
                .push(Diagnostic::error("missing-field", message).at(node.span, "").help(format!("add `{other}`")));
        }
    }
    match (during, after) {
        (None, None) => Some(StepTime::Next),
        (Some(node), Some(_)) => {
            let message = "this step has both `in` and `after`";
            diagnostics.push(Diagnostic::error("one-of", message).at(node.span, "").help("take one of them out"));
            None
        }
        (Some(node), None) => {
            let (step, moment) = read_moment(node, "in", earlier, diagnostics)?;
            let StepMoment::PhaseEnd(phase) = moment else {
                let message = "`in` needs a phase, not the start or the end of a step";
                let help = "write `in: LABEL.CORE_BUSY`, or use `after`";
                diagnostics.push(Diagnostic::error("unknown-phase", message).at(node.span, "").help(help));
                return None;
            };
            Some(StepTime::During { step, phase, at: range? })
        }
        (None, Some(node)) => {
            let (step, moment) = read_moment(node, "after", earlier, diagnostics)?;
            Some(StepTime::After { step, moment, within: distance? })
        }
    }
}

/// `LABEL.start`, `LABEL.end` or `LABEL.PHASE`.
fn read_moment(
    node: &Node,
    what: &str,
    earlier: &EarlierSteps<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(usize, StepMoment)> {
    let text = node.expect_str(what, diagnostics)?.trim();
    let Some((label, moment)) = text.rsplit_once('.') else {
        let message = format!("{} must be a moment of an earlier step, not {}", quoted(what), quoted(text));
        let help = "write `LABEL.PHASE`, or `LABEL.start` or `LABEL.end` after `after`";
        diagnostics.push(Diagnostic::error("unknown-phase", message).at(node.span, "").help(help));
        return None;
    };
    let step = earlier.find(label, node.span, diagnostics)?;
    let moment = match moment {
        "start" => StepMoment::Start,
        "end" => StepMoment::End,
        _ => {
            let Some(kind) = PhaseKind::ALL.into_iter().find(|kind| kind.name() == moment) else {
                let known = PhaseKind::ALL.iter().map(|kind| kind.name()).chain(["start", "end"]);
                report_unknown("phase", moment, node.span, known, diagnostics);
                return None;
            };
            let ops = &earlier.ops[step];
            if !ops.is_empty() && !earlier.has_phase(ops, kind) {
                let message = format!("no operation of the step {} has a phase {moment}", quoted(label));
                diagnostics.push(Diagnostic::error("unknown-phase", message).at(node.span, ""));
            }
            StepMoment::PhaseEnd(kind)
        }
    };
    Some((step, moment))
}

/// Makes a relation to the step with an index.
type RelationTo = fn(usize) -> PlaceRelation;

/// A condition on a part of an address: `same as L`, `other than L`, `next to L`, or numbers.
fn read_place(
    node: &Node,
    (part, noun, key): (AddressPart, &str, &str),
    earlier: &EarlierSteps<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<PlaceRelation> {
    let text = node.as_str().unwrap_or_default().trim();
    let relations: [(&str, RelationTo); 3] = [
        ("same as ", PlaceRelation::SameAs),
        ("other than ", PlaceRelation::OtherThan),
        ("next to ", PlaceRelation::NextTo),
    ];
    for (words, relation) in relations {
        let Some(label) = text.strip_prefix(words) else { continue };
        let step = earlier.find(label.trim(), node.span, diagnostics)?;
        let ops = &earlier.ops[step];
        if !ops.is_empty() && !names_part(earlier.names.profile, ops, part) {
            let message = format!("no operation of the step {} has a {noun} in its address", quoted(label.trim()));
            diagnostics.push(Diagnostic::error("not-in-address", message).at(node.span, ""));
        }
        let relation = relation(step);
        if matches!((&relation, part), (PlaceRelation::NextTo(_), AddressPart::Die | AddressPart::Plane)) {
            let message = format!("a {noun} has no neighbour: only blocks and pages are next to others");
            let help = format!("write `{key}: other than {}`", label.trim());
            diagnostics.push(Diagnostic::error("bad-relation", message).at(node.span, "").help(help));
            return None;
        }
        return Some(relation);
    }
    if text.starts_with(|c: char| c.is_alphabetic()) {
        let message = format!("{} must be numbers, or relative to an earlier step, not {}", quoted(key), quoted(text));
        let help = "write `same as LABEL`, `other than LABEL`, `next to LABEL`, or numbers such as `0-15`";
        diagnostics.push(Diagnostic::error("bad-relation", message).at(node.span, "").help(help));
        return None;
    }
    let topology = earlier.names.profile.topology;
    let count = match part {
        AddressPart::Die => topology.dies,
        AddressPart::Plane => topology.planes,
        AddressPart::Block => topology.blocks_per_die,
        AddressPart::Page => topology.pages_per_block,
    };
    ranges(node, (key, noun), count, diagnostics).map(PlaceRelation::In)
}

fn read_expected(
    node: &Node,
    ops: Option<&[OpId]>,
    earlier: &EarlierSteps<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<ExpectedWord> {
    let profile = earlier.names.profile;
    let reads_status = |op: &OpId| profile.bases[profile.ops[*op].base].has(Effect::StatusRead);
    if ops.is_some_and(|ops| !ops.iter().any(reads_status)) {
        let message = "no operation of this step reads a status that could be expected";
        diagnostics.push(Diagnostic::error("no-status", message).at(node.span, ""));
    }
    match node.expect_str("expect", diagnostics)? {
        "busy" => Some(ExpectedWord::Busy),
        "ready" => Some(ExpectedWord::Ready),
        other => {
            report_unknown("expected status", other, node.span, ["busy", "ready"].into_iter(), diagnostics);
            None
        }
    }
}
