//! Writing `operation_sequence`: operations in order of start, with the payload as a list of structs.

use std::io;

use nandseq_output::format::{SequenceTable, UnnamedFile};
use nandseq_output::row_values::NameKind;
use nandseq_output::sequence_columns::{PayloadStruct, SequencePlan, SequenceRows, names_of_field};
use nandseq_output::stored_types::PayloadType;
use nandseq_profile::model::{PayloadField, StatusField};
use nandseq_trace::{Operation, Sink};

use crate::chunk::Chunk;
use crate::file::ParquetFile;

/// The number of rows that are gathered before they become columns. Pages have a multiple of it.
const BATCH: usize = 512;

/// The definition level of an item of a list in a struct of a payload.
const ITEM: u16 = 3;

/// An `operation_sequence` that is being written to a file.
pub(crate) struct SequenceParquet<'t> {
    plan: &'t SequencePlan,
    file: ParquetFile<'t>,
    /// Rows that are gathered to become columns.
    gathered: SequenceRows,
}

/// A field of a struct with its definition level. A field that the payload has may be null all the same.
fn leveled(of: &PayloadStruct, field: PayloadField) -> (u16, Option<u64>) {
    let value = of.value(field);
    (if of.is_none { 0 } else { 1 + u16::from(value.is_some()) }, value)
}

impl<'t> SequenceParquet<'t> {
    pub(crate) fn new(plan: &'t SequencePlan, file: ParquetFile<'t>) -> Self {
        Self { plan, file, gathered: SequenceRows::default() }
    }

    /// Writes the gathered rows.
    fn hand_on(&mut self) -> io::Result<()> {
        let Self { plan, file, gathered: SequenceRows { rows, structs } } = self;
        let names = file.names();
        let [seq, time, op_id, op_name, uid, payload @ ..] = &mut *file.chunks else { return Ok(()) };
        seq.extend(rows.iter().map(|row| row.seq));
        time.extend(rows.iter().map(|row| row.time));
        op_id.extend(rows.iter().map(|row| plan.opcode(row.op)));
        op_name.of(NameKind::Op, names).extend(rows.iter().map(|row| row.op.index() as u64));
        uid.extend(rows.iter().map(|row| row.uid));
        for ((field, of), chunk) in plan.payload.fields().zip(payload) {
            if let Some(kind) = names_of_field(field) {
                chunk.of(kind, names);
            }
            match of {
                PayloadType::Int32 | PayloadType::Int64 | PayloadType::Text => {
                    chunk.extend_leveled(structs.iter().map(|of| leveled(of, field)));
                }
                PayloadType::TextList => put_words(chunk, structs, &plan.status),
            }
        }
        file.repetition.extend(structs.drain(..).map(|of| u16::from(of.goes_on)));
        let count = rows.len();
        rows.clear();
        file.added(count)
    }
}

/// Adds the lists of words of expected statuses.
fn put_words(chunk: &mut Chunk, structs: &[PayloadStruct], fields: &[StatusField]) {
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
        self.gathered.push(self.plan, operation);
        if self.gathered.rows.len() == BATCH { self.hand_on() } else { Ok(()) }
    }
}

impl SequenceTable for SequenceParquet<'_> {
    fn finish(mut self: Box<Self>) -> io::Result<UnnamedFile> {
        self.hand_on()?;
        self.file.finish()
    }
}
