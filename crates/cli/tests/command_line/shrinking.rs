//! A run that fails is shrunk: with a command as judge, and with rounds on a tester.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use insta::assert_snapshot;

use crate::runner::Folder;

/// A site with two runs of some hundred operations.
fn site() -> Folder {
    let folder = Folder::new();
    let run = ["-n", "2", "-t", "40000", "--seed", "7", "--stamp", "261121", "-q"];
    folder.succeed(&[&run[..], &["--site-count", "2", "--out-dir", "lot", "--no-bootstrap"]].concat());
    folder
}

/// Puts a program into a folder.
fn script(folder: &Folder, name: &str, text: &str) {
    let path = folder.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A sequence fails if a read follows an erase.
const FAULT: &str = r#"awk '/Block_Erase/ {e = 1} /Page_Read/ {if (e) f = 1} END {exit f}' "$1""#;

/// The same in the test's own words.
fn fails(sequence: &str) -> bool {
    sequence.split_once("Block_Erase").is_some_and(|(_, after)| after.contains("Page_Read"))
}

const SHRINK: [&str; 6] = ["shrink", "lot", "--site", "2", "--run", "2"];

/// Runs the program, and kills it after so many ms. Returns whether it was done before.
fn killed_after(folder: &Folder, arguments: &[&str], ms: u64) -> bool {
    let mut program = folder.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    thread::sleep(Duration::from_millis(ms));
    program.kill().unwrap();
    program.wait().unwrap().success()
}

fn sequence(folder: &Path) -> String {
    fs::read_to_string(folder.join("operation_sequence_261121_0000001.csv")).unwrap()
}

#[test]
fn a_search_that_is_killed_goes_on_to_the_same_result_which_is_legal_and_tells_its_story() {
    let folder = site();
    script(&folder, "oracle.sh", FAULT);
    let run = |oracle: &str, out: &str| folder.run(&[&SHRINK[..], &["--oracle", oracle, "-o", out]].concat());
    let whole = run("./oracle.sh", "small");
    assert!(whole.status.success(), "{}", String::from_utf8_lossy(&whole.stderr));
    let small = sequence(&folder.path().join("small"));
    assert!(fails(&small) && small.lines().count() <= 8, "{small}");
    assert!(folder.succeed(&["verify", "small"]).status.success());
    let story = fs::read_to_string(folder.path().join("small/story.txt")).unwrap();
    assert_eq!(String::from_utf8(whole.stdout).unwrap(), story);
    assert!(story.contains("breaks `") && story.contains("run 1 row "), "{story}");
    // Killed by its own oracle, again and again, it ends with the same files.
    let killing = "echo >> count; test $(($(wc -l < count) % 33)) -ne 0 || kill -9 $PPID";
    script(&folder, "kills.sh", &format!("{killing}\n{FAULT}"));
    let mut kills = 0;
    while !run("exec ./kills.sh", "killed").status.success() {
        kills += 1;
        assert!(kills < 60, "it goes on");
    }
    assert!(kills > 1, "{kills}");
    // Killed from outside at any instant, the same.
    let shrink = [&SHRINK[..], &["--oracle", "./oracle.sh", "-o", "cut"]].concat();
    let instants = (1..12).map(|number| 37 * number % 150);
    assert!(instants.filter(|ms| !killed_after(&folder, &shrink, *ms)).count() > 0);
    folder.succeed(&shrink);
    let files = folder.files();
    let of = |out: &str| {
        let own = files.iter().filter_map(|(name, bytes)| Some((name.strip_prefix(&format!("{out}/"))?, bytes)));
        own.collect::<Vec<_>>()
    };
    assert!(of("killed") == of("small") && of("cut") == of("small"));
    what_can_be_done_with_it(&folder);
    a_state_that_cannot_be_gone_on_with_is_refused(&folder, &shrink);
}

/// The page of a shrunk sequence has its story, and what cannot be done says what can.
fn what_can_be_done_with_it(folder: &Folder) {
    folder.succeed(&["report", "small", "-o", "page.html", "-q"]);
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("[\"Shrunk from\",\"") && page.contains("[\"Operation 1\",\""));
    assert_eq!(
        folder.refuse(&["replay", "small"]),
        "exit code 2\nerror: the arguments in `small` cannot be used: no seed makes a sequence again that was shrunk\n  \
         help: `nandseqgen verify small` judges it, `nandseqgen report small` shows it with its story; the `shrink` that made it makes it again\n"
    );
}

fn a_state_that_cannot_be_gone_on_with_is_refused(folder: &Folder, shrink: &[&str]) {
    let path = folder.path().join("cut/shrink-state.json");
    let state = fs::read_to_string(&path).unwrap();
    for (damaged, what) in [
        (state.replacen("\"schema\":4", "\"schema\":3", 1), "another version wrote it"),
        (state.replacen("\"rounds\":", "\"rounds\":1", 1), "it is damaged"),
        (state[..state.len() / 2].to_owned(), "it is damaged"),
    ] {
        fs::write(&path, damaged).unwrap();
        let told = folder.refuse(shrink);
        assert!(told.contains(&format!("`cut/shrink-state.json` cannot be gone on with: {what}\n")), "{told}");
    }
}

