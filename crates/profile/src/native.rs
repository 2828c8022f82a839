//! The native profile format: YAML that is readable beside a datasheet (`docs/profile-format.md`).
//!
//! One reading reports all mistakes of a file, each with its place and, for an unknown name, the nearest valid name. It stops
//! early only at an unusable `schema`, or at more cell types, bases or exclusion groups than the limits allow. A returned profile
//! keeps every limit of [`limits`](crate::limits) and the structural rules that the engine relies on ([`structure`]). [`write()`]
//! gives the text of any resolved profile; [`read_native`] reads an equal profile from it. Leaves out whether a device makes
//! sense (chains that can complete, operations that can be proposed): see [`check`](crate::check).

mod bases;
mod chains;
mod context;
mod device;
mod effects;
pub(crate) mod exclusions;
mod field;
mod keys;
mod names;
mod ops;
mod probabilities;
pub mod schema;
pub mod structure;
mod words;
mod write;

pub use write::write;
pub(crate) use write::write_as;

use context::{Context, entries};
use names::NameIndex;

use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::ids::{BaseId, IdVec};
use crate::model::{AddressSource, Base, Phase, PhaseKind, Profile, Scope};
use crate::whole::whole;
use crate::yaml::{Entry, Fields, Node};

/// The version of the format that this crate reads and writes.
pub const SCHEMA_VERSION: u32 = 1;

/// Reads a native profile from its document.
///
/// Returns `None` if the profile has an error. The errors are added to `diagnostics`.
pub fn read_native(root: &Node, diagnostics: &mut Diagnostics) -> Option<Profile> {
    let mark = diagnostics.mark();
    let mut fields = Fields::new(root, "the profile", diagnostics)?;
    let version = fields.require("schema", diagnostics)?;
    let text = version.as_str().unwrap_or_default().trim();
    let Ok(found) = whole(text) else {
        version.expect_u32("schema", 0..=u32::MAX, diagnostics)?;
        return None;
    };
    if found != Some(SCHEMA_VERSION.into()) {
        // This program cannot judge a profile of another version.
        let message =
            format!("this program reads profiles of `schema: {SCHEMA_VERSION}`, and this one is of `schema: {text}`");
        let help = if found == Some(0) || text.starts_with('-') {
            format!("the first version of the format is {SCHEMA_VERSION}: write `schema: {SCHEMA_VERSION}`")
        } else {
            "a newer version of the program may read it".to_owned()
        };
        diagnostics.push(Diagnostic::error("out-of-range", message).at(version.span, "").help(help));
        return None;
    }
    let profile = read_sections(&mut fields, diagnostics);
    fields.finish(diagnostics);
    if diagnostics.errors_since(mark) { None } else { profile }
}

/// The sections of a file that refer to one another.
struct Sections<'n> {
    cell_types: Option<&'n Node>,
    latencies: &'n [Entry],
    classes: &'n [Entry],
    bases: Option<&'n Node>,
    chains: &'n [Entry],
    groups: &'n [Entry],
    ops: Option<&'n Node>,
    interleaved: Option<&'n Node>,
    exclusions: Option<&'n Node>,
    phase_conditional: Option<&'n Node>,
    probabilities: Option<&'n Node>,
    bootstrap: Option<&'n Node>,
}

impl<'n> Sections<'n> {
    fn take(fields: &mut Fields<'n>, diagnostics: &mut Diagnostics) -> Self {
        let sections = Self {
            cell_types: fields.require("cell_types", diagnostics),
            latencies: entries(fields.take("latencies"), "latencies", diagnostics),
            classes: entries(fields.take("classes"), "classes", diagnostics),
            bases: fields.require("bases", diagnostics),
            chains: entries(fields.take("chains"), "chains", diagnostics),
            groups: entries(fields.take("exclusion_groups"), "exclusion_groups", diagnostics),
            ops: fields.require("ops", diagnostics),
            interleaved: fields.take("interleaved"),
            exclusions: fields.take("exclusions"),
            phase_conditional: fields.take("phase_conditional"),
            probabilities: fields.take("probabilities"),
            bootstrap: fields.take("bootstrap"),
        };
        for (node, what) in [(sections.cell_types, "cell_types"), (sections.bases, "bases"), (sections.ops, "ops")] {
            report_empty(node, what, diagnostics);
        }
        sections
    }
}

