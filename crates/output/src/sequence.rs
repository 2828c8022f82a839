//! Writing `operation_sequence`, the file that a tester runs: one row for each operation, in order of start.
//!
//! Rows depend on the profile and the operations only. They are formatted into one buffer, without allocation, floating point or
//! look-up of names.

use std::io::{self, Write};
use std::sync::Arc;

use nandseq_profile::model::{Axis, PayloadField, StatusField};
use nandseq_profile::{IdVec, OpId, Profile, Target};

use crate::line::{Head, LineBuffer, NUMBER, RowBuilder, Text, room_of};
use nandseq_trace::csv_field;
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::time_column::{TimeColumn, TimeColumnError};
use nandseq_trace::{Operation, Sink, Status, suspension_words};

/// All statuses, in the order of their discriminants.
const STATUSES: [Status; 3] = [Status::Busy, Status::ExtReady, Status::Ready];
/// The number of expected statuses: those, with an erase suspended or not, and with a program suspended or not.
const EXPECTED: usize = 4 * STATUSES.len();

/// The number of the expected status of an operation; the one behind the last stands for none.
fn expected_of(operation: &Operation<'_>) -> usize {
    operation.status.map_or(EXPECTED, |status| {
        let [erase, program] = Axis::ALL.map(|axis| usize::from(operation.suspended[axis]));
        status as usize + STATUSES.len() * (erase + 2 * program)
    })
}

/// The expected status of a number as it is written in a quoted CSV field: a word, or a list of the words of some fields.
fn expected_text(fields: &[StatusField], number: usize) -> String {
    let status = json_in_csv(STATUSES[number % STATUSES.len()].name());
    if fields.is_empty() {
        return status;
    }
    let suspended = number / STATUSES.len();
    let word = |field: &StatusField| match field {
        StatusField::Ready => status.clone(),
        StatusField::EraseSuspend => json_in_csv(suspension_words(Axis::Erase)[suspended % 2]),
        StatusField::ProgramSuspend => json_in_csv(suspension_words(Axis::Program)[suspended / 2]),
    };
    format!("[{}]", fields.iter().map(word).collect::<Vec<_>>().join(","))
}

/// The parts of rows that depend on the profile only, as bytes ready to copy. Build it once and share it between runs.
#[derive(Clone, Debug)]
pub struct SequenceLayout {
    time: TimeColumn,
    ops: IdVec<OpId, OpLayout>,
}

/// The constant parts of the rows of one op name.
#[derive(Clone, Debug)]
struct OpLayout {
    /// `,op_id,op_name,`
    middle: Text,
    /// The pieces of a target without data.
    pieces: Arc<[Piece]>,
    /// What a target with data has instead; `None` if no target has any.
    data: Option<Box<DataLayout>>,
    /// The room in bytes that a target needs.
    room: usize,
}

/// The parts of a target with data.
#[derive(Clone, Debug)]
struct DataLayout {
    before: Arc<[Piece]>,
    /// `,""data"":`
    name: Text<32>,
    behind: Arc<[Piece]>,
}

/// A piece of a target in a payload: one of some prepared texts, and a number behind it or none. All pieces are put together by the
/// same steps, because a processor cannot foresee which pieces the next operation has.
#[derive(Clone, Debug)]
struct Piece {
    /// The texts by what they name: `{""die"":0,""plane"":2,""block"":`.
    texts: Box<[Text]>,
    /// How far one die, plane, cell type, and status further is in `texts`; 0 for what they do not name.
    steps: [u32; 4],
    /// For pieces that name planes, the number of planes of the device; for others any number.
    planes: usize,
    /// The texts before die and plane and behind them, for planes that the device does not have.
    outside: [Text<32>; 3],
    /// The part of the address that the number is: 1 for that of die, plane, block and page, 0 for the others.
    number: [u32; 4],
    has_number: bool,
}

/// Makes pieces. Op names with equal payloads share them.
struct Pieces<'p> {
    profile: &'p Profile,
    made: Vec<(Vec<PayloadField>, usize, Arc<[Piece]>)>,
}

