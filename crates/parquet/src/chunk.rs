//! A column of a row group that is being encoded.
//!
//! Names come as numbers of known names, so a dictionary takes an array of positions and no hashing. Names stand in a dictionary in the
//! order in which they come first. Values of a page are kept as they are until the page is full; pages are kept encoded until the row
//! group is.

use std::io;

use bytes::Bytes;
use nandseq_output::new_file::NewFile;
use nandseq_output::row_values::{NameKind, ValueNames};
use parquet::basic::{Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter as _};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use crate::columns::dictionary;
use crate::failure::into_io;
use crate::packing::{bits, differences, hybrid};

/// The level of the compression.
const LEVEL: i32 = 1;
/// The position of a name that is not in the dictionary.
const NOWHERE: u16 = u16::MAX;

/// A column of the present row group.
pub(crate) struct Chunk {
    column: ColumnDescPtr,
    values: Values,
    /// For each value of the page, or its absence, what there is of it; empty in columns in which nothing may be absent.
    levels: Vec<u16>,
    /// For each of them, which list it goes on; only in a list within a list.
    repetition: Vec<u16>,
    /// The pages that are complete.
    pages: TrackedWrite<Vec<u8>>,
    /// The number of these pages.
    count: i32,
    /// Their size without compression.
    plain_bytes: usize,
    /// The number of their values, absent ones included, and of absent ones.
    total: usize,
    absent: usize,
}

/// The values of the present page, without absent ones.
enum Values {
    Numbers(Numbers),
    Names(Names),
}

struct Numbers {
    page: Vec<i64>,
    /// The smallest and the largest number of the pages that are complete.
    range: Option<(u64, u64)>,
    /// The first number that does not fit the column.
    limit: u64,
}

struct Names {
    /// Positions in the dictionary.
    page: Vec<u16>,
    /// What the names are of; `None` before the first.
    kind: Option<NameKind>,
    /// The position of each name of that kind in the dictionary.
    places: Vec<u16>,
    /// The dictionary.
    used: Vec<u16>,
}

/// Compresses pages, and keeps its buffers for the next one.
pub(crate) struct Packer {
    zstd: Compressor<'static>,
    plain: Vec<u8>,
}

impl Packer {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { zstd: Compressor::new(LEVEL)?, plain: Vec::new() })
    }

    /// Writes the page whose bytes are in `plain`. Gives its size without compression.
    fn page(&mut self, to: &mut TrackedWrite<Vec<u8>>, page: impl FnOnce(Bytes) -> Page) -> io::Result<usize> {
        let packed = self.zstd.compress(&self.plain)?.into();
        let page = CompressedPage::new(page(packed), self.plain.len());
        Ok(SerializedPageWriter::new(to).write_page(page).map_err(into_io)?.uncompressed_size)
    }
}

impl Names {
    /// The position of a name in the dictionary, to which it is added if it is new.
    fn place(places: &mut [u16], used: &mut Vec<u16>, number: u64) -> u16 {
        let place = &mut places[number as usize];
        if *place == NOWHERE {
            *place = used.len() as u16;
            // Ids of every kind are below 16,384.
            used.push(number as u16);
        }
        *place
    }
}

impl Values {
    fn extend(&mut self, values: impl Iterator<Item = u64>) {
        match self {
            Self::Numbers(numbers) => numbers.page.extend(values.map(|value| value as i64)),
            Self::Names(Names { page, places, used, .. }) => {
                page.extend(values.map(|value| Names::place(places, used, value)));
            }
        }
    }
}

impl Chunk {
    pub(crate) fn new(column: ColumnDescPtr) -> Self {
        let values = if column.physical_type() == Type::BYTE_ARRAY {
            Values::Names(Names { page: Vec::new(), kind: None, places: Vec::new(), used: Vec::new() })
        } else {
            let limit = match (column.physical_type(), column.type_precision().max(0).unsigned_abs()) {
                (Type::INT32, 0) => 1 << 31,
                (_, 0) => 1 << 63,
                (_, digits) => 10u64.pow(digits),
            };
            Values::Numbers(Numbers { page: Vec::new(), range: None, limit })
        };
        let pages = TrackedWrite::new(Vec::new());
        let (levels, repetition) = (Vec::new(), Vec::new());
        Self { column, values, levels, repetition, pages, count: 0, plain_bytes: 0, total: 0, absent: 0 }
    }

