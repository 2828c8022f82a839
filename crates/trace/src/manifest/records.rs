//! What manifests say, in the order in which it is written.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::numbers::{self, RunNumbers};
use crate::files::{Digest, FileKind};
use crate::inside::InsideName;

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
    /// [`SCHEMA`](super::SCHEMA)
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
    #[serde(deserialize_with = "in_order")]
    pub runs: Vec<RunRecord>,
}

/// A finished run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunRecord {
    /// Its number in file names, from 1 to [`MAX_RUN`](super::MAX_RUN).
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
    /// [`SCHEMA`](super::SCHEMA)
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

/// Runs with numbers that follow one another.
fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RunRecord>, D::Error> {
    let runs = Vec::<RunRecord>::deserialize(deserializer)?;
    let mut before = None;
    for &RunRecord { run, run_index, .. } in &runs {
        let numbers = RunNumbers { run, run_index };
        if let Some(fault) = numbers.fault(before) {
            return Err(D::Error::custom(fault));
        }
        before = Some(numbers);
    }
    Ok(runs)
}
