//! `--resume`: after a clean stop, from a snapshot, after a kill; and what is refused.

use std::fs;
use std::path::{Path, PathBuf};

use nandseq_trace::file_form::FileForm;
use nandseq_trace::files::FileKind;

use crate::runner::{Folder, checked_manifest, files_below};

const STAMP: [&str; 2] = ["--stamp", "261121"];

fn with<'a>(runs: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [&["-t", "700", "--seed", "9", "-n", runs][..], &STAMP, arguments].concat()
}

fn snapshot(folder: &Folder, run: u64) -> PathBuf {
    folder.path().join(format!("out/snapshots/state_snapshot_20261121_000000_{run:07}.json"))
}

#[test]
fn split_at_every_boundary_the_bytes_are_those_of_one_execution() {
    let whole = Folder::new();
    whole.succeed(&with("12", &[]));
    let split = Folder::new();
    for runs in 1..=12 {
        let runs = runs.to_string();
        let arguments = with(&runs, &["--resume", "out"]);
        split.succeed(&arguments);
    }
    assert!(split.files() == whole.files());
}

#[test]
fn a_batch_goes_on_with_any_number_of_jobs() {
    let whole = Folder::new();
    whole.succeed(&with("6", &["--site-count", "4"]));
    let split = Folder::new();
    split.succeed(&with("2", &["--site-count", "4", "--jobs", "1"]));
    split.succeed(&with("5", &["--site-count", "4", "--jobs", "7", "--resume", "out"]));
    split.succeed(&with("6", &["--site-count", "4", "--jobs", "2", "--resume", "out"]));
    assert!(split.files() == whole.files());
    // Nothing is left to do; nothing changes.
    split.succeed(&with("6", &["--site-count", "4", "--resume", "out"]));
    assert!(split.files() == whole.files());
}

#[test]
fn the_stamp_of_the_files_that_are_there_is_kept() {
    let folder = Folder::new();
    folder.succeed(&["-t", "500", "-n", "2"]);
    let stamp = |folder: &Folder| {
        let names = folder.files().into_keys();
        let stamps =
            names.filter_map(|name| Some(name.split_once("state_snapshot_")?.1.rsplit_once('_')?.0.to_owned()));
        let mut stamps: Vec<String> = stamps.collect();
        stamps.dedup();
        stamps
    };
    let before = stamp(&folder);
    assert_eq!(before.len(), 1);
    // The time of day is in the names: a second execution in another second would show.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    folder.succeed(&["-t", "500", "-n", "3", "--resume", "out"]);
    assert_eq!(stamp(&folder), before);
    assert_eq!(checked_manifest(&folder.path().join("out")).runs.len(), 3);
}

#[test]
fn a_single_snapshot_goes_on_in_its_folder_or_elsewhere() {
    let whole = Folder::new();
    whole.succeed(&with("4", &[]));
    let again = Folder::new();
    again.succeed(&with("3", &[]));
    again.succeed(&with("4", &["--resume", snapshot(&again, 2).to_str().unwrap()]));
    assert!(again.files() == whole.files());
    let elsewhere = Folder::new();
    elsewhere.succeed(&with("4", &["--resume", snapshot(&whole, 2).to_str().unwrap()]));
    let manifest = checked_manifest(&elsewhere.path().join("out"));
    assert_eq!(manifest.runs.iter().map(|run| run.run).collect::<Vec<_>>(), [3, 4]);
    for (name, bytes) in elsewhere.files().into_iter().filter(|(name, _)| name != "out/manifest.json") {
        assert!(whole.files()[&name] == bytes, "{name}");
    }
}

#[test]
fn a_damaged_snapshot_is_passed_over_for_an_earlier_one() {
    let whole = Folder::new();
    whole.succeed(&with("4", &[]));
    let split = Folder::new();
    split.succeed(&with("3", &[]));
    let bytes = fs::read(snapshot(&split, 3)).unwrap();
    fs::write(snapshot(&split, 3), &bytes[..bytes.len() / 2]).unwrap();
    fs::write(snapshot(&split, 2), "{}").unwrap();
    let output = split.succeed(&with("4", &["--resume", "out"]));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("_0000003.json` is passed over: it is cut or damaged"), "{text}");
    assert!(text.contains("_0000002.json` is passed over: it is not a snapshot"), "{text}");
    assert!(split.files() == whole.files());
}

