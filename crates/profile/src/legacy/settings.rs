//! Importing the settings of the device and of generation: topology, cell types, policies, features, latencies, constraints,
//! export and bootstrap.

use super::base_names::{INTERLEAVED, SHARED_ERASE};
use super::bases::base_list;
use super::index::Index;
use super::ops::{CellTypes, OpNames};
use super::yes_or_no::yes_or_no;
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity, counted, quoted};
use crate::ids::{BaseId, BaseSet, CellTypeId, IdVec, OpId};
use crate::limits::{
    MAX_BLOCKS, MAX_BLOCKS_PER_DIE, MAX_CELL_TYPES, MAX_DIES, MAX_PAGES_PER_BLOCK, MAX_PLANES, MAX_WEIGHT,
};
use crate::model::{Bootstrap, CellType, Export, Op, Policies, Topology};
use crate::units::Ticks;
use crate::yaml::{Fields, Node};

/// Adds a note that a setting has no effect.
fn no_effect(node: &Node, message: String, diagnostics: &mut Diagnostics) {
    diagnostics.push(Diagnostic::note("no-effect", message).at(node.span, ""));
}

/// Reads `topology`.
pub(super) fn topology(node: &Node, diagnostics: &mut Diagnostics) -> Option<Topology> {
    let mut fields = Fields::new(node, "topology", diagnostics)?;
    let mut number = |name: &'static str, limit: u64| {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let node = fields.require(name, diagnostics);
        (node, node.and_then(|node| node.expect_u32(name, 1..=limit, diagnostics)))
    };
    let (_, dies) = number("dies", MAX_DIES);
    let (_, planes) = number("planes", MAX_PLANES);
    let (blocks_node, blocks_per_die) = number("blocks_per_die", MAX_BLOCKS_PER_DIE);
    let (_, pages_per_block) = number("pages_per_block", MAX_PAGES_PER_BLOCK);
    fields.finish(diagnostics);
    let topology =
        Topology { dies: dies?, planes: planes?, blocks_per_die: blocks_per_die?, pages_per_block: pages_per_block? };
    let blocks_span = blocks_node.map(|node| node.span).unwrap_or_default();
    if topology.blocks_per_die < topology.planes {
        let message = format!(
            "{} on {}: each plane needs at least one",
            counted(topology.blocks_per_die.into(), "block"),
            counted(topology.planes.into(), "plane")
        );
        diagnostics.push(Diagnostic::error("out-of-range", message).at(blocks_span, ""));
    }
    let blocks = u64::from(topology.dies) * u64::from(topology.blocks_per_die);
    if blocks > MAX_BLOCKS {
        let message = format!("{blocks} blocks on all dies together are more than {MAX_BLOCKS}");
        diagnostics.push(Diagnostic::error("out-of-range", message).at(blocks_span, ""));
    }
    Some(topology)
}

/// Reads `celltypes`. Which cell types may be programmed on which blocks follows from their names.
pub(super) fn cell_types(node: &Node, diagnostics: &mut Diagnostics) -> CellTypes {
    let mut cell_types: CellTypes = IdVec::new();
    let items = node.expect_sequence("celltypes", diagnostics).unwrap_or_default();
    if let Some(beyond) = items.get(MAX_CELL_TYPES) {
        let message = format!("a profile holds at most {MAX_CELL_TYPES} cell types, this one has {}", items.len());
        diagnostics.push(Diagnostic::error("too-many-cell-types", message).at(beyond.span, "one too many"));
    }
    if items.is_empty() && node.as_sequence().is_some() {
        diagnostics.push(Diagnostic::error("no-cell-types", "a device needs at least one cell type").at(node.span, ""));
    }
    for item in items.iter().take(MAX_CELL_TYPES) {
        let Some(name) = item.expect_str("cell type", diagnostics) else { continue };
        if cell_types.iter().any(|known| known.name == name) {
            let message = format!("the cell type {} occurs twice", quoted(name));
            diagnostics.push(Diagnostic::error("duplicate-cell-type", message).at(item.span, "again here"));
            continue;
        }
        defined_name::check_written("cell type", name, item.span, diagnostics);
        cell_types.push(CellType { name: name.to_owned(), programs: 0 });
    }
    let (erased, shared) = SHARED_ERASE;
    let shared: u8 = cell_types
        .iter_ids()
        .filter(|(_, cell_type)| shared.contains(&cell_type.name.as_str()))
        .fold(0, |bits, (id, _)| bits | 1 << id.0);
    for (at, cell_type) in cell_types.iter_mut().enumerate() {
        cell_type.programs = 1 << at | if cell_type.name == erased { shared } else { 0 };
    }
    cell_types
}

