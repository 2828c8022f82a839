//! The states in which a hook may fall on a phase key.
//!
//! A hook is certain if an operation gives it during its own CORE_BUSY or shortly after it, or if a refill gives it in a span
//! that is not short against the refill period. The other hooks are coincidences:
//! - a hook in a short ISSUE of the next operation on the plane;
//! - a hook at the very tick at which a phase begins, when the phase key is still the END before;
//! - a hook after an operation, when an operation that does not show has come and gone since;
//! - a hook that a run boundary has carried on;
//! - a hook during or after an operation of a class that only the bootstrap starts: by the table it draws only at the end of the bootstrap.

use std::ops::Range;

use nandseq_profile::model::{Axis, PhaseKind};
use nandseq_profile::{BaseId, PhaseKey, Ticks};

use crate::explore::{Graph, SearchNode};
use crate::judge::{HookContext, PlaneRun};
use crate::model::{Model, NameClassId, shows_core_busy};
use crate::state::Plane;

/// An ISSUE is short when fewer than one in this many refills of a plane would find it.
const SHORT: u64 = 20;

/// For a state of a die that has no group yet.
pub(crate) const NO_GROUP: u32 = u32::MAX;

/// States in which a hook may fall.
pub(crate) struct HookGroups<'m> {
    model: &'m Model<'m>,
    /// For each class, whether it is judged there.
    pub(crate) judged: Vec<bool>,
    pub(crate) runs: Vec<RunHooks>,
    /// A number above those of all states.
    pub(crate) added: usize,
}

/// The states with one operation on the hook's plane.
pub(crate) struct RunHooks {
    pub(crate) run: PlaneRun,
    /// Whether a reset has just cleared all planes of the die, and whether a chain is certainly under way.
    marks: (bool, bool),
    /// The number of the first state.
    pub(crate) first: usize,
    /// The states, each with its number. Empty if the operation forbids every class that is judged.
    states: Vec<(usize, SearchNode)>,
}

/// States in which a hook may fall that differ only in the hook's plane.
pub(crate) struct HookGroup {
    /// What they have in common.
    pub(crate) common: HookContext,
    /// The number of the first.
    pub(crate) first: usize,
    /// The place of the states of the plane in the list of all groups.
    planes: Range<usize>,
}

/// States in which a hook may fall, by the state of the die.
pub(crate) struct GroupedHooks {
    pub(crate) groups: Vec<HookGroup>,
    /// The states of the plane of all groups, one list after the other.
    planes: Vec<u32>,
}

impl GroupedHooks {
    /// The states of the plane in a group, some more than once.
    pub(crate) fn planes(&self, group: &HookGroup) -> &[u32] {
        &self.planes[group.planes.clone()]
    }
}

impl<'m> HookGroups<'m> {
    /// No states. `open` are the classes to be judged; those that are refused everywhere are left out.
    fn new(model: &'m Model<'m>, open: impl Iterator<Item = NameClassId>) -> Self {
        let mut judged = vec![false; model.classes.len()];
        open.for_each(|class| judged[usize::from(class)] = model.judge_anywhere(class).is_ok());
        Self { model, judged, runs: Vec::new(), added: 0 }
    }

    /// Adds all states that have this operation on the plane and these marks, after those that were added.
    fn add_nodes(&mut self, run: PlaneRun, marks: (bool, bool), nodes: impl ExactSizeIterator<Item = SearchNode>) {
        let from = self.added;
        self.added += nodes.len();
        self.add(run, marks, (from..).zip(nodes));
    }

    /// Adds all states that have this operation on the plane and these marks, each with its number. The numbers grow.
    fn add(&mut self, run: PlaneRun, marks: (bool, bool), states: impl Iterator<Item = (usize, SearchNode)>) {
        let mut states = states.peekable();
        let Some(&(first, _)) = states.peek() else { return };
        let is_open =
            |(class, judged): (usize, &bool)| *judged && self.model.judge_run(run, class as NameClassId).is_ok();
        let states = if self.judged.iter().enumerate().any(is_open) { states.collect() } else { Vec::new() };
        self.runs.push(RunHooks { run, marks, first, states });
    }
}

