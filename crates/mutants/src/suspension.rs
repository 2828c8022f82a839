//! Damages of suspension and recovery.

use nandseq_profile::Ticks;
use nandseq_profile::model::Axis;

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{RecoveryTarget, ResumeTarget, SuspendTarget};

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
