//! The pack that a site is making: the archive that takes the files of its runs, and the records of these runs.
//!
//! A run counts as finished when its pack is complete.

use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::pack::PackFile;
use nandseq_output::run_files::Complete;
use nandseq_trace::files::Stamp;
use nandseq_trace::manifest::RunRecord;
use nandseq_trace::pack::pack_name;

/// The packs of a site, one after another.
pub(super) struct Packs {
    folder: PathBuf,
    size: u64,
    open: Option<OpenPack>,
}

struct OpenPack {
    name: String,
    file: PackFile,
    records: Vec<RunRecord>,
}

impl Packs {
    /// Packs of `size` runs in the folder of a site.
    pub(super) fn new(folder: &Path, size: u64) -> Self {
        Self { folder: folder.to_owned(), size, open: None }
    }

    /// The name of the pack that takes the next run, by index.
    pub(super) fn name(&self, stamp: Stamp, run_index: u64) -> String {
        self.open.as_ref().map_or_else(|| pack_name(stamp, run_index + 1), |open| open.name.clone())
    }

    /// Adds a run to its pack.
    ///
    /// # Errors
    /// Errors of the files.
    pub(super) fn add(&mut self, record: RunRecord, files: Complete<'_>) -> io::Result<()> {
        let open = match &mut self.open {
            Some(open) => open,
            None => {
                let name = files.pack().unwrap_or_default().to_owned();
                let file = PackFile::create(&self.folder, &name)?;
                self.open.insert(OpenPack { name, file, records: Vec::new() })
            }
        };
        open.file.add(files)?;
        open.records.push(record);
        Ok(())
    }

    /// Whether a pack ends with this run.
    pub(super) const fn end_with(&self, run_index: u64) -> bool {
        (run_index + 1).is_multiple_of(self.size)
    }

    /// Completes the pack that is being made. Returns the records of its runs; none if no pack was begun.
    ///
    /// # Errors
    /// Errors of the archive, which is then removed.
    pub(super) fn close(&mut self) -> io::Result<Vec<RunRecord>> {
        let Some(OpenPack { file, mut records, .. }) = self.open.take() else { return Ok(Vec::new()) };
        let pack = file.finish()?;
        if let Some(last) = records.last_mut() {
            last.pack = vec![pack];
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
