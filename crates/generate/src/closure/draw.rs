//! What is drawn at a hook of a directed site.
//!
//! At a hook that plain generation has too, every eligible name keeps a floor, a share of its own weight, so that whatever can be
//! drawn there still can. What lacks hits here shares as much as all names together have; so does proposing nothing where nothing
//! lacks hits. A further hook knows what lacks hits, or else, on an idle die, what leads to it.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{OpId, Ticks};
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
        let mass = self.weigh(&mut tally, proposal, kind, distribution);
        let mut accepted = false;
        let busy = self.device.bus_free() > now;
        if busy && kind == HookKind::Extra {
            self.tally = Some(tally);
            return self.follow(proposal.die, now, &mut stream);
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
                    self.tally = Some(tally);
                    self.begin(*proposal, now, sink);
                    return self.follow(proposal.die, now, &mut stream);
                }
                Ok(Start::WhenBusIsFree) => {
                    accepted = true;
                    break;
                }
                Err(reason) => self.refuse(proposal, op, reason, sink),
            }
        }
        self.tally = Some(tally);
        if accepted || busy {
            self.follow(proposal.die, now, &mut stream);
        }
    }

    /// Fills the ballot; returns what all eligible names weigh together.
    fn weigh(&self, tally: &mut Tally, proposal: &Proposal, kind: HookKind, distribution: &Distribution) -> u64 {
        let Some(goal) = &self.setup.goal else { return 0 };
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
        for (base, kinds) in self.lottery.eligible() {
            let info = tables.base(base);
            for share in distribution.shares_of(base, kinds) {
                for &(op, weight) in distribution.names_of(share) {
                    mass += weight;
                    let on_bus = tables.op(op).bus > Ticks::ZERO;
                    let starts = !on_bus || (first && (patient || info.instant));
                    let lacks = starts && tally.lacks(goal, key, op, bins[usize::from(on_bus)]);
                    let wish = if lacks { preference(info) } else { 0 };
                    found |= lacks;
                    let floor = if kind == HookKind::Extra { 0 } else { (weight >> FLOOR).max(1) };
                    ballot.choices.push(Choice { name: Some((op, share.class)), floor, wish, steers: false });
                }
            }
        }
        if !found && kind == HookKind::Extra {
            self.steer(goal, tally, &mut ballot, proposal);
        } else if !found {
            ballot.choices.push(Choice { name: None, floor: mass.max(1), wish: 0, steers: false });
        }
        tally.ballot = ballot;
        mass
    }

    /// What must be exceeded to be worth starting on a die: `None` when nothing is to start there for what it leads to.
    fn worth_exceeding(&self, values: &[u64], proposal: &Proposal) -> Option<u64> {
        let (tables, die) = (&self.setup.tables, proposal.die);
        if self.chains.any_on(die) {
            return None;
        }
        let flights = self.device.flights().filter(|(_, flight)| {
            let info = tables.base(tables.op(flight.op).base);
            info.occupies && (flight.place.die == die || info.reach == nandseq_device::Reach::Target)
        });
        let values = flights.map(|(_, flight)| values[tables.op(flight.op).base.index()]);
        match proposal.state.phase {
            None if !self.device.occupied(die).is_empty() => None,
            Some(PhaseKind::DataIn | PhaseKind::DataOut) => None,
            None | Some(PhaseKind::Issue | PhaseKind::CoreBusy) => Some(values.max().unwrap_or(0)),
        }
    }

    /// Wishes for what leads to states that lack hits.
    fn steer(&self, goal: &Goal, tally: &Tally, ballot: &mut Ballot, proposal: &Proposal) {
        let values = goal.map.values(tally);
        let Some(least) = self.worth_exceeding(&values, proposal) else { return };
        let barriers = goal.map.barriers(&self.device, &self.setup.tables, proposal.die, proposal.plane);
        let behind = |forbidden: nandseq_profile::BaseSet| {
            let known = values.iter().enumerate().filter(|(at, _)| forbidden.0 >> at & 1 == 1);
            known.map(|(_, value)| *value).max().unwrap_or(0)
        };
        let opens = barriers.map(|(ends, forbidden)| (ends, behind(forbidden) / 2));
        let value_of = |class: &Class| {
            let opened = opens.iter().filter(|(ends, _)| ends.contains(class.base)).map(|(_, value)| *value);
            let tired = 1 + u64::from(tally.steered[class.base.index()]).pow(2) / 16;
            (opened.max().unwrap_or(0) / tired).max(values[class.base.index()])
        };
        let known =
            |choice: &&mut Choice| choice.name.is_some_and(|(op, _)| goal.pair(proposal.key_used, op).is_some());
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

/// What changes nothing goes first: it leaves the state to others.
fn preference(info: &nandseq_device::BaseInfo) -> u64 {
    match (info.affects_state, info.reach) {
        (false, _) => 256,
        (true, nandseq_device::Reach::Planes) => 16,
        (true, nandseq_device::Reach::Die) => 2,
        (true, nandseq_device::Reach::Target) => 1,
    }
}
