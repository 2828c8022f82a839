//! Sums of counts from files, which may hold any number: a sum stops at the greatest `u64`.

use std::collections::BTreeMap;

/// Adds each of some counts to its sum.
pub(crate) fn add_counts<K: Ord + Clone>(sums: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        add_count(sums, key.clone(), *count);
    }
}

/// Adds a count to the sum of its key.
pub(crate) fn add_count<K: Ord>(sums: &mut BTreeMap<K, u64>, key: K, count: u64) {
    let sum = sums.entry(key).or_default();
    *sum = sum.saturating_add(count);
}

/// The sum of counts, as [`add_count`] adds them.
pub(crate) fn total(counts: impl IntoIterator<Item = u64>) -> u64 {
    counts.into_iter().fold(0, u64::saturating_add)
}
