//! Runs that go on from a state elsewhere are judged from the beginning of their site on, or not at all.

use std::fs;

use crate::runner::Folder;

/// Two runs in `first`, and the third in `second`.
fn in_two_folders(extra: &[&str]) -> Folder {
    let folder = Folder::new();
    let campaign = ["-t", "3000", "--no-bootstrap", "--stamp", "261121", "-q"];
    folder.succeed(&[&campaign[..], extra, &["-n", "2", "--out-dir", "first"]].concat());
    let on = ["-n", "3", "--resume", "first", "--out-dir", "second", "--verify"];
    // What was made is judged after the runs that it goes on from.
    folder.succeed(&[&campaign[..], extra, &on].concat());
    folder
}

#[test]
fn what_goes_on_elsewhere_is_judged_with_its_beginning_or_not_at_all() {
    for extra in [&[][..], &["--site-count", "2"]] {
        let folder = in_two_folders(extra);
        let told = folder.refuse(&["verify", "second"]);
        assert!(told.starts_with("exit code 2\n"), "{told}");
        assert!(told.contains("goes on from a state that is not there: it cannot be judged by itself"), "{told}");
        assert!(told.contains("name the folder in which runs 1 to 2 of the same campaign are too"), "{told}");
        let whole = String::from_utf8(folder.succeed(&["verify", "first", "second"]).stdout).unwrap();
        assert!(whole.contains("it goes on after runs 1 to 2 in `first"), "{whole}");
        assert!(whole.contains("no rule broken"), "{whole}");
        // Each run is judged once.
        let sites = if extra.is_empty() { "3 files of 1 site:" } else { "6 files of 2 sites:" };
        assert!(whole.contains(sites), "{whole}");
        // Another campaign is no beginning.
        folder.succeed(&["-t", "3000", "--no-bootstrap", "-n", "2", "--seed", "9", "--out-dir", "third", "-q"]);
        assert!(folder.refuse(&["verify", "third", "second"]).contains("cannot be judged by itself"));
    }
}

#[test]
fn a_changed_file_of_the_first_runs_is_found_once() {
    let folder = in_two_folders(&[]);
    let path = folder.path().join("first/manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    let key = "\"sha256\":\"";
    let at = text.rfind(key).unwrap() + key.len();
    let other = if &text[at..=at] == "0" { "1" } else { "0" };
    fs::write(&path, format!("{}{other}{}", &text[..at], &text[at + 1..])).unwrap();
    let told = folder.run(&["verify", "first", "second"]);
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stdout).unwrap();
    assert_eq!(told.matches("changed since it was written").count(), 1, "{told}");
}

#[test]
fn what_goes_on_from_a_snapshot_is_judged_after_the_runs_beside_it() {
    let folder = in_two_folders(&[]);
    let snapshot = "first/snapshots/state_snapshot_20261121_000000_0000001.json";
    let on = ["-t", "3000", "--no-bootstrap", "-n", "2", "--stamp", "261121", "--resume", snapshot, "--verify"];
    let told = String::from_utf8(folder.succeed(&[&on[..], &["--out-dir", "third"]].concat()).stdout).unwrap();
    assert!(told.contains("no rule broken"), "{told}");
    fs::copy(folder.path().join(snapshot), folder.path().join("alone.json")).unwrap();
    let on: Vec<&str> = on.iter().map(|&word| if word == snapshot { "alone.json" } else { word }).collect();
    let output = folder.run(&[&on[..], &["--out-dir", "fourth"]].concat());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("cannot be judged by itself"));
    assert!(folder.path().join("fourth/manifest.json").is_file());
}

#[test]
fn a_run_that_is_named_alone_is_judged_after_those_of_its_folder() {
    let folder = in_two_folders(&[]);
    let file = "first/operation_sequence_261121_0000002.csv";
    let told = String::from_utf8(folder.succeed(&["verify", file]).stdout).unwrap();
    assert!(told.contains("it goes on after run 1 in `first`, which was judged too"), "{told}");
    assert!(told.contains("in 2 files of 1 site: no rule broken"), "{told}");
    // Without its earlier run it is not judged.
    fs::remove_file(folder.path().join("first/operation_sequence_261121_0000001.csv")).unwrap();
    assert!(folder.refuse(&["verify", file]).contains("cannot be judged by itself"));
}
