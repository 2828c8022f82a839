//! The pack of a table: the row groups of the files of consecutive runs in one file, with the number of the run in a further column.
//!
//! The row groups are copied as they are, so the values of a run's own file are a part of the pack. What follows the values in that file,
//! its footer, is kept deflated behind all row groups, and [`TableIndex`] says where everything is. Who reads the file of a run puts these
//! pieces together and gets the very bytes. Other programs see one table, and no row group has rows of two runs. Leaves out how the pack gets its name.

use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use nandseq_output::format::TablePack;
use nandseq_output::new_file::{KeptBytes, NewFile};
use nandseq_output::row_values::ValueNames;
use nandseq_trace::pack::{INDEX_KEY, TableIndex, TableOfRun};
use parquet::column::writer::ColumnCloseResult;
use parquet::file::metadata::{ColumnChunkMetaData, KeyValue, RowGroupMetaData};
use parquet::file::reader::{ChunkReader, FileReader as _, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, TypePtr};

use crate::chunk::{Chunk, Packer};
use crate::columns::with_run;
use crate::failure::into_io;
use crate::file::{PAGE, finished, writer};

/// The number of bytes before the values of a file.
const MAGIC: u64 = 4;

/// A pack that is being written.
pub(crate) struct ParquetPack<'t> {
    names: &'t ValueNames,
    /// The file, until the first table tells its columns.
    file: Option<NewFile>,
    open: Option<OpenPack>,
    packer: Packer,
    index: TableIndex,
    /// The ends of the files of the runs.
    ends: DeflateEncoder<Vec<u8>>,
}

struct OpenPack {
    writer: SerializedFileWriter<NewFile>,
    /// The column with the number of the run.
    run: Chunk,
}

impl<'t> ParquetPack<'t> {
    pub(crate) fn new(file: NewFile, names: &'t ValueNames) -> io::Result<Self> {
        let ends = DeflateEncoder::new(Vec::new(), Compression::fast());
        let (packer, index) = (Packer::new()?, TableIndex::default());
        Ok(Self { names, file: Some(file), open: None, packer, index, ends })
    }

    /// Copies the row groups of a table, of which `reader` reads the footer. Gives its places in the pack.
    fn splice<R: ChunkReader + 'static>(&mut self, run: u64, reader: R, table: &R) -> io::Result<Vec<(u64, u64)>> {
        let reader = SerializedFileReader::new(reader).map_err(into_io)?;
        let open = match (&mut self.open, self.file.take()) {
            (Some(open), _) => open,
            (place @ None, Some(file)) => {
                let columns = reader.metadata().file_metadata().schema_descr().root_schema();
                place.insert(OpenPack::new(file, with_run(columns).map_err(into_io)?)?)
            }
            (None, None) => return Err(io::Error::other("the pack has no file")),
        };
        let groups = reader.metadata().row_groups().iter();
        groups.map(|group| open.group(run, group, table, (self.names, &mut self.packer))).collect()
    }
}

impl OpenPack {
    fn new(file: NewFile, schema: TypePtr) -> io::Result<Self> {
        let writer = writer(file, schema)?;
        let last = writer.schema_descr().columns().last().map(ColumnDescPtr::clone);
        let run = Chunk::new(last.ok_or_else(|| io::Error::other("a table without columns"))?);
        Ok(Self { writer, run })
    }

    /// Copies a row group. Gives its place in the pack.
    fn group<R: ChunkReader>(
        &mut self,
        run: u64,
        group: &RowGroupMetaData,
        table: &R,
        (names, packer): (&ValueNames, &mut Packer),
    ) -> io::Result<(u64, u64)> {
        let at = self.writer.bytes_written() as u64;
        let rows = group.num_rows().max(0) as usize;
        let mut copy = self.writer.next_row_group().map_err(into_io)?;
        let mut bytes = 0;
        for column in group.columns() {
            bytes += column.compressed_size() as u64;
            copy.append_column(table, as_it_is(column, rows as u64)).map_err(into_io)?;
        }
        let mut left = rows;
        while left > 0 {
            let now = left.min(PAGE);
            self.run.extend(std::iter::repeat_n(run, now));
            self.run.end_page(&[], packer)?;
            left -= now;
        }
        self.run.close(names, rows as u64, packer, &mut copy)?;
        copy.close().map_err(into_io)?;
        Ok((at, bytes))
    }
}

