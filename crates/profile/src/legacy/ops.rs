//! Importing `op_names`: the operations.

use super::base_names::{ADDRESSED_STATUS, LEVELS, LUN_STATUS};
use super::index::Index;
use super::yes_or_no::yes_or_no;
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use crate::ids::{BaseId, CellTypeId, IdVec, OpId};
use crate::limits::MAX_OPS;
use crate::model::{ArrayWork, Base, CellType, Effect, LatchLevel, Op, PayloadField, PhaseKind, StatusOf};
use crate::phase_key::phase_named;
use crate::units::Ticks;
use crate::yaml::{Entry, Fields, Node};

/// The operations of a file.
pub(super) struct Imported<'n> {
    /// The operations without errors.
    pub(super) ops: IdVec<OpId, Op>,
    /// All op names. `None` for a name whose stanza has an error: entries that refer to it are left out without a report.
    pub(super) names: OpNames<'n>,
}

/// The op names, with the ids of those without errors.
pub(super) type OpNames<'n> = Index<'n, Option<OpId>>;

/// The cell types of a profile.
pub(super) type CellTypes = IdVec<CellTypeId, CellType>;

struct OpContext<'a, 'n> {
    bases: &'a IdVec<BaseId, Base>,
    base_names: &'a Index<'n, BaseId>,
    cell_types: &'a CellTypes,
    cell_type_names: &'a Index<'a, CellTypeId>,
}

/// Reads `op_names`. With `lenient`, a name whose stanza has an error is left out, and its errors become warnings.
pub(super) fn ops<'n>(
    node: Option<&'n Node>,
    bases: &IdVec<BaseId, Base>,
    base_names: &Index<'n, BaseId>,
    cell_types: &CellTypes,
    cell_type_names: &Index<'_, CellTypeId>,
    lenient: bool,
    diagnostics: &mut Diagnostics,
) -> Imported<'n> {
    let context = OpContext { bases, base_names, cell_types, cell_type_names };
    let entries = node.and_then(|node| node.expect_mapping("op_names", diagnostics)).unwrap_or_default();
    if let Some(beyond) = entries.get(MAX_OPS) {
        let message = format!("a profile holds at most {MAX_OPS} operation names, this one has {}", entries.len());
        diagnostics.push(Diagnostic::error("too-many-ops", message).at(beyond.key_span, "one too many"));
    }
    if let (true, Some(node)) = (entries.is_empty(), node) {
        diagnostics.push(Diagnostic::error("no-ops", "a device needs at least one operation name").at(node.span, ""));
    }
    let mut ops = IdVec::new();
    let mut names = Vec::new();
    for entry in entries.iter().take(MAX_OPS) {
        let mark = diagnostics.mark();
        // Errors of parsing, such as a duplicate key, are in `diagnostics` already.
        let misparsed = lenient && diagnostics.demote_within(entry.key_span.start, entry.value.end);
        let op = op(entry, &context, diagnostics).filter(|_| !misparsed && !diagnostics.errors_since(mark));
        if lenient && op.is_none() {
            diagnostics.demote_since(mark);
            let message = format!("{} is left out, with everything that refers to it", quoted(&entry.key));
            diagnostics.push(Diagnostic::warning("op-left-out", message).at(entry.key_span, ""));
        }
        names.push((&*entry.key, op.map(|op| ops.push(op))));
    }
    Imported { ops, names: Index::new("operation name", "unknown-op", names).quiet_if_empty() }
}

fn op(entry: &Entry, context: &OpContext<'_, '_>, diagnostics: &mut Diagnostics) -> Option<Op> {
    defined_name::check_written("operation", &entry.key, entry.key_span, diagnostics);
    let mut fields = Fields::of(entry, diagnostics)?;
    let base = fields.require("base", diagnostics).and_then(|node| context.base_names.resolve_node(node, diagnostics));
    let multi = match fields.take("multi") {
        Some(node) => yes_or_no(node, "multi", diagnostics),
        None => Some(false),
    };
    let cell_type = match fields.take("celltype") {
        Some(node) => context.cell_type_names.resolve_node(node, diagnostics),
        None => no_cell_type(entry, base.map(|base| &context.bases[base]), context, diagnostics),
    };
    let durations = fields.take("durations");
    fields.finish(diagnostics);
    let durations = match (base, durations) {
        (Some(base), Some(node)) => durations_of(entry, node, &context.bases[base], diagnostics),
        (Some(base), None) => no_durations(entry, &context.bases[base], diagnostics),
        (None, _) => Vec::new(),
    };
    let base = base?;
    Some(Op {
        name: entry.key.to_string(),
        base,
        multi: multi?,
        cell_type: cell_type?,
        durations,
        status_of: status_of(&entry.key, &context.bases[base]),
        opcode: 0,
        reads: level_read(&entry.key, &context.bases[base]),
    })
}

