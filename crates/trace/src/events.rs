//! The events that the engine reports: operations that start, the proposals they come from, and what ends them early.

use nandseq_profile::model::{Axis, ByAxis, PhaseKind};
use nandseq_profile::{Die, OpId, PhaseKey, Plane, PlaneSet, Target, Ticks, input_time};
use serde::{Deserialize, Serialize};

/// The status that a status read expects.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// A plane of the die is in CORE_BUSY.
    Busy,
    /// A plane of the die is in DATA_OUT or DATA_IN, none in CORE_BUSY.
    ExtReady,
    /// No plane of the die is in CORE_BUSY, DATA_OUT or DATA_IN.
    Ready,
}

impl Status {
    /// The text in payloads.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::ExtReady => "extrdy",
            Self::Ready => "ready",
        }
    }
}

/// The words of an expected status for an axis that is not suspended, and for one that is.
#[must_use]
pub const fn suspension_words(axis: Axis) -> [&'static str; 2] {
    match axis {
        Axis::Erase => ["no_erasus", "erasus"],
        Axis::Program => ["no_pgmsus", "pgmsus"],
    }
}

/// The op_state of a plane at an instant. Phases are half-open intervals, and ISSUE is one of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct OpState {
    /// The END key of the last state-affecting operation on the plane, in flight or ended; [`PhaseKey::DEFAULT`] if there was
    /// none.
    pub of: PhaseKey,
    /// The phase that the operation is in; `None` if it has ended.
    pub phase: Option<PhaseKind>,
    /// When the phase began on the plane; without meaning if `phase` is `None`.
    pub start: Ticks,
    /// When the phase will end if nothing cuts it; without meaning if `phase` is `None`.
    pub end: Ticks,
}

impl OpState {
    /// The part of the phase that has passed at `start`, in hundredths: 0..=100, rounded half up; 0 without a phase. The column
    /// `input_time` shows it.
    #[must_use]
    pub fn hundredths(&self, start: Ticks) -> u8 {
        if self.phase.is_none() {
            return 0;
        }
        input_time::hundredths(
            Ticks(start.0.saturating_sub(self.start.0)),
            Ticks(self.end.0.saturating_sub(self.start.0)),
        )
    }
}

/// The accepted proposal of an operation, or of the chain that the operation is a step of.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// When the proposal was made: at the start of the operation or earlier.
    pub time: Ticks,
    /// The die of its hook.
    pub die: Die,
    /// The plane of its hook.
    pub plane: Plane,
    /// The phase key whose distribution was used.
    pub key_used: PhaseKey,
    /// The phase key of the plane.
    pub key_virtual: PhaseKey,
    /// The op_state of the plane.
    pub state: OpState,
}

/// The planes that show the op_state of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiePlanes {
    /// The first die.
    pub die: Die,
    /// The number of dies, from the first.
    pub dies: u8,
    /// The planes of each die.
    pub planes: PlaneSet,
}

/// An operation that starts now.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Number within the run, from 1.
    pub seq: u64,
    /// Number within the site, from 1, unique over all runs.
    pub uid: u64,
    /// The op name.
    pub op: OpId,
    /// When it starts, from the start of the site's first run.
    pub start: Ticks,
    /// The addresses of its payload, at least one. An operation without payload fields has one target without meaning.
    pub targets: &'a [Target],
    /// The status that the payload expects; only status reads have one.
    pub status: Option<Status>,
    /// The axes that a status read sees suspended, if the profile's expected status has fields for them.
    pub suspended: ByAxis<bool>,
    /// For each target, the uid of the operation whose data passes on the bus; `None` where nobody can tell. Empty unless the payload
    /// has data.
    pub data: &'a [Option<u64>],
    /// The proposal that it comes from.
    pub proposal: &'a Proposal,
    /// Whether it is the first operation of its proposal, not a later step of a chain.
    pub is_first: bool,
    /// For each target, the op_state of its die and plane just before the start. Die and plane are 0 where the payload names
    /// none.
    pub states: &'a [OpState],
    /// The planes that show its op_state; `None` if it affects no op_state.
    pub die_planes: Option<DiePlanes>,
}

impl Default for Operation<'_> {
    /// The first operation of a profile at the start of a site, without targets. Examples and tests build on it.
    fn default() -> Self {
        const NOTHING_RAN: OpState =
            OpState { of: PhaseKey::DEFAULT, phase: None, start: Ticks::ZERO, end: Ticks::ZERO };
        const FIRST: Proposal = Proposal {
            time: Ticks::ZERO,
            die: Die(0),
            plane: Plane(0),
            key_used: PhaseKey::DEFAULT,
            key_virtual: PhaseKey::DEFAULT,
            state: NOTHING_RAN,
        };
        Self {
            seq: 1,
            uid: 1,
            op: OpId(0),
            start: Ticks::ZERO,
            targets: &[],
            status: None,
            suspended: ByAxis::default(),
            data: &[],
            proposal: &FIRST,
            is_first: true,
            states: &[],
            die_planes: None,
        }
    }
}

/// Why an operation ends early.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cut {
    /// A SUSPEND stops it; a RESUME may continue it.
    Suspended,
    /// A reset ends it for good.
    Reset,
}
