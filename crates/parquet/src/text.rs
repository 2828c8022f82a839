//! Reading tables from Parquet as the lines that the same tables have in CSV.
//!
//! Readers of lines see the same rows, order and columns, whatever form a run was written in. Columns are found by their names.
//! They may have the types that [`ACCEPTED`] names, as other tools write them. A file with other types (unsigned or smaller
//! integers, floating point, large strings) is refused, and so is a text with a line break, which a line cannot hold. A few
//! thousand rows are in memory at a time. Leaves out the meaning of the fields: a null becomes an empty field, which the reader
//! of lines judges.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::path::Path;

use arrow_array::{
    Array, ArrayRef, Decimal32Array, Decimal64Array, Decimal128Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, StructArray,
};
use nandseq_input::Source;
use nandseq_input::form::Form;
use nandseq_input::source::{columns_of, lines};
use nandseq_profile::Profile;
use nandseq_profile::model::PayloadField;
use nandseq_trace::csv_field;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::manifest;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use crate::file::into_io;

/// The types that columns may have, in words that users of such files know.
const ACCEPTED: &str = "string, 32- or 64-bit signed integer, decimal, or list of structs of these";

/// The number of rows that become lines at once.
const BATCH: usize = 4096;

/// Parquet, with a folder for each run.
pub const PARQUET: Form =
    Form { table: FileForm::PARQUET, source: Some(|profile| Box::new(ParquetFiles::new(profile))) };

/// The source for tables in Parquet.
#[derive(Clone, Debug)]
struct ParquetFiles {
    /// For each op name, whether its payload has the field of the expected status. A null in that field is then part of the
    /// payload.
    expecting: HashMap<String, bool>,
}

impl ParquetFiles {
    fn new(profile: &Profile) -> Self {
        let expects = |base| profile.bases[base].payload.contains(&PayloadField::ExpectedStatus);
        Self { expecting: profile.ops.iter().map(|op| (op.name.clone(), expects(op.base))).collect() }
    }
}

impl Source for ParquetFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let columns = columns_of(path);
        let mut rows = Rows::open(path, columns, self.clone())?;
        Ok(lines(columns, move |text| rows.advance(text)))
    }
}

/// The rows of a file.
struct Rows {
    batches: ParquetRecordBatchReader,
    columns: &'static [&'static str],
    files: ParquetFiles,
    /// The number of rows that became lines so far.
    read: u64,
}

impl Rows {
    fn open(path: &Path, columns: &'static [&'static str], files: ParquetFiles) -> io::Result<Self> {
        // Arrow's own schema in the file would choose the array types. Without it they follow from the Parquet types.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(manifest::open(path)?, options);
        let builder = builder.map_err(damaged)?;
        let there = builder.schema();
        if let Some(missing) = columns.iter().find(|column| there.index_of(column).is_err()) {
            return Err(invalid(format!("it has no column '{missing}'; the table's are {}", columns.join(","))));
        }
        let wanted = columns.iter().filter_map(|column| there.index_of(column).ok());
        let mask = ProjectionMask::roots(builder.parquet_schema(), wanted);
        can_be_unpacked(builder.metadata(), &mask)?;
        let batches = builder.with_projection(mask).with_batch_size(BATCH).build().map_err(damaged)?;
        Ok(Self { batches, columns, files, read: 0 })
    }

    /// Appends the lines of the next rows, if there are any.
    fn advance(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let Some(batch) = self.batches.find(|batch| batch.as_ref().map_or(true, |batch| batch.num_rows() > 0)) else {
            return Ok(());
        };
        let batch = batch.map_err(|error| damaged(ParquetError::External(Box::new(error))))?;
        let columns: Vec<Cells<'_>> =
            self.columns.iter().map(|name| Cells::of(&batch, name)).collect::<io::Result<_>>()?;
        let names = self.columns.iter().position(|name| *name == "op_name");
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    text.push(b',');
                }
                let name = names.and_then(|at| columns[at].text(row));
                let expects = || name.and_then(|name| self.files.expecting.get(name)).copied().unwrap_or(false);
                column.put(row, &expects, text).map_err(|error| {
                    invalid(format!("row {}, column '{}': {error}", self.read + row as u64 + 1, self.columns[at]))
                })?;
            }
            text.push(b'\n');
        }
        self.read += batch.num_rows() as u64;
        Ok(())
    }
}

