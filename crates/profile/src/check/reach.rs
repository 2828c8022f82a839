//! A check for operations that are proposed under no phase key and are in no chain.

use super::chains::{bit, chain_can_complete, fitting};
use super::listed::{all_names, op_names};
use crate::diagnostic::{Diagnostic, Diagnostics, quoted};
use crate::ids::{BaseId, OpId, PhaseKey};
use crate::model::{Op, OverrideOf, Profile};

pub(super) fn check(profile: &Profile, diagnostics: &mut Diagnostics) {
    let proposed = proposed(profile);
    let mut reached = proposed.clone();
    for (first, op) in profile.ops.iter_ids().filter(|(id, _)| proposed[id.index()]) {
        mark_chains(profile, first, op, &mut reached);
    }
    for (id, base) in profile.bases.iter_ids() {
        let never = profile.ops.iter_ids().filter(|(op, stanza)| stanza.base == id && !reached[op.index()]);
        let never: Vec<OpId> = never.map(|(op, _)| op).collect();
        if never.is_empty() {
            continue;
        }
        let names = op_names(profile, &never);
        let message = format!("of {}, these are never proposed: {names}", quoted(&base.name));
        let help = if has_living_follow_up(profile, id) {
            "they have no mass under any phase key, and are in no chain with a weight"
        } else {
            "none of the chains that must follow them can complete"
        };
        let diagnostic = Diagnostic::warning("never-proposed", message).help(help);
        diagnostics.push(diagnostic.naming(all_names(profile, &never)));
    }
}

/// Whether an operation of the base may be proposed: the base has no follow-ups, or one with a weight that can complete.
fn has_living_follow_up(profile: &Profile, base: BaseId) -> bool {
    let follow_ups = &profile.bases[base].follow_ups;
    let lives = |chain: Option<usize>| chain.is_none_or(|chain| chain_can_complete(profile, base, chain).is_ok());
    follow_ups.is_empty() || follow_ups.iter().any(|follow_up| follow_up.weight > 0.0 && lives(follow_up.chain))
}

/// For each operation, by id, whether it can be proposed under some phase key.
fn proposed(profile: &Profile) -> Vec<bool> {
    let mut proposed = vec![false; profile.ops.len()];
    let explicit = &profile.probabilities.phase_conditional;
    if explicit.iter().any(|(_, weights)| !weights.is_empty()) {
        for (op, _) in explicit.iter().flat_map(|(_, weights)| weights).filter(|(_, weight)| *weight > 0.0) {
            proposed[op.index()] = true;
        }
    } else {
        let reachable = |key: &PhaseKey| {
            let base = profile.phase_keys[*key].base;
            base.is_none_or(|base| profile.bases[base].affects_state)
        };
        for key in profile.phase_keys.ids().filter(reachable) {
            built_table(profile, key, &mut proposed);
        }
    }
    let alive: Vec<bool> = profile.bases.ids().map(|base| has_living_follow_up(profile, base)).collect();
    for (id, op) in profile.ops.iter_ids() {
        proposed[id.index()] &= alive[op.base.index()];
    }
    proposed
}

/// Marks the operations that a table built for a phase key proposes.
fn built_table(profile: &Profile, key: PhaseKey, proposed: &mut [bool]) {
    let forbidden = profile.exclusions.in_op_state(key);
    let probabilities = &profile.probabilities;
    let by_key = probabilities.by_key.iter().find(|(listed, _)| *listed == key);
    let by_key = by_key.map(|(_, masses)| masses.as_slice()).unwrap_or_default();
    let mass_of = |wanted: OverrideOf| {
        let find = |masses: &[(OverrideOf, f64)]| masses.iter().find(|(of, _)| *of == wanted).map(|(_, mass)| *mass);
        find(by_key).or_else(|| find(&probabilities.global))
    };
    let candidates: Vec<(OpId, &Op)> = profile.ops.iter_ids().filter(|(_, op)| !forbidden.contains(op.base)).collect();
    // The mass of a base counts once, if one of its candidates has no entry of its own.
    let mut stated = 0.0;
    let mut seen = crate::ids::BaseSet::EMPTY;
    for (id, op) in &candidates {
        if let Some(mass) = mass_of(OverrideOf::Op(*id)) {
            stated += mass;
        } else if !seen.contains(op.base) {
            seen.insert(op.base);
            stated += mass_of(OverrideOf::Base(op.base)).unwrap_or(0.0);
        }
    }
    for (id, op) in candidates {
        let mass = mass_of(OverrideOf::Op(id)).or_else(|| mass_of(OverrideOf::Base(op.base)));
        // An operation without a stated mass gets a share of the rest up to 1.
        proposed[id.index()] |= mass.map_or(stated < 1.0, |mass| mass > 0.0);
    }
}

/// Marks the operations that the chains after a first operation can have.
fn mark_chains(profile: &Profile, first: OpId, op: &Op, reached: &mut [bool]) {
    for follow_up in profile.bases[op.base].follow_ups.iter().filter(|follow_up| follow_up.weight > 0.0) {
        let Some(index) = follow_up.chain else { continue };
        if chain_can_complete(profile, op.base, index).is_err() {
            continue;
        }
        let chain = &profile.chains[index];
        if super::chains::names_fit(profile, first, chain).is_err() {
            continue;
        }
        let mut cell_types = bit(profile, first);
        for step in &chain.steps {
            let weights = chain.name_weights.iter().find(|(base, _)| *base == step.base).map(|(_, weights)| weights);
            let found = fitting(profile, first, cell_types, step);
            for &name in &found {
                let weighted =
                    weights.is_none_or(|weights| weights.iter().any(|(op, weight)| *op == name && *weight > 0.0));
                reached[name.index()] |= weighted;
            }
            cell_types |= found.iter().fold(0, |set, op| set | bit(profile, *op));
        }
    }
}
