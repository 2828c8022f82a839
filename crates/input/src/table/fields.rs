//! The fields of a line, and what can be wrong with them.

use nandseq_profile::units::TimeError;
use nandseq_trace::table::TableKind;

use crate::line::split_into;
use crate::row::MAX_LINE;

/// The most columns a table has.
pub(super) const MOST: usize = 13;

/// The fields of a line of a table, outer quotes taken off.
#[derive(Clone, Copy, Debug)]
pub struct LineFields<'a> {
    pub(super) table: TableKind,
    pub(super) texts: [&'a [u8]; MOST],
}

impl<'a> LineFields<'a> {
    /// The fields of a line of `table`.
    ///
    /// # Errors
    /// [`TableFault`] when the line has another number of columns, or quotes that do not match.
    pub fn of(table: TableKind, line: &'a [u8]) -> Result<Self, TableFault> {
        let mut fields = Self { table, texts: [b""; MOST] };
        let found = split_into(line, &mut fields.texts).map_err(|_| TableFault::Quotes)?;
        let expected = table.columns().len();
        if found == expected { Ok(fields) } else { Err(TableFault::Columns { found, expected }) }
    }

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
    /// A number beyond what any part of an address can be.
    #[error("no device has such an address")]
    NoSuchAddress,
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
