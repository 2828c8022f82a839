//! The files of a site, their damage, and the errors of finding them.

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::shown;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{Fault, ManifestKind};
use nandseq_trace::table::TableKind;

use crate::form::{Form, Forms};

/// The sites of some paths.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FoundSites {
    /// The sites, in order.
    pub sites: Vec<SiteFiles>,
    /// Notes for the user that concern no site alone: sites that a batch no longer has.
    pub notes: Vec<String>,
}

impl FoundSites {
    /// Notes that sites were left out because `list` does not list them, and how to read them.
    pub fn leave_out(&mut self, folders: &[PathBuf], list: &str) {
        const SHOWN: usize = 3;
        let names = folders.iter().take(SHOWN).map(|folder| format!("`{}`", shown(folder)));
        let names = names.collect::<Vec<_>>().join(", ");
        let note = match folders.len() {
            0 => return,
            1 => format!("{names} is not in {list} and was left out: name this folder to read it"),
            count if count <= SHOWN => {
                format!("{names} are not in {list} and were left out: name these folders to read them")
            }
            count => {
                let more = count - SHOWN;
                format!("{names} and {more} more are not in {list} and were left out: name these folders to read them")
            }
        };
        self.notes.push(note);
    }
}

/// The files of a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteFiles {
    /// The folder of the site. For a single file it is the path of that file.
    pub folder: PathBuf,
    /// The runs, in order.
    pub runs: Vec<RunFile>,
    /// The files that the manifest lists. [`compare`](super::compare) reads them.
    pub listed: Vec<ListedFile>,
    /// The damage that was found without reading the listed files.
    pub damage: Vec<Damage>,
    /// Notes for the user: runs that are missing, files that were left out.
    pub notes: Vec<String>,
    /// Whether the site has a ledger instead of a manifest: it is being made, or was killed.
    pub is_unfinished: bool,
}

impl SiteFiles {
    /// A site without files.
    pub(super) fn empty(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            runs: Vec::new(),
            listed: Vec::new(),
            damage: Vec::new(),
            notes: Vec::new(),
            is_unfinished: false,
        }
    }

    /// Leaves out the runs of which there are several files. `runs` is in order.
    pub(super) fn leave_out_ambiguous_runs(&mut self) {
        for same in std::mem::take(&mut self.runs).chunk_by(|one, other| one.run == other.run) {
            match same {
                [first, second, ..] => {
                    let what = DamageKind::TwoFiles { run: first.run, other: second.path.clone() };
                    self.damage.push(Damage { file: first.path.clone(), what });
                }
                _ => self.runs.extend_from_slice(same),
            }
        }
    }
}

/// A file that a manifest lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedFile {
    /// The path where the file should be.
    pub path: PathBuf,
    /// The digest of its contents according to the manifest.
    pub sha256: Digest,
}

/// The files of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFile {
    /// The number of the run, from the file name; 1 for a single file of another name.
    pub run: u64,
    /// The path of the sequence.
    pub path: PathBuf,
    /// The number of rows of the sequence according to the manifest, if one lists it.
    pub rows: Option<u64>,
    /// The other tables of the run that exist.
    pub tables: Vec<TableFile>,
    /// The proposer log of the run, if it exists.
    pub log: Option<PathBuf>,
}

/// A table of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableFile {
    /// The kind of table.
    pub kind: TableKind,
    /// The path of the table.
    pub path: PathBuf,
    /// The number of its rows according to the manifest, if one lists it.
    pub rows: Option<u64>,
}

/// A file that differs from the manifest, or cannot be used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// The kind of damage.
    pub what: DamageKind,
}

/// A kind of damage.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DamageKind {
    /// The file does not exist.
    #[error("listed in the manifest, but not there")]
    Missing,
    /// The path is a pipe, a device or the like, or a link to nothing. It is not read.
    #[error("not a regular file, so it was not read: move it away")]
    NotRegular,
    /// The file cannot be read, or what is in it is no sequence or table.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What is wrong, in words.
        reason: String,
    },
    /// The contents have another digest.
    #[error("changed since it was written: SHA-256 {found} instead of {listed}")]
    Changed {
        /// The digest in the manifest.
        listed: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// The file has another number of rows.
    #[error("its number of rows is {found} instead of {listed}")]
    Rows {
        /// The number in the manifest.
        listed: u64,
        /// The number in the file.
        found: u64,
    },
    /// Another file is the same run, and no manifest tells which one counts. The run is not among those of its site.
    #[error(
        "`{}` is run {run} too, so neither was read and later runs are taken without it: remove one of them",
        shown(other)
    )]
    TwoFiles {
        /// The number of the run.
        run: u64,
        /// The other file.
        other: PathBuf,
    },
    /// The manifest itself cannot be read.
    #[error("no {}: {fault}", kind.text())]
    Manifest {
        /// The kind of manifest.
        kind: ManifestKind,
        /// The fault of the manifest.
        fault: Fault,
    },
}

impl Damage {
    /// The damage of a file that cannot be read.
    pub fn unreadable(file: &Path, error: &io::Error) -> Self {
        Self { file: file.to_owned(), what: DamageKind::Unreadable { reason: plain_reason(error) } }
    }
}

/// Why the files of sites cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// A file or folder cannot be read.
    #[error("cannot read `{}`: {error}", shown(path))]
    Io {
        /// The path that was to be read.
        path: PathBuf,
        /// The error of the system.
        error: io::Error,
    },
    /// There is no sequence in the folder or below it.
    #[error("no {} in `{}` or the folders below it", sought(forms), shown(folder))]
    Nothing {
        /// The folder.
        folder: PathBuf,
        /// The forms that were searched for.
        forms: Forms,
    },
    /// A file was named more than once.
    #[error("`{}` is given twice", shown(.0))]
    Twice(PathBuf),
    /// A manifest names a file or folder outside its own folder, or has another schema. Nothing that it names is read.
    #[error("{what}")]
    Refused {
        /// A message that names the manifest and its fault.
        what: String,
        /// Whether another version of the program wrote the manifest.
        other_version: bool,
    },
}

impl FindError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}

/// The names of sequences in any of the forms, for messages.
fn sought(forms: Forms) -> String {
    forms.iter().map(Form::sought).collect::<Vec<_>>().join(" or ")
}
