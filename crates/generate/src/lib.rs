//! Random legal operation sequences.
//!
//! A [`Setup`] is a compiled profile and probability table. A [`Site`] made from it is one device with its own seed. Each
//! [`Site::run`] goes on from the one before, and tells a sink of every operation that it starts. All randomness of the product
//! is here. The crate uses no clock and no files.
//!
//! This example generates 2 ms of the built-in device. Its sink counts operations by phase key and hands each to the verifier:
//!
//! ```
//! use std::{collections::BTreeMap, io};
//!
//! use nandseq_generate::{RunLimits, Setup, Site, probability};
//! use nandseq_profile::{PhaseKey, Ticks, builtin};
//! use nandseq_trace::{Operation, Sink};
//! use nandseq_verify::Verifier;
//!
//! struct Judged<'p> {
//!     verifier: Verifier<'p>,
//!     by_key: BTreeMap<PhaseKey, u64>,
//! }
//!
//! impl Sink for Judged<'_> {
//!     fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
//!         *self.by_key.entry(operation.proposal.key_used).or_default() += 1;
//!         self.verifier.operation(operation);
//!         Ok(())
//!     }
//! }
//!
//! let profile = builtin::profile();
//! let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
//! let setup = Setup::new(&profile, &table, &[])?;
//! let mut sink = Judged { verifier: Verifier::new(&profile, &[]), by_key: BTreeMap::new() };
//! let limits = RunLimits { run_until: Ticks::from_us(2_000), ..RunLimits::default() };
//! let summary = Site::new(&setup, 42).run(&limits, &mut sink)?;
//! sink.verifier.end_of_file();
//! assert!(sink.verifier.is_clean());
//! assert_eq!(sink.verifier.operations(), summary.ops);
//! assert_eq!(sink.by_key.values().sum::<u64>(), summary.ops);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
#[path = "../tests/support/adversaries.rs"]
mod adversaries;
pub mod dead;
mod dead_looks;
mod kernel;
mod limits;
mod policy;
pub mod probability;
mod proposal;
mod random;
mod refills;
mod reporting;
mod run;
mod setup;
mod shares;
mod site;
mod site_data;
mod site_events;
mod site_scenarios;
mod site_shares;
mod snapshot;
mod until_counts;

pub use limits::{LimitKind, LimitReached};
pub use policy::scripted::{ScenarioHit, ScenarioReached, ValueReached};
pub use random::{RandomNumbers, SeedPlan, Stream, StreamKind, TableStream, mix};
pub use reporting::{RefusalReason, Rejections, RunSummary};
pub use run::{CanCover, RunError, RunLimits};
pub use setup::{CompiledSetup, ScenarioValue, Setup, SetupError};
pub use shares::{ShareReached, ShareShortfall};
pub use site::Site;
pub use snapshot::{CoverageIdentity, Identity, IdentityPart, SiteState, Snapshot, SnapshotError, StateError};

/// The coverage model, and how much of it was reached.
pub mod closure {
    pub use crate::policy::Reached;
    pub use crate::setup::coverage_model::CoverageModel;
}
