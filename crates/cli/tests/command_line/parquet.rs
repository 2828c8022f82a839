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
    let half = split.path().join("out/site=01/run=0000002/.operation_timeline.parquet.aB3xY9");
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
