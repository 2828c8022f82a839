//! What the generator counts as a hit of a scenario is a match for the reader of sequences, which shares no code with it.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod examples;
mod mended;
mod random;
mod tried;
