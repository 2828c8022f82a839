//! Tests that compare sorting under budgets so small that temporary files are needed with sorting in memory.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::counter::{Counted, Counter};
use super::key::CountKey;
use super::ordered::{Numbered, Ordered};
use super::record::{Budget, ByteReader, Record};

/// A record: the number that it is sorted by first, and the number that it is sorted by next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Item(u64, u32);

impl Record for Item {
    const SIZE: usize = 12;
    type Key = Self;

    fn key(&self) -> Self {
        *self
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.0.to_le_bytes());
        bytes.extend_from_slice(&self.1.to_le_bytes());
    }

    fn decode(bytes: &[u8]) -> Self {
        let mut fields = ByteReader(bytes);
        Self(fields.u64(), fields.u32())
    }
}

impl Numbered for Item {
    fn number(&self) -> u64 {
        self.0
    }

    fn first_key(number: u64) -> Self {
        Self(number, 0)
    }
}

fn budgets() -> impl Strategy<Value = Budget> {
    (1usize..50, 2usize..5, 1usize..200).prop_map(|(rows, fan_in, read)| Budget { rows, fan_in, read })
}

proptest! {
    #[test]
    fn rows_leave_in_order_whenever_the_watermark_rises(
        budget in budgets(),
        steps in prop::collection::vec((0u64..60, any::<u32>(), 0u64..3), 0..2000),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut ordered = Ordered::new(folder.path().to_owned(), budget);
        let (mut expected, mut out): (Vec<Item>, Vec<Item>) = (Vec::new(), Vec::new());
        let mut watermark = 0;
        for (ahead, detail, rise) in steps {
            let item = Item(watermark + ahead, detail);
            expected.push(item);
            ordered.push(item);
            watermark += rise;
            if ordered.is_full() {
                ordered.release(watermark, |items| { out.extend_from_slice(items); Ok(()) }).unwrap();
                prop_assert!(out.iter().all(|item| item.0 < watermark));
            }
        }
        ordered.release(u64::MAX, |items| { out.extend_from_slice(items); Ok(()) }).unwrap();
        expected.sort();
        prop_assert_eq!(out, expected);
        prop_assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn keys_come_out_in_order_with_their_counts(
        budget in budgets(),
        keys in prop::collection::vec(0u64..300, 0..3000),
        wide in any::<bool>(),
    ) {
        let narrow: Vec<u64> = keys.iter().map(|key| key.wrapping_mul(0x1_0001_0000_0001)).collect();
        let shift = if wide { 100 } else { 0 };
        let long: Vec<u128> = keys.iter().map(|&key| u128::from(key) << shift).collect();
        prop_assert_eq!(counted(budget, &narrow), counted_at_once(&narrow));
        prop_assert_eq!(counted(budget, &long), counted_at_once(&long));
    }
}

/// Keys with their counts, from the counter.
fn counted<K: CountKey>(budget: Budget, keys: &[K]) -> Vec<(K, u64)> {
    let folder = tempfile::tempdir().unwrap();
    let mut counter = Counter::new(folder.path().to_owned(), budget);
    keys.iter().for_each(|&key| counter.add(key).unwrap());
    let mut out = Vec::new();
    let emit = |counted: &[Counted<K>]| {
        out.extend(counted.iter().map(|one| (one.key, one.count)));
        Ok(())
    };
    counter.finish(emit).unwrap();
    out
}

/// Keys with their counts, counted in memory.
fn counted_at_once<K: CountKey>(keys: &[K]) -> Vec<(K, u64)> {
    let mut counts: BTreeMap<K, u64> = BTreeMap::new();
    keys.iter().for_each(|&key| *counts.entry(key).or_default() += 1);
    counts.into_iter().collect()
}

#[test]
fn one_row_that_waits_for_a_whole_run_holds_up_the_rest_on_disk_only() {
    let folder = tempfile::tempdir().unwrap();
    let budget = Budget { rows: 100, fan_in: 3, read: 64 };
    let mut ordered = Ordered::new(folder.path().to_owned(), budget);
    let mut out: Vec<Item> = Vec::new();
    for number in 2..20_000 {
        ordered.push(Item(number, 0));
        assert!(ordered.in_memory() <= 3 * budget.rows);
        if ordered.is_full() {
            ordered
                .release(1, |items| {
                    out.extend_from_slice(items);
                    Ok(())
                })
                .unwrap();
        }
    }
    assert!(out.is_empty());
    ordered.push(Item(1, 0));
    ordered
        .release(u64::MAX, |items| {
            out.extend_from_slice(items);
            Ok(())
        })
        .unwrap();
    assert!(out.iter().map(|item| item.0).eq(1..20_000));
}
