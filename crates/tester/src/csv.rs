//! Fails as CSV: a header, then a line for each answer.
//!
//! The columns stand in any order, and further ones are not looked at. A run that passed has a line without an operation; a line with an
//! operation is a fail unless a column `result` says something else.

use std::io::BufRead;

use nandseq_input::MAX_LINE;
use nandseq_input::table::{Line, UnmatchedQuotes, next_line, number, split_into};
use nandseq_profile::diagnostic::nearest;

use crate::answer::{Answer, FailRecord, FailsError, PartResult, RecordKind};
use crate::field_map::FieldMap;

/// The largest number of columns.
const MOST_COLUMNS: usize = 256;

/// The places of the columns that are read.
struct FailColumns {
    site: usize,
    run: usize,
    op_uid: usize,
    result: Option<usize>,
    part: Option<usize>,
    /// The number of all columns.
    count: usize,
}

/// Reads the answers of a CSV file.
pub(crate) fn read(
    mut input: impl BufRead,
    map: &FieldMap,
    each: &mut dyn FnMut(Answer) -> Result<(), FailsError>,
) -> Result<(), FailsError> {
    let mut line = Vec::new();
    let mut columns: Option<FailColumns> = None;
    let mut record = FailRecord { kind: RecordKind::Line, number: 0 };
    loop {
        record.number += 1;
        match next_line(&mut input, &mut line, MAX_LINE).map_err(|error| FailsError::unreadable(&error))? {
            Line::End => return Ok(()),
            Line::TooLong => {
                return Err(FailsError::at(record, format!("the line is longer than {MAX_LINE} bytes")));
            }
            Line::Read if columns.is_some() && line.is_empty() => {}
            Line::Read => match &columns {
                None => columns = Some(FailColumns::of(&line, map, record)?),
                Some(columns) => each(columns.answer(&line, record)?)?,
            },
        }
    }
}

/// The fields of a line, without their outer quotes.
fn split<'a>(line: &'a [u8], fields: &mut [&'a [u8]], record: FailRecord) -> Result<usize, FailsError> {
    split_into(line, fields).map_err(|UnmatchedQuotes| FailsError::at(record, "the quotes of the line do not match"))
}

impl FailColumns {
    /// Finds the columns by a header.
    fn of(line: &[u8], map: &FieldMap, record: FailRecord) -> Result<Self, FailsError> {
        let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        let mut fields: [&[u8]; MOST_COLUMNS] = [b""; MOST_COLUMNS];
        let count = split(line, &mut fields, record)?;
        if count > MOST_COLUMNS {
            return Err(FailsError::at(record, format!("there are {count} columns, more than {MOST_COLUMNS}")));
        }
        if line.contains(&0) {
            let help = "save it as UTF-8 text, or as STDF V4";
            return Err(FailsError::at(record, "this is neither CSV nor STDF").with_help(help));
        }
        let names: Vec<String> = fields[..count].iter().map(|name| shown(name.trim_ascii())).collect();
        let find = |what: &str, mapped: &Option<String>| {
            let name = mapped.as_deref().unwrap_or(what);
            let mut places = names.iter().enumerate().filter(|(_, known)| *known == name).map(|(at, _)| at);
            match (places.next(), places.next()) {
                (at, None) => Ok((at, name.to_owned())),
                (_, Some(_)) => Err(FailsError::at(record, format!("the column `{name}` is there twice"))),
            }
        };
        let needed = |what: &str, mapped: &Option<String>| {
            let (at, name) = find(what, mapped)?;
            at.ok_or_else(|| {
                FailsError::at(record, format!("there is no column `{name}`")).with_help(help(&names, &name, what))
            })
        };
        let optional = |what: &str, mapped: &Option<String>| {
            if mapped.is_some() { needed(what, mapped).map(Some) } else { Ok(find(what, mapped)?.0) }
        };
        Ok(Self {
            site: needed("site", &map.site)?,
            run: needed("run", &map.run)?,
            op_uid: needed("op_uid", &map.op_uid)?,
            result: optional("result", &map.result)?,
            part: optional("part", &map.part)?,
            count,
        })
    }

    /// The answer of a line.
    fn answer(&self, line: &[u8], record: FailRecord) -> Result<Answer, FailsError> {
        let mut fields: [&[u8]; MOST_COLUMNS] = [b""; MOST_COLUMNS];
        let count = split(line, &mut fields, record)?;
        if count != self.count {
            let message = format!("the line has {count} columns, and the header has {}", self.count);
            return Err(FailsError::at(record, message));
        }
        let field = |at: usize| fields[at].trim_ascii();
        let whole = |what: &str, at: usize| {
            number(field(at))
                .ok_or_else(|| FailsError::at(record, format!("the {what} is no whole number: `{}`", shown(field(at)))))
        };
        let small = |what: &str, at: usize| {
            let number = whole(what, at)?;
            u32::try_from(number).map_err(|_| FailsError::at(record, format!("there is no {what} {number}")))
        };
        let op_uid = if field(self.op_uid).is_empty() { None } else { Some(whole("op_uid", self.op_uid)?) };
        let said = self.result.map(field).unwrap_or_default();
        let is = |words: [&str; 3]| words.iter().any(|word| said.eq_ignore_ascii_case(word.as_bytes()));
        let result = match op_uid {
            None if said.is_empty() || is(["pass", "passed", "p"]) => PartResult::Passed,
            Some(op_uid) if is(["pass", "passed", "p"]) => {
                let message = format!("it passed, and yet names the failing operation {op_uid}");
                return Err(FailsError::at(record, message).with_help("a run that passed has no op_uid"));
            }
            _ if said.is_empty() || is(["fail", "failed", "f"]) => PartResult::Failed { op_uid },
            _ => {
                let message = format!("the result is `{}`, neither `pass` nor `fail`", shown(said));
                return Err(FailsError::at(record, message));
            }
        };
        let part = match self.part {
            Some(at) => Some(small("part", at)?).filter(|&part| part > 0),
            None => Some(1),
        };
        let part = part.ok_or_else(|| FailsError::at(record, "parts are counted from 1, and this is part 0"))?;
        Ok(Answer { site: small("site", self.site)?, part, run: small("run", self.run)?, result, record })
    }
}

/// What to do about a missing column.
fn help(names: &[String], name: &str, what: &str) -> String {
    if let [only] = names {
        for (separator, called) in [(';', "semicolons"), ('\t', "tabs")] {
            if only.split(separator).any(|part| part.trim() == name) {
                return format!("the columns are separated by {called}: write them with commas");
            }
        }
    }
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`? --map {what}={near} says so"),
        None => format!("the first line names the columns; --map {what}=NAME says which one it is"),
    }
}

/// A text of the file, for messages.
fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(&text[..text.len().min(80)]);
    text.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() }).collect()
}
