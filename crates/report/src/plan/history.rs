//! The operations of a site as its rows state them, with what suspends, resumes and ends them.
//!
//! The rows are believed: what they cannot mean (a RESUME without a suspended operation) has no effect. The first run begins with
//! nothing in flight.

use nandseq_input::{Addressed, Row};
use nandseq_plan::model::StepMoment;
use nandseq_profile::model::{Axis, Effect, PayloadField, PhaseKind, Scope};
use nandseq_profile::{IdVec, OpId, PlaneSet, Profile, Ticks};
use nandseq_trace::Status;
use rustc_hash::{FxHashMap, FxHashSet};

use super::phase_clock::{PhaseClock, PhaseLengths};

/// A set of dies, one bit each. A device has at most 64.
pub type DieSet = u64;

/// A row of a sequence.
#[derive(Clone, Debug)]
pub struct WrittenOperation {
    /// Its number within the runs of the site that are read, from 0.
    pub row: u64,
    /// Its `op_uid`.
    pub uid: u64,
    /// The operation.
    pub op: OpId,
    /// The objects of its payload.
    pub targets: Vec<Addressed>,
    pub(super) clock: PhaseClock,
}

impl WrittenOperation {
    /// The operation of a row, which starts then. `number` is that of the row within the runs of the site that are read.
    #[must_use]
    pub fn new(row: &Row<'_>, number: u64) -> Self {
        let (uid, op, targets) = (row.uid, row.op, row.targets.to_vec());
        Self { row: number, uid, op, targets, clock: PhaseClock::new(row.time) }
    }

    /// The die that the row names.
    pub(super) fn die(&self) -> Option<i64> {
        self.targets.iter().find(|at| at.fields.contains(PayloadField::Die)).map(|at| at.die)
    }

    /// The dies that it works on: all of them if the row names none.
    #[must_use]
    pub fn dies(&self) -> DieSet {
        match self.die() {
            Some(die) => u32::try_from(die).ok().and_then(|die| 1u64.checked_shl(die)).unwrap_or_default(),
            None => DieSet::MAX,
        }
    }

    /// The planes that the row names.
    #[must_use]
    pub fn planes(&self) -> PlaneSet {
        let mut planes = PlaneSet::EMPTY;
        for at in self.targets.iter().filter(|at| at.fields.contains(PayloadField::Plane)) {
            // A die has at most eight planes.
            planes =
                planes.union(PlaneSet(u32::try_from(at.plane).map_or(0, |plane| 1u8.checked_shl(plane).unwrap_or(0))));
        }
        planes
    }

    pub(super) fn status(&self) -> Option<Status> {
        self.targets.first().and_then(|at| at.status)
    }
}

/// What a base does to operations in flight.
#[derive(Clone, Copy, Default, Debug)]
struct EffectOnFlights {
    suspends: Option<Axis>,
    resumes: Option<Axis>,
    resets_die: bool,
    resets_target: bool,
    /// On which axis its operations can be suspended.
    axis: Option<Axis>,
}

impl EffectOnFlights {
    fn of(effects: &[Effect]) -> Self {
        let mut all = Self::default();
        for effect in effects {
            match *effect {
                Effect::Erase => all.axis = Some(Axis::Erase),
                Effect::Program | Effect::CloseBlock | Effect::LoadLatch { .. } => {
                    all.axis = all.axis.or(Some(Axis::Program));
                }
                Effect::Suspend(axis) => all.suspends = Some(axis),
                Effect::Resume(axis) => all.resumes = Some(axis),
                Effect::ResetDie => all.resets_die = true,
                Effect::ResetTarget => all.resets_target = true,
                Effect::ConsumeLatch { .. }
                | Effect::FillRegisters { .. }
                | Effect::CacheRead(_)
                | Effect::CacheReadEnd(_)
                | Effect::CacheProgramStart(_)
                | Effect::CacheProgramEnd(_)
                | Effect::DataOut
                | Effect::CopybackSource
                | Effect::OdtDisable
                | Effect::OdtEnable
                | Effect::WriteProtectOn
                | Effect::WriteProtectOff
                | Effect::StatusRead
                | Effect::Delay => {}
            }
        }
        all
    }
}

