//! Reading classes and bases.
//!
//! A class is a template: a base has every field of its class that it does not state itself.

use super::context::Context;
use super::field::StatedField;
use super::names::expect_word;
use super::structure::{self, BasePart};
use super::words::Word;
use super::{device, effects, words};
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::ids::BaseId;
use crate::model::{AddressSource, Base, Effect, PayloadField, Phase, PhaseKind, Scope};
use crate::yaml::{Entry, Fields, Node};

/// The fields that a class or a base may state.
#[derive(Clone, Default)]
struct Stanza<'n> {
    scope: StatedField<Scope>,
    affects_state: StatedField<bool>,
    instant: StatedField<bool>,
    phases: StatedField<Vec<Phase>>,
    address: StatedField<AddressSource>,
    effects: StatedField<Vec<Effect>>,
    payload: StatedField<Vec<PayloadField>>,
    follow_ups: Option<&'n Node>,
}

/// The `follow_ups` node of each base that has one.
pub(super) type FollowUpNodes<'n> = Vec<(BaseId, &'n Node)>;

/// Reads classes and bases into the context. Returns the nodes of their follow-ups.
pub(super) fn read<'n>(
    class_entries: &'n [Entry],
    base_entries: &'n [Entry],
    context: &mut Context<'n>,
    diagnostics: &mut Diagnostics,
) -> FollowUpNodes<'n> {
    let mut classes = Vec::with_capacity(class_entries.len());
    for entry in class_entries {
        defined_name::check("class", &entry.key, entry.key_span, diagnostics);
        if context.bases.find(&entry.key).is_some() {
            let message = format!("{} is a class and a base", quoted(&entry.key));
            let diagnostic = Diagnostic::error("ambiguous-name", message).at(entry.key_span, "");
            diagnostics.push(diagnostic.help("give the class another name: exclusion groups name both"));
        }
        let what = format!("the class {}", entry.key);
        let fields = Fields::new(&entry.value, &what, diagnostics);
        classes.push(fields.map(|mut fields| {
            let stanza = read_stanza(&mut fields, context, diagnostics);
            fields.finish(diagnostics);
            stanza
        }));
    }
    let mut follow_ups = Vec::new();
    for (at, entry) in base_entries.iter().enumerate() {
        let what = format!("the base {}", entry.key);
        defined_name::check_written("base", &entry.key, entry.key_span, diagnostics);
        if matches!(&*entry.key, words::NO_FOLLOW_UP | "DEFAULT") {
            let message = format!("a base cannot be called {}", quoted(&entry.key));
            diagnostics.push(Diagnostic::error("reserved-name", message).at(entry.key_span, ""));
        }
        let Some(mut fields) = Fields::new(&entry.value, &what, diagnostics) else {
            context.read_bases.push(None);
            continue;
        };
        let class_node = fields.take("class");
        let class = class_node.and_then(|node| context.classes.expect(node, "class", diagnostics));
        context.class_of[at] = class;
        let own = read_stanza(&mut fields, context, diagnostics);
        fields.finish(diagnostics);
        let template = class.and_then(|class| classes.get(class).cloned()).unwrap_or_default();
        // A base whose class is unknown or could not be read is unknown too.
        let usable = class_node.is_none() || template.is_some();
        let template = template.unwrap_or_default();
        if let Some(node) = own.follow_ups.or(template.follow_ups) {
            follow_ups.push((BaseId::from(at), node));
        }
        let base = if usable { resolve(entry, &own, &template, diagnostics) } else { None };
        context.read_bases.push(base);
    }
    follow_ups
}

/// A field of a stanza. `read` returns `None` after it has reported a mistake.
fn field<'n, T: Clone>(
    fields: &mut Fields<'n>,
    name: &'static str,
    diagnostics: &mut Diagnostics,
    read: impl FnOnce(&'n Node, &mut Diagnostics) -> Option<T>,
) -> StatedField<T> {
    StatedField::read(fields.take(name), |node| read(node, diagnostics))
}

