//! A campaign in phases, made in every way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nandseq_trace::manifest::SiteManifest;

use crate::runner::{Folder, files_below};

/// Six runs: blocks are prepared, stressed, and read back.
pub(crate) const PLAN: &str = "schema: 1
phases:
  - {name: precondition, runs: 2, run_until: 30000, until: {erased: 0.2 %}, probabilities: {global: {ERASE: 0.9}}}
  - {name: stress, runs: 3, ops: 40}
  - {name: read back, runs: 1, run_until: 900, probabilities: {global: {READ: 0.9}}}
";

pub(crate) fn phased(name: &str, text: &str) -> Folder {
    Folder::new().with(name, text)
}

pub(crate) fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["--plan", "plan.yaml", "--seed", "7", "--stamp", "261121", "-q"][..], more].concat()
}

pub(crate) fn said(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stdout).unwrap()
}

/// Cuts the manifest of a single device back to its first runs and removes the files of the others, as an interruption leaves them.
pub(crate) fn cut_after(out: &Path, kept: usize) {
    let path = out.join("manifest.json");
    let mut manifest: SiteManifest = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    for file in manifest.runs.drain(kept..).flat_map(|run| run.files) {
        fs::remove_file(file.file.to_write_in(out)).unwrap();
    }
    fs::write(path, serde_json::to_vec_pretty(&manifest).unwrap()).unwrap();
}

/// Makes a plan of six runs in every way; returns the files of one execution.
pub(crate) fn the_same_in_every_way(folder: &Folder, flags: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let out = folder.path().join("out");
    folder.succeed(&with(flags));
    let whole = files_below(&out);
    for kept in 1..6 {
        cut_after(&out, kept);
        folder.succeed(&with(&[flags, &["--resume", "out"]].concat()));
        assert!(files_below(&out) == whole, "interrupted after run {kept}");
    }
    // A run that lacks a file is made again, in the phase in which it was.
    let lacking = out.join("operation_timeline_261121_0000004.csv");
    fs::remove_file(lacking).unwrap();
    folder.succeed(&with(&[flags, &["--resume", "out"]].concat()));
    assert!(files_below(&out) == whole);
    let made = said(folder, &["replay", "out"]);
    assert!(made.ends_with("of 6 runs made again: all as the manifest says\n"), "{made}");
    let made = said(folder, &["replay", "out", "--run", "4"]);
    assert!(made.ends_with("of 1 run made again: all as the manifest says\n"), "{made}");
    whole
}
