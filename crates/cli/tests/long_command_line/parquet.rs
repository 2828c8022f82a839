//! `--format parquet`: the same tables, in folders that readers take for one dataset.
#![cfg(feature = "parquet")]

use std::fs;

use nandseq_trace::manifest::SiteManifest;

use crate::runner::{Folder, files_below};

fn batch<'a>(runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "700", "--site-count", "2", "--seed", "3", "--stamp", "261121", "-n", runs];
    [&flags[..], more].concat()
}

#[test]
fn a_dataset_has_a_folder_for_each_site_and_run() {
    let folder = Folder::new();
    folder.succeed(&batch("2", &["--format", "parquet"]));
    let names: Vec<String> = files_below(&folder.path().join("out/site=02")).into_keys().collect();
    let mut expected = vec!["manifest.json".to_owned()];
    for run in ["0000001", "0000002"] {
        expected.push(format!("proposer_debug_261121_{run}.log"));
        expected.push(format!("snapshots/state_snapshot_20261121_000000_{run}.json"));
        for table in [
            "address_touch_count",
            "op_state_name_input_time_count",
            "op_state_timeline",
            "operation_sequence",
            "operation_timeline",
            "phase_proposal_counts",
        ] {
            expected.push(format!("run={run}/{table}.parquet"));
        }
    }
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn the_tables_have_as_many_rows_as_in_csv() {
    let (parquet, csv) = (Folder::new(), Folder::new());
    parquet.succeed(&batch("2", &["--format", "parquet"]));
    csv.succeed(&batch("2", &[]));
    let rows = |folder: &Folder, site: &str| {
        let text = fs::read(folder.path().join("out").join(site).join("manifest.json")).unwrap();
        let manifest: SiteManifest = serde_json::from_slice(&text).unwrap();
        let files = manifest.runs.into_iter().flat_map(|run| run.files);
        files.map(|file| (file.kind, file.rows)).collect::<Vec<_>>()
    };
    assert_eq!(rows(&parquet, "site=01"), rows(&csv, "site_01"));
}

#[test]
fn going_on_shards_and_replaying_are_the_same_in_parquet() {
    let whole = Folder::new();
    whole.succeed(&batch("3", &["--format", "parquet", "--jobs", "1"]));
    let split = Folder::new();
    split.succeed(&batch("1", &["--format", "parquet"]));
    // What a kill leaves of a table.
    fs::create_dir(split.path().join("out/site=01/run=0000002")).unwrap();
    let half = split.path().join("out/site=01/run=0000002/.operation_timeline.parquet.nandseqgen-ab3xy9");
    fs::write(half, "half").unwrap();
    split.succeed(&batch("3", &["--format", "parquet", "--resume", "out", "--jobs", "7"]));
    assert!(split.files() == whole.files());
    let shards = Folder::new();
    for shard in ["1/2", "2/2"] {
        shards.succeed(&batch("3", &["--format", "parquet", "--shard", shard]));
    }
    shards.succeed(&["merge", "out"]);
    assert!(shards.files() == whole.files());
    shards.succeed(&["replay", "out", "--quiet"]);
    fs::write(shards.path().join("out/site=02/run=0000002/op_state_timeline.parquet"), "damaged").unwrap();
    let output = shards.run(&["replay", "out"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("`out/site=02/run=0000002/op_state_timeline.parquet` was changed: "), "{text}");
}

/// Two sites of two runs in one form, under the folder names of a dataset.
fn dataset(form: &str) -> Folder {
    let folder = Folder::new();
    let flags = ["-t", "20000", "-n", "2", "--site-count", "2", "--stamp", "261122", "--quiet"];
    folder.succeed(&[&flags[..], &["--site-dir-pattern", "site={site_id:02d}", "--format", form]].concat());
    folder
}

#[test]
fn reports_exports_and_coverage_of_a_dataset_are_those_of_the_csv_files() {
    let (parquet, csv) = (dataset("parquet"), dataset("csv"));
    for arguments in
        [&["coverage", "report", "out", "--format", "json"][..], &["coverage", "report", "out/site=02", "out/site=01"]]
    {
        let told = [&parquet, &csv].map(|folder| String::from_utf8(folder.run(arguments).stdout).unwrap());
        assert!(!told[0].is_empty() && told[0] == told[1], "{arguments:?}: {}\n{}", told[0], told[1]);
    }
    for (arguments, file) in [
        (&["coverage", "merge", "out", "-o", "all.json"][..], "all.json"),
        (&["report", "out", "-o", "page.html"], "page.html"),
        (&["export", "out", "--to", "perfetto", "-o", "t.pftrace"], "t.pftrace"),
        (&["export", "out", "--to", "vcd", "-o", "t.vcd"], "t.vcd"),
    ] {
        let written = [&parquet, &csv].map(|folder| {
            folder.succeed(arguments);
            fs::read(folder.path().join(file)).unwrap()
        });
        assert!(written[0] == written[1], "{arguments:?}");
    }
    // A run of its own, by its folder or its sequence.
    for path in ["out/site=01/run=0000002", "out/site=01/run=0000002/operation_sequence.parquet"] {
        let told = String::from_utf8(parquet.succeed(&["coverage", "merge", path]).stdout).unwrap();
        assert!(told.contains(": 1 run, "), "{told}");
    }
}

#[test]
fn sites_in_both_forms_are_counted_together() {
    let (parquet, csv) = (dataset("parquet"), dataset("csv"));
    let elsewhere = csv.path().join("out/site=02");
    fs::rename(&elsewhere, parquet.path().join("csv")).unwrap();
    let mixed = ["coverage", "merge", "csv", "out/site=01", "-o", "mixed.json"];
    parquet.succeed(&mixed);
    parquet.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    let counted = |name: &str| {
        let text = fs::read(parquet.path().join(name)).unwrap();
        let mut counts: serde_json::Value = serde_json::from_slice(&text).unwrap();
        // Which sites there are differs, and with it the list of runs and the counts of each; the sums are the same.
        counts["runs"].take();
        counts["parts"].take();
        counts
    };
    assert_eq!(counted("mixed.json"), counted("all.json"));
}

#[test]
fn a_damaged_dataset_is_refused_by_file_and_row() {
    let folder = dataset("parquet");
    let broken = |name: &str, bytes: &[u8]| {
        let path = folder.path().join("out/site=02/run=0000002").join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, bytes).unwrap();
        let told = folder.refuse(&["coverage", "merge", "out"]);
        fs::write(&path, whole).unwrap();
        told
    };
    let sequence = fs::read(folder.path().join("out/site=02/run=0000002/operation_sequence.parquet")).unwrap();
    let table = "op_state_name_input_time_count.parquet";
    for (name, bytes) in [
        ("operation_sequence.parquet", &b"seq,time"[..]),
        ("operation_sequence.parquet", &sequence[..sequence.len() / 2]),
        (table, b""),
        (table, &sequence),
    ] {
        let told = broken(name, bytes);
        assert!(told.contains(&format!("out/site=02/run=0000002/{name}")), "{told}");
        assert!(told.starts_with("exit code 2\n") && told.contains("error: cannot read the file"), "{told}");
    }
    let other = fs::read(folder.path().join("out/site=02/run=0000002/phase_proposal_counts.parquet")).unwrap();
    assert!(broken(table, &other).contains("it has no column 'op_state'"));
}

#[test]
fn verify_judges_a_dataset_with_all_its_tables_as_the_csv_files() {
    let (parquet, csv) = (dataset("parquet"), dataset("csv"));
    let judged = [&parquet, &csv].map(|folder| {
        let told = folder.succeed(&["verify", "out", "--format", "json"]);
        let verdict: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
        (verdict["operations"].clone(), verdict["findings"].clone(), String::from_utf8(told.stdout).unwrap())
    });
    assert!(judged[0].0.as_u64().unwrap() > 0 && judged[0].0 == judged[1].0 && judged[0].1 == judged[1].1);
    // Every table of the four runs was compared.
    assert_eq!(judged[0].2.matches("address_touch_count.parquet").count(), 4, "{}", judged[0].2);
    // A table of another run: each row is a finding.
    let table = |run: &str| parquet.path().join("out/site=02").join(run).join("operation_timeline.parquet");
    fs::copy(table("run=0000001"), table("run=0000002")).unwrap();
    let output = parquet.run(&["verify", "out"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("run=0000002/operation_timeline.parquet") && text.contains("changed since"), "{text}");
    assert!(text.contains("timeline_row: "), "{text}");
    let whole = fs::read(table("run=0000001")).unwrap();
    fs::write(table("run=0000002"), &whole[..whole.len() / 2]).unwrap();
    let output = parquet.run(&["verify", "out"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("run=0000002/operation_timeline.parquet: cannot be read: "), "{text}");
}

#[test]
fn what_was_just_written_as_a_dataset_is_judged() {
    let folder = Folder::new();
    let output = folder.succeed(&batch("1", &["--format", "parquet", "--verify"]));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" in 2 files of 2 sites: "), "{text}");
}

#[test]
fn a_damaged_table_is_named_when_it_can_no_longer_be_read() {
    let folder = Folder::new();
    folder.succeed(&["--ops", "300", "--seed", "77", "-t", "1000000", "--format", "parquet", "--quiet"]);
    let mut named = 0;
    for table in ["op_state_name_input_time_count", "operation_timeline", "operation_sequence"] {
        let file = format!("out/run=0000001/{table}.parquet");
        let path = folder.path().join(&file);
        let whole = fs::read(&path).unwrap();
        for part in 1..10 {
            let mut bytes = whole.clone();
            bytes[whole.len() * part / 10] ^= 4;
            fs::write(&path, bytes).unwrap();
            let told = folder.run(&["verify", "out"]);
            let said = String::from_utf8_lossy(&told.stdout).into_owned();
            assert_eq!(told.status.code(), Some(1), "{file} at {part} tenths: {said}");
            named += u32::from(said.contains(&format!("{file}: cannot be read: ")));
        }
        fs::write(&path, whole).unwrap();
    }
    assert!(named >= 3, "only {named} damages keep a file from being read");
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_on_the_size_of_parquet_files_ends_as_one_of_csv_does() {
    let mut cut = 0;
    // In blocks of 512 bytes: the file is cut in its rows or in its footer.
    for limit in 3.. {
        let folder = Folder::new();
        let mut shell = std::process::Command::new("sh");
        let limit = limit.to_string();
        shell.args(["-c", "ulimit -f $0; exec \"$@\"", &limit, env!("CARGO_BIN_EXE_nandseqgen")]);
        shell.args(["-t", "20000", "--format", "parquet", "-q", "--outputs", "operation_sequence"]);
        let output = shell.current_dir(folder.path()).output().unwrap();
        if output.status.success() {
            break;
        }
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{text}");
        let help = ".parquet: file too large\n  help: raise the limit on the size of files (`ulimit -f`)";
        assert!(text.contains(help) && !text.contains('"'), "{limit}: {text}");
        cut += 1;
    }
    assert!(cut >= 3, "cut only {cut} times");
}
