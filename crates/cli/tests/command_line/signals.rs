//! Interrupting: what was finished stays, nothing half-written is under a final name.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::runner::{Folder, checked_manifest};

#[test]
fn an_interrupted_program_keeps_finished_runs_and_nothing_else() {
    let folder = Folder::new();
    let arguments = ["-n", "9999999", "-t", "2000", "--stamp", "261121"];
    let mut child = folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let finished = folder.path().join("out/operation_sequence_261121_0000003.csv");
    let started = Instant::now();
    while !finished.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "no run was finished in a minute");
        sleep(Duration::from_millis(5));
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut text).unwrap();
    let manifest = checked_manifest(&folder.path().join("out"));
    assert!(manifest.runs.len() >= 3);
    let (said, command) = text.split_once("to go on: ").unwrap();
    assert!(said.ends_with(&format!("interrupted: {} finished runs are kept\n", manifest.runs.len())), "{text}");
    // The command that was named goes on, to what an uninterrupted execution writes.
    let runs = manifest.runs.len() + 2;
    let command = command.trim_end().replace("--num-runs 9999999", &format!("--num-runs {runs} --quiet"));
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    folder.succeed(&arguments);
    let whole = Folder::new();
    whole.succeed(&["-n", &runs.to_string(), "-t", "2000", "--stamp", "261121", "--quiet"]);
    assert!(folder.files() == whole.files());
}

#[test]
fn a_single_long_run_is_given_up_at_once() {
    let folder = Folder::new();
    let mut child = folder.command(&["-t", "1e12", "--quiet"]).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !folder.path().join("out").exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing happened in a minute");
        sleep(Duration::from_millis(5));
    }
    sleep(Duration::from_millis(200));
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(checked_manifest(&folder.path().join("out")).runs, []);
}

/// Starts the program, interrupts it as soon as `path` is there, and returns what it said.
fn interrupted(folder: &Folder, arguments: &[&str], path: &Path) -> Output {
    let child = folder.command(arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let started = Instant::now();
    while !path.exists() {
        assert!(started.elapsed() < Duration::from_secs(60), "{} did not come in a minute", path.display());
        sleep(Duration::from_millis(2));
    }
    interrupt(child)
}

fn interrupt(child: Child) -> Output {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// The command that an interrupted program says goes on, without its own name.
fn said_to_go_on(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let command = text.split_once("to go on: ").unwrap().1.trim_end();
    // What a shell would take quotes off has no spaces here.
    command.split(' ').skip(1).map(|word| word.trim_matches('\'').to_owned()).collect()
}

#[test]
fn sites_in_parallel_stop_together_and_go_on_with_the_command_that_is_named() {
    let arguments = ["-n", "30", "-t", "1500", "--site-count", "3", "--jobs", "3", "--stamp", "261121"];
    let folder = Folder::new();
    let output =
        interrupted(&folder, &arguments, &folder.path().join("out/site_02/operation_sequence_261121_0000002.csv"));
    let finished: usize = (1..=3)
        .map(|site| folder.path().join(format!("out/site_{site:02}")))
        .map(|site| checked_manifest(&site).runs.len())
        .sum();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains(&format!("interrupted: {finished} finished runs are kept\n")), "{finished}: {text}");
    let command = said_to_go_on(&output);
    folder.succeed(&command.iter().map(String::as_str).collect::<Vec<_>>());
    let whole = Folder::new();
    whole.succeed(&arguments);
    assert!(folder.files() == whole.files());
}

#[test]
fn a_bootstrap_can_be_interrupted_and_begun_again() {
    let arguments = ["-n", "2", "-t", "1e12", "--bootstrap", "--quiet", "--stamp", "261121"];
    let folder = Folder::new();
    let ledger = folder.path().join("out/manifest.partial.jsonl");
    let output = interrupted(&folder, &arguments, &ledger);
    assert_eq!(checked_manifest(&folder.path().join("out")).runs, []);
    let command = said_to_go_on(&output);
    assert!(command.contains(&"--bootstrap".to_owned()));
    interrupted(&folder, &command.iter().map(String::as_str).collect::<Vec<_>>(), &ledger);
    assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), ["out/manifest.json"]);
}

#[test]
fn an_interrupted_replay_leaves_nothing_and_names_no_command() {
    let folder = Folder::new();
    folder.succeed(&["-n", "200", "-t", "1000", "--outputs", "operation_sequence", "--quiet"]);
    let before = folder.files();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    let child =
        folder.command(&["replay", "out", "--work-dir", "work", "--quiet"]).stderr(Stdio::piped()).spawn().unwrap();
    while fs::read_dir(&work).unwrap().next().is_none() {
        sleep(Duration::from_millis(2));
    }
    let output = interrupt(child);
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    assert!(folder.files() == before);
}

#[test]
fn an_interrupted_list_goes_on_with_the_command_that_is_named() {
    let list = "\
campaigns:
  - {name: first, seed: 1, runs: 2, run_until: 700, out_dir: lot/a, stamp: 261121}
  - {name: second, seed: 2, runs: 60, run_until: 1500, out_dir: lot/b, stamp: 261121}
  - {name: third, seed: 3, runs: 2, run_until: 700, out_dir: lot/c, stamp: 261121}
";
    let folder = Folder::new().with("a list.yaml", list);
    let second = folder.path().join("lot/b/operation_sequence_261121_0000002.csv");
    let output = interrupted(&folder, &["run-list", "a list.yaml", "--quiet"], &second);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.ends_with("to go on: nandseqgen run-list 'a list.yaml' --resume\n"), "{text}");
    assert!(!folder.path().join("lot/c").exists());
    folder.succeed(&["run-list", "a list.yaml", "--resume", "--quiet"]);
    let whole = Folder::new().with("a list.yaml", list);
    whole.succeed(&["run-list", "a list.yaml", "--quiet"]);
    assert!(folder.files() == whole.files());
}
