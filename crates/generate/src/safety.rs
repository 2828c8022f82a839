//! Chain safety: whatever starts, every chain under way can still run to its end.
//!
//! As in the banker's algorithm: a state is safe when some order of the remaining steps completes all chains of the die. The
//! order is searched on a copy of the die's lasting state, everything in flight ended, and kept: as long as nothing else
//! starts, following it is always possible, so no chain is ever stuck. A start for which no order is found within
//! the search's bound waits or is refused, which costs a little liveliness and never legality. Bus, occupation and
//! op_states pass with time and do not count.
//!
//! Steps that look at every die must be possible in the state that each of the other dies comes to rest in, once its own chains
//! are done: what starts there later must leave it so.
//!
//! A chain whose last step is suspended waits for a RESUME that nobody promises. So the others must complete without it, and
//! once they have, resuming the program, then the erase, must still let its chain complete.

use nandseq_device::{BaseInfo, Device, DieLogic, Place, Reach, Tables, Touch};
use nandseq_profile::model::Axis;
use nandseq_profile::{Die, Plane, PlaneSet, Ticks};

use crate::chain::{ChainId, Chains, Step};
use crate::plan::{outputs_what_moves, settled, settled_by_itself};
use crate::setup::Setup;

/// How many distinct states one search visits before it gives up.
const MOST_STATES: usize = 256;

/// Which chains an operation ends when it starts, its own apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drops {
    None,
    /// Those of its die.
    Die,
    /// Those of every die.
    All,
}

impl Drops {
    pub(crate) fn of(device: &Device, info: &BaseInfo, place: &Place) -> Self {
        if info.effects.reset_target {
            Self::All
        } else if !info.effects.reset_die {
            Self::None
        } else if device.occupied_by(info, place).0 > 1 {
            Self::All
        } else {
            Self::Die
        }
    }
}

/// A die, its chains and what the search needs to know of them.
pub(crate) struct Scene<'a> {
    pub(crate) setup: &'a Setup,
    pub(crate) device: &'a Device,
    pub(crate) chains: &'a Chains,
    /// The chains that wait for a RESUME, by axis.
    pub(crate) parked: [Option<ChainId>; 2],
    /// The chain of each flight, by slot.
    pub(crate) links: &'a [Option<ChainId>],
    pub(crate) die: Die,
    pub(crate) now: Ticks,
}

/// The remaining steps of one chain, as far as a search has come.
#[derive(Clone, Copy, Debug)]
struct Rest {
    /// `None`: the chain that would begin now.
    chain: Option<ChainId>,
    /// How many of its steps have been done, of how many.
    done: usize,
    all: usize,
    /// What a step of it adds to the search's key.
    weight: u64,
    /// Where its steps begin in [`Slate::touches`].
    at: usize,
}

/// An order in which the steps of all chains of a die can be done: whose step is next, again and again.
pub(crate) type Order = Vec<Option<ChainId>>;

/// What searches write on; kept, so that they allocate nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct Slate {
    /// The order found.
    pub(crate) order: Order,
    rests: Vec<Rest>,
    /// What each step of each rest touches, and what it and those after it do.
    touches: Vec<(Touch, Touch)>,
    /// States from which no order was found. A state that the search is still at the end of need not be here: fewer steps are
    /// left in all that follow. So a search that goes well keeps nothing.
    failed: Vec<DieLogic>,
    /// For each of them the search's key, and how many steps of each chain were done.
    failed_keys: Vec<u64>,
    failed_at: Vec<usize>,
    /// Steps of chains of other dies that look at this one too.
    guests: Vec<Step>,
}

impl Slate {
    fn wipe(&mut self) {
        self.order.clear();
        self.rests.clear();
        self.touches.clear();
        self.failed.clear();
        self.failed_keys.clear();
        self.failed_at.clear();
        self.guests.clear();
    }
}

/// Finds an order that completes all chains of a die after `plan` begins, and leaves it on the slate; `advanced` is the chain
/// whose step `plan` is, if it is not a new one. Returns whether there is one.
pub(crate) fn find_order(scene: &Scene<'_>, slate: &mut Slate, plan: &[Step], advanced: Option<ChainId>) -> bool {
    let Some((mut search, logic)) = Search::after(scene, slate, plan, advanced) else { return false };
    !search.is_doomed(&logic) && search.complete(&logic)
}

