//! Forced ends: a kill at any instant, a full disk. Every file under a final name is complete, and the resumed campaign ends with
//! the files of an uninterrupted one.
#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

use crate::runner::{Folder, files_below};
use crate::running::Running;

/// Kills of a program at work in each test unless the environment says otherwise; `scripts/kill-resume` asks for 200.
const KILLS: u64 = 10;
const SIGKILL: i32 = 9;
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

/// What became of programs that were to be killed.
#[derive(Default, Debug)]
struct Tries {
    /// Killed at work: there was something, but not everything.
    halfway: u64,
    /// Killed before they had written anything, or when everything was there.
    idle: u64,
    /// Ended before they were killed.
    late: u64,
}

/// Kills a campaign again and again, each time after a share of its length between `first` and 1000 thousandths, and goes on. Only
/// kills of a program at work count.
#[expect(clippy::print_stdout, reason = "how much of a campaign each kill left is worth knowing")]
fn killed_it_goes_on(campaign: &[&str], first: u64) {
    let whole = Folder::new();
    let started = Instant::now();
    whole.succeed(campaign);
    // The machine may become less busy, or busier: then it changes.
    let mut length = started.elapsed();
    let whole = whole.files();
    let kills = std::env::var("NANDSEQGEN_KILLS").map_or(KILLS, |kills| kills.parse().unwrap());
    let (mut tries, mut number) = (Tries::default(), 0);
    while tries.halfway < kills {
        let folder = Folder::new();
        for again in 0..KILLS_IN_A_ROW {
            // What was done before is not done again: later kills come earlier.
            let share = first + nandseq_generate::mix(number, again, 0) % (1000 - first);
            let wait = length.mul_f64(share as f64 / 1000.0 / (1 + again) as f64);
            number += 1;
            let running = Running::start(&folder, &[campaign, &["--resume", "out"]].concat());
            sleep(wait);
            let status = running.kill();
            let files = folder.files();
            assert_complete(&files, &whole);
            if status.signal() != Some(SIGKILL) {
                assert!(status.success(), "it ended by itself: {status}");
                tries.late += 1;
                length = length.mul_f64(0.9);
                break;
            }
            if files.is_empty() || files == whole {
                tries.idle += 1;
                length = length.mul_f64(if files.is_empty() { 1.2 } else { 1.0 });
                continue;
            }
            tries.halfway += 1;
            println!("kill {} after {wait:?}: {} of {} files", tries.halfway, files.len(), whole.len());
        }
        folder.succeed(&[campaign, &["--resume", "out"]].concat());
        let files = folder.files();
        let differs = |name: &&String| files.get(*name) != whole.get(*name);
        let different: Vec<&String> = files.keys().chain(whole.keys()).filter(differs).collect();
        assert!(different.is_empty(), "after {} kills these differ: {different:?}", tries.halfway);
        assert!(number < 20 * (kills + KILLS_IN_A_ROW), "hardly any kill comes in time: {tries:?}");
    }
    println!("{tries:?}, 0 differences");
}

#[test]
fn killed_at_any_instant_it_goes_on_to_the_same_bytes() {
    killed_it_goes_on(&CAMPAIGN, 0);
}

/// Many sites of one short run: most of the time goes into folders, ledgers and manifests.
#[test]
fn killed_while_ledgers_become_manifests_it_goes_on_to_the_same_bytes() {
    let outputs = "--outputs=operation_sequence,snapshot";
    let campaign = ["-t", "50", "--site-count", "24", "--stamp", "261121", "--quiet", "--jobs=5", outputs];
    killed_it_goes_on(&campaign, 0);
    // The manifest of the batch is the last file.
    killed_it_goes_on(&campaign, 900);
}

#[test]
fn killed_while_packs_are_made_it_goes_on_to_the_same_bytes() {
    killed_it_goes_on(&[&CAMPAIGN[..], &["--pack", "2"]].concat(), 0);
}

#[cfg(feature = "parquet")]
#[test]
fn killed_while_packs_of_tables_are_made_it_goes_on_to_the_same_bytes() {
    killed_it_goes_on(&[&CAMPAIGN[..], &["--pack", "2", "--format", "parquet"]].concat(), 0);
}

#[cfg(feature = "parquet")]
#[test]
fn killed_while_parquet_is_written_it_goes_on_to_the_same_bytes() {
    killed_it_goes_on(&[&CAMPAIGN[..], &["--format", "parquet"]].concat(), 0);
}

