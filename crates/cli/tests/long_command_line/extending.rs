//! A finished or interrupted campaign gets more runs, or files that are gone: the result has the bytes of one execution.

use std::fs;

use insta::assert_snapshot;

use crate::runner::{Folder, checked_manifest, files_below};

/// Makes a campaign with few runs and extends it twice; the result is that of making it at once.
fn extends(flags: &[&str]) {
    let at = |runs: &'static str, more: &[&'static str]| {
        let mut all = flags.to_vec();
        all.extend(["--seed", "5", "--stamp", "261121", "--quiet", "-n", runs]);
        all.extend(more);
        all
    };
    // Coverage that the runs do not reach is said by the exit code; the files are the same.
    let make = |folder: &Folder, arguments: &[&str]| {
        let output = folder.run(arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 4)), "{arguments:?}: {told}");
    };
    let whole = Folder::new();
    make(&whole, &at("4", &[]));
    let split = Folder::new();
    make(&split, &at("1", &[]));
    make(&split, &at("2", &["--resume", "out"]));
    assert!(split.files() != whole.files());
    make(&split, &at("4", &["--resume", "out"]));
    let (split, whole) = (split.files(), whole.files());
    let differs = |name: &&String| split.get(*name) != whole.get(*name);
    let different: Vec<&String> = split.keys().chain(whole.keys()).filter(differs).collect();
    assert!(different.is_empty(), "{flags:?}: {different:?}");
}

#[test]
fn more_runs_extend_a_campaign_whatever_set_their_length() {
    extends(&["--ops", "40"]);
    extends(&["--ops", "40", "--closure"]);
    extends(&["--until-coverage", "60", "--ops", "300"]);
    extends(&["--until-coverage", "1.5"]);
    extends(&["--ops", "40", "-t", "900"]);
    extends(&["--ops", "30", "--site-count", "3", "--jobs", "2"]);
    extends(&["--ops", "30", "--site-count", "2", "--seed-formula", "hashed", "--outputs", "operation_sequence"]);
    extends(&["-t", "1000000", "--ops", "30", "--no-bootstrap"]);
}

#[cfg(feature = "parquet")]
#[test]
fn more_runs_extend_a_dataset() {
    extends(&["--ops", "30", "--site-count", "2", "--format", "parquet"]);
}

#[test]
fn shards_are_extended_each_by_itself_and_join_to_the_longer_batch() {
    let flags = ["--ops", "30", "--site-count", "4", "--seed", "5", "--stamp", "261121", "--quiet"];
    let whole = Folder::new();
    whole.succeed(&[&flags[..], &["-n", "3"]].concat());
    let parts = Folder::new();
    for runs in ["1", "3"] {
        for shard in ["1/2", "2/2"] {
            parts.succeed(&[&flags[..], &["-n", runs, "--shard", shard, "--resume", "out"]].concat());
        }
    }
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
}

#[test]
fn shards_are_extended_and_joined_again_where_they_were_joined() {
    let flags = ["--ops", "30", "--site-count", "4", "--seed", "5", "--stamp", "261121", "--quiet"];
    let whole = Folder::new();
    whole.succeed(&[&flags[..], &["-n", "3"]].concat());
    let parts = Folder::new();
    let make = |runs, shard| {
        let made = parts.succeed(&[&flags[..], &["-n", runs, "--shard", shard, "--resume", "out"]].concat());
        assert_eq!(String::from_utf8(made.stderr).unwrap(), "");
    };
    for shard in ["1/2", "2/2"] {
        make("1", shard);
    }
    parts.succeed(&["merge", "out"]);
    make("3", "1/2");
    // What was extended is not damaged.
    let note = "the sites that `out/manifest.shard-1-of-2.json` lists were extended and are not merged yet: extend the other shards too, then \
                `nandseqgen merge out`";
    for reader in [
        &["verify", "out"][..],
        &["replay", "out"],
        &["coverage", "report", "out"],
        &["report", "out", "-o", "/dev/null"],
    ] {
        let output = parts.succeed(reader);
        let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(
            text.contains(note) && !text.contains("changed since") && !text.contains("damaged"),
            "{reader:?}: {text}"
        );
    }
    let refused = parts.refuse(&["merge", "out"]);
    assert!(refused.contains("sites 3-4 have 1 of 3 runs in `out`: runs 2-3 are missing"), "{refused}");
    make("3", "2/2");
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == whole.files());
}

