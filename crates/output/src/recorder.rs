//! Turns events into the rows of five tables.
//!
//! A writer gets rows when they are final, in their final order, also while other operations are still open. Memory does not grow
//! with the length of a run. Leaves out `operation_sequence`, whose rows are the operations themselves.

mod count;
mod open;
mod order;

use std::io;
use std::path::Path;

use nandseq_profile::{Target, Ticks};

use crate::format::{Table, UnnamedFile, Writers};
use crate::model::TableModel;
use crate::sort::Budget;
use crate::sort::ordered::{Numbered, Ordered};
use count::Counts;
use nandseq_trace::files::FileKind;
use nandseq_trace::rows::{OpStateRow, TimelineRow};
use nandseq_trace::{Cut, Operation, Sink};
use open::Open;

/// A sink that makes rows of the events of one run.
pub struct Recorder<'f> {
    model: &'f TableModel,
    open: Open,
    /// Whether a wanted table depends on the ends of operations.
    follows: bool,
    last_uid: u64,
    now: Ticks,
    tables: TimelineTables<'f>,
    counts: Counts<'f>,
}

/// The tables whose rows come from operations that end.
struct TimelineTables<'f> {
    timeline: Option<Timeline<'f, TimelineRow>>,
    op_states: Option<Timeline<'f, OpStateRow>>,
}

/// A timeline with its writer.
struct Timeline<'f, R> {
    rows: Ordered<R>,
    writer: Table<'f, R>,
}

impl<R: Numbered> Timeline<'_, R> {
    fn release(&mut self, watermark: u64) -> io::Result<()> {
        self.rows.release(watermark, |rows| self.writer.write(rows))
    }

    fn finish(mut self) -> io::Result<UnnamedFile> {
        self.release(u64::MAX)?;
        self.writer.finish()
    }
}

impl TimelineTables<'_> {
    fn are_full(&self) -> bool {
        self.timeline.as_ref().is_some_and(|timeline| timeline.rows.is_full())
            || self.op_states.as_ref().is_some_and(|op_states| op_states.rows.is_full())
    }
}

impl<'f> Recorder<'f> {
    /// Starts the tables of a run. Temporary files are made in `folder`.
    #[must_use]
    pub fn new(model: &'f TableModel, writers: Writers<'f>, folder: &Path, budget: Budget) -> Self {
        let follows = writers.timeline.is_some() || writers.op_states.is_some() || writers.touches.is_some();
        let counts = Counts::new(model, folder, budget, writers.touches, writers.input_times, writers.proposals);
        let tables = TimelineTables {
            timeline: writers.timeline.map(|writer| Timeline { rows: Ordered::new(folder.to_owned(), budget), writer }),
            op_states: writers
                .op_states
                .map(|writer| Timeline { rows: Ordered::new(folder.to_owned(), budget), writer }),
        };
        Self { model, open: Open::new(model), follows, last_uid: 0, now: Ticks::ZERO, tables, counts }
    }

    /// Ends the run and gives the complete files. Every operation that is not suspended ends at its planned time.
    ///
    /// # Errors
    /// Errors of the writers and of temporary files.
    pub fn finish(mut self) -> io::Result<Vec<(FileKind, UnnamedFile)>> {
        self.retire_ended(Ticks(u64::MAX))?;
        let mut written = Vec::new();
        if let Some(timeline) = self.tables.timeline {
            written.push((FileKind::OperationTimeline, timeline.finish()?));
        }
        if let Some(op_states) = self.tables.op_states {
            written.push((FileKind::OpStateTimeline, op_states.finish()?));
        }
        self.counts.finish(&mut written)?;
        Ok(written)
    }

    /// Records an operation that occupies nothing. It cannot be cut, so its rows are final.
    fn record_at_once(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let op = &self.model.ops[operation.op];
        if let Some(timeline) = &mut self.tables.timeline {
            for (at, target) in operation.targets.iter().enumerate() {
                let row = timeline_row(self.model, operation, at, &op.named(target));
                timeline.rows.push(TimelineRow { end: operation.start + op.total, ..row });
            }
        }
        if let Some(touch) = op.touch {
            for target in operation.targets {
                self.counts.touch(touch, &op.named(target))?;
            }
        }
        Ok(())
    }

