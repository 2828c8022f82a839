//! Discounts: plans that covered no bin are scored lower, until bins are covered.

use nandseq_profile::{BaseId, PhaseKey};

use crate::setup::ClassId;
use crate::setup::coverage_model::CoverageModel;

/// How often keys, bases and classes were tried since an uncovered bin was last covered.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Discounts {
    /// By key: how many operations have come into its phase since a bin of it was last covered.
    idle: Vec<u32>,
    /// By base: how often a plan that begins with it was started for the bins that it leads to; halved whenever a bin is covered.
    steered: Vec<u32>,
    /// By class: how often a plan was started because this class could follow it; halved whenever a bin is covered.
    promised: Vec<u32>,
}

impl Discounts {
    /// No discounts.
    pub(super) fn new(model: &CoverageModel) -> Self {
        Self { idle: vec![0; model.keys()], steered: vec![0; model.bases], promised: vec![0; model.classes] }
    }

    /// Forgets everything: a run depends on the hits before it alone.
    pub(super) fn forget(&mut self) {
        self.idle.fill(0);
        self.steered.fill(0);
        self.promised.fill(0);
    }

    /// An operation comes into the phase of a key.
    pub(super) fn visit(&mut self, key: PhaseKey) {
        let idle = &mut self.idle[key.index()];
        *idle = idle.saturating_add(1);
    }

    /// A plan is handed in for the bins that it leads to. `base` is that of its first operation, `promise` the class that is to
    /// follow.
    pub(super) fn steer(&mut self, base: BaseId, promise: Option<ClassId>) {
        if let Some(class) = promise {
            self.promised[class.index()] += 1;
        }
        self.steered[base.index()] += 1;
    }

    /// An uncovered bin of a key was covered.
    pub(in crate::policy) fn hit(&mut self, key: PhaseKey) {
        self.idle[key.index()] = 0;
        self.steered.iter_mut().chain(&mut self.promised).for_each(|steered| *steered /= 2);
    }

    /// The divisor of the score of a plan that begins with this base: 1 + s²/16 after s plans that covered nothing.
    pub(super) fn of_base(&self, base: BaseId) -> u64 {
        1 + u64::from(self.steered[base.index()]).pow(2) / 16
    }

    /// The divisor of the score of a class that is to follow: 1 + p²/4 after p promises that covered nothing.
    pub(super) fn of_promise(&self, class: ClassId) -> u64 {
        1 + u64::from(self.promised[class.index()]).pow(2) / 4
    }

    /// How many operations have come into the phase of a key since a bin of it was last covered.
    pub(super) fn idle(&self, key: PhaseKey) -> u32 {
        self.idle[key.index()]
    }

    /// The value of the bins of a key: `worth` / (1 + i²/64) after i operations that covered none of them.
    pub(super) fn fresh(&self, key: PhaseKey, worth: u64) -> u64 {
        let idle = u64::from(self.idle[key.index()]);
        worth / (1 + idle * idle / 64)
    }
}
