//! What is drawn at a hook of a directed site.
//!
//! At a hook that plain generation has too, every eligible name keeps a floor, a share of its own weight, so that whatever can be
//! drawn there still can. What lacks hits here shares as much as all names together have; so does proposing nothing where nothing
//! lacks hits. Where nothing is worth going for either, the weights are the plain ones. A further hook knows what lacks hits, or else, on an idle die, what leads to it.

use nandseq_device::{BaseInfo, Reach};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, OpId, PlaneSet, Ticks};
use nandseq_trace::{Proposal, Sink};

use super::CoverageCounts;
use crate::classes::ClassId;
use crate::eligible::View;
use crate::philox::Stream;
use crate::propose::{HookKind, Start};
use crate::setup::Distribution;
use crate::site::Site;

/// The floor of a name is its weight shifted right by this many bits.
const FLOOR: u32 = 10;
/// Of so many hooks at which only a cut lacks hits, one cuts what has more to give at its own end.
const SPARING: u64 = 6;

/// A name that may be drawn, or nothing.
#[derive(Clone, Copy, Debug)]
struct Choice {
    name: Option<(OpId, ClassId)>,
    floor: u64,
    wish: u64,
}

/// The choices of a proposal. Kept by the counts, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct WeightedChoices {
    choices: Vec<Choice>,
    /// What all eligible names weigh together.
    mass: u64,
}

impl WeightedChoices {
    /// What may be drawn, with its weight.
    #[cfg(test)]
    pub(super) fn weights(&self) -> impl Iterator<Item = (OpId, u64)> + '_ {
        let name = |choice: &Choice| Some((choice.name?.0, choice.floor.max(choice.wish)));
        self.choices.iter().filter_map(name)
    }

    /// Gives every name its own weight again; the choices are in the order of classes, each with all its names.
    fn restore_weights(&mut self, distribution: &Distribution) {
        for choices in
            self.choices.chunk_by_mut(|a, b| a.name.map(|(_, class)| class) == b.name.map(|(_, class)| class))
        {
            let Some((_, class)) = choices[0].name else { continue };
            for (choice, &(_, weight)) in choices.iter_mut().zip(distribution.names_of(class)) {
                choice.floor = weight;
            }
        }
    }

    /// Draws and takes out; wishes together weigh as much as all names.
    fn draw(&mut self, stream: &mut Stream) -> Option<Choice> {
        let wishes: u128 = self.choices.iter().map(|choice| u128::from(choice.wish)).sum();
        let mass = u128::from(self.mass.max(1));
        let weight = |choice: &Choice| match choice.wish {
            0 => choice.floor,
            wish => choice.floor.max((mass * u128::from(wish) / wishes).max(1) as u64),
        };
        let total: u64 = self.choices.iter().map(weight).sum();
        if total == 0 {
            return None;
        }
        let mut at = stream.below(total);
        let drawn = self.choices.iter().position(|choice| {
            let here = at < weight(choice);
            at = at.wrapping_sub(weight(choice));
            here
        })?;
        Some(self.choices.swap_remove(drawn))
    }
}

