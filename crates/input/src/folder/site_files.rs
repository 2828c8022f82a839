//! The files of a site, what is wrong with them, and why there may be none.

use nandseq_trace::recorded::shown;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{Fault, ManifestKind};
use nandseq_trace::table::TableKind;

use crate::form::{Form, Forms};

/// The sequences of a site.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SiteFiles {
    /// Its folder; of a single file, that file.
    pub folder: PathBuf,
    /// Its runs, in order.
    pub runs: Vec<RunFile>,
    /// The files that its manifest lists, which nobody has looked into yet: see [`compare`](super::compare).
    pub listed: Vec<ListedFile>,
    /// What else is not as the manifest says.
    pub damage: Vec<Damage>,
    /// What a reader of a verdict should know: runs that are not there, files left out.
    pub notes: Vec<String>,
    /// Whether it has a ledger in place of a manifest: it is being made, or was killed.
    pub is_unfinished: bool,
}

impl SiteFiles {
    /// A site of which nothing is known yet.
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
}

/// A file that a manifest lists.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedFile {
    /// Where it should be.
    pub path: PathBuf,
    /// What the manifest says of its contents.
    pub sha256: Digest,
}

/// The sequence of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunFile {
    /// Its number, from the file name; 1 for a single file of another name.
    pub run: u64,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows the manifest says it has.
    pub rows: Option<u64>,
    /// The tables of the run that are there.
    pub tables: Vec<TableFile>,
    /// The log of its proposals, if it is there.
    pub log: Option<PathBuf>,
}

/// A table of a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableFile {
    /// Which one.
    pub kind: TableKind,
    /// Where it is.
    pub path: PathBuf,
    /// How many rows the manifest says it has.
    pub rows: Option<u64>,
}

/// A file that is not what the manifest says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Damage {
    /// Which file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub what: DamageKind,
}

/// How a file can differ from what the manifest says.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DamageKind {
    /// It is not there.
    #[error("listed in the manifest, but not there")]
    Missing,
    /// It is a pipe, a device or the like, or a link to nothing: nobody reads it.
    #[error("no regular file, so it was not read: move it away")]
    NotRegular,
    /// Its contents are others.
    #[error("changed since it was written: SHA-256 {found} instead of {listed}")]
    Changed {
        /// According to the manifest.
        listed: Digest,
        /// Of the file.
        found: Digest,
    },
    /// It has another number of rows.
    #[error("its number of rows is {found} instead of {listed}")]
    Rows {
        /// According to the manifest.
        listed: u64,
        /// In the file.
        found: u64,
    },
    /// The manifest itself cannot be read.
    #[error("no {}: {fault}", kind.text())]
    Manifest {
        /// What it is of.
        kind: ManifestKind,
        /// What is wrong with it.
        fault: Fault,
    },
}

/// Why there is nothing to read.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The file system says no.
    #[error("cannot read `{}`: {error}", shown(path))]
    Io {
        /// What was to be read.
        path: PathBuf,
        /// Why it could not be.
        error: io::Error,
    },
    /// No sequence in the folder or below it.
    #[error("no {} in `{}` or the folders below it", sought(forms), shown(folder))]
    Nothing {
        /// The folder.
        folder: PathBuf,
        /// What was looked for.
        forms: Forms,
    },
    /// Two files of one run, and no manifest to say which one counts.
    #[error("two files of run {run}, `{}` and `{}`: remove one of them", shown(first), shown(second))]
    TwoFiles {
        /// The run.
        run: u64,
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file was named more than once.
    #[error("`{}` is given twice", shown(.0))]
    Twice(PathBuf),
    /// A manifest names a file or folder that does not lie in its own, or is of another form: nothing of that is read.
    #[error("{what}")]
    Refused {
        /// Which manifest, and what is wrong with it.
        what: String,
        /// Whether another version wrote it.
        other_version: bool,
    },
}

impl FindError {
    pub(super) fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}

fn sought(forms: Forms) -> String {
    forms.iter().map(Form::sought).collect::<Vec<_>>().join(" or ")
}
