//! What goes with failing: suspects from written runs and what the tester says of them.
//!
//! Every operation of all runs of all sites is looked at when it starts: its name, the state of its plane, what came before it on its
//! die, where it is. What is seen before failing operations more often than before others is a suspect. `docs/failures.md` has the
//! definitions. Nothing here reads a clock; the same files give the same diagnosis.
//!
//! Runs are read twice where operations are compared: once to draw a sample of operations, in which combinations are searched, and once
//! to count exactly what was found. Memory follows from the size of the sample and the number of different features, not from the
//! number of operations. All cores work; the result does not depend on their number.

mod bins;
mod blocks;
mod confirm;
mod diagnosis;
mod die_flags;
mod die_past;
mod draws;
mod equivalents;
mod evidence;
mod feature;
mod found;
mod gaps;
mod names;
mod occurrence;
mod page;
mod parents;
mod past_operation;
mod plan_parts;
mod sample;
mod search;
mod site_groups;
mod statistics;
mod suspect;
mod table;
mod text;
mod threads;
mod verdict;
mod walk;

pub use confirm::{ConfirmingPlan, confirming_plan};
pub use diagnosis::{DiagnoseOptions, Diagnosis, MOST_SUSPECTS, OutcomeCounts, diagnose};
pub use die_past::LOOK_BACK;
pub use page::DiagnosisPage;
pub use statistics::{Metric, UnitCount};
pub use suspect::{DiagnosisKind, PlaceSpread, Suspect, SuspectExample};
pub use text::text;
pub use walk::{DiagnoseError, PartRuns, RunOutcome, TestedRuns};
