//! `manifest.json`: what an output folder holds, and what it takes to make it again.
//!
//! Promises contents that depend on inputs only: no clock, no host, no path but those the user gave, and nothing that
//! says how many sites ran beside this one, so that a site made alone has the manifest it has in its batch. Leaves out how the runs
//! went, and writing manifests.

use std::fs::{self, File};
use std::io;
use std::path::Path;

mod fault;
mod numbers;
mod partial;
mod records;

pub use fault::{Fault, ManifestKind, parse};
pub use numbers::{MAX_RUN, SCHEMA};
pub use partial::read_partial;
pub use records::{
    BatchManifest, FileRecord, HASHED, Input, Origin, ProfileInput, RunRecord, SEQUENTIAL, SiteManifest, SiteRecord,
    Tool,
};

/// The name of the file in each folder.
pub const FILE_NAME: &str = "manifest.json";
/// The name of what a site's folder has in its place while the site is being made: a line of JSON with everything but the runs, then
/// a line for each finished run.
pub const PARTIAL_NAME: &str = "manifest.partial.jsonl";

/// Whether what lies under a name is a regular file: nobody writes to a pipe there, and opening it would never end.
///
/// # Errors
/// When it is something else, or not there.
pub fn regular(path: &Path) -> io::Result<()> {
    let refused = || io::Error::new(io::ErrorKind::Unsupported, "it is no regular file");
    if path.metadata()?.is_file() { Ok(()) } else { Err(refused()) }
}

/// Opens a file that a folder or a manifest names.
///
/// # Errors
/// As [`regular`], and when it cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    regular(path).and_then(|()| File::open(path))
}

/// What a manifest holds, if it is a regular file.
///
/// # Errors
/// As [`regular`], and when it cannot be read.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    regular(path).and_then(|()| fs::read(path))
}
