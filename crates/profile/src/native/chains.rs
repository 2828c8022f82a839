//! Reading chains and follow-ups.
//!
//! A follow-up is a named chain (`CACHE_READ.SEQ: 3`), a single operation (`DOUT: {weight: 7, inherit: [prev_page]}`) or `NONE`.
//! The chains of a profile are the named chains in the order of the file, then those of single operations in the order of the
//! bases.

use super::bases::FollowUpNodes;
use super::context::{Context, entries};
use super::names::{NameIndex, unknown, unknown_word};
use super::words::{self, Word};
use crate::defined_name;
use crate::diagnostic::{Diagnostic, Diagnostics, Span, quoted};
use crate::ids::{BaseId, IdVec, OpId};
use crate::limits::{MAX_CHAIN_STEPS, MAX_WEIGHT};
use crate::model::{Chain, ChainStep, FollowUp, Op, StepAddress};
use crate::yaml::{Entry, Fields, Node};

/// The operations and their names.
type Ops<'o> = (&'o IdVec<OpId, Op>, &'o NameIndex<'o>);

/// Reads the chains, and sets the follow-ups of the bases in the context.
pub(super) fn read(
    chain_entries: &[Entry],
    follow_ups: &mut FollowUpNodes<'_>,
    context: &mut Context<'_>,
    ops: Ops<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<Chain> {
    let mut chains = Vec::with_capacity(chain_entries.len());
    for entry in chain_entries {
        defined_name::check("chain", &entry.key, entry.key_span, diagnostics);
        if &*entry.key == words::NO_FOLLOW_UP || context.bases.find(&entry.key).is_some() {
            let message = format!("a chain cannot be called {}", quoted(&entry.key));
            let diagnostic = Diagnostic::error("ambiguous-name", message).at(entry.key_span, "");
            diagnostics.push(diagnostic.help("follow-ups of that name mean something else already"));
        }
        // A chain that could not be read keeps its index, so that follow-ups can name it.
        chains.push(read_chain(entry, context, ops, diagnostics).unwrap_or_else(|| Chain {
            name: entry.key.to_string(),
            steps: Vec::new(),
            name_weights: Vec::new(),
        }));
    }
    for (base, node) in follow_ups.drain(..) {
        let read = read_follow_ups(node, context, ops, &mut chains, diagnostics);
        if let Some(Some(base)) = context.read_bases.get_mut(base.index()) {
            base.follow_ups = read;
        }
    }
    chains
}

fn read_chain(entry: &Entry, context: &Context<'_>, ops: Ops<'_>, diagnostics: &mut Diagnostics) -> Option<Chain> {
    let what = format!("the chain {}", entry.key);
    let mut fields = Fields::new(&entry.value, &what, diagnostics)?;
    let steps = fields.require("steps", diagnostics);
    let name_weights = read_name_weights(fields.take("name_weights"), context, ops, diagnostics);
    fields.finish(diagnostics);
    let steps_node = steps?;
    let items = steps_node.expect_sequence("steps", diagnostics)?;
    if items.is_empty() || items.len() > MAX_CHAIN_STEPS {
        let message = format!("a chain has 1 to {MAX_CHAIN_STEPS} steps, this one has {}", items.len());
        diagnostics.push(Diagnostic::error("out-of-range", message).at(steps_node.span, ""));
        return None;
    }
    let mut steps = Vec::with_capacity(items.len());
    for item in items {
        steps.extend(read_step(item, context, diagnostics));
    }
    Some(Chain { name: entry.key.to_string(), steps, name_weights })
}

/// Reads a step: `BASE` or `BASE: [inheritance]`.
fn read_step(node: &Node, context: &Context<'_>, diagnostics: &mut Diagnostics) -> Option<ChainStep> {
    let Some(entries) = node.as_mapping() else {
        let base = context.bases.expect(node, "step", diagnostics)?;
        return Some(step_of(BaseId::from(base)));
    };
    let [entry] = entries else {
        let message = "a step is a base, or one `base: [inheritance]`";
        diagnostics.push(Diagnostic::error("wrong-type", message).at(node.span, ""));
        return None;
    };
    let base = context.bases.require(&entry.key, entry.key_span, diagnostics);
    let step = read_inheritance(&entry.value, base.map(BaseId::from).unwrap_or_default(), diagnostics);
    base.and(step)
}

const fn step_of(base: BaseId) -> ChainStep {
    ChainStep { base, address: StepAddress::Sampled, same_cell_type: false, multi: false, same_plane: false }
}

fn read_inheritance(node: &Node, base: BaseId, diagnostics: &mut Diagnostics) -> Option<ChainStep> {
    let mut step = step_of(base);
    let mut address: Option<(&str, Span)> = None;
    for item in node.expect_sequence("inheritance", diagnostics)? {
        let word = item.expect_str("inheritance", diagnostics)?;
        match (word, StepAddress::of(word)) {
            (words::SAME_CELL_TYPE, _) => step.same_cell_type = true,
            (words::MULTI, _) => step.multi = true,
            (words::SAME_PLANE, _) => step.same_plane = true,
            (_, Some(found)) => {
                if let Some((first, at)) = address {
                    let message = format!("a step has one address: {} or {}", quoted(first), quoted(word));
                    let diagnostic = Diagnostic::error("contradiction", message).at(item.span, "the second one");
                    diagnostics.push(diagnostic.also(at, "the first one"));
                }
                address = Some((word, item.span));
                step.address = found;
            }
            (_, None) => {
                let known = StepAddress::WORDS.iter().map(|(word, _)| *word);
                let all: Vec<&str> = known.chain([words::SAME_CELL_TYPE, words::MULTI, words::SAME_PLANE]).collect();
                unknown_word(StepAddress::KIND, word, item.span, &all, diagnostics);
            }
        }
    }
    Some(step)
}

fn read_follow_ups(
    node: &Node,
    context: &Context<'_>,
    ops: Ops<'_>,
    chains: &mut Vec<Chain>,
    diagnostics: &mut Diagnostics,
) -> Vec<FollowUp> {
    let mut follow_ups = Vec::new();
    for entry in entries(Some(node), "follow_ups", diagnostics) {
        let chain = if &*entry.key == words::NO_FOLLOW_UP {
            None
        } else if let Some(chain) = context.chains.find(&entry.key) {
            Some(chain)
        } else if let Some(base) = context.bases.find(&entry.key) {
            if let Some((weight, chain)) = read_single(entry, BaseId::from(base), context, ops, diagnostics) {
                chains.push(chain);
                follow_ups.push(FollowUp { weight, chain: Some(chains.len() - 1) });
            }
            continue;
        } else {
            let tables = [&context.chains, &context.bases];
            unknown("chain or base", &entry.key, entry.key_span, &tables, diagnostics);
            continue;
        };
        if let Some(weight) = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics) {
            follow_ups.push(FollowUp { weight, chain });
        }
    }
    follow_ups
}

