//! A suspect, and what the first of them says is bad: what a diagnosis consists of. Leaves out how they are found.

use serde::Serialize;

use crate::evidence::ExampleOperation;
use crate::feature::Combination;
use crate::statistics::UnitCount;

/// The most uneven place of a kind.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlaceSpread {
    /// What kind of place.
    pub kind: &'static str,
    /// The place.
    pub place: String,
    /// Fails there.
    pub fails: u64,
    /// Fails in all.
    pub of: u64,
    /// Its share of what could have failed, in percent.
    pub share: f64,
    /// The probability that chance alone gives some place of the kind so many fails.
    pub chance: f64,
}

nandseq_profile::named! {
    /// What the first suspect says is bad.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
    #[serde(rename_all = "snake_case")]
    pub enum DiagnosisKind {
        /// Nothing goes with failing more than chance gives.
        Nothing = "nothing",
        /// A place, whatever happens there.
        Place = "place",
        /// A combination of operations, wherever it happens.
        Combination = "combination",
        /// A combination in one place.
        CombinationAtPlace = "combination at a place",
    }
    /// All of them.
    pub const ALL;
    /// Its name.
    pub const fn name;
}

/// An operation in which a suspect was seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SuspectExample {
    /// The site.
    pub site: String,
    /// The run.
    pub run: u64,
    /// The file of the sequence.
    pub file: String,
    /// The row in it, from 1.
    pub row: u64,
    /// The `op_uid`.
    pub op_uid: u64,
    /// Its start, as the timelines have it.
    pub time_us: String,
}

/// A suspect.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Suspect {
    /// Its rank, from 1.
    pub rank: usize,
    /// What it is, in words.
    pub what: String,
    /// Its score.
    pub score: f64,
    /// The interval that holds the score in 95 of 100 samples of the runs.
    pub interval: [f64; 2],
    /// The scores by all metrics, in their order.
    pub scores: Vec<(&'static str, f64)>,
    /// The operations in which it was seen.
    pub operations: UnitCount,
    /// The runs in which it was seen.
    pub runs: UnitCount,
    /// Combinations of about the same operations, or runs where runs are compared.
    pub also_explains: Vec<String>,
    /// One that fails.
    pub fails_at: Option<SuspectExample>,
    /// One that passes.
    pub passes_at: Option<SuspectExample>,
    #[serde(skip)]
    pub(crate) combination: Combination,
    #[serde(skip)]
    pub(crate) examples: [Option<ExampleOperation>; 2],
}
