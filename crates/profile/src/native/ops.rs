//! Reading operations, and expanding families of them.
//!
//! `Read_{cell}{mode}` with `variants: {cell: {…}, mode: {…}}` is one operation for every combination of the values of the axes.
//! Each value adds its text to the name and its fields to the operation. A field of a later axis replaces that of an earlier axis
//! or of the stanza. The last axis changes fastest.

use std::collections::{BTreeSet, HashMap};

use super::context::Context;
use super::device;
use super::field::StatedField;
use super::names::{expect_word, suggestion};
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, quoted};
use crate::ids::{BaseId, CellTypeId, IdVec, OpId};
use crate::limits::MAX_OPS;
use crate::model::{ArrayWork, Base, Effect, LatchLevel, Op, PayloadField, PhaseKind, StatusOf};
use crate::units::Ticks;
use crate::yaml::{Entry, Fields, Node};

/// The base of an operation whose base is unknown. A profile with it is not returned.
const NO_BASE: BaseId = BaseId(u16::MAX);

/// The fields that a stanza or a value of an axis states.
#[derive(Clone, Copy, Default)]
struct Stated {
    base: StatedField<BaseId>,
    cell_type: StatedField<CellTypeId>,
    multi: StatedField<bool>,
    durations: [StatedField<Ticks>; 4],
    status_of: StatedField<StatusOf>,
    opcode: StatedField<u32>,
    reads: StatedField<LatchLevel>,
}

impl Stated {
    /// Replaces the fields that the other states.
    fn override_with(&mut self, other: &Self) {
        self.base = other.base.or(&self.base);
        self.cell_type = other.cell_type.or(&self.cell_type);
        self.multi = other.multi.or(&self.multi);
        for (own, other) in self.durations.iter_mut().zip(other.durations) {
            *own = other.or(own);
        }
        self.status_of = other.status_of.or(&self.status_of);
        self.opcode = other.opcode.or(&self.opcode);
        self.reads = other.reads.or(&self.reads);
    }
}

/// An axis of a family: its name, and its values with their fields.
struct FamilyAxis<'n> {
    name: &'n str,
    values: Vec<(&'n str, Stated)>,
}

/// Reads every operation. Families are expanded in the order of the file.
pub(super) fn read(entries: &[Entry], context: &Context<'_>, diagnostics: &mut Diagnostics) -> IdVec<OpId, Op> {
    let mut reader = OpReader { context, ops: IdVec::new(), origins: HashMap::new() };
    for entry in entries {
        if !reader.read_stanza(entry, diagnostics) {
            break;
        }
    }
    reader.ops
}

struct OpReader<'c, 'n> {
    context: &'c Context<'n>,
    ops: IdVec<OpId, Op>,
    /// The stanza that each name comes from.
    origins: HashMap<String, Span>,
}

impl OpReader<'_, '_> {
    /// Reads a stanza. Returns whether reading can go on.
    fn read_stanza(&mut self, entry: &Entry, diagnostics: &mut Diagnostics) -> bool {
        let what = format!("the operation {}", entry.key);
        let Some(mut fields) = Fields::new(&entry.value, &what, diagnostics) else { return true };
        let stated = read_stated(&mut fields, self.context, diagnostics);
        let variants = fields.take("variants");
        let except = fields.take("except");
        fields.finish(diagnostics);
        let mut axes = Vec::new();
        for axis in super::context::entries(variants, "variants", diagnostics) {
            axes.push(self.read_axis(entry, axis, diagnostics));
        }
        if variants.is_some() && !check_template(entry, &axes, diagnostics) {
            // All names of the family would be wrong.
            return true;
        }
        let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
        if count.is_none_or(|count| count + self.ops.len() > MAX_OPS) {
            let message = format!("a profile has at most {MAX_OPS} operations");
            diagnostics.push(Diagnostic::error("too-many", message).at(entry.key_span, "more than that with these"));
            return false;
        }
        self.expand(entry, &stated, &axes, except, diagnostics);
        true
    }

