//! Reading tables in memory as the lines that the same tables have in CSV.
//!
//! Readers of lines see the same rows, order and columns as in a file. Columns are found by their names. They may have the types that other
//! tools give them. One record batch is looked at at a time. Leaves out the meaning of the fields: a null becomes an empty field, which the
//! reader of lines judges.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use nandseq_input::Source;
use nandseq_input::field_text::ExpectingOps;
use nandseq_input::source::{columns_of, lines};
use nandseq_profile::Profile;
use nandseq_profile::model::PayloadField;
use nandseq_trace::table::{ColumnType, OPERATION_SEQUENCE, TableKind};

use crate::table::ArrowTable;
use crate::typed::{ACCEPTED, TypedArray};

/// The number of rows that become lines at once.
const AT_ONCE: usize = 4096;

/// A table in memory.
#[derive(Clone, Debug)]
pub enum MemoryTable {
    /// A table of a run.
    Run(ArrowTable),
    /// Record batches from elsewhere.
    Batches(SchemaRef, Arc<[RecordBatch]>),
}

impl MemoryTable {
    fn schema(&self) -> SchemaRef {
        match self {
            Self::Run(table) => table.schema(),
            Self::Batches(schema, _) => Arc::clone(schema),
        }
    }

    /// Checks that it has these columns.
    ///
    /// # Errors
    /// The first name that it lacks.
    pub fn check_columns(&self, names: &[&'static str]) -> Result<(), &'static str> {
        let schema = self.schema();
        names.iter().find(|name| schema.index_of(name).is_err()).map_or(Ok(()), |missing| Err(*missing))
    }

    /// A batch; `None` after the last.
    fn batch(&self, at: usize) -> Option<Result<RecordBatch, ArrowError>> {
        match self {
            Self::Run(table) => table.batch(at),
            Self::Batches(_, batches) => batches.get(at).cloned().map(Ok),
        }
    }
}

/// A source of tables in memory. The file names of the tables tell their kinds, as those on disk do.
#[derive(Clone, Default, Debug)]
pub struct MemorySource {
    tables: BTreeMap<PathBuf, MemoryTable>,
    expecting: ExpectingOps,
}

impl MemorySource {
    /// A source without tables, for a profile.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self { tables: BTreeMap::new(), expecting: ExpectingOps::of(profile) }
    }

    /// Adds a table under a path.
    pub fn add(&mut self, path: PathBuf, table: MemoryTable) {
        self.tables.insert(path, table);
    }
}

impl Source for MemorySource {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let table = self.tables.get(path).ok_or(io::ErrorKind::NotFound)?.clone();
        let columns = columns_of(path);
        if let Err(missing) = table.check_columns(columns) {
            return Err(invalid(format!("it has no column '{missing}'; the table's are {}", columns.join(","))));
        }
        let wholes = columns.iter().map(|name| is_whole(name)).collect();
        let expecting = self.expecting.clone();
        let mut rows = MemoryRows { table, columns, wholes, batch: None, next: 0, read: 0, expecting };
        Ok(lines(columns, move |text| rows.advance(text)))
    }
}

/// Whether a column has whole numbers: each name is of one type in all tables.
fn is_whole(name: &str) -> bool {
    let is_it =
        |(of, kind): (&&str, &ColumnType)| *of == name && matches!(kind, ColumnType::Address | ColumnType::Count);
    TableKind::ALL
        .into_iter()
        .map(|kind| kind.file().columns())
        .chain([OPERATION_SEQUENCE])
        .any(|columns| columns.names.iter().zip(columns.types).any(is_it))
}

/// The rows of a table that are read.
struct MemoryRows {
    table: MemoryTable,
    columns: &'static [&'static str],
    /// For each column, whether its numbers are whole.
    wholes: Vec<bool>,
    batch: Option<OpenBatch>,
    /// The number of the next batch.
    next: usize,
    /// The number of rows that became lines so far.
    read: u64,
    expecting: ExpectingOps,
}

/// A batch that is read.
struct OpenBatch {
    columns: Vec<TypedArray>,
    rows: usize,
    at: usize,
}

impl MemoryRows {
    /// Appends the lines of the next rows, if there are any.
    fn advance(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        loop {
            if self.batch.as_ref().is_none_or(|batch| batch.at == batch.rows) {
                let Some(batch) = self.table.batch(self.next) else { return Ok(()) };
                self.batch = Some(self.open(&batch.map_err(|error| invalid(error.to_string()))?)?);
                self.next += 1;
            }
            if self.lines(text)? > 0 {
                return Ok(());
            }
        }
    }

    fn open(&self, batch: &RecordBatch) -> io::Result<OpenBatch> {
        let column = |name: &&str| {
            let column =
                batch.column_by_name(name).ok_or_else(|| invalid(format!("a batch has no column '{name}'")))?;
            TypedArray::of(column).map_err(|found| {
                let found = found.0;
                invalid(format!("column '{name}' is of type {found}; types that can be read are {ACCEPTED}: cast it"))
            })
        };
        let columns = self.columns.iter().map(column).collect::<io::Result<Vec<_>>>()?;
        Ok(OpenBatch { columns, rows: batch.num_rows(), at: 0 })
    }

    /// Appends the next lines of the open batch. Returns their number.
    fn lines(&mut self, text: &mut Vec<u8>) -> io::Result<usize> {
        let Some(batch) = &mut self.batch else { return Ok(0) };
        let count = AT_ONCE.min(batch.rows - batch.at);
        for at in batch.at..batch.at + count {
            self.read += 1;
            let mut expected = None;
            for (number, (column, name)) in batch.columns.iter().zip(self.columns).enumerate() {
                if number > 0 {
                    text.push(b',');
                }
                if *name == "op_name" && column.text(at).is_some_and(|op| self.expecting.has(op)) {
                    expected = Some(PayloadField::ExpectedStatus.name());
                }
                let put = column.put(at, (self.wholes[number], expected), text);
                put.map_err(|error| invalid(format!("row {}, column '{name}': {error}", self.read)))?;
            }
            text.push(b'\n');
        }
        batch.at += count;
        Ok(count)
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
