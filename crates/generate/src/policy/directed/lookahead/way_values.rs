//! The value of the bins in the phases of operations and ways, kept until the coverage or the discounts of their keys change.

use nandseq_device::{BaseInfo, Tables};
use nandseq_profile::BaseId;

use super::uncovered::Uncovered;
use crate::setup::consequences::Way;

/// The value of a way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct WayValue {
    /// The value of the bins in the phases of its operations.
    pub(super) in_phases: u64,
    /// The most that it can lead to, whatever classes can start along it.
    pub(super) most: u64,
}

/// The values of all bases and their ways.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(super) struct WayValues {
    /// By base: what the values depend on, by the keys of CORE_BUSY, the window and END.
    facts: Vec<Option<[(u32, u64); 3]>>,
    /// By base: the value of the bins of its phases, where a step of a chain follows and where none does.
    phases: Vec<[u64; 2]>,
    /// By base and way.
    of_ways: Vec<Vec<WayValue>>,
    /// By base: the most that a way can lead to, and the operations of this way, for the way with the most for each operation.
    most: Vec<(u64, u64)>,
    /// The bases of which a way has changed.
    changed: Vec<BaseId>,
}

impl WayValues {
    /// Brings the values up to date.
    pub(super) fn refresh(&mut self, uncovered: &Uncovered<'_>, tables: &Tables) {
        let bases = tables.bases().count();
        self.facts.resize(bases, None);
        self.phases.resize(bases, [0; 2]);
        self.of_ways.resize(bases, Vec::new());
        self.most.resize(bases, (0, 1));
        for (base, info) in tables.bases() {
            let facts = Some(facts_of(uncovered, info));
            let known = &mut self.facts[base.index()];
            if *known != facts {
                *known = facts;
                self.phases[base.index()] = [false, true].map(|last| uncovered.in_phases(info, last));
                self.changed.extend_from_slice(&uncovered.consequences.part_of[base.index()]);
            }
        }
        self.changed.sort_unstable();
        self.changed.dedup();
        for &base in &self.changed {
            let ways = uncovered.consequences.ways(base);
            let values = &mut self.of_ways[base.index()];
            values.clear();
            values.extend(ways.iter().map(|way| {
                let in_phases = in_phases(&self.phases, way);
                WayValue { in_phases, most: Uncovered::along(in_phases, way, |key| uncovered.most_under(key)) }
            }));
            let most = ways.iter().zip(&*values).map(|(way, value)| (value.most, way.bases.len() as u64));
            self.most[base.index()] =
                most.fold((0, 1), |best, way| if way.0 * best.1 > best.0 * way.1 { way } else { best });
        }
        self.changed.clear();
    }

    /// The value of the bins in the phases of an operation. `last`: no step of a chain follows.
    pub(super) fn in_phases(&self, base: BaseId, last: bool) -> u64 {
        self.phases[base.index()][usize::from(last)]
    }

    /// The values of the ways of a base.
    pub(super) fn of(&self, base: BaseId) -> &[WayValue] {
        &self.of_ways[base.index()]
    }

    /// The most that a way of a base can lead to for each operation, as a value and a number of operations.
    pub(super) fn most(&self, base: BaseId) -> (u64, u64) {
        self.most[base.index()]
    }
}

fn facts_of(uncovered: &Uncovered<'_>, info: &BaseInfo) -> [(u32, u64); 3] {
    [info.busy_key, info.window_key, Some(info.end_key)].map(|key| uncovered.facts_of(key))
}

/// The value of the bins in the phases of the operations of a way.
fn in_phases(phases: &[[u64; 2]], way: &Way) -> u64 {
    let last = way.bases.len() - 1;
    way.bases.iter().enumerate().map(|(at, base)| phases[base.index()][usize::from(at == last)]).sum()
}

#[cfg(test)]
mod tests {
    use nandseq_profile::input_time::Bin;
    use nandseq_profile::{OpId, PhaseKey, Ticks, builtin};
    use nandseq_trace::Proposal;

    use super::*;
    use crate::policy::coverage_counts::CoverageCounts;
    use crate::policy::directed::discounts::Discounts;
    use crate::probability::{DEFAULT_TABLE_SEED, of_profile};
    use crate::setup::Setup;
    use crate::setup::coverage_model::CoverageModel;

    #[test]
    fn values_that_are_kept_are_those_that_are_computed_anew() {
        let profile = builtin::profile();
        let setup = Setup::new(&profile, &of_profile(&profile, DEFAULT_TABLE_SEED), &[]).expect("something to propose");
        let keys = || profile.phase_keys.ids();
        let bins = keys().flat_map(|key| (0..9).map(move |op| Bin { key, op: OpId(op), time_bin: 0 }));
        let setup = setup.with_coverage_model(&profile, CoverageModel::new(&profile, bins, |_| 1, true));
        let model = setup.coverage_model.as_ref().expect("it was given");
        let (mut counts, mut discounts) = (CoverageCounts::new(model), Discounts::new(model));
        let mut kept = WayValues::default();
        let mut changes = 0;
        // So many hits that the level at which a bin is covered rises.
        for number in 0..profile.phase_keys.len() as u32 * 60 {
            let key = PhaseKey((number * 7 % profile.phase_keys.len() as u32) as u16);
            discounts.visit(key);
            let proposal = Proposal { key_used: key, ..Proposal::default() };
            if counts.count(model, &proposal, OpId((number / 11 % 9) as u16), Ticks::ZERO) {
                discounts.hit(key);
            }
            if number % 13 == 0 {
                let uncovered = Uncovered { consequences: &model.consequences, counts: &counts, discounts: &discounts };
                let before = kept.clone();
                kept.refresh(&uncovered, &setup.tables);
                let mut anew = WayValues::default();
                anew.refresh(&uncovered, &setup.tables);
                assert_eq!(kept, anew, "after {number} hits");
                changes += usize::from(kept != before);
            }
        }
        assert!(changes > 100, "the values changed {changes} times only");
    }
}