#[test]
fn a_part_that_was_extended_alone_is_joined_when_the_others_are_too() {
    let flags = ["--ops", "30", "--site-count", "4", "--seed", "5", "--stamp", "261121", "--quiet"];
    let whole = Folder::new();
    whole.succeed(&[&flags[..], &["-n", "3", "--out-dir", "joint"]].concat());
    let parts = Folder::new();
    for (folder, shard, runs) in [("a", "1/2", "1"), ("b", "2/2", "1"), ("a", "1/2", "3")] {
        parts.succeed(&[&flags[..], &["-n", runs, "--shard", shard, "--out-dir", folder, "--resume", folder]].concat());
    }
    let refused = parts.refuse(&["merge", "a", "b", "--into", "joint"]);
    assert!(refused.contains("error: sites 3-4 have 1 of 3 runs in `b`: runs 2-3 are missing"), "{refused}");
    // The command that it prints extends the part.
    let command = refused.lines().find_map(|line| line.trim().strip_prefix("nandseqgen ")).unwrap();
    parts.succeed(&command.split(' ').map(|word| word.trim_matches('\'')).collect::<Vec<_>>());
    parts.succeed(&["merge", "b", "a", "--into", "joint"]);
    assert!(files_below(&parts.path().join("joint")) == files_below(&whole.path().join("joint")));
}

#[test]
fn runs_that_end_by_what_they_did_have_the_time_of_the_whole_site() {
    let folder = Folder::new();
    folder.succeed(&["--ops", "40", "-n", "3", "--stamp", "261121", "--quiet"]);
    let manifest = checked_manifest(&folder.path().join("out"));
    assert!(!manifest.origin.arguments.contains(&"--run-until".to_owned()), "{:?}", manifest.origin.arguments);
    assert!(manifest.runs.iter().all(|run| run.operations >= 40));
    // What the manifest lists makes the same again.
    folder.succeed(&["replay", "out", "--quiet"]);
}

#[test]
fn another_length_of_runs_is_another_campaign_and_says_how_to_get_more() {
    let folder = Folder::new();
    let flags = ["--seed", "5", "--stamp", "261121", "-n", "2"];
    folder.succeed(&[&flags[..], &["--ops", "40"]].concat());
    let refused = |more: &[&str]| {
        let flags = if more.contains(&"-n") { &flags[..4] } else { &flags[..] };
        folder.refuse(&[flags, more].concat())
    };
    assert_snapshot!(refused(&["--ops", "80", "--resume", "out"]));
    assert_snapshot!(refused(&["--ops", "40", "-t", "5000", "--resume", "out"]));
    assert_snapshot!(refused(&["-t", "5000", "--resume", "out"]));
    // Nobody gave a flag that limits the runs: in this command, and in the one that made those there.
    let text = refused(&["-n", "4", "--resume", "out"]);
    assert!(text.contains("made with `--ops 40`; runs without a flag for their length (100000 µs) are"), "{text}");
    assert!(!text.contains("--run-until"), "{text}");
    folder.succeed(&["--stamp", "261121", "--out-dir", "plain", "-q"]);
    let text = folder.refuse(&["--stamp", "261121", "--out-dir", "plain", "--resume", "plain", "--ops", "80"]);
    assert!(text.contains("made without a flag for their length (100000 µs); runs with `--ops 80` are"), "{text}");
    assert!(!text.contains("--run-until"), "{text}");
    assert_snapshot!(refused(&[
        "--ops",
        "80",
        "--resume",
        "out/snapshots/state_snapshot_20261121_000000_0000002.json"
    ]));
}

