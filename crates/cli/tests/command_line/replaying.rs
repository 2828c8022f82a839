//! `nandseqgen replay`: the runs of a manifest are made again and compared.

use std::fs;

use crate::runner::Folder;

fn made(more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&[&["-t", "700", "-n", "3", "--seed", "5"], more].concat());
    folder
}

fn said(folder: &Folder, arguments: &[&str]) -> (i32, String) {
    let before = folder.files();
    let output = folder.run(arguments);
    assert!(folder.files() == before, "replaying changed files");
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn what_was_made_is_made_again() {
    let folder = made(&[]);
    let (code, text) = said(&folder, &["replay", "out/manifest.json"]);
    assert_eq!((code, text.as_str()), (0, "24 files of 3 runs made again: all as the manifest says\n"));
    let (code, text) = said(&folder, &["replay", "out", "--run", "2"]);
    assert_eq!((code, text.as_str()), (0, "8 files of 1 run made again: all as the manifest says\n"));
    let batch = made(&["--site-count", "3", "--seed-formula", "hashed", "--outputs", "operation_sequence,snapshot"]);
    let (code, text) = said(&batch, &["replay", "out"]);
    assert_eq!((code, text.as_str()), (0, "18 files of 9 runs made again: all as the manifest says\n"));
    let (code, text) = said(&batch, &["replay", "out/site_02"]);
    assert_eq!((code, text.as_str()), (0, "6 files of 3 runs made again: all as the manifest says\n"));
    let (code, text) = said(&batch, &["replay", "out", "--sites", "1,3", "--run", "1", "--jobs", "1"]);
    assert_eq!((code, text.as_str()), (0, "4 files of 2 runs made again: all as the manifest says\n"));
    let prepared = made(&["--bootstrap", "--outputs", "operation_sequence"]);
    let (code, text) = said(&prepared, &["replay", "out", "--run", "1"]);
    assert_eq!((code, text.as_str()), (0, "1 file of 1 run made again: all as the manifest says\n"));
    // As with other folders that are written to, the place of what is made is made too.
    let (code, text) = said(&folder, &["replay", "out", "--run", "1", "--work-dir", "new/place"]);
    assert_eq!((code, text.as_str()), (0, "8 files of 1 run made again: all as the manifest says\n"));
    assert_eq!(fs::read_dir(folder.path().join("new/place")).unwrap().count(), 0);
    let output = folder.succeed(&["replay", "out", "--quiet"]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn a_profile_whose_name_looks_like_a_flag_is_found_again() {
    let folder = Folder::new();
    let profile = folder.succeed(&["profile", "show"]).stdout;
    let folder = folder.with("-dev.yaml", profile);
    folder.succeed(&[
        "--config=-dev.yaml",
        "--ops",
        "20",
        "--site-count",
        "1",
        "--outputs",
        "operation_sequence",
        "-q",
    ]);
    let (code, text) = said(&folder, &["replay", "out"]);
    assert_eq!((code, text.as_str()), (0, "1 file of 1 run made again: all as the manifest says\n"));
}

#[test]
fn a_changed_row_is_located() {
    let folder = made(&["--site-count", "2", "--stamp", "261121"]);
    let path = folder.path().join("out/site_02/operation_sequence_261121_0000002.csv");
    let text = fs::read_to_string(&path).unwrap();
    let row = text.lines().nth(2).unwrap();
    fs::write(&path, text.replacen(row, "2,1.0,0,X,1,[{}]", 1)).unwrap();
    let log = folder.path().join("out/site_01/proposer_debug_261121_0000003.log");
    let longer = fs::read_to_string(&log).unwrap() + "more\n";
    fs::write(&log, longer).unwrap();
    let (code, text) = said(&folder, &["replay", "out"]);
    assert_eq!(code, 1);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("`out/site_01/proposer_debug_261121_0000003.log` was changed: row "), "{text}");
    assert!(lines[0].ends_with(" is `more`, made again it is missing"), "{text}");
    // Of a long row the beginning is shown.
    let (place, shown) = lines[1].split_once(", made again it is ").unwrap();
    let expected = "`out/site_02/operation_sequence_261121_0000002.csv` was changed: row 2 is `2,1.0,0,X,1,[{}]`";
    assert_eq!(place, expected);
    let shown = shown.trim_matches('`').trim_end_matches('…');
    assert!(shown.len() > 60 && row.starts_with(shown), "{text}");
    assert_eq!(lines[2], "48 files of 6 runs made again: 2 differences");
}

#[test]
fn what_is_not_there_or_was_made_of_something_else_is_said() {
    let folder = made(&["--stamp", "261121"]);
    fs::remove_file(folder.path().join("out/operation_timeline_261121_0000001.csv")).unwrap();
    let path = folder.path().join("out/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    // A manifest whose flags are not those that made the files.
    fs::write(&path, text.replacen("\"5\"", "\"6\"", 1)).unwrap();
    let (code, text) = said(&folder, &["replay", "out", "--run", "1"]);
    assert_eq!(code, 1);
    assert!(text.contains("`out/operation_timeline_261121_0000001.csv` cannot be read: no such file"), "{text}");
    assert!(text.contains("`out/operation_sequence_261121_0000001.csv` is made otherwise now: row "), "{text}");
    assert!(text.contains("run 1 in `out`: seed 5 and"), "{text}");
}

#[test]
fn inputs_that_changed_are_refused() {
    let bad = "die,block\n0,0\n";
    let folder = Folder::new().with("bad.csv", bad);
    let profile = folder.succeed(&["profile", "show"]).stdout;
    fs::write(folder.path().join("device.yaml"), &profile).unwrap();
    folder.succeed(&["-t", "300", "--config", "device.yaml", "--badlist", "bad.csv"]);
    folder.succeed(&["replay", "out"]);
    fs::write(folder.path().join("bad.csv"), "die,block\n0,1\n").unwrap();
    let text = folder.refuse(&["replay", "out", "--quiet"]);
    assert!(text.contains("the list of bad blocks `bad.csv` is not what it was"), "{text}");
    fs::write(folder.path().join("bad.csv"), bad).unwrap();
    fs::rename(folder.path().join("device.yaml"), folder.path().join("moved.yaml")).unwrap();
    let text = folder.refuse(&["replay", "out"]);
    assert!(text.contains("the profile `device.yaml` that the manifest names is not there"), "{text}");
    folder.succeed(&["replay", "out", "--config", "moved.yaml"]);
}

#[test]
fn a_file_that_is_read_by_default_is_not_read_if_there_was_none_then() {
    let folder = Folder::new();
    let profile = folder.succeed(&["profile", "show"]).stdout;
    let folder = folder.with("device.yaml", profile);
    let generate = ["--ops", "50", "--stamp", "261121", "--config", "device.yaml", "-q"];
    folder.succeed(&generate);
    folder.succeed(&[&generate[..], &["--refresh-op-state-probs", "--out-dir", "other"]].concat());
    assert!(folder.path().join("op_state_probs.yaml").is_file());
    let resume = [&generate[..], &["-n", "2", "--resume", "out"]].concat();
    let text = folder.refuse(&resume);
    let expected = "`out` holds runs made without a probability table, and now `op_state_probs.yaml` is read\n  help: move this file away";
    assert!(text.contains(expected), "{text}");
    let folder = folder.with("badlist.csv", "die,block\n0,3\n");
    folder.succeed(&["replay", "out"]);
    fs::remove_file(folder.path().join("op_state_probs.yaml")).unwrap();
    let text = folder.refuse(&resume);
    assert!(text.contains("made without a list of bad blocks, and now `badlist.csv` is read"), "{text}");
}

#[test]
fn runs_that_cannot_be_made_again_are_not_as_the_manifest_says() {
    let folder = made(&["--site-count", "3", "--sites", "1-2", "--outputs", "operation_sequence"]);
    let text = folder.refuse(&["replay", "out", "--sites", "2-3"]);
    assert!(text.contains("there is no site 3: `out/manifest.json` does not list it"), "{text}");
    let path = folder.path().join("out/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    // A site that the flags in the manifest do not make.
    fs::write(&path, text.replacen("\"1-2\"", "\"2\"", 1)).unwrap();
    let (code, text) = said(&folder, &["replay", "out", "--run", "3"]);
    let expected = "run 3 in `out/site_01` was not made again\n1 file of 1 run made again: 1 difference\n";
    assert_eq!((code, text.as_str()), (1, expected));
}

#[test]
fn what_is_no_manifest_is_refused() {
    let folder = made(&[]).with("else.json", "{\"a\": 1}").with("noise.json", "no");
    for (path, part) in [
        ("nowhere", "cannot read the manifest `nowhere`"),
        ("else.json", "`else.json`:1:4 is no manifest: `a` is not known"),
        ("noise.json", "`noise.json`:1:2 is no manifest: "),
    ] {
        let text = folder.refuse(&["replay", path]);
        assert!(text.starts_with("exit code 2\n") && text.contains(part), "{text}");
    }
    let text = folder.refuse(&["replay", "out", "--run", "4"]);
    assert!(text.contains("there is no run 4: `out` lists 3"), "{text}");
    let text = folder.refuse(&["replay", "out", "--sites", "1"]);
    assert!(text.contains("--sites chooses from a batch"), "{text}");
}
