//! Manifests and ledgers may name only what lies in their own folder. No command opens anything else that they name.

use std::fs;
use std::process::Output;

use crate::runner::{Folder, files_below};

/// What no message may show.
const SECRET: &str = "root:x:0:0:secret";
const SEQUENCE: &str = "operation_sequence_261121_0000001.csv";

fn generated(arguments: &[&str]) -> Folder {
    let folder = Folder::new().with("secret", format!("{SECRET}\n"));
    folder.succeed(&[&["-t", "1500", "--stamp", "261121", "--quiet"], arguments].concat());
    folder
}

/// Every command that reads manifests.
const READERS: [&[&str]; 7] = [
    &["verify", "out"],
    &["replay", "out"],
    &["report", "out"],
    &["export", "out", "--to", "vcd"],
    &["coverage", "report", "out"],
    &["coverage", "merge", "out"],
    &["coverage", "gate", "out", "--min", "1"],
];

fn is_refused(folder: &Folder, arguments: &[&str], part: &str) {
    let before = folder.files();
    let Output { status, stdout, stderr } = folder.run(arguments);
    let text = [stdout, stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert_eq!(status.code(), Some(2), "{arguments:?}: {text}");
    assert!(text.contains(part), "{arguments:?}: {text}");
    assert!(!text.contains(SECRET) && !text.contains("root:"), "{arguments:?}: {text}");
    assert!(folder.files() == before, "{arguments:?} changed files");
}

/// Puts another name into a manifest or ledger.
fn rename(folder: &Folder, list: &str, from: &str, to: &str) {
    let path = folder.path().join(list);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(&format!("\"{from}\"")), "{text}");
    fs::write(path, text.replace(&format!("\"{from}\""), &format!("\"{to}\""))).unwrap();
}

const NAMES: [&str; 7] = ["../secret", "../../../../etc/passwd", "/etc/passwd", "", ".", "a/../../secret", "C:secret"];

#[test]
fn a_file_outside_is_not_read_on_the_word_of_a_site() {
    for name in NAMES {
        let folder = generated(&[]);
        rename(&folder, "out/manifest.json", SEQUENCE, name);
        for reader in READERS {
            is_refused(&folder, reader, "is not a name inside the folder of the manifest");
        }
        is_refused(&folder, &["-t", "1500", "-n", "2", "--resume", "out", "--quiet"], "is not a name inside");
    }
}

#[test]
fn a_folder_outside_is_not_read_on_the_word_of_a_batch() {
    for name in NAMES {
        let folder = generated(&["--site-count", "2"]);
        rename(&folder, "out/manifest.json", "site_02", name);
        for reader in READERS.into_iter().chain([&["merge", "out"][..], &["merge", "out", "--into", "all"]]) {
            is_refused(&folder, reader, "is not a name inside the folder of the manifest");
        }
        let again = ["-t", "1500", "--site-count", "2", "--quiet"];
        for more in [&["-n", "2", "--resume", "out"][..], &["--sites", "1"]] {
            is_refused(&folder, &[&again[..], more].concat(), "is not a name inside the folder of the manifest");
        }
    }
}

