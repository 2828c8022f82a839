//! The error of a state that is refused.

use std::fmt;

/// Why a site cannot go on from a state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateError(String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StateError {}

impl StateError {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}
