//! A folder that holds more than one campaign: what is gone on with, read, replaced and said.

use std::fs;
use std::process::Output;

use crate::runner::Folder;

const SHORT: [&str; 6] = ["-t", "300", "-n", "2", "--stamp", "261121"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&SHORT[..], arguments].concat()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn a_batch_that_is_gone_on_with_keeps_its_sites() {
    let folder = Folder::new();
    folder.succeed(&with(&["--site-count", "4"]));
    let said = folder.refuse(&with(&["--site-count", "2", "--resume", "out"]));
    assert!(said.starts_with("exit code 2\n"), "{said}");
    assert!(said.contains("`out` has sites 3-4 of this campaign already, and the batch asked for is 1-2"), "{said}");
    folder.refuse(&with(&["--site-count", "2", "--resume", "out", "--dry-run"]));
    // Sites 3 and 4 of base seed 42 are sites 3 and 4 of a batch that begins there with base seed 44.
    let later = ["--site-count", "2", "--site-start", "3", "--seed", "44", "--resume", "out"];
    let said = folder.refuse(&with(&later));
    assert!(said.contains("`out` has sites 1-2 of this campaign already"), "{said}");
    // Some of the sites, and more of them, can be asked for.
    folder.succeed(&with(&["--site-count", "4", "--sites", "2", "--resume", "out"]));
    folder.succeed(&with(&["--site-count", "5", "--resume", "out"]));
    assert!(stdout(&folder.succeed(&["merge", "out"])).starts_with("5 sites, 10 runs: complete"));
    let list = "campaigns:\n- {run_until: 300, runs: 2, stamp: 261121, site_count: 3, out_dir: out}\n";
    let folder = folder.with("list.yaml", list);
    assert!(folder.refuse(&["run-list", "list.yaml", "--resume"]).contains("`out` has sites 4-5 of this campaign"));
}

#[test]
fn a_campaign_of_another_shape_is_not_begun_over_one_that_is_to_be_gone_on_with() {
    let batch = Folder::new();
    batch.succeed(&with(&["--site-count", "2"]));
    let device = Folder::new();
    device.succeed(&with(&[]));
    let mut others = vec![
        (&batch, vec![], "`--site-count 2`"),
        (&batch, vec!["--site-count", "2", "--site-dir-pattern", "{site_id}"], "--site-dir-pattern"),
        (&device, vec!["--site-count", "2"], "they were made without --site-count"),
    ];
    if cfg!(feature = "parquet") {
        others.push((&batch, vec!["--site-count", "2", "--format", "parquet"], "--format parquet"));
    }
    for (folder, flags, differs) in others {
        let said = folder.refuse(&with(&[&flags[..], &["--resume", "out"]].concat()));
        assert!(said.starts_with("exit code 2\n"), "{flags:?}: {said}");
        assert!(said.contains("`out` holds runs of another campaign: "), "{flags:?}: {said}");
        assert!(said.contains(differs), "{flags:?}: {said}");
    }
    // A site that a part of the batch has not made yet begins.
    let part = Folder::new();
    part.succeed(&with(&["--site-count", "2", "--sites", "1"]));
    part.succeed(&with(&["--site-count", "2", "--sites", "2", "--resume", "out"]));
    assert!(part.files() == batch.files());
}

#[test]
fn a_device_is_read_without_the_sites_of_an_earlier_batch() {
    let folder = Folder::new();
    folder.succeed(&with(&["--site-count", "5"]));
    folder.succeed(&with(&["--seed", "9"]));
    let left_out = "`out/site_01`, `out/site_02`, `out/site_03` and 2 more are not in the manifest in `out` and were left out: \
                    name these folders to read them";
    let judged = stdout(&folder.succeed(&["verify", "out"]));
    assert!(judged.contains(" operations in 2 files of 1 site: no rule broken."), "{judged}");
    assert!(judged.contains(left_out), "{judged}");
    for command in [
        &["report", "out", "-o", "page.html"][..],
        &["coverage", "report", "out"],
        &["coverage", "merge", "out", "-o", "counts.json"],
        &["export", "out", "--format", "vcd", "-o", "out.vcd"],
    ] {
        let output = folder.succeed(command);
        assert!(stderr(&output).contains(&format!("note: {left_out}")), "{command:?}: {}", stderr(&output));
    }
    let counts = String::from_utf8(folder.files()["counts.json"].clone()).unwrap();
    assert!(counts.contains("\"out\"") && !counts.contains("site_01"), "{counts}");
    // By its folder an earlier site is still read.
    assert!(stdout(&folder.succeed(&["verify", "out/site_05"])).contains("in 2 files of 1 site"));
}

