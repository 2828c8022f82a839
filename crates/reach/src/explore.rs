//! The search: it finds every pair of a die's lasting state and the state of one of its planes that operations can bring about.
//!
//! The other planes of the die may be in any state that was found with the same state of the die, since planes affect one another
//! only through the die. At most one chain that changes a latch or a cache program is followed at a time: a second one would only
//! forbid more. Time, bus and addresses are left out. END keys do not restrict what may start.

use std::hash::Hash;

use nandseq_profile::model::{AddressSource, Axis};

use crate::model::{Model, NameClassId};
use crate::plan::SearchState;
use crate::state::{Die, Plane};
use rustc_hash::{FxHashMap as Map, FxHashSet as Set};

/// A set that remembers the order in which it grew.
#[derive(Clone)]
pub(crate) struct GrowingSet<T> {
    pub(crate) items: Vec<T>,
    known: Set<T>,
}

impl<T> Default for GrowingSet<T> {
    fn default() -> Self {
        Self { items: Vec::new(), known: Set::default() }
    }
}

impl<T: Copy + Eq + Hash> GrowingSet<T> {
    pub(crate) fn add(&mut self, item: T) {
        if self.known.insert(item) {
            self.items.push(item);
        }
    }
}

/// A state of a die and of one of its planes.
pub(crate) type SearchNode = (Die, Plane);

/// The states that the search has found, and how operations lead from one to another.
#[derive(Default)]
pub(crate) struct Graph {
    pub(crate) nodes: Vec<SearchNode>,
    index: Map<SearchNode, u32>,
    /// The nodes of each state of the die.
    groups: Vec<(Die, Vec<u32>)>,
    group_of: Map<Die, usize>,
    /// For each node the nodes that follow without a new operation showing on the plane.
    beside: Vec<Vec<u32>>,
    /// For each node the nodes that any operation leads to.
    pub(crate) after: Vec<Vec<u32>>,
    /// For each class the states while one of its operations shows on the plane, before its array is done.
    pub(crate) flights: Vec<GrowingSet<SearchNode>>,
    /// For each class the states just after one of its operations that shows on the plane.
    pub(crate) ends: Vec<GrowingSet<u32>>,
    /// For each node, the classes that may start to show on its plane, each with the state at its start.
    pub(crate) starts: Vec<GrowingSet<(NameClassId, SearchNode)>>,
    /// Operations that come to show on a plane when they cut another or are resumed: the class that is cut or resumes, the class
    /// that shows then, and the state.
    pub(crate) cuts: GrowingSet<(NameClassId, NameClassId, SearchNode)>,
    /// The classes of which an operation can run at all, as a proposal or as a step of a chain.
    pub(crate) runs: Vec<bool>,
    /// How many operations were carried out.
    tried: u64,
    /// How many operations may be carried out.
    most: u64,
}

/// The most operations that a search carries out, which takes a few seconds. The built-in device needs 800,000.
pub(crate) const MOST_TRIED: u64 = 5_000_000;

/// How an operation comes to start.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Proposal,
    /// A step of the chain that the search follows.
    Step,
    /// A step of a chain that it does not follow.
    UntrackedStep,
}

impl Graph {
    /// Searches until nothing new is found, or until more than `most` operations were carried out.
    pub(crate) fn new(model: &Model<'_>, most: u64) -> Self {
        let mut graph = Self {
            most,
            flights: vec![GrowingSet::default(); model.classes.len()],
            ends: vec![GrowingSet::default(); model.classes.len()],
            runs: vec![false; model.classes.len()],
            ..Self::default()
        };
        graph.add((Die::default(), Plane::default()));
        let mut done: Vec<usize> = Vec::new();
        loop {
            let mut grown = false;
            let mut at = 0;
            while at < graph.groups.len() && graph.is_complete() {
                done.resize(graph.groups.len(), 0);
                if done[at] < graph.groups[at].1.len() {
                    done[at] = graph.groups[at].1.len();
                    grown = true;
                    graph.process(model, at);
                }
                at += 1;
            }
            if !grown || !graph.is_complete() {
                break;
            }
        }
        if !graph.is_complete() {
            return graph.undecided(model);
        }
        graph.after.iter_mut().for_each(sort);
        graph.beside.iter_mut().for_each(sort);
        graph
    }

    /// The result of a search that did not come to its end: every possible class may run.
    fn undecided(self, model: &Model<'_>) -> Self {
        Self { runs: model.possible.clone(), tried: self.tried, most: self.most, ..Self::default() }
    }

    /// Whether the search came to its end. If it did not, only `runs` has a meaning.
    pub(crate) const fn is_complete(&self) -> bool {
        self.tried <= self.most
    }

    /// The nodes that follow from some without a new operation showing on the plane, themselves included.
    pub(crate) fn beside_all(&self, from: impl Iterator<Item = u32>) -> Vec<u32> {
        let mut seen = GrowingSet::default();
        from.for_each(|node| seen.add(node));
        let mut at = 0;
        while let Some(&node) = seen.items.get(at) {
            self.beside[node as usize].iter().for_each(|&next| seen.add(next));
            at += 1;
        }
        seen.items
    }

