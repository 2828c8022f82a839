//! The op_state that each plane shows, and those that it will show if nothing cuts them.

use nandseq_profile::model::{PhaseKind, Topology};
use nandseq_profile::{BaseId, Die, Plane, Ticks};

use super::super::expected::StateCode;
use super::super::order::Ticket;
use crate::model::DiePlaneSet;
use crate::time::Interval;

/// The most phases a plane remembers; legal sequences need a few.
const MOST: usize = 64;

/// A phase that a plane shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Show {
    /// The operation, base and kind of the phase; `None` if the operation is not known.
    of: Option<(Ticket, BaseId, PhaseKind)>,
    time: Interval,
}

impl Show {
    pub(super) const fn new(ticket: Ticket, base: BaseId, kind: PhaseKind, time: Interval) -> Self {
        Self { of: Some((ticket, base, kind)), time }
    }
}

/// The phases that all planes show.
#[derive(Debug)]
pub(super) struct Shows {
    /// By die and plane; phases in order of their start.
    planes: Vec<Vec<Vec<Show>>>,
    /// The op_state of a plane on which no operation has been seen.
    before: StateCode,
}

impl Shows {
    pub(super) fn new(topology: Topology) -> Self {
        let die = vec![Vec::new(); topology.planes as usize];
        Self { planes: vec![die; topology.dies as usize], before: StateCode::DEFAULT }
    }

    pub(super) fn forget(&mut self) {
        self.planes.iter_mut().flatten().for_each(Vec::clear);
        self.before = StateCode::UNKNOWN;
    }

    /// The op_state of a plane at an instant; `UNKNOWN` for a plane that does not exist.
    pub(super) fn at(&self, die: i64, plane: i64, at: Ticks) -> StateCode {
        let index = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        let Some(shows) = self.planes.get(index(die)).and_then(|planes| planes.get(index(plane))) else {
            return StateCode::UNKNOWN;
        };
        match shows.iter().rev().find(|show| show.time.from <= at) {
            None => self.before,
            Some(Show { of: None, .. }) => StateCode::UNKNOWN,
            Some(Show { of: Some((_, base, kind)), time }) if at < time.to => StateCode::phase(*base, *kind),
            Some(Show { of: Some((_, base, _)), .. }) => StateCode::end(*base),
        }
    }

    /// Adds a phase that a plane will show, and drops phases that are over at `now`.
    pub(super) fn push(&mut self, die: Die, plane: Plane, now: Ticks, show: Show) {
        let shows = &mut self.planes[die.index()][plane.index()];
        // A plane remembers a few phases: looking at each costs less than a search.
        let over = shows.iter().take_while(|show| show.time.from <= now).count().saturating_sub(1);
        if over > 0 {
            shows.drain(..over);
        }
        if shows.len() >= MOST {
            shows.remove(0);
        }
        // Most phases begin after those that are known.
        if shows.last().is_none_or(|last| last.time.from <= show.time.from) {
            return shows.push(show);
        }
        let at = shows.partition_point(|other| other.time.from <= show.time.from);
        shows.insert(at, show);
    }

    /// From `from` on, the planes of a die show an operation that started in a missing run. Does nothing if no runs are missing.
    pub(super) fn lose(&mut self, die: Die, now: Ticks, from: Ticks) {
        if self.before != StateCode::UNKNOWN {
            return;
        }
        for plane in 0..self.planes[die.index()].len() {
            let show = Show { of: None, time: Interval { from, to: Ticks(u64::MAX) } };
            self.push(die, Plane::from(plane), now, show);
        }
    }

    /// Ends an operation on planes.
    pub(super) fn cut(&mut self, planes: &DiePlaneSet, of: Ticket, at: Ticks) {
        for (die, plane) in planes.iter() {
            end(&mut self.planes[die.index()][plane.index()], at, |show| show.of.is_some_and(|own| own.0 == of));
        }
    }

    /// Ends everything on a die.
    pub(super) fn cut_die(&mut self, die: Die, at: Ticks) {
        for shows in &mut self.planes[die.index()] {
            end(shows, at, |_| true);
        }
    }
}

/// Ends some phases of a plane at `at`; phases that have not begun are dropped.
fn end(shows: &mut Vec<Show>, at: Ticks, which: impl Fn(&Show) -> bool) {
    shows.retain(|show| show.time.from < at || !which(show));
    for show in shows.iter_mut().filter(|show| which(show)) {
        show.time.cut(at);
    }
}