#[test]
fn what_does_not_belong_is_refused_and_named() {
    let folder = Folder::new().with("bad.csv", "die,block\n0,3\n");
    folder.succeed(&with("2", &[]));
    let file = snapshot(&folder, 2);
    let file = file.to_str().unwrap();
    for (flags, expected) in [
        (&["--seed", "10"][..], "another seed: 9 instead of 10"),
        (&["--seed-formula", "hashed"], "another seed formula: sequential instead of hashed"),
        (&["-t", "800"], "another length of runs"),
        (&["--ops", "50"], "another number of operations of a run: no limit instead of 50"),
        (&["--pc-demo", "mix"], "another probability table"),
        (&["--admission-window", "3.5"], "another profile"),
        (&["--badlist", "bad.csv"], "another list of bad blocks"),
        (&["--sites", "1"], "another site: no number instead of 1"),
    ] {
        let mut arguments: Vec<&str> = ["-n", "3", "--resume", file].to_vec();
        let has = |flag: &str| flags.first() == Some(&flag);
        arguments.extend(if has("-t") { [].as_slice() } else { &["-t", "700"] });
        arguments.extend(if has("--seed") { [].as_slice() } else { &["--seed", "9"] });
        arguments.extend(flags);
        let text = folder.refuse(&arguments);
        assert!(text.starts_with("exit code 2\n"), "{text}");
        assert!(text.contains(expected), "{flags:?}: {text}");
    }
    let text = folder.refuse(&with("3", &["--resume", "out", "--pc-seed", "7"]));
    assert!(text.contains("holds runs of another campaign: they were made with `--pc-seed 1729`, and this command makes runs with `--pc-seed 7`"), "{text}");
    let text = folder.refuse(&with("1", &["--resume", "out"]));
    assert!(text.contains("has 2 runs already, more than --num-runs 1"), "{text}");
}

#[test]
fn snapshots_that_cannot_be_read_are_not_taken_for_none() {
    let folder = Folder::new().with("old/snapshots", "no folder");
    let text = folder.refuse(&with("2", &["--resume", "old"]));
    assert!(text.starts_with("exit code 2\nerror: cannot read the folder `old/snapshots`: "), "{text}");
    let text = folder.refuse(&with("2", &["--resume", "old", "--out-dir", "old"]));
    assert!(text.starts_with("exit code 2\nerror: cannot read the folder `old/snapshots`: "), "{text}");
}

#[test]
fn absurd_numbers_of_operations_do_not_keep_a_campaign_from_going_on() {
    let folder = Folder::new();
    folder.succeed(&with("2", &[]));
    let path = folder.path().join("out/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    manifest["runs"][0]["operations"] = u64::MAX.into();
    fs::write(&path, manifest.to_string()).unwrap();
    folder.succeed(&with("3", &["--resume", "out"]));
}

#[test]
fn a_snapshot_that_was_touched_is_refused() {
    let folder = Folder::new();
    folder.succeed(&with("1", &[]));
    let good = fs::read_to_string(snapshot(&folder, 1)).unwrap();
    let newer = good.replacen("\"version\":1", "\"version\":6", 1);
    let other = good.replacen("\"version\":1", "\"version\":2", 1);
    let altered = good.replacen("\"operations\":", "\"operations\":1", 1);
    for (contents, expected) in [
        (&good[..good.len() - 30], "it is cut or damaged"),
        ("", "it is cut or damaged"),
        ("{\"format\":\"else\"}", "it is not a snapshot of nandseqgen"),
        (&newer, "a newer program wrote it"),
        (&other, "it was altered: its version is not that of its contents"),
        (&altered, "it was altered: its checksum is wrong"),
    ] {
        assert_ne!(contents, good);
        fs::write(folder.path().join("snapshot.json"), contents).unwrap();
        let text = folder.refuse(&with("2", &["--resume", "snapshot.json"]));
        assert!(text.starts_with("exit code 2\n") && text.contains(expected), "{text}");
    }
}

#[test]
fn without_snapshots_runs_are_made_again_from_the_first() {
    let tables = ["--outputs", "operation_sequence,phase_proposal_counts"];
    let whole = Folder::new();
    whole.succeed(&[&with("3", &[])[..], &tables].concat());
    let split = Folder::new();
    split.succeed(&[&with("2", &[])[..], &tables].concat());
    let more = [&with("3", &["--resume", "out"])[..], &tables].concat();
    for output in [split.succeed(&[&more[..], &["--dry-run"]].concat()), split.succeed(&more)] {
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("`out` has no snapshot to go on from: runs 1 to 2 are made again"), "{text}");
    }
    assert!(split.files() == whole.files());
    assert!(split.files().keys().all(|name| !name.contains("snapshot") && !name.contains("timeline")));
}

