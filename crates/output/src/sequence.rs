//! Writing `operation_sequence`, the file that a tester runs: one row for each operation, in order of start.
//!
//! Rows depend on the profile and the operations only. They are formatted into one buffer, without allocation, floating point or
//! look-up of names.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use nandseq_profile::model::PayloadField;
use nandseq_profile::{IdVec, OpId, Profile, Target};

use crate::line::{LineBuffer, NUMBER, RowBuilder, Running, Text, TimeTexts, room_of};
use nandseq_trace::csv_field;
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::time_column::{TimeColumn, TimeColumnError};
use nandseq_trace::{Operation, Sink, Status};

/// All statuses, in the order of their discriminants.
const STATUSES: [Status; 3] = [Status::Busy, Status::ExtReady, Status::Ready];

/// The parts of rows that depend on the profile only, as bytes ready to copy. Build it once and share it between runs.
#[derive(Clone, Debug)]
pub struct SequenceLayout {
    time: TimeColumn,
    ops: IdVec<OpId, OpLayout>,
    planes: usize,
}

/// The constant parts of the rows of one op name.
#[derive(Clone, Debug)]
struct OpLayout {
    /// `,op_id,op_name,`
    middle: Text,
    /// The pieces of a target.
    pieces: Box<[Piece]>,
    /// The room in bytes that a target needs.
    room: usize,
}

/// A piece of a target in a payload. If it has few values, their texts are prepared.
#[derive(Clone, Debug)]
enum Piece {
    /// `{""die"":0,""plane"":2`, by die, then by plane. For planes that the device does not have, the texts before die and plane.
    DiePlane(Arc<[Text]>, [Text<32>; 2]),
    /// A number, with the text before it: `,""block"":`.
    Number(Text<32>, PayloadField),
    /// `,""celltype"":""TLC""`, by cell type.
    CellType(Arc<[Text]>),
    /// `,""exp_val"":""busy""`, by status; the last text is for no status.
    Status(Arc<[Text]>),
}

/// Makes pieces. Equal pieces share their texts.
struct Pieces<'p> {
    profile: &'p Profile,
    /// The pieces so far, by the text before the first value, and whether the piece has die and plane.
    made: BTreeMap<(String, bool), Piece>,
}

impl Pieces<'_> {
    /// The pieces of a payload with these fields.
    fn of(&mut self, fields: &[PayloadField]) -> Box<[Piece]> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(&field) = fields.get(at) {
            let is_die_plane = fields[at..].starts_with(&[PayloadField::Die, PayloadField::Plane]);
            let key = (field_prefix(at, field), is_die_plane);
            let make = || piece(self.profile, at, field, is_die_plane);
            pieces.push(self.made.entry(key).or_insert_with(make).clone());
            at += if is_die_plane { 2 } else { 1 };
        }
        pieces.into()
    }
}

/// The piece for the field at position `at` of an object. If `is_die_plane`, the piece also has the plane, which is the next field.
fn piece(profile: &Profile, at: usize, field: PayloadField, is_die_plane: bool) -> Piece {
    let before = field_prefix(at, field);
    let with_name = |name: &str| Text::from(format!("{before}{}", json_in_csv(name)));
    match field {
        PayloadField::Die if is_die_plane => {
            let (dies, planes) = (profile.topology.dies, profile.topology.planes);
            let then = field_prefix(at + 1, PayloadField::Plane);
            let places = (0..dies).flat_map(|die| (0..planes).map(move |plane| (die, plane)));
            let texts = places.map(|(die, plane)| Text::from(format!("{before}{die}{then}{plane}")));
            Piece::DiePlane(texts.collect(), [before.clone().into(), then.into()])
        }
        PayloadField::Die | PayloadField::Plane | PayloadField::Block | PayloadField::Page => {
            Piece::Number(before.into(), field)
        }
        PayloadField::CellType => Piece::CellType(profile.cell_types.iter().map(|one| with_name(&one.name)).collect()),
        PayloadField::ExpectedStatus => {
            // A profile may give the field to a base that reads no status. No status is expected then.
            let none = Text::from(format!("{before}null"));
            Piece::Status(STATUSES.map(|status| with_name(status.name())).into_iter().chain([none]).collect())
        }
    }
}

impl Piece {
    /// The room in bytes that the piece needs.
    fn room(&self) -> usize {
        match self {
            Self::DiePlane(texts, prefixes) => room_of(&**texts) + 2 * (room_of(prefixes) + NUMBER),
            Self::CellType(texts) | Self::Status(texts) => room_of(&**texts),
            Self::Number(before, _) => before.room() + NUMBER,
        }
    }
}

