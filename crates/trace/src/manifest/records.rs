//! The records of manifests. Their fields are written in the order in which they stand here.

use nandseq_profile::model::Expectations;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use super::numbers::{self, RunNumbers};
use crate::files::{Digest, FileKind};
use crate::inside::InsideName;

/// The formula `seed_i = site_seed + run_index`. The key of the random generator is the pair (`seed_i`, `run_index`).
pub const SEQUENTIAL: &str = "sequential";
/// The argument for payloads that say whose data passes on the bus.
const EXPECT_DATA: [&str; 2] = ["--expect", "data"];
/// The argument for an expected status with all fields.
const FULL_STATUS: [&str; 2] = ["--status", "full"];
/// The formula that mixes `seed_i` from base seed, site and run index. The key of the random generator is (`seed_i`,
/// `run_index`).
pub const HASHED: &str = "hashed";

/// Where the contents of a folder come from. Manifests of sites and of batches have the same record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// The program that wrote the folder.
    pub tool: Tool,
    /// The profile of the device.
    pub profile: ProfileInput,
    /// The probability table, if one was read from a file.
    pub probabilities: Option<Input>,
    /// The list of bad blocks, if one was read from a file.
    pub badlist: Option<Input>,
    /// The test plan, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Input>,
    /// The runs of each site, if the phases of the plan state them. Otherwise the arguments do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase_runs: Option<u64>,
    /// The arguments that make this folder's contents again.
    pub arguments: Vec<String>,
}

impl Origin {
    /// What the arguments add to the payloads of the profile.
    #[must_use]
    pub fn expectations(&self) -> Expectations {
        let has = |[flag, value]: [&str; 2]| self.arguments.windows(2).any(|pair| pair[0] == flag && pair[1] == value);
        Expectations { data: has(EXPECT_DATA), full_status: has(FULL_STATUS) }
    }

    /// The arguments that add this to the payloads of the profile.
    pub fn arguments_of(expectations: Expectations) -> impl Iterator<Item = String> {
        let words = [(expectations.data, EXPECT_DATA), (expectations.full_status, FULL_STATUS)];
        words.into_iter().filter(|(is_set, _)| *is_set).flat_map(|(_, words)| words.map(str::to_owned))
    }
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
    /// The name of the device.
    pub name: String,
    /// The path as given, or `built-in`.
    pub source: String,
    /// The digest of the file's bytes.
    pub sha256: Digest,
    /// The digest of the resolved profile, which does not depend on its form: a legacy file and its import have the same.
    pub resolved_sha256: String,
}

/// A file that was read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The path as given.
    pub source: String,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// The manifest of a site's folder, or of the output folder when there are no sites.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteManifest {
    /// [`SCHEMA`](super::SCHEMA)
    #[serde(deserialize_with = "numbers::schema")]
    pub schema: u32,
    /// Where the contents come from. The arguments make this site alone.
    pub origin: Origin,
    /// The number of the site, `null` when there are no sites.
    pub site: Option<u64>,
    /// The formula of the seeds of runs: [`SEQUENTIAL`] or [`HASHED`].
    pub seed_formula: String,
    /// The seed of the site's first run.
    pub site_seed: u64,
    /// The finished runs, in order and without a gap. The first may have any number.
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
    /// `seed_i` of the formula.
    pub seed: u64,
    /// The name of its phase, if the runs are in phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// The number of operations.
    pub operations: u64,
    /// Its files.
    pub files: Vec<FileRecord>,
    /// The files that a pack consists of, if it is the last run of one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pack: Vec<PackRecord>,
}

impl RunRecord {
    /// The names of the files on the disk that hold its files, each with its digest if it is known: the archive of a pack is
    /// known from the pack's last run. Names may come more than once.
    pub fn on_disk(&self) -> impl Iterator<Item = (InsideName, Option<Digest>)> {
        let files = self.files.iter().map(|file| {
            let name = file.file.on_disk();
            let digest = (name == file.file).then_some(file.sha256);
            (name, digest)
        });
        files.chain(self.pack.iter().map(|pack| (pack.file.clone(), Some(pack.sha256))))
    }
}

/// A file that holds files of consecutive runs.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackRecord {
    /// Its name in the folder of the manifest.
    pub file: InsideName,
    /// The number of its bytes.
    pub bytes: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// A file that was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileRecord {
    /// The kind of file.
    pub kind: FileKind,
    /// Its name in the folder of the manifest.
    pub file: InsideName,
    /// The number of its rows, without the header.
    pub rows: u64,
    /// The digest of its bytes.
    pub sha256: Digest,
}

/// The manifest of an output folder that holds the folders of several sites.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchManifest {
    /// [`SCHEMA`](super::SCHEMA)
    #[serde(deserialize_with = "numbers::schema")]
    pub schema: u32,
    /// Where the contents come from. The arguments make the whole batch.
    pub origin: Origin,
    /// The formula of the seeds of runs: [`SEQUENTIAL`] or [`HASHED`].
    pub seed_formula: String,
    /// The value of `--seed`. With [`SEQUENTIAL`] it is the seed of the first site's first run.
    pub base_seed: u64,
    /// Warnings to read before another campaign is made for the same device.
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
    /// The number of finished runs.
    pub runs: u64,
    /// The number of operations of all its runs.
    pub operations: u64,
    /// The digest of the bytes of its manifest.
    pub manifest_sha256: Digest,
    /// Whether it has no further runs because it covered what was asked for. `false` is not written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub covered: bool,
}

/// Reads runs, whose numbers must follow one another.
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
