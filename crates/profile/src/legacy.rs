//! Importing the predecessor's configuration files.
//!
//! Promises that such a file loads unchanged, with the meaning its code gave to names written down in one table
//! ([`base_names`]); that every mistake is found in one go; that what the predecessor could be told and we do not do is
//! said, not ignored. This is the only room of the product that knows names of bases and operations.

mod base_names;
mod bases;
mod chains;
mod exclusions;
mod index;
mod ops;
mod probabilities;
mod settings;

use crate::diagnostic::{Diagnostics, SourceFile};
use crate::ids::IdVec;
use crate::legacy::index::Index;
use crate::model::{CellType, Profile};
use crate::yaml::{Fields, Node};

/// Imports a parsed file. Diagnostics of parsing it are expected in `diagnostics`; with `lenient` those within a stanza
/// of `op_names` are demoted to warnings.
///
/// `None` when a section without which there is no device is missing; else a profile, to be thrown away by the caller
/// when there are errors.
pub(crate) fn import(
    root: &Node,
    source: &SourceFile,
    lenient: bool,
    diagnostics: &mut Diagnostics,
) -> Option<Profile> {
    let mut file = Fields::new(root, "the profile", diagnostics)?;
    let topology_node = file.require("topology", diagnostics);
    let cell_types_node = file.require("celltypes", diagnostics);
    let policies_node = file.take("policies");
    let features_node = file.take("features");
    let whitelist_node = file.take_entry("program_base_whitelist").map(|entry| &entry.value);
    let bootstrap_node = file.take("bootstrap");
    let bases_node = file.require("op_bases", diagnostics);
    let payload_node = file.take("payload_by_op_base");
    let groups_node = file.take("exclusion_groups");
    let exclusion_nodes = exclusions::Sections::take(&mut file);
    let rules_node = file.take("generate_seq_rules");
    let latencies_node = file.take("latencies");
    let ops_node = file.require("op_names", diagnostics);
    let constraints_node = file.take("constraints");
    let conditional_node = file.take("phase_conditional");
    let export_node = file.take("pattern_export");
    let overrides_node = file.take("phase_conditional_overrides");
    file.finish(diagnostics);

    let topology = topology_node.and_then(|node| settings::topology(node, diagnostics));
    let cell_types = cell_types_node.map(|node| settings::cell_types(node, diagnostics)).unwrap_or_default();
    let cell_type_names =
        Index::new("cell type", "unknown-cell-type", cell_types.iter_ids().map(|(id, c)| (&*c.name, id)));
    let mut policies =
        policies_node.map_or_else(settings::default_policies, |node| settings::policies(node, diagnostics));
    let features = features_node.map(|node| settings::features(node, diagnostics)).unwrap_or_default();
    policies.refill_uses_end_key = features.refill_uses_end_key;
    let latencies = latencies_node.map(|node| settings::latencies(node, diagnostics)).unwrap_or_default();

    let base_entries = bases::entries(bases_node, diagnostics);
    let base_names =
        Index::new("base", "unknown-base", base_entries.iter().enumerate().map(|(at, e)| (&*e.key, at.into())));
    let payloads = bases::payloads(payload_node, &base_names, diagnostics);
    let programs = bases::Programs {
        listed: whitelist_node.map(|node| bases::base_list(node, "program_base_whitelist", &base_names, diagnostics)),
        extra: features.extra_programs.map_or_else(Vec::new, |node| {
            bases::base_list(node, "extra_allowed_program_bases", &base_names, diagnostics)
        }),
    };
    let mut bases = bases::bases(&base_entries, &payloads, &programs, diagnostics);

    let imported = ops::ops(ops_node, &bases, &base_names, &cell_types, &cell_type_names, lenient, diagnostics);
    let mut ops = imported.ops;
    let op_names = imported.names;
    let chains = chains::chains(rules_node, &base_entries, &mut bases, &base_names, &op_names, diagnostics);
    let phase_keys = Profile::derive_phase_keys(&bases);
    let exclusions = exclusions::exclusions(groups_node, &exclusion_nodes, &base_names, &phase_keys, diagnostics);
    let constraints = settings::constraints(constraints_node, &base_names, diagnostics);
    let probabilities = probabilities::probabilities(
        conditional_node,
        overrides_node,
        &probabilities::Names { bases: &base_names, ops: &op_names, keys: &phase_keys },
        diagnostics,
    );
    let export = settings::export(export_node, &op_names, &mut ops, diagnostics);
    let bootstrap = settings::bootstrap(bootstrap_node, topology, &cell_type_names, diagnostics);

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

/// A legacy file has no name for its device: it goes by the name of the file, without folders and extension.
fn device_name(file: &str) -> String {
    let last = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = last.rsplit_once('.').map_or(last, |(stem, _)| stem);
    let name: String = stem.chars().filter(|c| !c.is_control()).collect();
    if name.is_empty() { "imported device".to_owned() } else { name }
}

type CellTypes = IdVec<crate::ids::CellTypeId, CellType>;
