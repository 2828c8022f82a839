//! Reading a written `operation_sequence_*.csv` back, row by row.
//!
//! Promises: no input makes it panic or use more memory than a few times [`MAX_LINE`]; everything wrong with a row is a
//! value ([`RowFault`], [`PayloadFault`]), and the next row is read as if nothing had happened; times are exact wherever
//! the profile's `export` writes them exactly ([`SequenceReader::times_are_exact`]); no allocation per row once the
//! buffers have grown. The parser knows this one fixed form (RFC 4180 without line breaks inside fields).
//!
//! Leaves out: any judgement of what the rows say.

mod clock;
mod fast_path;
pub mod folder;
mod header;
mod line;
mod payload;
mod source;
pub mod table;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use nandseq_profile::model::PayloadField;
use nandseq_profile::units::TimeError;
use nandseq_profile::{CellTypeId, OpId, Profile, Ticks};

use crate::{Operation, Status};
use clock::Clock;
use fast_path::{FastPath, Head, Names};
pub use header::NoHeader;
use line::{Line, line_ends, next_line};
use payload::PayloadForm;
pub use source::{CsvFiles, STANDARD_INPUT, Source};

/// The columns of a sequence file, in order.
pub const COLUMNS: [&str; 6] = ["seq", "time", "op_id", "op_name", "op_uid", "payload"];

/// The longest line that is read, bytes; a multi-plane row of the widest device needs about 1,000.
pub const MAX_LINE: usize = 1 << 16;

/// A row of a sequence file.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// Number of the row within the file, from 1, the header not counted.
    pub row: u64,
    /// What the `seq` column says.
    pub seq: u64,
    /// When the operation starts.
    pub time: Ticks,
    /// What the `op_id` column says.
    pub opcode: u64,
    /// Which command.
    pub op: OpId,
    /// What the `op_uid` column says.
    pub uid: u64,
    /// One entry per payload object, as far as the payload could be read.
    pub targets: &'a [Addressed],
    /// What is wrong with the payload, if anything; the first fault only.
    pub fault: Option<&'a PayloadFault>,
}

/// What one payload object says. Numbers are as written: nothing says yet that the device has such a die.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Addressed {
    /// The fields that are there, each readable.
    pub fields: FieldSet,
    /// `die`, 0 if absent.
    pub die: i64,
    /// `plane`, 0 if absent.
    pub plane: i64,
    /// `block`, 0 if absent.
    pub block: i64,
    /// `page`, 0 if absent.
    pub page: i64,
    /// `celltype`
    pub cell_type: Option<CellTypeId>,
    /// `exp_val`
    pub status: Option<Status>,
}

/// A set of payload fields, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct FieldSet(u8);

impl FieldSet {
    /// Adds a field.
    pub const fn insert(&mut self, field: PayloadField) {
        self.0 |= 1 << field as u8;
    }

    /// Whether the field is in the set.
    #[must_use]
    pub const fn contains(self, field: PayloadField) -> bool {
        self.0 >> field as u8 & 1 == 1
    }

    /// Whether every field of this set is in `other`.
    #[must_use]
    pub const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

impl FromIterator<PayloadField> for FieldSet {
    fn from_iter<S: IntoIterator<Item = PayloadField>>(fields: S) -> Self {
        let mut set = Self::default();
        for field in fields {
            set.insert(field);
        }
        set
    }
}

impl Addressed {
    /// What a sink is told of the `at`-th target of an operation, as if it had been written and read back.
    #[must_use]
    pub fn of(profile: &Profile, operation: &Operation<'_>, at: usize) -> Self {
        let fields = &profile.bases[profile.ops[operation.op].base].payload;
        let target = &operation.targets[at];
        let has = |field| fields.contains(&field);
        let mut set: FieldSet = fields.iter().copied().collect();
        if operation.status.is_none() {
            set.0 &= !(1 << PayloadField::ExpectedStatus as u8);
        }
        Self {
            fields: set,
            die: i64::from(target.die.0),
            plane: i64::from(target.plane.0),
            block: i64::from(target.block.0),
            page: i64::from(target.page.0),
            cell_type: has(PayloadField::CellType).then_some(target.cell_type),
            status: operation.status.filter(|_| has(PayloadField::ExpectedStatus)),
        }
    }
}

/// Why a row cannot be understood at all.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RowFault {
    /// Longer than [`MAX_LINE`].
    #[error("the line is longer than {MAX_LINE} bytes")]
    TooLong,
    /// Not six columns.
    #[error("the row has {found} column{} instead of 6", if *found == 1 { "" } else { "s" })]
    Columns {
        /// How many there are.
        found: usize,
    },
    /// A quote that is not closed, not doubled, or in the middle of a field.
    #[error("the quotes of the row do not match")]
    Quotes,
    /// A column that should hold a whole number does not.
    #[error("column '{column}' holds no whole number")]
    NotANumber {
        /// Which column.
        column: &'static str,
    },
    /// The time is no time.
    #[error("column 'time': {0}")]
    Time(TimeError),
    /// No operation of the profile has this name.
    #[error("the profile has no operation '{0}'")]
    UnknownOp(String),
}

