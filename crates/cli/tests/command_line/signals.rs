//! Interrupting: what was finished stays, nothing half-written is under a final name.
#![cfg(unix)]

use std::process::{Command, Stdio};
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
