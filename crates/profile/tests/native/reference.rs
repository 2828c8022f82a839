//! Compares the built-in device with the predecessor's file, value by value. The differences are exactly the corrections that
//! `profiles/reference.yaml` lists at its head.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_profile::model::{Base, Chain, DeviceState, Op, PhaseKind};
use nandseq_profile::{BaseSet, Profile, builtin};

use crate::legacy_files::legacy;

/// The differences, one line for each value: "what: legacy -> built-in".
#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare<T: PartialEq>(&mut self, what: &str, old: &T, new: &T, show: impl Fn(&T) -> String) {
        if old != new {
            self.0.push(format!("{what}: {} -> {}", show(old), show(new)));
        }
    }
}

fn base_names(profile: &Profile, bases: BaseSet) -> BTreeSet<String> {
    bases.iter().map(|base| profile.bases[base].name.clone()).collect()
}

/// Compares two sets, and adds the names that only one of them has.
fn compare_sets(found: &mut Differences, what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
    let list = |names: Vec<&String>| -> String {
        if names.len() > 12 {
            return format!("{} bases", names.len());
        }
        names.into_iter().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let gone = list(old.difference(new).collect());
    let come = list(new.difference(old).collect());
    if !gone.is_empty() || !come.is_empty() {
        found.0.push(format!("{what}: -[{gone}] +[{come}]"));
    }
}

fn by_name<T>(items: impl Iterator<Item = T>, name: impl Fn(&T) -> String) -> BTreeMap<String, T> {
    items.map(|item| (name(&item), item)).collect()
}

fn compare_bases(found: &mut Differences, old: &Profile, new: &Profile) {
    let old_bases = by_name(old.bases.iter(), |base: &&Base| base.name.clone());
    let new_bases = by_name(new.bases.iter(), |base: &&Base| base.name.clone());
    assert_eq!(old_bases.keys().collect::<Vec<_>>(), new_bases.keys().collect::<Vec<_>>());
    for (name, a) in old_bases {
        let b = new_bases[&name];
        found.compare(&format!("{name} scope"), &a.scope, &b.scope, |scope| format!("{scope:?}"));
        let flags = |base: &Base| (base.affects_state, base.instant);
        found.compare(&format!("{name} flags"), &flags(a), &flags(b), |flags| format!("{flags:?}"));
        let phases = |base: &Base| base.phases.iter().map(|phase| (phase.kind, phase.bus)).collect::<Vec<_>>();
        let show =
            |phases: &Vec<(PhaseKind, bool)>| phases.iter().map(|(kind, _)| kind.name()).collect::<Vec<_>>().join(" ");
        found.compare(&format!("{name} phases"), &phases(a), &phases(b), show);
        found.compare(&format!("{name} address"), &a.address, &b.address, |address| format!("{address:?}"));
        found.compare(&format!("{name} effects"), &a.effects, &b.effects, |effects| format!("{effects:?}"));
        found.compare(&format!("{name} payload"), &a.payload, &b.payload, |payload| format!("{payload:?}"));
        compare_sets(found, &format!("{name} follow-ups"), &follow_ups(old, a), &follow_ups(new, b));
    }
}

/// The names of the chains that may follow a base. Weights are not compared, because the built-in device has its own.
fn follow_ups(profile: &Profile, base: &Base) -> BTreeSet<String> {
    let chain = |chain: usize| profile.chains[chain].name.clone();
    base.follow_ups.iter().map(|follow_up| follow_up.chain.map_or("NONE".to_owned(), chain)).collect()
}

fn compare_ops(found: &mut Differences, old: &Profile, new: &Profile) {
    let old_ops = by_name(old.ops.iter(), |op: &&Op| op.name.clone());
    let new_ops = by_name(new.ops.iter(), |op: &&Op| op.name.clone());
    assert_eq!(old_ops.keys().collect::<Vec<_>>(), new_ops.keys().collect::<Vec<_>>());
    for (name, a) in old_ops {
        let b = new_ops[&name];
        let base = |profile: &Profile, op: &Op| profile.bases[op.base].name.clone();
        found.compare(&format!("{name} base"), &base(old, a), &base(new, b), String::clone);
        found.compare(&format!("{name} multi"), &a.multi, &b.multi, bool::to_string);
        let cell_type = |profile: &Profile, op: &Op| profile.cell_types[op.cell_type].name.clone();
        found.compare(&format!("{name} cell type"), &cell_type(old, a), &cell_type(new, b), String::clone);
        found.compare(&format!("{name} status"), &a.status_of, &b.status_of, |of| format!("{of:?}"));
        let duration = |profile: &Profile, op: &Op, kind| {
            let at = profile.bases[op.base].phases.iter().position(|phase| phase.kind == kind);
            at.map(|at| op.durations[at].to_us_text()).unwrap_or_default()
        };
        for kind in PhaseKind::ALL {
            let what = format!("{name} {}", kind.name());
            found.compare(&what, &duration(old, a, kind), &duration(new, b, kind), String::clone);
        }
    }
}

fn compare_exclusions(found: &mut Differences, old: &Profile, new: &Profile) {
    let keys = new.phase_keys.iter_ids().map(|(key, info)| (info.name.clone(), key));
    for (name, key) in keys {
        let old_key = old.phase_keys.iter_ids().find(|(_, info)| info.name == name).map(|(key, _)| key);
        let old_set = old_key.map(|key| base_names(old, old.exclusions.in_op_state(key))).unwrap_or_default();
        compare_sets(found, &name, &old_set, &base_names(new, new.exclusions.in_op_state(key)));
    }
    for state in DeviceState::ALL {
        let old_set = base_names(old, old.exclusions.in_state(state));
        compare_sets(found, state.name(), &old_set, &base_names(new, new.exclusions.in_state(state)));
    }
}

fn compare_chains(found: &mut Differences, old: &Profile, new: &Profile) {
    let named = |chain: &&Chain| chain.name.ends_with(".SEQ");
    let new_chains = by_name(new.chains.iter().filter(named), |chain: &&Chain| chain.name.clone());
    let steps = |profile: &Profile, chain: &Chain| -> Vec<String> {
        let one = |step: &nandseq_profile::model::ChainStep| {
            let flags = (step.same_cell_type, step.multi, step.same_plane);
            format!("{} {:?} {flags:?}", profile.bases[step.base].name, step.address)
        };
        chain.steps.iter().map(one).collect()
    };
    for chain in old.chains.iter().filter(named) {
        let other = new_chains[&chain.name];
        for (at, (a, b)) in steps(old, chain).iter().zip(&steps(new, other)).enumerate() {
            found.compare(&format!("{} step {}", chain.name, at + 1), a, b, String::clone);
        }
        assert_eq!(chain.steps.len(), other.steps.len());
    }
}

#[test]
fn the_built_in_device_is_the_predecessors_but_for_the_corrections_it_lists() {
    let Some(old) = legacy("config-2025-09.yaml") else { return };
    let new = builtin::profile();
    // The admission window and the period of refills belong to the mix of operations, which is our own.
    let (admission_window, queue_refill_period) = (old.policies.admission_window, old.policies.queue_refill_period);
    let policies = nandseq_profile::model::Policies { admission_window, queue_refill_period, ..new.policies.clone() };
    assert_eq!(policies, old.policies);
    assert_eq!(new.offset_guard, old.offset_guard);
    assert_eq!(new.export, old.export);
    assert_eq!(new.cell_types, old.cell_types);
    // The predecessor's volumes are limited to its four blocks; its file states 100.
    assert_eq!(new.bootstrap.cell_type_weights, old.bootstrap.cell_type_weights);
    assert_eq!(
        (new.bootstrap.enabled, new.bootstrap.read_coverage),
        (old.bootstrap.enabled, old.bootstrap.read_coverage)
    );
    assert_eq!(base_names(&new, new.interleaved), base_names(&old, old.interleaved));
    let mut found = Differences::default();
    compare_bases(&mut found, &old, &new);
    compare_ops(&mut found, &old, &new);
    compare_exclusions(&mut found, &old, &new);
    compare_chains(&mut found, &old, &new);
    insta::assert_snapshot!(found.0.join("\n"));
}