fn read_sections(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Profile> {
    let name = device::read_name(fields.take("name"), diagnostics);
    let topology = fields.require("topology", diagnostics).and_then(|node| device::read_topology(node, diagnostics));
    let policies = device::read_policies(fields.take("policies"), diagnostics);
    let offset_guard = device::read_offset_guard(fields.take("offset_guard"), diagnostics);
    let export = device::read_export(fields.take("export"), diagnostics);
    let sections = Sections::take(fields, diagnostics);
    let cell_type_entries = entries(sections.cell_types, "cell_types", diagnostics);
    let base_entries = entries(sections.bases, "bases", diagnostics);
    let cell_types = device::read_cell_types(cell_type_entries, diagnostics);
    if !device::within_limits(cell_type_entries, base_entries, sections.groups, diagnostics) {
        return None;
    }
    let mut context = Context {
        latencies: device::read_latencies(sections.latencies, diagnostics),
        latency_names: NameIndex::of_keys("latency", sections.latencies),
        cell_types: NameIndex::of_keys("cell type", cell_type_entries),
        classes: NameIndex::of_keys("class", sections.classes),
        bases: NameIndex::of_keys("base", base_entries),
        class_of: vec![None; base_entries.len()],
        read_bases: Vec::new(),
        chains: NameIndex::of_keys("chain", sections.chains),
        groups: NameIndex::of_keys("exclusion group", sections.groups),
    };
    let mut follow_ups = bases::read(sections.classes, base_entries, &mut context, diagnostics);
    let ops = ops::read(entries(sections.ops, "ops", diagnostics), &context, diagnostics);
    let op_names = NameIndex::of("operation", ops.iter().map(|op| op.name.as_str()));
    let chains = chains::read(sections.chains, &mut follow_ups, &mut context, (&ops, &op_names), diagnostics);
    let interleaved = exclusions::read_interleaved(sections.interleaved, &context, diagnostics);
    let bootstrap = device::read_bootstrap(sections.bootstrap, &context.cell_types, diagnostics);
    let bases: IdVec<BaseId, Base> = context
        .read_bases
        .iter()
        .zip(base_entries)
        .map(|(base, entry)| substitute(base.as_ref(), &entry.key))
        .collect();
    let phase_keys = Profile::derive_phase_keys(&bases);
    let keys = keys::Keys::new(&phase_keys, &context);
    let exclusions = exclusions::read(sections.groups, sections.exclusions, &keys, &context, diagnostics);
    let masses = (sections.phase_conditional, sections.probabilities);
    let probabilities = probabilities::read(masses, &keys, &context.bases, &op_names, diagnostics);
    Some(Profile {
        name: name?,
        topology: topology?,
        cell_types: cell_types?,
        policies,
        latencies: context.latencies,
        bases,
        ops,
        exclusions,
        interleaved,
        offset_guard,
        chains,
        phase_keys,
        probabilities,
        export,
        bootstrap,
    })
}

/// Reports a required section that has no entries.
fn report_empty(node: Option<&Node>, what: &str, diagnostics: &mut Diagnostics) {
    // A section that is missing or is not a mapping was reported before.
    if let Some(node) = node.filter(|node| node.as_mapping().is_some_and(<[Entry]>::is_empty)) {
        let message = format!("a device needs at least one entry in {}", quoted(what));
        diagnostics.push(Diagnostic::error("empty-section", message).at(node.span, ""));
    }
}

/// The base as read. For a base that could not be read, it is a substitute with every phase, so that its phase keys are not
/// reported as unknown. A profile with a substitute is never returned.
fn substitute(base: Option<&Base>, name: &str) -> Base {
    let phase = |kind| Phase { kind, bus: false, default_duration: None };
    base.cloned().unwrap_or_else(|| Base {
        name: name.to_owned(),
        scope: Scope::None,
        affects_state: false,
        instant: false,
        phases: PhaseKind::ALL.map(phase).to_vec(),
        address: AddressSource::None,
        effects: Vec::new(),
        payload: Vec::new(),
        follow_ups: Vec::new(),
    })
}
