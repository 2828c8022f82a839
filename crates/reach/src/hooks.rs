//! In which states a hook may fall on a phase key.
//!
//! Certain are the hooks that an operation gives for its own CORE_BUSY and shortly after it, and those that the refills give in
//! every span that is not short against their period. The rest is coincidence: a hook in a short ISSUE of the next
//! operation on the plane, at the very tick at which a phase begins, where the key is still the END before, or a hook after an
//! operation before which something that does not show has come and gone.

use nandseq_profile::model::{Axis, PhaseKind};
use nandseq_profile::{BaseId, PhaseKey, Ticks};

use crate::explore::{Found, Graph, Node};
use crate::judge::{Context, Run};
use crate::model::{ClassId, Model, shows};
use crate::plan::Scene;

/// An ISSUE is short when fewer than one in this many refills of a plane would find it.
const SHORT: u64 = 20;

/// The states in which hooks fall on one key.
#[derive(Default)]
pub(crate) struct Hooks {
    /// Hooks that come.
    pub(crate) certain: Found<Context>,
    /// Hooks during an ISSUE that is long enough for instants, which wait for the bus however long.
    pub(crate) certain_for_instants: Found<Context>,
    /// Coincidences.
    pub(crate) chance: Found<Context>,
}

impl Hooks {
    pub(crate) fn new(model: &Model<'_>, graph: &Graph, key: PhaseKey) -> Self {
        let mut hooks = Self::default();
        let info = &model.profile.phase_keys[key];
        match (info.base, info.phase) {
            (None, _) => hooks.default_key(model, graph),
            (Some(base), Some(PhaseKind::CoreBusy)) => hooks.busy(model, graph, base),
            (Some(base), Some(PhaseKind::DataIn | PhaseKind::DataOut)) => hooks.window(model, graph, base),
            (Some(base), Some(PhaseKind::Issue) | None) => hooks.end(model, graph, base),
        }
        hooks
    }

    fn default_key(&mut self, model: &Model<'_>, graph: &Graph) {
        let never_ran = graph.beside_all(std::iter::once(0));
        if model.profile.policies.refill_uses_end_key {
            self.idle(graph, &never_ran);
        } else {
            self.idle(graph, &(0..graph.nodes.len() as u32).collect::<Vec<_>>());
        }
        self.next_operation(model, graph, &never_ran);
    }

    /// Refills on an idle plane.
    fn idle(&mut self, graph: &Graph, nodes: &[u32]) {
        for &node in nodes {
            let (die, plane) = graph.nodes[node as usize];
            self.certain.add(Context { die, plane, run: Run::Idle, fresh: false, chained: false });
        }
    }

    fn busy(&mut self, model: &Model<'_>, graph: &Graph, base: BaseId) {
        for &class in model.of_base[base.index()].iter().filter(|&&class| model.class(class).busy) {
            for &(die, plane) in &graph.flights[usize::from(class)].items {
                self.certain.add(Context { die, plane, run: Run::Busy(class), fresh: false, chained: false });
            }
        }
    }

    fn window(&mut self, model: &Model<'_>, graph: &Graph, base: BaseId) {
        for &class in model.of_base[base.index()].iter().filter(|&&class| model.class(class).window.0 > Ticks::ZERO) {
            for node in graph.beside_all(graph.ends[usize::from(class)].items.iter().copied()) {
                let (die, plane) = graph.nodes[node as usize];
                self.certain.add(Context { die, plane, run: Run::Window(class), fresh: false, chained: false });
            }
        }
    }

