//! Reading `probabilities` of a phase: masses as in a profile.

use nandseq_profile::diagnostic::{counted, quoted};
use nandseq_profile::limits::MAX_WEIGHT;
use nandseq_profile::model::{Effect, OverrideOf};
use nandseq_profile::yaml::{Entry, Fields, Node};
use nandseq_profile::{Diagnostic, Diagnostics, OpId, PhaseKey, Profile, Span};

use super::names::{PlanNames, report_unknown};

/// The masses of bases and operations.
pub(super) type StatedMasses = Vec<(OverrideOf, f64)>;

/// Reads the masses under every phase key, and those under one phase key.
pub(super) fn read(
    node: &Node,
    names: &PlanNames<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<(StatedMasses, Vec<(PhaseKey, StatedMasses)>)> {
    let mut fields = Fields::new(node, "probabilities", diagnostics)?;
    let global = fields.take("global").and_then(|node| node.expect_mapping("global", diagnostics)).unwrap_or_default();
    let global = read_masses(global, names, diagnostics);
    let entries = fields.take("by_key").and_then(|node| node.expect_mapping("by_key", diagnostics)).unwrap_or_default();
    fields.finish(diagnostics);
    let known = named_keys(names);
    let mut by_key: Vec<(PhaseKey, StatedMasses)> = Vec::new();
    for entry in entries {
        let masses = entry.value.expect_mapping(&entry.key, diagnostics).unwrap_or_default();
        let masses = read_masses(masses, names, diagnostics);
        let Some(named) = known.iter().find(|named| named.name == *entry.key) else {
            let known = known.iter().map(|named| named.name.as_str());
            report_unknown("phase key", &entry.key, entry.key_span, known, diagnostics);
            continue;
        };
        for &key in &named.keys {
            match by_key.iter_mut().find(|(known, _)| *known == key) {
                // An entry of a base has precedence over an entry of its class; of two classes the first counts.
                Some(earlier) if !named.of_class => earlier.1.clone_from(&masses),
                Some(_) => {}
                None => by_key.push((key, masses.clone())),
            }
        }
    }
    Some((global, by_key))
}

/// A sum of masses from which on nothing is left for others: 1, but for rounding.
const ALL: f64 = 1.0 - 1e-9;

/// Warns of masses of a phase that leave nothing under some phase keys for operations that may start there. `at` is where they are stated.
pub(super) fn warn_of_all(
    (global, by_key): (&StatedMasses, &[(PhaseKey, StatedMasses)]),
    (phase, at): (&str, Span),
    profile: &Profile,
    diagnostics: &mut Diagnostics,
) {
    let (mut keys, mut most, mut left_out) = (Vec::new(), 0.0f64, Vec::new());
    for (key, info) in profile.phase_keys.iter_ids() {
        let own = by_key.iter().find(|(of, _)| *of == key).map_or(&[][..], |(_, own)| own);
        let (sum, others) = under_key(global, own, key, profile);
        if sum >= ALL && !others.is_empty() {
            keys.push(quoted(&info.name));
            most = most.max(sum);
            left_out.extend(others);
        }
    }
    let Some(first) = keys.first() else { return };
    left_out.sort_unstable();
    left_out.dedup();
    let delay = left_out.iter().find(|&&op| profile.bases[profile.ops[op].base].has(Effect::Delay));
    let delay = delay.map_or_else(String::new, |&op| format!(", {} among them", quoted(&profile.ops[op].name)));
    let more = if keys.len() > 1 {
        format!(" and {}", counted(keys.len() as u64 - 1, "more phase key"))
    } else {
        String::new()
    };
    let sum = format!("{most:.4}");
    let sum = sum.trim_end_matches('0').trim_end_matches('.');
    let message = format!(
        "the masses of the phase {} sum to {sum} under {first}{more}: nothing is left there for {}{delay}",
        quoted(phase),
        counted(left_out.len() as u64, "other operation")
    );
    let help = "masses are shares of 1: lower them if the others are to start there too";
    diagnostics.push(Diagnostic::warning("masses-take-all", message).at(at, "").help(help));
}

/// The sum of the masses under a phase key of operations that may start there, and the other operations that may. `own` are the masses under
/// this key, which replace the global ones of the same names.
fn under_key(
    global: &[(OverrideOf, f64)],
    own: &[(OverrideOf, f64)],
    key: PhaseKey,
    profile: &Profile,
) -> (f64, Vec<OpId>) {
    let mass = |of: OverrideOf| {
        let stated = own.iter().rev().chain(global).find(|(stated, _)| *stated == of);
        stated.map(|&(_, mass)| mass)
    };
    let forbidden = profile.exclusions.in_op_state(key);
    let (mut sum, mut others, mut bases) = (0.0, Vec::new(), Vec::new());
    for (op, info) in profile.ops.iter_ids().filter(|(_, info)| !forbidden.contains(info.base)) {
        match (mass(OverrideOf::Op(op)), mass(OverrideOf::Base(info.base))) {
            (Some(mass), _) => sum += mass,
            // The names of a base share its mass.
            (None, Some(mass)) if !bases.contains(&info.base) => {
                bases.push(info.base);
                sum += mass;
            }
            (None, Some(_)) => {}
            (None, None) => others.push(op),
        }
    }
    (sum, others)
}

/// The phase keys of a name: `BASE.PHASE`, or `CLASS.PHASE` for every base of the class that has the phase.
struct NamedKeys {
    name: String,
    of_class: bool,
    keys: Vec<PhaseKey>,
}

fn named_keys(names: &PlanNames<'_>) -> Vec<NamedKeys> {
    let infos = &names.profile.phase_keys;
    let own = |(key, info): (PhaseKey, &nandseq_profile::model::PhaseKeyInfo)| NamedKeys {
        name: info.name.clone(),
        of_class: false,
        keys: vec![key],
    };
    let mut found: Vec<NamedKeys> = infos.iter_ids().map(own).collect();
    for (class, bases) in &names.classes {
        let first = found.len();
        for (key, info) in infos.iter_ids().filter(|(_, info)| info.base.is_some_and(|base| bases.contains(&base))) {
            let name = format!("{class}.{}", info.phase.map_or("END", |phase| phase.name()));
            match found[first..].iter_mut().find(|known| known.name == name) {
                Some(known) => known.keys.push(key),
                None => found.push(NamedKeys { name, of_class: true, keys: vec![key] }),
            }
        }
    }
    found
}

fn read_masses(entries: &[Entry], names: &PlanNames<'_>, diagnostics: &mut Diagnostics) -> StatedMasses {
    let profile = names.profile;
    let mut found = Vec::new();
    for entry in entries {
        let op = profile.ops.iter_ids().find(|(_, op)| op.name == *entry.key).map(|(id, _)| OverrideOf::Op(id));
        let base = || profile.bases.iter_ids().find(|(_, base)| base.name == *entry.key);
        let of = op.or_else(|| base().map(|(id, _)| OverrideOf::Base(id)));
        if of.is_none() {
            let known = profile.bases.iter().map(|base| &*base.name).chain(profile.ops.iter().map(|op| &*op.name));
            report_unknown("base or operation", &entry.key, entry.key_span, known, diagnostics);
        }
        let mass = entry.value.expect_f64(&entry.key, 0.0..=MAX_WEIGHT, diagnostics);
        found.extend(of.zip(mass));
    }
    found
}
