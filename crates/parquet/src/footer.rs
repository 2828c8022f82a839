//! A look at the schema in a footer before the library takes it.
//!
//! The library goes down a schema by recursion and reserves as many places as a group says to have fields. A damaged schema could
//! exhaust stack or memory, which no program survives. Leaves out all else in the footer, which the library checks.

use nandseq_input::thrift::{DEPTH, INT, LIST, STRUCT, fields, list, number, signed, skip};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

/// Refuses a file whose schema is too deep or has groups with more fields than there are. Other damage is left to the library.
pub(crate) fn check(file: &impl ChunkReader) -> Result<(), ParquetError> {
    const END: u64 = 8;
    let Some(before) = file.len().checked_sub(END) else { return Ok(()) };
    let length = file.get_bytes(before, 4)?;
    let Some(length) = length.first_chunk().map(|length| u32::from_le_bytes(*length)) else { return Ok(()) };
    let Some(at) = before.checked_sub(length.into()) else { return Ok(()) };
    let footer = file.get_bytes(at, length as usize)?;
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
