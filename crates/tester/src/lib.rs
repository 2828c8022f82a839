//! What a tester reports: the fails of parts in runs, as CSV or STDF V4.
//!
//! [`read_fails`] gives the answers of a file one after another, in constant memory. [`Fails`] checks them against the runs of a
//! campaign and collects them by site, run and part. Every error says at which line or record of which file it is. Leaves out what
//! follows from the answers.
//!
//! ```
//! use nandseq_tester::{Answer, FieldMap, PartResult, read_fails};
//!
//! let folder = tempfile::tempdir()?;
//! let path = folder.path().join("fails.csv");
//! std::fs::write(&path, "site,run,op_uid\n1,1,\n5,12,84213\n")?;
//! let mut failed = Vec::new();
//! read_fails(&path, &FieldMap::default(), &mut |Answer { site, run, result, .. }| {
//!     if let PartResult::Failed { op_uid } = result {
//!         failed.push((site, run, op_uid));
//!     }
//!     Ok(())
//! })?;
//! assert_eq!(failed, [(5, 12, Some(84213))]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod campaign;
mod csv;
mod fails;
mod field_map;
mod read;
mod stdf;

pub use answer::{Answer, FailRecord, FailsError, PartResult, RecordKind};
pub use campaign::CampaignRuns;
pub use fails::{FailedAt, Fails, MOST_OPS, OtherRuns, RunOfPart, RunResult};
pub use field_map::FieldMap;
pub use read::read_fails;
