//! Writing manifests. Each run of a site's manifest is on a line of its own.

use std::io::{self, Write};
use std::path::Path;

use nandseq_trace::files::Digest;
use nandseq_trace::manifest::{FILE_NAME, SiteManifest};
use serde::Serialize;

use crate::new_file::NewFile;

/// Writes a manifest called `name` into `folder` and returns its digest. An older manifest is replaced when the new one is
/// complete.
///
/// # Errors
/// If the file cannot be written.
pub fn write_manifest(folder: &Path, name: &str, manifest: &impl Serialize) -> io::Result<Digest> {
    let mut text = serde_json::to_vec_pretty(manifest).map_err(io::Error::other)?;
    text.push(b'\n');
    let mut file = NewFile::create(folder, name)?;
    file.write_all(&text)?;
    file.commit()
}

/// The end of a pretty-printed [`SiteManifest`] without runs.
const NO_RUNS: &str = "[]\n}";

/// Writes the manifest of a site into `folder` and returns its digest. An older manifest is replaced when the new one is
/// complete.
///
/// `head` has everything but the runs; its own runs are ignored. `runs` gives [`RunRecord`](nandseq_trace::manifest::RunRecord)s
/// as compact JSON, one by one, because a site may have too many to hold in memory.
///
/// # Errors
/// If the file cannot be written, or if `runs` gives an error.
pub fn write_site_manifest(
    folder: &Path,
    head: &SiteManifest,
    runs: impl Iterator<Item = io::Result<String>>,
) -> io::Result<Digest> {
    let head = SiteManifest { runs: Vec::new(), ..head.clone() };
    let text = serde_json::to_string_pretty(&head).map_err(io::Error::other)?;
    let text = text.strip_suffix(NO_RUNS).ok_or_else(|| io::Error::other("the runs are not the last field"))?;
    let mut file = io::BufWriter::new(NewFile::create(folder, FILE_NAME)?);
    file.write_all(text.as_bytes())?;
    let mut before = "[";
    for run in runs {
        write!(file, "{before}\n    {}", run?)?;
        before = ",";
    }
    file.write_all(if before == "[" { b"[]\n}\n" } else { b"\n  ]\n}\n" })?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.commit()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]
    use std::fs;

    use nandseq_trace::files::FileKind;
    use nandseq_trace::manifest::{FileRecord, Input, Origin, ProfileInput, RunRecord, SCHEMA, SEQUENTIAL, Tool};

    use super::*;

    fn example() -> SiteManifest {
        let tool = Tool { name: "nandseqgen".into(), version: "1.2.3".into() };
        let profile = ProfileInput {
            name: "A device".into(),
            source: "built-in".into(),
            sha256: Digest::of(b"profile"),
            resolved_sha256: "ab".repeat(32),
        };
        let badlist = Some(Input { source: "bad.csv".into(), sha256: Digest::of(b"bad") });
        let arguments = vec!["--seed".into(), "42".into()];
        let file = FileRecord {
            kind: FileKind::OperationSequence,
            file: "operation_sequence_261121_0000001.csv".to_owned().try_into().unwrap(),
            rows: 7,
            sha256: Digest::of(b"rows"),
        };
        SiteManifest {
            schema: SCHEMA,
            origin: Origin { tool, profile, probabilities: None, badlist, plan: None, phase_runs: None, arguments },
            site: Some(3),
            seed_formula: SEQUENTIAL.into(),
            site_seed: 44,
            runs: vec![RunRecord {
                run: 1,
                run_index: 0,
                seed: 44,
                phase: None,
                operations: 7,
                files: vec![file],
                pack: Vec::new(),
            }],
        }
    }

    fn put(folder: &Path, manifest: &SiteManifest) -> Digest {
        let lines = manifest.runs.iter().map(|run| serde_json::to_string(run).map_err(io::Error::other));
        write_site_manifest(folder, manifest, lines).unwrap()
    }

    #[test]
    fn a_manifest_reads_back_as_it_was_and_keeps_the_order_of_its_keys() {
        let folder = tempfile::tempdir().unwrap();
        let digest = put(folder.path(), &example());
        let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
        assert_eq!(digest, Digest::of(text.as_bytes()));
        assert_eq!(serde_json::from_str::<SiteManifest>(&text).unwrap(), example());
        let keys = ["schema", "origin", "tool", "profile", "badlist", "arguments", "site", "seed_formula", "runs"];
        let places = keys.map(|key| text.find(&format!("\"{key}\":")).unwrap());
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn any_number_of_runs_reads_back_each_on_its_line() {
        for count in [0, 1, 2, 50] {
            let folder = tempfile::tempdir().unwrap();
            let run = |index| RunRecord { run: index + 1, run_index: index, ..example().runs.remove(0) };
            let manifest = SiteManifest { runs: (0..count).map(run).collect(), ..example() };
            put(folder.path(), &manifest);
            let text = fs::read_to_string(folder.path().join(FILE_NAME)).unwrap();
            assert_eq!(serde_json::from_str::<SiteManifest>(&text).unwrap(), manifest, "{text}");
            assert_eq!(text.lines().filter(|line| line.contains("\"run\":")).count() as u64, count, "{text}");
            assert!(text.ends_with("\n}\n"), "{text}");
        }
    }

    #[test]
    fn the_same_inputs_give_the_same_bytes() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert_eq!(put(one.path(), &example()), put(other.path(), &example()));
    }
}
