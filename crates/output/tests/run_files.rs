//! Tests of the files of a run: they have the right headers and appear together, and nothing is left of a run that is dropped.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod story;

use std::fs;
use std::path::Path;

use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::{Digest, FileKind, Outputs};
use story::{Event, Op, device, stamp};

fn names_in(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            names.extend(names_in(&entry.path()).iter().map(|inner| format!("{name}/{inner}")));
            names.push(format!("{name}/"));
        } else {
            names.push(name);
        }
    }
    names.sort();
    names
}

fn some_events() -> Vec<Event> {
    let profile = device();
    vec![
        Event::Operation(Op::new(&profile, 1, "Read_SLC_Multi", 0.0, &[(0, 0, 0, 0), (0, 1, 1, 0)])),
        Event::Operation(Op::new(&profile, 2, "Status", 2.0, &[(0, 0, 0, 0)])),
    ]
}

#[test]
fn headers_are_those_of_the_predecessor() {
    let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/legacy/sample/site_01");
    if !Path::new(sample).exists() {
        #[expect(clippy::print_stderr, reason = "says that nothing was tested")]
        {
            eprintln!("skipped: no sample of the predecessor's files here");
        }
        return;
    }
    for kind in FileKind::ALL.into_iter().filter(|kind| kind.is_table()) {
        let header = kind.columns().header();
        let text = fs::read_to_string(Path::new(sample).join(FileForm::CSV.file_name(kind, stamp(), 1))).unwrap();
        // The predecessor's lines end with \r\n, ours with \n.
        assert_eq!(text.lines().next(), header.lines().next(), "{}", kind.name());
    }
}

#[test]
fn all_files_of_a_run_appear_together_and_are_what_the_record_says() {
    let folder = tempfile::tempdir().unwrap();
    let format = CsvTables::new(&device()).unwrap();
    let mut files = RunFiles::create(folder.path(), &format, Outputs::ALL, stamp(), 3).unwrap();
    some_events().iter().for_each(|event| event.tell(&mut files).unwrap());
    files.add(FileKind::Snapshot, b"{}\n", 0).unwrap();
    let visible = |name: &String| !name.starts_with('.') && !name.contains("/.") && !name.ends_with('/');
    assert_eq!(names_in(folder.path()).iter().filter(|name| visible(name)).count(), 0);
    let finished = files.finish().unwrap();
    let names: Vec<String> = finished.files.iter().map(|record| record.file.to_string()).collect();
    assert_eq!(
        names,
        [
            "operation_sequence_261121_0000003.csv",
            "operation_timeline_261121_0000003.csv",
            "op_state_timeline_261121_0000003.csv",
            "address_touch_count_261121_0000003.csv",
            "op_state_name_input_time_count_261121_0000003.csv",
            "phase_proposal_counts_261121_0000003.csv",
            "snapshots/state_snapshot_20261121_000000_0000003.json",
        ]
    );
    let rows: Vec<u64> = finished.files.iter().map(|record| record.rows).collect();
    assert_eq!(rows, [2, 3, 6, 2, 2, 2, 0]);
    let mut bytes = 0;
    for record in &finished.files {
        let text = fs::read(record.file.to_write_in(folder.path())).unwrap();
        assert_eq!(record.sha256, Digest::of(&text), "{}", record.file);
        bytes += text.len() as u64;
        if record.kind != FileKind::Snapshot {
            let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
            assert_eq!(lines, record.rows + 1, "{}", record.file);
        }
    }
    assert_eq!(finished.bytes, bytes);
    let mut expected = names;
    expected.push("snapshots/".to_owned());
    expected.sort();
    assert_eq!(names_in(folder.path()), expected);
}

#[test]
fn of_a_complete_run_only_what_is_asked_for_gets_its_name() {
    // Synced one after another, and all at the same time.
    [false, true].into_iter().for_each(complete_runs_are_placed);
}

