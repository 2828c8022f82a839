//! Sorting keys that are nearly in order within their groups.
//!
//! The result is the same as that of a common sort. Proposals come in order of time but are sorted by phase key and plane first.
//! To put each proposal into its group costs a fraction of comparing all of them. Keys in any other order are sorted by a common
//! sort.

use std::collections::HashMap;

use rustc_hash::FxBuildHasher;

use super::key::CountKey;

/// The most swaps for each key, on average, before a common sort is used instead.
const MOVES: usize = 8;

/// Sorts keys, and keeps its buffers for the next time.
#[derive(Debug)]
pub(crate) struct GroupSort<K> {
    /// The number of each group, in the order in which groups were first seen.
    numbers: HashMap<u64, u32, FxBuildHasher>,
    /// For each number, the group and its number of keys; later the group and the position of its next key.
    groups: Vec<(u64, u32)>,
    /// The number of the group of each key.
    of: Vec<u32>,
    sorted: Vec<K>,
}

impl<K> Default for GroupSort<K> {
    fn default() -> Self {
        Self { numbers: HashMap::default(), groups: Vec::new(), of: Vec::new(), sorted: Vec::new() }
    }
}

impl<K: CountKey> GroupSort<K> {
    /// Sorts the keys.
    pub(crate) fn sort(&mut self, keys: &mut Vec<K>) {
        let Some(&first) = keys.first() else { return };
        self.numbers.clear();
        self.groups.clear();
        self.of.clear();
        for key in &*keys {
            let group = key.group();
            let number = *self.numbers.entry(group).or_insert_with(|| {
                self.groups.push((group, 0));
                self.groups.len() as u32 - 1
            });
            self.groups[number as usize].1 += 1;
            self.of.push(number);
        }
        let mut order: Vec<u32> = (0..self.groups.len() as u32).collect();
        order.sort_unstable_by_key(|&number| self.groups[number as usize].0);
        let mut place = 0;
        for number in order {
            let group = &mut self.groups[number as usize].1;
            place += std::mem::replace(group, place);
        }
        self.sorted.clear();
        self.sorted.resize(keys.len(), first);
        for (key, &number) in keys.iter().zip(&self.of) {
            let place = &mut self.groups[number as usize].1;
            self.sorted[*place as usize] = *key;
            *place += 1;
        }
        std::mem::swap(&mut self.sorted, keys);
        if !settle(keys, MOVES, |key| *key) {
            keys.sort_unstable();
        }
    }
}

/// Sorts items that are nearly in order by swapping neighbours. Gives up and returns `false` if that takes more than
/// `moves` swaps for each item, on average.
pub(super) fn settle<T, K: Ord>(items: &mut [T], moves: usize, key: impl Fn(&T) -> K) -> bool {
    let mut left = moves.saturating_mul(items.len());
    for at in 1..items.len() {
        let mut place = at;
        while place > 0 && key(&items[place - 1]) > key(&items[place]) {
            if left == 0 {
                return false;
            }
            left -= 1;
            items.swap(place - 1, place);
            place -= 1;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_in_any_order_are_sorted(
            keys in prop::collection::vec((0u64..20, 0u64..1000), 0..2000),
            in_time in any::<bool>(),
        ) {
            let mut keys: Vec<u128> = keys.into_iter().enumerate().map(|(at, (group, low))| {
                let low = if in_time { 8 * at as u64 + low % 32 } else { low };
                u128::from(group) << 80 | u128::from(low)
            }).collect();
            let mut expected = keys.clone();
            expected.sort_unstable();
            let mut groups = GroupSort::default();
            groups.sort(&mut keys);
            prop_assert_eq!(&keys, &expected);
            keys.reverse();
            groups.sort(&mut keys);
            prop_assert_eq!(keys, expected);
        }
    }
}