/// Whether the state in which another die comes to rest, its chains done, lets every step of a plan that looks at all dies start.
pub(crate) fn lets_in(scene: &Scene<'_>, slate: &mut Slate, plan: &[Step]) -> bool {
    slate.wipe();
    let tables = &scene.setup.tables;
    slate.guests.extend(looks_everywhere(tables, plan));
    if slate.guests.is_empty() {
        return true;
    }
    let mut parked = scene.parked;
    scene.go_on_by_themselves(&mut parked);
    scene.note_rests(slate, &parked, None);
    let logic = settled_by_itself(scene.device, tables, scene.die);
    Search::new(scene, &[], parked, slate).complete(&logic)
}

impl Scene<'_> {
    /// What a step touches of the lasting state of the die.
    fn touch(&self, step: &Step) -> Touch {
        let tables = &self.setup.tables;
        Touch::of(tables.base(tables.op(step.op).base), &step.place, self.device.planes())
    }

    /// Whether all chains of the die can complete in the order kept for them, and then `plan`, which has been judged step by
    /// step, if its first step starts now: nothing in the order looks at what that changes, nor the rest of the plan at what
    /// the order changes; nobody waits for a RESUME, and no step of another die looks in.
    pub(crate) fn keeps_order(&self, order: &Order, plan: &[Step]) -> bool {
        let Some((first, rest)) = plan.split_first() else { return false };
        let first = self.touch(first);
        let parked = self.parked.iter().any(Option::is_some);
        if first.is_sweeping() || parked || self.chains.has_guests(self.die) {
            return false;
        }
        let rest = rest.iter().fold(Touch::default(), |all, step| all.and(self.touch(step)));
        let mut left = 0;
        for (_, chain) in self.chains.live_on(self.die) {
            left += chain.rest().len();
            let old = chain.rest().iter().fold(Touch::default(), |all, step| all.and(self.touch(step)));
            if old.looks & first.hinders != 0 || rest.looks & old.hinders != 0 {
                return false;
            }
        }
        order.len() == left
    }

    /// Moves the next step of a chain to the front of an order, if it is in it and apart from all that comes before it there.
    pub(crate) fn brings_forward(&self, order: &mut Order, id: ChainId) -> bool {
        let Some(at) = order.iter().position(|&next| next == Some(id)) else { return false };
        let own = self.touch(&self.chains.get(id).rest()[0]);
        let is_apart = |(place, chain): (usize, &Option<ChainId>)| {
            let done = order[..place].iter().filter(|other| *other == chain).count();
            chain.is_some_and(|chain| own.is_apart_from(self.touch(&self.chains.get(chain).rest()[done])))
        };
        let apart = order[..at].iter().enumerate().all(is_apart);
        if apart {
            order.remove(at);
        }
        apart
    }

    /// Takes out of the chains that wait for a RESUME those that one in flight resumes.
    fn go_on_by_themselves(&self, parked: &mut [Option<ChainId>; 2]) {
        if parked.iter().all(Option::is_none) {
            return;
        }
        let tables = &self.setup.tables;
        let flying = self.device.flights_on(self.die);
        for axis in flying.filter_map(|(_, flight)| tables.base(tables.op(flight.op).base).effects.resume) {
            parked[index(axis)] = None;
        }
    }

    /// Notes what is left of each chain of the die that does not wait for a RESUME; `advanced` has done one step more.
    fn note_rests(&self, slate: &mut Slate, parked: &[Option<ChainId>; 2], advanced: Option<ChainId>) {
        let is_parked = |id| parked.contains(&Some(id));
        let live = self.chains.live_on(self.die).filter(|&(id, _)| !is_parked(id));
        slate.rests.extend(live.map(|(id, chain)| Rest {
            chain: Some(id),
            done: usize::from(advanced == Some(id)),
            all: chain.rest().len(),
            weight: 0,
            at: 0,
        }));
    }
}

/// The steps of a plan that look at every die.
pub(crate) fn looks_everywhere<'a>(tables: &'a Tables, plan: &'a [Step]) -> impl Iterator<Item = Step> + 'a {
    plan.iter().copied().filter(|step| is_wide(tables, step))
}

/// Whether a step looks at every die.
pub(crate) fn is_wide(tables: &Tables, step: &Step) -> bool {
    tables.base(tables.op(step.op).base).reach == Reach::Target
}

const fn index(axis: Axis) -> usize {
    match axis {
        Axis::Erase => 0,
        Axis::Program => 1,
    }
}

struct Search<'a> {
    scene: &'a Scene<'a>,
    /// The steps of the chain that would begin now.
    plan: &'a [Step],
    parked: [Option<ChainId>; 2],
    /// How many distinct states have been visited.
    visited: usize,
    /// Tells which steps are done: equal when they are, and hardly ever otherwise.
    key: u64,
    slate: &'a mut Slate,
}

