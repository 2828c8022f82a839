//! The forms in which tables are stored: how their files are found, and which source reads them.
//!
//! A caller that searches for runs passes the list of forms that it can read: [`CSV`], and forms of other crates.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use nandseq_profile::Profile;
use nandseq_trace::files::{FileKind, PACKED};

use crate::source::{CsvFiles, Source};

/// A form in which tables are stored.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The end of the names of its files, without the point.
    pub ending: &'static str,
    /// Where the files of a run lie.
    pub layout: Layout,
    /// Makes the source that reads the tables of a profile.
    pub source: fn(&Profile) -> Box<dyn Source>,
}

/// Where the files of a run lie.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    /// In the folder of the site: `operation_sequence_<stamp>_<run>.<ending>`.
    Site,
    /// In a folder for each run: `run=<run>/operation_sequence.<ending>`.
    Dataset,
}

/// The forms that can be read.
pub type Forms = &'static [Form];

/// CSV, plain or packed by gzip.
pub const CSV: Form = Form { ending: "csv", layout: Layout::Site, source: |_| Box::new(CsvFiles) };

impl Form {
    /// Whether a path ends as the files of this form do. A `.gz` at its end is ignored.
    pub(crate) fn fits(&self, path: &Path) -> bool {
        let name = path.as_os_str().as_encoded_bytes();
        let name = name.strip_suffix(PACKED.as_bytes()).unwrap_or(name);
        name.strip_suffix(self.ending.as_bytes()).is_some_and(|name| name.ends_with(b"."))
    }

    /// The path of the sequence in a run's folder of a dataset.
    pub(crate) fn sequence_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}", FileKind::OperationSequence.name(), self.ending))
    }

    /// A pattern of the names of its sequences, for messages.
    pub(crate) fn sought(&self) -> String {
        let name = FileKind::OperationSequence.name();
        match self.layout {
            Layout::Site => format!("{name}_*.{}", self.ending),
            Layout::Dataset => format!("run=*/{name}.{}", self.ending),
        }
    }
}

/// The source for tables of several forms. The end of a file's name tells its form; any other file is read as CSV.
pub struct AnyForm(Vec<(Form, Box<dyn Source>)>);

impl AnyForm {
    /// The source for the tables of a profile in any of `forms`.
    #[must_use]
    pub fn new(forms: Forms, profile: &Profile) -> Self {
        Self(forms.iter().map(|form| (*form, (form.source)(profile))).collect())
    }
}

impl Source for AnyForm {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let fitting = self.0.iter().find(|(form, _)| form.fits(path));
        fitting.map_or_else(|| CsvFiles.open(path), |(_, source)| source.open(path))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs;
    use std::io::Read as _;

    use nandseq_profile::builtin;
    use nandseq_trace::table::TableKind;

    use super::*;
    use crate::folder::{FindError, find, find_all, find_forms};

    /// A form for this test: text in capitals.
    struct Shouted;

    impl Source for Shouted {
        fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
            Ok(Box::new(io::Cursor::new(fs::read_to_string(path)?.to_lowercase().into_bytes())))
        }
    }

    const SHOUTED: Form = Form { ending: "caps", layout: Layout::Site, source: |_| Box::new(Shouted) };
    const BY_RUN: Form = Form { ending: "caps", layout: Layout::Dataset, source: |_| Box::new(Shouted) };

    fn read(forms: Forms, path: &Path) -> String {
        let mut text = String::new();
        AnyForm::new(forms, &builtin::profile()).open(path).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn a_form_that_is_listed_is_found_and_read_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let sequence = folder.path().join("operation_sequence_261121_0000003.caps");
        fs::write(&sequence, "SEQ,TIME\n").unwrap();
        fs::write(folder.path().join("op_state_timeline_261121_0000003.caps"), "START\n").unwrap();
        let error = find(folder.path()).unwrap_err();
        assert!(error.to_string().starts_with("no operation_sequence_*.csv in"), "{error}");
        let sites = find_forms(folder.path(), &[CSV, SHOUTED]).unwrap();
        let run = &sites[0].runs[0];
        assert_eq!((run.run, &run.path, run.tables[0].kind), (3, &sequence, TableKind::OpStateTimeline));
        assert_eq!(find_all(std::slice::from_ref(&sequence), &[CSV, SHOUTED]).unwrap()[0].runs, sites[0].runs);
        assert_eq!(read(&[CSV, SHOUTED], &sequence), "seq,time\n");
        assert_eq!(read(&[CSV], &sequence), "SEQ,TIME\n");
    }

    #[test]
    fn a_form_with_a_folder_for_each_run_is_found_by_those() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path().join("run=0000002");
        fs::create_dir(&run).unwrap();
        fs::write(run.join("operation_sequence.caps"), "SEQ\n").unwrap();
        for path in [folder.path(), &run] {
            let sites = find_forms(path, &[CSV, BY_RUN]).unwrap();
            assert_eq!((sites[0].runs[0].run, &sites[0].runs[0].path), (2, &run.join("operation_sequence.caps")));
        }
        let error = find_forms(folder.path(), &[CSV, SHOUTED]).unwrap_err();
        assert!(matches!(error, FindError::Nothing { .. }));
        assert!(error.to_string().contains("no operation_sequence_*.csv or operation_sequence_*.caps in"), "{error}");
    }
}
