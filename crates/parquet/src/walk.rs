//! Walks through encoded values without decoding them: whether there are as many as needed.
//!
//! All functions give `None` if bytes are missing or cannot be what was written.

use nandseq_input::thrift::{number, signed};

/// The most values in a block of differences. Tools write 128 to some thousands.
const BLOCK: u64 = 1 << 20;

/// A run of values of the same width.
enum Run<'b> {
    /// The same value again and again.
    Same(u64, usize),
    /// Values side by side.
    Packed(&'b [u8], usize),
}

/// Whether there are as many texts, each after its length.
pub(crate) fn texts(mut bytes: &[u8], count: usize) -> Option<()> {
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk()?;
        bytes = rest.get(u32::from_le_bytes(*length) as usize..)?;
    }
    Some(())
}

/// Whether there are as many values in runs, each of `width` bits.
pub(crate) fn fits(bytes: &[u8], width: u8, count: usize) -> Option<()> {
    runs(bytes, width, count, |_| ())
}

/// How many of the next levels in runs are the highest one.
pub(crate) fn level_matches(bytes: &[u8], highest: i16, count: usize) -> Option<usize> {
    let highest = u64::try_from(highest).ok()?;
    let width = (u64::BITS - highest.leading_zeros()) as u8;
    let mut matches = 0;
    runs(bytes, width, count, |run| {
        matches += match run {
            Run::Same(level, length) => {
                if level == highest {
                    length
                } else {
                    0
                }
            }
            Run::Packed(levels, length) => (0..length).filter(|&at| packed(levels, width, at) == highest).count(),
        };
    })?;
    Some(matches)
}

/// The value at a place among values of at most 32 bits side by side.
fn packed(bytes: &[u8], width: u8, at: usize) -> u64 {
    let bit = at * usize::from(width);
    let around = bytes.get(bit / 8..).unwrap_or_default().iter().take(5);
    let around = around.rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
    around >> (bit % 8) & ((1 << width) - 1)
}

/// Gives the runs of the next values to `each`.
fn runs<'b>(mut bytes: &'b [u8], width: u8, count: usize, mut each: impl FnMut(Run<'b>)) -> Option<()> {
    let mut left = count;
    // The library reads the beginning of the first run even if no value is needed.
    while left > 0 || !bytes.is_empty() {
        let said = number(&mut bytes)?;
        let length = usize::try_from(u32::try_from(said >> 1).ok()?).ok()?;
        if said == 0 {
            return (left == 0).then_some(());
        }
        if said & 1 == 0 {
            let (value, rest) = bytes.split_at_checked(usize::from(width).div_ceil(8))?;
            let value = value.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte));
            let length = length.min(left);
            each(Run::Same(value, length));
            (bytes, left) = (rest, left - length);
        } else {
            let length = length.checked_mul(8)?.min(left);
            // The last run may be cut behind the values that are needed.
            let needed = length.checked_mul(usize::from(width))?.div_ceil(8);
            let whole = (said >> 1) as usize * usize::from(width);
            each(Run::Packed(bytes.get(..needed)?, length));
            (bytes, left) = (&bytes[whole.min(bytes.len())..], left - length);
        }
        if left == 0 {
            break;
        }
    }
    Some(())
}

/// What is said of differences before them.
struct Differences {
    /// The number of groups in a block, and of differences in a group.
    groups: usize,
    group: usize,
    first: i64,
    /// The number of differences, which is one less than that of values.
    count: usize,
}

/// Whether there are as many numbers as differences, which have at most `bits` bits.
pub(crate) fn deltas(mut bytes: &[u8], bits: u8, count: usize) -> Option<()> {
    let said = differences(&mut bytes, count)?;
    said.walk(&mut bytes, bits, |_, _, _, _| Some(())).map(drop)
}

/// Whether there are as many texts behind all their lengths, which are differences.
pub(crate) fn delta_texts(mut bytes: &[u8], count: usize) -> Option<()> {
    let said = differences(&mut bytes, count)?;
    // The library counts with 32 bits.
    let mut length = said.first as i32;
    let mut total = usize::try_from(length).ok()?;
    let is_whole = said.walk(&mut bytes, 32, |least, group, width, values| {
        for at in 0..values {
            length = length.wrapping_add(least as i32).wrapping_add(packed(group, width, at) as i32);
            total = total.checked_add(usize::try_from(length).ok()?)?;
        }
        Some(())
    })?;
    (is_whole && total <= bytes.len()).then_some(())
}

/// Takes what is said of differences before them.
fn differences(bytes: &mut &[u8], count: usize) -> Option<Differences> {
    let (block, groups, said, first) = (number(bytes)?, number(bytes)?, number(bytes)?, number(bytes)?);
    let is_sound = (1..=BLOCK).contains(&block) && groups > 0 && block.is_multiple_of(groups);
    let group = is_sound.then(|| (block / groups) as usize).filter(|group| group.is_multiple_of(32))?;
    let count = (said == count as u64).then(|| count.saturating_sub(1))?;
    Some(Differences { groups: groups as usize, group, first: signed(first), count })
}

impl Differences {
    /// Gives groups of differences to `each`: the smallest one of the block, what is added, its width in bits, and how many
    /// there are. Takes them from the bytes, and tells whether the last group is filled up.
    fn walk(
        &self,
        bytes: &mut &[u8],
        bits: u8,
        mut each: impl FnMut(i64, &[u8], u8, usize) -> Option<()>,
    ) -> Option<bool> {
        let (mut left, mut is_whole) = (self.count, true);
        while left > 0 {
            let least = signed(number(bytes)?);
            let (widths, mut rest) = bytes.split_at_checked(self.groups)?;
            for &width in widths {
                let values = self.group.min(left);
                if values == 0 {
                    break;
                }
                let needed = (values * usize::from(width)).div_ceil(8);
                if width > bits || needed > rest.len() {
                    return None;
                }
                each(least, rest, width, values)?;
                let behind = rest.get(self.group * usize::from(width) / 8..);
                is_whole &= behind.is_some();
                rest = behind.unwrap_or_default();
                left -= values;
            }
            *bytes = rest;
        }
        Some(is_whole)
    }
}
