//! Folders with files of other campaigns: the files are named, and `--clean` removes them and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::process::Output;

use crate::runner::{Folder, files_below};

const SHORT: [&str; 2] = ["-t", "300"];

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Makes a campaign and returns what it said on stderr, without its progress.
fn made(folder: &Folder, arguments: &[&str]) -> String {
    let text = stderr(&folder.succeed(&[&SHORT[..], arguments].concat()));
    text.split_inclusive('\n').filter(|line| !line.contains(" done: ") && !line.contains(" done (")).collect()
}

/// What a campaign writes into an empty folder.
fn fresh(arguments: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let folder = Folder::new();
    made(&folder, arguments);
    folder.files()
}

/// An earlier and a later campaign, and how many files of the earlier one stay, manifests and ledgers that are replaced not counted.
const PAIRS: &[(&str, &[&str], &[&str])] = &[
    ("fewer runs", &["--stamp=261121", "-n", "3"], &["--stamp=261121", "-n", "1"]),
    (
        "another seed and fewer runs and sites",
        &["--stamp=261121", "-n", "3", "--site-count", "3"],
        &["--stamp=261121", "--site-count", "2", "--seed", "7"],
    ),
    ("another date", &["--stamp=261120"], &["--stamp=261121"]),
    ("fewer outputs", &["--stamp=261121"], &["--stamp=261121", "--outputs", "operation_sequence"]),
    ("no log", &["--stamp=261121"], &["--stamp=261121", "--proposer-log", "off"]),
    ("a single device, then sites", &["--stamp=261121"], &["--stamp=261121", "--site-count", "2"]),
    ("sites, then a single device", &["--stamp=261121", "--site-count", "2"], &["--stamp=261121"]),
    (
        "another pattern",
        &["--stamp=261121", "--site-count", "2", "--site-dir-pattern", "rack/{site_id:d}"],
        &["--stamp=261121", "--site-count", "2"],
    ),
    (
        "other numbers",
        &["--stamp=261121", "--site-count", "2"],
        &["--stamp=261121", "--site-count", "2", "--site-start", "5"],
    ),
    (
        "shards of another batch",
        &["--stamp=261121", "--site-count", "4", "--shard", "2/2"],
        &["--stamp=261121", "--site-count", "2", "--seed", "8"],
    ),
];

#[cfg(feature = "parquet")]
const PARQUET: &[(&str, &[&str], &[&str])] = &[
    ("CSV, then Parquet", &["--stamp=261121"], &["--stamp=261121", "--format", "parquet"]),
    ("Parquet, then CSV", &["--stamp=261121", "--format", "parquet", "-n", "2"], &["--stamp=261121"]),
    (
        "fewer runs and sites in Parquet",
        &["--stamp=261121", "--format", "parquet", "-n", "3", "--site-count", "3"],
        &["--stamp=261121", "--format", "parquet", "--site-count", "2", "--seed", "3"],
    ),
];
#[cfg(not(feature = "parquet"))]
const PARQUET: &[(&str, &[&str], &[&str])] = &[];

#[test]
fn files_of_another_campaign_are_counted_and_named_and_stay() {
    for (what, earlier, later) in PAIRS.iter().chain(PARQUET) {
        let folder = Folder::new();
        assert_eq!(made(&folder, earlier), "", "{what}");
        let text = made(&folder, later);
        let expected = fresh(later);
        let files = folder.files();
        let others: Vec<&String> = files.keys().filter(|name| !expected.contains_key(*name)).collect();
        assert!(!others.is_empty(), "{what}");
        let count = others.len();
        assert!(text.starts_with("warning: `out` holds "), "{what}: {text}");
        let (named, stay) = match count {
            1 => ("a file of another campaign".to_owned(), "which stays"),
            _ => (format!("{count} files of other campaigns"), "which stay"),
        };
        assert!(text.contains(&format!(" {named}, {stay}: `")), "{what}: {count} in {text}");
        let first = others.iter().find(|name| !name.ends_with(".json")).unwrap();
        assert!(text.contains(&format!("`{}`", first.strip_prefix("out/").unwrap())), "{what}: {first} in {text}");
        // The same again: what is replaced is no other campaign's, and the summary says what stays.
        let again = folder.succeed(&[&SHORT[..], later].concat());
        let summary = String::from_utf8(again.stdout).unwrap();
        let ending = if count == 1 { "" } else { "s" };
        let line = format!(
            "Left alone there: {count} file{ending} of other campaigns; --clean removes first what a manifest lists\n"
        );
        assert!(summary.contains(&line), "{what}: {summary}");
        assert!(folder.files() == files, "{what}");
    }
}

