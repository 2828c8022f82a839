//! Reports on written runs: an HTML page, timelines for other viewers, coverage.
//!
//! Reads traces like anyone else would: through the profile and the files of a run, nothing else. Promises output that depends on
//! those alone (no clock, no host), and no network access from what it writes. Leaves out any judgement of legality.

pub mod chains;
pub mod coverage;
pub mod family;
pub mod load;
pub mod page;
pub mod perfetto;
mod phases;
mod sums;
pub mod vcd;

pub use load::{LoadError, SiteTables, Wanted};
