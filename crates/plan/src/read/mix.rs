//! Reading `mix`: shares of the operations that start.

use nandseq_profile::diagnostic::quoted;
use nandseq_profile::yaml::Node;
use nandseq_profile::{Diagnostic, Diagnostics, OpId, Span};

use super::names::{AllowedNames, PlanNameKind, PlanNames};
use super::values::percent_above_0;
use crate::model::{MixShare, WHOLE, percent_text};

/// Reads a mapping of names to shares. No operation is in two of the shares: a name that is more specific takes its operations
/// out of the others.
pub(super) fn read(node: Option<&Node>, names: &PlanNames<'_>, diagnostics: &mut Diagnostics) -> Vec<MixShare> {
    let Some((node, entries)) = node.and_then(|node| Some((node, node.expect_mapping("mix", diagnostics)?))) else {
        return Vec::new();
    };
    let mut found: Vec<(PlanNameKind, Span, MixShare)> = Vec::new();
    for entry in entries {
        let ops = names.ops((&entry.key, entry.key_span), AllowedNames::Any, diagnostics);
        let share = percent_above_0(&entry.value, &entry.key, diagnostics);
        if let (Some((kind, ops)), Some(share)) = (ops, share) {
            found.push((kind, entry.key_span, MixShare { name: entry.key.to_string(), ops, share }));
        }
    }
    let sum: u64 = found.iter().map(|(_, _, share)| u64::from(share.share)).sum();
    if sum > u64::from(WHOLE) {
        let message = format!("the shares of `mix` are {} together", percent_text(sum));
        let help = "they are shares of all operations that start, so they are at most 100 % together";
        diagnostics.push(Diagnostic::error("shares-above-whole", message).at(node.span, "").help(help));
    }
    make_disjoint(found, names, diagnostics)
}

fn make_disjoint(
    mut found: Vec<(PlanNameKind, Span, MixShare)>,
    names: &PlanNames<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<MixShare> {
    // The entry that has an operation: the most specific one that names it.
    let mut owner: Vec<Option<usize>> = vec![None; names.profile.ops.len()];
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|&at| found[at].0);
    for at in order {
        let (kind, span, share) = &found[at];
        let mut overlap: Option<(usize, OpId)> = None;
        for &op in &share.ops {
            match owner[op.index()] {
                Some(other) if found[other].0 == *kind => overlap = overlap.or(Some((other, op))),
                // A more specific entry.
                Some(_) => {}
                None => owner[op.index()] = Some(at),
            }
        }
        if let Some((other, op)) = overlap {
            let op = quoted(&names.profile.ops[op].name);
            let message =
                format!("{} and {} both name the operation {op}", quoted(&found[other].2.name), quoted(&share.name));
            let help = "an operation, a base, a class and a pattern may overlap, and the more specific one has the operation; two of one kind may not";
            diagnostics.push(
                Diagnostic::error("overlapping-shares", message)
                    .at(*span, "")
                    .also(found[other].1, "the other")
                    .help(help),
            );
        }
    }
    let mark = diagnostics.mark();
    for (at, (_, span, share)) in found.iter_mut().enumerate() {
        let all = std::mem::take(&mut share.ops);
        share.ops = all.into_iter().filter(|op| owner[op.index()] == Some(at)).collect();
        if share.ops.is_empty() && !diagnostics.errors_since(mark) {
            let message = format!("other shares have all operations of {}", quoted(&share.name));
            let help = "a share of a more specific name takes its operations out of this one: take the share out";
            diagnostics.push(Diagnostic::error("matches-nothing", message).at(*span, "").help(help));
        }
    }
    found.into_iter().map(|(_, _, share)| share).collect()
}
