//! Where the text of a table comes from.
//!
//! The readers of this crate know one form, lines of CSV. Tables that are stored otherwise are read through a [`Source`], which
//! gives them in that form: whatever looks at rows sees the same ones, and there is one place that says what a row means.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Opens the tables of runs as text.
pub trait Source: Sync {
    /// The text of a table as CSV, its header first.
    ///
    /// # Errors
    /// When the file cannot be read, or is not what its name says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>>;
}

/// Files that are CSV already.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct CsvFiles;

impl Source for CsvFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::with_capacity(1 << 16, File::open(path)?)))
    }
}
