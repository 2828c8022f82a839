//! Importing the predecessor's configuration files.
//!
//! Such a file loads unchanged. The table [`base_names`] has the meaning that the predecessor's code gave to names. All mistakes
//! of a file are reported together. A setting that has no effect here is reported too. No other code knows names of bases and
//! operations.

mod base_names;
mod bases;
mod chains;
mod exclusions;
mod index;
mod ops;
mod probabilities;
mod settings;
mod yes_or_no;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::legacy::index::Index;
use crate::model::{Policies, Profile};
use crate::yaml::{Fields, Node};

/// Imports a parsed file. `diagnostics` must have the diagnostics of parsing it. With `lenient`, errors within a stanza of
/// `op_names` become warnings.
///
/// `None` if a required section is missing. Otherwise a profile, which the caller discards if there are errors.
pub(crate) fn import(
    root: &Node,
    source: &SourceFile,
    lenient: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Profile> {
    let file = LegacySections::take(root, diagnostics)?;
    let topology = file.topology.and_then(|node| settings::topology(node, diagnostics));
    let cell_types = file.cell_types.map(|node| settings::cell_types(node, diagnostics)).unwrap_or_default();
    let cell_type_names =
        Index::new("cell type", "unknown-cell-type", cell_types.iter_ids().map(|(id, c)| (&*c.name, id)));
    let mut policies = file.policies.map_or(Policies::DEFAULT, |node| settings::policies(node, diagnostics));
    let features = file.features.map(|node| settings::features(node, diagnostics)).unwrap_or_default();
    policies.refill_uses_end_key = features.refill_uses_end_key;
    let latencies = file.latencies.map(|node| settings::latencies(node, diagnostics)).unwrap_or_default();

    let base_entries = bases::entries(file.bases, diagnostics);
    let base_names =
        Index::new("base", "unknown-base", base_entries.iter().enumerate().map(|(at, e)| (&*e.key, at.into())));
    let payloads = bases::payloads(file.payloads, &base_names, diagnostics);
    let programs = bases::Programs {
        listed: file.whitelist.map(|node| bases::base_list(node, "program_base_whitelist", &base_names, diagnostics)),
        extra: features.extra_programs.map_or_else(Vec::new, |node| {
            bases::base_list(node, "extra_allowed_program_bases", &base_names, diagnostics)
        }),
    };
    let mut bases = bases::bases(&base_entries, &payloads, &programs, diagnostics);

    let imported = ops::ops(file.ops, &bases, &base_names, &cell_types, &cell_type_names, lenient, diagnostics);
    let mut ops = imported.ops;
    let op_names = imported.names;
    let chains = chains::chains(file.rules, &base_entries, &mut bases, &base_names, &op_names, diagnostics);
    let phase_keys = Profile::derive_phase_keys(&bases);
    let exclusions = exclusions::exclusions(file.groups, &file.exclusions, &base_names, &phase_keys, diagnostics);
    let constraints = settings::constraints(file.constraints, &base_names, diagnostics);
    let probabilities = probabilities::probabilities(
        file.conditional,
        file.overrides,
        &probabilities::NameIndexes { bases: &base_names, ops: &op_names, keys: &phase_keys },
        diagnostics,
    );
    let export = settings::export(file.export, &op_names, &mut ops, diagnostics);
    let bootstrap = settings::bootstrap(file.bootstrap, topology, &cell_type_names, diagnostics);

    Some(Profile {
        name: device_name(&source.name),
        topology: topology?,
        cell_types,
        policies,
        latencies,
        bases,
        ops,
        exclusions,
        interleaved: constraints.interleaved,
        offset_guard: constraints.offset_guard,
        chains,
        phase_keys,
        probabilities,
        export,
        bootstrap,
    })
}

/// The sections of a file.
struct LegacySections<'n> {
    topology: Option<&'n Node>,
    cell_types: Option<&'n Node>,
    policies: Option<&'n Node>,
    features: Option<&'n Node>,
    /// Also present if the key has no value; the list is empty then.
    whitelist: Option<&'n Node>,
    bootstrap: Option<&'n Node>,
    bases: Option<&'n Node>,
    payloads: Option<&'n Node>,
    groups: Option<&'n Node>,
    exclusions: exclusions::ExclusionSections<'n>,
    rules: Option<&'n Node>,
    latencies: Option<&'n Node>,
    ops: Option<&'n Node>,
    constraints: Option<&'n Node>,
    conditional: Option<&'n Node>,
    export: Option<&'n Node>,
    overrides: Option<&'n Node>,
}

impl<'n> LegacySections<'n> {
    /// Finds the sections. Reports unknown sections, and required ones that are missing.
    fn take(root: &'n Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut file = Fields::new(root, "profile", diagnostics)?;
        let sections = Self {
            topology: file.require("topology", diagnostics),
            cell_types: file.require("celltypes", diagnostics),
            policies: file.take("policies"),
            features: file.take("features"),
            whitelist: file.take_entry("program_base_whitelist").map(|entry| &entry.value),
            bootstrap: file.take("bootstrap"),
            bases: file.require("op_bases", diagnostics),
            payloads: file.take("payload_by_op_base"),
            groups: file.take("exclusion_groups"),
            exclusions: exclusions::ExclusionSections::take(&mut file),
            rules: file.take("generate_seq_rules"),
            latencies: file.take("latencies"),
            ops: file.require("op_names", diagnostics),
            constraints: file.take("constraints"),
            conditional: file.take("phase_conditional"),
            export: file.take("pattern_export"),
            overrides: file.take("phase_conditional_overrides"),
        };
        file.finish(diagnostics);
        Some(sections)
    }
}

/// The name of the device. A legacy file has none, so it is the name of the file without folders and extension.
fn device_name(file: &str) -> String {
    let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let name: String = stem.chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() { "imported device".to_owned() } else { name }
}
