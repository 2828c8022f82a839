//! Lines of CSV and their fields.
//!
//! A line break always ends a row, because no field of the tables contains one. So an unmatched quote spoils one row, not the
//! rest of the file. Quoted fields keep their doubled quotes: names are looked up in that form ([`in_field`]), and the parser of
//! payloads reads doubled quotes.

use std::io::{self, BufRead, Read};

use crate::row::RowFault;

/// The result of [`next_line`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// A line was read.
    Read,
    /// The line is longer than the limit; the rest of it was skipped.
    TooLong,
    /// The input has ended.
    End,
}

/// Reads one line of at most `limit` bytes into `line`, without `\n` or `\r\n`.
pub(super) fn next_line<R: BufRead>(input: &mut R, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
    line.clear();
    // Usually the whole line is in the buffer.
    let buffer = input.fill_buf()?;
    if let Some(end) = memchr::memchr(b'\n', buffer).filter(|&end| end <= limit) {
        let text = &buffer[..end];
        line.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        input.consume(end + 1);
        return Ok(Line::Read);
    }
    let got = input.by_ref().take(limit as u64 + 1).read_until(b'\n', line)?;
    if got == 0 {
        return Ok(Line::End);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        return Ok(Line::Read);
    }
    if got <= limit {
        return Ok(Line::Read);
    }
    skip_line(input)?;
    Ok(Line::TooLong)
}

/// Skips empty lines and gives their number, or `None` if only empty lines are left.
pub(super) fn line_ends<R: BufRead>(input: &mut R) -> io::Result<Option<u64>> {
    let mut more = 0;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let ends = buffer.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        more += memchr::memchr_iter(b'\n', &buffer[..ends]).count() as u64;
        let is_more = ends < buffer.len();
        input.consume(ends);
        if is_more {
            return Ok(Some(more));
        }
    }
}

/// Skips the rest of the line and its `\n`.
fn skip_line<R: BufRead>(input: &mut R) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            return Ok(());
        }
        let end = buffer.iter().position(|&byte| byte == b'\n');
        let used = end.map_or(buffer.len(), |at| at + 1);
        input.consume(used);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Whether a line names these columns, quoted or not, with or without a byte order mark.
pub(super) fn is_header(line: &[u8], columns: &[&str]) -> bool {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut fields: Vec<&[u8]> = vec![b""; columns.len()];
    let found = split_into(line, &mut fields);
    found == Ok(columns.len()) && fields.iter().zip(columns).all(|(field, column)| *field == column.as_bytes())
}

/// Splits a line of a sequence into its fields, without their outer quotes.
pub(super) fn split(line: &[u8]) -> Result<[&[u8]; 6], RowFault> {
    let mut fields: [&[u8]; 6] = [b""; 6];
    let found = split_into(line, &mut fields).map_err(|UnmatchedQuotes| RowFault::Quotes)?;
    if found == 6 { Ok(fields) } else { Err(RowFault::Columns { found }) }
}

/// Splits a line into fields, without their outer quotes, and gives their number. `fields` gets as many as it has room for.
pub(super) fn split_into<'a>(line: &'a [u8], fields: &mut [&'a [u8]]) -> Result<usize, UnmatchedQuotes> {
    let mut found = 0;
    let mut rest = line;
    loop {
        let (field, after) = if rest.first() == Some(&b'"') { quoted(&rest[1..])? } else { plain(rest)? };
        if let Some(slot) = fields.get_mut(found) {
            *slot = field;
        }
        found += 1;
        match after {
            Some(after) => rest = after,
            None => return Ok(found),
        }
    }
}

/// A quote that is not closed, not doubled, or in the middle of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct UnmatchedQuotes;

/// A field, and the rest of the line after its comma; `None` for the last field.
type Field<'a> = (&'a [u8], Option<&'a [u8]>);

/// An unquoted field at the start of `rest`.
fn plain(rest: &[u8]) -> Result<Field<'_>, UnmatchedQuotes> {
    let end = memchr::memchr2(b',', b'"', rest);
    match end {
        Some(at) if rest[at] == b'"' => Err(UnmatchedQuotes),
        Some(at) => Ok((&rest[..at], Some(&rest[at + 1..]))),
        None => Ok((rest, None)),
    }
}

/// A quoted field. `rest` starts behind its opening quote.
fn quoted(rest: &[u8]) -> Result<Field<'_>, UnmatchedQuotes> {
    let mut at = 0;
    loop {
        let quote = memchr::memchr(b'"', &rest[at..]).ok_or(UnmatchedQuotes)?;
        at += quote;
        match rest.get(at + 1) {
            Some(b'"') => at += 2,
            Some(b',') => return Ok((&rest[..at], Some(&rest[at + 2..]))),
            None => return Ok((&rest[..at], None)),
            Some(_) => return Err(UnmatchedQuotes),
        }
    }
}

/// A text with its quotes doubled, as the fields of [`split_into`] have them.
pub(super) fn in_field(text: &str) -> Box<[u8]> {
    text.replace('"', "\"\"").into_bytes().into()
}

/// At most `most` bytes of a field, for messages. Doubled quotes become single ones.
pub(super) fn shown(field: &[u8], most: usize) -> String {
    String::from_utf8_lossy(&field[..field.len().min(most)]).replace("\"\"", "\"")
}

/// A whole number of decimal digits that fits 64 bits.
pub(super) fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() || field.len() > 20 {
        return None;
    }
    field.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
