//! Reading topology, policies, cell types, latencies, export and bootstrap.

use super::context::keeps_limit;
use super::names::{NameIndex, expect_word, suggestion};
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, counted, quoted};
use crate::ids::{CellTypeId, IdVec};
use crate::limits::{self, MAX_WEIGHT};
use crate::model::{Bootstrap, CellType, Export, Policies, StatusField, Topology};
use crate::units::{Ticks, TimeError};
use crate::yaml::{Entry, Fields, Node};

/// The name of a device that states none.
const UNNAMED: &str = "unnamed";

pub(super) fn read_name(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Option<String> {
    let Some(node) = node else { return Some(UNNAMED.to_owned()) };
    let name = node.expect_str("name", diagnostics)?;
    if name.chars().any(char::is_control) {
        diagnostics.push(Diagnostic::error("wrong-type", "`name` must be one line of text").at(node.span, ""));
        return None;
    }
    Some(name.to_owned())
}

pub(super) fn read_topology(node: &Node, diagnostics: &mut Diagnostics) -> Option<Topology> {
    let mut fields = Fields::new(node, "topology", diagnostics)?;
    let mut number = |name: &'static str, least: u32, most: u64| {
        let most = u32::try_from(most).unwrap_or(u32::MAX);
        fields.require(name, diagnostics).and_then(|node| node.expect_u32(name, least..=most, diagnostics))
    };
    let dies = number("dies", 1, limits::MAX_DIES);
    let planes = number("planes", 1, limits::MAX_PLANES);
    let blocks_per_die = number("blocks_per_die", 1, limits::MAX_BLOCKS_PER_DIE);
    let pages_per_block = number("pages_per_block", 1, limits::MAX_PAGES_PER_BLOCK);
    fields.finish(diagnostics);
    let topology =
        Topology { dies: dies?, planes: planes?, blocks_per_die: blocks_per_die?, pages_per_block: pages_per_block? };
    if topology.blocks_per_die < topology.planes {
        let message = format!(
            "{} cannot lie on {}: each plane needs at least one",
            counted(topology.blocks_per_die.into(), "block"),
            counted(topology.planes.into(), "plane")
        );
        diagnostics.push(Diagnostic::error("out-of-range", message).at(node.span, ""));
        return None;
    }
    let blocks = u64::from(topology.dies) * u64::from(topology.blocks_per_die);
    if blocks > limits::MAX_BLOCKS {
        let message = format!("a target has at most {} blocks, this one has {blocks}", limits::MAX_BLOCKS);
        diagnostics.push(Diagnostic::error("out-of-range", message).at(node.span, ""));
        return None;
    }
    Some(topology)
}

pub(super) fn read_policies(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Policies {
    let mut policies = Policies::DEFAULT;
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "policies", diagnostics)) else { return policies };
    read_time(&mut fields, "admission_window", &mut policies.admission_window, diagnostics);
    read_positive_time(&mut fields, "queue_refill_period", &mut policies.queue_refill_period, diagnostics);
    read_count(&mut fields, "max_planes", 1..=limits::MAX_PLANES, &mut policies.max_planes, diagnostics);
    read_count(&mut fields, "max_tries", 1..=limits::MAX_OPS as u64, &mut policies.max_tries, diagnostics);
    read_time(&mut fields, "sequence_gap", &mut policies.sequence_gap, diagnostics);
    read_flag(&mut fields, "split_dout_per_plane", &mut policies.split_dout_per_plane, diagnostics);
    read_positive_time(&mut fields, "time_resolution", &mut policies.time_resolution, diagnostics);
    read_time(&mut fields, "post_hook_window", &mut policies.post_hook_window, diagnostics);
    read_flag(&mut fields, "refill_uses_end_key", &mut policies.refill_uses_end_key, diagnostics);
    fields.finish(diagnostics);
    policies
}

fn read_time(fields: &mut Fields<'_>, name: &'static str, into: &mut Ticks, diagnostics: &mut Diagnostics) {
    if let Some(time) = fields.take(name).and_then(|node| node.expect_time(name, diagnostics)) {
        *into = time;
    }
}