#[test]
fn the_beginning_of_a_campaign_is_a_place_to_go_on_from() {
    let (whole, begun) = (Folder::new(), Folder::new());
    whole.succeed(&with("2", &[]));
    let output = begun.succeed(&with("2", &["--resume", "out"]));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("nothing to go on from in `out`: there is no such folder; starting")
    );
    assert!(begun.files() == whole.files());
}

#[test]
fn what_killed_executions_leave_beside_the_sites_is_cleared_away_too() {
    let folder = Folder::new();
    folder.succeed(&with("1", &["--site-count", "2"]));
    let before = folder.files();
    fs::write(folder.path().join("out/.manifest.json.nandseqgen-ab3xy9"), "half").unwrap();
    let other = folder.path().join("out/.manifest.shard-2-of-4.json.nandseqgen-ab3xy9");
    fs::write(&other, "half").unwrap();
    folder.succeed(&with("1", &["--site-count", "2"]));
    assert!(folder.files() == before);
    // Beside a shard another one may be writing this at the moment.
    fs::write(&other, "half").unwrap();
    folder.succeed(&with("1", &["--site-count", "4", "--shard", "1/4"]));
    assert!(other.exists());
}

#[test]
fn nothing_but_what_a_kill_left_is_cleared_away() {
    let folder = Folder::new();
    let batch = ["-t", "300", "-n", "2", "--site-count", "2", "--stamp", "261121"];
    folder.succeed(&batch);
    let whole = folder.files();
    let site = "out/site_01/";
    let left: Vec<String> = FileKind::ALL
        .iter()
        .map(|&kind| FileForm::CSV.file_name(kind, "261121".parse().unwrap(), 2))
        .chain(["manifest.json".to_owned(), "manifest.partial.jsonl".to_owned()])
        .map(|name| match name.rsplit_once('/') {
            Some((folder, name)) => format!("{site}{folder}/.{name}.nandseqgen-ab3xy9"),
            None => format!("{site}.{name}.nandseqgen-ab3xy9"),
        })
        .chain(["out/.manifest.json.nandseqgen-000000".to_owned()])
        .collect();
    let own = [
        "out/.notes.txt.nandseqgen-abcdef",
        "out/notes.txt",
        "out/.manifest.json.backup",
        "out/site_01/.manifest.json.Xa9Kq2",
        "out/.operation_sequence_261121_0000001.csv.nandseqgen-abcdef",
        "out/site_01/.notes.txt.nandseqgen-abcdef",
        "out/site_01/operation_sequence_mine.csv",
        "out/site_01/.operation_sequence_261121_0000001.csv.nandseqgen-abcde",
        "out/site_01/.operation_sequence_261121_0000001.csv",
        "out/site_01/snapshots/.state_snapshot.swp",
        "out/site_01/mine/.operation_sequence_261121_0000001.csv.nandseqgen-abcdef",
        "out/site_02/.manifest.json.folder/inside.txt",
    ];
    for name in left.iter().map(String::as_str).chain(own) {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "half").unwrap();
    }
    folder.succeed(&[&batch[..], &["--resume", "out"]].concat());
    let mut after = folder.files();
    for name in own {
        assert!(after.remove(name).is_some(), "{name} is gone");
    }
    let more: Vec<&String> = after.keys().filter(|name| !whole.contains_key(*name)).collect();
    assert!(more.is_empty(), "left behind: {more:?}");
    assert!(after == whole);
}

