//! Which operations can ever be proposed in which state: the legal universe of a device.
//!
//! From the profile and its probability table alone. An abstract search finds every lasting state of a die that operations can
//! bring about; for each phase key it looks at the states in which a hook may fall there, and asks for each name whether it
//! could be accepted. Leaves out time but for what hooks need: how far from a phase a hook may fall, and how short a phase is.

mod bus;
mod causes;
mod explore;
mod hooks;
mod judge;
mod lasting;
mod model;
mod needs;
mod plan;
mod possible;
mod reason;
#[cfg(test)]
mod sample;
mod search;
mod state;
mod time_bins;
mod traps;
mod universe;
mod verdict;

pub use bus::BusDemand;
pub use causes::{Blocker, Cause, Causes};
pub use lasting::Lasting;
pub use model::Start;
pub use needs::Need;
pub use possible::never_provided;
pub use reason::{COINCIDENCE, Reason};
pub use search::{Search, Verdicts};
pub use traps::{Supply, Trap};
pub use universe::Universe;
pub use verdict::Verdict;
