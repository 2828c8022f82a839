//! Keys that can be counted.

use super::record::ByteReader;

/// A key that can be counted.
pub(crate) trait CountKey: Copy + Ord {
    /// The number of its bytes in a temporary file.
    const SIZE: usize;
    /// Whether equal keys come often. If so, they are counted in a hash table, otherwise by sorting.
    const COMES_AGAIN: bool;

    /// The group of the key: its highest bits. Keys of a group come nearly in order.
    fn group(self) -> u64;

    fn encode(self, bytes: &mut Vec<u8>);

    fn decode(fields: &mut ByteReader<'_>) -> Self;
}

impl CountKey for u64 {
    const SIZE: usize = 8;
    const COMES_AGAIN: bool = true;

    fn group(self) -> u64 {
        self
    }

    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn decode(fields: &mut ByteReader<'_>) -> Self {
        fields.u64()
    }
}

impl CountKey for u128 {
    const SIZE: usize = 16;
    const COMES_AGAIN: bool = false;

    fn group(self) -> u64 {
        (self >> 80) as u64
    }

    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn decode(fields: &mut ByteReader<'_>) -> Self {
        fields.u128()
    }
}