/// Reads `policies`.
pub(super) fn policies(node: &Node, diagnostics: &mut Diagnostics) -> Policies {
    let mut policies = Policies::DEFAULT;
    let Some(mut fields) = Fields::new(node, "policies", diagnostics) else { return policies };
    let time = |name: &'static str, into: &mut Ticks, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics| {
        let node = fields.take(name)?;
        *into = node.expect_time(name, diagnostics)?;
        Some(node.span)
    };
    time("admission_window", &mut policies.admission_window, &mut fields, diagnostics);
    let period = time("queue_refill_period_us", &mut policies.queue_refill_period, &mut fields, diagnostics);
    if let (Some(span), Ticks::ZERO) = (period, policies.queue_refill_period) {
        let message = "`queue_refill_period_us` must be longer than 0";
        diagnostics.push(Diagnostic::error("out-of-range", message).at(span, ""));
    }
    time("sequence_gap", &mut policies.sequence_gap, &mut fields, diagnostics);
    for (name, into) in [("maxplanes", &mut policies.max_planes), ("maxtry_candidate", &mut policies.max_tries)] {
        let node = fields.take(name);
        if let Some(value) = node.and_then(|node| node.expect_u32(name, 1..=1_000_000, diagnostics)) {
            *into = value;
        }
    }
    if let Some(node) = fields.take("split_dout_per_plane")
        && let Some(split) = yes_or_no(node, "split_dout_per_plane", diagnostics)
    {
        policies.split_dout_per_plane = split;
    }
    for (name, usual) in [("topN", 4.0), ("epsilon_greedy", 0.0), ("maxloop_seq", 4.0)] {
        if let Some(node) = fields.take(name)
            && let Some(value) = node.expect_f64(name, f64::MIN..=f64::MAX, diagnostics)
            && (value - usual).abs() > 0.0
        {
            let message = format!("`{name}` has no effect: names are drawn by weight from all that are possible");
            no_effect(node, message, diagnostics);
        }
    }
    fields.finish(diagnostics);
    policies
}

/// The features that have an effect.
#[derive(Default)]
pub(super) struct Features<'n> {
    pub(super) refill_uses_end_key: bool,
    pub(super) extra_programs: Option<&'n Node>,
}

/// Reads `features`.
pub(super) fn features<'n>(node: &'n Node, diagnostics: &mut Diagnostics) -> Features<'n> {
    /// Switches of behaviour that is always on here.
    const ALWAYS: [&str; 7] = [
        "phase_key_used_reserved_time",
        "uniform_subseq_sampling",
        "suspend_resume_chain_enabled",
        "operation_timeline_effective",
        "op_state_timeline_per_run",
        "skip_delay_in_proposal",
        "drain_op_end_on_exit",
    ];
    let mut features = Features::default();
    let Some(mut fields) = Fields::new(node, "features", diagnostics) else { return features };
    if let Some(node) = fields.take("phase_key_rm_fallback") {
        features.refill_uses_end_key = yes_or_no(node, "phase_key_rm_fallback", diagnostics).unwrap_or_default();
    }
    features.extra_programs = fields.take("extra_allowed_program_bases");
    for name in ALWAYS {
        if let Some(node) = fields.take(name)
            && yes_or_no(node, name, diagnostics) == Some(false)
        {
            no_effect(node, format!("`{name}: false` has no effect: this is always on now"), diagnostics);
        }
    }
    fields.finish_as(Severity::Warning, diagnostics);
    features
}

