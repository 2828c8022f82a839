//! Further hooks: in the tenths of phases with uncovered bins, after the last phase, and after other hooks.
//!
//! They come in addition to the hooks of plain generation. They do not outlast a run.

use nandseq_device::FlightId;
use nandseq_profile::input_time::{TIME_BINS, inside_time_bin};
use nandseq_profile::{BaseId, Die, Grid, PhaseKey, Plane, PlaneSet, Ticks};
use nandseq_trace::Proposal;

use super::discounts::Discounts;
use crate::kernel::{Event, Kernel, Step, op_state};
use crate::policy::at_hook::HookKind;
use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::plain::draw_plane;
use crate::random::{RandomNumbers, Stream};
use crate::setup::Setup;

/// The factor on the weight of standing alone, for an operation that may: without a chain its window stays open.
const ALONE: u64 = 16;

/// The factor on the weight of standing alone for an operation of a base: more than 1 if its window has uncovered bins.
pub(in crate::policy) fn alone(setup: &Setup, counts: &CoverageCounts, base: BaseId) -> u64 {
    let window = setup.tables.base(base).window_key;
    if window.is_some_and(|key| counts.uncovered_under(key) > 0) { ALONE } else { 1 }
}

/// The same for plans that are compared by their scores: the score says whether to leave the window open.
pub(super) fn alone_to_compare(setup: &Setup, base: BaseId) -> u64 {
    if setup.tables.base(base).window_key.is_some() { ALONE } else { 1 }
}

/// Places hooks in the tenths with uncovered bins of the phases of an operation that starts or is resumed at `from`, and one on
/// each of its dies just after the phases.
pub(in crate::policy) fn place_in_phases(
    (setup, kernel): (&Setup, &mut Kernel<'_>),
    counts: &CoverageCounts,
    discounts: &mut Discounts,
    (step, id, from): (Step, FlightId, Ticks),
    stream: &mut Stream,
) {
    let tables = &setup.tables;
    let info = tables.base_of(step.op);
    let Some(&flight) = kernel.device.flight(id) else { return };
    let busy_end = flight.end;
    let (dies, planes) = kernel.device.occupied_by(info, &step.place);
    let phases = [(info.busy_key, from, busy_end), (info.window_key, busy_end, flight.window_end)];
    discounts.visit(info.end_key);
    for (key, start, end) in phases {
        let Some(key) = key.filter(|_| end > start) else { continue };
        discounts.visit(key);
        let suspends = info.effects.erase || info.effects.is_program();
        // In a phase without uncovered bins, one hook may still suspend the operation for the bins that this leads to.
        let any = (suspends && counts.uncovered_under(key) == 0).then(|| stream.below(TIME_BINS.into()) as u8);
        for time_bin in 0..TIME_BINS {
            if any != Some(time_bin) && counts.uncovered_names(key)[usize::from(time_bin)] == 0 {
                continue;
            }
            let (die, plane) = draw_plane(step, (dies, planes), stream);
            if let Some(at) = instant(time_bin, (start, end), tables.grid, stream) {
                kernel.queue.push(at, Event::Extra(die, plane));
            }
        }
    }
    let after = Ticks(flight.window_end.0 + 1).ceil_to(tables.grid);
    for die in 0..dies {
        let (own, plane) = draw_plane(step, (dies, planes), stream);
        kernel.queue.push(after, Event::Extra(if dies == 1 { own } else { Die(die as u8) }, plane));
    }
}

/// The memory of the hooks on a die, within a run.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct DieMemory {
    /// The time of the last hook that was placed after another one.
    next: Ticks,
    /// The planes on which no name with an uncovered bin could start, since an operation last started.
    pub(super) tried: PlaneSet,
    /// Whether the last search at a refill found no plan that leads to uncovered bins.
    pub(super) lost: bool,
    /// Whether a search on the idle die has found no plan since an operation last started.
    pub(super) sought: bool,
}

/// The hooks that follow other hooks.
#[derive(Clone, Debug)]
pub(super) struct FurtherHooks {
    pub(super) dies: Vec<DieMemory>,
}

