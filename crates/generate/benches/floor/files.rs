//! What the tables of a run cost at least, whatever makes their rows: their bytes are put into blocks, hashed and written.
//!
//! The bytes are those of a real run. [`formatting`] makes them from integers and texts that are ready, by the same straight line for
//! every row. The other benches leave that out too, so that no writer of such files can be faster.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use nandseq_generate::{Setup, Site, probability};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::new_file::NewFile;
use nandseq_output::run_files::RunFiles;
use nandseq_trace::files::{Digest, FileKind, Outputs, Stamp};

use super::{CONFIGURATION, OPERATIONS, legacy, limits, profile_of};

/// The bytes that the writers gather before they write them.
const BLOCK: usize = 64 * 1024;
/// The bytes of a text that are copied at once.
const TEXT: usize = 32;

fn runs() -> impl Iterator<Item = &'static str> {
    ["2x1020"].into_iter().chain(legacy::legacy(CONFIGURATION).map(|_| CONFIGURATION))
}

/// A temporary folder, in memory on Linux.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(if cfg!(target_os = "linux") { "/dev/shm" } else { "." }).expect("a folder")
}

/// The bytes of the six tables of a run.
fn tables_of(run: &str) -> Vec<Vec<u8>> {
    let profile = profile_of(run);
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("the profile proposes something");
    let format = CsvTables::new(&profile).expect("a valid time column");
    let folder = folder();
    let outputs = Outputs::ALL.without(FileKind::Snapshot).without(FileKind::ProposerLog);
    let stamp: Stamp = "2026-11-21".parse().expect("a date");
    let mut files = RunFiles::create(folder.path(), &format, outputs, stamp, 1).expect("room for files");
    Site::new(&setup, 42).run(&limits(), &mut files).expect("nothing can fail");
    let finished = files.finish().expect("room for files");
    finished.files.iter().map(|file| fs::read(file.file.to_write_in(folder.path())).expect("a file")).collect()
}

fn counted<'a, 'b>(bencher: Bencher<'a, 'b>, tables: &[Vec<u8>]) -> Bencher<'a, 'b> {
    let bytes = tables.iter().map(Vec::len).sum::<usize>();
    bencher.counter(ItemsCount::new(OPERATIONS)).counter(BytesCount::new(bytes))
}

/// Copies the rows of a table one by one into a block, and gives full blocks to `hand_on`.
fn copy(table: &[u8], lengths: &[usize], block: &mut Vec<u8>, mut hand_on: impl FnMut(&[u8])) {
    let mut rest = table;
    for &length in lengths {
        let (row, behind) = rest.split_at(length);
        rest = behind;
        block.extend_from_slice(row);
        if block.len() >= BLOCK {
            hand_on(block);
            block.clear();
        }
    }
    hand_on(block);
    block.clear();
}

fn lengths_of(table: &[u8]) -> Vec<usize> {
    table.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::len).collect()
}

/// Rows that are ready are copied one by one into blocks.
#[divan::bench(args = runs())]
fn copying(bencher: Bencher<'_, '_>, run: &str) {
    let tables = tables_of(run);
    let lengths: Vec<Vec<usize>> = tables.iter().map(|table| lengths_of(table)).collect();
    let mut block = Vec::with_capacity(2 * BLOCK);
    counted(bencher, &tables).bench_local(|| {
        for (table, lengths) in tables.iter().zip(&lengths) {
            copy(table, lengths, &mut block, |block| {
                black_box(block);
            });
        }
    });
}

/// The digests of the files are computed.
#[divan::bench(args = runs())]
fn hashing(bencher: Bencher<'_, '_>, run: &str) {
    let tables = tables_of(run);
    counted(bencher, &tables).bench_local(|| tables.iter().map(|table| Digest::of(table)).collect::<Vec<_>>());
}

/// The bytes are written in blocks, and the files synced and renamed.
#[divan::bench(args = runs())]
fn writing(bencher: Bencher<'_, '_>, run: &str) {
    let tables = tables_of(run);
    let write = |folder: &Path| {
        for (number, table) in tables.iter().enumerate() {
            let (temporary, path) = (folder.join("temporary"), folder.join(number.to_string()));
            let mut file = File::create(&temporary).expect("a file");
            table.chunks(BLOCK).for_each(|block| file.write_all(block).expect("room for files"));
            file.sync_all().expect("room for files");
            fs::rename(&temporary, &path).expect("room for files");
        }
    };
    counted(bencher, &tables).with_inputs(folder).bench_local_refs(|folder| write(folder.path()));
}

