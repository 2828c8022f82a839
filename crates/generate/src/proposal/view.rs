//! The classes that are eligible at a hook: no rule forbids them now, and they have an address.
//!
//! This is a filter: a name that passes is judged again before it starts. The filter uses bit masks of the die's state and of its
//! addresses, so that nearly every draw succeeds.

use nandseq_device::{Device, Place};
use nandseq_profile::{Die, Plane, PlaneSet, Ticks};

use super::die_constraints::{ClassMasks, DieConstraints, next_of_cache_program};
use super::weighted_sampler::WeightedSampler;
use crate::setup::groups::Group;
use crate::setup::{ClassId, Distribution, Setup};

/// A hook, with the facts that decide beside the constraints of the dies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    /// Whether a chain is under way on the die.
    pub(crate) chained: bool,
    /// Whether every die is idle only because a run has just begun: see
    /// [`Refills::has_rested`](crate::refills::Refills::has_rested).
    pub(crate) rested: bool,
}

impl View {
    /// Fills a sampler with the eligible classes, and brings the constraints of the die up to date. `waiting` says whether a due
    /// step of a chain waits for planes of the die.
    pub(crate) fn fill(
        &self,
        sampler: &mut WeightedSampler,
        distribution: &Distribution,
        constraints: &mut [DieConstraints],
        (device, setup): (&Device, &Setup),
        now: Ticks,
        waiting: impl FnOnce() -> bool,
    ) {
        let own = &mut constraints[usize::from(self.die.0)];
        own.refresh(device, setup, self.die, now);
        let (mut everywhere, mut occupying) = (0, 0);
        sampler.refill();
        for (chunk, (masks, group)) in own.chunks.iter().zip(setup.groups.chunks()).enumerate() {
            let open = self.open(masks, group) & distribution.set(chunk);
            everywhere |= open & group.on_target;
            occupying |= open & group.occupying;
            sampler.put(chunk, open);
        }
        // Asked last: on a die where a step waits for planes, hardly any class that occupies planes is open.
        if occupying != 0 && waiting() {
            for (chunk, group) in setup.groups.chunks().iter().enumerate() {
                sampler.take_out(chunk, group.occupying);
            }
        }
        if everywhere != 0 && constraints.len() > 1 {
            self.ask_other_dies(sampler, constraints, (device, setup), now);
        }
    }

    /// The classes of a chunk that the hook may propose, as far as its own die is concerned.
    #[inline]
    pub(crate) fn open(&self, masks: &ClassMasks, group: &Group) -> u64 {
        let mut closed = masks.not_at[usize::from(self.plane.0)];
        if self.chained {
            closed |= masks.unless_chained;
        }
        if self.rested {
            closed |= group.occupying_target;
        }
        masks.open & !closed
    }

    /// Removes the classes that look at every die and that another die forbids. Asks the dies until none of these classes is
    /// left. The die that left none the last time is asked first: a busy die mostly forbids them all.
    fn ask_other_dies(
        &self,
        sampler: &mut WeightedSampler,
        constraints: &mut [DieConstraints],
        (device, setup): (&Device, &Setup),
        now: Ticks,
    ) {
        let first = usize::from(sampler.strictest.0) % constraints.len();
        let others = std::iter::once(first).chain((0..constraints.len()).filter(|&at| at != first));
        for at in others.filter(|&at| at != usize::from(self.die.0)) {
            let die = Die(at as u8);
            let constraints = &mut constraints[at];
            constraints.refresh(device, setup, die, now);
            let mut left = 0;
            for (chunk, (masks, group)) in constraints.chunks.iter().zip(setup.groups.chunks()).enumerate() {
                left |= sampler.take_out(chunk, masks.against) & group.on_target;
            }
            if left == 0 {
                sampler.strictest = die;
                return;
            }
        }
    }

    /// The planes on which a class may work now, of a die whose constraints are up to date.
    pub(crate) fn allowed(&self, constraints: &[DieConstraints], device: &Device, class: ClassId) -> PlaneSet {
        constraints[usize::from(self.die.0)].allowed(device, class)
    }

    /// The one page that may be programmed while a cache program is on; `None` while none is, or while a chain counts on that
    /// page.
    pub(crate) fn next_of_cache_program(&self, device: &Device) -> Option<Place> {
        next_of_cache_program(device.logic(self.die)).filter(|_| !self.chained)
    }
}
