//! What has started on a die: all of the last operations, and of older ones the last of each operation on each of its planes.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::occurrence::EarlierStart;
use crate::past_operation::PastOperation;

/// How many operations of a die are looked back at.
pub const LOOK_BACK: usize = 32;
/// How many older ones, each the last of its operation on its planes.
const OLDER: usize = 48;

/// The last operations of a die, the last first.
#[derive(Clone, Default, Debug)]
pub(crate) struct DiePast {
    window: VecDeque<EarlierStart>,
    older: VecDeque<EarlierStart>,
}

impl DiePast {
    /// Adds an operation that has started. Returns one that is older than the last ones from then on.
    pub(crate) fn push(&mut self, started: &Arc<PastOperation>) -> Option<&EarlierStart> {
        self.window.push_front(EarlierStart::new(started));
        let leaving = if self.window.len() > LOOK_BACK { self.window.pop_back() } else { None }?;
        self.older.retain(|one| one.op != leaving.op || one.of.planes != leaving.of.planes);
        self.older.push_front(leaving);
        self.older.truncate(OLDER);
        self.older.front()
    }

    /// The last operations.
    pub(crate) fn window(&self) -> impl Iterator<Item = &EarlierStart> {
        self.window.iter()
    }

    /// All of them, the last first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &EarlierStart> {
        self.window.iter().chain(&self.older)
    }

    /// The row from which on all operations of the die are known.
    pub(crate) fn known_from(&self) -> u64 {
        if self.window.len() < LOOK_BACK { 0 } else { self.window.back().map_or(0, |oldest| oldest.row) }
    }
}
