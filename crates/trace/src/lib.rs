//! The stream of what happened on a site.
//!
//! The engine pushes each committed operation into a [`Sink`]; sinks write files. Nothing here knows rules or chance.

pub mod csv_tables;
pub mod files;
pub mod format;
pub mod inside;
pub mod json_fault;
mod line;
pub mod manifest;
pub mod model;
pub mod named;
pub mod pending;
pub mod read;
pub mod recorded;
pub mod recorder;
pub mod rows;
pub mod run_files;
pub mod run_name;
pub mod sequence;
mod sort;
pub mod threaded_sink;
pub mod time_column;

pub use sort::Budget;

use std::io;

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
pub struct Lanes {
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
    pub lanes: Option<Lanes>,
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
            lanes: None,
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

/// Takes what happened, in order of time.
///
/// Only what an operation does to others is reported: an operation that ends in its time does so silently, by its durations.
/// All functions but the first do nothing unless a sink wants to know.
///
/// # Errors
/// All functions: whatever the sink's output reports; the caller stops the run.
pub trait Sink {
    /// An operation starts.
    ///
    /// # Errors
    /// See the trait.
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()>;

    /// At the start of a run, before anything else: an operation of an earlier run that is suspended now. Its `seq` means nothing.
    ///
    /// # Errors
    /// See the trait.
    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let _ = operation;
        Ok(())
    }

    /// The operation `uid`, which occupies planes, is cut at `at`; what is suspended is ended by a reset in the same way. Comes
    /// before the operation that cuts it.
    ///
    /// # Errors
    /// See the trait.
    fn cut(&mut self, uid: u64, at: Ticks, cut: Cut) -> io::Result<()> {
        let _ = (uid, at, cut);
        Ok(())
    }

    /// A suspended operation goes on at `from`: with CORE_BUSY until `busy_end`, then with its window until `end`.
    ///
    /// # Errors
    /// See the trait.
    fn resumed(&mut self, uid: u64, from: Ticks, busy_end: Ticks, end: Ticks) -> io::Result<()> {
        let _ = (uid, from, busy_end, end);
        Ok(())
    }

    /// Whether [`Sink::refused`] is to be called at all.
    fn wants_refusals(&self) -> bool {
        false
    }

    /// A name was drawn and not started, for the reason of this code.
    ///
    /// # Errors
    /// See the trait.
    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        let _ = (proposal, op, reason);
        Ok(())
    }
}
