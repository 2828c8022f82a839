//! The output of `generate`: files, manifests, the same bytes every time.

use std::collections::BTreeMap;
use std::fs;

use insta::assert_snapshot;
use nandseq_trace::files::FileKind;
use nandseq_trace::manifest::BatchManifest;

use crate::runner::{Folder, checked_manifest, files_below, forms, legacy};

const STAMP: [&str; 2] = ["--stamp", "2026-11-21"];
const FIRST_RUN: &str = "operation_sequence_261121_0000001.csv";

fn with_stamp<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&STAMP, arguments].concat()
}

#[test]
fn without_arguments_a_sequence_of_the_built_in_device_is_written() {
    let folder = Folder::new();
    let output = folder.succeed(&[]);
    let manifest = checked_manifest(&folder.path().join("out"));
    assert_eq!((manifest.site, manifest.site_seed, manifest.runs.len()), (None, 42, 1));
    assert_eq!(manifest.origin.profile.source, "built-in");
    let file = &manifest.runs[0].files[0];
    assert!(file.rows > 500, "{} rows", file.rows);
    let text = fs::read_to_string(file.file.to_write_in(&folder.path().join("out"))).unwrap();
    assert!(text.starts_with("seq,time,op_id,op_name,op_uid,payload\n1,"));
    let summary = String::from_utf8(output.stdout).unwrap();
    assert!(summary.contains(" operations in 1 run, "), "{summary}");
    assert!(summary.lines().count() < 40, "more than one screen:\n{summary}");
}

#[test]
fn the_same_command_gives_the_same_bytes_with_any_number_of_jobs() {
    let arguments = with_stamp(&["-t", "3000", "-n", "2", "--site-count", "5"]);
    let first = Folder::new();
    first.succeed(&arguments);
    for jobs in ["1", "2", "7"] {
        let again = Folder::new();
        again.succeed(&[&arguments[..], &["--jobs", jobs]].concat());
        assert!(again.files() == first.files(), "{jobs} jobs");
    }
}

#[test]
fn every_site_has_every_output_of_every_run() {
    let arguments = with_stamp(&["-t", "200", "-n", "2", "--site-count", "32"]);
    let folder = Folder::new();
    folder.succeed(&arguments);
    for site in 1..=32 {
        let site = folder.path().join(format!("out/site_{site:02}"));
        // Every file there is listed, and the other way round.
        let manifest = checked_manifest(&site);
        assert_eq!(manifest.runs.len(), 2);
        for run in manifest.runs {
            let kinds: Vec<FileKind> = run.files.iter().map(|file| file.kind).collect();
            assert_eq!(kinds, FileKind::ALL);
        }
    }
    // One job at a time, and many.
    for jobs in ["1", "2", "7"] {
        let again = Folder::new();
        again.succeed(&[&arguments[..], &["--jobs", jobs]].concat());
        assert!(again.files() == folder.files(), "{jobs} jobs");
    }
    // In four parts.
    let parts = Folder::new();
    for shard in ["2/4", "4/4", "1/4", "3/4"] {
        parts.succeed(&[&arguments[..], &["--shard", shard]].concat());
    }
    parts.succeed(&["merge", "out"]);
    assert!(parts.files() == folder.files(), "four shards");
    assert!(String::from_utf8(folder.succeed(&["verify", "out"]).stdout).unwrap().contains("64 files of 32 sites"));
}

#[test]
fn a_choice_of_outputs_is_what_is_written() {
    let folder = Folder::new();
    folder.succeed(&with_stamp(&["-t", "500", "--outputs", "phase_proposal_counts,snapshot"]));
    let names: Vec<String> = folder.files().into_keys().collect();
    let expected = [
        "out/manifest.json",
        "out/phase_proposal_counts_261121_0000001.csv",
        "out/snapshots/state_snapshot_20261121_000000_0000001.json",
    ];
    assert_eq!(names, expected);
    let all = Folder::new();
    all.succeed(&with_stamp(&["-t", "500", "--proposer-log", "off"]));
    assert!(folder.files()[expected[1]] == all.files()[expected[1]], "the choice changes nothing of what is written");
    assert!(all.files().keys().all(|name| !name.contains("proposer")));
}

