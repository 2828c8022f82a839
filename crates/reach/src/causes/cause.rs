//! The links of a chain of causes, as data.

use nandseq_profile::{OpId, PhaseKey};

use crate::needs::Need;
use crate::reason::Reason;

/// What blocks an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Blocker {
    /// It has no weight under any phase key. Under `excluded` exclusions leave it out; under `weightless` nothing does.
    NoWeight {
        /// Phase keys whose exclusions leave it out.
        excluded: Vec<PhaseKey>,
        /// The others.
        weightless: Vec<PhaseKey>,
    },
    /// Under these phase keys, where it has a weight, something is in the way that no other operation would change.
    Rule {
        /// What.
        reason: Reason,
        /// Where.
        keys: Vec<PhaseKey>,
    },
    /// Under these phase keys, where it has a weight, it needs something that no operation brings about, since none of those that would
    /// ever runs.
    Unmet {
        /// What it needs.
        need: Need,
        /// What the search said.
        reason: Reason,
        /// Where.
        keys: Vec<PhaseKey>,
        /// The operations that would bring it about; empty where the profile has none.
        providers: Vec<OpId>,
    },
}

/// One link of a chain of causes: operations that are alike, and what blocks them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cause {
    /// The names that share base, cell type and number of planes, and for which the same holds.
    pub ops: Vec<OpId>,
    /// What blocks them.
    pub blocker: Blocker,
}
