//! `--site-dir-pattern`: the folder of each site, written as in Python's format strings.
//!
//! An accepted pattern gives every site a folder of its own inside the output folder. Only a part of Python's form is known:
//! `{site_id}`, `{site_id:d}`, a width as in `{site_id:4d}` or `{site_id:04d}`, and the escapes `{{` and `}}`.

use std::fmt::Write as _;

use nandseq_input::folder::DEPTH;
use nandseq_trace::inside::unfit_part;

/// The widest number field; a larger one is a mistake.
const MAX_WIDTH: usize = 20;
/// The longest name most file systems take, bytes.
const MAX_NAME: usize = 255;

/// A checked pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SiteFolders {
    pieces: Vec<PatternPiece>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum PatternPiece {
    Text(String),
    SiteId { width: usize, zeros: bool },
}

/// Why a pattern cannot be used; columns count characters from 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum PatternError {
    /// `{` without `}`.
    Open { column: usize },
    /// `}` without `{`.
    Close { column: usize },
    /// Another field than `site_id`.
    Field { column: usize, field: String },
    /// A format other than `d`, `Nd`, `0Nd`.
    Format { column: usize, format: String },
    /// No field: every site would share one folder.
    NoSiteId,
    /// Not a relative path of plain names.
    Path { part: String },
    /// A name longer than file systems take.
    TooLong,
    /// Farther below the output folder than readers look for sites.
    TooDeep,
}

impl PatternError {
    /// What is wrong.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Open { column } => format!("the `{{` in column {column} is not closed"),
            Self::Close { column } => format!("the `}}` in column {column} closes nothing"),
            Self::Field { column, field } => {
                format!("`{{{field}}}` in column {column}: the only field is `site_id`")
            }
            Self::Format { column, format } => {
                format!("`:{format}` in column {column} is not an integer format such as `:d`, `:3d` or `:03d`")
            }
            Self::NoSiteId => "without `{site_id}` all sites would share one folder".to_owned(),
            Self::Path { part } if part == ".." => "`..` leads out of the output folder".to_owned(),
            Self::Path { part } if part.is_empty() => "it must be a relative path without empty parts".to_owned(),
            Self::Path { part } => format!("`{part}` cannot be the name of a folder"),
            Self::TooLong => format!("it gives names of more than {MAX_NAME} bytes"),
            Self::TooDeep => format!("it has more than {DEPTH} folders, one in another: sites are not found there"),
        }
    }

    /// What to do.
    pub(crate) fn help(&self) -> &'static str {
        match self {
            Self::Open { .. } | Self::Close { .. } => "write `{{` and `}}` where the braces themselves are meant",
            Self::Field { .. } | Self::Format { .. } | Self::NoSiteId => "for example `site_{site_id:02d}`",
            Self::Path { .. } | Self::TooLong | Self::TooDeep => {
                "choose the place with --out-dir, and name the sites inside it"
            }
        }
    }
}

impl SiteFolders {
    /// Reads and checks a pattern.
    pub(crate) fn parse(pattern: &str) -> Result<Self, PatternError> {
        let folders = Self { pieces: pieces(pattern)? };
        if !folders.pieces.iter().any(|piece| matches!(piece, PatternPiece::SiteId { .. })) {
            return Err(PatternError::NoSiteId);
        }
        // Numbers add digits or spaces only, so one site stands for all; the widest number has 20 digits.
        if let Some(part) = unfit_part(&folders.folder(1)) {
            return Err(PatternError::Path { part: part.to_owned() });
        }
        if folders.folder(u64::MAX).split('/').any(|part| part.len() > MAX_NAME) {
            return Err(PatternError::TooLong);
        }
        if folders.folder(1).split('/').count() > DEPTH {
            return Err(PatternError::TooDeep);
        }
        Ok(folders)
    }

    /// The folder of a site, with `/` between parts. Two sites never share one: all fields of a pattern carry the same
    /// number, and numbers of equal length differ in some digit.
    pub(crate) fn folder(&self, site: u64) -> String {
        let mut name = String::new();
        for piece in &self.pieces {
            // Writing to a string cannot fail.
            let _ = match *piece {
                PatternPiece::Text(ref text) => name.write_str(text),
                PatternPiece::SiteId { width, zeros: true } => write!(name, "{site:0width$}"),
                PatternPiece::SiteId { width, zeros: false } => write!(name, "{site:width$}"),
            };
        }
        name
    }
}