    /// Says what the names of the column are of.
    pub(crate) fn of(&mut self, kind: NameKind, names: &ValueNames) -> &mut Self {
        if let Values::Names(column) = &mut self.values {
            column.kind = Some(kind);
            column.places.resize(names.of(kind).len(), NOWHERE);
        }
        self
    }

    /// Adds values: numbers, or the numbers of names.
    pub(crate) fn extend(&mut self, values: impl Iterator<Item = u64>) {
        self.values.extend(values);
    }

    /// Adds values that may be absent, each with its definition level.
    pub(crate) fn extend_leveled(&mut self, values: impl Iterator<Item = (u16, Option<u64>)>) {
        let Self { values: present, levels, .. } = self;
        present.extend(values.filter_map(|(level, value)| {
            levels.push(level);
            value
        }));
    }

    /// Adds a value of a list within a list, which may be absent, with its repetition and definition levels.
    pub(crate) fn push_nested(&mut self, repetition: u16, definition: u16, value: Option<u64>) {
        self.repetition.push(repetition);
        self.levels.push(definition);
        self.values.extend(value.into_iter());
    }

    /// Ends the page. `repetition` are the repetition levels of the values of lists, which a column without lists has none
    /// of, and a list within a list has its own.
    pub(crate) fn end_page(&mut self, repetition: &[u16], packer: &mut Packer) -> io::Result<()> {
        packer.plain.clear();
        let of_list = match self.column.max_rep_level() {
            0 => &[],
            1 => repetition,
            _ => &*self.repetition,
        };
        let deepest = self.column.max_def_level() as u64;
        for (levels, deepest) in [(of_list, self.column.max_rep_level() as u64), (&*self.levels, deepest)] {
            if deepest > 0 {
                put_levels(levels, bits(deepest), &mut packer.plain);
            }
        }
        let (encoding, present) = match &mut self.values {
            Values::Numbers(numbers) => (Encoding::DELTA_BINARY_PACKED, numbers.encode(&mut packer.plain)?),
            Values::Names(names) => (Encoding::RLE_DICTIONARY, names.encode(&mut packer.plain)),
        };
        let total = if deepest > 0 { self.levels.len() } else { present };
        self.plain_bytes += packer.page(&mut self.pages, |buf| Page::DataPage {
            buf,
            num_values: total as u32,
            encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })?;
        self.levels.clear();
        self.repetition.clear();
        self.count += 1;
        self.total += total;
        self.absent += total - present;
        Ok(())
    }