/// A column of some rows.
enum Cells<'a> {
    Text(&'a StringArray),
    Small(&'a Int32Array),
    Large(&'a Int64Array),
    /// The numbers, with the number of their decimals.
    Decimal32(&'a Decimal32Array, usize),
    Decimal64(&'a Decimal64Array, usize),
    Decimal128(&'a Decimal128Array, usize),
    /// The lists of structs, and the fields of all structs with their names.
    Payload(&'a ListArray, Vec<(String, Cells<'a>)>),
}

impl<'a> Cells<'a> {
    /// A column of a batch by its name.
    fn of(batch: &'a RecordBatch, name: &str) -> io::Result<Self> {
        let array = batch.column_by_name(name).ok_or_else(|| invalid(format!("it has no column '{name}'")))?;
        Self::new(array, name)
    }

    fn new(array: &'a ArrayRef, name: &str) -> io::Result<Self> {
        let any = array.as_any();
        let digits = |scale: i8| usize::try_from(scale).map_err(|_| unfit(name, array));
        if let Some(texts) = any.downcast_ref() {
            return Ok(Self::Text(texts));
        }
        if let Some(numbers) = any.downcast_ref() {
            return Ok(Self::Small(numbers));
        }
        if let Some(numbers) = any.downcast_ref() {
            return Ok(Self::Large(numbers));
        }
        if let Some(numbers) = any.downcast_ref::<Decimal32Array>() {
            return Ok(Self::Decimal32(numbers, digits(numbers.scale())?));
        }
        if let Some(numbers) = any.downcast_ref::<Decimal64Array>() {
            return Ok(Self::Decimal64(numbers, digits(numbers.scale())?));
        }
        if let Some(numbers) = any.downcast_ref::<Decimal128Array>() {
            return Ok(Self::Decimal128(numbers, digits(numbers.scale())?));
        }
        let list = any.downcast_ref::<ListArray>();
        let structs = list.and_then(|list| list.values().as_any().downcast_ref::<StructArray>());
        let (Some(list), Some(structs)) = (list, structs) else { return Err(unfit(name, array)) };
        let fields = structs.fields().iter().zip(structs.columns());
        let cells = |(field, array)| Ok((field, Self::new(array, name)?));
        let named = fields.map(cells).map(|pair: io::Result<(&arrow_schema::FieldRef, Self)>| {
            let (field, cells) = pair?;
            if matches!(cells, Self::Payload(..)) { Err(unfit(name, array)) } else { Ok((field.name().clone(), cells)) }
        });
        Ok(Self::Payload(list, named.collect::<io::Result<_>>()?))
    }

    /// The text in a row; `None` for null, and if the column does not have texts.
    fn text(&self, row: usize) -> Option<&'a str> {
        if let Self::Text(texts) = self { texts.is_valid(row).then(|| texts.value(row)) } else { None }
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(texts) => texts.is_null(row),
            Self::Small(numbers) => numbers.is_null(row),
            Self::Large(numbers) => numbers.is_null(row),
            Self::Decimal32(numbers, _) => numbers.is_null(row),
            Self::Decimal64(numbers, _) => numbers.is_null(row),
            Self::Decimal128(numbers, _) => numbers.is_null(row),
            Self::Payload(list, _) => list.is_null(row),
        }
    }

    /// Appends the value in a row as a field of a line. `expects` tells whether the payload of the operation has an expected
    /// status.
    fn put(&self, row: usize, expects: &dyn Fn() -> bool, line: &mut Vec<u8>) -> io::Result<()> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Self::Text(texts) => put_text(texts.value(row), line)?,
            Self::Small(numbers) => write!(line, "{}", numbers.value(row))?,
            Self::Large(numbers) => write!(line, "{}", numbers.value(row))?,
            Self::Decimal32(numbers, digits) => put_decimal(numbers.value(row).into(), *digits, line)?,
            Self::Decimal64(numbers, digits) => put_decimal(numbers.value(row).into(), *digits, line)?,
            Self::Decimal128(numbers, digits) => put_decimal(numbers.value(row), *digits, line)?,
            Self::Payload(list, fields) => {
                let offsets = list.value_offsets();
                let range = (offsets.get(row), offsets.get(row + 1));
                let (Some(&first), Some(&end)) = range else { return Ok(()) };
                line.extend_from_slice(b"\"[");
                for at in first..end {
                    if at > first {
                        line.push(b',');
                    }
                    // Offsets of a valid list are not negative.
                    put_object(fields, at as usize, expects(), line)?;
                }
                line.extend_from_slice(b"]\"");
            }
        }
        Ok(())
    }
}

