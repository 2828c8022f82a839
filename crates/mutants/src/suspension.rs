//! Damages of suspension, recovery and status.

use nandseq_profile::Ticks;
use nandseq_profile::model::{Axis, StatusOf};
use nandseq_trace::Status;

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{RecoveryTarget, ResumeTarget, StatusValue, SuspendTarget};

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(RecoveryTarget, "another page", recovery_page),
    breaks(RecoveryTarget, "another block", recovery_block),
    breaks(RecoveryTarget, "the SUSPEND before lost", recovery_suspend_lost),
    breaks(SuspendTarget, "as CORE_BUSY of the suspend target ends", suspend_late),
    breaks(SuspendTarget, "one tick before CORE_BUSY of the suspend target starts", suspend_early),
    breaks(SuspendTarget, "a SUSPEND of the other axis", suspend_other),
    breaks(SuspendTarget, "the suspend target lost", suspend_target_lost),
    breaks(ResumeTarget, "the SUSPEND before lost", resume_suspend_lost),
    breaks(ResumeTarget, "the RESUME again when it is done", resume_twice),
    breaks(ResumeTarget, "a RESUME of the other axis", resume_other),
    breaks(StatusValue, "one wrong status", |view| other_status(view, 0)),
    breaks(StatusValue, "the other wrong status", |view| other_status(view, 1)),
    breaks(StatusValue, "a wrong status read as CORE_BUSY starts", status_start),
    breaks(StatusValue, "a wrong status read one tick before CORE_BUSY ends", status_end),
    breaks(StatusValue, "another die for a fixed LUN", status_lun),
];

fn recovery_page(view: &RowView<'_>) -> Option<Mutant> {
    let pages = i64::from(view.profile.topology.pages_per_block);
    let moved = view.changed(|target| target.page = (target.page + 1) % pages);
    (view.kind().recovers && pages > 1).then(|| Mutant::replace(view.at, moved))
}

fn recovery_block(view: &RowView<'_>) -> Option<Mutant> {
    let shift = view.to_other_group().filter(|_| view.kind().recovers)?;
    Some(Mutant::replace(view.at, view.changed(|target| target.block += shift)))
}

/// The nearest SUSPEND of an axis before on the die, if no later row resumes it or resets the die.
fn suspend_before<'a>(view: &RowView<'a>, axis: Axis) -> Option<(usize, &'a SequenceRow)> {
    let die = view.die()?;
    let relevant = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        view.is_on(row, die) && (kind.suspends == Some(axis) || kind.resumes == Some(axis) || kind.resets.is_some())
    };
    let (at, row) = view.before().find(|(_, row)| relevant(row))?;
    (view.kind_of(row).suspends == Some(axis)).then_some((at, row))
}

fn recovery_suspend_lost(view: &RowView<'_>) -> Option<Mutant> {
    let (at, _) = suspend_before(view, Axis::Program).filter(|_| view.kind().recovers)?;
    Some(Mutant::remove(at))
}

/// The row that this SUSPEND suspends, if it has not been suspended before.
pub(crate) fn suspend_target<'a>(view: &RowView<'a>) -> Option<RowView<'a>> {
    let axis = view.kind().suspends?;
    let die = view.die()?;
    let relevant = |row: &SequenceRow| {
        let kind = view.kind_of(row);
        view.is_on(row, die) && (kind.axis() == Some(axis) || view.interferes(row))
    };
    let (at, row) = view.before().find(|(_, row)| relevant(row))?;
    (!view.interferes(row)).then_some(RowView { at, ..*view })
}

fn suspend_late(view: &RowView<'_>) -> Option<Mutant> {
    let done = suspend_target(view)?.array_done();
    (done <= view.next_time()).then(|| Mutant::replace(view.at, view.moved(done)))
}

fn suspend_early(view: &RowView<'_>) -> Option<Mutant> {
    let early = Ticks(suspend_target(view)?.core_start()?.0.checked_sub(1)?);
    (early >= view.earliest()).then(|| Mutant::replace(view.at, view.moved(early)))
}

fn suspend_other(view: &RowView<'_>) -> Option<Mutant> {
    let axis = view.kind().suspends?;
    let op = view.op(|kind| kind.suspends.is_some_and(|other| other != axis))?;
    Some(Mutant::replace(view.at, SequenceRow { op, ..view.row().clone() }))
}

fn suspend_target_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::remove(suspend_target(view)?.at))
}

fn resume_suspend_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::remove(suspend_before(view, view.kind().resumes?)?.0))
}

fn resume_twice(view: &RowView<'_>) -> Option<Mutant> {
    view.kind().resumes?;
    Mutant::follow(view, view.copy(view.array_done()))
}

fn resume_other(view: &RowView<'_>) -> Option<Mutant> {
    let axis = view.kind().resumes?;
    let other = if axis == Axis::Erase { Axis::Program } else { Axis::Erase };
    if suspend_before(view, other).is_some() {
        return None;
    }
    let op = view.op(|kind| kind.resumes == Some(other))?;
    Some(Mutant::replace(view.at, SequenceRow { op, ..view.row().clone() }))
}

const fn wrong(status: Status) -> [Status; 2] {
    match status {
        Status::Busy => [Status::ExtReady, Status::Ready],
        Status::ExtReady => [Status::Busy, Status::Ready],
        Status::Ready => [Status::Busy, Status::ExtReady],
    }
}

fn other_status(view: &RowView<'_>, which: usize) -> Option<Mutant> {
    let status = view.row().targets.first()?.status?;
    Some(Mutant::replace(view.at, view.changed(|target| target.status = Some(wrong(status)[which]))))
}

/// Whether the row makes its die busy while it is in CORE_BUSY.
fn makes_busy(view: &RowView<'_>) -> bool {
    view.kind().affects_state && view.kind().occupies && view.core_start().is_some()
}

fn status_at(view: &RowView<'_>, time: Ticks) -> Option<Mutant> {
    let read = view.status_read(time, view.die()?, Status::Ready).filter(|_| makes_busy(view))?;
    Mutant::follow(view, read)
}

fn status_start(view: &RowView<'_>) -> Option<Mutant> {
    status_at(view, view.core_start()?)
}

fn status_end(view: &RowView<'_>) -> Option<Mutant> {
    view.core_start()?;
    status_at(view, view.just_before_done()?)
}

fn status_lun(view: &RowView<'_>) -> Option<Mutant> {
    let Some(StatusOf::Lun(_)) = view.kind().status_of else { return None };
    let dies = i64::from(view.profile.topology.dies);
    let moved = view.changed(|target| target.die = (target.die + 1) % dies);
    (dies > 1).then(|| Mutant::replace(view.at, moved))
}
