//! What a thread would write, kept for a caller that wants it.

use std::cell::RefCell;

use crate::placed_problem::PlacedProblem;

thread_local! {
    /// The text of this thread, while a caller wants it.
    static CAPTURED: RefCell<Option<Captured>> = const { RefCell::new(None) };
}

/// Text that would have been written.
#[derive(Default, Debug)]
pub(crate) struct Captured {
    /// To standard output.
    pub(crate) printed: String,
    /// To standard error, without colours.
    pub(crate) told: String,
    /// The warnings and notes in it, one by one.
    pub(crate) remarks: Vec<PlacedProblem>,
}

/// Does some work, and keeps the text that this thread would write, with its remarks. What other threads write is written: all remarks
/// that a command makes are made by its own thread, but for those about dead dies while runs are made.
pub(crate) fn capture<T>(work: impl FnOnce() -> T) -> (T, Captured) {
    let outer = CAPTURED.replace(Some(Captured::default()));
    let done = work();
    (done, CAPTURED.replace(outer).unwrap_or_default())
}

/// Whether a caller wants the text of this thread.
pub(crate) fn is_given_to_caller() -> bool {
    is_captured(|_| ())
}

/// Notes a remark whose text is about to be told, for a caller who wants remarks one by one.
pub(crate) fn note_remark(remark: impl FnOnce() -> PlacedProblem) {
    is_captured(|captured| captured.remarks.push(remark()));
}

/// Gives the text that this thread writes to the caller who wants it. Says whether there is one.
pub(crate) fn is_captured(keep: impl FnOnce(&mut Captured)) -> bool {
    CAPTURED.with_borrow_mut(|captured| captured.as_mut().map(keep).is_some())
}
