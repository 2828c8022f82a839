//! Chain safety: whatever starts, every chain under way can still run to its end.
//!
//! As in the banker's algorithm: a state is safe when some order of the remaining steps completes all chains of the die. The
//! order is searched on a copy of the die's lasting state, everything in flight ended, and kept: as long as nothing else
//! starts, following it is always possible, so no chain is ever stuck. A start for which no order is found within
//! the search's bound waits or is refused, which costs a little liveliness and never legality. Bus, occupation and
//! op_states pass with time and do not count.
//!
//! A chain whose last step is suspended waits for a RESUME that nobody promises. So the others must complete without it, and
//! once they have, resuming the program, then the erase, must still let its chain complete.

use nandseq_device::{Device, DieLogic, Place, Tables};
use nandseq_profile::model::Axis;
use nandseq_profile::{Die, Ticks};

use crate::chain::{ChainId, Chains, Step};
use crate::plan::settled;
use crate::setup::Setup;

/// How many distinct states one search visits before it gives up.
const MOST_STATES: usize = 256;

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

/// The remaining steps of one chain.
#[derive(Clone, Copy, Debug)]
struct Rest<'a> {
    /// `None`: the chain that would begin now.
    chain: Option<ChainId>,
    steps: &'a [Step],
}

/// An order in which the steps of all chains of a die can be done: whose step is next, again and again.
pub(crate) type Order = Vec<Option<ChainId>>;

/// Finds an order that completes all chains of a die after `plan` begins; `advanced` is the chain whose step `plan` is, if
/// it is not a new one.
pub(crate) fn find_order(scene: &Scene<'_>, plan: &[Step], advanced: Option<ChainId>) -> Option<Order> {
    let (first, rest) = plan.split_first()?;
    let tables = &scene.setup.tables;
    let effects = tables.base(tables.op(first.op).base).effects;
    let mut parked = scene.parked;
    if let Some(axis) = effects.suspend {
        let victim = scene.device.victim(tables, scene.die, axis, scene.now)?;
        parked[index(axis)] = scene.links[victim.slot as usize];
    }
    let flying = scene.device.flights().filter(|(_, flight)| flight.place.die == scene.die);
    let resuming = flying.filter_map(|(_, flight)| tables.base(tables.op(flight.op).base).effects.resume);
    for axis in resuming.chain(effects.resume) {
        parked[index(axis)] = None; // its chain goes on by itself
    }
    let mut search = Search { scene, parked, visited: 0, failed: Vec::new(), order: Order::new() };
    let mut logic = settled(scene.device, tables, scene.die, first, scene.now);
    search.carry_out(&mut logic, first);
    let is_parked = |id| parked.contains(&Some(id));
    let mut rests: Vec<Rest<'_>> = scene
        .chains
        .live()
        .filter(|&(id, chain)| chain.die == scene.die && !is_parked(id))
        .map(|(id, chain)| Rest { chain: Some(id), steps: &chain.rest()[usize::from(advanced == Some(id))..] })
        .collect();
    rests.push(Rest { chain: None, steps: rest });
    search.complete(&logic, &mut rests).then_some(search.order)
}

const fn index(axis: Axis) -> usize {
    match axis {
        Axis::Erase => 0,
        Axis::Program => 1,
    }
}

struct Search<'a> {
    scene: &'a Scene<'a>,
    parked: [Option<ChainId>; 2],
    /// How many distinct states have been visited.
    visited: usize,
    /// States from which no order was found: steps left of each chain, and the die. A state that the search is still at the
    /// end of need not be here: fewer steps are left in all that follow. So a search that goes well keeps nothing.
    failed: Vec<(Vec<usize>, DieLogic)>,
    order: Order,
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

    fn complete(&mut self, logic: &DieLogic, rests: &mut [Rest<'_>]) -> bool {
        if rests.iter().all(|rest| rest.steps.is_empty()) {
            return self.parked_complete(*logic);
        }
        for at in 0..rests.len() {
            let Rest { chain, steps } = rests[at];
            let Some((step, later)) = steps.split_first() else { continue };
            if !self.allows(logic, step) {
                continue;
            }
            let mut next = *logic;
            self.carry_out(&mut next, step);
            rests[at].steps = later;
            self.order.push(chain);
            if self.is_new(&next, rests) {
                if self.complete(&next, rests) {
                    return true;
                }
                self.failed.push((steps_left(rests).collect(), next));
            }
            self.order.pop();
            rests[at].steps = steps;
        }
        false
    }

    /// Whether chains that wait for a RESUME can complete once everything else has.
    fn parked_complete(&self, mut logic: DieLogic) -> bool {
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
    fn is_new(&mut self, logic: &DieLogic, rests: &[Rest<'_>]) -> bool {
        let known = |(left, seen): &(Vec<usize>, DieLogic)| seen == logic && left.iter().copied().eq(steps_left(rests));
        if self.visited >= MOST_STATES || self.failed.iter().any(known) {
            return false;
        }
        self.visited += 1;
        true
    }
}

fn steps_left<'a>(rests: &'a [Rest<'_>]) -> impl Iterator<Item = usize> + 'a {
    rests.iter().map(|rest| rest.steps.len())
}
