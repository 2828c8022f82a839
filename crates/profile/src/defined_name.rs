//! Checks of the names that a file defines: of cell types, bases, operations and so on.
//!
//! An accepted name fits on one line of every table, log and page, and is read back unchanged, also with quotes, backslashes,
//! commas and spaces. Control characters and line breaks are refused. A warning names those that common readers of CSV change.

use std::fmt::Write as _;

use crate::diagnostic::{Diagnostic, Diagnostics, Span, quoted};
use crate::limits::MAX_NAME_BYTES;
use crate::whole;

/// The texts that common CSV readers take for a missing value: `NA` in R, `na_values` in pandas. `NONE`, in capitals, is not
/// among them.
const MISSING: [&str; 13] =
    ["NA", "N/A", "n/a", "<NA>", "#N/A", "#NA", "NULL", "null", "NaN", "nan", "-nan", "-NaN", "None"];

/// Reports a name that is empty, too long, or not one line of text. `kind` says what has the name: "operation".
pub(crate) fn check(kind: &str, name: &str, at: Span, diagnostics: &mut Diagnostics) {
    if let Some(diagnostic) = problem(kind, name, at) {
        diagnostics.push(diagnostic);
    }
}

/// Reports a name as [`check`] does, and also a name that common CSV readers change. It is for names in columns of tables.
pub(crate) fn check_written(kind: &str, name: &str, at: Span, diagnostics: &mut Diagnostics) {
    match problem(kind, name, at) {
        Some(diagnostic) => diagnostics.push(diagnostic),
        None => warn_of_readers(kind, name, at, diagnostics),
    }
}

fn problem(kind: &str, name: &str, at: Span) -> Option<Diagnostic> {
    const HELP: &str = "a name is one line of text, without tabs and other control characters";
    if name.is_empty() {
        return Some(Diagnostic::error("bad-name", format!("this {kind} has no name")).at(at, "").help(HELP));
    }
    if name.len() > MAX_NAME_BYTES {
        let message = format!("the name of this {kind} has {} bytes, more than {MAX_NAME_BYTES}", name.len());
        return Some(Diagnostic::error("bad-name", message).at(at, ""));
    }
    let wrong = name.chars().find(|&c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))?;
    let what = match wrong {
        '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        other => {
            let mut text = String::from("the control character ");
            // Writing to a string cannot fail.
            let _ = write!(text, "U+{:04X}", u32::from(other));
            text
        }
    };
    let message = format!("the name of the {kind} {} holds {what}", quoted(name));
    Some(Diagnostic::error("bad-name", message).at(at, "").help(HELP))
}

fn warn_of_readers(kind: &str, name: &str, at: Span, diagnostics: &mut Diagnostics) {
    let read_as = if MISSING.contains(&name) {
        "a missing value (R, pandas)"
    } else if name.parse::<f64>().is_ok() || whole::whole(name).is_ok() {
        "a number (spreadsheets, R, pandas)"
    } else if name.starts_with(['=', '+', '-', '@']) {
        "a formula (spreadsheets)"
    } else {
        return;
    };
    let message = format!("common CSV readers change the {kind} {}: they take it for {read_as}", quoted(name));
    let help = "choose another name, or tell whoever reads the tables to take names as text";
    diagnostics.push(Diagnostic::warning("name-in-csv", message).at(at, "").help(help));
}
