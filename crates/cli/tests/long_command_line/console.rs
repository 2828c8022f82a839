//! `-q`, `-v`, `--color` and variables of the environment: they hold for every subcommand, and the user is told what a variable
//! has set.

use std::process::{Command, Output};

use insta::assert_snapshot;

use crate::runner::Folder;

fn told(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// The program with variables of the environment.
fn with(folder: &Folder, variables: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = folder.command(arguments);
    command.envs(variables.iter().copied());
    command
}

#[test]
fn quiet_says_nothing_but_warnings_and_errors() {
    let folder = Folder::new();
    for arguments in [
        &["-q", "-t", "2000", "--stamp", "261129"][..],
        &["--quiet", "generate", "--site-count", "2", "-t", "2000", "--out-dir", "batch"],
        &["generate", "-t", "2000", "--stamp", "261129", "--quiet", "--verify"],
        &["-q", "verify", "out"],
        &["replay", "out", "-q"],
        &["merge", "-q", "batch"],
        &["-q", "report", "out"],
        &["export", "out", "--to", "vcd", "-q"],
        &["coverage", "-q", "merge", "out"],
        &["coverage", "gate", "out", "--min", "0", "-q"],
    ] {
        let (stdout, stderr) = told(&folder.succeed(arguments));
        assert_eq!((stdout.as_str(), stderr.as_str()), ("", ""), "{arguments:?}");
    }
    // What is asked for is printed.
    for arguments in [&["-q", "profile", "schema"][..], &["coverage", "report", "out", "-q"], &["-q", "--version"]] {
        assert!(!told(&folder.succeed(arguments)).0.is_empty(), "{arguments:?}");
    }
    let (_, stderr) = told(&folder.succeed(&["-q", "-t", "2000", "--stamp", "261129", "--bootstrap"]));
    assert!(stderr.starts_with("warning: --bootstrap has no effect"), "{stderr}");
    let (_, stderr) = told(&folder.run(&["-q", "--config", "nowhere"]));
    assert!(stderr.starts_with("error: cannot read profile `nowhere`"), "{stderr}");
}

#[test]
fn colours_are_a_choice_on_every_subcommand() {
    let folder = Folder::new();
    folder.succeed(&["-t", "2000"]);
    let is_coloured = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (stdout, stderr) = told(&with(&folder, variables, arguments).output().unwrap());
        stdout.contains('\u{1b}') || stderr.contains('\u{1b}')
    };
    for arguments in [
        &["--config", "nowhere"][..],
        &["verify", "nowhere"],
        &["verify", "--no-such-flag"],
        &["coverage", "report", "--help"],
        &["replay", "nowhere"],
        &["merge", "nowhere"],
    ] {
        let chosen = |how| [arguments, &["--color", how]].concat();
        assert!(is_coloured(&chosen("always"), &[]), "{arguments:?}");
        assert!(!is_coloured(&chosen("auto"), &[]), "{arguments:?}");
        assert!(!is_coloured(arguments, &[]), "{arguments:?}");
        assert!(is_coloured(arguments, &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        assert!(!is_coloured(arguments, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]), "{arguments:?}");
        assert!(!is_coloured(&chosen("never"), &[("CLICOLOR_FORCE", "1")]), "{arguments:?}");
        assert!(is_coloured(&chosen("always"), &[("NO_COLOR", "1")]), "{arguments:?}");
    }
    assert!(folder.refuse(&["--color", "pink"]).contains("[possible values: auto, always, never]"));
}

#[test]
fn variables_set_what_the_command_line_does_not_and_it_is_said() {
    let folder = Folder::new();
    let variables = [("NANDSEQGEN_OUT_DIR", "elsewhere"), ("NANDSEQGEN_SEED", "7"), ("NANDSEQGEN_JOBS", "1")];
    let output = with(&folder, &variables, &["-t", "2000", "--stamp", "261121", "--seed", "8"]).output().unwrap();
    let (_, stderr) = told(&output);
    let note =
        "note: from the environment: NANDSEQGEN_JOBS sets --jobs 1, NANDSEQGEN_OUT_DIR sets --out-dir elsewhere\n";
    assert!(stderr.contains(note), "{stderr}");
    let direct = Folder::new();
    direct.succeed(&["-t", "2000", "--stamp", "261121", "--seed", "8", "--out-dir", "elsewhere"]);
    assert!(folder.files() == direct.files());
    let output = with(&folder, &variables, &["generate", "-q", "-t", "2000", "--out-dir", "seven"]).output().unwrap();
    assert_eq!(told(&output), (String::new(), String::new()));
    let manifest = std::fs::read_to_string(folder.path().join("seven/manifest.json")).unwrap();
    assert!(manifest.contains("\"site_seed\": 7"), "{manifest}");
}

#[test]
fn every_variable_sets_its_flag() {
    let profile = Folder::new().succeed(&["profile", "show"]).stdout;
    let folder = Folder::new().with("device.yaml", profile).with("bad.csv", "die,block\n0,5\n");
    folder.succeed(&[
        "--config",
        "device.yaml",
        "--refresh-op-state-probs",
        "--op-state-probs",
        "table.yaml",
        "-t",
        "100",
    ]);
    let form = if cfg!(feature = "parquet") { "parquet" } else { "csv" };
    let variables = [
        ("NANDSEQGEN_CONFIG", "device.yaml"),
        ("NANDSEQGEN_OP_STATE_PROBS", "table.yaml"),
        ("NANDSEQGEN_BADLIST", "bad.csv"),
        ("NANDSEQGEN_SEED", "3"),
        ("NANDSEQGEN_OUT_DIR", "set"),
        ("NANDSEQGEN_FORMAT", form),
        ("NANDSEQGEN_STAMP", "261121"),
        ("NANDSEQGEN_JOBS", "1"),
    ];
    let output = with(&folder, &variables, &["-t", "2000", "--site-count", "1"]).output().unwrap();
    let (_, stderr) = told(&output);
    assert!(output.status.success(), "{stderr}");
    let flags = [
        ("--config", "device.yaml"),
        ("--op-state-probs", "table.yaml"),
        ("--badlist", "bad.csv"),
        ("--seed", "3"),
        ("--out-dir", "given"),
        ("--format", form),
        ("--stamp", "261121"),
        ("--jobs", "1"),
    ];
    let flags: Vec<&str> = flags.iter().flat_map(|&(flag, value)| [flag, value]).collect();
    folder.succeed(&[&flags[..], &["-t", "2000", "--site-count", "1"]].concat());
    let below = |name: &str| crate::runner::files_below(&folder.path().join(name));
    assert!(!below("set").is_empty() && below("set") == below("given"));
    for (name, value) in variables {
        assert!(stderr.contains(&format!("{name} sets --")) && stderr.contains(value), "{stderr}");
        let help = told(&folder.succeed(&["--help"])).0;
        assert!(help.contains(&format!("[env: {name}]")), "{help}");
    }
}

#[test]
fn manifests_and_lists_say_everything_themselves() {
    let list = "campaigns:\n  - {run_until: 500, out_dir: lots, stamp: 261121}\n";
    let (folder, plain) = (Folder::new().with("lots.yaml", list), Folder::new().with("lots.yaml", list));
    let variables = [
        ("NANDSEQGEN_CONFIG", "nowhere.yaml"),
        ("NANDSEQGEN_OP_STATE_PROBS", "nowhere.yaml"),
        ("NANDSEQGEN_BADLIST", "nowhere.csv"),
        ("NANDSEQGEN_SEED", "3"),
        ("NANDSEQGEN_OUT_DIR", "nowhere"),
        ("NANDSEQGEN_FORMAT", "parquet"),
        ("NANDSEQGEN_STAMP", "today"),
        ("NANDSEQGEN_JOBS", "2"),
    ];
    for arguments in [&["run-list", "lots.yaml"][..], &["replay", "lots"]] {
        let output = with(&folder, &variables, arguments).output().unwrap();
        let (stdout, stderr) = told(&output);
        assert!(output.status.success(), "{stderr}");
        assert!(!stdout.contains("nowhere") && !stderr.contains("nowhere"), "{stdout}{stderr}");
        plain.succeed(arguments);
    }
    assert!(folder.files() == plain.files());
}

#[test]
fn a_variable_that_cannot_be_used_is_named() {
    let folder = Folder::new();
    let refused = |variables: &[(&str, &str)], arguments: &[&str]| {
        let output = with(&folder, variables, arguments).output().unwrap();
        assert!(folder.files().is_empty());
        format!("exit code {}\n{}", output.status.code().unwrap(), told(&output).1)
    };
    assert_snapshot!("a_variable_that_is_no_number", refused(&[("NANDSEQGEN_JOBS", "many")], &[]));
    assert_snapshot!("a_variable_that_is_no_form", refused(&[("NANDSEQGEN_FORMAT", "json")], &["generate"]));
    assert_snapshot!("a_variable_that_names_nothing", refused(&[("NANDSEQGEN_CONFIG", "nowhere")], &["-q"]));
    // Where it is no flag it does not matter; nor does one that is empty, or that the command line goes before.
    for (variables, arguments) in [
        (&[("NANDSEQGEN_JOBS", "many")][..], &["profile", "schema"][..]),
        (&[("NANDSEQGEN_FORMAT", "parquet")], &["coverage", "universe"]),
        (&[("NANDSEQGEN_JOBS", "")], &["profile", "schema"]),
        (&[("NANDSEQGEN_CONFIG", "")], &["coverage", "universe"]),
        (&[("NANDSEQGEN_JOBS", "many")], &["--help"]),
        (&[("NANDSEQGEN_FORMAT", "csv")], &["export", "--help"]),
    ] {
        let output = with(&folder, variables, arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", told(&output).1);
    }
}

#[test]
fn the_form_of_tables_is_a_flag_of_generate_alone() {
    let folder = Folder::new();
    folder.succeed(&["-q", "-t", "500"]);
    for form in ["csv", "parquet"] {
        let set = [("NANDSEQGEN_FORMAT", form)];
        let output = with(&folder, &set, &["export", "out", "--to", "vcd"]).output().unwrap();
        assert!(output.status.success() && told(&output).1.is_empty(), "{}", told(&output).1);
    }
    // Who can set it says so, and nobody else does.
    let mut has = Vec::new();
    for command in ["generate", "verify", "run-list", "replay", "merge", "report", "export", "explain"] {
        if told(&folder.succeed(&[command, "--help"])).0.contains("NANDSEQGEN_FORMAT") {
            has.push(command);
        }
    }
    assert_eq!(has, ["generate"]);
}

#[test]
fn a_path_goes_before_the_variable_of_the_flag_that_it_stands_for() {
    let profile = Folder::new().succeed(&["profile", "show"]).stdout;
    let folder = Folder::new().with("device.yaml", profile);
    let set = [("NANDSEQGEN_CONFIG", "nowhere.yaml")];
    let output = with(&folder, &set, &["profile", "check", "device.yaml"]).output().unwrap();
    let (stdout, stderr) = told(&output);
    assert!(output.status.success() && !stderr.contains("nowhere"), "{stderr}");
    assert!(stdout.contains("device.yaml can be used"), "{stdout}");
    let output = with(&folder, &set, &["profile", "check"]).output().unwrap();
    assert!(told(&output).1.contains("cannot read profile `nowhere.yaml`"), "{}", told(&output).1);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named_where_text_is_needed() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let strange = OsStr::from_bytes(b"odd\xff");
    let output = folder.command(&["-t", "100"]).env("NANDSEQGEN_SEED", strange).output().unwrap();
    let text = told(&output).1;
    assert!(output.status.code() == Some(2) && text.contains("NANDSEQGEN_SEED"), "{text}");
}
