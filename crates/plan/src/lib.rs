//! Test plans: what to try on a device.
//!
//! A profile says what a device is, a [`TestPlan`] says what to try on it: phases, shares of what starts, regions of addresses, and
//! scenarios. This crate reads a plan against a profile and reports all its mistakes at once. It knows nothing of simulation.
//!
//! ```
//! use nandseq_plan::read;
//! use nandseq_profile::{SourceFile, builtin, places::Places};
//!
//! let device = builtin::profile();
//! let text = SourceFile::new(builtin::NAME, builtin::text());
//! let classes = Places::new(&text, &device).classes();
//!
//! let source = SourceFile::new("plan.yaml", "schema: 1\nmix: {READ: 40 %, EARSE: 5 %}\n");
//! let (plan, diagnostics) = read(&source, &device, &classes);
//! assert!(plan.is_none());
//! assert_eq!(diagnostics.iter().next().unwrap().help.as_deref(), Some("did you mean `ERASE`?"));
//! ```

mod classes;
pub mod model;
pub mod places;
mod read;
pub mod schema;
mod served;
pub mod words;

pub use classes::{STANDARD_CLASSES, classes_of};
pub use model::TestPlan;
pub use read::{SCHEMA_VERSION, read};
pub use served::{never_served, unserved_by_phase};

/// A short plan with comments, to begin with. It is good for every device with four blocks, a page 99, cell types, suspends, and a
/// base READ.
pub const EXAMPLE: &str = include_str!("example.yaml");
