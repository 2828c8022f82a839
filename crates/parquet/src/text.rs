//! Reading tables from Parquet as the lines that the same tables have in CSV.
//!
//! Readers of lines see the same rows, order and columns, whatever form a run was written in. Columns are found by their names.
//! They may have the types that [`ACCEPTED`] names, as other tools write them. A file with other types (unsigned or smaller
//! integers, floating point, large strings) is refused, and so is a text with a line break, which a line cannot hold. A few
//! thousand rows are in memory at a time. Leaves out the meaning of the fields: a null becomes an empty field, which the reader
//! of lines judges.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::Path;

use bytes::Bytes;
use nandseq_input::Source;
use nandseq_input::archive::{self, Pieces, ReadPieces};
use nandseq_input::field_text::{ExpectingOps, put_decimal, put_json, put_text};
use nandseq_input::form::Form;
use nandseq_input::source::{columns_of, lines};
use nandseq_profile::Profile;
use nandseq_profile::model::PayloadField;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::pack::{INDEX_KEY, split};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, FileReader as _, Length, SerializedFileReader};

use crate::cells::{Cell, Cells, TableColumn};
use crate::failure::{guarded, into_io};
use crate::footer;

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
    expecting: ExpectingOps,
}

impl ParquetFiles {
    fn new(profile: &Profile) -> Self {
        Self { expecting: ExpectingOps::of(profile) }
    }
}

impl Source for ParquetFiles {
    fn open(&self, path: &Path) -> io::Result<Box<dyn BufRead>> {
        let columns = columns_of(path);
        let mut rows = Rows::open(path, columns, self.clone())?;
        Ok(lines(columns, move |text| rows.advance(text)))
    }
}

/// All of a file.
struct Whole(Pieces);

impl Length for Whole {
    fn len(&self) -> u64 {
        self.0.bytes()
    }
}

impl ChunkReader for Whole {
    type T = BufReader<ReadPieces>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.0.read_from(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = Vec::new();
        self.0.read_from(start).take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{length} bytes at {start}")));
        }
        Ok(Bytes::from(bytes))
    }
}

/// The rows of a file.
struct Rows {
    file: SerializedFileReader<Whole>,
    /// The next row group, and the number of rows of the present one that were not read.
    group: usize,
    left: usize,
    names: &'static [&'static str],
    columns: Vec<TableColumn>,
    files: ParquetFiles,
    /// The number of rows that became lines so far.
    read: u64,
}

impl Rows {
    fn open(path: &Path, names: &'static [&'static str], files: ParquetFiles) -> io::Result<Self> {
        let file = Whole(archive::open_pieces(path)?);
        footer::check(&file).map_err(damaged)?;
        let file = guarded(|| SerializedFileReader::new(file)).map_err(damaged)?;
        if !is_sound(file.metadata()) {
            return Err(damaged(ParquetError::General("a place is before the file".to_owned())));
        }
        let about = file.metadata().file_metadata();
        let is_pack = about.key_value_metadata().is_some_and(|all| all.iter().any(|entry| entry.key == INDEX_KEY));
        if is_pack && split(path).is_none() {
            let what = "it is a pack of runs, which are found where it was written: in the folder `pack=<first run>` of its site";
            return Err(invalid(what.to_owned()));
        }
        let schema = about.schema_descr();
        let there = schema.root_schema().get_fields();
        if let Some(missing) = names.iter().find(|&name| there.iter().all(|column| column.name() != *name)) {
            return Err(invalid(format!("it has no column '{missing}'; the table's are {}", names.join(","))));
        }
        let column = |name: &&str| TableColumn::of(schema, name).map_err(|found| unfit(name, &found));
        let columns = names.iter().map(column).collect::<io::Result<Vec<_>>>()?;
        can_be_unpacked(file.metadata(), &columns)?;
        Ok(Self { file, group: 0, left: 0, names, columns, files, read: 0 })
    }

    /// Appends the lines of the next rows, if there are any.
    fn advance(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        while self.left == 0 {
            if self.group == self.file.num_row_groups() {
                return Ok(());
            }
            guarded(|| self.open_group()).map_err(damaged)?;
        }
        let rows = self.left.min(BATCH);
        self.left -= rows;
        for cells in self.columns.iter_mut().flat_map(TableColumn::cells_mut) {
            guarded(|| cells.read(rows)).map_err(damaged)?;
        }
        for _ in 0..rows {
            self.read += 1;
            self.line(text)?;
        }
        Ok(())
    }

    /// Goes on with the next row group.
    fn open_group(&mut self) -> Result<(), ParquetError> {
        let group = self.file.get_row_group(self.group)?;
        for cells in self.columns.iter_mut().flat_map(TableColumn::cells_mut) {
            cells.open(group.get_column_page_reader(cells.leaf)?)?;
        }
        self.left =
            usize::try_from(group.metadata().num_rows()).map_err(|error| ParquetError::General(error.to_string()))?;
        self.group += 1;
        Ok(())
    }

    /// Appends the line of the next row.
    fn line(&mut self, text: &mut Vec<u8>) -> io::Result<()> {
        let mut expects = false;
        for (at, (column, name)) in self.columns.iter_mut().zip(self.names).enumerate() {
            if at > 0 {
                text.push(b',');
            }
            let put = match column {
                TableColumn::Flat(cells) => match cells.next().map_err(damaged)? {
                    None => Ok(()),
                    Some(cell) => {
                        if let (Cell::Text(op), "op_name") = (cell, *name) {
                            expects = self.files.expecting.has(op);
                        }
                        put(cell, text)
                    }
                },
                TableColumn::Payload(fields) => put_payload(fields, expects, text),
            };
            put.map_err(|error| invalid(format!("row {}, column '{name}': {error}", self.read)))?;
        }
        text.push(b'\n');
        Ok(())
    }
}