/// An operation whose times may still change.
#[derive(Clone, Copy, Debug)]
struct Flight {
    row: u64,
    dies: DieSet,
    /// The planes on which its window is not cut.
    planes: PlaneSet,
    axis: Option<Axis>,
    is_suspended: bool,
}

/// What is known of an operation of the profile.
#[derive(Clone, Copy, Debug)]
struct OpFacts {
    effect: EffectOnFlights,
    scope: Scope,
    affects_state: bool,
}

/// The operations of a site that something may still refer to.
#[derive(Debug)]
pub struct SiteHistory {
    pub(super) lengths: IdVec<OpId, PhaseLengths>,
    facts: IdVec<OpId, OpFacts>,
    all_planes: PlaneSet,
    has_one_die: bool,
    operations: FxHashMap<u64, WrittenOperation>,
    flights: Vec<Flight>,
    /// The number of rows.
    rows: u64,
}

impl SiteHistory {
    /// A site before its first run.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        let facts = profile.ops.iter().map(|op| {
            let base = &profile.bases[op.base];
            let effect = EffectOnFlights::of(&base.effects);
            OpFacts { effect, scope: base.scope, affects_state: base.affects_state }
        });
        Self {
            lengths: PhaseLengths::all(profile),
            facts: facts.collect(),
            all_planes: PlaneSet::first(profile.topology.planes),
            has_one_die: profile.topology.dies == 1,
            operations: FxHashMap::default(),
            flights: Vec::new(),
            rows: 0,
        }
    }

    /// An operation that has been added and not forgotten.
    #[must_use]
    pub fn get(&self, row: u64) -> Option<&WrittenOperation> {
        self.operations.get(&row)
    }

    /// The number of the row that is added next.
    #[must_use]
    pub fn next_row(&self) -> u64 {
        self.rows
    }

    /// Adds an operation that starts now. It has no effect on others yet.
    pub fn add(&mut self, operation: WrittenOperation) {
        self.rows = operation.row + 1;
        self.operations.insert(operation.row, operation);
    }

    /// Does what the start of an operation does to those in flight. Returns the rows of those whose array a reset stops.
    pub fn start(&mut self, row: u64) -> Vec<u64> {
        let mut stopped = Vec::new();
        let Some(operation) = self.operations.get(&row) else { return stopped };
        let (op, now, named) = (operation.op, operation.clock.start, operation.dies());
        let planes = self.planes_of(operation);
        let OpFacts { effect, scope, affects_state } = self.facts[op];
        self.forget_what_is_over(now);
        if let Some(axis) = effect.suspends {
            self.suspend(named, axis, now);
        }
        if let Some(axis) = effect.resumes {
            let done = self.lengths[op].array_done;
            self.resume(named, axis, Ticks(now.0.saturating_add(done.0)));
        }
        let dies = match scope {
            Scope::Target => DieSet::MAX,
            Scope::None | Scope::PlaneSet | Scope::Die => named,
        };
        if effect.resets_die || effect.resets_target {
            stopped = self.reset(named, effect.resets_target, now);
        } else if affects_state {
            self.cut_windows(dies, planes, now);
        }
        self.flights.push(Flight { row, dies, planes, axis: effect.axis, is_suspended: false });
        stopped
    }

    /// Forgets all operations but those in flight and those that are needed.
    pub fn keep(&mut self, needed: &FxHashSet<u64>) {
        let flying: FxHashSet<u64> = self.flights.iter().map(|flight| flight.row).collect();
        self.operations.retain(|row, _| needed.contains(row) || flying.contains(row));
    }

    /// The phase that an operation is in, and how many millionths of its length have passed; `None` while it is suspended, and
    /// after its end.
    #[must_use]
    pub fn phase_of(&self, row: u64, now: Ticks) -> Option<(PhaseKind, u32)> {
        let operation = self.operations.get(&row)?;
        operation.clock.phase_at(&self.lengths[operation.op], now)
    }

    /// When an operation no longer occupied its planes, if that is not after `now`.
    #[must_use]
    pub fn end_of(&self, row: u64, now: Ticks) -> Option<Ticks> {
        let operation = self.operations.get(&row)?;
        operation.clock.moment(&self.lengths[operation.op], StepMoment::End, now)
    }

    /// Whether an operation of an axis is suspended on some dies.
    #[must_use]
    pub fn is_suspended(&self, dies: DieSet, axis: Axis) -> bool {
        self.flights.iter().any(|flight| flight.is_suspended && flight.axis == Some(axis) && flight.dies & dies != 0)
    }

    /// The dies and planes whose op_state shows an operation; none for one that has no op_state.
    #[must_use]
    pub fn shown_on(&self, operation: &WrittenOperation) -> (DieSet, PlaneSet) {
        let OpFacts { scope, affects_state, .. } = self.facts[operation.op];
        let dies = match scope {
            Scope::Target => DieSet::MAX,
            Scope::None | Scope::PlaneSet | Scope::Die => operation.dies(),
        };
        if affects_state { (dies, self.planes_of(operation)) } else { (0, PlaneSet::EMPTY) }
    }

    /// The planes whose op_state shows an operation.
    fn planes_of(&self, operation: &WrittenOperation) -> PlaneSet {
        match self.facts[operation.op].scope {
            Scope::None | Scope::PlaneSet => operation.planes(),
            Scope::Die | Scope::Target => self.all_planes,
        }
    }

    fn forget_what_is_over(&mut self, now: Ticks) {
        let (operations, lengths) = (&self.operations, &self.lengths);
        self.flights.retain(|flight| {
            operations.get(&flight.row).is_some_and(|operation| !operation.clock.is_over(&lengths[operation.op], now))
        });
    }

    fn suspend(&mut self, dies: DieSet, axis: Axis, now: Ticks) {
        let of_axis = self.flights.iter_mut().filter(|flight| flight.axis == Some(axis) && flight.dies & dies != 0);
        let mut stopped: Option<u64> = None;
        for flight in of_axis.filter(|flight| !flight.is_suspended) {
            let Some(operation) = self.operations.get_mut(&flight.row) else { continue };
            if operation.clock.is_in(&self.lengths[operation.op], PhaseKind::CoreBusy, now) {
                operation.clock.suspend(now);
                flight.is_suspended = true;
                stopped = Some(stopped.map_or(flight.row, |row| row.min(flight.row)));
            }
        }
        // A die has one suspended operation of an axis. An earlier one that was never resumed will not go on.
        if let Some(first) = stopped {
            let stays = |flight: &Flight| flight.row >= first || flight.axis != Some(axis) || flight.dies & dies == 0;
            self.flights.retain(|flight| stays(flight) || !flight.is_suspended);
        }
    }

    fn resume(&mut self, dies: DieSet, axis: Axis, at: Ticks) {
        let of_axis = self.flights.iter_mut().filter(|flight| flight.axis == Some(axis) && flight.dies & dies != 0);
        for flight in of_axis.filter(|flight| flight.is_suspended) {
            if let Some(operation) = self.operations.get_mut(&flight.row) {
                operation.clock.resume(at);
                flight.is_suspended = false;
            }
        }
    }

    /// Ends what is in flight on some dies. What works on every die of several ends by a reset of the target alone. Returns the rows
    /// of those whose array is not done.
    fn reset(&mut self, dies: DieSet, target: bool, now: Ticks) -> Vec<u64> {
        let mut stopped = Vec::new();
        let has_one_die = self.has_one_die;
        let is_there = |flight: &Flight| flight.dies & dies != 0 && (has_one_die || flight.dies != DieSet::MAX);
        let ends = |flight: &&Flight| target || is_there(flight);
        for flight in self.flights.iter().filter(ends) {
            let Some(operation) = self.operations.get_mut(&flight.row) else { continue };
            if !operation.clock.is_done(&self.lengths[operation.op], now) {
                stopped.push(flight.row);
            }
            operation.clock.reset(now);
        }
        stopped
    }

    fn cut_windows(&mut self, dies: DieSet, planes: PlaneSet, now: Ticks) {
        for flight in self.flights.iter_mut().filter(|flight| flight.dies & dies != 0) {
            let Some(operation) = self.operations.get_mut(&flight.row) else { continue };
            let lengths = &self.lengths[operation.op];
            if PhaseKind::ALL.iter().any(|kind| kind.is_window() && operation.clock.is_in(lengths, *kind, now)) {
                flight.planes = flight.planes.minus(planes);
                if flight.planes.is_empty() {
                    operation.clock.cut_window(now);
                }
            }
        }
    }
}
