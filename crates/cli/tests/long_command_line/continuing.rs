//! `--resume` after changes: files that were packed, edited or cut, another folder, other numbers. Existing files stay, a
//! manifest keeps the runs it lists, and what is impossible is refused before any file is changed.

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use crate::runner::{Folder, checked_manifest};

/// A campaign of short runs, which more flags complete.
fn with<'a>(runs: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--ops", "40", "--seed", "5", "--stamp", "261121", "--quiet", "-n", runs], more].concat()
}

fn made(runs: &str, more: &[&str]) -> Folder {
    let folder = Folder::new();
    folder.succeed(&with(runs, more));
    folder
}

/// What going on said on stderr.
fn said(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stderr).unwrap()
}

fn is_refused(folder: &Folder, arguments: &[&str], part: &str) {
    let text = folder.refuse(arguments);
    assert!(text.starts_with("exit code 2\n") && text.contains(part), "{arguments:?}: {text}");
}

fn remove(folder: &Folder, name: &str) {
    fs::remove_file(folder.path().join(name)).unwrap();
}

/// Changes the text of a file.
fn alter(folder: &Folder, name: &str, from: &str, to: &str) {
    let text = fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(folder.path().join(name), text.replace(from, to)).unwrap();
}

/// The sites that the manifest of a batch lists, and their runs.
fn sites_of(folder: &Folder) -> Vec<(u64, u64)> {
    let text = fs::read(folder.path().join("out/manifest.json")).unwrap();
    let batch: Value = serde_json::from_slice(&text).unwrap();
    let number = |site: &Value, field: &str| site[field].as_u64().unwrap();
    batch["sites"].as_array().unwrap().iter().map(|site| (number(site, "site"), number(site, "runs"))).collect()
}

const LAST: &str = "out/snapshots/state_snapshot_20261121_000000_0000005.json";
const SECOND: &str = "out/snapshots/state_snapshot_20261121_000000_0000002.json";

#[test]
fn where_every_run_is_elsewhere_no_empty_manifest_is_written() {
    let folder = made("5", &[]);
    let other = ["--ops", "40", "--seed", "7", "--stamp", "261121", "--quiet", "-n", "2", "--out-dir", "other"];
    folder.succeed(&other);
    for place in ["other", "empty"] {
        for (from, shown) in [("out", "`out`".to_owned()), (LAST, format!("the snapshot `{LAST}`"))] {
            let expected = format!("all 5 runs are in {shown}; nothing is left to make in `{place}`");
            is_refused(&folder, &with("5", &["--resume", from, "--out-dir", place]), &expected);
            is_refused(&folder, &with("5", &["--resume", from, "--out-dir", place, "--dry-run"]), &expected);
        }
    }
    // One more run is something to make, but not in the place of another campaign.
    let before = folder.files();
    for from in ["out", LAST] {
        let expected = "`other` holds runs of another campaign: ";
        is_refused(&folder, &with("6", &["--resume", from, "--out-dir", "other"]), expected);
        is_refused(&folder, &with("6", &["--resume", from, "--out-dir", "other", "--dry-run"]), expected);
    }
    assert!(folder.files() == before);
    folder.succeed(&with("6", &["--resume", "out", "--out-dir", "empty"]));
    assert_eq!(checked_manifest(&folder.path().join("empty")).runs.len(), 1);
    // And what it lists stays when nothing is left.
    let before = folder.files();
    folder.succeed(&with("6", &["--resume", "out"]));
    folder.succeed(&with("6", &["--resume", "out", "--out-dir", "empty"]));
    assert!(before.iter().all(|(name, bytes)| !name.starts_with("empty/") || folder.files()[name] == *bytes));
}

#[test]
fn a_site_that_has_covered_enough_elsewhere_writes_no_empty_manifest_either() {
    let campaign = ["--until-coverage", "1.5", "--stamp", "261121", "--quiet", "-n", "4"];
    let folder = Folder::new();
    folder.succeed(&campaign);
    is_refused(&folder, &[&campaign[..], &["--resume", "out", "--out-dir", "other"]].concat(), "is in `out`; nothing");
}