#[test]
fn a_batch_under_way_is_read_without_sites_of_an_earlier_one() {
    let folder = Folder::new();
    folder.succeed(&with(&["--site-count", "3"]));
    let old = fs::read(folder.path().join("out/manifest.json")).unwrap();
    folder.succeed(&with(&["--site-count", "2", "--seed", "9"]));
    // A kill before the end of the batch: no manifest of the batch, a ledger in place of the manifest of site 2.
    let site = folder.path().join("out/site_02");
    let mut manifest: serde_json::Value =
        serde_json::from_slice(&fs::read(site.join("manifest.json")).unwrap()).unwrap();
    let batch: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("out/manifest.json")).unwrap()).unwrap();
    let run = manifest["runs"][0].clone();
    manifest["runs"] = serde_json::json!([]);
    let arguments = &batch["origin"]["arguments"];
    let head = serde_json::json!({"stamp": "20261121_000000", "manifest": manifest, "batch": arguments});
    fs::write(site.join("manifest.partial.jsonl"), format!("{head}\n{run}\n")).unwrap();
    fs::remove_file(site.join("manifest.json")).unwrap();
    fs::remove_file(folder.path().join("out/manifest.json")).unwrap();
    let judged = stdout(&folder.succeed(&["verify", "out"]));
    assert!(judged.contains(" operations in 3 files of 2 sites: no rule broken."), "{judged}");
    assert!(judged.contains("`out/site_03` is not in the batch that "), "{judged}");
    let said = folder.refuse(&with(&["--site-count", "1", "--seed", "9", "--resume", "out"]));
    assert!(said.contains("`out` has site 2 of this campaign already"), "{said}");
    // Where the manifest of a batch is there, it is followed.
    fs::write(folder.path().join("out/manifest.json"), old).unwrap();
    assert!(!stdout(&folder.run(&["verify", "out"])).contains("site_03` is not"));
}

#[test]
fn files_of_another_campaign_that_are_replaced_are_counted_and_named() {
    for (first, second, files) in [
        (&["--site-count", "2", "--seed", "1"][..], &["--site-count", "2", "--seed", "2"][..], 32),
        (&["--seed", "1"], &["--seed", "2"], 16),
        (&["--no-bootstrap"], &["--no-bootstrap", "-n", "1", "--pc-seed", "5"], 8),
    ] {
        let folder = Folder::new();
        let said = stderr(&folder.succeed(&with(first)));
        assert!(!said.contains("replaced"), "{said}");
        // The same campaign again replaces its own.
        let said = stderr(&folder.succeed(&with(first)));
        assert!(!said.contains("replaced"), "{said}");
        let second: Vec<&str> = ["-t", "300", "--stamp", "261121"].into_iter().chain(second.iter().copied()).collect();
        let second = if second.contains(&"-n") { second } else { [&second[..], &["-n", "2"]].concat() };
        for more in [&["--dry-run"][..], &[]] {
            let said = stderr(&folder.succeed(&[&second[..], more].concat()));
            let line = format!("warning: {files} files of another campaign in `out` will be replaced: `");
            assert_eq!(said.matches(&line).count(), 1, "{said}");
        }
    }
}

