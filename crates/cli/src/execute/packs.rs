//! The pack that a site is making: the archives that take the files of its runs, and the records of these runs.
//!
//! A run counts as finished when its pack is complete.

use std::io;
use std::path::{Path, PathBuf};

use nandseq_output::format::TableFormat;
use nandseq_output::pack::{ArchivesMade, PackFiles};
use nandseq_output::run_files::Complete;
use nandseq_trace::manifest::RunRecord;
use nandseq_trace::recorded::shown;
use nandseq_trace::run_name::RunName;

use crate::campaign::Campaign;
use crate::failure::{Failure, Problem, warning_text};
use crate::ledger::Ledger;
use crate::tell;

/// Where the files of a site's runs go, and the list of those that are complete.
pub(super) struct SiteRuns<'f> {
    pub(super) ledger: Ledger,
    /// `None` if each run has files of its own.
    pub(super) packs: Option<Packs<'f>>,
    /// The last runs of the list, if their pack is made again with more runs. They stay until the new pack has as many.
    replaced: Vec<RunRecord>,
}

impl<'f> SiteRuns<'f> {
    /// The runs of a ledger, of which the last ones are to be `replaced`.
    pub(super) const fn new(ledger: Ledger, packs: Option<Packs<'f>>, replaced: Vec<RunRecord>) -> Self {
        Self { ledger, packs, replaced }
    }

    /// Completes the pack that is being made. Returns the records of its runs; none if no pack was begun, or if one with more of the
    /// same runs is there, which stays.
    ///
    /// # Errors
    /// Errors of the archives, which are then removed.
    pub(super) fn close_pack(&mut self) -> io::Result<Vec<RunRecord>> {
        let Some(packs) = &mut self.packs else { return Ok(Vec::new()) };
        if packs.open.as_ref().is_some_and(|open| open.records.len() < self.replaced.len()) {
            packs.open = None;
        }
        packs.close(ArchivesMade::All)
    }

    /// Lists runs whose files are complete, in the place of those that they replace.
    ///
    /// # Errors
    /// Errors of the ledger.
    pub(super) fn list(&mut self, records: &[RunRecord]) -> io::Result<()> {
        if self.replaced.is_empty() {
            return self.ledger.add(records);
        }
        self.ledger.replace_last(&std::mem::take(&mut self.replaced), records)
    }

    /// The listed runs from one on, by index, that were not made again.
    pub(super) fn kept_from(&self, run_index: u64) -> impl Iterator<Item = &RunRecord> {
        self.replaced.iter().filter(move |run| run.run_index >= run_index)
    }
}

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
        let added = open.files.add(files).map(|()| open.records.push(record));
        if added.is_err() {
            // An archive with half a run in it is not completed.
            self.open = None;
        }
        added
    }

    /// The numbers of the first and the last run of the pack that is being made.
    pub(super) fn runs(&self) -> Option<(u64, u64)> {
        let records = &self.open.as_ref()?.records;
        Some((records.first()?.run, records.last()?.run))
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

/// Tells which runs are lost with a pack that could not be written. Returns the failure.
pub(super) fn lost(runs: Option<(u64, u64)>, failure: Failure) -> Failure {
    let runs = runs.map(
        |(first, last)| {
            if first == last { format!("run {first} is") } else { format!("runs {first} to {last} are") }
        },
    );
    if let Some(runs) = runs {
        let why = "their pack could not be completed; a smaller --pack loses less";
        tell(&warning_text(&format!("{runs} not kept: {why}")));
    }
    failure
}

/// The number of the first run of the pack that a listed run is in.
pub(super) fn pack_of(listed: &RunRecord) -> Option<u64> {
    let archive = RunName::parse(listed.files.first()?.file.on_disk().as_str())?;
    archive.is_pack.then_some(archive.run)
}

/// The runs of a folder up to the end of its last whole pack, behind which the next one begins, and those behind it. Adds a remark about the latter, which are made again.
///
/// # Errors
/// When nothing is whole, and what the first pack went on from is not in the folder.
pub(super) fn whole(
    campaign: &Campaign,
    folder: &Path,
    mut runs: Vec<RunRecord>,
    remarks: &mut Vec<String>,
) -> Result<(Vec<RunRecord>, Vec<RunRecord>), Failure> {
    let Some(size) = campaign.pack else { return Ok((runs, Vec::new())) };
    let end = runs.iter().rposition(|run| run.run.is_multiple_of(size) && !run.pack.is_empty());
    let rest = runs.split_off(end.map_or(0, |at| at + 1));
    let again = match rest.as_slice() {
        [] => return Ok((runs, rest)),
        [first, ..] if runs.is_empty() && first.run_index > 0 => {
            let message =
                format!("the only pack in `{}` begins with run {}, and is to have more runs", shown(folder), first.run);
            let help = "name the folder, or the snapshot, that this folder began with: --resume PATH";
            return Err(Problem::new(message).help(help).into());
        }
        [only] => format!("run {} is", only.run),
        [first, .., last] => format!("runs {} to {} are", first.run, last.run),
    };
    remarks.push(format!("{again} made again in `{}`: more runs go into the same pack", shown(folder)));
    Ok((runs, rest))
}
