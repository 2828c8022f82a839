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

use nandseq_device::{BaseInfo, Device, DieLogic, Place, Reach, Tables};
use nandseq_profile::model::Axis;
use nandseq_profile::{Die, Ticks};

use crate::chain::{ChainId, Chains, Step};
use crate::plan::{settled, settled_by_itself};
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
}

/// An order in which the steps of all chains of a die can be done: whose step is next, again and again.
pub(crate) type Order = Vec<Option<ChainId>>;

/// What searches write on; kept, so that they allocate nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct Slate {
    /// The order found.
    pub(crate) order: Order,
    rests: Vec<Rest>,
    /// States from which no order was found. A state that the search is still at the end of need not be here: fewer steps are
    /// left in all that follow. So a search that goes well keeps nothing.
    failed: Vec<DieLogic>,
    /// For each of them how many steps of each chain were done.
    failed_at: Vec<usize>,
    /// Steps of chains of other dies that look at this one too.
    guests: Vec<Step>,
}

impl Slate {
    fn wipe(&mut self) {
        self.order.clear();
        self.rests.clear();
        self.failed.clear();
        self.failed_at.clear();
        self.guests.clear();
    }
}

/// Finds an order that completes all chains of a die after `plan` begins, and leaves it on the slate; `advanced` is the chain
/// whose step `plan` is, if it is not a new one. Returns whether there is one.
pub(crate) fn find_order(scene: &Scene<'_>, slate: &mut Slate, plan: &[Step], advanced: Option<ChainId>) -> bool {
    slate.wipe();
    let Some((first, rest)) = plan.split_first() else { return false };
    let tables = &scene.setup.tables;
    let info = tables.base(tables.op(first.op).base);
    let effects = &info.effects;
    let drops = Drops::of(scene.device, info, &first.place);
    let mut parked = if drops == Drops::None { scene.parked } else { [None; 2] };
    if let Some(axis) = effects.suspend {
        let Some(victim) = scene.device.victim(tables, scene.die, axis, scene.now) else { return false };
        parked[index(axis)] = scene.links[victim.slot as usize];
    }
    scene.go_on_by_themselves(&mut parked);
    if let Some(axis) = effects.resume {
        parked[index(axis)] = None;
    }
    if drops != Drops::All && scene.chains.count() > scene.chains.count_on(scene.die) {
        let elsewhere = scene.chains.live().filter(|(_, chain)| chain.die != scene.die);
        slate.guests.extend(elsewhere.flat_map(|(_, chain)| looks_everywhere(tables, chain.rest())));
    }
    scene.note_rests(slate, &parked, advanced);
    if drops != Drops::None {
        slate.rests.retain(|rest| rest.chain == advanced);
    }
    slate.rests.push(Rest { chain: None, done: 0, all: rest.len() });
    let mut search = Search { scene, plan: rest, parked, visited: 0, slate };
    let mut logic = settled(scene.device, tables, scene.die, first, scene.now);
    search.carry_out(&mut logic, first);
    search.complete(&logic)
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
    Search { scene, plan: &[], parked, visited: 0, slate }.complete(&logic)
}

impl Scene<'_> {
    /// Takes out of the chains that wait for a RESUME those that one in flight resumes.
    fn go_on_by_themselves(&self, parked: &mut [Option<ChainId>; 2]) {
        if parked.iter().all(Option::is_none) {
            return;
        }
        let tables = &self.setup.tables;
        let flying = self.device.flights().filter(|(_, flight)| flight.place.die == self.die);
        for axis in flying.filter_map(|(_, flight)| tables.base(tables.op(flight.op).base).effects.resume) {
            parked[index(axis)] = None;
        }
    }

    /// Notes what is left of each chain of the die that does not wait for a RESUME; `advanced` has done one step more.
    fn note_rests(&self, slate: &mut Slate, parked: &[Option<ChainId>; 2], advanced: Option<ChainId>) {
        if self.chains.count_on(self.die) == 0 {
            return;
        }
        let is_parked = |id| parked.contains(&Some(id));
        let live = self.chains.live().filter(|&(id, chain)| chain.die == self.die && !is_parked(id));
        slate.rests.extend(live.map(|(id, chain)| Rest {
            chain: Some(id),
            done: usize::from(advanced == Some(id)),
            all: chain.rest().len(),
        }));
    }
}

/// The steps of a plan that look at every die.
pub(crate) fn looks_everywhere<'a>(tables: &'a Tables, plan: &'a [Step]) -> impl Iterator<Item = Step> + 'a {
    plan.iter().copied().filter(|step| tables.base(tables.op(step.op).base).reach == Reach::Target)
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
    slate: &'a mut Slate,
}

impl<'a> Search<'a> {
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

    /// The next step of a chain.
    fn next_of(&self, rest: Rest) -> Option<&'a Step> {
        let scene = self.scene;
        let steps = rest.chain.map_or(self.plan, |id| scene.chains.get(id).rest());
        steps.get(rest.done)
    }

    fn complete(&mut self, logic: &DieLogic) -> bool {
        if self.slate.rests.iter().all(|rest| rest.done == rest.all) {
            return self.parked_complete(logic);
        }
        for at in 0..self.slate.rests.len() {
            let rest = self.slate.rests[at];
            let Some(step) = self.next_of(rest) else { continue };
            if !self.allows(logic, step) {
                continue;
            }
            let mut next = *logic;
            self.carry_out(&mut next, step);
            self.slate.rests[at].done += 1;
            self.slate.order.push(rest.chain);
            if self.is_new(&next) {
                if self.complete(&next) {
                    return true;
                }
                let Slate { failed, failed_at, rests, .. } = &mut *self.slate;
                failed.push(next);
                failed_at.extend(rests.iter().map(|rest| rest.done));
            }
            self.slate.order.pop();
            self.slate.rests[at].done -= 1;
        }
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
        let Slate { failed, failed_at, rests, .. } = &*self.slate;
        let done = failed_at.chunks_exact(rests.len());
        let known = |(seen, done): (&DieLogic, &[usize])| {
            done.iter().copied().eq(rests.iter().map(|rest| rest.done)) && seen == logic
        };
        if self.visited >= MOST_STATES || failed.iter().zip(done).any(known) {
            return false;
        }
        self.visited += 1;
        true
    }
}
