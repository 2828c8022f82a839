//! The address book against a naive count of all blocks, and its draws against their exact distributions.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod agreement;
mod edges;
mod limits;
mod naive;
mod outcomes;
mod uniform;
