//! The reasons of input and output errors, as messages say them.

use std::io;

/// The message of the system without the error number, which differs between systems.
#[must_use]
pub fn plain_reason(reason: &io::Error) -> String {
    if reason.kind() == io::ErrorKind::InvalidData && reason.get_ref().is_none() {
        // The message of the library speaks of a stream.
        return "it is not text (UTF-8)".to_owned();
    }
    let text = reason.to_string();
    match text.split_once(" (os error") {
        Some((text, _)) => text.to_lowercase(),
        None => text,
    }
}
