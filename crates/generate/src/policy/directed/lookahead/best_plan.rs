//! Looks for the plan that leads to the most uncovered bins.
//!
//! Makes plans for the names that may start, carries each out on a copy of the die's lasting state, and scores it by the
//! uncovered bins of the names that could start afterwards. The policy hands the best plan in, and the device judges it like any
//! other.

use nandseq_device::Rule;
use nandseq_profile::OpId;

use super::scorer::{ScoreScratch, Scorer};
use crate::kernel::Step;
use crate::policy::at_hook::AtHook;
use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::policy::directed::hooks::{alone, alone_to_compare};
use crate::proposal::Preference;
use crate::random::RandomNumbers;
use crate::reporting::RefusalReason;
use crate::setup::ClassId;
use crate::setup::consequences::becomes_op_state;

/// How many plans are made for a name that chains may follow.
const PLANS: usize = 4;

/// Looks for the best of several plans. Kept, so that looking allocates nothing.
#[derive(Clone, Default, Debug)]
pub(in crate::policy::directed) struct Lookahead {
    names: Vec<(OpId, ClassId)>,
    best: Vec<Step>,
    scratch: ScoreScratch,
}

impl Lookahead {
    /// Plans a name with an uncovered bin as [`AtHook::plan`] does, but keeps the plan with the best score of a few.
    pub(in crate::policy::directed) fn plan_well(
        &mut self,
        at: &mut AtHook<'_, '_>,
        counts: &CoverageCounts,
        discounts: &Discounts,
        name: (OpId, ClassId),
    ) -> Result<Result<(), Rule>, RefusalReason> {
        let setup = at.setup;
        let base = setup.classes.get(name.1).base;
        let verdict = at.plan(name, Preference { alone: alone(setup, counts, base), ..Preference::NONE })?;
        if setup.follow_ups[base.index()].choices.len() == 1 && !becomes_op_state(setup.tables.base(base)) {
            return Ok(verdict);
        }
        if let Some(scorer) = Scorer::new(at, counts, discounts) {
            scorer.prepare(&mut self.scratch, false);
        }
        let preference = Preference { alone: alone_to_compare(setup, base), ..Preference::NONE };
        let mut best: Option<(Result<(), Rule>, u64)> = None;
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { at.plan(name, preference) };
            let (Ok(verdict), Some(scorer)) = (verdict, Scorer::new(at, counts, discounts)) else { continue };
            let score = scorer.score(&mut self.scratch, &at.proposer.plan, true).rate;
            if best.is_none_or(|(_, best)| score > best) {
                best = Some((verdict, score));
                self.best.clone_from(&at.proposer.plan);
            }
        }
        std::mem::swap(&mut at.proposer.plan, &mut self.best);
        Ok(best.map_or(verdict, |(verdict, _)| verdict))
    }

    /// Makes plans for every eligible class and leaves the best in the proposer. `is_cutting`: only operations that suspend are
    /// considered. Returns the class that is to follow the best plan, if its score counts one; the outer `None`: no plan is worth
    /// starting.
    pub(in crate::policy::directed) fn plan_best(
        &mut self,
        at: &mut AtHook<'_, '_>,
        counts: &CoverageCounts,
        discounts: &Discounts,
        is_cutting: bool,
    ) -> Option<Option<ClassId>> {
        let setup = at.setup;
        let model = setup.coverage_model.as_ref()?;
        self.draw_names(at, is_cutting);
        let Self { names, best: plan, scratch } = self;
        let scorer = Scorer::new(at, counts, discounts)?;
        scorer.prepare(scratch, !is_cutting);
        let mut best = if is_cutting { scorer.score(scratch, &[], false).rate } else { 0 };
        let (mut found, mut equal) = (None, 1);
        for &(op, id) in &*names {
            let base = setup.classes.get(id).base;
            let preference = Preference { alone: alone_to_compare(setup, base), ..Preference::NONE };
            for _ in 0..setup.follow_ups[base.index()].choices.len().min(PLANS) {
                if !matches!(at.plan((op, id), preference), Ok(Ok(()))) {
                    continue;
                }
                let score = Scorer::new(at, counts, discounts)?.score(scratch, &at.proposer.plan, false);
                let rate = score.rate / discounts.of_base(base);
                equal = if rate == best { equal + 1 } else { equal };
                if rate > best || (rate == best && found.is_some() && at.stream.below(equal) == 0) {
                    equal = if rate > best { 1 } else { equal };
                    (best, found) = (rate, Some(score.promise));
                    plan.clone_from(&at.proposer.plan);
                }
            }
        }
        let found = found.filter(|_| model.pair(at.proposal.key_used, plan[0].op).is_some());
        if found.is_some() {
            std::mem::swap(&mut at.proposer.plan, plan);
        }
        found
    }

    /// Draws one name of every class for which plans are made.
    fn draw_names(&mut self, at: &mut AtHook<'_, '_>, is_cutting: bool) {
        self.names.clear();
        let Some(model) = &at.setup.coverage_model else { return };
        for id in at.proposer.sampler.eligible() {
            let effects = &at.setup.tables.base(at.setup.classes.get(id).base).effects;
            if effects.delay || (is_cutting && effects.suspend.is_none()) {
                continue;
            }
            // A class may have no bin under this key. A plan that begins with its name is not started here: a refill has another
            // key.
            let names = at.distribution.names_of(id);
            let counts = |op: &OpId| model.pair(at.proposal.key_used, *op).is_some();
            let counting = || names.iter().map(|&(op, _)| op).filter(counts);
            let op = match counting().count() as u64 {
                0 => names.first().map(|&(op, _)| op),
                number => counting().nth(at.stream.below(number) as usize),
            };
            self.names.extend(op.map(|op| (op, id)));
        }
    }
}
