//! What is wrong, or worth a remark, as data: for callers that do not read text.

use nandseq_profile::diagnostic::Diagnostic;
use nandseq_profile::{Diagnostics, Severity, SourceFile};

/// One thing that is wrong, or worth a remark.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlacedProblem {
    /// `error`, `warning` or `note`.
    pub severity: &'static str,
    /// Its code; `None` for what is wrong with arguments.
    pub code: Option<&'static str>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// The file; `None` for what is wrong with arguments.
    pub file: Option<String>,
    /// The line, from 1, if one is meant.
    pub line: Option<usize>,
    /// The column, from 1, if one is meant.
    pub column: Option<usize>,
}

impl PlacedProblem {
    pub(crate) fn of(source: &SourceFile, one: &Diagnostic) -> Self {
        let span = one.primary.as_ref().map(|label| label.span);
        Self {
            severity: word(one.severity),
            code: Some(one.code),
            message: one.message.clone(),
            help: one.help.clone(),
            file: Some(source.name.clone()),
            line: span.map(|span| span.line),
            column: span.map(|span| span.column),
        }
    }

    pub(crate) fn without_place(severity: Severity, message: &str, help: Option<&str>) -> Self {
        Self {
            severity: word(severity),
            code: None,
            message: message.trim_end().to_owned(),
            help: help.map(str::to_owned),
            file: None,
            line: None,
            column: None,
        }
    }

    /// A warning about no place in a file.
    pub(crate) fn warning(message: &str) -> Self {
        Self::without_place(Severity::Warning, message, None)
    }
}

/// The word for a severity.
pub(crate) const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

/// Findings about a file, one by one.
pub(crate) fn placed(source: &SourceFile, about: &Diagnostics) -> Vec<PlacedProblem> {
    about.iter().map(|one| PlacedProblem::of(source, one)).collect()
}