fn pieces(pattern: &str) -> Result<Vec<PatternPiece>, PatternError> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut rest = pattern;
    while let Some(next) = rest.chars().next() {
        let column = pattern[..pattern.len() - rest.len()].chars().count() + 1;
        if let Some(after) = rest.strip_prefix("{{") {
            text.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            text.push('}');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (field, after) = after.split_once('}').ok_or(PatternError::Open { column })?;
            pieces.push(PatternPiece::Text(std::mem::take(&mut text)));
            pieces.push(site_id(field, column)?);
            rest = after;
        } else if next == '}' {
            return Err(PatternError::Close { column });
        } else {
            text.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    pieces.push(PatternPiece::Text(text));
    Ok(pieces)
}

fn site_id(field: &str, column: usize) -> Result<PatternPiece, PatternError> {
    let (name, format) = field.split_once(':').unwrap_or((field, "d"));
    if name != "site_id" {
        return Err(PatternError::Field { column, field: field.to_owned() });
    }
    let refused = || PatternError::Format { column, format: format.to_owned() };
    let digits = format.strip_suffix('d').ok_or_else(refused)?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refused());
    }
    let width = if digits.is_empty() { 0 } else { digits.parse().map_err(|_| refused())? };
    if width > MAX_WIDTH || digits == "0" || digits.starts_with("00") {
        return Err(refused());
    }
    Ok(PatternPiece::SiteId { width, zeros: digits.starts_with('0') })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn patterns_give_what_python_gives() {
        for (pattern, site, expected) in [
            ("site_{site_id:02d}", 5, "site_05"),
            ("site_{site_id:02d}", 123, "site_123"),
            ("{site_id}", 7, "7"),
            ("{site_id:d}x", 7, "7x"),
            ("a/{site_id:3d}b", 7, "a/  7b"),
            ("{{{site_id}}}", 7, "{7}"),
            ("{site_id}-{site_id:04d}", 12, "12-0012"),
            ("Platz ä{site_id}", 1, "Platz ä1"),
        ] {
            assert_eq!(SiteFolders::parse(pattern).unwrap().folder(site), expected, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for (pattern, expected) in [
            ("site_{site_id", PatternError::Open { column: 6 }),
            ("ä}{site_id}", PatternError::Close { column: 2 }),
            ("{site}", PatternError::Field { column: 1, field: "site".into() }),
            ("{}", PatternError::Field { column: 1, field: String::new() }),
            ("{site_id!r}", PatternError::Field { column: 1, field: "site_id!r".into() }),
            ("{site_id.real}", PatternError::Field { column: 1, field: "site_id.real".into() }),
            ("{site_id:x}", PatternError::Format { column: 1, format: "x".into() }),
            ("{site_id:}", PatternError::Format { column: 1, format: String::new() }),
            ("{site_id:+3d}", PatternError::Format { column: 1, format: "+3d".into() }),
            ("{site_id:99d}", PatternError::Format { column: 1, format: "99d".into() }),
            (
                "{site_id:99999999999999999999999d}",
                PatternError::Format { column: 1, format: "99999999999999999999999d".into() },
            ),
            ("site", PatternError::NoSiteId),
            ("", PatternError::NoSiteId),
            ("{{site_id}}", PatternError::NoSiteId),
        ] {
            assert_eq!(SiteFolders::parse(pattern), Err(expected), "{pattern}");
        }
    }

    #[test]
    fn a_folder_never_lies_outside_the_output_folder() {
        for (pattern, part) in [
            ("../{site_id}", ".."),
            ("a/../../{site_id}", ".."),
            ("/{site_id}", ""),
            ("a//{site_id}", ""),
            ("{site_id}/", ""),
            ("./{site_id}", "."),
            ("C:{site_id}", "C:1"),
            ("a\\{site_id}", "a\\1"),
            ("a\n{site_id}", "a\n1"),
            ("{site_id} ", "1 "),
        ] {
            assert_eq!(SiteFolders::parse(pattern), Err(PatternError::Path { part: part.into() }), "{pattern}");
        }
        assert_eq!(SiteFolders::parse(&format!("{}{{site_id}}", "x".repeat(250))), Err(PatternError::TooLong));
        assert_eq!(SiteFolders::parse("a/b/c/d/{site_id}"), Err(PatternError::TooDeep));
    }
}
