//! `--pack` with `--format parquet`: what differs from packs of CSV tables, in names, damage and what is made again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use nandseq_trace::files::FileKind;

use crate::runner::{Folder, checked_manifest};

const SECOND: &str = "out/pack=0000004/operation_sequence.parquet";

/// The names of the tables, in the order of names.
fn tables() -> Vec<&'static str> {
    let mut names: Vec<_> = FileKind::ALL.into_iter().filter(|kind| kind.is_table()).map(FileKind::name).collect();
    names.sort_unstable();
    names
}

fn with<'a>(runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let flags = ["-t", "700", "--seed", "9", "--stamp", "261121", "--quiet", "--format", "parquet", "-n", runs];
    [&flags[..], more].concat()
}

fn made(runs: &str, more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&with(runs, more));
    folder
}

/// What the program says, and its exit code.
fn said(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String) {
    let output = folder.run(arguments);
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// Text in which members are named as the files that they are.
fn without_packs(text: &str, size: usize) -> String {
    let firsts = (1..10).step_by(size);
    let archives =
        firsts.flat_map(|first| tables().into_iter().map(move |table| format!("pack={first:07}/{table}.parquet/")));
    archives.fold(text.to_owned(), |text, archive| text.replace(&archive, ""))
}

#[test]
fn a_pack_has_a_file_for_each_table_and_an_archive_of_the_rest() {
    let folder = made("4", &["--pack", "3"]);
    let mut expected = vec!["out/manifest.json".to_owned()];
    for first in ["0000001", "0000004"] {
        expected.extend(tables().iter().map(|table| format!("out/pack={first}/{table}.parquet")));
    }
    expected.extend(["1", "4"].map(|first| format!("out/pack_261121_000000{first}.zip")));
    assert_eq!(folder.files().into_keys().collect::<Vec<_>>(), expected);
    let known = checked_manifest(&folder.path().join("out"));
    let counts: Vec<_> = known.runs.iter().map(|run| (run.files.len(), run.pack.len())).collect();
    assert_eq!(counts, [(8, 0), (8, 0), (8, 7), (8, 7)]);
    let member = "pack=0000001/operation_sequence.parquet/run=0000002/operation_sequence.parquet";
    assert_eq!(known.runs[1].files[0].file.as_str(), member);
    // Without a snapshot and a log there is nothing for an archive.
    let folder = made("4", &["--pack", "3", "--outputs", "operation_sequence"]);
    assert_eq!(folder.files().keys().filter(|name| name.ends_with(".zip")).count(), 0);
    assert_eq!(said(&folder, &["verify", "out"]).0, Some(0));
}

#[test]
fn tables_in_packs_are_read_as_the_files_in_them() {
    let (plain, packed) = (made("5", &[]), made("5", &["--pack", "2"]));
    for arguments in [
        &["verify", "out"][..],
        &["verify", "out", "--format", "json"],
        &["coverage", "report", "out"],
        &["export", "out", "--to", "vcd", "-o", "out.vcd"],
        &["report", "out", "-o", "out.html"],
        &["replay", "out"],
        &["replay", "out", "--run", "4"],
    ] {
        let [(code, expected), (same, text)] = [&plain, &packed].map(|folder| said(folder, arguments));
        if arguments[0] != "report" {
            assert_eq!(without_packs(&text, 2), expected, "{arguments:?}");
        }
        assert_eq!((same, code), (Some(0), Some(0)), "{arguments:?}: {text}");
    }
    assert!(plain.files()["out.vcd"] == packed.files()["out.vcd"]);
    // By the folder, by the archive, and by a member.
    for path in ["out/pack=0000001", "out/pack=0000001/operation_sequence.parquet"] {
        let (code, text) = said(&packed, &["verify", path]);
        assert!(code == Some(0) && text.contains("in 2 files of 1 site: no rule broken."), "{path}: {text}");
    }
    let second = "out/pack=0000001/operation_sequence.parquet/run=0000002/operation_sequence.parquet";
    assert_eq!(said(&packed, &["verify", second]).0, Some(0));
    // From a snapshot in the archive beside.
    let snapshot = "out/pack_261121_0000003.zip/snapshots/state_snapshot_20261121_000000_0000004.json";
    packed.succeed(&with("5", &["--resume", snapshot, "--out-dir", "on", "--pack", "2"]));
    let files = packed.files();
    for name in ["pack=0000005/operation_timeline.parquet", "pack_261121_0000005.zip"] {
        assert!(files[&format!("on/{name}")] == files[&format!("out/{name}")], "{name}");
    }
    // Without a manifest, the packs are what they hold.
    fs::remove_file(packed.path().join("out/manifest.json")).unwrap();
    let (_, text) = said(&packed, &["verify", "out"]);
    assert!(text.contains(" in 5 files of 1 site: no rule broken."), "{text}");
    assert!(text.contains("Compared with 25 tables."), "{text}");
}

#[test]
fn fails_are_simulated_and_diagnosed_on_packs_of_tables() {
    const FAULT: &str = "schema: 1\nname: an erase soon after a copyback read\nwhen:\n  pair:\n    first: {base: COPYBACK_READ}\n    \
                         second: {base: ERASE, within: 0-100}\nprobability: 0.6\nnoise: 0.3\n";
    let batch = ["--site-count", "3"];
    let (plain, packed) = (made("4", &batch), made("4", &[&batch[..], &["--pack", "3"]].concat()));
    let [expected, found] = [&plain, &packed].map(|folder| {
        fs::write(folder.path().join("fault.yaml"), FAULT).unwrap();
        folder.succeed(&["simulate", "out", "--fault", "fault.yaml", "-o", "fails.csv"]);
        let (code, text) = said(folder, &["diagnose", "out", "--fails", "fails.csv"]);
        assert_eq!(code, Some(0), "{text}");
        (fs::read(folder.path().join("fails.csv")).unwrap(), without_packs(&text, 3))
    });
    assert!(expected.0 == found.0 && String::from_utf8_lossy(&expected.0).contains("fail"));
    assert_eq!(found.1, expected.1);
}

#[test]
fn what_is_gone_of_a_pack_is_made_again_and_the_rest_stays() {
    for gone in [
        &["pack=0000001/operation_timeline.parquet"][..],
        &["pack_261121_0000004.zip"],
        &["pack_261121_0000001.zip"],
        &["pack=0000004/operation_sequence.parquet", "pack=0000007/address_touch_count.parquet"],
    ] {
        for flags in [&["--pack", "3"][..], &["--pack", "3", "--proposer-log", "off"]] {
            let folder = made("7", flags);
            let whole = folder.files();
            let times = |folder: &Folder| -> BTreeMap<String, _> {
                let time = |name: String| {
                    let changed = fs::metadata(folder.path().join(&name)).unwrap().modified().unwrap();
                    (name, changed)
                };
                folder.files().into_keys().filter(|name| !name.ends_with(".json")).map(time).collect()
            };
            let before = times(&folder);
            gone.iter().for_each(|name| fs::remove_file(folder.path().join("out").join(name)).unwrap());
            let (code, text) = said(&folder, &with("7", &[flags, &["--resume", "out"]].concat()));
            assert_eq!(code, Some(0), "{text}");
            assert!(text.contains(&format!("lacks `{}`", gone[0])), "{text}");
            assert!(folder.files() == whole, "{gone:?}");
            let after = times(&folder);
            let replaced = before.iter().filter(|(name, time)| after[*name] != **time);
            let expected: Vec<String> = gone.iter().map(|name| format!("out/{name}")).collect();
            assert!(replaced.map(|(name, _)| name).eq(&expected), "{gone:?}");
        }
    }
}

#[test]
fn damage_in_a_pack_of_tables_is_found_with_its_member() {
    let folder = made("5", &["--pack", "3"]);
    let path = folder.path().join(SECOND);
    let whole = fs::read(&path).unwrap();
    let member = "run=0000004/operation_sequence.parquet";
    let mut noisy = whole.clone();
    noisy[60] ^= 0x55;
    fs::write(&path, &noisy).unwrap();
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("{SECOND}/{member}: ")), "{text}");
    assert!(text.contains(&format!("{SECOND}: changed since it was written")), "{text}");
    assert!(!text.contains(&format!("{SECOND}/run=0000005")), "{text}");
    let (code, text) = said(&folder, &["replay", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("`{SECOND}/{member}` was changed")), "{text}");
    // It is cut, or something else: said once, of the archive.
    for bytes in [&b""[..], &whole[..1], &whole[..100], &whole[..whole.len() - 1], b"PAR1 and noise PAR1"] {
        fs::write(&path, bytes).unwrap();
        let (code, text) = said(&folder, &["verify", "out"]);
        assert_eq!(code, Some(1), "{text}");
        let expected = format!("{SECOND}: cannot be read: it is no pack of Parquet tables, or it was cut or damaged");
        assert_eq!(
            (text.matches(&expected).count(), text.contains(".parquet/run=0000004/operation_s")),
            (1, false),
            "{text}"
        );
    }
    fs::remove_file(&path).unwrap();
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!((code, text.matches("listed in the manifest, but not there").count()), (Some(1), 1), "{text}");
}

