//! A text with its name in messages.

use super::{Diagnostic, Diagnostics, Span};

/// The longest text that is read, in bytes: a hundred times the longest profile known.
pub const MAX_SOURCE_BYTES: usize = 32 << 20;

/// A text to read, and its name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceFile {
    /// The name in messages, usually the path.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
}

impl SourceFile {
    /// A text with a name. A leading byte order mark is removed.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Self { name: name.into(), text }
    }

    /// The bytes of a file as text.
    ///
    /// # Errors
    /// If the bytes are not UTF-8, or more than [`MAX_SOURCE_BYTES`]. The source that comes with the diagnostics is for rendering
    /// them: it has as much of the text as could be read.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<Self, (Self, Diagnostics)> {
        let name = name.into();
        let refuse = |source: Self, diagnostic: Diagnostic| {
            let mut diagnostics = Diagnostics::new();
            diagnostics.push(diagnostic);
            Err((source, diagnostics))
        };
        if bytes.len() > MAX_SOURCE_BYTES {
            let message = format!("the file is larger than {} MiB", MAX_SOURCE_BYTES >> 20);
            return refuse(Self::new(name, ""), Diagnostic::error("file-too-large", message));
        }
        if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
            let diagnostic = Diagnostic::error("not-utf-8", "the file is UTF-16 text").help("save it as UTF-8");
            return refuse(Self::new(name, ""), diagnostic);
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(name, text)),
            Err(wrong) => {
                let at = wrong.utf8_error().valid_up_to();
                let byte = wrong.as_bytes().get(at).copied().unwrap_or_default();
                // Up to the first wrong byte, offsets in the lossy text are those in the bytes.
                let lossy = String::from_utf8_lossy(wrong.as_bytes()).into_owned();
                let with_mark = lossy.starts_with('\u{feff}');
                let source = Self::new(name, lossy);
                let at = if with_mark { at.saturating_sub(3) } else { at };
                let diagnostic = Diagnostic::error("not-utf-8", "the file is not UTF-8 text")
                    .at(source.span(at, at + 1), format!("byte 0x{byte:02X} is not part of a character"))
                    .help("save it as UTF-8");
                refuse(source, diagnostic)
            }
        }
    }

    /// The span of the bytes `start..end`, with line and column.
    ///
    /// A `start` beyond the text or inside a character is moved back to the start of a character.
    #[must_use]
    pub fn span(&self, start: usize, end: usize) -> Span {
        let start = floor_boundary(&self.text, start);
        let before = self.text.get(..start).unwrap_or_default();
        let line = before.bytes().filter(|&byte| byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Span { start, end: end.max(start).min(self.text.len()), line, column }
    }
}

/// The nearest character boundary at or before `at`.
pub(super) fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