/// All three, as a writer does them: rows are copied into blocks, which are written and hashed.
#[divan::bench(args = runs())]
fn copying_hashing_writing(bencher: Bencher<'_, '_>, run: &str) {
    let tables = tables_of(run);
    let lengths: Vec<Vec<usize>> = tables.iter().map(|table| lengths_of(table)).collect();
    let mut block = Vec::with_capacity(2 * BLOCK);
    let mut write = |folder: &Path| {
        for (number, (table, lengths)) in tables.iter().zip(&lengths).enumerate() {
            let mut file = NewFile::create(folder, &number.to_string()).expect("a file");
            copy(table, lengths, &mut block, |block| file.write_all(block).expect("room for files"));
            file.commit().expect("room for files");
        }
    };
    counted(bencher, &tables).with_inputs(folder).bench_local_refs(|folder| write(folder.path()));
}

/// A text of a row and the number behind it.
struct Piece {
    /// The position of the text among the texts.
    text: u16,
    /// The number of digits, leading zeros included; 0 if there is no number.
    digits: u16,
    number: u32,
}

/// The rows of a table as integers and texts that are ready.
#[derive(Default)]
struct Pieces {
    texts: Vec<([u8; TEXT], usize)>,
    pieces: Vec<Piece>,
}

impl Pieces {
    /// Takes a table apart. A run of more than eight digits makes several pieces, and so does a text that is longer than a chunk.
    fn of(table: &[u8]) -> Self {
        let mut all = Self::default();
        let mut known = HashMap::new();
        let mut rest = table;
        while !rest.is_empty() {
            let end = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len()).min(TEXT);
            let (text, behind) = rest.split_at(end);
            let digits = behind.iter().take_while(|byte| byte.is_ascii_digit()).count().min(8);
            let (digits, behind) = behind.split_at(digits);
            rest = behind;
            let number = digits.iter().fold(0, |number, digit| 10 * number + u32::from(digit - b'0'));
            let text = *known.entry(text).or_insert_with(|| {
                let mut head = [0; TEXT];
                head[..text.len()].copy_from_slice(text);
                all.texts.push((head, text.len()));
                all.texts.len() as u16 - 1
            });
            all.pieces.push(Piece { text, digits: digits.len() as u16, number });
        }
        all
    }

    /// Puts the table together again, and gives full blocks to `hand_on`.
    fn write(&self, block: &mut [u8], mut hand_on: impl FnMut(&[u8])) {
        let mut at = 0;
        for piece in &self.pieces {
            let (text, length) = &self.texts[usize::from(piece.text)];
            block[at..at + TEXT].copy_from_slice(text);
            at += length;
            let number = digits_of(piece.number) >> ((64 - 8 * u32::from(piece.digits)) & 63);
            block[at..at + 8].copy_from_slice(&number.to_le_bytes());
            at += usize::from(piece.digits);
            if at >= BLOCK {
                hand_on(&block[..at]);
                at = 0;
            }
        }
        hand_on(&block[..at]);
    }
}

/// The eight digits of a number, the first one in the lowest byte.
fn digits_of(number: u32) -> u64 {
    let fours = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x7f_0000_007f;
    let twos = hundreds | (fours - hundreds * 100) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    (tens | (twos - tens * 10) << 8) + 0x3030_3030_3030_3030
}

/// The rows are put together from integers and texts that are ready, which is less than a writer has to do.
#[divan::bench(args = runs())]
fn formatting(bencher: Bencher<'_, '_>, run: &str) {
    let tables = tables_of(run);
    let pieces: Vec<Pieces> = tables.iter().map(|table| Pieces::of(table)).collect();
    let mut block = vec![0; 2 * BLOCK];
    for (pieces, table) in pieces.iter().zip(&tables) {
        let mut text = Vec::new();
        pieces.write(&mut block, |block| text.extend_from_slice(block));
        assert!(text == *table, "the same bytes");
    }
    counted(bencher, &tables).bench_local(|| {
        for pieces in &pieces {
            pieces.write(&mut block, |block| {
                black_box(block);
            });
        }
    });
}
