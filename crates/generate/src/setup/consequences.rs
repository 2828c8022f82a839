//! The consequences of operations that do not depend on the state: the op_states they change, and the chains that may follow.

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::{ByAxis, FollowUp};
use nandseq_profile::{BaseId, Profile};

use super::classes::Classes;

/// The consequences of the classes and bases of a device.
#[derive(Clone, Default, Debug)]
pub(crate) struct Consequences {
    /// By chunk: the classes that leave every op_state as it is.
    pub(crate) leaving: Vec<u64>,
    /// By chunk: the classes that become the op_state of the planes they address, and of no other.
    pub(crate) on_planes: Vec<u64>,
    /// By base its ways: for each chain that may follow it, the base itself and the bases of the chain.
    ways: Vec<Vec<Vec<BaseId>>>,
    /// By axis: the bases that suspend.
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

    /// The ways of a base: for each chain that may follow it, the base itself and the bases of the chain.
    pub(crate) fn ways(&self, base: BaseId) -> impl Iterator<Item = &[BaseId]> {
        self.ways[base.index()].iter().map(Vec::as_slice)
    }
}

/// Whether an operation of a base becomes the op_state of planes.
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