/// Appends a value as a field of a line.
fn put(cell: Cell<'_>, line: &mut Vec<u8>) -> io::Result<()> {
    match cell {
        Cell::Text(text) => put_text(text, line)?,
        Cell::Number(number) => line.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        Cell::Decimal(number, digits) => put_decimal(number, digits, line),
    }
    Ok(())
}

/// Appends the list of structs at the next place of all fields as a quoted field of a line. `expects` tells whether the payload of the
/// operation has an expected status.
fn put_payload(fields: &mut [Cells], expects: bool, line: &mut Vec<u8>) -> io::Result<()> {
    // A list within a struct says nothing of the list of structs.
    let list = fields.iter().find(|field| !field.is_nested()).and_then(Cells::list);
    if list != Some(true) {
        // A list without a struct has a place all the same.
        fields.iter_mut().try_for_each(|field| field.next().map(drop)).map_err(damaged)?;
        line.extend_from_slice(if list.is_some() { b"\"[]\"" } else { b"" });
        return Ok(());
    }
    line.extend_from_slice(b"\"[");
    loop {
        put_object(fields, expects, line)?;
        if !fields.iter().any(Cells::goes_on) {
            break;
        }
        line.push(b',');
    }
    line.extend_from_slice(b"]\"");
    Ok(())
}

/// Appends a struct as a JSON object in a quoted field. Nulls are left out, except the null of an expected status if `expects`.
fn put_object(fields: &mut [Cells], expects: bool, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'{');
    let mut first = true;
    for field in fields {
        let is_said = field.is_there() || expects && field.name == PayloadField::ExpectedStatus.name();
        if !is_said {
            field.next().map_err(damaged)?;
            continue;
        }
        if !first {
            line.push(b',');
        }
        first = false;
        put_json(&field.name, line)?;
        line.push(b':');
        if field.is_nested() && field.is_there() {
            put_list(field, line)?;
            continue;
        }
        match field.next().map_err(damaged)? {
            Some(Cell::Text(text)) => put_json(text, line)?,
            Some(cell) => put(cell, line)?,
            None => line.extend_from_slice(b"null"),
        }
    }
    line.push(b'}');
    Ok(())
}

