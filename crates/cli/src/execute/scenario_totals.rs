//! What sites have reached of the scenarios of a phase.

use std::collections::BTreeMap;

use nandseq_generate::{ScenarioReached, ScenarioValue, ValueReached};
use nandseq_profile::Ticks;

/// A scenario at some sites.
#[derive(Clone, Default, Debug)]
pub(crate) struct ScenarioTotals {
    /// How many sites, and how many of them lack hits of some value.
    pub(crate) sites: u64,
    pub(crate) missed: u64,
    /// How long it takes at least from the start of the first step to that of the last.
    pub(crate) least: Ticks,
    /// The values of `each`; one without any.
    pub(crate) values: Vec<ValueTotals>,
}

/// A value of `each` at some sites.
#[derive(Clone, Default, Debug)]
pub(crate) struct ValueTotals {
    pub(crate) value: ScenarioValue,
    /// The hits wanted, those reached, and the attempts that began, over all sites.
    pub(crate) wanted: u64,
    pub(crate) hits: u64,
    pub(crate) attempts: u64,
    /// Attempts that were given up, by the code of the reason.
    pub(crate) given_up: BTreeMap<String, u64>,
}

impl From<ScenarioReached> for ScenarioTotals {
    fn from(scenario: ScenarioReached) -> Self {
        let wanted = scenario.wanted;
        let of =
            |ValueReached { value, hits, attempts, given_up }| ValueTotals { value, wanted, hits, attempts, given_up };
        let values: Vec<ValueTotals> = scenario.values.into_iter().map(of).collect();
        let missed = u64::from(values.iter().any(|value| value.hits < wanted));
        Self { sites: 1, missed, least: scenario.least, values }
    }
}

impl ScenarioTotals {
    /// Adds those of other sites.
    pub(super) fn add_all(all: &mut Vec<Self>, others: Vec<Self>) {
        if all.is_empty() {
            *all = others;
            return;
        }
        for (scenario, other) in all.iter_mut().zip(others) {
            scenario.sites += other.sites;
            scenario.missed += other.missed;
            for (value, other) in scenario.values.iter_mut().zip(other.values) {
                value.wanted += other.wanted;
                value.hits += other.hits;
                value.attempts += other.attempts;
                for (reason, count) in other.given_up {
                    *value.given_up.entry(reason).or_default() += count;
                }
            }
        }
    }
}
