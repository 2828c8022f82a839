//! The words of test plans, for other files that say the same things: names of operations, parts of addresses, numbers and times.
//!
//! Each function reads a value of a YAML file and reports its mistakes, as the reader of plans does.

pub use crate::read::lists::finish_with_ranges;
pub use crate::read::names::{PlanNames, check_defined, report_unknown};
pub use crate::read::steps::{EarlierSteps, read_ops, read_places};
pub use crate::read::values::{percent_range, ranges, times};