impl RunHooks {
    /// The states by the state of the die, in the order of their numbers. `group_of` has room for each state of a die, and is
    /// full of [`NO_GROUP`] before and after.
    pub(crate) fn groups(&self, graph: &Graph, group_of: &mut [u32]) -> GroupedHooks {
        let mut groups: Vec<HookGroup> = Vec::new();
        // First the number of states of each group, then where its list begins, and at last where it ends.
        for &(first, node) in &self.states {
            let group = &mut group_of[node.die as usize];
            if *group == NO_GROUP {
                *group = groups.len() as u32;
                let (run, (fresh, chained)) = (self.run, self.marks);
                let common = HookContext { die: *graph.die(node), plane: Plane::default(), run, fresh, chained };
                groups.push(HookGroup { common, first, planes: 0..0 });
            }
            groups[*group as usize].planes.end += 1;
        }
        let mut begin = 0;
        for HookGroup { planes, .. } in &mut groups {
            let count = planes.end;
            *planes = begin..begin;
            begin += count;
        }
        let mut planes = vec![0; begin];
        for (_, node) in &self.states {
            let place = &mut groups[group_of[node.die as usize] as usize].planes;
            planes[place.end] = node.plane;
            place.end += 1;
        }
        self.states.iter().for_each(|(_, node)| group_of[node.die as usize] = NO_GROUP);
        GroupedHooks { groups, planes }
    }
}

/// The states in which hooks fall on one key.
pub(crate) struct Hooks<'m> {
    model: &'m Model<'m>,
    graph: &'m Graph,
    /// Certain hooks.
    pub(crate) certain: HookGroups<'m>,
    /// Hooks during an ISSUE that is not short: certain for instant operations, which wait for the bus without limit.
    pub(crate) certain_for_instants: HookGroups<'m>,
    /// Coincidences.
    pub(crate) chance: HookGroups<'m>,
}

/// Neither has a reset just cleared the planes of the die, nor is a chain certainly under way.
const PLAIN: (bool, bool) = (false, false);

impl<'m> Hooks<'m> {
    fn new(model: &'m Model<'m>, graph: &'m Graph, open: &[NameClassId]) -> Self {
        let all = || HookGroups::new(model, open.iter().copied());
        let instants = open.iter().copied().filter(|&class| model.base(class).instant);
        let certain_for_instants = HookGroups::new(model, instants);
        Self { model, graph, certain: all(), certain_for_instants, chance: all() }
    }

    /// The certain hooks, which every operation can use, for the `open` classes.
    pub(crate) fn certain(model: &'m Model<'m>, graph: &'m Graph, key: PhaseKey, open: &[NameClassId]) -> Self {
        let mut hooks = Self::new(model, graph, open);
        let info = &model.profile.phase_keys[key];
        match (info.base, info.phase) {
            (None, _) if model.profile.policies.refill_uses_end_key => hooks.idle(&never_ran(graph)),
            (None, _) => hooks.idle(&(0..graph.len() as u32).collect::<Vec<_>>()),
            (Some(base), Some(PhaseKind::CoreBusy)) => hooks.busy(base, false),
            (Some(base), Some(PhaseKind::DataIn | PhaseKind::DataOut)) => hooks.window(base, false),
            (Some(base), Some(PhaseKind::Issue) | None) => hooks.end(base),
        }
        hooks
    }

    /// The hooks that are certain for instant operations only, and the coincidences, for the `open` classes.
    pub(crate) fn others(model: &'m Model<'m>, graph: &'m Graph, key: PhaseKey, open: &[NameClassId]) -> Self {
        let mut hooks = Self::new(model, graph, open);
        let info = &model.profile.phase_keys[key];
        match (info.base, info.phase) {
            (None, _) => {
                let mut shown = ShownOperations::new(graph);
                shown.next_operation(graph, &never_ran(graph));
                hooks.shown(&shown);
            }
            (Some(base), Some(PhaseKind::CoreBusy)) => hooks.busy(base, true),
            (Some(base), Some(PhaseKind::DataIn | PhaseKind::DataOut)) => hooks.window(base, true),
            (Some(base), Some(PhaseKind::Issue) | None) => hooks.after_end(base),
        }
        hooks
    }

    /// Refills on an idle plane.
    fn idle(&mut self, nodes: &[u32]) {
        self.certain.add_nodes(PlaneRun::Idle, PLAIN, self.graph.nodes_of(nodes));
    }

