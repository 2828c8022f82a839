//! Where further hooks fall: in the uncovered time bins of phases, and where a proposal has just succeeded.
//!
//! They come beside those of plain generation. Nothing of them outlives a run.

use nandseq_device::FlightId;
use nandseq_profile::input_time::{TIME_BINS, inside_time_bin};
use nandseq_profile::{BaseId, Die, Grid, PhaseKey, Plane, PlaneSet, Ticks};
use nandseq_trace::Proposal;

use super::discounts::Discounts;
use crate::kernel::{Event, Kernel, Step, op_state};
use crate::policy::at_hook::HookKind;
use crate::policy::coverage_counts::CoverageCounts;
use crate::policy::plain::draw_plane;
use crate::random::Stream;
use crate::setup::Setup;

/// How much more often than otherwise an operation stands alone that may: what stands alone leaves its window open.
const ALONE: u64 = 16;

/// How much more often than otherwise an operation of a base stands alone that may.
pub(in crate::policy) fn alone(setup: &Setup, counts: &CoverageCounts, base: BaseId) -> u64 {
    let window = setup.tables.base(base).window_key;
    if window.is_some_and(|key| counts.uncovered_under(key) > 0) { ALONE } else { 1 }
}

/// The same for plans that are made to be compared by their scores: there the score says whether the window is worth leaving open.
pub(super) fn alone_to_compare(setup: &Setup, base: BaseId) -> u64 {
    if setup.tables.base(base).window_key.is_some() { ALONE } else { 1 }
}

/// Places hooks in the uncovered time bins of the phases of an operation that starts, or goes on, at `from`, and just after them.
pub(in crate::policy) fn place_in_phases(
    (setup, kernel): (&Setup, &mut Kernel<'_>),
    counts: &CoverageCounts,
    discounts: &mut Discounts,
    (step, id, from): (Step, FlightId, Ticks),
    stream: &mut Stream,
) {
    let tables = &setup.tables;
    let info = tables.base(tables.op(step.op).base);
    let Some(&flight) = kernel.device.flight(id) else { return };
    let busy_end = flight.end;
    let (dies, planes) = kernel.device.occupied_by(info, &step.place);
    let phases = [(info.busy_key, from, busy_end), (info.window_key, busy_end, flight.window_end)];
    discounts.visit(info.end_key);
    for (key, start, end) in phases {
        let Some(key) = key.filter(|_| end > start) else { continue };
        discounts.visit(key);
        let suspends = info.effects.erase || info.effects.is_program();
        // Where nothing is uncovered, one hook may still cut the phase for what that leads to.
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

/// What is remembered of the hooks on a die, within a run.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct DieMemory {
    /// When the last hook that follows another one comes.
    next: Ticks,
    /// The planes where nothing uncovered could start since anything did.
    pub(super) tried: PlaneSet,
    /// Whether nothing was worth going for when that was last asked.
    pub(super) lost: bool,
    /// Whether further hooks have found nothing to start since anything did.
    pub(super) sought: bool,
}

/// The hooks that follow others.
#[derive(Clone, Debug)]
pub(super) struct FurtherHooks {
    pub(super) dies: Vec<DieMemory>,
}

impl FurtherHooks {
    /// On so many dies, nothing was tried yet.
    pub(super) fn new(dies: usize) -> Self {
        Self { dies: vec![DieMemory::default(); dies] }
    }

    /// Forgets everything.
    pub(super) fn forget(&mut self) {
        self.dies.fill(DieMemory::default());
    }

    /// Notes whether nothing is wished for on a die, and returns whether nothing is worth going for on any.
    pub(super) fn is_lost(&mut self, die: Die, without_wish: bool) -> bool {
        self.dies[usize::from(die.0)].lost &= without_wish;
        self.dies.iter().all(|memory| memory.lost)
    }

    /// Lets a hook follow one at which nothing has started; `waits`: it was waited for the bus.
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
            // Nothing goes on by itself: something must lead on.
            self.push((setup, kernel), (proposal.die, proposal.plane), proposal.time);
        }
    }

    /// Lets a hook follow once the bus is free, on a plane of the die whose key has uncovered bins then and that was not tried since
    /// anything started there. Returns whether one comes.
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
            let time_bin = model.time_bin(key, &op_state(kernel.device.plane_phase(die, plane, at)), at);
            u64::from(counts.uncovered_names(key)[usize::from(time_bin)])
        };
        let planes = kernel.device.planes().minus(memory.tried);
        let weights = (0..8).map(Plane).filter(|plane| planes.contains(*plane)).map(|plane| (plane, uncovered(plane)));
        let Some(plane) = stream.pick(weights) else { return false };
        self.push((setup, kernel), (die, plane), now);
        true
    }

    /// Lets a hook follow on a plane.
    fn push(&mut self, (setup, kernel): (&Setup, &mut Kernel<'_>), (die, plane): (Die, Plane), now: Ticks) {
        let at = soon((setup, kernel), now);
        kernel.queue.push(at, Event::Extra(die, plane));
        self.dies[usize::from(die.0)].next = at;
    }
}

/// When an operation that needs the bus can start, after `now`.
fn soon((setup, kernel): (&Setup, &Kernel<'_>), now: Ticks) -> Ticks {
    Ticks(now.0 + 1).max(kernel.device.bus_free()).ceil_to(setup.tables.grid)
}

/// A time on the grid, inside a phase, that counts for a time bin of it; `None` where there is none.
fn instant(time_bin: u8, (start, end): (Ticks, Ticks), grid: Grid, stream: &mut Stream) -> Option<Ticks> {
    let inside = inside_time_bin(time_bin, end - start);
    let step = grid.step().0;
    let first = (start.0 + inside.start()).div_ceil(step);
    let last = (start.0 + inside.end()) / step;
    (first <= last).then(|| Ticks((first + stream.below(last - first + 1)) * step))
}
