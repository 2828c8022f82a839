//! The examples of the rulebook's pages.
//!
//! A page is Markdown. Its examples are fenced blocks, for the device of `rulebook/device.yaml`:
//! - `sequence keeps` and `sequence breaks` hold a [`Script`].
//! - `csv keeps` and `csv breaks` hold rows of a sequence file without its header, for rules of the written form. The codes of
//!   the findings of a row follow ` ! ` at its end.
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

/// The `tables` examples of a page.
///
/// # Errors
/// [`NotationError`] with the line of the page that cannot be read.
pub fn table_examples(profile: &Profile, page: &str) -> Result<Vec<TableExample>, NotationError> {
    let mut examples = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, fence)) = lines.next() {
        let keeps = match fence {
            "```tables keeps" => true,
            "```tables breaks" => false,
            _ => continue,
        };
        let first = at + 1;
        let body: Vec<&str> = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
        let table = |text: &str| TableKind::ALL.into_iter().find(|kind| kind.name() == text);
        let mut end = body.iter().position(|text| table(text).is_some()).unwrap_or(body.len());
        let script = Script::parse(profile, &body[..end].join("\n"))
            .map_err(|error| NotationError { line: first + error.line, ..error })?;
        let mut tables = Vec::new();
        while let Some(kind) = body.get(end).copied().and_then(table) {
            let start = end + 1;
            let length = body[start..].iter().position(|text| table(text).is_some());
            end = length.map_or(body.len(), |length| start + length);
            let rows =
                rows(&body[start..end]).map_err(|(line, what)| NotationError { line: first + start + line, what })?;
            tables.push((kind, rows));
        }
        examples.push(TableExample { line: first, keeps, script, tables });
    }
    Ok(examples)
}

/// The `sequence` and `csv` examples of a page.
///
/// # Errors
/// [`NotationError`] with the line of the page that cannot be read.
pub fn examples(profile: &Profile, page: &str) -> Result<Vec<Example>, NotationError> {
    let mut examples = Vec::new();
    let mut lines = page.lines().enumerate();
    while let Some((at, fence)) = lines.next() {
        let Some((form, keeps)) = form(fence) else { continue };
        let body: Vec<&str> = lines.by_ref().map(|(_, text)| text).take_while(|text| *text != "```").collect();
        let first = at + 1;
        let content = match form {
            FenceForm::Sequence => ExampleContent::Sequence(
                Script::parse(profile, &body.join("\n"))
                    .map_err(|error| NotationError { line: first + error.line, ..error })?,
            ),
            FenceForm::Csv => {
                ExampleContent::Rows(rows(&body).map_err(|(line, what)| NotationError { line: first + line, what })?)
            }
        };
        examples.push(Example { line: first, keeps, content });
    }
    Ok(examples)
}

enum FenceForm {
    Sequence,
    Csv,
}

fn form(fence: &str) -> Option<(FenceForm, bool)> {
    let (form, verdict) = fence.strip_prefix("```")?.split_once(' ')?;
    let form = match form {
        "sequence" => FenceForm::Sequence,
        "csv" => FenceForm::Csv,
        _ => return None,
    };
    match verdict {
        "keeps" => Some((form, true)),
        "breaks" => Some((form, false)),
        _ => None,
    }
}

/// Rows and the codes behind them; on error, the line within the block and what is wrong.
fn rows(body: &[&str]) -> Result<Vec<ExampleRow>, (usize, String)> {
    let row = |(at, text): (usize, &&str)| {
        let (row, codes) = text.split_once(" ! ").unwrap_or((text, ""));
        let code = |name| RuleCode::from_name(name).ok_or_else(|| (at + 1, format!("no rule '{name}'")));
        Ok((row.to_owned(), codes.split_whitespace().map(code).collect::<Result<_, _>>()?))
    };
    body.iter().enumerate().map(row).collect()
}
