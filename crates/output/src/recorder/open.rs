//! The open operations: those that may still be cut or resumed.
//!
//! An operation is retired, and its rows recorded, once nothing can cut it any more. The number of open operations is bounded by
//! the planes of the device. Windows are cut here: an operation that starts or resumes on a plane ends the window of the
//! operation that was there.

use std::io;

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, OpId, PhaseKey, Plane, PlaneSet, Target, Ticks};

use crate::model::{OpModel, TableModel};
use nandseq_trace::rows::{OpStateRow, StateId, TimelineRow, Touch};
use nandseq_trace::{DiePlanes, Operation};

/// The open operations are searched for ended ones when there are this many more than twice the number left by the last search.
const CROWD: usize = 64;

/// An open operation with its present stretch.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// The uid of the operation; 0 if the slot is free.
    uid: u64,
    /// Whether the operation runs; otherwise it is suspended.
    running: bool,
    /// Whether the stretch is not the first.
    resumed: bool,
    model: OpModel,
    op: OpId,
    key_used: PhaseKey,
    key_virtual: PhaseKey,
    start: Ticks,
    issue_end: Ticks,
    busy_end: Ticks,
    /// The end of the last phase on planes that `die_planes` does not contain.
    end: Ticks,
    /// When the array is done.
    done: Ticks,
    /// The planes that show the operation.
    die_planes: Option<DiePlanes>,
    /// The end on each of these planes, by die, then by plane.
    ends: Vec<Ticks>,
    /// On how many of these planes no other operation has followed.
    last_on: usize,
    /// The targets, as far as the payload names them, with the op_state of their planes before the operation.
    targets: Vec<(Target, StateId)>,
}

/// The slot of an operation in [`Open`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OpenIndex(usize);

/// The open operations.
#[derive(Debug)]
pub(super) struct Open {
    planes: usize,
    /// Free slots are used again, so nothing is allocated after a while.
    slots: Vec<Opened>,
    free: Vec<usize>,
    /// The slot and uid of the last operation on each plane.
    on_plane: Vec<(usize, u64)>,
    /// The number of open operations at which they are searched for ended ones.
    crowd: usize,
}

impl Opened {
    fn free() -> Self {
        Self {
            uid: 0,
            running: false,
            resumed: false,
            model: OpModel::NONE,
            op: OpId(0),
            key_used: PhaseKey::DEFAULT,
            key_virtual: PhaseKey::DEFAULT,
            start: Ticks::ZERO,
            issue_end: Ticks::ZERO,
            busy_end: Ticks::ZERO,
            end: Ticks::ZERO,
            done: Ticks::ZERO,
            die_planes: None,
            ends: Vec::new(),
            last_on: 0,
            targets: Vec::new(),
        }
    }

    /// Copies everything of an operation but its stretch.
    fn describe(&mut self, model: &TableModel, operation: &Operation<'_>) {
        let op = &model.ops[operation.op];
        self.uid = operation.uid;
        self.model = *op;
        self.op = operation.op;
        self.key_used = operation.proposal.key_used;
        self.key_virtual = operation.proposal.key_virtual;
        self.die_planes = operation.die_planes;
        self.targets.clear();
        let state = |at: usize| operation.states.get(at).map(|state| model.state(state)).unwrap_or_default();
        self.targets.extend(operation.targets.iter().enumerate().map(|(at, target)| (op.named(target), state(at))));
    }

    /// Begins a stretch whose ISSUE, CORE_BUSY and window end at these times.
    fn run(&mut self, start: Ticks, issue_end: Ticks, busy_end: Ticks, end: Ticks) {
        self.running = true;
        self.start = start;
        self.issue_end = issue_end;
        self.busy_end = busy_end;
        self.end = end;
        self.done = if self.model.has_busy { busy_end } else { end };
        let die_planes =
            self.die_planes.map_or(0, |die_planes| usize::from(die_planes.dies) * die_planes.planes.len() as usize);
        self.ends.clear();
        self.ends.resize(die_planes, end);
        self.last_on = die_planes;
    }

    /// Whether the operation runs; otherwise it is suspended, and its stretches so far have been recorded.
    pub(super) const fn is_running(&self) -> bool {
        self.running
    }