impl<'p> Pieces<'p> {
    /// The pieces of these fields, of which the first is at position `first` of an object.
    fn of(&mut self, fields: &[PayloadField], first: usize) -> Arc<[Piece]> {
        if let Some((.., pieces)) = self.made.iter().find(|(made, at, _)| *made == fields && *at == first) {
            return Arc::clone(pieces);
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < fields.len() {
            let named = match fields[at..] {
                [PayloadField::Die, PayloadField::Plane, ..] => 2,
                [PayloadField::CellType | PayloadField::ExpectedStatus, ..] => 1,
                _ => 0,
            };
            let behind = fields.get(at + named).filter(|field| ADDRESS.contains(field));
            let end = at + named + usize::from(behind.is_some());
            pieces.push(piece(self.profile, first + at, &fields[at..end], behind.copied()));
            at = end;
        }
        if !fields.is_empty() {
            // The last ones have no text.
            pieces.resize_with(USUAL.max(pieces.len()), || piece(self.profile, 0, &[], None));
        }
        let pieces: Arc<[Piece]> = pieces.into();
        self.made.push((fields.to_vec(), first, Arc::clone(&pieces)));
        pieces
    }

    /// The layout of targets with data.
    fn with_data(&mut self, fields: &[PayloadField]) -> Option<Box<DataLayout>> {
        let at = fields.iter().position(|field| *field == PayloadField::Data)?;
        Some(Box::new(DataLayout {
            before: self.of(&fields[..at], 0),
            name: field_prefix(at, PayloadField::Data).into(),
            behind: self.of(&fields[at + 1..], at + 1),
        }))
    }
}

/// The number of pieces of every payload, if it does not need more: those of die, plane, block, page and cell type.
const USUAL: usize = 3;
/// The fields that are numbers.
const ADDRESS: [PayloadField; 4] = [PayloadField::Die, PayloadField::Plane, PayloadField::Block, PayloadField::Page];

/// The piece for the fields from position `at` of an object on, of which the last one is `number`, if there is one.
fn piece(profile: &Profile, at: usize, fields: &[PayloadField], number: Option<PayloadField>) -> Piece {
    let before = fields.first().map(|&field| field_prefix(at, field)).unwrap_or_default();
    let behind = number.map(|field| field_prefix(at + fields.len() - 1, field)).unwrap_or_default();
    let with_name = |name: &str| Text::from(format!("{before}{}{behind}", json_in_csv(name)));
    let nowhere = (usize::MAX, [(); 3].map(|()| Text::new(b"")));
    let (texts, steps, (planes, outside)) = match *fields {
        [PayloadField::Die, PayloadField::Plane, ..] => {
            let (dies, planes) = (profile.topology.dies, profile.topology.planes);
            let then = field_prefix(at + 1, PayloadField::Plane);
            let places = (0..dies).flat_map(|die| (0..planes).map(move |plane| (die, plane)));
            let texts = places.map(|(die, plane)| Text::from(format!("{before}{die}{then}{plane}{behind}"))).collect();
            let outside = [before.into(), then.into(), behind.into()];
            (texts, [planes, 1, 0, 0], (planes as usize, outside))
        }
        [PayloadField::CellType, ..] => {
            (profile.cell_types.iter().map(|one| with_name(&one.name)).collect(), [0, 0, 1, 0], nowhere)
        }
        [PayloadField::ExpectedStatus, ..] => {
            // A profile may give the field to a base that reads no status. No status is expected then.
            let none = Text::from(format!("{before}null{behind}"));
            let fields = &profile.export.status;
            let text = |number| Text::from(format!("{before}{}{behind}", expected_text(fields, number)));
            ((0..EXPECTED).map(text).chain([none]).collect(), [0, 0, 0, 1], nowhere)
        }
        _ => ([Text::from(before)].into(), [0; 4], nowhere),
    };
    let is_number = ADDRESS.map(|field| u32::from(number == Some(field)));
    Piece { texts, steps, planes, outside, number: is_number, has_number: number.is_some() }
}

impl Piece {
    /// The room in bytes that the piece needs.
    fn room(&self) -> usize {
        room_of(&*self.texts) + 3 * room_of(&self.outside) + 3 * NUMBER
    }

