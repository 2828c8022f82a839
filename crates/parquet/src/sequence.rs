//! Writing `operation_sequence`: operations in order of start, with the payload as a list of structs.
//!
//! A field that the payload of an operation does not have is null. An operation without fields has one struct of nulls.

use std::io;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int16Array, Int32Array, ListArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{Schema, SchemaRef};
use nandseq_output::format::{SequenceTable, UnnamedFile};
use nandseq_output::new_file::NewFile;
use nandseq_output::row_values::NameKind;
use nandseq_profile::model::PayloadField;
use nandseq_profile::{IdVec, OpId, Profile, Target};
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::time_column::{TimeColumn, TimeColumnError};
use nandseq_trace::{Operation, Sink};
use parquet::arrow::ArrowWriter;

use crate::columns::{
    ColumnNames, Decimals, US, decimals, dictionary, fields, large, number, payload_element, payload_fields,
};
use crate::file::{finish, write_batch, writer};

/// The number of rows that are gathered before they become columns.
const BATCH: usize = 4096;

/// The parts of rows that depend on the profile only.
#[derive(Clone, Debug)]
pub(crate) struct SequencePlan {
    time: TimeColumn,
    /// Units of the last decimal of the Parquet column in one unit of the last decimal of `time`. The Parquet column has at least
    /// six decimals.
    factor: u128,
    decimals: Decimals,
    ops: IdVec<OpId, (u32, Box<[PayloadField]>)>,
}

impl SequencePlan {
    pub(crate) fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let time = TimeColumn::of(profile)?;
        // `time` has at most nine decimals.
        let behind = (time.decimals() as i8).max(US.behind);
        let factor = 10u128.pow(u32::from(behind.unsigned_abs()) - time.decimals());
        let ops = profile.ops.iter().map(|op| (op.opcode, profile.bases[op.base].payload.clone().into_boxed_slice()));
        Ok(Self { ops: ops.collect(), time, factor, decimals: Decimals { behind, ..US } })
    }
}

/// An `operation_sequence` that is being written to a file.
pub(crate) struct SequenceParquet<'t> {
    plan: &'t SequencePlan,
    names: &'t ColumnNames,
    schema: SchemaRef,
    writer: ArrowWriter<NewFile>,
    rows: u64,
    gathered: Gathered,
}

/// Rows that are gathered to become columns.
#[derive(Default)]
struct Gathered {
    seq: Vec<u64>,
    time: Vec<u128>,
    op: Vec<OpId>,
    uid: Vec<u64>,
    /// The number of targets of each row.
    lengths: Vec<usize>,
    addresses: [Vec<Option<i32>>; 4],
    cell_types: Vec<Option<i16>>,
    statuses: Vec<Option<i16>>,
}

impl<'t> SequenceParquet<'t> {
    pub(crate) fn new(plan: &'t SequencePlan, names: &'t ColumnNames, file: NewFile) -> io::Result<Self> {
        let schema = SchemaRef::new(Schema::new(fields(OPERATION_SEQUENCE, plan.decimals)));
        let writer = writer(file, &schema)?;
        Ok(Self { plan, names, schema, writer, rows: 0, gathered: Gathered::default() })
    }

    /// Writes the gathered rows.
    fn hand_on(&mut self) -> io::Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        self.rows += gathered.seq.len() as u64;
        let addresses = gathered.addresses.into_iter().map(|values| Arc::new(Int32Array::from(values)) as ArrayRef);
        let mut parts: Vec<ArrayRef> = addresses.collect();
        parts.push(dictionary(Int16Array::from(gathered.cell_types), self.names.of(NameKind::CellType))?);
        parts.push(dictionary(Int16Array::from(gathered.statuses), self.names.of(NameKind::Status))?);
        let structs = StructArray::try_new(payload_fields(), parts, None).map_err(io::Error::other)?;
        let offsets = OffsetBuffer::from_lengths(gathered.lengths);
        let payload = ListArray::try_new(payload_element(), offsets, Arc::new(structs), None);
        let ops = gathered.op.iter().map(|op| number(op.index()));
        let columns = vec![
            large(gathered.seq.into_iter())?,
            decimals(gathered.time.into_iter(), self.plan.decimals)?,
            large(gathered.op.iter().map(|&op| self.plan.ops[op].0.into()))?,
            dictionary(Int16Array::from_iter_values(ops), self.names.of(NameKind::Op))?,
            large(gathered.uid.into_iter())?,
            Arc::new(payload.map_err(io::Error::other)?),
        ];
        write_batch(&mut self.writer, &self.schema, columns)
    }
}

impl Gathered {
    /// Adds the fields of one target.
    fn push(&mut self, fields: &[PayloadField], target: &Target, status: Option<i16>) {
        let [die, plane, block, page] = &mut self.addresses;
        for column in [&mut *die, plane, block, page] {
            column.push(None);
        }
        self.cell_types.push(None);
        self.statuses.push(None);
        for field in fields {
            match field {
                PayloadField::Die => set(die, target.die.0.into()),
                PayloadField::Plane => set(plane, target.plane.0.into()),
                PayloadField::Block => set(block, target.block.0 as i32),
                PayloadField::Page => set(page, target.page.0.into()),
                PayloadField::CellType => set(&mut self.cell_types, number(target.cell_type.index())),
                PayloadField::ExpectedStatus => {
                    if let Some(status) = status {
                        set(&mut self.statuses, status);
                    }
                }
            }
        }
    }
}

/// Replaces the value of the last row.
fn set<T>(column: &mut [Option<T>], value: T) {
    if let Some(last) = column.last_mut() {
        *last = Some(value);
    }
}

impl Sink for SequenceParquet<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let fields = &self.plan.ops[operation.op].1;
        let gathered = &mut self.gathered;
        gathered.seq.push(operation.seq);
        gathered.time.push(self.plan.time.units(operation.start) * self.plan.factor);
        gathered.op.push(operation.op);
        gathered.uid.push(operation.uid);
        let status = operation.status.map(|status| status as i16);
        if fields.is_empty() {
            gathered.lengths.push(1);
            gathered.push(fields, &Target::default(), status);
        } else {
            gathered.lengths.push(operation.targets.len());
            for target in operation.targets {
                gathered.push(fields, target, status);
            }
        }
        if gathered.seq.len() >= BATCH { self.hand_on() } else { Ok(()) }
    }
}

impl SequenceTable for SequenceParquet<'_> {
    fn finish(mut self: Box<Self>) -> io::Result<UnnamedFile> {
        self.hand_on()?;
        let rows = self.rows;
        Ok(UnnamedFile { file: finish(self.writer)?, rows })
    }
}
