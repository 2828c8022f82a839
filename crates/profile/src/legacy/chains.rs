//! Importing `generate_seq_rules` and the `sequence` of each base.

use std::collections::{HashMap, HashSet};

use super::index::Index;
use super::ops::OpNames;
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use crate::ids::{BaseId, IdVec, OpId};
use crate::limits::{MAX_CHAIN_STEPS, MAX_WEIGHT};
use crate::model::{AddressSource, Base, Chain, ChainStep, FollowUp, StepAddress};
use crate::yaml::{Entry, Fields, Node};

/// An inheritance condition of a step.
#[derive(Clone, Copy)]
enum Condition {
    Address(StepAddress),
    SameCellType,
    Multi,
    SamePlane,
}

const CONDITIONS: [(&str, Condition); 10] = [
    ("none", Condition::Address(StepAddress::Sampled)),
    ("same_page", Condition::Address(StepAddress::SamePage)),
    ("inc_page", Condition::Address(StepAddress::IncPage)),
    ("pgm_same_page", Condition::Address(StepAddress::ProgramSamePage)),
    ("same_page_from_program_suspend", Condition::Address(StepAddress::SuspendedProgram)),
    ("prev_page", Condition::Address(StepAddress::PreviousPage)),
    ("same_reg", Condition::Address(StepAddress::SameRegister)),
    ("same_celltype", Condition::SameCellType),
    ("multi", Condition::Multi),
    ("same_plane", Condition::SamePlane),
];

struct ChainContext<'a, 'n> {
    base_names: &'a Index<'n, BaseId>,
    op_names: &'a OpNames<'n>,
    /// The address source of each base, by id.
    addresses: Vec<AddressSource>,
}

/// Reads all chains and gives each base its follow-ups.
pub(super) fn chains<'n>(
    rules: Option<&'n Node>,
    base_entries: &[&'n Entry],
    bases: &mut IdVec<BaseId, Base>,
    base_names: &Index<'n, BaseId>,
    op_names: &OpNames<'n>,
    diagnostics: &mut Diagnostics,
) -> Vec<Chain> {
    let addresses = bases.iter().map(|base| base.address).collect();
    let context = ChainContext { base_names, op_names, addresses };
    let mut chains = Vec::new();
    let mut listed = Vec::new();
    let rule_entries = rules.and_then(|node| node.expect_mapping("generate_seq_rules", diagnostics));
    for entry in rule_entries.unwrap_or_default() {
        defined_name::check("chain", &entry.key, entry.key_span, diagnostics);
        let chain = rule(entry, &context, diagnostics);
        listed.push((&*entry.key, chains.len()));
        chains.push(chain);
    }
    let listed = Index::new("chain", "unknown-chain", listed);
    for (at, entry) in base_entries.iter().enumerate() {
        // A stanza that is not a mapping has been reported. A `sequence` without a value has no follow-ups.
        if let Some(node) = entry.value.get("sequence").filter(|node| !node.is_null()) {
            let follow_ups = follow_ups(&entry.key, node, &listed, &mut chains, &context, diagnostics);
            bases[BaseId::from(at)].follow_ups = follow_ups;
        }
    }
    chains
}

fn rule(entry: &Entry, context: &ChainContext<'_, '_>, diagnostics: &mut Diagnostics) -> Chain {
    let mut chain = Chain { name: entry.key.to_string(), steps: Vec::new(), name_weights: Vec::new() };
    let Some(mut fields) = Fields::of(entry, diagnostics) else { return chain };
    let sequences = fields.require("sequences", diagnostics);
    let weights = fields.take("name_weights");
    fields.finish(diagnostics);
    let pairs = sequences.map(|node| pairs(node, "sequences", diagnostics)).unwrap_or_default();
    let nothing = |node: &Node| {
        node.as_sequence().is_some_and(<[Node]>::is_empty) || node.as_mapping().is_some_and(<[Entry]>::is_empty)
    };
    if let Some(node) = sequences.filter(|node| nothing(node)) {
        let message = format!("the chain {} has no steps", quoted(&entry.key));
        diagnostics.push(Diagnostic::error("empty-chain", message).at(node.span, ""));
    }
    if let Some(beyond) = pairs.get(MAX_CHAIN_STEPS) {
        let message = format!("a chain has at most {MAX_CHAIN_STEPS} steps");
        diagnostics.push(Diagnostic::error("chain-too-long", message).at(beyond.key_span, "one too many"));
    }
    for pair in pairs.iter().take(MAX_CHAIN_STEPS) {
        if let Some(base) = context.base_names.resolve(&pair.key, pair.key_span, diagnostics) {
            chain.steps.push(step(base, Some(&pair.value), context, diagnostics));
        }
    }
    if let Some(node) = weights {
        name_weights(node, &mut chain, context, diagnostics);
    }
    chain
}

fn name_weights(node: &Node, chain: &mut Chain, context: &ChainContext<'_, '_>, diagnostics: &mut Diagnostics) {
    for entry in node.expect_mapping("name_weights", diagnostics).unwrap_or_default() {
        let base = context.base_names.resolve(&entry.key, entry.key_span, diagnostics);
        let mut weights: Vec<(OpId, f64)> = Vec::new();
        for item in entry.value.expect_mapping(&entry.key, diagnostics).unwrap_or_default() {
            let op = context.op_names.resolve(&item.key, item.key_span, diagnostics);
            let weight = item.value.expect_f64(&item.key, 0.0..=MAX_WEIGHT, diagnostics);
            if let (Some(Some(op)), Some(weight)) = (op, weight) {
                weights.push((op, weight));
            }
        }
        let Some(base) = base else { continue };
        if chain.steps.is_empty() {
            continue;
        }
        if chain.steps.iter().all(|step| step.base != base) {
            let message =
                format!("no step of {} is a {}: these weights have no effect", quoted(&chain.name), quoted(&entry.key));
            diagnostics.push(Diagnostic::warning("no-effect", message).at(entry.key_span, ""));
            continue;
        }
        chain.name_weights.push((base, weights));
    }
}