    /// Hooks during CORE_BUSY: of the classes that only start in the bootstrap, or of the others.
    fn busy(&mut self, base: BaseId, of_bootstrap: bool) {
        let (model, graph) = (self.model, self.graph);
        let hooks = if of_bootstrap { &mut self.chance } else { &mut self.certain };
        let is_asked = |class| model.class(class).busy && model.is_only_in_bootstrap(class) == of_bootstrap;
        for &class in model.of_base[base.index()].iter().filter(|&&class| is_asked(class)) {
            let flights = &graph.flights[usize::from(class)].items;
            hooks.add_nodes(PlaneRun::Busy(class), PLAIN, flights.iter().copied());
        }
    }

    /// Hooks during a window, of the same classes.
    fn window(&mut self, base: BaseId, of_bootstrap: bool) {
        let (model, graph) = (self.model, self.graph);
        let hooks = if of_bootstrap { &mut self.chance } else { &mut self.certain };
        let is_asked =
            |class| model.class(class).window.0 > Ticks::ZERO && model.is_only_in_bootstrap(class) == of_bootstrap;
        for &class in model.of_base[base.index()].iter().filter(|&&class| is_asked(class)) {
            let nodes = graph.beside_all(graph.ends[usize::from(class)].items.iter().copied());
            hooks.add_nodes(PlaneRun::Window(class), PLAIN, graph.nodes_of(&nodes));
        }
    }

    fn end(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        let marks = (model.tables.base(base).effects.resets(), goes_on(model, base));
        // What only the bootstrap starts gives coincidences.
        let lasts = |class: &NameClassId| !model.is_only_in_bootstrap(*class);
        let giving = ending(model, base).filter(lasts).filter(|&class| gives_hooks(model, class));
        let mut ends: Vec<u32> =
            giving.flat_map(|class| graph.ends[usize::from(class)].items.iter().copied()).collect();
        let mut idle = Vec::new();
        if model.profile.policies.refill_uses_end_key {
            idle = idle_after(graph, ending(model, base).filter(lasts));
        }
        if marks == PLAIN {
            ends.append(&mut idle);
        }
        self.certain.add_nodes(PlaneRun::Idle, marks, graph.nodes_of(&ends));
        self.idle(&idle);
    }

    fn after_end(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        // An operation that does not show may come and go between the end and the hook. The last hook may fall on the tick at
        // which the next step has just started. A run boundary completes every chain before it carries the hooks on.
        let idle = idle_after(graph, ending(model, base));
        self.chance.add_nodes(PlaneRun::Idle, PLAIN, graph.nodes_of(&idle));
        let mut shown = ShownOperations::new(graph);
        shown.next_operation(graph, &idle);
        let resumed = model.tables.base(base).effects.resume.is_some();
        for &(before, next, flight) in &graph.cuts.items {
            if model.class(before).base == base {
                shown.add(next, flight, resumed);
            }
        }
        let flies = |&class: &NameClassId| !graph.flights[usize::from(class)].items.is_empty();
        if model.of_base[base.index()].iter().any(flies) {
            shown.resets(model, graph);
        }
        self.shown(&shown);
    }

    /// The hooks of operations that come to show on a plane: in their ISSUE, and at the ticks at which their phases begin.
    fn shown(&mut self, shown: &ShownOperations) {
        let (model, graph) = (self.model, self.graph);
        let policies = &model.profile.policies;
        let from = self.chance.added;
        for (class, operations) in shown.by_class.iter().enumerate() {
            let (flights, windows) = (&graph.flights[class].items, &graph.windows[class]);
            let class = class as NameClassId;
            let own = model.class(class);
            let number = |operation: &ShownOperation, phase: usize| from + 3 * operation.number + phase;
            if own.issue > Ticks::ZERO {
                let issued = operations.iter().filter(|operation| !operation.resumed);
                let issued = issued.map(|operation| (number(operation, 0), flights[operation.flight as usize]));
                if own.issue.0 >= policies.queue_refill_period.0 / SHORT {
                    self.certain_for_instants.add(PlaneRun::Issue(class), PLAIN, issued.clone());
                }
                self.chance.add(PlaneRun::Issue(class), PLAIN, issued);
            }
            let busy = operations.iter().map(|operation| (number(operation, 1), flights[operation.flight as usize]));
            self.chance.add(PlaneRun::Busy(class), PLAIN, busy);
            if !windows.is_empty() {
                let reached = operations.iter().flat_map(|operation| {
                    windows[operation.flight as usize].iter().map(move |&node| (number(operation, 2), node))
                });
                self.chance.add(PlaneRun::Window(class), PLAIN, reached);
            }
        }
        for hooks in [&mut self.certain_for_instants, &mut self.chance] {
            hooks.added = from + 3 * shown.count;
        }
    }
}