#[test]
fn rounds_on_a_tester_end_with_what_the_oracle_ends_with() {
    let folder = site();
    script(&folder, "oracle.sh", FAULT);
    folder.succeed(&[&SHRINK[..], &["--oracle", "./oracle.sh", "-q"]].concat());
    let batch = [&SHRINK[..], &["--batch", "rounds", "-o", "small"]].concat();
    folder.succeed(&batch);
    let waiting = folder.succeed(&[&batch[..], &["--format", "json", "-q"]].concat()).stdout;
    let waiting: serde_json::Value = serde_json::from_slice(&waiting).unwrap();
    assert_eq!(waiting["folder"], "rounds/round_0001");
    assert!(waiting["waiting"] == true && waiting["round"] == 1 && waiting["times"] == 1 && waiting["tried"] == 0);
    assert!(waiting["best"] == waiting["began_with"] && waiting["steps"].as_array().unwrap().is_empty());
    let mut rounds = 0;
    while !folder.path().join("small/story.txt").exists() {
        rounds += 1;
        let round = folder.path().join(format!("rounds/round_{rounds:04}"));
        let mut answers = "site,run,op_uid\n".to_owned();
        let mut site = 1;
        while round.join(format!("site_{site:02}")).exists() {
            let failed = fails(&sequence(&round.join(format!("site_{site:02}"))));
            answers += &format!("{site},1,{}\n", if failed { "1" } else { "" });
            site += 1;
        }
        assert!((2..=33).contains(&site) && rounds < 60, "{rounds} {site}");
        if rounds == 2 {
            assert!(folder.succeed(&["verify", "rounds/round_0002", "-q"]).status.success());
        }
        fs::write(folder.path().join("fails.csv"), answers).unwrap();
        let number = rounds.to_string();
        let answered = [&batch[..], &["--fails", "fails.csv", "--round", &number]].concat();
        // Killed at any instant, also while it writes, it does the same when it is called again.
        killed_after(&folder, &answered, 13 * rounds);
        folder.succeed(&answered);
        if rounds == 2 {
            let json = folder.run(&[&batch[..], &["--format", "json"]].concat()).stdout;
            let waiting: serde_json::Value = serde_json::from_slice(&json).unwrap();
            assert!(waiting["round"] == 3 && waiting["best"].as_u64() < waiting["began_with"].as_u64(), "{waiting}");
            assert!(!waiting["steps"].as_array().unwrap().is_empty());
        }
        if rounds == 3 {
            // An answer that was counted before its process was killed is not counted for the next round.
            let again = folder.succeed(&answered);
            assert!(String::from_utf8_lossy(&again.stderr).contains("round 3 was answered before"));
        }
    }
    assert_eq!(sequence(&folder.path().join("small")), sequence(&folder.path().join("shrunk")));
}

#[test]
fn fails_and_folders_that_cannot_be_meant_are_refused_with_their_place() {
    let folder = site().with("fault.yaml", "schema: 1\nname: reads\nwhen: {address: {class: read, die: 0}}\n");
    let batch = [&SHRINK[..], &["--batch", "rounds"]].concat();
    folder.succeed(&batch);
    folder.succeed(&["simulate", "rounds/round_0001", "--fault", "fault.yaml", "-o", "fails.stdf", "-q"]);
    let stdf = fs::read(folder.path().join("fails.stdf")).unwrap();
    let mut told = String::new();
    for fails in [
        &stdf[..stdf.len() - 30],
        &stdf[..stdf.len() / 2],
        b"site,run,op_uid\n40,1,1\n",
        b"site,run,op_uid\n1,2,1\n",
        b"site,run,op_uid\n1,1,\n2,1,99999\n",
        b"site,run,op_uid\n1,1,\n",
        b"site,run\n1,1\n",
        b"",
    ] {
        fs::write(folder.path().join("fails"), fails).unwrap();
        told += &folder.refuse(&[&batch[..], &["--fails", "fails"]].concat());
    }
    told += &folder.refuse(&[&batch[..], &["--fails", "fails.stdf", "--round", "2"]].concat());
    // Sites of several devices, and a sequence that is not the one of its manifest.
    let device = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    fs::write(folder.path().join("other.yaml"), device.replacen("pages_per_block: 2564", "pages_per_block: 2000", 1))
        .unwrap();
    let other = ["--config", "other.yaml", "-t", "4000", "--stamp", "261121", "-q"];
    folder.succeed(&[&other[..], &["--out-dir", "lot/site_01", "--no-bootstrap", "--clean"]].concat());
    told += &folder.refuse(&[&SHRINK[..], &["--oracle", "true"]].concat());
    fs::remove_dir_all(folder.path().join("lot/site_01")).unwrap();
    let path = folder.path().join("lot/site_02/operation_sequence_261121_0000002.csv");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("die\"\":1", "die\"\":9", 1)).unwrap();
    told += &folder.refuse(&[&SHRINK[..], &["--oracle", "true"]].concat());
    // The right fails are taken.
    fs::write(path, text).unwrap();
    folder.succeed(&[&batch[..], &["--fails", "fails.stdf"]].concat());
    // Warnings of changed manifests have digests.
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("warning: ")).collect();
    assert_snapshot!(told.join("\n"));
}

#[test]
fn what_cannot_be_shrunk_is_refused_with_a_message() {
    let folder = site();
    let refuse = |more: &[&str]| {
        let output = folder.run(&[&["shrink", "lot"], more].concat());
        format!("exit code {}\n{}", output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr))
    };
    let site = ["--site", "1", "--run", "1"];
    let refused = [
        refuse(&["--oracle", "true"]),
        refuse(&["--site", "3", "--oracle", "true"]),
        refuse(&["--site", "1", "--run", "9", "--oracle", "true"]),
        refuse(&[&site[..], &["--oracle", "true", "-o", "a"]].concat()),
        refuse(&[&site[..], &["--oracle", "exit 7;", "-o", "b"]].concat()),
        refuse(&[&site[..], &["--oracle", "true", "--op", "999999", "-o", "c"]].concat()),
        refuse(&[&site[..], &["--oracle", "true", "--fails-at-least", "2"]].concat()),
        refuse(&[&site[..], &["--oracle", "true", "-o", "lot/site_01"]].concat()),
        refuse(&site),
    ];
    assert_snapshot!(refused.join("\n"));
}
