//! `coverage report`, `coverage gate` and `report` with a test plan.

use std::fs;

use serde_json::Value;

use crate::in_phases::said;
use crate::runner::Folder;

/// What every campaign does by chance: an SR follows a read soon.
const EASY: &str = "schema: 1
scenarios:
  reads:
    each: die
    hits: 2
    steps:
      - r: {class: read}
      - {class: data_output, after: r.end}
";

const NEVER: &str = "schema: 1
scenarios:
  never:
    hits: 3
    steps: [{base: ERASE}, {base: ERASE, repeat: 100000}]
";

/// Two phases that `generate` carries out.
const PHASES: &str = "schema: 1
mix: {page_read: 20 %}
phases:
  - {name: first, runs: 2, ops: 300}
  - {name: second, ops: 200, mix: {}}
";

fn made(plan: &str) -> Folder {
    let folder = Folder::new().with("easy.yaml", EASY).with("never.yaml", NEVER).with("phases.yaml", PHASES);
    folder.succeed(&["--plan", plan, "--stamp", "261121", "-q"]);
    folder
}

fn plan_of(folder: &Folder, arguments: &[&str]) -> Value {
    let report = said(folder, &[&["coverage", "report", "out", "--format", "json"], arguments].concat());
    serde_json::from_str::<Value>(&report).unwrap()["plan"].clone()
}

#[test]
fn scenarios_are_counted_in_runs_that_know_nothing_of_the_plan() {
    let folder = Folder::new().with("easy.yaml", EASY);
    folder.succeed(&["-t", "60000", "--stamp", "261121", "-q"]);
    assert_eq!(plan_of(&folder, &[]), Value::Null);
    let plan = plan_of(&folder, &["--plan", "easy.yaml"]);
    let reads = &plan["scenarios"][0];
    let of = |at: usize| reads["values"][at]["matches"].as_u64().unwrap();
    assert!(of(0) > 2 && of(1) > 2, "{reads}");
    assert_eq!(reads["matches"].as_u64().unwrap(), of(0) + of(1));
    assert_eq!((&reads["missing"], &reads["given_up"]), (&Value::from(0), &Value::from(0)));
    let text = said(&folder, &["coverage", "report", "out", "--plan", "easy.yaml"]);
    assert!(text.contains("Scenario reads: ") && text.contains(" matches, 2 hits wanted for each die\n"), "{text}");
    // The rows are the same in another form.
    let parquet = Folder::new().with("easy.yaml", EASY);
    parquet.succeed(&["-t", "60000", "--stamp", "261121", "-q", "--format", "parquet"]);
    assert_eq!(plan_of(&parquet, &["--plan", "easy.yaml"]), plan);
}

