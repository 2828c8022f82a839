//! The states in which a hook may fall on a phase key.
//!
//! A hook is certain if an operation gives it during its own CORE_BUSY or shortly after it, or if a refill gives it in a span
//! that is not short against the refill period. The other hooks are coincidences:
//! - a hook in a short ISSUE of the next operation on the plane;
//! - a hook at the very tick at which a phase begins, when the phase key is still the END before;
//! - a hook after an operation, when an operation that does not show has come and gone since;
//! - a hook that a run boundary has carried on.

use nandseq_profile::model::{Axis, PhaseKind};
use nandseq_profile::{BaseId, PhaseKey, Ticks};
use rustc_hash::FxHashMap as Map;

use crate::explore::{Graph, SearchNode};
use crate::judge::{HookContext, PlaneRun};
use crate::model::{Model, NameClassId, shows_core_busy};
use crate::state::Plane;

/// An ISSUE is short when fewer than one in this many refills of a plane would find it.
const SHORT: u64 = 20;

/// Usually a group has no more states of the plane.
const USUAL: usize = 8;

/// States in which a hook may fall.
pub(crate) struct HookGroups<'m> {
    model: &'m Model<'m>,
    graph: &'m Graph,
    /// For each class, whether it is judged there.
    pub(crate) judged: Vec<bool>,
    pub(crate) runs: Vec<RunHooks>,
    /// By the number of the operation on the plane, its place in `runs`.
    known_runs: Vec<Option<u32>>,
    /// By the state of the die, the operation on the plane, `fresh` and `chained`, in one number: the group among those of the
    /// operation.
    known: Map<u64, usize>,
    /// How many states were added.
    pub(crate) added: usize,
}

/// The states with one operation on the hook's plane.
pub(crate) struct RunHooks {
    pub(crate) run: PlaneRun,
    /// The number of the first state.
    pub(crate) first: usize,
    /// Empty if the operation forbids every class that is judged.
    pub(crate) groups: Vec<HookGroup>,
    is_open: bool,
}

/// States in which a hook may fall that differ only in the hook's plane.
pub(crate) struct HookGroup {
    /// What they have in common.
    pub(crate) common: HookContext,
    /// The number of the first.
    pub(crate) first: usize,
    /// The states of the plane, some more than once.
    pub(crate) planes: Vec<u32>,
}

impl<'m> HookGroups<'m> {
    /// No states. `open` are the classes to be judged; those that are refused everywhere are left out.
    fn new(model: &'m Model<'m>, graph: &'m Graph, open: impl Iterator<Item = NameClassId>) -> Self {
        let mut judged = vec![false; model.classes.len()];
        open.for_each(|class| judged[usize::from(class)] = model.judge_anywhere(class).is_ok());
        let known_runs = vec![None; 3 * judged.len() + 1];
        Self { model, graph, judged, runs: Vec::new(), known_runs, known: Map::default(), added: 0 }
    }

    fn add(&mut self, node: SearchNode, run: PlaneRun, (fresh, chained): (bool, bool)) {
        let first = self.added;
        self.added += 1;
        let number = run.number();
        let of_run = *self.known_runs[number].get_or_insert_with(|| {
            let is_open =
                |(class, judged): (usize, &bool)| *judged && self.model.judge_run(run, class as NameClassId).is_ok();
            let is_open = self.judged.iter().enumerate().any(is_open);
            self.runs.push(RunHooks { run, first, groups: Vec::new(), is_open });
            self.runs.len() as u32 - 1
        });
        let RunHooks { groups, is_open: true, .. } = &mut self.runs[of_run as usize] else { return };
        let key = u64::from(node.die) << 32 | (number as u64) << 2 | u64::from(fresh) << 1 | u64::from(chained);
        let group = *self.known.entry(key).or_insert_with(|| {
            let common = HookContext { die: *self.graph.die(node), plane: Plane::default(), run, fresh, chained };
            groups.push(HookGroup { common, first, planes: Vec::with_capacity(USUAL) });
            groups.len() - 1
        });
        groups[group].planes.push(node.plane);
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
        let all = || HookGroups::new(model, graph, open.iter().copied());
        let instants = open.iter().copied().filter(|&class| model.base(class).instant);
        let certain_for_instants = HookGroups::new(model, graph, instants);
        Self { model, graph, certain: all(), certain_for_instants, chance: all() }
    }

    /// The certain hooks, which every operation can use, for the `open` classes.
    pub(crate) fn certain(model: &'m Model<'m>, graph: &'m Graph, key: PhaseKey, open: &[NameClassId]) -> Self {
        let mut hooks = Self::new(model, graph, open);
        let info = &model.profile.phase_keys[key];
        match (info.base, info.phase) {
            (None, _) if model.profile.policies.refill_uses_end_key => hooks.idle(&never_ran(graph)),
            (None, _) => hooks.idle(&(0..graph.len() as u32).collect::<Vec<_>>()),
            (Some(base), Some(PhaseKind::CoreBusy)) => hooks.busy(base),
            (Some(base), Some(PhaseKind::DataIn | PhaseKind::DataOut)) => hooks.window(base),
            (Some(base), Some(PhaseKind::Issue) | None) => hooks.end(base),
        }
        hooks
    }

