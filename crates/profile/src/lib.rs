//! Profiles: descriptions of NAND devices.
//!
//! A [`Profile`] describes a device completely: topology, bases and operations, exclusion tables, chains, probabilities. This
//! crate reads profiles (in the native form and in the predecessor's), reports their mistakes, and writes them. It knows nothing
//! of simulation.
//!
//! [`builtin::profile`] is the built-in device. [`read()`] reads any other profile and reports all its mistakes at once, each
//! with a code:
//!
//! ```
//! use nandseq_profile::{ReadOptions, SourceFile, builtin, read};
//!
//! let device = builtin::profile();
//! assert_eq!(device.topology.planes, 4);
//!
//! let source = SourceFile::new("device.yaml", "schema: 1\nname: unfinished\n");
//! let (profile, diagnostics) = read(&source, ReadOptions::default());
//! assert!(profile.is_none());
//! assert!(diagnostics.iter().all(|diagnostic| diagnostic.code == "missing-field"));
//! ```

pub mod builtin;
pub mod check;
mod defined_name;
pub mod diagnostic;
mod hash;
pub mod ids;
pub mod input_time;
mod legacy;
pub mod limits;
pub mod model;
mod named;
pub mod native;
mod payloads;
mod phase_key;
pub mod places;
mod read;
pub mod table;
pub mod units;
pub mod whole;
pub mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity, SourceFile, Span};
pub use ids::{BaseId, BaseSet, Block, CellTypeId, Die, GroupId, IdVec, OpId, Page, PhaseKey, Plane, PlaneSet, Target};
pub use model::Profile;
pub use read::{ReadOptions, read};
pub use units::{Grid, Ticks};
