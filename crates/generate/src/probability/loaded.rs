//! Applies the overrides of a profile to a table that was loaded from a file.
//!
//! The masses that a profile states are in force: they replace the table's masses of the same names. The rest of 1 goes to the
//! table's other names in the proportion that the table gives them. Masses change only if an override changes them by more than
//! rounding, so that a table built with the same overrides stays the same bit for bit. A key that the table leaves empty proposes
//! nothing whatever the overrides say.

use std::collections::HashMap;

use nandseq_profile::{OpId, PhaseKey, Profile};

use super::{Distributions, Fixed, Masses};

/// Relative differences of masses up to this are rounding.
const ROUNDING: f64 = 1e-9;

/// What an override changes in a loaded table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Change {
    /// The phase key.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// Its share of the key as the table states it, 0 to 1.
    pub stated: f64,
    /// Its share in force, 0 to 1.
    pub in_force: f64,
}

/// Applies the overrides of a profile to a loaded table. Returns the changes, by key in the order of the table.
///
/// A key that the table lacks, but for which the profile states overrides, gets the distribution of `DEFAULT`, to which it would
/// fall back, with its own overrides.
pub fn override_loaded(profile: &Profile, table: &mut Distributions) -> Vec<Change> {
    let listed: Vec<PhaseKey> = table.iter().map(|(key, _)| *key).collect();
    let fallback = table.iter().find(|(key, _)| *key == PhaseKey::DEFAULT).map(|(_, entries)| entries.clone());
    let mut changes = Vec::new();
    for (key, entries) in table.iter_mut() {
        override_key(profile, *key, entries, &mut changes);
    }
    let own = profile.probabilities.by_key.iter().filter(|(key, own)| !own.is_empty() && !listed.contains(key));
    for (key, _) in own {
        let Some(mut entries) = fallback.clone() else { break };
        if entries.iter().any(|(_, mass)| *mass > 0.0) {
            override_key(profile, *key, &mut entries, &mut changes);
            table.push((*key, entries));
        }
    }
    changes
}

fn override_key(profile: &Profile, key: PhaseKey, entries: &mut Vec<(OpId, f64)>, changes: &mut Vec<Change>) {
    let total: f64 = entries.iter().map(|(_, mass)| mass).sum();
    let masses = Masses::new(profile, key);
    if total <= 0.0 || masses.is_empty() {
        return;
    }
    let stated: HashMap<OpId, f64> = entries.iter().copied().collect();
    let forbidden = profile.exclusions.in_op_state(key);
    let may = |(id, op): &(OpId, &nandseq_profile::model::Op)| !forbidden.contains(op.base) || stated.contains_key(id);
    let candidates: Vec<OpId> = profile.ops.iter_ids().filter(may).map(|(id, _)| id).collect();
    let Fixed { masses: fixed, rest } = Fixed::new(profile, &masses, &candidates);
    let of = |op: &OpId| stated.get(op).copied().unwrap_or(0.0);
    let free: f64 = candidates.iter().zip(&fixed).filter(|(_, fixed)| fixed.is_none()).map(|(op, _)| of(op)).sum();
    // The mass that stands for 1 in this table: its masses need not sum to 1, and those without an override stay as they are.
    let unit = if rest > 0.0 && free > 0.0 {
        free / rest
    } else {
        usual_ratio(candidates.iter().zip(&fixed).filter_map(|(op, fixed)| Some((of(op), (*fixed)?))))
    };
    let mut new: HashMap<OpId, f64> = HashMap::new();
    for (op, fixed) in candidates.iter().zip(&fixed) {
        let wanted = match fixed {
            Some(mass) => mass * unit,
            None if rest > 0.0 => continue,
            None => 0.0,
        };
        if (wanted - of(op)).abs() > ROUNDING * wanted.max(of(op)) {
            new.insert(*op, wanted);
        }
    }
    if new.is_empty() {
        return;
    }
    let mut in_force: Vec<(OpId, f64)> =
        entries.iter().map(|&(op, mass)| (op, new.get(&op).copied().unwrap_or(mass))).collect();
    in_force
        .extend(candidates.iter().filter(|op| !stated.contains_key(op)).filter_map(|op| Some((*op, *new.get(op)?))));
    let total_in_force: f64 = in_force.iter().map(|(_, mass)| mass).sum();
    let share = |mass: f64, of: f64| if of > 0.0 { mass / of } else { 0.0 };
    changes.extend(candidates.iter().filter_map(|op| {
        let mass = *new.get(op)?;
        let (stated, in_force) = (share(of(op), total), share(mass, total_in_force));
        // A mass may change only because the sum does, so that its share stays.
        let differs = (stated - in_force).abs() > ROUNDING * stated.max(in_force);
        differs.then_some(Change { key, op: *op, stated, in_force })
    }));
    // A mass of 0 stays where the table states it, and goes where an override sets it.
    in_force.retain(|(op, mass)| *mass > 0.0 || !new.contains_key(op));
    *entries = in_force;
}

