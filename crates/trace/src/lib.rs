//! The events of a site, and the forms that the writers and readers of files share.
//!
//! The engine pushes each operation that starts into a [`Sink`]; sinks write files. This crate has the events, the rows of the
//! tables, the names of files and the records of manifests. It has no rules and no random numbers, writes no file and reads no
//! table.
//!
//! A sink needs one function. This one measures the longest time in which nothing starts:
//!
//! ```
//! use std::io;
//!
//! use nandseq_profile::Ticks;
//! use nandseq_trace::{Operation, Sink};
//!
//! #[derive(Default)]
//! struct Silence {
//!     last: Ticks,
//!     longest: Ticks,
//! }
//!
//! impl Sink for Silence {
//!     fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
//!         self.longest = self.longest.max(operation.start - self.last);
//!         self.last = operation.start;
//!         Ok(())
//!     }
//! }
//!
//! let mut silence = Silence::default();
//! for start in [10, 25, 30].map(Ticks::from_us) {
//!     silence.operation(&Operation { start, ..Operation::default() })?;
//! }
//! assert_eq!(silence.longest, Ticks::from_us(15));
//! # Ok::<(), io::Error>(())
//! ```

mod csv_field;
pub mod events;
pub mod file_form;
pub mod files;
pub mod inside;
pub mod json_fault;
pub mod manifest;
pub mod pack;
mod plain_reason;
pub mod recorded;
pub mod rows;
pub mod run_name;
mod sink;
pub mod table;
pub mod time_column;

pub use csv_field::csv_field;
pub use events::{Cut, DiePlanes, OpState, Operation, Proposal, Status, suspension_words};
pub use plain_reason::plain_reason;
pub use sink::{Nowhere, Sink};
