//! The value of the uncovered bins that an imagined state of a die lets in.
//!
//! In an imagined state nothing is in flight; the lasting state and the keys on the planes are given. The same masks as at a hook
//! say which classes could start. Along a way only the keys change: all its steps see one lasting state. Whole numbers only.

use nandseq_device::BaseInfo;
use nandseq_profile::PhaseKey;

use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::setup::consequences::{Consequences, Way, becomes_op_state};
use crate::setup::{CHUNK, ClassSet};

/// The most bins that count in one state, of names that leave the state as it is; of names that show on planes (the other planes
/// of the die keep their key); and of names that show on the die, the first of which ends the state.
const LEAVING: u64 = 12;
const ON_PLANES: u64 = 4;
const ON_DIE: u64 = 1;
/// The most bins that count in one phase.
const IN_PHASE: u64 = 20;
/// The most bins that count between two steps of a chain.
const BETWEEN: u64 = 2;
/// The value of one bin.
pub(super) const UNIT: u64 = 1024;

/// Values the uncovered bins that states and phases let in, each at [`UNIT`].
#[derive(Clone, Copy)]
pub(super) struct Uncovered<'a> {
    pub(super) consequences: &'a Consequences,
    pub(super) counts: &'a CoverageCounts,
    pub(super) discounts: &'a Discounts,
}

impl Uncovered<'_> {
    /// The value of the uncovered bins that a plane lets in under a key; `open` says by chunk which classes can start.
    pub(super) fn under(&self, key: PhaseKey, open: impl Fn(usize) -> ClassSet) -> u64 {
        if self.counts.uncovered_under(key) == 0 {
            return 0;
        }
        let (classes, bins) = (self.counts.uncovered_classes(key), self.counts.uncovered_by_class(key));
        // Every class in these sets has at least one uncovered bin, so that a few classes reach a limit.
        let up_to = |most: u64, sum: u64, chunk: usize, classes: ClassSet| {
            let (mut sum, mut places) = (sum, classes.places());
            while sum < most
                && let Some(place) = places.next()
            {
                sum += u64::from(bins[chunk * CHUNK + place]);
            }
            sum.min(most)
        };
        let [mut leaving, mut on_planes, mut on_die] = [0; 3];
        let kinds = self.consequences.leaving.iter().zip(&self.consequences.on_planes);
        for (chunk, ((&leaves, &plane), &classes)) in kinds.zip(classes).enumerate() {
            let bits = open(chunk) & classes;
            leaving = up_to(LEAVING, leaving, chunk, bits & leaves);
            on_planes = up_to(ON_PLANES, on_planes, chunk, bits & plane);
            on_die = up_to(ON_DIE, on_die, chunk, bits & !(leaves | plane));
        }
        self.discounts.fresh(key, (leaving + on_planes + on_die) * UNIT)
    }

    /// What the values of a key depend on, beside the classes that can start.
    pub(super) fn facts_of(&self, key: Option<PhaseKey>) -> (u32, u64) {
        key.map_or((0, 0), |key| (self.discounts.idle(key), self.counts.uncovered_under(key)))
    }

    /// The most that [`Uncovered::under`] can be for a key, whatever classes can start.
    pub(super) fn most_under(&self, key: PhaseKey) -> u64 {
        let most = self.counts.uncovered_under(key).min(LEAVING + ON_PLANES + ON_DIE);
        self.discounts.fresh(key, most * UNIT)
    }

    /// The value of the uncovered bins in the phases of an operation. `last`: no step of a chain follows and cuts its window. The
    /// bins of the window are left out then: they depend on the state.
    pub(super) fn in_phases(&self, info: &BaseInfo, last: bool) -> u64 {
        if !becomes_op_state(info) {
            return 0;
        }
        let bins = |key: Option<PhaseKey>, most: u64| {
            key.map_or(0, |key| self.discounts.fresh(key, UNIT * self.counts.uncovered_under(key).min(most)))
        };
        bins(info.busy_key, IN_PHASE) + if last { 0 } else { bins(info.window_key, BETWEEN) }
    }

    /// The value of the uncovered bins that a way leads to. `in_phases` is that of the bins in the phases of its operations, `under`
    /// that of the bins that a plane lets in under a key.
    pub(super) fn along(in_phases: u64, way: &Way, mut under: impl FnMut(PhaseKey) -> u64) -> u64 {
        let window = way.window.map_or(0, &mut under);
        let Some((&stays, between)) = way.ends.split_last() else { return in_phases + window };
        let between = between.iter().map(|&end| under(end).min(BETWEEN * UNIT)).sum::<u64>();
        in_phases + window + between + under(stays)
    }
}
