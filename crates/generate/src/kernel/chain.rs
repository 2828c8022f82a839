//! Chains under way: the steps of each that are still to come.

use nandseq_device::{Footprint, Place, Reach, Tables};
use nandseq_profile::{Die, OpId, PlaneSet};
use nandseq_trace::Proposal;
use serde::{Deserialize, Serialize};

/// One operation of a plan or chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) op: OpId,
    pub(crate) place: Place,
}

impl Step {
    /// Its footprint on the lasting state of its die.
    pub(crate) fn footprint(&self, tables: &Tables) -> Footprint {
        let planes = PlaneSet::first(u32::from(tables.size.planes));
        tables.base_of(self.op).footprint(&self.place, planes)
    }
}

/// Whether a step looks at every die.
pub(crate) fn is_target_scoped(tables: &Tables, step: &Step) -> bool {
    tables.base_of(step.op).reach == Reach::Target
}

/// The footprints of a step, and of it and all later steps of its chain.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct StepFootprints {
    pub(crate) own: Footprint,
    /// Of all of them in whatever order, with steps of other chains between them.
    pub(crate) together: Footprint,
    /// Of all of them one after the other.
    pub(crate) in_turn: Footprint,
}

/// Adds the footprints of some steps of one chain to `all`.
pub(crate) fn note_footprints(all: &mut Vec<StepFootprints>, tables: &Tables, steps: &[Step]) {
    let first = all.len();
    let alone = |step: &Step| {
        let own = step.footprint(tables);
        StepFootprints { own, together: own, in_turn: own }
    };
    all.extend(steps.iter().map(alone));
    let mut after: Option<StepFootprints> = None;
    for step in all[first..].iter_mut().rev() {
        if let Some(after) = after {
            step.together = step.own.and(after.together);
            step.in_turn = step.own.then(after.in_turn);
        }
        after = Some(*step);
    }
}

/// The id of a chain of a site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct ChainId(pub(crate) u32);

/// A chain whose first operation has started.
#[derive(Clone, Default, Debug)]
pub(crate) struct StartedChain {
    pub(crate) die: Die,
    /// The proposal of its first operation.
    pub(crate) proposal: Proposal,
    steps: Vec<Step>,
    footprints: Vec<StepFootprints>,
    next: usize,
    /// The index after the last step that looks at every die; 0 if no step does.
    target_scoped_until: usize,
    live: bool,
}

impl StartedChain {
    /// The steps that have not started.
    pub(crate) fn rest(&self) -> &[Step] {
        &self.steps[self.next..]
    }

    /// The footprints of the steps that have not started.
    pub(crate) fn footprints(&self) -> &[StepFootprints] {
        &self.footprints[self.next..]
    }

    /// Whether a step that has not started looks at every die.
    pub(crate) const fn looks_everywhere(&self) -> bool {
        self.next < self.target_scoped_until
    }
}

/// All chains of a site; their memory is used again.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chains {
    all: Vec<StartedChain>,
    free: Vec<u32>,
    live: u32,
    /// The chains with steps to come on each die, in the order of their ids.
    on: Vec<Vec<ChainId>>,
    /// How many chains have a step to come that looks at every die: by die, and in all.
    target_scoped_on: Vec<u32>,
    target_scoped: u32,
}

impl Chains {
    /// Keeps a new chain with the steps after its first operation.
    pub(crate) fn begin(&mut self, tables: &Tables, die: Die, proposal: Proposal, steps: &[Step]) -> ChainId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.all.push(StartedChain::default());
            self.all.len() as u32 - 1
        });
        let chain = &mut self.all[id as usize];
        chain.die = die;
        chain.proposal = proposal;
        chain.steps.clear();
        chain.steps.extend_from_slice(steps);
        chain.next = 0;
        chain.footprints.clear();
        note_footprints(&mut chain.footprints, tables, steps);
        let last = steps.iter().rposition(|step| is_target_scoped(tables, step));
        chain.target_scoped_until = last.map_or(0, |last| last + 1);
        chain.live = true;
        let is_target_scoped = u32::from(chain.looks_everywhere());
        self.live += 1;
        let at = usize::from(die.0);
        if self.on.len() <= at {
            self.on.resize_with(at + 1, Vec::new);
            self.target_scoped_on.resize(at + 1, 0);
        }
        let (on, id) = (&mut self.on[at], ChainId(id));
        on.insert(on.partition_point(|&other| other < id), id);
        self.target_scoped_on[at] += is_target_scoped;
        self.target_scoped += is_target_scoped;
        id
    }

    pub(crate) fn get(&self, id: ChainId) -> &StartedChain {
        &self.all[id.0 as usize]
    }

    /// The next step has started. Returns whether more are to come. A chain without more steps is removed.
    pub(crate) fn advance(&mut self, id: ChainId) -> bool {
        let chain = &mut self.all[id.0 as usize];
        let was_target_scoped = chain.looks_everywhere();
        chain.next += 1;
        if was_target_scoped && !chain.looks_everywhere() {
            self.target_scoped_on[usize::from(chain.die.0)] -= 1;
            self.target_scoped -= 1;
        }
        if chain.next < chain.steps.len() {
            return true;
        }
        self.forget(id);
        false
    }

    /// Removes a chain, with the steps that were to come.
    pub(crate) fn forget(&mut self, id: ChainId) {
        let chain = &mut self.all[id.0 as usize];
        chain.live = false;
        let at = usize::from(chain.die.0);
        self.on[at].retain(|&other| other != id);
        let was_target_scoped = u32::from(chain.looks_everywhere());
        self.target_scoped_on[at] -= was_target_scoped;
        self.target_scoped -= was_target_scoped;
        self.free.push(id.0);
        self.live -= 1;
    }

    /// How many chains have steps to come.
    pub(crate) const fn count(&self) -> u32 {
        self.live
    }

    /// Chains with steps to come.
    pub(crate) fn live(&self) -> impl Iterator<Item = (ChainId, &StartedChain)> {
        self.all.iter().enumerate().filter(|(_, chain)| chain.live).map(|(at, chain)| (ChainId(at as u32), chain))
    }

    /// Whether no chain has steps to come.
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Chains with steps to come that work on a die.
    pub(crate) fn live_on(&self, die: Die) -> impl Iterator<Item = (ChainId, &StartedChain)> {
        let on = self.on.get(usize::from(die.0)).map_or(&[][..], Vec::as_slice);
        on.iter().map(|&id| (id, self.get(id)))
    }

    /// Whether a chain of another die has a step to come that looks at this one too.
    pub(crate) fn has_target_scoped(&self, die: Die) -> bool {
        self.target_scoped > self.target_scoped_on.get(usize::from(die.0)).copied().unwrap_or(0)
    }

    /// Whether a chain with steps to come works on this die.
    pub(crate) fn any_on(&self, die: Die) -> bool {
        self.on.get(usize::from(die.0)).is_some_and(|on| !on.is_empty())
    }
}
