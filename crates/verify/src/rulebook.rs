//! The examples of the rulebook's pages.
//!
//! A page is Markdown. Its examples are fenced blocks, for the device of `rulebook/device.yaml`:
//! - `sequence keeps` and `sequence breaks` hold a [`Script`].
//! - `csv keeps` and `csv breaks` hold rows of a sequence file without its header, for rules of the written form. The codes of
//!   the findings of a row follow ` ! ` at its end.
//! - `expected keeps` and `expected breaks` hold a [`Script`] for the same device with expected data and full status.
//! - `tables keeps` and `tables breaks` hold a [`Script`], then tables of its run without their headers, each below a line with
//!   its name. Codes follow rows as in `csv`. A row `…` with codes stands for rows that are missing at the end of a table.

use nandseq_profile::Profile;
use nandseq_trace::table::TableKind;

use crate::notation::{NotationError, Script};
use crate::rule::RuleCode;

/// An example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Example {
    /// The line of its fence in the page, from 1.
    pub line: usize,
    /// Whether it keeps every rule.
    pub keeps: bool,
    /// Its content.
    pub content: ExampleContent,
}

/// The content of an example.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ExampleContent {
    /// Operations, with the rules that they break.
    Sequence(Script),
    /// Rows of a file, with the rules that they break.
    Rows(Vec<ExampleRow>),
}

/// A row as written, and the codes of its findings.
pub type ExampleRow = (String, Vec<RuleCode>);

/// An example of tables beside a sequence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableExample {
    /// The line of its fence in the page, from 1.
    pub line: usize,
    /// Whether the tables agree with the sequence.
    pub keeps: bool,
    /// The sequence, which breaks nothing.
    pub script: Script,
    /// The tables, with the rules that their rows break. A last row [`NO_ROW`] stands for rows that are missing at the end of a
    /// table.
    pub tables: Vec<(TableKind, Vec<ExampleRow>)>,
}

/// Stands for rows that are missing.
pub const NO_ROW: &str = "…";

/// A fenced block of a page that says whether it keeps every rule.
struct Fence<'a> {
    /// Its line in the page, from 1.
    line: usize,
    form: &'a str,
    keeps: bool,
    body: Vec<&'a str>,
}

/// The `tables` examples of a page.
///
/// # Errors
/// [`NotationError`] with the line of the page that cannot be read.
pub fn table_examples(profile: &Profile, page: &str) -> Result<Vec<TableExample>, NotationError> {
    let mut examples = Vec::new();
    for Fence { line, keeps, body, .. } in fences(page).filter(|fence| fence.form == "tables") {
        let table = |text: &str| TableKind::ALL.into_iter().find(|kind| kind.name() == text);
        let mut end = body.iter().position(|text| table(text).is_some()).unwrap_or(body.len());
        let script = script(profile, line, &body[..end])?;
        let mut tables = Vec::new();
        while let Some(kind) = body.get(end).copied().and_then(table) {
            let start = end + 1;
            let length = body[start..].iter().position(|text| table(text).is_some());
            end = length.map_or(body.len(), |length| start + length);
            tables.push((kind, rows(line + start, &body[start..end])?));
        }
        examples.push(TableExample { line, keeps, script, tables });
    }
    Ok(examples)
}

/// The `expected` examples of a page, for a profile that expects data and full status.
///
/// # Errors
/// [`NotationError`] with the line of the page that cannot be read.
pub fn expected_examples(profile: &Profile, page: &str) -> Result<Vec<Example>, NotationError> {
    let found = fences(page).filter(|fence| fence.form == "expected");
    found
        .map(|Fence { line, keeps, body, .. }| {
            Ok(Example { line, keeps, content: ExampleContent::Sequence(script(profile, line, &body)?) })
        })
        .collect()
}

/// The `sequence` and `csv` examples of a page.
///
/// # Errors
/// [`NotationError`] with the line of the page that cannot be read.
pub fn examples(profile: &Profile, page: &str) -> Result<Vec<Example>, NotationError> {
    let mut examples = Vec::new();
    for Fence { line, form, keeps, body } in fences(page) {
        let content = match form {
            "sequence" => ExampleContent::Sequence(script(profile, line, &body)?),
            "csv" => ExampleContent::Rows(rows(line, &body)?),
            _ => continue,
        };
        examples.push(Example { line, keeps, content });
    }
    Ok(examples)
}

fn fences(page: &str) -> impl Iterator<Item = Fence<'_>> {
    let mut lines = page.lines().zip(1..);
    std::iter::from_fn(move || {
        let (line, form, keeps) = lines.find_map(|(text, line)| {
            let (form, verdict) = text.strip_prefix("```")?.split_once(' ')?;
            match verdict {
                "keeps" => Some((line, form, true)),
                "breaks" => Some((line, form, false)),
                _ => None,
            }
        })?;
        let body = lines.by_ref().map(|(text, _)| text).take_while(|text| *text != "```").collect();
        Some(Fence { line, form, keeps, body })
    })
}

/// The script in the lines that follow `line`.
fn script(profile: &Profile, line: usize, body: &[&str]) -> Result<Script, NotationError> {
    Script::parse(profile, &body.join("\n")).map_err(|error| NotationError { line: line + error.line, ..error })
}

/// The rows in the lines that follow `line`, and the codes behind them.
fn rows(line: usize, body: &[&str]) -> Result<Vec<ExampleRow>, NotationError> {
    let row = |(text, line): (&&str, usize)| {
        let (row, codes) = text.split_once(" ! ").unwrap_or((text, ""));
        let code =
            |name| RuleCode::from_name(name).ok_or_else(|| NotationError { line, what: format!("no rule '{name}'") });
        Ok((row.to_owned(), codes.split_whitespace().map(code).collect::<Result<_, _>>()?))
    };
    body.iter().zip(line + 1..).map(row).collect()
}