    fn end(&mut self, model: &Model<'_>, graph: &Graph, base: BaseId) {
        let policies = &model.profile.policies;
        let info = model.tables.base(base);
        let effects = &info.effects;
        let replaced = effects.resume.is_some_and(|axis| shows_everywhere(model, axis));
        let mut ended = Vec::new();
        for &class in &model.of_base[base.index()] {
            if replaced {
                break; // after a RESUME the planes show what it resumes
            }
            let ends = &graph.ends[usize::from(class)].items;
            ended.extend(ends.iter().copied());
            // A hook after an operation finds its window, if that is long.
            let seen = model.class(class).window.1 <= policies.post_hook_window + policies.time_resolution;
            if shows(model.profile, info, base) && seen {
                let fresh = effects.reset_die || effects.reset_target;
                let chained = policies.sequence_gap >= policies.post_hook_window && model.always_goes_on(base);
                // The last hooks of the window may fall on the tick at which the next step has just started.
                let same_tick = policies.sequence_gap < policies.post_hook_window + policies.time_resolution;
                for &node in ends {
                    let (die, plane) = graph.nodes[node as usize];
                    let context = Context { die, plane, run: Run::Idle, fresh, chained };
                    self.certain.add(context);
                    if chained && same_tick {
                        self.chance.add(Context { chained: false, ..context });
                    }
                }
                // What does not show may come and go between the end and the hook.
                for node in graph.beside_within(model, ends, policies.post_hook_window + policies.time_resolution) {
                    let (die, plane) = graph.nodes[node as usize];
                    self.chance.add(Context { die, plane, run: Run::Idle, fresh: false, chained: false });
                }
            }
        }
        let idle = graph.beside_all(ended.into_iter());
        if policies.refill_uses_end_key {
            self.idle(graph, &idle);
        }
        self.next_operation(model, graph, &idle);
        for &(before, next, node) in &graph.cuts.items {
            if model.class(before).base == base {
                self.shown(model, next, node, effects.resume.is_some());
            }
        }
        if graph
            .flights
            .iter()
            .enumerate()
            .any(|(class, flights)| model.classes[class].base == base && !flights.items.is_empty())
        {
            self.resets(model, graph);
        }
    }

    /// Hooks while what comes next on a plane has not shown yet.
    fn next_operation(&mut self, model: &Model<'_>, graph: &Graph, idle: &[u32]) {
        let mut seen: Found<(ClassId, Node)> = Found::default();
        for &node in idle {
            for &(class, state) in &graph.starts[node as usize].items {
                seen.add((class, state));
            }
        }
        for (class, node) in seen.items {
            self.shown(model, class, node, false);
        }
    }

    /// An operation that comes to show on a plane: its ISSUE, and the ticks at which its phases begin.
    fn shown(&mut self, model: &Model<'_>, class: ClassId, (die, plane): Node, resumed: bool) {
        let own = model.class(class);
        let policies = &model.profile.policies;
        let context = |run| Context { die, plane, run, fresh: false, chained: false };
        if own.issue > Ticks::ZERO && !resumed {
            self.chance.add(context(Run::Issue(class)));
            if own.issue.0 >= policies.queue_refill_period.0 / SHORT {
                self.certain_for_instants.add(context(Run::Issue(class)));
            }
        }
        self.chance.add(context(Run::Busy(class)));
        if own.window.0 > Ticks::ZERO {
            for scene in model.after(&Scene { die, plane }, class, true) {
                let (die, plane) = (scene.die, scene.plane);
                self.chance.add(Context { die, plane, run: Run::Window(class), fresh: false, chained: false });
            }
        }
    }

    /// A reset may cut what shows on the plane.
    fn resets(&mut self, model: &Model<'_>, graph: &Graph) {
        for (class, flights) in graph.flights.iter().enumerate() {
            let effects = &model.base(class as ClassId).effects;
            if effects.reset_die || effects.reset_target {
                flights.items.iter().for_each(|&node| self.shown(model, class as ClassId, node, false));
            }
        }
    }
}

/// Whether everything that an axis suspends shows on every plane of its die.
fn shows_everywhere(model: &Model<'_>, axis: Axis) -> bool {
    let suspended = |class: &ClassId| {
        let effects = &model.base(*class).effects;
        match axis {
            Axis::Erase => effects.erase,
            Axis::Program => effects.is_program(),
        }
    };
    let mut victims = (0..model.classes.len() as ClassId).filter(suspended);
    model.planes == 1 || victims.all(|class| model.looks_at_die(class))
}
