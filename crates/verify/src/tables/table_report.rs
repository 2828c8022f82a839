//! Reports where tables disagree with their sequence.

use nandseq_input::table::{TableFault, TableForm};
use nandseq_profile::Profile;
use nandseq_trace::table::TableKind;

use crate::finding::{RowPlace, StartedOperation, Tally};
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
    /// The rule that a table breaks when it disagrees.
    #[expect(clippy::unused_self, reason = "asked while something is being reported")]
    pub(super) fn rule(&self, table: TableKind) -> RuleCode {
        match table {
            TableKind::OperationTimeline => RuleCode::TimelineRow,
            TableKind::OpStateTimeline => RuleCode::OpStateSegment,
            TableKind::AddressTouchCount => RuleCode::TouchCount,
            TableKind::InputTimeCount => RuleCode::InputTimeCount,
            TableKind::ProposalCounts => RuleCode::ProposalCount,
        }
    }

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

    pub(super) fn report(&mut self, rule: RuleCode, row_context: &RowContext<'_>, message: impl FnOnce() -> String) {
        let expected = || {
            let (text, free) = row_context.expected?;
            let mut text = String::from_utf8_lossy(text).into_owned();
            if free > 0 {
                text.push_str(&vec!["…"; free].join(","));
            }
            Some(text)
        };
        self.tally.report_table(
            self.profile,
            rule,
            row_context.table,
            row_context.place,
            row_context.origin,
            expected,
            message,
        );
    }
}

/// A message as a sentence.
pub(super) fn sentence_of(message: &str) -> String {
    let mut characters = message.chars();
    let first: String = characters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", characters.as_str())
}
