//! The policy that goes for uncovered bins: what is drawn at a hook, and where further hooks come.
//!
//! At a hook that plain generation has too, every eligible name keeps a floor, a share of its own weight, so that whatever can be
//! drawn there still can. What is uncovered here shares as much as all names together have; so does proposing nothing where nothing
//! is uncovered. Where nothing is worth going for either, the weights are the plain ones. A further hook knows what is uncovered, or
//! else, on an idle die, what leads to it. Nothing but weights and places of hooks differs from plain generation. Whole numbers
//! only: the same state draws the same. `docs/closure.md` has the arithmetic.

mod choices;
mod discounts;
mod hooks;
mod lookahead;

use nandseq_device::{BaseInfo, Reach};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{PlaneSet, Ticks};
use nandseq_trace::Proposal;

use choices::{Choice, WeightedChoices};
use discounts::Discounts;
use hooks::FurtherHooks;
pub(super) use hooks::{alone, place_in_phases};
use lookahead::Lookahead;

use super::at_hook::{AtHook, HookKind, WhenToStart};
use super::coverage_counts::CoverageCounts;
use crate::kernel::Kernel;
use crate::proposal::Preference;
use crate::random::Stream;
use crate::setup::Setup;
use crate::setup::coverage_model::CoverageModel;

/// The floor of a name is its weight shifted right by this many bits.
const FLOOR: u32 = 10;
/// Of so many hooks at which only a cut is uncovered, one cuts what has more to give at its own end.
const SPARING: u64 = 6;

/// What a directed site remembers within a run; the hits are kept apart, because they last.
#[derive(Debug)]
pub(crate) struct Directed {
    hooks: FurtherHooks,
    pub(super) discounts: Discounts,
    choices: WeightedChoices,
    lookahead: Lookahead,
}

impl Directed {
    /// Nothing was tried yet.
    pub(super) fn new(model: &CoverageModel, dies: usize) -> Self {
        Self {
            hooks: FurtherHooks::new(dies),
            discounts: Discounts::new(model),
            choices: WeightedChoices::default(),
            lookahead: Lookahead::default(),
        }
    }

    /// Forgets what was tried in vain: a run depends on the hits before it alone.
    pub(super) fn forget(&mut self) {
        self.hooks.forget();
        self.discounts.forget();
    }

    /// Draws names until one starts, and lets another hook follow where none does and that helps; returns whether the proposer's plan is to
    /// start now.
    pub(super) fn propose(&mut self, at: &mut AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let (die, kind) = (usize::from(at.proposal.die.0), at.kind);
        // While the bus is taken, only what is uncovered may wait for it.
        let waits = kind == HookKind::Extra && at.kernel.device.bus_free() > at.proposal.time;
        let found = self.weigh(at, counts);
        if !waits && !found && kind == HookKind::Extra {
            self.hooks.dies[die].tried.insert(at.proposal.plane);
            // Perhaps another plane of the die has something that is uncovered.
            if self.hooks.follow((at.setup, at.kernel), counts, at.proposal, at.stream) {
                return false;
            }
        }
        let mut starts = (found || kind != HookKind::Extra) && self.draw(at, counts);
        let seeks = match kind {
            HookKind::Extra => true,
            HookKind::Refill => self.hooks.dies[die].sought,
            HookKind::Phase => false,
        };
        if !(starts || waits || found) && seeks {
            starts = self.seek(at, counts);
        }
        if !starts {
            self.hooks.go_on((at.setup, at.kernel), counts, at.proposal, (kind, waits), at.stream);
        }
        starts
    }

