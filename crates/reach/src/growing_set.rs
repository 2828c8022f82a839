//! A set whose items have numbers.

use std::hash::Hash;

use rustc_hash::FxHashMap as Map;

/// A set that remembers the order in which it grew, and numbers its items in it.
#[derive(Clone)]
pub(crate) struct GrowingSet<T> {
    pub(crate) items: Vec<T>,
    pub(crate) known: Map<T, u32>,
}

impl<T> Default for GrowingSet<T> {
    fn default() -> Self {
        Self { items: Vec::new(), known: Map::default() }
    }
}

impl<T: Copy + Eq + Hash> GrowingSet<T> {
    /// Adds an item if it is new, and returns its number.
    pub(crate) fn add(&mut self, item: T) -> u32 {
        *self.known.entry(item).or_insert_with(|| {
            self.items.push(item);
            self.items.len() as u32 - 1
        })
    }
}