impl FurtherHooks {
    /// A memory of nothing, for this many dies.
    pub(super) fn new(dies: usize) -> Self {
        Self { dies: vec![DieMemory::default(); dies] }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        self.dies.fill(DieMemory::default());
    }

    /// Notes whether a die is without wishes now. Returns whether no die has anything worth waiting for.
    pub(super) fn is_lost(&mut self, die: Die, without_wish: bool) -> bool {
        self.dies[usize::from(die.0)].lost &= without_wish;
        self.dies.iter().all(|memory| memory.lost)
    }

    /// Places a hook after one at which nothing has started. `waits`: the bus was taken at that hook.
    pub(super) fn go_on(
        &mut self,
        (setup, kernel): (&Setup, &mut Kernel<'_>),
        counts: &CoverageCounts,
        proposal: &Proposal,
        (kind, waits): (HookKind, bool),
        stream: &mut Stream,
    ) {
        let tried = &mut self.dies[usize::from(proposal.die.0)].tried;
        match kind {
            HookKind::Extra if !waits => tried.insert(proposal.plane),
            HookKind::Refill => *tried = PlaneSet::EMPTY,
            HookKind::Extra | HookKind::Phase => {}
        }
        let follows = self.follow((setup, kernel), counts, proposal, stream);
        if kind == HookKind::Refill && !follows && proposal.state.phase.is_none() {
            // The plane is idle, and no other hook follows: this one looks for a plan that leads on.
            self.push((setup, kernel), (proposal.die, proposal.plane), proposal.time);
        }
    }

    /// Places a hook for the time when the bus is free, on a plane of the die whose key has uncovered bins then and that was not
    /// tried since an operation last started. Returns whether a hook comes.
    pub(super) fn follow(
        &mut self,
        (setup, kernel): (&Setup, &mut Kernel<'_>),
        counts: &CoverageCounts,
        proposal: &Proposal,
        stream: &mut Stream,
    ) -> bool {
        let Some(model) = &setup.coverage_model else { return false };
        let (die, now) = (proposal.die, proposal.time);
        let memory = &self.dies[usize::from(die.0)];
        if memory.next > now {
            return true;
        }
        let at = soon((setup, kernel), now);
        let uncovered = |plane: Plane| {
            let key: PhaseKey = kernel.device.phase_key(die, plane, at);
            if counts.uncovered_under(key) == 0 {
                return 0;
            }
            let time_bin = model.time_bin(key, &op_state(kernel.device.plane_phase(die, plane, at)), at);
            u64::from(counts.uncovered_names(key)[usize::from(time_bin)])
        };
        let planes = kernel.device.planes().minus(memory.tried);
        let mut weights = [(Plane(0), 0); 8];
        for plane in planes.iter() {
            weights[usize::from(plane.0 % 8)] = (plane, uncovered(plane));
        }
        let Some(plane) = stream.pick(weights.into_iter()) else { return false };
        self.push((setup, kernel), (die, plane), now);
        true
    }

    /// Places a hook on a plane for the time when the bus is free.
    fn push(&mut self, (setup, kernel): (&Setup, &mut Kernel<'_>), (die, plane): (Die, Plane), now: Ticks) {
        let at = soon((setup, kernel), now);
        kernel.queue.push(at, Event::Extra(die, plane));
        self.dies[usize::from(die.0)].next = at;
    }
}

/// The first time after `now` at which an operation that needs the bus can start.
fn soon((setup, kernel): (&Setup, &Kernel<'_>), now: Ticks) -> Ticks {
    Ticks(now.0 + 1).max(kernel.device.bus_free()).ceil_to(setup.tables.grid)
}

/// Draws a time on the grid inside a tenth of a phase; `None` where the tenth has none.
fn instant(time_bin: u8, (start, end): (Ticks, Ticks), grid: Grid, stream: &mut Stream) -> Option<Ticks> {
    let inside = inside_time_bin(time_bin, end - start);
    let step = grid.step().0;
    let first = (start.0 + inside.start()).div_ceil(step);
    let last = (start.0 + inside.end()) / step;
    (first <= last).then(|| Ticks((first + stream.below(last - first + 1)) * step))
}
