//! Sequences as users hand them in: renamed, written by other programs, of a profile of their own.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::runner::Folder;

/// The profile that docs/profile-format.md begins with.
pub(crate) fn small_profile() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/profile-format.md");
    let page = fs::read_to_string(page).unwrap();
    let (_, rest) = page.split_once("## A complete small profile").unwrap();
    let (_, rest) = rest.split_once("```yaml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

/// Three runs of the small profile, in `out`.
fn generated() -> Folder {
    let folder = Folder::new().with("small.yaml", small_profile());
    folder.succeed(&["--config", "small.yaml", "-t", "3000", "-n", "3", "--stamp", "261121", "-q"]);
    folder
}

fn sequence(run: u64) -> String {
    format!("out/operation_sequence_261121_{run:07}.csv")
}

fn stdout(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stdout).unwrap()
}

#[test]
fn the_small_profile_of_the_page_can_be_used_as_it_stands() {
    let folder = Folder::new().with("small.yaml", small_profile());
    let output = folder.succeed(&["profile", "check", "small.yaml"]);
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(text.lines().count(), 3, "nothing but what it has: {text}");
    folder.succeed(&["--config", "small.yaml", "-t", "100000", "--verify", "-q"]);
    // Every operation comes up.
    let text = stdout(&folder, &["--config", "small.yaml", "--ops", "5000", "-v"]);
    assert!(!text.contains("Never started"), "{text}");
}

#[test]
fn explain_says_when_resets_end_all_that_an_operation_needs() {
    let resets = small_profile().replace("RESET: 0.0005}", "RESET: 0.05}");
    let folder = Folder::new().with("small.yaml", resets);
    let text = stdout(&folder, &["explain", "--config", "small.yaml", "Page_Program"]);
    let needs = text.lines().find(|line| line.starts_with("It needs")).unwrap();
    assert!(needs.contains("(brought about by `Block_Erase`; a reset ended 2,"), "{text}");
    assert!(needs.ends_with("give resets less weight while they are busy)."), "{text}");
    let text = stdout(&folder, &["explain", "--config", "small.yaml", "Page_Read"]);
    assert!(text.contains("(brought about by `Page_Program`; none of them started in the trial)"), "{text}");
}

