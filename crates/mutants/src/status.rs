//! Damages of status: a word that is another one in the clean sequence, a status read at an edge, a field that is lost.

use nandseq_input::Addressed;
use nandseq_profile::Ticks;
use nandseq_profile::model::{Axis, PayloadField, StatusOf};
use nandseq_trace::Status;

use crate::mutation::{Mutant, Mutation, breaks};
use crate::view::RowView;
use nandseq_verify::RuleCode::{PayloadFields, StatusValue};

pub(crate) const MUTATIONS: &[Mutation] = &[
    breaks(StatusValue, "one wrong status", |view| other_status(view, 0)),
    breaks(StatusValue, "the other wrong status", |view| other_status(view, 1)),
    breaks(StatusValue, "a wrong status read as CORE_BUSY starts", status_start),
    breaks(StatusValue, "a wrong status read one tick before CORE_BUSY ends", status_end),
    breaks(StatusValue, "another die for a fixed LUN", status_lun),
    breaks(StatusValue, "the erase axis turned round", |view| turned(view, Axis::Erase)),
    breaks(StatusValue, "the program axis turned round", |view| turned(view, Axis::Program)),
    breaks(StatusValue, "the other axis suspended", axes_exchanged),
    breaks(StatusValue, "suspended one tick before the SUSPEND is done", seen_early),
    breaks(StatusValue, "not suspended as the SUSPEND is done", seen_late),
    breaks(StatusValue, "still suspended as the RESUME starts", seen_on),
    breaks(PayloadFields, "a word lost from a status", |view| list(view, word_lost)),
    breaks(PayloadFields, "a status of one word", |view| list(view, one_word)),
    breaks(PayloadFields, "the words of a status exchanged", |view| list(view, words_exchanged)),
];

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

/// Says the opposite of an axis, if the target has its field.
fn turn(target: &mut Addressed, axis: Axis) -> Option<()> {
    let is_so = target.suspended[axis].filter(|_| target.fields.contains(PayloadField::ExpectedStatus))?;
    target.suspended[axis] = Some(!is_so);
    Some(())
}

fn turned(view: &RowView<'_>, axis: Axis) -> Option<Mutant> {
    let mut row = view.row().clone();
    turn(row.targets.first_mut()?, axis)?;
    Some(Mutant::replace(view.at, row))
}

fn axes_exchanged(view: &RowView<'_>) -> Option<Mutant> {
    let mut row = view.row().clone();
    let first = row.targets.first_mut()?;
    let differ = first.suspended[Axis::Erase]? != first.suspended[Axis::Program]?;
    Axis::ALL.into_iter().try_for_each(|axis| turn(first, axis))?;
    differ.then(|| Mutant::replace(view.at, row))
}

/// A status read after the row that is right but for one axis.
fn read_turned(view: &RowView<'_>, time: Ticks, status: Status, axis: Axis) -> Option<Mutant> {
    let mut read = view.status_read(time, view.die()?, status)?;
    turn(read.targets.first_mut()?, axis)?;
    Mutant::follow(view, read)
}

fn seen_early(view: &RowView<'_>) -> Option<Mutant> {
    read_turned(view, view.just_before_done()?, Status::Busy, view.kind().suspends?)
}

fn seen_late(view: &RowView<'_>) -> Option<Mutant> {
    read_turned(view, view.array_done(), Status::Ready, view.kind().suspends?)
}

fn seen_on(view: &RowView<'_>) -> Option<Mutant> {
    read_turned(view, view.row().time, Status::Ready, view.kind().resumes?)
}

/// Changes the text of a status that is a list of several words.
fn list(view: &RowView<'_>, change: fn(&str) -> String) -> Option<Mutant> {
    let is_list = view.target()?.status.is_some() && view.profile.export.status.len() > 1;
    is_list.then(|| Mutant::text(view.at, change))
}

/// The row with its status, a list, replaced by what `change` makes of it.
fn with_list(row: &str, change: impl Fn(Vec<&str>) -> String) -> String {
    const KEY: &str = "\"\"exp_val\"\":[";
    let Some((before, (words, after))) = row.split_once(KEY).and_then(|(a, b)| Some((a, b.split_once(']')?))) else {
        return String::new();
    };
    let before = format!("{before}{}", &KEY[..KEY.len() - 1]);
    format!("{before}{}{after}", change(words.split(',').collect()))
}

fn word_lost(row: &str) -> String {
    with_list(row, |words| format!("[{}]", words[1..].join(",")))
}

fn one_word(row: &str) -> String {
    with_list(row, |words| words[0].to_owned())
}

fn words_exchanged(row: &str) -> String {
    with_list(row, |words| format!("[{}]", words.into_iter().rev().collect::<Vec<_>>().join(",")))
}

#[cfg(test)]
mod tests {
    use nandseq_trace::suspension_words;

    use super::*;

    #[test]
    fn the_words_of_a_list_are_changed_and_nothing_else() {
        let [_, erasus] = suspension_words(Axis::Erase);
        let row = format!("1,0.0,0,Status,1,\"[{{\"\"die\"\":0,\"\"exp_val\"\":[\"\"busy\"\",\"\"{erasus}\"\"]}}]\"");
        assert_eq!(word_lost(&row), row.replace("\"\"busy\"\",", ""));
        assert_eq!(one_word(&row), "1,0.0,0,Status,1,\"[{\"\"die\"\":0,\"\"exp_val\"\":\"\"busy\"\"}]\"");
        let reversed = row.replace("[\"\"busy\"\",\"\"erasus\"\"]", "[\"\"erasus\"\",\"\"busy\"\"]");
        assert_eq!(words_exchanged(&row), reversed);
    }
}
