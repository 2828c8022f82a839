//! Reading the tables of a run back: both timelines and the three tables of counts.
//!
//! A [`TableReader`] gives the lines of a table; a [`TableForm`] says what a line means, as strictly as `docs/outputs.md`
//! says how it is written. Promises: no input makes it panic or use more memory than a few times
//! [`MAX_LINE`]; everything wrong with a row is a [`TableFault`] that names its column, and the next row
//! is read as if nothing had happened.
//!
//! Leaves out: any judgement of what the rows say.

mod fields;
mod form;
mod proposals;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use nandseq_trace::table::TableKind;

pub use fields::{FieldFault, LineFields, TableFault};
pub use form::TableForm;
pub use proposals::Proposals;

use crate::line::{Line, is_header, line_ends, next_line, split_into};
use crate::row::MAX_LINE;

/// Why a file cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is not the header.
    #[error("the first line is not '{}'", .0.columns().join(","))]
    Header(TableKind),
}

/// An error that the input of a table reported while rows were read, and which table it was.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct InTable {
    kind: TableKind,
    error: io::Error,
}

impl InTable {
    fn wrap(kind: TableKind, error: io::Error) -> io::Error {
        io::Error::new(error.kind(), Self { kind, error })
    }

    /// The table in which an error came up; `None` for an error of anything else.
    #[must_use]
    pub fn kind_of(error: &io::Error) -> Option<TableKind> {
        error.get_ref().and_then(|inner| inner.downcast_ref::<Self>()).map(|inner| inner.kind)
    }
}

/// What [`TableReader::next_line`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableLine {
    /// A line, without its end.
    Read,
    /// A line longer than [`MAX_LINE`], which has been skipped.
    TooLong,
    /// Nothing more.
    End,
}

/// Opens a file as a table.
///
/// # Errors
/// [`TableError`] when the file cannot be read or does not start with the header.
pub fn open(kind: TableKind, path: &Path) -> Result<TableReader<BufReader<File>>, TableError> {
    TableReader::new(kind, BufReader::with_capacity(1 << 16, File::open(path)?))
}

/// Reads the lines of a table.
#[derive(Debug)]
pub struct TableReader<R> {
    kind: TableKind,
    input: R,
    row: u64,
    /// Empty lines that have been taken and are still to be given.
    empty: u64,
    ended: bool,
    /// Whether the header has quotes, which none needs: then whoever wrote it quotes rows without need too, and that means nothing.
    quotes: bool,
}

/// Takes the quotes off fields that need none; a line whose quotes do not match stays as it is.
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
    /// Reads the header.
    ///
    /// # Errors
    /// [`TableError`] when the input cannot be read or does not start with the header.
    pub fn new(kind: TableKind, mut input: R) -> Result<Self, TableError> {
        let mut line = Vec::new();
        let header = match next_line(&mut input, &mut line, MAX_LINE)? {
            Line::Read => is_header(&line, kind.columns()),
            Line::TooLong | Line::End => false,
        };
        let quotes = line.contains(&b'"');
        if header {
            Ok(Self { kind, input, row: 0, empty: 0, ended: false, quotes })
        } else {
            Err(TableError::Header(kind))
        }
    }

    /// Which table it is.
    #[must_use]
    pub fn kind(&self) -> TableKind {
        self.kind
    }

    /// How many rows have been read: the number of the last line, from 1, the header not counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.row
    }

    /// What comes next, as far as it is in memory; most lines are there as a whole. Nothing is taken.
    ///
    /// # Errors
    /// What the input reports, as [`InTable`]; reading on is then pointless.
    pub fn ahead(&mut self) -> io::Result<&[u8]> {
        let kind = self.kind;
        if self.ended || self.empty > 0 {
            Ok(&[])
        } else {
            self.input.fill_buf().map_err(|error| InTable::wrap(kind, error))
        }
    }

    /// Takes the next line, which [`ahead`](Self::ahead) has shown to have this many bytes with its `\n`.
    pub fn pass(&mut self, len: usize) {
        self.input.consume(len);
        self.row += 1;
    }

    /// Reads the next line into `line`; under a header with quotes, without quotes that it does not need.
    ///
    /// # Errors
    /// What the input reports, as [`InTable`]; reading on is then pointless.
    pub fn next_line(&mut self, line: &mut Vec<u8>) -> io::Result<TableLine> {
        line.clear();
        if self.ended {
            return Ok(TableLine::End);
        }
        if self.empty > 0 {
            self.empty -= 1;
            self.row += 1;
            return Ok(TableLine::Read);
        }
        match next_line(&mut self.input, line, MAX_LINE).map_err(|error| InTable::wrap(self.kind, error))? {
            Line::Read => {
                if line.is_empty() {
                    match line_ends(&mut self.input).map_err(|error| InTable::wrap(self.kind, error))? {
                        Some(more) => self.empty = more,
                        // Empty lines at the end are no rows.
                        None => {
                            self.ended = true;
                            return Ok(TableLine::End);
                        }
                    }
                }
                if self.quotes {
                    without_needless_quotes(line);
                }
                self.row += 1;
                Ok(TableLine::Read)
            }
            Line::TooLong => {
                line.clear();
                self.row += 1;
                Ok(TableLine::TooLong)
            }
            Line::End => {
                self.ended = true;
                Ok(TableLine::End)
            }
        }
    }
}
