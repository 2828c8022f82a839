//! Columns of numbers as text in a page: LEB128 in base64.
//!
//! One column is one text, so that the page decodes each with a loop of its own into a typed array. A small number takes one
//! byte, so callers store sorted numbers as differences.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::leb128;

/// A column of non-negative whole numbers.
#[derive(Clone, Default, Debug)]
pub(super) struct Column {
    bytes: Vec<u8>,
}

impl Column {
    /// Adds a number, which must be below 2^53: the page can hold no greater one exactly.
    pub(super) fn push(&mut self, number: u64) {
        leb128::push(&mut self.bytes, number);
    }

    /// Adds a number that may be negative: 0, −1, 1, −2, … as 0, 1, 2, 3, …
    pub(super) fn push_signed(&mut self, number: i64) {
        self.push(unsigned(number));
    }

    /// The column as text.
    pub(super) fn text(&self) -> String {
        STANDARD.encode(&self.bytes)
    }
}

/// The unsigned form of a number that may be negative.
pub(super) const fn unsigned(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_many_bytes_as_they_need() {
        let mut column = Column::default();
        for number in [0, 127, 128, 1 << 52] {
            column.push(number);
        }
        assert_eq!(column.bytes, [0, 127, 0x80, 1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 8]);
        let mut signed = Column::default();
        [0, -1, 1, -2, 64].into_iter().for_each(|number| signed.push_signed(number));
        assert_eq!(signed.bytes, [0, 1, 2, 3, 0x80, 1]);
    }
}
