//! Temporary files that an execution left behind when it was killed.
//!
//! Only temporary forms of this program's own file names are removed.

use std::io;
use std::path::Path;

use nandseq_output::pending::is_temporary;

use crate::ledger;

/// Removes the temporary files of files whose final names satisfy `is_ours`.
pub(crate) fn sweep(folder: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<()> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let is_leftover = entry.file_name().to_str().is_some_and(|name| is_temporary(name, &is_ours));
        // A folder with such a name is not this program's.
        if is_leftover && !entry.file_type()?.is_dir() {
            ledger::remove(&entry.path())?;
        }
    }
    Ok(())
}
