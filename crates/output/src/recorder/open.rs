//! Operations whose end is not settled yet.
//!
//! Promises that an operation's rows are handed on once nothing can cut them any more, and that what is kept is bounded by
//! the planes of the device. Windows are cut here: the next state-affecting operation on a plane, or one that goes on there,
//! ends whatever was on it.

use std::io;

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, OpId, PhaseKey, Plane, PlaneSet, Target, Ticks};

use crate::model::{OpModel, TableModel};
use nandseq_trace::rows::{OpStateRow, StateId, TimelineRow, Touch};
use nandseq_trace::{DiePlanes, Operation};

/// Operations that have ended are looked for when there are this many more than twice those that were left the last time.
const CROWD: usize = 64;

/// An operation that is not over, and its present stretch.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    /// 0 when the slot is free.
    uid: u64,
    running: bool,
    /// Whether this stretch is not the first.
    resumed: bool,
    model: OpModel,
    op: OpId,
    key_used: PhaseKey,
    key_virtual: PhaseKey,
    start: Ticks,
    issue_end: Ticks,
    busy_end: Ticks,
    /// The end of the last phase, where no plane says otherwise.
    end: Ticks,
    /// When the array is done.
    done: Ticks,
    die_planes: Option<DiePlanes>,
    /// Where it ends on each of its die planes, by die, then by plane.
    ends: Vec<Ticks>,
    /// On how many of them nothing has followed it.
    last_on: usize,
    /// What the payload names, and the op_state there before it.
    targets: Vec<(Target, StateId)>,
}

/// Names an operation of [`Open`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct OpenIndex(usize);

/// The operations that are not over.
#[derive(Debug)]
pub(super) struct Open {
    planes: usize,
    /// Slots are used again, so that nothing is allocated after a while.
    slots: Vec<Opened>,
    free: Vec<usize>,
    /// The slot and uid of the operation that was last on each plane.
    on_plane: Vec<(usize, u64)>,
    /// So many operations are worth looking for those that have ended.
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

    /// Takes over everything of an operation but its stretch.
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

    /// Whether it runs; otherwise it is suspended, and its stretches so far are recorded.
    pub(super) const fn is_running(&self) -> bool {
        self.running
    }

    /// Whether the array is done at `at`.
    pub(super) fn is_done_by(&self, at: Ticks) -> bool {
        self.done <= at
    }

    /// Whether nothing can happen to its present stretch after `at`.
    fn is_over_by(&self, at: Ticks) -> bool {
        let last = self.ends.iter().copied().max().unwrap_or(self.end);
        last <= at && self.done <= at
    }

    /// Which of its die planes a plane is.
    fn die_plane(&self, die: Die, plane: Plane) -> Option<usize> {
        let die_planes = self.die_planes?;
        let die = die.0.checked_sub(die_planes.die.0).filter(|&die| die < die_planes.dies)?;
        let before = die_planes.planes.and(PlaneSet::first(u32::from(plane.0))).len();
        let place = usize::from(die) * die_planes.planes.len() as usize + before as usize;
        die_planes.planes.contains(plane).then_some(place)
    }

    fn cut(&mut self, at: Ticks) {
        self.end = self.end.min(at);
        self.ends.iter_mut().for_each(|end| *end = (*end).min(at));
    }

    /// The rows of `operation_timeline` of the present stretch. What was resumed and cut at once did not run: it has none.
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

    /// Every page it has programmed or read, once the array is done.
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

    /// Opens an operation that starts; hands on operations that are over because of it.
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

    /// Lets a suspended operation go on.
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

    /// Ends, on the die planes of an operation that is on them from `at` on, what was there before.
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

    /// Whether it is time to look for operations that have ended.
    pub(super) fn is_crowded(&self) -> bool {
        self.slots.len() - self.free.len() >= self.crowd
    }

    /// Hands on, and forgets, every operation that has ended by `now`.
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

    /// The smallest uid that may still get rows.
    pub(super) fn lowest_uid(&self) -> Option<u64> {
        self.slots.iter().map(|slot| slot.uid).filter(|&uid| uid != 0).min()
    }

    pub(super) fn find(&self, uid: u64) -> Option<OpenIndex> {
        self.slots.iter().position(|slot| slot.uid == uid && uid != 0).map(OpenIndex)
    }

    pub(super) fn get(&self, place: OpenIndex) -> &Opened {
        &self.slots[place.0]
    }

    /// Ends the present stretch at `at` wherever it goes on longer.
    pub(super) fn cut(&mut self, place: OpenIndex, at: Ticks) {
        self.slots[place.0].cut(at);
    }

    /// Keeps an operation without running.
    pub(super) fn suspend(&mut self, place: OpenIndex) {
        self.slots[place.0].running = false;
    }

    /// Forgets an operation.
    pub(super) fn close(&mut self, place: OpenIndex) {
        let slot = &mut self.slots[place.0];
        slot.uid = 0;
        slot.running = false;
        self.free.push(place.0);
    }

    /// A free slot.
    fn slot(&mut self) -> OpenIndex {
        OpenIndex(self.free.pop().unwrap_or_else(|| {
            self.slots.push(Opened::free());
            self.slots.len() - 1
        }))
    }
}
