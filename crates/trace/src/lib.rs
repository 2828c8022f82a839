//! The stream of what happened on a site.
//!
//! The engine pushes each committed operation into a [`Sink`]; sinks write files. Nothing here knows rules or chance.

pub mod files;
pub mod manifest;
pub mod read;
pub mod sequence;
pub mod time_column;

use std::io;

use nandseq_profile::{OpId, Target, Ticks};

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
}

/// Takes what happened, in order of start.
pub trait Sink {
    /// An operation starts.
    ///
    /// # Errors
    /// Whatever the sink's output reports; the caller stops the run.
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()>;
}
