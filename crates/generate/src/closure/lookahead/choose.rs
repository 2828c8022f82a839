//! Going for what lacks hits where nothing that does can start: plans are made for what may start, carried out on a copy of the
//! die's lasting state, and valued by what the states that they lead to let in. The best one starts, if the judge agrees.

use nandseq_device::Rule;
use nandseq_profile::OpId;
use nandseq_profile::model::PhaseKind;
use nandseq_trace::Proposal;

use super::Tally;
use super::outlook::shows;
use super::prospect::{Chart, Lookout};
use crate::chain::Step;
use crate::classes::ClassId;
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
pub(crate) struct Helm {
    names: Vec<(OpId, ClassId)>,
    best: Vec<Step>,
    chart: Chart,
}

impl Site<'_> {
    /// Starts the plan that leads to most of what lacks hits for each of its operations. Returns whether one started.
    pub(super) fn steer(
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
        let Some(mut tally) = self.tally.take() else { return false };
        let mut helm = std::mem::take(&mut tally.helm);
        let best = self.best_plan(&tally, &mut helm, (view, proposal, cutting), distribution, stream);
        tally.sought[usize::from(die.0)] |= !cutting && best.is_none();
        if kind == HookKind::Refill && !cutting {
            tally.lost[usize::from(die.0)] = best.is_none();
        }
        let mut starts = false;
        if let Some(promise) = best {
            if let Some(class) = promise {
                tally.promised[class.index()] += 1;
            }
            let base = self.setup.tables.op(helm.best[0].op).base;
            tally.steered[base.index()] += 1;
            std::mem::swap(&mut self.plan, &mut helm.best);
            starts = matches!(self.try_plan(Ok(()), proposal), Ok(Start::Now));
        }
        tally.helm = helm;
        self.tally = Some(tally);
        starts
    }

    /// Plans a name that lacks hits as [`Site::plan_name`] does: of a few plans the one that leads to most else for its operations.
    pub(super) fn plan_well(
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
        let Some(mut tally) = self.tally.take() else { return Ok(verdict) };
        let mut helm = std::mem::take(&mut tally.helm);
        let at = (proposal.die, proposal.time);
        if let Some(lookout) = Lookout::new(self, &tally, at) {
            lookout.prepare(&mut helm.chart, false);
        }
        let mut best: Option<(Result<(), Rule>, u64)> = None;
        for tried in 0..PLANS {
            let verdict = if tried == 0 { Ok(verdict) } else { self.plan_name(view, name, proposal, stream) };
            let (Ok(verdict), Some(lookout)) = (verdict, Lookout::new(self, &tally, at)) else { continue };
            let worth = lookout.worth(&mut helm.chart, &self.plan, true).rate;
            if best.is_none_or(|(_, best)| worth > best) {
                best = Some((verdict, worth));
                helm.best.clone_from(&self.plan);
            }
        }
        std::mem::swap(&mut self.plan, &mut helm.best);
        tally.helm = helm;
        self.tally = Some(tally);
        Ok(best.map_or(verdict, |(verdict, _)| verdict))
    }

    /// Makes plans, and keeps the best in `helm.best`; returns what it promises.
    fn best_plan(
        &mut self,
        tally: &Tally,
        helm: &mut Helm,
        (view, proposal, cutting): (&View, &Proposal, bool),
        distribution: &Distribution,
        stream: &mut Stream,
    ) -> Option<Option<ClassId>> {
        let setup = self.setup;
        let goal = setup.goal.as_ref()?;
        let at = (proposal.die, proposal.time);
        self.names_to_plan(helm, (proposal, cutting), distribution, stream);
        let Helm { names, best: plan, chart } = helm;
        let lookout = Lookout::new(self, tally, at)?;
        lookout.prepare(chart, !cutting);
        let mut best = if cutting { lookout.worth(chart, &[], false).rate } else { 0 };
        let (mut found, mut equal) = (None, 1);
        for &(op, id) in &*names {
            let base = setup.classes.get(id).base;
            for _ in 0..setup.follow_ups[base.index()].choices.len().min(PLANS) {
                if !matches!(self.plan_name(view, (op, id), proposal, stream), Ok(Ok(()))) {
                    continue;
                }
                let worth = Lookout::new(self, tally, at)?.worth(chart, &self.plan, false);
                let rate = worth.rate / tally.tiredness(base);
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
        helm: &mut Helm,
        (proposal, cutting): (&Proposal, bool),
        distribution: &Distribution,
        stream: &mut Stream,
    ) {
        helm.names.clear();
        let Some(goal) = &self.setup.goal else { return };
        for id in self.lottery.eligible() {
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
            helm.names.extend(op.map(|op| (op, id)));
        }
    }
}
