//! Reading exclusion groups, exclusion tables and `interleaved`.

use super::context::{Context, entries};
use super::keys::Keys;
use super::names::{NameIndex, unknown, unknown_word};
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, quoted};
use crate::ids::{BaseId, BaseSet, GroupId, IdVec};
use crate::model::{DeviceState, ExclusionGroup, Exclusions};
use crate::yaml::{Entry, Fields, Node};

/// Reads `interleaved`, a list of bases and classes.
pub(super) fn read_interleaved(node: Option<&Node>, context: &Context<'_>, diagnostics: &mut Diagnostics) -> BaseSet {
    let Some(items) = node.and_then(|node| node.expect_sequence("interleaved", diagnostics)) else {
        return BaseSet::EMPTY;
    };
    let none = NameIndex::default();
    items.iter().fold(BaseSet::EMPTY, |set, item| match read_item(item, context, &none, diagnostics) {
        Some(GroupItem::Bases(bases)) => set.union(bases),
        Some(GroupItem::Group(_)) | None => set,
    })
}

/// The meaning of an item of a group.
enum GroupItem {
    Bases(BaseSet),
    Group(usize),
}

/// Reads an item of a group: a base, a class or a group.
fn read_item(
    node: &Node,
    context: &Context<'_>,
    groups: &NameIndex<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<GroupItem> {
    let name = node.expect_str("item", diagnostics)?;
    if let Some(base) = context.bases.find(name) {
        return Some(GroupItem::Bases([BaseId::from(base)].into_iter().collect()));
    }
    if let Some(class) = context.classes.find(name) {
        return Some(GroupItem::Bases(context.members(class).collect()));
    }
    if let Some(group) = groups.find(name) {
        return Some(GroupItem::Group(group));
    }
    unknown("base or class", name, node.span, &[&context.bases, &context.classes, groups], diagnostics);
    None
}

/// A group as the file states it: its bases, the groups that it names, and whether it forbids all bases except these.
struct Unresolved {
    bases: BaseSet,
    groups: Vec<usize>,
    all_except: bool,
}

/// Reads the groups. Groups may name one another, but not in a circle.
fn read_groups(
    group_entries: &[Entry],
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> IdVec<GroupId, ExclusionGroup> {
    let unresolved: Vec<Unresolved> =
        group_entries.iter().map(|entry| read_group(entry, context, diagnostics)).collect();
    for entry in group_entries {
        defined_name::check("exclusion group", &entry.key, entry.key_span, diagnostics);
    }
    let everything: BaseSet = (0..context.bases.len()).map(BaseId::from).collect();
    let mut resolved: Vec<Option<BaseSet>> = vec![None; unresolved.len()];
    loop {
        let mut progress = false;
        for (at, group) in unresolved.iter().enumerate().filter(|(at, _)| resolved[*at].is_none()).collect::<Vec<_>>() {
            let named: Option<Vec<BaseSet>> = group.groups.iter().map(|&other| resolved[other]).collect();
            let Some(named) = named else { continue };
            let set = named.into_iter().fold(group.bases, BaseSet::union);
            resolved[at] = Some(if group.all_except { everything.minus(set) } else { set });
            progress = true;
        }
        if !progress {
            break;
        }
    }
    let mut groups = IdVec::new();
    for (entry, set) in group_entries.iter().zip(resolved) {
        if set.is_none() {
            let message = format!("the exclusion group {} contains itself", quoted(&entry.key));
            diagnostics.push(Diagnostic::error("circular-group", message).at(entry.key_span, ""));
        }
        groups.push(ExclusionGroup { name: entry.key.to_string(), forbids: set.unwrap_or_default() });
    }
    groups
}

fn read_group(entry: &Entry, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Unresolved {
    let mut group = Unresolved { bases: BaseSet::EMPTY, groups: Vec::new(), all_except: false };
    let items = if entry.value.as_mapping().is_some() {
        group.all_except = true;
        let fields = Fields::new(&entry.value, &entry.key, diagnostics);
        fields.and_then(|mut fields| {
            let items = fields.require("all_except", diagnostics);
            fields.finish(diagnostics);
            items?.expect_sequence("all_except", diagnostics)
        })
    } else {
        entry.value.expect_sequence(&entry.key, diagnostics)
    };
    for item in items.unwrap_or_default() {
        match read_item(item, context, &context.groups, diagnostics) {
            Some(GroupItem::Bases(bases)) => group.bases = group.bases.union(bases),
            Some(GroupItem::Group(other)) => group.groups.push(other),
            None => {}
        }
    }
    group
}

/// Reads the groups and the tables `op_state` and `state`.
pub(super) fn read(
    group_entries: &[Entry],
    tables: Option<&Node>,
    keys: &Keys<'_>,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Exclusions {
    let groups = read_groups(group_entries, context, diagnostics);
    let mut exclusions = Exclusions { groups, ..Exclusions::default() };
    let Some(mut fields) = tables.and_then(|node| Fields::new(node, "exclusions", diagnostics)) else {
        return exclusions;
    };
    let op_state = entries(fields.take("op_state"), "op_state", diagnostics);
    exclusions.by_op_state =
        keys.read_table(op_state, diagnostics, |entry, diagnostics| read_group_names(entry, context, diagnostics));
    for entry in entries(fields.take("state"), "state", diagnostics) {
        let state = DeviceState::ALL.into_iter().find(|state| state.name() == &*entry.key);
        if state.is_none() {
            let words = DeviceState::ALL.map(DeviceState::name);
            unknown_word("state of the device", &entry.key, entry.key_span, &words, diagnostics);
        }
        let names = read_group_names(entry, context, diagnostics);
        exclusions.by_state.extend(state.map(|state| (state, names)));
    }
    fields.finish(diagnostics);
    exclusions
}

fn read_group_names(entry: &Entry, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Vec<GroupId> {
    let items = entry.value.expect_sequence(&entry.key, diagnostics).unwrap_or_default();
    let group = |item: &Node| {
        let name = item.expect_str("exclusion group", diagnostics)?;
        let kind = [("base", context.bases.find(name)), ("class", context.classes.find(name))];
        match (context.groups.find(name), kind.iter().find(|(_, found)| found.is_some())) {
            (None, Some((kind, _))) => {
                diagnostics.push(no_group(kind, name, item.span));
                None
            }
            _ => context.groups.require(name, item.span, diagnostics),
        }
    };
    items.iter().filter_map(group).map(GroupId::from).collect()
}

/// The error for a base or class in a place of a group.
pub(crate) fn no_group(kind: &str, name: &str, span: Span) -> Diagnostic {
    let message = format!("there is no exclusion group {}", quoted(name));
    let help = format!(
        "{} is a {kind}, and exclusions name groups: write `{name}_group: [{name}]` under exclusion_groups, and `{name}_group` here",
        quoted(name)
    );
    Diagnostic::error("unknown-group", message).at(span, "").help(help)
}
