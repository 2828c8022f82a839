//! The counts of a phase's scenarios, as data: a part of a site's state. They outlast runs.

use std::collections::BTreeMap;

use nandseq_profile::OpId;
use serde::{Deserialize, Serialize};

/// A count that no site reaches.
const MOST: u64 = 1 << 56;

/// So much in vain without a hit, and a value is given up. A failed attempt is [`FAILED`], one whose first step never came [`UNBEGUN`].
pub(super) const GIVEN_UP: u32 = 128;
pub(super) const FAILED: u32 = 1;
pub(super) const UNBEGUN: u32 = 8;

/// The counts since a phase began.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScenariosState {
    /// Accepted proposals.
    pub(super) proposals: u64,
    pub(super) scenarios: Vec<ScenarioState>,
}

/// A scenario.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ScenarioState {
    /// The values of `each`.
    pub(super) values: Vec<ValueState>,
    /// For operations of the first step: attempts that failed since the last one with it that was a hit.
    pub(super) failed: BTreeMap<OpId, u32>,
}

/// A value of `each`.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueState {
    /// Attempts that began, and those that completed.
    pub(super) attempts: u64,
    pub(super) hits: u64,
    /// See [`GIVEN_UP`].
    pub(super) in_vain: u32,
    /// Attempts that were given up, by the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) given_up: BTreeMap<String, u64>,
}

impl ScenariosState {
    /// Whether it can be that of scenarios with so many values, on a device with so many op names.
    pub(crate) fn fits(&self, values: impl ExactSizeIterator<Item = usize>, ops: usize) -> bool {
        let is_code = |code: &String| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        self.proposals <= MOST
            && self.scenarios.len() == values.len()
            && self.scenarios.iter().zip(values).all(|(scenario, values)| {
                scenario.values.len() == values
                    && scenario.failed.keys().all(|op| op.index() < ops)
                    && scenario.values.iter().all(|value| {
                        let given_up = value.given_up.values().map(|&count| u128::from(count)).sum::<u128>();
                        value.attempts <= MOST
                            && u128::from(value.hits) + given_up <= u128::from(value.attempts)
                            && value.in_vain <= GIVEN_UP
                            && value.given_up.keys().all(is_code)
                    })
            })
    }
}