    /// The hooks that are certain for instant operations only, and the coincidences, for the `open` classes.
    pub(crate) fn others(model: &'m Model<'m>, graph: &'m Graph, key: PhaseKey, open: &[NameClassId]) -> Self {
        let mut hooks = Self::new(model, graph, open);
        let info = &model.profile.phase_keys[key];
        match (info.base, info.phase) {
            (None, _) => hooks.next_operation(&never_ran(graph)),
            (Some(_), Some(PhaseKind::CoreBusy | PhaseKind::DataIn | PhaseKind::DataOut)) => {}
            (Some(base), Some(PhaseKind::Issue) | None) => hooks.after_end(base),
        }
        hooks
    }

    /// Refills on an idle plane.
    fn idle(&mut self, nodes: &[u32]) {
        let graph = self.graph;
        for &node in nodes {
            self.certain.add(graph.node(node), PlaneRun::Idle, PLAIN);
        }
    }

    fn busy(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        for &class in model.of_base[base.index()].iter().filter(|&&class| model.class(class).busy) {
            for &node in &graph.flights[usize::from(class)].items {
                self.certain.add(node, PlaneRun::Busy(class), PLAIN);
            }
        }
    }

    fn window(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        for &class in model.of_base[base.index()].iter().filter(|&&class| model.class(class).window.0 > Ticks::ZERO) {
            for node in graph.beside_all(graph.ends[usize::from(class)].items.iter().copied()) {
                self.certain.add(graph.node(node), PlaneRun::Window(class), PLAIN);
            }
        }
    }

    fn end(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        let effects = &model.tables.base(base).effects;
        let fresh = effects.resets();
        let chained = goes_on(model, base);
        for class in ending(model, base).filter(|&class| gives_hooks(model, class)) {
            for &node in &graph.ends[usize::from(class)].items {
                self.certain.add(graph.node(node), PlaneRun::Idle, (fresh, chained));
            }
        }
        if model.profile.policies.refill_uses_end_key {
            self.idle(&idle_after(model, graph, base));
        }
    }

    fn after_end(&mut self, base: BaseId) {
        let (model, graph) = (self.model, self.graph);
        // An operation that does not show may come and go between the end and the hook. The last hook may fall on the tick at
        // which the next step has just started. A run boundary completes every chain before it carries the hooks on.
        let idle = idle_after(model, graph, base);
        for &node in &idle {
            self.chance.add(graph.node(node), PlaneRun::Idle, PLAIN);
        }
        self.next_operation(&idle);
        let resumed = model.tables.base(base).effects.resume.is_some();
        for &(before, next, node) in &graph.cuts.items {
            if model.class(before).base == base {
                self.shown((next, node), resumed);
            }
        }
        let flies = |&class: &NameClassId| !graph.flights[usize::from(class)].items.is_empty();
        if model.of_base[base.index()].iter().any(flies) {
            self.resets();
        }
    }

    /// Hooks while the next operation on a plane does not show yet.
    fn next_operation(&mut self, idle: &[u32]) {
        let graph = self.graph;
        let mut seen: Vec<Vec<bool>> = graph.flights.iter().map(|flights| vec![false; flights.items.len()]).collect();
        for &(class, flight) in idle.iter().flat_map(|&node| &graph.starts_on[node as usize]) {
            let of_class = usize::from(class);
            if !std::mem::replace(&mut seen[of_class][flight as usize], true) {
                self.shown((class, graph.flights[of_class].items[flight as usize]), false);
            }
        }
    }

    /// An operation that comes to show on a plane: its ISSUE, and the ticks at which its phases begin.
    fn shown(&mut self, (class, node): (NameClassId, SearchNode), resumed: bool) {
        let (model, graph) = (self.model, self.graph);
        let own = model.class(class);
        let policies = &model.profile.policies;
        if own.issue > Ticks::ZERO && !resumed {
            self.chance.add(node, PlaneRun::Issue(class), PLAIN);
            if own.issue.0 >= policies.queue_refill_period.0 / SHORT {
                self.certain_for_instants.add(node, PlaneRun::Issue(class), PLAIN);
            }
        }
        self.chance.add(node, PlaneRun::Busy(class), PLAIN);
        for &reached in graph.in_window(class, node) {
            self.chance.add(reached, PlaneRun::Window(class), PLAIN);
        }
    }

    /// A reset may cut what shows on the plane.
    fn resets(&mut self) {
        let (model, graph) = (self.model, self.graph);
        for (class, flights) in graph.flights.iter().enumerate() {
            let class = class as NameClassId;
            if model.base(class).effects.resets() {
                flights.items.iter().for_each(|&node| self.shown((class, node), false));
            }
        }
    }
}

/// The states before anything has shown.
fn never_ran(graph: &Graph) -> Vec<u32> {
    graph.beside_all(std::iter::once(0))
}

/// The states of an idle plane after an operation of a base.
fn idle_after(model: &Model<'_>, graph: &Graph, base: BaseId) -> Vec<u32> {
    graph.beside_all(ending(model, base).flat_map(|class| graph.ends[usize::from(class)].items.iter().copied()))
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
