//! The boundary between two runs: what is in flight has ended, what lasts is settled, what was to be proposed is carried on.

use nandseq_profile::Ticks;
use nandseq_profile::model::ByAxis;

use crate::queue::{Event, Hook};
use crate::safety::{Order, is_target_scoped};
use crate::site::Site;
use crate::waiting::WaitQueue;

impl Site<'_> {
    /// Brings everything between runs into a form that follows from the state alone, whatever led there: a site made anew from
    /// a snapshot goes on exactly as this one.
    pub(crate) fn settle(&mut self) {
        self.device.settle();
        self.flight_chains.clear();
        self.reporter.settle();
        self.wait_queue = WaitQueue::default();
        self.orders.iter_mut().for_each(Order::clear);
        self.ordered = false;
        let chains = std::mem::take(&mut self.chains);
        for slot in self.suspended_chains.iter_mut().flat_map(ByAxis::values_mut).filter(|slot| slot.is_some()) {
            *slot = slot.map(|id| {
                let chain = chains.get(id);
                self.chains
                    .begin(chain.die, chain.proposal, chain.rest(), |step| is_target_scoped(&self.setup.tables, step))
            });
        }
    }

    /// Whether every die is idle only because this run has just begun: nothing has occupied planes since the pause before it, for
    /// less than a round of refills. What waits for all dies to be idle is not proposed then, or many short runs would have more
    /// of it than one long run.
    pub(crate) const fn has_rested(&self) -> bool {
        self.rests_until > 0 && self.refills <= self.rests_until
    }

    /// How many refills visit every plane of every die.
    pub(crate) fn round(&self) -> u64 {
        u64::from(self.setup.tables.size.dies) * u64::from(self.setup.tables.size.planes)
    }

    /// Puts the hooks that fell into the pause at the start of the next run.
    ///
    /// The pause is no time in which anything may be proposed. A hook inside a phase that ended meanwhile is gone with the
    /// phase; a hook after a phase keeps its distance from the phase's end, now the end of the pause; the refills keep their
    /// rhythm.
    pub(crate) fn carry_on(&mut self, carried: Vec<(Ticks, Event)>, end: Ticks) {
        let grid = self.setup.tables.grid;
        let next = self.quiet.max(end).ceil_to(grid);
        self.quiet = next;
        for (time, event) in carried {
            match event {
                Event::Hook(Hook { after: Some(phase_end), .. }) if time < next => {
                    let distance = if time > phase_end { time - phase_end } else { Ticks::ZERO };
                    self.queue.push((next + distance).ceil_to(grid), event.past_cutting());
                }
                Event::Hook(Hook { after: None, .. }) if time < next => {}
                Event::Hook(_) => self.queue.push(time, event.past_cutting()),
                Event::Refill => {
                    let distance = if time > end { time - end } else { Ticks::ZERO };
                    self.queue.push((next + distance).ceil_to(grid), Event::Refill);
                }
                Event::End(_) | Event::Due(_) | Event::Wake | Event::Extra(..) => {}
            }
        }
    }
}
