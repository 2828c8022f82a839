//! What a state of a die lets in that is uncovered, and how many operations that takes.
//!
//! A state is imagined: nothing in flight, this lasting state, these keys on the planes. Which names could start there is asked of
//! the same masks as at a hook; two operations ahead nothing of the state changes but the keys. Whole numbers only.

use nandseq_device::{BaseInfo, Tables};
use nandseq_profile::{BaseId, PhaseKey};

use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::setup::consequences::{Consequences, becomes_op_state};
use crate::setup::places;

/// As many names that leave the state as it is are worth going for in one state, as many that show on planes (others of the die keep
/// the key), and as many others: the first of these ends the state.
const LEAVING: u64 = 12;
const ON_PLANES: u64 = 4;
const ON_DIE: u64 = 1;
/// As many bins of one phase are worth going for.
const IN_PHASE: u64 = 20;
/// As many bins between two steps of a chain.
const BETWEEN: u64 = 2;
/// Values are whole numbers of this part.
pub(super) const UNIT: u64 = 1024;

/// The uncovered bins that states and phases let in, in units of [`UNIT`].
#[derive(Clone, Copy)]
pub(super) struct Uncovered<'a> {
    pub(super) consequences: &'a Consequences,
    pub(super) counts: &'a CoverageCounts,
    pub(super) discounts: &'a Discounts,
}

impl Uncovered<'_> {
    /// How many uncovered bins a plane lets in under a key, if these classes can start.
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

    /// How many uncovered bins the phases of an operation let in; `last`: whether no step of a chain cuts its window, which then
    /// depends on the state.
    pub(super) fn in_phases(&self, info: &BaseInfo, last: bool) -> u64 {
        if !becomes_op_state(info) {
            return 0;
        }
        let bins = |key: Option<PhaseKey>, most: u64| {
            key.map_or(0, |key| self.discounts.fresh(key, UNIT * self.counts.uncovered_under(key).min(most)))
        };
        bins(info.busy_key, IN_PHASE) + if last { 0 } else { bins(info.window_key, BETWEEN) }
    }

    /// How many bins the operations that may follow lead to; `phases` says by base what [`Uncovered::in_phases`] does, where a step follows and
    /// where none does, `under` what a plane lets in in the end under a key.
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
