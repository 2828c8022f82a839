//! What may be proposed at a hook: which classes of names no rule forbids now and have an address.
//!
//! A filter, not a judge: whatever passes here is judged again before it starts. It is made of bit masks of the state and of
//! the address book's counts, so that nearly every draw succeeds.

use nandseq_device::{Device, Place};
use nandseq_profile::{Die, Plane, PlaneSet, Ticks};

use crate::classes::ClassId;
use crate::face::{Face, Sight, next_of_cache_program};
use crate::groups::Group;
use crate::lottery::Lottery;
use crate::setup::{Distribution, Setup};

/// A hook, and what the state of its die is to it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    /// Whether a chain is under way on the die.
    pub(crate) chained: bool,
    /// Whether every die is idle only because a run has just begun: see [`Site::has_rested`](crate::site::Site::has_rested).
    pub(crate) rested: bool,
}

impl View {
    /// Fills a lottery with what is eligible, and brings the face of the die up to date; `waiting` says whether a due step of a
    /// chain waits for planes of the die.
    pub(crate) fn fill(
        &self,
        lottery: &mut Lottery,
        distribution: &Distribution,
        faces: &mut [Face],
        (device, setup): (&Device, &Setup),
        now: Ticks,
        waiting: impl FnOnce() -> bool,
    ) {
        let own = &mut faces[usize::from(self.die.0)];
        own.refresh(device, setup, self.die, now);
        let (mut everywhere, mut occupying) = (0, 0);
        lottery.clear();
        for (chunk, (sight, group)) in own.chunks.iter().zip(setup.groups.chunks()).enumerate() {
            let open = self.open(sight, group) & distribution.set(chunk);
            everywhere |= open & group.on_target;
            occupying |= open & group.occupying;
            lottery.put(chunk, open);
        }
        // Asked last: on a die where a step waits for planes, hardly anything that occupies is open anyway.
        if occupying != 0 && waiting() {
            for (chunk, group) in setup.groups.chunks().iter().enumerate() {
                lottery.take_out(chunk, group.occupying);
            }
        }
        if everywhere != 0 && faces.len() > 1 {
            self.ask_other_dies(lottery, faces, (device, setup), now);
        }
        lottery.count(distribution);
    }

    /// The classes of a chunk that the hook's die lets it propose.
    #[inline]
    pub(crate) fn open(&self, sight: &Sight, group: &Group) -> u64 {
        let mut closed = sight.not_at[usize::from(self.plane.0)];
        if self.chained {
            closed |= sight.unless_chained;
        }
        if self.rested {
            closed |= group.occupying_target;
        }
        sight.open & !closed
    }

    /// Takes out what looks at every die where another die forbids it: asks until nothing of it is left, first the die that left
    /// nothing last time, as most often one that is busy says no to all.
    fn ask_other_dies(
        &self,
        lottery: &mut Lottery,
        faces: &mut [Face],
        (device, setup): (&Device, &Setup),
        now: Ticks,
    ) {
        let first = usize::from(lottery.strictest.0) % faces.len();
        let others = std::iter::once(first).chain((0..faces.len()).filter(|&at| at != first));
        for at in others.filter(|&at| at != usize::from(self.die.0)) {
            let die = Die(at as u8);
            let face = &mut faces[at];
            face.refresh(device, setup, die, now);
            let mut left = 0;
            for (chunk, (sight, group)) in face.chunks.iter().zip(setup.groups.chunks()).enumerate() {
                left |= lottery.take_out(chunk, sight.against) & group.on_target;
            }
            if left == 0 {
                lottery.strictest = die;
                return;
            }
        }
    }

    /// The planes on which a class may work now, of a die whose face is up to date.
    pub(crate) fn allowed(&self, faces: &[Face], device: &Device, class: ClassId) -> PlaneSet {
        faces[usize::from(self.die.0)].allowed(device, class)
    }

    /// The one page that may be programmed while a cache program is on and no chain counts on it.
    pub(crate) fn next_of_cache_program(&self, device: &Device) -> Option<Place> {
        next_of_cache_program(device.logic(self.die)).filter(|_| !self.chained)
    }
}
