//! Listed files that are gone.
//!
//! A missing table or log is made again with its run. A missing snapshot is made again if the next run begins from it. Other
//! snapshots are not needed to go on, and making them again may cost as much as the campaign, so a remark tells of their loss.

use nandseq_trace::recorded::shown;
use std::fs;
use std::io;
use std::path::Path;

use nandseq_profile::diagnostic::quoted;
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::inside::InsideName;
use nandseq_trace::manifest::{FileRecord, RunRecord};

use crate::site_list::SiteList;

/// Greatest length of a list of runs that is shown, in characters.
const SHOWN: usize = 60;

/// The files that a site's folder lacks.
#[derive(Default, Debug)]
pub(super) struct Missing {
    /// Runs that are made again, by index, each with its missing files.
    pub(super) again: Vec<(u64, Outputs)>,
    /// Names of the missing files of these runs, in order.
    files: Vec<String>,
    /// Names of missing snapshots of other runs, in order.
    snapshots: Vec<String>,
}

/// The missing files of some runs; of a pack that is missing, all files of its runs are. A packed file counts as present under its longer name. An empty file counts as missing,
/// because the program writes none.
///
/// # Errors
/// When a name leads out of the folder, or cannot be followed.
pub(super) fn of(folder: &Path, runs: &[RunRecord]) -> io::Result<Missing> {
    // The files of a pack come one after another.
    let mut last: Option<(InsideName, bool)> = None;
    let mut is_gone = |file: &FileRecord| {
        let name = file.file.on_disk();
        if let Some((_, is_gone)) = last.as_ref().filter(|(last, _)| *last == name) {
            return io::Result::Ok(*is_gone);
        }
        let found = fs::metadata(name.under_or_packed(folder)?);
        let is_gone = !found.is_ok_and(|found| found.is_file() && found.len() > 0);
        last = Some((name, is_gone));
        Ok(is_gone)
    };
    let mut missing = Missing::default();
    for (at, run) in runs.iter().enumerate() {
        let mut gone: Vec<&FileRecord> = Vec::new();
        for file in &run.files {
            if is_gone(file)? {
                gone.push(file);
            }
        }
        let is_last = at + 1 == runs.len();
        let mut names: Vec<String> = gone.iter().map(|file| file.file.on_disk().as_str().to_owned()).collect();
        names.dedup();
        names.retain(|name| missing.files.iter().rev().take(FileKind::ALL.len()).all(|known| known != name));
        // The runs of a pack are made again together.
        let is_needed = |file: &&FileRecord| file.kind != FileKind::Snapshot || file.file.on_disk() != file.file;
        if gone.iter().any(|file| is_last || is_needed(file)) {
            missing.again.push((run.run_index, gone.iter().map(|file| file.kind).collect()));
            missing.files.extend(names);
        } else {
            missing.snapshots.extend(names);
        }
    }
    Ok(missing)
}

impl Missing {
    /// Remarks for the user.
    pub(super) fn remark(&self, folder: &Path) -> Vec<String> {
        let folder = shown(folder);
        let list = |files: &[String]| {
            let more = match files.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("{}{more}", quoted(files.first().map_or("", |file| file)))
        };
        let mut remarks = Vec::new();
        if let Some((first, _)) = self.again.first() {
            let numbers: Vec<u64> = self.again.iter().map(|(run_index, _)| run_index + 1).collect();
            let ranges = SiteList::of(&numbers).to_string().replace(',', ", ");
            let what = match numbers.len() {
                1 => format!("run {ranges} is made again"),
                _ if ranges.len() <= SHOWN => format!("runs {ranges} are made again"),
                count => format!("{count} runs are made again, run {} first", first + 1),
            };
            remarks.push(format!("`{folder}` lacks {} of what its manifest lists: {what}", list(&self.files)));
        }
        if !self.snapshots.is_empty() {
            remarks.push(format!(
                "`{folder}` lacks {} of what its manifest lists: snapshots that going on does not need; the same command without \
                 --resume makes them again, and everything else",
                list(&self.snapshots)
            ));
        }
        remarks
    }
}
