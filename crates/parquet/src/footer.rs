//! A look at the schema in a footer before the library takes it.
//!
//! The library goes down a schema by recursion and reserves as many places as a group says to have fields. A damaged schema could
//! exhaust stack or memory, which no program survives. Leaves out all else in the footer, which the library checks.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use parquet::errors::ParquetError;

use crate::walk::{number, signed};

/// The most groups in one another in a schema, and the most structures in one another in the footer.
const DEPTH: usize = 64;

/// The kinds of values in a footer by their numbers in its encoding, Thrift's compact protocol.
const BYTE: u8 = 3;
const INT: u8 = 5;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// Refuses a file whose schema is too deep or has groups with more fields than there are. Other damage is left to the library.
pub(crate) fn check(mut file: &File) -> Result<(), ParquetError> {
    const END: u64 = 8;
    let Some(before) = file.metadata()?.len().checked_sub(END) else { return Ok(()) };
    let mut length = [0; 4];
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    let Some(at) = before.checked_sub(length.into()) else { return Ok(()) };
    let mut footer = vec![0; length as usize];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut footer)?;
    is_sound(&footer).ok_or_else(|| ParquetError::General("the schema is damaged".to_owned()))
}

fn is_sound(mut footer: &[u8]) -> Option<()> {
    fields(
        &mut footer,
        |bytes, id, kind| if (id, kind) == (2, LIST) { schema(bytes) } else { skip(bytes, kind, DEPTH) },
    )
}

/// Takes the schema: each group, then its fields.
fn schema(bytes: &mut &[u8]) -> Option<()> {
    let (count, kind) = list(bytes)?;
    // For each group around the present field, how many of its fields are still to come.
    let mut groups: Vec<u64> = Vec::new();
    for _ in 0..count {
        let mut own = 0;
        fields(bytes, |bytes, id, kind| {
            if (id, kind) != (5, INT) {
                return skip(bytes, kind, DEPTH);
            }
            own = u64::try_from(signed(number(bytes)?)).ok()?;
            Some(())
        })?;
        while groups.pop_if(|left| *left == 0).is_some() {}
        if let Some(left) = groups.last_mut() {
            *left -= 1;
        }
        if own > 0 {
            groups.push(own);
        }
        if own > count || groups.len() > DEPTH {
            return None;
        }
    }
    (kind == STRUCT || count == 0).then_some(())
}

/// Gives the number and the kind of each field of a structure to `each`, which takes the field.
fn fields(bytes: &mut &[u8], mut each: impl FnMut(&mut &[u8], i64, u8) -> Option<()>) -> Option<()> {
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
fn list(bytes: &mut &[u8]) -> Option<(u64, u8)> {
    let head = *bytes.split_off_first()?;
    let count = if head >> 4 == 15 { number(bytes)? } else { (head >> 4).into() };
    Some((count, head & 15))
}

/// Takes a value of a kind, with at most `depth` structures in one another.
fn skip(bytes: &mut &[u8], kind: u8, depth: usize) -> Option<()> {
    let length = match kind {
        // The kind of a truth value is its value.
        1 | 2 => 0,
        BYTE => 1,
        4..=6 => number(bytes).map(|_| 0)?,
        7 => 8,
        8 => number(bytes)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A footer with a schema of these elements.
    fn footer(elements: &[&[u8]]) -> Vec<u8> {
        let count = [elements.len() as u8 & 0x7f | 0x80, (elements.len() >> 7) as u8];
        [&[0x15, 2, 0x19, 0xfc][..], &count, &elements.concat(), &[0x16, 0, 0x19, 0x0c, 0]].concat()
    }

    #[test]
    fn a_schema_is_neither_too_deep_nor_has_groups_more_fields_than_there_are() {
        const GROUP: &[u8] = b"\x35\0\x18\x01m\x15\x02\0";
        const FIELD: &[u8] = b"\x15\x02\x25\0\x18\x01c\0";
        let chain = |depth| footer(&[&vec![GROUP; depth][..], &[FIELD]].concat());
        assert_eq!(is_sound(&chain(DEPTH)), Some(()));
        assert_eq!(is_sound(&chain(DEPTH + 1)), None);
        let groups = [&[&b"\x48\x01m\x15\xd0\x01\0"[..]][..], &[GROUP, FIELD].repeat(104)].concat();
        assert_eq!(is_sound(&footer(&groups)), Some(()), "groups beside one another");
        assert_eq!(is_sound(&footer(&[&b"\x48\x01m\x15\xfe\xff\xff\xff\x0f\0"[..], FIELD])), None);
        assert_eq!(is_sound(&[0x1c; 100_000]), None);
        assert_eq!(is_sound(&[0x19; 100_000]), None);
    }
}
