//! The bins into which gaps, counts and positions fall. A bin holds the values up to its bound, the bound included.

use nandseq_profile::Ticks;

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
/// The number of parts of a phase.
pub(crate) const TENTHS: u8 = 10;
/// The number of parts into which the blocks of a die, and the pages of a block, are divided.
pub(crate) const PARTS: u8 = 64;

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
    Blocks(u32),
    /// Parts of the pages of a block.
    Pages(u32),
    /// A feature that is there or is not.
    Whole,
}

impl Scale {
    const fn bounds(self) -> &'static [u64] {
        match self {
            Self::Gap => &GAPS,
            Self::Distance => &DISTANCES,
            Self::Count => &COUNTS,
            Self::Tenth | Self::Blocks(_) | Self::Pages(_) | Self::Whole => &[],
        }
    }

    /// The number of bins.
    pub(crate) fn bins(self) -> u8 {
        match self {
            Self::Gap | Self::Distance | Self::Count => self.bounds().len() as u8 + 1,
            Self::Tenth => TENTHS,
            Self::Blocks(_) | Self::Pages(_) => PARTS,
            Self::Whole => 1,
        }
    }

    /// The bin of a value.
    pub(crate) fn bin(self, value: u64) -> u8 {
        match self {
            Self::Gap | Self::Distance | Self::Count => self.bounds().partition_point(|&bound| bound < value) as u8,
            Self::Tenth => (value * u64::from(TENTHS) / 1_000_000).min(u64::from(TENTHS) - 1) as u8,
            Self::Blocks(of) | Self::Pages(of) => {
                (value * u64::from(PARTS) / u64::from(of.max(1))).min(u64::from(PARTS) - 1) as u8
            }
            Self::Whole => 0,
        }
    }

    /// The values of some bins: the least and the greatest, both included; no greatest: any.
    pub(crate) fn range(self, from: u8, to: u8) -> (u64, Option<u64>) {
        let part = |at: u8, of: u32| (u64::from(at) * u64::from(of)).div_ceil(u64::from(PARTS));
        match self {
            Self::Gap | Self::Distance | Self::Count => {
                let bounds = self.bounds();
                let least = from.checked_sub(1).map_or(0, |before| bounds[usize::from(before)] + 1);
                (least, bounds.get(usize::from(to)).copied())
            }
            Self::Tenth => (u64::from(from) * 10, Some(u64::from(to) * 10 + 10)),
            Self::Blocks(of) | Self::Pages(of) => (part(from, of), Some(part(to + 1, of).saturating_sub(1))),
            Self::Whole => (0, None),
        }
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
        for scale in [Scale::Gap, Scale::Distance, Scale::Count, Scale::Blocks(4080), Scale::Pages(2564)] {
            let mut next = u64::from(scale == Scale::Distance);
            for bin in 0..scale.bins() {
                let (least, most) = scale.range(bin, bin);
                assert!(bin == 0 || least == next, "{scale:?} {bin}: {least} instead of {next}");
                assert_eq!(scale.bin(next), bin, "{scale:?}");
                let Some(most) = most else { continue };
                assert_eq!(scale.bin(most), bin, "{scale:?}");
                next = most + 1;
            }
        }
        assert_eq!([0, 99_999, 100_000, 999_999, 1_000_000].map(|part| Scale::Tenth.bin(part)), [0, 0, 1, 9, 9]);
    }
}
