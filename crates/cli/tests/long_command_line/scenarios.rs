//! Scenarios of a test plan as users meet them: made in every way, counted, warned of; and the plans of `examples/plans`.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::in_phases::{phased, said, the_same_in_every_way, with};

/// Six runs, the last of which ends when its scenario is done.
const PLAN: &str = "schema: 1
phases:
  - {name: beside, runs: 5, run_until: 40000, scenarios: [suspend]}
  - {name: done, run_until: 2000000, until: {scenarios: done}, scenarios: [suspend, reset]}
scenarios:
  suspend:
    hits: 8
    steps:
      - p: {base: PROGRAM_SLC}
      - s: {base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-50 %}
      - {base: PROGRAM_RESUME, after: s.end, within: 20}
  reset:
    each: die
    hits: 2
    steps:
      - e: {class: erase}
      - {base: RESET_LUN, in: e.CORE_BUSY, at: 0-10 %, die: same as e}
";

fn summary(text: &[u8]) -> Value {
    serde_json::from_slice(text).unwrap()
}

#[test]
fn a_campaign_with_scenarios_is_the_same_in_every_way() {
    let folder = phased("plan.yaml", PLAN);
    the_same_in_every_way(&folder, &["--out-dir", "out"]);
    let verdict = said(&folder, &["verify", "out"]);
    assert!(verdict.contains("no rule broken"), "{verdict}");
    let made = folder.succeed(&with(&["--out-dir", "other", "--summary", "json"]));
    let scenarios = summary(&made.stdout)["scenarios"].clone();
    let named: Vec<[&str; 2]> = scenarios
        .as_array()
        .unwrap()
        .iter()
        .map(|one| [one["phase"].as_str().unwrap(), one["name"].as_str().unwrap()])
        .collect();
    assert_eq!(named, [["beside", "suspend"], ["done", "suspend"], ["done", "reset"]]);
    for scenario in scenarios.as_array().unwrap() {
        for value in scenario["values"].as_array().unwrap() {
            assert_eq!(value["hits"], value["wanted"], "{scenario}");
            assert!(value["attempts"].as_u64() >= value["hits"].as_u64(), "{scenario}");
        }
    }
    assert_eq!(scenarios[2]["values"][1]["die"], 1);
    let dry = said(&folder, &with(&["--out-dir", "dry", "--dry-run"]));
    assert!(dry.contains("  phase done: 1 run of at most 2000000 µs; scenarios suspend, reset\n"), "{dry}");
}

#[test]
fn scenarios_that_lack_hits_are_warned_of() {
    let plan = "schema: 1
scenarios:
  never:
    each: die
    steps:
      - e: {class: erase}
      - {base: PROGRAM_SUSPEND, in: e.CORE_BUSY}
";
    let folder = phased("plan.yaml", plan);
    let made = folder.fall_short(&with(&["--out-dir", "out", "-t", "20000", "--summary", "json"]));
    let warnings = summary(&made.stdout)["warnings"].to_string();
    let expected = "the scenario `never` has 0 of 2 hits (missing: die 0; die 1)";
    assert!(warnings.contains(expected) && warnings.contains("`no_operation`"), "{warnings}");
}

#[test]
fn the_examples_reach_their_hits_and_break_no_rule() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plans");
    let mut count = 0;
    for file in fs::read_dir(examples).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        // Each is made small: a hit of each value is enough.
        let small: String = text
            .lines()
            .map(|line| match line.split_once("hits: ") {
                Some((before, _)) => format!("{before}hits: 1\n"),
                None => format!("{line}\n"),
            })
            .collect();
        let folder = phased("plan.yaml", &small);
        let made = folder.succeed(&with(&["--out-dir", "out", "--summary", "json", "--verify"]));
        let made = summary(&made.stdout);
        for scenario in made["scenarios"].as_array().unwrap() {
            assert_eq!(scenario["missed"], 0, "{}: {scenario}", path.display());
        }
        assert_eq!(made["exit_code"], 0, "{made}");
        count += 1;
    }
    assert_eq!(count, 10);
}