/// Reads `latencies`.
pub(super) fn latencies(node: &Node, diagnostics: &mut Diagnostics) -> Vec<(String, Ticks)> {
    let entries = node.expect_mapping("latencies", diagnostics).unwrap_or_default();
    let time = |entry: &crate::yaml::Entry| {
        defined_name::check("latency", &entry.key, entry.key_span, diagnostics);
        let time = entry.value.expect_time(&entry.key, diagnostics)?;
        Some((entry.key.to_string(), time))
    };
    entries.iter().filter_map(time).collect()
}

/// The constraints that have an effect.
pub(super) struct Constraints {
    pub(super) interleaved: BaseSet,
    pub(super) offset_guard: u32,
}

/// Reads `constraints`.
pub(super) fn constraints(
    node: Option<&Node>,
    base_names: &Index<'_, BaseId>,
    diagnostics: &mut Diagnostics,
) -> Constraints {
    let usual = INTERLEAVED.iter().filter_map(|name| base_names.get(name)).collect();
    let mut constraints = Constraints { interleaved: usual, offset_guard: 0 };
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "constraints", diagnostics)) else {
        return constraints;
    };
    if let Some(node) = fields.take("single_single_allowed_bases") {
        let listed = base_list(node, "single_single_allowed_bases", base_names, diagnostics);
        constraints.interleaved = listed.into_iter().collect();
    }
    if let Some(node) = fields.take("enabled_rules") {
        let on: Vec<&str> = node
            .expect_sequence("enabled_rules", diagnostics)
            .unwrap_or_default()
            .iter()
            .filter_map(Node::as_str)
            .collect();
        for rule in ["state_forbid", "addr_dep"].into_iter().filter(|rule| !on.contains(rule)) {
            no_effect(
                node,
                format!("leaving {} out has no effect: every rule is always on", quoted(rule)),
                diagnostics,
            );
        }
    }
    if let Some(node) = fields.take("enable_epr")
        && yes_or_no(node, "enable_epr", diagnostics) == Some(false)
    {
        no_effect(node, "`enable_epr: false` has no effect: every rule is always on".to_owned(), diagnostics);
    }
    // This section only documents the predecessor's rules.
    fields.take("rule_catalog");
    if let Some(mut epr) = fields.take("epr").and_then(|node| Fields::new(node, "epr", diagnostics)) {
        let guard = epr.take("offset_guard");
        if let Some(guard) = guard.and_then(|node| node.expect_u32("offset_guard", 0..=u32::MAX, diagnostics)) {
            constraints.offset_guard = guard;
        }
        for documentation in ["debug", "subcodes"] {
            epr.take(documentation);
        }
        for entry in epr.rest() {
            let message = if entry.key.starts_with("disable_") {
                if yes_or_no(&entry.value, &entry.key, diagnostics) != Some(true) {
                    continue;
                }
                format!("{} has no effect: every rule is always on", quoted(&entry.key))
            } else {
                format!("{} is not known and has no effect", quoted(&entry.key))
            };
            diagnostics.push(Diagnostic::note("no-effect", message).at(entry.key_span, ""));
        }
    }
    fields.finish_as(Severity::Warning, diagnostics);
    constraints
}

