//! Checks of the numbers in a manifest: the schema, and the numbers of runs.
//!
//! Runs that were read have numbers that a campaign can have. So arithmetic on them cannot overflow, whatever the file said.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The version of the schema of manifests, the only one that is written and read.
pub const SCHEMA: u32 = 1;
/// The largest number of a run.
pub const MAX_RUN: u64 = 9_999_999;

/// The beginning of the message about a manifest of another schema.
pub(super) const OTHER_SCHEMA: &str = "its form is version ";

/// Reads the version of the schema, which must be [`SCHEMA`].
pub(super) fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let schema = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("{OTHER_SCHEMA}{schema}, this program knows version {SCHEMA}"));
    if schema == SCHEMA { Ok(schema) } else { Err(wrong()) }
}

/// The two numbers of a run: from 1 in file names, from 0 in the seed formula.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct RunNumbers {
    pub(super) run: u64,
    pub(super) run_index: u64,
}

impl RunNumbers {
    /// The message if these numbers are impossible, or do not follow those of the run before.
    pub(super) fn fault(self, before: Option<Self>) -> Option<String> {
        let Self { run, run_index } = self;
        if !(1..=MAX_RUN).contains(&run) {
            return Some(format!("runs have numbers from 1 to {MAX_RUN}, not {run}"));
        }
        if run_index != run - 1 {
            return Some(format!("the `run_index` of run {run} is {}, not {run_index}", run - 1));
        }
        let follows = |before: &Self| before.run + 1 == run;
        before.filter(|before| !follows(before)).map(|before| format!("run {run} does not follow run {}", before.run))
    }
}
