//! `nandseqgen run-list`: each campaign of a list is made as if by itself, and mistakes are shown at their places.

use std::fs;

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
fn every_campaign_is_checked_before_the_first_is_made() {
    let list = "campaigns:
  - {name: good, run_until: 100, out_dir: c}
  - {name: lost, profile: nowhere.yaml, out_dir: a}
  - {name: blocked, run_until: 100, out_dir: taken/b, site_count: 2}
  - {name: bad blocks, run_until: 100, out_dir: d, badlist: none.csv}
  - {name: faulty, out_dir: e, profile: faulty.yaml}
";
    let folder = Folder::new().with("list.yaml", list).with("taken", "").with("faulty.yaml", "schema: 1\n");
    assert_snapshot!(folder.refuse(&["run-list", "list.yaml"]));
    // The same with nothing but what the disk says.
    let full =
        Folder::new().with("list.yaml", "campaigns:\n  - {run_until: 100, out_dir: a}\n  - {out_dir: taken/b}\n");
    let full = full.with("taken", "");
    let text = full.refuse(&["run-list", "list.yaml", "--quiet"]);
    assert!(text.starts_with("exit code 3\ncampaign `campaign 2`:\nerror: cannot write `taken/b`"), "{text}");
}

#[test]
fn mistakes_of_fields_and_folders_do_not_hide_what_else_is_wrong() {
    let list = "campaigns:
  - {name: one, out_dir: a, run_until: 100}
  - {name: two, out_dir: a/b, run_until: 0}
  - {name: lost, out_dir: c, profile: nowhere.yaml}
  - {name: blocks, out_dir: d, badlist: bad.csv}
  - {name: table, out_dir: e, op_state_probs: none.yaml}
  - {name: place, out_dir: taken/f}
  - {name: fields, out_dir: g, run_until: 0, outputs: nothing, site_start: 5}
  - {name: sites, out_dir: h, site_start: 5, site_count: many}
  - {name: start, out_dir: i, site_start: 5}
  - {name: both, out_dir: j, no_bootstrap: true, bootstrap: true}
";
    let folder = Folder::new().with("list.yaml", list).with("taken", "").with("bad.csv", "die,block\nx,y\n");
    let text = folder.refuse(&["run-list", "list.yaml"]);
    assert!(text.starts_with("exit code 2\n"), "{text}");
    for part in [
        "`one` and `two` write into one folder",
        "campaign `two`:\nerror: a run of 0 µs (--run-until, -t) leaves no time",
        "campaign `lost`:\nerror: cannot read profile `nowhere.yaml`",
        "campaign `blocks`:\n",
        "campaign `table`:\nerror: ",
        "campaign `place`:\nerror: cannot write `taken/f`",
        "campaign `fields`:\nerror: a run of 0 µs (--run-until, -t) leaves no time",
        "'nothing'",
        "'many'",
        "campaign `start`:\nerror: --site-start 5 numbers",
        "`no_bootstrap` and `bootstrap` say the opposite of each other",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(text.matches("--site-start 5 numbers").count(), 2, "not where site_count is the mistake: {text}");
}

#[test]
fn all_that_is_wrong_with_each_campaign_is_said_at_once() {
    let list = "campaigns:
  - {name: lost, profile: nowhere.yaml, badlist: none.csv, op_state_probs: none.yaml, out_dir: taken/a, run_until: 0}
  - {name: lists, profile: device.yaml, badlist: bad.csv, op_state_probs: bad.yaml, out_dir: taken/b, site_start: 5}
  - {name: places, profile: faulty.yaml, op_state_probs: none.yaml, out_dir: taken/c}
";
    let device = Folder::new().succeed(&["profile", "show"]).stdout;
    let folder = Folder::new().with("device.yaml", device).with("taken", "").with("faulty.yaml", "schema: 1\n");
    let folder = folder.with("bad.csv", "die,block\nx,y\n").with("bad.yaml", "phase_conditional: 1\n");
    let folder = folder.with("list.yaml", list);
    assert_snapshot!(folder.refuse(&["run-list", "list.yaml"]));
    // As well where a field of another campaign, or of each, cannot be read.
    let unread = list.replace("{name", "{sed: 1, shard: 1/2, sites: 1, site_count: 2, name");
    let folder = folder.with("list.yaml", unread.replace(", site_start: 5", ""));
    let text = folder.refuse(&["run-list", "list.yaml"]);
    for (part, times) in [
        ("a campaign has no field `sed`", 3),
        ("'--shard <K/N>' cannot be used with '--sites <LIST>'", 3),
        ("a run of 0 µs (--run-until, -t) leaves no time", 1),
        ("cannot read profile `nowhere.yaml`", 1),
        ("cannot read the list of bad blocks `none.csv`", 1),
        ("the probability table `none.yaml` is not there", 2),
        ("4 errors in faulty.yaml", 1),
        ("--> bad.csv:2:1", 1),
        ("--> bad.yaml:1:20", 1),
        ("cannot write `taken/", 3),
    ] {
        assert_eq!(text.matches(part).count(), times, "{part}: {text}");
    }
}

#[test]
fn a_list_that_goes_on_checks_what_is_there_before_it_does() {
    let list = |seed: u64| {
        format!(
            "campaigns:\n  - {{seed: {seed}, runs: 2, run_until: 300, out_dir: b}}\n  - {{seed: 7, run_until: 300, out_dir: a}}\n"
        )
    };
    let folder = Folder::new().with("list.yaml", list(1));
    folder.succeed(&["run-list", "list.yaml", "--quiet"]);
    let other = list(1).replace("seed: 7", "seed: 8").replace("runs: 2", "runs: 3");
    let folder = folder.with("list.yaml", other);
    let text = folder.refuse(&["run-list", "list.yaml", "--resume"]);
    assert!(text.contains("`a` holds runs of another campaign: they were made with `--seed 7`, and this command makes runs with `--seed 8`"), "{text}");
    assert!(text.ends_with("note: nothing was made: 1 of 2 campaigns cannot be begun\n"), "{text}");
}

#[test]
fn campaigns_do_not_share_a_folder_under_two_names_nor_a_table_that_one_writes() {
    let folder = Folder::new();
    let shown = folder.succeed(&["profile", "show"]).stdout;
    let folder = folder.with("device.yaml", shown);
    folder.succeed(&["--config", "device.yaml", "--refresh-op-state-probs", "-t", "10", "--quiet", "--out-dir", "x"]);
    let table = "profile: device.yaml, run_until: 10";
    let list = format!(
        "campaigns:\n  - {{name: writes, {table}, refresh_op_state_probs: true, out_dir: a}}\n  - {{name: reads, {table}, out_dir: b}}\n"
    );
    let folder = folder.with("list.yaml", list);
    let text = folder.refuse(&["run-list", "list.yaml"]);
    let expected = "/op_state_probs.yaml`, which campaign `reads` reads too";
    assert!(text.starts_with("exit code 2\n") && text.contains("\ncampaign `writes`:\n"), "{text}");
    assert!(text.contains(expected), "{text}");
    let folder =
        folder.with("list.yaml", "campaigns:\n  - {name: one, out_dir: lot/../a}\n  - {name: two, out_dir: a}\n");
    assert!(folder.refuse(&["run-list", "list.yaml"]).contains("`one` and `two` write into one folder"));
}

#[cfg(unix)]
#[test]
fn campaigns_do_not_share_a_folder_through_a_link() {
    let list = "campaigns:\n  - {name: one, out_dir: real/a}\n  - {name: two, out_dir: link/a/b}\n";
    let folder = Folder::new().with("list.yaml", list);
    fs::create_dir(folder.path().join("real")).unwrap();
    std::os::unix::fs::symlink("real", folder.path().join("link")).unwrap();
    assert!(folder.refuse(&["run-list", "list.yaml"]).contains("`one` and `two` write into one folder"));
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

#[test]
fn what_is_wrong_with_a_profile_is_said_once_for_all_its_campaigns() {
    let text = crate::explaining::device("    Erase_SLC: 0.2\n");
    let (before, rest) = text.split_once("exclusion_groups:").unwrap();
    let device = format!("{before}probabilities:{}", rest.split_once("probabilities:").unwrap().1);
    let other = device.replace("name: Small", "name: Other");
    let list = "campaigns:
  - {run_until: 100, out_dir: a, profile: device.yaml}
  - {run_until: 100, out_dir: b, profile: device.yaml, seed: 9}
  - {run_until: 100, out_dir: c, profile: other.yaml}
";
    let folder = Folder::new().with("list.yaml", list).with("device.yaml", device).with("other.yaml", other);
    let said = String::from_utf8(folder.succeed(&["run-list", "list.yaml", "-q"]).stderr).unwrap();
    for profile in ["device.yaml", "other.yaml"] {
        let warning = format!("warning: {profile}: no exclusions are stated");
        assert_eq!(said.matches(&warning).count(), 1, "{said}");
    }
}

#[test]
fn in_quiet_the_end_of_a_campaign_is_said_with_its_name() {
    let list = "campaigns:\n  - {name: short, ops: 1000000, run_until: 100, out_dir: a}\n";
    let output = Folder::new().with("list.yaml", list).fall_short(&["run-list", "list.yaml", "-q"]);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.ends_with("note: campaign `short` ended with exit code 4\n"), "{text}");
}

#[test]
fn a_wrong_value_is_said_of_the_field_of_the_list() {
    let folder = Folder::new().with("list.yaml", "campaigns:\n  - {runs: 0, out_dir: a}\n");
    let told = folder.refuse(&["run-list", "list.yaml"]);
    assert!(told.contains("invalid value '0' for `runs`: not a whole number from 1 to 9999999"), "{told}");
}
