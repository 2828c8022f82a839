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
    size: Size,
    /// Refills so far.
    pub(crate) count: u64,
    /// The plane on which the next refill proposes.
    next: DiePlane,
    /// The count up to which the device has rested, or 0: see [`Refills::has_rested`].
    rests_until: u64,
}

impl Refills {
    /// The position after `count` refills on a device of this size.
    pub(crate) fn new(size: Size, count: u64) -> Self {
        let mut refills = Self { size, count: 0, next: DiePlane::default(), rests_until: 0 };
        refills.skip(count);
        refills
    }

    /// How many refills visit every plane of every die.
    pub(crate) const fn round(&self) -> u64 {
        self.size.dies as u64 * self.size.planes as u64
    }

    /// Counts one refill. Returns the plane on which it proposes.
    pub(crate) const fn advance(&mut self) -> DiePlane {
        let DiePlane { die, plane } = self.next;
        self.count += 1;
        self.next = if plane.0 + 1 < self.size.planes {
            DiePlane { die, plane: Plane(plane.0 + 1) }
        } else if die.0 + 1 < self.size.dies {
            DiePlane { die: Die(die.0 + 1), plane: Plane(0) }
        } else {
            DiePlane { die: Die(0), plane: Plane(0) }
        };
        DiePlane { die, plane }
    }

    /// Counts `more` refills that propose nothing.
    pub(crate) fn skip(&mut self, more: u64) {
        self.count += more;
        let (at, planes) = (self.count % self.round(), u64::from(self.size.planes));
        self.next = DiePlane { die: Die((at / planes) as u8), plane: Plane((at % planes) as u8) };
    }

    /// Begins a run; `rests`: a pause came before it.
    pub(crate) const fn begin_run(&mut self, rests: bool) {
        self.rests_until = if rests { self.count + self.round() } else { 0 };
    }

    /// An operation starts. If it occupies planes, the rest is over.
    pub(crate) fn started(&mut self, occupies: bool) {
        self.rests_until *= u64::from(!occupies);
    }

    /// Whether every die is idle only because this run has just begun: no operation has occupied planes since the pause before
    /// it, and the first round of refills is not over. Operations that need all dies idle are not proposed then: otherwise many
    /// short runs would have more of them than one long run.
    pub(crate) const fn has_rested(&self) -> bool {
        self.rests_until > 0 && self.count <= self.rests_until
    }
}
