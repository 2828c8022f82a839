//! What can be sorted, and how much of it is kept in memory.

/// How much of a table is kept in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Rows that a table gathers before it sorts, hands on or spills: at most about three times as many are in memory.
    pub rows: usize,
    /// Sorted runs of a temporary file that are merged into a longer one of the next file, ≥ 2.
    pub fan_in: usize,
    /// Bytes that are read of a run at a time.
    pub read: usize,
}

impl Default for Budget {
    /// About 4 MiB for a table.
    fn default() -> Self {
        Self { rows: 32 * 1024, fan_in: 64, read: 8 * 1024 }
    }
}

/// What can be sorted and spilled.
pub(crate) trait Record: Copy {
    /// Bytes in a temporary file.
    const SIZE: usize;
    /// What records are sorted by.
    type Key: Copy + Ord;

    /// The key.
    fn key(&self) -> Self::Key;

    /// Appends [`Self::SIZE`] bytes.
    fn encode(&self, bytes: &mut Vec<u8>);

    /// Reads what [`Self::encode`] wrote; `bytes` are [`Self::SIZE`].
    fn decode(bytes: &[u8]) -> Self;

    /// Takes in the record that follows in order, if both are one.
    fn absorb(&mut self, _next: &Self) -> bool {
        false
    }
}

/// Reads little-endian integers one after another.
pub(crate) struct ByteReader<'b>(pub(crate) &'b [u8]);

impl ByteReader<'_> {
    fn next<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        let (head, rest) = self.0.split_at(N);
        bytes.copy_from_slice(head);
        self.0 = rest;
        bytes
    }

    pub(crate) fn u8(&mut self) -> u8 {
        self.next::<1>()[0]
    }

    pub(crate) fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.next())
    }

    pub(crate) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.next())
    }

    pub(crate) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.next())
    }

    pub(crate) fn u128(&mut self) -> u128 {
        u128::from_le_bytes(self.next())
    }
}
