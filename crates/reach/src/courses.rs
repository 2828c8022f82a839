//! How operations may start in the states of a die, and what they change there.

use std::ops::Range;

use nandseq_profile::model::AddressSource;

use crate::model::{Model, NameClassId};
use crate::plan::MOST_ENDS;
use crate::state::Die;

/// The chain under way that the search follows, and its next step.
pub(crate) type OpenChain = Option<(u16, u8)>;

/// The numbers of the states in which an operation may leave a plane.
pub(crate) type PlaneEnds = [Option<u32>; MOST_ENDS];

/// The starts of a class in a group, as a proposal or as a step of a chain.
pub(crate) struct GroupStart {
    pub(crate) class: NameClassId,
    /// What remains of the chain after a step; `None` for a proposal, after which it depends on the node.
    pub(crate) next: Option<OpenChain>,
    pub(crate) courses: Vec<Course>,
    /// The place of the courses of proposals in `of_proposals`, by the states in which they may leave the plane of a node.
    pub(crate) proposals: Vec<(PlaneEnds, Range<usize>)>,
    /// The courses of all proposals, one list after the other.
    pub(crate) of_proposals: Vec<usize>,
    /// How many operations were carried out.
    pub(crate) tried: u64,
}

/// How an operation changes a die, by what remains of the chain after its start. States of dies are given by their numbers.
pub(crate) struct Course {
    pub(crate) next: OpenChain,
    pub(crate) started: u32,
    pub(crate) ended: u32,
    pub(crate) cuts: Vec<SuspendCut>,
    /// The classes that the operation may resume, with the cuts of each.
    pub(crate) resumed: Vec<(NameClassId, Vec<SuspendCut>)>,
    /// The state when a resumed operation goes on.
    pub(crate) resumes_at: u32,
}

/// A class that may suspend an operation, with the state of the die before and after.
pub(crate) struct SuspendCut {
    pub(crate) by: NameClassId,
    pub(crate) before: u32,
    pub(crate) after: u32,
}

/// The ways in which classes may start in the states of a die. Suspensions come with their suspend targets.
pub(crate) fn starts_in(model: &Model<'_>, die: &Die) -> Vec<GroupStart> {
    let may_start = |&class: &NameClassId| {
        let effects = &model.base(class).effects;
        model.possible[usize::from(class)]
            && model.die_allows(die, class).is_ok()
            && model.address_exists(class).is_ok()
            && effects.suspend.is_none()
    };
    let ways = |class: NameClassId| {
        let at = usize::from(class);
        let is_proposed = model.is_proposed(class) && may_be_proposed(model, die, die.chain.is_some(), class);
        let step = if model.tracked_steps[at] { next_step(model, die, class) } else { None };
        // As a proposal, as a step of the chain that the search follows, as one of a chain that it does not follow.
        let ways = [is_proposed.then_some(None), step.map(Some), model.untracked_steps[at].then_some(Some(die.chain))];
        let start = move |next| GroupStart {
            class,
            next,
            courses: Vec::new(),
            proposals: Vec::new(),
            of_proposals: Vec::new(),
            tried: 0,
        };
        ways.into_iter().flatten().map(start)
    };
    (0..model.classes.len() as NameClassId).filter(may_start).flat_map(ways).collect()
}

/// Whether an operation of a class may be proposed. While a chain is under way (`chained`), operations that go on with its latch
/// or cache program may not, nor those that change the state of the target at their start.
pub(crate) fn may_be_proposed(model: &Model<'_>, die: &Die, chained: bool, class: NameClassId) -> bool {
    let info = model.base(class);
    if !chained {
        return true;
    }
    let latched = matches!(info.address, AddressSource::OneShotLatch | AddressSource::CopybackLatch);
    let continues = info.effects.is_program() && info.address == AddressSource::NextPage && die.cache.is_some();
    !latched && !continues && !info.effects.holds_target
}

/// What remains of the chain under way after its next step; `None` if that step is no operation of this class.
fn next_step(model: &Model<'_>, die: &Die, class: NameClassId) -> Option<OpenChain> {
    let (chain, at) = die.chain?;
    let steps = &model.profile.chains[usize::from(chain)].steps;
    let step = steps.get(usize::from(at))?;
    if step.base != model.class(class).base {
        return None;
    }
    let more = usize::from(at) + 1 < steps.len();
    Some(more.then_some((chain, at + 1)))
}
