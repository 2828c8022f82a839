//! The predecessor's real files, which are outside the repository. Tests that need them are skipped if they are absent.

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Profile, ReadOptions, SourceFile, read};

/// The profile of one of the predecessor's files. `None`, with a message, if the file is absent.
pub(crate) fn legacy(name: &str) -> Option<Profile> {
    let path = format!("{}/../../../shared/legacy/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {name} is not there");
        return None;
    };
    let source = SourceFile::new(name, text);
    let (profile, diagnostics) = read(&source, ReadOptions { lenient: true });
    Some(profile.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, Styling::Plain))))
}
