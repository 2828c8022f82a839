//! What a state of a die lets in that lacks hits, and how many operations that takes.
//!
//! A state is imagined: nothing in flight, this lasting state, these keys on the planes. Which names could start there is asked of
//! the same masks as at a hook; two operations ahead nothing of the state changes but the keys. Whole numbers only.

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::ByAxis;
use nandseq_profile::{BaseId, PhaseKey, Profile};

use crate::classes::{Classes, places};
use crate::closure::CoverageCounts;

/// As many names that leave the state as it is are worth going for in one state, as many that show on planes (others of the die keep
/// the key), and as many others: the first of these ends the state.
const LEAVING: u64 = 12;
const ON_PLANES: u64 = 4;
const ON_DIE: u64 = 1;
/// As many cells of one phase are worth going for.
const IN_PHASE: u64 = 20;
/// As many cells between two steps of a chain.
const BETWEEN: u64 = 2;
/// Values are whole numbers of this part.
pub(in crate::closure) const UNIT: u64 = 1024;

/// How a base may go on.
#[derive(Clone, Debug)]
struct FollowingBases {
    /// The base itself and the bases of the chain that follows.
    bases: Vec<BaseId>,
}

/// What never changes about the classes and bases of a device.
#[derive(Clone, Default, Debug)]
pub(in crate::closure) struct UncoveredMap {
    /// By chunk: what leaves every op_state as it is, and what shows on planes alone.
    leaving: Vec<u64>,
    on_planes: Vec<u64>,
    /// By base.
    ways: Vec<Vec<FollowingBases>>,
    /// What suspends, by axis.
    pub(in crate::closure) suspending: ByAxis<Vec<BaseId>>,
}

impl UncoveredMap {
    pub(in crate::closure) fn new(profile: &Profile, tables: &Tables, classes: &Classes) -> Self {
        let bits = |holds: fn(&BaseInfo) -> bool| {
            (0..classes.chunks()).map(|chunk| classes.bits(chunk, |class| holds(tables.base(class.base)))).collect()
        };
        let suspending = |axis| {
            let all = tables.bases().filter(|(_, info)| info.effects.suspend == Some(axis));
            all.map(|(base, _)| base).collect()
        };
        Self {
            leaving: bits(|info| !shows(info)),
            on_planes: bits(|info| shows(info) && info.reach == Reach::Planes),
            ways: profile.bases.ids().map(|base| ways(profile, base)).collect(),
            suspending: ByAxis::new(suspending),
        }
    }

    /// How many cells that lack hits a plane lets in under a key, if these classes can start.
    pub(in crate::closure) fn under(&self, counts: &CoverageCounts, key: PhaseKey, open: impl Fn(usize) -> u64) -> u64 {
        let [mut leaving, mut on_planes, mut on_die] = [0; 3];
        for (chunk, (&leaves, &plane)) in self.leaving.iter().zip(&self.on_planes).enumerate() {
            let bits = open(chunk) & counts.lacking_classes(key, chunk);
            for place in places(bits) {
                let cells = u64::from(counts.lacking_of_class(key, chunk, place));
                if leaves >> place & 1 == 1 {
                    leaving += cells;
                } else if plane >> place & 1 == 1 {
                    on_planes += cells;
                } else {
                    on_die += cells;
                }
            }
        }
        let all = leaving.min(LEAVING) + on_planes.min(ON_PLANES) + on_die.min(ON_DIE);
        counts.fresh(key, all * UNIT)
    }

    /// How many cells that lack hits the phases of an operation let in; `last`: whether no step of a chain cuts its window, which then
    /// depends on the state.
    pub(in crate::closure) fn in_phases(&self, counts: &CoverageCounts, info: &BaseInfo, last: bool) -> u64 {
        if !shows(info) {
            return 0;
        }
        let cells = |key: Option<PhaseKey>, most: u64| {
            key.map_or(0, |key| counts.fresh(key, UNIT * counts.missing_under(key).min(most)))
        };
        cells(info.busy_key, IN_PHASE) + if last { 0 } else { cells(info.window_key, BETWEEN) }
    }

    /// How a base may go on: itself and the bases of the chain that follows, for each chain.
    pub(in crate::closure) fn ways(&self, base: BaseId) -> impl Iterator<Item = &[BaseId]> {
        self.ways[base.index()].iter().map(|way| &way.bases[..])
    }

    /// How many cells the operations that may follow lead to; `phases` says by base what [`UncoveredMap::in_phases`] does, where a step follows and
    /// where none does, `under` what a plane lets in in the end under a key.
    pub(in crate::closure) fn along(
        &self,
        tables: &Tables,
        phases: &[[u64; 2]],
        way: &[BaseId],
        mut under: impl FnMut(PhaseKey) -> u64,
    ) -> u64 {
        let mut cells = 0;
        let mut stays = true;
        for (at, &base) in way.iter().enumerate().rev() {
            let last = at + 1 == way.len();
            cells += phases[base.index()][usize::from(last)];
            let info = tables.base(base);
            if shows(info) {
                cells += info.window_key.filter(|_| last).map_or(0, &mut under);
                let end = under(info.end_key);
                cells += if stays { end } else { end.min(BETWEEN * UNIT) };
                stays = false;
            }
        }
        cells
    }
}

/// Whether an operation becomes the op_state of planes.
pub(in crate::closure) const fn shows(info: &BaseInfo) -> bool {
    info.affects_state && info.occupies
}

fn ways(profile: &Profile, base: BaseId) -> Vec<FollowingBases> {
    let follow_ups = &profile.bases[base].follow_ups;
    if follow_ups.is_empty() {
        return vec![FollowingBases { bases: vec![base] }];
    }
    let steps = |follow: &nandseq_profile::model::FollowUp| {
        let steps = follow.chain.iter().flat_map(|&chain| &profile.chains[chain].steps).map(|step| step.base);
        FollowingBases { bases: std::iter::once(base).chain(steps).collect() }
    };
    follow_ups.iter().map(steps).collect()
}
