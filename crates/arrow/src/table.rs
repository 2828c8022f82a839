//! A table in memory, and its readers.

use std::sync::Arc;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use nandseq_output::row_values::ValueNames;
use nandseq_trace::files::FileKind;

use crate::chunk::TableChunk;

/// A table of a run. Clones share its rows.
#[derive(Clone, Debug)]
pub struct ArrowTable {
    kind: FileKind,
    schema: SchemaRef,
    names: Arc<ValueNames>,
    chunks: Arc<[TableChunk]>,
}

impl ArrowTable {
    pub(crate) fn new(kind: FileKind, schema: SchemaRef, names: Arc<ValueNames>, chunks: Vec<TableChunk>) -> Self {
        Self { kind, schema, names, chunks: chunks.into() }
    }

    /// The kind of the table.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        self.kind
    }

    /// The number of its rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.rows as u64).sum()
    }

    /// Its columns with their types.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// A record batch; `None` after the last.
    pub(crate) fn batch(&self, at: usize) -> Option<Result<RecordBatch, ArrowError>> {
        let arrays = self.chunks.get(at)?.arrays(&self.names);
        Some(arrays.and_then(|arrays| RecordBatch::try_new(self.schema(), arrays)))
    }

    /// A fresh reader from the first row.
    #[must_use]
    pub fn batches(&self) -> TableBatches {
        TableBatches { table: self.clone(), next: 0 }
    }
}

/// The record batches of a table, one after another.
#[derive(Debug)]
pub struct TableBatches {
    table: ArrowTable,
    next: usize,
}

impl Iterator for TableBatches {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.table.batch(self.next)?;
        self.next += 1;
        Some(batch)
    }
}

impl RecordBatchReader for TableBatches {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }
}
