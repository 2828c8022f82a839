//! Importing `phase_conditional` and `phase_conditional_overrides`.

use super::index::Index;
use super::ops::OpNames;
use crate::diagnostic::{Diagnostic, Diagnostics, nearest, quoted};
use crate::ids::{BaseId, IdVec, PhaseKey};
use crate::limits::MAX_WEIGHT;
use crate::model::{OverrideOf, PhaseKeyInfo, Probabilities};
use crate::phase_key::PhaseKeyNames;
use crate::table;
use crate::yaml::{Entry, Node};

/// The names that probabilities may refer to.
pub(super) struct NameIndexes<'a, 'n> {
    pub(super) bases: &'a Index<'n, BaseId>,
    pub(super) ops: &'a OpNames<'n>,
    pub(super) keys: &'a IdVec<PhaseKey, PhaseKeyInfo>,
}

/// Reads both sections.
pub(super) fn probabilities(
    conditional: Option<&Node>,
    overrides: Option<&Node>,
    names: &NameIndexes<'_, '_>,
    diagnostics: &mut Diagnostics,
) -> Probabilities {
    let keys = PhaseKeyNames::new(names.keys.iter_ids());
    let mut probabilities = Probabilities::default();
    if let Some(node) = conditional {
        let entries = node.expect_mapping("phase_conditional", diagnostics).unwrap_or_default();
        let op = |name: &str, at, diagnostics: &mut Diagnostics| names.ops.resolve(name, at, diagnostics).flatten();
        probabilities.phase_conditional = table::distributions(entries, &keys, op, diagnostics);
        if !probabilities.phase_conditional.is_empty() {
            table::warn_of_no_default(&probabilities.phase_conditional, node.span, diagnostics);
        }
    }
    for entry in
        overrides.and_then(|node| node.expect_mapping("phase_conditional_overrides", diagnostics)).unwrap_or_default()
    {
        let masses = masses(entry, names, diagnostics);
        if &*entry.key == "global" {
            probabilities.global = masses;
        } else if let Some(key) = keys.resolve(&entry.key, entry.key_span, diagnostics) {
            if probabilities.by_key.iter().any(|(known, _)| *known == key) {
                let message = format!("{} is listed twice, in two spellings", quoted(&names.keys[key].name));
                diagnostics.push(Diagnostic::error("duplicate-key", message).at(entry.key_span, "again here"));
            } else {
                probabilities.by_key.push((key, masses));
            }
        }
    }
    let stated = !probabilities.global.is_empty() || probabilities.by_key.iter().any(|(_, masses)| !masses.is_empty());
    if let (true, false, Some(node)) = (stated, probabilities.phase_conditional.is_empty(), overrides) {
        table::warn_of_unused(node.span, "phase_conditional_overrides", diagnostics);
    }
    probabilities
}

fn masses(entry: &Entry, names: &NameIndexes<'_, '_>, diagnostics: &mut Diagnostics) -> Vec<(OverrideOf, f64)> {
    let mut masses = Vec::new();
    if entry.value.is_null() && !entry.value.is_broken() {
        return masses;
    }
    for item in entry.value.expect_mapping(&entry.key, diagnostics).unwrap_or_default() {
        let mass = item.value.expect_f64(&item.key, 0.0..=MAX_WEIGHT, diagnostics);
        let of = match (names.ops.get(&item.key), names.bases.get(&item.key)) {
            (Some(op), _) => op.map(OverrideOf::Op),
            (None, Some(base)) => Some(OverrideOf::Base(base)),
            (None, None) if names.ops.is_quiet() || names.bases.is_quiet() => None,
            (None, None) => {
                let all = names.bases.names().chain(names.ops.names());
                let near = if diagnostics.is_full() { None } else { nearest(&item.key, all) };
                let message = format!("there is no base and no operation name {}", quoted(&item.key));
                diagnostics.push(Diagnostic::error("unknown-op", message).at(item.key_span, "").suggest(near));
                None
            }
        };
        if let (Some(of), Some(mass)) = (of, mass) {
            masses.push((of, mass));
        }
    }
    masses
}
