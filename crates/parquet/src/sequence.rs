//! Writing `operation_sequence`: operations in order of start, with the payload as a list of structs.
//!
//! A field that the payload of an operation does not have is null. An operation without fields has one struct of nulls.

use std::io;

use nandseq_output::format::{SequenceTable, UnnamedFile};
use nandseq_output::row_values::NameKind;
use nandseq_profile::model::{Axis, ByAxis, PayloadField, StatusField};
use nandseq_profile::{IdVec, OpId, Profile, Target};
use nandseq_trace::time_column::{TimeColumn, TimeColumnError};
use nandseq_trace::{Operation, Sink, Status};

use crate::chunk::Chunk;
use crate::columns::{Decimals, PayloadColumns, US};
use crate::file::ParquetFile;

/// The number of rows that are gathered before they become columns. Pages have a multiple of it.
const BATCH: usize = 512;

/// The parts of rows that depend on the profile only.
#[derive(Clone, Debug)]
pub(crate) struct SequencePlan {
    time: TimeColumn,
    /// Units of the last decimal of the Parquet column in one unit of the last decimal of `time`. The Parquet column has at least
    /// six decimals.
    factor: u128,
    pub(crate) decimals: Decimals,
    pub(crate) payload: PayloadColumns,
    /// The fields of an expected status that is a list.
    status: Vec<StatusField>,
    ops: IdVec<OpId, OpColumns>,
}

/// What the columns of an op name hold.
#[derive(Clone, Copy, Debug)]
struct OpColumns {
    opcode: u64,
    /// The fields of its payload, as a bit for each.
    fields: u8,
}

/// The definition level of an item of a list in a struct of a payload.
const ITEM: u16 = 3;

const fn bit(field: PayloadField) -> u8 {
    1 << field as u8
}

impl SequencePlan {
    pub(crate) fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::of(profile)?;
        // `time` has at most nine decimals.
        let behind = (time.decimals() as u8).max(US.behind);
        let factor = 10u128.pow(u32::from(behind) - time.decimals());
        let ops = profile.ops.iter().map(|op| {
            let payload = &profile.bases[op.base].payload;
            OpColumns { opcode: op.opcode.into(), fields: payload.iter().fold(0, |all, &field| all | bit(field)) }
        });
        Ok(Self {
            ops: ops.collect(),
            time,
            factor,
            decimals: Decimals { behind, ..US },
            payload: PayloadColumns::of(profile),
            status: profile.export.status.clone(),
        })
    }
}

/// An `operation_sequence` that is being written to a file.
pub(crate) struct SequenceParquet<'t> {
    plan: &'t SequencePlan,
    file: ParquetFile<'t>,
    /// Rows that are gathered to become columns.
    rows: Vec<Row>,
    /// Their targets, one after another.
    structs: Vec<Struct>,
}

/// An operation without its targets.
struct Row {
    seq: u64,
    time: u64,
    op: OpId,
    uid: u64,
}

/// A struct of a payload, or the place of a list without any.
struct Struct {
    target: Target,
    status: Option<Status>,
    suspended: ByAxis<bool>,
    data: Option<u64>,
    /// The fields of the payload.
    fields: u8,
    /// Whether the list has no struct.
    is_none: bool,
    /// Whether the list began before.
    goes_on: bool,
}

impl Struct {
    /// A field with its definition level. A field that the payload has may be null all the same.
    fn leveled(&self, field: PayloadField, value: Option<u64>) -> (u16, Option<u64>) {
        let value = value.filter(|_| self.fields & bit(field) != 0);
        (if self.is_none { 0 } else { 1 + u16::from(value.is_some()) }, value)
    }

    /// The words of an expected status that is a list, by their numbers; none without a status.
    fn words<'f>(&self, fields: &'f [StatusField]) -> impl Iterator<Item = u64> + use<'f> {
        let suspended = self.suspended;
        let status = self.status.filter(|_| self.fields & bit(PayloadField::ExpectedStatus) != 0);
        let of_axis = move |axis: Axis| 3 + 2 * axis as u64 + u64::from(suspended[axis]);
        let word = move |field: &StatusField| match field {
            StatusField::Ready => status.map_or(0, |status| status as u64),
            StatusField::EraseSuspend => of_axis(Axis::Erase),
            StatusField::ProgramSuspend => of_axis(Axis::Program),
        };
        fields.iter().take(if status.is_some() { fields.len() } else { 0 }).map(word)
    }
}

