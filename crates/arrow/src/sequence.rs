//! Making `operation_sequence`: operations in order of start, with the payload as a list of structs.

use std::io;
use std::sync::Arc;

use nandseq_output::row_values::{NameKind, ValueNames};
use nandseq_output::sequence_columns::{PayloadStruct, SequencePlan, SequenceRows, names_of_field};
use nandseq_output::stored_types::{PayloadType, StoredType};
use nandseq_profile::model::{PayloadField, StatusField};
use nandseq_trace::Operation;
use nandseq_trace::files::FileKind;
use nandseq_trace::table::OPERATION_SEQUENCE;

use crate::chunk::{BATCH, HeldColumn, HeldField, HeldPayloads, TableChunk};
use crate::columns::schema;
use crate::table::ArrowTable;

/// The number of rows that are gathered before they become columns.
const GATHERED: usize = 512;

/// An `operation_sequence` that is being made.
pub(crate) struct SequenceArrow<'p> {
    plan: &'p SequencePlan,
    names: &'p Arc<ValueNames>,
    gathered: SequenceRows,
    present: TableChunk,
    chunks: Vec<TableChunk>,
}

/// Columns without rows.
fn empty(plan: &SequencePlan) -> TableChunk {
    let of = |of| StoredType::of(of, plan.decimals).map(HeldColumn::new);
    let columns = OPERATION_SEQUENCE.types.iter().copied().filter_map(of).collect();
    let field = |(field, kind): (PayloadField, PayloadType)| {
        let text = || {
            let mut texts = HeldColumn::new(StoredType::OptionalText);
            if let Some(kind) = names_of_field(field) {
                texts.of(kind);
            }
            texts
        };
        match kind {
            PayloadType::Int32 => HeldField::One(HeldColumn::new(StoredType::Int32)),
            PayloadType::Int64 => HeldField::One(HeldColumn::new(StoredType::Int64)),
            PayloadType::Text => HeldField::One(text()),
            PayloadType::TextList => HeldField::List { ends: Vec::new(), present: Vec::new(), texts: text() },
        }
    };
    let payloads = HeldPayloads::new(plan.payload, plan.payload.fields().map(field).collect());
    TableChunk { columns, payloads: Some(payloads), rows: 0 }
}

impl<'p> SequenceArrow<'p> {
    pub(crate) fn new(plan: &'p SequencePlan, names: &'p Arc<ValueNames>) -> Self {
        Self { plan, names, gathered: SequenceRows::default(), present: empty(plan), chunks: Vec::new() }
    }

    /// Adds an operation.
    pub(crate) fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.gathered.push(self.plan, operation);
        if self.gathered.rows.len() == GATHERED { self.hand_on() } else { Ok(()) }
    }

    /// Makes columns of the gathered rows.
    fn hand_on(&mut self) -> io::Result<()> {
        let Self { plan, gathered: SequenceRows { rows, structs }, present, .. } = self;
        let (Some(payloads), [seq, time, op_id, op_name, uid]) = (&mut present.payloads, &mut *present.columns) else {
            return Ok(());
        };
        seq.extend(rows.iter().map(|row| row.seq));
        time.extend(rows.iter().map(|row| row.time));
        op_id.extend(rows.iter().map(|row| plan.opcode(row.op)));
        op_name.of(NameKind::Op).extend(rows.iter().map(|row| row.op.index() as u64));
        uid.extend(rows.iter().map(|row| row.uid));
        take_payloads(payloads, structs, plan);
        present.rows += rows.len();
        rows.clear();
        structs.clear();
        if present.rows >= BATCH { self.end_chunk() } else { Ok(()) }
    }

    fn end_chunk(&mut self) -> io::Result<()> {
        let full = std::mem::replace(&mut self.present, empty(self.plan));
        full.check()?;
        self.chunks.push(full);
        Ok(())
    }

    /// Ends the table.
    pub(crate) fn finish(mut self) -> io::Result<ArrowTable> {
        self.hand_on()?;
        if self.present.rows > 0 {
            self.end_chunk()?;
        }
        let schema = schema(OPERATION_SEQUENCE, self.plan.decimals, self.plan.payload);
        Ok(ArrowTable::new(FileKind::OperationSequence, schema, Arc::clone(self.names), self.chunks))
    }
}

/// Adds the payloads of some rows.
fn take_payloads(payloads: &mut HeldPayloads, structs: &[PayloadStruct], plan: &SequencePlan) {
    let mut end = payloads.ends.last().copied().unwrap_or(0);
    for of in structs {
        end += i32::from(!of.is_none);
        match payloads.ends.last_mut() {
            Some(last) if of.goes_on => *last = end,
            Some(_) | None => payloads.ends.push(end),
        }
    }
    let there = || structs.iter().filter(|of| !of.is_none);
    for ((field, _), column) in plan.payload.fields().zip(&mut payloads.fields) {
        match column {
            HeldField::One(column) => column.extend_optional(there().map(|of| of.value(field))),
            HeldField::List { ends, present, texts } => {
                there().for_each(|of| take_words(of, &plan.status, ends, present, texts));
            }
        }
    }
}

/// Adds the words of an expected status.
fn take_words(
    of: &PayloadStruct,
    fields: &[StatusField],
    ends: &mut Vec<i32>,
    present: &mut Vec<bool>,
    texts: &mut HeldColumn,
) {
    let count = of.words(fields).count();
    texts.extend(of.words(fields));
    present.push(count > 0);
    ends.push(ends.last().copied().unwrap_or(0) + count as i32);
}
