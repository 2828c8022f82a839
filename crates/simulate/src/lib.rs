//! Planted faults: what a tester would report if parts had a given fault.
//!
//! [`read()`] reads the description of a fault. A [`FaultySite`] hears of the operations of a site, run by run, and says which of them fail.
//! [`FailsWriter`] writes the fails as CSV or STDF. Every decision that is left to chance is drawn from a stream of its own for
//! (site, run, operation), so the result depends on the sequences, the fault and the seed alone.
//!
//! What is planted here is there to be found again. So this crate shares no code with what looks for faults, and follows written sequences in its own, plain
//! way. Leaves out files: rows come from the caller.

mod draws;
pub mod fault;
mod follow;
mod history;
mod occurred;
mod outputs;
mod read;
mod schema;
mod site;
mod writer;

pub use fault::PlantedFault;
pub use occurred::FaultOccurrences;
pub use read::{SCHEMA_VERSION, read};
pub use schema::json as schema_json;
pub use site::FaultySite;
pub use writer::{FailsForm, FailsWriter};