impl<'t> SequenceParquet<'t> {
    pub(crate) const fn new(plan: &'t SequencePlan, file: ParquetFile<'t>) -> Self {
        Self { plan, file, rows: Vec::new(), structs: Vec::new() }
    }

    /// Writes the gathered rows.
    fn hand_on(&mut self) -> io::Result<()> {
        let Self { plan, file, rows, structs } = self;
        let names = file.names();
        let [seq, time, op_id, op_name, uid, payload @ ..] = &mut *file.chunks else { return Ok(()) };
        seq.extend(rows.iter().map(|row| row.seq));
        time.extend(rows.iter().map(|row| row.time));
        op_id.extend(rows.iter().map(|row| plan.ops[row.op].opcode));
        op_name.of(NameKind::Op, names).extend(rows.iter().map(|row| row.op.index() as u64));
        uid.extend(rows.iter().map(|row| row.uid));
        for (field, chunk) in PayloadField::ALL.into_iter().zip(payload) {
            match field {
                PayloadField::Die => put(chunk, structs, field, |of| Some(of.target.die.0.into())),
                PayloadField::Plane => put(chunk, structs, field, |of| Some(of.target.plane.0.into())),
                PayloadField::Block => put(chunk, structs, field, |of| Some(of.target.block.0.into())),
                PayloadField::Page => put(chunk, structs, field, |of| Some(of.target.page.0.into())),
                PayloadField::CellType => {
                    let chunk = chunk.of(NameKind::CellType, names);
                    put(chunk, structs, field, |of| Some(of.target.cell_type.index() as u64));
                }
                PayloadField::ExpectedStatus if !plan.status.is_empty() => {
                    put_words(chunk.of(NameKind::Status, names), structs, &plan.status);
                }
                PayloadField::ExpectedStatus => {
                    let chunk = chunk.of(NameKind::Status, names);
                    put(chunk, structs, field, |of| of.status.map(|status| status as u64));
                }
                PayloadField::Data => put(chunk, structs, field, |of| of.data),
            }
        }
        file.repetition.extend(structs.drain(..).map(|of| u16::from(of.goes_on)));
        let count = rows.len();
        rows.clear();
        file.added(count)
    }
}

/// Adds the values of a field.
fn put(chunk: &mut Chunk, structs: &[Struct], field: PayloadField, value: impl Fn(&Struct) -> Option<u64>) {
    chunk.extend_leveled(structs.iter().map(|of| of.leveled(field, value(of))));
}

/// Adds the lists of words of expected statuses.
fn put_words(chunk: &mut Chunk, structs: &[Struct], fields: &[StatusField]) {
    for of in structs {
        let first = u16::from(of.goes_on);
        let mut repetition = first;
        for word in of.words(fields) {
            chunk.push_nested(repetition, ITEM, Some(word));
            repetition = 2;
        }
        if repetition == first {
            chunk.push_nested(first, u16::from(!of.is_none), None);
        }
    }
}

impl Sink for SequenceParquet<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let OpColumns { fields, .. } = self.plan.ops[operation.op];
        // A time that does not fit 64 bits does not fit the column either.
        let time = u64::try_from(self.plan.time.units(operation.start) * self.plan.factor).unwrap_or(u64::MAX);
        self.rows.push(Row { seq: operation.seq, time, op: operation.op, uid: operation.uid });
        let first = Struct {
            target: Target::default(),
            status: operation.status,
            suspended: operation.suspended,
            data: None,
            fields,
            is_none: false,
            goes_on: false,
        };
        match operation.targets {
            targets if !targets.is_empty() && fields != 0 => {
                let data = |at| operation.data.get(at).copied().flatten();
                let with = |(at, &target)| Struct { target, data: data(at), goes_on: at > 0, ..first };
                self.structs.extend(targets.iter().enumerate().map(with));
            }
            _ => self.structs.push(Struct { is_none: fields != 0, ..first }),
        }
        if self.rows.len() == BATCH { self.hand_on() } else { Ok(()) }
    }
}

impl SequenceTable for SequenceParquet<'_> {
    fn finish(mut self: Box<Self>) -> io::Result<UnnamedFile> {
        self.hand_on()?;
        self.file.finish()
    }
}