impl<'a> Search<'a> {
    /// The search that begins when `plan` does, and the state it begins in; `None` when the plan cannot begin. See [`find_order`].
    fn after(
        scene: &'a Scene<'a>,
        slate: &'a mut Slate,
        plan: &'a [Step],
        advanced: Option<ChainId>,
    ) -> Option<(Self, DieLogic)> {
        slate.wipe();
        let (first, rest) = plan.split_first()?;
        let tables = &scene.setup.tables;
        let info = tables.base(tables.op(first.op).base);
        let effects = &info.effects;
        let drops = Drops::of(scene.device, info, &first.place);
        let mut parked = if drops == Drops::None { scene.parked } else { [None; 2] };
        if let Some(axis) = effects.suspend {
            let victim = scene.device.victim(tables, scene.die, axis, scene.now)?;
            parked[index(axis)] = scene.links[victim.slot as usize];
        }
        scene.go_on_by_themselves(&mut parked);
        if let Some(axis) = effects.resume {
            parked[index(axis)] = None;
        }
        if drops != Drops::All && scene.chains.has_guests(scene.die) {
            let elsewhere = scene.chains.live().filter(|(_, chain)| chain.die != scene.die);
            slate.guests.extend(elsewhere.flat_map(|(_, chain)| looks_everywhere(tables, chain.rest())));
        }
        scene.note_rests(slate, &parked, advanced);
        if drops != Drops::None {
            slate.rests.retain(|rest| rest.chain == advanced);
        }
        slate.rests.push(Rest { chain: None, done: 0, all: rest.len(), weight: 0, at: 0 });
        let search = Self::new(scene, rest, parked, slate);
        let mut logic = settled(scene.device, tables, scene.die, first, scene.now);
        if !outputs_what_moves(scene.device, tables, first) {
            search.carry_out(&mut logic, first);
        }
        Some((search, logic))
    }

    fn new(scene: &'a Scene<'a>, plan: &'a [Step], parked: [Option<ChainId>; 2], slate: &'a mut Slate) -> Self {
        let Slate { rests, touches, .. } = slate;
        let mut weight = 1u64;
        for rest in rests {
            rest.weight = weight;
            weight = weight.wrapping_mul(rest.all as u64 + 1);
            rest.at = touches.len();
            let steps = rest.chain.map_or(plan, |id| scene.chains.get(id).rest());
            touches.extend(steps.iter().map(|step| (scene.touch(step), Touch::default())));
            let own = &mut touches[rest.at..];
            own.iter_mut().rev().fold(Touch::default(), |after, (one, all)| {
                *all = one.and(after);
                *all
            });
        }
        Self { scene, plan, parked, visited: 0, key: 0, slate }
    }

