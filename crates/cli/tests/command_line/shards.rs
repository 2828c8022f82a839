//! Shards: made apart, joined to what one execution makes.

use std::fs;

use insta::assert_snapshot;

use crate::runner::{Folder, files_below};

fn batch<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "700", "-n", "2", "--seed", "77", "--site-count", "6", "--stamp", "261121", "--out-dir", out];
    [&flags[..], more].concat()
}

fn whole() -> Folder {
    let folder = Folder::new();
    folder.succeed(&batch("out", &[]));
    folder
}

const SHARDS: [&str; 4] = ["1/4", "2/4", "3/4", "4/4"];

#[test]
fn four_shards_in_four_folders_join_to_the_batch() {
    let whole = whole();
    let parts = Folder::new();
    let folders: Vec<String> = (1..=4).map(|number| format!("part{number}")).collect();
    for (folder, shard) in folders.iter().zip(SHARDS) {
        parts.succeed(&batch(folder, &["--shard", shard]));
    }
    let before = parts.files();
    let names: Vec<&str> = folders.iter().map(String::as_str).collect();
    let output = parts.succeed(&[&["merge"], &names[..], &["--into", "joint"]].concat());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "6 sites, 12 runs: complete in joint\n");
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
    // What was joined is still there, and joining again changes nothing.
    assert!(before.iter().all(|(name, bytes)| parts.files().get(name) == Some(bytes)));
    parts.succeed(&[&["merge"], &names[..], &["--into", "joint"]].concat());
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
    // Into one of them.
    parts.succeed(&[&["merge"], &names[..], &["--into", "part2"]].concat());
    assert!(files_below(&parts.path().join("part2")) == files_below(&whole.path().join("out")));
}

#[test]
fn shards_that_share_a_folder_join_in_it() {
    let whole = whole();
    let parts = Folder::new();
    for shard in SHARDS {
        parts.succeed(&batch("out", &["--shard", shard]));
    }
    assert!(parts.path().join("out/manifest.shard-2-of-4.json").exists());
    assert!(!parts.path().join("out/manifest.json").exists());
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
}

#[test]
fn chosen_sites_join_like_shards() {
    let whole = whole();
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--sites", "1-2,5"]));
    parts.succeed(&batch("b", &["--sites", "3-4,6"]));
    parts.succeed(&["merge", "a", "b", "--into", "joint"]);
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("out")));
}

#[test]
fn what_is_missing_or_there_twice_is_named() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    parts.succeed(&batch("b", &["--sites", "3,5"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b", "--into", "joint"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b"]));
    assert_snapshot!(parts.refuse(&["merge", "a/site_01"]));
    assert_snapshot!(parts.refuse(&["merge", "nowhere"]));
}

#[test]
fn parts_of_different_batches_are_not_joined() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    parts.succeed(&batch("b", &["--shard", "2/2", "--pc-demo", "mix"]));
    assert_snapshot!(parts.refuse(&["merge", "a", "b", "--into", "joint"]));
}

#[test]
fn damage_is_found_and_named() {
    let parts = Folder::new();
    parts.succeed(&batch("out", &["--shard", "1/1"]));
    let site = parts.path().join("out/site_02");
    fs::remove_file(site.join("operation_timeline_261121_0000001.csv")).unwrap();
    fs::write(site.join("operation_sequence_261121_0000002.csv"), "").unwrap();
    fs::write(parts.path().join("out/site_04/manifest.json"), "{}").unwrap();
    assert_snapshot!(parts.refuse(&["merge", "out"]));
}

#[test]
fn an_unfinished_part_is_not_joined() {
    let parts = Folder::new();
    parts.succeed(&batch("a", &["--shard", "1/2"]));
    let text = fs::read_to_string(parts.path().join("a/manifest.shard-1-of-2.json")).unwrap();
    let unfinished = text.replacen("\"runs\": 2", "\"runs\": 1", 1);
    fs::write(parts.path().join("a/manifest.shard-1-of-2.json"), unfinished).unwrap();
    parts.succeed(&batch("b", &["--shard", "2/2"]));
    let text = parts.refuse(&["merge", "a", "b", "--into", "joint"]);
    assert!(text.contains("site 1 has 1 of 2 runs in `a`"), "{text}");
}

#[test]
fn more_shards_than_sites_are_no_mistake() {
    let parts = Folder::new();
    let flags = ["-t", "300", "--site-count", "2", "--stamp", "261121"];
    for shard in ["1/3", "2/3", "3/3"] {
        parts.succeed(&[&flags[..], &["--shard", shard]].concat());
    }
    parts.succeed(&["merge", "out"]);
    let whole = Folder::new();
    whole.succeed(&flags);
    assert!(parts.files() == whole.files());
}
