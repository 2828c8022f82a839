//! What goes with failing, for the page: the suspects of a diagnosis with excerpts of the timeline.
//!
//! Each site of such a page is an excerpt: the time around an operation.

use serde::Serialize;

/// The suspects of a page.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PageOfSuspects {
    /// What is bad, as a sentence.
    pub verdict: String,
    /// The most uneven places.
    pub spread: Vec<UnevenPlace>,
    /// The suspects, the best first.
    pub list: Vec<ShownSuspect>,
}

/// A place with its fails.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct UnevenPlace {
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
    /// The probability of so many fails by chance.
    pub chance: f64,
}

/// Failing ones among all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct ShownCount {
    /// Those that fail.
    pub fails: u64,
    /// All.
    pub all: u64,
}

/// A suspect.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ShownSuspect {
    /// Its rank, from 1.
    pub rank: usize,
    /// What it is, in words.
    pub what: String,
    /// Its score.
    pub score: f64,
    /// The interval of the score.
    pub interval: [f64; 2],
    /// Operations in which it was seen.
    pub operations: ShownCount,
    /// Runs in which it was seen.
    pub runs: ShownCount,
    /// What is seen in the same operations.
    pub also_explains: Vec<String>,
    /// Its examples.
    pub excerpts: Vec<SuspectExcerpt>,
}

/// The time around an operation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct SuspectExcerpt {
    /// `fails` or `passes`.
    pub word: &'static str,
    /// Which operation it is, in words.
    pub text: String,
    /// The number of the page's site that it is.
    pub site: usize,
    /// The operation.
    pub uid: u64,
}