fn read_positive_time(fields: &mut Fields<'_>, name: &'static str, into: &mut Ticks, diagnostics: &mut Diagnostics) {
    let Some(node) = fields.take(name) else { return };
    match node.expect_time(name, diagnostics) {
        Some(Ticks::ZERO) => {
            let message = format!("{} must be above 0", quoted(name));
            diagnostics.push(Diagnostic::error("out-of-range", message).at(node.span, ""));
        }
        Some(time) => *into = time,
        None => {}
    }
}

fn read_count(
    fields: &mut Fields<'_>,
    name: &'static str,
    range: std::ops::RangeInclusive<u64>,
    into: &mut u32,
    diagnostics: &mut Diagnostics,
) {
    let bound = |value: &u64| u32::try_from(*value).unwrap_or(u32::MAX);
    let range = bound(range.start())..=bound(range.end());
    if let Some(count) = fields.take(name).and_then(|node| node.expect_u32(name, range, diagnostics)) {
        *into = count;
    }
}

fn read_flag(fields: &mut Fields<'_>, name: &'static str, into: &mut bool, diagnostics: &mut Diagnostics) {
    if let Some(flag) = fields.take(name).and_then(|node| node.expect_bool(name, diagnostics)) {
        *into = flag;
    }
}

pub(super) fn read_offset_guard(node: Option<&Node>, diagnostics: &mut Diagnostics) -> u32 {
    let most = u32::try_from(limits::MAX_PAGES_PER_BLOCK).unwrap_or(u32::MAX);
    node.and_then(|node| node.expect_u32("offset_guard", 0..=most, diagnostics)).unwrap_or(0)
}

pub(super) fn read_cell_types(entries: &[Entry], diagnostics: &mut Diagnostics) -> Option<IdVec<CellTypeId, CellType>> {
    let names = NameIndex::of_keys("cell type", entries);
    let mut cell_types = IdVec::new();
    // A position beyond the limit has no bit. `within_limits` reports the limit.
    let bit = |at: usize| 1u8.checked_shl(u32::try_from(at).unwrap_or(u32::MAX)).unwrap_or(0);
    for (own, entry) in entries.iter().enumerate().take(limits::MAX_CELL_TYPES) {
        defined_name::check_written("cell type", &entry.key, entry.key_span, diagnostics);
        let items = entry.value.expect_sequence(&entry.key, diagnostics)?;
        let found = items.iter().filter_map(|item| names.expect(item, "cell type", diagnostics));
        // A block may always be programmed with the cell type that it was erased with.
        let programs = found.fold(bit(own), |set, at| set | bit(at));
        cell_types.push(CellType { name: entry.key.to_string(), programs });
    }
    Some(cell_types)
}

/// Whether cell types, bases and groups keep their limits. If not, it is reported.
pub(super) fn within_limits(
    cell_types: &[Entry],
    bases: &[Entry],
    groups: &[Entry],
    diagnostics: &mut Diagnostics,
) -> bool {
    let cell_types = keeps_limit(cell_types, limits::MAX_CELL_TYPES, "cell types", diagnostics);
    let bases = keeps_limit(bases, limits::MAX_BASES, "bases", diagnostics);
    let groups = keeps_limit(groups, limits::MAX_GROUPS, "exclusion groups", diagnostics);
    cell_types && bases && groups
}

pub(super) fn read_latencies(entries: &[Entry], diagnostics: &mut Diagnostics) -> Vec<(String, Ticks)> {
    let mut latencies = Vec::with_capacity(entries.len());
    for entry in entries {
        defined_name::check("latency", &entry.key, entry.key_span, diagnostics);
        if Ticks::parse_us(&entry.key) != Err(TimeError::NotANumber) {
            let message = format!("a latency called {} cannot be used by name", quoted(&entry.key));
            let diagnostic = Diagnostic::warning("useless-name", message).at(entry.key_span, "reads as a number");
            diagnostics.push(diagnostic);
        }
        // After a wrong value, the name is still known, so that its uses are not reported too.
        let time = entry.value.expect_time(&entry.key, diagnostics).unwrap_or_default();
        latencies.push((entry.key.to_string(), time));
    }
    latencies
}

