//! The directed policy: draws names with uncovered bins more often, and places further hooks where bins are uncovered.
//!
//! At a hook that plain generation has too, every eligible name keeps a floor, a share of its own weight: each name that plain
//! generation can draw can still be drawn. The names with an uncovered bin at the hook together weigh as much as all names. If
//! there are none, proposing nothing weighs as much. If no die has anything worth waiting for, the weights are the plain ones. At
//! a further hook only names with an uncovered bin are drawn; if there are none, a plan that leads to uncovered bins is looked
//! for. Only the weights and the places of hooks differ from plain generation. All numbers are whole: the same state draws the
//! same. `docs/closure.md` has the arithmetic.

mod choices;
mod discounts;
mod hooks;
mod lookahead;

use nandseq_device::{BaseInfo, Reach};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{PlaneSet, Ticks};
use nandseq_trace::Proposal;

use choices::{Proposed, WeightedChoices};
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

/// Where the only uncovered names would cut the operation in CORE_BUSY, but its END has uncovered bins too, one hook in this many
/// cuts it.
const SPARING: u64 = 6;

/// The memory of a directed site within a run. The hits are kept apart: they outlast the run.
#[derive(Debug)]
pub(crate) struct Directed {
    hooks: FurtherHooks,
    pub(super) discounts: Discounts,
    choices: WeightedChoices,
    lookahead: Lookahead,
}

impl Directed {
    /// A memory of nothing.
    pub(super) fn new(model: &CoverageModel, dies: usize) -> Self {
        Self {
            hooks: FurtherHooks::new(dies),
            discounts: Discounts::new(model),
            choices: WeightedChoices::default(),
            lookahead: Lookahead::default(),
        }
    }

    /// Forgets everything: a run depends on the hits before it alone.
    pub(super) fn forget(&mut self) {
        self.hooks.forget();
        self.discounts.forget();
        self.lookahead.forget();
    }

    /// Draws names until one starts. If none does, places another hook where that may help. Returns whether the proposer's plan
    /// is to start now.
    pub(super) fn propose(&mut self, at: &mut AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let (die, kind) = (usize::from(at.proposal.die.0), at.kind);
        // While the bus is taken, only a name with an uncovered bin may wait for it.
        let waits = kind == HookKind::Extra && at.kernel.device.bus_free() > at.proposal.time;
        let found = self.weigh(at, counts);
        if !waits && !found && kind == HookKind::Extra {
            self.hooks.dies[die].tried.insert(at.proposal.plane);
            // Another plane of the die may have uncovered bins.
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
            let Some(choice) = self.choices.draw(at.distribution, at.stream) else { return false };
            let Proposed::Name(op, class) = choice.proposed else { return false };
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

    /// When no name with an uncovered bin can start on a die: hands in the plan that leads to the most uncovered bins per
    /// operation. Returns whether it is to start now.
    fn seek(&mut self, at: &mut AtHook<'_, '_>, counts: &CoverageCounts) -> bool {
        let die = at.proposal.die;
        // A chain under way goes on by itself; only a suspended one needs something to start.
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

    /// Fills the choices with the eligible names. Returns whether one of them has an uncovered bin.
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
        // Plain generation does not have the further hooks: names keep no floor there.
        self.choices.clear(kind != HookKind::Extra);
        let uncovered = counts.uncovered_classes(key);
        for id in at.proposer.sampler.eligible() {
            if !uncovered[id.chunk()].contains(id) {
                self.choices.put_class(id, at.distribution.mass(id));
                continue;
            }
            let class = at.setup.classes.get(id);
            let info = tables.base(class.base);
            for &(op, weight) in at.distribution.names_of(id) {
                let on_bus = tables.op(op).bus > Ticks::ZERO;
                let starts = !on_bus || (is_first && (is_patient || info.instant));
                let is_uncovered = starts && counts.is_uncovered(model, key, op, time_bins[usize::from(on_bus)]);
                let wish = if is_uncovered { preference(info, class.multi) } else { 0 };
                only_cuts &= !is_uncovered || info.effects.cuts();
                wishes += wish;
                self.choices.put((op, id), weight, wish);
            }
        }
        if self.hooks.is_lost(proposal.die, wishes == 0) && kind != HookKind::Extra {
            // No die has anything to wait for: the weights are the plain ones.
            self.choices.restore_weights(at.distribution);
        } else if wishes == 0 && kind != HookKind::Extra {
            self.choices.put_nothing(self.choices.mass(), 0);
        } else if wishes > 0 && only_cuts && spares(counts, proposal) {
            self.choices.put_nothing(0, wishes * (SPARING - 1));
        }
        wishes > 0
    }
}

/// Whether the operation in CORE_BUSY on the hook's plane has uncovered bins under its END.
fn spares(counts: &CoverageCounts, proposal: &Proposal) -> bool {
    proposal.state.phase == Some(PhaseKind::CoreBusy) && counts.uncovered_under(proposal.state.of) > 0
}

/// The wish of a name with an uncovered bin: the less the operation changes, the larger, so that the state stays for other names.
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