    /// Ends the column, which has values in `rows` rows, and begins that of the next row group.
    pub(crate) fn close(
        &mut self,
        names: &ValueNames,
        rows: u64,
        packer: &mut Packer,
        group: &mut SerializedRowGroupWriter<'_, NewFile>,
    ) -> io::Result<()> {
        let mut whole = TrackedWrite::new(Vec::new());
        let Self { column, values, pages, count, mut plain_bytes, total, absent, .. } =
            std::mem::replace(self, Self::new(ColumnDescPtr::clone(&self.column)));
        let level = ZstdLevel::try_new(LEVEL).map_err(into_io)?;
        let mut metadata =
            ColumnChunkMetaData::builder(column).set_compression(Compression::ZSTD(level)).set_num_values(total as i64);
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        match values {
            Values::Numbers(numbers) => {
                let encodings = [Encoding::RLE, Encoding::DELTA_BINARY_PACKED];
                metadata = metadata
                    .set_encodings(encodings.to_vec())
                    .set_page_encoding_stats(vec![stats(PageType::DATA_PAGE, encodings[1], count)])
                    .set_statistics(numbers.statistics(self.column.physical_type(), absent as u64));
                self.values = Values::Numbers(Numbers { range: None, ..numbers });
            }
            Values::Names(column) => {
                packer.plain.clear();
                column.kind.iter().for_each(|&kind| dictionary(names, kind, &column.used, &mut packer.plain));
                plain_bytes += packer.page(&mut whole, |buf| Page::DictionaryPage {
                    buf,
                    num_values: column.used.len() as u32,
                    encoding: Encoding::PLAIN,
                    is_sorted: false,
                })?;
                let encodings = [Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY];
                let dictionary = stats(PageType::DICTIONARY_PAGE, encodings[0], 1);
                metadata = metadata
                    .set_encodings(encodings.to_vec())
                    .set_page_encoding_stats(vec![dictionary, stats(PageType::DATA_PAGE, encodings[2], count)])
                    .set_dictionary_page_offset(Some(0));
                self.values = Values::Names(Names { kind: None, places: Vec::new(), used: Vec::new(), ..column });
            }
        }
        metadata = metadata.set_data_page_offset(whole.bytes_written() as i64);
        let mut whole = whole.into_inner().map_err(into_io)?;
        whole.extend(pages.into_inner().map_err(into_io)?);
        let metadata = metadata
            .set_total_compressed_size(whole.len() as i64)
            .set_total_uncompressed_size(plain_bytes as i64)
            .build();
        let close = ColumnCloseResult {
            bytes_written: whole.len() as u64,
            rows_written: rows,
            metadata: metadata.map_err(into_io)?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        group.append_column(&Bytes::from(whole), close).map_err(into_io)
    }
}

/// Appends the levels of a page, with the length of what they take.
fn put_levels(levels: &[u16], width: u32, bytes: &mut Vec<u8>) {
    let at = bytes.len();
    bytes.extend_from_slice(&[0; 4]);
    hybrid(levels, width, bytes);
    let length = (bytes.len() - at - 4) as u32;
    bytes[at..at + 4].copy_from_slice(&length.to_le_bytes());
}

impl Numbers {
    /// Appends the values of the page, and empties it. Gives their number.
    fn encode(&mut self, bytes: &mut Vec<u8>) -> io::Result<usize> {
        if !self.page.is_empty() {
            let values = self.page.iter().map(|&value| value as u64);
            let (least, most) = values.fold((u64::MAX, 0), |(least, most), value| (least.min(value), most.max(value)));
            if most >= self.limit {
                return Err(too_large(self.limit));
            }
            self.range = Some(self.range.map_or((least, most), |(low, high)| (low.min(least), high.max(most))));
        }
        differences(&self.page, bytes);
        let count = self.page.len();
        self.page.clear();
        Ok(count)
    }

    fn statistics(&self, of: Type, absent: u64) -> Statistics {
        let (least, most) = self.range.unzip();
        if of == Type::INT32 {
            let number = |number: Option<u64>| number.map(|number| number as i32);
            Statistics::int32(number(least), number(most), None, Some(absent), false)
        } else {
            let number = |number: Option<u64>| number.map(|number| number as i64);
            Statistics::int64(number(least), number(most), None, Some(absent), false)
        }
    }
}

impl Names {
    /// Appends the positions of the page, and empties it. Gives their number.
    fn encode(&mut self, bytes: &mut Vec<u8>) -> usize {
        let width = bits(self.used.len().saturating_sub(1) as u64);
        bytes.push(width as u8);
        hybrid(&self.page, width, bytes);
        let count = self.page.len();
        self.page.clear();
        count
    }
}

fn too_large(limit: u64) -> io::Error {
    let what = if limit == 1 << 63 {
        "a number beyond 63 bits"
    } else {
        "a time of more than 18 digits (10^12 µs, 11.5 days)"
    };
    let message = format!("{what} does not fit a Parquet column of these tables; write CSV, or fewer or shorter runs");
    io::Error::new(io::ErrorKind::InvalidData, message)
}
