//! Texts as fields of CSV.

use std::borrow::Cow;

/// A CSV field, quoted only where RFC 4180 needs it.
#[must_use]
pub fn csv_field(text: &str) -> Cow<'_, str> {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\"")).into()
    } else {
        text.into()
    }
}
