//! Where the engine pushes what happens.

use std::io;

use nandseq_profile::{OpId, Ticks};

use crate::events::{Cut, Operation, Proposal};

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
