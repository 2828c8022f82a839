//! Reports where tables disagree with their sequence.

use nandseq_input::table::{TableFault, TableForm};
use nandseq_profile::Profile;
use nandseq_trace::table::TableKind;

use crate::finding::{Finding, OperationRef, RowPlace, StartedOperation, Tally};
use crate::rule::RuleCode;

/// Reports findings in tables.
pub(super) struct TableReporter<'a> {
    pub(super) profile: &'a Profile,
    pub(super) tally: &'a mut Tally,
    pub(super) form: &'a TableForm,
}

/// A row of a table and what it is about.
pub(super) struct RowContext<'a> {
    pub(super) table: TableKind,
    pub(super) place: RowPlace,
    /// The operation that the row belongs to.
    pub(super) origin: Option<StartedOperation>,
    /// The row that should be there, without its last columns, and the number of these columns.
    pub(super) expected: Option<(&'a [u8], usize)>,
}

impl TableReporter<'_> {
    /// Why a line cannot be understood, if it cannot.
    pub(super) fn fault(&self, table: TableKind, line: &[u8]) -> Option<TableFault> {
        match table {
            TableKind::OperationTimeline => self.form.stretch(line).err(),
            TableKind::OpStateTimeline => self.form.segment(line).err(),
            TableKind::AddressTouchCount => self.form.touch(line).err(),
            TableKind::InputTimeCount => self.form.input_time(line).err(),
            TableKind::ProposalCounts => self.form.proposal(line).err(),
        }
    }

    /// Notes a row that disagrees with the sequence. Of the rows of one operation the first is a finding, and the others are
    /// followers.
    pub(super) fn report(&mut self, rule: RuleCode, row_context: &RowContext<'_>, message: impl FnOnce() -> String) {
        let &RowContext { table, place, origin, expected } = row_context;
        self.tally.note(rule, origin, || Finding {
            rule,
            table: Some(table),
            place,
            time: None,
            uid: None,
            op: None,
            targets: Vec::new(),
            message: message(),
            expected: expected.map(|(text, free)| {
                let mut text = String::from_utf8_lossy(text).into_owned();
                if free > 0 {
                    text.push_str(&vec!["…"; free].join(","));
                }
                text
            }),
            other: origin.map(|origin| OperationRef::of(self.profile, &origin)),
        });
    }
}
