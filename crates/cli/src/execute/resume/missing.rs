//! Which of the files that a manifest lists are gone.
//!
//! A table or a log that is gone is made again with its run. A snapshot that is gone is made again where the next run would begin
//! from it; others are not needed to go on, and making them again may cost as much as the campaign: their loss is said.

use std::fs;
use std::io;
use std::path::Path;

use nandseq_profile::diagnostic::quoted;
use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::{FileRecord, RunRecord};

/// What a site's folder lacks.
#[derive(Default, Debug)]
pub(super) struct Missing {
    /// Runs that are made again, by index.
    pub(super) again: Vec<u64>,
    /// Files of theirs that are gone, in order.
    files: Vec<String>,
    /// Snapshots of other runs that are gone, in order.
    snapshots: Vec<String>,
}

/// What is gone of some runs. A file without a byte counts as gone: none is written so.
///
/// # Errors
/// When a name leads out of the folder, or cannot be followed.
pub(super) fn of(folder: &Path, runs: &[RunRecord]) -> io::Result<Missing> {
    let is_gone = |file: &FileRecord| {
        let found = fs::metadata(file.file.under(folder)?);
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
            missing.again.push(run.run_index);
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
        let folder = folder.display();
        let list = |files: &[String]| {
            let more = match files.len() {
                0 | 1 => String::new(),
                count => format!(" and {} more", count - 1),
            };
            format!("{}{more}", quoted(files.first().map_or("", |file| file)))
        };
        let mut remarks = Vec::new();
        if let Some(first) = self.again.first() {
            let what = match self.again.len() {
                1 => format!("run {} is made again", first + 1),
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
