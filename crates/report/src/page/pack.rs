//! Columns of numbers as text in a page: LEB128 in base64.
//!
//! One column is one text, so that the page decodes each with a loop of its own into a typed array. Small numbers take a byte;
//! what is sorted is stored as differences by those who call this.

/// A column of non-negative whole numbers.
#[derive(Clone, Default, Debug)]
pub(super) struct Column {
    bytes: Vec<u8>,
}

impl Column {
    /// Adds a number; below 2^53, so that the page can hold it.
    pub(super) fn push(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// Adds a number that may be negative: 0, −1, 1, −2, … as 0, 1, 2, 3, …
    pub(super) fn push_signed(&mut self, number: i64) {
        self.push(((number << 1) ^ (number >> 63)) as u64);
    }

    /// The column as text.
    pub(super) fn text(&self) -> String {
        base64(&self.bytes)
    }
}

/// Bytes as base64 with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let there = digit <= chunk.len();
            let value = bits >> (18 - 6 * digit) & 63;
            text.push(if there { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

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
