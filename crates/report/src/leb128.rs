//! Whole numbers of any length: LEB128, as pages and the Protocol Buffers wire format have them.

/// Appends a number, the lowest seven bits first. The highest bit of each byte says that more bytes follow.
pub(crate) fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
