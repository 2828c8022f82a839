//! Finds which operations can ever be proposed, and under which phase keys.
//!
//! The result follows from the profile, its probability table and the [`Start`] of the device, without randomness. An abstract
//! search finds every lasting state of a die that operations can bring about. For each phase key, the analysis takes the states
//! in which a hook may fall there, and judges for each name whether it could be accepted. It leaves out time, except for hooks:
//! how far from a phase a hook may fall, and how short a phase is.

mod bus;
mod causes;
mod courses;
mod explore;
mod fewest;
mod growing_set;
mod hooks;
mod idle;
mod judge;
mod lasting;
mod model;
mod needs;
mod never;
mod node_lists;
mod plan;
mod possible;
mod reason;
#[cfg(test)]
mod sample;
mod scenario;
mod scenario_starts;
mod search;
mod started;
mod state;
mod time_bins;
mod traps;
mod universe;
mod verdict;

pub use bus::BusDemand;
pub use causes::{Blocker, Cause, Causes};
pub use explore::MOST_TRIED;
pub use fewest::few_weights;
pub use idle::{IdleTime, refills};
pub use lasting::Lasting;
pub use model::Start;
pub use needs::Need;
pub use never::{can_start, can_start_after, can_start_counted, never_again};
pub use possible::{chain_heads, never_provided};
pub use reason::{COINCIDENCE, Reason};
pub use scenario::{ImpossibleStep, impossible_steps};
pub use scenario_starts::ScenarioStarts;
pub use search::{Search, Verdicts};
pub use traps::{StarvedState, Supply, Trap, dead_ends, ending, kept};
pub use universe::Universe;
pub use verdict::Verdict;
