//! The reasons why proposals fail, and their counts.

use std::collections::BTreeMap;

use nandseq_device::Rule;
use nandseq_profile::{OpId, PhaseKey};

use crate::kernel::NotAdmitted;

/// Why a drawn name was not started.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RefusalReason {
    /// A rule of the device forbids it.
    Rule(Rule),
    /// No address satisfies every rule.
    NoAddress,
    /// None of its chains can run to its end in this state.
    NoChain,
    /// It would change what a chain under way still needs.
    ChainUnderWay,
    /// The bus did not come free within the admission window.
    BusWindow,
    /// A limit of the test plan leaves no room for it, or for the chain after it.
    Limit,
    /// An attempt at a scenario has the die for itself.
    Scenario,
}

impl RefusalReason {
    /// The code in summaries.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.code(),
            Self::NoAddress => "no_address",
            Self::NoChain => "no_chain",
            Self::ChainUnderWay => "chain_under_way",
            Self::BusWindow => "bus_window",
            Self::Limit => "limit",
            Self::Scenario => "scenario",
        }
    }
}

impl From<NotAdmitted> for RefusalReason {
    fn from(reason: NotAdmitted) -> Self {
        match reason {
            NotAdmitted::ChainUnderWay => Self::ChainUnderWay,
            NotAdmitted::Limit => Self::Limit,
        }
    }
}

/// Counts of failed proposals by phase key, op name and reason.
pub type Rejections = BTreeMap<(PhaseKey, OpId, RefusalReason), u64>;
