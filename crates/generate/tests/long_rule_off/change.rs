//! A change of a profile that switches one rule off.

use nandseq_profile::model::{DeviceState, Effect, OverrideOf, PhaseKind};
use nandseq_profile::{BaseId, CellTypeId, Profile, Ticks};
use nandseq_verify::RuleCode;

/// One rule that the engine does not know.
pub(crate) struct Change {
    /// Which rule.
    pub(crate) rule: RuleCode,
    /// What the engine believes.
    pub(crate) what: &'static str,
    /// Makes the true device.
    pub(crate) truth: fn(&mut Profile),
    /// Makes what the engine believes out of the true device.
    pub(crate) belief: fn(&mut Profile),
}

/// The base of this name.
pub(crate) fn base(profile: &Profile, name: &str) -> BaseId {
    let found = profile.bases.iter_ids().find(|(_, base)| base.name == name);
    found.unwrap_or_else(|| panic!("the device has a base {name}")).0
}

/// The cell type of this name.
pub(crate) fn cell(profile: &Profile, name: &str) -> CellTypeId {
    let found = profile.cell_types.iter_ids().find(|(_, cell)| cell.name == name);
    found.unwrap_or_else(|| panic!("the device has a cell type {name}")).0
}

/// Gives a base other effects.
pub(crate) fn effects(profile: &mut Profile, name: &str, effects: &[Effect]) {
    let base = base(profile, name);
    profile.bases[base].effects = effects.to_vec();
}

/// Changes the effects of a base.
pub(crate) fn without(profile: &mut Profile, name: &str, gone: fn(&Effect) -> bool) {
    let base = base(profile, name);
    let before = profile.bases[base].effects.len();
    profile.bases[base].effects.retain(|effect| !gone(effect));
    assert!(profile.bases[base].effects.len() < before, "{name} has such an effect");
}

/// Empties the tables by state.
pub(crate) fn no_table(profile: &mut Profile, gone: fn(DeviceState) -> bool) {
    profile.exclusions.by_state.retain(|(state, _)| !gone(*state));
}

/// Empties the table by op_state, but for the entries that are no device rules.
pub(crate) fn no_op_state_table(profile: &mut Profile) {
    let keys = &profile.phase_keys;
    profile.exclusions.by_op_state.retain(|(key, _)| keys[*key].phase.is_none());
}

/// Stretches a phase of every operation of some bases to `percent` of its duration.
pub(crate) fn stretch(profile: &mut Profile, phase: PhaseKind, percent: u64, of: impl Fn(&[Effect]) -> bool) {
    let bases = profile.bases.clone();
    for op in profile.ops.iter_mut() {
        let base = &bases[op.base];
        let Some(at) = base.phases.iter().position(|own| own.kind == phase) else { continue };
        if of(&base.effects) {
            op.durations[at] = Ticks(op.durations[at].0 * percent / 100);
        }
    }
}

/// Gives a base another share of what is proposed, under every phase key.
pub(crate) fn share(profile: &mut Profile, name: &str, mass: f64) {
    let base = base(profile, name);
    let ops = &profile.ops;
    let other = |what: &OverrideOf| match *what {
        OverrideOf::Base(known) => known != base,
        OverrideOf::Op(op) => ops[op].base != base,
    };
    for (_, list) in &mut profile.probabilities.by_key {
        list.retain(|(what, _)| other(what));
    }
    let global = &mut profile.probabilities.global;
    global.retain(|(what, _)| other(what));
    global.push((OverrideOf::Base(base), mass));
}
