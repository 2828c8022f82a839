//! Files that the user named: a device, a FIFO, a link, standard output, a name of any bytes, a limit on their size.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Output};
use std::thread;

use crate::runner::{Folder, files_below};
use crate::running::{Running, wait_for};

const QUICK: [&str; 6] = ["-t", "2000", "--stamp", "261121", "--quiet", "--seed=5"];

/// Every command that writes a file that it is told the name of, up to that name, and how the file begins.
const WRITERS: [(&[&str], &[u8]); 5] = [
    (&["report", "out", "-o"], b"<!DOCTYPE html>"),
    (&["export", "out", "--to", "vcd", "-o"], b"$"),
    (&["export", "out", "--to", "perfetto", "-o"], b""),
    (&["coverage", "merge", "out", "-o"], b"{\"schema\":"),
    (
        &[
            "-t",
            "100",
            "--out-dir",
            "again",
            "--stamp",
            "261121",
            "--quiet",
            "--refresh-op-state-probs",
            "--op-state-probs",
        ],
        b"",
    ),
];

fn generated() -> Folder {
    let folder = Folder::new();
    folder.succeed(&QUICK);
    folder
}

fn run(folder: &Folder, command: &[&str], output: impl AsRef<OsStr>) -> Output {
    let output = folder.command(command).arg(output).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What each command writes into a regular file.
fn plain(folder: &Folder, command: &[&str]) -> Vec<u8> {
    run(folder, command, "plain");
    let bytes = fs::read(folder.path().join("plain")).unwrap();
    fs::remove_file(folder.path().join("plain")).unwrap();
    bytes
}

fn system(folder: &Folder, program: &str, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .output()
        .is_ok_and(|output| output.status.success())
}

#[test]
fn a_fifo_is_written_to_and_stays_one() {
    let folder = generated();
    let path = folder.path().join("fifo");
    assert!(system(&folder, "mkfifo", &["fifo"]));
    for (command, beginning) in WRITERS {
        let expected = plain(&folder, command);
        assert!(expected.len() > 100 && expected.starts_with(beginning), "{command:?}");
        let reader = thread::spawn({
            let path = path.clone();
            move || fs::read(path).unwrap()
        });
        run(&folder, command, "fifo");
        assert!(reader.join().unwrap() == expected, "{command:?}");
        assert!(fs::symlink_metadata(&path).unwrap().file_type().is_fifo(), "{command:?}");
    }
    assert!(folder.files_beside().iter().all(|name| !name.starts_with('.')), "a temporary file is left");
}

#[test]
#[expect(clippy::print_stdout, reason = "the place for a test to say that it did less")]
fn a_device_is_written_to_and_stays_one() {
    let folder = generated();
    // Only an administrator makes devices; and only for one could a device be renamed over.
    let made = system(&folder, "mknod", &["null", "c", "1", "3"]) && fs::write(folder.path().join("null"), "x").is_ok();
    if !made {
        println!("no device can be made here: /dev/null is all that is tried");
    }
    let device = if made { folder.path().join("null") } else { "/dev/null".into() };
    symlink(&device, folder.path().join("link")).unwrap();
    for (command, _) in WRITERS {
        for path in [device.as_path(), Path::new("link")] {
            run(&folder, command, path);
            assert!(fs::metadata(&device).unwrap().file_type().is_char_device(), "{command:?}");
        }
    }
    assert!(fs::symlink_metadata(folder.path().join("link")).unwrap().is_symlink());
}

#[test]
fn a_link_is_followed_and_stays() {
    let folder = generated();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("elsewhere")).unwrap();
    symlink("elsewhere/target", path("link")).unwrap();
    for (command, _) in WRITERS {
        let expected = plain(&folder, command);
        // Once where nothing is there yet, once where something is.
        for before in [None, Some("phase_conditional: {}\n")] {
            let _ = fs::remove_file(path("elsewhere/target"));
            before.into_iter().for_each(|text| fs::write(path("elsewhere/target"), text).unwrap());
            run(&folder, command, "link");
            assert!(fs::read(path("elsewhere/target")).unwrap() == expected, "{command:?}");
            assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink(), "{command:?}");
        }
    }
    assert_eq!(files_below(&path("elsewhere")).len(), 1);
}