#[test]
fn a_refusal_names_no_flag_that_nobody_gave() {
    let folder = Folder::new();
    let flags = ["--stamp", "261121", "-q"];
    folder.succeed(&[&flags[..], &["--until-coverage", "0.5", "--out-dir", "covered"]].concat());
    let refused = |more: &[&str]| folder.refuse(&[&flags[..], more].concat());
    let text = refused(&["--until-coverage", "1", "--out-dir", "covered", "--resume", "covered"]);
    assert!(text.contains("made with `--until-coverage 0.5`; runs with `--until-coverage 1` are"), "{text}");
    let text = refused(&["-n", "2", "--out-dir", "covered", "--resume", "covered"]);
    assert!(text.contains("with `--until-coverage 0.5` and at most "), "{text}");
    assert!(!text.contains("--ops") && !text.contains("--run-until"), "{text}");
    folder.succeed(&[&flags[..], &["--ops", "20", "--site-count", "2", "--out-dir", "batch"]].concat());
    let text = refused(&["-n", "2", "--out-dir", "batch", "--resume", "batch"]);
    let expected =
        "they were made with `--ops 20 --site-count 2`, and this command makes runs without --ops and --site-count\n";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_single_run_without_the_bootstrap_is_extended_without_it() {
    let folder = Folder::new();
    let shown = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    let enabled = shown.replacen("enabled: false", "enabled: true", 1);
    assert_ne!(shown, enabled, "the built-in device says whether it begins with its bootstrap");
    let folder = folder.with("device.yaml", enabled);
    let flags = ["--config", "device.yaml", "-t", "3000", "--stamp", "261121", "--quiet"];
    folder.succeed(&[&flags[..], &["-n", "1"]].concat());
    assert_snapshot!(folder.refuse(&[&flags[..], &["-n", "2", "--resume", "out"]].concat()));
    folder.succeed(&[&flags[..], &["-n", "2", "--no-bootstrap", "--resume", "out"]].concat());
    let whole = Folder::new().with("device.yaml", fs::read(folder.path().join("device.yaml")).unwrap());
    whole.succeed(&[&flags[..], &["-n", "2", "--no-bootstrap"]].concat());
    assert!(folder.files() == whole.files());
}

const FINISHED: [&str; 8] = ["-t", "700", "--site-count", "2", "--seed", "9", "--stamp", "261121"];

/// A finished batch, and its files.
fn finished(more: &[&str]) -> (Folder, std::collections::BTreeMap<String, Vec<u8>>) {
    let folder = Folder::new();
    folder.succeed(&[&FINISHED[..], &["-n", "4"], more].concat());
    let files = folder.files();
    (folder, files)
}

fn resumed(folder: &Folder, more: &[&str]) -> String {
    let runs: &[&str] = if more.contains(&"-n") { &[] } else { &["-n", "4"] };
    let output = folder.succeed(&[&FINISHED[..], runs, more, &["--resume", "out"]].concat());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_file_that_is_gone_is_made_again() {
    let (folder, whole) = finished(&[]);
    let site = "out/site_01";
    for (gone, said) in [
        (&["operation_timeline_261121_0000003.csv"][..], "run 3 is made again"),
        (&["operation_sequence_261121_0000001.csv"], "run 1 is made again"),
        (&["proposer_debug_261121_0000004.log"], "run 4 is made again"),
        (&["snapshots/state_snapshot_20261121_000000_0000004.json"], "run 4 is made again"),
        (
            &["operation_sequence_261121_0000002.csv", "snapshots/state_snapshot_20261121_000000_0000003.json"],
            "run 2 is made again",
        ),
        (
            &["operation_sequence_261121_0000002.csv", "operation_timeline_261121_0000004.csv"],
            "and 1 more of what its manifest lists: runs 2, 4 are made again",
        ),
    ] {
        for name in gone {
            fs::remove_file(folder.path().join(site).join(name)).unwrap();
        }
        let text = resumed(&folder, &[]);
        assert!(text.contains(&format!("`{site}` lacks `{}`", gone[0])) && text.contains(said), "{gone:?}: {text}");
        let lost = whole.iter().filter(|(name, bytes)| folder.files().get(*name) != Some(bytes));
        let lost: Vec<&String> = lost.map(|(name, _)| name).collect();
        // A snapshot that nothing goes on from is said to be gone.
        if gone.len() == 2 && gone[1].contains("snapshot") {
            assert_eq!(lost, ["out/site_01/snapshots/state_snapshot_20261121_000000_0000003.json"]);
            assert!(text.contains("snapshots that going on does not need"), "{text}");
            fs::write(folder.path().join(lost[0]), &whole[lost[0]]).unwrap();
        } else {
            assert!(lost.is_empty(), "{gone:?}: {lost:?}");
        }
    }
    // An empty file is none.
    fs::write(folder.path().join(site).join("operation_sequence_261121_0000001.csv"), "").unwrap();
    assert!(resumed(&folder, &["--quiet"]).contains("run 1 is made again"));
    assert!(folder.files() == whole);
    assert_eq!(resumed(&folder, &["--quiet"]), "");
}

#[test]
fn a_campaign_with_a_file_gone_is_mended_and_extended_in_one_go() {
    let (folder, _) = finished(&[]);
    for name in ["operation_sequence_261121_0000001.csv", "snapshots/state_snapshot_20261121_000000_0000004.json"] {
        fs::remove_file(folder.path().join("out/site_02").join(name)).unwrap();
    }
    resumed(&folder, &["-n", "6"]);
    let whole = Folder::new();
    whole.succeed(&[&FINISHED[..], &["-n", "6"]].concat());
    assert!(folder.files() == whole.files());
}

#[test]
fn a_site_whose_manifest_or_folder_is_gone_is_made_again() {
    let (folder, whole) = finished(&[]);
    fs::remove_file(folder.path().join("out/site_02/manifest.json")).unwrap();
    let text = resumed(&folder, &[]);
    assert!(text.contains("`out/site_02` has no manifest: its runs are made again"), "{text}");
    assert!(folder.files() == whole);
    fs::remove_dir_all(folder.path().join("out/site_01")).unwrap();
    resumed(&folder, &[]);
    assert!(folder.files() == whole);
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    resumed(&folder, &[]);
    assert!(folder.files() == whole);
}

#[test]
fn files_keep_their_date_when_they_are_made_again() {
    let folder = Folder::new();
    folder.succeed(&["-t", "500", "-n", "2", "--stamp", "261121"]);
    let whole = folder.files();
    fs::remove_file(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    folder.succeed(&["-t", "500", "-n", "2", "--stamp", "261124", "--resume", "out"]);
    assert!(folder.files() == whole);
}

#[test]
fn a_manifest_that_was_altered_is_not_made_true() {
    let (folder, _) = finished(&[]);
    let path = folder.path().join("out/site_01/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let altered = text.replacen("\"operations\":", "\"operations\":1", 1);
    assert_ne!(text, altered);
    fs::write(&path, altered).unwrap();
    fs::remove_file(folder.path().join("out/site_01/operation_timeline_261121_0000001.csv")).unwrap();
    let mut before = folder.files();
    let output = folder.run(&[&FINISHED[..], &["-n", "4", "--resume", "out"]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("run 1 in `out/site_01` is not what its manifest lists"), "{text}");
    // No file is there that was not, and the batch still has both sites.
    let mut after = folder.files();
    let batch: serde_json::Value = serde_json::from_slice(&after.remove("out/manifest.json").unwrap()).unwrap();
    before.remove("out/manifest.json").unwrap();
    assert!(after == before);
    assert_eq!(batch["sites"].as_array().unwrap().len(), 2, "{batch}");
}

#[test]
fn going_on_elsewhere_lists_what_is_there() {
    let (folder, _) = finished(&[]);
    folder.succeed(&[&FINISHED[..], &["-n", "6", "--resume", "out", "--out-dir", "longer"]].concat());
    let manifest = checked_manifest(&folder.path().join("longer/site_01"));
    assert_eq!(manifest.runs.iter().map(|run| run.run).collect::<Vec<_>>(), [5, 6]);
    // A run of the part that is gone is made again from a snapshot of the part, or not at all.
    fs::remove_file(folder.path().join("longer/site_01/operation_sequence_261121_0000005.csv")).unwrap();
    let output = folder.run(&[&FINISHED[..], &["-n", "6", "--resume", "longer", "--out-dir", "longer"]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("run 5 in `longer/site_01` lacks files, and no snapshot before it is there"), "{text}");
}

#[cfg(feature = "parquet")]
#[test]
fn a_table_of_a_dataset_that_is_gone_is_made_again() {
    let (folder, whole) = finished(&["--format", "parquet"]);
    fs::remove_dir_all(folder.path().join("out/site=01/run=0000002")).unwrap();
    let text = resumed(&folder, &["--format", "parquet"]);
    assert!(text.contains("and 5 more of what its manifest lists: run 2 is made again"), "{text}");
    assert!(folder.files() == whole);
}

#[test]
fn a_finished_campaign_that_is_gone_on_with_has_nothing_to_do() {
    for more in [&[][..], &["--site-count", "2", "-n", "2"]] {
        let folder = Folder::new();
        let arguments = [&["--ops", "50", "--stamp", "261121"][..], more].concat();
        folder.succeed(&arguments);
        let before = folder.files();
        let again = [&arguments[..], &["--resume", "out"]].concat();
        let text = String::from_utf8(folder.succeed(&again).stdout).unwrap();
        assert!(text.starts_with("Every run is there already: nothing to do\n"), "{text}");
        assert!(text.ends_with("  nandseqgen verify out\n") && !text.contains("Never started"), "{text}");
        let json = folder.succeed(&[&again[..], &["--summary", "json", "-q"]].concat()).stdout;
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!((&json["runs"], &json["never_started"]), (&0.into(), &serde_json::json!([])));
        assert!(folder.files() == before);
    }
}
