//! What to change so that an operation that never appears does: changes after which it can start, none of which can be left out.
//!
//! It begins with all changes that may help at once, and takes away as many as the operation can do without. What is left is checked by
//! the search that decides whether an operation can start. Other changes may be fewer, and a device may run into a trap before the
//! operation starts. Changes of bases, chains, sizes and bad blocks are left out.

use std::borrow::Cow;

use nandseq_generate::probability::Distributions;
use nandseq_profile::model::{DeviceState, ExclusionGroup};
use nandseq_profile::{BaseId, BaseSet, GroupId, OpId, PhaseKey, Profile};
use nandseq_reach::{MOST_TRIED, Verdict, can_start, never_provided};

use crate::in_force::InForce;

/// The most operations that each search carries out while exclusions are tried, of which there are many.
const QUICK: u64 = 20_000;

/// A change of the profile or the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ProfileChange {
    /// An operation gets a weight under a phase key.
    Weight(PhaseKey, OpId),
    /// The exclusions of a phase key spare a base.
    SpareUnder(PhaseKey, BaseId),
    /// The exclusions of a state spare a base.
    SpareIn(DeviceState, BaseId),
}

/// Finds changes for operations of a profile and table.
pub(super) struct Remedies<'p> {
    in_force: &'p InForce,
}

impl<'p> Remedies<'p> {
    /// `None` where the weights of a plan, or a preset, are in force: they are stated elsewhere.
    pub(super) fn new(in_force: &'p InForce) -> Option<Self> {
        let has_tables = in_force.plan.as_ref().is_some_and(|plan| plan.table(0).is_some());
        (!has_tables && !in_force.table.has_preset()).then_some(Self { in_force })
    }

    /// Changes after which an operation can start, none of which can be left out; `None` if no such changes let it start. Of names that would do
    /// as well, those of `preferred` count.
    pub(super) fn of(&self, op: OpId, preferred: &[OpId]) -> Option<Vec<ProfileChange>> {
        let weights = self.weights(op, preferred);
        let (profile, table) = self.changed(&weights);
        let mut found = if starts(self.in_force, (&profile, &table), op, MOST_TRIED) {
            self.smallest_of_weights(weights, op)
        } else {
            let all = [self.spared(), weights].concat();
            let (profile, table) = self.changed(&all);
            // On a device with many states each of many searches would take long.
            let is_quick = |found: Verdict| matches!(found, Verdict::Reachable | Verdict::Coincidence);
            if !is_quick(verdict(self.in_force, (&profile, &table), op, QUICK)) {
                return None;
            }
            let enough = |changes: &[ProfileChange]| {
                let (profile, table) = self.changed(changes);
                self.fulfil_needs(changes, op) && is_quick(verdict(self.in_force, (&profile, &table), op, QUICK))
            };
            smallest(all, enough)
        };
        found.sort_by_key(|change| match change {
            ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => (0, 0),
            ProfileChange::Weight(_, op) => (1, op.index()),
        });
        Some(found)
    }

    /// Whether nothing that an operation needs is missing after some changes.
    pub(super) fn fulfil_needs(&self, changes: &[ProfileChange], op: OpId) -> bool {
        let (profile, table) = self.changed(changes);
        is_provided(self.in_force, (&profile, &table), op)
    }

    /// A part of these weights after which an operation can start, none of which can be left out. Needs alone are quick to look at, and mostly enough.
    fn smallest_of_weights(&self, weights: Vec<ProfileChange>, op: OpId) -> Vec<ProfileChange> {
        let with = |changes: &[ProfileChange], wanted: &dyn Fn((&Profile, &Distributions)) -> bool| {
            let (profile, table) = self.changed(changes);
            wanted((&profile, &table))
        };
        let provided = |of: (&Profile, &Distributions)| is_provided(self.in_force, of, op);
        let searched = |of: (&Profile, &Distributions)| starts(self.in_force, of, op, MOST_TRIED);
        let by_needs = smallest(weights.clone(), |changes| with(changes, &provided));
        if with(&by_needs, &searched) {
            return by_needs;
        }
        smallest(weights, |changes| with(changes, &provided) && with(changes, &searched))
    }

    /// All weights that a table could have and lacks, those of `preferred` and of the operation itself last.
    fn weights(&self, op: OpId, preferred: &[OpId]) -> Vec<ProfileChange> {
        let InForce { profile, table, .. } = self.in_force;
        let ends = profile.policies.refill_uses_end_key;
        let is_default = |key: PhaseKey| key == PhaseKey::DEFAULT;
        let excludes_first =
            |op: OpId| profile.exclusions.in_op_state(PhaseKey::DEFAULT).contains(profile.ops[op].base);
        let mut all = Vec::new();
        for (key, entries) in table.distributions.iter().map(|(key, entries)| (*key, entries)) {
            let info = &profile.phase_keys[key];
            for name in profile.ops.ids() {
                // Under DEFAULT an operation waits for nothing. Other keys count for those that DEFAULT excludes, and where
                // refills use END keys.
                let counts = is_default(key) || excludes_first(name) || ends && info.phase.is_none();
                let has_weight = entries.iter().any(|&(of, mass)| of == name && mass > 0.0);
                if counts && !has_weight {
                    all.push(ProfileChange::Weight(key, name));
                }
            }
        }
        let rank = |change: &ProfileChange| match *change {
            ProfileChange::Weight(key, name) => {
                let place = preferred.iter().position(|known| *known == name).unwrap_or(usize::MAX - 1);
                (is_default(key), name == op, std::cmp::Reverse(place), std::cmp::Reverse(name.index()))
            }
            ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => {
                (false, false, std::cmp::Reverse(usize::MAX), std::cmp::Reverse(0))
            }
        };
        all.sort_by_key(rank);
        all
    }