#[test]
fn the_proposer_log_counts_what_the_tables_count() {
    let folder = Folder::new();
    folder.succeed(&with_stamp(&["-t", "100000"]));
    let log = |folder: &Folder| {
        let text = fs::read_to_string(folder.path().join("out/proposer_debug_261121_0000001.log")).unwrap();
        let rows = text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
        rows.collect::<Vec<_>>()
    };
    let summary = log(&folder);
    assert!(summary.is_sorted());
    let mut counted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for row in &summary {
        let count = row[3].parse::<u64>().unwrap();
        let earlier = counted.insert((row[0].clone(), row[1].clone(), row[2].clone()), count);
        assert_eq!(earlier, None);
    }
    let absent: BTreeMap<String, u64> = counted
        .extract_if(.., |(key, _, _), _| key == "-")
        .map(|((_, op, outcome), count)| {
            // On this device everything can start that is on it.
            let kind = outcome.split_once(':').map_or(&*outcome, |(kind, _)| kind);
            let expected: &[&str] = if count > 0 { &["never_started"] } else { &["never_drawn"] };
            let is_missing =
                ["not_on_device", "cell_type", "delay"].iter().any(|why| outcome == format!("never_eligible:{why}"));
            assert!(expected.contains(&kind) || (count == 0 && is_missing), "{op}: {outcome} {count}");
            (op, count)
        })
        .collect();
    assert!(counted.keys().any(|(_, _, outcome)| outcome != "accepted"), "nothing was refused");
    let sequence = fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let mut lacking: BTreeMap<String, u64> =
        nandseq_profile::builtin::profile().ops.iter().map(|op| (op.name.clone(), 0)).collect();
    for row in csv::Reader::from_reader(sequence.as_slice()).records().map(Result::unwrap) {
        lacking.remove(&row[3]);
    }
    for ((_, op, outcome), count) in &counted {
        if outcome != "accepted" {
            lacking.entry(op.clone()).and_modify(|refused| *refused += count);
        }
    }
    assert!(lacking.values().any(|&refused| refused > 0) && lacking.values().any(|&refused| refused == 0));
    assert!(absent == lacking, "the log names what the sequence lacks");
    let bytes = fs::read(folder.path().join("out/phase_proposal_counts_261121_0000001.csv")).unwrap();
    let mut accepted: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for row in csv::Reader::from_reader(bytes.as_slice()).records().map(Result::unwrap) {
        let key = (row[0].to_owned(), row[5].to_owned(), "accepted".to_owned());
        *accepted.entry(key).or_default() += row[6].parse::<u64>().unwrap();
    }
    let of_summary: BTreeMap<_, _> = counted
        .iter()
        .filter(|((_, _, outcome), _)| outcome == "accepted")
        .map(|(key, count)| (key.clone(), *count))
        .collect();
    assert!(of_summary == accepted);
    // The full log says the same, one by one.
    let full = Folder::new();
    full.succeed(&with_stamp(&["-t", "100000", "--proposer-log", "full"]));
    let mut one_by_one: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    for row in log(&full) {
        assert_eq!(row.len(), 9, "{row:?}");
        assert_eq!(row[6] == "accepted", !row[7].is_empty() && !row[8].is_empty(), "{row:?}");
        *one_by_one.entry((row[3].clone(), row[5].clone(), row[6].clone())).or_default() += 1;
    }
    assert!(one_by_one == counted);
}

#[test]
fn with_and_without_the_subcommand_is_the_same() {
    let (one, other) = (Folder::new(), Folder::new());
    one.succeed(&with_stamp(&["-t", "3000"]));
    other.succeed(&[&["generate"], &with_stamp(&["-t", "3000"])[..]].concat());
    assert!(one.files() == other.files());
}

#[test]
fn sites_differ_and_each_is_reproduced_alone() {
    let batch = Folder::new();
    batch.succeed(&with_stamp(&["-t", "3000", "-n", "2", "--site-count", "4", "--site-start", "3", "--seed", "1000"]));
    let folders: Vec<_> = (3..7).map(|site| batch.path().join(format!("out/site_{site:02}"))).collect();
    let mut sequences = Vec::new();
    for (at, folder) in folders.iter().enumerate() {
        let manifest = checked_manifest(folder);
        assert_eq!((manifest.site, manifest.site_seed), (Some(3 + at as u64), 1000 + at as u64));
        // op_uid and time go on over runs, so the payloads alone are compared.
        sequences.extend(files_below(folder).into_iter().filter(|(name, _)| name.starts_with("operation_sequence_")));
    }
    for (at, (_, one)) in sequences.iter().enumerate() {
        assert!(sequences[..at].iter().all(|(_, other)| payloads(one) != payloads(other)), "two runs are alike");
    }
    let alone = Folder::new();
    alone.succeed(&with_stamp(&["-t", "3000", "-n", "2", "--site-count", "1", "--site-start", "5", "--seed", "1002"]));
    assert!(files_below(&alone.path().join("out/site_05")) == files_below(&folders[2]));
}

