//! What was reached of scenarios, and why attempts were given up.

use std::collections::BTreeMap;

use nandseq_profile::Ticks;

use crate::reporting::RefusalReason;
use crate::setup::ScenarioValue;

/// A scenario, and what was reached of it since the phase began.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioReached {
    /// The hits wanted for each value.
    pub wanted: u64,
    /// How long it takes at least from the start of the first step to that of the last.
    pub least: Ticks,
    /// The values of `each`; one without any.
    pub values: Vec<ValueReached>,
}

/// A value for which hits are wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ValueReached {
    /// The value.
    pub value: ScenarioValue,
    /// Attempts that completed.
    pub hits: u64,
    /// Attempts that began.
    pub attempts: u64,
    /// Attempts that were given up, by the code of the reason.
    pub given_up: BTreeMap<String, u64>,
}

/// An attempt that completed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioHit {
    /// The scenario, as an index into what [`Site::scenarios`](crate::Site::scenarios) gives.
    pub scenario: usize,
    /// The value, as an index into those of the scenario.
    pub value: usize,
    /// The uid of each step's operation, that of the last repetition.
    pub steps: Vec<u64>,
}

/// Why an attempt was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum GivenUp {
    /// The time for the next step has passed, and nothing refused it.
    WindowPassed,
    /// The time for the next step never comes: an operation was suspended or reset.
    NoMoment,
    /// Another operation started in between.
    OtherOperation,
    /// The run has ended.
    RunEnded,
    /// No operation of the device can be the next step.
    NoOperation,
    /// The next step was refused.
    Refused(RefusalReason),
}

impl GivenUp {
    /// The code of the reason.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::WindowPassed => "window_passed",
            Self::NoMoment => "no_moment",
            Self::OtherOperation => "other_operation",
            Self::RunEnded => "run_ended",
            Self::NoOperation => "no_operation",
            Self::Refused(reason) => reason.code(),
        }
    }
}
