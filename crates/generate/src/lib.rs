//! Random legal operation sequences.
//!
//! Events, proposals, chains, probabilities, sites and runs. The only randomness of the product; no clock, no files.

mod address_availability;
#[cfg(test)]
#[path = "../tests/support/adversaries.rs"]
mod adversaries;
mod bootstrap;
mod boundary;
mod chain;
mod classes;
pub mod closure;
pub mod dead;
mod die_constraints;
mod eligible;
mod event_reporter;
mod groups;
mod philox;
mod plan;
pub mod probability;
mod propose;
mod queue;
mod reason;
mod safety;
mod seed;
mod setup;
mod site;
mod snapshot;
mod waiting;
mod weighted_sampler;

pub use philox::{Stream, StreamKind};
pub use reason::{Reason, Rejections};
pub use seed::{SeedPlan, mix};
pub use setup::{Setup, SetupError};
pub use site::{RunError, RunLimits, RunSummary, Site};
pub use snapshot::{
    CoverageIdentity, Identity, IdentityPart, SNAPSHOT_VERSION, SiteState, Snapshot, SnapshotError, StateError,
};
