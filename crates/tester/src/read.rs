//! Reading a file of fails, whose contents tell whether it is CSV or STDF.

use std::io::BufRead;
use std::path::Path;

use nandseq_input::{CsvFiles, Source};

use crate::answer::{Answer, FailsError};
use crate::field_map::FieldMap;
use crate::{csv, stdf};

/// Reads a file of fails and calls `each` for every answer, in the order of the file. The contents tell CSV from STDF; either may
/// be packed by gzip, and `-` is standard input. Memory does not grow with the file.
///
/// # Errors
/// [`FailsError`] at the first line or record that is wrong, or what `each` returns.
pub fn read_fails(
    path: &Path,
    map: &FieldMap,
    each: &mut dyn FnMut(Answer) -> Result<(), FailsError>,
) -> Result<(), FailsError> {
    let mut read = || {
        let unreadable = |error| FailsError::unreadable(&error);
        let mut input = CsvFiles.open(path).map_err(unreadable)?;
        match input.fill_buf().map_err(unreadable)?.first() {
            None => Err(FailsError::of_file("the file is empty")),
            // The length of a FAR, in one byte order or the other. No text begins so.
            Some(0 | 2) => stdf::read(input, map, each),
            Some(_) => csv::read(input, map, each),
        }
    };
    read().map_err(|error| error.in_file(path))
}
