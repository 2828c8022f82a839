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
const MISSING: [&str; 18] = [
    "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "NaN", "nan", "-nan", "-NaN", "None",
    "1.#IND", "1.#QNAN", "-1.#IND", "-1.#QNAN",
];

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

/// What common readers take for a yes or no, whatever the case of its letters: R and spreadsheets the first two, YAML 1.1 all but the last.
const YES_OR_NO: [&str; 8] = ["true", "false", "yes", "no", "on", "off", "t", "f"];

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Whether spreadsheets take a name for a day, or for a time of day: `2026-01-01`, `1/2`, `SEP1`, `3-March`, `12:30`.
fn is_date(name: &str) -> bool {
    let day = name.split(['T', ' ']).next().unwrap_or_default();
    let is_number = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    for (separator, least) in [('-', 2), ('/', 2), (':', 2), ('.', 3)] {
        let parts: Vec<&str> = day.split(separator).collect();
        if (least..=3).contains(&parts.len()) && parts.iter().all(|part| is_number(part)) {
            return true;
        }
    }
    // A month by its name or the beginning of it, and a number before or behind it.
    let lower = name.to_ascii_lowercase();
    let rest = lower.trim_matches(|c: char| c.is_ascii_digit() || " -/.".contains(c));
    let full = [
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "sept",
        "september",
        "october",
        "november",
        "december",
    ];
    let number = lower.replace(rest, "");
    (MONTHS.contains(&rest) || full.contains(&rest)) && is_number(number.trim_matches([' ', '-', '/', '.']))
}

/// Whether spreadsheets take a name for a share or a sum of money: `5%`, `$5`.
fn is_amount(name: &str) -> bool {
    let number = name.strip_suffix('%').or_else(|| name.trim_start_matches('-').strip_prefix(['$', '€', '£', '¥']));
    number.is_some_and(|number| number.trim().parse::<f64>().is_ok())
}

fn warn_of_readers(kind: &str, name: &str, at: Span, diagnostics: &mut Diagnostics) {
    let read_as = if MISSING.contains(&name) {
        "a missing value (R, pandas)"
    } else if name.parse::<f64>().is_ok() || whole::whole(name).is_ok() {
        "a number (spreadsheets, R, pandas)"
    } else if is_amount(name) {
        "a number (spreadsheets)"
    } else if name.starts_with(['=', '+', '-', '@']) {
        "a formula (spreadsheets)"
    } else if YES_OR_NO.iter().any(|word| name.eq_ignore_ascii_case(word)) {
        "a yes or no (spreadsheets, R, pandas, YAML 1.1)"
    } else if is_date(name) {
        "a date or a time (spreadsheets)"
    } else if name.trim() != name {
        "the same without the spaces around it (readr, spreadsheets)"
    } else {
        return;
    };
    let message = format!("common CSV readers change the {kind} {}: they take it for {read_as}", quoted(name));
    let help = "choose another name, or tell whoever reads the tables to take names as text";
    diagnostics.push(Diagnostic::warning("name-in-csv", message).at(at, "").help(help));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(name: &str) -> Option<String> {
        let mut diagnostics = Diagnostics::new();
        check_written("operation", name, Span::default(), &mut diagnostics);
        diagnostics.iter().next().map(|one| one.message.clone())
    }

    #[test]
    fn names_that_readers_change_are_warned_of_and_no_others() {
        for (part, names) in [
            ("a missing value", &["NA", "null", "1.#IND", "-1.#QNAN"][..]),
            ("a number", &["1e5", "010", "0x1F", "-3", "5%", "$5", "-$1.5"]),
            ("a formula", &["=A", "@A"]),
            ("a yes or no", &["true", "FALSE", "Yes", "no", "On", "off", "T"]),
            (
                "a date or a time",
                &["2026-01-01", "2026-01-01T10:00", "1/2", "1.2.2026", "12:30", "SEP1", "3-March", "May 5", "sept-2"],
            ),
            ("the spaces around it", &[" Read", "Read ", "\u{a0}Read"]),
        ] {
            for name in names {
                assert!(said(name).is_some_and(|said| said.contains(part)), "{name}: {:?}", said(name));
            }
        }
        for name in [
            "Read",
            "NONE",
            "SR_2",
            "MARCH",
            "Y",
            "1-2-3-4",
            "Read 1/2",
            "March_of_1",
            "MARKER1",
            "12:30:x",
            "D1",
            "A%",
            "$A",
            "No data",
        ] {
            assert_eq!(said(name), None);
        }
    }
}
