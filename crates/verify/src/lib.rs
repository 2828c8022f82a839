//! An independent judge of written operation sequences.
//!
//! A [`Verifier`] replays a sequence on a model of its own, and says which rules the sequence breaks. It is written from the text
//! of the rules and shares no code with what generates sequences. It is plain on purpose: time intervals in lists, and a
//! list of coming ends sorted by time. Behaviour comes from the profile as data; no name of a base or operation is compared.
//!
//! Promises:
//! - Memory is bounded by the size of the device and the number of findings kept, not by the length of a sequence.
//! - No input makes it panic.
//! - One damaged operation gives one finding of each rule that it breaks. Later operations that break the rule against it are
//!   counted apart, as [followers](FindingCounts::followers).
//!
//! It does not judge whether a chain was completed: a sequence does not say which chain an operation began.
//!
//! This example judges a sequence in which two operations start at the same time, so that both hold the bus:
//!
//! ```
//! use nandseq_input::SequenceReader;
//! use nandseq_verify::{RuleCode, Verifier};
//!
//! let profile = nandseq_profile::builtin::profile();
//! let text = "seq,time,op_id,op_name,op_uid,payload\n1,0.0,0,Data_Out_Termination,1,[{}]\n2,0.0,0,Data_Out_Termination,2,[{}]\n";
//! let mut reader = SequenceReader::new(&profile, text.as_bytes())?;
//! let mut verifier = Verifier::new(&profile, &[]);
//! while let Some(row) = reader.next_row()? {
//!     match row {
//!         Ok(row) => verifier.row(&row),
//!         Err(bad) => verifier.bad_row(&bad),
//!     }
//! }
//! verifier.end_of_file();
//! assert_eq!(verifier.counts(RuleCode::Bus).findings, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod compiled_profile;
mod finding;
mod judge;
mod model;
pub mod notation;
mod numbers;
mod report;
mod rule;
pub mod rulebook;
mod site;
mod tables;
pub mod time;
mod verifier;

pub use finding::{Finding, FindingCounts, OperationRef, RowPlace};
pub use report::{FileReport, Report, SiteReport, TableReport};
pub use rule::RuleCode;
pub use site::{Options, Unusable, judge_site, run};
pub use verifier::Verifier;
