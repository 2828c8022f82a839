//! The forms in which tables are stored, each with the source that reads it.
//!
//! A caller that searches for runs passes the list of forms that it finds: [`CSV`], and forms of other crates.

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use nandseq_profile::Profile;
use nandseq_trace::file_form::{FileForm, Layout, RUN_FOLDER};
use nandseq_trace::files::FileKind;

use crate::source::{CsvFiles, FileDigests, Source};

/// A form in which tables are stored.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// The names of its files.
    pub table: FileForm,
    /// Makes the source. `None` in a build that finds the form and cannot read it.
    pub source: Option<MakeSource>,
}

/// Makes the source that reads the tables of a profile.
pub type MakeSource = fn(&Profile) -> Box<dyn Source>;

/// The forms that are found.
pub type Forms = &'static [Form];

/// CSV, plain or packed by gzip.
pub const CSV: Form = Form { table: FileForm::CSV, source: Some(|_| Box::new(CsvFiles)) };

impl Form {
    /// The form of a file among several, by the end of its name.
    #[must_use]
    pub fn of(path: &Path, forms: Forms) -> Option<&'static Self> {
        forms.iter().find(|form| form.table.fits(path))
    }

    /// The path of the sequence in a run's folder of a dataset.
    pub(crate) fn sequence_in(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.{}", FileKind::OperationSequence.name(), self.table.ending))
    }

    /// A pattern of the names of its sequences, for messages.
    pub(crate) fn sought(&self) -> String {
        let name = FileKind::OperationSequence.name();
        match self.table.layout {
            Layout::Site => format!("{name}_*.{}", self.table.ending),
            Layout::Dataset => format!("{RUN_FOLDER}*/{name}.{}", self.table.ending),
        }
    }
}

/// The source for tables of several forms. The end of a file's name tells its form; any other file is read as CSV.
pub struct AnyForm(Vec<(FileForm, Option<Box<dyn Source>>)>);

impl AnyForm {
    /// The source for the tables of a profile in any of `forms`.
    #[must_use]
    pub fn new(forms: Forms, profile: &Profile) -> Self {
        Self(forms.iter().map(|form| (form.table, form.source.map(|source| source(profile)))).collect())
    }
}

impl AnyForm {
    /// The source for a file.
    fn of(&self, path: &Path) -> io::Result<&dyn Source> {
        match self.0.iter().find(|(form, _)| form.fits(path)) {
            Some((_, Some(source))) => Ok(&**source),
            Some((_, None)) => Err(io::Error::new(io::ErrorKind::Unsupported, "this program cannot read its form")),
            None => Ok(&CsvFiles),
        }
    }
}

impl Source for AnyForm {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        self.of(path)?.open(path)
    }

    fn open_hashed(&self, path: &Path, digests: &FileDigests) -> io::Result<Box<dyn BufRead>> {
        self.of(path)?.open_hashed(path, digests)
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

    const SHOUTED: Form =
        Form { table: FileForm { ending: "caps", ..FileForm::CSV }, source: Some(|_| Box::new(Shouted)) };
    const BY_RUN: Form = Form { table: FileForm { layout: Layout::Dataset, ..SHOUTED.table }, ..SHOUTED };
    const UNREAD: Form = Form { source: None, ..SHOUTED };

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
        assert_eq!(find_all(std::slice::from_ref(&sequence), &[CSV, SHOUTED]).unwrap().sites[0].runs, sites[0].runs);
        assert_eq!(read(&[CSV, SHOUTED], &sequence), "seq,time\n");
        assert_eq!(read(&[CSV], &sequence), "SEQ,TIME\n");
        let refused = AnyForm::new(&[CSV, UNREAD], &builtin::profile()).open(&sequence).err().unwrap();
        assert_eq!(refused.kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn renamed_sequences_are_joined_in_every_form() {
        let folder = tempfile::tempdir().unwrap();
        let header = crate::COLUMNS.join(",");
        let paths = [(1, "one.caps"), (2, "two.caps")].map(|(uid, name)| {
            let path = folder.path().join(name);
            fs::write(&path, format!("{header}\n1,0.5,0,X,{uid},[{{}}]\n").to_uppercase()).unwrap();
            path
        });
        for (forms, sites) in [(&[CSV, SHOUTED] as Forms, 1), (&[CSV, BY_RUN], 1), (&[CSV], 2), (&[CSV, UNREAD], 2)] {
            assert_eq!(find_all(&paths, forms).unwrap().sites.len(), sites, "{forms:?}");
        }
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
