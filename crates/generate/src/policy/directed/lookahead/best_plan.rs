//! Looks for the plan that leads to the most uncovered bins.
//!
//! Makes plans for the names that may start, carries each out on a copy of the die's lasting state, and scores it by the
//! uncovered bins of the names that could start afterwards. The policy hands the best plan in, and the device judges it like any
//! other.

use nandseq_device::{Rule, Tables};
use nandseq_profile::{BaseId, OpId, PlaneSet};

use super::scorer::{ScoreScratch, Scorer};
use crate::kernel::Step;
use crate::policy::at_hook::AtHook;
use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::directed::discounts::Discounts;
use crate::policy::directed::hooks::{alone, alone_to_compare};
use crate::proposal::Preference;
use crate::random::{RandomNumbers, Stream};
use crate::reporting::RefusalReason;
use crate::setup::ClassId;
use crate::setup::consequences::becomes_op_state;

/// How many plans are made for a name that chains may follow.
const PLANS: usize = 4;

/// Looks for the best of several plans. Kept, so that looking allocates nothing.
#[derive(Clone, Default, Debug)]
pub(in crate::policy::directed) struct Lookahead {
    names: Vec<(OpId, ClassId)>,
    classes: Vec<ClassId>,
    best: Vec<Step>,
    kinds: PlanKinds,
    scratch: ScoreScratch,
}

/// The kinds of the plans of a name that were scored: plans of the same bases on the same planes score nearly the same, so that one of
/// them stands for all.
#[derive(Clone, Default, Debug)]
struct PlanKinds {
    /// One after the other: the planes and bases of their operations.
    all: Vec<(PlaneSet, BaseId)>,
    /// Where each begins.
    starts: Vec<usize>,
}

impl PlanKinds {
    fn clear(&mut self) {
        self.all.clear();
        self.starts.clear();
    }

    /// Whether no plan of this kind came before.
    fn is_new(&mut self, tables: &Tables, plan: &[Step]) -> bool {
        let start = self.all.len();
        self.all.extend(plan.iter().map(|step| (step.place.planes, tables.op(step.op).base)));
        let (before, own) = self.all.split_at(start);
        let ends = self.starts.iter().skip(1).chain(std::iter::once(&start));
        let is_new = !self.starts.iter().zip(ends).any(|(&from, &to)| before[from..to] == *own);
        if is_new {
            self.starts.push(start);
        } else {
            self.all.truncate(start);
        }
        is_new
    }
}

impl Lookahead {
    /// Forgets which class was the best: the order in which classes are looked at follows from the run alone.
    pub(in crate::policy::directed) fn forget(&mut self) {
        self.scratch.promising = None;
    }

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
        self.kinds.clear();
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { at.plan(name, preference) };
            let (Ok(verdict), Some(scorer)) = (verdict, Scorer::new(at, counts, discounts)) else { continue };
            if !self.kinds.is_new(&setup.tables, &at.proposer.plan) {
                continue;
            }
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
        let Self { names, best: plan, kinds, scratch, .. } = self;
        let scorer = Scorer::new(at, counts, discounts)?;
        scorer.prepare(scratch, !is_cutting);
        let mut best = if is_cutting { scorer.score(scratch, &[], false).rate } else { 0 };
        let (mut found, mut equal) = (None, 1);
        for &(op, id) in &*names {
            let base = setup.classes.get(id).base;
            let preference = Preference { alone: alone_to_compare(setup, base), ..Preference::NONE };
            kinds.clear();
            for _ in 0..setup.follow_ups[base.index()].choices.len().min(PLANS) {
                let is_possible = matches!(at.plan((op, id), preference), Ok(Ok(())));
                if !is_possible || !kinds.is_new(&setup.tables, &at.proposer.plan) {
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

    /// Draws one name of every kind of class for which plans are made. Plans of classes that differ in cell type alone lead to much the
    /// same, so that one of them, drawn at random, stands for all.
    fn draw_names(&mut self, at: &mut AtHook<'_, '_>, is_cutting: bool) {
        self.names.clear();
        let Some(model) = &at.setup.coverage_model else { return };
        let kind = |id: ClassId| {
            let class = at.setup.classes.get(id);
            (class.base, class.multi)
        };
        // A class may have no bin under this key. A plan that begins with its name is not started here: a refill has another key.
        let counting = |id: ClassId| {
            let names = at.distribution.names_of(id).iter().map(|&(op, _)| op);
            names.filter(|op| model.pair(at.proposal.key_used, *op).is_some())
        };
        self.classes.clear();
        self.classes.extend(at.proposer.sampler.eligible());
        for alike in self.classes.chunk_by(|&a, &b| kind(a) == kind(b)) {
            let effects = &at.setup.tables.base(kind(alike[0]).0).effects;
            if effects.delay || (is_cutting && effects.suspend.is_none()) {
                continue;
            }
            let with_bin = || alike.iter().copied().filter(|&id| counting(id).next().is_some());
            let id = match with_bin().count() {
                0 => draw_one(alike.iter().copied(), alike.len(), at.stream),
                number => draw_one(with_bin(), number, at.stream),
            };
            let Some(id) = id else { continue };
            let op = match counting(id).count() {
                0 => at.distribution.names_of(id).first().map(|&(op, _)| op),
                number => draw_one(counting(id), number, at.stream),
            };
            self.names.extend(op.map(|op| (op, id)));
        }
    }
}

/// Draws one of `number` items, each as likely as any other.
fn draw_one<T>(mut items: impl Iterator<Item = T>, number: usize, stream: &mut Stream) -> Option<T> {
    items.nth(if number > 1 { stream.below(number as u64) as usize } else { 0 })
}

#[cfg(test)]
mod tests {
    use nandseq_device::Place;
    use nandseq_profile::{Die, builtin};

    use super::*;

    #[test]
    fn plans_of_one_kind_have_the_same_bases_on_the_same_planes() {
        let profile = builtin::profile();
        let tables = Tables::new(&profile);
        let mut ops = tables.ops().map(|(op, info)| (op, info.base));
        let (first, base) = ops.next().expect("it has names");
        let (other, _) = ops.find(|&(_, other)| other != base).expect("it has bases");
        let step = |op, planes, page| Step {
            op,
            place: Place { planes: PlaneSet(planes), page: nandseq_profile::Page(page), ..Place::die(Die(0)) },
        };
        let mut kinds = PlanKinds::default();
        assert!(kinds.is_new(&tables, &[step(first, 1, 0)]));
        assert!(!kinds.is_new(&tables, &[step(first, 1, 9)]));
        assert!(kinds.is_new(&tables, &[step(first, 2, 0)]));
        assert!(kinds.is_new(&tables, &[step(first, 1, 0), step(other, 1, 0)]));
        assert!(!kinds.is_new(&tables, &[step(first, 1, 3), step(other, 1, 4)]));
        assert!(kinds.is_new(&tables, &[step(other, 1, 0)]));
        assert!(!kinds.is_new(&tables, &[step(first, 2, 0)]));
        kinds.clear();
        assert!(kinds.is_new(&tables, &[step(first, 2, 0)]));
    }
}