fn payloads(sequence: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(sequence);
    reader.records().map(|record| record.unwrap()[5].to_owned()).collect()
}

#[test]
fn a_batch_lists_its_sites() {
    let folder = Folder::new();
    folder.succeed(&with_stamp(&["-t", "1000", "--site-count", "3", "--site-dir-pattern", "rack {{1}}/{site_id:03d}"]));
    let bytes = fs::read(folder.path().join("out/manifest.json")).unwrap();
    let batch: BatchManifest = serde_json::from_slice(&bytes).unwrap();
    let folders: Vec<&str> = batch.sites.iter().map(|site| site.folder.as_str()).collect();
    assert_eq!(folders, ["rack {1}/001", "rack {1}/002", "rack {1}/003"]);
    for site in &batch.sites {
        let path = site.folder.to_write_in(&folder.path().join("out"));
        let manifest = checked_manifest(&path);
        assert_eq!(site.operations, manifest.runs.iter().map(|run| run.files[0].rows).sum::<u64>());
        let bytes = fs::read(path.join("manifest.json")).unwrap();
        assert_eq!(nandseq_trace::files::Digest::of(&bytes), site.manifest_sha256);
    }
}

#[test]
fn the_arguments_of_a_manifest_make_the_same_files_again() {
    let bad = "die,block\n0,0\n1,7\n";
    let flags = ["-n", "3", "-t", "1500.25", "--site-count", "2", "--pc-demo", "mix", "--admission-window", "0.25"];
    let folder = Folder::new().with("bad.csv", bad);
    folder.succeed(&[&with_stamp(&flags)[..], &["--badlist", "bad.csv", "--seed", "7", "--pc-seed", "8"]].concat());
    let batch = fs::read(folder.path().join("out/manifest.json")).unwrap();
    let batch: BatchManifest = serde_json::from_slice(&batch).unwrap();
    let site = checked_manifest(&folder.path().join("out/site_02"));

    let again = Folder::new().with("bad.csv", bad);
    let arguments: Vec<&str> = batch.origin.arguments.iter().map(String::as_str).collect();
    again.succeed(&[&arguments[..], &STAMP].concat());
    assert!(again.files() == folder.files());

    let alone = Folder::new().with("bad.csv", bad);
    let arguments: Vec<&str> = site.origin.arguments.iter().map(String::as_str).collect();
    alone.succeed(&[&arguments[..], &STAMP].concat());
    assert!(files_below(&alone.path().join("out/site_02")) == files_below(&folder.path().join("out/site_02")));
}

#[test]
fn operations_can_be_counted_instead_of_time() {
    let folder = Folder::new();
    folder.succeed(&with_stamp(&["--ops", "2000", "-n", "2"]));
    for run in checked_manifest(&folder.path().join("out")).runs {
        let rows = run.files[0].rows;
        // Chains that have begun are completed.
        assert!((2000..2100).contains(&rows), "{rows} rows");
    }
}

#[test]
fn a_second_execution_replaces_files_of_the_same_name_and_leaves_others_alone() {
    let folder = Folder::new();
    let only = ["--outputs", "operation_sequence"];
    folder.succeed(&[&["-t", "1000", "--stamp", "261120"], &only[..]].concat());
    folder.succeed(&[&["-t", "1000", "--stamp", "261121", "--seed", "1"], &only[..]].concat());
    fs::write(folder.path().join("out/notes.txt"), "mine").unwrap();
    folder.succeed(&[&["-t", "1000", "--stamp", "261121", "--seed", "2"], &only[..]].concat());
    let mut names: Vec<_> = folder.files().into_keys().collect();
    names.sort();
    let expected = ["manifest.json", "notes.txt", "operation_sequence_261120_0000001.csv", FIRST_RUN];
    assert_eq!(names, expected.map(|name| format!("out/{name}")));
    let fresh = Folder::new();
    fresh.succeed(&["-t", "1000", "--stamp", "261121", "--seed", "2"]);
    let name = format!("out/{FIRST_RUN}");
    assert!(folder.files()[&name] == fresh.files()[&name]);
}

