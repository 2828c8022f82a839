//! What a file format must be able to do: take the rows of each table and put them into files.
//!
//! Promises that everything before it (what the rows are, and their order) is the same for all formats. A format only turns
//! rows into bytes; it keeps no more than a block of them.

use std::io;

use crate::model::TableModel;
use crate::new_file::NewFile;
use nandseq_trace::Sink;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::FileKind;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, TimelineRow, TouchRow};

/// A complete file that has no name yet.
#[derive(Debug)]
pub struct UnnamedFile {
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
    fn finish(self: Box<Self>) -> io::Result<UnnamedFile>;
}

/// Puts operations into an `operation_sequence` file as they start.
pub trait SequenceTable: Sink + Send {
    /// Writes what is left.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn finish(self: Box<Self>) -> io::Result<UnnamedFile>;
}

/// A writer of one table of a format.
pub type Table<'f, R> = Box<dyn TableWriter<R> + 'f>;

/// Gives the file of a table; `None` where the table is not wanted.
pub type StartFile<'s> = dyn FnMut(FileKind) -> io::Result<Option<NewFile>> + 's;

/// The writers of the tables that are wanted.
#[derive(Default)]
pub struct Writers<'f> {
    /// `operation_timeline`
    pub timeline: Option<Table<'f, TimelineRow>>,
    /// `op_state_timeline`
    pub op_states: Option<Table<'f, OpStateRow>>,
    /// `address_touch_count`
    pub touches: Option<Table<'f, TouchRow>>,
    /// `op_state_name_input_time_count`
    pub input_times: Option<Table<'f, InputTimeRow>>,
    /// `phase_proposal_counts`
    pub proposals: Option<Table<'f, ProposalRow>>,
}

impl Writers<'_> {
    /// Whether no table is wanted.
    pub(crate) const fn are_none(&self) -> bool {
        self.timeline.is_none()
            && self.op_states.is_none()
            && self.touches.is_none()
            && self.input_times.is_none()
            && self.proposals.is_none()
    }
}

/// A file format.
pub trait TableFormat: Sync {
    /// What is known of the profile's operations; the same for every format.
    fn model(&self) -> &TableModel;

    /// What its files are called and where they lie.
    fn form(&self) -> FileForm;

    /// Starts an `operation_sequence`.
    ///
    /// # Errors
    /// Whatever the file reports.
    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>>;

    /// Starts the other tables: those for which `start` gives a file.
    ///
    /// # Errors
    /// Whatever a file reports, or `start`.
    fn tables(&self, start: &mut StartFile<'_>) -> io::Result<Writers<'_>>;
}
