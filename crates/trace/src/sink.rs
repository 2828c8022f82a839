//! The receiver of the engine's events.

use std::io;

use nandseq_profile::{OpId, Ticks};

use crate::events::{Cut, Operation, Proposal};

/// A receiver of events, in order of time.
///
/// There is no event for an operation that ends at its planned time: its end follows from its durations. All functions but the
/// first do nothing by default.
///
/// # Errors
/// All functions return the errors of the sink's output. The caller then stops the run.
pub trait Sink {
    /// An operation starts.
    ///
    /// # Errors
    /// See the trait.
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()>;

    /// An operation of an earlier run is still suspended. Called at the start of a run, before anything else. The `seq` of the
    /// operation has no meaning.
    ///
    /// # Errors
    /// See the trait.
    fn still_suspended(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let _ = operation;
        Ok(())
    }

    /// The operation `uid`, which occupies planes or is suspended, is cut at `at`. A suspended operation can only be cut by a
    /// reset. The call comes before that of the operation that cuts.
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

    /// Simulated time has come to `now`. Called now and then, also while nothing starts.
    ///
    /// # Errors
    /// See the trait.
    fn time(&mut self, now: Ticks) -> io::Result<()> {
        let _ = now;
        Ok(())
    }

    /// Whether [`Sink::refused`] is to be called.
    fn wants_refusals(&self) -> bool {
        false
    }

    /// An operation was drawn but did not start. `reason` is the code of the rule or reason.
    ///
    /// # Errors
    /// See the trait.
    fn refused(&mut self, proposal: &Proposal, op: OpId, reason: &'static str) -> io::Result<()> {
        let _ = (proposal, op, reason);
        Ok(())
    }
}

/// A sink that keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        Ok(())
    }
}