#[test]
fn the_gate_fails_if_hits_are_missing() {
    let folder = made("phases.yaml");
    let found = said(&folder, &["coverage", "gate", "out", "--plan", "easy.yaml"]);
    assert_eq!(found, "1 scenario of `easy.yaml`: all hits were found.\n");
    let both = said(&folder, &["coverage", "gate", "out", "--plan", "easy.yaml", "--min", "0"]);
    assert_eq!(both.lines().count(), 2, "{both}");
    let output = folder.run(&["coverage", "gate", "out", "--plan", "never.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, "1 scenario of `never.yaml`: 3 hits are missing: never lacks 3.\n");
    let refused = folder.refuse(&["coverage", "gate", "out"]);
    assert!(refused.contains("--min"), "{refused}");
}

#[test]
fn the_gate_fails_if_a_limit_was_exceeded() {
    let plan = "schema: 1\naddresses: {low: {limits: {erases_per_block: 1, open_blocks: 900000}}}\n";
    let folder = Folder::new().with("low.yaml", plan);
    folder.succeed(&["--ops", "20000", "--stamp", "261121", "-q"]);
    let output = folder.run(&["coverage", "gate", "out", "--plan", "low.yaml"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("all hits were found; limits were exceeded: erases_per_block of low by "), "{text}");
    assert!(!text.contains("open_blocks"), "{text}");
}

#[test]
fn without_a_flag_the_plan_is_that_of_the_manifest_as_it_was() {
    let folder = made("phases.yaml");
    let plan = plan_of(&folder, &[]);
    let phases: Vec<_> = plan["phases"].as_array().unwrap().iter().map(|one| (&one["name"], &one["runs"])).collect();
    assert_eq!(phases, [(&Value::from("first"), &Value::from(2)), (&Value::from("second"), &Value::from(1))]);
    let share = &plan["phases"][0]["shares"][0];
    assert_eq!((&share["name"], &share["wanted"]), (&Value::from("page_read"), &Value::from(20.0)));
    let reached = share["operations"].as_f64().unwrap() / plan["phases"][0]["operations"].as_f64().unwrap() * 100.0;
    assert!((share["reached"].as_f64().unwrap() - reached).abs() < 1e-4 && reached > 5.0, "{share}");
    assert_eq!(plan["phases"][1]["shares"], Value::Array(Vec::new()));
    let report = said(&folder, &["coverage", "report", "out"]);
    assert!(report.contains("out run 2, first") && report.contains("out run 3, second"), "{report}");
    // Merged counts keep the phases, and have no rows for a plan.
    folder.succeed(&["coverage", "merge", "out", "-o", "all.json"]);
    let merged = said(&folder, &["coverage", "report", "all.json"]);
    assert!(merged.contains("out run 3, second") && !merged.contains("Plan `"), "{merged}");
    let refused = folder.refuse(&["coverage", "report", "all.json", "--plan", "easy.yaml"]);
    assert!(refused.contains("have no rows"), "{refused}");
    // With another plan, no run is in a phase of it.
    let output = folder.succeed(&["coverage", "report", "out", "--plan", "easy.yaml"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("made with another test plan") && told.contains("counts in all of them"), "{told}");
    // The file has changed since.
    fs::write(folder.path().join("phases.yaml"), PHASES.replace("20 %", "21 %")).unwrap();
    let output = folder.succeed(&["coverage", "report", "out", "--format", "json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("`phases.yaml`, is no longer as it was then"), "{told}");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["plan"], Value::Null);
    fs::remove_file(folder.path().join("phases.yaml")).unwrap();
    let told = |folder: &Folder| String::from_utf8(folder.succeed(&["coverage", "report", "out"]).stderr).unwrap();
    assert!(told(&folder).contains("`phases.yaml`, is not there"));
    fs::create_dir(folder.path().join("phases.yaml")).unwrap();
    assert!(told(&folder).contains("`phases.yaml`, is not a regular file"));
}

#[test]
fn a_page_has_the_phases_and_the_matches() {
    let folder = made("phases.yaml");
    let data = |arguments: &[&str]| {
        folder.succeed(&[&["report", "out", "-o", "report.html"], arguments].concat());
        let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
        let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
        serde_json::from_str::<Value>(data.split_once("</script>").unwrap().0).unwrap()
    };
    let page = data(&[]);
    let runs = page["sites"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.iter().map(|run| run["phase"].as_str().unwrap()).collect::<Vec<_>>(), ["first", "first", "second"]);
    let spans: Vec<[u64; 2]> = runs.iter().map(|run| serde_json::from_value(run["span"].clone()).unwrap()).collect();
    assert!(spans.windows(2).all(|pair| pair[0][0] < pair[0][1] && pair[0][1] <= pair[1][0]), "{spans:?}");
    assert_eq!(page["plan"]["plan"], "phases.yaml");
    let page = data(&["--plan", "easy.yaml"]);
    let matches = &page["sites"][0]["matches"][0];
    assert_eq!(matches["count"], page["plan"]["scenarios"][0]["matches"]);
    assert_eq!(matches["steps"], 2);
    assert_eq!(matches["values"].as_array().unwrap().len() as u64, matches["count"].as_u64().unwrap());
    // A part of the time has the matches in it.
    let part = data(&["--plan", "easy.yaml", "--to", "300"]);
    assert!(part["sites"][0]["matches"][0]["count"].as_u64() < matches["count"].as_u64());
}

#[test]
fn a_plan_needs_nothing_but_sequences() {
    let folder = Folder::new().with("easy.yaml", EASY);
    folder.succeed(&["-t", "60000", "--stamp", "261121", "-q"]);
    let plan = plan_of(&folder, &["--plan", "easy.yaml"]);
    let sequence = fs::read(folder.path().join("out/operation_sequence_261121_0000001.csv")).unwrap();
    let folder = folder.with("foreign.csv", sequence);
    let output = folder.succeed(&["coverage", "report", "foreign.csv", "--plan", "easy.yaml", "--format", "json"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("only the plan is"), "{told}");
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["plan"], plan);
    let text = said(&folder, &["coverage", "report", "foreign.csv", "--plan", "easy.yaml"]);
    assert!(text.starts_with("Plan `easy.yaml`\n"), "{text}");
    said(&folder, &["coverage", "gate", "foreign.csv", "--plan", "easy.yaml"]);
    for more in [&["--min", "0", "--plan", "easy.yaml"][..], &["--min", "0"]] {
        let refused = folder.refuse(&[&["coverage", "gate", "foreign.csv"], more].concat());
        assert!(refused.contains("no op_state_name_input_time_count lies beside"), "{refused}");
    }
    assert!(folder.refuse(&["coverage", "report", "foreign.csv"]).contains("generate it too"));
    // The plan of the manifest does as well.
    let own = ["--plan", "easy.yaml", "-t", "60000", "-q", "--out-dir", "own", "--outputs", "operation_sequence"];
    folder.succeed(&own);
    let text = said(&folder, &["coverage", "report", "own"]);
    assert!(text.starts_with("Plan `easy.yaml`\n"), "{text}");
}