#[test]
fn the_refusal_has_file_line_and_column() {
    let folder = generated(&[]);
    rename(&folder, "out/manifest.json", SEQUENCE, "../../../../etc/passwd");
    insta::assert_snapshot!(
        [&["verify", "out"][..], &["replay", "out"], &["report", "out"]].map(|reader| folder.refuse(reader)).join("\n")
    );
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_is_not_followed() {
    use std::os::unix::fs::symlink;
    let folder = generated(&[]);
    let path = folder.path().join("out").join(SEQUENCE);
    // A link inside the folder is the folder's own affair.
    fs::rename(&path, folder.path().join("out/real.csv")).unwrap();
    symlink("real.csv", &path).unwrap();
    folder.succeed(&["verify", "out"]);
    fs::remove_file(&path).unwrap();
    symlink("../secret", &path).unwrap();
    for reader in READERS {
        is_refused(&folder, reader, "is a link to a place outside the folder of the manifest");
    }
    // A packed file in the place of the one that is listed is held to the same.
    fs::remove_file(&path).unwrap();
    symlink("../secret", path.with_extension("csv.gz")).unwrap();
    for reader in READERS {
        is_refused(&folder, reader, "is a link to a place outside the folder of the manifest");
    }

    let batch = generated(&["--site-count", "2"]);
    fs::rename(batch.path().join("out/site_02"), batch.path().join("moved")).unwrap();
    symlink("../moved", batch.path().join("out/site_02")).unwrap();
    for reader in READERS.into_iter().chain([&["merge", "out"][..]]) {
        is_refused(&batch, reader, "is a link to a place outside the folder of the manifest");
    }
    // Named by the user, the folder is what it is.
    batch.succeed(&["verify", "out/site_02"]);
}

#[test]
fn a_ledger_that_names_what_lies_outside_is_refused() {
    let folder = generated(&["-n", "2"]);
    let manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/manifest.json")).unwrap()).unwrap();
    let mut head = manifest.clone();
    head["runs"] = serde_json::json!([]);
    let head = serde_json::json!({ "stamp": "20261121_000000", "manifest": head });
    fs::write(
        folder.path().join("out/manifest.partial.jsonl"),
        format!("{head}\n{}\n{}\n", manifest["runs"][0], manifest["runs"][1]),
    )
    .unwrap();
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    folder.succeed(&["verify", "out"]);
    rename(&folder, "out/manifest.partial.jsonl", SEQUENCE, "../secret");
    is_refused(&folder, &["verify", "out"], "is not a name inside the folder");
    is_refused(&folder, &["report", "out"], "is not a name inside the folder");
    is_refused(&folder, &["-t", "1500", "-n", "3", "--resume", "out", "--quiet"], "is not a name inside the folder");
}

#[test]
fn an_input_that_a_manifest_names_is_not_shown_unless_it_is_what_it_was() {
    let folder = generated(&[]);
    for flag in ["--config", "--badlist", "--op-state-probs"] {
        let text = fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
        let changed =
            text.replace("\"--run-until\",", &format!("\"{flag}\",\n      \"secret\",\n      \"--run-until\","));
        assert!(changed != text);
        let altered = folder.path().join("altered");
        fs::create_dir_all(&altered).unwrap();
        fs::write(altered.join("manifest.json"), changed).unwrap();
        is_refused(&folder, &["replay", "altered"], "`secret` is not what it was when the manifest was written");
        fs::remove_dir_all(&altered).unwrap();
    }
}

#[test]
fn a_replay_writes_nothing_where_the_manifest_wants_it() {
    let folder = generated(&[]).with("mine.yaml", "mine");
    let path = folder.path().join("out/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let flags =
        "\"--refresh-op-state-probs\",\n      \"--op-state-probs\",\n      \"mine.yaml\",\n      \"--run-until\",";
    fs::write(&path, text.replace("\"--run-until\",", flags)).unwrap();
    let before = files_below(folder.path());
    folder.run(&["replay", "out", "--quiet"]);
    assert!(files_below(folder.path()) == before);
}

#[test]
fn a_manifest_of_another_form_is_refused_by_all() {
    let resume = |count: &'static str| ["-t", "1500", "-n", "2", "--site-count", count, "--resume", "out", "-q"];
    for (sites, list) in [("0", "out/manifest.json"), ("2", "out/manifest.json"), ("2", "out/site_02/manifest.json")] {
        let folder = generated(if sites == "0" { &[] } else { &["--site-count", "2"] });
        let path = folder.path().join(list);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("\"schema\": 1,", "\"schema\": 7,")).unwrap();
        let said = "its form is version 7, this program knows version 1";
        for reader in READERS {
            is_refused(&folder, reader, said);
        }
        is_refused(&folder, &resume(sites), said);
        if sites == "2" && list == "out/manifest.json" {
            is_refused(&folder, &["merge", "out"], said);
        }
    }
}

#[test]
fn every_reader_says_what_is_wrong_with_the_manifest_of_a_batch() {
    let folder = generated(&["--site-count", "2"]);
    let path = folder.path().join("out/manifest.json");
    let whole = fs::read_to_string(&path).unwrap();
    let of_batch = "no manifest of a batch: ";
    let record: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let mut without_runs = record.clone();
    without_runs["sites"][0].as_object_mut().unwrap().remove("runs");
    for (text, said) in [
        (whole.replace("base_seed", "base_sed"), of_batch),
        (whole.replace("\"operations\": ", "\"operations\": \"\", \"x\": "), of_batch),
        (whole[..whole.len() / 2].to_owned(), "no manifest"),
        (without_runs.to_string(), "the field `runs` is missing"),
        (String::new(), "no manifest: it is empty"),
        ("{}".to_owned(), "no manifest: "),
        ("[]".to_owned(), "no manifest: "),
        ("\u{1}\u{2}x".to_owned(), "no manifest: 1:1: it is not JSON"),
    ] {
        fs::write(&path, &text).unwrap();
        let output = folder.run(&["verify", "out"]);
        let verdict = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}: {verdict}");
        assert!(verdict.contains(said), "{text}: {verdict}");
        for reader in [&["report", "out"][..], &["coverage", "report", "out"]] {
            let output = folder.run(reader);
            let text = String::from_utf8(output.stderr).unwrap();
            assert!(text.contains("warning: `out/manifest.json`: no manifest") && text.contains(said), "{text}");
        }
        let refused = folder.refuse(&["replay", "out"]);
        let said = said.replace("no manifest: 1:1: ", "`:1:1 is no manifest: ");
        assert!(refused.starts_with("exit code 2\n") && refused.contains(&said), "{text}: {refused}");
        let refused = folder.refuse(&["-t", "1500", "--stamp", "261121", "--site-count", "2", "--sites", "2"]);
        assert!(refused.starts_with("exit code 2\n") && refused.contains("is no manifest"), "{text}: {refused}");
    }
}

