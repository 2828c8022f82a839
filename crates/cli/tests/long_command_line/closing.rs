//! `--closure` and `--until-coverage`: the messages, the refusals, and when a site ends.

use std::process::Output;

use crate::runner::{Folder, checked_manifest};

const STAMP: [&str; 2] = ["--stamp", "261121"];

fn with<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [&["--seed", "3"][..], &STAMP, arguments].concat()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// The bins that a summary says were covered, of how many.
fn covered(summary: &str) -> (u64, u64) {
    let line = summary.lines().find(|line| line.starts_with("Covered: ")).unwrap();
    let numbers: Vec<u64> =
        line.replace(',', "").split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    (numbers[0], numbers[1])
}

#[test]
fn the_generator_counts_as_coverage_report_does() {
    for closure in [&["--closure"][..], &["--until-coverage", "100"]] {
        let folder = Folder::new();
        let arguments = with(&[&["--ops", "2500", "-n", "2"], closure].concat());
        let output = if closure.len() > 1 { folder.fall_short(&arguments) } else { folder.succeed(&arguments) };
        let report = stdout(&folder.succeed(&["coverage", "report", "out", "--format", "json"]));
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        let number = |name: &str| report["merged"][name].as_u64().unwrap();
        assert_eq!(covered(&stdout(&output)), (number("hit"), number("cells")), "{closure:?}");
    }
}

#[test]
fn a_directed_run_covers_more_than_a_plain_one_and_is_judged_clean() {
    let folder = Folder::new();
    let plain = folder.fall_short(&with(&["--ops", "3000", "--until-coverage", "100", "--out-dir", "plain"]));
    let directed = folder.succeed(&with(&["--ops", "3000", "--closure", "--out-dir", "directed", "--verify"]));
    let ((plain, bins), (directed, same)) = (covered(&stdout(&plain)), covered(&stdout(&directed)));
    assert_eq!(bins, same);
    assert!(directed > 2 * plain, "{directed} against {plain}");
}

#[test]
fn a_site_ends_when_enough_is_covered_and_is_made_again_from_its_manifest() {
    let folder = Folder::new();
    let output = folder.succeed(&with(&["--closure", "--until-coverage", "4.5", "-n", "9", "-t", "3000"]));
    let (hit, bins) = covered(&stdout(&output));
    assert_eq!(hit, (bins * 45).div_ceil(1000));
    assert!(!stderr(&output).contains("warning"), "{}", stderr(&output));
    let manifest = checked_manifest(&folder.path().join("out"));
    assert!((1..9).contains(&manifest.runs.len()), "{} runs", manifest.runs.len());
    folder.succeed(&["replay", "out"]);
    // Nothing is left to do; nothing changes.
    let before = folder.files();
    folder.succeed(&with(&["--closure", "--until-coverage", "4.5", "-n", "9", "-t", "3000", "--resume", "out"]));
    assert!(folder.files() == before);
}

#[test]
fn a_limit_that_comes_first_is_said() {
    let folder = Folder::new();
    let output = folder.fall_short(&with(&["--closure", "--until-coverage", "99", "--ops", "300"]));
    let warning = stderr(&output);
    assert!(warning.contains("the limit of the runs came before 99 % of"), "{warning}");
}

#[test]
fn a_directed_site_goes_on_to_the_bytes_of_one_execution() {
    let flags = ["--closure", "-t", "900"];
    let whole = Folder::new();
    whole.succeed(&with(&[&flags[..], &["-n", "8"]].concat()));
    let split = Folder::new();
    for runs in ["1", "2", "3", "5", "8"] {
        split.succeed(&with(&[&flags[..], &["-n", runs, "--resume", "out"]].concat()));
    }
    assert!(split.files() == whole.files());
}

#[test]
fn plain_runs_do_not_go_on_directed_nor_the_other_way_round() {
    for (first, then) in [(&[][..], &["--closure"][..]), (&["--closure"], &[])] {
        let folder = Folder::new();
        folder.succeed(&with(&[&["-t", "500", "-n", "1"], first].concat()));
        let refusal = folder.refuse(&with(&[&["-t", "500", "-n", "2", "--resume", "out"], then].concat()));
        assert!(refusal.starts_with("exit code 2") && refusal.contains("--closure"), "{refusal}");
        let snapshot = "out/snapshots/state_snapshot_20261121_000000_0000001.json";
        let refusal = folder.refuse(&with(&[&["-t", "500", "-n", "2", "--resume", snapshot], then].concat()));
        assert!(refusal.contains("another way of proposing"), "{refusal}");
    }
}

#[test]
fn a_share_that_is_none_is_refused() {
    let folder = Folder::new();
    for share in ["0", "101", "-1", "many", "99.12345", ""] {
        let refusal = folder.refuse(&["--until-coverage", share]);
        assert!(refusal.starts_with("exit code 2") && refusal.contains("not a percentage above 0"), "{refusal}");
    }
}

#[test]
fn sites_that_ended_at_different_runs_are_merged() {
    let folder = Folder::new();
    let flags = ["--closure", "--until-coverage", "3", "-t", "1000", "-n", "30", "--site-count", "2"];
    for shard in ["1/2", "2/2"] {
        folder.succeed(&with(&[&flags[..], &["--shard", shard, "--out-dir", "out"]].concat()));
    }
    folder.succeed(&["merge", "out"]);
}

#[test]
fn a_site_that_neither_covered_enough_nor_made_all_its_runs_is_not_merged() {
    let folder = Folder::new();
    let flags = ["--closure", "--until-coverage", "99", "--ops", "200", "--site-count", "2", "--shard", "1/1"];
    folder.fall_short(&with(&[&flags[..], &["-n", "2"]].concat()));
    // As an interruption leaves it: fewer runs than were asked for.
    let path = folder.path().join("out/manifest.shard-1-of-1.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"runs\": 2", "\"runs\": 1", 1)).unwrap();
    let refusal = folder.refuse(&["merge", "out"]);
    assert!(refusal.contains("site 1 has 1 of 2 runs in `out`"), "{refusal}");
}

#[test]
fn a_table_of_which_nothing_can_ever_be_proposed_leaves_nothing_to_cover() {
    // Nothing is ever programmed under it, so that there is no page to read.
    let table = "phase_conditional:\n  DEFAULT: {Read_SLC: 1}\n";
    // The masses of the built-in device's profile would act on the table too: this one states none.
    let profile = crate::explaining::device("    {}\n");
    let folder = Folder::new().with("table.yaml", table).with("device.yaml", profile);
    for flags in [&["--closure"][..], &["--closure", "--ops", "50"], &["--until-coverage", "99"]] {
        let device = ["--config", "device.yaml", "--op-state-probs", "table.yaml", "--validate-pc"];
        let output = folder.run(&with(&[flags, &device].concat()));
        let said = String::from_utf8(output.stderr).unwrap();
        let says = format!("{} has nothing to cover: no operation of the table can ever be proposed", flags[0]);
        assert!(output.status.code() == Some(4) && said.contains(&says), "{said}");
        assert!(said.contains("nothing can ever start again on any die\n  die 0: "), "{said}");
        assert!(!folder.path().join("out").exists(), "nothing is written");
    }
}
