//! What operations lead to, whatever the state: which show on planes, and how a base may go on.

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::{ByAxis, FollowUp};
use nandseq_profile::{BaseId, Profile};

use super::classes::Classes;

/// What never changes about the classes and bases of a device.
#[derive(Clone, Default, Debug)]
pub(crate) struct Consequences {
    /// By chunk: what leaves every op_state as it is, and what shows on planes alone.
    pub(crate) leaving: Vec<u64>,
    pub(crate) on_planes: Vec<u64>,
    /// By base how it may go on: itself and the bases of the chain that follows, for each chain.
    ways: Vec<Vec<Vec<BaseId>>>,
    /// What suspends, by axis.
    pub(crate) suspending: ByAxis<Vec<BaseId>>,
}

impl Consequences {
    pub(crate) fn new(profile: &Profile, tables: &Tables, classes: &Classes) -> Self {
        let bits = |holds: fn(&BaseInfo) -> bool| {
            (0..classes.chunks()).map(|chunk| classes.bits(chunk, |class| holds(tables.base(class.base)))).collect()
        };
        let suspending = |axis| {
            let all = tables.bases().filter(|(_, info)| info.effects.suspend == Some(axis));
            all.map(|(base, _)| base).collect()
        };
        Self {
            leaving: bits(|info| !becomes_op_state(info)),
            on_planes: bits(|info| becomes_op_state(info) && info.reach == Reach::Planes),
            ways: profile.bases.ids().map(|base| ways(profile, base)).collect(),
            suspending: ByAxis::new(suspending),
        }
    }

    /// How a base may go on: itself and the bases of the chain that follows, for each chain.
    pub(crate) fn ways(&self, base: BaseId) -> impl Iterator<Item = &[BaseId]> {
        self.ways[base.index()].iter().map(Vec::as_slice)
    }
}

/// Whether an operation becomes the op_state of planes.
pub(crate) const fn becomes_op_state(info: &BaseInfo) -> bool {
    info.affects_state && info.occupies
}

fn ways(profile: &Profile, base: BaseId) -> Vec<Vec<BaseId>> {
    let follow_ups = &profile.bases[base].follow_ups;
    if follow_ups.is_empty() {
        return vec![vec![base]];
    }
    let steps = |follow: &FollowUp| {
        let steps = follow.chain.iter().flat_map(|&chain| &profile.chains[chain].steps).map(|step| step.base);
        std::iter::once(base).chain(steps).collect()
    };
    follow_ups.iter().map(steps).collect()
}
