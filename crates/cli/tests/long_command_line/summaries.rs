//! Summaries: short for people, complete with `-v`, the same facts as JSON.

use nandseq_profile::diagnostic::grouped;
use nandseq_profile::model::Effect;
use serde_json::Value;

use crate::explaining::device;
use crate::runner::Folder;

/// Lines of a summary that are shown without `-v`.
const MOST: usize = 15;

fn stdout(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stdout).unwrap()
}

fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)))
}

fn names(list: &Value, field: &str) -> Vec<String> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_summary_has_at_most_fifteen_lines_and_all_of_them_with_v() {
    for arguments in [
        &["-t", "100000"][..],
        &["-t", "20000", "--site-count", "3", "-n", "2"],
        &["--ops", "1000", "--closure", "--site-count", "2"],
        &["--ops", "1500", "--pc-demo", "pgm-read", "--bootstrap", "-n", "2"],
    ] {
        let folder = Folder::new();
        let short = stdout(&folder, arguments);
        assert!(short.lines().count() <= MOST, "{} lines:\n{short}", short.lines().count());
        // Another seed, so that something is left alone.
        let judged = stdout(&folder, &[arguments, &["--verify", "--seed", "7"]].concat());
        assert!(judged.lines().count() <= MOST, "{} lines:\n{judged}", judged.lines().count());
        let full = stdout(&folder, &[arguments, &["-v"]].concat());
        assert!(full.lines().count() > 60, "{full}");
    }
}

#[test]
fn a_full_summary_names_every_operation_once_and_the_short_one_says_how_to_see_it() {
    let folder = Folder::new();
    let full = stdout(&folder, &["-v", "-t", "20000"]);
    let profile = nandseq_profile::builtin::profile();
    for op in profile.ops.iter() {
        let lines = full.lines().filter(|line| line.split_whitespace().next() == Some(op.name.as_str()));
        // A name that is drawn so that nothing starts is not missed.
        let times = usize::from(!profile.bases[op.base].has(Effect::Delay));
        assert_eq!(lines.count(), times, "{}:\n{full}", op.name);
    }
    assert!(stdout(&folder, &["-t", "20000"]).contains("-v shows all"));
}

#[test]
fn the_json_says_what_the_text_says() {
    let folder = Folder::new();
    let arguments = ["-t", "20000", "--site-count", "2", "-n", "2", "--until-coverage", "90", "--stamp", "261121"];
    let text = String::from_utf8(folder.run(&[&arguments[..], &["-v"]].concat()).stdout).unwrap();
    let output = folder.run(&[&arguments[..], &["--summary", "json", "-q"]].concat());
    assert_eq!(output.status.code(), Some(4), "the runs end before so much is covered");
    let summary = json(&output.stdout);
    assert_eq!(
        (&summary["schema"], &summary["exit_code"], &summary["command"]),
        (&1.into(), &4.into(), &"generate".into())
    );
    let number = |field: &str| summary[field].as_u64().unwrap();
    assert_eq!((number("sites"), number("runs_per_site"), number("runs")), (2, 2, 4));
    let sum =
        |list: &str| summary[list].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("bases"), sum("names")), (number("operations"), number("operations")));
    assert!(sum("refused") > 0);
    let known = summary["names"].as_array().unwrap().len() + summary["never_started"].as_array().unwrap().len();
    assert_eq!(known as u64, number("names_known"));
    for base in names(&summary["bases"], "base") {
        assert!(text.contains(&format!("  {base} ")), "{base}");
    }
    for name in names(&summary["never_started"], "op_name") {
        assert!(text.contains(&format!("  {name} ")), "{name}");
    }
    let covered = &summary["covered"];
    assert!(covered["least_hit"].as_u64() <= covered["most_hit"].as_u64() && covered["cells"].as_u64() > Some(1000));
    assert_eq!(summary["verify"], "nandseqgen verify out");
    assert_eq!(summary["inputs"]["profile"]["source"], "built-in");
    let files = crate::runner::files_below(&folder.path().join("out"));
    let bytes: usize =
        files.iter().filter(|(name, _)| !name.ends_with("manifest.json")).map(|(_, bytes)| bytes.len()).sum();
    assert_eq!((number("files"), number("bytes")), (files.len() as u64 - 3, bytes as u64));
}

#[test]
fn the_verdict_is_part_of_the_object() {
    let folder = Folder::new();
    let summary = json(&folder.succeed(&["-t", "20000", "--verify", "--summary", "json"]).stdout);
    let verdict = json(&folder.succeed(&["verify", "out", "--format", "json"]).stdout);
    assert_eq!(summary["verdict"], verdict);
    assert_eq!(summary["verdict"]["clean"], true);
}