    /// Whether the array is done at `at`.
    pub(super) fn is_done_by(&self, at: Ticks) -> bool {
        self.done <= at
    }

    /// Whether the present stretch has ended by `at` on all planes, and its array is done.
    fn is_over_by(&self, at: Ticks) -> bool {
        let last = self.ends.iter().copied().max().unwrap_or(self.end);
        last <= at && self.done <= at
    }

    /// The index of a plane in `ends`; `None` if the plane does not show the operation.
    fn die_plane(&self, die: Die, plane: Plane) -> Option<usize> {
        let die_planes = self.die_planes?;
        let die = die.0.checked_sub(die_planes.die.0).filter(|&die| die < die_planes.dies)?;
        let before = die_planes.planes.and(PlaneSet::first(u32::from(plane.0))).len();
        let place = usize::from(die) * die_planes.planes.len() as usize + before as usize;
        die_planes.planes.contains(plane).then_some(place)
    }

    /// Ends the present stretch at `at` on all planes, unless it ends earlier.
    fn cut(&mut self, at: Ticks) {
        self.end = self.end.min(at);
        self.ends.iter_mut().for_each(|end| *end = (*end).min(at));
    }

    /// The rows of `operation_timeline` of the present stretch. A stretch that was resumed and cut at the same instant has none.
    pub(super) fn timeline_rows(&self, mut push: impl FnMut(TimelineRow)) {
        for (target, state) in &self.targets {
            let end = self.die_plane(target.die, target.plane).map_or(self.end, |die_plane| self.ends[die_plane]);
            if self.resumed && end <= self.start {
                continue;
            }
            push(TimelineRow {
                uid: self.uid,
                start: self.start,
                end,
                block: target.block,
                page: target.page,
                die: target.die,
                plane: target.plane,
                op: self.op,
                resumed: self.resumed,
                state: *state,
                key_used: self.key_used,
                key_virtual: self.key_virtual,
            });
        }
    }

    /// The rows of `op_state_timeline` of the present stretch.
    pub(super) fn op_state_rows(&self, mut push: impl FnMut(OpStateRow)) {
        let Some(die_planes) = self.die_planes else { return };
        let phases = [
            (Some(PhaseKind::Issue), self.start, self.issue_end),
            (Some(PhaseKind::CoreBusy), self.issue_end, self.busy_end),
            (self.model.window, self.busy_end, Ticks(u64::MAX)),
        ];
        for (kind, start, phase_end) in phases {
            if kind.is_none() {
                continue;
            }
            let state = StateId::of(self.model.base, kind);
            let mut ends = self.ends.iter();
            for die in die_planes.die.0..die_planes.die.0.saturating_add(die_planes.dies) {
                for (plane, &die_plane_end) in die_planes.planes.iter().zip(&mut ends) {
                    let end = phase_end.min(die_plane_end);
                    if start < end {
                        push(OpStateRow { uid: self.uid, start, end, state, die: Die(die), plane });
                    }
                }
            }
        }
    }

    /// Calls `touch` for every page access of the operation. The array must be done.
    pub(super) fn touched(&self, mut touch: impl FnMut(Touch, &Target) -> io::Result<()>) -> io::Result<()> {
        let Some(kind) = self.model.touch else { return Ok(()) };
        self.targets.iter().try_for_each(|(target, _)| touch(kind, target))
    }
}

impl Open {
    pub(super) fn new(model: &TableModel) -> Self {
        Self {
            planes: model.planes,
            slots: Vec::new(),
            free: Vec::new(),
            on_plane: vec![(0, 0); model.dies * model.planes],
            crowd: CROWD,
        }
    }

    /// Opens an operation that starts. Gives the operations that are over because of it to `retire`.
    pub(super) fn begin(
        &mut self,
        model: &TableModel,
        operation: &Operation<'_>,
        retire: impl FnMut(&Opened) -> io::Result<()>,
    ) -> io::Result<()> {
        let place = self.slot();
        let slot = &mut self.slots[place.0];
        slot.describe(model, operation);
        slot.resumed = false;
        let (start, op) = (operation.start, slot.model);
        slot.run(start, start + op.issue, start + op.busy, start + op.total);
        self.take_over(place, start, retire)
    }

