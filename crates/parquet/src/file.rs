//! Writing a Parquet file: the encoding of its columns, and its errors.

use std::io;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::SchemaRef;
use nandseq_output::new_file::NewFile;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::columns;

/// The number of rows of a row group. A row group is kept in memory, encoded, until it is complete.
const ROW_GROUP: usize = 128 * 1024;
/// The number of bytes of a page, before compression.
const PAGE: usize = 256 * 1024;

/// Writes the next rows.
pub(crate) fn write_batch(
    writer: &mut ArrowWriter<NewFile>,
    schema: &SchemaRef,
    columns: Vec<ArrayRef>,
) -> io::Result<()> {
    let batch = RecordBatch::try_new(SchemaRef::clone(schema), columns).map_err(io::Error::other)?;
    writer.write(&batch).map_err(into_io)
}

/// Starts a file. Names are stored through dictionaries, integers and decimals as packed differences.
pub(crate) fn writer(file: NewFile, schema: &SchemaRef) -> io::Result<ArrowWriter<NewFile>> {
    let level = ZstdLevel::try_new(1).map_err(into_io)?;
    let mut properties = WriterProperties::builder()
        // The default would be the version of the library. Equal rows give equal bytes, whatever the version.
        .set_created_by("nandseqgen".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_max_row_group_row_count(Some(ROW_GROUP))
        .set_data_page_size_limit(PAGE);
    for path in columns::paths(schema.fields(), columns::is_name) {
        // Most names occur in every row group, so the first and the last name of a group help no reader. Finding them takes a
        // comparison of strings for each row.
        properties = properties.set_column_statistics_enabled(ColumnPath::new(path), EnabledStatistics::None);
    }
    for path in columns::paths(schema.fields(), columns::is_number) {
        let path = ColumnPath::new(path);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    // With Arrow's own schema in the file, readers would take our array types for the types of the data.
    let options = ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(file, SchemaRef::clone(schema), options).map_err(into_io)
}

/// The error of the file system inside a Parquet error, if there is one, so that a full disk is recognized.
pub(crate) fn into_io(error: ParquetError) -> io::Error {
    let ParquetError::External(inner) = error else { return io::Error::other(error) };
    match inner.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(inner) => io::Error::other(inner),
    }
}
