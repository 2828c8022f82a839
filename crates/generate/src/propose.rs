//! A proposal: at a hook, for one plane, at one time.
//!
//! Reads the phase key, restricts its distribution to what no rule forbids now and has an address, draws names by weight without
//! replacement until one starts or the tries are used up. What fails leaves no trace but a count.

use nandseq_device::{Place, Rule};
use nandseq_profile::{Die, OpId, PhaseKey, Plane, Ticks};
use nandseq_trace::{Proposal, Sink};

use crate::chain::Step;
use crate::classes::ClassId;
use crate::eligible::View;
use crate::event_reporter::op_state;
use crate::philox::{Stream, StreamKind};
use crate::plan::{draw_place, expand};
use crate::queue::Event;
use crate::reason::Reason;
use crate::site::Site;

/// How many proposals may wait for the bus, per plane of the device. Hooks come from operations that hold the bus for
/// longer than what waits, so that only refills in quick succession can ever reach it.
const WAITERS_PER_PLANE: usize = 16;

/// How often a bootstrap draws an address anew that it has already reached.
const BOOTSTRAP_DRAWS: u32 = 16;

impl Site<'_> {
    /// Fills the queue again: proposes on the next plane of the round, and plans the next time.
    pub(crate) fn refill(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let lane = self.lane;
        self.lane = self.lane_after(lane);
        self.refills += 1;
        let next = (now + self.setup.refill_period).ceil_to(self.setup.tables.grid);
        self.queue.push(next, Event::Refill);
        if self.bootstrap.is_some() {
            let idle = self.device.flights().next().is_none();
            let lanes = self.round() as u32;
            self.bootstrap_after(|bootstrap, setup, _| !idle || bootstrap.waited(&setup.bootstrap, lanes));
        }
        self.propose(lane, HookKind::Refill, now, sink);
        if self.refills >= self.detector.next_look {
            self.look_for_dead_dies(now);
        }
    }

    /// Where a number of refills ends up in its round.
    pub(crate) fn lane_of(&self, refills: u64) -> (Die, Plane) {
        let planes = u64::from(self.setup.tables.size.planes);
        let lane = refills % self.round();
        (Die((lane / planes) as u8), Plane((lane % planes) as u8))
    }

    /// The lane after another in the round.
    pub(crate) const fn lane_after(&self, (die, plane): (Die, Plane)) -> (Die, Plane) {
        let size = &self.setup.tables.size;
        if plane.0 + 1 < size.planes {
            (die, Plane(plane.0 + 1))
        } else if die.0 + 1 < size.dies {
            (Die(die.0 + 1), Plane(0))
        } else {
            (Die(0), Plane(0))
        }
    }

    /// Proposes at a hook.
    pub(crate) fn propose(&mut self, lane: (Die, Plane), kind: HookKind, now: Ticks, sink: &mut dyn Sink) {
        if !self.proposing {
            return;
        }
        self.hooks += 1;
        let mut stream = Stream::new(self.key(), StreamKind::Hook, self.hooks);
        let (die, plane) = lane;
        let key_virtual = self.device.phase_key(die, plane, now);
        let is_idle = || self.device.is_idle(die, plane, now);
        let key = key_at(kind, is_idle, self.setup.refill_uses_end_key, key_virtual);
        let setup = self.setup;
        let distribution = match &self.bootstrap {
            Some(bootstrap) => setup.bootstrap.distribution(bootstrap.stage()),
            None => &setup.distributions[usize::from(setup.by_key[key.index()])],
        };
        let directed = self.is_directed();
        if !directed && distribution.draws_nothing(stream.first_block()) {
            return;
        }
        let state = op_state(self.device.plane_phase(die, plane, now));
        let proposal = Proposal { time: now, die, plane, key_used: key, key_virtual, state };
        let view = View { die, plane, chained: self.chains.any_on(die), rested: self.has_rested() };
        let Self { wait_queue, chains, device, sampler, constraints, .. } = self;
        let waiting = || wait_queue.waits_for_planes(chains, device, &setup.tables, (die, now));
        view.fill(sampler, distribution, constraints, (device, setup), now, waiting);
        if directed {
            return self.propose_directed(&view, &proposal, kind, distribution, &mut stream, sink);
        }
        for _ in 0..setup.max_tries {
            let Some((op, class)) = self.sampler.draw(distribution, &mut stream) else { return };
            if setup.tables.base(setup.classes.get(class).base).effects.delay {
                return;
            }
            match self.try_name(&view, (op, class), &proposal, &mut stream) {
                Ok(Start::Now) => return self.begin(proposal, now, sink),
                Ok(Start::WhenBusIsFree) => return,
                Err(reason) => self.refuse(&proposal, op, reason, sink),
            }
        }
    }

    /// Makes a plan for a drawn name and decides whether it starts.
    pub(crate) fn try_name(
        &mut self,
        view: &View,
        name: (OpId, ClassId),
        proposal: &Proposal,
        stream: &mut Stream,
    ) -> Result<Start, Reason> {
        let verdict = self.plan_name(view, name, proposal, stream)?;
        self.try_plan(verdict, proposal)
    }

    /// Plans a name with its chain; returns the rule in the way of its start, if that is the bus.
    pub(crate) fn plan_name(
        &mut self,
        view: &View,
        name: (OpId, ClassId),
        proposal: &Proposal,
        stream: &mut Stream,
    ) -> Result<Result<(), Rule>, Reason> {
        let setup = self.setup;
        let now = proposal.time;
        let place = self.draw_fresh_place(view, name, stream)?;
        let head = Step { op: name.0, place };
        let verdict = self.device.judge(&setup.tables, head.op, &head.place, now);
        if let Err(rule) = verdict
            && rule != Rule::Bus
        {
            return Err(Reason::Rule(rule));
        }
        self.plan.clear();
        self.plan.push(head);
        let alone = self.alone(setup.tables.op(head.op).base);
        expand(setup, &self.device, (&mut self.plan, &mut self.draft), (now, alone), stream)?;
        Ok(verdict)
    }

    /// Decides whether the plan starts.
    pub(crate) fn try_plan(&mut self, verdict: Result<(), Rule>, proposal: &Proposal) -> Result<Start, Reason> {
        let now = proposal.time;
        let plan = std::mem::take(&mut self.plan);
        let admitted = self.admit(&plan, now);
        self.plan = plan;
        admitted?;
        if verdict.is_ok() {
            return Ok(Start::Now);
        }
        self.wait_for_bus(self.plan[0].op, proposal)
    }

    /// Draws the targets of a name; in a bootstrap rather those that it has not reached.
    fn draw_fresh_place(&self, view: &View, name: (OpId, ClassId), stream: &mut Stream) -> Result<Place, Reason> {
        let mut place = draw_place(self.setup, (&self.device, &self.constraints), view, name, stream)?;
        let Some(bootstrap) = &self.bootstrap else { return Ok(place) };
        for _ in 0..BOOTSTRAP_DRAWS {
            if !bootstrap.has_reached(&self.setup.tables, &place) {
                break;
            }
            place = draw_place(self.setup, (&self.device, &self.constraints), view, name, stream)?;
        }
        Ok(place)
    }

    /// Lets the plan wait if the bus frees in time.
    fn wait_for_bus(&mut self, op: OpId, proposal: &Proposal) -> Result<Start, Reason> {
        let (setup, now) = (self.setup, proposal.time);
        let instant = setup.tables.base(setup.tables.op(op).base).instant;
        let free = self.device.bus_free();
        let deadline = if instant { Ticks(u64::MAX) } else { now + setup.admission_window };
        let lanes = usize::from(setup.tables.size.dies) * usize::from(setup.tables.size.planes);
        if free > deadline || self.wait_queue.waiters.len() >= lanes * WAITERS_PER_PLANE {
            return Err(Reason::BusWindow);
        }
        self.wait_queue.wait(&self.plan, *proposal, deadline);
        self.wake_at(free);
        Ok(Start::WhenBusIsFree)
    }
}

/// What lets a proposal come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum HookKind {
    /// An operation's phase.
    Phase,
    /// The queue is filled again.
    Refill,
    /// A directed site wants it.
    Extra,
}

/// The key whose distribution a hook draws from; `of_plane` is that of its plane.
#[inline]
pub(crate) fn key_at(
    kind: HookKind,
    is_idle: impl FnOnce() -> bool,
    refill_uses_end_key: bool,
    of_plane: PhaseKey,
) -> PhaseKey {
    if kind == HookKind::Refill && !refill_uses_end_key && is_idle() { PhaseKey::DEFAULT } else { of_plane }
}

/// How a proposal that succeeds goes on.
pub(crate) enum Start {
    Now,
    WhenBusIsFree,
}

#[cfg(test)]
mod tests;