    /// All entries of exclusions.
    fn spared(&self) -> Vec<ProfileChange> {
        let exclusions = &self.in_force.profile.exclusions;
        let bases = || self.in_force.profile.bases.ids();
        let of_keys = exclusions.by_op_state.iter().flat_map(|&(key, _)| {
            bases()
                .filter(move |base| exclusions.in_op_state(key).contains(*base))
                .map(move |base| ProfileChange::SpareUnder(key, base))
        });
        let of_states = exclusions.by_state.iter().flat_map(|&(state, _)| {
            bases()
                .filter(move |base| exclusions.in_state(state).contains(*base))
                .map(move |base| ProfileChange::SpareIn(state, base))
        });
        of_states.chain(of_keys).collect()
    }

    /// The profile and the table after some changes.
    fn changed(&self, changes: &[ProfileChange]) -> (Cow<'p, Profile>, Distributions) {
        let InForce { profile, table, .. } = self.in_force;
        let mut profile = Cow::Borrowed(profile);
        let spare = |profile: &mut Cow<'p, Profile>, forbidden: BaseSet, base: BaseId| -> Vec<GroupId> {
            let exclusions = &mut profile.to_mut().exclusions;
            let group = exclusions.groups.len().into();
            let forbids =
                self.in_force.profile.bases.ids().filter(|&other| other != base && forbidden.contains(other)).collect();
            exclusions.groups.push(ExclusionGroup { name: String::new(), forbids });
            vec![group]
        };
        for change in changes {
            match *change {
                ProfileChange::SpareUnder(key, base) => {
                    let forbidden = profile.exclusions.in_op_state(key);
                    let groups = spare(&mut profile, forbidden, base);
                    profile.to_mut().exclusions.by_op_state.retain(|(known, _)| *known != key);
                    profile.to_mut().exclusions.by_op_state.push((key, groups));
                }
                ProfileChange::SpareIn(state, base) => {
                    let forbidden = profile.exclusions.in_state(state);
                    let groups = spare(&mut profile, forbidden, base);
                    profile.to_mut().exclusions.by_state.retain(|(known, _)| *known != state);
                    profile.to_mut().exclusions.by_state.push((state, groups));
                }
                ProfileChange::Weight(..) => {}
            }
        }
        let mut distributions = table.distributions.clone();
        for (key, entries) in &mut distributions {
            let excluded = profile.exclusions.in_op_state(*key);
            for change in changes {
                match *change {
                    ProfileChange::Weight(of, op) if of == *key && !excluded.contains(profile.ops[op].base) => {
                        entries.push((op, 1.0));
                    }
                    ProfileChange::Weight(..) | ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => {}
                }
            }
        }
        (profile, distributions)
    }
}

/// Whether nothing that an operation needs is missing, weights and all.
fn is_provided(in_force: &InForce, (profile, table): (&Profile, &Distributions), op: OpId) -> bool {
    never_provided(profile, table, in_force.start())[op.index()].is_none()
}

/// Whether an operation can start; so does one of which a search does not decide it.
fn starts(in_force: &InForce, of: (&Profile, &Distributions), op: OpId, most: u64) -> bool {
    is_provided(in_force, of, op) && !matches!(verdict(in_force, of, op, most), Verdict::Unreachable(_))
}

fn verdict(in_force: &InForce, (profile, table): (&Profile, &Distributions), op: OpId, most: u64) -> Verdict {
    let found = can_start(profile, table, in_force.start(), &[op], most);
    found.first().copied().unwrap_or(Verdict::Undecided)
}

/// A part of some changes that is enough: none of them can be left out. Those in front are left out first.
fn smallest(mut changes: Vec<ProfileChange>, enough: impl Fn(&[ProfileChange]) -> bool) -> Vec<ProfileChange> {
    let mut part = changes.len().div_ceil(2);
    while part > 0 {
        let mut at = 0;
        while at < changes.len() {
            let mut rest = changes.clone();
            rest.drain(at..(at + part).min(changes.len()));
            if enough(&rest) {
                changes = rest;
            } else {
                at += part;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_part_has_nothing_to_spare_and_prefers_what_comes_last() {
        let all: Vec<ProfileChange> = (0..40).map(|op| ProfileChange::Weight(PhaseKey::DEFAULT, OpId(op))).collect();
        let has = |changes: &[ProfileChange], op| changes.contains(&ProfileChange::Weight(PhaseKey::DEFAULT, OpId(op)));
        let enough =
            |changes: &[ProfileChange]| has(changes, 3) && has(changes, 17) && (has(changes, 20) || has(changes, 30));
        let found = smallest(all, enough);
        assert_eq!(found, [3, 17, 30].map(|op| ProfileChange::Weight(PhaseKey::DEFAULT, OpId(op))));
        assert_eq!(smallest(Vec::new(), |_| true), []);
    }
}
