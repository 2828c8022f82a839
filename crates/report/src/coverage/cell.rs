//! A bin of coverage: one operation in one situation.

use nandseq_profile::{OpId, PhaseKey};

/// The number of tenths in a phase that has a length.
pub const BINS: u8 = 10;

/// A bin: an operation under a phase key, in a tenth of the key's phase.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Cell {
    /// The phase key whose distribution proposed it.
    pub key: PhaseKey,
    /// The operation.
    pub op: OpId,
    /// The tenth of the phase, 0..=9; 0 under a key without length.
    pub bin: u8,
}
