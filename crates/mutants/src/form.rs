//! Damages of the written form, and changes that damage nothing.

use nandseq_profile::Ticks;
use nandseq_profile::model::{Effect, PayloadField, PhaseKind};
use nandseq_trace::Status;

use crate::mutation::{Edit, Mutant, Mutation, breaks, harmless};
use crate::sequence::SequenceRow;
use crate::view::RowView;
use nandseq_verify::RuleCode::{PayloadFields, RowFormat, SeqOrder, TimeOrder, UnknownOp};
use nandseq_verify::time::after;

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(RowFormat, "a column lost", column_lost),
    breaks(RowFormat, "a time that is none", time_lost),
    breaks(RowFormat, "the end of the row lost", end_lost),
    breaks(RowFormat, "another op_id", op_id_changed),
    breaks(UnknownOp, "a letter lost", letter_lost),
    breaks(UnknownOp, "in capitals", capitals),
    breaks(UnknownOp, "no name", name_lost),
    breaks(TimeOrder, "rows exchanged", exchanged),
    breaks(TimeOrder, "one tick before the row before", before_the_row_before),
    breaks(TimeOrder, "the start of time", start_of_time),
    breaks(PayloadFields, "a field lost", field_lost),
    breaks(PayloadFields, "a field too much", field_too_much),
    breaks(PayloadFields, "a number in quotes", number_in_quotes),
    breaks(PayloadFields, "a page for an erase", erase_page),
    breaks(SeqOrder, "the number of the row before", number_repeated),
    breaks(SeqOrder, "a number left out", number_left_out),
    breaks(SeqOrder, "the op_uid of the row before", uid_repeated),
];

pub(crate) const HARMLESS: &[Mutation] = &[
    harmless("a right status read in CORE_BUSY", right_status),
    harmless("a status read lost", status_lost),
    harmless("data put out once more", output_again),
    harmless("the last row lost", last_lost),
];

fn column_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| row.split_once(',').map_or(row, |(_, rest)| rest).to_owned()))
}

fn time_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| {
        let mut columns: Vec<&str> = row.splitn(3, ',').collect();
        columns[1] = "later";
        columns.join(",")
    }))
}

fn end_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| row[..row.len() - 2].to_owned()))
}

fn op_id_changed(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| {
        let mut columns: Vec<&str> = row.splitn(4, ',').collect();
        columns[2] = "4294967296";
        columns.join(",")
    }))
}

/// A row with another name.
fn renamed(row: &str, name: impl Fn(&str) -> String) -> String {
    let mut columns: Vec<String> = row.splitn(5, ',').map(str::to_owned).collect();
    columns[3] = name(&columns[3]);
    columns.join(",")
}

/// Whether no operation has the name that `change` makes of the row's name.
fn unknown(view: &RowView<'_>, change: fn(&str) -> String) -> bool {
    let name = change(&view.profile.ops[view.row().op].name);
    view.profile.ops.iter().all(|op| op.name != name)
}

fn without_first(name: &str) -> String {
    name.chars().skip(1).collect()
}

fn letter_lost(view: &RowView<'_>) -> Option<Mutant> {
    unknown(view, without_first).then(|| Mutant::text(view.at, |row| renamed(row, without_first)))
}

fn capitals(view: &RowView<'_>) -> Option<Mutant> {
    unknown(view, str::to_uppercase).then(|| Mutant::text(view.at, |row| renamed(row, str::to_uppercase)))
}

fn name_lost(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| renamed(row, |_| String::new())))
}

fn exchanged(view: &RowView<'_>) -> Option<Mutant> {
    let next = view.rows.get(view.at + 1).filter(|next| next.time > view.row().time)?;
    let edits = vec![Edit::Replace(view.at, next.clone()), Edit::Replace(view.at + 1, view.row().clone())];
    Some(Mutant { edits, condemned: None })
}

fn before_the_row_before(view: &RowView<'_>) -> Option<Mutant> {
    let early = view.earliest().0.checked_sub(1)?;
    Some(Mutant::replace(view.at, view.moved(Ticks(early))))
}

fn start_of_time(view: &RowView<'_>) -> Option<Mutant> {
    let later = view.earliest() > Ticks::ZERO;
    later.then(|| Mutant::replace(view.at, view.moved(Ticks::ZERO)))
}

