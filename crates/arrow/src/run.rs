//! Making the tables of a run: rows become columns.

use std::io;
use std::marker::PhantomData;
use std::path::Path;
use std::slice::IterMut;
use std::sync::{Arc, Mutex, PoisonError};

use nandseq_output::Budget;
use nandseq_output::format::{Table, TableWriter, UnnamedFile, Writers};
use nandseq_output::model::TableModel;
use nandseq_output::new_file::NewFile;
use nandseq_output::recorder::Recorder;
use nandseq_output::row_values::{ColumnSink, NameKind, ValueNames, ValueRow};
use nandseq_output::sequence_columns::SequencePlan;
use nandseq_output::stored_types::{DecimalType, PayloadColumns, StoredType};
use nandseq_profile::{Profile, Ticks};
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::time_column::TimeColumnError;
use nandseq_trace::{Cut, Operation, Sink};

use crate::chunk::{BATCH, HeldColumn, TableChunk};
use crate::columns::schema;
use crate::sequence::SequenceArrow;
use crate::table::ArrowTable;

/// The parts of the tables that depend on the profile only. Build it once and use it for the runs of all sites.
#[derive(Clone, Debug)]
pub struct ArrowPlan {
    model: TableModel,
    names: Arc<ValueNames>,
    sequence: SequencePlan,
}

impl ArrowPlan {
    /// Prepares the tables of a profile.
    ///
    /// # Errors
    /// If the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let model = TableModel::new(profile);
        let names = Arc::new(ValueNames::new(profile, &model));
        Ok(Self { sequence: SequencePlan::new(profile)?, model, names })
    }
}

/// The tables that are complete.
type Complete = Arc<Mutex<Vec<ArrowTable>>>;

/// A sink that makes the tables of one run.
pub struct ArrowRun<'p> {
    sequence: Option<SequenceArrow<'p>>,
    recorder: Option<Recorder<'p>>,
    complete: Complete,
}

impl<'p> ArrowRun<'p> {
    /// Starts the tables among `outputs`. Large runs need temporary files without names, which are made in `spare`.
    #[must_use]
    pub fn new(plan: &'p ArrowPlan, outputs: Outputs, spare: &Path) -> Self {
        let complete = Complete::default();
        let sequence = outputs.contains(FileKind::OperationSequence);
        let sequence = sequence.then(|| SequenceArrow::new(&plan.sequence, &plan.names));
        let writers = Writers {
            timeline: table(plan, outputs, &complete),
            op_states: table(plan, outputs, &complete),
            touches: table(plan, outputs, &complete),
            input_times: table(plan, outputs, &complete),
            proposals: table(plan, outputs, &complete),
        };
        let tables = outputs.iter().filter(|kind| kind.is_table() && *kind != FileKind::OperationSequence);
        let recorder = (tables.count() > 0).then(|| Recorder::new(&plan.model, writers, spare, Budget::default()));
        Self { sequence, recorder, complete }
    }

    /// Ends the run and gives its tables, in the order of their kinds.
    ///
    /// # Errors
    /// If a time does not fit its column, and errors of temporary files.
    pub fn finish(self) -> io::Result<Vec<ArrowTable>> {
        let mut tables = Vec::new();
        if let Some(sequence) = self.sequence {
            tables.push(sequence.finish()?);
        }
        if let Some(recorder) = self.recorder {
            recorder.finish()?;
        }
        tables.append(&mut self.complete.lock().unwrap_or_else(PoisonError::into_inner));
        tables.sort_by_key(ArrowTable::kind);
        Ok(tables)
    }
}

impl Sink for ArrowRun<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(sequence) = &mut self.sequence {
            sequence.operation(operation)?;
        }
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.operation(operation))
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.still_suspended(operation))
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.cut(uid, at, cut))
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.recorder.as_mut().map_or(Ok(()), |recorder| recorder.resumed(uid, from, busy_end, end))
    }
}

