//! A planted fault: when which operations of which sites fail.

use nandseq_plan::model::{NumberRanges, StepPlace};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId, Ticks};

/// A certainty, in the unit of probabilities and of parts of a phase.
pub const WHOLE: u32 = 1_000_000;

/// A fault of parts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlantedFault {
    /// Its name.
    pub name: String,
    /// The operations that the fault is about, in order. The last of them fails; never empty.
    pub steps: Vec<FaultStep>,
    /// Whether other operations may start on the die between the steps.
    pub others_between: bool,
    /// What must hold for the last step besides.
    pub condition: FaultCondition,
    /// How probable it is that an operation fails for which all this holds, in millionths.
    pub probability: u32,
    /// How probable it is that an operation of a run fails for no reason, in millionths.
    pub noise: u32,
    /// The sites that have the fault; `None` for all.
    pub sites: Option<NumberRanges>,
    /// Where the tester sees the fault.
    pub detect: Detection,
}

/// An operation that a fault is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FaultStep {
    /// The operations that fit, in ascending order; never empty.
    pub ops: Vec<OpId>,
    /// Where it works. All conditions hold.
    pub places: Vec<StepPlace>,
    /// The least and the greatest time from the start of the step before to its own, both included; without meaning in the first step.
    pub within: (Ticks, Ticks),
}

/// What must hold for the operation that fails.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FaultCondition {
    /// Nothing more.
    None,
    /// A plane that it addresses is in a part of an op_state when it starts.
    State {
        /// The base and the phase of the op_state. After a suspension the phase is no longer followed.
        state: (BaseId, PhaseKind),
        /// The least and the greatest position in the phase, in millionths of its whole length. A start exactly at the greatest does
        /// not count.
        at: (u32, u32),
    },
    /// A block that it addresses was erased at least so often.
    Erases(u32),
    /// The page before one that it addresses holds a pattern of these.
    PreviousPage(NumberRanges),
}

/// Where a tester sees a fault.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Detection {
    /// At the operation that fails.
    #[default]
    Operation,
    /// At the next output of data that can show it. What no output shows before the end of the run is not seen.
    Output,
}
