//! Thrift's compact protocol, in which the footers of Parquet files are encoded: takes values off the front of bytes.
//!
//! Damaged bytes exhaust neither stack nor memory. All functions give `None` if bytes are missing or cannot be what was written. Leaves out
//! what the fields mean.

/// The most structures in one another.
pub const DEPTH: usize = 64;

/// The kinds of values by their numbers: a whole number of 32 bits.
pub const INT: u8 = 5;
/// A text, or bytes.
pub const BINARY: u8 = 8;
/// A list.
pub const LIST: u8 = 9;
/// A structure.
pub const STRUCT: u8 = 12;
/// A single byte.
const BYTE: u8 = 3;

/// The longest whole number of variable length in bytes, which has 64 bits.
const LONGEST: usize = 10;

/// Gives the number and the kind of each field of a structure to `each`, which takes the field.
pub fn fields<'b>(bytes: &mut &'b [u8], mut each: impl FnMut(&mut &'b [u8], i64, u8) -> Option<()>) -> Option<()> {
    let mut id = 0_i64;
    loop {
        let head = *bytes.split_off_first()?;
        if head == 0 {
            return Some(());
        }
        id = if head >> 4 == 0 { signed(number(bytes)?) } else { id.checked_add((head >> 4).into())? };
        each(bytes, id, head & 15)?;
    }
}

/// Takes the number and the kind of the elements of a list.
pub fn list(bytes: &mut &[u8]) -> Option<(u64, u8)> {
    let head = *bytes.split_off_first()?;
    let count = if head >> 4 == 15 { number(bytes)? } else { (head >> 4).into() };
    Some((count, head & 15))
}

/// Takes a value of a kind, with at most `depth` structures in one another.
pub fn skip(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let length = match kind {
        // The kind of a truth value is its value.
        1 | 2 => 0,
        BYTE => 1,
        4..=6 => number(bytes).map(|_| 0)?,
        7 => 8,
        BINARY => number(bytes)?,
        LIST | 10 => {
            let (count, kind) = list(bytes)?;
            let kind = if kind <= 2 { BYTE } else { kind };
            (0..count).try_for_each(|_| skip(bytes, kind, depth.checked_sub(1)?))?;
            0
        }
        STRUCT => {
            fields(bytes, |bytes, _, kind| skip(bytes, kind, depth.checked_sub(1)?))?;
            0
        }
        _ => return None,
    };
    bytes.split_off(..usize::try_from(length).ok()?).map(drop)
}

/// Takes a text, or bytes.
pub fn binary<'b>(bytes: &mut &'b [u8]) -> Option<&'b [u8]> {
    let length = usize::try_from(number(bytes)?).ok()?;
    bytes.split_off(..length)
}

/// A number whose sign is its lowest bit.
pub fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Takes a whole number of variable length.
pub fn number(bytes: &mut &[u8]) -> Option<u64> {
    let length = bytes.iter().take(LONGEST).position(|byte| byte & 0x80 == 0)? + 1;
    let (taken, rest) = bytes.split_at(length);
    *bytes = rest;
    Some(taken.iter().rev().fold(0, |number, &byte| number << 7 | u64::from(byte & 0x7f)))
}
