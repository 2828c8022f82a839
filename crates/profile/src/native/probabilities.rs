//! Reading `phase_conditional` and `probabilities`.

use super::context::entries;
use super::keys::Keys;
use super::names::{NameIndex, unknown};
use crate::diagnostic::Diagnostics;
use crate::ids::{BaseId, OpId};
use crate::limits::MAX_WEIGHT;
use crate::model::{OverrideOf, Probabilities};
use crate::table;
use crate::yaml::{Entry, Fields, Node};

pub(super) fn read(
    (phase_conditional, probabilities): (Option<&Node>, Option<&Node>),
    keys: &Keys<'_>,
    bases: &NameIndex<'_>,
    ops: &NameIndex<'_>,
    diagnostics: &mut Diagnostics,
) -> Probabilities {
    let mut found = Probabilities::default();
    let tables = entries(phase_conditional, "phase_conditional", diagnostics);
    found.phase_conditional =
        keys.read_table(tables, diagnostics, |entry, diagnostics| read_weights(entry, ops, diagnostics));
    if let Some(node) = phase_conditional.filter(|_| !found.phase_conditional.is_empty()) {
        table::warn_of_no_default(&found.phase_conditional, node.span, diagnostics);
    }
    let stated = probabilities;
    let Some(mut fields) = probabilities.and_then(|node| Fields::new(node, "probabilities", diagnostics)) else {
        return found;
    };
    let global = entries(fields.take("global"), "global", diagnostics);
    found.global = read_masses(global, bases, ops, diagnostics);
    let by_key = entries(fields.take("by_key"), "by_key", diagnostics);
    found.by_key = keys.read_table(by_key, diagnostics, |entry, diagnostics| {
        let masses = entries(Some(&entry.value), &entry.key, diagnostics);
        read_masses(masses, bases, ops, diagnostics)
    });
    fields.finish(diagnostics);
    let overrides = !found.global.is_empty() || found.by_key.iter().any(|(_, masses)| !masses.is_empty());
    if let (true, false, Some(node)) = (overrides, found.phase_conditional.is_empty(), stated) {
        table::warn_of_unused(node.span, "probabilities", diagnostics);
    }
    found
}

/// Reads weights: `{op name: weight}`.
fn read_weights(entry: &Entry, ops: &NameIndex<'_>, diagnostics: &mut Diagnostics) -> Vec<(OpId, f64)> {
    let mut weights = Vec::new();
    for weight in entries(Some(&entry.value), &entry.key, diagnostics) {
        let op = ops.require(&weight.key, weight.key_span, diagnostics).map(OpId::from);
        let value = weight.value.expect_f64(&weight.key, 0.0..=MAX_WEIGHT, diagnostics);
        weights.extend(op.zip(value));
    }
    weights
}

/// Reads masses: `{base or op name: mass}`. A name of both means the operation.
fn read_masses(
    masses: &[Entry],
    bases: &NameIndex<'_>,
    ops: &NameIndex<'_>,
    diagnostics: &mut Diagnostics,
) -> Vec<(OverrideOf, f64)> {
    let mut found = Vec::new();
    for entry in masses {
        let of = if let Some(op) = ops.find(&entry.key) {
            Some(OverrideOf::Op(OpId::from(op)))
        } else if let Some(base) = bases.find(&entry.key) {
            Some(OverrideOf::Base(BaseId::from(base)))
        } else {
            unknown("base or operation", &entry.key, entry.key_span, &[bases, ops], diagnostics);
            None
        };
        let mass = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics);
        found.extend(of.zip(mass));
    }
    found
}