#[test]
fn packed_files_are_there() {
    let (folder, whole) = (made("3", &[]), made("4", &[]).files());
    for (name, bytes) in folder.files() {
        if name != "out/manifest.json" {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(&bytes).unwrap();
            fs::write(folder.path().join(format!("{name}.gz")), packed.finish().unwrap()).unwrap();
            remove(&folder, &name);
        }
    }
    let before = folder.files();
    assert_eq!(said(&folder, &with("3", &["--resume", "out"])), "");
    assert!(folder.files() == before);
    assert_eq!(said(&folder, &with("4", &["--resume", "out"])), "");
    for (name, bytes) in folder.files().iter().filter(|(name, _)| !name.ends_with(".gz")) {
        assert!(whole[name] == *bytes, "{name}");
        assert!(name.contains("_0000004.") || name == "out/manifest.json", "{name} was made again");
    }
    // One of them that is really gone comes back plain, and nothing else.
    remove(&folder, "out/operation_timeline_261121_0000002.csv.gz");
    assert!(said(&folder, &with("4", &["--resume", "out"])).contains("run 2 is made again"));
    let plain: Vec<String> = folder.files().into_keys().filter(|name| name.contains("_0000002.csv")).collect();
    let plain: Vec<&String> = plain.iter().filter(|name| !name.ends_with(".gz")).collect();
    assert_eq!(plain, ["out/operation_timeline_261121_0000002.csv"]);
}

#[cfg(unix)]
#[test]
fn a_packed_file_that_is_a_link_out_of_the_folder_is_not_looked_at() {
    for name in
        ["out/operation_sequence_261121_0000001.csv", "out/snapshots/state_snapshot_20261121_000000_0000002.json"]
    {
        let folder = made("2", &[]).with("secret", "secret");
        remove(&folder, name);
        std::os::unix::fs::symlink(folder.path().join("secret"), folder.path().join(format!("{name}.gz"))).unwrap();
        is_refused(
            &folder,
            &with("3", &["--resume", "out"]),
            "is a link to a place outside the folder of the manifest",
        );
    }
}