#[test]
fn quiet_says_nothing() {
    let output = Folder::new().succeed(&["-t", "1000", "--quiet"]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn progress_is_plain_lines_when_piped() {
    let output = Folder::new().succeed(&["-t", "1000", "--site-count", "3", "--jobs", "1"]);
    let lines: Vec<String> = String::from_utf8(output.stderr).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    for (at, line) in lines.iter().enumerate() {
        assert!(line.starts_with(&format!("site {} done: 1 run, ", at + 1)), "{line}");
        assert!(line.ends_with(&format!(" operations ({} of 3 sites)", at + 1)), "{line}");
    }
    assert!(!String::from_utf8(output.stdout).unwrap().contains('\u{1b}'), "colours in a pipe");
}

#[test]
fn an_output_folder_that_cannot_be_made() {
    let folder = Folder::new().with("taken", "");
    let text = folder.refuse(&["--out-dir", "taken/out"]);
    assert!(text.starts_with("exit code 3\n"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn a_site_folder_that_cannot_be_made() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("out")).unwrap();
    let folder = folder.with("out/site_02", "");
    let text = folder.refuse(&["--site-count", "2", "-t", "100"]);
    assert!(text.starts_with("exit code 3\n"), "{text}");
    assert_snapshot!(text);
}

#[test]
#[cfg(target_os = "linux")]
fn an_output_folder_that_cannot_be_written() {
    // Nobody, not even an administrator, makes files there.
    let text = Folder::new().refuse(&["--out-dir", "/proc/self"]);
    assert!(text.starts_with("exit code 3\nerror: cannot write `/proc/self`: "), "{text}");
}

#[test]
fn the_predecessors_command_works_as_it_did() {
    let Some(config) = legacy("config-2025-09.yaml") else { return };
    let folder = Folder::new();
    let flags = ["--site-count", "32", "--num-runs", "2", "--seed", "1000", "-t", "20000", "--out-dir", "out/sites"];
    folder.succeed(&[&["--config", config.to_str().unwrap()], &flags[..]].concat());
    for site in 1..=32 {
        let manifest = checked_manifest(&folder.path().join(format!("out/sites/site_{site:02}")));
        assert_eq!(manifest.runs.len(), 2);
        assert!(manifest.runs.iter().all(|run| run.files[0].rows > 0));
    }
}

/// Files by name, with the dates and times of day in names, and what manifests say of them, taken out.
fn without_clock(folder: &Folder) -> BTreeMap<String, Vec<u8>> {
    let digits = |part: &str| part.len() >= 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |text: &str| {
        let is_end = |c: char| !c.is_ascii_alphanumeric();
        let parts = text.split_inclusive(is_end).map(|part| {
            let name = part.trim_end_matches(is_end);
            if digits(name) && name.len() != 7 { part.replacen(name, "#", 1) } else { part.to_owned() }
        });
        parts.collect::<String>()
    };
    let hash = "\"manifest_sha256\": \"";
    let files = folder.files().into_iter().map(|(name, bytes)| {
        if !name.ends_with("manifest.json") {
            return (plain(&name), bytes);
        }
        let lines = String::from_utf8(bytes).unwrap();
        let lines = lines.lines().map(|line| match (line.split_once(hash), line.split_once("\"files\"")) {
            (Some((before, _)), _) => before.to_owned(),
            (None, Some((before, files))) => format!("{before}{}", plain(files)),
            (None, None) => line.to_owned(),
        });
        (name, lines.collect::<Vec<_>>().join("\n").into_bytes())
    });
    files.collect()
}

#[test]
fn without_a_stamp_the_clock_shows_in_names_and_manifests_and_nowhere_else() {
    for form in &forms() {
        let flags = ["-t", "700", "-n", "2", "--site-count", "2", "--quiet", "--format", form];
        let (one, other) = (Folder::new(), Folder::new());
        one.succeed(&[&flags[..], &["--jobs", "1"]].concat());
        // Names have whole seconds of the clock.
        let second = || std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let ended = second();
        while second() == ended {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        other.succeed(&[&flags[..], &["--jobs", "5"]].concat());
        let names = |folder: &Folder| folder.files().into_keys().collect::<Vec<_>>();
        assert_ne!(names(&one), names(&other), "snapshots have the time of day in their names");
        assert!(without_clock(&one) == without_clock(&other), "{form}");
        // With it nothing is left of the clock.
        let stamped = [&one, &other].map(|folder| {
            folder.succeed(&[&flags[..], &["--stamp", "261121", "--out-dir", "stamped"]].concat());
            files_below(&folder.path().join("stamped"))
        });
        assert!(stamped[0] == stamped[1], "{form}");
    }
}