    /// Appends the piece of one target. `status` is the number of the expected status; the one behind the last stands for none.
    // In the loop over the pieces a call for each would cost as much as the piece.
    #[inline(always)]
    fn append(&self, target: &Target, status: usize, row: &mut RowBuilder<'_>) {
        let Target { die, plane, block, page, cell_type } = *target;
        let values = [die.index(), plane.index(), cell_type.index(), status];
        let at: usize = self.steps.iter().zip(values).map(|(&step, value)| step as usize * value).sum();
        match self.texts.get(at) {
            Some(text) if plane.index() < self.planes => row.text(text),
            Some(_) | None => append_outside(&self.outside, target, row),
        }
        let parts = [die.0.into(), plane.0.into(), block.0, page.0.into()];
        let number: u32 = self.number.iter().zip(parts).map(|(&is, part): (&u32, u32)| is * part).sum();
        row.integer_if(self.has_number, number.into());
    }
}

impl OpLayout {
    /// Appends a target without data, and what ends it.
    // As above: most operations have one target.
    #[inline(always)]
    fn append(&self, target: &Target, status: usize, row: &mut RowBuilder<'_>) {
        for piece in &*self.pieces {
            piece.append(target, status, row);
        }
        row.put(b"},");
    }

    /// Appends all targets of an operation of which some may have data.
    #[inline(never)]
    fn append_with_data(&self, operation: &Operation<'_>, status: usize, row: &mut RowBuilder<'_>) {
        for (at, target) in operation.targets.iter().enumerate() {
            match (&self.data, operation.data.get(at).copied().flatten()) {
                (Some(layout), Some(data)) => {
                    layout.append(target, status, data, row);
                    row.put(b"},");
                }
                (Some(_) | None, _) => self.append(target, status, row),
            }
        }
    }
}

impl DataLayout {
    fn room(&self) -> usize {
        self.before.iter().chain(&*self.behind).map(Piece::room).sum::<usize>() + self.name.room() + NUMBER
    }

    /// Appends a target with its data.
    fn append(&self, target: &Target, status: usize, data: u64, row: &mut RowBuilder<'_>) {
        self.before.iter().for_each(|piece| piece.append(target, status, row));
        row.text(&self.name);
        row.integer(data);
        self.behind.iter().for_each(|piece| piece.append(target, status, row));
    }
}

/// Appends die and plane if the device does not have the plane.
#[cold]
fn append_outside([before, then, behind]: &[Text<32>; 3], target: &Target, row: &mut RowBuilder<'_>) {
    row.text(before);
    row.integer(target.die.0.into());
    row.text(then);
    row.integer(target.plane.0.into());
    row.text(behind);
}

impl SequenceLayout {
    /// Prepares the rows of a profile's operations.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::of(profile)?;
        let mut pieces = Pieces { profile, made: Vec::new() };
        let ops = profile.ops.iter().map(|op| {
            let middle = format!(",{},{},", op.opcode, csv_field(&op.name)).into();
            let payload = &profile.bases[op.base].payload;
            let without: Vec<PayloadField> =
                payload.iter().copied().filter(|field| *field != PayloadField::Data).collect();
            let data = pieces.with_data(payload);
            let pieces = pieces.of(&without, 0);
            let of_data = data.as_deref().map_or(0, DataLayout::room);
            let room = pieces.iter().map(Piece::room).sum::<usize>() + of_data + 2;
            OpLayout { middle, pieces, data, room }
        });
        Ok(Self { time, ops: ops.collect() })
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
    head: Head,
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
            head: Head::default(),
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
        let status = expected_of(operation);
        let room = 4 * NUMBER + self.time.len() + layout.middle.room() + operation.targets.len() * layout.room;
        self.lines.row(room, |row| {
            row.integer(operation.seq);
            row.put(b",");
            if is_plain {
                row.us(&mut self.head, operation.start);
            } else {
                row.slice(&self.time);
            }
            row.text(&layout.middle);
            row.integer(operation.uid);
            if layout.pieces.is_empty() {
                return row.put(b",[{}]\n");
            }
            row.put(b",\"[");
            if layout.data.is_some() {
                layout.append_with_data(operation, status, row);
            } else {
                for target in operation.targets {
                    layout.append(target, status, row);
                }
            }
            row.take_back(operation.targets.len().min(1));
            row.put(b"]\"\n");
        });
        self.rows += 1;
        self.lines.hand_on_block(&mut self.output).map(|_| ())
    }
}
