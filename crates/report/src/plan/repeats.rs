//! First steps that are repeated: many operations begin, and few of them begin a match that counts.

use std::collections::{BTreeMap, VecDeque};

use rustc_hash::FxHashMap;

use super::values::AxisValue;

/// The operations of a first step on a die that have not begun a match of a value, as rows in their order. So many repetitions may be
/// wanted that each beginning cannot be followed by itself.
#[derive(Default, Debug)]
pub(super) struct RepeatedFirst {
    rows: FxHashMap<(i64, Vec<AxisValue>), VecDeque<u64>>,
}

impl RepeatedFirst {
    /// Adds an operation of the first step. Returns the row that it makes the first of `repeat` of them.
    pub(super) fn add(&mut self, of: (i64, Vec<AxisValue>), row: u64, repeat: u32) -> Option<u64> {
        let rows = self.rows.entry(of).or_default();
        rows.push_back(row);
        if rows.len() < repeat as usize { None } else { rows.pop_front() }
    }

    /// All rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = u64> {
        self.rows.values().flatten().copied()
    }

    /// Forgets the operations up to a row: they are in a match that counts.
    pub(super) fn forget(&mut self, of: &(i64, Vec<AxisValue>), until: u64) {
        if let Some(rows) = self.rows.get_mut(of) {
            while rows.front().is_some_and(|row| *row <= until) {
                rows.pop_front();
            }
        }
    }

    /// Forgets the operations on some dies, because another operation has started between. It is none for its own values.
    pub(super) fn interrupt(&mut self, is_on: impl Fn(i64) -> bool, own: &[Vec<AxisValue>]) {
        self.rows.retain(|(die, value), _| !is_on(*die) || own.contains(value));
    }
}

/// The die and the value of a match.
pub(super) type DieValue = (Option<i64>, Vec<AxisValue>);

/// Where the first steps of the matches lie that count: by die and value, from the first row to the last.
#[derive(Default, Debug)]
pub(super) struct CountedFirsts {
    spans: FxHashMap<DieValue, BTreeMap<u64, u64>>,
}

impl CountedFirsts {
    /// Whether the first step of a match lies over that of another match.
    pub(super) fn overlaps(&self, of: &DieValue, first: u64, last: u64) -> bool {
        let Some(spans) = self.spans.get(of) else { return false };
        // Spans do not overlap one another, so the two last ones that begin early enough tell.
        spans.range(..=last).rev().take(2).any(|(from, to)| *from != first && *to >= first)
    }

    /// Adds the first step of a match that counts.
    pub(super) fn add(&mut self, of: DieValue, first: u64, last: u64) {
        let to = self.spans.entry(of).or_default().entry(first).or_default();
        *to = last.max(*to);
    }

    /// Forgets what ends before a row.
    pub(super) fn forget(&mut self, before: u64) {
        for spans in self.spans.values_mut() {
            spans.retain(|_, to| *to >= before);
        }
    }
}
