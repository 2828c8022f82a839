//! What every form of the tables can do. A new form is tested here without a change of this file.

use std::fs;

use nandseq_trace::file_form::FileForm;

use crate::renaming::TINY;
use crate::runner::{Folder, forms};

fn campaign<'a>(form: &'a str, runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "700", "--seed", "3", "--stamp", "261121", "--format", form, "-n", runs];
    [&flags[..], &DEVICE, more].concat()
}

/// The flags that select a tiny device.
const DEVICE: [&str; 2] = ["--config", "tiny.yaml"];

fn made(form: &str, runs: &str) -> Folder {
    let folder = Folder::new().with("tiny.yaml", TINY);
    folder.succeed(&campaign(form, runs, &[]));
    folder
}

#[test]
fn every_form_is_generated_judged_made_again_and_gone_on_with() {
    for form in &forms() {
        let folder = made(form, "1");
        folder.succeed(&[&["verify", "out"], &DEVICE[..]].concat());
        folder.succeed(&["replay", "out"]);
        for other in forms().iter().filter(|other| *other != form) {
            let told = folder.refuse(&campaign(other, "3", &["--resume", "out"]));
            assert!(told.contains("--format"), "{form}, then {other}: {told}");
        }
        folder.succeed(&campaign(form, "3", &["--resume", "out"]));
        assert!(folder.files() == made(form, "3").files(), "{form}");
        folder.succeed(&["replay", "out"]);
        folder.succeed(&[&["report", "out"], &DEVICE[..]].concat());
        folder.succeed(&[&["coverage", "report", "out"], &DEVICE[..]].concat());
    }
}

#[test]
fn a_campaign_in_another_form_clears_away_the_files_of_every_form() {
    for (form, other) in forms().iter().flat_map(|form| forms().into_iter().map(move |other| (form, other))) {
        let folder = made(form, "2");
        folder.succeed(&campaign(&other, "1", &["--clean"]));
        assert!(folder.files() == made(&other, "1").files(), "{form}, then {other}");
    }
}

#[test]
fn renamed_runs_of_every_form_are_one_site() {
    for form in &forms() {
        let folder = made(form, "2");
        let is_sequence = |name: &String| name.contains("operation_sequence");
        let sequences: Vec<String> = folder.files().into_keys().filter(is_sequence).collect();
        assert_eq!(sequences.len(), 2, "{form}: {sequences:?}");
        for (at, name) in sequences.iter().enumerate() {
            let ending = name.rsplit_once('.').unwrap().1;
            fs::copy(folder.path().join(name), folder.path().join(format!("{}.{ending}", at + 1))).unwrap();
        }
        let ending = sequences[0].rsplit_once('.').unwrap().1;
        let output = folder.run(&[&["verify", &format!("2.{ending}"), &format!("1.{ending}")], &DEVICE[..]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains(" in 2 files of 1 site: no rule broken."), "{form}: {text}");
    }
}

#[test]
fn the_place_of_a_finding_is_the_one_that_its_form_has() {
    let form_of = |name: &str| FileForm::of(name.as_ref());
    for form in &forms() {
        let folder = Folder::new().with("bad.csv", "die,block\n0,0-1019\n1,0-1019\n");
        folder.succeed(&["-t", "5000", "--seed", "3", "--stamp", "261121", "--format", form, "--quiet"]);
        let judge = |more: &[&str]| {
            let output = folder.run(&[&["verify", "out", "--badlist", "bad.csv"], more].concat());
            assert_eq!(output.status.code(), Some(1), "{form}: {}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        let verdict: serde_json::Value = serde_json::from_str(&judge(&["--format", "json"])).unwrap();
        let rules = verdict["rules"].as_array().unwrap();
        let first = &rules.iter().find(|rule| rule["rule"] == "bad_block").unwrap()["first"][0];
        let (file, row) = (first["file"].as_str().unwrap(), first["row"].as_u64().unwrap());
        assert_eq!(first["line"].as_u64(), form_of(file).line(row), "{form}");
        let text = judge(&[]);
        assert!(text.contains(&format!("\n  {file}{}  ", form_of(file).place(row))), "{form}: {text}");
    }
}

#[test]
fn the_page_of_flags_lists_every_form() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/command-line.md");
    let told = Folder::new().refuse(&["--format", "none"]);
    let (_, values) = told.split_once("[possible values: ").unwrap();
    let row = format!("\n| `--format {}` |", values.split_once(']').unwrap().0.replace(", ", "\\|"));
    assert!(fs::read_to_string(page).unwrap().contains(&row), "docs/command-line.md should have {row}");
}