#[test]
fn two_programs_do_not_write_into_one_folder() {
    let folder = Folder::new();
    let batch = ["-t", "500", "-n", "3", "--site-count", "2", "--stamp", "261121"];
    let site = ["-t", "500", "-n", "3", "--site-count", "0", "--out-dir", "out/site_02"];
    folder.succeed(&batch);
    let before = folder.files();
    let refused = |arguments: &[&str], place: &str| {
        let text = folder.refuse(arguments);
        let expected = format!("cannot write `{place}`: another nandseqgen is writing into it\n");
        assert!(text.starts_with("exit code 3\n") && text.contains(&expected), "{text}");
    };
    // What another program would hold: the folder of the batch, or that of a site.
    let held = fs::File::open(folder.path().join("out")).unwrap();
    held.lock().unwrap();
    refused(&batch, "out");
    refused(&[&batch[..], &["--resume", "out"]].concat(), "out");
    refused(&[&batch[..], &["--shard", "1/2"]].concat(), "out");
    held.unlock().unwrap();
    held.lock_shared().unwrap();
    refused(&batch, "out");
    // Shards share it.
    folder.succeed(&[&batch[..], &["--shard", "2/2"]].concat());
    held.unlock().unwrap();
    let held = fs::File::open(folder.path().join("out/site_02")).unwrap();
    held.lock().unwrap();
    refused(&site, "out/site_02");
    drop(held);
    folder.succeed(&batch);
    let mut after = folder.files();
    after.remove("out/manifest.shard-2-of-2.json").unwrap();
    assert!(after == before);
}

/// What a site's folder looks like at an instant of its making, and after going on from there.
fn goes_on(folder: &Path, whole: &Folder) {
    let copy = Folder::new();
    for (name, bytes) in files_below(folder) {
        let path = copy.path().join("out").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    copy.succeed(&with("3", &["--resume", "out"]));
    assert!(copy.files() == whole.files());
}

#[test]
fn what_killed_executions_leave_behind_is_cleared_away() {
    let whole = Folder::new();
    whole.succeed(&with("3", &[]));
    let folder = Folder::new();
    folder.succeed(&with("1", &[]));
    let out = folder.path().join("out");
    for name in [
        ".operation_sequence_261121_0000002.csv.nandseqgen-ab3xy9",
        ".manifest.json.nandseqgen-000000",
        ".manifest.partial.jsonl.nandseqgen-abcdef",
        "snapshots/.state_snapshot_20261121_000000_0000002.json.nandseqgen-zz09aa",
        ".proposer_debug_261121_0000002.log.nandseqgen-zz09aa",
    ] {
        fs::write(out.join(name), "half").unwrap();
    }
    goes_on(&out, &whole);
}

#[test]
fn what_resume_finds_is_said_where_the_output_folder_is_another_or_of_another_shape() {
    let said = |folder: &Folder, more: &[&str]| {
        let output = folder.run(&with("2", more));
        String::from_utf8(output.stderr).unwrap()
    };
    let folder = Folder::new();
    folder.succeed(&with("1", &["--out-dir", "camp"]));
    let text = said(&folder, &["--resume", "camp"]);
    let note = "note: going on from the runs in `camp`; those that follow go into `out` (--out-dir camp keeps them together)\n";
    assert!(text.contains(note), "{text}");
    assert!(!said(&folder, &["--resume", "camp", "--out-dir", "camp"]).contains("note: "));
    // A campaign of another shape is refused, and nothing is said about a beginning.
    let text = said(&folder, &["--resume", "camp", "--out-dir", "camp", "--site-count", "2"]);
    assert!(text.starts_with("error: `camp` holds runs of another campaign"), "{text}");
    let folder = Folder::new().with("other/notes.txt", "");
    let text = said(&folder, &["--resume", "other"]);
    assert!(
        text.contains("nothing to go on from in `other`: it has no run, snapshot or manifest of the sites"),
        "{text}"
    );
}
