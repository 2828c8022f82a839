//! Checks of the pages of a column before their values are decoded.
//!
//! The library slices and reserves by what a page says of itself, and panics where a damaged page says too much. A page is given
//! to it only if its levels and values are as many as it says. An encoding that is not checked here is refused.

use std::io;

use bytes::Bytes;
use parquet::basic::{Encoding, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::schema::types::ColumnDescPtr;

use crate::walk::{delta_texts, deltas, fits, level_matches, texts};

/// The most places in a page of which all may be in memory at once: a list may be as long as its page. Other tools write fewer.
const PLACES: u32 = 1 << 24;

/// The widest number of a value of a dictionary in bits.
const INDEX: u8 = 32;

/// The pages of a column, of which none makes the library panic.
pub(crate) struct CheckedPages {
    pages: Box<dyn PageReader>,
    column: ColumnDescPtr,
    has_dictionary: bool,
}

/// The parts of a data page.
struct Sections {
    repetition: Option<Bytes>,
    definition: Option<Bytes>,
    values: Bytes,
}

impl CheckedPages {
    pub(crate) fn new(pages: Box<dyn PageReader>, column: ColumnDescPtr) -> Self {
        Self { pages, column, has_dictionary: false }
    }

    fn check(&mut self, page: &Page) -> Result<(), ParquetError> {
        match page {
            Page::DictionaryPage { buf, num_values, encoding, .. } => {
                if !matches!(encoding, Encoding::PLAIN | Encoding::PLAIN_DICTIONARY) {
                    return Err(unknown(*encoding));
                }
                self.has_dictionary = true;
                self.plain(buf, *num_values as usize)
            }
            Page::DataPage { .. } | Page::DataPageV2 { .. } => self.check_data(page),
        }
    }

    fn check_data(&self, page: &Page) -> Result<(), ParquetError> {
        let (places, column) = (page.num_values(), &self.column);
        let sections = self.sections(page)?;
        let is_at_once = sections.repetition.is_some() || page.encoding() == Encoding::DELTA_LENGTH_BYTE_ARRAY;
        if is_at_once && places > PLACES {
            return Err(damage("a page has too many places"));
        }
        if let Some(levels) = &sections.repetition {
            level_matches(levels, column.max_rep_level(), places as usize).ok_or_else(fewer)?;
        }
        let there = match &sections.definition {
            Some(levels) => level_matches(levels, column.max_def_level(), places as usize).ok_or_else(fewer)?,
            None => places as usize,
        };
        if let Page::DataPageV2 { num_nulls, .. } = page
            && places.checked_sub(*num_nulls).is_none_or(|said| said as usize != there)
        {
            return Err(damage("a page has another number of nulls than it says"));
        }
        self.values(&sections.values, page.encoding(), there)
    }

    /// The parts of a data page, none of which is longer than the page.
    fn sections(&self, page: &Page) -> Result<Sections, ParquetError> {
        let (repeats, may_be_absent) = (self.column.max_rep_level() > 0, self.column.max_def_level() > 0);
        let mut values = page.buffer().clone();
        let mut take = |length: usize| (length <= values.len()).then(|| values.split_to(length)).ok_or_else(fewer);
        let (repetition, definition) = match page {
            Page::DataPageV2 { rep_levels_byte_len, def_levels_byte_len, .. } => {
                let (repetition, definition) =
                    (take(*rep_levels_byte_len as usize)?, take(*def_levels_byte_len as usize)?);
                (repeats.then_some(repetition), may_be_absent.then_some(definition))
            }
            Page::DataPage { rep_level_encoding, def_level_encoding, .. } => {
                let mut levels = |are_there: bool, encoding: Encoding| {
                    if !are_there {
                        return Ok(None);
                    }
                    if encoding != Encoding::RLE {
                        return Err(unknown(encoding));
                    }
                    let length = take(4)?.iter().rev().fold(0, |length, &byte| length << 8 | usize::from(byte));
                    take(length).map(Some)
                };
                (levels(repeats, *rep_level_encoding)?, levels(may_be_absent, *def_level_encoding)?)
            }
            Page::DictionaryPage { .. } => (None, None),
        };
        Ok(Sections { repetition, definition, values })
    }

    /// Checks that there are as many values in an encoding.
    fn values(&self, bytes: &Bytes, encoding: Encoding, count: usize) -> Result<(), ParquetError> {
        let physical = self.column.physical_type();
        let bits = [(Physical::INT32, 32), (Physical::INT64, 64)].into_iter().find(|&(of, _)| of == physical);
        match (encoding, bits) {
            (Encoding::PLAIN, _) => self.plain(bytes, count),
            (Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY, _) => {
                if !self.has_dictionary {
                    return Err(damage("a dictionary is missing"));
                }
                let (&width, indices) = bytes.split_first().ok_or_else(fewer)?;
                fits(indices, width, count).filter(|()| width <= INDEX).ok_or_else(fewer)
            }
            (Encoding::DELTA_BINARY_PACKED, Some((_, bits))) => deltas(bytes, bits, count).ok_or_else(fewer),
            (Encoding::DELTA_LENGTH_BYTE_ARRAY, _) if physical == Physical::BYTE_ARRAY => {
                delta_texts(bytes, count).ok_or_else(fewer)
            }
            (other, _) => Err(unknown(other)),
        }
    }

    /// Checks that there are as many values one after another.
    fn plain(&self, bytes: &[u8], count: usize) -> Result<(), ParquetError> {
        let size = match self.column.physical_type() {
            Physical::BYTE_ARRAY => return texts(bytes, count).ok_or_else(fewer),
            Physical::INT32 => 4,
            Physical::INT64 => 8,
            Physical::FIXED_LEN_BYTE_ARRAY => {
                // The library takes bytes of another number for an old way to write them.
                let size = usize::try_from(self.column.type_length()).ok().filter(|&size| size > 0);
                let needed = size.and_then(|size| size.checked_mul(count));
                return if needed == Some(bytes.len()) { Ok(()) } else { Err(fewer()) };
            }
            Physical::BOOLEAN | Physical::INT96 | Physical::FLOAT | Physical::DOUBLE => return Err(fewer()),
        };
        if bytes.len() / size >= count { Ok(()) } else { Err(fewer()) }
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let page = self.pages.get_next_page()?;
        page.iter().try_for_each(|page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool, ParquetError> {
        self.pages.at_record_boundary()
    }
}

pub(crate) fn fewer() -> ParquetError {
    damage("a page has fewer values than it says")
}

fn damage(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

/// The error for an encoding that is not checked, in words for the user.
fn unknown(encoding: Encoding) -> ParquetError {
    let what = format!(
        "it has values encoded as {encoding}, which cannot be read here: write it with PLAIN or dictionary encoding"
    );
    ParquetError::External(Box::new(io::Error::new(io::ErrorKind::InvalidData, what)))
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::collections::VecDeque;

    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;
    use crate::cells::{Cells, TableColumn};

    const TEXT: &str = "required binary c (UTF8)";
    const MAYBE: &str = "optional binary c (UTF8)";
    const NUMBER: &str = "required int64 c";
    const SMALL: &str = "required int32 c";
    const FIXED: &str = "required fixed_len_byte_array(2) c (DECIMAL(4, 2))";
    const TWO: &[u8] = b"\x01\0\0\0a\x02\0\0\0bc";

    struct Given(VecDeque<Page>);

    impl Iterator for Given {
        type Item = Result<Page, ParquetError>;

        fn next(&mut self) -> Option<Self::Item> {
            self.get_next_page().transpose()
        }
    }

    impl PageReader for Given {
        fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
            Ok(self.0.pop_front())
        }

        fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
            Ok(None)
        }

        fn skip_next_page(&mut self) -> Result<(), ParquetError> {
            Ok(())
        }
    }

    fn dictionary(buf: &'static [u8], num_values: u32) -> Page {
        Page::DictionaryPage { buf: buf.into(), num_values, encoding: Encoding::PLAIN, is_sorted: false }
    }

    fn data(buf: &[u8], num_values: u32, encoding: Encoding) -> Page {
        let (def_level_encoding, rep_level_encoding) = (Encoding::RLE, Encoding::RLE);
        let buf = Bytes::copy_from_slice(buf);
        Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None }
    }

    fn data_2(buf: &'static [u8], num_nulls: u32, levels: u32) -> Page {
        Page::DataPageV2 {
            buf: buf.into(),
            num_values: 3,
            encoding: Encoding::PLAIN,
            num_nulls,
            num_rows: 3,
            def_levels_byte_len: levels,
            rep_levels_byte_len: 0,
            is_compressed: false,
            statistics: None,
        }
    }

    /// What is said of a column of the pages, of which some values are read. The library is not guarded here.
    fn said(column: &str, pages: impl IntoIterator<Item = Page>, values: usize) -> String {
        let schema = SchemaDescriptor::new(parse_message_type(&format!("message m {{{column};}}")).unwrap().into());
        let Ok(TableColumn::Flat(mut cells)) = TableColumn::of(&schema, "c") else { unreachable!() };
        let read = |cells: &mut Cells| {
            cells.open(Box::new(Given(pages.into_iter().collect())))?;
            cells.read(values)?;
            (0..values).try_for_each(|_| cells.next().map(drop))
        };
        read(&mut cells).map_or_else(|error| error.to_string(), |()| "sound".to_owned())
    }

    #[test]
    fn a_page_has_as_many_values_as_it_says() {
        let fewer = "Parquet error: a page has fewer values than it says";
        let short: &[u8] = b"\x01\0\0\0a\x03\0\0\0bc";
        for (count, expected) in [(2, "sound"), (3, fewer), (1 << 31, fewer), (u32::MAX, fewer)] {
            let of = |column, buf| {
                said(column, [dictionary(buf, count), data(b"\x01\x03\x02", 2, Encoding::RLE_DICTIONARY)], 2)
            };
            assert_eq!(of(TEXT, TWO), expected);
            assert_eq!(of(SMALL, &[0; 8]), expected);
            assert_eq!(of(NUMBER, &[0; 16]), expected);
            assert_eq!(of(FIXED, &[0; 4]), expected);
            for (column, buf) in [(TEXT, TWO), (SMALL, &[0; 8]), (NUMBER, &[0; 16]), (FIXED, &[0; 4])] {
                assert_eq!(said(column, [data(buf, count, Encoding::PLAIN)], 2), expected, "{column}");
            }
            assert_eq!(
                said(TEXT, [dictionary(TWO, 2), data(b"\x01\x03\x02", count.max(9), Encoding::RLE_DICTIONARY)], 2),
                fewer
            );
        }
        assert_eq!(said(TEXT, [data(short, 2, Encoding::PLAIN)], 2), fewer);
        assert_eq!(
            said(TEXT, [data(b"\x01\x03\x02", 2, Encoding::RLE_DICTIONARY)], 2),
            "Parquet error: a dictionary is missing"
        );
        let endless = [&[1][..], &[0x80; 12]].concat();
        assert_eq!(said(TEXT, [dictionary(TWO, 2), data(&endless, 2, Encoding::RLE_DICTIONARY)], 2), fewer);
    }

    #[test]
    fn levels_are_within_their_page_and_as_many_as_it_says() {
        let levels = [&[2, 0, 0, 0, 3, 0b101][..], TWO].concat();
        assert_eq!(said(MAYBE, [data(&levels, 3, Encoding::PLAIN)], 3), "sound");
        assert_eq!(said(MAYBE, [data(&levels, 9, Encoding::PLAIN)], 9), fewer().to_string());
        let long = [&[200, 0, 0, 0, 3, 0b101][..], TWO].concat();
        assert_eq!(said(MAYBE, [data(&long, 3, Encoding::PLAIN)], 3), fewer().to_string());
        let more = [&[2, 0, 0, 0, 3, 0b111][..], TWO].concat();
        assert_eq!(said(MAYBE, [data(&more, 3, Encoding::PLAIN)], 3), fewer().to_string());
        let second = b"\x03\x05\x01\0\0\0a\x02\0\0\0bc";
        assert_eq!(said(MAYBE, [data_2(second, 1, 2)], 3), "sound");
        assert_eq!(said(MAYBE, [data_2(second, 1, 200)], 3), fewer().to_string());
        assert!(said(MAYBE, [data_2(second, 2, 2)], 3).contains("another number of nulls"));
        let Page::DataPage { buf, num_values, encoding, rep_level_encoding, .. } = data(&levels, 3, Encoding::PLAIN)
        else {
            unreachable!()
        };
        #[expect(deprecated, reason = "files may have it all the same")]
        let def_level_encoding = Encoding::BIT_PACKED;
        let page =
            Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics: None };
        assert!(said(MAYBE, [page], 3).contains("encoded as BIT_PACKED, which cannot be read here"));
    }

    #[test]
    fn differences_are_as_many_as_the_page_says_and_other_encodings_are_named() {
        let of = |bytes: &[u8]| said(NUMBER, [data(bytes, 3, Encoding::DELTA_BINARY_PACKED)], 3);
        let sound = [0x80, 1, 4, 3, 2, 2, 1, 0, 0, 0, 0b10, 0, 0, 0];
        assert_eq!(of(&sound), "sound");
        // Another number of values, no blocks, no parts, values that are cut, widths that are, and a number that is too long.
        for (at, byte) in [(3, 0), (3, 4), (1, 0), (2, 0), (6, 33), (6, 65)] {
            let mut bytes = sound;
            bytes[at] = byte;
            assert_eq!(of(&bytes), fewer().to_string(), "{at}");
        }
        assert_eq!(of(&sound[..8]), fewer().to_string());
        assert_eq!(of(&[&sound[..5], &[0x80; 12]].concat()), fewer().to_string());
        let of = |bytes: &[u8], count| said(TEXT, [data(bytes, count, Encoding::DELTA_LENGTH_BYTE_ARRAY)], 3);
        // The lengths 1, 2 and 4, then the texts.
        let texts = [&sound[..], b"abbcccc"].concat();
        assert_eq!(of(&texts, 3), "sound");
        assert_eq!(of(&texts[..20], 3), fewer().to_string());
        assert_eq!(of(&texts[..12], 3), fewer().to_string());
        assert_eq!(of(&texts, 4), fewer().to_string());
        assert_eq!(of(&texts, u32::MAX), "Parquet error: a page has too many places");
        let negative = [&[0x80, 1, 4, 3, 2, 5, 0, 0, 0, 0][..], b"abbcccc"].concat();
        assert_eq!(of(&negative, 3), fewer().to_string());
        for encoding in [Encoding::DELTA_BYTE_ARRAY, Encoding::DELTA_BINARY_PACKED] {
            let said = said(TEXT, [data(&sound, 3, encoding)], 3);
            assert!(said.contains(&format!("encoded as {encoding}, which cannot be read here")), "{said}");
        }
    }
}