    fn read_axis<'e>(&self, entry: &Entry, axis: &'e Entry, diagnostics: &mut Diagnostics) -> FamilyAxis<'e> {
        let mut values = Vec::new();
        for value in super::context::entries(Some(&axis.value), &axis.key, diagnostics) {
            if value.value.is_null() {
                values.push((&*value.key, Stated::default()));
                continue;
            }
            let what = format!("the variant {} of {}", value.key, entry.key);
            let Some(mut fields) = Fields::new(&value.value, &what, diagnostics) else { continue };
            values.push((&*value.key, read_stated(&mut fields, self.context, diagnostics)));
            fields.finish(diagnostics);
        }
        if axis.value.as_mapping().is_some_and(<[Entry]>::is_empty) {
            let message = format!("the axis {} of {} has no values", quoted(&axis.key), quoted(&entry.key));
            let diagnostic = Diagnostic::error("empty-section", message).at(axis.value.span, "");
            diagnostics.push(diagnostic.help("without values the family has no operations"));
        }
        FamilyAxis { name: &axis.key, values }
    }

    /// Adds the operations of a family, or the one operation of a stanza without axes.
    fn expand(
        &mut self,
        entry: &Entry,
        stated: &Stated,
        axes: &[FamilyAxis<'_>],
        except: Option<&Node>,
        diagnostics: &mut Diagnostics,
    ) {
        let mut excepted: Vec<(&str, Span, bool)> = Vec::new();
        for item in except.and_then(|node| node.expect_sequence("except", diagnostics)).unwrap_or_default() {
            excepted.extend(item.expect_str("except", diagnostics).map(|name| (name, item.span, false)));
        }
        let mut reported = BTreeSet::new();
        let mut produced = Vec::new();
        // Only the first bad name of a family is reported.
        let mut names_are_good = true;
        for combination in combinations(axes) {
            let mut name = entry.key.to_string();
            let mut all = *stated;
            for (axis, (text, of_value)) in axes.iter().zip(&combination) {
                name = name.replace(&format!("{{{}}}", axis.name), text);
                all.override_with(of_value);
            }
            if let Some((_, _, used)) = excepted.iter_mut().find(|(excepted, ..)| *excepted == name) {
                *used = true;
                produced.push(name);
                continue;
            }
            if let Some(first) = self.origins.get(&name) {
                let message = format!("there are two operations called {}", quoted(&name));
                let diagnostic = Diagnostic::error("duplicate-name", message).at(entry.key_span, "the second one");
                diagnostics.push(diagnostic.also(*first, "the first one"));
                continue;
            }
            self.origins.insert(name.clone(), entry.key_span);
            if names_are_good {
                let before = diagnostics.len();
                defined_name::check_written("operation", &name, entry.key_span, diagnostics);
                names_are_good = diagnostics.len() == before;
            }
            produced.push(name.clone());
            let op = resolve(name, &all, entry.key_span, self.context, &mut reported, diagnostics);
            self.ops.push(op);
        }
        for (name, span, _) in excepted.into_iter().filter(|(.., used)| !used) {
            let near = suggestion(name, produced.iter().map(String::as_str), diagnostics);
            let message = format!("this family produces no {}", quoted(name));
            diagnostics.push(Diagnostic::error("unknown-name", message).at(span, "").suggest(near));
        }
    }
}

/// Every combination of the values of some axes, the last axis fastest.
fn combinations<'a>(axes: &'a [FamilyAxis<'a>]) -> impl Iterator<Item = Vec<(&'a str, Stated)>> + 'a {
    let count = axes.iter().map(|axis| axis.values.len()).product::<usize>();
    (0..count).map(|mut at| {
        let mut values: Vec<(&str, Stated)> = Vec::with_capacity(axes.len());
        for axis in axes.iter().rev() {
            values.push(axis.values[at % axis.values.len()]);
            at /= axis.values.len();
        }
        values.reverse();
        values
    })
}