#[test]
fn clean_leaves_what_the_campaign_writes_into_an_empty_folder() {
    for (what, earlier, later) in PAIRS.iter().chain(PARQUET) {
        let folder = Folder::new();
        made(&folder, earlier);
        let text = made(&folder, &[later, &["--clean"][..]].concat());
        assert!(
            text.starts_with("note: removed ") && text.contains(" of earlier campaigns from `out`: `"),
            "{what}: {text}"
        );
        let expected = fresh(later);
        assert_eq!(
            folder.files().into_keys().collect::<Vec<_>>(),
            expected.keys().cloned().collect::<Vec<_>>(),
            "{what}"
        );
        assert!(folder.files() == expected, "{what}");
        for entry in fs::read_dir(folder.path().join("out")).unwrap().map(Result::unwrap) {
            assert!(!entry.path().is_dir() || !files_below(&entry.path()).is_empty(), "{what}: an empty folder stays");
        }
    }
}

#[test]
fn a_campaign_made_again_or_gone_on_with_says_nothing() {
    let folder = Folder::new();
    let campaign = ["--stamp=261121", "-n", "2", "--site-count", "2"];
    assert_eq!(made(&folder, &campaign), "");
    assert_eq!(made(&folder, &campaign), "");
    assert_eq!(made(&folder, &["--stamp=261121", "-n", "3", "--site-count", "2", "--resume", "out"]), "");
    assert_eq!(made(&folder, &["--stamp=261121", "-n", "3", "--site-count", "2", "--sites", "2"]), "");
    // Clean of anything else it has nothing to say either.
    let empty = Folder::new();
    assert_eq!(made(&empty, &["--clean"]), "");
    // Going on under another date keeps what is there.
    let folder = Folder::new();
    made(&folder, &["--stamp=261120"]);
    assert_eq!(made(&folder, &["--stamp=261121", "-n", "2", "--resume", "out"]), "");
}

#[test]
fn shards_of_a_campaign_leave_one_another_alone() {
    let shard = |number: &'static str| ["--stamp=261121", "--site-count", "4", "--shard", number];
    let whole = Folder::new();
    made(&whole, &["--stamp=261121", "--site-count", "4"]);
    let folder = Folder::new();
    // An earlier campaign of more sites, with another seed.
    made(&folder, &["--stamp=261120", "--site-count", "6", "--seed", "77"]);
    let text = made(&folder, &[&shard("1/2")[..], &["--clean"]].concat());
    assert!(text.starts_with("note: removed "), "{text}");
    let names: Vec<String> = folder.files().into_keys().collect();
    assert!(names.iter().any(|name| name.starts_with("out/site_03/")), "the other shard cleans its own sites");
    assert!(names.iter().all(|name| !name.starts_with("out/site_05/") && !name.starts_with("out/site_01/operation_sequence_261120")));
    made(&folder, &[&shard("2/2")[..], &["--clean"]].concat());
    assert_eq!(made(&folder, &[&shard("1/2")[..], &["--clean"]].concat()).matches("site_03").count(), 0);
    folder.succeed(&["merge", "out"]);
    assert!(folder.files() == whole.files());
}

#[test]
fn sites_made_again_leave_the_others_of_their_batch() {
    let campaign = ["--stamp=261121", "--site-count", "3"];
    let folder = Folder::new();
    made(&folder, &campaign);
    let whole = folder.files();
    made(&folder, &[&campaign[..], &["--sites", "2", "--clean"]].concat());
    assert!(folder.files() == whole);
    // Of another campaign they are not.
    let text = made(&folder, &[&campaign[..], &["--sites", "2", "--clean", "--seed", "5"]].concat());
    assert!(text.contains("site_01/") || text.contains("site_03/"), "{text}");
    assert!(folder.files().keys().all(|name| name.starts_with("out/site_02/") || name == "out/manifest.json"));
}