#[test]
fn who_asks_for_the_summary_as_a_form_of_tables_is_told_where_it_is() {
    let text = Folder::new().refuse(&["--format", "json"]);
    assert!(text.contains("[possible values: csv, parquet]") && text.contains("'--summary json'"), "{text}");
}

#[test]
fn a_list_of_campaigns_is_one_object() {
    let list = "campaigns:
  - {name: first, run_until: 500, out_dir: a}
  - {name: made, run_until: 500, out_dir: b, verify: true}
";
    let folder = Folder::new().with("lots.yaml", list);
    for flag in ["--summary", "--format"] {
        let results = json(&folder.succeed(&["run-list", "lots.yaml", flag, "json"]).stdout);
        assert_eq!(results["asked"], 2);
        let [first, made] = &results["campaigns"].as_array().unwrap()[..] else { panic!("{results}") };
        assert_eq!((&first["name"], &first["exit_code"]), (&"first".into(), &0.into()));
        assert_eq!((&made["name"], &made["exit_code"]), (&"made".into(), &0.into()));
        assert_eq!(made["summary"]["verdict"]["clean"], true);
        assert!(made["summary"]["operations"].as_u64() > Some(0));
    }
}

#[test]
fn a_list_that_cannot_be_begun_says_why_in_one_object() {
    let list = "campaigns:
  - {name: lost, profile: nowhere.yaml, out_dir: a}
  - {name: whole, run_until: 500, out_dir: b}
";
    let folder = Folder::new().with("lots.yaml", list);
    let output = folder.run(&["run-list", "lots.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let results = json(&output.stdout);
    assert_eq!(results["asked"], 2);
    let [lost] = &results["campaigns"].as_array().unwrap()[..] else { panic!("{results}") };
    assert_eq!((&lost["name"], &lost["exit_code"], &lost["summary"]), (&"lost".into(), &2.into(), &Value::Null));
    assert!(lost["problem"].as_str().unwrap().starts_with("error: cannot read profile `nowhere.yaml`"), "{lost}");
    assert!(!folder.path().join("b").exists(), "nothing is made");
}

#[test]
fn replay_and_merge_say_what_they_found_as_json() {
    let folder = Folder::new();
    folder.succeed(&["-t", "2000", "--site-count", "3", "-n", "2", "--out-dir", "out", "--stamp", "261121"]);
    let replayed = json(&folder.succeed(&["replay", "out", "--format", "json"]).stdout);
    assert_eq!((&replayed["equal"], &replayed["runs"], &replayed["files"]), (&true.into(), &6.into(), &48.into()));
    let merged = json(&folder.succeed(&["merge", "out", "--format", "json"]).stdout);
    assert_eq!((&merged["sites"], &merged["runs"], &merged["folder"]), (&3.into(), &6.into(), &"out".into()));
    let path = folder.path().join("out/site_02/operation_timeline_261121_0000002.csv");
    std::fs::write(&path, "changed\n").unwrap();
    let output = folder.run(&["replay", "out", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let replayed = json(&output.stdout);
    assert_eq!(replayed["equal"], false);
    let differences = names_of(&replayed["differences"]);
    assert!(differences.len() == 1 && differences[0].contains("was changed"), "{differences:?}");
}

fn names_of(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn checking_a_profile_says_as_json_what_it_says_in_words() {
    let profile = Folder::new().succeed(&["profile", "show"]).stdout;
    let folder =
        Folder::new().with("device.yaml", &profile).with("faulty.yaml", [&profile[..], b"nonsense: 1\n"].concat());
    let text = stdout(&folder, &["profile", "check", "device.yaml"]);
    let checked = json(&folder.succeed(&["profile", "check", "device.yaml", "--format", "json"]).stdout);
    assert_eq!((&checked["usable"], &checked["command"]), (&true.into(), &"profile check".into()));
    let pairs = &checked["pairs"];
    let [all, reachable] = ["pairs", "reachable"].map(|field| grouped(pairs[field].as_u64().unwrap()));
    let counts = format!("of {all} pairs of phase key and op name {reachable} are reachable");
    assert!(text.contains(&counts), "{text}");
    assert!(text.contains(&format!("{} op names", checked["device"]["op_names"])), "{text}");
    let output = folder.run(&["profile", "check", "faulty.yaml", "--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    let checked = json(&output.stdout);
    assert_eq!((&checked["usable"], &checked["device"]), (&false.into(), &Value::Null));
    let remark = checked["remarks"].as_array().unwrap().iter().find(|one| one["severity"] == "error").unwrap();
    assert_eq!((&remark["code"], &remark["file"]), (&"unknown-key".into(), &"faulty.yaml".into()));
    assert!(remark["line"].as_u64() > Some(100) && remark["column"] == 1, "{remark}");
}

#[test]
fn every_object_says_of_which_command_it_is_and_what_the_environment_set() {
    let list = "campaigns:\n  - {run_until: 500, out_dir: lots, stamp: 261121}\n";
    let folder = Folder::new().with("lots.yaml", list);
    folder.succeed(&["-q", "-t", "500", "--site-count", "1", "--out-dir", "batch", "--stamp", "261121"]);
    let folder = folder.with("plan.yaml", "schema: 1\n");
    let commands: [(&str, &[&str]); 13] = [
        ("generate", &["-t", "500", "--stamp", "261121", "--summary", "json"]),
        ("generate", &["-t", "500", "--stamp", "261121", "--summary", "json", "--dry-run"]),
        ("run-list", &["run-list", "lots.yaml", "--format", "json"]),
        ("replay", &["replay", "batch", "--format", "json"]),
        ("merge", &["merge", "batch", "--format", "json"]),
        ("verify", &["verify", "batch", "--format", "json"]),
        ("explain", &["explain", "bad_block", "--format", "json"]),
        ("explain", &["explain", "Read_SLC", "--format", "json"]),
        ("plan check", &["plan", "check", "plan.yaml", "--format", "json"]),
        ("plan show", &["plan", "show", "plan.yaml", "--format", "json"]),
        ("coverage universe", &["coverage", "universe", "--format", "json"]),
        ("coverage report", &["coverage", "report", "batch", "--format", "json"]),
        ("coverage diff", &["coverage", "diff", "batch", "batch", "--format", "json"]),
    ];
    for (command, arguments) in commands {
        let object = json(&folder.succeed(arguments).stdout);
        assert_eq!((&object["command"], &object["version"]), (&command.into(), &env!("CARGO_PKG_VERSION").into()));
        assert!(object["schema"].is_u64(), "{object}");
        assert!(object.get("environment").is_none(), "{object}");
    }
    for command in [&["verify", "batch"][..], &["replay", "batch"], &["-t", "500", "--summary"]] {
        let format: &[&str] = if command[0] == "-t" { &["json"] } else { &["--format", "json"] };
        let mut command = folder.command(&[command, format].concat());
        let object = json(&command.env("NANDSEQGEN_JOBS", "1").output().unwrap().stdout);
        let set = serde_json::json!([{ "variable": "NANDSEQGEN_JOBS", "flag": "--jobs", "value": "1" }]);
        assert_eq!(object["environment"], set, "{object}");
    }
}

#[test]
fn every_warning_of_a_check_is_in_its_count() {
    let dead = device("    READ: 1\n");
    let folder = Folder::new().with("device.yaml", &dead);
    let text = String::from_utf8(folder.succeed(&["profile", "check", "device.yaml"]).stdout).unwrap();
    assert!(text.contains("warning[dead]: "), "{text}");
    let (count, _) =
        text.split_once(" warnings in device.yaml").or_else(|| text.split_once(" warning in device.yaml")).unwrap();
    let count: usize = count.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap();
    assert_eq!(text.matches("warning[").count(), count, "{text}");
}

#[test]
fn a_campaign_that_does_not_begin_has_the_fields_of_any_other() {
    let folder = Folder::new();
    let flags = ["--ops", "20", "--stamp", "261121", "--summary", "json", "-q"];
    let whole = json(&folder.succeed(&flags).stdout);
    let fields = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    // Everything is there; the folder is that of another campaign; the folder is a file.
    let there = json(&folder.succeed(&[&flags[..], &["--resume", "out"]].concat()).stdout);
    assert_eq!((fields(&there), &there["exit_code"]), (fields(&whole), &0.into()));
    let folder = folder.with("file", "");
    for (more, code) in [(&["--resume", "out", "--seed", "7"][..], 2), (&["--out-dir", "file/out"], 3)] {
        let output = folder.run(&[&flags[..], more].concat());
        let answer = json(&output.stdout);
        assert_eq!((output.status.code(), &answer["exit_code"]), (Some(code), &code.into()), "{answer}");
        assert_eq!(fields(&answer), fields(&whole), "{answer}");
        assert_eq!((&answer["runs"], &answer["operations"]), (&0.into(), &0.into()));
        let problem = answer["problem"].as_str().unwrap();
        assert!(problem.starts_with("error: "), "{answer}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().trim_end(), problem);
    }
}
