//! `operation_sequence`: the file a tester runs, one row per operation in order of start.
//!
//! Promises rows that depend on nothing but the profile and the operations given, formatted by hand into one reusable
//! buffer: no allocation, no floating point and no name lookups once the writer exists. Leaves out where the bytes go.

use std::io::{self, Write};

use nandseq_profile::model::PayloadField;
use nandseq_profile::{CellTypeId, IdVec, OpId, Profile, Target};

use crate::text::append_integer;
use crate::time_column::{TimeColumn, TimeColumnError};
use crate::{Operation, Sink};

/// The first line of the file.
pub const HEADER: &str = "seq,time,op_id,op_name,op_uid,payload\n";

/// Bytes that are gathered before they are handed on.
const BLOCK: usize = 64 * 1024;

/// Everything of a row that a profile decides, as bytes ready to copy. Build it once, share it between the runs.
#[derive(Clone, Debug)]
pub struct SequenceLayout {
    time: TimeColumn,
    ops: IdVec<OpId, OpLayout>,
    /// `""TLC""` for each cell type.
    cell_types: IdVec<CellTypeId, Box<[u8]>>,
}

/// What is constant in the rows of one op name.
#[derive(Clone, Debug)]
struct OpLayout {
    /// `,op_id,op_name,`
    middle: Box<[u8]>,
    /// Each field of a target with the bytes before its value: `{""die"":` or `,""plane"":`.
    fields: Box<[(PayloadField, Box<[u8]>)]>,
}

impl SequenceLayout {
    /// Prepares the rows of a profile's operations.
    ///
    /// # Errors
    /// When the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::new(profile.export.time_scale, profile.export.round_decimals)?;
        let grid = profile.policies.time_resolution;
        if !time.is_exact_on(grid) {
            return Err(TimeColumnError::Coarse(grid));
        }
        let cell_types = profile.cell_types.iter().map(|cell_type| json_in_csv(&cell_type.name)).collect();
        let ops = profile
            .ops
            .iter()
            .map(|op| {
                let middle = format!(",{},{},", op.opcode, csv_field(&op.name)).into_bytes().into_boxed_slice();
                let payload = &profile.bases[op.base].payload;
                let fields = payload.iter().enumerate().map(|(at, &field)| (field, field_prefix(at, field))).collect();
                OpLayout { middle, fields }
            })
            .collect();
        Ok(Self { time, ops, cell_types })
    }
}

/// A CSV field, quoted only where RFC 4180 needs it.
pub(crate) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A JSON string inside a quoted CSV field.
fn json_in_csv(text: &str) -> Box<[u8]> {
    let json = serde_json::Value::from(text).to_string();
    json.replace('"', "\"\"").into_bytes().into_boxed_slice()
}

/// The bytes before the value of the field at position `at` of an object.
fn field_prefix(at: usize, field: PayloadField) -> Box<[u8]> {
    let before = if at == 0 { '{' } else { ',' };
    format!("{before}\"\"{}\"\":", field.name()).into_bytes().into_boxed_slice()
}

/// Writes `operation_sequence` rows.
///
/// Bytes reach the output in blocks; [`SequenceWriter::finish`] hands on the last one.
#[derive(Debug)]
pub struct SequenceWriter<'l, W> {
    layout: &'l SequenceLayout,
    output: W,
    buffer: Vec<u8>,
    rows: u64,
}

impl<'l, W: Write> SequenceWriter<'l, W> {
    /// A writer that has written the header.
    pub fn new(layout: &'l SequenceLayout, output: W) -> Self {
        let mut buffer = Vec::with_capacity(BLOCK + BLOCK / 4);
        buffer.extend_from_slice(HEADER.as_bytes());
        Self { layout, output, buffer, rows: 0 }
    }

    /// Rows written so far, the header not counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Hands on what is left and returns the output with the number of rows.
    ///
    /// # Errors
    /// Whatever the output reports.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.output.write_all(&self.buffer)?;
        Ok((self.output, self.rows))
    }

    /// Hands on a full block.
    #[cold]
    fn hand_on(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl<W: Write> Sink for SequenceWriter<'_, W> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let layout = &self.layout.ops[operation.op];
        let line = &mut self.buffer;
        append_integer(operation.seq, line);
        line.push(b',');
        self.layout.time.append(operation.start, line);
        line.extend_from_slice(&layout.middle);
        append_integer(operation.uid, line);
        if layout.fields.is_empty() {
            line.extend_from_slice(b",[{}]\n");
        } else {
            line.extend_from_slice(b",\"[");
            for (at, target) in operation.targets.iter().enumerate() {
                if at > 0 {
                    line.push(b',');
                }
                for (field, prefix) in &layout.fields {
                    line.extend_from_slice(prefix);
                    append_value(*field, target, operation, &self.layout.cell_types, line);
                }
                line.push(b'}');
            }
            line.extend_from_slice(b"]\"\n");
        }
        self.rows += 1;
        if self.buffer.len() >= BLOCK { self.hand_on() } else { Ok(()) }
    }
}

/// Appends the value of one field of one target.
fn append_value(
    field: PayloadField,
    target: &Target,
    operation: &Operation<'_>,
    cell_types: &IdVec<CellTypeId, Box<[u8]>>,
    line: &mut Vec<u8>,
) {
    match field {
        PayloadField::Die => append_integer(target.die.0.into(), line),
        PayloadField::Plane => append_integer(target.plane.0.into(), line),
        PayloadField::Block => append_integer(target.block.0.into(), line),
        PayloadField::Page => append_integer(target.page.0.into(), line),
        PayloadField::CellType => line.extend_from_slice(&cell_types[target.cell_type]),
        PayloadField::ExpectedStatus => match operation.status {
            Some(status) => {
                line.extend_from_slice(b"\"\"");
                line.extend_from_slice(status.name().as_bytes());
                line.extend_from_slice(b"\"\"");
            }
            // A profile may give the field to a base that reads no status: nothing is expected.
            None => line.extend_from_slice(b"null"),
        },
    }
}
