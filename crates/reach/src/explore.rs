//! The search: it finds every pair of a die's lasting state and the state of one of its planes that operations can bring about.
//!
//! The other planes of the die may be in any state that was found with the same state of the die, since planes affect one another
//! only through the die. At most one chain that changes a latch or a cache program is followed at a time: a second one would only
//! forbid more. Time, bus and addresses are left out. END keys do not restrict what may start.

use std::ops::Range;

use nandseq_profile::Ticks;
use nandseq_profile::model::Axis;

use crate::courses::{Course, GroupStart, OpenChain, PlaneEnds, SuspendCut, starts_in};
use crate::growing_set::GrowingSet;
use crate::model::{Model, NameClassId};
use crate::node_lists::NodeLists;
use crate::plan::SearchState;
use crate::state::{Die, Plane};
use rustc_hash::FxHashMap as Map;

/// A state of a die and of one of its planes: their numbers among those that the search has found.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct SearchNode {
    pub(crate) die: u32,
    pub(crate) plane: u32,
}

/// The nodes with one state of the die.
struct NodeGroup {
    die: u32,
    nodes: Vec<u32>,
    /// How many of the nodes were processed.
    done: usize,
    starts: Vec<GroupStart>,
}

/// A SUSPEND of an operation: the states of die and plane before it, its class, and that of the operation.
type Suspension = (u32, u32, NameClassId, NameClassId);

/// How an operation changes a plane: the state at its start, and those that may be at its end.
#[derive(Clone, Copy)]
struct PlaneChange {
    started: u32,
    ended: PlaneEnds,
}

/// The states that the search has found, and how operations lead from one to another.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) dies: GrowingSet<Die>,
    pub(crate) planes: GrowingSet<Plane>,
    nodes: GrowingSet<SearchNode>,
    /// The changes of a plane, by its state, the class of the operation, and whether it works there, in one number.
    plane_changes: Map<u64, PlaneChange>,
    /// Where each SUSPEND leads: the node after it, or `None` if it cannot start.
    suspensions: Map<Suspension, Option<u32>>,
    /// Room for the courses of the operations that start in a group.
    courses_here: Vec<(u32, usize)>,
    groups: Vec<NodeGroup>,
    /// For each state of a die its group, if it has nodes.
    group_of: Map<u32, usize>,
    /// For each node the nodes that follow without a new operation showing on the plane.
    beside: NodeLists<u32>,
    /// For each node the nodes that any operation leads to.
    pub(crate) after: NodeLists<u32>,
    /// For each class the states while one of its operations shows on the plane, before its array is done.
    pub(crate) flights: Vec<GrowingSet<SearchNode>>,
    /// For each class with a window, and for each of its `flights`, the states in the window. Empty for the others.
    pub(crate) windows: Vec<Vec<Vec<SearchNode>>>,
    /// For each class the states just after one of its operations that shows on the plane.
    pub(crate) ends: Vec<GrowingSet<u32>>,
    /// For each node, the classes that may start to show on its plane, each with the number of its state then in `flights`. Some
    /// come more than once.
    pub(crate) starts_on: NodeLists<(NameClassId, u32)>,
    /// Operations that come to show on a plane when they cut another or are resumed: the class that is cut or resumes, the class
    /// that shows then, and the number of the state in the `flights` of the latter.
    pub(crate) cuts: GrowingSet<(NameClassId, NameClassId, u32)>,
    /// The classes of which an operation can run at all, as a proposal or as a step of a chain.
    pub(crate) runs: Vec<bool>,
    /// How many operations were carried out. Those of a group are carried out again, and count again, whenever the group has grown;
    /// since they lead nowhere new then, they are only counted.
    tried: u64,
    /// How many operations may be carried out.
    most: u64,
    /// How many nodes there may be.
    most_nodes: usize,
}