/// Operations that come to show on a plane.
struct ShownOperations {
    by_class: Vec<Vec<ShownOperation>>,
    /// How many there are.
    count: usize,
}

/// An operation that comes to show on a plane.
struct ShownOperation {
    /// Its place among all.
    number: usize,
    /// The number of its state among the flights of its class.
    flight: u32,
    /// Whether it shows again, since a RESUME has ended.
    resumed: bool,
}

impl ShownOperations {
    fn new(graph: &Graph) -> Self {
        Self { by_class: graph.flights.iter().map(|_| Vec::new()).collect(), count: 0 }
    }

    fn add(&mut self, class: NameClassId, flight: u32, resumed: bool) {
        self.by_class[usize::from(class)].push(ShownOperation { number: self.count, flight, resumed });
        self.count += 1;
    }

    /// The next operations on a plane, which do not show yet when the hooks fall.
    fn next_operation(&mut self, graph: &Graph, idle: &[u32]) {
        let mut seen: Vec<Vec<bool>> = graph.flights.iter().map(|flights| vec![false; flights.items.len()]).collect();
        for &(class, flight) in idle.iter().flat_map(|&node| graph.starts_on.of(node)) {
            if !std::mem::replace(&mut seen[usize::from(class)][flight as usize], true) {
                self.add(class, flight, false);
            }
        }
    }

    /// A reset may cut what shows on the plane.
    fn resets(&mut self, model: &Model<'_>, graph: &Graph) {
        for (class, flights) in graph.flights.iter().enumerate() {
            let class = class as NameClassId;
            if model.base(class).effects.resets() {
                (0..flights.items.len() as u32).for_each(|flight| self.add(class, flight, false));
            }
        }
    }
}

/// The states before anything has shown.
fn never_ran(graph: &Graph) -> Vec<u32> {
    graph.beside_all(std::iter::once(0))
}

/// The states of an idle plane after an operation of some classes.
fn idle_after(graph: &Graph, classes: impl Iterator<Item = NameClassId>) -> Vec<u32> {
    graph.beside_all(classes.flat_map(|class| graph.ends[usize::from(class)].items.iter().copied()))
}

/// The classes of a base after whose operations a plane shows their END.
fn ending<'m>(model: &'m Model<'_>, base: BaseId) -> impl Iterator<Item = NameClassId> + 'm {
    // After a RESUME the planes show what it resumes.
    let replaced = model.tables.base(base).effects.resume.is_some_and(|axis| shows_everywhere(model, axis));
    model.of_base[base.index()].iter().copied().filter(move |_| !replaced)
}

/// Whether hooks after an operation of a class find its END. A long window keeps the END away until they are over.
fn gives_hooks(model: &Model<'_>, class: NameClassId) -> bool {
    let (own, policies) = (model.class(class), &model.profile.policies);
    let seen = own.window.1 <= policies.post_hook_window + policies.time_resolution;
    shows_core_busy(model.profile, model.base(class), own.base) && seen
}

/// Whether a chain always goes on after an operation of a base, and only after the hooks of that operation are over.
fn goes_on(model: &Model<'_>, base: BaseId) -> bool {
    let policies = &model.profile.policies;
    policies.sequence_gap >= policies.post_hook_window && model.always_goes_on(base)
}

/// Whether every operation that can be suspended on an axis shows on all planes of its die.
fn shows_everywhere(model: &Model<'_>, axis: Axis) -> bool {
    let suspended = |class: &NameClassId| model.base(*class).effects.is_of(axis);
    let mut suspend_targets = (0..model.classes.len() as NameClassId).filter(suspended);
    model.planes == 1 || suspend_targets.all(|class| model.looks_at_die(class))
}
