//! `manifest.json`: what an output folder holds, and what it takes to make it again.
//!
//! Promises contents that depend on inputs only: no clock, no host, no path but those the user gave, and nothing that
//! says how many sites ran beside this one, so that a site made alone has the manifest it has in its batch. Keys are
//! written in the order of the fields below. Leaves out how the runs went.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{Digest, FileKind, NewFile};

/// The name of the file in each folder.
pub const FILE_NAME: &str = "manifest.json";
/// The version of the form this crate writes.
pub const SCHEMA: u32 = 1;
/// `seed_i = site_seed + run_index`; the generator's key is the pair (`seed_i`, `run_index`).
pub const SEQUENTIAL: &str = "sequential";

/// Where the contents of a folder come from: the same in the manifest of a site and of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// What wrote it.
    pub tool: Tool,
    /// The device.
    pub profile: ProfileInput,
    /// The probability table, if one was read from a file.
    pub probabilities: Option<Input>,
    /// The bad blocks, if a file lists them.
    pub badlist: Option<Input>,
    /// The arguments that make this folder's contents again.
    pub arguments: Vec<String>,
}

/// The program that wrote a folder.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The profile that was used.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileInput {
    /// What the device is called.
    pub name: String,
    /// The path as given, or `built-in`.
    pub source: String,
    /// Of the file's bytes.
    pub sha256: Digest,
    /// Of what the file says, however it says it: the same for a profile and its import, for instance.
    pub resolved_sha256: String,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The path as given.
    pub source: String,
    /// Of its bytes.
    pub sha256: Digest,
}

/// The manifest of a site's folder, or of the output folder when there are no sites.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteManifest {
    /// [`SCHEMA`]
    pub schema: u32,
    /// Where the contents come from; the arguments are those that make this site alone.
    pub origin: Origin,
    /// The number of the site, `null` when there are no sites.
    pub site: Option<u64>,
    /// How seeds follow from one another: [`SEQUENTIAL`].
    pub seed_formula: String,
    /// The seed of the site's first run.
    pub site_seed: u64,
    /// Finished runs, in order.
    pub runs: Vec<RunRecord>,
}

/// A finished run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its number in file names, from 1.
    pub run: u64,
    /// Its number in the seed formula, from 0.
    pub run_index: u64,
    /// `seed_i`.
    pub seed: u64,
    /// Its files.
    pub files: Vec<FileRecord>,
}

/// A file that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// What it is.
    pub kind: FileKind,
    /// Its name in the folder of the manifest.
    pub file: String,
    /// Its rows, the header not counted.
    pub rows: u64,
    /// Of its bytes.
    pub sha256: Digest,
}

/// The manifest of an output folder that holds the folders of several sites.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchManifest {
    /// [`SCHEMA`]
    pub schema: u32,
    /// Where the contents come from; the arguments are those that make the whole batch.
    pub origin: Origin,
    /// How seeds follow from one another: [`SEQUENTIAL`].
    pub seed_formula: String,
    /// The seed of the first site's first run.
    pub base_seed: u64,
    /// The sites, in order.
    pub sites: Vec<SiteRecord>,
}

/// A site of a batch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRecord {
    /// Its number.
    pub site: u64,
    /// Its folder, relative to that of the manifest, with `/` between parts.
    pub folder: String,
    /// Finished runs.
    pub runs: u64,
    /// Operations of all its runs.
    pub operations: u64,
    /// Of its manifest.
    pub manifest_sha256: Digest,
}

/// Writes a manifest into `folder`, replacing an older one when complete; returns its digest.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path, manifest: &impl Serialize) -> io::Result<Digest> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
    text.push(b'\n');
    let mut file = NewFile::create(folder, FILE_NAME)?;
    file.write_all(&text)?;
    file.commit()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;
    use std::fs;

    fn example() -> SiteManifest {
        let tool = Tool { name: "nandseqgen".into(), version: "1.2.3".into() };
        let profile = ProfileInput {
            name: "A device".into(),
            source: "built-in".into(),
            sha256: Digest::of(b"profile"),
            resolved_sha256: "ab".repeat(32),
        };
        let badlist = Some(Input { source: "bad.csv".into(), sha256: Digest::of(b"bad") });
        let arguments = vec!["--seed".into(), "42".into()];
        let file = FileRecord {
            kind: FileKind::OperationSequence,
            file: "operation_sequence_261121_0000001.csv".into(),
            rows: 7,
            sha256: Digest::of(b"rows"),
        };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin { tool, profile, probabilities: None, badlist, arguments },
            site: Some(3),
            seed_formula: SEQUENTIAL.into(),
            site_seed: 44,
            runs: vec![RunRecord { run: 1, run_index: 0, seed: 44, files: vec![file] }],
        }
    }

    #[test]
    fn a_manifest_reads_back_as_it_was_and_keeps_the_order_of_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let digest = write(folder.path(), &example()).unwrap();
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(digest, Digest::of(text.as_bytes()));
        assert_eq!(serde_json::from_str::<SiteManifest>(&text).unwrap(), example());
        let keys = ["schema", "origin", "tool", "profile", "badlist", "arguments", "site", "seed_formula", "runs"];
        let places = keys.map(|key| text.find(&format!("\"{key}\":")).unwrap());
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(write(one.path(), &example()).unwrap(), write(other.path(), &example()).unwrap());
    }
}
