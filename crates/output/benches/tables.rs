//! How fast the tables are written: `cargo bench -p nandseq-output --bench tables`.
#![expect(clippy::unwrap_used, reason = "a bench that fails should stop")]

#[path = "../tests/story/mod.rs"]
mod story;

use std::fs::{self, File};
use std::hint::black_box;
use std::io::Write;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::{Finished, RunFiles};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{Die, Plane, Profile, Ticks};
use nandseq_trace::files::{Digest, FileKind, Outputs};
use story::{Event, Op, device, key, stamp, state};

const OPERATIONS: u64 = 200_000;

fn main() {
    divan::main();
}

/// A mix of operations as on a busy device with two dies: status reads, reads on one and two planes with their data output, and a
/// few programs.
fn events(profile: &Profile) -> Vec<Event> {
    let names = [
        ("Status", 1.0),
        ("Read_SLC", 11.0),
        ("Output", 1.0),
        ("Status_Plane", 1.0),
        ("Read_SLC_Multi", 11.0),
        ("Output", 1.0),
        ("Output", 1.0),
        ("Program_SLC", 21.0),
    ];
    let mut now = 0.0;
    let mut events = Vec::new();
    for uid in 1..=OPERATIONS {
        let (name, time) = names[(uid % 8) as usize];
        let (die, plane) = ((uid / 8 % 2) as u8, (uid / 16 % 3) as u8);
        let block = u32::from(plane) + 4 * (uid / 64 % 4) as u32;
        let page = (uid * 7 % 8) as u16;
        let targets = [(die, plane, block, page), (die, plane + 1, block + 1, page)];
        let mut op = Op::new(profile, uid, name, now, &targets[..1 + usize::from(name.ends_with("Multi"))]);
        op.is_first = name != "Output";
        op.proposal.die = Die(die);
        op.proposal.plane = Plane(plane);
        op.proposal.key_used = key(profile, "READ.END");
        op.proposal.key_virtual = key(profile, "READ.DATA_OUT");
        op.proposal.state = state(profile, "READ", Some(PhaseKind::DataOut), (now - 3.0, now + 1.0 + (uid % 5) as f64));
        op.states.fill(op.proposal.state);
        events.push(Event::Operation(op));
        now += time + 0.07;
    }
    events
}

/// A temporary folder, in memory on Linux.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(if cfg!(target_os = "linux") { "/dev/shm" } else { "." }).unwrap()
}

fn write(format: &CsvTables, events: &[Event], outputs: Outputs) -> Finished {
    write_into(folder().path(), format, events, outputs)
}

fn write_into(folder: &std::path::Path, format: &CsvTables, events: &[Event], outputs: Outputs) -> Finished {
    let mut files = RunFiles::create(folder, format, outputs, stamp(), 1).unwrap();
    events.iter().for_each(|event| event.tell(&mut files).unwrap());
    files.finish().unwrap()
}

/// All tables into a memory file system.
#[divan::bench]
fn all(bencher: Bencher<'_, '_>) {
    let profile = device();
    let format = CsvTables::new(&profile).unwrap();
    let events = events(&profile);
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| write(&format, &events, Outputs::ALL));
}

/// Each table alone.
#[divan::bench(args = [
    "operation_sequence",
    "operation_timeline",
    "op_state_timeline",
    "address_touch_count",
    "op_state_name_input_time_count",
    "phase_proposal_counts",
])]
fn alone(bencher: Bencher<'_, '_>, table: &str) {
    let profile = device();
    let format = CsvTables::new(&profile).unwrap();
    let events = events(&profile);
    let outputs = Outputs::NONE.with(FileKind::named(table).unwrap());
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| write(&format, &events, outputs));
}

/// All tables while one program stays suspended for the whole run.
#[divan::bench]
fn all_behind_a_suspended_program(bencher: Bencher<'_, '_>) {
    let profile = device();
    let format = CsvTables::new(&profile).unwrap();
    let mut events = events(&profile);
    events.insert(0, Event::StillSuspended(Op::new(&profile, 0, "Program_SLC", 0.0, &[(0, 0, 0, 0)])));
    if let Event::StillSuspended(op) = &mut events[0] {
        op.uid = 1;
        op.start = Ticks::ZERO;
    }
    events.remove(1);
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| write(&format, &events, Outputs::ALL));
}

/// The bytes of all tables.
fn bytes_of_tables() -> Vec<u8> {
    let profile = device();
    let (folder, format) = (folder(), CsvTables::new(&profile).unwrap());
    let finished = write_into(folder.path(), &format, &events(&profile), Outputs::ALL);
    finished.files.iter().flat_map(|file| fs::read(file.file.to_write_in(folder.path())).unwrap()).collect()
}

/// A lower bound for formatting: prepared rows are copied one by one.
#[divan::bench]
fn floor_copying_the_rows(bencher: Bencher<'_, '_>) {
    let bytes = bytes_of_tables();
    let rows: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let mut block: Vec<u8> = Vec::with_capacity(128 * 1024);
    bencher.counter(ItemsCount::new(OPERATIONS)).counter(BytesCount::new(bytes.len())).bench_local(|| {
        for row in &rows {
            block.extend_from_slice(row);
            if block.len() >= 64 * 1024 {
                black_box(&block);
                block.clear();
            }
        }
    });
}

/// A lower bound for hashing: the same bytes are hashed at once.
#[divan::bench]
fn floor_hashing(bencher: Bencher<'_, '_>) {
    let bytes = bytes_of_tables();
    bencher
        .counter(ItemsCount::new(OPERATIONS))
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| Digest::of(black_box(&bytes)));
}

/// A lower bound for writing: the same bytes are written in blocks to a file in memory.
#[divan::bench]
fn floor_writing(bencher: Bencher<'_, '_>) {
    let (bytes, folder) = (bytes_of_tables(), folder());
    bencher.counter(ItemsCount::new(OPERATIONS)).counter(BytesCount::new(bytes.len())).bench_local(|| {
        let path = folder.path().join("bytes");
        let mut file = File::create(&path).unwrap();
        bytes.chunks(64 * 1024).for_each(|block| file.write_all(block).unwrap());
        drop(file);
        fs::remove_file(path).unwrap();
    });
}
