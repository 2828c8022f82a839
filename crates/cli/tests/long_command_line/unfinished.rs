//! Campaigns that were killed or interrupted: every command that reads them says so, with the command that resumes all of the
//! campaign.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use crate::runner::Folder;
use crate::running::Running;

/// More runs than anybody waits for.
const ENDLESS: &str = "9999999";
const BATCH: [&str; 9] = ["-t", "500", "--stamp", "261121", "--site-count", "3", "--jobs", "1", "-q"];
const READERS: [&[&str]; 4] =
    [&["verify", "out"], &["report", "out"], &["coverage", "report", "out"], &["export", "out", "--to", "vcd"]];

/// What a reader says on stderr.
fn said(folder: &Folder, reader: &[&str]) -> String {
    String::from_utf8(folder.succeed(reader).stderr).unwrap()
}

/// The line with the command that goes on.
fn command(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("  nandseqgen ")).unwrap()
}

#[test]
fn a_batch_that_was_killed_is_gone_on_with_as_a_whole() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &[&BATCH[..], &["-n", ENDLESS]].concat());
    running.until_there_is(&folder.path().join("out/site_01/operation_sequence_261121_0000003.csv"));
    running.kill();
    for reader in READERS {
        let text = said(&folder, reader);
        let expected = "warning: `out` is not finished: site 1 lacks runs, sites 2-3 have no finished run; to go on, unless it is \
                        being made now:\n  nandseqgen generate ";
        assert!(text.contains(expected), "{reader:?}: {text}");
        let end = "--site-count 3 --site-start 1 --site-dir-pattern 'site_{site_id:02d}' --out-dir out --resume out";
        assert!(command(&text).ends_with(end), "{text}");
    }
    for [command_line, folder_of_it] in [["replay", "out"], ["replay", "out/site_01"], ["merge", "out"]] {
        let text = folder.refuse(&[command_line, folder_of_it]);
        assert!(text.contains("help: `out` is not finished: site 1 lacks runs"), "{command_line}: {text}");
        assert!(command(&text).ends_with("--out-dir out --resume out"), "{command_line}: {text}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&folder.succeed(&["verify", "out", "--format", "json"]).stdout).unwrap();
    assert!(json.to_string().contains("sites 2-3 have no finished run"), "{json}");
    // What is printed ends in the whole batch; its length is cut to what can be waited for.
    let text = said(&folder, &["verify", "out/site_01"]);
    assert!(text.contains("warning: `out` is not finished: site 1 lacks runs; to go on"), "{text}");
    let shell = format!("{} {} -q", env!("CARGO_BIN_EXE_nandseqgen"), command(&text).replace(ENDLESS, "200"));
    let status = Command::new("sh").args(["-c", &shell]).current_dir(folder.path()).status().unwrap();
    assert!(status.success());
    assert_eq!(said(&folder, &["verify", "out", "-q"]), "");
    folder.succeed(&["merge", "out", "-q"]);
}

#[test]
fn an_unfinished_site_keeps_its_number_under_another_name() {
    let folder = Folder::new();
    let mut running =
        Running::start(&folder, &["-t", "500", "--stamp", "261121", "--sites", "12", "-n", ENDLESS, "-q"]);
    running.until_there_is(&folder.path().join("out/site_12/operation_sequence_261121_0000002.csv"));
    running.kill();
    fs::create_dir(folder.path().join("parts")).unwrap();
    fs::rename(folder.path().join("out/site_12"), folder.path().join("parts/12-v2")).unwrap();
    let text = folder.refuse(&["report", "parts", "--site", "2"]);
    assert!(text.contains("error: there is no site 2\n  help: the site is 12\n"), "{text}");
    folder.succeed(&["report", "parts", "--site", "12"]);
}

#[test]
fn a_batch_that_was_interrupted_is_not_finished() {
    let folder = Folder::new();
    let mut running = Running::start(&folder, &[&BATCH[..], &["-n", ENDLESS]].concat());
    running.until_there_is(&folder.path().join("out/site_01/operation_sequence_261121_0000002.csv"));
    let output = String::from_utf8(running.interrupt().stderr).unwrap();
    let told = output.split_once("to go on: nandseqgen ").unwrap().1.trim_end();
    for reader in READERS {
        let text = said(&folder, reader);
        assert!(text.contains("warning: `out` is not finished: site"), "{reader:?}: {text}");
        assert_eq!(command(&text), told);
    }
    assert_eq!(command(&folder.refuse(&["merge", "out"])), told);
    // What is there can be made again.
    assert_eq!(command(&said(&folder, &["replay", "out"])), told);
}

#[test]
fn what_is_whole_or_a_part_that_was_asked_for_is_finished() {
    let folder = Folder::new();
    folder.succeed(&[&BATCH[..], &["--sites", "2"]].concat());
    assert_eq!(said(&folder, &["verify", "out"]), "");
    let folder = Folder::new();
    folder.succeed(&[&BATCH[..], &["--shard", "1/2"]].concat());
    assert_eq!(said(&folder, &["verify", "out"]), "");
    let folder = Folder::new();
    folder.succeed(&[&BATCH[..], &["-n", "2"]].concat());
    assert_eq!(said(&folder, &["verify", "out"]), "");
    // A single device, of which runs are to come.
    let single = Folder::new();
    single.succeed(&["-t", "500", "--stamp", "261121", "-n", "2", "-q"]);
    assert_eq!(said(&single, &["verify", "out"]), "");
    let path = single.path().join("out/manifest.json");
    let text =
        fs::read_to_string(&path).unwrap().replace("\"--num-runs\",\n      \"2\"", "\"--num-runs\",\n      \"5\"");
    fs::write(&path, text).unwrap();
    let text = said(&single, &["verify", "out"]);
    assert!(text.contains("warning: `out` is not finished: 2 of 5 runs are there; to go on"), "{text}");
}

#[test]
fn without_snapshots_the_command_that_goes_on_is_printed_too() {
    let folder = Folder::new();
    let flags = ["-t", "500", "--stamp", "261121", "-q", "--outputs", "operation_sequence", "-n", ENDLESS];
    let mut running = Running::start(&folder, &flags);
    running.until_there_is(&folder.path().join("out/operation_sequence_261121_0000002.csv"));
    let output = String::from_utf8(running.interrupt().stderr).unwrap();
    assert!(output.contains("to go on: nandseqgen generate "), "{output}");
    let text = said(&folder, &["verify", "out"]);
    assert!(text.contains("; to go on, for want of snapshots from the first run of what is not finished"), "{text}");
    assert!(command(&text).ends_with("--out-dir out --resume out"), "{text}");
}