/// A column that is written as it was read.
fn as_it_is(column: &ColumnChunkMetaData, rows: u64) -> ColumnCloseResult {
    ColumnCloseResult {
        bytes_written: column.compressed_size() as u64,
        rows_written: rows,
        metadata: column.clone(),
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    }
}

impl TablePack for ParquetPack<'_> {
    fn add(&mut self, run: u64, table: KeptBytes) -> io::Result<()> {
        let (values, end) = match table {
            KeptBytes::Memory(bytes) => {
                let bytes = Bytes::from(bytes);
                let values = self.splice(run, bytes.clone(), &bytes)?;
                let end = bytes.get(end_of(&values)..).unwrap_or_default().to_vec();
                (values, end)
            }
            KeptBytes::Disk(mut file) => {
                let (values, mut end) = (self.splice(run, file.try_clone()?, &file)?, Vec::new());
                file.seek(SeekFrom::Start(end_of(&values) as u64))?;
                file.read_to_end(&mut end)?;
                (values, end)
            }
        };
        self.ends.write_all(&end)?;
        self.index.runs.push(TableOfRun { run, values, end: end.len() as u64 });
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<NewFile> {
        let Some(OpenPack { mut writer, .. }) = self.open else {
            return self.file.ok_or_else(|| io::Error::other("the pack has no file"));
        };
        let ends = self.ends.finish()?;
        self.index.ends = (writer.bytes_written() as u64, ends.len() as u64);
        writer.write_all(&ends)?;
        let index = serde_json::to_string(&self.index).map_err(io::Error::other)?;
        writer.append_key_value_metadata(KeyValue::new(INDEX_KEY.to_owned(), index));
        finished(writer)
    }
}

