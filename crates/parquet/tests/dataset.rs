//! Tests that another program reads the same rows from Parquet as from CSV files of the same run, and that equal rows give equal
//! bytes.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

#[path = "../../output/tests/story/mod.rs"]
mod story;
#[path = "../../output/tests/walk/mod.rs"]
mod walk;

use std::fs;
use std::path::Path;
use std::process::Command;

use nandseq_output::csv_tables::CsvTables;
use nandseq_output::format::TableFormat;
use nandseq_output::pack::{ArchivesMade, PackFiles};
use nandseq_output::run_files::{Finished, PackPlace, RunFiles};
use nandseq_parquet::ParquetTables;
use nandseq_profile::Ticks;
use nandseq_trace::files::{FileKind, Outputs};
use nandseq_trace::{Operation, Sink, Status};
use story::{Event, Op, device, stamp};

/// Writes a run in a format into a folder.
fn write(folder: &Path, format: &dyn TableFormat, run: u64, events: &[Event]) -> Finished {
    fs::create_dir_all(folder).unwrap();
    let mut files = RunFiles::create(folder, format, Outputs::ALL, stamp(), run).unwrap();
    tell(&mut files, events);
    files.finish().unwrap()
}

/// Writes runs, from run 1 on, into one pack in a folder.
fn pack(folder: &Path, format: &dyn TableFormat, runs: &[Vec<Event>]) {
    fs::create_dir_all(folder).unwrap();
    let mut packs = PackFiles::new(folder, format);
    for (events, run) in runs.iter().zip(1..) {
        let place = PackPlace { first: 1, is_kept: true };
        let mut files = RunFiles::for_pack(folder, place, (format, Outputs::ALL), stamp(), run).unwrap();
        tell(&mut files, events);
        packs.add(files.complete().unwrap()).unwrap();
    }
    assert_eq!(packs.finish(true, ArchivesMade::All).unwrap().len(), 6);
}

fn tell(files: &mut RunFiles<'_>, events: &[Event]) {
    events.iter().for_each(|event| event.tell(files).unwrap());
    // An expected status, which the events do not have, and an operation without payload.
    let profile = device();
    let last = Op::new(&profile, 1_000_000, "Status", 1e7, &[(1, 0, 0, 0)]);
    last.with(|operation| files.operation(&Operation { status: Some(Status::ExtReady), ..*operation })).unwrap();
    Event::Operation(Op::new(&profile, 1_000_001, "Calibrate", 1.1e7, &[(0, 0, 0, 0)])).tell(files).unwrap();
}

#[test]
fn parquet_files_say_what_the_csv_files_say() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/check-parquet");
    let profile = device();
    let folder = tempfile::tempdir().unwrap();
    let (csv, dataset) = (folder.path().join("csv"), folder.path().join("dataset"));
    for (run, length) in [(1, 4000), (2, 1)] {
        let events = walk::events(&profile, run, length);
        let format = ParquetTables::new(&profile).unwrap();
        let parquet = write(&dataset.join("site=01"), &format, run, &events);
        let csv = write(&csv, &CsvTables::new(&profile).unwrap(), run, &events);
        for (parquet, csv) in parquet.files.iter().zip(&csv.files) {
            assert_eq!((parquet.kind, parquet.rows), (csv.kind, csv.rows));
            assert_eq!(parquet.file.as_str(), format!("run={run:07}/{}.parquet", csv.kind.name()));
        }
    }
    let packed = folder.path().join("packed");
    let runs = [(1, 4000), (2, 1)].map(|(run, length)| walk::events(&profile, run, length));
    pack(&packed.join("site=01"), &ParquetTables::new(&profile).unwrap(), &runs);
    let output = Command::new(script).args([&csv, &dataset, &packed]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(77) && std::env::var("CHECK_PARQUET").is_err() {
        #[expect(clippy::print_stderr, reason = "says that nothing was tested")]
        {
            eprintln!("skipped: {said}");
        }
        return;
    }
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn equal_rows_give_equal_bytes() {
    let profile = device();
    let events = walk::events(&profile, 5, 2000);
    let format = ParquetTables::new(&profile).unwrap();
    let written = || {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &format, 1, &events)
    };
    let (one, other) = (written(), written());
    assert_eq!(one, other);
    assert_eq!(one.files.len(), 6);
}

#[test]
fn a_time_that_does_not_fit_is_refused() {
    let profile = device();
    let format = ParquetTables::new(&profile).unwrap();
    for (us, fits) in [(999_999_999_990.0, true), (1e12, false)] {
        let folder = tempfile::tempdir().unwrap();
        let outputs = Outputs::NONE.with(FileKind::OperationTimeline);
        let mut files = RunFiles::create(folder.path(), &format, outputs, stamp(), 1).unwrap();
        let mut op = Op::new(&profile, 1, "Status", 0.0, &[(0, 0, 0, 0)]);
        op.start = Ticks(us as u64 * 1_000_000);
        op.proposal.state.end = op.start;
        Event::Operation(op).tell(&mut files).unwrap();
        let finished = files.finish();
        assert_eq!(finished.is_ok(), fits, "{us}");
        if let Err(error) = finished {
            assert!(error.to_string().contains("more than 18 digits"), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }
}

#[test]
fn a_run_that_is_dropped_leaves_no_folder() {
    let profile = device();
    let format = ParquetTables::new(&profile).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut files = RunFiles::create(folder.path(), &format, Outputs::ALL, stamp(), 1).unwrap();
    walk::events(&profile, 1, 50).iter().for_each(|event| event.tell(&mut files).unwrap());
    drop(files);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
