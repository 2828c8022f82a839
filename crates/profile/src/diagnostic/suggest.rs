//! Texts in messages: "did you mean", quoted input, counts with their nouns.

use std::fmt::Write as _;

/// The candidate that is nearest to `name`, if one is near enough to be meant: by the number of insertions, deletions, replacements and
/// swaps of neighbours (optimal string alignment).
///
/// Upper and lower case count as equal, and so do `-` and `_`. Of equally near candidates it is the first. A name of more than 96
/// characters has no near candidate.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = folded(name);
    let length = wanted.chars().count();
    if length == 0 || length > 96 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = folded(candidate);
        let others = other.chars().count();
        if others > 128 || others.abs_diff(length) > allowed {
            continue;
        }
        let distance = strsim::osa_distance(&wanted, &other);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

fn folded(name: &str) -> String {
    name.chars().take(129).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// A count with its noun: `1 run`, `3,000 runs`, `0 runs`. The plural is the noun with an `s`.
#[must_use]
pub fn counted(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(count), if count == 1 { "" } else { "s" })
}

/// A number with its digits in groups of three: `1,234,567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes of the user's as text for a message, in which a terminal shows every character. What is no text, and characters that end lines, control
/// the terminal or change the direction of writing, become `\x1B`, byte by byte.
#[must_use]
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    let escaped = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02X}");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            if c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                escaped(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                text.push(c);
            }
        }
        escaped(&mut text, chunk.invalid());
    }
    text
}

/// A text of the user for a message: in backquotes, [`printable`], cut after 60 characters.
#[must_use]
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}…`", printable(&text.as_bytes()[..end])),
        None => format!("`{}`", printable(text.as_bytes())),
    }
}
