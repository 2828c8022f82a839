//! Finds the operations that belong to one chain.
//!
//! No table names chains. phase_proposal_counts has the operations that were proposed, and operation_timeline has the phase keys
//! of every operation; a step has the keys of the first operation of its chain. Chains are inferred from both and from the
//! follow-ups of the profile. A step that starts at the very tick at which it is due is recognised by that. If two chains under
//! the same keys run on one die at once, a step that had to wait may go to the wrong one: on the built-in device about one
//! operation in 25.

use std::collections::{BTreeMap, HashMap};

use nandseq_profile::{BaseId, Die, OpId, PhaseKey, Profile, Ticks};
use nandseq_trace::rows::TimelineRow;

use crate::load::SiteTables;

/// A chain whose first operation has started.
struct OpenChain {
    head: u64,
    keys: (PhaseKey, PhaseKey),
    die: Die,
    /// The planes of its operations, one bit each.
    planes: u8,
    /// The chains of the profile it may be, and how many of their steps are done.
    may_be: Vec<(usize, usize)>,
    /// The base of the last operation.
    last: BaseId,
    /// When the last operation ends.
    end: Ticks,
}

/// Proposals that no operation has been matched with yet, by operation and keys: their times, the latest first.
type PendingProposals = HashMap<(OpId, PhaseKey, PhaseKey), Vec<Ticks>>;

/// For each operation of a chain of two or more, the uid of the chain's first operation.
///
/// Needs operation_timeline and phase_proposal_counts; without the latter nothing is a chain.
#[must_use]
pub fn of(profile: &Profile, site: &SiteTables) -> BTreeMap<u64, u64> {
    let mut pending = PendingProposals::new();
    for row in site.proposals.iter().rev() {
        let times = pending.entry((row.op, row.key_used, row.key_virtual)).or_default();
        // A count above a few is damage, which `verify` reports.
        times.extend(std::iter::repeat_n(row.time, row.count.min(16) as usize));
    }
    for times in pending.values_mut() {
        times.sort_unstable_by(|a, b| b.cmp(a));
    }
    let mut heads = BTreeMap::new();
    if site.proposals.is_empty() {
        return heads;
    }
    let mut open: Vec<OpenChain> = Vec::new();
    let mut firsts: Vec<&TimelineRow> = site.stretches.iter().filter(|row| !row.resumed).collect();
    firsts.sort_by_key(|row| (row.start, row.uid, row.die, row.plane));
    for targets in firsts.chunk_by(|a, b| a.uid == b.uid) {
        let row = targets[0];
        let end = targets.iter().map(|row| row.end).max().unwrap_or(row.end);
        // A die has at most 8 planes.
        let planes = targets.iter().fold(0, |planes, row| planes | 1u8 << (row.plane.0 & 7));
        let due = || chain_of(profile, row, planes, &open).filter(|&at| is_due(profile, &open[at], row));
        if take(&mut pending, row, due().is_some()) {
            begin(profile, row, (planes, end), &mut open);
        } else if let Some(at) = chain_of(profile, row, planes, &open) {
            let chain = &mut open[at];
            chain.planes |= planes;
            advance(profile, chain, profile.ops[row.op].base, end);
            heads.insert(chain.head, chain.head);
            heads.insert(row.uid, chain.head);
        }
    }
    heads
}

/// Whether an operation was proposed itself. If so, its proposal is used up. A proposal may have waited for the bus; but if the
/// operation is also a step that is `due` at this very tick, only a proposal of this tick counts.
fn take(pending: &mut PendingProposals, row: &TimelineRow, due: bool) -> bool {
    let Some(times) = pending.get_mut(&(row.op, row.key_used, row.key_virtual)) else { return false };
    let proposed = times.last().is_some_and(|&time| if due { time == row.start } else { time <= row.start });
    if proposed {
        times.pop();
    }
    proposed
}

/// Opens the chain that an operation may begin. Chains that have no steps left are closed.
fn begin(profile: &Profile, row: &TimelineRow, (planes, end): (u8, Ticks), open: &mut Vec<OpenChain>) {
    let follow_ups = profile.bases[profile.ops[row.op].base].follow_ups.iter();
    let may_be: Vec<(usize, usize)> = follow_ups.filter_map(|follow| follow.chain).map(|chain| (chain, 0)).collect();
    if may_be.is_empty() {
        return;
    }
    open.retain(|chain| !chain.may_be.is_empty() && chain.may_be.iter().any(|&(of, done)| done < steps(profile, of)));
    // A chain that has not gone on while this many others began never will: it had no follow-up.
    const MOST_OPEN: usize = 64;
    if open.len() >= MOST_OPEN {
        open.remove(0);
    }
    open.push(OpenChain {
        head: row.uid,
        keys: (row.key_used, row.key_virtual),
        die: row.die,
        planes,
        may_be,
        last: profile.ops[row.op].base,
        end,
    });
}

fn steps(profile: &Profile, chain: usize) -> usize {
    profile.chains.get(chain).map_or(0, |chain| chain.steps.len())
}

/// Whether a base is the next step of a chain.
fn is_next(profile: &Profile, (chain, done): (usize, usize), base: BaseId) -> bool {
    profile.chains.get(chain).and_then(|chain| chain.steps.get(done)).is_some_and(|step| step.base == base)
}

/// The open chain that an operation goes on with. Of those it fits, the best has it as its next step, else as its last one
/// repeated; is due at this very tick; works on its planes; has ended; has waited least. An earlier condition counts more than
/// all later ones.
fn chain_of(profile: &Profile, row: &TimelineRow, planes: u8, open: &[OpenChain]) -> Option<usize> {
    let fits = |chain: &OpenChain| {
        chain.keys == (row.key_used, row.key_virtual)
            && chain.die == row.die
            && (chain.last == profile.ops[row.op].base
                || chain.may_be.iter().any(|&one| is_next(profile, one, profile.ops[row.op].base)))
    };
    let candidates = open.iter().enumerate().filter(|(_, chain)| fits(chain));
    let goes_on = |chain: &OpenChain| chain.may_be.iter().any(|&one| is_next(profile, one, profile.ops[row.op].base));
    let rank = |chain: &OpenChain| {
        (goes_on(chain), is_due(profile, chain, row), chain.planes & planes != 0, chain.end <= row.start, chain.end)
    };
    candidates.max_by_key(|(_, chain)| rank(chain)).map(|(at, _)| at)
}

/// Whether the next step of a chain is due when an operation starts, to the tick.
fn is_due(profile: &Profile, chain: &OpenChain, row: &TimelineRow) -> bool {
    let earliest = chain.end.0.saturating_add(profile.policies.sequence_gap.0);
    earliest.checked_next_multiple_of(profile.policies.time_resolution.0.max(1)) == Some(row.start.0)
}

/// Notes that a chain has gone on. A step that is split (one data output for each plane) repeats its base.
fn advance(profile: &Profile, chain: &mut OpenChain, base: BaseId, end: Ticks) {
    let next: Vec<(usize, usize)> =
        chain.may_be.iter().filter(|&&one| is_next(profile, one, base)).map(|&(of, done)| (of, done + 1)).collect();
    if !next.is_empty() {
        chain.may_be = next;
    }
    chain.last = base;
    chain.end = end;
}
