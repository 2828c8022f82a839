//! Damages of the exclusion tables.

use nandseq_input::Addressed;
use nandseq_profile::model::{Axis, DeviceState, Effect, LatchKind, PhaseKind};
use nandseq_profile::{OpId, Ticks};

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{Cache, Latch, Odt, OpState, Suspend, WriteProtect};
use nandseq_verify::time::after;

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(OpState, "an excluded command as CORE_BUSY starts", op_state_start),
    breaks(OpState, "an excluded command as CORE_BUSY ends", op_state_end),
    breaks(OpState, "an excluded command at the end of a window", op_state_window),
    breaks(Latch, "an excluded command after a load", latch_after_load),
    breaks(Latch, "an excluded command before the latch is empty", latch_before_consumed),
    breaks(Latch, "the load before lost", latch_load_lost),
    breaks(Latch, "the program of the latch lost", latch_consumer_lost),
    breaks(Suspend, "an excluded command while suspended", suspend_command),
    breaks(Suspend, "an excluded command one tick before RESUME ends", suspend_late),
    breaks(Suspend, "a RESUME given twice", suspend_resume_twice),
    breaks(Suspend, "the SUSPEND lost", suspend_lost),
    breaks(Odt, "termination switched off before", |view| TERMINATION.before(view)),
    breaks(Odt, "switching on lost", |view| TERMINATION.lost(view)),
    breaks(Odt, "an excluded command while it is off", |view| TERMINATION.command(view)),
    breaks(WriteProtect, "write protect switched on before", |view| PROTECTION.before(view)),
    breaks(WriteProtect, "switching off lost", |view| PROTECTION.lost(view)),
    breaks(WriteProtect, "an excluded command while it is on", |view| PROTECTION.command(view)),
    breaks(WriteProtect, "write protect switched on under an operation", protect_in_flight),
    breaks(Cache, "an excluded command in a cache program", cache_program_command),
    breaks(Cache, "an excluded command before a cache program ends", cache_program_late),
    breaks(Cache, "an excluded command in a cache read", cache_read_command),
    breaks(Cache, "an excluded command before a cache read ends", cache_read_late),
];

/// Inserts a command for a die at `time`, if that lies between this row and the next.
fn put(view: &RowView<'_>, op: OpId, time: Ticks, die: i64) -> Option<Mutant> {
    let target = Addressed { die, ..Addressed::default() };
    Mutant::follow(view, view.new_row(op, time, target))
}

/// A command that the op_state of this row excludes in a phase.
fn excluded(view: &RowView<'_>, kind: PhaseKind) -> Option<OpId> {
    let base = view.kind().base;
    let shown = view.kind().affects_state && view.kind().occupies && !view.is_reset(view.row());
    view.command(|command| shown && view.compiled.in_op_state(base, kind).contains(command.base))
}

fn op_state_start(view: &RowView<'_>) -> Option<Mutant> {
    put(view, excluded(view, PhaseKind::CoreBusy)?, view.core_start()?, view.die()?)
}

fn op_state_end(view: &RowView<'_>) -> Option<Mutant> {
    view.core_start()?;
    put(view, excluded(view, PhaseKind::CoreBusy)?, view.just_before_done()?, view.die()?)
}

fn op_state_window(view: &RowView<'_>) -> Option<Mutant> {
    let window = view.kind().spans.iter().find(|span| span.kind.is_window() && span.duration > Ticks::ZERO)?;
    let end = after(after(view.row().time, window.offset), window.duration);
    put(view, excluded(view, window.kind)?, Ticks(end.0 - 1), view.die()?)
}

/// The level that a row loads into the one-shot latch.
fn load(view: &RowView<'_>, row: &SequenceRow) -> Option<DeviceState> {
    view.kind_of(row).effects.iter().find_map(|effect| {
        if let Effect::LoadLatch { latch: LatchKind::OneShot, level, .. } = effect {
            Some(DeviceState::LatchOn(*level))
        } else {
            None
        }
    })
}

fn consumes(view: &RowView<'_>, row: &SequenceRow) -> bool {
    view.has(row, |effect| matches!(effect, Effect::ConsumeLatch { latch: LatchKind::OneShot, .. }))
}

/// The last row before on the die of this one that loads or consumes the one-shot latch, or resets.
fn latch_before<'a>(view: &RowView<'a>) -> Option<(usize, &'a SequenceRow)> {
    let die = view.die()?;
    let relevant = |row: &SequenceRow| load(view, row).is_some() || consumes(view, row) || view.is_reset(row);
    view.before().find(|(_, row)| view.is_on(row, die) && relevant(row))
}

fn latch_after_load(view: &RowView<'_>) -> Option<Mutant> {
    let state = load(view, view.row())?;
    put(view, view.command_forbidden_in(state)?, view.array_done(), view.die()?)
}