/// Appends the list within a struct at the next place.
fn put_list(field: &mut Cells, line: &mut Vec<u8>) -> io::Result<()> {
    line.push(b'[');
    let mut holds = field.list() == Some(true);
    if !holds {
        // A list without items has a place all the same.
        field.next().map_err(damaged)?;
    }
    while holds {
        match field.next().map_err(damaged)? {
            Some(Cell::Text(text)) => put_json(text, line)?,
            Some(cell) => put(cell, line)?,
            None => line.extend_from_slice(b"null"),
        }
        holds = field.nested_goes_on();
        if holds {
            line.push(b',');
        }
    }
    line.push(b']');
    Ok(())
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn unfit(name: &str, found: &str) -> io::Error {
    invalid(format!(
        "column '{name}' is of type {found}; types that can be read are {ACCEPTED}: cast it in the tool that wrote the file"
    ))
}

/// Whether no place or length that the footer tells is negative, at which the library would panic.
fn is_sound(metadata: &ParquetMetaData) -> bool {
    metadata.row_groups().iter().flat_map(RowGroupMetaData::columns).all(|column| {
        let places = [Some(column.data_page_offset()), column.dictionary_page_offset(), Some(column.compressed_size())];
        places.into_iter().flatten().all(|place| place >= 0)
    })
}

/// Checks that the columns that are read are compressed in a way that this program can undo.
fn can_be_unpacked(metadata: &ParquetMetaData, wanted: &[TableColumn]) -> io::Result<()> {
    let wanted: Vec<usize> = wanted.iter().flat_map(TableColumn::cells).map(|cells| cells.leaf).collect();
    let columns = metadata.row_groups().iter().flat_map(|group| group.columns().iter().enumerate());
    for (_, column) in columns.filter(|(at, _)| wanted.contains(at)) {
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
    if matches!(error.kind(), io::ErrorKind::Other | io::ErrorKind::UnexpectedEof) {
        return invalid("it is not a Parquet file, or it was cut or damaged".to_owned());
    }
    error
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs::File;
    use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

    use nandseq_trace::table::TableKind;
    use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    const TABLE: TableKind = TableKind::AddressTouchCount;

    type Group<'g> = SerializedRowGroupWriter<'g, Vec<u8>>;

    /// A file with two rows of a table. `block` writes the values of that column.
    fn file(of_block: &str, block: fn(&mut Group<'_>)) -> Vec<u8> {
        let of = |name: &&str| match *name {
            "op_base" => "required binary op_base (UTF8);".to_owned(),
            "block" => format!("required {of_block};"),
            other => format!("required int64 {other};"),
        };
        let columns: Vec<String> = TABLE.columns().iter().map(of).collect();
        let schema = parse_message_type(&format!("message touches {{{}}}", columns.join(" "))).unwrap();
        let mut writer = SerializedFileWriter::new(Vec::new(), schema.into(), Default::default()).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for name in TABLE.columns() {
            match *name {
                "op_base" => values::<ByteArrayType>(&mut group, &["PROGRAM", "RE\nAD"].map(ByteArray::from)),
                "block" => block(&mut group),
                _ => values::<Int64Type>(&mut group, &[1, 2]),
            }
        }
        group.close().unwrap();
        writer.into_inner().unwrap()
    }

    /// Writes the next column.
    fn values<T: DataType>(group: &mut Group<'_>, values: &[T::T]) {
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(values, None, None).unwrap();
        column.close().unwrap();
    }

    /// What is said of a file.
    fn said(bytes: &[u8]) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{}.parquet", TABLE.name()));
        std::fs::write(&path, bytes).unwrap();
        let lines = ParquetFiles { expecting: ExpectingOps::default() }.open(&path);
        lines.and_then(|mut lines| lines.read_to_string(&mut String::new())).unwrap_err().to_string()
    }

    #[test]
    fn a_line_break_in_a_name_is_refused_with_its_row_and_a_type_with_those_that_can_be_read() {
        let broken = said(&file("int32 block", |group| values::<Int32Type>(group, &[1, 2])));
        assert!(broken.starts_with("row 2, column 'op_base': \"RE\\nAD\" contains a line break"), "{broken}");
        let unfit = said(&file("int64 block (UINT_64)", |group| values::<Int64Type>(group, &[1, 2])));
        assert!(
            unfit.starts_with("column 'block' is of type UINT_64; types that can be read are string, 32- or"),
            "{unfit}"
        );
    }

    #[test]
    fn a_compression_that_cannot_be_undone_is_named_with_what_to_do() {
        let bytes = file("int64 block", |group| values::<Int64Type>(group, &[1, 2]));
        // The footer has the number of the codec, zigzag, after the name of the column: no codec writes itself here.
        let at = bytes.windows(8).rposition(|part| part == b"block\x15\0\x16").unwrap() + 6;
        for (codec, name) in [(1, "Snappy"), (2, "gzip"), (3, "LZO"), (4, "Brotli"), (5, "LZ4"), (7, "LZ4")] {
            let mut bytes = bytes.clone();
            bytes[at] = codec * 2;
            let expected = format!("it is compressed with {name}, which cannot be read here: write it with ZSTD or ");
            assert!(said(&bytes).starts_with(&expected), "{}", said(&bytes));
        }
    }

    #[test]
    fn a_damaged_file_is_an_error_or_another_file_but_no_panic() {
        let sound = file("int64 block", |group| values::<Int64Type>(group, &[1, 2]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(format!("{}.parquet", TABLE.name()));
        std::fs::write(&path, &sound).unwrap();
        let mut damaged = File::options().write(true).open(&path).unwrap();
        let mut put = |at: usize, byte: u8| {
            damaged.seek(SeekFrom::Start(at as u64)).unwrap();
            damaged.write_all(&[byte]).unwrap();
        };
        for (at, bit) in (0..sound.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            put(at, sound[at] ^ 1 << bit);
            let lines = ParquetFiles { expecting: ExpectingOps::default() }.open(&path);
            let _ = lines.and_then(|mut lines| lines.read_to_end(&mut Vec::new()));
            put(at, sound[at]);
        }
        for at in (0..sound.len()).step_by(50) {
            std::fs::write(&path, &sound[..at]).unwrap();
            assert!(ParquetFiles { expecting: ExpectingOps::default() }.open(&path).is_err(), "cut at {at}");
        }
    }
}