    /// Opens an operation of an earlier run that is suspended.
    pub(super) fn suspended_before(&mut self, model: &TableModel, operation: &Operation<'_>) {
        let place = self.slot();
        let slot = &mut self.slots[place.0];
        slot.describe(model, operation);
        slot.running = false;
    }

    /// Begins the next stretch of a suspended operation.
    pub(super) fn resume(
        &mut self,
        place: OpenIndex,
        from: Ticks,
        busy_end: Ticks,
        end: Ticks,
        retire: impl FnMut(&Opened) -> io::Result<()>,
    ) -> io::Result<()> {
        let slot = &mut self.slots[place.0];
        slot.resumed = true;
        slot.run(from, from, busy_end, end);
        self.take_over(place, from, retire)
    }

    /// Ends the operations that were on the planes of an operation, which shows on them from `at` on.
    fn take_over(
        &mut self,
        place: OpenIndex,
        at: Ticks,
        mut retire: impl FnMut(&Opened) -> io::Result<()>,
    ) -> io::Result<()> {
        let own = &self.slots[place.0];
        let (Some(die_planes), own_uid) = (own.die_planes, own.uid) else { return Ok(()) };
        for die in die_planes.die.0..die_planes.die.0.saturating_add(die_planes.dies) {
            for plane in die_planes.planes.iter() {
                let Some(last) = self.on_plane.get_mut(usize::from(die) * self.planes + plane.index()) else {
                    continue;
                };
                let (before, uid) = std::mem::replace(last, (place.0, own_uid));
                if before == place.0 || uid == 0 || self.slots[before].uid != uid || !self.slots[before].running {
                    continue;
                }
                let slot = &mut self.slots[before];
                let Some(die_plane) = slot.die_plane(Die(die), plane) else { continue };
                slot.ends[die_plane] = slot.ends[die_plane].min(at);
                slot.last_on -= 1;
                if slot.last_on == 0 && slot.is_over_by(at) {
                    retire(slot)?;
                    self.close(OpenIndex(before));
                }
            }
        }
        Ok(())
    }

    /// Whether it is time to call [`Self::retire_ended`].
    pub(super) fn is_crowded(&self) -> bool {
        self.slots.len() - self.free.len() >= self.crowd
    }

    /// Gives every operation that has ended by `now` to `retire`, and closes it.
    pub(super) fn retire_ended(
        &mut self,
        now: Ticks,
        mut retire: impl FnMut(&Opened) -> io::Result<()>,
    ) -> io::Result<()> {
        for at in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.uid != 0 && slot.running && slot.is_over_by(now) {
                retire(slot)?;
                self.close(OpenIndex(at));
            }
        }
        self.crowd = 2 * (self.slots.len() - self.free.len()) + CROWD;
        Ok(())
    }

    /// The smallest uid of an open operation, which may still get rows.
    pub(super) fn lowest_uid(&self) -> Option<u64> {
        self.slots.iter().map(|slot| slot.uid).filter(|&uid| uid != 0).min()
    }

    pub(super) fn find(&self, uid: u64) -> Option<OpenIndex> {
        self.slots.iter().position(|slot| slot.uid == uid && uid != 0).map(OpenIndex)
    }

    pub(super) fn get(&self, place: OpenIndex) -> &Opened {
        &self.slots[place.0]
    }

    /// Ends the present stretch at `at` on all planes, unless it ends earlier.
    pub(super) fn cut(&mut self, place: OpenIndex, at: Ticks) {
        self.slots[place.0].cut(at);
    }

    /// Marks an operation as suspended.
    pub(super) fn suspend(&mut self, place: OpenIndex) {
        self.slots[place.0].running = false;
    }

    /// Removes an operation; its slot becomes free.
    pub(super) fn close(&mut self, place: OpenIndex) {
        let slot = &mut self.slots[place.0];
        slot.uid = 0;
        slot.running = false;
        self.free.push(place.0);
    }

    /// Takes a free slot, or makes one.
    fn slot(&mut self) -> OpenIndex {
        OpenIndex(self.free.pop().unwrap_or_else(|| {
            self.slots.push(Opened::free());
            self.slots.len() - 1
        }))
    }
}
