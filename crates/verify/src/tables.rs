//! The tables of a run beside its sequence.
//!
//! Computes again what both timelines and the count of touched pages must say, from the sequence and the profile alone, and
//! compares row by row while the sequence is read; the tables of proposals are checked for what must hold of them. Memory
//! is bounded by the device and what is in flight: what waits for longer waits on disk.
//!
//! Where runs before the first one are missing, what they left is unknown: rows that depend on it are passed over.

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
    /// Runs were missing: what they left is not known.
    gap: bool,
    failed: Option<io::Error>,
}

/// What is compared in the present run.
#[derive(Default)]
struct ComparedRun {
    file: u32,
    stretches: Option<TableComparison>,
    segments: Option<TableComparison>,
    touches: Option<TableComparison>,
    input_times: Option<TableReader<Box<dyn BufRead>>>,
    proposals: Option<TableReader<Box<dyn BufRead>>>,
    sequence: IdVec<OpId, InSequence>,
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

    /// A run begins, the sequence of which has this number within the site.
    pub(crate) fn begin_run(&mut self, file: u32) {
        let sequence = self.profile.ops.ids().map(|_| InSequence::default()).collect();
        self.run = ComparedRun { file, sequence, ..ComparedRun::default() };
        self.expected_tables.begin_run();
    }

    /// A table of the run.
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

    /// A table of the run does not start with its header.
    pub(crate) fn no_table(&mut self, tally: &mut Tally, kind: TableKind) {
        let place = RowPlace { file: self.run.file, row: 0 };
        let mut report = TableReporter { profile: self.profile, tally, form: &self.form };
        report.report(RuleCode::RowFormat, &RowContext { table: kind, place, origin: None, expected: None }, || {
            format!("The first line is not '{}'; nothing of this table was compared.", kind.columns().join(","))
        });
    }

    /// An operation starts. Comes before the device knows of it. What goes wrong is told at the end of the run.
    pub(crate) fn start(
        &mut self,
        compiled: &CompiledProfile,
        device: &DeviceModel,
        operation: &JudgedOperation<'_>,
        tally: &mut Tally,
    ) {
        let seen = &mut self.run.sequence[operation.origin.op];
        seen.rows += 1;
        seen.last = seen.last.max(operation.at);
        if self.failed.is_some() {
            return;
        }
        let started = self.expected_tables.start(compiled, &self.formatter.words, device, operation);
        self.failed = started.and_then(|()| self.compare(compiled, tally, false)).err();
    }

    /// The run ends: the rest of its tables is compared.
    ///
    /// # Errors
    /// What a table or a temporary file reported.
    pub(crate) fn end_run(
        &mut self,
        compiled: &CompiledProfile,
        tally: &mut Tally,
    ) -> io::Result<Vec<(TableKind, u64)>> {
        match self.failed.take() {
            Some(error) => return Err(error),
            None => self.expected_tables.end_run(compiled, &self.formatter.words)?,
        }
        self.compare(compiled, tally, true)?;
        let Self { profile, formatter, form, expected_tables, run, .. } = self;
        let mut report = TableReporter { profile, tally, form };
        let mut rows = Vec::new();
        let touches = &mut run.touches;
        expected_tables.touches.finish(|touch, count| {
            let Some(comparison) = touches else { return Ok(()) };
            comparison.expect(&mut report, None, formatter.touched(touch, count), 0)
        })?;
        for (kind, comparison) in [
            (TableKind::OperationTimeline, &mut run.stretches),
            (TableKind::OpStateTimeline, &mut run.segments),
            (TableKind::AddressTouchCount, &mut run.touches),
        ] {
            if let Some(mut comparison) = comparison.take() {
                comparison.finish(&mut report)?;
                rows.push((kind, comparison.rows()));
            }
        }
        let mut read = |reader: Option<TableReader<Box<dyn BufRead>>>| {
            reader.map(|reader| Sums::read(&mut report, reader, run.file, &run.sequence)).transpose()
        };
        let (one, other) = (read(run.input_times.take())?, read(run.proposals.take())?);
        rows.extend(one.as_ref().map(|sums| (TableKind::InputTimeCount, sums.rows())));
        rows.extend(other.as_ref().map(|sums| (TableKind::ProposalCounts, sums.rows())));
        if let (Some(one), Some(other)) = (&one, &other) {
            Sums::compare(&mut report, one, other);
        }
        Ok(rows)
    }

    /// Compares the rows that are known by now.
    fn compare(&mut self, compiled: &CompiledProfile, tally: &mut Tally, all: bool) -> io::Result<()> {
        let Self { profile, formatter, form, expected_tables, run, .. } = self;
        let mut report = TableReporter { profile, tally, form };
        let hand_on = |slot: &Slot| {
            if let Some(comparison) = &mut run.stretches {
                for row in &slot.stretches {
                    let (text, free) = formatter.stretch(&slot.origin, row);
                    comparison.expect(&mut report, Some(slot.origin), text, free)?;
                }
            }
            if let Some(comparison) = &mut run.segments {
                let base = compiled.kinds[slot.origin.op].base;
                for row in &slot.segments {
                    comparison.expect(&mut report, Some(slot.origin), formatter.segment(base, row), 0)?;
                }
            }
            Ok(())
        };
        if all { expected_tables.order.finish(hand_on) } else { expected_tables.hand_on(hand_on) }
    }
}
