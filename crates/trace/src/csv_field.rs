//! Quoting of texts as CSV fields.

use std::borrow::Cow;

/// The text as a CSV field, quoted only if RFC 4180 requires it.
#[must_use]
pub fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