#[test]
fn what_is_not_of_this_program_and_this_folder_is_never_removed() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261120", "-n", "2", "--site-count", "3"]);
    // Another campaign's output folder below this one, and one beside its sites that looks like a site.
    made(&folder, &["--stamp=261120", "--out-dir", "out/later", "--site-count", "2"]);
    made(&folder, &["--stamp=261120", "--out-dir", "out/site_3"]);
    let mine = [
        "out/notes.txt",
        "out/report.html",
        "out/op_state_probs.yaml",
        "out/site_03/notes.txt",
        "out/site_03/operation_sequence_261120_0000001.csv.gz",
        "out/site_03/my_operation_sequence_261120_0000001.csv",
        "out/site_03/operation_sequence_261120_0000001 (copy).csv",
        "out/site_03/snapshots/notes.json",
        "out/site_01/operation_sequence.csv",
    ];
    let folder = folder.with_all(&mine, "mine");
    let others: Vec<String> = folder
        .files()
        .into_keys()
        .filter(|name| name.starts_with("out/later/") || name.starts_with("out/site_3/"))
        .collect();
    assert!(others.len() > 10);
    made(&folder, &["--stamp=261121", "--site-count", "2", "--clean"]);
    let expected = fresh(&["--stamp=261121", "--site-count", "2"]);
    let left: Vec<String> = folder.files().into_keys().filter(|name| !expected.contains_key(name)).collect();
    let mut kept: Vec<String> = mine.iter().map(|name| (*name).to_owned()).chain(others).collect();
    kept.sort();
    assert_eq!(left, kept);
}

#[cfg(unix)]
#[test]
fn no_link_is_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    made(&folder, &["--stamp=261120", "--site-count", "3"]);
    let outside = folder.path().join("outside");
    fs::rename(folder.path().join("out/site_03"), &outside).unwrap();
    symlink("../outside", folder.path().join("out/site_03")).unwrap();
    let sequence = "operation_sequence_261120_0000001.csv";
    fs::rename(folder.path().join("out/site_02").join(sequence), folder.path().join("kept.csv")).unwrap();
    symlink("../../kept.csv", folder.path().join("out/site_02").join(sequence)).unwrap();
    let before = files_below(&outside);
    made(&folder, &["--stamp=261121", "--site-count", "1", "--clean"]);
    assert!(files_below(&outside) == before);
    assert!(folder.path().join("kept.csv").is_file());
    let link = fs::symlink_metadata(folder.path().join("out/site_02").join(sequence)).unwrap();
    assert!(link.is_symlink(), "a link is the user's");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_or_removed_where_a_link_of_a_site_leads_out() {
    use std::os::unix::fs::symlink;
    let folder = Folder::new();
    let campaign = ["-t", "300", "--stamp=261120", "--site-count", "2"];
    folder.succeed(&[&campaign[..], &["-q"]].concat());
    fs::rename(folder.path().join("out/site_01"), folder.path().join("real")).unwrap();
    symlink("../real", folder.path().join("out/site_01")).unwrap();
    let refused = |folder: &Folder, more: &[&str]| {
        let text = folder.refuse(&[&campaign[..], more].concat());
        assert!(text.starts_with("exit code 2\n") && text.contains("is a link to a place outside `out"), "{text}");
    };
    for more in [&["--clean"][..], &["-n", "2", "--resume", "out"], &[], &["--dry-run"]] {
        refused(&folder, more);
    }
    // Going on from such a folder elsewhere is refused, too.
    refused(&folder, &["-n", "2", "--resume", "out", "--out-dir", "other"]);
    // A link to where the site's own files are is no matter.
    fs::remove_file(folder.path().join("out/site_01")).unwrap();
    fs::rename(folder.path().join("real"), folder.path().join("out/real")).unwrap();
    symlink("real", folder.path().join("out/site_01")).unwrap();
    folder.succeed(&[&campaign[..], &["-n", "2", "--resume", "out", "-q"]].concat());
    // A folder of files below that of a site is held to the same.
    let single = Folder::new();
    single.succeed(&["-t", "300", "--stamp=261120", "-q"]);
    fs::rename(single.path().join("out/snapshots"), single.path().join("real")).unwrap();
    symlink("../real", single.path().join("out/snapshots")).unwrap();
    let text = single.refuse(&["-t", "300", "--stamp=261121", "-n", "2"]);
    assert!(text.contains("`out/snapshots` is a link to a place outside `out`"), "{text}");
}

