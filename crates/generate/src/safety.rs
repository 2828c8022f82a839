//! Chain safety: whatever starts, every chain under way can still run to its end.
//!
//! As in the banker's algorithm: a state is safe when some order of the remaining steps completes all chains of the die. The
//! order is searched on a copy of the die's lasting state, everything in flight ended, and kept: as long as nothing else
//! starts, following it is always possible, so no chain is ever stuck. A start for which no order is found within
//! the search's bound waits or is refused, which costs a little liveliness and never legality. Bus, occupation and
//! op_states pass with time and do not count.

use nandseq_device::{Device, DieLogic, Tables};
use nandseq_profile::Die;

use crate::chain::{ChainId, Chains, Step};
use crate::plan::settled;
use crate::setup::Setup;

/// How many distinct states one search visits before it gives up.
const MOST_STATES: usize = 256;

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
pub(crate) fn find_order(
    setup: &Setup,
    device: &Device,
    chains: &Chains,
    die: Die,
    plan: &[Step],
    advanced: Option<ChainId>,
) -> Option<Order> {
    let mut search = Search { tables: &setup.tables, device, visited: Vec::new(), order: Order::new() };
    let mut logic = settled(device, &setup.tables, die);
    let (first, rest) = plan.split_first()?;
    search.carry_out(&mut logic, first);
    let mut rests: Vec<Rest<'_>> = chains
        .live()
        .filter(|(_, chain)| chain.die == die)
        .map(|(id, chain)| Rest { chain: Some(id), steps: &chain.rest()[usize::from(advanced == Some(id))..] })
        .collect();
    rests.push(Rest { chain: None, steps: rest });
    search.complete(logic, &mut rests).then_some(search.order)
}

struct Search<'a> {
    tables: &'a Tables,
    device: &'a Device,
    /// States from which no order was found: steps left of each chain, and the die.
    visited: Vec<(Vec<usize>, DieLogic)>,
    order: Order,
}

impl Search<'_> {
    fn carry_out(&self, logic: &mut DieLogic, step: &Step) {
        let info = self.tables.base(self.tables.op(step.op).base);
        logic.start(info, &step.place);
        logic.finish(info, &step.place);
    }

    fn allows(&self, logic: &DieLogic, step: &Step) -> bool {
        let base = self.tables.op(step.op).base;
        !self.device.forbidden_by_odt(self.tables).contains(base)
            && logic.judge(self.tables, base, &step.place, self.device.planes()).is_ok()
    }

    fn complete(&mut self, logic: DieLogic, rests: &mut [Rest<'_>]) -> bool {
        if rests.iter().all(|rest| rest.steps.is_empty()) {
            return true;
        }
        for at in 0..rests.len() {
            let Rest { chain, steps } = rests[at];
            let Some((step, later)) = steps.split_first() else { continue };
            if !self.allows(&logic, step) {
                continue;
            }
            let mut next = logic;
            self.carry_out(&mut next, step);
            rests[at].steps = later;
            self.order.push(chain);
            if self.is_new(&next, rests) && self.complete(next, rests) {
                return true;
            }
            self.order.pop();
            rests[at].steps = steps;
        }
        false
    }

    /// Remembers a state; false when it has been tried before or the search has gone on for too long.
    fn is_new(&mut self, logic: &DieLogic, rests: &[Rest<'_>]) -> bool {
        let left: Vec<usize> = rests.iter().map(|rest| rest.steps.len()).collect();
        if self.visited.len() >= MOST_STATES || self.visited.iter().any(|(other, seen)| *other == left && seen == logic)
        {
            return false;
        }
        self.visited.push((left, *logic));
        true
    }
}