#[test]
fn a_pack_in_another_place_and_another_table_in_the_place_of_a_pack_are_said() {
    let folder = made("2", &["--pack", "2"]);
    let pack = folder.path().join("out/pack=0000001/operation_sequence.parquet");
    fs::copy(&pack, folder.path().join("mine.parquet")).unwrap();
    let (code, text) = said(&folder, &["verify", "mine.parquet"]);
    assert!(code != Some(0) && text.contains("it is a pack of runs, which are found where it was written"), "{text}");
    let plain = made("1", &[]);
    fs::copy(plain.path().join("out/run=0000001/operation_sequence.parquet"), &pack).unwrap();
    let (code, text) = said(&folder, &["verify", "out"]);
    assert_eq!(code, Some(1));
    assert!(text.contains("it has no list of runs, so another program has written it"), "{text}");
}

#[test]
fn packs_of_tables_of_earlier_campaigns_are_named_and_removed_with_clean() {
    let folder = made("5", &["--pack", "2"]);
    let (_, text) = said(&folder, &["-t", "700", "--seed", "8", "--stamp", "261121", "-n", "3"]);
    assert!(text.contains("pack=0000001/address_touch_count.parquet"), "{text}");
    folder.succeed(&with("3", &["--clean"]));
    assert!(folder.files() == made("3", &[]).files());
    assert!(!Path::new(&folder.path().join("out/pack=0000001")).exists());
}
