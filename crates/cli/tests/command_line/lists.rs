//! Lists of campaigns: made in one go, each as by itself; mistakes shown where they are.

use insta::assert_snapshot;

use crate::runner::{Folder, files_below};

const LIST: &str = "\
campaigns:
  - name: first
    seed: 1000
    site_count: 3
    runs: 2
    run_until: 500
    out_dir: lot/a
    stamp: 261121
  - name: second
    seed: 2000
    site_count: 4
    sites: [1, 3-4]
    seed_formula: hashed
    run_until: 500
    out_dir: lot/b
    outputs: [operation_sequence, snapshot]
    stamp: 2026-11-21
    verify: true
";

#[test]
fn each_campaign_is_as_it_is_by_itself() {
    let folder = Folder::new().with("list.yaml", LIST);
    let output = folder.succeed(&["run-list", "list.yaml"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("[1 of 2] first\n") && text.ends_with("2 of 2 campaigns done\n"), "{text}");
    assert!(text.contains("no rule broken"), "{text}");
    let alone = Folder::new();
    let first = ["--seed", "1000", "--site-count", "3", "-n", "2", "-t", "500", "--stamp", "261121"];
    alone.succeed(&[&first[..], &["--out-dir", "lot/a"]].concat());
    let second = ["--seed", "2000", "--site-count", "4", "--sites", "1,3,4", "--seed-formula", "hashed", "-t", "500"];
    let outputs = ["--outputs", "operation_sequence,snapshot", "--stamp", "261121", "--out-dir", "lot/b"];
    alone.succeed(&[&second[..], &outputs].concat());
    for lot in ["lot/a", "lot/b"] {
        assert!(files_below(&folder.path().join(lot)) == files_below(&alone.path().join(lot)), "{lot}");
    }
    // Going on finds nothing to do, and says nothing when it is to be quiet.
    let before = folder.files();
    let output = folder.succeed(&["run-list", "list.yaml", "--resume", "--quiet"]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(folder.files() == before);
}

#[test]
fn a_campaign_that_fails_does_not_lose_the_others() {
    let list = "campaigns:
  - {name: lost, profile: nowhere.yaml, out_dir: a}
  - {name: blocked, run_until: 100, out_dir: taken/b}
  - {name: made, run_until: 100, out_dir: c}
";
    let folder = Folder::new().with("list.yaml", list).with("taken", "");
    let output = folder.run(&["run-list", "list.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("cannot read profile `nowhere.yaml`") && text.contains("cannot write `taken/b`"), "{text}");
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("1 of 3 campaigns done\n"));
    assert!(folder.path().join("c/manifest.json").exists());
}

#[test]
fn campaigns_that_share_sites_are_warned_about() {
    let list = "campaigns:
  - {name: a, seed: 1000, site_count: 3, run_until: 50, out_dir: a}
  - {name: b, seed: 1001, site_count: 3, run_until: 50, out_dir: b}
  - {name: c, seed: 1003, site_count: 3, run_until: 50, out_dir: c, seed_formula: hashed}
  - {name: d, seed: 1004, run_until: 50, out_dir: d}
";
    let folder = Folder::new().with("list.yaml", list);
    let output = folder.succeed(&["run-list", "list.yaml", "--quiet"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("campaigns `a` and `b` share the seeds of 2 sites"), "{text}");
}

#[test]
fn every_mistake_of_a_list_is_shown_where_it_is() {
    let list = "campaigns:
  - name: one
    sed: 1
    run_until: soon
    verify: maybe
    out_dir: lot
    runs: 0
  - out_dir: ./lot/inside
    sites: 4-1
  - name: three
    seed: [1, [2]]
    num-runs: 3
  - seed: 7
    out_dir: lot2
    runs: 2
    num_runs: 3
  - {out_dir: x}
  - {out_dir: x/y}
  - {out_dir: z, site_count: 2, sites: 1, shard: 1/2}
extra: 1
";
    let folder = Folder::new().with("list.yaml", list);
    assert_snapshot!(folder.refuse(&["run-list", "list.yaml"]));
}

#[test]
fn numbers_of_a_list_are_those_that_every_reader_reads() {
    let list = |seed: &str, ops: &str| format!("campaigns:\n  - {{out_dir: a, seed: {seed}, ops: {ops}}}\n");
    for (seed, part) in [("010", "`010` is 10 as a decimal number, but 8 (octal)"), ("1:30", "90 (in sixties)")] {
        let folder = Folder::new().with("list.yaml", list(seed, "1e1"));
        let text = folder.refuse(&["run-list", "list.yaml"]);
        assert!(text.starts_with("exit code 2\n") && text.contains(part) && text.contains("list.yaml:2:"), "{text}");
    }
    let folder = Folder::new().with("list.yaml", list("1_0", "1e1"));
    folder.succeed(&["run-list", "list.yaml"]);
}

#[test]
fn a_list_without_campaigns() {
    for (list, part) in [
        ("", "empty"),
        ("campaigns: []\n", "the list of campaigns is empty"),
        ("- a\n", "`run-list` must be a mapping"),
        ("campaigns: 3\n", "`campaigns` must be a list"),
        ("campaigns:\n  - 3\n", "a campaign` must be a mapping"),
        ("a: b: c\n", "error"),
    ] {
        let folder = Folder::new().with("list.yaml", list);
        let text = folder.refuse(&["run-list", "list.yaml"]);
        assert!(text.starts_with("exit code 2\n") && text.contains(part), "{list}: {text}");
    }
    let text = Folder::new().refuse(&["run-list", "list.yaml"]);
    assert!(text.contains("cannot read the list of campaigns `list.yaml`"), "{text}");
}
