//! `operation_sequence`: the file a tester runs, one row per operation in order of start.
//!
//! Promises rows that depend on nothing but the profile and the operations given, formatted by hand into one reusable
//! buffer: no allocation, no floating point and no name lookups once the writer exists. Leaves out where the bytes go.

use std::io::{self, Write};

use nandseq_profile::model::PayloadField;
use nandseq_profile::{CellTypeId, IdVec, OpId, Profile, Target};

use crate::line::{Lines, Text};
use crate::time_column::{TimeColumn, TimeColumnError};
use crate::{Operation, Sink, Status};

/// The first line of the file.
pub const HEADER: &str = "seq,time,op_id,op_name,op_uid,payload\n";

/// In the order of their numbers.
const STATUSES: [Status; 3] = [Status::Busy, Status::ExtReady, Status::Ready];

/// Everything of a row that a profile decides, as bytes ready to copy. Build it once, share it between the runs.
#[derive(Clone, Debug)]
pub struct SequenceLayout {
    time: TimeColumn,
    ops: IdVec<OpId, OpLayout>,
    /// `""TLC""` for each cell type.
    cell_types: IdVec<CellTypeId, Text>,
    /// `""busy""` for each status.
    statuses: [Text; 3],
}

/// What is constant in the rows of one op name.
#[derive(Clone, Debug)]
struct OpLayout {
    /// `,op_id,op_name,`
    middle: Text,
    /// Each field of a target with the bytes before its value: `{""die"":` or `,""plane"":`.
    fields: Box<[(PayloadField, Text)]>,
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
                let middle = format!(",{},{},", op.opcode, csv_field(&op.name)).into();
                let payload = &profile.bases[op.base].payload;
                let fields = payload.iter().enumerate().map(|(at, &field)| (field, field_prefix(at, field))).collect();
                OpLayout { middle, fields }
            })
            .collect();
        let statuses = STATUSES.map(|status| json_in_csv(status.name()));
        Ok(Self { time, ops, cell_types, statuses })
    }
}

/// A CSV field, quoted only where RFC 4180 needs it.
pub(crate) fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// A JSON string inside a quoted CSV field.
fn json_in_csv(text: &str) -> Text {
    let json = serde_json::Value::from(text).to_string();
    json.replace('"', "\"\"").into()
}

/// The bytes before the value of the field at position `at` of an object.
fn field_prefix(at: usize, field: PayloadField) -> Text {
    let before = if at == 0 { '{' } else { ',' };
    format!("{before}\"\"{}\"\":", field.name()).into()
}

/// Writes `operation_sequence` rows.
///
/// Bytes reach the output in blocks; [`SequenceWriter::finish`] hands on the last one.
#[derive(Debug)]
pub struct SequenceWriter<'l, W> {
    layout: &'l SequenceLayout,
    output: W,
    lines: Lines,
    /// Holds a time on its way into a line.
    time: Vec<u8>,
    rows: u64,
}

impl<'l, W: Write> SequenceWriter<'l, W> {
    /// A writer that has written the header.
    pub fn new(layout: &'l SequenceLayout, output: W) -> Self {
        Self { layout, output, lines: Lines::new(HEADER), time: Vec::new(), rows: 0 }
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
        self.lines.hand_on(&mut self.output)?;
        Ok((self.output, self.rows))
    }
}

impl<W: Write> Sink for SequenceWriter<'_, W> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let layout = &self.layout.ops[operation.op];
        let line = &mut self.lines;
        line.integer(operation.seq);
        line.put(b",");
        if self.layout.time.is_plain(operation.start) {
            line.us(operation.start);
        } else {
            self.time.clear();
            self.layout.time.append(operation.start, &mut self.time);
            line.slice(&self.time);
        }
        line.text(&layout.middle);
        line.integer(operation.uid);
        if layout.fields.is_empty() {
            line.put(b",[{}]\n");
        } else {
            line.put(b",\"[");
            for (at, target) in operation.targets.iter().enumerate() {
                if at > 0 {
                    line.put(b",");
                }
                for (field, prefix) in &layout.fields {
                    line.text(prefix);
                    append_value(*field, target, operation, self.layout, line);
                }
                line.put(b"}");
            }
            line.put(b"]\"\n");
        }
        self.rows += 1;
        self.lines.hand_on_block(&mut self.output)
    }
}

/// Appends the value of one field of one target.
fn append_value(
    field: PayloadField,
    target: &Target,
    operation: &Operation<'_>,
    layout: &SequenceLayout,
    line: &mut Lines,
) {
    match field {
        PayloadField::Die => line.integer(target.die.0.into()),
        PayloadField::Plane => line.integer(target.plane.0.into()),
        PayloadField::Block => line.integer(target.block.0.into()),
        PayloadField::Page => line.integer(target.page.0.into()),
        PayloadField::CellType => line.text(&layout.cell_types[target.cell_type]),
        PayloadField::ExpectedStatus => match operation.status {
            Some(status) => line.text(&layout.statuses[status as usize]),
            // A profile may give the field to a base that reads no status: nothing is expected.
            None => line.put(b"null"),
        },
    }
}
