//! `manifest.json`: the contents of an output folder, and the inputs that make them again.
//!
//! A manifest depends on inputs only: it has no clock, no host, and no path but those that the user gave. A site that is made
//! alone has the same manifest as in its batch, because nothing in it tells how many sites ran beside it. Leaves out the writing
//! of manifests.

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
    BatchManifest, FileRecord, HASHED, Input, Origin, PackRecord, ProfileInput, RunRecord, SEQUENTIAL, SiteManifest,
    SiteRecord, Tool,
};

/// The name of the file in each folder.
pub const FILE_NAME: &str = "manifest.json";
/// The name of the ledger, which a site's folder has instead of a manifest while the site is being made. It is a file of JSON
/// lines. The first line has the manifest without runs; a line for each finished run follows.
pub const PARTIAL_NAME: &str = "manifest.partial.jsonl";

/// Checks that a path leads to a regular file. To open a pipe that nobody writes to would block for ever.
///
/// # Errors
/// If the path leads to something else, or to nothing.
pub fn regular(path: &Path) -> io::Result<()> {
    let refused = || io::Error::new(io::ErrorKind::Unsupported, "it is not a regular file");
    if path.metadata()?.is_file() { Ok(()) } else { Err(refused()) }
}

/// Opens a file that a folder or a manifest names.
///
/// # Errors
/// As [`regular`], and when it cannot be opened.
pub fn open(path: &Path) -> io::Result<File> {
    regular(path).and_then(|()| File::open(path))
}

/// The bytes of a manifest.
///
/// # Errors
/// If it is not a [`regular`] file, or cannot be read.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    regular(path).and_then(|()| fs::read(path))
}
