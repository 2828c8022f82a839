//! A snapshot as a file: the state, what it belongs to, and a checksum over both.
//!
//! The file is one line of JSON. A file that is cut, altered or of a newer version, or that belongs to something else than the
//! site that is to go on, is refused, and the error says which. The caller reads and writes the file.

use nandseq_profile::Ticks;
use nandseq_trace::files::Digest;
use nandseq_trace::json_fault;
use serde::{Deserialize, Serialize};

use nandseq_profile::diagnostic::counted;

use super::state::SiteState;

/// The name of the format, in the file.
const FORMAT: &str = "nandseqgen state snapshot";
/// The newest version of the format that this crate reads. It writes the oldest version that can hold the snapshot.
const VERSION: u64 = 5;
/// The version that knows nothing of data.
const WITHOUT_DATA: u64 = 4;
/// The version that knows nothing of test plans.
const WITHOUT_PLAN: u64 = 3;
/// The version that knows nothing of dead dies.
const WITHOUT_DEAD_DIES: u64 = 2;
/// The version without coverage, too: a program that knows no other must not go on from a site that counts.
const WITHOUT_COVERAGE: u64 = 1;

/// What a state belongs to. Only a site of the same identity goes on from the state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The device's name, for people; it is not compared.
    pub device: String,
    /// Dies, planes of a die, blocks of a die, pages of a block.
    pub topology: [u32; 4],
    /// SHA-256 of the profile's contents, overrides by flags included.
    pub profile_sha256: String,
    /// SHA-256 of the probability table.
    pub table_sha256: String,
    /// SHA-256 of the list of bad blocks as it was understood.
    pub bad_blocks_sha256: String,
    /// The formula of the runs' seeds.
    pub seed_formula: String,
    /// The seed from which the formula starts: the base seed, or that of the site's first run.
    pub seed: u64,
    /// The site's number, if sites are numbered.
    pub site: Option<u64>,
    /// SHA-256 of the test plan, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_sha256: Option<Digest>,
    /// Simulated time of a run, ps; 0 where the phases of the plan state it.
    pub run_until: u64,
    /// Operations of a run, if limited and the same for all.
    pub max_ops: Option<u64>,
    /// Whether the site began with a bootstrap.
    pub bootstrap: bool,
    /// How its runs count coverage, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageIdentity>,
}

/// How the runs of a site count coverage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageIdentity {
    /// Whether generation is directed.
    pub directed: bool,
    /// Bins that count.
    #[serde(rename = "cells")]
    pub bins: u64,
    /// Which these are, in order: hits are kept by their place among them.
    #[serde(rename = "cells_sha256")]
    pub bins_sha256: Digest,
    /// How many covered bins end the site's runs.
    pub until: Option<u64>,
}

/// A state with what it belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// What it belongs to.
    pub identity: Identity,
    /// The state of the site.
    pub state: SiteState,
}

/// The whole file.
#[derive(Serialize)]
struct File<'a> {
    format: &'a str,
    version: u64,
    /// SHA-256 of `snapshot` as compact JSON.
    sha256: Digest,
    snapshot: &'a Snapshot,
}

/// A part of the identity in which a snapshot may differ from the site that is to go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IdentityPart {
    /// How many dies, planes, blocks and pages.
    Topology,
    /// The profile.
    Profile,
    /// The probability table.
    Table,
    /// The list of bad blocks.
    BadBlocks,
    /// The test plan.
    Plan,
    /// The formula of the runs' seeds.
    SeedFormula,
    /// The seed from which the formula starts.
    Seed,
    /// The site's number.
    Site,
    /// Simulated time of a run.
    RunLength,
    /// Operations of a run.
    MaxOps,
    /// Whether the site began with a bootstrap.
    Bootstrap,
    /// Whether generation is directed.
    Closure,
    /// How many covered bins end the site's runs.
    UntilCoverage,
    /// The bins of the coverage model.
    Bins,
}

impl IdentityPart {
    /// Its name in messages.
    const fn text(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Profile => "profile",
            Self::Table => "probability table",
            Self::BadBlocks => "list of bad blocks",
            Self::Plan => "test plan",
            Self::SeedFormula => "seed formula",
            Self::Seed => "seed",
            Self::Site => "site",
            Self::RunLength => "length of runs",
            Self::MaxOps => "number of operations of a run",
            Self::Bootstrap => "choice of bootstrap",
            Self::Closure => "way of proposing",
            Self::UntilCoverage => "limit of coverage",
            Self::Bins => "choice of bins that count",
        }
    }
}

/// Why a snapshot is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The text ends early, or is no JSON.
    #[error("it is cut or damaged: {0}")]
    Cut(String),
    /// The text is not a snapshot.
    #[error("it is not a snapshot of nandseqgen")]
    Foreign,
    /// A newer program wrote the snapshot.
    #[error("its form is version {0}, this program knows version {VERSION}: a newer program wrote it")]
    Newer(u64),
    /// The contents are not those that were written.
    #[error("it was altered: {0}")]
    Altered(String),
    /// The snapshot belongs to something else than the site that is to go on.
    #[error("it belongs to another {}: {found} instead of {wanted}", what.text())]
    Other {
        /// The part that differs.
        what: IdentityPart,
        /// What the snapshot says.
        found: String,
        /// What the site that is to go on has.
        wanted: String,
    },
}

impl SnapshotError {
    /// Whether the difference is in a limit of the runs: their time, their operations or their coverage.
    #[must_use]
    pub fn is_of_limits(&self) -> bool {
        use IdentityPart::{MaxOps, RunLength, UntilCoverage};
        matches!(self, Self::Other { what: RunLength | MaxOps | UntilCoverage, .. })
    }
}

