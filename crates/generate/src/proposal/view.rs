//! The classes that are eligible at a hook: no rule forbids them now, and they have an address.
//!
//! This is a filter: a name that passes is judged again before it starts. The filter uses bit masks of the die's state and of its
//! addresses, so that nearly every draw succeeds.

use nandseq_device::{Device, Place};
use nandseq_profile::{Die, Plane, PlaneSet, Ticks};

use super::die_constraints::{ClassMasks, DieConstraints, next_of_cache_program};
use super::weighted_sampler::WeightedSampler;
use crate::setup::groups::Group;
use crate::setup::{ClassId, ClassSet, Distribution, Setup};

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
        let (mut everywhere, mut occupying) = (ClassSet::NONE, ClassSet::NONE);
        let inside = sampler.refill().iter_mut().zip(distribution.sets());
        for ((inside, &set), (masks, group)) in inside.zip(own.chunks.iter().zip(setup.groups.chunks())) {
            let open = self.open(masks, group) & set;
            everywhere |= open & group.on_target;
            occupying |= open & group.occupying;
            *inside = open;
        }
        // Asked last: on a die where a step waits for planes, hardly any class that occupies planes is open.
        if !occupying.is_empty() && waiting() {
            for (inside, group) in sampler.refill().iter_mut().zip(setup.groups.chunks()) {
                *inside &= !group.occupying;
            }
        }
        if !everywhere.is_empty() && constraints.len() > 1 {
            sampler.target.refresh(constraints, (device, setup), self.die, now);
            for chunk in 0..setup.classes.chunks() {
                let forbidden = sampler.target.forbidden(chunk, self.die);
                sampler.refill()[chunk] &= !forbidden;
            }
        }
    }

    /// The classes of a chunk that the hook may propose, as far as its own die is concerned.
    #[inline]
    pub(crate) fn open(&self, masks: &ClassMasks, group: &Group) -> ClassSet {
        let closed = masks.not_at[usize::from(self.plane.0 % 8)]
            | masks.unless_chained.given(self.chained)
            | group.occupying_target.given(self.rested);
        masks.open & !closed
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
