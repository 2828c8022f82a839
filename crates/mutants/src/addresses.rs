//! Damages of addresses: addresses that do not exist, bad blocks, blocks in flight, block groups.

use nandseq_input::Addressed;
use nandseq_profile::model::{DeviceState, PayloadField};
use nandseq_profile::{Block, Die, Ticks};

use crate::mutation::{Mutant, Mutation, breaks};
use crate::sequence::SequenceRow;
use crate::suspension::suspend_target;
use crate::view::RowView;
use nandseq_verify::RuleCode::{BadBlock, Bounds, InFlight, MultiPlaneGroup};
use nandseq_verify::time::after;

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(Bounds, "a die too far", bounds_die),
    breaks(Bounds, "a plane too far", bounds_plane),
    breaks(Bounds, "a block too far", bounds_block),
    breaks(Bounds, "a page too far", bounds_page),
    breaks(Bounds, "a block on another plane", bounds_placed),
    breaks(Bounds, "a negative block", bounds_negative),
    breaks(BadBlock, "an erased block is bad", bad_erase),
    breaks(BadBlock, "a programmed block is bad", bad_program),
    breaks(BadBlock, "a read block is bad", bad_read),
    breaks(BadBlock, "the last block of several is bad", bad_last),
    breaks(InFlight, "a program again in its CORE_BUSY", in_flight_again),
    breaks(InFlight, "an erase again in its CORE_BUSY", in_flight_erase),
    breaks(InFlight, "the suspended block looked at", in_flight_suspended),
    breaks(InFlight, "the block read one tick before its array is done", in_flight_read),
    breaks(MultiPlaneGroup, "all targets but one lost", group_one),
    breaks(MultiPlaneGroup, "targets in reverse order", group_reverse),
    breaks(MultiPlaneGroup, "another page on the last plane", group_page),
    breaks(MultiPlaneGroup, "another block group on the last plane", group_block),
    breaks(MultiPlaneGroup, "a second target for a single-plane operation", group_two),
];

fn bounds_die(view: &RowView<'_>) -> Option<Mutant> {
    let dies = i64::from(view.profile.topology.dies);
    view.kind().has_die.then(|| Mutant::replace(view.at, view.all_changed(|target| target.die = dies)))
}

fn bounds_plane(view: &RowView<'_>) -> Option<Mutant> {
    let planes = i64::from(view.profile.topology.planes);
    view.kind().has_plane.then(|| Mutant::replace(view.at, view.changed(|target| target.plane = planes)))
}

fn bounds_block(view: &RowView<'_>) -> Option<Mutant> {
    let blocks = i64::from(view.profile.topology.blocks_per_die);
    view.kind().has_block.then(|| Mutant::replace(view.at, view.changed(|target| target.block += blocks)))
}

fn bounds_page(view: &RowView<'_>) -> Option<Mutant> {
    let pages = i64::from(view.profile.topology.pages_per_block);
    view.kind().has_page.then(|| Mutant::replace(view.at, view.all_changed(|target| target.page = pages)))
}

fn bounds_placed(view: &RowView<'_>) -> Option<Mutant> {
    let planes = i64::from(view.profile.topology.planes);
    let usable = view.kind().has_block && view.kind().has_plane && planes > 1;
    usable.then(|| Mutant::replace(view.at, view.changed(|target| target.plane = (target.plane + 1) % planes)))
}

fn bounds_negative(view: &RowView<'_>) -> Option<Mutant> {
    view.kind().has_block.then(|| Mutant::replace(view.at, view.changed(|target| target.block = -1)))
}

/// The row unchanged, after the block of a target has been made bad.
fn condemn(view: &RowView<'_>, target: &Addressed) -> Option<Mutant> {
    let die = Die(u8::try_from(target.die).ok()?);
    let block = Block(u32::try_from(target.block).ok()?);
    let same = Mutant::replace(view.at, view.row().clone());
    Some(Mutant { condemned: Some((die, block)), ..same })
}

fn bad_erase(view: &RowView<'_>) -> Option<Mutant> {
    condemn(view, view.row().targets.first().filter(|_| view.kind().erases)?)
}

fn bad_program(view: &RowView<'_>) -> Option<Mutant> {
    condemn(view, view.row().targets.first().filter(|_| view.kind().programs)?)
}

fn bad_read(view: &RowView<'_>) -> Option<Mutant> {
    condemn(view, view.row().targets.first().filter(|_| view.kind().reads)?)
}

fn bad_last(view: &RowView<'_>) -> Option<Mutant> {
    let several = view.row().targets.len() > 1 && view.kind().touches();
    condemn(view, view.row().targets.last().filter(|_| several)?)
}

fn in_flight_again(view: &RowView<'_>) -> Option<Mutant> {
    Mutant::follow(view, view.copy(view.core_start().filter(|_| view.kind().programs)?))
}

fn in_flight_erase(view: &RowView<'_>) -> Option<Mutant> {
    Mutant::follow(view, view.copy(view.core_start().filter(|_| view.kind().erases)?))
}

/// A row of a single-plane operation that looks at a block without changing it.
fn look(view: &RowView<'_>, time: Ticks, target: Addressed) -> Option<SequenceRow> {
    let op = view.op(|kind| {
        (kind.reads || kind.checks)
            && !kind.multi
            && !view.compiled.in_state(DeviceState::LatchOnRead).contains(kind.base)
    })?;
    let page = if view.compiled.kinds[op].checks { 0 } else { target.page };
    Some(view.new_row(op, time, Addressed { page, cell_type: None, ..target }))
}

fn in_flight_suspended(view: &RowView<'_>) -> Option<Mutant> {
    let suspend_target = suspend_target(view)?;
    let time = after(view.row().time, view.kind().occupied);
    Mutant::follow(view, look(view, time, suspend_target.target()?)?)
}

fn in_flight_read(view: &RowView<'_>) -> Option<Mutant> {
    view.core_start()?;
    let changes = view.kind().erases || view.kind().programs;
    Mutant::follow(view, look(view, view.just_before_done()?, view.target().filter(|_| changes)?)?)
}

/// A multi-plane row with block addresses.
fn several(view: &RowView<'_>) -> Option<SequenceRow> {
    let usable = view.kind().multi && view.kind().has_block && view.row().targets.len() > 1;
    usable.then(|| view.row().clone())
}

fn group_one(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = several(view)?;
    row.targets.truncate(1);
    Some(Mutant::replace(view.at, row))
}

fn group_reverse(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = several(view)?;
    row.targets.reverse();
    Some(Mutant::replace(view.at, row))
}

fn group_page(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = several(view)?;
    let pages = i64::from(view.profile.topology.pages_per_block);
    let last = row.targets.last_mut()?;
    last.page = (last.page + 1) % pages;
    (pages > 1).then(|| Mutant::replace(view.at, row))
}

fn group_block(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = several(view)?;
    row.targets.last_mut()?.block += view.to_other_group()?;
    Some(Mutant::replace(view.at, row))
}

fn group_two(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = view.row().clone();
    let single = !view.kind().multi && view.kind().has_plane;
    let own = *row.targets.first().filter(|target| single && target.fields.contains(PayloadField::Plane))?;
    row.targets.push(own);
    Some(Mutant::replace(view.at, row))
}
