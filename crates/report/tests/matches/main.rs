//! The matches of scenarios in written sequences.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod addresses;
mod conditions;
mod counting;
mod early_suspend;
mod random;
mod rows;
mod slow;
