//! Whether the chain that follows an operation could run to its end.

use nandseq_profile::CellTypeId;
use nandseq_profile::model::{Axis, ChainStep};

use crate::model::{Model, NameClassId};
use crate::state::{Die, Plane};

/// A die, and a plane on which a chain works.
#[derive(Clone, Copy)]
pub(crate) struct SearchState {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
}

/// The most states in which an operation may leave a plane: with its registers emptied by what it resumes or not, with the page read
/// before or with another.
pub(crate) const MOST_ENDS: usize = 4;

impl Model<'_> {
    /// The state of a die after an operation has run.
    pub(crate) fn die_after(&self, before: &Die, class: NameClassId) -> Die {
        let info = self.base(class);
        let mut die = *before;
        die.start(info);
        if info.effects.resume == Some(Axis::Program)
            && let Some(suspend_target) = before.program
        {
            die.finish(self.base(suspend_target));
        }
        die.finish(info);
        die
    }

    /// The possible states of a plane after an operation has run, on it if `on_plane`, else beside it.
    pub(crate) fn planes_after(
        &self,
        before: &Plane,
        class: NameClassId,
        on_plane: bool,
    ) -> [Option<Plane>; MOST_ENDS] {
        let (info, cell) = (self.base(class), self.class(class).cell);
        let started = if info.effects.resets() { Plane::default() } else { *before };
        let mut run = started;
        if on_plane {
            run.start(info);
        }
        let invalid = info.effects.resume.map(|_| started.invalidated());
        let again = info.effects.cache_read && before.page.is_some_and(|page| page.cell == cell);
        let ended = |plane: Option<Plane>, same: bool| {
            plane.filter(|_| !same || on_plane && again).map(|mut plane| {
                if on_plane {
                    plane.finish(info, cell, same);
                }
                plane
            })
        };
        [ended(Some(run), false), ended(invalid, false), ended(Some(run), true), ended(invalid, true)]
    }

    /// The possible states after an operation has run, on the plane of `reached` if `on_plane`, else beside it.
    fn after(
        &self,
        reached: &SearchState,
        class: NameClassId,
        on_plane: bool,
    ) -> impl Iterator<Item = SearchState> + use<> {
        let die = self.die_after(&reached.die, class);
        let planes = self.planes_after(&reached.plane, class, on_plane);
        planes.into_iter().flatten().map(move |plane| SearchState { die, plane })
    }

    /// Whether an operation may be a step in a state.
    fn step_allowed(&self, reached: &SearchState, class: NameClassId) -> bool {
        let effects = &self.base(class).effects;
        if effects.suspend.is_some() || effects.holds_target || self.address_exists(class).is_err() {
            return false;
        }
        let on_plane = if self.has_targets(class) { self.plane_allows(&reached.plane, class) } else { Ok(()) };
        let tables = if self.looks_at_die(class) { self.plane_tables(&reached.plane, class) } else { Ok(()) };
        on_plane.is_ok() && tables.is_ok() && self.die_allows(&reached.die, class).is_ok()
    }

    /// The state after the steps of a chain have run in a state, after an operation of class `head`; `None` if they cannot. One of the
    /// steps has to be an operation of class `wanted`, if any is.
    fn run(
        &self,
        reached: SearchState,
        (head, wanted): (NameClassId, Option<NameClassId>),
        cell: Option<CellTypeId>,
        steps: &[ChainStep],
    ) -> Option<SearchState> {
        let Some((step, later)) = steps.split_first() else { return wanted.is_none().then_some(reached) };
        for class in self.fitting(step, head, cell) {
            if !self.step_allowed(&reached, class) {
                continue;
            }
            let next_cell = self.class(class).cell.or(cell);
            let wanted = wanted.filter(|wanted| *wanted != class);
            for next in self.after(&reached, class, self.has_targets(class)) {
                if let Some(end) = self.run(next, (head, wanted), next_cell, later) {
                    return Some(end);
                }
            }
        }
        None
    }

    /// The follow-ups of an operation that can run if it starts in a state; `suspend_target` is the operation that a SUSPEND stops.
    pub(crate) fn possible_follow_ups(
        &self,
        reached: SearchState,
        class: NameClassId,
        suspend_target: Option<NameClassId>,
    ) -> impl Iterator<Item = Option<usize>> {
        let before = self.before(reached, class, suspend_target);
        let goes_on = self.base(class).is_inert() || before.die.chain.is_none();
        let runs = move |chain: &Option<usize>| match *chain {
            None => {
                goes_on || self.after(&before, class, self.has_targets(class)).any(|start| self.rest_can_run(&start))
            }
            Some(chain) => self.chain_can_run(&before, class, chain, None),
        };
        self.follow_ups(self.class(class).base).filter(runs)
    }

    /// The state in which an operation starts; `suspend_target` is the operation that a SUSPEND stops.
    fn before(&self, reached: SearchState, class: NameClassId, suspend_target: Option<NameClassId>) -> SearchState {
        let mut before = reached;
        if let Some(axis) = self.base(class).effects.suspend {
            match axis {
                Axis::Erase => before.die.erase = true,
                Axis::Program => before.die.program = suspend_target,
            }
        }
        before
    }

    /// Whether a chain can run to its end after an operation that starts in a state, with an operation of class `wanted` as a step, if
    /// any is.
    pub(crate) fn chain_can_run(
        &self,
        before: &SearchState,
        class: NameClassId,
        chain: usize,
        wanted: Option<NameClassId>,
    ) -> bool {
        let steps = &self.profile.chains[chain].steps;
        self.after(before, class, self.has_targets(class)).any(|start| {
            let end = self.run(start, (class, wanted), self.class(class).cell, steps);
            end.is_some_and(|end| self.rest_can_run(&end))
        })
    }

    /// Whether the chain under way could go on from a state, judged by the die and the exclusion tables of the plane.
    fn rest_can_run(&self, reached: &SearchState) -> bool {
        let Some((chain, next)) = reached.die.chain else { return true };
        if reached.die.program.is_some() {
            return true; // the chain may be that of the suspended program, and wait for a RESUME
        }
        let mut die = reached.die;
        for step in &self.profile.chains[usize::from(chain)].steps[usize::from(next)..] {
            let possible = self.of_base[step.base.index()].iter().copied().find(|&class| {
                let tables = if self.looks_at_die(class) { self.plane_tables(&reached.plane, class) } else { Ok(()) };
                tables.is_ok() && self.die_allows(&die, class).is_ok()
            });
            let Some(class) = possible else { return false };
            die.start(self.base(class));
            die.finish(self.base(class));
        }
        true
    }
}
