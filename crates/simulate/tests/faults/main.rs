//! Planted faults against short sequences that are made by hand: each kind fails where it should, and not one tick or one step beside it.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod chance;
mod descriptions;
mod kinds;
mod naive;
mod occurred;
mod play;
mod written;