/// Reads a duration: a time in µs, or the name of a latency.
pub(super) fn read_duration(
    node: &Node,
    what: &str,
    names: &NameIndex<'_>,
    latencies: &[(String, Ticks)],
    diagnostics: &mut Diagnostics,
) -> Option<Ticks> {
    let text = node.as_str().unwrap_or_default().trim();
    let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    if node.is_null() || node.as_str().is_none() || Ticks::parse_us(text) != Err(TimeError::NotANumber) {
        return node.expect_time(what, diagnostics);
    }
    match names.find(text) {
        Some(at) => latencies.get(at).map(|(_, time)| *time),
        None if numeric => node.expect_time(what, diagnostics),
        None => {
            let message = format!("{} is neither a time in µs nor the name of a latency", quoted(text));
            let near = suggestion(text, names.iter(), diagnostics);
            diagnostics.push(Diagnostic::error("unknown-name", message).at(node.span, "").suggest(near));
            None
        }
    }
}

pub(super) fn read_export(node: Option<&Node>, diagnostics: &mut Diagnostics) -> Export {
    let mut export = Export::DEFAULT;
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "export", diagnostics)) else { return export };
    if let Some(node) = fields.take("time_scale")
        && let Some(scale) = node.expect_f64("time_scale", 0.0..=MAX_WEIGHT, diagnostics)
    {
        if scale == 0.0 {
            let diagnostic = Diagnostic::error("out-of-range", "`time_scale` must be above 0").at(node.span, "");
            diagnostics.push(diagnostic);
        } else {
            export.time_scale = scale;
        }
    }
    read_count(&mut fields, "round_decimals", 0..=9, &mut export.round_decimals, diagnostics);
    read_flag(&mut fields, "skip_resume_chained_ops", &mut export.skip_resume_chained_ops, diagnostics);
    if let Some(mut status) = fields.take("status").and_then(|node| Fields::new(node, "status", diagnostics)) {
        if let Some(node) = status.require("fields", diagnostics) {
            export.status = read_status_fields(node, diagnostics);
        }
        status.finish(diagnostics);
    }
    fields.finish(diagnostics);
    export
}

/// Reads the fields of an expected status: `[ready, erase_suspend, program_suspend]`.
fn read_status_fields(node: &Node, diagnostics: &mut Diagnostics) -> Vec<StatusField> {
    let mut found: Vec<StatusField> = Vec::new();
    let items = node.expect_sequence("fields", diagnostics).unwrap_or_default();
    if items.is_empty() && node.as_sequence().is_some() {
        let diagnostic = Diagnostic::error("empty-section", "an expected status needs at least one field");
        let help = "without `status` it is one word: busy, extrdy or ready";
        diagnostics.push(diagnostic.at(node.span, "").help(help));
    }
    for item in items {
        let Some(field) = expect_word(item, "status field", diagnostics) else { continue };
        if found.contains(&field) {
            let message = format!("the status field {} is listed twice", quoted(field.name()));
            diagnostics.push(Diagnostic::error("duplicate-item", message).at(item.span, ""));
        }
        found.push(field);
    }
    found
}

pub(super) fn read_bootstrap(
    node: Option<&Node>,
    cell_types: &NameIndex<'_>,
    diagnostics: &mut Diagnostics,
) -> Bootstrap {
    let mut bootstrap = Bootstrap {
        enabled: false,
        erase_blocks: 100,
        program_blocks: 100,
        read_blocks: 100,
        read_coverage: 0.1,
        cell_type_weights: Vec::new(),
    };
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "bootstrap", diagnostics)) else { return bootstrap };
    let any = 0..=u64::from(u32::MAX);
    read_flag(&mut fields, "enabled", &mut bootstrap.enabled, diagnostics);
    read_count(&mut fields, "erase_blocks", any.clone(), &mut bootstrap.erase_blocks, diagnostics);
    read_count(&mut fields, "program_blocks", any.clone(), &mut bootstrap.program_blocks, diagnostics);
    read_count(&mut fields, "read_blocks", any, &mut bootstrap.read_blocks, diagnostics);
    if let Some(node) = fields.take("read_coverage")
        && let Some(share) = node.expect_f64("read_coverage", 0.0..=1.0, diagnostics)
    {
        bootstrap.read_coverage = share;
    }
    let weights = fields.take("cell_type_weights");
    for entry in super::context::entries(weights, "cell_type_weights", diagnostics) {
        let cell_type = cell_types.require(&entry.key, entry.key_span, diagnostics);
        let weight = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics);
        if let (Some(cell_type), Some(weight)) = (cell_type, weight) {
            bootstrap.cell_type_weights.push((CellTypeId::from(cell_type), weight));
        }
    }
    fields.finish(diagnostics);
    bootstrap
}