    fn add(&mut self, node: SearchNode) -> u32 {
        if let Some(&known) = self.index.get(&node) {
            return known;
        }
        let id = self.nodes.len() as u32;
        self.nodes.push(node);
        self.index.insert(node, id);
        self.beside.push(Vec::new());
        self.starts.push(GrowingSet::default());
        self.after.push(Vec::new());
        let group = *self.group_of.entry(node.0).or_insert_with(|| {
            self.groups.push((node.0, Vec::new()));
            self.groups.len() - 1
        });
        self.groups[group].1.push(id);
        id
    }

    /// The states of planes that were found with this state of the die.
    pub(crate) fn planes_of(&self, die: &Die) -> impl Iterator<Item = &Plane> {
        let nodes = self.group_of.get(die).map_or(&[][..], |&group| &self.groups[group].1);
        nodes.iter().map(|&node| &self.nodes[node as usize].1)
    }

    /// Starts every operation that may start in the states of one group.
    fn process(&mut self, model: &Model<'_>, group: usize) {
        let (die, nodes) = self.groups[group].clone();
        for class in 0..model.classes.len() as NameClassId {
            let own = model.class(class);
            if !model.possible[usize::from(class)]
                || model.die_allows(&die, class).is_err()
                || model.address_exists(class).is_err()
            {
                continue;
            }
            let effects = &model.base(class).effects;
            if effects.suspend.is_some() || effects.delay {
                continue; // suspensions come with their suspend targets
            }
            for by in [By::Proposal, By::Step, By::UntrackedStep] {
                let next = match by {
                    By::Proposal if own.proposed && may_be_proposed(model, &die, die.chain.is_some(), class) => None,
                    By::Step if !model.tracked_steps[usize::from(class)] => continue,
                    By::Step => match next_step(model, &die, class) {
                        Some(next) => Some(next),
                        None => continue,
                    },
                    By::UntrackedStep if model.untracked_steps[usize::from(class)] => Some(die.chain),
                    By::Proposal | By::UntrackedStep => continue,
                };
                self.start_everywhere(model, &nodes, class, next);
                if !self.is_complete() {
                    return;
                }
            }
        }
    }

    /// Starts an operation on or beside the plane of each node; `next` is what remains of the chain, `None` for a proposal.
    fn start_everywhere(
        &mut self,
        model: &Model<'_>,
        nodes: &[u32],
        class: NameClassId,
        next: Option<Option<(u16, u8)>>,
    ) {
        let (targeted, multi) = (model.has_targets(class), model.class(class).multi);
        let tables = |plane: &Plane| if model.looks_at_die(class) { model.plane_tables(plane, class) } else { Ok(()) };
        // What may remain of the followed chain if the operation works on the plane of a node, or on no plane; `None` if it may
        // not start there.
        let here = |&node: &u32| {
            let plane = &self.nodes[node as usize].1;
            let allowed = if targeted { model.plane_allows(plane, class) } else { tables(plane) };
            allowed.ok().map(|()| next.map_or_else(|| self.chains_after(model, node, class), |next| vec![next]))
        };
        let here: Vec<Option<Vec<_>>> = nodes.iter().map(here).collect();
        // What may remain if it works on another plane: whatever is possible on some plane.
        let mut elsewhere: Vec<Option<(u16, u8)>> = Vec::new();
        let on_another = targeted && model.planes > 1 && here.iter().any(Option::is_some);
        if on_another && (!multi || model.planes > 2) {
            for next in here.iter().flatten().flatten() {
                if !elsewhere.contains(next) {
                    elsewhere.push(*next);
                }
            }
        }
        for (&node, here) in nodes.iter().zip(here) {
            if tables(&self.nodes[node as usize].1).is_err() {
                continue;
            }
            if !targeted || !multi || on_another {
                here.into_iter().flatten().for_each(|next| self.fly(model, node, class, targeted, next));
            }
            elsewhere.iter().for_each(|&next| self.fly(model, node, class, false, next));
        }
    }

    /// What the followed chain may be after a proposal that works on the plane of a node.
    fn chains_after(&self, model: &Model<'_>, node: u32, class: NameClassId) -> Vec<Option<(u16, u8)>> {
        let (die, plane) = self.nodes[node as usize];
        let mut chains = Vec::new();
        for follow_up in model.possible_follow_ups(&SearchState { die, plane }, class, None) {
            let next = match follow_up.filter(|&chain| model.tracked[chain]) {
                Some(_) if die.chain.is_some() => continue,
                Some(chain) => Some((chain as u16, 0)),
                None => die.chain,
            };
            if !chains.contains(&next) {
                chains.push(next);
            }
        }
        chains
    }

