//! The forms in which the tables of a run are stored: what their files are called, where they lie, and how the place of a row is said.
//!
//! [`FileForm::ALL`] is the one list of them. Writers, readers, and whoever looks for files of runs take names from here.
//! Leaves out what writes a form and what reads it.

use std::path::Path;

use crate::files::{FileKind, PACKED, Stamp};
use crate::pack;

/// The beginning of the name of a run's folder in a dataset.
pub const RUN_FOLDER: &str = "run=";

/// A form in which tables are stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileForm {
    /// The end of the names of its files, without the point.
    pub ending: &'static str,
    /// Where the files of a run lie.
    pub layout: Layout,
    /// How the place of a row is said.
    pub numbering: Numbering,
}

/// Where the files of a run lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// In the folder of the site: `operation_sequence_<stamp>_<run>.<ending>`.
    Site,
    /// In a folder for each run: `run=<run>/operation_sequence.<ending>`.
    Dataset,
}

/// How the place of a row is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Numbering {
    /// Each row is a line of text, after so many lines of a header. Files can be compared line by line.
    Lines {
        /// Lines before the first row.
        header: u64,
    },
    /// Files have no lines: a row has its number.
    Rows,
}

impl FileForm {
    /// Text with a header.
    pub const CSV: Self = Self { ending: "csv", layout: Layout::Site, numbering: Numbering::Lines { header: 1 } };
    /// Columns, in folders that readers take for one dataset.
    pub const PARQUET: Self = Self { ending: "parquet", layout: Layout::Dataset, numbering: Numbering::Rows };
    /// All forms.
    pub const ALL: [Self; 2] = [Self::CSV, Self::PARQUET];

