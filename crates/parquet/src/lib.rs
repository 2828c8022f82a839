//! The tables of a run as Parquet, for DuckDB, Polars, pandas or Spark.
//!
//! Rows, order and column names are those of the CSV tables. Columns have types: names are dictionary-encoded strings, times are
//! exact decimals in µs, counts and addresses are signed integers (which every reader knows), and the payload is a list of
//! structs. Equal rows give equal bytes. Memory is bounded by the row groups. Leaves out files that are not tables.
//!
//! [`PARQUET`] is the form by which such tables are found and read.
//!
//! The paths make a Hive-partitioned dataset: `site=01/run=0000001/operation_sequence.parquet`. A pack of runs has one file for each
//! table, `site=01/pack=0000001/operation_sequence.parquet`, with the column `run`.

mod cells;
mod chunk;
mod columns;
mod failure;
mod file;
mod footer;
mod pack;
mod packing;
mod pages;
mod sequence;
mod tables;
mod text;
mod walk;

use std::io;

use nandseq_output::format::{SequenceTable, StartFile, Table, TableFormat, TablePack, Writers};
use nandseq_output::model::TableModel;
use nandseq_output::new_file::NewFile;
use nandseq_output::row_values::{ValueNames, ValueRow};
use nandseq_output::sequence_columns::SequencePlan;
use nandseq_output::stored_types::{DecimalType, PayloadColumns};
use nandseq_profile::Profile;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::table::OPERATION_SEQUENCE;
use nandseq_trace::time_column::TimeColumnError;

use columns::schema;
use failure::into_io;
use file::ParquetFile;
use pack::ParquetPack;
use sequence::SequenceParquet;
use tables::ParquetTable;
pub use text::PARQUET;

/// The parts of the Parquet tables that depend on the profile only. Build it once and share it between the runs of all sites.
#[derive(Clone, Debug)]
pub struct ParquetTables {
    model: TableModel,
    names: ValueNames,
    sequence: SequencePlan,
}

impl ParquetTables {
    /// Prepares the tables of a profile.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let model = TableModel::new(profile);
        let names = ValueNames::new(profile, &model);
        Ok(Self { sequence: SequencePlan::new(profile)?, model, names })
    }

    fn table<R: ValueRow>(&self, start: &mut StartFile<'_>) -> io::Result<Option<Table<'_, R>>> {
        let Some(file) = start(R::TABLE.file())? else { return Ok(None) };
        let schema = schema(R::TABLE.file().columns(), DecimalType::US, PayloadColumns::default()).map_err(into_io)?;
        Ok(Some(Box::new(ParquetTable::new(ParquetFile::new(file, schema, &self.names)?))))
    }
}

impl TableFormat for ParquetTables {
    fn model(&self) -> &TableModel {
        &self.model
    }

    fn form(&self) -> FileForm {
        FileForm::PARQUET
    }

    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>> {
        let schema = schema(OPERATION_SEQUENCE, self.sequence.decimals, self.sequence.payload).map_err(into_io)?;
        Ok(Box::new(SequenceParquet::new(&self.sequence, ParquetFile::new(file, schema, &self.names)?)))
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

    fn pack(&self, file: NewFile) -> io::Result<Box<dyn TablePack + '_>> {
        Ok(Box::new(ParquetPack::new(file, &self.names)?))
    }
}