#[test]
fn a_name_alone_is_no_reason_to_remove_a_file() {
    let mine = [
        "out/operation_sequence_200101_0000001.csv",
        "out/site_01/operation_sequence_200101_0000001.csv",
        "out/site_01/proposer_debug_200101_0000001.log",
        "out/site_01/snapshots/state_snapshot_20200101_000000_0000001.json",
        "out/site_07/operation_sequence_200101_0000001.csv",
    ];
    let folder = Folder::new().with_all(&mine, "seq,time\n");
    let campaign = ["--stamp=261121", "--site-count", "1"];
    for more in [&[][..], &["--clean"]] {
        let text = made(&folder, &[&campaign[..], more].concat());
        let expected = "warning: `out` holds 5 files named like this program's that no manifest lists as they are, which stay: \
                        `operation_sequence_200101_0000001.csv`, ";
        assert!(text.contains(expected), "{text}");
    }
    for name in mine {
        assert_eq!(fs::read_to_string(folder.path().join(name)).unwrap(), "seq,time\n", "{name}");
    }
    // What says itself who wrote it is removed without a manifest.
    made(&folder, &["--stamp=261120"]);
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    let text = made(&folder, &["--stamp=261121", "--clean"]);
    assert!(
        text.contains("note: removed 17 files of earlier campaigns") && text.contains(" 5 files named like"),
        "{text}"
    );
    assert_eq!(fs::read_dir(folder.path().join("out/snapshots")).unwrap().count(), 1);
    // So are the tables beside it, which have no room to say so; alone they stay.
    let alone = ["--outputs", "operation_sequence", "--proposer-log", "off", "--out-dir", "alone"];
    made(&folder, &[&alone[..], &["--stamp=261120"]].concat());
    fs::remove_file(folder.path().join("alone/manifest.json")).unwrap();
    made(&folder, &[&alone[..], &["--stamp=261121", "--clean"]].concat());
    assert!(folder.path().join("alone/operation_sequence_261120_0000001.csv").is_file());
}

/// Whatever a campaign in between has left without a manifest.
fn clean_after_two_campaigns(more: &[&str]) {
    let folder = Folder::new();
    let later = [&["--stamp=261121", "--seed=9", "--site-count=2"], more].concat();
    made(&folder, &[&["--stamp=261121", "-n", "3", "--site-count=3"], more].concat());
    made(&folder, &[&["--stamp=261121", "--seed=8", "--site-count=2"], more].concat());
    let text = made(&folder, &[&later[..], &["--clean"]].concat());
    assert!(text.starts_with("note: removed ") && !text.contains("named like"), "{text}");
    assert!(folder.files() == fresh(&later));
}

#[test]
fn clean_takes_what_a_campaign_without_it_left() {
    clean_after_two_campaigns(&[]);
}

#[cfg(feature = "parquet")]
#[test]
fn clean_takes_parquet_by_who_wrote_it() {
    clean_after_two_campaigns(&["--format=parquet"]);
    clean_after_two_campaigns(&["--format=parquet", "--outputs=operation_sequence", "--proposer-log=off"]);
    let folder = Folder::new();
    made(&folder, &["--stamp=261121", "-n", "2", "--format=parquet"]);
    made(&folder, &["--stamp=261121", "--format=parquet"]);
    let path = folder.path().join("out/run=0000002/operation_sequence.parquet");
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(10).rposition(|part| part == b"nandseqgen").unwrap();
    bytes[at..at + 10].copy_from_slice(b"duckdb 1.4");
    fs::write(&path, bytes).unwrap();
    let text = made(&folder, &["--stamp=261121", "--format=parquet", "--clean"]);
    assert!(text.contains("a file named like this program's") && path.is_file(), "{text}");
}