impl SequenceLayout {
    /// Prepares the rows of a profile's operations.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::of(profile)?;
        let mut pieces = Pieces { profile, made: BTreeMap::new() };
        let ops = profile.ops.iter().map(|op| {
            let middle = format!(",{},{},", op.opcode, csv_field(&op.name)).into();
            let pieces = pieces.of(&profile.bases[op.base].payload);
            let room = pieces.iter().map(Piece::room).sum::<usize>() + 2;
            OpLayout { middle, pieces, room }
        });
        Ok(Self { time, ops: ops.collect(), planes: profile.topology.planes as usize })
    }
}

/// A JSON string as it is written in a quoted CSV field.
fn json_in_csv(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('"', "\"\"")
}

/// The text before the value of the field at position `at` of an object.
fn field_prefix(at: usize, field: PayloadField) -> String {
    let before = if at == 0 { '{' } else { ',' };
    format!("{before}\"\"{}\"\":", field.name())
}

/// A writer of `operation_sequence` rows.
///
/// Bytes reach the output in blocks; [`SequenceWriter::finish`] writes the last one.
#[derive(Debug)]
pub struct SequenceWriter<'l, W> {
    layout: &'l SequenceLayout,
    output: W,
    lines: LineBuffer,
    seq: Running,
    uid: Running,
    times: TimeTexts,
    /// The text of a time that is scaled or rounded.
    time: Vec<u8>,
    rows: u64,
}

impl<'l, W: Write> SequenceWriter<'l, W> {
    /// A writer whose first line is the header.
    pub fn new(layout: &'l SequenceLayout, output: W) -> Self {
        Self {
            layout,
            output,
            lines: LineBuffer::new(&OPERATION_SEQUENCE.header()),
            seq: Running::default(),
            uid: Running::default(),
            times: TimeTexts::default(),
            time: Vec::new(),
            rows: 0,
        }
    }

    /// Writes the last block and returns the output with the number of rows, the header not counted.
    ///
    /// # Errors
    /// Errors of the output.
    pub fn finish(mut self) -> io::Result<(W, u64)> {
        self.lines.hand_on(&mut self.output)?;
        Ok((self.output, self.rows))
    }
}

impl<W: Write> Sink for SequenceWriter<'_, W> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let layout = &self.layout.ops[operation.op];
        let is_plain = self.layout.time.is_plain(operation.start);
        self.time.clear();
        if !is_plain {
            self.layout.time.append(operation.start, &mut self.time);
        }
        let room = 4 * NUMBER + self.time.len() + layout.middle.room() + operation.targets.len() * layout.room;
        self.lines.row(room, |row| {
            row.running(&mut self.seq, operation.seq);
            row.put(b",");
            if is_plain {
                row.us(&mut self.times, operation.start);
            } else {
                row.slice(&self.time);
            }
            row.text(&layout.middle);
            row.running(&mut self.uid, operation.uid);
            if layout.pieces.is_empty() {
                return row.put(b",[{}]\n");
            }
            row.put(b",\"[");
            for (at, target) in operation.targets.iter().enumerate() {
                if at > 0 {
                    row.put(b",");
                }
                for piece in &layout.pieces {
                    append(piece, target, operation.status, self.layout.planes, row);
                }
                row.put(b"}");
            }
            row.put(b"]\"\n");
        });
        self.rows += 1;
        self.lines.hand_on_block(&mut self.output).map(|_| ())
    }
}

/// Appends a piece of one target.
#[inline]
fn append(piece: &Piece, target: &Target, status: Option<Status>, planes: usize, row: &mut RowBuilder<'_>) {
    match piece {
        Piece::DiePlane(texts, [die, plane]) => {
            let die_plane = texts.get(target.die.index() * planes + target.plane.index());
            if let Some(text) = die_plane.filter(|_| target.plane.index() < planes) {
                return row.text(text);
            }
            row.text(die);
            row.integer(target.die.0.into());
            row.text(plane);
            row.integer(target.plane.0.into());
        }
        Piece::Number(before, field) => {
            row.text(before);
            row.integer(number(*field, target));
        }
        Piece::CellType(texts) => row.text(&texts[target.cell_type.index()]),
        Piece::Status(texts) => row.text(&texts[status.map_or(STATUSES.len(), |status| status as usize)]),
    }
}

/// A part of an address.
#[inline]
fn number(field: PayloadField, target: &Target) -> u64 {
    match field {
        PayloadField::Die => target.die.0.into(),
        PayloadField::Plane => target.plane.0.into(),
        PayloadField::Page => target.page.0.into(),
        PayloadField::Block => target.block.0.into(),
        PayloadField::CellType | PayloadField::ExpectedStatus => unreachable!("pieces of numbers are of numbers"),
    }
}
