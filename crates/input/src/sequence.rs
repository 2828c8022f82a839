//! Reading a written `operation_sequence_*.csv`, row by row.
//!
//! No input makes the reader panic or use more memory than a few times [`MAX_LINE`](crate::row::MAX_LINE). Every fault of a row is a value
//! ([`RowFault`], [`PayloadFault`]), and the next row is read all the same. Times are exact if the profile's `export` writes them
//! exactly ([`SequenceReader::times_are_exact`]). Rows without faults cost no allocation once the buffers have grown. The form is
//! fixed: RFC 4180 without line breaks inside fields.
//!
//! Leaves out the judgement of the rows.

#[cfg(test)]
mod tests;

use std::io::{self, BufRead};

use nandseq_profile::Profile;

use crate::clock::Clock;
use crate::fast_path::{FastPath, RowPrefix, SequenceNames};
use crate::header::NoHeader;
use crate::line::{self, Line, Lines, first_line};
use crate::payload::PayloadForm;
use crate::row::{Addressed, BadRow, COLUMNS, PayloadFault, Row, RowFault};

/// Why a file cannot be read as a sequence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is not the header.
    #[error("{0}")]
    Header(NoHeader),
}

/// A reader of a sequence file.
pub struct SequenceReader<R> {
    lines: Lines<R>,
    line: Vec<u8>,
    names: SequenceNames,
    fast_path: Option<FastPath>,
    clock: Clock,
    form: PayloadForm,
    targets: Vec<Addressed>,
    fault: Option<PayloadFault>,
}

impl<R: BufRead> SequenceReader<R> {
    /// Opens a sequence written for `profile` and reads its header.
    ///
    /// # Errors
    /// [`ReadError`] if the input cannot be read or does not start with the header.
    pub fn new(profile: &Profile, mut input: R) -> Result<Self, ReadError> {
        let mut line = Vec::new();
        let has_line = first_line(&mut input, &mut line)? != Line::End;
        if !line::is_header(&line, COLUMNS) {
            return Err(ReadError::Header(NoHeader::of(has_line.then_some(&*line))));
        }
        let names = profile.ops.iter_ids().map(|(id, op)| (line::in_field(&op.name), (id, op.base))).collect();
        let clock = Clock::new(profile);
        Ok(Self {
            lines: Lines::new(input),
            line,
            names,
            fast_path: FastPath::new(profile, clock.is_exact()),
            clock,
            form: PayloadForm::new(profile),
            targets: Vec::new(),
            fault: None,
        })
    }

    /// Whether the profile's `export` writes start times without loss. If so, times are read as they are written. Otherwise each
    /// time is the multiple of `time_resolution` that is nearest to the written one.
    #[must_use]
    pub fn times_are_exact(&self) -> bool {
        self.clock.is_exact()
    }

    /// The number of rows that were read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.lines.rows()
    }

    /// The next row; `None` at the end of the file, a [`BadRow`] for a row that cannot be read.
    ///
    /// # Errors
    /// An error of the input. No further row can be read then.
    pub fn next_row(&mut self) -> io::Result<Option<Result<Row<'_>, BadRow>>> {
        self.targets.clear();
        if let Some(fast_path) = &self.fast_path
            && let Some(head) = fast_path.row(&self.names, self.lines.ahead()?, &mut self.targets)
        {
            self.lines.pass(head.len);
            let RowPrefix { seq, time, opcode, op, uid, .. } = head;
            return Ok(Some(Ok(Row {
                row: self.lines.rows(),
                seq,
                time,
                opcode,
                op,
                uid,
                targets: &self.targets,
                fault: None,
            })));
        }
        Ok(match self.lines.next(&mut self.line)? {
            Line::Read => Some(self.parse()),
            Line::TooLong => Some(Err(BadRow { row: self.lines.rows(), seq: None, fault: RowFault::TooLong })),
            Line::End => None,
        })
    }

    fn parse(&mut self) -> Result<Row<'_>, BadRow> {
        let row = self.lines.rows();
        let bad = |seq, fault| BadRow { row, seq, fault };
        let fields = line::split(&self.line).map_err(|fault| bad(None, fault))?;
        let number = |at: usize| line::number(fields[at]).ok_or(RowFault::NotANumber { column: COLUMNS[at] });
        let seq = number(0).map_err(|fault| bad(None, fault))?;
        let bad = |fault| bad(Some(seq), fault);
        let time = self.clock.parse(fields[1]).map_err(|error| bad(RowFault::Time(error)))?;
        let opcode = number(2).map_err(bad)?;
        let uid = number(4).map_err(bad)?;
        let Some(&(op, base)) = self.names.get(fields[3]) else {
            return Err(bad(RowFault::UnknownOp(line::shown(fields[3], 100))));
        };
        self.targets.clear();
        self.fault = self.form.parse(base, fields[5], &mut self.targets).err();
        Ok(Row { row, seq, time, opcode, op, uid, targets: &self.targets, fault: self.fault.as_ref() })
    }
}
