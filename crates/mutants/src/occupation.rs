//! Damages of bus and occupation.

use nandseq_profile::Ticks;
use nandseq_profile::model::Scope;
use nandseq_trace::Status;

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{Bus, MultiPlaneExclusive, PlaneBusy};
use nandseq_verify::time::{Interval, after};

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(Bus, "one tick before the bus is free", bus_one_tick_early),
    breaks(Bus, "together with the row before", bus_together),
    breaks(Bus, "given twice", bus_twice),
    breaks(Bus, "a status read while the bus is held", bus_status),
    breaks(PlaneBusy, "one tick before its plane is free", plane_one_tick_early),
    breaks(PlaneBusy, "again while it is in CORE_BUSY", plane_again),
    breaks(PlaneBusy, "again one tick before its plane is free", plane_again_late),
    breaks(PlaneBusy, "moved to the plane of an interleaved one", plane_of_interleaved),
    breaks(MultiPlaneExclusive, "again on another plane, not interleaved", other_plane),
    breaks(MultiPlaneExclusive, "again on another plane, one tick early", other_plane_late),
    breaks(MultiPlaneExclusive, "another operation on another plane", |view| beside(view, false)),
    breaks(MultiPlaneExclusive, "another operation beside a multi-plane one", |view| beside(view, true)),
];

fn before_end(interval: Interval) -> Option<Ticks> {
    (interval.to > interval.from).then(|| Ticks(interval.to.0 - 1))
}

/// The time in which the row before holds the bus with its ISSUE, if this row needs the bus too.
fn held_before(view: &RowView<'_>) -> Option<Interval> {
    let before = view.at.checked_sub(1).map(|at| &view.rows[at])?;
    view.issue(view.row())?;
    Some(Interval::new(before.time, view.issue(before)?))
}

fn bus_one_tick_early(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::replace(view.at, view.moved(before_end(held_before(view)?)?)))
}

fn bus_together(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::replace(view.at, view.moved(held_before(view)?.from)))
}

fn bus_twice(view: &RowView<'_>) -> Option<Mutant> {
    view.issue(view.row())?;
    Some(Mutant::insert(view.at + 1, view.copy(view.row().time)))
}

fn bus_status(view: &RowView<'_>) -> Option<Mutant> {
    let held = Interval::new(view.row().time, view.issue(view.row())?);
    Some(Mutant::insert(view.at + 1, view.status_read(before_end(held)?, view.die()?, Status::Ready)?))
}

/// The time in which this row occupies its planes, if it does not suspend, resume or reset.
fn occupied(view: &RowView<'_>) -> Option<Interval> {
    let kind = view.kind();
    let ordinary = kind.occupies && kind.scope != Scope::None && !view.interferes(view.row());
    let time = Interval::new(view.row().time, kind.occupied);
    (ordinary && !time.is_empty() && kind.has_die).then_some(time)
}

fn plane_one_tick_early(view: &RowView<'_>) -> Option<Mutant> {
    occupied(view)?;
    let die = view.die()?;
    let planes: Vec<i64> = view.row().targets.iter().map(|target| target.plane).collect();
    let shares = |row: &SequenceRow| match view.kind_of(row).scope {
        Scope::None => false,
        Scope::Die | Scope::Target => true,
        Scope::PlaneSet if view.kind().scope == Scope::PlaneSet => {
            row.targets.iter().any(|target| planes.contains(&target.plane))
        }
        Scope::PlaneSet => true,
    };
    // The nearest row on the die that occupies or interferes decides.
    let relevant = |row: &SequenceRow| {
        view.is_on(row, die) && (view.interferes(row) || (view.kind_of(row).occupies && shares(row)))
    };
    let (_, other) = view.before().find(|(_, row)| relevant(row))?;
    let early = before_end(Interval::new(other.time, view.kind_of(other).occupied))?;
    let usable = !view.interferes(other) && early >= view.earliest() && early < view.row().time;
    usable.then(|| Mutant::replace(view.at, view.moved(early)))
}

fn plane_again(view: &RowView<'_>) -> Option<Mutant> {
    let time = occupied(view)?;
    let middle = view.core_start().filter(|&middle| time.contains(middle))?;
    Mutant::follow(view, view.copy(middle))
}

fn plane_again_late(view: &RowView<'_>) -> Option<Mutant> {
    Mutant::follow(view, view.copy(before_end(occupied(view)?)?))
}

/// Of two interleaved single-plane operations that overlap, the second moves to the plane of the first.
fn plane_of_interleaved(view: &RowView<'_>) -> Option<Mutant> {
    occupied(view)?;
    let own = view.target()?;
    let interleaved = |row: &SequenceRow| view.kind_of(row).interleaved && !view.kind_of(row).multi;
    if !interleaved(view.row()) || !view.kind().has_block {
        return None;
    }
    let (_, other) = view.before().take(50).find(|(_, row)| {
        let time = Interval::new(row.time, view.kind_of(row).occupied);
        interleaved(row) && row.targets[0].die == own.die && time.contains(view.row().time)
    })?;
    let block = other.targets[0].block;
    let plane = other.targets[0].plane;
    (plane != own.plane)
        .then(|| Mutant::replace(view.at, view.changed(|target| (target.plane, target.block) = (plane, block))))
}

/// The row again on a free plane, if it is an operation on single planes.
fn again_on_other_plane(view: &RowView<'_>, time: Ticks) -> Option<Mutant> {
    let kind = view.kind();
    if kind.scope != Scope::PlaneSet || kind.interleaved || kind.multi || !kind.has_plane {
        return None;
    }
    let planes = i64::from(view.profile.topology.planes);
    let mut copy = view.copy(time);
    let target = copy.targets.first_mut()?;
    let old = target.plane;
    target.plane = (old + 1) % planes;
    target.block += target.plane - old;
    let usable = planes > 1 && occupied(view)?.contains(time);
    Mutant::follow(view, copy).filter(|_| usable)
}

fn other_plane(view: &RowView<'_>) -> Option<Mutant> {
    again_on_other_plane(view, view.core_start()?)
}

fn other_plane_late(view: &RowView<'_>) -> Option<Mutant> {
    again_on_other_plane(view, before_end(occupied(view)?)?)
}

/// An operation on a plane that the row leaves free, although the two may not interleave.
fn beside(view: &RowView<'_>, multi: bool) -> Option<Mutant> {
    let kind = view.kind();
    let time = occupied(view)?;
    if kind.scope != Scope::PlaneSet || kind.multi != multi || !kind.has_plane {
        return None;
    }
    let planes = i64::from(view.profile.topology.planes);
    let free = (0..planes).find(|plane| view.row().targets.iter().all(|target| target.plane != *plane))?;
    let op = view.op(|other| {
        let fits = other.interleaved && (multi || !kind.interleaved) || (!other.interleaved && !multi);
        fits && other.scope == Scope::PlaneSet && !other.multi && other.occupies && other.has_plane
    })?;
    let at = after(time.from, Ticks((time.to.0 - time.from.0) / 2));
    let mut target = view.target()?;
    target.block = if kind.has_block { target.block - target.plane + free } else { free };
    target.plane = free;
    target.cell_type = None;
    Mutant::follow(view, view.new_row(op, at, target))
}