/// The entries of a list of mappings with one key each, or of one mapping. The predecessor's files have both.
fn pairs<'n>(node: &'n Node, what: &str, diagnostics: &mut Diagnostics) -> Vec<&'n Entry> {
    if let Some(entries) = node.as_mapping() {
        return entries.iter().collect();
    }
    let mut pairs = Vec::new();
    for item in node.expect_sequence(what, diagnostics).unwrap_or_default() {
        match item.expect_mapping(&format!("an item of {what}"), diagnostics) {
            Some([entry]) => pairs.push(entry),
            Some(entries) => {
                let message = format!("an item of `{what}` has exactly one key, not {}", entries.len());
                diagnostics.push(Diagnostic::error("not-a-pair", message).at(item.span, ""));
            }
            None => {}
        }
    }
    pairs
}

fn follow_ups(
    base: &str,
    node: &Node,
    listed: &Index<'_, usize>,
    chains: &mut Vec<Chain>,
    context: &ChainContext<'_, '_>,
    diagnostics: &mut Diagnostics,
) -> Vec<FollowUp> {
    let Some(mut fields) = Fields::new(node, "sequence", diagnostics) else { return Vec::new() };
    let probs_node = fields.require("probs", diagnostics);
    let inherit_node = fields.take("inherit");
    fields.finish(diagnostics);
    let probs = probs_node.map(|node| pairs(node, "probs", diagnostics)).unwrap_or_default();
    let offered: HashSet<&str> = probs.iter().map(|pair| &*pair.key).collect();
    let mut inherit: HashMap<&str, &Node> = HashMap::new();
    for pair in inherit_node.map(|node| pairs(node, "inherit", diagnostics)).unwrap_or_default() {
        if !offered.contains(&*pair.key) {
            let message = format!("`probs` of {} has no {}: this entry has no effect", quoted(base), quoted(&pair.key));
            diagnostics.push(Diagnostic::warning("no-effect", message).at(pair.key_span, ""));
        }
        inherit.insert(&pair.key, &pair.value);
    }
    let mut follow_ups: Vec<FollowUp> = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for pair in &probs {
        let weight = pair.value.expect_f64(&pair.key, 0.0..=MAX_WEIGHT, diagnostics);
        if !seen.insert(&pair.key) {
            let message = format!("the key {} occurs twice", quoted(&pair.key));
            diagnostics.push(Diagnostic::error("duplicate-key", message).at(pair.key_span, "again here"));
            continue;
        }
        let chain = if &*pair.key == "NONE" {
            Some(None)
        } else if pair.key.ends_with(".SEQ") {
            listed.resolve(&pair.key, pair.key_span, diagnostics).map(Some)
        } else {
            context.base_names.resolve(&pair.key, pair.key_span, diagnostics).map(|next| {
                let step = step(next, inherit.get(&*pair.key).copied(), context, diagnostics);
                chains.push(Chain { name: pair.key.to_string(), steps: vec![step], name_weights: Vec::new() });
                Some(chains.len() - 1)
            })
        };
        if let (Some(chain), Some(weight)) = (chain, weight) {
            follow_ups.push(FollowUp { weight, chain });
        }
    }
    if let (Some(node), true) = (probs_node, follow_ups.iter().all(|follow_up| follow_up.weight == 0.0)) {
        let message = format!("no follow-up of {} has a weight: it stands alone", quoted(base));
        diagnostics.push(Diagnostic::warning("no-effect", message).at(node.span, ""));
        follow_ups.clear();
    }
    follow_ups
}

fn step(base: BaseId, node: Option<&Node>, context: &ChainContext<'_, '_>, diagnostics: &mut Diagnostics) -> ChainStep {
    let mut step =
        ChainStep { base, address: StepAddress::Sampled, same_cell_type: false, multi: false, same_plane: false };
    let mut address: Option<StepAddress> = None;
    let node = node.filter(|node| !node.is_null() || node.is_broken());
    let items = node.and_then(|node| node.expect_sequence("inheritance", diagnostics)).unwrap_or_default();
    for item in items {
        let Some(name) = item.expect_str("inheritance", diagnostics) else { continue };
        match CONDITIONS.iter().find(|(known, _)| *known == name).map(|(_, condition)| *condition) {
            Some(Condition::SameCellType) => step.same_cell_type = true,
            Some(Condition::Multi) => step.multi = true,
            Some(Condition::SamePlane) => step.same_plane = true,
            Some(Condition::Address(wanted)) if address.is_none_or(|first| first == wanted) => address = Some(wanted),
            Some(Condition::Address(_)) => {
                let message = format!("{} contradicts what stands before it: a step has one address", quoted(name));
                diagnostics.push(Diagnostic::error("two-addresses", message).at(item.span, ""));
            }
            None => {
                let names = CONDITIONS.map(|(name, _)| name);
                let message = format!("there is no inheritance condition {}", quoted(name));
                let diagnostic = Diagnostic::error("unknown-condition", message).at(item.span, "");
                let help = format!("conditions are {}", names.join(", "));
                diagnostics.push(diagnostic.help(help).suggest(nearest(name, names)));
            }
        }
    }
    // Data output and the end of a cache read always have the address of the page that the output register will hold.
    let derived = context
        .addresses
        .get(base.index())
        .is_some_and(|source| matches!(source, AddressSource::OutputRegister | AddressSource::PageRegister));
    step.address = if derived { StepAddress::PreviousPage } else { address.unwrap_or(StepAddress::Sampled) };
    step
}
