//! Going for what lacks hits where nothing that does can start: plans are made for what may start, carried out on a copy of the
//! die's lasting state, and valued by what the states that they lead to let in. The best one starts, if the judge agrees.

use nandseq_device::Rule;
use nandseq_profile::OpId;
use nandseq_profile::model::PhaseKind;
use nandseq_trace::Proposal;

use super::uncovered::shows;
use super::{ScoreScratch, Scorer};
use crate::chain::Step;
use crate::classes::ClassId;
use crate::closure::CoverageCounts;
use crate::eligible::View;
use crate::philox::Stream;
use crate::propose::{HookKind, Start};
use crate::reason::Reason;
use crate::setup::Distribution;
use crate::site::Site;

/// As many plans are made for a name that chains may follow.
const PLANS: usize = 4;

/// Memory of steering.
#[derive(Clone, Default, Debug)]
pub(crate) struct LookaheadScratch {
    names: Vec<(OpId, ClassId)>,
    best: Vec<Step>,
    scratch: ScoreScratch,
}

impl Site<'_> {
    /// Starts the plan that leads to most of what lacks hits for each of its operations. Returns whether one started.
    pub(in crate::closure) fn steer(
        &mut self,
        (view, proposal, kind): (&View, &Proposal, HookKind),
        distribution: &Distribution,
        stream: &mut Stream,
    ) -> bool {
        let die = proposal.die;
        // A chain that is suspended goes on only if something starts.
        if self.waiting_chains(die).next().is_some() {
            return false;
        }
        let cutting = match proposal.state.phase {
            None if !self.device.occupied(die).is_empty() => return false,
            Some(PhaseKind::Issue | PhaseKind::DataIn | PhaseKind::DataOut) => return false,
            Some(PhaseKind::CoreBusy) => true,
            None => false,
        };
        let Some(mut counts) = self.counts.take() else { return false };
        let mut lookahead = std::mem::take(&mut counts.lookahead);
        let best = self.best_plan(&counts, &mut lookahead, (view, proposal, cutting), distribution, stream);
        counts.sought[usize::from(die.0)] |= !cutting && best.is_none();
        if kind == HookKind::Refill && !cutting {
            counts.lost[usize::from(die.0)] = best.is_none();
        }
        let mut starts = false;
        if let Some(promise) = best {
            if let Some(class) = promise {
                counts.promised[class.index()] += 1;
            }
            let base = self.setup.tables.op(lookahead.best[0].op).base;
            counts.steered[base.index()] += 1;
            std::mem::swap(&mut self.plan, &mut lookahead.best);
            starts = matches!(self.try_plan(Ok(()), proposal), Ok(Start::Now));
        }
        counts.lookahead = lookahead;
        self.counts = Some(counts);
        starts
    }

    /// Plans a name that lacks hits as [`Site::plan_name`] does: of a few plans the one that leads to most else for its operations.
    pub(in crate::closure) fn plan_well(
        &mut self,
        view: &View,
        name: (OpId, ClassId),
        proposal: &Proposal,
        stream: &mut Stream,
    ) -> Result<Result<(), Rule>, Reason> {
        let setup = self.setup;
        let base = setup.classes.get(name.1).base;
        let choices = setup.follow_ups[base.index()].choices.len();
        let verdict = self.plan_name(view, name, proposal, stream)?;
        if choices == 1 && !shows(setup.tables.base(base)) {
            return Ok(verdict);
        }
        let Some(mut counts) = self.counts.take() else { return Ok(verdict) };
        let mut lookahead = std::mem::take(&mut counts.lookahead);
        let at = (proposal.die, proposal.time);
        if let Some(scorer) = Scorer::new(self, &counts, at) {
            scorer.prepare(&mut lookahead.scratch, false);
        }
        let mut best: Option<(Result<(), Rule>, u64)> = None;
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { self.plan_name(view, name, proposal, stream) };
            let (Ok(verdict), Some(scorer)) = (verdict, Scorer::new(self, &counts, at)) else { continue };
            let worth = scorer.worth(&mut lookahead.scratch, &self.plan, true).rate;
            if best.is_none_or(|(_, best)| worth > best) {
                best = Some((verdict, worth));
                lookahead.best.clone_from(&self.plan);
            }
        }
        std::mem::swap(&mut self.plan, &mut lookahead.best);
        counts.lookahead = lookahead;
        self.counts = Some(counts);
        Ok(best.map_or(verdict, |(verdict, _)| verdict))
    }

    /// Makes plans, and keeps the best in `lookahead.best`; returns the class that is to follow.
    fn best_plan(
        &mut self,
        counts: &CoverageCounts,
        lookahead: &mut LookaheadScratch,
        (view, proposal, cutting): (&View, &Proposal, bool),
        distribution: &Distribution,
        stream: &mut Stream,
    ) -> Option<Option<ClassId>> {
        let setup = self.setup;
        let goal = setup.goal.as_ref()?;
        let at = (proposal.die, proposal.time);
        self.names_to_plan(lookahead, (proposal, cutting), distribution, stream);
        let LookaheadScratch { names, best: plan, scratch } = lookahead;
        let scorer = Scorer::new(self, counts, at)?;
        scorer.prepare(scratch, !cutting);
        let mut best = if cutting { scorer.worth(scratch, &[], false).rate } else { 0 };
        let (mut found, mut equal) = (None, 1);
        for &(op, id) in &*names {
            let base = setup.classes.get(id).base;
            for _ in 0..setup.follow_ups[base.index()].choices.len().min(PLANS) {
                if !matches!(self.plan_name(view, (op, id), proposal, stream), Ok(Ok(()))) {
                    continue;
                }
                let worth = Scorer::new(self, counts, at)?.worth(scratch, &self.plan, false);
                let rate = worth.rate / counts.tiredness(base);
                equal = if rate == best { equal + 1 } else { equal };
                if rate > best || (rate == best && found.is_some() && stream.below(equal) == 0) {
                    equal = if rate > best { 1 } else { equal };
                    (best, found) = (rate, Some(worth.promise));
                    plan.clone_from(&self.plan);
                }
            }
        }
        found.filter(|_| goal.pair(proposal.key_used, plan[0].op).is_some())
    }

    /// A name of every class that may start and for which a plan is to be made.
    fn names_to_plan(
        &self,
        lookahead: &mut LookaheadScratch,
        (proposal, cutting): (&Proposal, bool),
        distribution: &Distribution,
        stream: &mut Stream,
    ) {
        lookahead.names.clear();
        let Some(goal) = &self.setup.goal else { return };
        for id in self.sampler.eligible() {
            let effects = &self.setup.tables.base(self.setup.classes.get(id).base).effects;
            if effects.delay || (cutting && effects.suspend.is_none()) {
                continue;
            }
            // A name that does not count under this key waits for a refill, which has another.
            let names = distribution.names_of(id);
            let counts = |op: &OpId| goal.pair(proposal.key_used, *op).is_some();
            let counting = || names.iter().map(|&(op, _)| op).filter(counts);
            let op = match counting().count() as u64 {
                0 => names.first().map(|&(op, _)| op),
                number => counting().nth(stream.below(number) as usize),
            };
            lookahead.names.extend(op.map(|op| (op, id)));
        }
    }
}