/// The row without a field of its first target.
pub(crate) fn lost_field(view: &RowView<'_>, lost: PayloadField) -> SequenceRow {
    view.changed(|target| target.fields.remove(lost))
}

fn field_lost(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.row().targets.first()?.fields;
    let lost = PayloadField::ALL.into_iter().rev().find(|field| own.contains(*field))?;
    Some(Mutant::replace(view.at, lost_field(view, lost)))
}

fn field_too_much(view: &RowView<'_>) -> Option<Mutant> {
    let own = view.row().targets.first()?.fields;
    let numbers = [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page];
    let more = numbers.into_iter().find(|field| !own.contains(*field))?;
    Some(Mutant::replace(view.at, view.changed(|target| target.fields.insert(more))))
}

fn number_in_quotes(view: &RowView<'_>) -> Option<Mutant> {
    let has = view.row().targets.first()?.fields.contains(PayloadField::Die);
    has.then(|| Mutant::text(view.at, quoted_die))
}

/// A row with its first die as a text.
fn quoted_die(row: &str) -> String {
    const KEY: &str = "\"\"die\"\":";
    let Some((before, after)) = row.split_once(KEY) else { return String::new() };
    let digits = after.bytes().take_while(u8::is_ascii_digit).count();
    format!("{before}{KEY}\"\"{}\"\"{}", &after[..digits], &after[digits..])
}

fn erase_page(view: &RowView<'_>) -> Option<Mutant> {
    let more = view.profile.topology.pages_per_block > 1;
    (view.kind().erases && more).then(|| Mutant::replace(view.at, view.all_changed(|target| target.page = 1)))
}

/// A row with its number changed by `by`.
fn renumbered(row: &str, by: i64) -> String {
    let (seq, rest) = row.split_once(',').unwrap_or((row, ""));
    let seq = seq.parse::<i64>().unwrap_or_default() + by;
    format!("{seq},{rest}")
}

fn number_repeated(view: &RowView<'_>) -> Option<Mutant> {
    (view.at > 0).then(|| Mutant::text(view.at, |row| renumbered(row, -1)))
}

fn number_left_out(view: &RowView<'_>) -> Option<Mutant> {
    Some(Mutant::text(view.at, |row| renumbered(row, 1)))
}

fn uid_repeated(view: &RowView<'_>) -> Option<Mutant> {
    let uid = view.rows[view.at.checked_sub(1)?].uid;
    Some(Mutant::replace(view.at, SequenceRow { uid, ..view.row().clone() }))
}

/// A status read that expects busy, while the row makes its die busy and no other row needs the bus.
fn right_status(view: &RowView<'_>) -> Option<Mutant> {
    let time = view.core_start()?;
    let read = view.status_read(time, view.die()?, Status::Busy)?;
    let shown = view.kind().affects_state && view.kind().occupies;
    let allowed = !view.compiled.in_op_state(view.kind().base, PhaseKind::CoreBusy).contains(view.kind_of(&read).base);
    let end = after(time, view.kind_of(&read).spans.first()?.duration);
    let free = end <= view.next_time() && end <= view.array_done();
    (shown && allowed && free).then(|| Mutant::insert(view.at + 1, read))
}

fn status_lost(view: &RowView<'_>) -> Option<Mutant> {
    view.kind().status_of.map(|_| Mutant::remove(view.at))
}

fn output_again(view: &RowView<'_>) -> Option<Mutant> {
    let done = view.array_done();
    let free = after(done, view.kind().array_done) <= view.next_time();
    let puts_out = view.has(view.row(), |effect| effect == Effect::DataOut);
    // The second output is harmless only if no earlier operation ends in between.
    let quiet = view.before().take(20).all(|(_, row)| {
        let end =
            after(row.time, view.kind_of(row).spans.iter().fold(Ticks::ZERO, |sum, span| after(sum, span.duration)));
        end <= view.row().time || end >= after(done, view.kind().array_done)
    });
    (puts_out && free && quiet).then(|| Mutant::insert(view.at + 1, view.copy(done)))
}

fn last_lost(view: &RowView<'_>) -> Option<Mutant> {
    (view.at + 1 == view.rows.len()).then(|| Mutant::remove(view.at))
}