    /// The form of a file by its name; CSV for a name that no form has.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        Self::ALL.into_iter().find(|form| form.fits(path)).unwrap_or(Self::CSV)
    }

    /// Whether the end of a path, that of a packed file without `.gz`, is of this form.
    #[must_use]
    pub fn fits(self, path: &Path) -> bool {
        let name = path.as_os_str().as_encoded_bytes();
        let name = name.strip_suffix(PACKED.as_bytes()).unwrap_or(name);
        name.strip_suffix(self.ending.as_bytes()).is_some_and(|name| name.ends_with(b"."))
    }

    /// The name of the file of a run (numbered from 1) in the folder of its site: `operation_sequence_261121_0000001.csv`,
    /// `run=0000001/operation_sequence.parquet`; in every form `snapshots/state_snapshot_20261121_000000_0000001.json` and
    /// `proposer_debug_261121_0000001.log`.
    #[must_use]
    pub fn file_name(self, kind: FileKind, stamp: Stamp, run: u64) -> String {
        let Self { ending, layout, .. } = self;
        match kind {
            FileKind::OperationSequence
            | FileKind::OperationTimeline
            | FileKind::OpStateTimeline
            | FileKind::AddressTouchCount
            | FileKind::OpStateNameInputTimeCount
            | FileKind::PhaseProposalCounts => match layout {
                Layout::Site => format!("{}_{stamp}_{run:07}.{ending}", kind.name()),
                Layout::Dataset => format!("{RUN_FOLDER}{run:07}/{}.{ending}", kind.name()),
            },
            FileKind::Snapshot => format!("snapshots/state_snapshot_{}_{run:07}.json", stamp.date_and_time()),
            FileKind::ProposerLog => format!("proposer_debug_{stamp}_{run:07}.log"),
        }
    }

    /// The name of the archive that takes the files of a kind in the pack that begins with run `first`, in the folder of the site:
    /// `pack_261121_0000001.zip`; for a table of a dataset `pack=0000001/operation_sequence.parquet`.
    #[must_use]
    pub fn pack_name(self, kind: FileKind, stamp: Stamp, first: u64) -> String {
        match self.layout {
            Layout::Dataset if kind.is_table() => {
                format!("{}/{}.{}", pack::pack_folder(first), kind.name(), self.ending)
            }
            Layout::Dataset | Layout::Site => pack::pack_name(stamp, first),
        }
    }

    /// The folder of the site that a table belongs to.
    #[must_use]
    pub fn site_folder(self, table: &Path) -> Option<&Path> {
        if let Some((archive, _)) = pack::split(table) {
            return Some(pack::site_folder(archive));
        }
        let folder = table.parent()?;
        let is_of_run =
            folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(RUN_FOLDER));
        match self.layout {
            Layout::Dataset if is_of_run => folder.parent(),
            Layout::Dataset | Layout::Site => Some(folder),
        }
    }

    /// The line of a row, numbered from 1, in a file that has lines; row 0 is the header.
    #[must_use]
    pub fn line(self, row: u64) -> Option<u64> {
        match self.numbering {
            Numbering::Lines { header } => Some(row + header).filter(|line| *line > 0),
            Numbering::Rows => None,
        }
    }

    /// What follows the name of a file where the place of a row is said: `:6`, or `, row 5`.
    #[must_use]
    pub fn place(self, row: u64) -> String {
        match (self.line(row), row) {
            (Some(line), _) => format!(":{line}"),
            (None, 0) => String::new(),
            (None, row) => format!(", row {row}"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_run_is_seven_digits_of_the_name() {
        let stamp = "261121".parse().unwrap();
        let name = |kind, run| FileForm::CSV.file_name(kind, stamp, run);
        assert_eq!(name(FileKind::OperationSequence, 1), "operation_sequence_261121_0000001.csv");
        assert_eq!(name(FileKind::OperationSequence, 12_345_678), "operation_sequence_261121_12345678.csv");
        assert_eq!(name(FileKind::ProposerLog, 1), "proposer_debug_261121_0000001.log");
        let name = FileForm::PARQUET.file_name(FileKind::OperationTimeline, stamp, 1);
        assert_eq!(name, "run=0000001/operation_timeline.parquet");
    }

    #[test]
    fn a_snapshot_has_the_whole_year_and_the_time_of_day_in_its_name() {
        let stamp: Stamp = "261121".parse().unwrap();
        let name = |stamp| FileForm::PARQUET.file_name(FileKind::Snapshot, stamp, 1);
        assert_eq!(name(stamp), "snapshots/state_snapshot_20261121_000000_0000001.json");
        let second = 23 * 3600 + 20 * 60 + 53;
        assert_eq!(name(stamp.at_second(second)), "snapshots/state_snapshot_20261121_232053_0000001.json");
    }

    #[test]
    fn every_form_knows_its_files_and_their_site() {
        let (stamp, site) = ("261121".parse().unwrap(), Path::new("out/site"));
        for form in FileForm::ALL {
            let table = site.join(form.file_name(FileKind::OperationSequence, stamp, 1));
            assert_eq!((FileForm::of(&table), form.site_folder(&table)), (form, Some(site)), "{form:?}");
            let packed = site.join(form.pack_name(FileKind::OperationSequence, stamp, 1));
            let packed = packed.join(form.file_name(FileKind::OperationSequence, stamp, 7));
            assert_eq!((FileForm::of(&packed), form.site_folder(&packed)), (form, Some(site)), "{form:?}");
            assert_eq!(form.pack_name(FileKind::Snapshot, stamp, 1), "pack_261121_0000001.zip");
            let renamed = site.join(format!("mine.{}", form.ending));
            assert_eq!((FileForm::of(&renamed), form.site_folder(&renamed)), (form, Some(site)), "{form:?}");
            assert_eq!(FileForm::of(&site.join(format!("mine.{}.gz", form.ending))), form);
        }
        assert_eq!(FileForm::of(Path::new("-")), FileForm::CSV);
    }

    #[test]
    fn a_row_has_a_line_where_its_file_has_lines() {
        let places = |form: FileForm| [0, 5].map(|row| form.place(row));
        assert_eq!(places(FileForm::CSV), [":1", ":6"]);
        assert_eq!(places(FileForm::PARQUET), ["", ", row 5"]);
        assert_eq!(places(FileForm { numbering: Numbering::Lines { header: 0 }, ..FileForm::CSV }), ["", ":5"]);
    }
}