fn read_stanza<'n>(fields: &mut Fields<'n>, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Stanza<'n> {
    Stanza {
        scope: field(fields, "scope", diagnostics, |node, d| expect_word(node, "scope", d)),
        affects_state: field(fields, "affects_state", diagnostics, |node, d| node.expect_bool("affects_state", d)),
        instant: field(fields, "instant", diagnostics, |node, d| node.expect_bool("instant", d)),
        phases: field(fields, "phases", diagnostics, |node, d| read_phases(node, context, d)),
        address: field(fields, "address", diagnostics, |node, d| expect_word(node, "address", d)),
        effects: field(fields, "effects", diagnostics, effects::read),
        payload: field(fields, "payload", diagnostics, |node, d| {
            let items = node.expect_sequence("payload", d)?;
            items.iter().map(|item| expect_word(item, "payload", d)).collect()
        }),
        follow_ups: fields.take("follow_ups"),
    }
}

/// Reads phases: `[ISSUE, CORE_BUSY]`, or with unusual settings `[ISSUE, CORE_BUSY: {bus: true, duration: 8}]`.
fn read_phases(node: &Node, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<Vec<Phase>> {
    let items = node.expect_sequence("phases", diagnostics)?;
    items.iter().map(|item| read_phase(item, context, diagnostics)).collect()
}

fn read_phase(node: &Node, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<Phase> {
    let usual = |kind| Phase { kind, bus: kind == PhaseKind::Issue, default_duration: None };
    let Some(entries) = node.as_mapping() else {
        return expect_word(node, "phase", diagnostics).map(usual);
    };
    let [entry] = entries else {
        let message = "a phase is its name, or one `name: {…}`";
        diagnostics.push(Diagnostic::error("wrong-type", message).at(node.span, ""));
        return None;
    };
    let Some(kind) = PhaseKind::of(&entry.key) else {
        let words: Vec<&str> = PhaseKind::ALL.iter().map(|kind| kind.name()).collect();
        super::names::unknown_word(PhaseKind::KIND, &entry.key, entry.key_span, &words, diagnostics);
        return None;
    };
    let mut phase = usual(kind);
    let mut fields = Fields::new(&entry.value, &entry.key, diagnostics)?;
    if let Some(node) = fields.take("bus") {
        phase.bus = node.expect_bool("bus", diagnostics)?;
    }
    if let Some(node) = fields.take("duration") {
        let names = &context.latency_names;
        let duration = device::read_duration(node, "duration", names, &context.latencies, diagnostics)?;
        phase.default_duration = Some(duration);
    }
    fields.finish(diagnostics);
    Some(phase)
}

/// A base from its own fields and those of its class. Structural mistakes are reported.
fn resolve(entry: &Entry, own: &Stanza<'_>, class: &Stanza<'_>, diagnostics: &mut Diagnostics) -> Option<Base> {
    let scope = own.scope.or(&class.scope);
    let phases = own.phases.or(&class.phases);
    let address = own.address.or(&class.address);
    let payload = own.payload.or(&class.payload);
    for (absent, name) in
        [(matches!(scope, StatedField::Absent), "scope"), (matches!(phases, StatedField::Absent), "phases")]
    {
        if absent {
            let message = format!("the base {} lacks `{name}`, and so does its class", quoted(&entry.key));
            diagnostics.push(Diagnostic::error("missing-field", message).at(entry.key_span, ""));
        }
    }
    if matches!(scope, StatedField::Absent) || matches!(phases, StatedField::Absent) {
        return None;
    }
    let place = |part: BasePart| {
        let span = match part {
            BasePart::Phases => own.phases.span(),
            BasePart::Payload => own.payload.span(),
            BasePart::Address => own.address.span(),
            BasePart::Scope => own.scope.span(),
        };
        span.unwrap_or(entry.key_span)
    };
    let base = Base {
        name: entry.key.to_string(),
        scope: scope.value_or(Scope::None)?,
        affects_state: own.affects_state.or(&class.affects_state).value_or(false)?,
        instant: own.instant.or(&class.instant).value_or(false)?,
        phases: phases.value_or(Vec::new())?,
        address: address.value_or(AddressSource::None)?,
        effects: own.effects.or(&class.effects).value_or(Vec::new())?,
        payload: payload.value_or(Vec::new())?,
        follow_ups: Vec::new(),
    };
    for problem in structure::problems(&base) {
        let message = format!("the base {}: {}", quoted(&base.name), problem.message);
        let diagnostic = Diagnostic::error("base-structure", message).at(place(problem.part), "");
        diagnostics.push(diagnostic.help(problem.help));
    }
    Some(base)
}