#[test]
fn a_dash_and_the_names_of_standard_output_are_standard_output() {
    let folder = generated();
    for (command, _) in WRITERS {
        let expected = plain(&folder, command);
        let names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];
        // Not every system has files for its processes.
        for name in &names[..if cfg!(target_os = "linux") { 4 } else { 3 }] {
            let output = run(&folder, command, name);
            assert!(output.stdout == expected, "{command:?} {name}");
            assert!(output.stderr.is_empty(), "{command:?} {name}");
        }
        // Standard output may be a file that others write to as well, before and after.
        let script = "{ echo before; \"$@\" /dev/stdout; echo after; } > together";
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_nandseqgen")]).args(command);
        assert!(shell.current_dir(folder.path()).status().unwrap().success());
        let together = fs::read(folder.path().join("together")).unwrap();
        assert!(together == [b"before\n", &expected[..], b"after\n"].concat(), "{command:?}");
    }
    assert!(folder.files_beside().iter().all(|name| name != "-"));
}

#[test]
#[cfg(target_os = "linux")]
fn an_open_file_of_another_process_is_that_file_and_not_our_own() {
    let folder = generated();
    for (command, _) in WRITERS {
        let expected = plain(&folder, command);
        let theirs = fs::File::create(folder.path().join("theirs")).unwrap();
        let mut other = Command::new("sleep").arg("60").stdout(theirs).spawn().unwrap();
        let output = run(&folder, command, format!("/proc/{}/fd/1", other.id()));
        other.kill().and_then(|()| other.wait()).unwrap();
        assert!(output.stdout != expected, "{command:?}");
        assert!(fs::read(folder.path().join("theirs")).unwrap() == expected, "{command:?}");
    }
}

