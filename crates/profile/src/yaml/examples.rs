//! Examples of mappings and lists, for messages about values that are neither.

use super::scalar;

/// Sections and fields that are mappings, each with a value. Words in capitals stand for names of the file.
const MAPPINGS: [(&str, &str); 39] = [
    ("topology", "{dies: 2, planes: 4, blocks_per_die: 1020, pages_per_block: 1152}"),
    ("policies", "{admission_window: 0.6}"),
    ("cell_types", "{NONE: [], SLC: []}"),
    ("latencies", "{tR: 45.0}"),
    ("classes", "{CLASS: {scope: plane_set, phases: [ISSUE, CORE_BUSY]}}"),
    ("bases", "{BASE: {class: CLASS}}"),
    ("ops", "{OPERATION: {base: BASE, celltype: SLC, ISSUE: 0.3}}"),
    ("op_names", "{OPERATION: {base: BASE, celltype: SLC, durations: {ISSUE: 0.3}}}"),
    ("op_bases", "{BASE: {scope: PLANE_SET, states: [{ISSUE: {bus: true}}]}}"),
    ("payload_by_op_base", "{BASE: [die, plane, block, page]}"),
    ("chains", "{CHAIN.SEQ: {steps: [BASE, BASE]}}"),
    ("generate_seq_rules", "{CHAIN.SEQ: {sequences: [{BASE: []}]}}"),
    ("follow_ups", "{BASE: 0.9, NONE: 0.1}"),
    ("exclusion_groups", "{GROUP: [BASE, BASE]}"),
    ("exclusions", "{op_state: {BASE.CORE_BUSY: [GROUP]}}"),
    ("op_state", "{BASE.CORE_BUSY: [GROUP]}"),
    ("exclusions_by_op_state", "{BASE.CORE_BUSY: [GROUP]}"),
    ("phase_conditional", "{DEFAULT: {OPERATION: 1.0}}"),
    ("phase_conditional_overrides", "{global: {BASE: 0.2}}"),
    ("probabilities", "{global: {BASE: 0.2}}"),
    ("global", "{BASE: 0.2}"),
    ("by_key", "{DEFAULT: {BASE: 0.2}}"),
    ("export", "{time_scale: 1.0}"),
    ("bootstrap", "{enabled: true}"),
    ("cell_type_weights", "{SLC: 1.0}"),
    ("celltype_weights", "{SLC: 1.0}"),
    ("durations", "{ISSUE: 0.3}"),
    ("sequence", "{probs: [{BASE: 1.0}]}"),
    ("name_weights", "{BASE: {OPERATION: 1.0}}"),
    ("variants", "{AXIS: {VALUE: {multi: true}}}"),
    ("opcode_map", "{OPERATION: 0x90}"),
    ("pattern_export", "{opcode_map: {OPERATION: 0x90}}"),
    ("features", "{phase_key_rm_fallback: false}"),
    ("constraints", "{single_single_allowed_bases: [BASE, BASE]}"),
    ("exclusions_by_latch_state", "{LATCH_ON_READ: [GROUP]}"),
    ("exclusions_by_suspend_state", "{ERASE_SUSPENDED: [GROUP]}"),
    ("exclusions_by_odt_state", "{ODT_DISABLE: [GROUP]}"),
    ("exclusions_by_cache_state", "{ON_CACHE_READ: [GROUP]}"),
    ("state", "{LATCH_ON_READ: [GROUP]}"),
];

/// Sections and fields that are lists, each with a value.
const LISTS: [(&str, &str); 11] = [
    ("celltypes", "[NONE, SLC]"),
    ("interleaved", "[BASE, CLASS]"),
    ("program_base_whitelist", "[BASE, BASE]"),
    ("payload", "[die, plane, block, page]"),
    ("all_except", "[BASE, BASE]"),
    ("steps", "[BASE, BASE]"),
    ("effects", "[erase]"),
    ("inheritance", "[prev_page, multi]"),
    ("states", "[{ISSUE: {bus: true}}]"),
    ("sequences", "[{BASE: [prev_page]}]"),
    ("probs", "[{BASE: 0.9}, {NONE: 0.1}]"),
];

/// The help about a value that should be a mapping, with the name that messages call it by.
pub(super) fn of_mapping(what: &str) -> String {
    match what.split_once(' ') {
        Some(("the" | "a" | "an", _)) => "a mapping has a `KEY: VALUE` on each of its lines".to_owned(),
        _ if what == "run-list" => "for example `campaigns: [{name: first, ops: 1000, out_dir: first}]`".to_owned(),
        _ => example(what, &MAPPINGS, "{NAME: VALUE}"),
    }
}

/// The help about a value that should be a list, with the name that messages call it by.
pub(super) fn of_list(what: &str) -> String {
    example(what, &LISTS, "[ITEM, ITEM]")
}

fn example(what: &str, known: &[(&str, &str)], any: &str) -> String {
    let value = known.iter().find(|(name, _)| *name == what).map_or(any, |(_, value)| value);
    format!("for example `{}: {value}`", scalar(what))
}