    /// Carries out an operation from a node: adds the states while it shows, after it is suspended, and after it has ended.
    fn fly(&mut self, model: &Model<'_>, from: u32, class: NameClassId, here: bool, next: Option<(u16, u8)>) {
        let (die, plane) = self.nodes[from as usize];
        self.runs[usize::from(class)] = true;
        self.tried += 1;
        let info = model.base(class);
        let resets = info.effects.resets();
        let next = if resets { None } else { next };
        let shows = info.becomes_op_state() && (here || model.looks_at_die(class));
        let asks = !model.class(class).only_bootstrap;
        let mut started = SearchState { die: Die { chain: next, ..die }, plane };
        started.die.start(info);
        if here {
            started.plane.start(info);
        }
        // A reset of another die leads nowhere from this node: no reset ends a state of the target. If one did, it would lead to the
        // same die and plane without that state.
        if resets {
            started.plane = Plane::default();
        }
        if shows && asks {
            self.flights[usize::from(class)].add((started.die, started.plane));
            self.starts[from as usize].add((class, (started.die, started.plane)));
        }
        if asks {
            self.suspend(model, from, &started, class);
        }
        let suspend_targets = info.effects.resume.map_or_else(Vec::new, |axis| model.resumed(&die, axis));
        for reached in model.after(&SearchState { die: Die { chain: next, ..die }, plane }, class, here) {
            let end = self.add((reached.die, reached.plane));
            push(&mut self.after[from as usize], end);
            if shows {
                self.ends[usize::from(class)].add(end);
            } else {
                push(&mut self.beside[from as usize], end);
            }
            for &suspend_target in &suspend_targets {
                let mut resumed = SearchState { die: Die { chain: next, ..die }, plane: reached.plane };
                resumed.die.finish(info);
                if model.looks_at_die(suspend_target) {
                    self.flights[usize::from(suspend_target)].add((resumed.die, resumed.plane));
                    self.cuts.add((class, suspend_target, (resumed.die, resumed.plane)));
                    self.ends[usize::from(suspend_target)].add(end);
                }
                self.suspend(model, from, &resumed, suspend_target);
            }
        }
    }

    /// Carries out every SUSPEND of an operation that is in CORE_BUSY in a state.
    fn suspend(&mut self, model: &Model<'_>, from: u32, flight: &SearchState, class: NameClassId) {
        let info = model.base(class);
        let axis = match &info.effects {
            effects if effects.erase => Axis::Erase,
            effects if effects.is_program() => Axis::Program,
            _ => return,
        };
        if !model.class(class).busy || flight.die.suspended(axis) {
            return;
        }
        for &suspend in &model.suspends {
            if model.base(suspend).effects.suspend != Some(axis)
                || info.busy_key.is_some_and(|key| model.tables.forbidden_in(key).contains(model.class(suspend).base))
                || model.die_allows(&flight.die, suspend).is_err()
                || model.plane_tables(&flight.plane, suspend).is_err()
                || model.possible_follow_ups(flight, suspend, Some(class)).is_empty()
            {
                continue;
            }
            self.runs[usize::from(suspend)] = true;
            let mut suspended = *flight;
            match axis {
                Axis::Erase => suspended.die.erase = true,
                Axis::Program => suspended.die.program = Some(class),
            }
            let node = (suspended.die, suspended.plane);
            self.flights[usize::from(suspend)].add(node);
            self.cuts.add((class, suspend, node));
            let end = self.add(node);
            push(&mut self.after[from as usize], end);
            self.ends[usize::from(suspend)].add(end);
        }
    }
}

/// Adds an item to a list that is sorted and without duplicates in the end. Most items are duplicates, so they are removed when
/// the list is full, and it grows only if more than half of it remains.
fn push<T: Ord>(list: &mut Vec<T>, item: T) {
    if list.len() == list.capacity() {
        sort(list);
        if list.len() > list.capacity() / 2 {
            list.reserve(list.capacity().max(1));
        }
    }
    list.push(item);
}

fn sort<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

/// Whether an operation of a class may be proposed. While a chain is under way (`chained`), operations that go on with its latch
/// or cache program may not, nor those that change the state of the target at their start.
pub(crate) fn may_be_proposed(model: &Model<'_>, die: &Die, chained: bool, class: NameClassId) -> bool {
    let info = model.base(class);
    if !chained {
        return true;
    }
    let latched = matches!(info.address, AddressSource::OneShotLatch | AddressSource::CopybackLatch);
    let continues = info.effects.is_program() && info.address == AddressSource::NextPage && die.cache.is_some();
    !latched && !continues && !info.effects.holds_target
}

/// What remains of the chain under way after its next step; `None` if that step is no operation of this class.
fn next_step(model: &Model<'_>, die: &Die, class: NameClassId) -> Option<Option<(u16, u8)>> {
    let (chain, at) = die.chain?;
    let steps = &model.profile.chains[usize::from(chain)].steps;
    let step = steps.get(usize::from(at))?;
    if step.base != model.class(class).base {
        return None;
    }
    let more = usize::from(at) + 1 < steps.len();
    Some(more.then_some((chain, at + 1)))
}