#[test]
fn files_of_unknown_origin_that_are_replaced_are_named() {
    let mine = [
        "out/site_01/operation_sequence_261121_0000001.csv",
        "out/site_01/operation_timeline_261121_0000001.csv",
        "out/site_01/proposer_debug_261121_0000001.log",
        "out/site_01/snapshots/state_snapshot_20261121_000000_0000001.json",
    ];
    let folder = Folder::new().with_all(&mine, "# proposer debug log\n");
    let campaign = ["--stamp=261121", "--site-count=1"];
    let warning = "warning: 4 files in `out` that no manifest of this program lists as they are will be replaced: \
                   `site_01/operation_sequence_261121_0000001.csv`, `site_01/operation_timeline_261121_0000001.csv`, \
                   `site_01/proposer_debug_261121_0000001.log` and 1 more\n";
    let before = folder.files();
    for more in [&[][..], &["--clean"]] {
        let text = made(&folder, &[&campaign[..], more, &["--dry-run"]].concat());
        assert!(text.contains(warning), "{text}");
    }
    assert!(folder.files() == before);
    // What is not made stays, and what is replaced is not counted as left.
    let output = folder.succeed(&["-t", "300", "--stamp=261121", "--site-count=1", "--proposer-log=off"]);
    let text = stderr(&output);
    assert!(text.contains("warning: 3 files in `out` that no") && text.contains("holds a file named like"), "{text}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("Left alone there: 1 file "));
    // Now they are listed, or beside a snapshot that says whose they are.
    let single = ["--stamp=261121", "--site-count=1", "--proposer-log=off"];
    assert!(!made(&folder, &single).contains("replaced"));
    fs::remove_file(folder.path().join("out/site_01/manifest.json")).unwrap();
    assert!(!made(&folder, &single).contains("replaced"));
    // Those of another campaign of this program are called that.
    let text = made(&folder, &[&single[..], &["--seed=8"]].concat());
    assert!(
        text.contains(" files of another campaign in `out` will be replaced: `")
            && !text.contains("no manifest of this program"),
        "{text}"
    );
    // A single file.
    let alone = ["--stamp=261121", "--outputs=operation_sequence", "--proposer-log=off", "--out-dir=alone"];
    made(&folder, &alone);
    fs::remove_file(folder.path().join("alone/manifest.json")).unwrap();
    let expected = "warning: a file in `alone` that no manifest of this program lists as it is will be replaced: \
                    `operation_sequence_261121_0000001.csv`\n";
    assert_eq!(made(&folder, &[&alone[..], &["--clean"]].concat()), expected);
}

#[test]
fn a_manifest_of_somebody_else_is_not_replaced() {
    let batch = ["--site-count=2"];
    for (name, contents, campaign, place) in [
        ("manifest.json", "{\"name\":\"my web app\"}\n", &[][..], ":1:7 is no manifest: "),
        ("manifest.json", "{\"name\":\"my web app\"}\n", &batch, ":1:7 is no manifest: "),
        ("manifest.json", "{\"name\":\"my web app\"}\n", &["--resume=out"], ":1:7 is no manifest: "),
        ("manifest.json", "", &[], " is no manifest: it is empty"),
        ("manifest.json", "{\"site_seed\": 1, ", &[], ":1:17 is no manifest of a site: "),
        ("site_01/manifest.json", "[1]", &batch, ":1:3 is no manifest: "),
        ("manifest.partial.jsonl", "my notes\n", &[], ":1 is not a list of finished runs of this program"),
        ("site_02/manifest.partial.jsonl", "my notes\n", &batch, ":1 is not a list of finished runs of this program"),
        ("manifest.shard-1-of-2.json", "{}", &["--site-count=2", "--shard=1/2"], ":1:2 is no manifest: "),
    ] {
        let folder = Folder::new();
        fs::create_dir_all(folder.path().join("out").join(name).parent().unwrap()).unwrap();
        let folder = folder.with(&format!("out/{name}"), contents);
        let before = folder.files();
        for more in [&[][..], &["--clean"], &["--dry-run"]] {
            if more.contains(&"--clean") && campaign.contains(&"--resume=out") {
                continue;
            }
            let text = folder.refuse(&[&SHORT, campaign, more].concat());
            assert!(text.starts_with("exit code 2\n") && text.contains(&format!("`out/{name}`{place}")), "{text}");
            assert!(text.contains("would be replaced: move it away or remove it"), "{text}");
            assert!(folder.files() == before, "{name}");
        }
    }
}

#[test]
fn the_same_campaign_at_another_time_of_day_replaces_its_snapshots() {
    let folder = Folder::new();
    let snapshots = || fs::read_dir(folder.path().join("out/snapshots")).unwrap().count();
    assert_eq!(made(&folder, &["--stamp=261121", "-n", "2"]), "");
    let to_night = |folder: &Folder| {
        // As an execution of the evening would have called them.
        let path = folder.path().join("out/manifest.json");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("20261121_000000", "20261121_235959")).unwrap();
        for run in ["0000001", "0000002"] {
            let name = |time| folder.path().join(format!("out/snapshots/state_snapshot_20261121_{time}_{run}.json"));
            fs::rename(name("000000"), name("235959")).unwrap();
        }
    };
    to_night(&folder);
    assert_eq!(made(&folder, &["--stamp=261121", "-n", "2"]), "");
    assert_eq!(snapshots(), 2);
    // Those of another campaign, of other runs or of another day are not touched.
    for later in
        [&["--stamp=261121", "-n", "2", "--seed", "9"][..], &["--stamp=261121"], &["--stamp=261122", "-n", "2"]]
    {
        let folder = Folder::new();
        made(&folder, &["--stamp=261121", "-n", "2"]);
        to_night(&folder);
        let text = made(&folder, later);
        assert!(text.starts_with("warning: `out` holds "), "{later:?}: {text}");
        assert!(folder.path().join("out/snapshots/state_snapshot_20261121_235959_0000002.json").is_file(), "{later:?}");
    }
}

