//! What to change so that an operation that never appears does: changes after which it can start, none of which can be left out.
//!
//! Two sets of weights are tried, and the smaller one is advised: few weights that meet all needs, and what is left of all weights together
//! when as many as possible are taken away. What is left is checked by the search that decides whether an operation can start. Other changes
//! may be fewer, and a device may run into a trap before the operation starts. Changes of bases, chains, sizes and bad blocks are left out.
//! All searches share a budget of operations. When it is spent, what was found until then counts.

use std::borrow::Cow;
use std::cell::Cell;

use nandseq_generate::probability::Distributions;
use nandseq_profile::model::{DeviceState, ExclusionGroup};
use nandseq_profile::{BaseId, BaseSet, GroupId, OpId, PhaseKey, Profile};
use nandseq_reach::{MOST_TRIED, Verdict, can_start_counted, few_weights, never_provided};

use crate::in_force::InForce;

/// The most operations that each search carries out while exclusions are tried, of which there are many.
const QUICK: u64 = 20_000;
/// The most operations that all searches carry out together, which takes some seconds.
const BUDGET: u64 = 50_000_000;
/// A look at needs takes as long as a search that carries out this many operations.
const LOOK: u64 = 10_000;

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
    /// How many operations searches may still carry out.
    left: Cell<u64>,
}

impl<'p> Remedies<'p> {
    /// `None` where the weights of a plan, or a preset, are in force: they are stated elsewhere.
    pub(super) fn new(in_force: &'p InForce) -> Option<Self> {
        let has_tables = in_force.plan.as_ref().is_some_and(|plan| plan.table(0).is_some());
        (!has_tables && !in_force.table.has_preset()).then_some(Self { in_force, left: Cell::new(BUDGET) })
    }

    /// Whether the budget of all searches is spent, so that changes may be more than it takes, or none were found.
    pub(super) fn is_cut(&self) -> bool {
        self.left.get() == 0
    }

    /// Changes after which an operation can start, none of which can be left out; `None` if no such changes let it start. Of names that would do
    /// as well, those of `preferred` count.
    pub(super) fn of(&self, op: OpId, preferred: &[OpId]) -> Option<Vec<ProfileChange>> {
        let few = self.few(op, preferred);
        let mut found = match few {
            // Without any change it does not start, and one change hardly is enough where two were found.
            Some(few) if few.len() <= 2 => few,
            few => {
                let other = self.left_of_all(op, preferred);
                let sets = [other, few].into_iter().flatten();
                sets.min_by_key(Vec::len)?
            }
        };
        found.sort_by_key(|change| match change {
            ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => (0, 0),
            ProfileChange::Weight(_, op) => (1, op.index()),
        });
        Some(found)
    }

    /// Few weights that meet all needs, if they are enough.
    fn few(&self, op: OpId, preferred: &[OpId]) -> Option<Vec<ProfileChange>> {
        let InForce { profile, table, .. } = self.in_force;
        let few = few_weights(profile, &table.distributions, self.in_force.start_of_plan(), (op, preferred))?;
        let few = few.into_iter().map(|(key, op)| ProfileChange::Weight(key, op)).collect::<Vec<_>>();
        let enough = |changes: &[ProfileChange]| self.starts_with(changes, op);
        (!few.is_empty() && enough(&few)).then(|| smallest(few, enough))
    }

    /// What is left of all changes together when as many as possible are taken away.
    fn left_of_all(&self, op: OpId, preferred: &[OpId]) -> Option<Vec<ProfileChange>> {
        let weights = self.weights(op, preferred);
        if self.starts_with(&weights, op) {
            return Some(self.smallest_of_weights(&weights, op));
        }
        let all = [self.spared(), weights].concat();
        // On a device with many states each of many searches would take long.
        let is_quick = |changes: &[ProfileChange]| {
            let (profile, table) = self.changed(changes);
            let found = self.verdict((&profile, &table), op, QUICK);
            matches!(found, Some(Verdict::Reachable | Verdict::Coincidence))
        };
        is_quick(&all).then(|| smallest(all, |changes| self.fulfil_needs(changes, op) && is_quick(changes)))
    }

    /// Whether nothing that an operation needs is missing after some changes.
    pub(super) fn fulfil_needs(&self, changes: &[ProfileChange], op: OpId) -> bool {
        let (profile, table) = self.changed(changes);
        self.spend(LOOK) && never_provided(&profile, &table, self.in_force.start_of_plan())[op.index()].is_none()
    }

    /// Whether an operation can start after some changes; so does one of which a search does not decide it.
    fn starts_with(&self, changes: &[ProfileChange], op: OpId) -> bool {
        let starts = || {
            let (profile, table) = self.changed(changes);
            let found = self.verdict((&profile, &table), op, MOST_TRIED);
            found.is_some_and(|found| !matches!(found, Verdict::Unreachable(_)))
        };
        self.fulfil_needs(changes, op) && starts()
    }

    /// The verdict of a search that carries out at most `most` operations; `None` if the budget has not so many left.
    fn verdict(&self, (profile, table): (&Profile, &Distributions), op: OpId, most: u64) -> Option<Verdict> {
        if !self.spend(most) {
            return None;
        }
        let (found, tried) = can_start_counted(profile, table, self.in_force.start_of_plan(), &[op], most);
        self.left.set(self.left.get() + most.saturating_sub(tried));
        found.first().copied()
    }

    /// Takes operations of searches from the budget. Returns whether it had so many; if not, it is spent.
    fn spend(&self, operations: u64) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(operations));
        left >= operations
    }

    /// A part of these weights after which an operation can start, none of which can be left out. Needs alone are quick to look at, and mostly
    /// enough. Operations are taken away with all their weights first, since some have one under each of many phase keys.
    fn smallest_of_weights(&self, weights: &[ProfileChange], op: OpId) -> Vec<ProfileChange> {
        let least = |enough: &dyn Fn(&[ProfileChange]) -> bool| {
            let of_ops = smallest(by_op(weights), |ops| enough(&ops.concat()));
            smallest(of_ops.concat(), enough)
        };
        let by_needs = least(&|changes: &[ProfileChange]| self.fulfil_needs(changes, op));
        if self.starts_with(&by_needs, op) {
            by_needs
        } else {
            least(&|changes: &[ProfileChange]| self.starts_with(changes, op))
        }
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

/// Weights by the operation that gets them, in the order of the first of each.
fn by_op(weights: &[ProfileChange]) -> Vec<Vec<ProfileChange>> {
    let mut of_ops: Vec<Vec<ProfileChange>> = Vec::new();
    let op = |change: &ProfileChange| match *change {
        ProfileChange::Weight(_, op) => Some(op),
        ProfileChange::SpareUnder(..) | ProfileChange::SpareIn(..) => None,
    };
    for change in weights {
        match of_ops.iter_mut().find(|of_op| op(&of_op[0]) == op(change)) {
            Some(of_op) => of_op.push(*change),
            None => of_ops.push(vec![*change]),
        }
    }
    of_ops
}

/// A part of some changes that is enough: none of them can be left out. Those in front are left out first.
fn smallest<T: Clone>(mut changes: Vec<T>, enough: impl Fn(&[T]) -> bool) -> Vec<T> {
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
        assert_eq!(smallest(Vec::<ProfileChange>::new(), |_| true), []);
    }
}
