//! The events of a site: each is handed to the parts that it concerns.

use nandseq_device::{Flight, FlightId};
use nandseq_profile::model::Axis;
use nandseq_profile::{Die, Ticks};
use nandseq_trace::Sink;

use crate::kernel::{Event, NextEvent, Step};
use crate::policy::{HookKind, is_on};
use crate::random::{Stream, StreamKind};
use crate::reporting::RefusalReason;
use crate::site::Site;

impl Site<'_> {
    /// Handles the next event. A hook that comes when the run no longer proposes is added to `carried`, for the next run.
    #[inline]
    pub(crate) fn step(&mut self, next: NextEvent, sink: &mut dyn Sink, carried: &mut Vec<(Ticks, Event)>) {
        let now = next.time;
        if next.proposes() {
            if self.proposing {
                self.hook(next, sink);
            } else {
                carried.extend(self.kernel.queue.pop().filter(|(_, event)| matches!(event, Event::Hook(_))));
            }
        } else if next.is_end() {
            let flight = self.kernel.queue.take_end();
            self.end(flight, now, sink);
        } else {
            if let Some(chain) = self.kernel.queue.take_due(next) {
                self.kernel.make_ready(chain);
            }
            self.try_waiting(now, sink);
        }
    }

    /// A hook or a refill comes. They follow one another in no order that could be foreseen, so they are not told apart by
    /// decisions. A refill proposes on the next plane of the round, and schedules the next refill.
    #[inline]
    fn hook(&mut self, next: NextEvent, sink: &mut dyn Sink) {
        let (now, is_refill) = (next.time, next.is_refill());
        let following = now + self.setup.refill_period;
        let (own, is_extra) = self.kernel.queue.take_proposal(is_refill, following);
        let of_round = self.refills.advance(is_refill);
        let plane = if is_refill { of_round } else { own };
        let of_hook = if is_extra { HookKind::Extra } else { HookKind::Phase };
        let kind = if is_refill { HookKind::Refill } else { of_hook };
        if self.policy.is_bootstrap() {
            self.in_bootstrap(is_refill);
        }
        if self.scenarios.is_none() || !self.hook_with_scenarios(plane, kind, now, sink) {
            self.propose(plane, kind, now, sink);
        }
        if self.refills.count >= self.detector.next_look {
            self.look_for_dead_dies(now);
        }
    }

    /// A hook or a refill comes in a bootstrap.
    #[cold]
    #[inline(never)]
    fn in_bootstrap(&mut self, is_refill: bool) {
        if is_refill && self.policy.refilled(self.setup, &self.kernel.device, &self.refills) {
            self.end_stage();
        }
    }

    /// A stage of the bootstrap is over: proposals that wait for the bus were made for it. The bootstrap draws from the whole device.
    #[cold]
    fn end_stage(&mut self) {
        self.kernel.waiting.drop_waiters();
        if !self.policy.is_bootstrap() {
            self.draw_addresses(false);
        }
    }

    /// An operation ends. A RESUME lets the suspended operation go on; chain steps and proposals that wait are tried again.
    fn end(&mut self, id: FlightId, now: Ticks, sink: &mut dyn Sink) {
        if self.kernel.device.flight(id).is_none() {
            return; // it was cut: this end is void
        }
        let flight = if self.until_counts.is_some() { self.end_and_count(id, now) } else { self.kernel.end(id, now) };
        if let Some(data) = &mut self.data {
            data.end(self.setup, &self.kernel, (id, &flight));
        }
        self.end_with_scenarios(&flight, now);
        if self.policy.ended(self.setup, &self.kernel.device, &flight) {
            self.end_stage();
        }
        let tables = &self.setup.tables;
        if let Some(axis) = tables.base_of(flight.op).effects.resume {
            self.resume((flight.place.die, axis), now, sink);
        }
        if !self.kernel.waiting.is_empty() {
            self.kernel.wake_at(now);
        }
    }

    /// Ends an operation that was not cut, in a run whose phase ends at a share.
    #[cold]
    #[inline(never)]
    fn end_and_count(&mut self, id: FlightId, now: Ticks) -> Flight {
        let tables = &self.setup.tables;
        let place = self.kernel.device.flight(id).map(|flight| flight.place).unwrap_or_default();
        self.until_counts.iter_mut().for_each(|counts| counts.take_out(&self.kernel.device, tables, &place));
        let flight = self.kernel.end(id, now);
        self.until_counts.iter_mut().for_each(|counts| counts.put_in(&self.kernel.device, tables, &place));
        flight
    }

    /// Resumes the suspended operation of a die and axis.
    fn resume(&mut self, (die, axis): (Die, Axis), now: Ticks, sink: &mut dyn Sink) {
        let mut stream = Stream::new(self.key(), StreamKind::Resume, self.kernel.resumes);
        let Some((uid, id, flight)) = self.kernel.resume(die, axis, now) else { return };
        self.reporter.tell_resumed(uid, &flight, now, sink);
        if let Some(director) = &mut self.scenarios {
            director.resumed(uid, &flight);
        }
        let operation = (Step { op: flight.op, place: flight.place }, id, (now, flight.end));
        self.policy.place_hooks((self.setup, &mut self.kernel), self.counts.as_ref(), operation, &mut stream);
    }

    /// Starts all chain steps and proposals that wait and can start now.
    fn try_waiting(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut from = 0;
        while let Some(at) = self.kernel.to_be_judged(from, now) {
            from = at + 1;
            if self.kernel.may_go_on(at, now) {
                let chain = self.kernel.waiting.ready[at].chain;
                let proposal = self.kernel.chains.get(chain).proposal;
                let (step, rest) = self.kernel.take_step(chain);
                if let (Some(controller), Some(mix)) = (&mut self.mix, &self.setup.mix) {
                    controller.forced(mix, step.op);
                }
                self.start(step, rest, (&proposal, false), now, sink);
                self.kernel.waiting.remove(at, chain);
                from = 0;
            }
        }
        self.try_waiters(now, sink);
        self.kernel.plan_wake(now);
    }

    /// Starts or refuses the proposals that have waited for the bus, once it is free or has not come free in time.
    fn try_waiters(&mut self, now: Ticks, sink: &mut dyn Sink) {
        let mut at = 0;
        while at < self.kernel.waiting.waiters.len() {
            let Some(verdict) = self.kernel.judge_waiter(at, now) else {
                at += 1;
                continue;
            };
            let mut waiter = self.kernel.waiting.take(at);
            // The plan was made for the state at the hook: every step of it must still be possible.
            let outcome = match verdict {
                Err(None) => Err(RefusalReason::BusWindow),
                Err(Some(rule)) => Err(RefusalReason::Rule(rule)),
                Ok(()) if is_on(&self.setup.tables, &waiter.plan, self.held()) => Err(RefusalReason::Scenario),
                Ok(()) => self.proposer.is_possible((self.setup, &self.kernel.device), &waiter.plan, now),
            };
            let outcome = outcome.and_then(|()| Ok(self.kernel.admit(&waiter.plan, now)?));
            match outcome {
                Ok(()) => {
                    std::mem::swap(&mut self.proposer.plan, &mut waiter.plan);
                    self.begin(&waiter.proposal, now, sink);
                }
                Err(reason) => self.reporter.refuse(&waiter.proposal, waiter.plan[0].op, reason, sink),
            }
            self.kernel.waiting.reuse(waiter.plan);
        }
    }
}