/// The most operations that a search carries out, which takes about a second. The built-in device needs 800,000.
pub const MOST_TRIED: u64 = 5_000_000;
/// The most nodes of a search that carries out fewer operations than that: where there are many, each operation takes longer. The
/// built-in device has 8,500.
const MOST_NODES: usize = 20_000;

impl Graph {
    /// Searches until nothing new is found, or until more than `most` operations were carried out.
    pub(crate) fn new(model: &Model<'_>, most: u64) -> Self {
        Self::from(model, most, &[(Die::default(), Plane::default())])
    }

    /// The same search from other states on.
    pub(crate) fn from(model: &Model<'_>, most: u64, first: &[(Die, Plane)]) -> Self {
        let mut graph = Self {
            most,
            most_nodes: if most < MOST_TRIED { MOST_NODES } else { usize::MAX },
            flights: vec![GrowingSet::default(); model.classes.len()],
            ends: vec![GrowingSet::default(); model.classes.len()],
            runs: vec![false; model.classes.len()],
            ..Self::default()
        };
        for &(die, plane) in first {
            let node = SearchNode { die: graph.dies.add(die), plane: graph.planes.add(plane) };
            graph.add(node);
        }
        let mut grown = true;
        while grown && graph.is_complete() {
            grown = false;
            let mut at = 0;
            while at < graph.groups.len() && graph.is_complete() {
                if graph.groups[at].done < graph.groups[at].nodes.len() {
                    grown = true;
                    graph.process(model, at);
                }
                at += 1;
            }
        }
        if !graph.is_complete() {
            return graph.undecided(model);
        }
        let nodes = graph.len();
        for lists in [&mut graph.after, &mut graph.beside] {
            lists.group(nodes);
            lists.make_sets();
        }
        graph.starts_on.group(nodes);
        graph.find_windows(model);
        graph
    }

    fn find_windows(&mut self, model: &Model<'_>) {
        self.windows = vec![Vec::new(); self.flights.len()];
        for class in model.classes_that(|class| model.class(class).window.0 > Ticks::ZERO) {
            for at in 0..self.flights[usize::from(class)].items.len() {
                let node = self.flights[usize::from(class)].items[at];
                let die = model.die_after(self.die(node), class);
                let die = self.dies.add(model.kept_die(die));
                let planes = self.plane_change(model, node.plane, class, true).ended.into_iter().flatten();
                self.windows[usize::from(class)].push(planes.map(|plane| SearchNode { die, plane }).collect());
            }
        }
    }

    /// The result of a search that did not come to its end: every possible class may run.
    fn undecided(self, model: &Model<'_>) -> Self {
        Self { runs: model.possible.clone(), tried: self.most.saturating_add(1), most: self.most, ..Self::default() }
    }

    /// How many operations were carried out.
    pub(crate) const fn tried(&self) -> u64 {
        self.tried
    }

    /// Whether the search came to its end. If it did not, only `runs` has a meaning.
    pub(crate) fn is_complete(&self) -> bool {
        self.tried <= self.most && self.len() <= self.most_nodes
    }

    /// How many nodes there are. The first is that of a device that has never run.
    pub(crate) fn len(&self) -> usize {
        self.nodes.items.len()
    }

    pub(crate) fn node(&self, id: u32) -> SearchNode {
        self.nodes.items[id as usize]
    }