fn latch_before_consumed(view: &RowView<'_>) -> Option<Mutant> {
    let state = load(view, latch_before(view)?.1)?;
    if !consumes(view, view.row()) {
        return None;
    }
    put(view, view.command_forbidden_in(state)?, view.just_before_done()?, view.die()?)
}

fn latch_load_lost(view: &RowView<'_>) -> Option<Mutant> {
    let (at, lost) = latch_before(view)?;
    load(view, lost)?;
    let earlier = RowView { at, ..*view };
    let state = load(view, latch_before(&earlier)?.1)?;
    let forbidden = view.compiled.in_state(state).contains(view.kind().base);
    (forbidden && (load(view, view.row()).is_some() || consumes(view, view.row()))).then(|| Mutant::remove(at))
}

/// Removes the program that consumes the latch: the latch stays loaded and excludes a later row of the die.
fn latch_consumer_lost(view: &RowView<'_>) -> Option<Mutant> {
    let state = load(view, latch_before(view)?.1).filter(|_| consumes(view, view.row()))?;
    let die = view.die()?;
    for (_, row) in view.following().filter(|(_, row)| view.is_on(row, die)) {
        if view.is_reset(row) || consumes(view, row) {
            return None;
        }
        if view.compiled.in_state(state).contains(view.kind_of(row).base) {
            return Some(Mutant::remove(view.at));
        }
    }
    None
}

/// An operation that is forbidden while an axis of its die is suspended.
fn excluded_while_suspended(view: &RowView<'_>, axis: Axis) -> Option<OpId> {
    view.op(|kind| {
        let plain = kind.has_die && !kind.multi && kind.resets.is_none() && kind.suspends.is_none();
        plain && view.compiled.in_state(DeviceState::Suspended(axis)).contains(kind.base)
    })
}

fn suspend_command(view: &RowView<'_>) -> Option<Mutant> {
    let op = excluded_while_suspended(view, view.kind().suspends?)?;
    put(view, op, after(view.row().time, view.kind().occupied), view.die()?)
}

fn suspend_late(view: &RowView<'_>) -> Option<Mutant> {
    let op = excluded_while_suspended(view, view.kind().resumes?)?;
    put(view, op, view.just_before_done()?, view.die()?)
}

fn excluded_unless_suspended(view: &RowView<'_>, axis: Axis, row: &SequenceRow) -> bool {
    view.compiled.in_state(DeviceState::NotSuspended(axis)).contains(view.kind_of(row).base)
}

fn suspend_resume_twice(view: &RowView<'_>) -> Option<Mutant> {
    view.kind().resumes.filter(|&axis| excluded_unless_suspended(view, axis, view.row()))?;
    Mutant::follow(view, view.copy(view.array_done()))
}

fn suspend_lost(view: &RowView<'_>) -> Option<Mutant> {
    let axis = view.kind().suspends?;
    let die = view.die()?;
    let ours =
        |row: &SequenceRow| view.is_on(row, die) && (view.is_reset(row) || view.kind_of(row).resumes == Some(axis));
    let (_, end) = view.following().find(|(_, row)| ours(row))?;
    (!view.is_reset(end) && excluded_unless_suspended(view, axis, end)).then(|| Mutant::remove(view.at))
}

/// A state of the target that one effect brings about and another ends.
struct Switch {
    on: Effect,
    off: Effect,
    state: DeviceState,
}

const TERMINATION: Switch = Switch { on: Effect::OdtDisable, off: Effect::OdtEnable, state: DeviceState::OdtDisabled };
const PROTECTION: Switch =
    Switch { on: Effect::WriteProtectOn, off: Effect::WriteProtectOff, state: DeviceState::WriteProtect };

impl Switch {
    fn is_on(&self, view: &RowView<'_>, row: &SequenceRow) -> bool {
        view.kind_of(row).effects.contains(&self.on)
    }

    fn is_off(&self, view: &RowView<'_>, row: &SequenceRow) -> bool {
        view.kind_of(row).effects.contains(&self.off)
    }

    fn excludes(&self, view: &RowView<'_>, row: &SequenceRow) -> bool {
        view.compiled.in_state(self.state).contains(view.kind_of(row).base)
    }

    /// Inserts a row that begins the state before a row that it excludes.
    fn before(&self, view: &RowView<'_>) -> Option<Mutant> {
        let row = self.row(view, view.earliest())?;
        let switched = view.before().take(5).any(|(_, row)| self.is_off(view, row));
        (!switched && self.excludes(view, view.row())).then(|| Mutant::insert(view.at, row))
    }

