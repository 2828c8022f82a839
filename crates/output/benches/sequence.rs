//! How fast rows of sequences are written: `cargo bench -p nandseq-output --bench sequence`.
#![expect(clippy::unwrap_used, reason = "a bench that fails should stop")]

#[path = "../tests/device/mod.rs"]
mod device;

use std::io::{self, Write};

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_output::new_file::NewFile;
use nandseq_profile::{Block, CellTypeId, Die, OpId, Page, Plane, Target, Ticks};

use nandseq_output::sequence::{SequenceLayout, SequenceWriter};
use nandseq_trace::{Operation, Sink, Status};

const ROWS: u64 = 100_000;

fn main() {
    divan::main();
}

/// A mix of rows: reads on one and on four planes, status reads, operations without payload.
fn push_rows(sink: &mut impl Sink) {
    let mut targets = [Target::default(); 4];
    for row in 0..ROWS {
        let (op, count) = [(0, 1), (1, 1), (0, 4), (2, 1)][(row % 4) as usize];
        for (plane, target) in targets.iter_mut().enumerate() {
            *target = Target {
                die: Die((row % 2) as u8),
                plane: Plane(plane as u8),
                block: Block((row % 1020) as u32),
                page: Page((row % 2564) as u16),
                cell_type: CellTypeId(1),
            };
        }
        let operation = Operation {
            seq: row + 1,
            uid: row + 1_000_001,
            op: OpId(op),
            start: Ticks(row * 1_230_000),
            targets: &targets[..count],
            status: Some(Status::Busy),
            ..Operation::default()
        };
        sink.operation(&operation).unwrap();
    }
}

/// Formatting alone.
#[divan::bench]
fn formatting(bencher: Bencher<'_, '_>) {
    let layout = SequenceLayout::new(&device::profile(1.0, 3)).unwrap();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut writer = SequenceWriter::new(&layout, io::sink());
        push_rows(&mut writer);
        writer.finish().unwrap().1
    });
}

/// Formatting with a scale that needs the general arithmetic.
#[divan::bench]
fn formatting_scaled(bencher: Bencher<'_, '_>) {
    let layout = SequenceLayout::new(&device::profile(2.5, 3)).unwrap();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut writer = SequenceWriter::new(&layout, io::sink());
        push_rows(&mut writer);
        writer.finish().unwrap().1
    });
}

/// Formatting, hashing, and a file that is synced and renamed.
#[divan::bench]
fn to_file(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir().unwrap();
    let layout = SequenceLayout::new(&device::profile(1.0, 3)).unwrap();
    bencher.counter(ItemsCount::new(ROWS)).bench_local(|| {
        let mut writer = SequenceWriter::new(&layout, NewFile::create(folder.path(), "rows.csv").unwrap());
        push_rows(&mut writer);
        let (mut file, rows) = writer.finish().unwrap();
        file.flush().unwrap();
        (file.commit().unwrap(), rows)
    });
}
