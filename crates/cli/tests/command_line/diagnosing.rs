//! `nandseqgen diagnose`

use std::fmt::Write as _;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::Folder;

const SITES: usize = 8;

/// A lot of small runs.
fn lot() -> Folder {
    let folder = Folder::new();
    let sites = SITES.to_string();
    folder.succeed(&[
        "--site-count",
        &sites,
        "-n",
        "3",
        "-t",
        "40000",
        "--stamp",
        "2026-11-22",
        "-q",
        "--out-dir",
        "lot",
        "--outputs",
        "operation_sequence,operation_timeline,op_state_timeline",
    ]);
    folder
}

/// Puts fails beside the lot: in each run the first operation of which `is_hit` says so, by site and name.
fn with_fails(folder: Folder, is_hit: impl Fn(usize, &str) -> bool) -> Folder {
    let mut fails = "site,run,op_uid\n".to_owned();
    for site in 1..=SITES {
        for run in 1..=3 {
            let path = folder.path().join(format!("lot/site_{site:02}/operation_sequence_261122_{run:07}.csv"));
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let rows = text.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
            let hit = rows.into_iter().find(|row| is_hit(site, row[3])).map_or(String::new(), |row| row[4].to_owned());
            writeln!(fails, "{site},{run},{hit}").unwrap();
        }
    }
    folder.with("fails.csv", fails)
}

fn json(folder: &Folder, more: &[&str]) -> Value {
    let output = folder.succeed(&[&["diagnose", "lot", "--fails", "fails.csv", "--format", "json"], more].concat());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn an_operation_that_fails_is_found_and_gets_a_plan_that_runs() {
    let folder = with_fails(lot(), |_, op| op.starts_with("Block_Erase"));
    let more = ["-o", "page.html", "--confirm", "1", "--plans", "next"];
    let diagnosis = json(&folder, &more);
    assert_eq!(diagnosis["kind"], "combination");
    assert!(diagnosis["suspects"][0]["what"].as_str().unwrap().contains("rase"), "{diagnosis:#}");
    assert!(diagnosis["suspects"][0]["score"].as_f64().unwrap() > 0.9, "{diagnosis:#}");
    let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
    assert!(page.contains("What goes with failing") && !page.contains("{{"));
    assert_eq!(json(&folder, &more), diagnosis);
    let plan = diagnosis["plans"][0]["path"].as_str().unwrap();
    folder.succeed(&["plan", "check", plan]);
    let output = folder.succeed(&["--plan", plan, "--out-dir", "confirmed", "--summary", "json", "-q"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary.to_string().contains("\"with\""), "{summary:#}");
    let text = String::from_utf8(folder.succeed(&["diagnose", "lot", "--fails", "fails.csv"]).stdout).unwrap();
    assert!(text.contains("Verdict: a bad combination, not a bad place"), "{text}");
}

#[test]
fn what_cannot_be_diagnosed_is_refused_with_its_place() {
    let folder = with_fails(lot(), |_, _| false);
    let refused = |fails: &str| {
        fs::write(folder.path().join("fails.csv"), fails).unwrap();
        folder.refuse(&["diagnose", "lot", "--fails", "fails.csv"])
    };
    let all = [
        "site,run,op_uid\n1,1,\n",
        "site,run,op_uid\n9,1,3\n",
        "site,run,op_uid\n1,1,99999\n",
        "site,run,op_uid\n2,2,3\n",
    ];
    assert_snapshot!(all.map(refused).join("\n"));
    assert_snapshot!(folder.refuse(&["diagnose", "lot", "--fails", "none.csv"]));
}
