//! Messages about a first line that is not the header of a sequence, with the likely cause.

use std::fmt;

use nandseq_profile::diagnostic::printable;

use crate::line::split_into;
use crate::row::COLUMNS;

/// How many bytes of the line are shown.
const SHOWN: usize = 80;

/// A first line that is not the header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoHeader {
    /// The beginning of the line; `None` if the file is empty.
    found: Option<String>,
    cause: &'static str,
}

impl NoHeader {
    /// The message about a first line; `None` stands for an empty file.
    pub(super) fn of(line: Option<&[u8]>) -> Self {
        let Some(line) = line else { return Self { found: None, cause: "" } };
        let text = String::from_utf8_lossy(&line[..line.len().min(SHOWN)]);
        // The zero bytes of UTF-16 and its byte order mark are not shown.
        let letters = text.trim_start_matches('\u{feff}').chars().filter(|&c| c != '\0' && c != '\u{fffd}');
        Self { found: Some(printable(letters.collect::<String>().as_bytes())), cause: cause(line) }
    }
}

impl fmt::Display for NoHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = COLUMNS.join(",");
        match self.found.as_deref() {
            None => write!(f, "the file is empty, without even the first line '{header}'"),
            Some("") => write!(f, "the first line is not '{header}' but empty"),
            Some(found) => write!(f, "the first line is not '{header}' but '{found}': {}", self.cause),
        }
    }
}

/// The likely cause, with what to do about it.
fn cause(line: &[u8]) -> &'static str {
    // Every other byte of UTF-16 is 0 if all letters are ASCII.
    let is_zero_from = |first: usize| line.len() > 1 && line.iter().skip(first).step_by(2).all(|&byte| byte == 0);
    if line.starts_with(b"\xff\xfe") || line.starts_with(b"\xfe\xff") || is_zero_from(0) || is_zero_from(1) {
        return "it is UTF-16, save it as UTF-8";
    }
    if line.iter().any(|byte| byte.is_ascii_control() && !b"\t\r".contains(byte)) {
        return "it is not text; only gzip files are unpacked, so unpack others first";
    }
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let mut fields: [&[u8]; 8] = [b""; 8];
    let found = split_into(line, &mut fields).unwrap_or(0);
    let known = |field: &&[u8]| COLUMNS.iter().any(|column| column.as_bytes() == *field);
    let is_number = |field: &[u8]| !field.is_empty() && field.iter().all(u8::is_ascii_digit);
    let separated_by = |separator: u8| {
        let mut parts = line.split(|&byte| byte == separator).map(<[u8]>::trim_ascii);
        parts.by_ref().map(unquoted).eq(COLUMNS.iter().map(|column| column.as_bytes()))
    };
    match found {
        7 if !known(&fields[0]) && fields[1..7].iter().all(known) => {
            "the first column numbers the rows, write it without (pandas: index=False, R: row.names=FALSE)"
        }
        7.. if fields[..6].iter().all(known) => "there are more columns than these six, write these alone",
        6 if fields[..6].iter().all(known) => "the columns are in another order",
        6 if is_number(fields[0]) => "the header is missing, write it as the first line",
        _ if separated_by(b';') => "the columns are separated by semicolons, write them with commas",
        _ if separated_by(b'\t') => "the columns are separated by tabs, write them with commas",
        _ if separated_by(b' ') => "the columns are separated by spaces, write them with commas",
        _ => "this is not an operation sequence",
    }
}

fn unquoted(field: &[u8]) -> &[u8] {
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_another_encoding_and_what_is_no_text_are_told_apart() {
        let utf16 = "it is UTF-16, save it as UTF-8";
        for line in [&b"s\0e\0q\0"[..], b"\0s\0e\0q", b"\xff\xfes\0e\0q\0"] {
            assert_eq!(cause(line), utf16);
        }
        for line in [&b"\xfd7zXZ\0\0\x04"[..], b"(\xb5/\xfd\x04\0", b"BZh91AY&SY\x01"] {
            assert!(cause(line).starts_with("it is not text; "), "{line:?}");
        }
        assert_eq!(cause(b"any line"), "this is not an operation sequence");
    }
}
