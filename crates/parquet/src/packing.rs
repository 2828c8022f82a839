//! The two encodings of values: packed differences, and numbers of few bits.
//!
//! Both are those of the format's specification, which calls them `DELTA_BINARY_PACKED` and the `RLE` and bit-packing hybrid. They work on a
//! page at a time: a page has thousands of values, and the library's encoders take them one by one.

/// The number of differences that share their smallest one.
const BLOCK: usize = 128;
/// The number of differences that are packed with the same number of bits.
const GROUP: usize = 32;
/// The number of equal values from which on they are stored as a run.
const RUN: usize = 8;

/// Appends numbers as packed differences.
pub(crate) fn differences(values: &[i64], bytes: &mut Vec<u8>) {
    let mut before = values.first().copied().unwrap_or_default();
    for number in [BLOCK, BLOCK / GROUP, values.len()] {
        varint(number as u64, bytes);
    }
    varint(zigzag(before), bytes);
    for values in values.get(1..).unwrap_or_default().chunks(BLOCK) {
        let mut least = i64::MAX;
        let mut block = [0; BLOCK];
        for (difference, &value) in block.iter_mut().zip(values) {
            *difference = value.wrapping_sub(before);
            least = least.min(*difference);
            before = value;
        }
        varint(zigzag(least), bytes);
        let mut excess = block.map(|difference| difference.wrapping_sub(least) as u64);
        excess[values.len()..].fill(0);
        let widths = bytes.len();
        bytes.extend_from_slice(&[0; BLOCK / GROUP]);
        for (at, group) in excess.chunks_exact(GROUP).take(values.len().div_ceil(GROUP)).enumerate() {
            let width = bits(group.iter().fold(0, |all, &one| all | one));
            bytes[widths + at] = width as u8;
            pack(group, width, bytes);
        }
    }
}

/// Appends numbers of `width` bits each, the lowest bits first.
fn pack(values: &[u64], width: u32, bytes: &mut Vec<u8>) {
    if width == 0 {
        return;
    }
    let (mut word, mut filled) = (0, 0);
    for &value in values {
        word |= value << filled;
        filled += width;
        if filled >= 64 {
            bytes.extend_from_slice(&word.to_le_bytes());
            filled -= 64;
            // What did not fit; a shift by all 64 bits is none.
            word = value.checked_shr(width - filled).unwrap_or_default();
        }
    }
    // 32 values of any width fill whole half words.
    bytes.extend_from_slice(&word.to_le_bytes()[..filled as usize / 8]);
}

/// Appends numbers of at most `width` bits, at most 16, as runs of equal ones and groups of eight.
pub(crate) fn hybrid(values: &[u16], width: u32, bytes: &mut Vec<u8>) {
    // Where the groups begin that are not written yet, and the next group.
    let (mut from, mut at) = (0, 0);
    while let Some(&value) = values.get(at) {
        let run = values[at..].iter().take_while(|&&next| next == value).count();
        if run < RUN {
            at = (at + 8).min(values.len());
            continue;
        }
        groups(&values[from..at], width, bytes);
        varint((run as u64) << 1, bytes);
        bytes.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8) as usize]);
        at += run;
        from = at;
    }
    groups(&values[from..at], width, bytes);
}

/// Appends groups of eight numbers, the last one filled up with zeros.
fn groups(values: &[u16], width: u32, bytes: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    varint((values.len().div_ceil(8) as u64) << 1 | 1, bytes);
    let (whole, rest) = values.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    for group in whole.iter().chain((!rest.is_empty()).then_some(&last)) {
        if width <= 8 {
            let packed = group.iter().rev().fold(0, |packed: u64, &value| packed << width | u64::from(value));
            put(packed.to_le_bytes(), width as usize, bytes);
        } else {
            let packed = group.iter().rev().fold(0, |packed: u128, &value| packed << width | u128::from(value));
            put(packed.to_le_bytes(), width as usize, bytes);
        }
    }
}

/// Appends the first `count` of some bytes. All are copied, which is cheaper than copying just some.
fn put<const N: usize>(packed: [u8; N], count: usize, bytes: &mut Vec<u8>) {
    let end = bytes.len() + count;
    bytes.extend_from_slice(&packed);
    bytes.truncate(end);
}

/// The number of bits that a number needs.
pub(crate) const fn bits(number: u64) -> u32 {
    64 - number.leading_zeros()
}

/// A number whose sign is its lowest bit, so that small ones are short.
const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// Appends a number in groups of seven bits, the lowest ones first.
fn varint(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}