/// Where the end of a table begins whose values are at these places in a pack.
fn end_of(values: &[(u64, u64)]) -> usize {
    (MAGIC + values.iter().map(|(_, bytes)| bytes).sum::<u64>()) as usize
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs::{self, File};
    use std::path::Path;

    use nandseq_input::archive;
    use nandseq_output::format::UnnamedFile;
    use nandseq_output::model::TableModel;
    use nandseq_output::row_values::NameKind;
    use nandseq_profile::builtin;
    use parquet::column::reader::ColumnReader;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::file::ParquetFile;

    /// The name of the tables of these tests.
    const TABLE: &str = "operation_sequence.parquet";

    fn names() -> ValueNames {
        let profile = builtin::profile();
        ValueNames::new(&profile, &TableModel::new(&profile))
    }

    /// A file with so many rows.
    fn table(folder: &Path, rows: u64, names: &ValueNames) -> Vec<u8> {
        let schema = parse_message_type("message m { required int64 a; optional binary b (UTF8); }").unwrap();
        let mut file = ParquetFile::new(NewFile::create(folder, TABLE).unwrap(), schema.into(), names).unwrap();
        let mut at = 0;
        while at < rows {
            let end = rows.min(at + file.room() as u64);
            file.chunks[0].extend(at..end);
            let leveled = (at..end).map(|at| (u16::from(at % 3 > 0), (at % 3 > 0).then_some(at % 7)));
            file.chunks[1].of(NameKind::Op, names).extend_leveled(leveled);
            file.added((end - at) as usize).unwrap();
            at = end;
        }
        let UnnamedFile { file, .. } = file.finish().unwrap();
        file.commit().unwrap();
        fs::read(folder.join(TABLE)).unwrap()
    }

    /// A pack of tables, from run 1 on, in the folder of a pack.
    fn packed(folder: &Path, tables: &[Vec<u8>], names: &ValueNames) -> std::path::PathBuf {
        let below = folder.join("pack=0000001");
        fs::create_dir_all(&below).unwrap();
        let mut pack = Box::new(ParquetPack::new(NewFile::create(&below, TABLE).unwrap(), names).unwrap());
        for (table, run) in tables.iter().zip(1..) {
            let kept = if run % 2 == 0 {
                KeptBytes::Memory(table.clone())
            } else {
                fs::write(folder.join("kept"), table).unwrap();
                KeptBytes::Disk(File::open(folder.join("kept")).unwrap())
            };
            pack.add(run, kept).unwrap();
        }
        pack.finish().unwrap().commit().unwrap();
        below.join(TABLE)
    }

    fn member(pack: &Path, run: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        archive::open(&pack.join(format!("run={run:07}/{TABLE}")))?.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    #[test]
    fn members_are_the_files_and_the_rows_have_their_run() {
        let (folder, names) = (tempfile::tempdir().unwrap(), names());
        // Row groups of other sizes, several of them, and none.
        let rows = [3, 0, 300_000, 1, 0, 20_000];
        let tables: Vec<Vec<u8>> = rows.iter().map(|&rows| table(folder.path(), rows, &names)).collect();
        let pack = packed(folder.path(), &tables, &names);
        assert_eq!(archive::members(&pack).unwrap().len(), rows.len());
        for (table, run) in tables.iter().zip(1..) {
            assert!(member(&pack, run).unwrap() == *table, "run {run}");
            let at = archive::open_pieces(&pack.join(format!("run={run:07}/{TABLE}"))).unwrap();
            assert_eq!(at.bytes(), table.len() as u64);
            for place in [0, 3, 4, 5, table.len() / 2, table.len() - 1] {
                let mut part = Vec::new();
                at.read_from(place as u64).read_to_end(&mut part).unwrap();
                assert!(part == table[place..], "run {run} from {place}");
            }
        }
        assert_eq!(member(&pack, 7).unwrap_err().kind(), io::ErrorKind::NotFound);
        let reader = SerializedFileReader::new(File::open(&pack).unwrap()).unwrap();
        let (mut runs, mut values) = (Vec::new(), Vec::new());
        for group in (0..reader.num_row_groups()).map(|at| reader.get_row_group(at).unwrap()) {
            let rows = group.metadata().num_rows() as usize;
            for (column, to) in [(0, &mut values), (2, &mut runs)] {
                let ColumnReader::Int64ColumnReader(mut column) = group.get_column_reader(column).unwrap() else {
                    panic!()
                };
                column.read_records(rows, None, None, to).unwrap();
            }
            let statistics = group.metadata().column(2).statistics().unwrap();
            assert_eq!(statistics.min_bytes_opt(), statistics.max_bytes_opt());
        }
        let expected = rows.iter().zip(1..).flat_map(|(&rows, run)| (0..rows).map(move |at| (run, at)));
        assert!(runs.into_iter().zip(values).eq(expected.map(|(run, at)| (run, at as i64))));
        // Equal tables give equal bytes.
        let bytes = fs::read(&pack).unwrap();
        fs::remove_file(&pack).unwrap();
        assert!(fs::read(packed(folder.path(), &tables, &names)).unwrap() == bytes);
    }

    #[test]
    fn a_damaged_pack_is_an_error_or_other_bytes_but_no_panic() {
        let (folder, names) = (tempfile::tempdir().unwrap(), names());
        let tables = [5, 2].map(|rows| table(folder.path(), rows, &names));
        let pack = packed(folder.path(), &tables, &names);
        let sound = fs::read(&pack).unwrap();
        // Each in a file of its own, because archives are remembered.
        let named = |bytes: &[u8], number: usize| {
            let path = folder.path().join(format!("{number}.parquet"));
            fs::write(&path, bytes).unwrap();
            path
        };
        for length in (0..sound.len()).step_by(5) {
            let error = archive::members(&named(&sound[..length], length)).unwrap_err().to_string();
            assert_eq!(error, "it is no pack of Parquet tables, or it was cut or damaged", "{length}");
        }
        for at in 0..sound.len() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x41;
            let number = sound.len() + at;
            let path = named(&damaged, number);
            for run in 1..=2 {
                let member = archive::open(&path.join(format!("run={run:07}/{number}.parquet")));
                let _ = member.and_then(|mut member| member.read_to_end(&mut Vec::new()));
            }
        }
        // A table that is no pack.
        let error = archive::members(&named(&tables[0], 0)).unwrap_err().to_string();
        assert!(error.starts_with("it has no list of runs, so another program has written it"), "{error}");
    }
}