/// The writer of a table, if it is wanted.
fn table<'p, R: ValueRow>(plan: &'p ArrowPlan, outputs: Outputs, complete: &Complete) -> Option<Table<'p, R>> {
    let kind = R::TABLE.file();
    outputs.contains(kind).then(|| {
        let of = |of| StoredType::of(of, DecimalType::US).map(HeldColumn::new);
        let empty: Vec<HeldColumn> = kind.columns().types.iter().copied().filter_map(of).collect();
        let present = TableChunk { columns: empty.clone(), payloads: None, rows: 0 };
        let complete = Arc::clone(complete);
        Box::new(RowTable { names: &plan.names, empty, present, chunks: Vec::new(), complete, row: PhantomData })
            as Table<'p, R>
    })
}

/// A table that is being made.
struct RowTable<'p, R> {
    names: &'p Arc<ValueNames>,
    /// Columns without rows.
    empty: Vec<HeldColumn>,
    present: TableChunk,
    chunks: Vec<TableChunk>,
    /// Where the table goes when it is complete.
    complete: Complete,
    row: PhantomData<fn(R)>,
}

impl<R: ValueRow> RowTable<'_, R> {
    fn end_chunk(&mut self) -> io::Result<()> {
        let next = TableChunk { columns: self.empty.clone(), payloads: None, rows: 0 };
        let full = std::mem::replace(&mut self.present, next);
        full.check()?;
        self.chunks.push(full);
        Ok(())
    }
}

impl<R: ValueRow> TableWriter<R> for RowTable<'_, R> {
    fn write(&mut self, mut rows: &[R]) -> io::Result<()> {
        while !rows.is_empty() {
            let (now, later) = rows.split_at(rows.len().min(BATCH - self.present.rows));
            R::columns(self.names, &mut TakenRows { rows: now, columns: self.present.columns.iter_mut() });
            self.present.rows += now.len();
            if self.present.rows == BATCH {
                self.end_chunk()?;
            }
            rows = later;
        }
        Ok(())
    }

    /// Keeps the table. The file that it gives has no bytes: only the number of rows counts.
    fn finish(mut self: Box<Self>) -> io::Result<UnnamedFile> {
        if self.present.rows > 0 {
            self.end_chunk()?;
        }
        let kind = R::TABLE.file();
        let schema = schema(kind.columns(), DecimalType::US, PayloadColumns::default());
        let table = ArrowTable::new(kind, schema, Arc::clone(self.names), self.chunks);
        let rows = table.rows();
        self.complete.lock().unwrap_or_else(PoisonError::into_inner).push(table);
        Ok(UnnamedFile { file: NewFile::counting(), rows })
    }
}

/// Some rows, and the columns that take their values.
struct TakenRows<'r, R> {
    rows: &'r [R],
    columns: IterMut<'r, HeldColumn>,
}

impl<R> TakenRows<'_, R> {
    /// Adds the values of the next column.
    fn take(&mut self, value: impl Fn(&R) -> u64) {
        if let Some(column) = self.columns.next() {
            column.extend(self.rows.iter().map(value));
        }
    }
}

impl<R> ColumnSink<R> for TakenRows<'_, R> {
    fn addresses(&mut self, value: impl Fn(&R) -> u32) {
        self.take(|row| value(row).into());
    }

    fn counts(&mut self, value: impl Fn(&R) -> u64) {
        self.take(value);
    }

    fn times(&mut self, value: impl Fn(&R) -> Ticks) {
        self.take(|row| value(row).0);
    }

    fn fractions(&mut self, value: impl Fn(&R) -> u32) {
        self.take(|row| value(row).into());
    }

    fn names(&mut self, kind: NameKind, number: impl Fn(&R) -> usize) {
        if let Some(column) = self.columns.next() {
            column.of(kind).extend(self.rows.iter().map(|row| number(row) as u64));
        }
    }

    fn optional_names(&mut self, kind: NameKind, number: impl Fn(&R) -> Option<usize>) {
        if let Some(column) = self.columns.next() {
            column.of(kind).extend_optional(self.rows.iter().map(|row| number(row).map(|number| number as u64)));
        }
    }
}
