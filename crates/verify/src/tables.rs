//! Compares the tables of a run with its sequence.
//!
//! The rows of both timelines and of the count of touched pages follow from the sequence and the profile. They are computed again
//! and compared row by row while the sequence is read. The tables of proposals do not follow from the sequence; they are checked
//! for what must hold of any proposals. Memory is bounded by the device and the operations in flight: rows that have to wait
//! longer wait on disk.
//!
//! If earlier runs are missing, the state they left is unknown. Rows that depend on it are not compared.

mod compare;
mod counts;
mod disk_queue;
mod expected;
mod expected_tables;
mod order;
mod row_formatter;
mod table_report;
mod touches;

use std::io::{self, BufRead};

use nandseq_input::table::{TableForm, TableReader};
use nandseq_profile::{IdVec, OpId, Profile};
use nandseq_trace::table::TableKind;

use crate::compiled_profile::CompiledProfile;
use crate::finding::{RowPlace, Tally};
use crate::judge::JudgedOperation;
use crate::model::DeviceModel;
use crate::rule::RuleCode;
use compare::TableComparison;
use counts::{InSequence, Sums};
use expected::WrittenNames;
use expected_tables::ExpectedTables;
use order::Slot;
use row_formatter::RowFormatter;
use table_report::{RowContext, TableReporter};

/// The tables of a site, run by run.
pub(crate) struct TableJudge<'p> {
    profile: &'p Profile,
    formatter: RowFormatter,
    form: TableForm,
    expected_tables: ExpectedTables,
    run: ComparedRun,
    /// Earlier runs are missing, so the state that they left is unknown.
    gap: bool,
    failed: Option<io::Error>,
}

/// What comparing the tables of a run gave.
#[derive(Default)]
pub(crate) struct ComparedTables {
    /// The number of rows of each table that was compared to its end.
    pub(crate) rows: Vec<(TableKind, u64)>,
    /// The tables that cannot be read any further.
    pub(crate) unreadable: Vec<(TableKind, io::Error)>,
}

/// The tables of the present run that are compared.
#[derive(Default)]
struct ComparedRun {
    file: u32,
    stretches: Option<TableComparison>,
    segments: Option<TableComparison>,
    touches: Option<TableComparison>,
    input_times: Option<TableReader<Box<dyn BufRead>>>,
    proposals: Option<TableReader<Box<dyn BufRead>>>,
    sequence: IdVec<OpId, InSequence>,
    unreadable: Vec<(TableKind, io::Error)>,
}

/// Goes on with the comparison of a table, if there is one. If the table cannot be read, its comparison ends.
fn go_on(
    comparison: &mut Option<TableComparison>,
    unreadable: &mut Vec<(TableKind, io::Error)>,
    with: impl FnOnce(&mut TableComparison) -> io::Result<()>,
) {
    let Some(open) = comparison else { return };
    if let Err(error) = with(open) {
        unreadable.push((open.kind(), error));
        *comparison = None;
    }
}

impl<'p> TableJudge<'p> {
    pub(crate) fn new(profile: &'p Profile) -> Self {
        Self {
            profile,
            formatter: RowFormatter::new(WrittenNames::new(profile)),
            form: TableForm::new(profile),
            expected_tables: ExpectedTables::new(profile),
            run: ComparedRun::default(),
            gap: false,
            failed: None,
        }
    }

    /// The runs before the next one are missing.
    pub(crate) fn gap(&mut self) {
        self.gap = true;
        self.expected_tables.forget();
    }

    /// A run begins. `file` is the number of its sequence within the site.
    pub(crate) fn begin_run(&mut self, file: u32) {
        let sequence = self.profile.ops.ids().map(|_| InSequence::default()).collect();
        self.run = ComparedRun { file, sequence, ..ComparedRun::default() };
        self.expected_tables.begin_run();
    }

    /// Adds a table of the run.
    pub(crate) fn add(&mut self, reader: TableReader<Box<dyn BufRead>>) {
        let (file, gap) = (self.run.file, self.gap);
        match reader.kind() {
            TableKind::OperationTimeline => self.run.stretches = Some(TableComparison::new(reader, file, gap)),
            TableKind::OpStateTimeline => self.run.segments = Some(TableComparison::new(reader, file, gap)),
            TableKind::AddressTouchCount => {
                self.run.touches = (!gap).then(|| TableComparison::new(reader, file, false));
            }
            TableKind::InputTimeCount => self.run.input_times = Some(reader),
            TableKind::ProposalCounts => self.run.proposals = Some(reader),
        }
    }

    /// The sequence of the run cannot be read any further, so neither can its tables be compared. Tables that could not be read so
    /// far stay known.
    pub(crate) fn give_up_run(&mut self) {
        let ComparedRun { file, sequence, unreadable, .. } = std::mem::take(&mut self.run);
        self.run = ComparedRun { file, sequence, unreadable, ..ComparedRun::default() };
    }

