//! What is drawn at a hook of a directed site.
//!
//! At a hook that plain generation has too, every eligible name keeps a floor, a share of its own weight, so that whatever can be
//! drawn there still can. What lacks hits here shares as much as all names together have; so does proposing nothing where nothing
//! lacks hits. A further hook knows what lacks hits, or else, on an idle die, what leads to it.

use nandseq_device::{BaseInfo, Reach};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseSet, OpId, PlaneSet, Ticks};
use nandseq_trace::{Proposal, Sink};

use super::{Goal, Tally};
use crate::eligible::View;
use crate::philox::Stream;
use crate::propose::{HookKind, Start};
use crate::setup::{Class, Distribution};
use crate::site::Site;

/// The floor of a name is its weight shifted right by this many bits.
const FLOOR: u32 = 6;

/// A name that may be drawn, or nothing.
#[derive(Clone, Copy, Debug)]
struct Choice {
    name: Option<(OpId, Class)>,
    floor: u64,
    wish: u64,
    /// Whether it is wished for what it leads to.
    steers: bool,
}

/// The choices of a proposal. Kept by the tally, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct Ballot {
    choices: Vec<Choice>,
}

impl Ballot {
    /// Makes wishes together weigh as much as `mass`, and draws.
    fn draw(&mut self, mass: u64, stream: &mut Stream) -> Option<Choice> {
        let wishes: u128 = self.choices.iter().map(|choice| u128::from(choice.wish)).sum();
        let weight = |choice: &Choice| match wishes {
            0 => choice.floor,
            _ if choice.wish == 0 => choice.floor,
            _ => choice.floor.max((u128::from(mass) * u128::from(choice.wish) / wishes).max(1) as u64),
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
        mut stream: Stream,
        sink: &mut dyn Sink,
    ) {
        let (setup, now) = (self.setup, proposal.time);
        let Some(mut tally) = self.tally.take() else { return };
        let at = usize::from(proposal.die.0);
        if self.device.bus_free() > now && kind == HookKind::Extra {
            self.tally = Some(tally);
            self.follow(proposal.die, now, &mut stream);
            return;
        }
        let (mass, found) = self.weigh(&mut tally, proposal, kind, distribution);
        if !found && kind == HookKind::Extra {
            if super::knob(2) > 0 { tally.tried[at].insert(proposal.plane); }
            self.tally = Some(tally);
            // Perhaps another plane of the die has something that lacks hits.
            if super::knob(2) > 0 && self.follow(proposal.die, now, &mut stream) {
                return;
            }
            let Some(back) = self.tally.take() else { return };
            tally = back;
            self.steer(&mut tally, proposal);
        }
        for _ in 0..setup.max_tries {
            let Some(choice) = tally.ballot.draw(mass, &mut stream) else { break };
            let Some((op, class)) = choice.name else { break };
            if choice.steers {
                tally.steered[class.base.index()] += 1;
            }
            if setup.tables.base(class.base).effects.delay {
                break;
            }
            match self.try_name(view, (op, &class), proposal, &mut stream) {
                Ok(Start::Now) => {
                    tally.tried[at] = PlaneSet::EMPTY;
                    self.tally = Some(tally);
                    self.begin(*proposal, now, sink);
                    self.follow(proposal.die, now, &mut stream);
                    return;
                }
                Ok(Start::WhenBusIsFree) => break,
                Err(reason) => self.refuse(proposal, op, reason, sink),
            }
        }
        self.tally = Some(tally);
        self.follow(proposal.die, now, &mut stream);
    }

    /// Fills the ballot; returns what all eligible names weigh together, and whether one of them lacks hits here.
    fn weigh(&self, tally: &mut Tally, proposal: &Proposal, kind: HookKind, distribution: &Distribution) -> (u64, bool) {
        let Some(goal) = &self.setup.goal else { return (0, false) };
        let tables = &self.setup.tables;
        let mut ballot = std::mem::take(&mut tally.ballot);
        ballot.choices.clear();
        let (key, now) = (proposal.key_used, proposal.time);
        let free = now.max(self.device.bus_free()).ceil_to(tables.grid);
        let bins = [goal.bin(key, &proposal.state, now), goal.bin(key, &proposal.state, free)];
        let patient = free <= now + self.setup.admission_window;
        let first = free == now.ceil_to(tables.grid) || self.bench.is_empty();
        let mut mass = 0u64;
        let mut found = false;
        let mut cuts = true;
        let spared = self.spares(tally, proposal);
        for (base, kinds) in self.lottery.eligible() {
            let info = tables.base(base);
            for share in distribution.shares_of(base, kinds) {
                for &(op, weight) in distribution.names_of(share) {
                    mass += weight;
                    let on_bus = tables.op(op).bus > Ticks::ZERO;
                    let starts = !on_bus || (first && (patient || info.instant));
                    let lacks = starts && tally.lacks(goal, key, op, bins[usize::from(on_bus)]);
                    let wish = if lacks { preference(info, share.class.multi) } else { 0 };
                    found |= lacks;
                    cuts &= !lacks || is_cut(info);
                    let floor = if kind == HookKind::Extra { 0 } else { (weight >> FLOOR).max(1) };
                    ballot.choices.push(Choice { name: Some((op, share.class)), floor, wish, steers: false });
                }
            }
        }
        if found && cuts && spared {
            // Its own end has much to give: most often it goes on.
            let wishes: u64 = ballot.choices.iter().map(|choice| choice.wish).sum();
            ballot.choices.push(Choice { name: None, floor: 0, wish: wishes * super::knob(6), steers: false });
        }
        if !found && kind != HookKind::Extra {
            ballot.choices.push(Choice { name: None, floor: mass.max(1), wish: 0, steers: false });
        }
        tally.ballot = ballot;
        (mass, found)
    }

    /// Whether what is in CORE_BUSY on the hook's plane leads to an end that lacks hits.
    fn spares(&self, tally: &Tally, proposal: &Proposal) -> bool {
        proposal.state.phase == Some(PhaseKind::CoreBusy) && tally.missing_under(proposal.state.of) > 0
    }

    /// What must be exceeded to be worth starting on a die: `None` when nothing is to start there for what it leads to.
    fn worth_exceeding(&self, values: &[u64], proposal: &Proposal) -> Option<u64> {
        let (tables, die) = (&self.setup.tables, proposal.die);
        if self.chains.any_on(die) {
            return None;
        }
        let flights = self.device.flights().filter(|(_, flight)| {
            let info = tables.base(tables.op(flight.op).base);
            info.occupies && (flight.place.die == die || info.reach == Reach::Target)
        });
        let values = flights.map(|(_, flight)| values[tables.op(flight.op).base.index()]);
        match proposal.state.phase {
            None if !self.device.occupied(die).is_empty() => None,
            Some(PhaseKind::DataIn | PhaseKind::DataOut) => None,
            None | Some(PhaseKind::Issue | PhaseKind::CoreBusy) => Some(values.max().unwrap_or(0)),
        }
    }

    /// Wishes for what leads to states that lack hits.
    fn steer(&self, tally: &mut Tally, proposal: &Proposal) {
        let Some(goal) = &self.setup.goal else { return };
        let mut ballot = std::mem::take(&mut tally.ballot);
        self.wish(goal, tally, &mut ballot, proposal);
        tally.ballot = ballot;
    }

    fn wish(&self, goal: &Goal, tally: &Tally, ballot: &mut Ballot, proposal: &Proposal) {
        let values = goal.map.values(tally);
        let Some(least) = self.worth_exceeding(&values, proposal) else { return };
        let barriers = goal.map.barriers(&self.device, &self.setup.tables, proposal.die, proposal.plane);
        let behind = |forbidden: BaseSet| {
            let known = values.iter().enumerate().filter(|(at, _)| forbidden.0 >> at & 1 == 1);
            known.map(|(_, value)| *value).max().unwrap_or(0)
        };
        let opens = barriers.map(|(ends, forbidden)| (ends, behind(forbidden) / 2));
        let value_of = |class: &Class| {
            let opened = opens.iter().filter(|(ends, _)| ends.contains(class.base)).map(|(_, value)| *value);
            let tired = 1 + u64::from(tally.steered[class.base.index()]).pow(2) / 16;
            let value = (opened.max().unwrap_or(0) / tired).max(values[class.base.index()]);
            if super::knob(1) == 0 { value } else { value * 16 / goal.map.cost(class.base) }
        };
        let busy = proposal.state.phase.is_some();
        // What is in flight ends by itself: a reset would win nothing.
        let resets = |class: &Class| {
            let effects = &self.setup.tables.base(class.base).effects;
            busy && (effects.reset_die || effects.reset_target)
        };
        let known = |choice: &&mut Choice| {
            let listed = |(op, class): (OpId, Class)| goal.pair(proposal.key_used, op).is_some() && !resets(&class);
            choice.name.is_some_and(listed)
        };
        let best = ballot.choices.iter_mut().filter(known).filter_map(|choice| choice.name);
        let best = best.map(|(_, class)| value_of(&class)).max().unwrap_or(0);
        if best <= least {
            return;
        }
        for choice in ballot.choices.iter_mut().filter(known) {
            let Some((_, class)) = choice.name else { continue };
            let value = value_of(&class);
            if value * 4 > best * 3 {
                let cost = if class.multi { 2 } else { 1 };
                choice.wish = (value / cost).max(1);
                choice.steers = true;
            }
        }
    }
}

/// Whether an operation ends others before their time.
const fn is_cut(info: &BaseInfo) -> bool {
    info.effects.suspend.is_some() || info.effects.reset_die || info.effects.reset_target
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
