//! What the engine tells of: operations that start, where they come from, and what ends them early.

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, OpId, PhaseKey, Plane, PlaneSet, Target, Ticks, input_time};
use serde::{Deserialize, Serialize};

/// What a status read expects to see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// A plane of the die is in CORE_BUSY.
    Busy,
    /// A plane of the die is in DATA_OUT or DATA_IN, none in CORE_BUSY.
    ExtReady,
    /// Neither.
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

/// The op_state of a plane at an instant: half-open, ISSUE included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct OpState {
    /// The END key of the state-affecting operation that is, or was last, on the plane; [`PhaseKey::DEFAULT`] when nothing ever ran
    /// there.
    pub of: PhaseKey,
    /// The phase it is in; `None` when it has ended.
    pub phase: Option<PhaseKind>,
    /// When that phase began here; meaningless without a phase.
    pub start: Ticks,
    /// When that phase will end if nothing cuts it; meaningless without a phase.
    pub end: Ticks,
}

impl OpState {
    /// How far into its phase it is at `start`, the column `input_time`: 0..=100, rounded half up; 0 without a phase.
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

/// The accepted proposal that an operation, or the chain it is a step of, comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct Proposal {
    /// When it was made: not later than the start of the operation.
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

/// The planes whose op_state an operation becomes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiePlanes {
    /// The first die.
    pub die: Die,
    /// How many dies, from the first.
    pub dies: u8,
    /// The planes of each of them.
    pub planes: PlaneSet,
}

/// An operation that starts now.
#[derive(Clone, Copy, Debug)]
pub struct Operation<'a> {
    /// Number within the run, from 1.
    pub seq: u64,
    /// Number within the site, from 1, unique over all runs.
    pub uid: u64,
    /// Which command.
    pub op: OpId,
    /// When it starts, from the start of the site's first run.
    pub start: Ticks,
    /// What it addresses; an operation without payload fields has one target that means nothing.
    pub targets: &'a [Target],
    /// For status reads: what the payload expects.
    pub status: Option<Status>,
    /// Where it comes from.
    pub proposal: &'a Proposal,
    /// Whether it is the first operation of its proposal, not a later step of a chain.
    pub is_first: bool,
    /// For each target the op_state of its die and plane (die 0, plane 0 where the payload names none) just before the start.
    pub states: &'a [OpState],
    /// The planes whose op_state it becomes; `None` when it affects none.
    pub die_planes: Option<DiePlanes>,
}

impl Default for Operation<'_> {
    /// The first operation of a profile at the start of a site, without targets: a start for examples.
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
            proposal: &FIRST,
            is_first: true,
            states: &[],
            die_planes: None,
        }
    }
}

/// Why an operation ended before its time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cut {
    /// Suspended: the rest may come.
    Suspended,
    /// Ended by a reset: nothing more comes.
    Reset,
}
