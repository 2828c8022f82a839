//! Paths as texts: stored, in manifests and other JSON; shown, in messages; typed, in commands.
//!
//! A stored path is found again, whatever its bytes are. A path that is UTF-8 is stored as it is. Any other path, and one that
//! begins with [`MARK`], becomes [`MARK`] and its bytes. A byte that is not printable ASCII becomes `%` and two hexadecimal
//! digits, and so do `%` and the space. Messages show bytes that are not UTF-8 as `\xE9`, so that two paths never look alike.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::printable;

/// The beginning of a path that is stored by its bytes.
pub const MARK: &str = "bytes:";

/// The text that stores a path.
#[must_use]
pub fn recorded(path: &Path) -> String {
    match path.to_str() {
        Some(text) if !text.starts_with(MARK) => text.to_owned(),
        _ => {
            let mut text = MARK.to_owned();
            for &byte in path.as_os_str().as_encoded_bytes() {
                if byte.is_ascii_graphic() && byte != b'%' {
                    text.push(char::from(byte));
                } else {
                    // Writing to a string cannot fail.
                    let _ = write!(text, "%{byte:02X}");
                }
            }
            text
        }
    }
}

/// A path as messages show it: [`printable`].
#[must_use]
pub fn shown(path: impl AsRef<Path>) -> String {
    printable(path.as_ref().as_os_str().as_encoded_bytes())
}

/// The path that was stored.
#[must_use]
pub fn path_of(text: &str) -> PathBuf {
    text.strip_prefix(MARK).and_then(|escaped| of_bytes(bytes_of(escaped)?)).unwrap_or_else(|| PathBuf::from(text))
}

/// A stored path as a word of a shell; see [`quoted`].
#[must_use]
pub fn shell_word(text: &str) -> String {
    quoted(path_of(text).as_os_str())
}

/// The text that a shell reads as this word. It has quotes if they are needed. Bytes that are not UTF-8 and control characters
/// are written as `$'\xE9'`, which bash, zsh and ksh understand.
#[must_use]
pub fn quoted(word: &OsStr) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+".contains(c);
    match word.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.contains(char::is_control) => format!("'{}'", text.replace('\'', "'\\''")),
        Some(_) | None => {
            let escaped = |&byte: &u8| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                byte => format!("\\x{byte:02X}"),
            };
            // Shells read at most two digits after `\x`, so a digit that follows an escape is not taken for a part of it.
            format!("$'{}'", word.as_encoded_bytes().iter().map(escaped).collect::<String>())
        }
    }
}

fn bytes_of(escaped: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    Some(bytes)
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "on other systems there may be none")]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_recorded_as_it_is() {
        for text in ["", "out", "some folder/ü.yaml", "100%", "x/bytes:y", "-"] {
            assert_eq!(recorded(Path::new(text)), text);
            assert_eq!(path_of(text), Path::new(text));
        }
        // A text that is not in the form of a recorded path is the path.
        assert_eq!(path_of("bytes:%4"), Path::new("bytes:%4"));
        assert_eq!(path_of("bytes:%zz"), Path::new("bytes:%zz"));
    }

    #[cfg(unix)]
    #[test]
    fn every_path_is_found_again() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let all: Vec<u8> = (1..=255).collect();
        for bytes in [&b"caf\xe9.yaml"[..], b"bytes:a", b"bytes:%41", b"\xff", b"a\xc3\xa4 \xe4%20\n'\\", &all] {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = recorded(path);
            assert!(text.starts_with(MARK) && text.bytes().all(|byte| byte.is_ascii_graphic()), "{text}");
            assert_eq!(path_of(&text), path);
        }
        assert_eq!(recorded(Path::new(OsStr::from_bytes(b"caf\xe9.yaml"))), "bytes:caf%E9.yaml");
        for (bytes, text) in [
            (&b"caf\xe9\n/\xc3\xa4.yaml"[..], "caf\\xE9\\x0A/ä.yaml"),
            (b"a\\b c'", "a\\b c'"),
            (b"\xff\xfe\xc2\x85", "\\xFF\\xFE\\xC2\\x85"),
        ] {
            assert_eq!(shown(Path::new(OsStr::from_bytes(bytes))), text);
        }
        assert_eq!(shell_word("bytes:caf%E9%27.yaml"), "$'caf\\xE9\\'.yaml'");
        assert_eq!((&*shell_word("out/a"), &*shell_word("a b"), &*shell_word("")), ("out/a", "'a b'", "''"));
    }
}
