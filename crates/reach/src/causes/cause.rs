//! The links of a chain of causes, as data.

use nandseq_profile::{OpId, PhaseKey};

use crate::needs::Need;
use crate::reason::Reason;

/// A blocker of an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Blocker {
    /// The operation has no weight under these phase keys.
    NoWeight {
        /// Phase keys whose exclusions leave it out of the table.
        excluded: Vec<PhaseKey>,
        /// The other phase keys.
        weightless: Vec<PhaseKey>,
    },
    /// The operation has a weight under these phase keys, but a rule forbids it, which no other operation would change.
    Rule {
        /// The reason that the search gives.
        reason: Reason,
        /// The phase keys.
        keys: Vec<PhaseKey>,
    },
    /// The operation has a need that no operation meets: those that would meet it never run.
    Unmet {
        /// The need.
        need: Need,
        /// The reason that the search gives.
        reason: Reason,
        /// The phase keys under which it has a weight and this need; empty for a need that it has in every state.
        keys: Vec<PhaseKey>,
        /// The operations that would meet the need; empty if the profile has none.
        providers: Vec<OpId>,
    },
}

/// One link of a chain of causes: operations and what blocks them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The operations that are blocked in the same way.
    pub ops: Vec<OpId>,
    /// The blocker.
    pub blocker: Blocker,
}
