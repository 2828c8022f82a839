//! The bins into which gaps, counts and positions fall. A bin holds the values up to its bound, the bound included.

use nandseq_profile::Ticks;
use nandseq_profile::model::Topology;

const NS: u64 = 1_000;
const US: u64 = 1_000 * NS;
const MS: u64 = 1_000 * US;

/// The bounds of gaps, in ticks. The last bin holds everything longer.
const GAPS: [u64; 30] = [
    0,
    100 * NS,
    200 * NS,
    500 * NS,
    US,
    3 * US / 2,
    2 * US,
    3 * US,
    5 * US,
    7 * US,
    10 * US,
    15 * US,
    20 * US,
    30 * US,
    50 * US,
    70 * US,
    100 * US,
    150 * US,
    200 * US,
    300 * US,
    500 * US,
    700 * US,
    MS,
    3 * MS / 2,
    2 * MS,
    3 * MS,
    5 * MS,
    10 * MS,
    20 * MS,
    50 * MS,
];
/// The bounds of distances in operations.
const DISTANCES: [u64; 11] = [1, 2, 3, 4, 5, 6, 8, 12, 16, 24, 32];
/// The bounds of counts of erases and reads.
const COUNTS: [u64; 31] = [
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 40, 50, 64, 80, 100, 150, 200, 300, 500, 1_000, 2_000,
    5_000, 10_000, 100_000,
];
/// The bounds of tenths of a phase, in millionths of it.
const TENTHS: [u64; 9] = [99_999, 199_999, 299_999, 399_999, 499_999, 599_999, 699_999, 799_999, 899_999];
/// The greatest number of parts into which the blocks of a die, and the pages of a block, are divided.
const PARTS: u64 = 64;
/// How many addresses of failing operations are parts of their own.
const FAILING_PARTS: u64 = 20;
/// How many patterns are a part of all.
const PATTERNS: u64 = 4;

/// What is measured in bins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Scale {
    /// A time.
    Gap,
    /// A number of operations.
    Distance,
    /// A number of erases or reads.
    Count,
    /// Tenths of a phase.
    Tenth,
    /// Parts of the blocks of a die.
    Block,
    /// Parts of the pages of a block.
    Page,
    /// Parts of the patterns that a page can hold.
    Pattern,
    /// A feature that is there or is not.
    Whole,
}

/// The bounds of all scales. Those of blocks and pages follow from the device or from the addresses that were seen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Scales {
    blocks: Vec<u64>,
    pages: Vec<u64>,
    patterns: Vec<u64>,
}

/// Addresses that were seen, as often as they were.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct SeenNumbers {
    pub(crate) failing: Vec<u64>,
    pub(crate) all: Vec<u64>,
}

impl SeenNumbers {
    /// The bounds of parts: each address is a part if there are few. Otherwise some addresses of failing operations are parts of their
    /// own, so that parts can begin and end with the fails, and what lies between is divided by how much was seen of it.
    fn bounds(mut self) -> Vec<u64> {
        self.all.sort_unstable();
        self.failing.sort_unstable();
        let mut different = self.all.clone();
        different.dedup();
        let last = different.pop();
        if different.len() as u64 >= PARTS {
            different = quantiles(&self.failing, FAILING_PARTS)
                .flat_map(|at| [at.checked_sub(1), Some(at)])
                .flatten()
                .chain(quantiles(&self.all, PARTS - 2 * FAILING_PARTS - 1))
                .filter(|at| Some(*at) != last)
                .collect();
            different.sort_unstable();
            different.dedup();
        }
        different
    }
}

/// At most so many of some sorted numbers, evenly spread over them, the first and the last among them.
fn quantiles(sorted: &[u64], most: u64) -> impl Iterator<Item = u64> {
    let count = most.min(sorted.len() as u64);
    (0..count).map(move |at| sorted[(at * (sorted.len() as u64 - 1) / (count - 1).max(1)) as usize])
}

/// The bounds of patterns.
fn patterns() -> Vec<u64> {
    (PATTERNS - 1..u64::from(u8::MAX)).step_by(PATTERNS as usize).collect()
}

impl Scales {
    /// Equal parts of all addresses of a device.
    pub(crate) fn even(topology: Topology) -> Self {
        let parts = |of: u32| (1..PARTS).map(|at| (at * u64::from(of)).div_ceil(PARTS).saturating_sub(1)).collect();
        let [blocks, pages] = [topology.blocks_per_die, topology.pages_per_block].map(parts);
        Self { blocks, pages, patterns: patterns() }
    }

    /// Parts of the blocks and pages that were seen.
    pub(crate) fn of_seen(blocks: SeenNumbers, pages: SeenNumbers) -> Self {
        Self { blocks: blocks.bounds(), pages: pages.bounds(), patterns: patterns() }
    }

    fn bounds(&self, scale: Scale) -> &[u64] {
        match scale {
            Scale::Gap => &GAPS,
            Scale::Distance => &DISTANCES,
            Scale::Count => &COUNTS,
            Scale::Tenth => &TENTHS,
            Scale::Block => &self.blocks,
            Scale::Page => &self.pages,
            Scale::Pattern => &self.patterns,
            Scale::Whole => &[],
        }
    }

    /// The number of bins; at most 64.
    pub(crate) fn bins(&self, scale: Scale) -> u8 {
        self.bounds(scale).len() as u8 + 1
    }

    /// The bin of a value.
    pub(crate) fn bin(&self, scale: Scale, value: u64) -> u8 {
        self.bounds(scale).partition_point(|&bound| bound < value) as u8
    }

    /// The values of some bins: the least and the greatest, both included; [`u64::MAX`] stands for any.
    pub(crate) fn range(&self, scale: Scale, from: u8, to: u8) -> (u64, u64) {
        let bounds = self.bounds(scale);
        let least = from.checked_sub(1).map_or(0, |before| bounds[usize::from(before)] + 1);
        (least, bounds.get(usize::from(to)).copied().unwrap_or(u64::MAX))
    }
}

/// A time as plans and tables state it, without the tick by which it is above a bound.
pub(crate) fn us_text(ticks: u64) -> String {
    Ticks(ticks - ticks % 10).to_us_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bin_holds_its_bound_and_not_one_more() {
        let device = Topology { dies: 1, planes: 4, blocks_per_die: 4080, pages_per_block: 2564 };
        let few = SeenNumbers { failing: vec![3], all: vec![7, 3, 3, 9] };
        let many = SeenNumbers { failing: (400..450).collect(), all: (0..1000).collect() };
        let seen = Scales::of_seen(few, many);
        assert_eq!(seen.range(Scale::Page, seen.bin(Scale::Page, 400), seen.bin(Scale::Page, 449)), (400, 449));
        assert_eq!((seen.bins(Scale::Block), seen.range(Scale::Block, 1, 1)), (3, (4, 7)));
        for scales in [Scales::even(device), seen] {
            for scale in
                [Scale::Gap, Scale::Distance, Scale::Count, Scale::Tenth, Scale::Block, Scale::Page, Scale::Pattern]
            {
                let mut next = 0;
                assert!(scales.bins(scale) <= 64);
                for bin in 0..scales.bins(scale) {
                    let (least, most) = scales.range(scale, bin, bin);
                    assert_eq!((least, scales.bin(scale, next)), (next, bin), "{scale:?}");
                    assert_eq!(scales.bin(scale, most), bin, "{scale:?}");
                    next = most.saturating_add(1);
                }
                assert_eq!(next, u64::MAX);
            }
        }
    }
}