/// What runs a script in a world of mounts of its own, with the program and its arguments as `$@`.
fn with_mounts(folder: &Folder, script: &str, arguments: &[&str]) -> (i32, String) {
    let program = env!("CARGO_BIN_EXE_nandseqgen");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh", program]).args(arguments);
    let output = command.current_dir(folder.path()).stdout(Stdio::null()).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A folder with a folder `disk` to mount one on; `None`, with a word about it, where a user may not mount anything.
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did nothing")]
fn with_disk() -> Option<Folder> {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("disk")).unwrap();
    let script = "mount -t tmpfs -o size=64k small disk && mount -o remount,size=128k disk";
    let mut probe = Command::new("unshare");
    probe.args(["--map-root-user", "--mount", "sh", "-c", script]).current_dir(folder.path());
    let works = probe.output().is_ok_and(|output| output.status.success());
    if !works {
        println!("no disk can be mounted here: the test is skipped");
    }
    works.then_some(folder)
}

#[test]
fn a_full_disk_leaves_complete_files_and_with_room_it_goes_on() {
    let whole = Folder::new();
    whole.succeed(&[&CAMPAIGN[..], &["--out-dir", "copy/out"]].concat());
    let whole = files_below(&whole.path().join("copy/out"));
    let size: usize = whole.values().map(Vec::len).sum();
    for share in [3, 5, 8] {
        let Some(folder) = with_disk() else { return };
        let kilobytes = (size * share / 10 / 1024) as u64;
        let arguments = [&CAMPAIGN[..], &["--out-dir", "disk/out"]].concat();
        // Then there is room.
        let script = format!(
            "mount -t tmpfs -o size={kilobytes}k small disk || exit 99; \"$@\"; code=$?; cp -a disk copy; \
             mount -o remount,size=100m disk && \"$@\" --resume disk/out || exit 98; cp -a disk whole; exit $code"
        );
        let (code, text) = with_mounts(&folder, &script, &arguments);
        assert_eq!(code, 3, "{text}");
        assert!(text.contains("no space left on device\n") && text.contains("help: make room"), "{text}");
        assert!(files_below(&folder.path().join("whole/out")) == whole);
        let mut files = files_below(&folder.path().join("copy/out"));
        // Manifests list what is finished, which is less than the whole.
        files.retain(|name, _| !name.ends_with("manifest.json"));
        assert_complete(&files, &whole);
        assert!(files.keys().all(|name| !name.rsplit('/').next().unwrap().starts_with('.')), "half files are left");
        folder.succeed(&[&CAMPAIGN[..], &["--out-dir", "copy/out", "--resume", "copy/out"]].concat());
        assert!(files_below(&folder.path().join("copy/out")) == whole);
    }
}

#[test]
fn a_disk_that_cannot_be_written_is_named_before_anything_is_done() {
    let Some(folder) = with_disk() else { return };
    let script = "mount -t tmpfs -o ro small disk || exit 99; \"$@\"";
    let (code, text) = with_mounts(&folder, script, &["--out-dir", "disk/out"]);
    assert_eq!(code, 3);
    let expected = "error: cannot write `disk/out`: read-only file system\n  help: choose a folder you may write to with --out-dir\n";
    assert_eq!(text, expected);
}

#[test]
fn a_folder_that_goes_while_it_is_written_ends_the_program() {
    let folder = Folder::new();
    let arguments = ["-n", "9999999", "-t", "2000", "--site-count", "2", "--stamp", "261121", "--quiet"];
    let mut running = Running::start(&folder, &arguments);
    running.until_there_is(&folder.path().join("out/site_01/operation_sequence_261121_0000002.csv"));
    fs::rename(folder.path().join("out/site_01"), folder.path().join("taken_away")).unwrap();
    let output = running.output();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(
        text.starts_with("error: cannot write `out/site_01") && text.contains("no such file or directory"),
        "{text}"
    );
    assert!(!folder.path().join("out/site_01").exists(), "it was made again");
    // The other site keeps what it has, and its manifest says so.
    assert!(crate::runner::checked_manifest(&folder.path().join("out/site_02")).runs.len() < 9_999_999);
}

#[test]
fn an_error_of_the_proposer_log_alone_ends_the_program() {
    let outputs = "address_touch_count,proposer_log";
    let arguments = ["-t", "100000", "--outputs", outputs, "--proposer-log=full", "--stamp", "261121"];
    let whole = Folder::new();
    whole.succeed(&arguments);
    let whole = whole.files();
    let (table, log) =
        (&whole["out/address_touch_count_261121_0000001.csv"], &whole["out/proposer_debug_261121_0000001.log"]);
    // Files may be somewhat larger than the table, which the log outgrows; the unit is 512 bytes.
    let limit = (table.len() / 512 + 8).to_string();
    assert!(log.len() > 2 * (table.len() + 8192));
    let folder = Folder::new();
    let script = "trap '' XFSZ; ulimit -f $0; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script, &limit, env!("CARGO_BIN_EXE_nandseqgen")]).args(arguments);
    let output = command.current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("cannot write `out`: proposer_debug_261121_0000001.log: file too large"), "{text}");
    assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), ["out/manifest.partial.jsonl"]);
}
