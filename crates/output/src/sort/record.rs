//! Records that can be sorted, and the budget of memory for them.

/// The budget of memory for a table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// The number of rows that a table gathers before it sorts them or writes them to a temporary file. At most about three times
    /// as many are in memory.
    pub rows: usize,
    /// The number of sorted runs of a temporary file that are merged into one run of the next file, at least 2.
    pub fan_in: usize,
    /// The number of bytes that are read from a run at a time.
    pub read: usize,
}

impl Default for Budget {
    /// A budget of about 4 MiB for a table.
    fn default() -> Self {
        Self { rows: 32 * 1024, fan_in: 64, read: 8 * 1024 }
    }
}

/// A record that can be sorted and written to a temporary file.
pub(crate) trait Record: Copy {
    /// The number of its bytes in a temporary file.
    const SIZE: usize;
    /// The sort key.
    type Key: Copy + Ord;

    /// The key of the record.
    fn key(&self) -> Self::Key;

    /// Appends [`Self::SIZE`] bytes.
    fn encode(&self, bytes: &mut Vec<u8>);

    /// Reads the [`Self::SIZE`] bytes that [`Self::encode`] wrote.
    fn decode(bytes: &[u8]) -> Self;

    /// Merges the next record in order into this one, if they belong together. Returns whether it did.
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
