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
    assert!(diagnosis["suspects"][0]["what"].as_str().unwrap().to_lowercase().contains("erase"), "{diagnosis:#}");
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

/// A program soon after a read of a page.
const PAIR: &str = "schema: 1\nname: a program soon after a read\n\
                    when: {pair: {first: {class: page_read}, second: {class: slc_program, within: 0-100}}}\n";

#[test]
fn a_confirming_plan_brings_the_fault_about_in_its_first_phase_alone() {
    let folder = lot().with("fault.yaml", PAIR);
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.csv", "-q"]);
    let diagnosis = json(&folder, &["--confirm", "1"]);
    let what = diagnosis["suspects"][0]["what"].as_str().unwrap();
    assert!(what.starts_with("slc_program, after page_read on the die"), "{diagnosis:#}");
    assert!(diagnosis["plans"][0].get("unsaid").is_none(), "{diagnosis:#}");
    let plan = diagnosis["plans"][0]["path"].as_str().unwrap();
    let output = folder.succeed(&["--plan", plan, "--out-dir", "confirmed", "--summary", "json", "-q"]);
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (at, phase) in ["with", "without"].into_iter().enumerate() {
        let scenario = &summary["scenarios"][at];
        let hits = scenario["values"][0]["hits"].as_u64().unwrap();
        assert!(scenario["phase"] == phase && hits >= 90, "{summary:#}");
    }
    folder.succeed(&["simulate", "confirmed", "--fault", "fault.yaml", "-o", "next.csv", "-q"]);
    let next = fs::read_to_string(folder.path().join("next.csv")).unwrap();
    let fails = |run: &str| next.lines().filter(|row| row.starts_with(run) && row.ends_with(",fail")).count();
    // What starts between the steps of a scenario may be the pair too.
    assert!(fails("1,1,") >= 90 && fails("1,2,") * 10 <= fails("1,1,"), "{next}");
    // STDF says the same, and is refused when it is cut.
    folder.succeed(&["simulate", "lot", "--fault", "fault.yaml", "-o", "fails.stdf", "-q"]);
    let text = |fails: &str| folder.succeed(&["diagnose", "lot", "--fails", fails]).stdout;
    assert_eq!(text("fails.stdf"), text("fails.csv"));
    let whole = fs::read(folder.path().join("fails.stdf")).unwrap();
    fs::write(folder.path().join("cut.stdf"), &whole[..whole.len() / 2]).unwrap();
    assert_snapshot!(folder.refuse(&["diagnose", "lot", "--fails", "cut.stdf"]));
}

/// The shape of a value: the type of each field, and that of the first element of a list.
fn shape(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "text".to_owned(),
        Value::Array(list) => format!("[{}]", list.first().map(shape).unwrap_or_default()),
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(key, value)| format!("{key}: {}", shape(value).replace('\n', "\n  "))).collect();
            format!("{{\n  {}\n}}", fields.join("\n  "))
        }
    }
}

#[test]
fn a_bad_part_of_a_site_is_told_from_a_bad_site_and_json_keeps_its_form() {
    let folder = lot();
    let mut fails = "site,run,part,op_uid,result\n".to_owned();
    for (site, run) in (1..=SITES).flat_map(|site| (1..=3).map(move |run| (site, run))) {
        for part in 1..=12 {
            let result = if (site, part) == (3, 2) { "fail" } else { "pass" };
            writeln!(fails, "{site},{run},{part},,{result}").unwrap();
        }
    }
    let folder = folder.with("fails.csv", fails);
    let diagnosis = json(&folder, &["--confirm", "1"]);
    assert_eq!(diagnosis["verdict"], "a bad part, not a bad combination: site 3 part 2, whatever happens there");
    assert_snapshot!(shape(&diagnosis));
}

#[test]
fn runs_of_two_profiles_are_refused() {
    let folder = lot();
    let profile = String::from_utf8(folder.succeed(&["profile", "show"]).stdout).unwrap();
    let folder = folder.with("other.yaml", profile.replacen("ISSUE: 0.4508", "ISSUE: 0.4512", 1));
    folder.succeed(&[
        "--config",
        "other.yaml",
        "--site-count",
        "1",
        "-n",
        "1",
        "-t",
        "2000",
        "-q",
        "--out-dir",
        "other",
    ]);
    let folder = folder.with("fails.csv", "site,run,op_uid\n1,1,3\n2,1,\n");
    let told = folder.refuse(&["diagnose", "lot/site_02", "other", "--fails", "fails.csv"]);
    assert!(told.contains("another profile"), "{told}");
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
