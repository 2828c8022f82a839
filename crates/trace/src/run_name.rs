//! Recognizing the files of runs by their names.
//!
//! A name is recognized only if it is exactly a name that this program writes, as CSV or Parquet. Other files in the same folder
//! belong to somebody else.

use std::path::Path;

use crate::files::{FileKind, Stamp};

/// The beginning of the folder of a run in a dataset.
const RUN_FOLDER: &str = "run=";
/// The folder of snapshots.
const SNAPSHOTS: &str = "snapshots";

/// The parts of the name of a run's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunName {
    /// The kind of file.
    pub kind: FileKind,
    /// The number of the run, from 1.
    pub run: u64,
    /// The date, with the time of day for a snapshot; `None` for a table of a dataset.
    pub stamp: Option<Stamp>,
}

impl RunName {
    /// Reads a name in the folder of a site, with `/` between parts. `None` for a name that no file of a run has.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let (before, last) = name.rsplit_once('/').unwrap_or(("", name));
        if let Some(run) = before.strip_prefix(RUN_FOLDER) {
            let kind = FileKind::named(last.strip_suffix(".parquet")?).filter(|kind| kind.is_table())?;
            let run = run.parse().ok().filter(|number| format!("{number:07}") == run)?;
            return Some(Self { kind, run, stamp: None });
        }
        let (start, run) = last.rsplit_once('.')?.0.rsplit_once('_')?;
        let run = run.parse().ok()?;
        let found = |kind: FileKind, stamp: Stamp| {
            (kind.file_name(stamp, run) == name).then_some(Self { kind, run, stamp: Some(stamp) })
        };
        if let Some(stamp) = start.strip_prefix("state_snapshot_") {
            return found(FileKind::Snapshot, Stamp::with_time(stamp)?);
        }
        let (kind, stamp) = start.rsplit_once('_')?;
        let kind = if kind == "proposer_debug" { FileKind::ProposerLog } else { FileKind::named(kind)? };
        found(kind, stamp.parse().ok()?)
    }

    /// Reads the name of a snapshot that lies in any folder.
    #[must_use]
    pub fn of_snapshot(path: &Path) -> Option<Self> {
        Self::parse(&format!("{SNAPSHOTS}/{}", path.file_name()?.to_str()?))
    }

    /// Whether this program puts files of runs into a folder of this name, inside the folder of a site.
    #[must_use]
    pub fn is_folder(name: &str) -> bool {
        let is_run = |run: &str| run.len() >= 7 && run.bytes().all(|byte| byte.is_ascii_digit());
        name == SNAPSHOTS || name.strip_prefix(RUN_FOLDER).is_some_and(is_run)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn every_name_that_is_written_is_known() {
        let stamp: Stamp = "2026-11-21".parse().unwrap();
        for kind in FileKind::ALL {
            for run in [1, 9_999_999, 12_345_678] {
                for stamp in [stamp, stamp.at_second(0), stamp.at_second(86_399), stamp.at_second(36_061)] {
                    let name = kind.file_name(stamp, run);
                    let found = RunName::parse(&name).unwrap();
                    let midnight = stamp.at_second(0);
                    let stamp = if kind == FileKind::Snapshot { stamp } else { midnight };
                    assert_eq!(found, RunName { kind, run, stamp: Some(stamp) }, "{name}");
                    assert!(name.split_once('/').is_none_or(|(folder, _)| RunName::is_folder(folder)));
                }
                let name = format!("run={run:07}/{}.parquet", kind.name());
                assert_eq!(RunName::parse(&name).is_some(), kind.is_table(), "{name}");
            }
        }
        assert!(RunName::is_folder("run=0000001") && !RunName::is_folder("run=1") && !RunName::is_folder("run="));
    }

    #[test]
    fn other_names_are_somebody_elses() {
        for name in [
            "",
            "notes.txt",
            "manifest.json",
            "operation_sequence.csv",
            "operation_sequence_261121_0000001.csv.gz",
            "operation_sequence_261121_0000001.csv.bak",
            "operation_sequence_261121_0000001 (copy).csv",
            "operation_sequence_261121_1.csv",
            "operation_sequence_261121_00000001.csv",
            "operation_sequence_261321_0000001.csv",
            "operation_sequence_20261121_0000001.csv",
            "my_operation_sequence_261121_0000001.csv",
            "below/operation_sequence_261121_0000001.csv",
            "snapshot_261121_0000001.csv",
            "proposer_debug_261121_0000001.csv",
            "state_snapshot_20261121_000000_0000001.json",
            "snapshots/state_snapshot_20261121_250000_0000001.json",
            "snapshots/state_snapshot_20261121_0000_0000001.json",
            "snapshots/state_snapshot_20261121_00000é_0000001.json",
            "snapshots/state_snapshot_20261121_2320531_0000001.json",
            "snapshots/state_snapshot_20261121__0000001.json",
            "snapshots/notes.json",
            "run=0000001/notes.parquet",
            "run=1/operation_sequence.parquet",
            "run=0000001/snapshot.parquet",
            "run=0000001/operation_sequence.csv",
        ] {
            assert_eq!(RunName::parse(name), None, "{name}");
        }
    }
}