#[test]
fn renamed_runs_are_one_site_where_their_numbers_follow_one_another() {
    let folder = generated();
    for (run, name) in [(1, "one.csv"), (2, "two.csv"), (3, "three.csv")] {
        fs::copy(folder.path().join(sequence(run)), folder.path().join(name)).unwrap();
    }
    let text = stdout(&folder, &["verify", "three.csv", "one.csv", "two.csv", "--config", "small.yaml"]);
    assert!(text.contains(" in 3 files of 1 site: no rule broken."), "{text}");
    assert!(text.contains("`one.csv` is run 1, `two.csv` is run 2, `three.csv` is run 3"), "{text}");
    // Two files may be what another one goes on from: nobody knows which.
    fs::copy(folder.path().join("one.csv"), folder.path().join("other.csv")).unwrap();
    let output = folder.run(&["verify", "two.csv", "one.csv", "other.csv", "--config", "small.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" in 3 files of 3 sites"), "{text}");
    assert!(text.contains("two.csv: the first op_uid is "), "{text}");
}

#[test]
fn the_largest_number_has_none_after_it() {
    let of = |uid: u64| {
        format!("seq,time,op_id,op_name,op_uid,payload\n1,0.0,0,ODT_Reenable,{uid},\"[{{\"\"die\"\":0}}]\"\n")
    };
    let folder = Folder::new().with("last.csv", of(u64::MAX)).with("none.csv", of(0));
    let text = stdout(&folder, &["verify", "last.csv", "none.csv"]);
    assert!(text.contains(" in 2 files of 2 sites"), "{text}");
}

#[test]
fn a_later_run_alone_is_said_to_be_one() {
    let folder = generated();
    let mut command = folder.command(&["verify", "-", "--config", "small.yaml"]);
    command.stdin(Stdio::from(fs::File::open(folder.path().join(sequence(2))).unwrap()));
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(text.contains("this is not the first run of its site"), "{text}");
    let first = stdout(&folder, &["verify", &sequence(1)]);
    assert!(!first.contains("Note:"), "{first}");
}

#[test]
fn a_run_and_the_folder_it_lies_in_are_not_judged_twice() {
    let folder = generated();
    let text = folder.refuse(&["verify", &sequence(1), "out", "--config", "small.yaml"]);
    assert!(text.contains("is given twice"), "{text}");
}

/// The small profile with other content.
fn changed_profile() -> String {
    let changed = small_profile().replace("ISSUE: 12,", "ISSUE: 13,");
    assert_ne!(changed, small_profile());
    changed
}

#[test]
fn the_profile_is_the_one_that_the_manifest_names() {
    let folder = generated();
    let commands = [
        &["verify", "out"][..],
        &["report", "out", "-o", "r.html"],
        &["export", "out", "-o", "t.vcd", "--format", "vcd"],
        &["coverage", "report", "out"],
        &["verify", "out/operation_sequence_261121_0000001.csv"],
    ];
    for command in commands {
        let output = folder.succeed(command);
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains("the profile is `small.yaml`, as the manifest says"), "{command:?}: {told}");
    }
    // What is not the same file is not used.
    fs::write(folder.path().join("small.yaml"), changed_profile()).unwrap();
    let text = folder.refuse(&["verify", "out"]);
    assert!(
        text.contains("the profile that this was made for, `Small SLC device`, is not found as it was then"),
        "{text}"
    );
    assert!(text.contains("small.yaml has changed since: --config names it as it was then (SHA-256 "), "{text}");
    fs::rename(folder.path().join("small.yaml"), folder.path().join("moved.yaml")).unwrap();
    let text = folder.refuse(&["replay", "out"]);
    assert!(text.contains("the profile `small.yaml` that the manifest names is not there"), "{text}");
    assert!(text.contains("say with --config PATH where it is now"), "{text}");
}

#[test]
fn a_first_line_that_is_no_header_is_shown_with_its_likely_cause() {
    let header = "seq,time,op_id,op_name,op_uid,payload";
    let utf16: String = header.chars().flat_map(|c| [c, '\0']).collect();
    for (first, cause) in [
        (
            format!(",{header}"),
            "the first column numbers the rows, write it without (pandas: index=False, R: row.names=FALSE)",
        ),
        (format!("\"\",\"{}\"", header.replace(',', "\",\"")), "the first column numbers the rows"),
        (format!("{header},"), "there are more columns than these six"),
        ("seq,op_id,time,op_name,op_uid,payload".to_owned(), "the columns are in another order"),
        ("1,0.0,0,Er,1,[{}]".to_owned(), "the header is missing"),
        (header.replace(',', ";"), "the columns are separated by semicolons"),
        (header.replace(',', "\t"), "the columns are separated by tabs"),
        (utf16, "it is UTF-16, save it as UTF-8"),
        ("PK".to_owned(), "but 'PK': this is not an operation sequence"),
        (String::new(), "the file is empty, without even the first line 'seq,time,"),
        ("\n".to_owned(), "but empty"),
    ] {
        let text = Folder::new().with("a.csv", first).refuse(&["verify", "a.csv"]);
        assert!(text.contains(cause), "{cause}: {text}");
    }
}

#[test]
fn empty_lines_at_the_end_are_no_rows_and_in_the_middle_they_are() {
    let folder = generated();
    let text = fs::read_to_string(folder.path().join(sequence(1))).unwrap();
    fs::write(folder.path().join("end.csv"), format!("{text}\n\r\n")).unwrap();
    folder.succeed(&["verify", "end.csv", "--config", "small.yaml"]);
    let (head, tail) = text.split_at(text.match_indices('\n').nth(3).unwrap().0);
    fs::write(folder.path().join("middle.csv"), format!("{head}\n\n{tail}")).unwrap();
    let output = folder.run(&["verify", "middle.csv", "--config", "small.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("middle.csv:5") && text.contains("middle.csv:6"), "{text}");
    assert!(text.contains("row_format                      2"), "{text}");
}

#[cfg(unix)]
fn make_pipe(folder: &Folder, name: &str) {
    let made = std::process::Command::new("mkfifo").arg(folder.path().join(name)).status();
    assert!(made.unwrap().success(), "{name}");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_manifest_or_a_ledger_is_refused_by_all() {
    use std::os::unix::fs::FileTypeExt;
    let batch = ["--ops", "10", "-n", "1", "--site-count", "2", "--stamp", "261121"];
    for name in ["out/manifest.json", "out/site_01/manifest.json", "out/site_01/manifest.partial.jsonl"] {
        let folder = Folder::new();
        folder.succeed(&batch);
        let _ = fs::remove_file(folder.path().join(name));
        make_pipe(&folder, name);
        let said = |arguments: &[&str]| {
            let output = folder.run(arguments);
            (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
        };
        for more in [&[][..], &["--clean"], &["--resume", "out"], &["--dry-run"], &["--sites", "1"]] {
            let (code, text) = said(&[&batch[..], more].concat());
            assert_eq!(code, Some(2), "{text}");
            assert!(text.contains(&format!("`{name}` is in the way: it is not a regular file")), "{text}");
        }
        for command in [&["verify", "out"][..], &["replay", "out"], &["merge", "out"]] {
            let (code, text) = said(command);
            // A ledger beside a manifest is nothing that they need.
            let is_told = code != Some(0) && text.contains("it is not a regular file");
            assert!(is_told || name.ends_with("jsonl"), "{name}: {command:?}: {text}");
        }
        assert!(fs::symlink_metadata(folder.path().join(name)).unwrap().file_type().is_fifo());
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_among_the_files_is_neither_read_nor_replaced() {
    use std::os::unix::fs::FileTypeExt;
    let folder = generated();
    let strange = "out/operation_sequence_200101_0000009.csv";
    make_pipe(&folder, strange);
    // The manifest does not list it.
    let text = stdout(&folder, &["verify", "out"]);
    assert!(text.contains(": no rule broken.\n") && text.contains("0000009.csv` is not in the manifest"), "{text}");
    let is_named = |name: &str| {
        let what = "not a regular file, so it was not read: move it away";
        let config = ["--config", "small.yaml"];
        let output = folder.run(&[&["verify", "out"], &config[..]].concat());
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(": no rule broken, but files are damaged.\n"), "{text}");
        assert!(text.contains(&format!("\nFile: {name}: {what}.\n")), "{text}");
        // Others go on without it.
        for reader in [&["report", "out"][..], &["export", "out", "--to", "vcd"], &["coverage", "report", "out"]] {
            let told = String::from_utf8(folder.succeed(&[reader, &config[..]].concat()).stderr).unwrap();
            assert_eq!(told.matches(&format!("warning: `{name}`: {what}\n")).count(), 1, "{told}");
        }
    };
    // One that the manifest lists, and a log of it.
    for listed in [sequence(3), "out/proposer_debug_261121_0000002.log".to_owned()] {
        fs::remove_file(folder.path().join(&listed)).unwrap();
        make_pipe(&folder, &listed);
        is_named(&listed);
    }
    // Without a manifest.
    fs::rename(folder.path().join("out/manifest.json"), folder.path().join("out/kept.json")).unwrap();
    is_named(strange);
    fs::remove_file(folder.path().join(strange)).unwrap();
    let table = "out/operation_timeline_261121_0000001.csv";
    fs::remove_file(folder.path().join(table)).unwrap();
    make_pipe(&folder, table);
    let output = folder.run(&["verify", "out", "--config", "small.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("\nFile: {table}: not a regular file, so it was not read")), "{text}");
    fs::create_dir(folder.path().join("out/run=0000001")).unwrap();
    let sequence = "out/run=0000001/operation_sequence.parquet";
    make_pipe(&folder, sequence);
    let output = folder.run(&["verify", "out", "--config", "small.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("\nFile: {sequence}: not a regular file")) || !cfg!(feature = "parquet"), "{text}");
    let folder = Folder::new();
    fs::create_dir(folder.path().join("out")).unwrap();
    let name = "out/operation_sequence_261121_0000001.csv";
    make_pipe(&folder, name);
    let output = folder.run(&["--ops", "10", "--stamp", "261121"]);
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::symlink_metadata(folder.path().join(name)).unwrap().file_type().is_fifo());
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_snapshot_is_not_opened() {
    let campaign = |runs| ["--config", "small.yaml", "-t", "3000", "-n", runs, "--stamp", "261121", "-q"];
    let folder = generated();
    let snapshot = "out/snapshots/state_snapshot_20261121_000000_0000003.json";
    fs::remove_file(folder.path().join(snapshot)).unwrap();
    make_pipe(&folder, snapshot);
    // Elsewhere an earlier snapshot does.
    let output = folder.succeed(&[&campaign("4")[..], &["--resume", "out", "--out-dir", "elsewhere"]].concat());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("0000003.json` is passed over: it cannot be read: it is not a regular file"), "{text}");
    // Here the run would be made again, and the pipe is where its snapshot belongs.
    let before = || fs::read_dir(folder.path().join("out")).unwrap().count();
    let count = before();
    for more in [&["--resume", "out"][..], &["--resume", "out", "--dry-run"], &["--clean"], &["--clean", "--dry-run"]] {
        let output = folder.run(&[&campaign("4")[..], more].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("`{snapshot}` is in the way: it is not a regular file")), "{text}");
        assert_eq!(before(), count, "nothing is removed");
    }
    // One that nobody writes or reads any more is in nobody's way.
    fs::remove_file(folder.path().join(snapshot)).unwrap();
    folder.succeed(&[&campaign("4")[..], &["--resume", "out"]].concat());
    let first = "out/snapshots/state_snapshot_20261121_000000_0000001.json";
    fs::remove_file(folder.path().join(first)).unwrap();
    make_pipe(&folder, first);
    folder.succeed(&[&campaign("5")[..], &["--resume", "out"]].concat());
}

#[cfg(unix)]
#[test]
fn merge_opens_no_pipe() {
    for listed in [
        "operation_sequence_261121_0000001.csv",
        "proposer_debug_261121_0000001.log",
        "snapshots/state_snapshot_20261121_000000_0000001.json",
    ] {
        let folder = Folder::new();
        folder.succeed(&["--ops", "10", "--site-count", "1", "--stamp", "261121", "-q"]);
        let path = format!("out/site_01/{listed}");
        let path = folder.files().into_keys().find(|name| name.ends_with(listed)).unwrap_or(path);
        fs::remove_file(folder.path().join(&path)).unwrap();
        make_pipe(&folder, &path);
        let output = folder.run(&["merge", "out"]);
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(&format!("cannot read `{path}`: it is not a regular file")), "{text}");
    }
}

#[test]
fn a_recorded_profile_that_is_gone_or_has_changed_is_said_to_be() {
    let folder = Folder::new().with("small.yaml", small_profile());
    folder.succeed(&["--config", "small.yaml", "--ops", "20", "--stamp", "261121", "-q"]);
    folder.succeed(&["verify", "out"]);
    fs::write(folder.path().join("small.yaml"), changed_profile()).unwrap();
    let said = folder.refuse(&["verify", "out"]);
    assert!(said.contains("small.yaml has changed since: --config names it as it was then"), "{said}");
    fs::remove_file(folder.path().join("small.yaml")).unwrap();
    let said = folder.refuse(&["verify", "out"]);
    // Nobody named another profile.
    assert!(said.contains("error: the profile that this was made for, `Small SLC device`, is not found"), "{said}");
    assert!(
        said.contains("small.yaml, as the manifest calls it, is not there: --config says where it is now"),
        "{said}"
    );
}

#[cfg(unix)]
#[test]
fn a_recorded_input_that_has_become_a_pipe_is_refused_by_name() {
    let made = ["--config", "small.yaml", "--op-state-probs", "table.yaml", "--badlist", "bad.csv"];
    let made = [&made[..], &["--ops", "20", "--site-count", "1", "--stamp", "261121", "-q"]].concat();
    for (name, what) in
        [("small.yaml", "profile"), ("table.yaml", "probability table"), ("bad.csv", "list of bad blocks")]
    {
        let folder = Folder::new().with("small.yaml", small_profile()).with("bad.csv", "die,block\n0,1\n");
        folder.succeed(&[&made[..], &["--refresh-op-state-probs"]].concat());
        folder.succeed(&made);
        fs::rename(folder.path().join(name), folder.path().join("kept")).unwrap();
        make_pipe(&folder, name);
        let refusal = |arguments: &[&str]| {
            let output = folder.run(arguments);
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
            text
        };
        let replayed = refusal(&["replay", "out"]);
        let said = format!("the {what} `{name}` that the manifest names is not a regular file");
        assert!(replayed.contains(&said), "{replayed}");
        match what {
            "profile" => {
                for reader in [&["verify", "out"][..], &["report", "out"], &["export", "out", "--to", "vcd"]] {
                    let text = refusal(reader);
                    assert!(text.contains("small.yaml that the manifest names is not a regular file"), "{text}");
                }
                // What the user names may be a pipe.
                let pasted = format!(
                    "cat kept > small.yaml & exec {} verify out --config small.yaml",
                    env!("CARGO_BIN_EXE_nandseqgen")
                );
                let verified =
                    std::process::Command::new("sh").args(["-c", &pasted]).current_dir(folder.path()).output();
                assert!(verified.is_ok_and(|output| output.status.success()));
            }
            "list of bad blocks" => {
                let text = refusal(&["verify", "out"]);
                assert!(text.contains(&said), "{text}");
            }
            _ => {
                folder.succeed(&["verify", "out"]);
            }
        }
        folder.succeed(&["merge", "out"]);
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_folder_is_not_opened() {
    let folder = generated();
    make_pipe(&folder, "pipe");
    let campaign = ["--config", "small.yaml", "-t", "3000", "--stamp", "261121"];
    for command in [
        &[&campaign[..], &["--out-dir", "pipe"]].concat()[..],
        &[&campaign[..], &["--resume", "pipe"]].concat(),
        &["merge", "pipe"],
        &["merge", "out", "--into", "pipe"],
        &["replay", "pipe"],
        &["replay", "out", "--work-dir", "pipe"],
    ] {
        let output = folder.run(command);
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(matches!(output.status.code(), Some(2 | 3)) && text.contains("pipe"), "{command:?}: {text}");
    }
    folder.succeed(&["--ops", "20", "--site-count", "2", "--stamp", "261121", "-q", "--out-dir", "batch"]);
    fs::remove_dir_all(folder.path().join("batch/site_02")).unwrap();
    make_pipe(&folder, "batch/site_02");
    for command in
        [&["merge", "batch"][..], &["replay", "batch"], &["verify", "batch"], &["merge", "batch", "--into", "other"]]
    {
        let output = folder.run(command);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.code() != Some(0) && text.contains("batch/site_02"), "{command:?}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn no_hint_names_a_pipe_that_a_profile_was_read_from() {
    let folder = Folder::new().with("small.yaml", small_profile());
    make_pipe(&folder, "pipe");
    for path in ["<(cat small.yaml)", "pipe"] {
        let feed = if path == "pipe" { "cat small.yaml > pipe & " } else { "" };
        let line = format!("{feed}{} --config {path} --ops 3 --stamp 261121", env!("CARGO_BIN_EXE_nandseqgen"));
        let output = folder.ready(std::process::Command::new("bash")).args(["-c", &line]).output().unwrap();
        let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("/dev/fd") && !said.contains("config pipe"), "{said}");
        assert!(said.contains("  nandseqgen verify --config PROFILE out\n"), "{said}");
        assert!(
            said.contains("note: the profile was read from a pipe, which cannot be read again: save it in a file"),
            "{said}"
        );
    }
}
