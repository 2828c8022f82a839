//! Writing to standard output and standard error, or to a caller that wants the text.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::captured::is_captured;
use crate::failure::Failure;

/// Whether standard output has got a file that the user named, and nothing else.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

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
