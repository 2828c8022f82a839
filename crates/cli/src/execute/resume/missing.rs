//! Which of the files that a manifest lists are gone.
//!
//! A table or a log that is gone is made again with its run. A snapshot that is gone is made again where the next run would begin
//! from it; others are not needed to go on, and making them again may cost as much as the campaign: their loss is said.

use nandseq_trace::recorded::shown;
use std::fs;
use std::io;
use std::path::Path;

use nandseq_profile::diagnostic::quoted;
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::manifest::{FileRecord, RunRecord};

use crate::site_list::SiteList;

/// The longest list of runs that is shown, characters.
const SHOWN: usize = 60;

/// What a site's folder lacks.
#[derive(Default, Debug)]
pub(super) struct Missing {
    /// Runs that are made again, by index, and which files of theirs are gone.
    pub(super) again: Vec<(u64, Outputs)>,
    /// Files of theirs that are gone, in order.
    files: Vec<String>,
    /// Snapshots of other runs that are gone, in order.
    snapshots: Vec<String>,
}

/// What is gone of some runs. A file that was packed is there under its longer name; one without a byte counts as gone: none is written
/// so.
///
/// # Errors
/// When a name leads out of the folder, or cannot be followed.
pub(super) fn of(folder: &Path, runs: &[RunRecord]) -> io::Result<Missing> {
    let is_gone = |file: &FileRecord| {
        let found = fs::metadata(file.file.under_or_packed(folder)?);
        io::Result::Ok(!found.is_ok_and(|found| found.is_file() && found.len() > 0))
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
        let names = gone.iter().map(|file| file.file.as_str().to_owned());
        if gone.iter().any(|file| is_last || file.kind != FileKind::Snapshot) {
            missing.again.push((run.run_index, gone.iter().map(|file| file.kind).collect()));
            missing.files.extend(names);
        } else {
            missing.snapshots.extend(names);
        }
    }
    Ok(missing)
}

impl Missing {
    /// What to say about it.
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