/// What is wrong with the payload of a row that can be understood otherwise.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PayloadFault {
    /// Not a JSON array of flat objects.
    #[error("the payload is no JSON array of flat objects")]
    NotJson,
    /// An array without objects.
    #[error("the payload has no object; an operation without fields is written as [{{}}]")]
    Empty,
    /// A field of the base is absent.
    #[error("payload field '{0}' is missing")]
    Missing(&'static str),
    /// A field the base does not have, or that no base has.
    #[error("payload field '{0}' does not belong to this operation")]
    Superfluous(String),
    /// A field that is there twice.
    #[error("payload field '{0}' is given twice")]
    Duplicate(&'static str),
    /// A value of the wrong type, or a name that means nothing.
    #[error("payload field '{field}' cannot be {value}")]
    Value {
        /// Which field.
        field: &'static str,
        /// The value as written.
        value: String,
    },
}

/// A row that could not be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadRow {
    /// Number of the row within the file, from 1, the header not counted.
    pub row: u64,
    /// What the `seq` column says, if that much is readable.
    pub seq: Option<u64>,
    /// Why.
    pub fault: RowFault,
}

/// Why a file cannot be read as a sequence.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system says no.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The first line is not the header.
    #[error("{0}")]
    Header(NoHeader),
}

/// Opens a file as a sequence written for `profile`.
///
/// # Errors
/// [`ReadError`] when the file cannot be read or does not start with the header.
pub fn open(profile: &Profile, path: &Path) -> Result<SequenceReader<BufReader<File>>, ReadError> {
    SequenceReader::new(profile, BufReader::with_capacity(1 << 16, File::open(path)?))
}

/// Reads a sequence file.
pub struct SequenceReader<R> {
    input: R,
    line: Vec<u8>,
    row: u64,
    names: Names,
    fast_path: Option<FastPath>,
    clock: Clock,
    form: PayloadForm,
    targets: Vec<Addressed>,
    fault: Option<PayloadFault>,
    /// Empty lines that have been taken and are still to be told.
    empty: u64,
    ended: bool,
}

impl<R: BufRead> SequenceReader<R> {
    /// Opens a sequence written for `profile` and reads its header.
    ///
    /// # Errors
    /// [`ReadError`] when the input cannot be read or does not start with the header.
    pub fn new(profile: &Profile, mut input: R) -> Result<Self, ReadError> {
        let mut line = Vec::new();
        let has_line = next_line(&mut input, &mut line, MAX_LINE)? != Line::End;
        if !line::is_header(&line, &COLUMNS) {
            return Err(ReadError::Header(NoHeader::of(has_line.then_some(&*line))));
        }
        let names = profile.ops.iter_ids().map(|(id, op)| (line::in_field(&op.name), (id, op.base))).collect();
        let clock = Clock::new(profile);
        Ok(Self {
            input,
            line,
            row: 0,
            names,
            fast_path: FastPath::new(profile, clock.is_exact()),
            clock,
            form: PayloadForm::new(profile),
            targets: Vec::new(),
            fault: None,
            empty: 0,
            ended: false,
        })
    }

    /// Whether the profile's `export` writes start times without loss, so that the times read are the times meant.
    /// Otherwise each is the multiple of `time_resolution` nearest to what is written.
    #[must_use]
    pub fn times_are_exact(&self) -> bool {
        self.clock.is_exact()
    }

    /// How many rows have been read.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.row
    }

    /// The next row: `None` at the end of the file, a [`BadRow`] for one that cannot be understood.
    ///
    /// # Errors
    /// What the input reports; reading on is then pointless.
    pub fn next_row(&mut self) -> io::Result<Option<Result<Row<'_>, BadRow>>> {
        if self.ended {
            return Ok(None);
        }
        self.targets.clear();
        if self.empty > 0 {
            self.empty -= 1;
            self.row += 1;
            self.line.clear();
            return Ok(Some(self.parse()));
        }
        if let Some(fast_path) = &self.fast_path
            && let Some(head) = fast_path.row(&self.names, self.input.fill_buf()?, &mut self.targets)
        {
            self.input.consume(head.len);
            self.row += 1;
            let Head { seq, time, opcode, op, uid, .. } = head;
            return Ok(Some(Ok(Row {
                row: self.row,
                seq,
                time,
                opcode,
                op,
                uid,
                targets: &self.targets,
                fault: None,
            })));
        }
        match next_line(&mut self.input, &mut self.line, MAX_LINE)? {
            Line::End => {
                self.ended = true;
                return Ok(None);
            }
            Line::TooLong => {
                self.row += 1;
                return Ok(Some(Err(BadRow { row: self.row, seq: None, fault: RowFault::TooLong })));
            }
            Line::Read if self.line.is_empty() => match line_ends(&mut self.input)? {
                Some(more) => {
                    self.empty = more;
                    self.row += 1;
                }
                // Empty lines at the end are no rows.
                None => {
                    self.ended = true;
                    return Ok(None);
                }
            },
            Line::Read => self.row += 1,
        }
        Ok(Some(self.parse()))
    }

    fn parse(&mut self) -> Result<Row<'_>, BadRow> {
        let row = self.row;
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
