//! Damages of data: a value that is another one in the clean sequence, or a field that is lost or too much.

use nandseq_input::Addressed;
use nandseq_profile::model::{Effect, PayloadField};

use crate::form::lost_field;
use crate::mutation::{Edit, Mutant, Mutation, breaks};
use crate::reads::filled_before;
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{DataValue, PayloadFields};

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(DataValue, "another level of the page", other_level),
    breaks(DataValue, "what was put out before a cache read", before_cache_read),
    breaks(DataValue, "what a cache read will bring", after_cache_read),
    breaks(DataValue, "a copyback as data of its own", copyback_as_own),
    breaks(DataValue, "what the page held before the erase", before_erase),
    breaks(DataValue, "the data of another plane", other_plane),
    breaks(DataValue, "the data of two planes exchanged", planes_exchanged),
    breaks(DataValue, "a program after a load of the MSB as data of its own", own_after_msb),
    breaks(DataValue, "after a recovery read, what another program brought", recovered_other),
    breaks(DataValue, "after a recovery read, the SUSPEND", recovered_suspend),
    breaks(DataValue, "one less", |view| replaced(view, view.target()?.data - 1)),
    breaks(DataValue, "one more", |view| replaced(view, view.target()?.data + 1)),
    breaks(DataValue, "the data of a later operation", later_operation),
    breaks(DataValue, "the read instead of the program", read_itself),
    breaks(DataValue, "the data that was brought in before", own_replaced),
    breaks(DataValue, "another op_uid", uid_changed),
    breaks(PayloadFields, "the data lost", data_lost),
    breaks(PayloadFields, "data where none passes", data_too_much),
];

/// The data of the first target, if it has any.
fn data(row: &SequenceRow) -> Option<i64> {
    row.targets.first().filter(|first| first.fields.contains(PayloadField::Data)).map(|first| first.data)
}

/// The data that a row brings in.
fn brought(view: &RowView<'_>, row: &SequenceRow) -> Option<i64> {
    data(row).filter(|_| !view.kind_of(row).outputs)
}

/// The first target of a row that puts data out, and its data.
fn output(view: &RowView<'_>) -> Option<(Addressed, i64)> {
    Some((view.target()?, data(view.row()).filter(|_| view.kind().outputs)?))
}

/// The row with other data for its first target.
fn replaced(view: &RowView<'_>, with: i64) -> Option<Mutant> {
    let is_other = data(view.row())? != with;
    is_other.then(|| Mutant::replace(view.at, view.changed(|target| target.data = with)))
}

/// The uid of a row as data.
fn uid(row: &SequenceRow) -> Option<i64> {
    i64::try_from(row.uid).ok()
}

/// Whether a row names a page.
fn names_page(view: &RowView<'_>, row: &SequenceRow, page: &Addressed) -> bool {
    view.names_block(row, page.die, page.block) && row.targets.iter().any(|target| target.page == page.page)
}

/// The rows before that brought something to a page since its block was erased.
fn programs_of<'a>(view: &RowView<'a>, page: Addressed) -> impl Iterator<Item = &'a SequenceRow> {
    let here = RowView { ..*view };
    let since = view.before().map(|(_, row)| row).take_while({
        let view = RowView { ..*view };
        move |row| !(view.kind_of(row).erases && view.names_block(row, page.die, page.block))
    });
    since.filter(move |row| here.kind_of(row).programs && names_page(&here, row, &page))
}

fn other_level(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view)?;
    let other = programs_of(view, own).filter_map(|row| brought(view, row)).find(|other| *other != is)?;
    replaced(view, other)
}

/// Whether a cache read or its end changed the output register of the row's plane last.
fn is_moved(view: &RowView<'_>, own: &Addressed) -> bool {
    let cache = |effect| matches!(effect, Effect::CacheRead(_) | Effect::CacheReadEnd(_));
    filled_before(view, own).is_some_and(|(_, row)| view.has(row, cache))
}

fn before_cache_read(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view).filter(|(own, _)| is_moved(view, own))?;
    let other = |row: &SequenceRow| view.kind_of(row).outputs && data(row).is_some_and(|other| other != is);
    replaced(view, data(view.last_on_plane(own.die, own.plane, other)?.1)?)
}

fn after_cache_read(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view).filter(|(own, _)| is_moved(view, own))?;
    let (_, read) = filled_before(view, &own).filter(|(_, row)| view.kind_of(row).reads_on)?;
    let page = *read.targets.iter().find(|target| target.plane == own.plane)?;
    let other = programs_of(view, page).filter_map(|row| brought(view, row)).find(|other| *other != is)?;
    replaced(view, other)
}