    fn row(&self, view: &RowView<'_>, time: Ticks) -> Option<SequenceRow> {
        let op = view.op(|kind| kind.effects.contains(&self.on))?;
        let target = Addressed { die: view.die()?, ..Addressed::default() };
        Some(view.new_row(op, time, target))
    }

    /// Removes the row that ends the state.
    fn lost(&self, view: &RowView<'_>) -> Option<Mutant> {
        let last = view.before().find(|(_, row)| self.is_on(view, row) || self.is_off(view, row));
        if !self.is_off(view, view.row()) || !last.is_some_and(|(_, row)| self.is_on(view, row)) {
            return None;
        }
        let stop = |row: &SequenceRow| self.is_off(view, row) || self.excludes(view, row);
        let (_, next) = view.following().find(|(_, row)| stop(row))?;
        self.excludes(view, next).then(|| Mutant::remove(view.at))
    }

    /// Inserts a command that the state excludes after the row that begins it.
    fn command(&self, view: &RowView<'_>) -> Option<Mutant> {
        let begins = self.is_on(view, view.row());
        let op = view.op(|kind| {
            begins && kind.has_die && kind.resets.is_none() && view.compiled.in_state(self.state).contains(kind.base)
        })?;
        put(view, op, after(view.row().time, view.kind().occupied), view.die()?)
    }
}

/// Switches write protect on just after an erase or program has been issued.
fn protect_in_flight(view: &RowView<'_>) -> Option<Mutant> {
    view.kind().axis()?;
    let issued = after(view.row().time, view.kind().span(PhaseKind::Issue)?.duration);
    let row = PROTECTION.row(view, issued)?;
    Some(Mutant::insert(view.at + 1, row))
}

/// The cache-program state that a row begins.
fn cache_program(view: &RowView<'_>, row: &SequenceRow) -> Option<DeviceState> {
    let of = |effect: &Effect| if let Effect::CacheProgramStart(kind) = effect { Some(*kind) } else { None };
    view.kind_of(row).effects.iter().find_map(of).map(DeviceState::CacheProgram)
}

fn cache_program_command(view: &RowView<'_>) -> Option<Mutant> {
    let op = view.command_forbidden_in(cache_program(view, view.row())?)?;
    put(view, op, after(view.row().time, view.kind().occupied), view.die()?)
}

fn cache_program_late(view: &RowView<'_>) -> Option<Mutant> {
    if !view.has(view.row(), |effect| matches!(effect, Effect::CacheProgramEnd(_))) {
        return None;
    }
    let die = view.die()?;
    let relevant = |row: &SequenceRow| {
        let ends = view.has(row, |effect| matches!(effect, Effect::CacheProgramEnd(_)));
        let resumes = view.kind_of(row).resumes == Some(Axis::Program);
        view.is_on(row, die) && (ends || cache_program(view, row).is_some() || view.is_reset(row) || resumes)
    };
    let state = cache_program(view, view.before().find(|(_, row)| relevant(row))?.1)?;
    let ends = |effect: &Effect| matches!((effect, state), (Effect::CacheProgramEnd(a), DeviceState::CacheProgram(b)) if *a == b);
    if !view.kind().effects.iter().any(ends) {
        return None;
    }
    put(view, view.command_forbidden_in(state)?, view.just_before_done()?, die)
}

/// Inserts an operation on a plane that is forbidden while the plane is in a cache-read state.
fn on_cached_plane(view: &RowView<'_>, state: DeviceState, time: Ticks) -> Option<Mutant> {
    let op = view.op(|kind| {
        let plain = kind.has_die && !kind.multi && kind.resets.is_none() && kind.status_of.is_none();
        plain && view.compiled.in_state(state).contains(kind.base)
    })?;
    let target = Addressed { cell_type: None, ..view.target()? };
    Mutant::follow(view, view.new_row(op, time, target))
}

/// The cache-read state that a row begins.
fn cache_read(view: &RowView<'_>, row: &SequenceRow) -> Option<DeviceState> {
    let of = |effect: &Effect| if let Effect::CacheRead(kind) = effect { Some(*kind) } else { None };
    view.kind_of(row).effects.iter().find_map(of).map(DeviceState::CacheRead)
}

fn cache_read_command(view: &RowView<'_>) -> Option<Mutant> {
    on_cached_plane(view, cache_read(view, view.row())?, view.array_done())
}

fn cache_read_late(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.target()?;
    if !view.has(view.row(), |effect| matches!(effect, Effect::CacheReadEnd(_))) {
        return None;
    }
    let cached = |row: &SequenceRow| {
        view.has(row, |effect| matches!(effect, Effect::CacheRead(_) | Effect::CacheReadEnd(_))) || view.is_reset(row)
    };
    let (_, before) = view.last_on_plane(own.die, own.plane, cached)?;
    on_cached_plane(view, cache_read(view, before)?, view.just_before_done()?)
}