    /// The states of all nodes.
    pub(crate) fn states(&self) -> impl Iterator<Item = (Die, Plane)> + '_ {
        self.nodes.items.iter().map(|&node| (*self.die(node), *self.plane(node)))
    }

    pub(crate) fn die(&self, node: SearchNode) -> &Die {
        &self.dies.items[node.die as usize]
    }

    pub(crate) fn plane(&self, node: SearchNode) -> &Plane {
        &self.planes.items[node.plane as usize]
    }

    pub(crate) fn nodes_of<'a>(&'a self, ids: &'a [u32]) -> impl ExactSizeIterator<Item = SearchNode> + 'a {
        ids.iter().map(|&id| self.node(id))
    }

    /// The nodes that follow from some without a new operation showing on the plane, themselves included.
    pub(crate) fn beside_all(&self, from: impl Iterator<Item = u32>) -> Vec<u32> {
        let (mut seen, mut found) = (vec![false; self.len()], Vec::new());
        let mut add = |found: &mut Vec<u32>, node: u32| {
            if !std::mem::replace(&mut seen[node as usize], true) {
                found.push(node);
            }
        };
        from.for_each(|node| add(&mut found, node));
        let mut at = 0;
        while let Some(&node) = found.get(at) {
            self.beside.of(node).iter().for_each(|&next| add(&mut found, next));
            at += 1;
        }
        found
    }

    fn add(&mut self, node: SearchNode) -> u32 {
        let known = self.len();
        let id = self.nodes.add(node);
        if id as usize == known {
            let group = *self.group_of.entry(node.die).or_insert_with(|| {
                self.groups.push(NodeGroup { die: node.die, nodes: Vec::new(), done: 0, starts: Vec::new() });
                self.groups.len() - 1
            });
            self.groups[group].nodes.push(id);
        }
        id
    }

    /// The states of planes that were found with this state of the die.
    pub(crate) fn planes_of(&self, die: &Die) -> impl Iterator<Item = &Plane> {
        let group = self.dies.known.get(die).and_then(|die| self.group_of.get(die));
        let nodes = group.map_or(&[][..], |&group| &self.groups[group].nodes);
        nodes.iter().map(|&node| self.plane(self.node(node)))
    }

    /// Starts every operation that may start in the states of one group.
    fn process(&mut self, model: &Model<'_>, group: usize) {
        let nodes = self.groups[group].nodes.clone();
        let mut starts = std::mem::take(&mut self.groups[group].starts);
        let done = std::mem::replace(&mut self.groups[group].done, nodes.len());
        if done == 0 {
            starts = starts_in(model, &self.dies.items[self.groups[group].die as usize]);
        }
        for start in &mut starts {
            self.start_everywhere(model, nodes.split_at(done), start);
            if !self.is_complete() {
                return;
            }
        }
        self.groups[group].starts = starts;
    }

    /// Starts an operation on or beside the plane of each node of a group. The `old` nodes were processed before: only the courses
    /// found since then are new to them.
    fn start_everywhere(&mut self, model: &Model<'_>, (old, new): (&[u32], &[u32]), start: &mut GroupStart) {
        let class = start.class;
        let (targeted, multi) = (model.has_targets(class), model.class(class).multi);
        let tables = |plane: &Plane| if model.looks_at_die(class) { model.plane_tables(plane, class) } else { Ok(()) };
        let known = start.courses.len();
        // The courses of an operation that works on the plane of a node, or on no plane.
        let mut all_here = std::mem::take(&mut self.courses_here);
        all_here.clear();
        for &node in new {
            let plane = self.plane(self.node(node));
            if (if targeted { model.plane_allows(plane, class) } else { tables(plane) }).is_ok() {
                match start.next {
                    Some(next) => all_here.push((node, self.course(model, node, start, next))),
                    None => {
                        let found = self.proposal(model, node, start);
                        all_here.extend(start.of_proposals[found].iter().map(|&course| (node, course)));
                    }
                }
            }
        }
        // If it works on another plane, every course is possible that is possible on some plane.
        let elsewhere = targeted && model.planes > 1 && (!multi || model.planes > 2);
        let before = self.tried;
        let mut here = all_here.iter().filter(|_| !targeted || !multi || model.planes > 1).peekable();
        for (&node, is_old) in old.iter().map(|node| (node, true)).chain(new.iter().map(|node| (node, false))) {
            while let Some((_, course)) = here.next_if(|(of, _)| *of == node) {
                self.fly(model, node, class, targeted, &start.courses[*course]);
            }
            let others = &start.courses[if is_old { known } else { 0 }..];
            if elsewhere && !others.is_empty() && tables(self.plane(self.node(node))).is_ok() {
                others.iter().for_each(|course| self.fly(model, node, class, false, course));
            }
        }
        let tried = self.tried - before;
        self.tried += start.tried;
        start.tried += tried;
        self.courses_here = all_here;
    }

    /// The number of the course of an operation among those of its class in the group of a node.
    fn course(&mut self, model: &Model<'_>, node: u32, start: &mut GroupStart, next: OpenChain) -> usize {
        if let Some(known) = start.courses.iter().position(|course| course.next == next) {
            return known;
        }
        let (class, info) = (start.class, model.base(start.class));
        let die = *self.die(self.node(node));
        let before = Die { chain: if info.effects.resets() { None } else { next }, ..die };
        let (mut started, mut resumes_at) = (before, before);
        started.start(info);
        resumes_at.finish(info);
        let cuts = self.cuts_of(model, &started, class);
        let resumed = info.effects.resume.map_or_else(Vec::new, |axis| model.resumed(&die, axis));
        let resumed = resumed.into_iter().map(|target| (target, self.cuts_of(model, &resumes_at, target))).collect();
        let [started, ended, resumes_at] =
            [started, model.die_after(&before, class), resumes_at].map(|die| self.dies.add(model.kept_die(die)));
        start.courses.push(Course { next, started, ended, cuts, resumed, resumes_at });
        start.courses.len() - 1
    }

    /// The classes that may suspend an operation that is in CORE_BUSY, as far as the die decides.
    fn cuts_of(&mut self, model: &Model<'_>, before: &Die, class: NameClassId) -> Vec<SuspendCut> {
        let info = model.base(class);
        let axis = match &info.effects {
            effects if effects.erase => Axis::Erase,
            effects if effects.is_program() => Axis::Program,
            _ => return Vec::new(),
        };
        if !model.class(class).busy || before.suspended(axis) {
            return Vec::new();
        }
        let mut after = *before;
        match axis {
            Axis::Erase => after.erase = true,
            Axis::Program => after.program = Some(class),
        }
        let allows = |&&by: &&NameClassId| {
            model.base(by).effects.suspend == Some(axis)
                && !info.busy_key.is_some_and(|key| model.tables.forbidden_in(key).contains(model.class(by).base))
                && model.die_allows(before, by).is_ok()
        };
        let suspends: Vec<NameClassId> = model.suspends.iter().filter(allows).copied().collect();
        let (before, after) = (self.dies.add(*before), self.dies.add(model.kept_die(after)));
        suspends.into_iter().map(|by| SuspendCut { by, before, after }).collect()
    }

    fn plane_change(&mut self, model: &Model<'_>, plane: u32, class: NameClassId, here: bool) -> PlaneChange {
        let info = model.base(class);
        if !here && !info.effects.resets() && info.effects.resume.is_none() {
            return PlaneChange { started: plane, ended: [Some(plane), None, None, None] };
        }
        let key = u64::from(plane) << 32 | u64::from(class) << 1 | u64::from(here);
        if let Some(known) = self.plane_changes.get(&key) {
            return *known;
        }
        let before = self.planes.items[plane as usize];
        let mut started = before;
        if here {
            started.start(info);
        }
        // A reset of another die leads nowhere from this node: no reset ends a state of the target. If one did, it would lead to the
        // same die and plane without that state.
        if info.effects.resets() {
            started = Plane::default();
        }
        let ended = model
            .planes_after(&before, class, here)
            .map(|plane| plane.map(|plane| self.planes.add(model.kept_plane(plane))));
        let change = PlaneChange { started: self.planes.add(model.kept_plane(started)), ended };
        self.plane_changes.insert(key, change);
        change
    }

    /// The place, among the courses of the proposals of a start, of those of one that works on the plane of a node.
    fn proposal(&mut self, model: &Model<'_>, node: u32, start: &mut GroupStart) -> Range<usize> {
        let class = start.class;
        let of_node = self.node(node);
        let ended = self.plane_change(model, of_node.plane, class, model.has_targets(class)).ended;
        if let Some((_, courses)) = start.proposals.iter().find(|(known, _)| *known == ended) {
            return courses.clone();
        }
        let (die, plane) = (*self.die(of_node), *self.plane(of_node));
        let first = start.of_proposals.len();
        for follow_up in model.possible_follow_ups(SearchState { die, plane }, class, None) {
            let next = match follow_up.filter(|&chain| model.tracked[chain]) {
                Some(_) if die.chain.is_some() => continue,
                Some(chain) => Some((chain as u16, 0)),
                None => die.chain,
            };
            let course = self.course(model, node, start, next);
            if !start.of_proposals[first..].contains(&course) {
                start.of_proposals.push(course);
            }
        }
        start.proposals.push((ended, first..start.of_proposals.len()));
        first..start.of_proposals.len()
    }

    /// Carries out an operation from a node: adds the states while it shows, after it is suspended, and after it has ended.
    fn fly(&mut self, model: &Model<'_>, from: u32, class: NameClassId, here: bool, course: &Course) {
        self.runs[usize::from(class)] = true;
        self.tried += 1;
        let shows = model.base(class).becomes_op_state() && (here || model.looks_at_die(class));
        let change = self.plane_change(model, self.node(from).plane, class, here);
        let started = SearchNode { die: course.started, plane: change.started };
        if shows {
            let flight = self.flights[usize::from(class)].add(started);
            self.starts_on.added.push((from, (class, flight)));
        }
        self.suspend(model, from, change.started, class, &course.cuts);
        for plane in change.ended.into_iter().flatten() {
            let end = self.add(SearchNode { die: course.ended, plane });
            if shows {
                self.ends[usize::from(class)].add(end);
            } else if end != from {
                self.beside.added.push((from, end));
            }
            if end != from {
                self.after.added.push((from, end));
            }
            for (target, cuts) in &course.resumed {
                let resumed = SearchNode { die: course.resumes_at, plane };
                if model.looks_at_die(*target) {
                    let flight = self.flights[usize::from(*target)].add(resumed);
                    self.cuts.add((class, *target, flight));
                    self.ends[usize::from(*target)].add(end);
                }
                self.suspend(model, from, plane, *target, cuts);
            }
        }
    }

    /// Carries out the SUSPENDs of an operation of `class`, whose plane is in the state `plane` then.
    fn suspend(&mut self, model: &Model<'_>, from: u32, plane: u32, class: NameClassId, cuts: &[SuspendCut]) {
        for cut in cuts {
            let key = (cut.before, plane, cut.by, class);
            let end = match self.suspensions.get(&key) {
                Some(&known) => known,
                None => {
                    let found = self.suspended(model, plane, class, cut);
                    self.suspensions.insert(key, found);
                    found
                }
            };
            self.after.added.extend(end.map(|end| (from, end)));
        }
    }

    /// The node after a SUSPEND of an operation of `class`; `None` if it cannot start.
    fn suspended(&mut self, model: &Model<'_>, plane: u32, class: NameClassId, cut: &SuspendCut) -> Option<u32> {
        let &SuspendCut { by, before, after } = cut;
        let reached = SearchState { die: self.dies.items[before as usize], plane: self.planes.items[plane as usize] };
        model.plane_tables(&reached.plane, by).ok()?;
        model.possible_follow_ups(reached, by, Some(class)).next()?;
        self.runs[usize::from(by)] = true;
        let node = SearchNode { die: after, plane };
        let flight = self.flights[usize::from(by)].add(node);
        self.cuts.add((class, by, flight));
        let end = self.add(node);
        self.ends[usize::from(by)].add(end);
        Some(end)
    }
}

#[cfg(test)]
mod tests;