/// Reads `pattern_export`, and sets the opcodes of operations.
pub(super) fn export(
    node: Option<&Node>,
    op_names: &OpNames<'_>,
    ops: &mut IdVec<OpId, Op>,
    diagnostics: &mut Diagnostics,
) -> Export {
    let mut export = Export::DEFAULT;
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "pattern_export", diagnostics)) else {
        return export;
    };
    if let Some(mut time) = fields.take("time").and_then(|node| Fields::new(node, "time", diagnostics)) {
        // A scale of 0 would print every operation at time 0.
        let scale = time.take("scale").and_then(|node| node.expect_f64("scale", 1e-9..=1e9, diagnostics));
        let decimals =
            time.take("round_decimals").and_then(|node| node.expect_u32("round_decimals", 0..=9, diagnostics));
        export.time_scale = scale.unwrap_or(export.time_scale);
        export.round_decimals = decimals.unwrap_or(export.round_decimals);
        time.finish_as(Severity::Warning, diagnostics);
    }
    if let Some(node) = fields.take("skip_resume_chained_ops")
        && let Some(skip) = yes_or_no(node, "skip_resume_chained_ops", diagnostics)
    {
        export.skip_resume_chained_ops = skip;
        if !skip {
            let message = "`skip_resume_chained_ops: false` has no effect: what a RESUME resumes is never a new row";
            no_effect(node, message.to_owned(), diagnostics);
        }
    }
    let map = fields.take("opcode_map");
    for entry in map.and_then(|node| node.expect_mapping("opcode_map", diagnostics)).unwrap_or_default() {
        let op = op_names.resolve(&entry.key, entry.key_span, diagnostics);
        let opcode = entry.value.expect_u32(&entry.key, 0..=u32::MAX, diagnostics);
        if let (Some(Some(op)), Some(opcode)) = (op, opcode) {
            ops[op].opcode = opcode;
        }
    }
    fields.finish_as(Severity::Warning, diagnostics);
    export
}

/// Reads `bootstrap`. Volumes count distinct blocks, and are limited to the blocks of the device.
pub(super) fn bootstrap(
    node: Option<&Node>,
    topology: Option<Topology>,
    cell_types: &Index<'_, CellTypeId>,
    diagnostics: &mut Diagnostics,
) -> Bootstrap {
    let blocks = topology.map_or(u32::MAX, |topology| topology.dies.saturating_mul(topology.blocks_per_die));
    let usual = 100.min(blocks);
    let mut bootstrap = Bootstrap {
        enabled: false,
        erase_blocks: usual,
        program_blocks: usual,
        read_blocks: usual,
        read_coverage: 0.1,
        cell_type_weights: Vec::new(),
    };
    let Some(mut fields) = node.and_then(|node| Fields::new(node, "bootstrap", diagnostics)) else { return bootstrap };
    if let Some(node) = fields.take("enabled") {
        bootstrap.enabled = yes_or_no(node, "enabled", diagnostics).unwrap_or_default();
    }
    let volume = |name: &'static str, into: &mut u32, fields: &mut Fields<'_>, diagnostics: &mut Diagnostics| {
        let node = fields.take(name);
        if let Some(value) = node.and_then(|node| node.expect_u32(name, 0..=u32::MAX, diagnostics)) {
            *into = value.min(blocks);
        }
    };
    if let Some(mut thresholds) =
        fields.take("thresholds").and_then(|node| Fields::new(node, "thresholds", diagnostics))
    {
        volume("erase_volume", &mut bootstrap.erase_blocks, &mut thresholds, diagnostics);
        volume("program_volume", &mut bootstrap.program_blocks, &mut thresholds, diagnostics);
        let coverage = thresholds.take("read_coverage");
        if let Some(share) = coverage.and_then(|node| node.expect_f64("read_coverage", 0.0..=1.0, diagnostics)) {
            bootstrap.read_coverage = share;
        }
        thresholds.finish(diagnostics);
    }
    if let Some(mut minimums) = fields.take("minimums").and_then(|node| Fields::new(node, "minimums", diagnostics)) {
        volume("read_volume", &mut bootstrap.read_blocks, &mut minimums, diagnostics);
        minimums.finish(diagnostics);
    }
    let weights = fields.take("celltype_weights");
    for entry in weights.and_then(|node| node.expect_mapping("celltype_weights", diagnostics)).unwrap_or_default() {
        let cell_type = cell_types.resolve(&entry.key, entry.key_span, diagnostics);
        let weight = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics);
        if let (Some(cell_type), Some(weight)) = (cell_type, weight) {
            bootstrap.cell_type_weights.push((cell_type, weight));
        }
    }
    fields.finish(diagnostics);
    bootstrap
}
