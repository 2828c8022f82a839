//! What the dies forbid of the classes that look at every die, side by side: a hook asks all dies, and most are as they were before.

use nandseq_device::Device;
use nandseq_profile::{Die, Ticks};

use super::die_constraints::DieConstraints;
use crate::setup::{ClassSet, Setup};

/// What each die forbids of the classes that look at every die.
#[derive(Clone, Debug)]
pub(crate) struct TargetConstraints {
    /// By die: the stamp with which, and the time before which, its classes hold.
    valid: Vec<(u64, Ticks)>,
    /// For each chunk, by die: the classes.
    against: Vec<ClassSet>,
}

impl TargetConstraints {
    /// Constraints that hold at no time.
    pub(crate) fn new(setup: &Setup) -> Self {
        let dies = usize::from(setup.tables.size.dies);
        Self { valid: vec![(0, Ticks::ZERO); dies], against: vec![ClassSet::NONE; dies * setup.classes.chunks()] }
    }

    /// Brings the classes of all dies but one up to date.
    pub(super) fn refresh(
        &mut self,
        constraints: &mut [DieConstraints],
        (device, setup): (&Device, &Setup),
        own: Die,
        now: Ticks,
    ) {
        let mut stale = 0u64;
        for (at, (&(stamp, until), &present)) in self.valid.iter().zip(device.state_stamps()).enumerate() {
            stale |= u64::from((stamp != present) | (now >= until)) << at;
        }
        stale &= !(1 << own.0);
        let dies = self.valid.len();
        while stale != 0 {
            let at = stale.trailing_zeros() as usize;
            stale &= stale - 1;
            let constraints = &mut constraints[at];
            constraints.refresh_against(device, setup, Die(at as u8), now);
            self.valid[at] = constraints.valid();
            for (against, masks) in self.against.chunks_mut(dies).zip(&constraints.chunks) {
                against[at] = masks.against;
            }
        }
    }

    /// The classes of a chunk that some die but one forbids.
    pub(super) fn forbidden(&self, chunk: usize, own: Die) -> ClassSet {
        let dies = self.valid.len();
        let (before, rest) = self.against[chunk * dies..][..dies].split_at(usize::from(own.0));
        before.iter().chain(&rest[1..]).fold(ClassSet::NONE, |all, &against| all | against)
    }
}