/// Checks that the name has every axis, and that every `{…}` of the name is an axis.
fn check_template(entry: &Entry, axes: &[FamilyAxis<'_>], diagnostics: &mut Diagnostics) -> bool {
    let mark = diagnostics.mark();
    for axis in axes {
        if !entry.key.contains(&format!("{{{}}}", axis.name)) {
            let message = format!("the name {} does not hold {{{}}}", quoted(&entry.key), axis.name);
            let diagnostic = Diagnostic::error("unused-axis", message).at(entry.key_span, "");
            diagnostics.push(diagnostic.help("put the axis into the name, where the text of its values belongs"));
        }
    }
    let parts = entry.key.split('{').skip(1).filter_map(|part| part.split_once('}'));
    for (name, _) in parts {
        if axes.iter().all(|axis| axis.name != name) {
            let message = format!("the name holds {{{name}}}, but `variants` has no such axis");
            let near = suggestion(name, axes.iter().map(|axis| axis.name), diagnostics);
            diagnostics.push(Diagnostic::error("unknown-name", message).at(entry.key_span, "").suggest(near));
        }
    }
    !diagnostics.errors_since(mark)
}

fn read_stated(fields: &mut Fields<'_>, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Stated {
    Stated {
        base: StatedField::read(fields.take("base"), |node| {
            context.bases.expect(node, "base", diagnostics).map(BaseId::from)
        }),
        cell_type: StatedField::read(fields.take("celltype"), |node| {
            context.cell_types.expect(node, "celltype", diagnostics).map(CellTypeId::from)
        }),
        multi: StatedField::read(fields.take("multi"), |node| node.expect_bool("multi", diagnostics)),
        durations: PhaseKind::ALL.map(|kind| {
            StatedField::read(fields.take(kind.name()), |node| {
                device::read_duration(node, kind.name(), &context.latency_names, &context.latencies, diagnostics)
            })
        }),
        status_of: StatedField::read(fields.take("status_of"), |node| read_status_of(node, diagnostics)),
        opcode: StatedField::read(fields.take("opcode"), |node| node.expect_u32("opcode", 0..=u32::MAX, diagnostics)),
        reads: StatedField::read(fields.take("reads"), |node| expect_word(node, "reads", diagnostics)),
    }
}

/// Reads `die`, `plane` or `lun 3`.
fn read_status_of(node: &Node, diagnostics: &mut Diagnostics) -> Option<StatusOf> {
    let text = node.expect_str("status_of", diagnostics)?;
    match text {
        "die" => return Some(StatusOf::Die),
        "plane" => return Some(StatusOf::Plane),
        _ => {}
    }
    let lun = text.strip_prefix("lun ").and_then(|number| number.trim().parse::<u8>().ok());
    if lun.is_none() {
        let message = format!("{} is nothing a status can be of", quoted(text));
        let diagnostic = Diagnostic::error("unknown-name", message).at(node.span, "");
        diagnostics.push(diagnostic.help("it is `die`, `plane`, or `lun` and a number up to 255"));
    }
    lun.map(StatusOf::Lun)
}

/// An operation from its stated fields. Each kind of mistake is reported once for a stanza (`reported`).
fn resolve(
    name: String,
    stated: &Stated,
    at: Span,
    context: &Context<'_>,
    reported: &mut BTreeSet<(&'static str, u16)>,
    diagnostics: &mut Diagnostics,
) -> Op {
    let mut report = |code: &'static str, about: u16, span: Span, message: String, help: &str| {
        if reported.insert((code, about)) {
            diagnostics.push(Diagnostic::error(code, message).at(span, "").help(help));
        }
    };
    if matches!(stated.base, StatedField::Absent) {
        let message = format!("the operation {} has no base", quoted(&name));
        report("missing-field", 0, at, message, "add `base`: it says how the operation behaves");
    }
    let base_id = stated.base.value().unwrap_or(NO_BASE);
    let no_cell_type = context.no_cell_type();
    if matches!(stated.cell_type, StatedField::Absent) && no_cell_type.is_none() {
        let message = format!("the operation {} has no cell type", quoted(&name));
        report("missing-field", 1, at, message, "add `celltype`, or a cell type called NONE to the profile");
    }
    let mut durations = Vec::new();
    let mut status_of = stated.status_of.value();
    if let Some(base) = context.base(base_id) {
        for kind in PhaseKind::ALL {
            let phase = base.phases.iter().find(|phase| phase.kind == kind);
            let about = base_id.0 * 4 + kind as u16;
            match (phase, stated.durations[kind as usize]) {
                (Some(phase), StatedField::Absent) => {
                    if phase.default_duration.is_none() {
                        let message = format!("the operation {} has no duration for {}", quoted(&name), kind.name());
                        let help = format!("add `{}: ` and a time in µs, or the name of a latency", kind.name());
                        report("missing-duration", about, at, message, &help);
                    }
                    durations.push(phase.default_duration.unwrap_or_default());
                }
                (Some(_), field) => durations.push(field.value().unwrap_or_default()),
                (None, StatedField::Is(_, span)) => {
                    let message =
                        format!("the base {} of {} has no phase {}", quoted(&base.name), quoted(&name), kind.name());
                    report("no-such-phase", about, span, message, "take it out, or add the phase to the base");
                }
                (None, StatedField::Absent | StatedField::Wrong) => {}
            }
        }
        status_of = check_against_base(&name, base, stated, at, &mut report);
    }
    Op {
        name,
        base: base_id,
        multi: stated.multi.value().unwrap_or(false),
        cell_type: stated.cell_type.value().or(no_cell_type).unwrap_or_default(),
        durations,
        status_of,
        opcode: stated.opcode.value().unwrap_or(0),
        reads: stated.reads.value(),
    }
}

/// Checks `multi`, `reads` and `status_of` against the base. Returns whose status the operation reads.
fn check_against_base(
    name: &str,
    base: &Base,
    stated: &Stated,
    at: Span,
    report: &mut impl FnMut(&'static str, u16, Span, String, &str),
) -> Option<StatusOf> {
    let has_plane = base.payload_has(PayloadField::Plane);
    if let StatedField::Is(true, span) = stated.multi
        && !has_plane
    {
        let message = format!("{} is multi-plane, but the payload of its base names no plane", quoted(name));
        report("no-plane", 2, span, message, "take `multi` out, or add plane to the payload of the base");
    }
    let reads_pages = base.effects.iter().any(|effect| effect.properties().array_work == Some(ArrayWork::Read));
    if let StatedField::Is(_, span) = stated.reads
        && !reads_pages
    {
        let message = format!("{} states `reads`, but its base reads no page", quoted(name));
        report("no-read", 5, span, message, "take it out: it says which level of a page a read reads");
    }
    let reads_status = base.has(Effect::StatusRead);
    match stated.status_of {
        StatedField::Is(_, span) if !reads_status => {
            let message = format!("{} states `status_of`, but its base reads no status", quoted(name));
            report("no-status", 3, span, message, "take it out, or add status_read to the effects of the base");
            None
        }
        StatedField::Is(StatusOf::Plane, _) if !has_plane => {
            let message = format!("{} reads the status of a plane, but its payload names none", quoted(name));
            report("no-plane", 4, at, message, "add plane to the payload of the base");
            None
        }
        StatedField::Is(of, _) => Some(of),
        StatedField::Absent | StatedField::Wrong => reads_status.then_some(StatusOf::Die),
    }
}
