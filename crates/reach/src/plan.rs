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

impl Model<'_> {
    /// The possible states after an operation has run, on the plane of `reached` if `on_plane`, else beside it.
    pub(crate) fn after(&self, reached: &SearchState, class: NameClassId, on_plane: bool) -> Vec<SearchState> {
        let info = self.base(class);
        let mut started = *reached;
        started.die.start(info);
        if info.effects.resets() {
            started.plane = Plane::default();
        }
        let mut variants = vec![started];
        if on_plane {
            variants[0].plane.start(info);
        }
        if info.effects.resume.is_some() {
            let invalid = SearchState { plane: started.plane.invalidated(), ..started };
            variants.push(invalid);
        }
        if info.effects.resume == Some(Axis::Program)
            && let Some(suspend_target) = reached.die.program
        {
            variants.iter_mut().for_each(|reached| reached.die.finish(self.base(suspend_target)));
        }
        let cell = self.class(class).cell;
        variants.iter_mut().for_each(|reached| reached.die.finish(info));
        if !on_plane {
            return variants;
        }
        let again = info.effects.cache_read && reached.plane.page.is_some_and(|page| page.cell == cell);
        let mut finished: Vec<SearchState> = Vec::new();
        for same in [false, true].into_iter().filter(|same| again || !same) {
            for mut reached in variants.iter().copied() {
                reached.plane.finish(info, cell, same);
                finished.push(reached);
            }
        }
        finished
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

    /// The state after the steps of a chain have run in a state, after an operation of class `head`; `None` if they cannot.
    fn run(
        &self,
        reached: SearchState,
        head: NameClassId,
        cell: Option<CellTypeId>,
        steps: &[ChainStep],
    ) -> Option<SearchState> {
        let Some((step, later)) = steps.split_first() else { return Some(reached) };
        for class in self.fitting(step, head, cell) {
            if !self.step_allowed(&reached, class) {
                continue;
            }
            let next_cell = self.class(class).cell.or(cell);
            for next in self.after(&reached, class, self.has_targets(class)) {
                if let Some(end) = self.run(next, head, next_cell, later) {
                    return Some(end);
                }
            }
        }
        None
    }

    /// The follow-ups of an operation that can run if it starts in a state; `suspend_target` is the operation that a SUSPEND stops.
    pub(crate) fn possible_follow_ups(
        &self,
        reached: &SearchState,
        class: NameClassId,
        suspend_target: Option<NameClassId>,
    ) -> Vec<Option<usize>> {
        let own = self.class(class);
        let mut before = *reached;
        if let Some(axis) = self.base(class).effects.suspend {
            match axis {
                Axis::Erase => before.die.erase = true,
                Axis::Program => before.die.program = suspend_target,
            }
        }
        let starts = self.after(&before, class, self.has_targets(class));
        let inert = self.base(class).is_inert();
        let runs = |chain: Option<usize>| {
            starts.iter().any(|start| {
                let end = match chain {
                    None => Some(*start),
                    Some(chain) => self.run(*start, class, own.cell, &self.profile.chains[chain].steps),
                };
                end.is_some_and(|end| (chain.is_none() && inert) || self.rest_can_run(&end))
            })
        };
        self.follow_ups(own.base).filter(|&chain| runs(chain)).collect()
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