    /// A proposal has started.
    pub(super) fn after_start(
        &mut self,
        parts: (&Setup, &mut Kernel<'_>),
        counts: &CoverageCounts,
        proposal: &Proposal,
        stream: &mut Stream,
    ) {
        let memory = &mut self.hooks.dies[usize::from(proposal.die.0)];
        (memory.tried, memory.sought) = (PlaneSet::EMPTY, false);
        self.hooks.follow(parts, counts, proposal, stream);
    }

    /// Draws from the choices until a name may start now; returns whether one may.
    fn draw(&mut self, at: &mut AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let setup = at.setup;
        for _ in 0..setup.max_tries {
            let Some(choice) = self.choices.draw(at.stream) else { return false };
            let Some((op, class)) = choice.name else { return false };
            let base = setup.classes.get(class).base;
            if setup.tables.base(base).effects.delay {
                return false;
            }
            let planned = match choice.wish {
                0 => at.plan((op, class), Preference { alone: alone(setup, counts, base), ..Preference::NONE }),
                _ => self.lookahead.plan_well(at, counts, &self.discounts, (op, class)),
            };
            match planned.and_then(|verdict| at.hand_in(verdict)) {
                Ok(WhenToStart::Now) => return true,
                Ok(WhenToStart::WhenBusIsFree) => return false,
                Err(reason) => at.refuse(op, reason),
            }
        }
        false
    }

    /// Where nothing uncovered can start on a die: hands in the plan that leads to most of what is uncovered for each of its
    /// operations. Returns whether it may start.
    fn seek(&mut self, at: &mut AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let die = at.proposal.die;
        // A chain that is suspended goes on only if something starts.
        if at.kernel.waiting_chains(die).next().is_some() {
            return false;
        }
        let is_cutting = match at.proposal.state.phase {
            None if !at.kernel.device.occupied(die).is_empty() => return false,
            Some(PhaseKind::Issue | PhaseKind::DataIn | PhaseKind::DataOut) => return false,
            Some(PhaseKind::CoreBusy) => true,
            None => false,
        };
        let best = self.lookahead.plan_best(at, counts, &self.discounts, is_cutting);
        let memory = &mut self.hooks.dies[usize::from(die.0)];
        memory.sought |= !is_cutting && best.is_none();
        if at.kind == HookKind::Refill && !is_cutting {
            memory.lost = best.is_none();
        }
        let Some(promise) = best else { return false };
        self.discounts.steer(at.setup.tables.op(at.proposer.plan[0].op).base, promise);
        matches!(at.hand_in(Ok(())), Ok(WhenToStart::Now))
    }

    /// Fills the choices with what is eligible; returns whether something is uncovered here.
    fn weigh(&mut self, at: &AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let Some(model) = &at.setup.coverage_model else { return false };
        let tables = &at.setup.tables;
        let (kind, proposal) = (at.kind, at.proposal);
        let (key, now) = (proposal.key_used, proposal.time);
        let free = now.max(at.kernel.device.bus_free()).ceil_to(tables.grid);
        let time_bins = [model.time_bin(key, &proposal.state, now), model.time_bin(key, &proposal.state, free)];
        let is_patient = free <= now + at.setup.admission_window;
        let is_first = free <= now.ceil_to(tables.grid) || at.kernel.waiting.is_empty();
        let (mut wishes, mut only_cuts) = (0, true);
        self.choices.clear();
        for id in at.proposer.sampler.eligible() {
            let class = at.setup.classes.get(id);
            let info = tables.base(class.base);
            for &(op, weight) in at.distribution.names_of(id) {
                let on_bus = tables.op(op).bus > Ticks::ZERO;
                let starts = !on_bus || (is_first && (is_patient || info.instant));
                let is_uncovered = starts && counts.is_uncovered(model, key, op, time_bins[usize::from(on_bus)]);
                let wish = if is_uncovered { preference(info, class.multi) } else { 0 };
                only_cuts &= !is_uncovered || info.effects.cuts();
                wishes += wish;
                // A further hook is none of plain generation's.
                let floor = if kind == HookKind::Extra { 0 } else { (weight >> FLOOR).max(1) };
                self.choices.put(Choice { name: Some((op, id)), floor, wish }, weight);
            }
        }
        if self.hooks.is_lost(proposal.die, wishes == 0) && kind != HookKind::Extra {
            // Nothing is worth waiting for.
            self.choices.restore_weights(at.distribution);
        } else if wishes == 0 && kind != HookKind::Extra {
            self.choices.put_nothing(self.choices.mass(), 0);
        } else if wishes > 0 && only_cuts && spares(counts, proposal) {
            self.choices.put_nothing(0, wishes * (SPARING - 1));
        }
        wishes > 0
    }
}

/// Whether what is in CORE_BUSY on the hook's plane leads to an end that is uncovered.
fn spares(counts: &CoverageCounts, proposal: &Proposal) -> bool {
    proposal.state.phase == Some(PhaseKind::CoreBusy) && counts.uncovered_under(proposal.state.of) > 0
}

/// What changes nothing goes first: it leaves the state to others.
const fn preference(info: &BaseInfo, multi: bool) -> u64 {
    match (info.affects_state, info.reach) {
        (false, _) => 256,
        (true, Reach::Planes) if multi => 8,
        (true, Reach::Planes) => 32,
        (true, Reach::Die) => 2,
        (true, Reach::Target) => 1,
    }
}

#[cfg(test)]
mod tests;
