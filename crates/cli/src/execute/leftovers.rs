//! Temporary files that an execution left behind when it was killed.
//!
//! Promises to remove nothing but what this program would have renamed: `.<name>.<six letters or digits>`, where the name is one of
//! its own.

use std::io;
use std::path::Path;

use crate::ledger;

/// Letters and digits after the name.
const SUFFIX: usize = 6;

/// Removes what is left of files whose names begin with one of `names`.
pub(super) fn sweep(folder: &Path, names: &[&str]) -> io::Result<()> {
    let entries = match folder.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| is_leftover(name, names)) {
            ledger::remove(&entry.path())?;
        }
    }
    Ok(())
}

fn is_leftover(name: &str, names: &[&str]) -> bool {
    let Some((start, suffix)) = name.rsplit_once('.') else { return false };
    let is_suffix = suffix.len() == SUFFIX && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_suffix && start.strip_prefix('.').is_some_and(|start| names.iter().any(|name| start.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_temporary_forms_of_known_names_are_leftovers() {
        let names = ["manifest.json", "operation_sequence_"];
        for (name, expected) in [
            (".manifest.json.aB3xY9", true),
            (".operation_sequence_261121_0000001.csv.abcdef", true),
            ("manifest.json", false),
            ("manifest.json.abcdef", false),
            (".manifest.json.abcde", false),
            (".manifest.json.abc-ef", false),
            (".notes.txt.abcdef", false),
            (".bashrc", false),
            ("operation_sequence_261121_0000001.csv", false),
        ] {
            assert_eq!(is_leftover(name, &names), expected, "{name}");
        }
    }
}
