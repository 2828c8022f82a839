//! Texts as fields of CSV.

/// A CSV field, quoted only where RFC 4180 needs it.
#[must_use]
pub fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}