    /// Writes the rows of operations that have ended by `now`.
    fn retire_ended(&mut self, now: Ticks) -> io::Result<()> {
        let (tables, counts) = (&mut self.tables, &mut self.counts);
        self.open.retire_ended(now, |operation| tables.retire(operation, counts))
    }

    /// Gives final rows to the writers if enough rows have gathered.
    fn release(&mut self) -> io::Result<()> {
        if !self.tables.are_full() {
            return Ok(());
        }
        self.retire_ended(self.now)?;
        let watermark = self.open.lowest_uid().unwrap_or(self.last_uid + 1);
        if let Some(timeline) = self.tables.timeline.as_mut().filter(|timeline| timeline.rows.is_full()) {
            timeline.release(watermark)?;
        }
        if let Some(op_states) = self.tables.op_states.as_mut().filter(|op_states| op_states.rows.is_full()) {
            op_states.release(watermark)?;
        }
        Ok(())
    }
}

impl TimelineTables<'_> {
    /// Records a stretch that is over, and the page accesses of its operation, whose array is done.
    fn retire(&mut self, operation: &open::Opened, counts: &mut Counts<'_>) -> io::Result<()> {
        self.record_stretch(operation);
        operation.touched(|touch, target| counts.touch(touch, target))
    }

    fn record_stretch(&mut self, operation: &open::Opened) {
        if let Some(timeline) = &mut self.timeline {
            operation.timeline_rows(|row| timeline.rows.push(row));
        }
        if let Some(op_states) = &mut self.op_states {
            operation.op_state_rows(|row| op_states.rows.push(row));
        }
    }
}

/// A row of the first stretch of an operation, without its end. `target` is the target number `at` with 0 where the payload names
/// nothing.
fn timeline_row(model: &TableModel, operation: &Operation<'_>, at: usize, target: &Target) -> TimelineRow {
    TimelineRow {
        uid: operation.uid,
        start: operation.start,
        end: operation.start,
        block: target.block,
        page: target.page,
        die: target.die,
        plane: target.plane,
        op: operation.op,
        resumed: false,
        state: operation.states.get(at).map(|state| model.state(state)).unwrap_or_default(),
        key_used: operation.proposal.key_used,
        key_virtual: operation.proposal.key_virtual,
    }
}

impl Sink for Recorder<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.now = self.now.max(operation.start);
        self.last_uid = self.last_uid.max(operation.uid);
        if operation.is_first {
            self.counts.proposal(operation)?;
        }
        if !self.follows {
            return Ok(());
        }
        if operation.die_planes.is_none() && !self.model.ops[operation.op].occupies {
            self.record_at_once(operation)?;
        } else {
            let (tables, counts) = (&mut self.tables, &mut self.counts);
            self.open.begin(self.model, operation, |ended| tables.retire(ended, counts))?;
        }
        if self.open.is_crowded() {
            self.retire_ended(self.now)?;
        }
        self.release()
    }

    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.last_uid = self.last_uid.max(operation.uid);
        if self.follows {
            self.open.suspended_before(self.model, operation);
        }
        Ok(())
    }

    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        self.now = self.now.max(at);
        let Some(place) = self.open.find(uid) else { return Ok(()) };
        let (tables, counts) = (&mut self.tables, &mut self.counts);
        self.open.cut(place, at);
        let operation = self.open.get(place);
        match cut {
            Cut::Suspended => {
                if operation.is_running() {
                    tables.record_stretch(operation);
                }
                self.open.suspend(place);
            }
            Cut::Reset => {
                if operation.is_running() {
                    tables.record_stretch(operation);
                    if operation.is_done_by(at) {
                        operation.touched(|touch, target| counts.touch(touch, target))?;
                    }
                }
                self.open.close(place);
            }
        }
        self.release()
    }

    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        self.now = self.now.max(from);
        let Some(place) = self.open.find(uid) else { return Ok(()) };
        let (tables, counts) = (&mut self.tables, &mut self.counts);
        self.open.resume(place, from, busy_end, end, |ended| tables.retire(ended, counts))?;
        self.release()
    }
}