impl Site<'_> {
    /// Draws names until one starts, as [`Site::propose`] does, and lets another hook follow where that helps.
    pub(crate) fn propose_directed(
        &mut self,
        view: &View,
        proposal: &Proposal,
        kind: HookKind,
        distribution: &Distribution,
        stream: &mut Stream,
        sink: &mut dyn Sink,
    ) {
        let Some(mut counts) = self.counts.take() else { return };
        // While the bus is taken, only what lacks hits may wait for it.
        let waits = kind == HookKind::Extra && self.device.bus_free() > proposal.time;
        let found = self.weigh(&mut counts, proposal, kind, distribution);
        if !waits && !found && kind == HookKind::Extra {
            counts.tried[usize::from(proposal.die.0)].insert(proposal.plane);
            // Perhaps another plane of the die has something that lacks hits.
            if self.follow(&mut counts, proposal, stream) {
                self.counts = Some(counts);
                return;
            }
        }
        self.counts = Some(counts);
        let mut starts = (found || kind != HookKind::Extra) && self.draw_choice(view, proposal, stream, sink);
        let seeks = match kind {
            HookKind::Extra => true,
            HookKind::Refill => self.has_sought(proposal.die),
            HookKind::Phase => false,
        };
        if !(starts || waits || found) && seeks {
            starts = self.steer((view, proposal, kind), distribution, stream);
        }
        if starts {
            self.begin(*proposal, proposal.time, sink);
        }
        let Some(mut counts) = self.counts.take() else { return };
        if starts {
            counts.tried[usize::from(proposal.die.0)] = PlaneSet::EMPTY;
            counts.sought[usize::from(proposal.die.0)] = false;
            self.follow(&mut counts, proposal, stream);
        } else {
            self.go_on(&mut counts, proposal, (kind, waits), stream);
        }
        self.counts = Some(counts);
    }

    /// Whether further hooks have found nothing to start on a die since anything did.
    fn has_sought(&self, die: Die) -> bool {
        self.counts.as_ref().is_some_and(|counts| counts.sought[usize::from(die.0)])
    }

    /// Lets a hook follow one at which nothing has started.
    fn go_on(
        &mut self,
        counts: &mut CoverageCounts,
        proposal: &Proposal,
        (kind, waits): (HookKind, bool),
        stream: &mut Stream,
    ) {
        let tried = &mut counts.tried[usize::from(proposal.die.0)];
        match kind {
            HookKind::Extra if !waits => tried.insert(proposal.plane),
            HookKind::Refill => *tried = PlaneSet::EMPTY,
            HookKind::Extra | HookKind::Phase => {}
        }
        let follows = self.follow(counts, proposal, stream);
        if kind == HookKind::Refill && !follows && proposal.state.phase.is_none() {
            // Nothing goes on by itself: something must lead on.
            self.push_extra(counts, proposal.die, proposal.plane, proposal.time);
        }
    }

    /// Draws from the choices until a name may start now; returns whether one may.
    fn draw_choice(&mut self, view: &View, proposal: &Proposal, stream: &mut Stream, sink: &mut dyn Sink) -> bool {
        let setup = self.setup;
        for _ in 0..setup.max_tries {
            let Some(counts) = &mut self.counts else { return false };
            let Some(choice) = counts.choices.draw(stream) else { return false };
            let Some((op, class)) = choice.name else { return false };
            let base = setup.classes.get(class).base;
            if setup.tables.base(base).effects.delay {
                return false;
            }
            let planned = match choice.wish {
                0 => self.plan_name(view, (op, class), proposal, stream),
                _ => self.plan_well(view, (op, class), proposal, stream),
            };
            match planned.and_then(|verdict| self.try_plan(verdict, proposal)) {
                Ok(Start::Now) => return true,
                Ok(Start::WhenBusIsFree) => return false,
                Err(reason) => self.refuse(proposal, op, reason, sink),
            }
        }
        false
    }

    /// Fills the choices with what is eligible; returns whether something lacks hits here.
    pub(super) fn weigh(
        &self,
        counts: &mut CoverageCounts,
        proposal: &Proposal,
        kind: HookKind,
        distribution: &Distribution,
    ) -> bool {
        let Some(goal) = &self.setup.goal else { return false };
        let tables = &self.setup.tables;
        let mut choices = std::mem::take(&mut counts.choices);
        choices.choices.clear();
        choices.mass = 0;
        let (key, now) = (proposal.key_used, proposal.time);
        let free = now.max(self.device.bus_free()).ceil_to(tables.grid);
        let bins = [goal.bin(key, &proposal.state, now), goal.bin(key, &proposal.state, free)];
        let patient = free <= now + self.setup.admission_window;
        let first = free <= now.ceil_to(tables.grid) || self.wait_queue.is_empty();
        let (mut wishes, mut only_cuts) = (0, true);
        for id in self.sampler.eligible() {
            let class = self.setup.classes.get(id);
            let info = tables.base(class.base);
            for &(op, weight) in distribution.names_of(id) {
                let on_bus = tables.op(op).bus > Ticks::ZERO;
                let starts = !on_bus || (first && (patient || info.instant));
                let lacks = starts && counts.lacks(goal, key, op, bins[usize::from(on_bus)]);
                let wish = if lacks { preference(info, class.multi) } else { 0 };
                only_cuts &= !lacks || info.effects.cuts();
                wishes += wish;
                choices.mass += weight;
                // A further hook is none of plain generation's.
                let floor = if kind == HookKind::Extra { 0 } else { (weight >> FLOOR).max(1) };
                choices.choices.push(Choice { name: Some((op, id)), floor, wish });
            }
        }
        let nothing = |floor, wish| Choice { name: None, floor, wish };
        counts.lost[usize::from(proposal.die.0)] &= wishes == 0;
        let lost = counts.lost[..usize::from(tables.size.dies)].iter().all(|lost| *lost);
        if lost && kind != HookKind::Extra {
            // Nothing is worth waiting for.
            choices.restore_weights(distribution);
        } else if wishes == 0 && kind != HookKind::Extra {
            choices.choices.push(nothing(choices.mass, 0));
        } else if wishes > 0 && only_cuts && spares(counts, proposal) {
            choices.choices.push(nothing(0, wishes * (SPARING - 1)));
        }
        counts.choices = choices;
        wishes > 0
    }
}

/// Whether what is in CORE_BUSY on the hook's plane leads to an end that lacks hits.
pub(super) fn spares(counts: &CoverageCounts, proposal: &Proposal) -> bool {
    proposal.state.phase == Some(PhaseKind::CoreBusy) && counts.missing_under(proposal.state.of) > 0
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
