//! Importing `op_bases`, `payload_by_op_base` and the lists of bases that program.

use std::collections::HashMap;

use super::base_names::{self, Meaning};
use super::index::Index;
use super::yes_or_no::yes_or_no;
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use crate::ids::{BaseId, IdVec};
use crate::limits::MAX_BASES;
use crate::model::{AddressSource, Base, Effect, PayloadField, Phase, PhaseKind, Scope};
use crate::native::structure;
use crate::phase_key::phase_named;
use crate::yaml::{Entry, Fields, Node};

/// The bases that program pages of the array.
pub(super) struct Programs {
    /// `program_base_whitelist`, if the file has it.
    pub(super) listed: Option<Vec<BaseId>>,
    /// `extra_allowed_program_bases`
    pub(super) extra: Vec<BaseId>,
}

/// The stanzas of `op_bases`, up to the limit of a profile.
pub(super) fn entries<'n>(node: Option<&'n Node>, diagnostics: &mut Diagnostics) -> Vec<&'n Entry> {
    let Some(entries) = node.and_then(|node| node.expect_mapping("op_bases", diagnostics)) else { return Vec::new() };
    if let Some(beyond) = entries.get(MAX_BASES) {
        let message = format!("a profile holds at most {MAX_BASES} bases, this one has {}", entries.len());
        diagnostics.push(Diagnostic::error("too-many-bases", message).at(beyond.key_span, "one too many"));
    }
    if let (true, Some(node)) = (entries.is_empty(), node) {
        diagnostics.push(Diagnostic::error("no-bases", "a device needs at least one base").at(node.span, ""));
    }
    entries.iter().take(MAX_BASES).collect()
}

/// A list of bases. A missing value is an empty list.
pub(super) fn base_list(
    node: &Node,
    what: &str,
    base_names: &Index<'_, BaseId>,
    diagnostics: &mut Diagnostics,
) -> Vec<BaseId> {
    if node.is_null() && !node.is_broken() {
        return Vec::new();
    }
    let items = node.expect_sequence(what, diagnostics).unwrap_or_default();
    items.iter().filter_map(|item| base_names.resolve_node(item, diagnostics)).collect()
}

/// The payload fields of each base that has an entry.
pub(super) fn payloads(
    node: Option<&Node>,
    base_names: &Index<'_, BaseId>,
    diagnostics: &mut Diagnostics,
) -> HashMap<BaseId, Vec<PayloadField>> {
    let mut payloads = HashMap::new();
    let entries = node.and_then(|node| node.expect_mapping("payload_by_op_base", diagnostics));
    for entry in entries.unwrap_or_default() {
        let base = base_names.resolve(&entry.key, entry.key_span, diagnostics);
        let mut fields = Vec::new();
        if !entry.value.is_null() || entry.value.is_broken() {
            for item in entry.value.expect_sequence(&entry.key, diagnostics).unwrap_or_default() {
                payload_field(item, &mut fields, diagnostics);
            }
        }
        if let Some(base) = base {
            payloads.insert(base, fields);
        }
    }
    payloads
}

fn payload_field(item: &Node, fields: &mut Vec<PayloadField>, diagnostics: &mut Diagnostics) {
    let Some(name) = item.expect_str("payload field", diagnostics) else { return };
    match PayloadField::ALL.into_iter().find(|field| field.name() == name) {
        Some(field) if fields.contains(&field) => {
            let message = format!("the payload field {} occurs twice", quoted(name));
            diagnostics.push(Diagnostic::error("duplicate-field", message).at(item.span, "again here"));
        }
        Some(field) => fields.push(field),
        None => {
            let message = format!("there is no payload field {}", quoted(name));
            let names = PayloadField::ALL.map(PayloadField::name);
            let help = format!("payload fields are {}", names.join(", "));
            let diagnostic = Diagnostic::error("unknown-payload-field", message).at(item.span, "").help(help);
            diagnostics.push(diagnostic.suggest(nearest(name, names)));
        }
    }
}

/// All bases, without their follow-ups. A stanza with errors also gives a base, so that ids keep the order of the file.
pub(super) fn bases(
    entries: &[&Entry],
    payloads: &HashMap<BaseId, Vec<PayloadField>>,
    programs: &Programs,
    diagnostics: &mut Diagnostics,
) -> IdVec<BaseId, Base> {
    let mut bases = IdVec::new();
    for (at, entry) in entries.iter().enumerate() {
        let id = BaseId::from(at);
        let payload = payloads.get(&id).cloned().unwrap_or_default();
        let base = base(entry, id, payload, programs, diagnostics);
        bases.push(base);
    }
    bases
}

