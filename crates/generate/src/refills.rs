//! The order of refills: hooks at regular times, on each plane of each die in turn.

use nandseq_device::Size;
use nandseq_profile::{Die, Plane};

/// A plane of a die.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct DiePlane {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
}

/// The position of the refills in their round.
#[derive(Clone, Debug)]
pub(crate) struct Refills {
    /// The planes of a round, in order.
    order: Vec<DiePlane>,
    /// Refills so far.
    pub(crate) count: u64,
    /// The plane on which the next refill proposes, as a position in the round.
    next: usize,
    /// The count up to which the device has rested, or 0: see [`Refills::has_rested`].
    rests_until: u64,
}

impl Refills {
    /// The position after `count` refills on a device of this size.
    pub(crate) fn new(size: Size, count: u64) -> Self {
        let planes = |die| (0..size.planes).map(move |plane| DiePlane { die: Die(die), plane: Plane(plane) });
        let order = (0..size.dies).flat_map(planes).collect();
        let mut refills = Self { order, count: 0, next: 0, rests_until: 0 };
        refills.skip(count);
        refills
    }

    /// How many refills visit every plane of every die.
    pub(crate) const fn round(&self) -> u64 {
        self.order.len() as u64
    }

    /// Counts one refill, if `comes`. Returns the plane on which it proposes, or would.
    #[inline]
    pub(crate) fn advance(&mut self, comes: bool) -> DiePlane {
        let own = self.order[self.next];
        self.count += u64::from(comes);
        self.next += usize::from(comes);
        self.next = if self.next == self.order.len() { 0 } else { self.next };
        own
    }

    /// Counts `more` refills that propose nothing.
    pub(crate) fn skip(&mut self, more: u64) {
        self.count += more;
        self.next = (self.count % self.round()) as usize;
    }

    /// Begins a run; `rests`: a pause came before it.
    pub(crate) const fn begin_run(&mut self, rests: bool) {
        self.rests_until = if rests { self.count + self.round() } else { 0 };
    }

    /// An operation starts. If it occupies planes, the rest is over.
    pub(crate) fn started(&mut self, occupies: bool) {
        self.rests_until &= u64::from(occupies).wrapping_sub(1);
    }

    /// Whether every die is idle only because this run has just begun: no operation has occupied planes since the pause before
    /// it, and the first round of refills is not over. Operations that need all dies idle are not proposed then: otherwise many
    /// short runs would have more of them than one long run.
    pub(crate) const fn has_rested(&self) -> bool {
        self.rests_until > 0 && self.count <= self.rests_until
    }
}
