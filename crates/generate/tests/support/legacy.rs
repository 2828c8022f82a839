//! The predecessor's configuration files, where they are present.

use std::path::Path;

use nandseq_profile::diagnostic::SourceFile;
use nandseq_profile::{Profile, ReadOptions};

#[expect(clippy::print_stdout, reason = "a skipped test says so")]
/// A configuration file of the predecessor; `None`, with a message, where the folder is absent.
pub(crate) fn legacy(name: &str) -> Option<Profile> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/legacy").join(name);
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {name} is not there");
        return None;
    };
    let (profile, _) = nandseq_profile::read(&SourceFile::new(name, &text), ReadOptions { lenient: true });
    Some(profile.expect("the file loads leniently"))
}