impl Snapshot {
    /// The contents of the file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let sha256 = Digest::of(&compact(self));
        let mut bytes = compact(&File { format: FORMAT, version: self.version(), sha256, snapshot: self });
        bytes.push(b'\n');
        bytes
    }

    /// Reads the contents of a file.
    ///
    /// # Errors
    /// [`SnapshotError`], all but [`SnapshotError::Other`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SnapshotError> {
        let cut = |error: serde_json::Error| SnapshotError::Cut(json_fault::describe(&error));
        let document: serde_json::Value = serde_json::from_slice(bytes).map_err(cut)?;
        if document.get("format").and_then(serde_json::Value::as_str) != Some(FORMAT) {
            return Err(SnapshotError::Foreign);
        }
        let altered = |what: &str| SnapshotError::Altered(what.to_owned());
        let version = document.get("version").and_then(serde_json::Value::as_u64);
        let version = version.ok_or_else(|| altered("it has no version"))?;
        match version {
            WITHOUT_COVERAGE..=VERSION => {}
            newer if newer > VERSION => return Err(SnapshotError::Newer(newer)),
            _ => return Err(altered("there is no such version")),
        }
        let sha256 = document.get("sha256").and_then(serde_json::Value::as_str).map(str::to_owned);
        let sha256 =
            sha256.and_then(|text| Digest::try_from(text).ok()).ok_or_else(|| altered("it has no checksum"))?;
        let snapshot = document.get("snapshot").ok_or_else(|| altered("it has no contents"))?;
        let snapshot =
            Self::deserialize(snapshot).map_err(|error| SnapshotError::Altered(json_fault::describe(&error)))?;
        if Digest::of(&compact(&snapshot)) != sha256 {
            return Err(altered("its checksum is wrong"));
        }
        // The checksum does not cover the version.
        if version == snapshot.version() {
            Ok(snapshot)
        } else {
            Err(altered("its version is not that of its contents"))
        }
    }

    /// The version of the format in which the snapshot is written.
    fn version(&self) -> u64 {
        if self.state.has_data() {
            VERSION
        } else if self.identity.plan_sha256.is_some() {
            WITHOUT_DATA
        } else if self.state.has_dead_dies() {
            WITHOUT_PLAN
        } else if self.identity.coverage.is_some() {
            WITHOUT_DEAD_DIES
        } else {
            WITHOUT_COVERAGE
        }
    }

    /// Checks that the snapshot belongs to the site that is to go on.
    ///
    /// # Errors
    /// [`SnapshotError::Other`] with the first difference.
    pub fn check(&self, wanted: &Identity) -> Result<(), SnapshotError> {
        let found = &self.identity;
        let site = |identity: &Identity| identity.site.map_or("no number".to_owned(), |site| site.to_string());
        let topology = |[dies, planes, blocks, pages]: [u32; 4]| {
            let [dies, planes, blocks, pages] = [(dies, "die"), (planes, "plane"), (blocks, "block"), (pages, "page")]
                .map(|(n, what)| counted(n.into(), what));
            format!("{dies} × {planes}, {blocks} of {pages}")
        };
        let length = |identity: &Identity| format!("{} µs", Ticks(identity.run_until).to_us_text());
        let ops = |identity: &Identity| identity.max_ops.map_or("no limit".to_owned(), |ops| ops.to_string());
        let closure = |identity: &Identity| match identity.coverage {
            Some(coverage) if coverage.directed => "with --closure",
            Some(_) | None => "without --closure",
        };
        let until = |identity: &Identity| match identity.coverage {
            None => "none".to_owned(),
            Some(CoverageIdentity { until: None, bins, .. }) => {
                format!("all of {}, without an end", counted(bins, "bin"))
            }
            Some(CoverageIdentity { until: Some(until), bins, .. }) => {
                format!("{until} of {}", counted(bins, "bin"))
            }
        };
        let plan =
            |identity: &Identity| identity.plan_sha256.map_or_else(|| "none".to_owned(), |plan| plan.to_string());
        let which = |identity: &Identity| identity.coverage.map(|coverage| coverage.bins_sha256.to_string());
        let which = |identity: &Identity| which(identity).unwrap_or_else(|| "none".to_owned());
        let parts = [
            (IdentityPart::Topology, topology(found.topology), topology(wanted.topology)),
            (IdentityPart::Profile, found.profile_sha256.clone(), wanted.profile_sha256.clone()),
            (IdentityPart::Table, found.table_sha256.clone(), wanted.table_sha256.clone()),
            (IdentityPart::BadBlocks, found.bad_blocks_sha256.clone(), wanted.bad_blocks_sha256.clone()),
            (IdentityPart::Plan, plan(found), plan(wanted)),
            (IdentityPart::SeedFormula, found.seed_formula.clone(), wanted.seed_formula.clone()),
            (IdentityPart::Seed, found.seed.to_string(), wanted.seed.to_string()),
            (IdentityPart::Site, site(found), site(wanted)),
            (IdentityPart::RunLength, length(found), length(wanted)),
            (IdentityPart::MaxOps, ops(found), ops(wanted)),
            (IdentityPart::Bootstrap, found.bootstrap.to_string(), wanted.bootstrap.to_string()),
            (IdentityPart::Closure, closure(found).to_owned(), closure(wanted).to_owned()),
            (IdentityPart::UntilCoverage, until(found), until(wanted)),
            (IdentityPart::Bins, which(found), which(wanted)),
        ];
        match parts.into_iter().find(|(_, found, wanted)| found != wanted) {
            Some((what, found, wanted)) => Err(SnapshotError::Other { what, found, wanted }),
            None => Ok(()),
        }
    }
}

/// Plain data as one line of JSON.
fn compact(data: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(data).expect("plain data with text keys")
}

#[cfg(test)]
mod tests;
