//! Recognizing the files of runs by their names.
//!
//! A name is recognized only if it is exactly a name that this program writes, in any form of the tables. Other files in the same
//! folder belong to somebody else.

use std::path::Path;

use crate::file_form::{FileForm, RUN_FOLDER};
use crate::files::{FileKind, Stamp};
use crate::pack;

/// The folder of snapshots.
const SNAPSHOTS: &str = "snapshots";

/// The parts of the name of a run's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunName {
    /// The kind of file; `None` for a pack with files of several kinds.
    pub kind: Option<FileKind>,
    /// Whether it is an archive of a pack of runs.
    pub is_pack: bool,
    /// The number of the run, from 1; of a pack, that of its first run.
    pub run: u64,
    /// The date, with the time of day for a snapshot; `None` for a table of a dataset.
    pub stamp: Option<Stamp>,
}

impl RunName {
    /// Reads a name in the folder of a site, with `/` between parts. `None` for a name that no file of a run has.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some((stamp, run)) = pack::parse_pack_name(name) {
            return Some(Self { kind: None, is_pack: true, run, stamp: Some(stamp) });
        }
        let is_written = |kind, stamp, run| FileForm::ALL.iter().any(|form| form.file_name(kind, stamp, run) == name);
        let (before, last) = name.rsplit_once('/').unwrap_or(("", name));
        let start = last.rsplit_once('.')?.0;
        if let Some(run) = pack::parse_pack_folder(before) {
            let (kind, any) = (FileKind::named(start)?, Stamp::from_days_since_1970(0));
            let is_written = FileForm::ALL.iter().any(|form| form.pack_name(kind, any, run) == name);
            return is_written.then_some(Self { kind: Some(kind), is_pack: true, run, stamp: None });
        }
        if let Some(run) = before.strip_prefix(RUN_FOLDER) {
            let (kind, run) = (FileKind::named(start)?, run.parse().ok()?);
            // The name is the same on any day.
            let any = Stamp::from_days_since_1970(0);
            return is_written(kind, any, run).then_some(Self { kind: Some(kind), is_pack: false, run, stamp: None });
        }
        let (start, run) = start.rsplit_once('_')?;
        let run = run.parse().ok()?;
        let found = |kind, stamp| {
            let name = Self { kind: Some(kind), is_pack: false, run, stamp: Some(stamp) };
            is_written(kind, stamp, run).then_some(name)
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
        name == SNAPSHOTS
            || pack::parse_pack_folder(name).is_some()
            || name.strip_prefix(RUN_FOLDER).is_some_and(is_run)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use crate::file_form::Layout;

    #[test]
    fn every_name_that_is_written_is_known() {
        let stamp: Stamp = "2026-11-21".parse().unwrap();
        for (form, kind) in FileForm::ALL.into_iter().flat_map(|form| FileKind::ALL.map(|kind| (form, kind))) {
            for run in [1, 9_999_999, 12_345_678] {
                for stamp in [stamp, stamp.at_second(0), stamp.at_second(86_399), stamp.at_second(36_061)] {
                    let name = form.file_name(kind, stamp, run);
                    // The time of day is in the names of snapshots alone.
                    let stamp = if kind == FileKind::Snapshot { stamp } else { stamp.at_second(0) };
                    let has_stamp = !kind.is_table() || form.layout == Layout::Site;
                    let expected = RunName { kind: Some(kind), is_pack: false, run, stamp: has_stamp.then_some(stamp) };
                    assert_eq!(RunName::parse(&name), Some(expected), "{name}");
                    assert!(name.split_once('/').is_none_or(|(folder, _)| RunName::is_folder(folder)));
                }
            }
        }
        let of_pack = RunName { kind: None, is_pack: true, run: 101, stamp: Some(stamp) };
        assert_eq!(RunName::parse(&pack::pack_name(stamp, 101)), Some(of_pack));
        let of_table = RunName { kind: Some(FileKind::OpStateTimeline), stamp: None, ..of_pack };
        assert_eq!(RunName::parse("pack=0000101/op_state_timeline.parquet"), Some(of_table));
        assert!(RunName::is_folder("pack=0000101") && !RunName::is_folder("pack=101"));
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
            "run=+000001/operation_sequence.parquet",
            "operation_sequence_261121_0000001.parquet",
            "run=0000001/snapshot.parquet",
            "run=0000001/operation_sequence.csv",
            "pack=0000001/operation_sequence.csv",
            "pack=0000001/snapshot.parquet",
            "pack=0000001/pack_261121_0000001.zip",
            "pack=1/operation_sequence.parquet",
        ] {
            assert_eq!(RunName::parse(name), None, "{name}");
        }
    }
}
