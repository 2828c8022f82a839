//! Writing to standard output and standard error.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes to standard output, with colours only where they are wanted. A reader that has closed the pipe is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // The reader has seen enough.
        Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::cannot_print),
    }
}

/// Writes to standard error, with colours only where they are wanted. A failure to write is ignored, since nobody could be told.
pub(crate) fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
