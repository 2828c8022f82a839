//! Answers that are kept by all that they depend on.

const ROOM: usize = 1 << 12;

/// Answers in a table of fixed size; one that is pushed out is found again.
pub(super) struct Memo(Vec<(u128, bool)>);

impl Memo {
    pub(super) fn new() -> Self {
        Self(vec![(u128::MAX, false); ROOM])
    }

    /// The answer to a question, found if it is not kept.
    #[inline]
    pub(super) fn get(&mut self, key: u128, find: impl FnOnce() -> bool) -> bool {
        let mixed = ((key >> 64) as u64 ^ key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let slot = &mut self.0[(mixed >> 52) as usize % ROOM];
        if slot.0 != key {
            *slot = (key, find());
        }
        slot.1
    }
}
