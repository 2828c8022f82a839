//! What has been gone for in vain is worth less, until hits come.

use nandseq_profile::{BaseId, PhaseKey};

use crate::setup::ClassId;
use crate::setup::coverage_model::Goal;

/// How often something was gone for since it last led to a hit that its cell lacked.
#[derive(Clone, Debug)]
pub(super) struct Discounts {
    /// By key: how many operations have come into its phase since the last such hit there.
    idle: Vec<u32>,
    /// By base: how often it was drawn for what it leads to, halved at each such hit.
    steered: Vec<u32>,
    /// By class: how often something was drawn for what this would lead to after it, halved at each such hit.
    promised: Vec<u32>,
}

impl Discounts {
    /// Nothing was gone for.
    pub(super) fn new(goal: &Goal) -> Self {
        Self { idle: vec![0; goal.keys()], steered: vec![0; goal.bases], promised: vec![0; goal.classes] }
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

    /// A cell of a key was hit that lacked the hit.
    pub(super) fn hit(&mut self, key: PhaseKey) {
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

#[cfg(test)]
mod tests {
    use nandseq_profile::{OpId, builtin};

    use super::*;
    use crate::setup::coverage_model::Cell;

    fn discounts() -> Discounts {
        let profile = builtin::profile();
        let cell = Cell { key: PhaseKey::DEFAULT, op: OpId(3), bin: 0 };
        let mut discounts = Discounts::new(&Goal::new(&profile, [cell], |_| 1, true));
        discounts.promised = vec![0; 8];
        discounts
    }

    #[test]
    fn what_leads_nowhere_loses_value_and_a_hit_halves_the_loss() {
        let mut discounts = discounts();
        let (base, class) = (BaseId::from(3), ClassId::at(0, 3));
        let losses = |discounts: &Discounts| [discounts.of_base(base), discounts.of_promise(class)];
        assert_eq!(losses(&discounts), [1, 1]);
        (0..16).for_each(|_| discounts.steer(base, Some(class)));
        assert_eq!(losses(&discounts), [17, 65]);
        discounts.hit(PhaseKey::DEFAULT);
        assert_eq!(losses(&discounts), [5, 17]);
        discounts.forget();
        assert_eq!(losses(&discounts), [1, 1]);
    }

    #[test]
    fn a_key_is_worth_less_the_more_operations_came_there_in_vain_until_a_hit_there() {
        let mut discounts = discounts();
        let key = PhaseKey::DEFAULT;
        assert_eq!(discounts.fresh(key, 100), 100);
        (0..40).for_each(|_| discounts.visit(key));
        assert!(discounts.fresh(key, 100) < 10);
        discounts.hit(key);
        assert_eq!(discounts.fresh(key, 100), 100);
    }
}
