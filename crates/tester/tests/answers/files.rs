//! Reads the bytes of a file of fails.

use std::fs;

use nandseq_tester::{Answer, FieldMap, PartResult, read_fails};

/// The answers as text: `site run` or `site run op_uid`, with the part where it is not the first; or the error without the path.
pub(crate) fn answers(bytes: &[u8], map: &str) -> Result<Vec<String>, String> {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let path = folder.path().join("fails");
    fs::write(&path, bytes).unwrap();
    let map: FieldMap = if map.is_empty() { FieldMap::default() } else { map.parse().unwrap() };
    let mut found = Vec::new();
    let read = read_fails(&path, &map, &mut |Answer { site, part, run, result, .. }| {
        let part = if part == 1 { String::new() } else { format!(" part {part}") };
        found.push(match result {
            PartResult::Passed => format!("{site} {run} passed{part}"),
            PartResult::Failed { op_uid: None } => format!("{site} {run} failed{part}"),
            PartResult::Failed { op_uid: Some(uid) } => format!("{site} {run} failed at {uid}{part}"),
        });
        Ok(())
    });
    match read {
        Ok(()) => Ok(found),
        Err(error) => {
            let help = error.help.as_ref().map(|help| format!(" [{help}]")).unwrap_or_default();
            let text = error.to_string();
            let name = format!("`{}`", path.display());
            Err(format!("{}{help}", text.strip_prefix(&name).unwrap_or(&text)))
        }
    }
}