#[test]
fn a_table_that_is_written_is_named_and_replaces_nothing_in_silence() {
    let flags = ["-t", "300", "--refresh-op-state-probs", "--op-state-probs", "t.yaml"];
    let folder = Folder::new();
    for _ in 0..2 {
        let output = folder.succeed(&flags);
        let (line, said) = (stdout(&output), stderr(&output));
        assert!(line.lines().next().unwrap().ends_with(" operations/s; table written to `t.yaml`"), "{line}");
        assert!(!said.contains("t.yaml"), "{said}");
    }
    let output = folder.succeed(&[&flags[..], &["--summary", "json"]].concat());
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["inputs"]["table_file"], "t.yaml");
    let built = folder.files()["t.yaml"].clone();
    let folder = folder.with("t.yaml", "phase_conditional: {DEFAULT: {Gone: 1}}\n");
    for more in [&["--dry-run"][..], &[]] {
        let said = stderr(&folder.succeed(&[&flags[..], more].concat()));
        assert!(
            said.contains("warning: `t.yaml` holds another table than the one that is built and replaces it"),
            "{said}"
        );
    }
    assert!(folder.files()["t.yaml"] == built);
    for text in ["notes\n", "milk: 2\n", "\u{1}: [\n"] {
        let folder = Folder::new().with("t.yaml", text);
        let said = folder.refuse(&flags);
        assert!(
            said.starts_with("exit code 2\n")
                && said.contains("`t.yaml` is a file without a probability table: writing would replace it"),
            "{said}"
        );
    }
}

#[test]
fn a_campaign_without_a_finished_run_is_called_unfinished() {
    let folder = Folder::new();
    folder.succeed(&with(&["--site-count", "2"]));
    let root = folder.path().join("out");
    for site in ["site_01", "site_02"] {
        fs::remove_dir_all(root.join(site)).unwrap();
    }
    let path = root.join("manifest.json");
    let mut batch: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    batch["sites"] = serde_json::json!([]);
    fs::write(&path, batch.to_string()).unwrap();
    for command in [&["verify", "out"][..], &["replay", "out"], &["report", "out", "-o", "page.html"]] {
        let said = folder.refuse(command);
        assert!(said.starts_with("exit code 2\n"), "{command:?}: {said}");
        assert!(said.contains("`out` is not finished: sites 1-2 are not there"), "{command:?}: {said}");
        assert!(said.contains(" --resume out"), "{command:?}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn two_sites_have_two_folders() {
    let folder = Folder::new();
    folder.succeed(&with(&["--site-count", "1"]));
    std::os::unix::fs::symlink("site_01", folder.path().join("out/site_02")).unwrap();
    let said = folder.refuse(&with(&["--site-count", "2"]));
    assert!(said.contains("`out/site_01` and `out/site_02` are one folder, and each site needs its own"), "{said}");
    let said = folder.refuse(&["verify", "out/site_01", "out/site_02"]);
    assert!(said.contains("`out/site_01` and `out/site_02` are the same"), "{said}");
    let said = folder.refuse(&["verify", "out/site_01", "out/site_01"]);
    assert!(said.contains("`out/site_01` is given twice"), "{said}");
}

#[test]
fn a_merge_into_one_of_the_parts_can_be_repeated() {
    let folder = Folder::new();
    for (site, part) in [("1", "p1"), ("2", "p2"), ("3", "p3")] {
        folder.succeed(&with(&["--site-count", "3", "--sites", site, "--out-dir", part]));
    }
    let merge = ["merge", "p1", "p2", "p3", "--into", "p1"];
    let first = stdout(&folder.succeed(&merge));
    assert!(first.starts_with("3 sites, 6 runs: complete"), "{first}");
    let files = folder.files();
    for command in [merge, ["merge", "p3", "p2", "p1", "--into", "p1"]] {
        assert_eq!(stdout(&folder.succeed(&command)), first);
        assert!(folder.files() == files);
    }
    // Elsewhere a site that is there twice is refused.
    assert!(folder.refuse(&["merge", "p1", "p2", "--into", "p4"]).contains("site 2 is there twice"));
}

#[test]
fn campaigns_of_one_name_are_warned_of() {
    let campaign = |name: &str, folder: &str| format!("- {{{name}run_until: 300, out_dir: {folder}}}\n");
    let list = |second: &str| format!("campaigns:\n{}{}", campaign("name: a, ", "x"), campaign(second, "y"));
    let folder = Folder::new().with("same.yaml", list("name: a, ")).with("other.yaml", list(""));
    let warning = "warning: several campaigns are called `a`, by which messages name them";
    assert!(stderr(&folder.succeed(&["run-list", "same.yaml"])).contains(warning));
    assert!(!stderr(&folder.succeed(&["run-list", "other.yaml"])).contains(warning));
}
