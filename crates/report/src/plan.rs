//! What written runs did of a test plan: the matches of its scenarios, its shares, its addresses.
//!
//! It reads the rows of sequences alone, ours or not, and knows nothing of how a generator carries a plan out.
//! `docs/test-plans.md` says what a match is.

mod addresses;
mod conditions;
mod counts;
mod forced;
mod history;
mod matcher;
mod phase_clock;
mod repeats;
mod report;
mod values;

pub use addresses::{EntryCounts, LimitUse};
pub use counts::{MatchedOperation, PhaseCounts, PlanCounts, ScenarioCounts, ScenarioMatch};
pub use history::{DieSet, SiteHistory, WrittenOperation};
pub use matcher::MOST_OPEN;
pub use report::{
    AddressReport, LimitReport, MOST_VALUES, MatchesInPhase, PlanPhaseReport, PlanReport, RegionReport, ScenarioReport,
    ShareReport, ValueReport,
};
pub use values::{AxisValue, WantedValues, axis_name};
