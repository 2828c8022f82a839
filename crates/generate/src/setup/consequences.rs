//! The consequences of operations that do not depend on the state: the op_states they change, and the chains that may follow.

use nandseq_device::{BaseInfo, Reach, Tables};
use nandseq_profile::model::{ByAxis, FollowUp};
use nandseq_profile::{BaseId, PhaseKey, Profile};

use super::classes::{CHUNK, ClassId, ClassSet, Classes};

/// The consequences of the classes and bases of a device.
#[derive(Clone, Default, Debug)]
pub(crate) struct Consequences {
    /// By chunk: the classes that leave every op_state as it is.
    pub(crate) leaving: Vec<ClassSet>,
    /// By chunk: the classes that become the op_state of the planes they address, and of no other.
    pub(crate) on_planes: Vec<ClassSet>,
    /// By base its ways: for each chain that may follow it, the base itself and the bases of the chain.
    ways: Vec<Vec<Way>>,
    /// By base: the bases that have a way with it.
    pub(crate) part_of: Vec<Vec<BaseId>>,
    /// By class: the classes of its chunk that differ from it in cell type alone, and itself.
    pub(crate) alike: Vec<ClassSet>,
    /// By axis: the bases that suspend.
    pub(crate) suspending: ByAxis<Vec<BaseId>>,
}

/// An operation with one of the chains that may follow it.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    /// The bases in order.
    pub(crate) bases: Vec<BaseId>,
    /// The END keys of those that become an op_state, in order.
    pub(crate) ends: Vec<PhaseKey>,
    /// The key of the window that stays open after the last.
    pub(crate) window: Option<PhaseKey>,
}

impl Way {
    fn new(tables: &Tables, bases: Vec<BaseId>) -> Self {
        let shown = |base: &BaseId| Some(tables.base(*base)).filter(|info| becomes_op_state(info));
        let ends = bases.iter().filter_map(shown).map(|info| info.end_key).collect();
        let window = bases.last().and_then(shown).and_then(|info| info.window_key);
        Self { bases, ends, window }
    }
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
        let alike = |id: ClassId| {
            let own = classes.get(id);
            classes.bits(id.chunk(), |other| (other.base, other.multi) == (own.base, own.multi))
        };
        let all: Vec<Vec<Way>> = profile.bases.ids().map(|base| ways(profile, tables, base)).collect();
        Self {
            part_of: profile.bases.ids().map(|base| part_of(&all, base)).collect(),
            leaving: bits(|info| !becomes_op_state(info)),
            on_planes: bits(|info| becomes_op_state(info) && info.reach == Reach::Planes),
            ways: all,
            alike: (0..classes.count()).map(|at| ClassId::at(at / CHUNK, at % CHUNK)).map(alike).collect(),
            suspending: ByAxis::new(suspending),
        }
    }

    /// The ways of a base: for each chain that may follow it, the base itself and the bases of the chain.
    pub(crate) fn ways(&self, base: BaseId) -> &[Way] {
        &self.ways[base.index()]
    }
}

/// Whether an operation of a base becomes the op_state of planes.
pub(crate) const fn becomes_op_state(info: &BaseInfo) -> bool {
    info.affects_state && info.occupies
}

fn ways(profile: &Profile, tables: &Tables, base: BaseId) -> Vec<Way> {
    let follow_ups = &profile.bases[base].follow_ups;
    if follow_ups.is_empty() {
        return vec![Way::new(tables, vec![base])];
    }
    let steps = |follow: &FollowUp| {
        let steps = follow.chain.iter().flat_map(|&chain| &profile.chains[chain].steps).map(|step| step.base);
        Way::new(tables, std::iter::once(base).chain(steps).collect())
    };
    follow_ups.iter().map(steps).collect()
}

/// The bases that have a way with a base.
fn part_of(all: &[Vec<Way>], base: BaseId) -> Vec<BaseId> {
    let has = |ways: &[Way]| ways.iter().any(|way| way.bases.contains(&base));
    all.iter().enumerate().filter(|(_, ways)| has(ways)).map(|(first, _)| BaseId::from(first)).collect()
}
