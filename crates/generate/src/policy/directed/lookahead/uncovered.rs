//! The value of the uncovered bins that an imagined state of a die lets in.
//!
//! In an imagined state nothing is in flight; the lasting state and the keys on the planes are given. The same masks as at a hook
//! say which classes could start. Along a way only the keys change: all its steps see one lasting state. Whole numbers only.

use nandseq_device::{BaseInfo, Tables};
use nandseq_profile::{BaseId, PhaseKey};

use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::setup::consequences::{Consequences, becomes_op_state};
use crate::setup::places;

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
    pub(super) fn under(&self, key: PhaseKey, open: impl Fn(usize) -> u64) -> u64 {
        let [mut leaving, mut on_planes, mut on_die] = [0; 3];
        for (chunk, (&leaves, &plane)) in self.consequences.leaving.iter().zip(&self.consequences.on_planes).enumerate()
        {
            let bits = open(chunk) & self.counts.uncovered_classes(key, chunk);
            for place in places(bits) {
                let bins = u64::from(self.counts.uncovered_of_class(key, chunk, place));
                if leaves >> place & 1 == 1 {
                    leaving += bins;
                } else if plane >> place & 1 == 1 {
                    on_planes += bins;
                } else {
                    on_die += bins;
                }
            }
        }
        let all = leaving.min(LEAVING) + on_planes.min(ON_PLANES) + on_die.min(ON_DIE);
        self.discounts.fresh(key, all * UNIT)
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

    /// The value of the uncovered bins that a way leads to. `phases` has [`Uncovered::in_phases`] by base, where a step follows
    /// and where none does. `under` is the value of the bins that a plane lets in under a key.
    pub(super) fn along(
        &self,
        tables: &Tables,
        phases: &[[u64; 2]],
        way: &[BaseId],
        mut under: impl FnMut(PhaseKey) -> u64,
    ) -> u64 {
        let mut bins = 0;
        let mut stays = true;
        for (at, &base) in way.iter().enumerate().rev() {
            let last = at + 1 == way.len();
            bins += phases[base.index()][usize::from(last)];
            let info = tables.base(base);
            if becomes_op_state(info) {
                bins += info.window_key.filter(|_| last).map_or(0, &mut under);
                let end = under(info.end_key);
                bins += if stays { end } else { end.min(BETWEEN * UNIT) };
                stays = false;
            }
        }
        bins
    }
}
