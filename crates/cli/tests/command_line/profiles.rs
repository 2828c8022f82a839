//! `nandseqgen profile …`

use std::fs;

use insta::assert_snapshot;

use crate::runner::{Folder, checked_manifest, legacy};

fn stdout(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stdout).unwrap()
}

#[test]
fn the_built_in_device_is_shown_as_it_was_written_and_works_as_a_file() {
    let shown = stdout(&Folder::new(), &["profile", "show"]);
    assert_eq!(shown, nandseq_profile::builtin::text());
    let (from_file, built_in) = (Folder::new().with("device.yaml", &shown), Folder::new());
    let flags = ["-t", "3000", "--stamp", "261121"];
    from_file.succeed(&[&["--config", "device.yaml"], &flags[..]].concat());
    built_in.succeed(&flags);
    let sequence = |folder: &Folder| fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    assert!(sequence(&from_file) == sequence(&built_in));
    let (one, other) =
        (checked_manifest(&from_file.path().join("out")), checked_manifest(&built_in.path().join("out")));
    assert_eq!(one.origin.profile.resolved_sha256, other.origin.profile.resolved_sha256);
    assert_eq!(one.origin.profile.sha256, other.origin.profile.sha256);
}

#[test]
fn the_built_in_device_can_be_used() {
    let text = stdout(&Folder::new(), &["profile", "check"]);
    assert!(text.contains(" can be used: 57 bases, 294 op names, "), "{text}");
    // Common CSV readers leave all its names as they are.
    assert!(!text.contains("CSV"), "{text}");
}

#[test]
fn a_faulty_profile_is_refused_by_every_command() {
    let text = "schema: 1\nname: Faulty\ntopology: {dies: 0, planes: four, blocks_per_die: 1020}\nnonsense: 1\n";
    let folder = Folder::new().with("device.yaml", text);
    let refused = folder.refuse(&["profile", "check", "device.yaml"]);
    assert!(refused.starts_with("exit code 2\n"), "{refused}");
    for command in
        [&["profile", "show", "device.yaml"][..], &["profile", "import", "device.yaml"], &["--config", "device.yaml"]]
    {
        assert_eq!(folder.refuse(command), refused);
    }
    // Every mistake in one go, each with its place; the texts have snapshots where they are written.
    for place in ["device.yaml:3:11", "device.yaml:3:18", "device.yaml:3:29", "device.yaml:4:1"] {
        assert!(refused.contains(place), "{place} is not in:\n{refused}");
    }
}

#[test]
fn there_must_be_something_to_import() {
    assert_snapshot!(Folder::new().refuse(&["profile", "import"]));
}

#[test]
fn an_imported_profile_generates_the_same_bytes() {
    let Some(path) = legacy("config-2025-09.yaml") else { return };
    let path = path.to_str().unwrap();
    let native = stdout(&Folder::new(), &["profile", "import", path]);
    let (imported, original) = (Folder::new().with("device.yaml", native), Folder::new());
    let flags = ["-t", "20000", "--stamp", "261121"];
    imported.succeed(&[&["--config", "device.yaml"], &flags[..]].concat());
    original.succeed(&[&["--config", path], &flags[..]].concat());
    let name = "out/operation_sequence_261121_0000001.csv";
    assert!(imported.files()[name] == original.files()[name]);
}

#[test]
fn the_schema_is_json_that_names_the_parts_of_a_profile() {
    let text = stdout(&Folder::new(), &["profile", "schema"]);
    assert!(text.ends_with("}\n"), "no final newline");
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    for part in ["schema", "topology", "cell_types", "classes", "bases", "ops", "chains", "exclusions"] {
        assert!(schema["properties"][part].is_object(), "{part}");
    }
}

#[test]
fn a_profile_that_lenient_reading_would_take_says_so() {
    let legacy = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../profile/testdata/legacy");
    let text = fs::read_to_string(legacy.join("lenient--op-left-out--bad-time.yaml")).unwrap();
    let folder = Folder::new().with("device.yaml", text);
    let refused = folder.refuse(&["--config", "device.yaml", "-t", "100"]);
    assert!(refused.contains("leave such operations out, with a warning for each, with --lenient"), "{refused}");
    // Where that would not help it is not said.
    let folder = Folder::new().with("device.yaml", fs::read_to_string(legacy.join("bad-time--alias.yaml")).unwrap());
    let refused = folder.refuse(&["--config", "device.yaml", "-t", "100"]);
    assert!(!refused.contains("--lenient"), "{refused}");
}

#[test]
fn a_new_profile_is_checked_generated_and_drawn_at_once() {
    let folder = Folder::new();
    let new = stdout(&folder, &["profile", "new"]);
    let folder = folder.with("device.yaml", &new);
    assert!(
        stdout(&folder, &["profile", "check", "device.yaml"])
            .starts_with("device.yaml can be used: 7 bases, 10 op names")
    );
    let output = folder.succeed(&["--config", "device.yaml", "-t", "100000"]);
    let (told, warned) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(!warned.contains("warning"), "{warned}");
    // Every operation comes; one that is drawn so that nothing starts is not missed.
    assert!(told.contains(" operations in 1 run") && !told.contains("Never started"), "{told}");
    assert!(stdout(&folder, &["verify", "out"]).contains("no rule broken"));
    folder.succeed(&["report", "out", "-o", "page.html"]);
    // Short enough to be read at once.
    assert!(new.lines().count() < 70);
}

#[test]
fn profiles_are_listed_by_a_line_each() {
    let folder = Folder::new();
    let new = stdout(&folder, &["profile", "new"]);
    let folder = folder
        .with("devices/small.yaml", &new)
        .with("devices/plan.yml", "schema: 1\nphases: []\n")
        .with("devices/a.txt", "x");
    let listed = stdout(&folder, &["profile", "list", "devices", "devices/small.yaml"]);
    assert_snapshot!(listed);
    let json: serde_json::Value =
        serde_json::from_str(&stdout(&folder, &["profile", "list", "devices", "--format", "json"])).unwrap();
    assert_eq!(json["profiles"][0]["source"], "built-in");
    assert_eq!(json["profiles"][1]["device"], serde_json::Value::Null);
    assert_eq!(json["profiles"][2]["device"]["operations"], 10);
    assert!(folder.refuse(&["profile", "list", "no.yaml"]).contains("cannot read profile `no.yaml`"));
}