fn base(
    entry: &Entry,
    id: BaseId,
    payload: Vec<PayloadField>,
    programs: &Programs,
    diagnostics: &mut Diagnostics,
) -> Base {
    defined_name::check_written("base", &entry.key, entry.key_span, diagnostics);
    let meaning = base_names::meaning(&entry.key);
    if meaning.is_none() {
        let message = format!("{} is no base the predecessor knew: it has no effect on the device", quoted(&entry.key));
        let help = "write a native profile to say what it does";
        diagnostics.push(Diagnostic::warning("unknown-meaning", message).at(entry.key_span, "").help(help));
    }
    let mut base = Base {
        name: entry.key.to_string(),
        scope: Scope::None,
        affects_state: false,
        instant: false,
        phases: Vec::new(),
        address: address(meaning, &payload),
        effects: effects(entry, meaning, id, &payload, programs, diagnostics),
        payload,
        follow_ups: Vec::new(),
    };
    if base.has(Effect::Program) && matches!(base.address, AddressSource::None | AddressSource::Hook) {
        base.address = AddressSource::NextPage;
    }
    check_payload(entry, &base, diagnostics);
    let Some(mut fields) = Fields::of(entry, diagnostics) else { return base };
    let mark = diagnostics.mark();
    if let Some(scope) = fields.require("scope", diagnostics) {
        base.scope = scope_of(scope, &base.payload, diagnostics);
    }
    let flag = |name: &'static str, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics| {
        fields.require(name, diagnostics).and_then(|node| yes_or_no(node, name, diagnostics)).unwrap_or_default()
    };
    base.affects_state = flag("affect_state", &mut fields, diagnostics);
    base.instant = flag("instant_resv", &mut fields, diagnostics);
    let unoccupied = structure::unoccupied(&base).filter(|_| !diagnostics.errors_since(mark));
    for problem in unoccupied.into_iter().chain(structure::superfluous_data(&base)) {
        let message = format!("the base {}: {}", quoted(&base.name), problem.message);
        let diagnostic = Diagnostic::error("base-structure", message).at(entry.key_span, "");
        diagnostics.push(diagnostic.help(problem.help));
    }
    if let Some(states) = fields.require("states", diagnostics) {
        let mark = diagnostics.mark();
        base.phases = phases(states, diagnostics);
        if diagnostics.errors_since(mark) {
            // An incomplete list would only cause errors about references to the missing phases.
            base.phases.clear();
        }
    }
    // The follow-ups are read with the chains, when all bases are known.
    fields.take("sequence");
    fields.finish(diagnostics);
    base
}

fn address(meaning: Option<&'static Meaning>, payload: &[PayloadField]) -> AddressSource {
    let by_payload = if payload.contains(&PayloadField::Plane) { AddressSource::Hook } else { AddressSource::None };
    meaning.and_then(|meaning| meaning.address).unwrap_or(by_payload)
}

fn effects(
    entry: &Entry,
    meaning: Option<&'static Meaning>,
    id: BaseId,
    payload: &[PayloadField],
    programs: &Programs,
    diagnostics: &mut Diagnostics,
) -> Vec<Effect> {
    let mut effects = meaning.map(|meaning| meaning.effects.to_vec()).unwrap_or_default();
    if !payload.contains(&PayloadField::Die) {
        for effect in &mut effects {
            if *effect == Effect::ResetDie {
                *effect = Effect::ResetTarget;
            }
        }
    }
    let by_name = effects.contains(&Effect::Program);
    let listed =
        programs.listed.as_ref().map_or(by_name, |listed| listed.contains(&id)) || programs.extra.contains(&id);
    if listed && !by_name {
        effects.insert(0, Effect::Program);
    }
    if by_name && !listed {
        effects.retain(|effect| *effect != Effect::Program);
        let message =
            format!("{} is not in `program_base_whitelist`: it will not change its block", quoted(&entry.key));
        diagnostics.push(Diagnostic::warning("not-committing", message).at(entry.key_span, ""));
    }
    effects
}

