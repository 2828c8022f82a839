//! The pack that a site is making: the archives that take the files of its runs, and the records of these runs.
//!
//! A run counts as finished when its pack is complete.

use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::format::TableFormat;
use nandseq_output::pack::{ArchivesMade, PackFiles};
use nandseq_output::run_files::Complete;
use nandseq_trace::manifest::RunRecord;

/// The packs of a site, one after another.
pub(super) struct Packs<'f> {
    folder: PathBuf,
    size: u64,
    format: &'f dyn TableFormat,
    /// Whether archives are synced at the same time.
    syncs_together: bool,
    open: Option<OpenPack<'f>>,
}

struct OpenPack<'f> {
    first: u64,
    files: PackFiles<'f>,
    records: Vec<RunRecord>,
}

impl<'f> Packs<'f> {
    /// Packs of `size` runs in the folder of a site, with tables in `format`.
    pub(super) fn new(folder: &Path, size: u64, format: &'f dyn TableFormat, syncs_together: bool) -> Self {
        Self { folder: folder.to_owned(), size, format, syncs_together, open: None }
    }

    /// The number of the first run of the pack that takes the next run, which is given by index.
    pub(super) fn first(&self, run_index: u64) -> u64 {
        self.open.as_ref().map_or(run_index + 1, |open| open.first)
    }

    /// Adds a run to its pack.
    ///
    /// # Errors
    /// Errors of the files.
    pub(super) fn add(&mut self, record: RunRecord, files: Complete<'_>) -> io::Result<()> {
        let Self { folder, format, .. } = self;
        let open = self.open.get_or_insert_with(|| OpenPack {
            first: record.run,
            files: PackFiles::new(folder, *format),
            records: Vec::new(),
        });
        open.files.add(files)?;
        open.records.push(record);
        Ok(())
    }

    /// Whether a pack ends with this run.
    pub(super) const fn end_with(&self, run_index: u64) -> bool {
        (run_index + 1).is_multiple_of(self.size)
    }

    /// Completes those archives of the pack that are to be `made`. Returns the records of its runs; none if no pack was begun.
    ///
    /// # Errors
    /// Errors of the archives, which are then removed.
    pub(super) fn close(&mut self, made: ArchivesMade) -> io::Result<Vec<RunRecord>> {
        let Some(OpenPack { files, mut records, .. }) = self.open.take() else { return Ok(Vec::new()) };
        let pack = files.finish(self.syncs_together, made)?;
        if let Some(last) = records.last_mut() {
            last.pack = pack;
        }
        Ok(records)
    }
}

/// The runs of a folder up to the end of its last whole pack, and how many are left out. The next pack begins behind them.
pub(super) fn whole(mut runs: Vec<RunRecord>, size: Option<u64>) -> (Vec<RunRecord>, u64) {
    let Some(size) = size else { return (runs, 0) };
    let all = runs.len();
    let end = runs.iter().rposition(|run| run.run.is_multiple_of(size) && !run.pack.is_empty());
    runs.truncate(end.map_or(0, |at| at + 1));
    let left_out = (all - runs.len()) as u64;
    (runs, left_out)
}
