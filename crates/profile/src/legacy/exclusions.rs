//! Importing `exclusion_groups` and the five tables that use them.

use super::bases::base_list;
use super::index::Index;
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use crate::ids::{BaseId, GroupId, IdVec, PhaseKey};
use crate::limits::MAX_GROUPS;
use crate::model::{CacheReadKind, DeviceState, ExclusionGroup, Exclusions, PhaseKeyInfo};
use crate::native::exclusions::no_group;
use crate::phase_key::PhaseKeyNames;
use crate::yaml::{Fields, Node};

/// The sections of a file that have the tables.
pub(super) struct ExclusionSections<'n> {
    op_state: Option<&'n Node>,
    states: [(&'static str, Option<&'n Node>); 4],
}

impl<'n> ExclusionSections<'n> {
    pub(super) fn take(file: &mut Fields<'n>) -> Self {
        Self {
            op_state: file.take("exclusions_by_op_state"),
            states: [LATCH, SUSPEND, ODT, CACHE].map(|name| (name, file.take(name))),
        }
    }
}

const LATCH: &str = "exclusions_by_latch_state";
const SUSPEND: &str = "exclusions_by_suspend_state";
const ODT: &str = "exclusions_by_odt_state";
const CACHE: &str = "exclusions_by_cache_state";

/// The section that a state belongs to; `None` for a state that the predecessor's files do not have.
const fn section_of(state: DeviceState) -> Option<&'static str> {
    match state {
        DeviceState::LatchOnRead | DeviceState::LatchOn(_) => Some(LATCH),
        DeviceState::Suspended(_) | DeviceState::NotSuspended(_) => Some(SUSPEND),
        DeviceState::OdtDisabled => Some(ODT),
        DeviceState::CacheRead(_) | DeviceState::CacheProgram(_) => Some(CACHE),
        DeviceState::WriteProtect => None,
    }
}

/// The groups, and the bases, which are looked up when a name is not a group.
type GroupIndex<'a, 'n> = (&'a Index<'n, GroupId>, &'a Index<'n, BaseId>);

/// Reads the groups and the tables.
pub(super) fn exclusions(
    groups_node: Option<&Node>,
    sections: &ExclusionSections<'_>,
    base_names: &Index<'_, BaseId>,
    phase_keys: &IdVec<PhaseKey, PhaseKeyInfo>,
    diagnostics: &mut Diagnostics,
) -> Exclusions {
    let mut exclusions = Exclusions::default();
    let entries = groups_node.and_then(|node| node.expect_mapping("exclusion_groups", diagnostics)).unwrap_or_default();
    if let Some(beyond) = entries.get(MAX_GROUPS) {
        let message = format!("a profile holds at most {MAX_GROUPS} exclusion groups, this one has {}", entries.len());
        diagnostics.push(Diagnostic::error("too-many-groups", message).at(beyond.key_span, "one too many"));
    }
    let mut names = Vec::new();
    for entry in entries.iter().take(MAX_GROUPS) {
        defined_name::check("exclusion group", &entry.key, entry.key_span, diagnostics);
        let forbids = base_list(&entry.value, &entry.key, base_names, diagnostics).into_iter().collect();
        names.push((&*entry.key, exclusions.groups.push(ExclusionGroup { name: entry.key.to_string(), forbids })));
    }
    let names = Index::new("exclusion group", "unknown-group", names);
    if let Some(node) = sections.op_state {
        by_op_state(node, (&names, base_names), phase_keys, &mut exclusions, diagnostics);
    }
    for (section, node) in sections.states {
        if let Some(node) = node {
            by_state(section, node, (&names, base_names), &mut exclusions, diagnostics);
        }
    }
    share_cache_read(&mut exclusions);
    exclusions
}

fn by_op_state(
    node: &Node,
    names: GroupIndex<'_, '_>,
    phase_keys: &IdVec<PhaseKey, PhaseKeyInfo>,
    exclusions: &mut Exclusions,
    diagnostics: &mut Diagnostics,
) {
    let keys = PhaseKeyNames::new(phase_keys.iter_ids());
    for entry in node.expect_mapping("exclusions_by_op_state", diagnostics).unwrap_or_default() {
        let groups = group_list(&entry.value, &entry.key, names, diagnostics);
        let Some(key) = keys.resolve(&entry.key, entry.key_span, diagnostics) else { continue };
        if exclusions.by_op_state.iter().any(|(known, _)| *known == key) {
            let message = format!("{} is listed twice, in two spellings", quoted(&phase_keys[key].name));
            diagnostics.push(Diagnostic::error("duplicate-key", message).at(entry.key_span, "again here"));
            continue;
        }
        exclusions.by_op_state.push((key, groups));
    }
}

fn by_state(
    section: &'static str,
    node: &Node,
    names: GroupIndex<'_, '_>,
    exclusions: &mut Exclusions,
    diagnostics: &mut Diagnostics,
) {
    for entry in node.expect_mapping(section, diagnostics).unwrap_or_default() {
        let groups = group_list(&entry.value, &entry.key, names, diagnostics);
        let mut states = DeviceState::ALL.into_iter().filter(|state| section_of(*state) == Some(section));
        if let Some(state) = states.clone().find(|state| state.name() == &*entry.key) {
            exclusions.by_state.push((state, groups));
            continue;
        }
        let names: Vec<&str> = states.by_ref().map(DeviceState::name).collect();
        let message = format!("`{section}` has no state {}", quoted(&entry.key));
        let diagnostic = Diagnostic::error("unknown-state", message).at(entry.key_span, "");
        let help = format!("its states are {}", names.join(", "));
        diagnostics.push(diagnostic.help(help).suggest(nearest(&entry.key, names)));
    }
}

/// A list of groups. A missing value is an empty list.
fn group_list(
    node: &Node,
    what: &str,
    (groups, bases): GroupIndex<'_, '_>,
    diagnostics: &mut Diagnostics,
) -> Vec<GroupId> {
    if node.is_null() && !node.is_broken() {
        return Vec::new();
    }
    let items = node.expect_sequence(what, diagnostics).unwrap_or_default();
    let group = |item: &Node| match item.as_str().filter(|name| groups.get(name).is_none()) {
        Some(name) if bases.get(name).is_some() => {
            diagnostics.push(no_group("base", name, item.span));
            None
        }
        _ => groups.resolve_node(item, diagnostics),
    };
    items.iter().filter_map(group).collect()
}

/// Copies the table of cache reads for plane cache reads, if a file has no table for those.
fn share_cache_read(exclusions: &mut Exclusions) {
    let cache = DeviceState::CacheRead(CacheReadKind::Cache);
    let plane_cache = DeviceState::CacheRead(CacheReadKind::PlaneCache);
    if exclusions.by_state.iter().any(|(state, _)| *state == plane_cache) {
        return;
    }
    if let Some(at) = exclusions.by_state.iter().position(|(state, _)| *state == cache) {
        let groups = exclusions.by_state[at].1.clone();
        exclusions.by_state.insert(at + 1, (plane_cache, groups));
    }
}
