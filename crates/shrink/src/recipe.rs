//! What of a history a candidate keeps, and how it changes that.
//!
//! A [`Recipe`] is a small piece of data from which [`carry_out`](crate::repair) makes the same sequence every time: the operations that
//! are kept, the dies and blocks that are merged, the gaps that are shortened.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_device::{Place, Tables};
use nandseq_profile::{Die, Ticks};
use serde::{Deserialize, Serialize};

use crate::history::SequenceHistory;

/// What a candidate keeps of a history.
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Recipe {
    /// The operations, as positions in the history, ascending.
    #[serde(with = "ranges")]
    pub keep: Vec<u32>,
    /// Whether pages keep their numbers. Otherwise each program takes the next page of its block, and reads follow.
    pub exact: bool,
    /// The die that stands for another.
    #[serde(with = "pairs")]
    pub dies: BTreeMap<u8, u8>,
    /// The block group that stands for another one of a die, by die and group. The die is that after merging.
    #[serde(with = "pairs")]
    pub groups: BTreeMap<(u8, u32), u32>,
    /// The read that stands for another, by the other: its operation and address. It may be kept or not.
    #[serde(with = "pairs")]
    pub reads: BTreeMap<u32, u32>,
    /// The operations that start as soon as they legally can after the one before.
    pub tight: BTreeSet<u32>,
}

impl Recipe {
    /// Everything of a history.
    #[must_use]
    pub fn everything(history: &SequenceHistory<'_>) -> Self {
        Self { keep: (0..history.past.len() as u32).collect(), exact: true, ..Self::default() }
    }

    /// The same without some operations.
    #[must_use]
    pub(crate) fn without(&self, left_out: &BTreeSet<u32>) -> Self {
        self.keeping(self.keep.iter().copied().filter(|item| !left_out.contains(item)).collect())
    }

    /// The same with these operations.
    #[must_use]
    pub(crate) fn keeping(&self, keep: Vec<u32>) -> Self {
        let (Self { dies, groups, reads, tight, .. }, exact) = (self.clone(), self.exact);
        Self { keep, exact, dies, groups, reads, tight }
    }

    /// The operation of the history whose name and address an operation has.
    pub(crate) fn model(&self, item: u32) -> u32 {
        self.reads.get(&item).copied().unwrap_or(item)
    }

    pub(crate) fn keeps(&self, item: u32) -> bool {
        self.keep.binary_search(&item).is_ok()
    }

    /// Where an operation works that worked at `place`. An operation that names a fixed die stays there.
    pub(crate) fn place(&self, tables: &Tables, op: nandseq_profile::OpId, place: &Place) -> Place {
        use nandseq_profile::model::StatusOf;
        let mut place = *place;
        match tables.op(op).status_of {
            Some(StatusOf::Lun(_)) => return place,
            Some(StatusOf::Die | StatusOf::Plane) | None => {}
        }
        place.die = Die(self.dies.get(&place.die.0).copied().unwrap_or(place.die.0));
        if tables.base(tables.op(op).base).has_block {
            place.group = self.groups.get(&(place.die.0, place.group)).copied().unwrap_or(place.group);
        }
        place
    }
}

/// How small a sequence is: what counts first comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct SequenceSize {
    /// The number of operations.
    pub operations: usize,
    /// The number of dies and of blocks that have an operation.
    pub places: usize,
    /// From the first start to the last.
    pub time: Ticks,
}

impl SequenceSize {
    /// Whether it is so much smaller that more may go: less time alone must be a good part less.
    pub(crate) fn is_worth_more_than(&self, before: &Self) -> bool {
        let fewer = (self.operations, self.places) < (before.operations, before.places);
        fewer || self.time.0 < before.time.0 - before.time.0 / 16
    }
}

/// Ascending numbers as ranges `[first, length]`.
mod ranges {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(items: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let ranges = items.chunk_by(|one, next| one + 1 == *next).map(|range| [range[0], range.len() as u32]);
        ranges.collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let ranges = Vec::<[u32; 2]>::deserialize(deserializer)?;
        Ok(ranges.into_iter().flat_map(|[first, length]| first..first.saturating_add(length)).collect())
    }
}

/// A map as a list of pairs: JSON has no keys but texts.
mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<K: Serialize, V: Serialize, S: Serializer>(
        map: &BTreeMap<K, V>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(deserializer)?.into_iter().collect())
    }
}