/// Warns of a base that has an address but whose payload lacks a part of it.
fn check_payload(entry: &Entry, base: &Base, diagnostics: &mut Diagnostics) {
    let addressed = !matches!(base.address, AddressSource::None | AddressSource::Hook);
    let needed = [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page];
    let missing: Vec<&str> =
        needed.into_iter().filter(|field| addressed && !base.payload_has(*field)).map(PayloadField::name).collect();
    if !missing.is_empty() {
        let message = format!("the payload of {} does not say {}", quoted(&entry.key), missing.join(", "));
        let help = "add the fields under `payload_by_op_base`";
        diagnostics.push(Diagnostic::warning("payload-incomplete", message).at(entry.key_span, "").help(help));
    }
}

fn scope_of(node: &Node, payload: &[PayloadField], diagnostics: &mut Diagnostics) -> Scope {
    const NAMES: [&str; 3] = ["NONE", "PLANE_SET", "DIE_WIDE"];
    match node.expect_str("scope", diagnostics) {
        Some("PLANE_SET") => Scope::PlaneSet,
        // Without a die in the payload, no single die could be meant.
        Some("DIE_WIDE") if payload.contains(&PayloadField::Die) => Scope::Die,
        Some("DIE_WIDE") => Scope::Target,
        Some("NONE") | None => Scope::None,
        Some(other) => {
            let message = format!("there is no scope {}", quoted(other));
            let diagnostic = Diagnostic::error("unknown-scope", message).at(node.span, "");
            let help = format!("scopes are {}", NAMES.join(", "));
            diagnostics.push(diagnostic.help(help).suggest(nearest(other, NAMES)));
            Scope::None
        }
    }
}

/// Reads phases such as `- ISSUE:`, with `bus` and `duration` beside the key or under it.
fn phases(node: &Node, diagnostics: &mut Diagnostics) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for item in node.expect_sequence("states", diagnostics).unwrap_or_default() {
        let Some(entries) = item.expect_mapping("a state", diagnostics) else { continue };
        let is_attribute = |entry: &&Entry| matches!(&*entry.key, "bus" | "duration");
        let Some(named) = entries.iter().find(|entry| !is_attribute(entry)) else {
            diagnostics.push(Diagnostic::error("missing-field", "this state has no name").at(item.span, ""));
            continue;
        };
        let kind = phase_of(named, diagnostics);
        let mut bus = false;
        for entry in entries.iter().filter(|entry| entry.key_span != named.key_span) {
            bus |= attribute(entry, diagnostics);
        }
        if !named.value.is_null() || named.value.is_broken() {
            for entry in named.value.expect_mapping(&named.key, diagnostics).unwrap_or_default() {
                bus |= attribute(entry, diagnostics);
            }
        }
        let Some(kind) = kind else { continue };
        let in_order = phases
            .last()
            .map_or(kind == PhaseKind::Issue, |last| last.kind < kind && !last.kind.is_window() && last.kind != kind);
        if !in_order {
            let message = format!("{} cannot stand here", kind.name());
            let help = "the states are ISSUE, then at most CORE_BUSY, then at most one of DATA_IN and DATA_OUT";
            diagnostics.push(Diagnostic::error("phase-order", message).at(named.key_span, "").help(help));
            continue;
        }
        // The durations of the states do not count: an operation that states no duration takes no time.
        phases.push(Phase { kind, bus, default_duration: None });
    }
    if phases.is_empty() {
        diagnostics.push(Diagnostic::error("no-phases", "a base needs at least the state ISSUE").at(node.span, ""));
    }
    phases
}

fn phase_of(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<PhaseKind> {
    let kind = phase_named(&entry.key);
    if kind.is_none() {
        let names = PhaseKind::ALL.map(PhaseKind::name);
        let message = format!("there is no phase {}", quoted(&entry.key));
        let diagnostic = Diagnostic::error("unknown-phase", message).at(entry.key_span, "");
        diagnostics
            .push(diagnostic.help(format!("phases are {}", names.join(", "))).suggest(nearest(&entry.key, names)));
    }
    kind
}

/// Reads `bus` or `duration`. Returns whether the entry says that the phase holds the bus.
fn attribute(entry: &Entry, diagnostics: &mut Diagnostics) -> bool {
    match &*entry.key {
        "bus" => yes_or_no(&entry.value, "bus", diagnostics).unwrap_or_default(),
        "duration" => {
            entry.value.expect_time("duration", diagnostics);
            false
        }
        other => {
            let message = format!("a state has no field {}", quoted(other));
            let diagnostic = Diagnostic::error("unknown-key", message).at(entry.key_span, "");
            let names = ["bus", "duration"];
            diagnostics.push(diagnostic.help("it has: bus, duration").suggest(nearest(other, names)));
            false
        }
    }
}
