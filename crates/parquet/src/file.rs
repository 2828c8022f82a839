//! Writing a Parquet file: its pages and row groups.

use std::{io, mem};

use nandseq_output::format::UnnamedFile;
use nandseq_output::new_file::NewFile;
use nandseq_output::row_values::ValueNames;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, TypePtr};

use crate::chunk::{Chunk, Packer};
use crate::failure::into_io;

/// The number of rows of a page. The values of a page are kept in memory.
pub(crate) const PAGE: usize = 16 * 1024;
/// The number of rows of a row group, in whole pages. A row group is kept in memory, encoded, until it is complete.
const ROW_GROUP: usize = 128 * 1024;

/// A file that is being written. Pages and row groups end after the same rows, however many rows come at a time.
pub(crate) struct ParquetFile<'t> {
    names: &'t ValueNames,
    writer: SerializedFileWriter<NewFile>,
    /// The columns of the present row group.
    pub(crate) chunks: Vec<Chunk>,
    /// The repetition levels of the lists of the present page.
    pub(crate) repetition: Vec<u16>,
    packer: Packer,
    page_rows: usize,
    group_rows: usize,
    rows: u64,
}

/// The writer of a file.
pub(crate) fn writer(file: NewFile, schema: TypePtr) -> io::Result<SerializedFileWriter<NewFile>> {
    // The default would be the version of the library. Equal rows give equal bytes, whatever the version.
    let properties = WriterProperties::builder().set_created_by("nandseqgen".to_owned()).build();
    SerializedFileWriter::new(file, schema, properties.into()).map_err(into_io)
}

/// The file of a writer, with its footer.
pub(crate) fn finished(mut writer: SerializedFileWriter<NewFile>) -> io::Result<NewFile> {
    // `into_inner` of the library makes a text of the file system's error.
    writer.finish().map_err(into_io)?;
    Ok(mem::replace(writer.inner_mut(), NewFile::counting()))
}

impl<'t> ParquetFile<'t> {
    pub(crate) fn new(file: NewFile, schema: TypePtr, names: &'t ValueNames) -> io::Result<Self> {
        let writer = writer(file, schema)?;
        let chunks = writer.schema_descr().columns().iter().map(ColumnDescPtr::clone).map(Chunk::new).collect();
        let packer = Packer::new()?;
        Ok(Self { names, writer, chunks, repetition: Vec::new(), packer, page_rows: 0, group_rows: 0, rows: 0 })
    }

    /// The names that columns refer to.
    pub(crate) const fn names(&self) -> &'t ValueNames {
        self.names
    }

    /// The number of rows that may be added before [`Self::added`] is told.
    pub(crate) const fn room(&self) -> usize {
        PAGE - self.page_rows
    }

    /// Takes note of rows whose values were added to all columns.
    pub(crate) fn added(&mut self, rows: usize) -> io::Result<()> {
        self.page_rows += rows;
        if self.page_rows == PAGE {
            self.end_page()?;
        }
        if self.group_rows == ROW_GROUP {
            self.end_group()?;
        }
        Ok(())
    }

    fn end_page(&mut self) -> io::Result<()> {
        for chunk in &mut self.chunks {
            chunk.end_page(&self.repetition, &mut self.packer)?;
        }
        self.repetition.clear();
        self.group_rows += mem::take(&mut self.page_rows);
        Ok(())
    }

    fn end_group(&mut self) -> io::Result<()> {
        let mut group = self.writer.next_row_group().map_err(into_io)?;
        for chunk in &mut self.chunks {
            chunk.close(self.names, self.group_rows as u64, &mut self.packer, &mut group)?;
        }
        group.close().map_err(into_io)?;
        self.rows += mem::take(&mut self.group_rows) as u64;
        Ok(())
    }

    /// Ends the file.
    pub(crate) fn finish(mut self) -> io::Result<UnnamedFile> {
        if self.page_rows > 0 {
            self.end_page()?;
        }
        if self.group_rows > 0 {
            self.end_group()?;
        }
        Ok(UnnamedFile { file: finished(self.writer)?, rows: self.rows })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs::File;

    use nandseq_output::model::TableModel;
    use nandseq_output::row_values::NameKind;
    use nandseq_profile::builtin;
    use parquet::column::reader::ColumnReader;
    use parquet::data_type::ByteArray;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::schema::parser::parse_message_type;

    use super::*;

    /// Numbers that need any number of bits, run on, or stay the same.
    fn number(at: u64) -> u64 {
        let mixed = (at ^ 0x5bd1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        match at / 700 % 4 {
            0 => at,
            1 => 1 << 40,
            _ => mixed >> (1 + at / 128 % 63),
        }
    }

    #[test]
    fn numbers_and_names_of_several_row_groups_are_read_back_by_the_library() {
        let rows = 2 * ROW_GROUP as u64 + 777;
        let profile = builtin::profile();
        let names = ValueNames::new(&profile, &TableModel::new(&profile));
        let schema = parse_message_type("message m { required int64 a; optional binary b (UTF8); }").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let new = NewFile::create(folder.path(), "m.parquet").unwrap();
        let mut file = ParquetFile::new(new, schema.into(), &names).unwrap();
        let count = names.of(NameKind::Op).len() as u64;
        let name = |at: u64| (!at.is_multiple_of(3)).then_some(number(at / 5) % count);
        let mut at = 0;
        while at < rows {
            let end = rows.min(at + file.room() as u64).min(at + 500);
            file.chunks[0].extend((at..end).map(number));
            let leveled = (at..end).map(|at| (u16::from(name(at).is_some()), name(at)));
            file.chunks[1].of(NameKind::Op, &names).extend_leveled(leveled);
            file.added((end - at) as usize).unwrap();
            at = end;
        }
        let UnnamedFile { file, rows: written } = file.finish().unwrap();
        file.commit().unwrap();
        assert_eq!(written, rows);
        let reader = SerializedFileReader::new(File::open(folder.path().join("m.parquet")).unwrap()).unwrap();
        assert_eq!(reader.num_row_groups(), 3);
        let (mut numbers, mut levels, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for group in 0..3 {
            let group = reader.get_row_group(group).unwrap();
            let ColumnReader::Int64ColumnReader(mut a) = group.get_column_reader(0).unwrap() else { panic!() };
            a.read_records(ROW_GROUP, None, None, &mut numbers).unwrap();
            let ColumnReader::ByteArrayColumnReader(mut b) = group.get_column_reader(1).unwrap() else { panic!() };
            b.read_records(ROW_GROUP, Some(&mut levels), None, &mut texts).unwrap();
        }
        assert!(numbers.iter().map(|&number| number as u64).eq((0..rows).map(number)));
        assert!(levels.iter().map(|&level| level == 1).eq((0..rows).map(|at| name(at).is_some())));
        let expected = (0..rows).filter_map(name).map(|name| names.of(NameKind::Op)[name as usize].as_bytes());
        assert!(texts.iter().map(ByteArray::data).eq(expected));
    }
}
