//! Reading the tables of a run: both timelines and the three tables of counts.
//!
//! A [`TableReader`] gives the lines of a table. A [`TableForm`] makes rows of the lines; it accepts only the form that
//! `docs/outputs.md` describes. No input makes them panic or use more memory than a few times [`MAX_LINE`](crate::MAX_LINE). Every fault of a row
//! is a [`TableFault`], and the next row is read all the same.
//!
//! Leaves out the judgement of the rows.

mod fields;
mod form;
mod proposals;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead};

use nandseq_trace::table::TableKind;

pub use fields::{FieldFault, LineFields, TableFault};
pub use form::TableForm;
pub use proposals::Proposals;

pub use crate::line::{Line, UnmatchedQuotes, next_line, number, split_into};
use crate::line::{Lines, first_line, is_header};

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is not the header.
    #[error("the first line is not '{}'", .0.columns().join(","))]
    Header(TableKind),
}

/// A reader of the lines of a table.
#[derive(Debug)]
pub struct TableReader<R> {
    kind: TableKind,
    lines: Lines<R>,
    /// Whether the header has quotes. No header needs them, so the writer of the file puts superfluous quotes into rows too.
    quotes: bool,
}

/// Removes the quotes of fields that need none. A line whose quotes do not match stays unchanged.
fn without_needless_quotes(line: &mut Vec<u8>) {
    let mut fields: [&[u8]; fields::MOST] = [b""; fields::MOST];
    let Ok(found @ ..=fields::MOST) = split_into(line, &mut fields) else { return };
    let mut plain = Vec::with_capacity(line.len());
    for (at, field) in fields[..found].iter().enumerate() {
        if at > 0 {
            plain.push(b',');
        }
        let quote: &[u8] = if memchr::memchr2(b',', b'"', field).is_some() { b"\"" } else { b"" };
        plain.extend_from_slice(quote);
        plain.extend_from_slice(field);
        plain.extend_from_slice(quote);
    }
    *line = plain;
}

impl<R: BufRead> TableReader<R> {
    /// Opens a table and reads its header.
    ///
    /// # Errors
    /// [`TableError`] if the input cannot be read or does not start with the header.
    pub fn new(kind: TableKind, mut input: R) -> Result<Self, TableError> {
        let mut line = Vec::new();
        let header = match first_line(&mut input, &mut line)? {
            Line::Read => is_header(&line, kind.columns()),
            Line::TooLong | Line::End => false,
        };
        let quotes = line.contains(&b'"');
        if header { Ok(Self { kind, lines: Lines::new(input), quotes }) } else { Err(TableError::Header(kind)) }
    }

    /// The kind of the table.
    #[must_use]
    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// The number of rows that were read, without the header. It is also the number of the last row, counted from 1.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.lines.rows()
    }

    /// The next bytes of the table, as far as they are in memory, which usually is more than a line. They are not taken. Empty at
    /// the end of the table, or if an empty line comes next.
    ///
    /// # Errors
    /// An error of the input. No further row can be read then.
    pub fn ahead(&mut self) -> io::Result<&[u8]> {
        self.lines.ahead()
    }

    /// Takes the next line. [`ahead`](Self::ahead) has shown that it has `len` bytes with its `\n`.
    pub fn pass(&mut self, len: usize) {
        self.lines.pass(len);
    }

    /// Reads the next line into `line`, without its line end. If the header has quotes, superfluous quotes of the line are
    /// removed.
    ///
    /// # Errors
    /// An error of the input. No further row can be read then.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        let read = self.lines.next(line)?;
        if self.quotes && read == Line::Read {
            without_needless_quotes(line);
        }
        Ok(read)
    }
}
