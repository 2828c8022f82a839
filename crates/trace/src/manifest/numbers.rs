//! The numbers of the runs that a manifest lists, and of its form.
//!
//! Promises that runs that were read have numbers that a campaign can have: whoever adds to them, or makes runs up to the last, need not
//! fear what somebody wrote into the file.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

/// The version of the form that is written.
pub const SCHEMA: u32 = 1;
/// The largest number that a run has.
pub const MAX_RUN: u64 = 9_999_999;

/// What is said of a manifest of another form.
pub(super) const OTHER_SCHEMA: &str = "its form is version ";

/// The version of the form, which must be known.
pub(super) fn schema<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let schema = u32::deserialize(deserializer)?;
    let wrong = || D::Error::custom(format!("{OTHER_SCHEMA}{schema}, this program knows version {SCHEMA}"));
    if schema == SCHEMA { Ok(schema) } else { Err(wrong()) }
}

/// The numbers of a run, by which it follows another.
#[derive(Clone, Copy, Deserialize)]
pub(super) struct RunNumbers {
    pub(super) run: u64,
    pub(super) run_index: u64,
}

impl RunNumbers {
    /// Why no run has such numbers, or none after the one before.
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
