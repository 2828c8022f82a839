//! What a file format must be able to do: take the rows of each table and put them into files.
//!
//! Promises that everything before it (what the rows are, and their order) is the same for all formats. A format only turns
//! rows into bytes; it keeps no more than a block of them.

use std::io;

use crate::model::Model;
use crate::new_file::NewFile;
use nandseq_trace::Sink;
use nandseq_trace::files::{FileKind, Stamp};
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, TimelineRow, TouchRow};

/// A complete file that has no name yet.
#[derive(Debug)]
pub struct Written {
    /// The file; everything has been written to it.
    pub file: NewFile,
    /// Its rows.
    pub rows: u64,
}

/// Puts the rows of one table into a file.
pub trait TableWriter<R>: Send {
    /// Takes the next rows, in their final order.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn write(&mut self, rows: &[R]) -> io::Result<()>;

    /// Writes what is left.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn finish(self: Box<Self>) -> io::Result<Written>;
}

/// Puts operations into an `operation_sequence` file as they start.
pub trait SequenceTable: Sink + Send {
    /// Writes what is left.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn finish(self: Box<Self>) -> io::Result<Written>;
}

/// A writer of one table of a format.
pub type Table<'f, R> = Box<dyn TableWriter<R> + 'f>;

/// A file format.
pub trait TableFormat: Sync {
    /// What is known of the profile's operations; the same for every format.
    fn model(&self) -> &Model;

    /// The name of a file in the folder of its site; may lie in a folder of its own.
    fn file_name(&self, kind: FileKind, stamp: Stamp, run: u64) -> String;

    /// Starts an `operation_sequence`.
    ///
    /// # Errors
    /// Whatever the file reports; so the others.
    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>>;

    /// Starts an `operation_timeline`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn operation_timeline(&self, file: NewFile) -> io::Result<Table<'_, TimelineRow>>;

    /// Starts an `op_state_timeline`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn op_state_timeline(&self, file: NewFile) -> io::Result<Table<'_, OpStateRow>>;

    /// Starts an `address_touch_count`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn address_touch_count(&self, file: NewFile) -> io::Result<Table<'_, TouchRow>>;

    /// Starts an `op_state_name_input_time_count`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn input_time_count(&self, file: NewFile) -> io::Result<Table<'_, InputTimeRow>>;

    /// Starts a `phase_proposal_counts`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn phase_proposal_counts(&self, file: NewFile) -> io::Result<Table<'_, ProposalRow>>;
}
