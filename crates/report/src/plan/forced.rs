//! Which rows may be steps that a chain forces, as far as a sequence shows it.
//!
//! No row names its chain. An operation counts as forced if it can be the next step of a chain that an earlier operation on its die
//! may have begun. The oldest such chain goes on then. A step on several planes may be split into operations on one plane each.

use std::collections::VecDeque;

use nandseq_profile::model::{ChainStep, StepAddress};
use nandseq_profile::{BaseId, PlaneSet, Profile};

use super::history::WrittenOperation;

/// A chain that an operation may have begun.
#[derive(Clone, Debug)]
struct PossibleChain {
    /// The chains of the profile that it may be, and the number of steps done.
    may_be: Vec<(usize, usize)>,
    /// The base of the last step.
    last: BaseId,
    /// The planes of the operation before the last step, and those on which the last step has worked.
    planes: (PlaneSet, PlaneSet),
}

/// The most chains of a die that are kept. A chain that has not gone on while so many others began never will.
const MOST_CHAINS: usize = 64;

/// The chains of a run that may go on.
#[derive(Debug)]
pub(super) struct PossibleChains<'p> {
    profile: &'p Profile,
    /// By die, oldest first.
    chains: Vec<VecDeque<PossibleChain>>,
}

impl<'p> PossibleChains<'p> {
    pub(super) fn new(profile: &'p Profile) -> Self {
        Self { profile, chains: vec![VecDeque::new(); profile.topology.dies as usize] }
    }

    /// Notes the operation that starts now. Returns whether it may be a step that a chain forces.
    pub(super) fn add(&mut self, operation: &WrittenOperation) -> bool {
        let profile = self.profile;
        let Some(of_die) = operation.die().and_then(|die| self.chains.get_mut(usize::try_from(die).ok()?)) else {
            return false;
        };
        let (base, planes) = (profile.ops[operation.op].base, operation.planes());
        let next = of_die.iter().position(|chain| chain.goes_on(profile, base, planes));
        if let Some(at) = next {
            of_die[at].advance(profile, base, planes);
            if of_die[at].is_complete(profile) {
                of_die.remove(at);
            }
        }
        let follow_ups = profile.bases[base].follow_ups.iter();
        let may_be: Vec<(usize, usize)> =
            follow_ups.filter_map(|follow| follow.chain).map(|chain| (chain, 0)).collect();
        if !may_be.is_empty() {
            if of_die.len() >= MOST_CHAINS {
                of_die.pop_front();
            }
            of_die.push_back(PossibleChain { may_be, last: base, planes: (planes, planes) });
        }
        next.is_some()
    }
}

impl PossibleChain {
    fn steps(profile: &Profile, chain: usize) -> &[ChainStep] {
        profile.chains.get(chain).map_or(&[], |chain| &chain.steps)
    }

    /// Whether an operation is a further part of the last step, on planes of its own.
    fn splits(&self, base: BaseId, planes: PlaneSet) -> bool {
        let (before, done) = self.planes;
        self.last == base && !planes.is_empty() && planes.is_subset(before) && planes.and(done).is_empty()
    }

    fn goes_on(&self, profile: &Profile, base: BaseId, planes: PlaneSet) -> bool {
        let fits = |&(chain, done): &(usize, usize)| {
            let step = Self::steps(profile, chain).get(done);
            let (mine, other) = (self.planes.0, planes);
            step.is_some_and(|step| {
                let apart = mine.and(other).is_empty() && !mine.is_empty() && !other.is_empty();
                step.base == base && !(keeps_planes(step) && apart)
            })
        };
        self.splits(base, planes) || self.may_be.iter().any(fits)
    }

    fn advance(&mut self, profile: &Profile, base: BaseId, planes: PlaneSet) {
        if self.splits(base, planes) {
            self.planes.1 = self.planes.1.union(planes);
            return;
        }
        self.may_be
            .retain(|&(chain, done)| Self::steps(profile, chain).get(done).is_some_and(|step| step.base == base));
        self.may_be.iter_mut().for_each(|(_, done)| *done += 1);
        let before = if planes.is_subset(self.planes.0) { self.planes.0 } else { planes };
        (self.last, self.planes) = (base, (before, planes));
    }

    /// Whether it has no further step, and its last step is done on all planes.
    fn is_complete(&self, profile: &Profile) -> bool {
        let is_last = self.may_be.iter().all(|&(chain, done)| done >= Self::steps(profile, chain).len());
        is_last && (self.planes.0.is_subset(self.planes.1) || self.planes.1.is_empty())
    }
}

/// Whether a step works on the planes of the step before it.
fn keeps_planes(step: &ChainStep) -> bool {
    let inherits = match step.address {
        StepAddress::SamePage | StepAddress::IncPage | StepAddress::PreviousPage => true,
        StepAddress::Sampled
        | StepAddress::ProgramSamePage
        | StepAddress::SuspendedProgram
        | StepAddress::SameRegister => false,
    };
    step.same_plane || inherits
}
