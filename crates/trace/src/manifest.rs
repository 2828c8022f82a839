//! `manifest.json`: what an output folder holds, and what it takes to make it again.
//!
//! Promises contents that depend on inputs only: no clock, no host, no path but those the user gave, and nothing that
//! says how many sites ran beside this one, so that a site made alone has the manifest it has in its batch. Keys are
//! written in the order of the fields below. Leaves out how the runs went.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::files::{Digest, FileKind, NewFile};
use crate::inside::InsideName;

mod fault;
mod numbers;
mod partial;

pub use fault::{Fault, ManifestKind, parse};
pub use numbers::MAX_RUN;
pub use partial::read_partial;

/// The name of the file in each folder.
pub const FILE_NAME: &str = "manifest.json";
/// The name of what a site's folder has in its place while the site is being made: a line of JSON with everything but the runs, then
/// a line for each finished run.
pub const PARTIAL_NAME: &str = "manifest.partial.jsonl";
/// The version of the form this crate writes.
pub const SCHEMA: u32 = 1;
/// `seed_i = site_seed + run_index`; the generator's key is the pair (`seed_i`, `run_index`).
pub const SEQUENTIAL: &str = "sequential";
/// `seed_i` is mixed from base seed, site and run index; the generator's key is again the pair.
pub const HASHED: &str = "hashed";

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
    #[serde(deserialize_with = "numbers::schema")]
    pub schema: u32,
    /// Where the contents come from; the arguments are those that make this site alone.
    pub origin: Origin,
    /// The number of the site, `null` when there are no sites.
    pub site: Option<u64>,
    /// How seeds follow from one another: [`SEQUENTIAL`] or [`HASHED`].
    pub seed_formula: String,
    /// The seed of the site's first run.
    pub site_seed: u64,
    /// Finished runs, in order, without a gap; the first may be any.
    #[serde(deserialize_with = "numbers::in_order")]
    pub runs: Vec<RunRecord>,
}

/// A finished run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its number in file names, from 1 to [`MAX_RUN`].
    pub run: u64,
    /// Its number in the seed formula, from 0.
    pub run_index: u64,
    /// `seed_i`.
    pub seed: u64,
    /// Operations.
    pub operations: u64,
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
    pub file: InsideName,
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
    #[serde(deserialize_with = "numbers::schema")]
    pub schema: u32,
    /// Where the contents come from; the arguments are those that make the whole batch.
    pub origin: Origin,
    /// How seeds follow from one another: [`SEQUENTIAL`] or [`HASHED`].
    pub seed_formula: String,
    /// What `--seed` says; with [`SEQUENTIAL`] the seed of the first site's first run.
    pub base_seed: u64,
    /// What to know before another campaign is made of the same device.
    pub warnings: Vec<String>,
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
    pub folder: InsideName,
    /// Finished runs.
    pub runs: u64,
    /// Operations of all its runs.
    pub operations: u64,
    /// Of its manifest.
    pub manifest_sha256: Digest,
    /// Whether it has no further runs because it covered what was asked for; left out where not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub covered: bool,
}

/// Writes a manifest called `name` into `folder`, replacing an older one when complete; returns its digest.
///
/// # Errors
/// When the file cannot be written.
pub fn write(folder: &Path, name: &str, manifest: &impl Serialize) -> io::Result<Digest> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
    text.push(b'\n');
    let mut file = NewFile::create(folder, name)?;
    file.write_all(&text)?;
    file.commit()
}

/// Whether what lies under a name is a regular file: nobody writes to a pipe there, and opening it would never end.
///
/// # Errors
/// When it is something else, or not there.
pub fn regular(path: &Path) -> io::Result<()> {
    let refused = || io::Error::new(io::ErrorKind::Unsupported, "it is no regular file");
    if path.metadata()?.is_file() { Ok(()) } else { Err(refused()) }
}

/// What a manifest holds, if it is a regular file.
///
/// # Errors
/// As [`regular`], and when it cannot be read.
pub fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    regular(path).and_then(|()| fs::read(path))
}

/// How a pretty-printed [`SiteManifest`] without runs ends.
const NO_RUNS: &str = "[]\n}";

/// Writes the manifest of a site into `folder`, replacing an older one when complete; returns its digest.
///
/// `head` says everything but the runs. `runs` are [`RunRecord`]s as compact JSON, each on a line of its own here too: a site may
/// have more of them than should be in memory at once.
///
/// # Errors
/// When the file cannot be written, or whatever the iterator reports.
pub fn write_site(
    folder: &Path,
    head: &SiteManifest,
    runs: impl Iterator<Item = io::Result<String>>,
) -> io::Result<Digest> {
    let head = SiteManifest { runs: Vec::new(), ..head.clone() };
    let text = serde_json::to_string_pretty(&head).map_err(io::Error::other)?;
    let text = text.strip_suffix(NO_RUNS).ok_or_else(|| io::Error::other("the runs are not the last field"))?;
    let mut file = io::BufWriter::new(NewFile::create(folder, FILE_NAME)?);
    file.write_all(text.as_bytes())?;
    let mut before = "[";
    for run in runs {
        write!(file, "{before}\n    {}", run?)?;
        before = ",";
    }
    file.write_all(if before == "[" { b"[]\n}\n" } else { b"\n  ]\n}\n" })?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

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
            file: "operation_sequence_261121_0000001.csv".to_owned().try_into().unwrap(),
            rows: 7,
            sha256: Digest::of(b"rows"),
        };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin { tool, profile, probabilities: None, badlist, arguments },
            site: Some(3),
            seed_formula: SEQUENTIAL.into(),
            site_seed: 44,
            runs: vec![RunRecord { run: 1, run_index: 0, seed: 44, operations: 7, files: vec![file] }],
        }
    }

    fn put(folder: &Path, manifest: &SiteManifest) -> Digest {
        let lines = manifest.runs.iter().map(|run| serde_json::to_string(run).map_err(io::Error::other));
        write_site(folder, manifest, lines).unwrap()
    }

    #[test]
    fn a_manifest_reads_back_as_it_was_and_keeps_the_order_of_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let digest = put(folder.path(), &example());
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(digest, Digest::of(text.as_bytes()));
        assert_eq!(serde_json::from_str::<SiteManifest>(&text).unwrap(), example());
        let keys = ["schema", "origin", "tool", "profile", "badlist", "arguments", "site", "seed_formula", "runs"];
        let places = keys.map(|key| text.find(&format!("\"{key}\":")).unwrap());
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn any_number_of_runs_reads_back_each_on_its_line() {
        for count in [0, 1, 2, 50] {
            let folder = tempfile::tempdir().unwrap();
            let run = |index| RunRecord { run: index + 1, run_index: index, ..example().runs.remove(0) };
            let manifest = SiteManifest { runs: (0..count).map(run).collect(), ..example() };
            put(folder.path(), &manifest);
            let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
            assert_eq!(serde_json::from_str::<SiteManifest>(&text).unwrap(), manifest, "{text}");
            assert_eq!(text.lines().filter(|line| line.contains("\"run\":")).count() as u64, count, "{text}");
            assert!(text.ends_with("\n}\n"), "{text}");
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(put(one.path(), &example()), put(other.path(), &example()));
    }
}
