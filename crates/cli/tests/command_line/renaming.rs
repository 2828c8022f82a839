//! The name of a legacy file is a label: its contents alone decide which profile it is.

use std::fs;

use nandseq_generate::Snapshot;
use nandseq_profile::{ReadOptions, SourceFile};
use nandseq_trace::files::{Digest, FileKind};
use nandseq_trace::manifest::SiteManifest;

use crate::runner::{Folder, checked_manifest};

/// A profile of a tiny device: what can be covered there is found at once.
pub(crate) const TINY: &str = include_str!("../../../profile/testdata/legacy/good.yaml");

/// A legacy file in a folder of its own, under a first name.
fn with_profile() -> Folder {
    Folder::new().with("before.yaml", TINY)
}

fn rename(folder: &Folder) {
    fs::rename(folder.path().join("before.yaml"), folder.path().join("after.yaml")).unwrap();
}

const COMMON: [&str; 5] = ["--stamp", "261121", "--quiet", "--seed", "4"];

/// Makes two of three runs, renames the profile, and does everything that wants the same one.
fn survives(extra: &[&str]) {
    let folder = with_profile();
    let campaign =
        |config: &'static str, runs: &'static str| [&COMMON[..], &["--config", config, "-n", runs], extra].concat();
    folder.succeed(&campaign("before.yaml", "2"));
    folder.succeed(&["coverage", "merge", "out", "--config", "before.yaml", "-o", "counts.json"]);
    rename(&folder);
    let verdict = folder.succeed(&["verify", "out", "--config", "after.yaml"]);
    assert!(String::from_utf8(verdict.stdout).unwrap().contains("no rule broken"), "{extra:?}");
    let replayed = folder.succeed(&["replay", "out", "--config", "after.yaml"]);
    assert!(String::from_utf8(replayed.stdout).unwrap().contains("all as the manifest says"), "{extra:?}");
    folder.succeed(&["report", "out", "--config", "after.yaml"]);
    folder.succeed(&["coverage", "report", "counts.json", "--config", "after.yaml"]);
    folder.succeed(&[&campaign("after.yaml", "3")[..], &["--resume", "out"]].concat());
    // Nothing but labels differs from an execution that nobody interrupted.
    let whole = with_profile();
    rename(&whole);
    whole.succeed(&campaign("after.yaml", "3"));
    let (files, expected) = (folder.files(), whole.files());
    for (name, bytes) in expected.iter().filter(|(name, _)| name.starts_with("out/")) {
        if !name.contains("manifest.json") && !name.contains("snapshot") {
            assert!(files.get(name) == Some(bytes), "{extra:?}: {name}");
        }
    }
    folder.succeed(&["replay", "out", "--config", "after.yaml", "--quiet"]);
}

#[test]
fn a_legacy_file_that_is_renamed_stays_the_same_profile() {
    survives(&["-t", "1500"]);
}

#[test]
fn so_it_does_going_for_coverage() {
    survives(&["-t", "1500", "--closure"]);
}

#[test]
fn so_it_does_with_another_window() {
    survives(&["-t", "1500", "--admission-window", "0.75"]);
}

#[cfg(feature = "parquet")]
#[test]
fn so_it_does_in_parquet() {
    survives(&["-t", "1500", "--format", "parquet"]);
}

#[test]
fn a_batch_is_the_same_batch_and_its_parts_are_joined() {
    let folder = with_profile();
    let batch = |config: &'static str, part: &[&'static str]| {
        [&COMMON[..], &["--config", config, "-t", "1500", "--site-count", "2"], part].concat()
    };
    folder.succeed(&batch("before.yaml", &[]));
    rename(&folder);
    folder.succeed(&batch("after.yaml", &["--sites", "2"]));
    let text = fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
    assert!(text.contains("\"site_01\"") && text.contains("\"site_02\""), "{text}");
    folder.succeed(&["replay", "out", "--config", "after.yaml", "--quiet"]);
    let parts = with_profile();
    parts.succeed(&batch("before.yaml", &["--shard", "1/2"]));
    rename(&parts);
    parts.succeed(&batch("after.yaml", &["--shard", "2/2"]));
    parts.succeed(&["merge", "out"]);
    parts.succeed(&["verify", "out", "--config", "after.yaml"]);
    // The sites call the profile by two names.
    parts.succeed(&["replay", "out", "--config", "after.yaml", "--quiet"]);
    parts.succeed(&["replay", "out", "--config", "after.yaml", "--sites", "2", "--quiet"]);
}

#[test]
fn what_it_says_in_the_native_form_is_the_same_profile_too() {
    let folder = with_profile();
    folder.succeed(&[&COMMON[..], &["--config", "before.yaml", "-t", "1500"]].concat());
    rename(&folder);
    let native = folder.succeed(&["profile", "import", "after.yaml"]).stdout;
    let folder = folder.with("native.yaml", native);
    folder.succeed(&["verify", "out", "--config", "native.yaml"]);
    folder.succeed(&["replay", "out", "--config", "native.yaml"]);
}

#[test]
fn another_profile_under_the_same_name_is_another() {
    let folder = with_profile();
    folder.succeed(&[&COMMON[..], &["--config", "before.yaml", "-t", "1500"]].concat());
    let path = folder.path().join("before.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let changed = text.replace("blocks_per_die: ", "blocks_per_die: 1");
    assert!(changed != text);
    fs::write(&path, changed).unwrap();
    let output = folder.run(&["verify", "out", "--config", "before.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("was made for another profile"), "{text}");
}

#[test]
fn what_was_written_when_names_counted_is_still_of_its_profile() {
    let folder = with_profile();
    folder.succeed(&[&COMMON[..], &["--config", "before.yaml", "-t", "1500"]].concat());
    // What an earlier version of the program wrote: the name is part of both hashes.
    let text = fs::read(folder.path().join("before.yaml")).unwrap();
    let source = SourceFile::from_bytes("before.yaml", text).ok().unwrap();
    let profile = nandseq_profile::read(&source, ReadOptions { lenient: false }).0.unwrap();
    let (present, past) = (profile.hash(), profile.hash_as(&profile.name));
    assert_ne!(present, past);
    let mut manifest: SiteManifest = checked_manifest(&folder.path().join("out"));
    assert_eq!(manifest.origin.profile.resolved_sha256, present);
    manifest.origin.profile.resolved_sha256.clone_from(&past);
    let file = manifest.runs[0].files.iter_mut().find(|file| file.kind == FileKind::Snapshot).unwrap();
    let path = file.file.under(&folder.path().join("out")).unwrap();
    let mut snapshot = Snapshot::from_bytes(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(snapshot.identity.profile_sha256, present);
    snapshot.identity.profile_sha256.clone_from(&past);
    fs::write(&path, snapshot.to_bytes()).unwrap();
    file.sha256 = Digest::of(&snapshot.to_bytes());
    fs::write(folder.path().join("out/manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
    rename(&folder);
    folder.succeed(&["verify", "out", "--config", "after.yaml"]);
    folder.succeed(&["replay", "out", "--config", "after.yaml"]);
    folder.succeed(&[&COMMON[..], &["--config", "after.yaml", "-t", "1500", "-n", "2", "--resume", "out"]].concat());
    assert_eq!(checked_manifest(&folder.path().join("out")).runs.len(), 2);
}
