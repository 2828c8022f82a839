//! Lines of CSV and their fields.
//!
//! A line break always ends a row, because no field of the tables contains one. So an unmatched quote spoils one row, not the
//! rest of the file. Quoted fields keep their doubled quotes: names are looked up in that form ([`in_field`]), and the parser of
//! payloads reads doubled quotes.

use std::io::{self, BufRead, Read};

use crate::row::{MAX_LINE, RowFault};

/// The result of reading a line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// A line was read.
    Read,
    /// The line is longer than [`MAX_LINE`]; it was skipped.
    TooLong,
    /// The input has ended.
    End,
}

/// Reads one line of at most `limit` bytes into `line`, without `\n` or `\r\n`. The rest of a longer line is skipped.
///
/// # Errors
/// An error of the input.
pub fn next_line<R: BufRead>(input: &mut R, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
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
    input.skip_until(b'\n')?;
    Ok(Line::TooLong)
}

/// Reads the first line of a file into `line`, as [`next_line`] does, but no longer one: what has no line break may have no end.
pub(super) fn first_line<R: BufRead>(input: &mut R, line: &mut Vec<u8>) -> io::Result<Line> {
    next_line(&mut input.take(MAX_LINE as u64 + 2), line, MAX_LINE)
}

/// The lines of a file below its header. Empty lines at the end of the file are not lines.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    row: u64,
    /// The number of empty lines that were taken from the input and not given out yet.
    empty: u64,
    ended: bool,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, row: 0, empty: 0, ended: false }
    }

    /// The number of lines that were read, which is also the number of the last one, from 1.
    pub(super) const fn rows(&self) -> u64 {
        self.row
    }

    /// The next bytes, as far as they are in memory. They are not taken. Empty at the end, or if an empty line comes next.
    pub(super) fn ahead(&mut self) -> io::Result<&[u8]> {
        if self.ended || self.empty > 0 { Ok(&[]) } else { self.input.fill_buf() }
    }

    /// Takes the next line. [`Self::ahead`] has shown that it has `len` bytes with its `\n`.
    pub(super) fn pass(&mut self, len: usize) {
        self.input.consume(len);
        self.row += 1;
    }

    /// Reads the next line into `line`, without its line end. `line` is empty if none was read.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<Line> {
        line.clear();
        if self.ended {
            return Ok(Line::End);
        }
        let mut read = Line::Read;
        if self.empty > 0 {
            self.empty -= 1;
        } else {
            read = next_line(&mut self.input, line, MAX_LINE)?;
            if read == Line::Read && line.is_empty() {
                match line_ends(&mut self.input)? {
                    Some(more) => self.empty = more,
                    None => read = Line::End,
                }
            }
        }
        match read {
            Line::Read => self.row += 1,
            Line::TooLong => {
                line.clear();
                self.row += 1;
            }
            Line::End => self.ended = true,
        }
        Ok(read)
    }
}

/// Skips empty lines and gives their number, or `None` if only empty lines are left.
fn line_ends<R: BufRead>(input: &mut R) -> io::Result<Option<u64>> {
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
///
/// # Errors
/// If quotes do not match.
pub fn split_into<'a>(line: &'a [u8], fields: &mut [&'a [u8]]) -> Result<usize, UnmatchedQuotes> {
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
pub struct UnmatchedQuotes;

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
#[must_use]
pub fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() || field.len() > 20 {
        return None;
    }
    field.iter().try_fold(0_u64, |value, byte| {
        let digit = byte.checked_sub(b'0').filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
