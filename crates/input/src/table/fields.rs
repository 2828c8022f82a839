//! The fields of a line of a table, and their faults.

use nandseq_profile::units::TimeError;
use nandseq_trace::table::TableKind;

use crate::line::split_into;
use crate::row::MAX_LINE;

/// The largest number of columns of a table.
pub(super) const MOST: usize = 13;

/// The fields of a line of a table, without their outer quotes.
#[derive(Clone, Copy, Debug)]
pub struct LineFields<'a> {
    pub(super) table: TableKind,
    pub(super) texts: [&'a [u8]; MOST],
}

impl<'a> LineFields<'a> {
    /// The fields of a line of `table`.
    ///
    /// # Errors
    /// [`TableFault`] if the line has another number of columns, or quotes that do not match.
    pub fn of(table: TableKind, line: &'a [u8]) -> Result<Self, TableFault> {
        let mut fields = Self { table, texts: [b""; MOST] };
        let found = split_into(line, &mut fields.texts).map_err(|_| TableFault::Quotes)?;
        let expected = table.columns().len();
        if found == expected { Ok(fields) } else { Err(TableFault::Columns { found, expected }) }
    }

    /// The name of each column with the text of its field, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &'a [u8])> {
        self.table.columns().iter().copied().zip(self.texts)
    }
}

/// Why a row of a table cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TableFault {
    /// The line is longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The row has another number of columns.
    #[error("the row has {found} columns instead of {expected}")]
    Columns {
        /// The number of its columns.
        found: usize,
        /// The number of the table's columns.
        expected: usize,
    },
    /// A quote that is not closed, not doubled, or in the middle of a field.
    #[error("the quotes of the row do not match")]
    Quotes,
    /// A field has a fault.
    #[error("column {number}, '{column}': {what}")]
    Field {
        /// The number of the column, from 1.
        number: usize,
        /// The name of the column.
        column: &'static str,
        /// The fault.
        what: FieldFault,
    },
}

/// The fault of a field.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum FieldFault {
    /// The field is not a whole number, has leading zeros, or is too large.
    #[error("no whole number")]
    NotANumber,
    /// The number is larger than any part of an address can be.
    #[error("no device has such an address")]
    NoSuchAddress,
    /// The field is not a time or fraction.
    #[error("{0}")]
    Time(TimeError),
    /// The number is not written in the one form that is allowed, which is given.
    #[error("a decimal is written exactly and with at least one digit behind the point, as {0}")]
    Inexact(String),
    /// The profile does not have this name.
    #[error("the profile has no {what} '{name}'")]
    Unknown {
        /// The kind of name: `operation`, for example.
        what: &'static str,
        /// The name as written.
        name: String,
    },
    /// The text is not one of those that are allowed.
    #[error("'{found}' instead of {expected}")]
    Text {
        /// The texts that are allowed.
        expected: &'static str,
        /// The text as written.
        found: String,
    },
}