/// The median of stated mass by wanted mass; 1 where there is none.
fn usual_ratio(masses: impl Iterator<Item = (f64, f64)>) -> f64 {
    let ratios = masses.filter(|(stated, wanted)| *stated > 0.0 && *wanted > 0.0);
    let mut ratios: Vec<f64> = ratios.map(|(stated, wanted)| stated / wanted).collect();
    ratios.sort_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(1.0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use nandseq_profile::model::OverrideOf;
    use nandseq_profile::table::{self, ProbabilityTable};
    use nandseq_profile::{SourceFile, builtin};

    use super::*;
    use crate::probability::build;

    fn op(profile: &Profile, name: &str) -> OpId {
        profile.ops.iter_ids().find(|(_, op)| op.name == name).unwrap().0
    }

    fn of(table: &Distributions, key: PhaseKey) -> &[(OpId, f64)] {
        &table.iter().find(|(of, _)| *of == key).unwrap().1
    }

    fn share(entries: &[(OpId, f64)], op: OpId) -> f64 {
        let total: f64 = entries.iter().map(|(_, mass)| mass).sum();
        entries.iter().filter(|(of, _)| *of == op).map(|(_, mass)| mass / total).sum()
    }

    /// The built-in device with a mass for one base in the place of all that was stated for it and its names.
    fn with_override(name: &str, mass: f64) -> Profile {
        let mut profile = builtin::profile();
        let base = profile.ops[op(&profile, name)].base;
        let ops = profile.ops.clone();
        let other = |(of, _): &(OverrideOf, f64)| match of {
            OverrideOf::Base(of) => *of != base,
            OverrideOf::Op(of) => ops[*of].base != base,
        };
        profile.probabilities.global.retain(other);
        profile.probabilities.by_key.iter_mut().for_each(|(_, list)| list.retain(other));
        profile.probabilities.global.push((OverrideOf::Base(base), mass));
        profile
    }

    #[test]
    fn a_built_table_that_is_written_and_loaded_again_stays_the_same_bit_for_bit() {
        for profile in [builtin::profile(), with_override("Super_Reset", 0.3)] {
            for seed in 0..4 {
                let built = build(&profile, seed);
                let text = table::write(&ProbabilityTable { entries: built.clone() }, &profile);
                let mut loaded = table::read(&SourceFile::new("table.yaml", text), &profile).0.unwrap().entries;
                assert_eq!(override_loaded(&profile, &mut loaded), []);
                assert_eq!(loaded, built);
            }
        }
    }

    #[test]
    fn a_mass_of_0_takes_a_name_out_of_a_table_that_was_built_with_it() {
        let plain = builtin::profile();
        let reset = op(&plain, "Super_Reset");
        let without = with_override("Super_Reset", 0.0);
        let built = build(&plain, 7);
        let mut loaded = built.clone();
        let changes = override_loaded(&without, &mut loaded);
        assert!(share(of(&built, PhaseKey::DEFAULT), reset) > 0.0);
        assert!(loaded.iter().all(|(_, entries)| share(entries, reset) == 0.0));
        let gone = |change: &Change| {
            without.ops[change.op].base == without.ops[reset].base && change.in_force == 0.0 && change.stated > 0.0
        };
        assert!(!changes.is_empty() && changes.iter().all(gone), "{changes:?}");
        // What is in force is what the profile builds.
        for (key, entries) in build(&without, 7) {
            let after = of(&loaded, key);
            assert_eq!(entries.len(), after.len());
            for (op, _) in &entries {
                assert!((share(&entries, *op) - share(after, *op)).abs() < 1e-12, "{key:?}");
            }
        }
    }

    #[test]
    fn an_override_is_the_final_share_whatever_the_table_sums_to_and_whether_it_lists_the_name() {
        let mut profile = builtin::profile();
        profile.probabilities.global.clear();
        profile.probabilities.by_key.clear();
        let names: Vec<OpId> =
            profile.ops.iter_ids().filter(|(_, op)| op.base == profile.ops[OpId(0)].base).map(|(id, _)| id).collect();
        let other = profile.ops.iter_ids().find(|(_, op)| op.base != profile.ops[OpId(0)].base).unwrap().0;
        let is_third =
            |op: &nandseq_profile::model::Op| ![names[0], other].iter().any(|of| profile.ops[*of].base == op.base);
        let third = profile.ops.iter_ids().find(|(_, op)| is_third(op)).unwrap().0;
        profile.probabilities.global.push((OverrideOf::Base(profile.ops[OpId(0)].base), 0.5));
        let mut table = vec![(PhaseKey::DEFAULT, vec![(other, 30.0), (third, 10.0)])];
        let changes = override_loaded(&profile, &mut table);
        let entries = of(&table, PhaseKey::DEFAULT);
        for &name in &names {
            assert!((share(entries, name) - 0.5 / names.len() as f64).abs() < 1e-12);
        }
        assert_eq!(entries[..2], [(other, 30.0), (third, 10.0)]);
        assert_eq!(changes.len(), names.len());
        assert!((share(entries, other) - 0.375).abs() < 1e-12);
        // Once in force it changes nothing more.
        let again = table.clone();
        assert_eq!(override_loaded(&profile, &mut table), []);
        assert_eq!(table, again);
    }

    #[test]
    fn overrides_of_1_and_more_take_all_and_an_empty_key_stays_empty() {
        let mut profile = builtin::profile();
        profile.probabilities.by_key.clear();
        profile.probabilities.global = vec![(OverrideOf::Op(OpId(0)), 3.0), (OverrideOf::Op(OpId(1)), 1.0)];
        let empty = PhaseKey(1);
        let mut table = vec![(PhaseKey::DEFAULT, vec![(OpId(2), 1.0), (OpId(1), 1.0)]), (empty, Vec::new())];
        let changes = override_loaded(&profile, &mut table);
        let entries = of(&table, PhaseKey::DEFAULT);
        assert_eq!([0, 1, 2].map(|op| share(entries, OpId(op))), [0.75, 0.25, 0.0]);
        assert!(of(&table, empty).is_empty());
        // The first comes in, the last goes; the second has the mass that it had.
        assert_eq!(changes.iter().map(|change| change.op).collect::<Vec<_>>(), [OpId(0), OpId(2)]);
    }

    #[test]
    fn a_key_with_overrides_that_the_table_lacks_is_default_with_them() {
        let mut profile = builtin::profile();
        profile.probabilities.global.clear();
        let key = PhaseKey(1);
        profile.probabilities.by_key = vec![(key, vec![(OverrideOf::Op(OpId(0)), 0.0)])];
        let mut table = vec![(PhaseKey::DEFAULT, vec![(OpId(0), 1.0), (OpId(1), 3.0)])];
        override_loaded(&profile, &mut table);
        assert_eq!(of(&table, PhaseKey::DEFAULT), [(OpId(0), 1.0), (OpId(1), 3.0)]);
        assert_eq!(of(&table, key), [(OpId(1), 3.0)]);
        // Where `DEFAULT` proposes nothing, so does what falls back to it.
        let mut empty = vec![(PhaseKey::DEFAULT, Vec::new())];
        assert_eq!(override_loaded(&profile, &mut empty), []);
        assert_eq!(empty, [(PhaseKey::DEFAULT, Vec::new())]);
    }
}
