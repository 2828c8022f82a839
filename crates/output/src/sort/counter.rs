//! Counting how often keys occur.
//!
//! Keys come out in order with their counts. Memory stays within its budget even if all keys differ.

use std::hash::BuildHasher;
use std::io;
use std::path::PathBuf;

use rustc_hash::FxBuildHasher;

use super::groups::GroupSort;
use super::key::CountKey;
use super::record::{Budget, ByteReader, Record};
use super::runs::Runs;

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
        let mut fields = ByteReader(bytes);
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

/// The number of keys that are counted together.
const TOGETHER: usize = 64;

/// The hash of a key. Its position in the hash table is the hash modulo the length of the table.
fn place_of(key: impl CountKey) -> usize {
    FxBuildHasher.hash_one(key.group()) as usize
}

/// A counter of keys. Keys that come again often ([`CountKey::COMES_AGAIN`]) are counted in a hash table, others by sorting.
#[derive(Debug)]
pub(crate) struct Counter<K> {
    budget: Budget,
    /// New keys that are to be sorted, in the order in which they came.
    fresh: Vec<K>,
    /// The hash table, with open addressing. A place with the count 0 is free. The length is a power of two; at most half of the
    /// places are taken.
    places: Vec<Counted<K>>,
    /// The number of places that are taken.
    taken: usize,
    /// New keys that are to be counted together in the hash table.
    waiting: Vec<K>,
    /// Counted keys, sorted, each key once.
    counted: Vec<Counted<K>>,
    /// The buffer in which the next `counted` is made.
    merged: Vec<Counted<K>>,
    groups: GroupSort<K>,
    runs: Runs<Counted<K>>,
}

impl<K: CountKey> Counter<K> {
    pub(crate) fn new(folder: PathBuf, budget: Budget) -> Self {
        Self {
            budget,
            fresh: Vec::new(),
            places: Vec::new(),
            taken: 0,
            waiting: Vec::with_capacity(TOGETHER),
            counted: Vec::new(),
            merged: Vec::new(),
            groups: GroupSort::default(),
            runs: Runs::new(folder, budget),
        }
    }

    /// Counts a key once more.
    pub(crate) fn add(&mut self, key: K) -> io::Result<()> {
        let limit = self.budget.rows + self.budget.rows / 2;
        if K::COMES_AGAIN {
            self.waiting.push(key);
            if self.waiting.len() < TOGETHER {
                return Ok(());
            }
            self.count_waiting();
            if self.taken <= limit {
                return Ok(());
            }
            self.gather();
        } else {
            self.fresh.push(key);
            if self.fresh.len() < self.budget.rows {
                return Ok(());
            }
            self.gather();
            if self.counted.len() <= limit {
                return Ok(());
            }
        }
        self.runs.add(&self.counted)?;
        self.counted.clear();
        Ok(())
    }

    /// Counts the waiting keys. Their places are spread over memory, and reading a place mostly means waiting for memory. So all
    /// places are read first, before anything depends on their values: the processor then loads them at the same time.
    fn count_waiting(&mut self) {
        let mut waiting = std::mem::take(&mut self.waiting);
        if let Some(last) = self.places.len().checked_sub(1) {
            let looks = waiting.iter().map(|&key| self.places[place_of(key) & last].count);
            std::hint::black_box(looks.fold(0, |all, count| all ^ count));
        }
        for key in waiting.drain(..) {
            self.count(Counted { key, count: 1 });
        }
        self.waiting = waiting;
    }

    /// Adds to the count of a key in the hash table.
    fn count(&mut self, more: Counted<K>) {
        if 2 * self.taken >= self.places.len() {
            self.grow(more.key);
        }
        let last = self.places.len() - 1;
        let mut at = place_of(more.key) & last;
        loop {
            let place = &mut self.places[at];
            if place.count == 0 {
                *place = more;
                self.taken += 1;
                return;
            }
            if place.key == more.key {
                place.count += more.count;
                return;
            }
            at = (at + 1) & last;
        }
    }

    /// Doubles the hash table. `any` is a key for the free places, where it has no meaning.
    #[cold]
    fn grow(&mut self, any: K) {
        let len = (2 * self.places.len()).max(64);
        let before = std::mem::replace(&mut self.places, vec![Counted { key: any, count: 0 }; len]);
        self.taken = 0;
        before.into_iter().filter(|place| place.count > 0).for_each(|place| self.count(place));
    }

    /// Moves all keys that are not sorted yet to `counted`.
    fn gather(&mut self) {
        if K::COMES_AGAIN {
            self.count_waiting();
            self.counted.extend(self.places.iter().filter(|place| place.count > 0));
            self.counted.sort_unstable_by_key(|counted| counted.key);
            self.places.iter_mut().for_each(|place| place.count = 0);
            self.taken = 0;
            return;
        }
        self.groups.sort(&mut self.fresh);
        let merged = &mut self.merged;
        merged.clear();
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
        std::mem::swap(&mut self.counted, merged);
        self.fresh.clear();
    }

    /// Gives every key with its count to `emit`, in order.
    pub(crate) fn finish(mut self, mut emit: impl FnMut(&[Counted<K>]) -> io::Result<()>) -> io::Result<()> {
        self.gather();
        if self.runs.is_empty() { emit(&self.counted) } else { self.runs.drain(None, self.counted, &mut emit) }
    }
}