fn complete_runs_are_placed(syncs_together: bool) {
    let folder = tempfile::tempdir().unwrap();
    let format = CsvTables::new(&device()).unwrap();
    let complete = |on_disk: bool| {
        let start = if on_disk { RunFiles::create } else { RunFiles::counting };
        let mut files = start(folder.path(), &format, Outputs::ALL, stamp(), 1).unwrap().syncing(syncs_together);
        some_events().iter().for_each(|event| event.tell(&mut files).unwrap());
        files.add(FileKind::Snapshot, b"{}\n", 0).unwrap();
        files.complete().unwrap()
    };
    // The records are known before any file has its final name, and also without files on disk.
    let listed = complete(false).files().to_vec();
    let dropped = complete(true);
    assert_eq!(dropped.files(), listed);
    drop(dropped);
    assert!(names_in(folder.path()).is_empty(), "{:?}", names_in(folder.path()));
    let placed = complete(true).place(Outputs::NONE.with(FileKind::OperationTimeline)).unwrap();
    assert_eq!(names_in(folder.path()), ["operation_timeline_261121_0000001.csv"]);
    let text = fs::read(folder.path().join("operation_timeline_261121_0000001.csv")).unwrap();
    assert_eq!((placed.bytes, placed.files[0].sha256), (text.len() as u64, Digest::of(&text)));
    assert!(placed.files.len() == 1 && listed.contains(&placed.files[0]));
    let finished = complete(true).place(Outputs::ALL).unwrap();
    assert_eq!(finished.files, listed);
    assert_eq!(names_in(folder.path()).len(), listed.len() + 1);
}

#[test]
fn nothing_remains_of_a_run_that_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let format = CsvTables::new(&device()).unwrap();
    let mut files = RunFiles::create(folder.path(), &format, Outputs::ALL, stamp(), 1).unwrap();
    some_events().iter().for_each(|event| event.tell(&mut files).unwrap());
    files.add(FileKind::Snapshot, b"{}\n", 0).unwrap();
    drop(files);
    assert!(names_in(folder.path()).is_empty(), "{:?}", names_in(folder.path()));
}

#[test]
fn only_what_is_wanted_is_written() {
    let format = CsvTables::new(&device()).unwrap();
    for kind in FileKind::ALL.into_iter().filter(|kind| kind.is_table()) {
        let written = story::tables(&format, &some_events(), Outputs::NONE.with(kind));
        let all = story::tables(&format, &some_events(), Outputs::ALL);
        assert_eq!(written.len(), 1);
        assert!(!written[0].1.is_empty() && all.contains(&written[0]), "{}", kind.name());
    }
    assert!(story::tables(&format, &some_events(), Outputs::NONE).is_empty());
}

#[test]
fn names_that_need_quotes_are_read_back_as_they_are() {
    let mut profile = device();
    let read = profile.ops.iter_ids().find(|(_, op)| op.name == "Read_SLC_Multi").unwrap().0;
    let base = profile.ops[read].base;
    profile.ops[read].name = "a \"b\", c".to_owned();
    profile.bases[base].name = "A,B".to_owned();
    for key in profile.phase_keys.iter_mut().filter(|key| key.base == Some(base)) {
        key.name = key.name.replace("READ.", "A,B.");
    }
    let cell_type = profile.ops[read].cell_type;
    profile.cell_types[cell_type].name = "S,L".to_owned();
    let mut op = Op::new(&profile, 1, "a \"b\", c", 0.0, &[(0, 0, 0, 0), (0, 1, 1, 0)]);
    op.proposal.key_used = story::key(&profile, "A,B.END");
    op.proposal.state.of = op.proposal.key_used;
    let folder = tempfile::tempdir().unwrap();
    let format = CsvTables::new(&profile).unwrap();
    let mut files = RunFiles::create(folder.path(), &format, Outputs::ALL, stamp(), 1).unwrap();
    Event::Operation(op).tell(&mut files).unwrap();
    let expected: [&[&str]; 6] = [
        &["1", "0.0", "0", "a \"b\", c", "1"],
        &["0.0", "15.0", "0", "0", "0", "0", "a \"b\", c", "A,B", "", "1", "DEFAULT", "A,B.END", "DEFAULT"],
        &["0.0", "1.0", "0", "0", "A,B.ISSUE", "d0-p0", "A,B", "1.0"],
        &["READ", "S,L", "0", "0", "0", "1"],
        &["A,B.END", "A,B.END", "DEFAULT", "a \"b\", c", "0.0", "1"],
        &["A,B.END", "DEFAULT", "0", "0", "0.0", "a \"b\", c", "1"],
    ];
    for (record, expected) in files.finish().unwrap().files.iter().zip(expected) {
        let mut reader = csv::Reader::from_path(record.file.to_write_in(folder.path())).unwrap();
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        assert_eq!(columns.join(",") + "\n", record.kind.columns().header());
        let first = reader.records().next().unwrap().unwrap();
        assert_eq!(first.iter().take(expected.len()).collect::<Vec<_>>(), expected, "{}", record.file);
    }
}