fn copyback_as_own(view: &RowView<'_>) -> Option<Mutant> {
    let (own, _) = output(view)?;
    let copies = |row: &&SequenceRow| view.kind_of(row).from_copyback;
    replaced(view, uid(programs_of(view, own).find(copies)?)?)
}

fn before_erase(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view)?;
    let mut before = view.before().map(|(_, row)| row);
    before.find(|row| view.kind_of(row).erases && view.names_block(row, own.die, own.block))?;
    let other = |row: &&SequenceRow| names_page(view, row, &own) && brought(view, row).is_some_and(|other| other != is);
    replaced(view, brought(view, before.find(other)?)?)
}

fn other_plane(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view)?;
    let is_other = |target: &&Addressed| target.die == own.die && target.plane != own.plane && target.data != is;
    let outputs = view.before().map(|(_, row)| row).filter(|row| view.kind_of(row).outputs && data(row).is_some());
    replaced(view, outputs.flat_map(|row| &row.targets).find(is_other)?.data)
}

/// Exchanges the data of this output with that of the next one, on another plane of its die.
fn planes_exchanged(view: &RowView<'_>) -> Option<Mutant> {
    let (own, is) = output(view)?;
    let (at, next) = view.following().take(20).find(|(_, row)| view.kind_of(row).outputs && data(row).is_some())?;
    let there = next.targets.first().filter(|there| there.die == own.die && there.plane != own.plane)?.data;
    let mut other = next.clone();
    other.targets.first_mut()?.data = is;
    let edits = vec![Edit::Replace(view.at, view.changed(|target| target.data = there)), Edit::Replace(at, other)];
    (there != is).then_some(Mutant { edits, condemned: None })
}

fn own_after_msb(view: &RowView<'_>) -> Option<Mutant> {
    let consumes = view.kind().latches.iter().any(|of| of.loads.is_none());
    replaced(view, uid(view.row()).filter(|_| consumes)?)
}

/// The recovery read whose data this row puts out.
fn recovery<'a>(view: &RowView<'a>) -> Option<(usize, &'a SequenceRow, i64)> {
    let (own, is) = output(view)?;
    let (at, row) = filled_before(view, &own).filter(|(_, row)| view.kind_of(row).recovers)?;
    Some((at, row, is))
}

fn recovered_other(view: &RowView<'_>) -> Option<Mutant> {
    let (at, read, is) = recovery(view)?;
    let earlier = RowView { at, ..*view };
    let page = *read.targets.first()?;
    let other =
        |row: &SequenceRow| brought(view, row).is_some_and(|other| other != is) && !names_page(view, row, &page);
    replaced(view, brought(view, earlier.last_on_plane(page.die, page.plane, other)?.1)?)
}

fn recovered_suspend(view: &RowView<'_>) -> Option<Mutant> {
    let (at, read, _) = recovery(view)?;
    let earlier = RowView { at, ..*view };
    let die = read.targets.first()?.die;
    let (_, suspend) =
        earlier.before().find(|(_, row)| view.kind_of(row).suspends.is_some() && view.is_on(row, die))?;
    replaced(view, uid(suspend)?)
}

fn later_operation(view: &RowView<'_>) -> Option<Mutant> {
    let (_, later) = view.following().find(|(_, row)| brought(view, row).is_some())?;
    replaced(view, uid(later)?)
}

fn read_itself(view: &RowView<'_>) -> Option<Mutant> {
    let (own, _) = output(view)?;
    replaced(view, uid(filled_before(view, &own)?.1)?)
}

fn own_replaced(view: &RowView<'_>) -> Option<Mutant> {
    brought(view, view.row())?;
    replaced(view, view.before().find_map(|(_, row)| brought(view, row))?)
}

fn uid_changed(view: &RowView<'_>) -> Option<Mutant> {
    let is_own = brought(view, view.row())? == uid(view.row())?;
    is_own.then(|| Mutant::replace(view.at, SequenceRow { uid: view.new_uid, ..view.row().clone() }))
}

fn data_lost(view: &RowView<'_>) -> Option<Mutant> {
    data(view.row())?;
    Some(Mutant::replace(view.at, lost_field(view, PayloadField::Data)))
}

fn data_too_much(view: &RowView<'_>) -> Option<Mutant> {
    let reads = view.kind().reads && !view.kind().has_data && view.compiled.follows_data();
    reads.then(|| Mutant::replace(view.at, view.changed(|target| target.fields.insert(PayloadField::Data))))
}
