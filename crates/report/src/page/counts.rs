//! The tables of counts, packed: address touches, op_states by operation and input time, proposals, refusals.

use std::collections::BTreeMap;

use nandseq_profile::{Block, Die, OpId, Page, PhaseKey};
use serde::Serialize;

use super::pack::Column;
use super::tracks::{PackedColumns, StateNumbers, named};
use crate::load::SiteTables;
use crate::sums::{add_count, total};

/// The counts of a site.
#[derive(Serialize, Debug)]
pub(super) struct PackedCounts {
    /// By die, block and page: programs and reads.
    touches: PackedColumns,
    /// By op_state, operation and hundredths of input time.
    input_times: PackedColumns,
    /// By phase key and operation: proposals accepted.
    proposals: PackedColumns,
    /// By reason and operation: proposals refused.
    refusals: Vec<Refusals>,
    /// Proposals accepted, according to the log of the proposer.
    accepted: Option<u64>,
}

/// Proposals refused for a reason.
#[derive(Serialize, Debug)]
struct Refusals {
    reason: String,
    count: u64,
    /// The operations refused most often: number of the operation, count.
    most: Vec<(usize, u64)>,
}

/// How many operations are listed for a reason.
const LISTED: usize = 8;

impl PackedCounts {
    pub(super) fn new(site: &SiteTables, states: &StateNumbers) -> Self {
        let any = !site.outcomes.is_empty();
        let accepted = site.outcomes.iter().filter(|one| one.reason.is_none()).map(|one| one.count);
        Self {
            touches: touches(site),
            input_times: input_times(site, states),
            proposals: proposals(site),
            refusals: refusals(site),
            accepted: any.then(|| total(accepted)),
        }
    }
}

fn touches(site: &SiteTables) -> PackedColumns {
    let mut sums: BTreeMap<(Die, Block, Page), [u64; 2]> = BTreeMap::new();
    for row in &site.touches {
        let sum = &mut sums.entry((row.die, row.block, row.page)).or_default()[row.touch as usize];
        *sum = sum.saturating_add(row.count);
    }
    let mut columns: [Column; 5] = Default::default();
    let [die, block, page, programs, reads] = &mut columns;
    for (&address, &counts) in &sums {
        die.push(address.0.0.into());
        block.push(address.1.0.into());
        page.push(address.2.0.into());
        programs.push(counts[0]);
        reads.push(counts[1]);
    }
    named(sums.len(), ["die", "block", "page", "programs", "reads"], &columns)
}

fn input_times(site: &SiteTables, states: &StateNumbers) -> PackedColumns {
    let mut sums: BTreeMap<(u64, OpId, u32), u64> = BTreeMap::new();
    for row in &site.input_times {
        add_count(&mut sums, (states.of(row.state), row.op, row.hundredths), row.count);
    }
    let mut columns: [Column; 4] = Default::default();
    let [state, op, time, count] = &mut columns;
    for (&(in_state, of, at), &sum) in &sums {
        state.push(in_state);
        op.push(of.index() as u64);
        time.push(at.into());
        count.push(sum);
    }
    named(sums.len(), ["state", "op", "time", "count"], &columns)
}

fn proposals(site: &SiteTables) -> PackedColumns {
    let mut sums: BTreeMap<(PhaseKey, OpId), u64> = BTreeMap::new();
    for row in &site.proposals {
        add_count(&mut sums, (row.key_used, row.op), row.count);
    }
    let mut columns: [Column; 3] = Default::default();
    let [key, op, count] = &mut columns;
    for (&(under, of), &sum) in &sums {
        key.push(under.index() as u64);
        op.push(of.index() as u64);
        count.push(sum);
    }
    named(sums.len(), ["key", "op", "count"], &columns)
}

fn refusals(site: &SiteTables) -> Vec<Refusals> {
    let mut by_reason: BTreeMap<&str, BTreeMap<OpId, u64>> = BTreeMap::new();
    for one in &site.outcomes {
        if let Some(reason) = &one.reason {
            add_count(by_reason.entry(reason).or_default(), one.op, one.count);
        }
    }
    let mut refusals: Vec<Refusals> = by_reason
        .into_iter()
        .map(|(reason, ops)| {
            let mut most: Vec<(usize, u64)> = ops.iter().map(|(op, &count)| (op.index(), count)).collect();
            most.sort_by_key(|&(op, count)| (std::cmp::Reverse(count), op));
            most.truncate(LISTED);
            Refusals { reason: reason.to_owned(), count: total(ops.values().copied()), most }
        })
        .collect();
    refusals.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.reason.cmp(&b.reason)));
    refusals
}
