//! What has been gone for in vain is worth less, until hits come.

use nandseq_profile::{BaseId, PhaseKey};

use crate::setup::ClassId;
use crate::setup::coverage_model::CoverageModel;

/// How often something was gone for since it last led to a hit that covered its bin.
#[derive(Clone, Debug)]
pub(in crate::policy) struct Discounts {
    /// By key: how many operations have come into its phase since the last such hit there.
    idle: Vec<u32>,
    /// By base: how often it was drawn for what it leads to, halved at each such hit.
    steered: Vec<u32>,
    /// By class: how often something was drawn for what this would lead to after it, halved at each such hit.
    promised: Vec<u32>,
}

impl Discounts {
    /// Nothing was gone for.
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

    /// A plan was drawn for what its first operation, of this base, leads to, and what a class would after it.
    pub(super) fn steer(&mut self, base: BaseId, promise: Option<ClassId>) {
        if let Some(class) = promise {
            self.promised[class.index()] += 1;
        }
        self.steered[base.index()] += 1;
    }

    /// A bin of a key was covered.
    pub(in crate::policy) fn hit(&mut self, key: PhaseKey) {
        self.idle[key.index()] = 0;
        self.steered.iter_mut().chain(&mut self.promised).for_each(|steered| *steered /= 2);
    }

    /// What the value of a base is divided by: 1 + s²/16 after s plans in vain.
    pub(super) fn of_base(&self, base: BaseId) -> u64 {
        1 + u64::from(self.steered[base.index()]).pow(2) / 16
    }

    /// What the value of what a class would lead to is divided by: 1 + p²/4 after p promises in vain.
    pub(super) fn of_promise(&self, class: ClassId) -> u64 {
        1 + u64::from(self.promised[class.index()]).pow(2) / 4
    }

    /// What going for a key is worth: 1/(1 + i²/64) of it after i operations in vain.
    pub(super) fn fresh(&self, key: PhaseKey, worth: u64) -> u64 {
        let idle = u64::from(self.idle[key.index()]);
        worth / (1 + idle * idle / 64)
    }
}
