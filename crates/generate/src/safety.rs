//! Chain safety: whatever starts, every chain under way can still run to its end.
//!
//! As in the banker's algorithm: a state is safe when some order of the remaining steps completes all chains. The order is found
//! greedily on a copy of the die's lasting state, everything in flight ended; where greed finds none the operation waits,
//! which costs a little liveliness and never legality. Bus, occupation and op_states pass with time and do not count.

use nandseq_device::Device;
use nandseq_profile::Die;

use crate::chain::{ChainId, Chains, Step};
use crate::plan::settled;
use crate::setup::Setup;

/// Room for the chains of one die: one for each plane and one of the die, twice over.
const MOST: usize = 24;

/// Whether all chains of a die can complete after `plan` begins; `advanced` is the chain whose step `plan` is, if any.
pub(crate) fn is_safe(
    setup: &Setup,
    device: &Device,
    chains: &Chains,
    die: Die,
    plan: &[Step],
    advanced: Option<ChainId>,
) -> bool {
    let tables = &setup.tables;
    let all = device.planes();
    let mut logic = settled(device, tables, die);
    let mut rests: [&[Step]; MOST] = [&[]; MOST];
    let mut count = 0;
    let mut push = |rest| {
        if count < MOST {
            rests[count] = rest;
        }
        count += 1;
    };
    let carry_out = |logic: &mut nandseq_device::DieLogic, step: &Step| {
        let info = tables.base(tables.op(step.op).base);
        logic.start(info, &step.place);
        logic.finish(info, &step.place);
    };
    if let Some(first) = plan.first() {
        carry_out(&mut logic, first);
        push(&plan[1..]);
    }
    for (id, chain) in chains.live().filter(|(_, chain)| chain.die == die) {
        let begun = usize::from(advanced == Some(id));
        push(&chain.rest()[begun..]);
    }
    if count > MOST {
        return false;
    }
    let rests = &mut rests[..count];
    loop {
        let mut moved = false;
        for rest in rests.iter_mut() {
            while let Some(step) = rest.first() {
                let base = tables.op(step.op).base;
                if logic.judge(tables, base, &step.place, all).is_err() {
                    break;
                }
                carry_out(&mut logic, step);
                *rest = &rest[1..];
                moved = true;
            }
        }
        if rests.iter().all(|rest| rest.is_empty()) {
            return true;
        }
        if !moved {
            return false;
        }
    }
}
