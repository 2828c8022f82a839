//! Typed values as fields of lines, for sources whose tables are not text.
//!
//! The fields are those that the same values have in CSV. Leaves out where the values come from.

use std::collections::HashMap;
use std::io::{self, Write};

use nandseq_profile::Profile;
use nandseq_profile::model::PayloadField;
use nandseq_trace::csv_field;

/// For each op name, whether its payload has the field of the expected status. A null in that field is then part of the payload.
#[derive(Clone, Default, Debug)]
pub struct ExpectingOps(HashMap<String, bool>);

impl ExpectingOps {
    /// The op names of a profile.
    #[must_use]
    pub fn of(profile: &Profile) -> Self {
        let expects = |base| profile.bases[base].payload.contains(&PayloadField::ExpectedStatus);
        Self(profile.ops.iter().map(|op| (op.name.clone(), expects(op.base))).collect())
    }

    /// Whether the payload of an operation has the field.
    #[must_use]
    pub fn has(&self, op: &str) -> bool {
        self.0.get(op).copied().unwrap_or_default()
    }
}

/// Appends a JSON string in a quoted field. Characters are escaped as in JSON, and quotes are doubled because the field is
/// quoted.
///
/// # Errors
/// Never, because a buffer takes every byte: it is a result like that of [`put_text`].
pub fn put_json(text: &str, line: &mut Vec<u8>) -> io::Result<()> {
    line.extend_from_slice(b"\"\"");
    for byte in text.bytes() {
        match byte {
            b'"' => line.extend_from_slice(b"\\\"\""),
            b'\\' => line.extend_from_slice(b"\\\\"),
            0..=31 => write!(line, "\\u{byte:04x}")?,
            other => line.push(other),
        }
    }
    line.extend_from_slice(b"\"\"");
    Ok(())
}

/// Appends a text as a field, quoted if necessary.
///
/// # Errors
/// For a line break, because a row of these tables is one line.
pub fn put_text(text: &str, line: &mut Vec<u8>) -> io::Result<()> {
    if text.contains(['\n', '\r']) {
        let what = format!("{text:?} contains a line break, which no name of these tables does");
        return Err(io::Error::new(io::ErrorKind::InvalidData, what));
    }
    line.extend_from_slice(csv_field(text).as_bytes());
    Ok(())
}

/// Appends an exact decimal with at least one digit after the point. It has at most 38 digits after it.
pub fn put_decimal(number: i128, digits: usize, line: &mut Vec<u8>) {
    let size = number.unsigned_abs();
    // The digits after the point with a one before them, so that zeros at their beginning are written.
    let (whole, behind) = match u64::try_from(size) {
        Ok(size) if digits < 19 => {
            let one = 10u64.pow(digits as u32);
            ((size / one).into(), (one + size % one).into())
        }
        _ => {
            let one = 10u128.pow(digits as u32);
            (size / one, one + size % one)
        }
    };
    if number < 0 {
        line.push(b'-');
    }
    line.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    line.push(b'.');
    let mut buffer = itoa::Buffer::new();
    let behind = buffer.format::<u128>(behind)[1..].trim_end_matches('0');
    line.extend_from_slice(if behind.is_empty() { b"0" } else { behind.as_bytes() });
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn decimals_are_exact_with_at_least_one_digit_after_the_point() {
        let text = |number, digits| {
            let mut line = Vec::new();
            put_decimal(number, digits, &mut line);
            String::from_utf8(line).unwrap()
        };
        let texts = [(0, 6), (1, 6), (500_000_000, 6), (7_500_085_000, 6), (37, 2), (100, 2), (12, 0), (-1, 6)];
        let texts = texts.map(|(number, digits)| text(number, digits));
        assert_eq!(texts, ["0.0", "0.000001", "500.0", "7500.085", "0.37", "1.0", "12.0", "-0.000001"]);
        assert_eq!(text(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
    }

    #[test]
    fn no_text_becomes_another_one_or_ends_its_field() {
        let mut line = Vec::new();
        put_text("a,\"b\"", &mut line).unwrap();
        assert_eq!(line, b"\"a,\"\"b\"\"\"");
        for broken in ["a\nb", "a\r", "\n"] {
            let error = put_text(broken, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains("contains a line break"), "{error}");
        }
        line.clear();
        put_json("x\",\n\\y", &mut line).unwrap();
        assert_eq!(line, b"\"\"x\\\"\",\\u000a\\\\y\"\"");
    }
}
