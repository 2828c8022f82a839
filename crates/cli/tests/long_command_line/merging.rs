//! `nandseqgen merge` into folders that hold something, and shards that come into the folder of others at work.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use crate::runner::{Folder, files_below};
use crate::running::Running;

fn batch<'a>(runs: &'a str, out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["--ops", "20", "-n", runs, "--site-count", "2", "--stamp", "261121", "-q", "--out-dir", out];
    [&flags[..], more].concat()
}

/// The two parts of a batch, in folders of their own.
fn parts() -> Folder {
    let folder = Folder::new();
    for (out, shard) in [("a", "1/2"), ("b", "2/2")] {
        folder.succeed(&batch("2", out, &["--shard", shard]));
    }
    folder
}

fn is_refused(folder: &Folder, expected: &str) {
    let text = folder.refuse(&["merge", "a", "b", "--into", "whole"]);
    assert!(text.starts_with("exit code 2\n") && text.contains(expected), "{text}");
}

#[test]
fn nothing_is_merged_through_a_link_that_leads_out() {
    let folder = parts();
    let whole = folder.path().join("whole");
    fs::create_dir_all(whole.join("site_01")).unwrap();
    // Replacing a file through this link would remove that of the part.
    symlink("../../a/site_01/snapshots", whole.join("site_01/snapshots")).unwrap();
    is_refused(&folder, "`whole/site_01/snapshots` is a link to a place outside `whole/site_01`");
    // Every reader would refuse this one.
    fs::remove_dir_all(&whole).unwrap();
    fs::create_dir(&whole).unwrap();
    symlink("../a/site_01", whole.join("site_01")).unwrap();
    is_refused(&folder, "`whole/site_01` is a link to a place outside `whole`");
}

#[test]
fn merging_replaces_no_file_of_somebody_else() {
    let manifest = "whole/site_01/manifest.json";
    let folder = parts().with(manifest, "{\"name\": \"app\"}");
    is_refused(&folder, "`whole/site_01/manifest.json`");
    fs::remove_file(folder.path().join(manifest)).unwrap();
    let table = "operation_sequence_261121_0000001.csv";
    let folder = folder.with(&format!("whole/site_01/{table}"), "mine");
    is_refused(
        &folder,
        &format!("`whole/site_01/{table}` is in no manifest of this batch, and merging would replace it"),
    );
    // A merge that was killed leaves the files that the next one brings.
    fs::copy(folder.path().join("a/site_01").join(table), folder.path().join("whole/site_01").join(table)).unwrap();
    folder.succeed(&["merge", "a", "b", "--into", "whole"]);
    let at_once = Folder::new();
    at_once.succeed(&batch("2", "out", &[]));
    assert!(files_below(&folder.path().join("whole")) == files_below(&at_once.path().join("out")));
}

#[test]
fn merging_takes_no_runs_away() {
    let folder = parts();
    folder.succeed(&["merge", "a", "b", "--into", "whole"]);
    folder.succeed(&batch("3", "whole", &["--resume", "whole"]));
    is_refused(&folder, "`whole/site_01` has 3 runs, and merging would replace it by 2 runs");
}

#[test]
fn a_shard_does_not_join_one_of_another_number_that_is_at_work() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &batch("100000", "out", &["--shard", "1/2"]));
    running.until_there_is(&folder.path().join("out/site_01/manifest.partial.jsonl"));
    let other = batch("100000", "out", &["--shard", "1/3"]);
    let output = folder.run(&other);
    let text = String::from_utf8(output.stderr).unwrap();
    let expected = "shard 1/2 of a batch is being made in `out`, and shard 1/3 is not of the same number";
    assert!(output.status.code() == Some(2) && text.contains(expected), "{text}");
    running.kill();
    // What is no longer at work is in nobody's way.
    folder.succeed(&batch("1", "out", &["--shard", "2/3"]));
}