    /// A table of the run does not start with its header.
    pub(crate) fn no_table(&mut self, tally: &mut Tally, kind: TableKind) {
        let place = RowPlace { file: self.run.file, row: 0 };
        let mut report = TableReporter { profile: self.profile, tally, form: &self.form };
        report.report(RuleCode::RowFormat, &RowContext { table: kind, place, origin: None, expected: None }, || {
            format!("The first line is not '{}'; nothing of this table was compared.", kind.columns().join(","))
        });
    }

    /// An operation starts. Is called before the device starts it. An error is kept for [`TableJudge::end_run`].
    pub(crate) fn start(
        &mut self,
        compiled: &CompiledProfile,
        device: &DeviceModel,
        operation: &JudgedOperation<'_>,
        tally: &mut Tally,
    ) {
        let seen = &mut self.run.sequence[operation.origin.op];
        seen.rows += 1;
        seen.last = seen.last.max(operation.origin.start);
        if self.failed.is_some() {
            return;
        }
        let started = self.expected_tables.start(compiled, &self.formatter.words, device, operation);
        self.failed = started.and_then(|()| self.compare(compiled, tally, false)).err();
    }

    /// The error of a temporary file, if there was one since the last call. Nothing is compared after an error.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// The run ends: the rest of its tables is compared.
    ///
    /// # Errors
    /// The error of a temporary file that could not be read or written.
    pub(crate) fn end_run(&mut self, compiled: &CompiledProfile, tally: &mut Tally) -> io::Result<ComparedTables> {
        match self.failed.take() {
            Some(error) => return Err(error),
            None => self.expected_tables.end_run(compiled, &self.formatter.words)?,
        }
        self.compare(compiled, tally, true)?;
        let Self { profile, formatter, form, expected_tables, run, .. } = self;
        let mut report = TableReporter { profile, tally, form };
        let mut rows = Vec::new();
        let mut unreadable = std::mem::take(&mut run.unreadable);
        let touches = &mut run.touches;
        expected_tables.touches.finish(|touch, count| {
            go_on(touches, &mut unreadable, |table| {
                table.expect(&mut report, None, formatter.touched(touch, count), 0)
            });
            Ok(())
        })?;
        for comparison in [&mut run.stretches, &mut run.segments, &mut run.touches] {
            go_on(comparison, &mut unreadable, |table| {
                table.finish(&mut report)?;
                rows.push((table.kind(), table.rows()));
                Ok(())
            });
        }
        let mut read = |reader: Option<TableReader<Box<dyn BufRead>>>| {
            let (kind, read) =
                reader.map(|table| (table.kind(), Sums::read(&mut report, table, run.file, &run.sequence)))?;
            read.map_err(|error| unreadable.push((kind, error))).ok()
        };
        let (one, other) = (read(run.input_times.take()), read(run.proposals.take()));
        rows.extend(one.as_ref().map(|sums| (TableKind::InputTimeCount, sums.rows())));
        rows.extend(other.as_ref().map(|sums| (TableKind::ProposalCounts, sums.rows())));
        if let (Some(one), Some(other)) = (&one, &other) {
            Sums::compare(&mut report, one, other);
        }
        Ok(ComparedTables { rows, unreadable })
    }

    /// Compares the rows whose turn has come, or `all` rows that are known.
    fn compare(&mut self, compiled: &CompiledProfile, tally: &mut Tally, all: bool) -> io::Result<()> {
        let Self { profile, formatter, form, expected_tables, run, .. } = self;
        let mut report = TableReporter { profile, tally, form };
        let hand_on = |slot: &Slot| {
            go_on(&mut run.stretches, &mut run.unreadable, |table| {
                for row in &slot.stretches {
                    let known = |ahead: &[u8]| formatter.begins_stretch(ahead, &slot.origin, row);
                    if table.is_next(Some(slot.origin), 2, known)? {
                        continue;
                    }
                    let (text, free) = formatter.stretch(&slot.origin, row);
                    table.expect(&mut report, Some(slot.origin), text, free)?;
                }
                Ok(())
            });
            go_on(&mut run.segments, &mut run.unreadable, |table| {
                let base = compiled.kinds[slot.origin.op].base;
                for row in &slot.segments {
                    let known = |ahead: &[u8]| formatter.begins_segment(ahead, base, row);
                    if table.is_next(Some(slot.origin), 0, known)? {
                        continue;
                    }
                    table.expect(&mut report, Some(slot.origin), formatter.segment(base, row), 0)?;
                }
                Ok(())
            });
            Ok(())
        };
        if all { expected_tables.order.finish(hand_on) } else { expected_tables.hand_on(hand_on) }
    }
}
