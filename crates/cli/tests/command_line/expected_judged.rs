//! Expected data and full status, judged in every form of the tables, and in tables that no manifest tells of.

use std::fs;

use crate::runner::{Folder, forms};

/// Flags of a small campaign.
const CAMPAIGN: [&str; 6] = ["-t", "30000", "--seed", "3", "--stamp", "261121"];
const EXPECTING: [&str; 4] = ["--expect", "data", "--status", "full"];

fn made(form: &str, more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&[&CAMPAIGN[..], &["--format", form, "--quiet"], more].concat());
    folder
}

/// The sequence of the run, by its name in the folder.
fn sequence(folder: &Folder) -> String {
    folder.files().into_keys().find(|name| name.contains("operation_sequence")).unwrap()
}

/// The codes of the rules that are broken.
fn broken(folder: &Folder, arguments: &[&str]) -> Vec<String> {
    let output = folder.run(&[&["verify"], arguments, &["--format", "json"]].concat());
    let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let rules = verdict["rules"].as_array().unwrap();
    let broken = rules.iter().filter(|rule| rule["findings"] != 0);
    broken.map(|rule| rule["rule"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn runs_are_judged_as_their_manifest_says() {
    for form in &forms() {
        let folder = made(form, &EXPECTING);
        folder.succeed(&["verify", "out"]);
        folder.succeed(&[&["verify", "out"], &EXPECTING[..]].concat());
        let plain = made(form, &[]);
        plain.succeed(&["verify", "out"]);
        let told = plain.refuse(&["verify", "out", "--expect", "data"]);
        assert!(told.contains("were made without --expect"), "{form}: {told}");
    }
}

#[test]
fn a_sequence_without_a_manifest_is_judged_by_the_fields_that_its_rows_have() {
    for form in &forms() {
        for (flags, said) in [(&EXPECTING[..], "--expect data --status full"), (&EXPECTING[..2], "--expect data")] {
            let folder = made(form, flags);
            let name = sequence(&folder);
            let alone = Folder::new().with(&name, fs::read(folder.path().join(&name)).unwrap());
            let told = String::from_utf8(alone.succeed(&["verify", &name]).stderr).unwrap();
            assert!(told.contains(&format!("their rows are those of {said}\n")), "{form}: {told}");
            assert_eq!(broken(&alone, &[&[&*name], flags].concat()), [""; 0], "{form}");
        }
    }
    let plain = made("csv", &[]);
    let name = sequence(&plain);
    let text = fs::read_to_string(plain.path().join(&name)).unwrap();
    // One payload with the field is a wrong payload.
    let odd = text.replacen("\"\"celltype\"\":\"\"SLC\"\"}", "\"\"celltype\"\":\"\"SLC\"\",\"\"data\"\":7}", 1);
    let odd = Folder::new().with("odd.csv", odd);
    assert_eq!(broken(&odd, &["odd.csv"]), ["payload_fields"]);
}

#[test]
fn the_note_about_a_stream_names_the_flags_that_it_may_need() {
    let folder = made("csv", &EXPECTING);
    let judged = |flags: &[&str]| {
        let input = fs::File::open(folder.path().join(sequence(&folder))).unwrap();
        let output = folder.command(&[&["verify", "-"], flags].concat()).stdin(input).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let told = judged(&[]);
    assert!(told.contains("payload_fields") && told.contains("with the same flags"), "{told}");
    let told = judged(&EXPECTING);
    assert!(told.contains("no rule broken"), "{told}");
}

#[test]
fn damaged_data_and_status_are_found() {
    let folder = made("csv", &EXPECTING);
    let name = sequence(&folder);
    let text = fs::read_to_string(folder.path().join(&name)).unwrap();
    let judge = |from: &str, to: &str| {
        let damaged = text.replacen(from, to, 1);
        assert_ne!(damaged, text, "{from}");
        broken(&Folder::new().with("one.csv", damaged), &[&["one.csv"], &EXPECTING[..]].concat())
    };
    assert_eq!(judge("\"\"data\"\":", "\"\"data\"\":9"), ["data_value"]);
    assert_eq!(judge("\"\"no_erasus\"\"", "\"\"erasus\"\""), ["status_value"]);
    assert_eq!(judge("\"\"no_pgmsus\"\"", "\"\"pgmsus\"\""), ["status_value"]);
    assert_eq!(judge(",\"\"no_pgmsus\"\"]", "]"), ["payload_fields"]);
}
