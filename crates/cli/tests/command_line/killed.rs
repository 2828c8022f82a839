//! Ends that nobody asked for: killed at any instant, a disk that is full. What is there is complete, and going on ends in what an
//! uninterrupted execution writes.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use crate::runner::{Folder, files_below};

/// Kills of the whole test unless the environment says otherwise; `scripts/kill-resume` asks for 200.
const KILLS: u64 = 10;
/// Kills of one campaign before it may go on to its end.
const KILLS_IN_A_ROW: u64 = 4;

const CAMPAIGN: [&str; 12] =
    ["-t", "1200", "-n", "5", "--site-count", "3", "--seed", "31", "--stamp", "261121", "--quiet", "--jobs=2"];

/// Whether a file has no final name: it is being written, or says how far the site is.
fn is_unfinished(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap();
    file.starts_with('.') || file == "manifest.partial.jsonl"
}

/// Every file under a final name is the one that an uninterrupted execution writes.
fn assert_complete(files: &BTreeMap<String, Vec<u8>>, whole: &BTreeMap<String, Vec<u8>>) {
    for (name, bytes) in files.iter().filter(|(name, _)| !is_unfinished(name)) {
        assert!(whole.get(name) == Some(bytes), "{name} is not complete");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "how much of a campaign each kill left is worth knowing")]
fn killed_at_any_instant_it_goes_on_to_the_same_bytes() {
    let whole = Folder::new();
    let started = Instant::now();
    whole.succeed(&CAMPAIGN);
    let length = started.elapsed();
    let whole = whole.files();
    let kills = std::env::var("NANDSEQGEN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let mut killed = 0;
    while killed < kills {
        let folder = Folder::new();
        for again in 0..KILLS_IN_A_ROW.min(kills - killed) {
            // What was done before is not done again: later kills come earlier.
            let share = nandseq_generate::mix(killed, again, 0) % 1000;
            let wait = length.mul_f64(share as f64 / 1000.0 / (1 + again) as f64);
            let arguments = [&CAMPAIGN[..], &["--resume", "out"]].concat();
            let mut child = folder.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            sleep(wait);
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            let files = folder.files();
            assert_complete(&files, &whole);
            println!("kill {killed} after {wait:?}: {} of {} files", files.len(), whole.len());
        }
        folder.succeed(&[&CAMPAIGN[..], &["--resume", "out"]].concat());
        let files = folder.files();
        let differs = |name: &&String| files.get(*name) != whole.get(*name);
        let different: Vec<&String> = files.keys().chain(whole.keys()).filter(differs).collect();
        assert!(different.is_empty(), "after {killed} kills these differ: {different:?}");
    }
}

/// Runs the program with its output on a disk of this size; `None` where a user may not mount one.
fn on_a_small_disk(folder: &Folder, kilobytes: u64, arguments: &[&str]) -> Option<i32> {
    let script = "mount -t tmpfs -o size=$0k small disk || exit 99; \"$@\"; code=$?; cp -a disk copy; exit $code";
    fs::create_dir(folder.path().join("disk")).unwrap();
    let size = kilobytes.to_string();
    let program = env!("CARGO_BIN_EXE_nandseqgen");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, &size, program]).args(arguments);
    let output = command.current_dir(folder.path()).stdout(Stdio::null()).output().ok()?;
    let code = output.status.code()?;
    // 1: unshare itself was refused; this program returns it for findings only.
    (code != 99 && code != 1).then_some(code)
}

#[test]
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did nothing")]
fn a_full_disk_leaves_complete_files_and_the_rest_is_made_elsewhere() {
    let whole = Folder::new();
    whole.succeed(&[&CAMPAIGN[..], &["--out-dir", "copy/out"]].concat());
    let whole = files_below(&whole.path().join("copy/out"));
    let size: usize = whole.values().map(Vec::len).sum();
    for share in [3, 5, 8] {
        let folder = Folder::new();
        let kilobytes = (size * share / 10 / 1024) as u64;
        let arguments = [&CAMPAIGN[..], &["--out-dir", "disk/out"]].concat();
        let Some(code) = on_a_small_disk(&folder, kilobytes, &arguments) else {
            println!("no disk can be mounted here: the test is skipped");
            return;
        };
        assert_eq!(code, 3);
        let mut files = files_below(&folder.path().join("copy/out"));
        // Manifests list what is finished, which is less than the whole.
        files.retain(|name, _| !name.ends_with("manifest.json"));
        assert_complete(&files, &whole);
        assert!(files.keys().all(|name| !name.rsplit('/').next().unwrap().starts_with('.')), "half files are left");
        folder.succeed(&[&CAMPAIGN[..], &["--out-dir", "copy/out", "--resume", "copy/out"]].concat());
        assert!(files_below(&folder.path().join("copy/out")) == whole);
        assert!(Path::new(&folder.path().join("disk")).exists());
    }
}
