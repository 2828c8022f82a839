//! What is written to standard output and standard error.

use std::io::{self, Write};

use crate::failure::Failure;

/// Writes to stdout, without colours where it is no terminal.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut output = anstream::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        // Whoever reads has seen enough.
        Err(reason) if reason.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::cannot_print),
    }
}

/// Writes to stderr, without colours where it is no terminal. If nobody listens, there is nobody to tell.
pub(crate) fn tell(text: &str) {
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}
