//! Tests of the diagnostics of native files: one small bad file for each mistake.
//!
//! Every file in `testdata/native` is a test. The part of its name before `--` is the code of a diagnostic that must occur; a
//! file called `good` must give none. The rendered diagnostics are a snapshot beside the file (`INSTA_UPDATE=always` rewrites
//! it).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{ReadOptions, SourceFile, read};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/native")
}

fn stems(extension: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder()).expect("the folder of bad files");
    let names = names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    names.filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect()
}

#[test]
fn every_mistake_in_a_native_file_is_shown_as_its_snapshot_says() {
    let files = stems(".yaml");
    assert!(files.len() > 50, "the folder of bad files is nearly empty");
    for stem in &files {
        let file = format!("{stem}.yaml");
        let text = fs::read_to_string(folder().join(&file)).expect("a file that was listed");
        let source = SourceFile::new(file, text);
        let (profile, diagnostics) = read(&source, ReadOptions::default());
        let rendered = diagnostics.render(&source, Styling::Plain);
        let code = stem.split("--").next().expect("a code");
        assert_eq!(
            profile.is_some(),
            !diagnostics.has_errors(),
            "{stem}: loads exactly when there is no error\n{rendered}"
        );
        if code == "good" {
            assert!(diagnostics.is_empty(), "{rendered}");
        } else {
            assert!(diagnostics.iter().any(|diagnostic| diagnostic.code == code), "{stem}: no {code}\n{rendered}");
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder());
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(stem.as_str(), rendered));
    }
    let orphans: Vec<String> = stems(".snap").difference(&files).cloned().collect();
    assert!(orphans.is_empty(), "snapshots without a file: {orphans:?}");
}

/// Every code that the native reader can report.
fn codes_in_the_sources() -> BTreeSet<String> {
    let room = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![room.join("native.rs")];
    files.extend(fs::read_dir(room.join("native")).expect("a folder").map(|entry| entry.expect("an entry").path()));
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for start in ["Diagnostic::error(\"", "Diagnostic::warning(\"", "report(\""] {
            codes.extend(text.split(start).skip(1).filter_map(|part| part.split('"').next()).map(str::to_owned));
        }
    }
    codes
}

#[test]
fn every_code_of_the_native_reader_has_a_bad_file() {
    let shown: BTreeSet<String> =
        stems(".yaml").iter().filter_map(|stem| stem.split("--").next()).map(str::to_owned).collect();
    // A file for `too-many` would be too large for a repository; `limits_are_kept` tests it.
    let missing: Vec<String> =
        codes_in_the_sources().difference(&shown).filter(|code| *code != "too-many").cloned().collect();
    assert!(missing.is_empty(), "no bad file for {missing:?}");
}

#[test]
fn limits_are_kept() {
    let good = fs::read_to_string(folder().join("good.yaml")).expect("the good file");
    let many = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<String>();
    let bases = many(125, &|at| format!("  B{at}: {{scope: none, phases: [ISSUE]}}\n"));
    let groups = many(4096, &|at| format!("  g{at}: []\n"));
    let ops = many(200, &|at| format!("        v{at}: {{}}\n"));
    let ops =
        format!("  \"Big_{{a}}{{b}}\":\n    base: SR\n    ISSUE: 1\n    variants:\n      a:\n{ops}      b:\n{ops}");
    for (after, extra, what) in [
        ("bases:\n", bases, "a profile has at most 128 bases, this one has 129"),
        ("exclusion_groups:\n", groups, "a profile has at most 4096 exclusion groups, this one has 4097"),
        ("ops:\n", ops, "a profile has at most 16384 operations"),
        ("cell_types: {", many(6, &|at| format!("C{at}: [], ")), "a profile has at most 8 cell types, this one has 9"),
    ] {
        let source = SourceFile::new("big.yaml", good.replacen(after, &format!("{after}{extra}"), 1));
        let (profile, diagnostics) = read(&source, ReadOptions::default());
        assert!(profile.is_none());
        let found: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert!(found.contains(&what), "{found:?}");
    }
}

#[test]
fn all_mistakes_of_a_file_come_in_one_go_and_in_its_order() {
    let good = fs::read_to_string(folder().join("good.yaml")).expect("the good file");
    let bad = good
        .replace("planes: 2", "planes: 0")
        .replace("tPROG: 300", "tPROG: soon")
        .replace("effects: [data_out]", "effects: [dataout]")
        .replace("instant: true", "instant: maybe")
        .replace("all_except: [SR]", "all_except: [RS]")
        .replace("LATCH_ON_READ", "LATCH_ON_RED")
        .replace("base: SR", "base: SSR")
        .replace("{READ: 0.5", "{REED: 0.5");
    let source = SourceFile::new("bad.yaml", bad);
    let (profile, diagnostics) = read(&source, ReadOptions::default());
    assert!(profile.is_none());
    let lines: Vec<usize> =
        diagnostics.iter().map(|diagnostic| diagnostic.primary.as_ref().expect("a place").span.line).collect();
    assert_eq!(lines, [3, 5, 17, 18, 21, 26, 42, 44], "{}", diagnostics.render(&source, Styling::Plain));
}