#[test]
fn a_process_substitution_is_written_to() {
    let folder = generated();
    for (command, _) in WRITERS {
        let expected = plain(&folder, command);
        let script = "\"$0\" \"$@\" >(cat > caught) && wait $!";
        let mut shell = Command::new("bash");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_nandseqgen")]).args(command).current_dir(folder.path());
        let Ok(output) = shell.output() else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(fs::read(folder.path().join("caught")).unwrap() == expected, "{command:?}");
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_named() {
    let folder = generated();
    fs::create_dir(folder.path().join("taken")).unwrap();
    symlink("taken", folder.path().join("link")).unwrap();
    for (command, _) in WRITERS {
        for name in ["taken", "taken/", "link", ".", "new/"] {
            let text = folder.refuse(&[command, &[name]].concat());
            let expected = format!(
                "exit code 2\nerror: `{name}` names a folder, and a file is to be written\n  help: name a file with --"
            );
            assert!(text.starts_with(&expected), "{command:?}: {text}");
        }
    }
    // The name that a file has without the flag.
    fs::create_dir(folder.path().join("timeline.vcd")).unwrap();
    let text = folder.refuse(&["export", "out", "--to", "vcd"]);
    assert!(text.starts_with("exit code 2\nerror: `timeline.vcd` names a folder"), "{text}");
}

#[test]
fn a_name_may_be_of_any_bytes() {
    let folder = generated();
    for (command, _) in WRITERS {
        let expected = plain(&folder, command);
        let name = OsStr::from_bytes(b"caf\xe9");
        run(&folder, command, name);
        assert!(fs::read(folder.path().join(name)).unwrap() == expected, "{command:?}");
        fs::remove_file(folder.path().join(name)).unwrap();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_limit_on_the_size_of_files_ends_as_a_full_disk_does() {
    // In blocks of 512 bytes.
    let script = "ulimit -f 16; exec \"$@\"";
    let limited = |folder: &Folder, arguments: &[&str]| {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "sh", env!("CARGO_BIN_EXE_nandseqgen")]).args(arguments);
        let output = shell.current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let folder = Folder::new();
    let (code, text) = limited(&folder, &["-t", "100000", "--site-count", "2", "--stamp", "261121", "--quiet"]);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains(": file too large\n  help: raise the limit on the size of files (`ulimit -f`)"), "{text}");
    for (name, bytes) in folder.files() {
        // What has a final name is complete: the manifest of the batch, and ledgers that list no run.
        assert!(name == "out/manifest.json" || name.ends_with("/manifest.partial.jsonl"), "{name}");
        serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
    }
    let folder = generated();
    for (command, _) in &WRITERS[..1] {
        let (code, text) = limited(&folder, &[command, &["page"][..]].concat());
        assert_eq!(code, Some(3), "{text}");
        assert!(text.starts_with("error: cannot write `page`: ") && text.contains("file too large"), "{text}");
        assert!(folder.files_beside().iter().all(|name| !name.contains("page")));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn help_about_a_file_that_cannot_be_written_speaks_of_no_folder() {
    let folder = generated();
    for (command, _) in &WRITERS[..4] {
        let told = folder.refuse(&[command, &["/dev/full"][..]].concat());
        let expected = "error: cannot write `/dev/full`: no space left on device\n  \
                        help: it is no regular file: choose another file with --output\n";
        assert!(told.ends_with(expected) && told.starts_with("exit code 3\n"), "{command:?}: {told}");
    }
    let told = folder.refuse(&["report", "out", "-o", "/proc/page"]);
    assert!(told.ends_with("\n  help: choose another file with --output\n"), "{told}");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = folder.command(&["report", "out", "-o", "-"]).stdout(full).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("cannot write `standard output`: no space left on device\n  help: send standard output"),
        "{told}"
    );
}

#[test]
fn a_table_that_cannot_be_written_is_known_before_anything_is_removed() {
    let folder = Folder::new();
    let generate = ["--ops", "20", "--stamp", "261121", "--quiet", "--out-dir", "out"];
    folder.succeed(&generate);
    fs::create_dir(folder.path().join("table.yaml")).unwrap();
    let table = ["--refresh-op-state-probs", "--op-state-probs", "table.yaml", "--clean"];
    let text = folder.refuse(&[&generate[..], &table].concat());
    assert!(
        text.starts_with("exit code 2\nerror: `table.yaml` names a folder, and a file is to be written\n"),
        "{text}"
    );
    // A list is checked before its first campaign is made.
    let list = "campaigns:
  - {name: first, ops: 20, out_dir: first}
  - {name: second, ops: 20, out_dir: second, op_state_probs: file/table.yaml, refresh_op_state_probs: true}
";
    let folder = folder.with("list.yaml", list).with("file", "");
    let text = folder.refuse(&["run-list", "list.yaml"]);
    assert!(text.contains("campaign `second`:\nerror: cannot write `file"), "{text}");
}

#[test]
fn what_a_command_reads_is_not_replaced() {
    let folder = Folder::new().with("device.yaml", builtin()).with("bad.csv", "die,block\n0,7\n");
    folder.succeed(&[&QUICK[..], &["--config", "device.yaml", "--badlist", "bad.csv", "--site-count", "2"]].concat());
    folder.succeed(&["coverage", "merge", "out", "-o", "one.json", "-q"]);
    let verdict = folder.run(&["verify", "out", "--format", "json"]).stdout;
    fs::write(folder.path().join("verdict.json"), verdict).unwrap();
    symlink("out/manifest.json", folder.path().join("link")).unwrap();
    fs::hard_link(folder.path().join("device.yaml"), folder.path().join("second.yaml")).unwrap();
    fs::write(
        folder.path().join("list.yaml"),
        "campaigns:\n- {name: a, op_state_probs: list.yaml, refresh_op_state_probs: true, profile: device.yaml, out_dir: a}\n",
    )
    .unwrap();
    let sequence = "out/site_01/operation_sequence_261121_0000001.csv";
    let snapshot = "out/site_02/snapshots/state_snapshot_20261121_000000_0000001.json";
    let table = ["--config", "device.yaml", "--refresh-op-state-probs", "--out-dir", "new", "--op-state-probs"];
    for (command, target) in [
        (&["report", "out", "-o"][..], "device.yaml"),
        (&["report", "out", "-o"], "second.yaml"),
        (&["report", "out", "-o"], "bad.csv"),
        (&["report", "out", "-o"], "out/manifest.json"),
        (&["report", "out", "-o"], "link"),
        (&["report", "out/site_01", "-o"], "out/manifest.json"),
        (&["report", "out", "-o"], snapshot),
        (&["report", "out", "--violations", "verdict.json", "-o"], "verdict.json"),
        (&["export", "out", "--format", "vcd", "-o"], sequence),
        (&["export", "out", "--format", "perfetto", "-o"], "out/site_02/manifest.json"),
        (&["coverage", "merge", "out", "-o"], "device.yaml"),
        (&["coverage", "merge", "one.json", "-o"], "one.json"),
        (&table, "device.yaml"),
        (&table, "second.yaml"),
        (&[&table[..2], &["--badlist", "bad.csv"], &table[2..]].concat(), "bad.csv"),
        (
            &[&QUICK[..], &["-n2", "--badlist=bad.csv", "--site-count=2", "--resume=out"], &table[..3], &table[5..]]
                .concat(),
            sequence,
        ),
        (&["run-list"], "list.yaml"),
    ] {
        let said = folder.refuse(&[command, &[target]].concat());
        assert!(
            said.starts_with("exit code 2\n") && said.contains(": writing would replace it"),
            "{command:?}: {said}"
        );
        assert!(said.contains(&format!("`{target}` is a ")), "{said}");
    }
    // Anything else is written.
    for target in ["one.json", "verdict.json", "out/report.html"] {
        run(&folder, &["report", "out", "-o"], target);
    }
}

fn builtin() -> Vec<u8> {
    Folder::new().succeed(&["profile", "show"]).stdout
}

#[test]
fn nothing_else_goes_to_standard_output_beside_a_table() {
    let folder = generated();
    let command = ["--ops", "100", "--out-dir", "again", "--refresh-op-state-probs", "--op-state-probs"];
    folder.succeed(&[&command[..], &["table.yaml", "-q"]].concat());
    let table = fs::read(folder.path().join("table.yaml")).unwrap();
    for target in ["-", "/dev/stdout"] {
        for more in [&[][..], &["--verify"], &["--summary", "json"]] {
            let output = folder.succeed(&[&command[..], &[target], more].concat());
            assert!(output.stdout == table, "{target} {more:?}");
        }
    }
    let output = folder.succeed(&[&command[..], &["-"]].concat());
    assert!(String::from_utf8(output.stderr).unwrap().contains("100 operations in 1 run"));
}

impl Folder {
    /// The names in the folder itself.
    fn files_beside(&self) -> Vec<String> {
        let names = fs::read_dir(self.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).collect()
    }
}

#[test]
fn an_interruption_leaves_nothing_of_a_file_that_is_not_complete() {
    let folder = Folder::new();
    let outputs = ["--ops", "60000", "--outputs", "operation_sequence,operation_timeline,op_state_timeline", "-q"];
    folder.succeed(&outputs);
    let begun = || {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_str().unwrap().starts_with(".page.vcd.nandseqgen-")).count()
    };
    for signal in ["INT", "TERM"] {
        let mut running = Running::start(&folder, &["export", "out", "--to", "vcd", "-o", "page.vcd"]);
        wait_for("the file", || (begun() == 1).then_some(()));
        running.signal(signal);
        let output = running.output();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "interrupted\n");
        assert!(begun() == 0 && !folder.path().join("page.vcd").exists());
    }
}
