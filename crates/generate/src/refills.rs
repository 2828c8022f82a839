//! The rhythm of refills: hooks at regular times, on each plane of each die in turn.

use nandseq_device::Size;
use nandseq_profile::{Die, Plane};

/// A plane of a die.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) struct DiePlane {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
}

/// Where refills are in their round.
#[derive(Clone, Debug)]
pub(crate) struct Refills {
    size: Size,
    /// Refills so far.
    pub(crate) count: u64,
    /// Where the next one proposes.
    next: DiePlane,
    /// See [`Refills::has_rested`].
    rests_until: u64,
}

impl Refills {
    /// After so many refills on a device of this size.
    pub(crate) fn new(size: Size, count: u64) -> Self {
        let mut refills = Self { size, count: 0, next: DiePlane::default(), rests_until: 0 };
        refills.skip(count);
        refills
    }

    /// How many refills visit every plane of every die.
    pub(crate) const fn round(&self) -> u64 {
        self.size.dies as u64 * self.size.planes as u64
    }

    /// Goes on by one; returns where it proposes.
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

    /// Goes on by some at which nothing is proposed.
    pub(crate) fn skip(&mut self, more: u64) {
        self.count += more;
        let (at, planes) = (self.count % self.round(), u64::from(self.size.planes));
        self.next = DiePlane { die: Die((at / planes) as u8), plane: Plane((at % planes) as u8) };
    }

    /// Begins a run; `rests`: after a pause.
    pub(crate) const fn begin_run(&mut self, rests: bool) {
        self.rests_until = if rests { self.count + self.round() } else { 0 };
    }

    /// Something starts that occupies planes, or not.
    pub(crate) fn started(&mut self, occupies: bool) {
        self.rests_until *= u64::from(!occupies);
    }

    /// Whether every die is idle only because this run has just begun: nothing has occupied planes since the pause before it, for
    /// less than a round of refills. What waits for all dies to be idle is not proposed then, or many short runs would have more
    /// of it than one long run.
    pub(crate) const fn has_rested(&self) -> bool {
        self.rests_until > 0 && self.count <= self.rests_until
    }
}
