//! What a tester says of a part in a run, the places of its files, and the errors about them.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nandseq_trace::plain_reason;
use nandseq_trace::recorded::shown;
use rust_stdf::stdf_record_type::{get_code_from_typ_sub, get_rec_name_from_code};

/// One line of a tester's answer: what a part did in a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The site at which the part was tested.
    pub site: u32,
    /// Which of the parts that were tested at the site it is, from 1.
    pub part: u32,
    /// The run.
    pub run: u32,
    /// Whether the part passed.
    pub result: PartResult,
    /// Where the file says it.
    pub record: FailRecord,
}

/// The result of a part in a run. A run may have several failed answers, one for each failing operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PartResult {
    /// The part passed.
    Passed,
    /// The part failed.
    Failed {
        /// The `op_uid` of the failing operation, if the tester says it.
        op_uid: Option<u64>,
    },
}

/// A place in a file of fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FailRecord {
    /// What is counted.
    pub kind: RecordKind,
    /// Its number within the file, from 1.
    pub number: u64,
}

/// What is counted in a file of fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    /// Lines of CSV. The first is the header.
    Line,
    /// Records of STDF, here one of this type and subtype. The first is the FAR.
    Stdf {
        /// `REC_TYP`
        typ: u8,
        /// `REC_SUB`
        sub: u8,
    },
}

impl fmt::Display for FailRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number;
        match self.kind {
            RecordKind::Line => write!(f, "line {number}"),
            RecordKind::Stdf { typ, sub } => match get_rec_name_from_code(get_code_from_typ_sub(typ, sub)) {
                name if name.len() == 3 => write!(f, "record {number} ({name})"),
                _ => write!(f, "record {number} (type {typ}, subtype {sub})"),
            },
        }
    }
}

/// Why fails cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{}`{}: {what}", shown(path), record.map(|record| format!(", {record}")).unwrap_or_default())]
pub struct FailsError {
    /// The file.
    pub path: PathBuf,
    /// Where in the file it is; `None` if it concerns the file as a whole.
    pub record: Option<FailRecord>,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl FailsError {
    /// An error about the whole file that is read.
    pub fn of_file(what: impl Into<String>) -> Self {
        Self { path: PathBuf::new(), record: None, what: what.into(), help: None }
    }

    /// An error at a place of the file that is read. [`read_fails`](crate::read_fails) adds the path.
    pub fn at(record: FailRecord, what: impl Into<String>) -> Self {
        Self { record: Some(record), ..Self::of_file(what) }
    }

    /// Says what to do.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// Says which file it is about, unless that is said.
    #[must_use]
    pub(crate) fn in_file(self, path: &Path) -> Self {
        if self.path.as_os_str().is_empty() { Self { path: path.to_owned(), ..self } } else { self }
    }

    /// Says that the file cannot be read.
    pub(crate) fn unreadable(error: &io::Error) -> Self {
        Self::of_file(format!("cannot be read: {}", plain_reason(error)))
    }
}
