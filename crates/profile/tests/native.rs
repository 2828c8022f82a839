//! Tests of the native profile format through the public interface of the crate.
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

#[path = "native/edit.rs"]
mod edit;
#[path = "native/forms.rs"]
mod forms;
#[path = "native/legacy_files.rs"]
mod legacy_files;
#[path = "native/mistakes.rs"]
mod mistakes;
#[path = "native/noise.rs"]
mod noise;
#[path = "native/random.rs"]
mod random;
#[path = "native/reference.rs"]
mod reference;
#[path = "native/round_trip.rs"]
mod round_trip;
#[path = "native/schema.rs"]
mod schema;

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Profile, ReadOptions, SourceFile, read};

/// Reads a text that must be a good profile.
fn good(text: &str) -> Profile {
    let source = SourceFile::new("profile.yaml", text);
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    profile.unwrap_or_else(|| panic!("{}", diagnostics.render(&source, Styling::Plain)))
}
