//! Chains that have begun: what is still to come of each, waiting on its die.

use nandseq_device::Place;
use nandseq_profile::{Die, OpId};
use nandseq_trace::Proposal;
use serde::{Deserialize, Serialize};

/// One operation that a plan names.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Step {
    pub(crate) op: OpId,
    pub(crate) place: Place,
}

/// Names a chain of a site.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ChainId(pub(crate) u32);

/// A chain whose first operation has started.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chain {
    pub(crate) die: Die,
    /// What it was proposed as.
    pub(crate) proposal: Proposal,
    steps: Vec<Step>,
    next: usize,
    live: bool,
}

impl Chain {
    /// The steps that have not started.
    pub(crate) fn rest(&self) -> &[Step] {
        &self.steps[self.next..]
    }
}

/// All chains of a site; their memory is used again.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chains {
    all: Vec<Chain>,
    free: Vec<u32>,
    live: u32,
    /// How many chains have steps to come, by die.
    on: Vec<u32>,
}

impl Chains {
    /// Keeps a new chain with the steps after its first operation.
    pub(crate) fn begin(&mut self, die: Die, proposal: Proposal, steps: &[Step]) -> ChainId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.all.push(Chain::default());
            self.all.len() as u32 - 1
        });
        let chain = &mut self.all[id as usize];
        chain.die = die;
        chain.proposal = proposal;
        chain.steps.clear();
        chain.steps.extend_from_slice(steps);
        chain.next = 0;
        chain.live = true;
        self.live += 1;
        let at = usize::from(die.0);
        if self.on.len() <= at {
            self.on.resize(at + 1, 0);
        }
        self.on[at] += 1;
        ChainId(id)
    }

    pub(crate) fn get(&self, id: ChainId) -> &Chain {
        &self.all[id.0 as usize]
    }

    /// The next step has started; returns whether more are to come. A chain without more is forgotten.
    pub(crate) fn advance(&mut self, id: ChainId) -> bool {
        let chain = &mut self.all[id.0 as usize];
        chain.next += 1;
        if chain.next < chain.steps.len() {
            return true;
        }
        self.forget(id);
        false
    }

    /// Forgets a chain, whatever was to come.
    pub(crate) fn forget(&mut self, id: ChainId) {
        let chain = &mut self.all[id.0 as usize];
        chain.live = false;
        self.on[usize::from(chain.die.0)] -= 1;
        self.free.push(id.0);
        self.live -= 1;
    }

    /// How many chains have steps to come.
    pub(crate) const fn count(&self) -> u32 {
        self.live
    }

    /// Chains with steps to come.
    pub(crate) fn live(&self) -> impl Iterator<Item = (ChainId, &Chain)> {
        self.all.iter().enumerate().filter(|(_, chain)| chain.live).map(|(at, chain)| (ChainId(at as u32), chain))
    }

    /// Whether no chain has steps to come.
    pub(crate) fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// How many chains with steps to come work on a die.
    pub(crate) fn count_on(&self, die: Die) -> u32 {
        self.on.get(usize::from(die.0)).copied().unwrap_or(0)
    }

    /// Whether a chain with steps to come works on this die.
    pub(crate) fn any_on(&self, die: Die) -> bool {
        self.count_on(die) > 0
    }
}
