//! Tests of the diagnostics of plans: one small bad file for each mistake.
//!
//! Every file in `testdata` is a test. The part of its name before `--` is the code of a diagnostic that must occur; a file called
//! `good` must give none. The rendered diagnostics are a snapshot beside the file (`INSTA_UPDATE=always` rewrites it).

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nandseq_profile::diagnostic::Styling;
use nandseq_profile::{SourceFile, builtin};

use crate::read;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

fn stems(extension: &str) -> BTreeSet<String> {
    let names = fs::read_dir(folder()).expect("the folder of bad files");
    let names = names.map(|entry| entry.expect("an entry").file_name().into_string().expect("a plain name"));
    names.filter_map(|name| name.strip_suffix(extension).map(str::to_owned)).collect()
}

#[test]
fn every_mistake_in_a_plan_is_shown_as_its_snapshot_says() {
    let files = stems(".yaml");
    assert!(files.len() > 30, "the folder of bad files is nearly empty");
    for stem in &files {
        let file = format!("{stem}.yaml");
        let text = fs::read_to_string(folder().join(&file)).expect("a file that was listed");
        let source = SourceFile::new(file, text);
        let (plan, diagnostics) = read(&source);
        let rendered = diagnostics.render(&source, Styling::Plain);
        let code = stem.split("--").next().expect("a code");
        assert_eq!(
            plan.is_some(),
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

/// Every code that the reader of plans can report.
fn codes_in_the_sources() -> BTreeSet<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![sources.join("read.rs")];
    files.extend(fs::read_dir(sources.join("read")).expect("a folder").map(|entry| entry.expect("an entry").path()));
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("a source file");
        for start in ["Diagnostic::error(\"", "Diagnostic::warning(\"", "Diagnostic::note(\""] {
            codes.extend(text.split(start).skip(1).filter_map(|part| part.split('"').next()).map(str::to_owned));
        }
    }
    codes
}

#[test]
fn every_code_of_the_reader_has_a_bad_file() {
    let shown: BTreeSet<String> =
        stems(".yaml").iter().filter_map(|stem| stem.split("--").next()).map(str::to_owned).collect();
    // `limits_are_kept` tests `too-many`.
    let missing: Vec<String> =
        codes_in_the_sources().difference(&shown).filter(|code| *code != "too-many").cloned().collect();
    assert!(missing.is_empty(), "no bad file for {missing:?}");
}

#[test]
fn limits_are_kept() {
    let many = |count: usize, of: &dyn Fn(usize) -> String| (0..count).map(of).collect::<String>();
    for (text, what) in [
        (
            format!("phases:\n{}", many(1001, &|at| format!("  - {{name: p{at}, ops: 1}}\n"))),
            "a plan has at most 1000 items in `phases`, this one has 1001",
        ),
        (
            format!("addresses:\n{}", many(65, &|at| format!("  a{at}: {{limits: {{open_blocks: 1}}}}\n"))),
            "a plan has at most 64 entries in `addresses`, this one has 65",
        ),
        (
            format!("scenarios:\n  s:\n    steps:\n{}", many(65, &|_| "      - {base: READ}\n".to_owned())),
            "a plan has at most 64 items in `steps`, this one has 65",
        ),
        (
            format!(
                "addresses:\n{}",
                many(17, &|at| format!("  a{at}: {{regions: [{}]}}\n", many(64, &|_| "{blocks: 5}, ".into())))
            ),
            "the regions are 1088",
        ),
    ] {
        let (plan, diagnostics) = read(&SourceFile::new("big.yaml", format!("schema: 1\n{text}")));
        assert!(plan.is_none());
        let found: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        assert_eq!(found, [what]);
    }
}

#[test]
fn the_regions_of_a_phase_have_at_most_so_many_blocks() {
    let mut profile = builtin::profile();
    (profile.topology.dies, profile.topology.blocks_per_die) = (16, 4096);
    for (count, fits) in [(64, true), (65, false)] {
        let whole = |name: &str, count: usize| format!("  {name}: {{regions: [{}]}}\n", vec!["{}"; count].join(", "));
        let text = format!(
            "schema: 1\nphases: [{{name: a, ops: 1, addresses: one}}, {{name: b, ops: 1}}]\naddresses:\n{}{}",
            whole("one", 1),
            whole("others", count - 1)
        );
        let (plan, diagnostics) = nandseq_plan::read(&SourceFile::new("big.yaml", text), &profile, &[]);
        assert_eq!(plan.is_some(), fits);
        let found: Vec<&str> = diagnostics.iter().map(|diagnostic| diagnostic.message.as_str()).collect();
        let expected = ["the regions of the phase `b` have 4259840 blocks together"];
        assert_eq!(found, if fits { &[][..] } else { &expected });
    }
}
