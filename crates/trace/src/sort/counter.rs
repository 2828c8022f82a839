//! Counting how often keys occur.
//!
//! Promises that keys come out in order with their counts, and that memory stays within its budget even when every key is a
//! new one.

use std::io;
use std::path::PathBuf;

use super::runs::Runs;
use super::{Budget, Fields, Record};

/// A key that can be counted.
pub(crate) trait CountKey: Copy + Ord {
    /// Bytes in a temporary file.
    const SIZE: usize;

    fn encode(self, bytes: &mut Vec<u8>);

    fn decode(fields: &mut Fields<'_>) -> Self;
}

impl CountKey for u64 {
    const SIZE: usize = 8;

    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Self {
        fields.u64()
    }
}

impl CountKey for u128 {
    const SIZE: usize = 16;

    fn encode(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Self {
        fields.u128()
    }
}

/// A key and how often it occurred.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Counted<K> {
    pub(crate) key: K,
    pub(crate) count: u64,
}

impl<K: CountKey> Record for Counted<K> {
    const SIZE: usize = K::SIZE + 8;
    type Key = K;

    fn key(&self) -> K {
        self.key
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        self.key.encode(bytes);
        bytes.extend_from_slice(&self.count.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut fields = Fields(bytes);
        Self { key: K::decode(&mut fields), count: fields.u64() }
    }

    fn absorb(&mut self, next: &Self) -> bool {
        let same = self.key == next.key;
        if same {
            self.count += next.count;
        }
        same
    }
}

/// Counts keys.
#[derive(Debug)]
pub(crate) struct Counter<K> {
    budget: Budget,
    /// As they came.
    fresh: Vec<K>,
    /// Sorted, each key once.
    counted: Vec<Counted<K>>,
    runs: Runs<Counted<K>>,
}

impl<K: CountKey> Counter<K> {
    pub(crate) fn new(folder: PathBuf, budget: Budget) -> Self {
        Self { budget, fresh: Vec::new(), counted: Vec::new(), runs: Runs::new(folder, budget) }
    }

    /// Counts a key once more.
    pub(crate) fn add(&mut self, key: K) -> io::Result<()> {
        self.fresh.push(key);
        if self.fresh.len() < self.budget.rows {
            return Ok(());
        }
        self.gather();
        if self.counted.len() <= self.budget.rows + self.budget.rows / 2 {
            return Ok(());
        }
        self.runs.add(&self.counted)?;
        self.counted.clear();
        Ok(())
    }

    /// Puts the fresh keys among the counted ones.
    fn gather(&mut self) {
        self.fresh.sort_unstable();
        let mut merged: Vec<Counted<K>> = Vec::with_capacity(self.counted.len() + self.fresh.len());
        let mut old = self.counted.iter().copied().peekable();
        for &key in &self.fresh {
            while let Some(counted) = old.next_if(|counted| counted.key <= key) {
                merged.push(counted);
            }
            match merged.last_mut() {
                Some(last) if last.key == key => last.count += 1,
                Some(_) | None => merged.push(Counted { key, count: 1 }),
            }
        }
        merged.extend(old);
        self.counted = merged;
        self.fresh.clear();
    }

    /// Hands out every key in order.
    pub(crate) fn finish(mut self, mut emit: impl FnMut(&[Counted<K>]) -> io::Result<()>) -> io::Result<()> {
        self.gather();
        if self.runs.is_empty() { emit(&self.counted) } else { self.runs.drain(None, self.counted, &mut emit) }
    }
}
