//! Tests that a damaged file of our own is an error or another table, and that the library does not panic at it.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

#[path = "../../output/tests/story/mod.rs"]
mod story;

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::panic;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use nandseq_input::Source;
use nandseq_output::run_files::RunFiles;
use nandseq_parquet::{PARQUET, ParquetTables};
use nandseq_trace::Sink as _;
use nandseq_trace::files::{FileKind, Outputs};
use story::{Op, device, stamp};

/// Panics of the library, which is guarded: they would be errors as well.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn read(source: &dyn Source, path: &Path) -> io::Result<String> {
    let mut text = String::new();
    source.open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a byte into a file. Writing the whole file anew would take most of the time.
fn put(file: &mut File, at: usize, byte: u8) {
    file.seek(SeekFrom::Start(at as u64)).unwrap();
    file.write_all(&[byte]).unwrap();
}

#[test]
fn every_bit_of_our_own_files_may_be_flipped() {
    let profile = device();
    let folder = tempfile::tempdir().unwrap();
    let outputs = Outputs::NONE.with(FileKind::OperationSequence);
    let format = ParquetTables::new(&profile).unwrap();
    let mut files = RunFiles::create(folder.path(), &format, outputs, stamp(), 1).unwrap();
    for (uid, name, targets) in
        [(1, "Status", &[(0, 0, 0, 0)][..]), (2, "Status", &[(1, 1, 3, 0), (1, 2, 3, 0)]), (3, "Calibrate", &[])]
    {
        Op::new(&profile, uid, name, uid as f64 * 1e3, targets).with(|operation| files.operation(operation)).unwrap();
    }
    let written = files.finish().unwrap();
    let source = PARQUET.source.unwrap()(&profile);
    panic::set_hook(Box::new(|_| _ = PANICS.fetch_add(1, Ordering::Relaxed)));
    for file in &written.files {
        let path = folder.path().join(file.file.as_str());
        let sound = fs::read(&path).unwrap();
        let text = read(&*source, &path).unwrap();
        let mut damaged = File::options().write(true).open(&path).unwrap();
        let mut noticed = 0;
        for (at, bit) in (0..sound.len()).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
            put(&mut damaged, at, sound[at] ^ 1 << bit);
            noticed += usize::from(read(&*source, &path).ok().as_ref() != Some(&text));
            put(&mut damaged, at, sound[at]);
        }
        assert!(noticed > sound.len(), "{noticed} of {} bits", sound.len() * 8);
    }
    drop(panic::take_hook());
    assert_eq!(PANICS.load(Ordering::Relaxed), 0);
}
