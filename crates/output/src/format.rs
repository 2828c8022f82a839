//! The interface of a file format: it takes the rows of each table and writes them to files.
//!
//! Rows and their order are the same for all formats. A format only turns rows into bytes, and keeps no more than a block of
//! them.

use std::io;

use crate::model::TableModel;
use crate::new_file::{KeptBytes, NewFile};
use nandseq_trace::Sink;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::FileKind;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, TimelineRow, TouchRow};

/// A complete file that does not have its final name yet.
#[derive(Debug)]
pub struct UnnamedFile {
    /// The file, with all its contents.
    pub file: NewFile,
    /// The number of its rows.
    pub rows: u64,
}

/// A writer of the rows of one table.
pub trait TableWriter<R>: Send {
    /// Takes the next rows, in their final order.
    ///
    /// # Errors
    /// Errors of the file.
    fn write(&mut self, rows: &[R]) -> io::Result<()>;

    /// Writes the rows that are still in memory, and gives the complete file.
    ///
    /// # Errors
    /// Errors of the file.
    fn finish(self: Box<Self>) -> io::Result<UnnamedFile>;
}

/// A writer of an `operation_sequence`. As a sink it takes operations when they start.
pub trait SequenceTable: Sink + Send {
    /// Writes the rows that are still in memory, and gives the complete file.
    ///
    /// # Errors
    /// Errors of the file.
    fn finish(self: Box<Self>) -> io::Result<UnnamedFile>;
}

/// A file that takes the same table of consecutive runs.
pub trait TablePack: Send {
    /// Takes the table of the next run, numbered from 1: the bytes of a file that the format has written.
    ///
    /// # Errors
    /// Errors of the files.
    fn add(&mut self, run: u64, table: KeptBytes) -> io::Result<()>;

    /// Gives the complete file.
    ///
    /// # Errors
    /// Errors of the file.
    fn finish(self: Box<Self>) -> io::Result<NewFile>;
}

/// A boxed [`TableWriter`] of a format.
pub type Table<'f, R> = Box<dyn TableWriter<R> + 'f>;

/// Starts the file of a table; gives `None` if the table is not wanted.
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
    /// The compiled profile; the same for every format.
    fn model(&self) -> &TableModel;

    /// The names of its files.
    fn form(&self) -> FileForm;

    /// Starts an `operation_sequence`.
    ///
    /// # Errors
    /// Errors of the file.
    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>>;

    /// Starts the other tables for which `start` gives a file.
    ///
    /// # Errors
    /// Errors of the files, and of `start`.
    fn tables(&self, start: &mut StartFile<'_>) -> io::Result<Writers<'_>>;

    /// Starts the pack of a table. A form whose packs are ZIP archives needs none.
    ///
    /// # Errors
    /// Errors of the file.
    fn pack(&self, file: NewFile) -> io::Result<Box<dyn TablePack + '_>> {
        let name = file.temporary().map(|path| path.display().to_string()).unwrap_or_default();
        Err(io::Error::new(io::ErrorKind::Unsupported, format!("no form has packs of tables like `{name}`")))
    }
}
