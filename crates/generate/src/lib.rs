//! Random legal operation sequences.
//!
//! A [`Setup`] is a profile and a probability table, compiled. A [`Site`] made from it is one device with its own seed; each
//! [`Site::run`] goes on from the one before and tells a sink of every operation that it starts. The only randomness of the product;
//! no clock, no files.

#[cfg(test)]
#[path = "../tests/support/adversaries.rs"]
mod adversaries;
pub mod dead;
mod kernel;
mod policy;
pub mod probability;
mod proposal;
mod random;
mod refills;
mod reporting;
mod run;
mod setup;
mod site;
mod snapshot;

pub use random::{SeedPlan, Stream, StreamKind, mix};
pub use reporting::{Reason, Rejections, RunSummary};
pub use run::{RunError, RunLimits};
pub use setup::{Setup, SetupError};
pub use site::Site;
pub use snapshot::{
    CoverageIdentity, Identity, IdentityPart, SNAPSHOT_VERSION, SiteState, Snapshot, SnapshotError, StateError,
};

/// What is to be covered, and how much of it was.
pub mod closure {
    pub use crate::policy::Reached;
    pub use crate::setup::coverage_model::{Cell, Goal};
}
