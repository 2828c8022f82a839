//! A sequence that the user names directly. It is a site of its own.

use std::path::Path;

use nandseq_trace::pack;

use super::names::{beside, log_of, place_of};
use super::site_files::{FindError, RunFile, SiteFiles, TableFile};
use crate::archive;
use crate::form::Forms;
use crate::source::STANDARD_INPUT;

/// Whether a path is a file or standard input rather than a folder.
pub(super) fn is_file(path: &Path) -> Result<bool, FindError> {
    if path == Path::new(STANDARD_INPUT) {
        return Ok(true);
    }
    if pack::split(path).is_some() {
        return archive::open(path).map(|_| true).map_err(|error| FindError::io(path, error));
    }
    path.metadata().map(|about| !about.is_dir()).map_err(|error| FindError::io(path, error))
}

/// A sequence and the tables beside it.
pub(super) fn run(path: &Path, forms: Forms) -> RunFile {
    let run = place_of(path, forms).map_or(1, |(_, run)| run);
    let tables = beside(path, forms).map(|(kind, path)| TableFile { kind, path, rows: None }).collect();
    RunFile { run, path: path.to_owned(), rows: None, tables, log: log_of(path, forms, &mut None, |_| true) }
}

/// A site of a single sequence.
pub(super) fn alone(path: &Path, forms: Forms) -> SiteFiles {
    let runs = vec![run(path, forms)];
    let notes = missing_runs(&runs);
    SiteFiles { notes, runs, ..SiteFiles::empty(path) }
}

/// One note for each gap in the run numbers.
pub(super) fn missing_runs(runs: &[RunFile]) -> Vec<String> {
    let mut expected = 1;
    let mut notes = Vec::new();
    for file in runs {
        if file.run > expected {
            let last = file.run - 1;
            let which =
                if last == expected { format!("run {last} is") } else { format!("runs {expected} to {last} are") };
            notes.push(format!("{which} not there: run {} is judged as if nothing had happened in between", file.run));
        }
        expected = file.run.saturating_add(1);
    }
    notes
}
