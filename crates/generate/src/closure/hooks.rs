//! Where further hooks fall: in the tenths of phases that lack hits, and where a proposal has just succeeded.
//!
//! They come beside those of plain generation. Nothing of them outlives a run.

use nandseq_device::FlightId;
use nandseq_profile::input_time::{TENTHS, inside_tenth};
use nandseq_profile::{BaseId, Die, Grid, PhaseKey, Plane, Ticks};
use nandseq_trace::Proposal;

use super::CoverageCounts;
use crate::chain::Step;
use crate::event_reporter::op_state;
use crate::philox::Stream;
use crate::queue::Event;
use crate::site::Site;

impl Site<'_> {
    /// Whether proposals go for what lacks hits now.
    pub(crate) fn is_directed(&self) -> bool {
        self.bootstrap.is_none() && self.setup.goal.as_ref().is_some_and(super::Goal::is_directed)
    }

    /// Places hooks in the tenths that lack hits of the phases of an operation that starts, or goes on, now, and just after them.
    pub(crate) fn place_extra_hooks(&mut self, step: Step, id: FlightId, from: Ticks, stream: &mut Stream) {
        let tables = &self.setup.tables;
        let info = tables.base(tables.op(step.op).base);
        let Some(&flight) = self.device.flight(id) else { return };
        let busy_end = flight.end;
        let (dies, planes) = self.device.occupied_by(info, &step.place);
        let phases = [(info.busy_key, from, busy_end), (info.window_key, busy_end, flight.window_end)];
        self.visit(info.end_key);
        for (key, start, end) in phases {
            let Some(key) = key.filter(|_| end > start) else { continue };
            self.visit(key);
            let suspends = info.effects.erase || info.effects.is_program();
            // Where nothing lacks hits, one hook may still cut the phase for what that leads to.
            let any = (suspends && self.all_hit(key)).then(|| stream.below(TENTHS.into()) as u8);
            for bin in 0..TENTHS {
                if any != Some(bin) && self.missing(key, bin) == 0 {
                    continue;
                }
                let lane = draw_lane(step, dies, planes, stream);
                if let Some(at) = instant(bin, (start, end), tables.grid, stream) {
                    self.queue.push(at, Event::Extra(lane.0, lane.1));
                }
            }
        }
        let after = Ticks(flight.window_end.0 + 1).ceil_to(tables.grid);
        for die in 0..dies {
            let lane = draw_lane(step, dies, planes, stream);
            let die = if dies == 1 { lane.0 } else { Die(die as u8) };
            self.queue.push(after, Event::Extra(die, lane.1));
        }
    }

    fn visit(&mut self, key: PhaseKey) {
        if let Some(counts) = &mut self.counts {
            let idle = &mut counts.idle[key.index()];
            *idle = idle.saturating_add(1);
        }
    }

    /// How much more often than otherwise an operation stands alone that may: what stands alone leaves its window open.
    pub(crate) fn alone(&self, base: BaseId) -> u64 {
        const ALONE: u64 = 16;
        let window = self.setup.tables.base(base).window_key;
        let directed = window.is_some() && self.is_directed();
        if directed && window.is_some_and(|key| !self.all_hit(key)) { ALONE } else { 1 }
    }

    fn all_hit(&self, key: PhaseKey) -> bool {
        self.counts.as_ref().is_some_and(|counts| counts.missing_under(key) == 0)
    }

    fn missing(&self, key: PhaseKey, bin: u8) -> u32 {
        self.counts.as_ref().map_or(0, |counts| counts.missing(key)[usize::from(bin)])
    }

    /// Lets a hook follow once the bus is free, on a plane of the die whose key lacks hits then and that was not tried since
    /// anything started there. Returns whether one comes.
    pub(super) fn follow(&mut self, counts: &mut CoverageCounts, proposal: &Proposal, stream: &mut Stream) -> bool {
        let Some(goal) = &self.setup.goal else { return false };
        let (die, now) = (proposal.die, proposal.time);
        let known = usize::from(die.0);
        if counts.next[known] > now {
            return true;
        }
        let at = self.soon(now);
        let lacking = |plane: Plane| {
            let key = self.device.phase_key(die, plane, at);
            let bin = goal.bin(key, &op_state(self.device.plane_phase(die, plane, at)), at);
            u64::from(counts.missing(key)[usize::from(bin)])
        };
        let planes = self.device.planes().minus(counts.tried[known]);
        let total: u64 = planes.iter().map(lacking).sum();
        if total == 0 {
            return false;
        }
        let mut left = stream.below(total);
        let plane = planes.iter().find(|&plane| {
            let here = left < lacking(plane);
            left = left.wrapping_sub(lacking(plane));
            here
        });
        let Some(plane) = plane else { return false };
        self.push_extra(counts, die, plane, now);
        true
    }

    /// When an operation that needs the bus can start, after `now`.
    fn soon(&self, now: Ticks) -> Ticks {
        Ticks(now.0 + 1).max(self.device.bus_free()).ceil_to(self.setup.tables.grid)
    }

    /// Lets a hook follow on a plane.
    pub(super) fn push_extra(&mut self, counts: &mut CoverageCounts, die: Die, plane: Plane, now: Ticks) {
        let at = self.soon(now);
        self.queue.push(at, Event::Extra(die, plane));
        counts.next[usize::from(die.0)] = at;
    }
}

/// One of an operation's planes.
fn draw_lane(step: Step, dies: u64, planes: nandseq_profile::PlaneSet, stream: &mut Stream) -> (Die, Plane) {
    let die = if dies == 1 { step.place.die } else { Die(stream.below(dies) as u8) };
    let index = stream.below(u64::from(planes.len())) as usize;
    (die, planes.iter().nth(index).unwrap_or_default())
}

/// A time on the grid, inside a phase, that counts for a tenth of it; `None` where there is none.
fn instant(bin: u8, (start, end): (Ticks, Ticks), grid: Grid, stream: &mut Stream) -> Option<Ticks> {
    let inside = inside_tenth(bin, end - start);
    let step = grid.step().0;
    let first = (start.0 + inside.start()).div_ceil(step);
    let last = (start.0 + inside.end()) / step;
    (first <= last).then(|| Ticks((first + stream.below(last - first + 1)) * step))
}