/// Reads a follow-up of a single operation: `DOUT: {weight: 7, inherit: [prev_page]}`, or only its weight.
fn read_single(
    entry: &Entry,
    base: BaseId,
    context: &Context<'_>,
    ops: Ops<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(f64, Chain)> {
    let chain = |step, name_weights| Chain { name: entry.key.to_string(), steps: vec![step], name_weights };
    if entry.value.as_mapping().is_none() {
        let weight = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics)?;
        return Some((weight, chain(step_of(base), Vec::new())));
    }
    let mut fields = Fields::new(&entry.value, &entry.key, diagnostics)?;
    let weight = fields.require("weight", diagnostics);
    let weight = weight.and_then(|node| node.expect_f64("weight", 0.0..=MAX_WEIGHT, diagnostics));
    let step = match fields.take("inherit") {
        Some(node) => read_inheritance(node, base, diagnostics),
        None => Some(step_of(base)),
    };
    let name_weights = read_name_weights(fields.take("name_weights"), context, ops, diagnostics);
    fields.finish(diagnostics);
    Some((weight?, chain(step?, name_weights)))
}

/// Reads weights of names: `{BASE: {op name: weight}}`.
fn read_name_weights(
    node: Option<&Node>,
    context: &Context<'_>,
    (ops, op_names): Ops<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<(BaseId, Vec<(OpId, f64)>)> {
    let mut all = Vec::new();
    for entry in entries(node, "name_weights", diagnostics) {
        let base = context.bases.require(&entry.key, entry.key_span, diagnostics).map(BaseId::from);
        let mut weights = Vec::new();
        for weight in entries(Some(&entry.value), &entry.key, diagnostics) {
            let op = op_names.require(&weight.key, weight.key_span, diagnostics).map(OpId::from);
            let value = weight.value.expect_f64(&weight.key, 0.0..=MAX_WEIGHT, diagnostics);
            if let (Some(op), Some(base)) = (op, base)
                && ops[op].base != base
            {
                let message = format!("{} is no operation of {}", quoted(&weight.key), quoted(&entry.key));
                diagnostics.push(Diagnostic::error("wrong-base", message).at(weight.key_span, ""));
            }
            weights.extend(op.zip(value));
        }
        all.extend(base.map(|base| (base, weights)));
    }
    all
}