#[test]
fn only_a_ledger_that_reads_as_one_is_removed() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("out")).unwrap();
    let folder = folder.with("out/manifest.partial.jsonl", "my notes\n");
    assert_eq!(made(&folder, &["--stamp=261121", "--site-count", "2", "--clean"]), "");
    assert_eq!(fs::read_to_string(folder.path().join("out/manifest.partial.jsonl")).unwrap(), "my notes\n");
}

#[test]
fn clean_and_going_on_exclude_each_other() {
    let folder = Folder::new();
    let text = folder.refuse(&["--clean", "--resume", "out"]);
    assert!(text.starts_with("exit code 2\n") && text.contains("'--clean'") && text.contains("'--resume <"), "{text}");
}

#[test]
fn a_killed_campaign_is_cleaned_too() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261120", "--site-count", "2", "-n", "2"]);
    let site = folder.path().join("out/site_02");
    let manifest: serde_json::Value = serde_json::from_slice(&fs::read(site.join("manifest.json")).unwrap()).unwrap();
    let head = serde_json::json!({ "stamp": "20261120_000000", "manifest": { "runs": [] } });
    let mut head = head;
    let mut copy = manifest.clone();
    copy["runs"] = serde_json::json!([]);
    head["manifest"] = copy;
    fs::write(site.join("manifest.partial.jsonl"), format!("{head}\n{}\n", manifest["runs"][0])).unwrap();
    fs::remove_file(site.join("manifest.json")).unwrap();
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    made(&folder, &["--stamp=261121", "--site-count", "1", "--clean"]);
    assert!(folder.files() == fresh(&["--stamp=261121", "--site-count", "1"]));
}

#[test]
#[cfg(target_os = "linux")]
fn a_campaign_of_more_sites_than_files_may_be_open_is_cleaned() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261120", "--site-count", "100", "--ops", "1", "--outputs", "operation_sequence"]);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -n 64; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_nandseqgen")]);
    shell.args(["--stamp=261121", "--site-count", "2", "-t", "300", "--clean", "--jobs", "1"]);
    let output = shell.current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(folder.files() == fresh(&["--stamp=261121", "--site-count", "2"]));
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 3);
}

#[test]
fn a_list_of_campaigns_cleans_each_for_itself() {
    let list = |clean: bool| {
        format!(
            "campaigns:\n  - {{out_dir: one, run_until: 300, stamp: 261121, clean: {clean}}}\n  - {{out_dir: two, run_until: 300, stamp: 261121}}\n"
        )
    };
    let folder = Folder::new().with("list.yaml", list(true));
    for place in ["one", "two"] {
        made(&folder, &["--stamp=261120", "--out-dir", place]);
    }
    let text = stderr(&folder.succeed(&["run-list", "list.yaml"]));
    assert!(text.contains("from `one`") && text.contains("warning: `two` holds "), "{text}");
    let files = folder.files();
    assert!(files.keys().all(|name| !name.starts_with("one/operation_sequence_261120")));
    assert!(files.keys().any(|name| name.starts_with("two/operation_sequence_261120")));
    // Going on takes nothing away.
    folder.succeed(&["run-list", "list.yaml", "--quiet", "--resume"]);
    assert!(folder.files() == files);
}

