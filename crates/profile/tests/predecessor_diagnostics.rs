//! Tests of the diagnostics of legacy files and probability tables: one small bad file for each mistake.
//!
//! Every file in `testdata/legacy` and `testdata/table` is a test. The part of its name before `--` is the code of a diagnostic
//! that must occur; a `lenient--` before the code asks for lenient reading. A file called `good` must give no diagnostics. The
//! rendered diagnostics are a snapshot beside the file, which `INSTA_UPDATE=always cargo test -p nandseq-profile` rewrites.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{Diagnostics, Profile, ReadOptions, SourceFile, read, table};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

fn stems(folder: &Path, extension: &str) -> BTreeSet<String> {
    fs::read_dir(folder)
        .expect("the folder of bad files")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(extension).map(str::to_owned))
        .collect()
}

/// Reads a file of the folder. A file that is not text gives its diagnostics as the error.
fn source(folder: &Path, stem: &str) -> Result<SourceFile, (SourceFile, Diagnostics)> {
    let file = format!("{stem}.yaml");
    let bytes = fs::read(folder.join(&file)).expect("a file that was listed");
    SourceFile::from_bytes(file, bytes)
}

/// Reads every file of a folder with `read`, and compares the diagnostics with the code and the snapshot.
fn every_file(folder: &Path, read: impl Fn(&SourceFile, bool) -> (bool, Diagnostics)) {
    let files = stems(folder, ".yaml");
    assert!(files.len() > 10, "the folder of bad files is nearly empty");
    for stem in &files {
        let (lenient, rest) = stem.strip_prefix("lenient--").map_or((false, stem.as_str()), |rest| (true, rest));
        let code = rest.split("--").next().expect("a code");
        let (source, (loaded, diagnostics)) = match source(folder, stem) {
            Ok(source) => {
                let outcome = read(&source, lenient);
                (source, outcome)
            }
            Err((source, diagnostics)) => (source, (false, diagnostics)),
        };
        let rendered = diagnostics.render(&source, Styling::Plain);
        assert_eq!(loaded, !diagnostics.has_errors(), "{stem}: loads exactly when there is no error\n{rendered}");
        if code == "good" {
            assert!(diagnostics.is_empty(), "{stem}\n{rendered}");
        } else {
            assert!(diagnostics.iter().any(|diagnostic| diagnostic.code == code), "{stem}: no {code}\n{rendered}");
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder);
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(stem.as_str(), rendered));
    }
    let orphans: Vec<String> = stems(folder, ".snap").difference(&files).cloned().collect();
    assert!(orphans.is_empty(), "snapshots without a file: {orphans:?}");
}

#[test]
fn every_mistake_in_a_legacy_file_is_shown_as_its_snapshot_says() {
    every_file(&folder("legacy"), |source, lenient| {
        let (profile, diagnostics) = read(source, ReadOptions { lenient });
        (profile.is_some(), diagnostics)
    });
}

fn good() -> Profile {
    let source = source(&folder("legacy"), "good").expect("UTF-8");
    read(&source, ReadOptions::default()).0.expect("a good profile")
}

#[test]
fn every_mistake_in_a_table_is_shown_as_its_snapshot_says() {
    let profile = good();
    every_file(&folder("table"), |source, _| {
        let (table, diagnostics) = table::read(source, &profile);
        (table.is_some(), diagnostics)
    });
}

/// Every code that the importer, the YAML reader and the reader of tables can report.
fn codes_in_the_sources() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms = ["legacy", "yaml", "legacy.rs", "yaml.rs", "table.rs", "phase_key.rs", "diagnostic/source.rs"];
    let mut files = Vec::new();
    for room in rooms.map(|room| source.join(room)) {
        if room.is_dir() {
            files.extend(fs::read_dir(room).expect("a folder").map(|entry| entry.expect("an entry").path()));
        } else {
            files.push(room);
        }
    }
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for severity in ["error", "warning", "note"] {
            for part in text.split(&format!("Diagnostic::{severity}(\"")).skip(1) {
                codes.insert(part.split('"').next().unwrap_or_default().to_owned());
            }
        }
        for part in text.split("Index::new(").skip(1) {
            codes.extend(part.split('"').nth(3).map(str::to_owned));
        }
    }
    codes
}

#[test]
fn every_code_has_a_bad_file() {
    let mut shown = BTreeSet::new();
    for folder in ["legacy", "table"].map(folder) {
        for stem in stems(&folder, ".yaml") {
            let rest = stem.strip_prefix("lenient--").unwrap_or(&stem);
            shown.extend(rest.split("--").next().map(str::to_owned));
        }
    }
    // Files for these would be too large for a repository. `predecessor_noise` and the unit tests of diagnostics test them.
    let too_big = ["file-too-large", "too-many-bases", "too-many-ops", "too-many-groups"].map(str::to_owned);
    let missing: Vec<String> =
        codes_in_the_sources().into_iter().filter(|code| !shown.contains(code) && !too_big.contains(code)).collect();
    assert!(missing.is_empty(), "no bad file for {missing:?}");
}
