//! The tables of a run as Parquet, for DuckDB, Polars, pandas or Spark.
//!
//! Rows, order and column names are those of the CSV tables. Columns have types: names are dictionary-encoded strings, times are
//! exact decimals in µs, counts and addresses are signed integers (which every reader knows), and the payload is a list of
//! structs. Equal rows give equal bytes. Memory is bounded by the row groups. Leaves out files that are not tables.
//!
//! [`PARQUET`] is the form by which such tables are found and read.
//!
//! The paths make a Hive-partitioned dataset: `site=01/run=0000001/operation_sequence.parquet`.

mod columns;
mod file;
mod sequence;
mod tables;
mod text;

use std::io;

use arrow_schema::{Schema, SchemaRef};
use nandseq_output::format::{SequenceTable, StartFile, Table, TableFormat, TableWriter, UnnamedFile, Writers};
use nandseq_output::model::TableModel;
use nandseq_output::new_file::NewFile;
use nandseq_profile::Profile;
use nandseq_trace::files::{FileKind, Stamp};
use nandseq_trace::time_column::TimeColumnError;
use parquet::arrow::ArrowWriter;

use columns::{ColumnNames, US, fields};
use file::{into_io, write_batch, writer};
use sequence::{SequenceParquet, SequencePlan};
use tables::ParquetRow;
pub use text::PARQUET;

/// The parts of the Parquet tables that depend on the profile only. Build it once and share it between the runs of all sites.
#[derive(Clone, Debug)]
pub struct ParquetTables {
    model: TableModel,
    names: ColumnNames,
    sequence: SequencePlan,
}

impl ParquetTables {
    /// Prepares the tables of a profile.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let model = TableModel::new(profile);
        let names = ColumnNames::new(profile, &model);
        Ok(Self { sequence: SequencePlan::new(profile)?, model, names })
    }

    fn table<R: ParquetRow>(&self, start: &mut StartFile<'_>) -> io::Result<Option<Table<'_, R>>> {
        let Some(file) = start(R::TABLE.file())? else { return Ok(None) };
        let schema = SchemaRef::new(Schema::new(fields(R::TABLE.file().columns(), US)));
        let writer = writer(file, &schema)?;
        let row = std::marker::PhantomData;
        Ok(Some(Box::new(ParquetTable { names: &self.names, schema, writer, rows: 0, row })))
    }
}

impl TableFormat for ParquetTables {
    fn model(&self) -> &TableModel {
        &self.model
    }

    fn file_name(&self, kind: FileKind, stamp: Stamp, run: u64) -> String {
        if kind.is_table() { format!("run={run:07}/{}.parquet", kind.name()) } else { kind.file_name(stamp, run) }
    }

    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>> {
        Ok(Box::new(SequenceParquet::new(&self.sequence, &self.names, file)?))
    }

    fn tables(&self, start: &mut StartFile<'_>) -> io::Result<Writers<'_>> {
        Ok(Writers {
            timeline: self.table(start)?,
            op_states: self.table(start)?,
            touches: self.table(start)?,
            input_times: self.table(start)?,
            proposals: self.table(start)?,
        })
    }
}

/// A table that is being written to a file.
struct ParquetTable<'t, R> {
    names: &'t ColumnNames,
    schema: SchemaRef,
    writer: ArrowWriter<NewFile>,
    rows: u64,
    row: std::marker::PhantomData<fn(R)>,
}

impl<R: ParquetRow> TableWriter<R> for ParquetTable<'_, R> {
    fn write(&mut self, rows: &[R]) -> io::Result<()> {
        self.rows += rows.len() as u64;
        write_batch(&mut self.writer, &self.schema, R::columns(self.names, rows)?)
    }

    fn finish(self: Box<Self>) -> io::Result<UnnamedFile> {
        Ok(UnnamedFile { file: self.writer.into_inner().map_err(into_io)?, rows: self.rows })
    }
}
