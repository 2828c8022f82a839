//! Paths that are not UTF-8: every flag takes them, manifests record them without loss, and recorded paths lead to the files
//! again.
#![cfg(target_os = "linux")]

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::process::{Command, Output};

use crate::renaming::TINY;
use crate::runner::Folder;

/// `caf\xe9`, and what comes before and after it.
fn odd(before: &str, after: &str) -> OsString {
    OsString::from_vec([before.as_bytes(), b"caf\xe9", after.as_bytes()].concat())
}

fn run(folder: &Folder, arguments: &[&OsStr]) -> Output {
    let output = folder.command(&[]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn words(text: &str) -> Vec<OsString> {
    text.split(' ').map(OsString::from).collect()
}

/// A folder with inputs of odd names, in which a campaign was made from them into a folder of an odd name.
fn generated(extra: &str) -> Folder {
    let folder = Folder::new();
    let path = |name: &OsStr| folder.path().join(name);
    fs::write(path(&odd("", ".yaml")), nandseq_profile::builtin::text()).unwrap();
    fs::write(path(&odd("", ".csv")), "die,block\n0,3\n").unwrap();
    let mut arguments = words("-t 1500 --stamp 261121 --quiet --refresh-op-state-probs");
    arguments.extend([OsString::from("--config"), odd("", ".yaml"), "--badlist".into(), odd("", ".csv")]);
    arguments.extend(["--op-state-probs".into(), odd("table ", ""), "--out-dir".into(), odd("", "")]);
    let arguments: Vec<&OsStr> = arguments.iter().map(OsString::as_os_str).collect();
    run(&folder, &arguments);
    // Again with the table that was written.
    let mut again: Vec<&OsStr> = arguments.into_iter().filter(|word| *word != "--refresh-op-state-probs").collect();
    again.extend(extra.split_whitespace().map(OsStr::new));
    run(&folder, &again);
    folder
}

#[test]
fn manifests_record_them_without_loss_and_they_are_found_again() {
    let folder = generated("");
    let out = odd("", "");
    let text = fs::read_to_string(folder.path().join(&out).join("manifest.json")).unwrap();
    for recorded in ["\"bytes:caf%E9.yaml\"", "\"bytes:caf%E9.csv\"", "\"bytes:table%20caf%E9\""] {
        assert_eq!(text.matches(recorded).count(), 2, "{recorded} in {text}");
    }
    assert!(!text.contains('\u{fffd}'), "{text}");
    // The list of bad blocks, and the arguments of a replay, are found by what the manifest says.
    run(&folder, &[OsStr::new("verify"), &out, OsStr::new("--config"), &odd("", ".yaml")]);
    let replayed = run(&folder, &[OsStr::new("replay"), &out]);
    assert!(String::from_utf8(replayed.stdout).unwrap().contains("all as the manifest says"));
    let config = odd("", ".yaml");
    run(&folder, &[&["export", "--to", "vcd", "--config"].map(OsStr::new)[..], &[&config, &out]].concat());
}

#[test]
fn commands_that_are_printed_can_be_pasted() {
    let folder = generated("");
    let out = odd("", "");
    let shell = |command: &str| {
        let program = command.replacen("nandseqgen", env!("CARGO_BIN_EXE_nandseqgen"), 1);
        let output = Command::new("bash").args(["-c", &program]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let refused = folder.command(&["verify"]).arg(&out).output().unwrap();
    assert_eq!(refused.status.code(), Some(0), "the copy of the built-in device is the built-in device");
    // The command that judges, as the summary has it.
    let mut arguments = words("-t 500 --stamp 261121 --config");
    arguments.extend([odd("", ".yaml"), "--out-dir".into(), odd("new ", "")]);
    let summary = run(&folder, &arguments.iter().map(OsString::as_os_str).collect::<Vec<_>>()).stdout;
    let summary = String::from_utf8(summary).unwrap();
    let command = summary.lines().find(|line| line.trim().starts_with("nandseqgen verify")).unwrap();
    assert!(command.contains("--config $'caf\\xE9.yaml'") && command.contains("$'new caf\\xE9'"), "{command}");
    shell(command.trim());
}

#[test]
fn what_is_printed_as_json_names_them_without_loss() {
    let folder = generated("--site-count 1");
    let out = odd("", "");
    let answer = |words: &[&str], path: &OsStr| -> serde_json::Value {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).chain([path]).collect();
        serde_json::from_slice(&run(&folder, &words).stdout).unwrap()
    };
    let name = "bytes:caf%E9";
    assert_eq!(answer(&["replay", "--format", "json"], &out)["manifest"], name);
    let dry = ["-t", "500", "--dry-run", "--summary", "json", "--refresh-op-state-probs", "--op-state-probs"];
    assert_eq!(answer(&[&dry[..], &["table", "--out-dir"]].concat(), &out)["out_dir"], name);
    assert_eq!(answer(&dry, &odd("table ", ""))["table_file"], "bytes:table%20caf%E9");
    let merged = answer(&["merge", "--format", "json"], &out);
    assert_eq!((&merged["folder"], &merged["parts"][0]), (&name.into(), &name.into()));
}

#[test]
fn two_folders_that_look_alike_are_two() {
    let folder = Folder::new();
    let names = [OsString::from_vec(b"a\xe8".to_vec()), OsString::from_vec(b"a\xe9".to_vec())];
    for name in &names {
        let mut arguments = words("-t 1500 --quiet --out-dir");
        arguments.push(name.clone());
        run(&folder, &arguments.iter().map(OsString::as_os_str).collect::<Vec<_>>());
    }
    let merge = |name: &OsString, to: &str| {
        run(
            &folder,
            &["coverage", "merge", "-o", to].map(OsStr::new).into_iter().chain([name.as_os_str()]).collect::<Vec<_>>(),
        );
    };
    merge(&names[0], "one.json");
    merge(&names[1], "other.json");
    let both = run(&folder, &["coverage", "merge", "one.json", "other.json"].map(OsStr::new));
    assert!(both.stderr.is_empty(), "{}", String::from_utf8_lossy(&both.stderr));
    let again = run(&folder, &[OsStr::new("coverage"), OsStr::new("merge"), OsStr::new("one.json"), &names[0]]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("is counted more than once"));
}

#[test]
fn messages_show_the_bytes_that_are_no_text() {
    let folder = Folder::new();
    let refused = |arguments: &[&OsStr]| {
        let output = folder.command(&[]).args(arguments).output().unwrap();
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let [out, profile, line] = [odd("", ""), odd("", ".yaml"), OsString::from("a\nb")];
    fs::write(folder.path().join(&profile), "schema: 1\n").unwrap();
    for (command, path, shown) in [
        ("verify", &out, "`caf\\xE9`"),
        ("merge", &out, "`caf\\xE9`"),
        ("replay", &out, "`caf\\xE9`"),
        ("report", &out, "`caf\\xE9`"),
        ("--config", &out, "`caf\\xE9`"),
        ("--resume", &line, "`a\\x0Ab`"),
        ("--badlist", &out, "`caf\\xE9`"),
        ("--op-state-probs", &out, "`caf\\xE9`"),
        ("run-list", &out, "`caf\\xE9`"),
        ("--config", &profile, "caf\\xE9.yaml:1"),
    ] {
        let said = refused(&[OsStr::new(command), path]);
        assert!(said.contains(shown) && !said.contains('\u{fffd}'), "{command}: {said}");
    }
}

#[test]
fn what_was_written_is_said_as_a_shell_takes_it() {
    let folder = Folder::new().with("tiny.yaml", TINY);
    let out = odd("", "");
    let said = |arguments: &[&OsStr]| String::from_utf8(run(&folder, arguments).stdout).unwrap();
    let device = ["--config", "tiny.yaml"].map(OsStr::new);
    let generate = ["-t", "1500", "--stamp", "261121", "--site-count", "1", "--out-dir"].map(OsStr::new);
    let dry = said(&[&device, &generate[..], &[&out, OsStr::new("--dry-run")]].concat());
    assert!(dry.contains(r"Would be written into $'caf\xE9/site_01'; $'caf\xE9' would be made"), "{dry}");
    let made = said(&[&device, &generate[..], &[&out]].concat());
    assert!(made.contains(r" in $'caf\xE9'") && !made.contains('\u{fffd}'), "{made}");
    let [counts, page] = [odd("", ".json"), odd("", ".html")];
    let merge = ["coverage", "merge"].map(OsStr::new);
    let merged = said(&[&merge, &device[..], &[&*out, OsStr::new("-o"), &counts]].concat());
    assert!(merged.contains(r"wrote `$'caf\xE9.json'`"), "{merged}");
    let report = said(&[&[OsStr::new("report")], &device[..], &[&*out, OsStr::new("-o"), &page]].concat());
    assert!(report.contains(r"wrote `$'caf\xE9.html'`"), "{report}");
    assert!(said(&[OsStr::new("merge"), &out]).contains(r"complete in $'caf\xE9'"));
}

#[test]
fn no_control_character_of_a_file_reaches_the_terminal() {
    let folder = Folder::new().with("tiny.yaml", TINY);
    folder.succeed(&["--config", "tiny.yaml", "-t", "1500", "--stamp", "261121", "-q"]);
    let of = |table: &str| format!("out/{table}_261121_0000001.csv");
    for (table, at, put) in [
        ("operation_sequence", ",Block_Erase_SLC,", ",Block\u{1b}[31m_Erase,"),
        ("operation_sequence", "[{\"\"", "[{\"\"a\u{1b}\"\":1,\"\""),
        ("operation_timeline", ",DEFAULT,", ",DEF\u{9b}31mAULT,"),
        ("op_state_timeline", ",d0-p0,", ",d\u{7}0-p0,"),
    ] {
        let path = folder.path().join(of(table));
        let good = fs::read_to_string(&path).unwrap();
        let bad = good.replacen(at, put, 1);
        assert_ne!(bad, good, "{table}: {good}");
        fs::write(&path, bad).unwrap();
        for command in [&["verify", "out", "--config", "tiny.yaml"][..], &["replay", "out"]] {
            let output = folder.run(command);
            assert_eq!(output.status.code(), Some(1), "{command:?}");
            let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert!(!text.contains(|c: char| c.is_control() && c != '\n') && text.contains("\\x"), "{table}: {text:?}");
        }
        fs::write(&path, good).unwrap();
    }
}