/// The cell type of a name that states none: NONE. It is an error if the payload has a cell type, because the stanza is then
/// incomplete.
fn no_cell_type(
    entry: &Entry,
    base: Option<&Base>,
    context: &OpContext<'_, '_>,
    diagnostics: &mut Diagnostics,
) -> Option<CellTypeId> {
    if base.is_some_and(|base| base.payload_has(PayloadField::CellType)) {
        let message = format!("{} lacks `celltype`, which its payload carries", quoted(&entry.key));
        let help = "state the cell type; NONE for one that follows from the page addressed";
        diagnostics.push(Diagnostic::error("missing-field", message).at(entry.key_span, "").help(help));
        return None;
    }
    let none = context.cell_types.iter_ids().find(|(_, cell_type)| cell_type.name == CellType::ANY).map(|(id, _)| id);
    if none.is_none() {
        let message =
            format!("{} lacks `celltype`, and there is no cell type NONE to fall back to", quoted(&entry.key));
        diagnostics.push(Diagnostic::error("missing-field", message).at(entry.key_span, ""));
    }
    none
}

fn no_durations(entry: &Entry, base: &Base, diagnostics: &mut Diagnostics) -> Vec<Ticks> {
    let message = format!("{} states no durations: all its phases take no time", quoted(&entry.key));
    diagnostics.push(Diagnostic::note("missing-duration", message).at(entry.key_span, ""));
    vec![Ticks::ZERO; base.phases.len()]
}

fn durations_of(entry: &Entry, node: &Node, base: &Base, diagnostics: &mut Diagnostics) -> Vec<Ticks> {
    let mut stated: Vec<Option<Ticks>> = vec![None; base.phases.len()];
    let mut seen: Vec<PhaseKind> = Vec::new();
    // A base whose phases could not be read has been reported.
    let unknown_phases = base.phases.is_empty();
    for item in node.expect_mapping("durations", diagnostics).unwrap_or_default() {
        let time = item.value.expect_time(&item.key, diagnostics);
        let Some(kind) = phase_named(&item.key) else {
            let names = PhaseKind::ALL.map(PhaseKind::name);
            let message = format!("there is no phase {}", quoted(&item.key));
            let diagnostic = Diagnostic::error("unknown-phase", message).at(item.key_span, "");
            let help = format!("phases are {}", names.join(", "));
            diagnostics.push(diagnostic.help(help).suggest(nearest(&item.key, names)));
            continue;
        };
        if seen.contains(&kind) {
            let message = format!("the duration of {} is stated twice, in two spellings", kind.name());
            diagnostics.push(Diagnostic::error("duplicate-key", message).at(item.key_span, "again here"));
            continue;
        }
        seen.push(kind);
        match base.phases.iter().position(|phase| phase.kind == kind) {
            Some(at) => stated[at] = time,
            None if unknown_phases => {}
            None => {
                let message = format!("{} has no phase {}: this duration is ignored", quoted(&base.name), kind.name());
                diagnostics.push(Diagnostic::note("unlisted-phase", message).at(item.key_span, ""));
            }
        }
    }
    for phase in base.phases.iter().filter(|phase| !seen.contains(&phase.kind)) {
        let message = format!("{} states no duration for {}: it takes no time", quoted(&entry.key), phase.kind.name());
        diagnostics.push(Diagnostic::note("missing-duration", message).at(entry.key_span, ""));
    }
    stated.into_iter().map(Option::unwrap_or_default).collect()
}

/// The level of a page that an operation reads, by the words of its name; `None` if its base reads no pages.
fn level_read(name: &str, base: &Base) -> Option<LatchLevel> {
    let reads = base.effects.iter().any(|effect| effect.properties().array_work == Some(ArrayWork::Read));
    let mut named = LEVELS.iter().filter(|(word, _)| name.split('_').any(|part| part == *word));
    match (named.next(), named.next()) {
        (Some((_, level)), None) if reads => Some(*level),
        (Some(_) | None, _) => None,
    }
}

/// Whose status an operation reads, by its name; `None` if its base is not a status read.
fn status_of(name: &str, base: &Base) -> Option<StatusOf> {
    if !base.has(Effect::StatusRead) {
        return None;
    }
    let die = name.strip_prefix(LUN_STATUS).and_then(|number| number.parse::<u8>().ok());
    let (addressed, plane_first) = ADDRESSED_STATUS;
    Some(match die {
        Some(die) => StatusOf::Lun(die),
        None if base.name == addressed && plane_first.iter().any(|code| name.ends_with(code)) => StatusOf::Plane,
        None => StatusOf::Die,
    })
}