#[test]
fn a_batch_with_a_fault_is_called_a_batch() {
    let folder = generated(&["--site-count", "2"]);
    rename(&folder, "out/manifest.json", "sites", "stes");
    let before = folder.files();
    insta::assert_snapshot!([&["replay", "out"][..], &["merge", "out"]].map(|reader| folder.refuse(reader)).join("\n"));
    // The sites are still there to be judged; the fault is part of the verdict.
    let output = folder.run(&["verify", "out"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains(" 2 files of 2 sites"), "{text}");
    assert!(text.contains("File: out/manifest.json: no manifest of a batch: "), "{text}");
    // One that is cut, too.
    let path = folder.path().join("out/manifest.json");
    let text = before["out/manifest.json"].clone();
    fs::write(&path, &text[..text.len() - 200]).unwrap();
    let shown = folder.refuse(&["replay", "out"]);
    assert!(shown.contains(" is no manifest of a batch: "), "{shown}");
}

#[test]
fn a_ledger_that_names_what_lies_elsewhere_is_refused_by_all_with_its_line() {
    let folder = Folder::new();
    let campaign = ["--ops", "20", "-n", "2", "--stamp", "261121", "-q"];
    folder.succeed(&campaign);
    let path = folder.path().join("out/manifest.json");
    let mut manifest: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    fs::remove_file(&path).unwrap();
    let runs = manifest["runs"].take();
    manifest["runs"] = serde_json::json!([]);
    let head = serde_json::json!({"stamp": "20261121_000000", "manifest": manifest});
    let second = runs[1].to_string().replacen("\"operation_sequence_", "\"../operation_sequence_", 1);
    fs::write(folder.path().join("out/manifest.partial.jsonl"), format!("{head}\n{}\n{second}\n", runs[0])).unwrap();
    for command in [&campaign[..], &[&campaign[..], &["--resume", "out"]].concat(), &["verify", "out"]] {
        let said = folder.refuse(command);
        assert!(
            said.starts_with("exit code 2\n") && said.contains("`out/manifest.partial.jsonl`: 3:")
                || said.contains(": 3:"),
            "{command:?}: {said}"
        );
    }
}