/// Appends a struct as a JSON object in a quoted field. Nulls are left out, except the null of an expected status if `expects`.
fn put_object(fields: &[(String, Cells<'_>)], at: usize, expects: bool, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'{');
    let mut first = true;
    for (name, cells) in fields {
        let nothing = cells.is_null(at);
        if nothing && !(expects && name == PayloadField::ExpectedStatus.name()) {
            continue;
        }
        if !first {
            line.push(b',');
        }
        first = false;
        put_json(name, line)?;
        line.push(b':');
        match cells.text(at) {
            Some(text) => put_json(text, line)?,
            None if nothing => line.extend_from_slice(b"null"),
            None => cells.put(at, &|| false, line)?,
        }
    }
    line.push(b'}');
    Ok(())
}

/// Appends a JSON string in a quoted field. Characters are escaped as in JSON, and quotes are doubled because the field is
/// quoted.
fn put_json(text: &str, line: &mut Vec<u8>) -> io::Result<()> {
    line.extend_from_slice(b"\"\"");
    for byte in text.bytes() {
        match byte {
            b'"' => line.extend_from_slice(b"\\\"\""),
            b'\\' => line.extend_from_slice(b"\\\\"),
            0..=31 => write!(line, "\\u{byte:04x}")?,
            other => line.push(other),
        }
    }
    line.extend_from_slice(b"\"\"");
    Ok(())
}

/// Appends a text as a field, quoted if necessary. A line break is refused, because a row of these tables is one line.
fn put_text(text: &str, line: &mut Vec<u8>) -> io::Result<()> {
    if text.contains(['\n', '\r']) {
        return Err(invalid(format!("{text:?} contains a line break, which no name of these tables does")));
    }
    line.extend_from_slice(csv_field(text).as_bytes());
    Ok(())
}

/// Appends an exact decimal with at least one digit after the point.
fn put_decimal(number: i128, digits: usize, line: &mut Vec<u8>) -> io::Result<()> {
    let text = format!("{:0>width$}", number.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    let fraction = fraction.trim_end_matches('0');
    let sign = if number < 0 { "-" } else { "" };
    write!(line, "{sign}{whole}.{}", if fraction.is_empty() { "0" } else { fraction })
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn unfit(name: &str, array: &ArrayRef) -> io::Error {
    let found = array.data_type();
    invalid(format!(
        "column '{name}' is of type {found}; types that can be read are {ACCEPTED}: cast it in the tool that wrote the file"
    ))
}

/// Checks that the columns that are read are compressed in a way that this program can undo.
fn can_be_unpacked(metadata: &ParquetMetaData, wanted: &ProjectionMask) -> io::Result<()> {
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns().iter().enumerate());
    for (_, column) in columns.filter(|(at, _)| wanted.leaf_included(*at)) {
        let name = match column.compression() {
            Compression::UNCOMPRESSED | Compression::ZSTD(_) => continue,
            Compression::SNAPPY => "Snappy",
            Compression::GZIP(_) => "gzip",
            Compression::LZO => "LZO",
            Compression::BROTLI(_) => "Brotli",
            Compression::LZ4 | Compression::LZ4_RAW => "LZ4",
        };
        return Err(invalid(format!(
            "it is compressed with {name}, which cannot be read here: write it with ZSTD or uncompressed; in DuckDB \
             (format parquet, compression zstd)"
        )));
    }
    Ok(())
}

/// The error for a file that is not Parquet, is damaged, or uses a feature that cannot be read. The library's own messages mean
/// nothing to a user.
fn damaged(error: ParquetError) -> io::Error {
    if let ParquetError::NYI(_) = &error {
        return invalid(
            "it uses a feature of Parquet that cannot be read here: write it anew, with common encodings".to_owned(),
        );
    }
    let error = into_io(error);
    if error.kind() == io::ErrorKind::Other {
        return invalid("it is not a Parquet file, or it was cut or damaged".to_owned());
    }
    error
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs::File;
    use std::io::Read as _;
    use std::sync::Arc;

    use arrow_array::UInt64Array;
    use nandseq_trace::table::TableKind;
    use parquet::arrow::ArrowWriter;

    use super::*;

    #[test]
    fn decimals_are_exact_with_at_least_one_digit_after_the_point() {
        let text = |number, digits| {
            let mut line = Vec::new();
            put_decimal(number, digits, &mut line).unwrap();
            String::from_utf8(line).unwrap()
        };
        let texts = [(0, 6), (1, 6), (500_000_000, 6), (7_500_085_000, 6), (37, 2), (100, 2), (12, 0), (-1, 6)];
        let texts = texts.map(|(number, digits)| text(number, digits));
        assert_eq!(texts, ["0.0", "0.000001", "500.0", "7500.085", "0.37", "1.0", "12.0", "-0.000001"]);
        assert_eq!(text(i128::MIN, 38), "-1.70141183460469231731687303715884105728");
    }

    #[test]
    fn no_text_of_a_file_becomes_another_one_or_ends_its_field() {
        let mut line = Vec::new();
        put_text("a,\"b\"", &mut line).unwrap();
        assert_eq!(line, b"\"a,\"\"b\"\"\"");
        for broken in ["a\nb", "a\r", "\n"] {
            let error = put_text(broken, &mut Vec::new()).unwrap_err().to_string();
            assert!(error.contains("contains a line break"), "{error}");
        }
        line.clear();
        put_json("x\",\n\\y", &mut line).unwrap();
        assert_eq!(line, b"\"\"x\\\"\",\\u000a\\\\y\"\"");
    }

    #[test]
    fn a_line_break_in_a_name_is_refused_with_its_row_and_a_type_with_those_that_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("address_touch_count.parquet");
        let said = |block: ArrayRef| {
            let names: ArrayRef = Arc::new(StringArray::from(vec!["PROGRAM", "RE\nAD"]));
            let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
            let columns = TableKind::AddressTouchCount.columns().iter().map(|&name| match name {
                "op_base" => (name, Arc::clone(&names)),
                "block" => (name, Arc::clone(&block)),
                _ => (name, Arc::clone(&numbers)),
            });
            let batch = RecordBatch::try_from_iter(columns).unwrap();
            let mut writer = ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
            writer.write(&batch).unwrap();
            writer.close().unwrap();
            let mut lines = ParquetFiles { expecting: HashMap::new() }.open(&path).unwrap();
            lines.read_to_string(&mut String::new()).unwrap_err().to_string()
        };
        let broken = said(Arc::new(Int32Array::from(vec![1, 2])));
        assert!(broken.starts_with("row 2, column 'op_base': \"RE\\nAD\" contains a line break"), "{broken}");
        let unfit = said(Arc::new(UInt64Array::from(vec![1, 2])));
        assert!(
            unfit.starts_with("column 'block' is of type UInt64; types that can be read are string, 32- or"),
            "{unfit}"
        );
    }

    #[test]
    fn a_compression_that_cannot_be_undone_is_named_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("address_touch_count.parquet");
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let names: ArrayRef = Arc::new(StringArray::from(vec!["PROGRAM", "READ"]));
        let columns = TableKind::AddressTouchCount
            .columns()
            .iter()
            .map(|&name| (name, Arc::clone(if name == "op_base" { &names } else { &numbers })));
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        let bytes = writer.into_inner().unwrap();
        // The footer has the number of the codec, zigzag, after the name of the column: no codec writes itself here.
        let at = bytes.windows(8).rposition(|part| part == b"block\x15\0\x16").unwrap() + 6;
        for (codec, name) in [(1, "Snappy"), (2, "gzip"), (3, "LZO"), (4, "Brotli"), (5, "LZ4"), (7, "LZ4")] {
            let mut bytes = bytes.clone();
            bytes[at] = codec * 2;
            std::fs::write(&path, bytes).unwrap();
            let said = ParquetFiles { expecting: HashMap::new() }.open(&path).err().unwrap().to_string();
            let expected = format!("it is compressed with {name}, which cannot be read here: write it with ZSTD or ");
            assert!(said.starts_with(&expected), "{said}");
        }
    }
}
