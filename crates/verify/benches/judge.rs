//! How fast sequences are read, and read and judged: rows per second on one core.
#![expect(clippy::unwrap_used, reason = "a bench that cannot run is a bug")]

use std::fmt::Write;
use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_input::{COLUMNS, SequenceReader};
use nandseq_profile::{Profile, ReadOptions, SourceFile};
use nandseq_verify::Verifier;

fn main() {
    divan::main();
}

fn device() -> Profile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("rulebook/device.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    nandseq_profile::read(&SourceFile::new("device.yaml", &*text), ReadOptions::default()).0.unwrap()
}

/// The text of a sequence file, and its number of rows. Blocks are erased, programmed and read, their data is put out, and status
/// reads come in between.
fn sequence() -> (String, u64) {
    let mut text = COLUMNS.join(",") + "\n";
    let (mut rows, mut time) = (0_u64, 0_u64);
    let mut row = |name: &str, payload: &str, span: u64| {
        rows += 1;
        writeln!(text, "{rows},{time}.0,0,{name},{rows},\"[{}]\"", payload.replace('"', "\"\"")).unwrap();
        time += span;
    };
    for at in 0..2_000_u64 {
        let (die, block) = (at % 2, at % 16);
        let target = |page: u64| {
            let plane = block % 4;
            format!(r#"{{"die":{die},"plane":{plane},"block":{block},"page":{page},"celltype":"SLC"}}"#)
        };
        let status = format!(r#"{{"die":{die},"exp_val":"busy"}}"#);
        row("Erase_SLC", &target(0), 10);
        row("Status", &status, 100);
        for page in 0..8 {
            row("Program_SLC", &target(page), 5);
            row("Status", &status, 20);
        }
        for page in 0..4 {
            row("Read_SLC", &target(page), 12);
            row("Output", &target(page), 1);
        }
    }
    (text, rows)
}

#[divan::bench]
fn read(bencher: Bencher<'_, '_>) {
    let profile = device();
    let (text, rows) = sequence();
    bencher.counter(ItemsCount::new(rows)).bench(|| {
        let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
        let mut targets = 0;
        while let Some(row) = reader.next_row().unwrap() {
            targets += row.unwrap().targets.len();
        }
        targets
    });
}

#[divan::bench]
fn judge(bencher: Bencher<'_, '_>) {
    let profile = device();
    let (text, rows) = sequence();
    bencher.counter(ItemsCount::new(rows)).bench(|| {
        let mut reader = SequenceReader::new(&profile, text.as_bytes()).unwrap();
        let mut verifier = Verifier::new(&profile, &[]);
        while let Some(row) = reader.next_row().unwrap() {
            verifier.row(&row.unwrap());
        }
        assert!(verifier.is_clean());
        verifier.operations()
    });
}
