//! The tables with their columns, the fields of a line, and what can be wrong with them.

use nandseq_profile::units::TimeError;
use nandseq_trace::files::FileKind;

use crate::line::split_into;
use crate::row::MAX_LINE;

/// The most columns a table has.
pub(super) const MOST: usize = 13;

/// A table of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum TableKind {
    /// Operations on their targets.
    OperationTimeline,
    /// Segments of the planes' op_states.
    OpStateTimeline,
    /// How often pages were programmed and read.
    AddressTouchCount,
    /// Where in an op_state operations were proposed.
    InputTimeCount,
    /// Accepted proposals by phase key.
    ProposalCounts,
}

impl TableKind {
    /// All tables.
    pub const ALL: [Self; 5] = [
        Self::OperationTimeline,
        Self::OpStateTimeline,
        Self::AddressTouchCount,
        Self::InputTimeCount,
        Self::ProposalCounts,
    ];

    /// The kind of file it is.
    #[must_use]
    pub const fn file(self) -> FileKind {
        match self {
            Self::OperationTimeline => FileKind::OperationTimeline,
            Self::OpStateTimeline => FileKind::OpStateTimeline,
            Self::AddressTouchCount => FileKind::AddressTouchCount,
            Self::InputTimeCount => FileKind::OpStateNameInputTimeCount,
            Self::ProposalCounts => FileKind::PhaseProposalCounts,
        }
    }

    /// The first part of the file's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.file().name()
    }

    /// Its columns, in order.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::OperationTimeline => &[
                "start",
                "end",
                "die",
                "plane",
                "block",
                "page",
                "op_name",
                "op_base",
                "source",
                "op_uid",
                "op_state",
                "phase_key_used",
                "phase_key_virtual",
            ],
            Self::OpStateTimeline => &["start", "end", "die", "plane", "op_state", "lane", "op_name", "duration"],
            Self::AddressTouchCount => &["op_base", "cell_type", "die", "block", "page", "count"],
            Self::InputTimeCount => {
                &["op_state", "phase_key_used", "phase_key_virtual", "op_name", "input_time", "count"]
            }
            Self::ProposalCounts => {
                &["phase_key_used", "phase_key_virtual", "die", "plane", "propose_time", "op_name", "count"]
            }
        }
    }

    /// The fields of a line.
    ///
    /// # Errors
    /// [`TableFault`] when the line has another number of columns, or quotes that do not match.
    pub fn fields(self, line: &[u8]) -> Result<Fields<'_>, TableFault> {
        let mut fields = Fields { table: self, texts: [b""; MOST] };
        let found = split_into(line, &mut fields.texts).map_err(|_| TableFault::Quotes)?;
        let expected = self.columns().len();
        if found == expected { Ok(fields) } else { Err(TableFault::Columns { found, expected }) }
    }
}

/// The fields of a line of a table, outer quotes taken off.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    pub(super) table: TableKind,
    pub(super) texts: [&'a [u8]; MOST],
}

impl<'a> Fields<'a> {
    /// Names and texts of the columns, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a [u8])> {
        self.table.columns().iter().copied().zip(self.texts)
    }
}

/// Why a row of a table cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableFault {
    /// Longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// Another number of columns.
    #[error("the row has {found} columns instead of {expected}")]
    Columns {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A quote that is not closed, not doubled, or in the middle of a field.
    #[error("the quotes of the row do not match")]
    Quotes,
    /// A field that means nothing.
    #[error("column {number}, '{column}': {what}")]
    Field {
        /// Number of the column, from 1.
        number: usize,
        /// Its name.
        column: &'static str,
        /// What is wrong with it.
        what: FieldFault,
    },
}

/// Why a field cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FieldFault {
    /// No whole number, or one that is too large.
    #[error("no whole number")]
    NotANumber,
    /// No time.
    #[error("{0}")]
    Time(TimeError),
    /// A number that is written otherwise.
    #[error("a decimal is written exactly and with at least one digit behind the point, as {0}")]
    Inexact(String),
    /// A name that the profile does not have.
    #[error("the profile has no {what} '{name}'")]
    Unknown {
        /// What was looked for.
        what: &'static str,
        /// The name as written.
        name: String,
    },
    /// A text that is none of those that may stand there.
    #[error("'{found}' instead of {expected}")]
    Text {
        /// What may stand there.
        expected: &'static str,
        /// What does.
        found: String,
    },
}
