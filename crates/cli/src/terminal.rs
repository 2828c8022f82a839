//! Writing to standard output and standard error, or to a caller that wants the text.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::{Failure, PlacedProblem};

/// Whether standard output has got a file that the user named, and nothing else.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

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
fn is_captured(keep: impl FnOnce(&mut Captured)) -> bool {
    CAPTURED.with_borrow_mut(|captured| captured.as_mut().map(keep).is_some())
}

/// Notes that standard output gets a file that the user named: all other text goes to standard error from now on.
pub(crate) fn take_standard_output() {
    IS_TAKEN.store(true, Ordering::Relaxed);
}

/// Writes to standard output, with colours only where they are wanted. A reader that has closed the pipe is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    if is_captured(|captured| captured.printed.push_str(text)) {
        return Ok(());
    }
    if IS_TAKEN.load(Ordering::Relaxed) {
        tell(text);
        return Ok(());
    }
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // The reader has seen enough.
        Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::cannot_print),
    }
}

/// Writes to standard error, with colours only where they are wanted. A failure to write is ignored, since nobody could be told.
pub(crate) fn tell(text: &str) {
    if !is_captured(|captured| captured.told.push_str(&anstream::adapter::strip_str(text).to_string())) {
        let _ = anstream::stderr().lock().write_all(text.as_bytes());
    }
}
