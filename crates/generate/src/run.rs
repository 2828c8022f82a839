//! One run of a site: its limits, its event loop, and the boundary to the next.
//!
//! Runs continue one another. A run boundary completes everything in flight and carries the hooks over.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use nandseq_device::Rule;
use nandseq_plan::model::PhaseUntil;
use nandseq_profile::{Die, PhaseKey, Plane, Ticks};
use nandseq_trace::Sink;

use crate::dead::{DeadDie, LastingState, lasting_state};
use crate::kernel::{Event, Hook};
use crate::policy::scripted::PhaseExtent;
use crate::reporting::RunSummary;
use crate::site::Site;
use crate::until_counts::UntilCounts;

/// No run may propose after this time: two months of the clock remain for the operations in flight.
pub(crate) const LAST: Ticks = Ticks::from_us(150 * 24 * 3_600_000_000);

/// The sink is told the time once in so many events: some milliseconds of work.
const TIME_EVERY: u32 = 1 << 16;

/// Says whether a site can still reach the coverage that ends its runs.
pub type CanCover<'a> = &'a (dyn Fn(&Site<'_>) -> bool + Sync);

/// How far a run goes.
#[derive(Clone, Copy, Default)]
pub struct RunLimits<'a> {
    /// Simulated time during which operations are proposed.
    pub run_until: Ticks,
    /// Proposals also stop when this many operations have started in the run.
    pub max_ops: Option<u64>,
    /// Proposals also stop when this many operations have started in the run, as if it were broken off there: scenarios are spread over
    /// `max_ops` and `run_until` all the same.
    pub cut_after: Option<u64>,
    /// Whether a site's first run begins with the profile's bootstrap. The bootstrap takes as long as it needs: the limits hold
    /// after it.
    pub bootstrap: bool,
    /// Proposals also stop when this many bins of the setup's coverage model have been hit, over all runs of the site.
    pub until_covered: Option<u64>,
    /// Proposals also stop when the `until` of the run's phase is reached; then further runs of the phase propose nothing. See
    /// [`Site::enter`].
    pub until: Option<PhaseUntil>,
    /// Asked at the start of the run and now and then during it, whether the coverage that ends it can still be reached. If not,
    /// proposals stop. The answer must follow from the site alone.
    pub can_cover: Option<CanCover<'a>>,
    /// The run's number in its phase, from 0, and how many runs the phase has: scenarios are spread evenly over all of them. By default
    /// the run is the whole phase.
    pub of_phase: (u64, u64),
    /// A flag that is set from outside to abandon the run.
    pub stop: Option<&'a AtomicBool>,
    /// Called with each dead die soon after it was found.
    pub on_dead: Option<&'a (dyn Fn(&DeadDie) + Sync)>,
}

/// Why a run did not finish.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The sink could not write.
    #[error("{0}")]
    Output(#[from] io::Error),
    /// The stop flag was set.
    #[error("interrupted")]
    Interrupted,
    /// A chain cannot go on: the profile has a fault that planning did not foresee.
    #[error("a chain can never go on: {op} is forbidden by the rule {}", rule.code())]
    ChainStuck {
        /// The step that cannot start.
        op: String,
        /// The rule that forbids it.
        rule: Rule,
    },
    /// Simulated time has run out.
    #[error("simulated time ends after 150 days")]
    ClockEnd,
}

/// Whether the coverage that ends the run can no longer be reached, looked for before the first event, and then whenever the
/// number of events has doubled, or has grown by [`TIME_EVERY`].
fn out_of_reach(site: &Site<'_>, limits: &RunLimits<'_>, events: u32) -> bool {
    let is_due = events.is_power_of_two() || events.is_multiple_of(TIME_EVERY);
    is_due && limits.can_cover.is_some_and(|can_cover| !can_cover(site))
}

impl Site<'_> {
    /// Makes the next run: proposes for `run_until`, then completes everything in flight and every chain.
    ///
    /// # Errors
    /// [`RunError::Output`] when the sink fails, [`RunError::Interrupted`] when the stop flag is set, [`RunError::ChainStuck`]
    /// when a chain cannot go on, [`RunError::ClockEnd`] when the run would go beyond the end of simulated time. The site cannot
    /// go on after an error.
    pub fn run(&mut self, limits: &RunLimits<'_>, sink: &mut dyn Sink) -> Result<RunSummary, RunError> {
        let start = self.kernel.quiet;
        let end = start.0.checked_add(limits.run_until.0).map(Ticks).filter(|&end| end <= LAST);
        let end = end.ok_or(RunError::ClockEnd)?;
        let began = (start, self.kernel.operations);
        let may_end_early = limits.until_covered.is_some() || limits.until.is_some();
        let most = limits.max_ops.into_iter().chain(limits.cut_after).min().unwrap_or(u64::MAX);
        self.detector.begin_run((began, self.refills.count), end, most < u64::MAX || may_end_early);
        self.begin_run(limits, end, sink);
        let mut carried = Vec::new();
        let mut boundary = end;
        let mut overran = false;
        let mut events = 0u32;
        let mut is_lost = out_of_reach(self, limits, events);
        // What else than time and operations decides whether the run is over, is looked at before every event.
        let is_watched = self.policy.is_bootstrap() || may_end_early || limits.can_cover.is_some();
        while let Some(next) = self.kernel.queue.next() {
            let time = next.time;
            let is_over = (time >= end) | (self.reporter.summary.ops >= most);
            if !(is_over | is_watched) {
                // Most events come here.
            } else if self.policy.is_bootstrap() {
                // The bootstrap takes the time it needs; the run is over when the bootstrap and the limits are.
                if time > LAST {
                    return Err(RunError::ClockEnd);
                }
                overran = time >= end;
                self.reporter.summary.bootstrap_ops = self.reporter.summary.ops;
            } else if self.proposing && (is_over || is_lost || self.is_at_end_of_phase(limits)) {
                self.proposing = false;
                boundary = if overran { time } else { end.min(time) };
                self.kernel.waiting.drop_waiters();
                carried = self.kernel.queue.take_proposals();
                continue;
            }
            self.step(next, sink, &mut carried);
            if self.reporter.failure.is_some() {
                break;
            }
            events = events.wrapping_add(1);
            if events.is_multiple_of(1024) {
                self.detector.tell(limits.on_dead);
                is_lost = is_lost || out_of_reach(self, limits, events);
                if events.is_multiple_of(TIME_EVERY) {
                    sink.time(time)?;
                }
                if limits.stop.is_some_and(|stop| stop.load(Ordering::Relaxed)) {
                    return Err(RunError::Interrupted);
                }
            }
        }
        if let Some(error) = self.reporter.failure.take() {
            return Err(RunError::Output(error));
        }
        self.kernel.quiet = self.kernel.quiet.max(self.kernel.device.quiet());
        if let Some((op, rule)) = self.kernel.stuck_chain() {
            return Err(RunError::ChainStuck { op: self.setup.name(op).to_owned(), rule });
        }
        self.end_attempts();
        // What was in flight at the limit may have reached `until`.
        self.is_at_end_of_phase(limits);
        debug_assert!(self.until_counts.as_ref().is_none_or(|counts| counts.are_those_of(&self.kernel.device)));
        self.kernel.settle();
        self.carry_on(carried, boundary);
        // A snapshot of this moment says what came last on a die that is dead.
        self.look_at_rest();
        self.detector.tell(limits.on_dead);
        self.begin_at(self.run + 1);
        Ok(self.summary())
    }

    /// The lasting state of each die, without counts of its blocks.
    #[must_use]
    pub fn lasting_states(&self) -> Vec<LastingState> {
        (0..self.setup.tables.size.dies).map(|die| lasting_state(&self.kernel, Die(die))).collect()
    }

    /// The phase keys of the operations that planes show, or are about to show, by their END keys; some come more than once.
    #[must_use]
    pub fn shown_keys(&self) -> Vec<PhaseKey> {
        let size = &self.setup.tables.size;
        let planes = (0..size.dies).flat_map(|die| (0..size.planes).map(move |plane| (Die(die), Plane(plane))));
        // While an operation is issued, the key is still that of the one before.
        let keys = |(die, plane)| [Ticks::ZERO, Ticks(u64::MAX)].map(|at| self.kernel.device.phase_key(die, plane, at));
        planes.flat_map(keys).collect()
    }

    /// The summary of the run that has ended.
    fn summary(&mut self) -> RunSummary {
        let mut summary = self.reporter.end_run();
        summary.end = self.kernel.quiet;
        summary.dead.clone_from(&self.detector.dead);
        summary.at_end = self.lasting_states();
        if let (Some(controller), Some(mix)) = (&mut self.mix, &self.setup.mix) {
            controller.end_run(self.setup, mix, &summary);
        }
        summary
    }

    /// Whether the coverage that ends the run, or the `until` of its phase, is reached.
    fn is_at_end_of_phase(&mut self, limits: &RunLimits<'_>) -> bool {
        limits.until_covered.is_some_and(|least| self.has_covered(least))
            || limits.until.is_some_and(|until| self.reaches(until))
    }

    /// Begins a run that proposes.
    fn begin_run(&mut self, limits: &RunLimits<'_>, end: Ticks, sink: &mut dyn Sink) {
        self.hooks = 0;
        self.proposing = true;
        self.refills.begin_run(self.run > 0);
        self.reporter.begin_run(self.kernel.quiet, self.setup.tables.ops().count());
        self.reporter.tell_suspended(&self.kernel, &self.setup.tables, sink);
        self.policy.begin_run(self.setup, &self.kernel.device, limits.bootstrap && self.run == 0);
        if self.policy.is_bootstrap() {
            self.draw_addresses(false);
        }
        let counts_blocks = matches!(limits.until, Some(PhaseUntil::Programmed(_) | PhaseUntil::Erased(_)));
        let (size, regions) = (&self.setup.tables.size, &self.setup.addresses.regions);
        self.until_counts = counts_blocks.then(|| UntilCounts::new(&self.kernel.device, size, regions));
        self.look_before_run();
        self.begin_attempts_of_run(limits, end);
    }

    /// Begins a run of a phase with scenarios: attempts at them are spread over it.
    fn begin_attempts_of_run(&mut self, limits: &RunLimits<'_>, end: Ticks) {
        let (run, runs) = limits.of_phase;
        let (most, until_done) = (limits.max_ops.unwrap_or(u64::MAX), limits.until == Some(PhaseUntil::ScenariosDone));
        if let Some(director) = &mut self.scenarios {
            director.begin_run(PhaseExtent { run, runs, end, most, until_done });
        }
    }

    /// Ends a run with scenarios: attempts under way are given up.
    fn end_attempts(&mut self) {
        if let (Some(director), Some(set)) = (&mut self.scenarios, &self.setup.scenarios) {
            director.end_run(set);
        }
    }

    /// Moves the hooks that fell into the pause to the next run.
    ///
    /// Nothing is proposed in the pause. A hook inside a phase that has ended meanwhile is dropped. A hook after a phase keeps
    /// its distance from the phase's end, for which the end of the pause now stands. The next refill keeps its distance from the
    /// boundary.
    fn carry_on(&mut self, carried: Vec<(Ticks, Event)>, end: Ticks) {
        let grid = self.setup.tables.grid;
        let next = self.kernel.quiet.max(end).ceil_to(grid);
        self.kernel.quiet = next;
        for (time, event) in carried {
            match event {
                Event::Hook(Hook { after: Some(phase_end), .. }) if time < next => {
                    let distance = if time > phase_end { time - phase_end } else { Ticks::ZERO };
                    self.kernel.queue.push((next + distance).ceil_to(grid), event.past_cutting());
                }
                Event::Hook(Hook { after: None, .. }) if time < next => {}
                Event::Hook(_) => self.kernel.queue.push(time, event.past_cutting()),
                Event::Refill => {
                    let distance = if time > end { time - end } else { Ticks::ZERO };
                    self.kernel.queue.push((next + distance).ceil_to(grid), Event::Refill);
                }
                Event::End(_) | Event::Due(_) | Event::Wake | Event::Extra(..) => {}
            }
        }
    }
}
