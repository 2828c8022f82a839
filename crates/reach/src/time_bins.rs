//! The tenths of a phase in which a proposal can start.
//!
//! Operations start on a grid, so a short phase may have no instant in some tenths. In a window a chain may go on: its next step,
//! once it is due, goes before every proposal and holds the bus. A proposal that waited for the bus until the phase was over
//! counts for the last tenth; only instant operations wait that long. Phases that a suspension has cut short are left out.

use std::ops::RangeInclusive;

use nandseq_profile::input_time::{TIME_BINS, inside_time_bin};
use nandseq_profile::{BaseId, BaseSet, Grid, OpId, PhaseKey, Ticks};

use crate::explore::Graph;
use crate::model::Model;

/// The tenths of a key in which proposals of instant operations, and of others, can start, one bit each. A phase without length
/// has the first bit alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeBins {
    pub(crate) instants: u16,
    pub(crate) others: u16,
}

/// A phase without length: one bin for each name.
pub(crate) const WHOLE: TimeBins = TimeBins { instants: 1, others: 1 };
const LAST: u16 = 1 << (TIME_BINS - 1);

/// The tenths of a key; `proposed` are the bases whose operations can be proposed under some key.
pub(crate) fn of_key(model: &Model<'_>, graph: &Graph, key: PhaseKey, proposed: BaseSet) -> TimeBins {
    let info = &model.profile.phase_keys[key];
    let Some(base) = info.base else { return WHOLE };
    let rules = model.tables.base(base);
    let window = rules.window_key == Some(key);
    if !window && rules.busy_key != Some(key) {
        return WHOLE;
    }
    let mut time_bins = TimeBins { instants: 0, others: 0 };
    let mut has_length = false;
    for (op, own) in model.tables.ops().filter(|(_, own)| own.base == base) {
        let (start, end) = if window { (own.occupied, own.total) } else { (own.issue, own.occupied) };
        has_length |= end > start;
        if end <= start || !graph.runs[usize::from(model.of_op[op.index()])] {
            continue;
        }
        let length = end - start;
        let spans = if window { in_window(model, key, op, length, proposed) } else { vec![1..=length.0 - 1] };
        for time_bin in 0..TIME_BINS {
            let inside = inside_time_bin(time_bin, length);
            if spans.iter().any(|span| on_grid(&inside, span, start, model.tables.grid)) {
                time_bins.others |= 1 << time_bin;
            }
        }
    }
    if !has_length {
        return WHOLE;
    }
    time_bins.instants = if time_bins.others == 0 { 0 } else { time_bins.others | LAST };
    time_bins
}

/// Whether an instant of the grid lies in both spans of a phase that begins `phase` after a start on the grid.
fn on_grid(one: &RangeInclusive<u64>, other: &RangeInclusive<u64>, phase: Ticks, grid: Grid) -> bool {
    let (first, last) = (*one.start().max(other.start()), *one.end().min(other.end()));
    first <= last && Ticks(phase.0 + first).ceil_to(grid).0 <= phase.0 + last
}

/// The spans of the window of an operation in which proposals can start, in ps from the beginning of the window.
fn in_window(model: &Model<'_>, key: PhaseKey, op: OpId, length: Ticks, proposed: BaseSet) -> Vec<RangeInclusive<u64>> {
    let base = model.tables.op(op).base;
    let whole = 1..=length.0 - 1;
    let next = next_steps(model, base, proposed.contains(base));
    // A step that the window forbids waits for its end. Another step has to wait only if something else has started on the die
    // just before it was due, which is a coincidence.
    let waits = |step: &BaseId| model.tables.forbidden_in(key).contains(*step);
    if next.iter().any(|step| step.as_ref().is_none_or(waits)) {
        return vec![whole];
    }
    let gap = model.profile.policies.sequence_gap;
    let mut spans = vec![1..=gap.0.saturating_sub(1).min(*whole.end())];
    for step in next.into_iter().flatten() {
        let buses = model.tables.ops().filter(|(_, own)| own.base == step).map(|(_, own)| own.bus);
        let held = buses.min().unwrap_or_default();
        if held == Ticks::ZERO {
            return vec![whole];
        }
        // A step that occupies the planes puts its own phases in the place of the window.
        if !model.tables.base(step).occupies {
            spans.push((gap + held).0..=*whole.end());
        }
    }
    spans
}

/// The bases that may come next in a chain after an operation of a base, wherever it stands in the chain. An item `None` means
/// that nothing comes next.
fn next_steps(model: &Model<'_>, base: BaseId, proposed: bool) -> Vec<Option<BaseId>> {
    let mut next = Vec::new();
    if proposed {
        for chain in model.follow_ups(base) {
            next.push(chain.and_then(|chain| model.profile.chains[chain].steps.first()).map(|step| step.base));
        }
    }
    for chain in model.heads().into_iter().flat_map(|head| model.follow_ups(model.class(head).base).flatten()) {
        let steps = &model.profile.chains[chain].steps;
        for (at, _) in steps.iter().enumerate().filter(|(_, step)| step.base == base) {
            next.push(steps.get(at + 1).map(|step| step.base));
        }
    }
    next
}