    const fn tables(&self) -> &'a Tables {
        &self.scene.setup.tables
    }

    fn carry_out(&self, logic: &mut DieLogic, step: &Step) {
        let info = self.tables().base(self.tables().op(step.op).base);
        let victim = info.effects.resume.and_then(|axis| logic.suspended(axis));
        logic.start(info, &step.place);
        logic.finish(info, &step.place);
        if let Some(victim) = victim {
            logic.finish(self.tables().base(victim.base), &victim.place);
        }
    }

    fn allows(&self, logic: &DieLogic, step: &Step) -> bool {
        let base = self.tables().op(step.op).base;
        logic.judge(self.tables(), base, &step.place, self.scene.device.planes()).is_ok()
    }

    /// The steps of a rest, those done included.
    fn steps_of(&self, rest: Rest) -> &'a [Step] {
        let scene = self.scene;
        rest.chain.map_or(self.plan, |id| scene.chains.get(id).rest())
    }

    /// The next step of a chain.
    fn next_of(&self, rest: Rest) -> Option<&'a Step> {
        self.steps_of(rest).get(rest.done)
    }

    /// Whether what is left can be seen not to complete in any order: where nothing fills a page register any more, one end of
    /// a cache read can take its page from there, and only if it is there now. Most starts that are refused are of this kind.
    fn is_doomed(&self, logic: &DieLogic) -> bool {
        let effects = |step: &Step| &self.tables().base(self.tables().op(step.op).base).effects;
        let rests = || self.slate.rests.iter();
        let left = rests().flat_map(|rest| self.steps_of(*rest).iter().skip(rest.done));
        let filled = left.clone().filter(|step| effects(step).reads_array());
        let filled = filled.fold(PlaneSet::EMPTY, |all, step| all.union(step.place.planes));
        let mut taken = PlaneSet::EMPTY;
        left.filter(|step| effects(step).cache_read_end.is_some()).any(|step| {
            let planes = step.place.planes.minus(filled);
            let held = |plane: Plane| logic.planes[usize::from(plane.0)].page_is(&step.place);
            let fails = !planes.and(taken).is_empty() || !planes.iter().all(held);
            taken = taken.union(planes);
            fails
        })
    }

    fn complete(&mut self, logic: &DieLogic) -> bool {
        let mut possible = 0u64;
        let mut is_done = true;
        for at in 0..self.slate.rests.len() {
            let Some(step) = self.next_of(self.slate.rests[at]) else { continue };
            is_done = false;
            let (own, others) = self.touched(at);
            let allowed = self.allows(logic, step);
            let is_fixed = own.looks & others.changes == 0;
            if is_fixed && !allowed {
                return false; // nothing that is to come lets it start
            }
            if is_fixed && own.is_apart_from(others) {
                return self.goes_on_with(at, step, logic); // it may as well come first
            }
            possible |= u64::from(allowed) << (at % 64);
        }
        if is_done {
            return self.parked_complete(logic);
        }
        let rests = 0..self.slate.rests.len();
        rests.filter(|at| possible >> (at % 64) & 1 == 1).any(|at| {
            let step = self.next_of(self.slate.rests[at]);
            step.is_some_and(|step| self.goes_on_with(at, step, logic))
        })
    }

    /// What the next step of a rest touches, and what all that is left of the others does.
    fn touched(&self, at: usize) -> (Touch, Touch) {
        let Slate { rests, touches, .. } = &*self.slate;
        let own = touches[rests[at].at + rests[at].done].0;
        let others = rests.iter().enumerate().filter(|&(other, rest)| other != at && rest.done < rest.all);
        let others = others.fold(Touch::default(), |all, (_, rest)| all.and(touches[rest.at + rest.done].1));
        (own, others)
    }

    /// Whether everything can complete when a step that may start, the next of a rest, comes first.
    fn goes_on_with(&mut self, at: usize, step: &Step, logic: &DieLogic) -> bool {
        let rest = self.slate.rests[at];
        let mut next = *logic;
        self.carry_out(&mut next, step);
        self.slate.rests[at].done += 1;
        self.key = self.key.wrapping_add(rest.weight);
        self.slate.order.push(rest.chain);
        if self.is_new(&next) {
            if self.complete(&next) {
                return true;
            }
            let Slate { failed, failed_keys, failed_at, rests, .. } = &mut *self.slate;
            failed.push(next);
            failed_keys.push(self.key);
            failed_at.extend(rests.iter().map(|rest| rest.done));
        }
        self.slate.order.pop();
        self.key = self.key.wrapping_sub(rest.weight);
        self.slate.rests[at].done -= 1;
        false
    }

    /// Whether chains that wait for a RESUME, and steps that wait on other dies, can go on once everything else has.
    fn parked_complete(&self, logic: &DieLogic) -> bool {
        if !self.slate.guests.iter().all(|guest| self.allows(logic, guest)) {
            return false;
        }
        if self.parked.iter().all(Option::is_none) {
            return true;
        }
        let mut logic = *logic;
        for axis in [Axis::Program, Axis::Erase] {
            let Some(chain) = self.parked[index(axis)] else { continue };
            let Some(resume) = self.scene.setup.resume[index(axis)] else { return false };
            let resume = Step { op: resume, place: Place::die(self.scene.die) };
            let steps = self.scene.chains.get(chain).rest();
            for step in std::iter::once(&resume).chain(steps) {
                if !self.allows(&logic, step) {
                    return false;
                }
                self.carry_out(&mut logic, step);
            }
        }
        true
    }

    /// Counts a state; false when it has been tried before or the search has gone on for too long.
    fn is_new(&mut self, logic: &DieLogic) -> bool {
        let Slate { failed, failed_keys, failed_at, rests, .. } = &*self.slate;
        let is_same = |at: usize| {
            let done = &failed_at[at * rests.len()..][..rests.len()];
            done.iter().copied().eq(rests.iter().map(|rest| rest.done)) && failed[at] == *logic
        };
        let known = |(at, &key): (usize, &u64)| key == self.key && is_same(at);
        if self.visited >= MOST_STATES || failed_keys.iter().enumerate().any(known) {
            return false;
        }
        self.visited += 1;
        true
    }
}

#[cfg(test)]
mod tests;
