//! The smallest legal sequence that still fails.
//!
//! A tester says that a run fails. A [`Shrinker`] takes operations away from the [`SequenceHistory`] of its site, round by round: it hands out
//! legal candidates, hears which of them still fail, and goes on with the smallest. What a rule needs is put back, so that every candidate
//! is legal by the rules of the device. The caller asks the tester, or whatever stands for it; this crate runs no program, opens no file
//! and draws no random numbers.
//!
//! [`record`] tells a sink of a sequence, so that it is written as runs are. [`ShrinkStory`] says what was removed and why the rest is
//! needed.

mod blocks;
mod evidence;
mod history;
mod links;
mod player;
mod reads;
mod recipe;
mod record;
mod reduce;
mod removal;
mod repair;
mod round;
mod shrinker;
mod story;

pub use evidence::{RepeatRule, TryCounts};
pub use history::{HistoryError, HistoryOperation, HistoryReader, SequenceHistory};
pub use recipe::{Recipe, SequenceSize};
pub use record::record;
pub use reduce::Reduction;
pub use removal::{MOST_CANDIDATES, ReducedPart};
pub use repair::{KeptOperation, LegalSequence, NotLegal};
pub use round::Candidate;
pub use shrinker::{KeptReason, MOST_ROUNDS, NextRound, ShrinkState, ShrinkStateError, ShrinkStep, Shrinker};
pub use story::{ShrinkStory, ToldOperation, ToldStep};
