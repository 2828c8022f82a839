//! The tables of proposals: op_state_name_input_time_count and phase_proposal_counts.
//!
//! A sequence does not say what was proposed when. These tables are checked for what must hold of any proposals: known names,
//! possible values, one row for each key in order, and sums that fit the sequence and one another.

use std::cmp::Ordering;
use std::io::{self, BufRead};

use nandseq_input::table::{Line, Proposals, TableFault, TableReader};
use nandseq_profile::{IdVec, OpId, Ticks};
use nandseq_trace::rows::{InputTimeRow, ProposalRow};
use nandseq_trace::table::TableKind;

use super::table_report::{RowContext, TableReporter};
use crate::finding::{RowPlace, sentence};
use crate::rule::RuleCode;

/// The rows of one operation in the sequence of a run.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct InSequence {
    pub(super) rows: u64,
    /// The start of the last one.
    pub(super) last: Ticks,
}

/// The sum of the counts of one operation in a table.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sum {
    count: u64,
    /// The last row of the operation.
    row: u64,
}

/// The sums of a table.
#[derive(Debug)]
pub(super) struct Sums {
    table: TableKind,
    file: u32,
    rows: u64,
    of: IdVec<OpId, Sum>,
    /// Some row could not be understood, so the sums are incomplete.
    incomplete: bool,
}

/// A row of either table.
enum CountsRow {
    InputTime(InputTimeRow),
    Proposal(ProposalRow),
}

impl CountsRow {
    const fn op(&self) -> OpId {
        match self {
            Self::InputTime(row) => row.op,
            Self::Proposal(row) => row.op,
        }
    }

    const fn count(&self) -> u64 {
        match self {
            Self::InputTime(row) => row.count,
            Self::Proposal(row) => row.count,
        }
    }
}

impl Sums {
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    fn row_context(&self, row: u64) -> RowContext<'static> {
        RowContext { table: self.table, place: RowPlace { file: self.file, row }, origin: None, expected: None }
    }

    /// Reads a whole table and checks it against the sequence of its run.
    pub(super) fn read(
        report: &mut TableReporter<'_>,
        mut reader: TableReader<Box<dyn BufRead>>,
        file: u32,
        sequence: &IdVec<OpId, InSequence>,
    ) -> io::Result<Self> {
        let table = reader.kind();
        let of = report.profile.ops.ids().map(|_| Sum::default()).collect();
        let mut sums = Self { table, file, rows: 0, of, incomplete: false };
        let mut before: Option<CountsRow> = None;
        let mut line = Vec::new();
        let mut proposals = Proposals::default();
        loop {
            let parsed = match reader.next_line(&mut line)? {
                Line::End => break,
                Line::TooLong => Err(TableFault::TooLong),
                Line::Read if table == TableKind::InputTimeCount => {
                    report.form.input_time(&line).map(CountsRow::InputTime)
                }
                Line::Read => proposals.row(report.form, &line).map(CountsRow::Proposal),
            };
            let number = reader.rows();
            let row_context = sums.row_context(number);
            match parsed {
                Ok(row) => {
                    if let Some(wrong) = wrong(report, &row, before.as_ref(), &sequence[row.op()]) {
                        report.report(RuleCode::of_table(table), &row_context, || wrong);
                    }
                    let sum = &mut sums.of[row.op()];
                    sum.count = sum.count.saturating_add(row.count());
                    sum.row = number;
                    before = Some(row);
                }
                Err(fault) => {
                    sums.incomplete = true;
                    report.report(RuleCode::RowFormat, &row_context, || sentence(&fault.to_string()));
                }
            }
        }
        sums.rows = reader.rows();
        sums.compare_with_sequence(report, sequence);
        Ok(sums)
    }

    fn compare_with_sequence(&self, report: &mut TableReporter<'_>, sequence: &IdVec<OpId, InSequence>) {
        for (op, sum) in self.of.iter_ids().filter(|(op, sum)| sum.count > sequence[*op].rows) {
            let name = &report.profile.ops[op].name;
            report.report(RuleCode::of_table(self.table), &self.row_context(sum.row), || {
                format!(
                    "The counts of {name} are {} in sum, but the sequence has {} of them.",
                    sum.count, sequence[op].rows
                )
            });
        }
    }

    /// Both tables count the same proposals.
    pub(super) fn compare(report: &mut TableReporter<'_>, one: &Self, other: &Self) {
        if one.incomplete || other.incomplete {
            return;
        }
        for (op, sum) in one.of.iter_ids().filter(|(op, sum)| sum.count != other.of[*op].count) {
            let name = &report.profile.ops[op].name;
            for (own, sums, beside) in [(sum, one, other), (&other.of[op], other, one)] {
                report.report(RuleCode::of_table(sums.table), &sums.row_context(own.row), || {
                    let (count, there) = (own.count, beside.of[op].count);
                    format!("The counts of {name} are {count} in sum, in {} {there}.", beside.table.name())
                });
            }
        }
    }
}

/// What is wrong with a row, if anything.
fn wrong(
    report: &TableReporter<'_>,
    row: &CountsRow,
    before: Option<&CountsRow>,
    sequence: &InSequence,
) -> Option<String> {
    if row.count() == 0 {
        return Some("The count is 0; a row counts at least one proposal.".to_owned());
    }
    let order = match (before, row) {
        (Some(CountsRow::InputTime(before)), CountsRow::InputTime(row)) => report.form.compare_input_times(before, row),
        (Some(CountsRow::Proposal(before)), CountsRow::Proposal(row)) => report.form.compare_proposals(before, row),
        _ => Ordering::Less,
    };
    match order {
        Ordering::Less => {}
        Ordering::Equal => return Some("The row before has the same key.".to_owned()),
        Ordering::Greater => return Some("The row sorts before the row above it.".to_owned()),
    }
    match row {
        CountsRow::InputTime(row) => wrong_input_time(row),
        CountsRow::Proposal(row) => wrong_proposal(report, row, sequence),
    }
}

fn wrong_input_time(row: &InputTimeRow) -> Option<String> {
    if row.hundredths > 100 {
        return Some("An input_time is a fraction, at most 1.0.".to_owned());
    }
    let has_length = matches!(row.state.parts(), Some((_, Some(_))));
    (row.hundredths > 0 && !has_length).then(|| "An op_state without length has the input_time 0.0.".to_owned())
}

fn wrong_proposal(report: &TableReporter<'_>, row: &ProposalRow, sequence: &InSequence) -> Option<String> {
    let topology = report.profile.topology;
    if u32::from(row.die.0) >= topology.dies {
        return Some(format!("The device has no die {}.", row.die.0));
    }
    if u32::from(row.plane.0) >= topology.planes {
        return Some(format!("A die of the device has no plane {}.", row.plane.0));
    }
    let name = &report.profile.ops[row.op].name;
    if sequence.rows == 0 {
        return Some(format!("The sequence has no {name}."));
    }
    (row.time > sequence.last)
        .then(|| format!("It was proposed after the last {name} of the sequence, which starts at {}.", sequence.last))
}