#[test]
fn what_is_made_again_replaces_no_file_that_is_there() {
    let tables = ["--outputs", "operation_sequence,operation_timeline"];
    let folder = made("4", &tables);
    let whole = folder.files();
    let edited = ["out/operation_sequence_261121_0000002.csv", "out/operation_sequence_261121_0000003.csv"];
    for name in edited {
        let text = [whole[name].as_slice(), b"mine\n"].concat();
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut expected = folder.files();
    for run in [3, 4] {
        remove(&folder, &format!("out/operation_timeline_261121_000000{run}.csv"));
    }
    let text = said(&folder, &with("4", &[&tables[..], &["--resume", "out"]].concat()));
    assert!(text.contains("runs 3-4 are made again"), "{text}");
    let mut after = folder.files();
    // The manifest is written anew, with the same contents.
    assert_eq!(after.remove("out/manifest.json"), expected.remove("out/manifest.json"));
    assert!(after == expected);
}

#[cfg(unix)]
#[test]
fn sites_that_are_complete_stay_in_the_batch_when_making_again_is_interrupted() {
    use crate::running::{Running, wait_for};
    let campaign = |more: &[&'static str]| {
        let flags = ["--ops", "60000", "--site-count", "3", "--stamp", "261121", "--outputs", "operation_sequence"];
        [&flags[..], &["--jobs", "1", "-n", "2"], more].concat()
    };
    let folder = Folder::new();
    folder.succeed(&campaign(&["--quiet"]));
    let whole = folder.files();
    for site in ["out/site_01", "out/site_02"] {
        remove(&folder, &format!("{site}/operation_sequence_261121_0000002.csv"));
    }
    let running = Running::start(&folder, &campaign(&["--resume", "out"]));
    let is_pending = |name: &String| name.contains("/.operation_sequence_261121_0000002.csv.");
    wait_for("a run that is made again", || folder.files().keys().any(is_pending).then_some(()));
    let text = String::from_utf8(running.interrupt().stderr).unwrap();
    assert_eq!(sites_of(&folder), [(1, 2), (2, 2), (3, 2)], "{text}");
    assert!(text.contains("interrupted: 4 finished runs are kept"), "{text}");
    folder.succeed(&campaign(&["--resume", "out", "--quiet"]));
    assert!(folder.files() == whole);
}

#[test]
fn a_snapshot_of_more_runs_than_are_asked_for_is_refused() {
    let folder = made("5", &[]);
    let shown = format!("the snapshot `{LAST}` has 5 runs already, more than --num-runs 3");
    is_refused(&folder, &with("3", &["--resume", LAST]), &shown);
    is_refused(&folder, &with("3", &["--resume", LAST, "--dry-run"]), &shown);
    is_refused(&folder, &with("3", &["--resume", LAST, "--out-dir", "other"]), &shown);
    // Nor does a manifest lose runs because an early snapshot was named.
    let shown = "`out` has 5 runs already, more than --num-runs 2";
    is_refused(&folder, &with("2", &["--resume", SECOND]), shown);
    // Snapshots in a folder without a manifest say how far it is, too.
    remove(&folder, "out/manifest.json");
    let elsewhere = with("3", &["--resume", "out", "--out-dir", "other"]);
    is_refused(&folder, &elsewhere, "`out` has 5 runs already, more than --num-runs 3");
}

#[test]
fn files_that_are_gone_before_the_snapshot_that_was_named_are_made_again() {
    let folder = made("5", &[]);
    let whole = folder.files();
    remove(&folder, "out/operation_sequence_261121_0000001.csv");
    let text = said(&folder, &with("5", &["--resume", SECOND]));
    assert!(text.contains("run 1 is made again"), "{text}");
    assert!(folder.files() == whole);
}

#[test]
fn runs_with_numbers_that_none_has_are_no_manifest() {
    let folder = made("2", &[]);
    let whole = folder.files();
    let last = "\"run\":2,\"run_index\":1";
    for (numbers, part) in [
        ("\"run\":2,\"run_index\":18446744073709551615", "the `run_index` of run 2 is 1, not 18446744073709551615"),
        ("\"run\":1000000000000000,\"run_index\":999999999999999", "from 1 to 9999999, not 1000000000000000"),
        ("\"run\":5,\"run_index\":4", "run 5 does not follow run 1"),
    ] {
        alter(&folder, "out/manifest.json", last, numbers);
        is_refused(&folder, &["replay", "out"], part);
        for more in [&[][..], &["--dry-run"]] {
            is_refused(&folder, &with("2", &[&["--resume", "out"], more].concat()), part);
        }
        is_refused(&folder, &with("2", &[]), part);
        fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
        folder.succeed(&with("2", &[]));
        assert!(folder.files() == whole, "{numbers}");
    }
}

#[test]
fn files_that_nothing_proves_to_be_of_the_campaign_are_not_replaced_by_going_on() {
    let unknown = "nothing says of which campaign the files of runs in `out` are";
    for outputs in [&[][..], &["--outputs", "operation_sequence"]] {
        let folder = Folder::new();
        let other = ["--ops", "40", "--seed", "7", "--stamp", "261121", "--quiet", "-n", "2"];
        folder.succeed(&[&other[..], outputs].concat());
        let damaged = "put it back from a copy; or move it away, to have all runs of the site made again";
        for (text, expected) in [(Some(""), damaged), (Some("{\"schema\": 1}"), damaged), (None, unknown)] {
            let path = folder.path().join("out/manifest.json");
            match text {
                Some(text) => fs::write(path, text).unwrap(),
                None => fs::remove_file(path).unwrap(),
            }
            let before = folder.files();
            is_refused(&folder, &with("2", &[&["--resume", "out"], outputs].concat()), expected);
            assert!(folder.files() == before, "{text:?}");
        }
        fs::write(folder.path().join("out/manifest.partial.jsonl"), "notes\n").unwrap();
        let expected = "`out/manifest.partial.jsonl`:1 is not a list of finished runs";
        is_refused(&folder, &with("2", &[&["--resume", "out"], outputs].concat()), expected);
    }
    // What a kill leaves of a run is no file of one.
    let folder = made("1", &[]);
    let whole = folder.files();
    fs::remove_dir_all(folder.path().join("out")).unwrap();
    fs::create_dir(folder.path().join("out")).unwrap();
    fs::write(folder.path().join("out/.operation_sequence_261121_0000001.csv.nandseqgen-ab3xy9"), "half").unwrap();
    folder.succeed(&with("1", &["--resume", "out"]));
    assert!(folder.files() == whole);
    // A batch that was killed while it replaced another has sites that it has not come to.
    let batch = ["--site-count", "2"];
    let folder = made("2", &batch);
    let manifest = folder.path().join("out/site_01/manifest.json");
    let whole = folder.files();
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    fs::remove_file(folder.path().join("out/site_02/manifest.json")).unwrap();
    is_refused(&folder, &with("2", &[&batch[..], &["--resume", "out"]].concat()), "`out/site_02` has no manifest");
    let head: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let mut head = head;
    head["runs"] = Value::Array(Vec::new());
    let ledger = format!("{}\n", serde_json::json!({"stamp": "20261121_000000", "manifest": head}));
    fs::write(manifest.with_file_name("manifest.partial.jsonl"), ledger).unwrap();
    fs::remove_file(&manifest).unwrap();
    folder.succeed(&with("2", &[&batch[..], &["--resume", "out"]].concat()));
    assert!(folder.files() == whole);
}

#[test]
fn a_damaged_manifest_is_not_replaced_by_going_on() {
    let damage = |folder: &Folder, name: &str, text: &dyn Fn(&str) -> String| {
        let path = folder.path().join(name);
        let before = fs::read_to_string(&path).unwrap();
        fs::write(&path, text(&before)).unwrap();
    };
    let cut = |text: &str| text[..300].to_owned();
    let unknown = |text: &str| text.replacen("\"schema\": 1,", "\"schema\": 1, \"more\": 3,", 1);
    let other = |text: &str| text.replacen("\"base_seed\": 5", "\"base_seed\": \"5\"", 1);
    let batch = &["--site-count", "2", "--resume", "out"][..];
    let shard = &["--site-count", "2", "--shard", "1/2", "--resume", "out"][..];
    let some = &["--site-count", "2", "--sites", "2", "--resume", "out"][..];
    let single = &["--resume", "out"][..];
    let (anew, again) =
        ("--resume then finds the sites that are there, and writes it anew", "runs of the site made again");
    let without = "--resume without --sites then finds the sites";
    type Change<'c> = &'c dyn Fn(&str) -> String;
    let cases: [(&[&str], &str, Change<'_>, &str, &str); 8] = [
        (batch, "out/manifest.json", &cut, "is no manifest: it ends in the middle", anew),
        (batch, "out/manifest.json", &other, "is no manifest of a batch: ", anew),
        (batch, "out/site_02/manifest.json", &unknown, "is no manifest of a site: `more` is not known", again),
        (batch, "out/site_01/manifest.json", &cut, "it ends in the middle", again),
        (some, "out/manifest.json", &cut, "it ends in the middle", without),
        (shard, "out/manifest.shard-1-of-2.json", &cut, "it ends in the middle", anew),
        (shard, "out/site_01/manifest.json", &unknown, "`more` is not known", again),
        (single, "out/manifest.json", &unknown, "`more` is not known", again),
    ];
    for (flags, name, change, what, help) in cases {
        let (_, made_with) = flags.split_last().unwrap();
        let made_with: Vec<&str> = made_with.iter().copied().filter(|flag| *flag != "--resume").collect();
        let made_with = if flags == some { &["--site-count", "2"][..] } else { &made_with };
        let folder = made("2", made_with);
        let whole = folder.files();
        damage(&folder, name, change);
        // More runs are no way around it.
        for (runs, more) in [("2", &["--dry-run"][..]), ("2", &[]), ("3", &[])] {
            let arguments = with(runs, &[flags, more].concat());
            for part in [&format!("error: `{name}`:"), what, "help: put it back from a copy; or move it away", help] {
                is_refused(&folder, &arguments, part);
            }
        }
        // Away with it, it is written again, as the help says.
        fs::remove_file(folder.path().join(name)).unwrap();
        if flags != single {
            let made = if flags == some { batch } else { flags };
            said(&folder, &with("2", made));
            assert!(folder.files() == whole, "{name}");
        }
    }
}

#[test]
fn a_damaged_manifest_of_the_folder_that_is_gone_on_from_is_said() {
    let batch = ["--site-count", "2"];
    let on = [&batch[..], &["--resume", "out", "--out-dir", "more"]].concat();
    for (name, expected) in [
        ("out/manifest.json", "; the sites in `out` are found without it"),
        ("out/site_01/manifest.json", "; of this site only snapshots are looked at"),
    ] {
        let folder = made("1", &batch);
        fs::write(folder.path().join(name), "{\"schema\": 1, ").unwrap();
        let text = said(&folder, &with("2", &on));
        assert!(text.contains(&format!("warning: `{name}`:1:")) && text.contains(expected), "{text}");
        assert!(folder.path().join("more/site_01/operation_sequence_261121_0000002.csv").exists());
    }
}

#[test]
fn a_ledger_that_is_damaged_before_its_end_is_said() {
    let batch = ["--site-count", "2", "--resume", "out"];
    let folder = made("3", &batch[..2]);
    let whole = folder.files();
    let manifest = folder.path().join("out/site_01/manifest.json");
    let mut head: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let runs = head["runs"].take();
    head["runs"] = Value::Array(Vec::new());
    let mut lines = vec![serde_json::json!({"stamp": "20261121_000000", "manifest": head}).to_string()];
    lines.extend(runs.as_array().unwrap().iter().map(Value::to_string));
    fs::remove_file(&manifest).unwrap();
    for (damaged, said_of) in [(1, true), (2, true), (3, false)] {
        let mut lines = lines.clone();
        let half = lines[damaged].len() / 2;
        lines[damaged].truncate(half);
        let text = lines.join("\n") + if damaged == 3 { "" } else { "\n" };
        fs::write(manifest.with_file_name("manifest.partial.jsonl"), text).unwrap();
        let text = said(&folder, &with("3", &batch));
        let line = damaged + 1;
        let expected =
            format!("manifest.partial.jsonl`:{line} cannot be read: the runs from run {damaged} on are made again");
        assert_eq!(text.contains(&expected), said_of, "{text}");
        assert!(folder.files() == whole);
        fs::remove_file(&manifest).unwrap();
    }
}

#[test]
fn another_seed_is_that_of_the_batch() {
    let folder = Folder::new();
    let flags = |seed| ["-t", "300", "--site-count", "3", "--stamp", "261121", "-q", "--seed", seed];
    folder.succeed(&flags("42"));
    fs::remove_dir_all(folder.path().join("out/site_01")).unwrap();
    let again = [&flags("43")[..], &["--resume", "out"]].concat();
    is_refused(&folder, &again, "they were made with `--seed 42`, and this command makes runs with `--seed 43`");
}

#[test]
fn a_last_snapshot_that_is_gone_is_said_once() {
    let folder = made("3", &[]);
    let whole = made("4", &[]).files();
    remove(&folder, "out/snapshots/state_snapshot_20261121_000000_0000003.json");
    let text = said(&folder, &with("4", &["--resume", "out"]));
    assert_eq!(text.matches("0000003.json").count(), 1, "{text}");
    assert!(text.contains("run 3 is made again"), "{text}");
    assert!(folder.files() == whole);
    // Elsewhere nothing else says it.
    remove(&folder, "out/snapshots/state_snapshot_20261121_000000_0000004.json");
    let text = said(&folder, &with("5", &["--resume", "out", "--out-dir", "other"]));
    assert!(text.contains("0000004.json` is passed over: it cannot be read"), "{text}");
}

#[test]
fn runs_before_a_gap_are_said_to_be_listed_no_longer() {
    let folder = made("3", &[]);
    folder.succeed(&with("4", &["--resume", "out", "--out-dir", "later"]));
    folder.succeed(&with("5", &["--resume", "out"]));
    let text = said(&folder, &with("6", &["--resume", "out", "--out-dir", "later"]));
    let expected = "`later` has the runs up to 4 and those from 6 on, and none between";
    assert!(text.starts_with("warning: ") && text.contains(expected), "{text}");
}

#[test]
fn a_site_that_is_extended_alone_leaves_the_others_in_the_batch() {
    let batch = ["--site-count", "3"];
    let folder = made("1", &batch);
    folder.succeed(&with("2", &[&batch[..], &["--sites", "2", "--resume", "out"]].concat()));
    assert_eq!(sites_of(&folder), [(1, 1), (2, 2), (3, 1)]);
    is_refused(&folder, &["merge", "out"], "sites 1,3 have 1 of 2 runs in `out`: run 2 is missing");
    folder.succeed(&with("2", &[&batch[..], &["--resume", "out"]].concat()));
    assert!(folder.files() == made("2", &batch).files());
}

#[test]
fn the_summary_counts_the_runs_that_were_made() {
    let flags =
        |runs, more: &[&'static str]| [&["--ops", "40", "--seed", "5", "--stamp", "261121", "-n", runs], more].concat();
    let first = |folder: &Folder, arguments: &[&str]| {
        let text = String::from_utf8(folder.succeed(arguments).stdout).unwrap();
        text.lines().next().unwrap().to_owned()
    };
    let folder = Folder::new();
    assert!(first(&folder, &flags("5", &[])).contains(" operations in 5 runs, "));
    let line = first(&folder, &flags("6", &["--resume", "out"]));
    assert!(line.contains(" operations in 1 run, "), "{line}");
    let line = first(&folder, &flags("6", &["--resume", "out"]));
    assert_eq!(line, "Every run is there already: nothing to do");
    remove(&folder, "out/operation_sequence_261121_0000004.csv");
    let line = first(&folder, &flags("6", &["--resume", "out"]));
    assert!(line.contains(" operations in 1 run, "), "{line}");
    let folder = Folder::new();
    let line = first(&folder, &flags("2", &["--site-count", "2"]));
    assert!(line.contains(" operations in 2 runs of each of 2 sites, "), "{line}");
    folder.succeed(&flags("3", &["--site-count", "2", "--sites", "1", "--resume", "out"]));
    let line = first(&folder, &flags("3", &["--site-count", "2", "--resume", "out"]));
    assert!(line.contains(" operations in 1 run of 2 sites, "), "{line}");
}
