//! A snapshot as a file: the state, what it belongs to, and a checksum over both.
//!
//! One line of JSON. Promises that a file that is cut, altered, of a newer form, or of anything else than what is to go on is
//! refused, and that the refusal says which. Leaves out where the file lies.

use nandseq_profile::Ticks;
use nandseq_trace::files::Digest;
use nandseq_trace::json_fault;
use serde::{Deserialize, Serialize};

use nandseq_profile::diagnostic::counted;

use super::state::SiteState;

/// What the file calls itself.
const FORMAT: &str = "nandseqgen state snapshot";
/// The newest version of the form that this crate reads; it writes the oldest that can say what is to be said.
pub const VERSION: u64 = 3;
/// The version that knows nothing of dead dies.
const WITHOUT_DEAD_DIES: u64 = 2;
/// The version without coverage, too: a program that knows no other must not go on from a site that counts.
const WITHOUT_COVERAGE: u64 = 1;

/// What a state belongs to: another one does not go on from it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// What the device is called: for people; not compared.
    pub device: String,
    /// Dies, planes of a die, blocks of a die, pages of a block.
    pub topology: [u32; 4],
    /// Of what the profile says, overrides by flags included.
    pub profile_sha256: String,
    /// Of the probability table.
    pub table_sha256: String,
    /// Of the list of bad blocks as it was understood.
    pub bad_blocks_sha256: String,
    /// How seeds follow from one another.
    pub seed_formula: String,
    /// The base seed, or that of the site's first run: whichever the formula starts from.
    pub seed: u64,
    /// The site's number, if sites are numbered.
    pub site: Option<u64>,
    /// Simulated time of a run, ps.
    pub run_until: u64,
    /// Operations of a run, if limited.
    pub max_ops: Option<u64>,
    /// Whether the site began with a bootstrap.
    pub bootstrap: bool,
    /// What its runs cover, if they count that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<CoverageIdentity>,
}

/// How the runs of a site go for coverage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverageIdentity {
    /// Whether proposals go for what lacks hits.
    pub directed: bool,
    /// Cells that count.
    pub cells: u64,
    /// Which these are, in order: hits are kept by their place among them.
    pub cells_sha256: Digest,
    /// Covered cells that end the site's runs.
    pub until: Option<u64>,
}

/// A state with what it belongs to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// What it belongs to.
    pub identity: Identity,
    /// The site after so many runs as the state says.
    pub state: SiteState,
}

/// The whole file.
#[derive(Serialize)]
struct File<'a> {
    format: &'a str,
    version: u64,
    /// Of `snapshot` as compact JSON.
    sha256: Digest,
    snapshot: &'a Snapshot,
}

/// In what a snapshot may belong to something else than what is to go on.
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
    /// How seeds follow from one another.
    SeedFormula,
    /// The seed from which they follow.
    Seed,
    /// The site's number.
    Site,
    /// Simulated time of a run.
    RunLength,
    /// Operations of a run.
    MaxOps,
    /// Whether the site began with a bootstrap.
    Bootstrap,
    /// Whether proposals go for coverage.
    Closure,
    /// Covered cells that end the site's runs.
    CoverageGoal,
    /// Which cells count.
    Cells,
}

impl IdentityPart {
    /// What it is called.
    const fn text(self) -> &'static str {
        match self {
            Self::Topology => "topology",
            Self::Profile => "profile",
            Self::Table => "probability table",
            Self::BadBlocks => "list of bad blocks",
            Self::SeedFormula => "seed formula",
            Self::Seed => "seed",
            Self::Site => "site",
            Self::RunLength => "length of runs",
            Self::MaxOps => "number of operations of a run",
            Self::Bootstrap => "choice of bootstrap",
            Self::Closure => "way of proposing",
            Self::CoverageGoal => "goal of coverage",
            Self::Cells => "choice of cells that count",
        }
    }
}

/// Why a snapshot is refused.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The text ends early, or is no JSON.
    #[error("it is cut or damaged: {0}")]
    Cut(String),
    /// It is something else.
    #[error("it is not a snapshot of nandseqgen")]
    Foreign,
    /// A later version wrote it.
    #[error("its form is version {0}, this program knows version {VERSION}: a newer program wrote it")]
    Newer(u64),
    /// It is not what was written.
    #[error("it was altered: {0}")]
    Altered(String),
    /// It belongs to something else.
    #[error("it belongs to another {}: {found} instead of {wanted}", what.text())]
    Other {
        /// What is different.
        what: IdentityPart,
        /// What the snapshot says.
        found: String,
        /// What is to go on.
        wanted: String,
    },
}

impl SnapshotError {
    /// Whether the runs that are to come would go farther, or less far, than those before the snapshot.
    #[must_use]
    pub fn is_of_limits(&self) -> bool {
        use IdentityPart::{CoverageGoal, MaxOps, RunLength};
        matches!(self, Self::Other { what: RunLength | MaxOps | CoverageGoal, .. })
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
        // The checksum does not cover it.
        if version == snapshot.version() {
            Ok(snapshot)
        } else {
            Err(altered("its version is not that of its contents"))
        }
    }

    /// The version of the form that it is written in.
    fn version(&self) -> u64 {
        if self.state.has_dead_dies() {
            VERSION
        } else if self.identity.coverage.is_some() {
            WITHOUT_DEAD_DIES
        } else {
            WITHOUT_COVERAGE
        }
    }

    /// Whether it belongs to what is to go on.
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
            Some(CoverageIdentity { until: None, cells, .. }) => {
                format!("all of {}, without an end", counted(cells, "cell"))
            }
            Some(CoverageIdentity { until: Some(until), cells, .. }) => {
                format!("{until} of {}", counted(cells, "cell"))
            }
        };
        let which = |identity: &Identity| identity.coverage.map(|coverage| coverage.cells_sha256.to_string());
        let which = |identity: &Identity| which(identity).unwrap_or_else(|| "none".to_owned());
        let parts = [
            (IdentityPart::Topology, topology(found.topology), topology(wanted.topology)),
            (IdentityPart::Profile, found.profile_sha256.clone(), wanted.profile_sha256.clone()),
            (IdentityPart::Table, found.table_sha256.clone(), wanted.table_sha256.clone()),
            (IdentityPart::BadBlocks, found.bad_blocks_sha256.clone(), wanted.bad_blocks_sha256.clone()),
            (IdentityPart::SeedFormula, found.seed_formula.clone(), wanted.seed_formula.clone()),
            (IdentityPart::Seed, found.seed.to_string(), wanted.seed.to_string()),
            (IdentityPart::Site, site(found), site(wanted)),
            (IdentityPart::RunLength, length(found), length(wanted)),
            (IdentityPart::MaxOps, ops(found), ops(wanted)),
            (IdentityPart::Bootstrap, found.bootstrap.to_string(), wanted.bootstrap.to_string()),
            (IdentityPart::Closure, closure(found).to_owned(), closure(wanted).to_owned()),
            (IdentityPart::CoverageGoal, until(found), until(wanted)),
            (IdentityPart::Cells, which(found), which(wanted)),
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
