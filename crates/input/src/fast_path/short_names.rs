//! Operations by name, for names of 8 to 48 bytes that are written without quotes. Others are left to a map of all names.
//!
//! The place of a name follows from its first and last eight bytes and its length, so not every byte is hashed.

use nandseq_profile::{BaseId, OpId, Profile};

/// The bytes of a word.
const WORD: usize = 8;
/// The most bytes of a name, with the comma behind it.
const MOST: usize = 48;
/// A comma in every byte.
const COMMAS: u64 = 0x2c2c_2c2c_2c2c_2c2c;

/// An operation.
struct ShortName {
    text: Box<[u8]>,
    op: OpId,
    base: BaseId,
}

/// A table of names.
pub(super) struct ShortNames {
    /// A name whose place is taken has the next free one. At least half of the places are free.
    places: Box<[Option<ShortName>]>,
}

/// The length of the name that `text` begins with: the number of bytes before the first comma.
#[inline]
fn length(text: &[u8; MOST]) -> Option<usize> {
    for (at, word) in text.as_chunks::<WORD>().0.iter().enumerate() {
        let other = u64::from_le_bytes(*word) ^ COMMAS;
        // The highest bit of the first byte that is a comma is set, and no bit before it.
        let commas = other.wrapping_sub(0x0101_0101_0101_0101) & !other & 0x8080_8080_8080_8080;
        if commas != 0 {
            return Some(WORD * at + commas.trailing_zeros() as usize / 8);
        }
    }
    None
}

/// How many places from its own on a name is looked for. Names that begin and end alike have one place: those that find no other near it are
/// left out.
const PROBES: usize = 8;

/// The place of a name in a table of `places`, a power of two; `None` for a short name.
#[inline]
fn place(name: &[u8], places: usize) -> Option<usize> {
    let (first, last) = (u64::from_le_bytes(*name.first_chunk()?), u64::from_le_bytes(*name.last_chunk()?));
    let mixed = (first ^ last.rotate_left(29)).wrapping_add(name.len() as u64);
    Some((mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (places - 1))
}

impl ShortNames {
    pub(super) fn new(profile: &Profile) -> Self {
        let plain = |name: &str| name.len() < MOST && !name.contains([',', '"', '\n', '\r']);
        let len = (2 * profile.ops.iter().len()).next_power_of_two();
        let mut places: Box<[Option<ShortName>]> = (0..len).map(|_| None).collect();
        for (id, op) in profile.ops.iter_ids().filter(|(_, op)| plain(&op.name)) {
            let Some(at) = place(op.name.as_bytes(), len) else { continue };
            let mut near = (at..at + PROBES).map(|at| at & (len - 1));
            let Some(at) = near.find(|&at| places[at].is_none()) else { continue };
            places[at] = Some(ShortName { text: op.name.as_bytes().into(), op: id, base: op.base });
        }
        Self { places }
    }

    /// The operation whose name `text` begins with, its base and the length of the name. `None` says only that the name is not in
    /// this table, or that too few bytes are there.
    #[inline]
    pub(super) fn find(&self, text: &[u8]) -> Option<(OpId, BaseId, usize)> {
        let name = &text[..length(text.first_chunk()?)?];
        let at = place(name, self.places.len())?;
        for at in at..at + PROBES {
            let known = self.places[at & (self.places.len() - 1)].as_ref()?;
            if *known.text == *name {
                return Some((known.op, known.base, name.len()));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use super::*;

    #[test]
    fn a_name_is_found_where_it_is_written_and_nowhere_else() {
        let profile = nandseq_profile::builtin::profile();
        let names = ShortNames::new(&profile);
        let mut found = 0;
        for (id, op) in profile.ops.iter_ids() {
            let row = format!("{},1,\"[{{\"\"die\"\":0,\"\"plane\"\":0,\"\"block\"\":1}}]\"\n", op.name);
            let find = |row: &[u8]| names.find(row);
            if op.name.len() < WORD || op.name.len() >= MOST {
                assert_eq!(find(row.as_bytes()), None, "{row}");
                continue;
            }
            found += 1;
            assert_eq!(find(row.as_bytes()), Some((id, op.base, op.name.len())), "{row}");
            for at in 0..=op.name.len() {
                let mut damaged = row.clone().into_bytes();
                damaged[at] ^= 1;
                let other = find(&damaged).map(|(op, _, len)| (profile.ops[op].name.as_bytes(), len));
                assert!(
                    other.is_none_or(|(name, len)| damaged.starts_with(name) && damaged[len] == b','),
                    "{row} {at}"
                );
            }
        }
        assert!(found > 100);
    }

    #[test]
    fn of_many_names_that_begin_and_end_alike_some_are_left_out_and_none_is_taken_for_another() {
        let mut profile = nandseq_profile::builtin::profile();
        for (number, op) in profile.ops.ids().collect::<Vec<_>>().into_iter().enumerate() {
            profile.ops[op].name = format!("PROGRAM_{number:06}_4_PLANES");
        }
        let names = ShortNames::new(&profile);
        let mut found = 0;
        for (id, op) in profile.ops.iter_ids() {
            let row = format!("{},1,\"[{{\"\"die\"\":0,\"\"plane\"\":0,\"\"block\"\":1}}]\"\n", op.name);
            let own = names.find(row.as_bytes());
            assert!(own.is_none_or(|own| own == (id, op.base, op.name.len())), "{row}");
            found += usize::from(own.is_some());
        }
        assert_eq!(found, PROBES);
    }

    #[test]
    fn names_that_are_written_in_quotes_or_too_short_or_too_long_are_left_out() {
        let mut profile = nandseq_profile::builtin::profile();
        let long = "x".repeat(MOST);
        let left_out = ["with \"quotes\"", "with, comma", "with\nline", "short", &long];
        for (op, name) in profile.ops.ids().zip(left_out).collect::<Vec<_>>() {
            profile.ops[op].name = name.to_owned();
        }
        let names = ShortNames::new(&profile);
        for name in left_out {
            let row = format!("{},{}", name.replace('"', "\"\""), " ".repeat(MOST));
            assert!(names.find(row.as_bytes()).is_none(), "{row}");
        }
        let kept = profile.ops.ids().nth(left_out.len()).unwrap();
        let row = format!("{},{}", profile.ops[kept].name, " ".repeat(MOST));
        assert_eq!(names.find(row.as_bytes()).map(|(op, ..)| op), Some(kept));
    }
}