#[test]
fn runs_after_the_last_that_was_needed_are_named() {
    let campaign = ["--stamp=261121", "--until-coverage", "3", "--ops", "400", "--closure"];
    let folder = Folder::new();
    folder.succeed(&["--ops", "400", "-n", "6", "--stamp=261121", "--quiet"]);
    let output = folder.succeed(&[&campaign[..], &["-n", "6"]].concat());
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.contains("files of other campaigns; --clean removes first what a manifest lists"), "{summary}");
}

#[test]
fn clean_keeps_a_listed_file_whose_contents_somebody_replaced() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261121", "-n", "2"]);
    let table = "out/operation_timeline_261121_0000002.csv";
    fs::write(folder.path().join(table), "mine\n").unwrap();
    let text = made(&folder, &["--stamp=261121", "--clean"]);
    let stays = "`out` holds a file named like this program's that no manifest lists as it is, which stays: \
                 `operation_timeline_261121_0000002.csv`\n";
    assert!(text.contains("note: removed ") && text.contains(stays), "{text}");
    assert_eq!(fs::read_to_string(folder.path().join(table)).unwrap(), "mine\n");
    // One that is replaced is named.
    fs::write(folder.path().join("out/operation_timeline_261121_0000001.csv"), "mine\n").unwrap();
    let text = made(&folder, &["--stamp=261121", "--clean"]);
    let replaced = "a file in `out` that no manifest of this program lists as it is will be replaced: \
                    `operation_timeline_261121_0000001.csv`\n";
    assert!(text.contains(replaced), "{text}");
}

#[test]
fn where_clean_cannot_be_given_it_is_not_suggested() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261121", "--site-count=3"]);
    // The same campaign with fewer sites: the third is no other campaign's, and is not given up.
    let said = folder.refuse(&[&SHORT[..], &["--stamp=261121", "--site-count=2", "--resume=out"]].concat());
    assert!(said.contains("`out` has site 3 of this campaign already") && !said.contains("--clean"), "{said}");
    assert_eq!(made(&folder, &["--stamp=261121", "--site-count=2", "--sites=1-2", "--resume=out"]), "");
    // A site of another campaign.
    let folder = Folder::new();
    made(&folder, &["--stamp=261121", "--site-count=3", "--seed=7"]);
    made(&folder, &["--stamp=261121", "--site-count=2"]);
    let output = folder.succeed(&["-t", "300", "--stamp=261121", "--site-count=2", "--resume=out"]);
    let said = stderr(&output) + &String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("files of other campaigns, which stay") && said.contains("Left alone there: "), "{said}");
    assert!(!said.contains("--clean"), "{said}");
}

#[test]
fn quiet_has_no_notes() {
    let folder = Folder::new();
    made(&folder, &["--stamp=261120"]);
    assert_eq!(made(&folder, &["--stamp=261121", "--clean", "-q"]), "");
    // A table that this program wrote leaves keys empty under which nothing is allowed: that is no news.
    let device = crate::given_files::small_profile().replace("[STATUS, RESET]", "[]");
    let folder = folder.with("device.yaml", device);
    let table = ["--config=device.yaml", "--op-state-probs", "table.yaml", "--out-dir", "a"];
    made(&folder, &[&table[..], &["--refresh-op-state-probs"]].concat());
    let text = fs::read_to_string(folder.path().join("table.yaml")).unwrap();
    assert!(text.contains(": {}\n"), "{text}");
    let told = made(&folder, &table);
    assert!(!told.contains("empty-key"), "{told}");
    // A key that somebody emptied is.
    let emptied = text.split_once("  RESET.END:\n").unwrap().0.to_owned() + "  RESET.END: {}\n";
    fs::write(folder.path().join("table.yaml"), emptied).unwrap();
    assert!(made(&folder, &table).contains("empty-key"));
    assert!(!made(&folder, &[&table[..], &["-q"]].concat()).contains("note"));
}
