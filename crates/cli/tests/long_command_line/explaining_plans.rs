//! `nandseqgen explain --plan`: what shares, addresses and scenarios of a test plan change.

use std::collections::BTreeSet;
use std::fs;

use insta::assert_snapshot;
use serde_json::Value;

use crate::explaining::device;
use crate::runner::Folder;

/// Everything has a mass but what the base DOUT takes over.
const PLAIN: &str = "    ERASE: 0.2\n    Dout: 0.2\n";

/// A folder with the device with these masses and a plan.
fn folder(masses: &str, plan: &str) -> Folder {
    Folder::new().with("device.yaml", device(masses)).with("plan.yaml", format!("schema: 1\n{plan}"))
}

fn explain(folder: &Folder, arguments: &[&str]) -> String {
    let all = [&["explain", "--config", "device.yaml", "--plan", "plan.yaml", "-q"], arguments].concat();
    String::from_utf8(folder.succeed(&all).stdout).unwrap()
}

/// The answer about one operation as JSON.
fn operation(folder: &Folder, name: &str) -> Value {
    answer(folder, &[name])
}

fn answer(folder: &Folder, arguments: &[&str]) -> Value {
    let mut answer: Value =
        serde_json::from_str(&explain(folder, &[arguments, &["--format", "json"]].concat())).unwrap();
    answer["operations"][0].take()
}

#[test]
fn regions_that_never_have_an_address_are_a_cause_with_their_place() {
    let folder = folder(PLAIN, "addresses:\n  late_pages:\n    regions: [{blocks: 0-3, pages: 2-3}]\n");
    assert_snapshot!(explain(&folder, &["Read_SLC"]));
    let found = operation(&folder, "Program_SLC");
    assert_eq!(found["appears"], "never");
    let stated = &found["causes"][0][0]["stated"][0];
    assert_eq!((&stated["path"], &stated["file"]), (&"addresses.late_pages".into(), &"plan.yaml".into()));
    assert_eq!((&stated["line"], &stated["column"]), (&3.into(), &3.into()));
    let change = found["change"][0].as_str().unwrap();
    assert!(change.starts_with("add the pages before its own to a region of `addresses.late_pages` ("), "{change}");
    // Erases fit whatever the pages are.
    assert_eq!(operation(&folder, "Erase_SLC")["appears"], "proposed");
    // Whoever follows the advice sees the operation.
    let text = fs::read_to_string(folder.path().join("plan.yaml")).unwrap().replace("pages: 2-3", "pages: 0-3");
    fs::write(folder.path().join("plan.yaml"), text).unwrap();
    assert_eq!(operation(&folder, "Read_SLC")["appears"], "proposed");
}

#[test]
fn a_phase_without_regions_serves_what_another_does_not() {
    let phases = "phases:\n  - {name: narrow, ops: 300, addresses: late}\n  - {name: wide, ops: 900, addresses: []}\n";
    let addresses = "addresses: {late: {regions: [{pages: 2-3}]}}\n";
    let folder = folder(PLAIN, &format!("{phases}{addresses}"));
    let found = operation(&folder, "Program_SLC");
    assert_eq!(found["appears"], "proposed");
    assert_eq!(found["without_address"], serde_json::json!(["narrow"]));
    assert!(explain(&folder, &["Program_SLC"]).contains("\nNo region of the phase narrow has an address for it.\n"));
    let by_phase = &found["expected_by_phase"];
    assert_eq!((&by_phase[0]["phase"], &by_phase[0]["counted"]), (&"narrow".into(), &0.into()));
    assert!(by_phase[1]["mean"].as_f64().unwrap() > 10.0, "{by_phase}");
}

#[test]
fn limits_are_said_with_what_they_allow_and_where_the_trial_reached_them() {
    let plan = "addresses:\n  few:\n    regions: [{blocks: 0-1}]\n    limits: {erases_per_block: 3, reads_per_page: 2, open_blocks: 1}\n";
    let folder = folder(PLAIN, plan);
    assert_snapshot!(explain(&folder, &["Erase_SLC"]));
    let limit = &operation(&folder, "Erase_SLC")["limits"][0];
    assert_eq!(
        (&limit["addresses"], &limit["limit"], &limit["value"]),
        (&"few".into(), &"erases_per_block".into(), &3.into())
    );
    assert_eq!((&limit["of"], &limit["most"], &limit["reached"]), (&2.into(), &6.into(), &2.into()));
    assert_eq!(limit["stated"]["path"], "addresses.few.limits.erases_per_block");
    let reads = &operation(&folder, "Read_SLC")["limits"][0];
    assert_eq!((&reads["limit"], &reads["most"]), (&"reads_per_page".into(), &16.into()));
    let open = &operation(&folder, "Program_SLC")["limits"][0];
    assert_eq!((&open["limit"], &open["most"]), (&"open_blocks".into(), &Value::Null));
}

#[test]
fn what_a_limit_stops_is_not_scaled() {
    let limits = "limits: {erases_per_block: 2}";
    let few = format!("addresses:\n  few:\n    regions: [{{blocks: 0-1}}]\n    {limits}\n");
    let folder_of = |plan: &str| folder(PLAIN, plan);
    let expected = |plan: &str, ops: &str| answer(&folder_of(plan), &["Erase_SLC", "-n", ops])["expected"].clone();
    for ops in ["5000", "1000000"] {
        let found = expected(&few, ops);
        assert_eq!(
            (&found["limited"], &found["mean"]),
            (&true.into(), &(found["counted"].as_u64().unwrap() as f64).into()),
            "{found}"
        );
        assert!((1..=4).contains(&found["counted"].as_u64().unwrap()), "{found}");
        assert_eq!((&found["least"], &found["most"]), (&found["mean"], &4.0.into()));
    }
    // Other blocks without a limit go on, and so does what is scaled; a limit on the whole device holds for them too.
    let others = format!("{few}  others:\n    regions: [{{blocks: 2-3}}]\n");
    let found = expected(&others, "1000000");
    assert!(found.get("limited").is_none() && found["mean"].as_f64().unwrap() > 100.0, "{found}");
    let found = expected(&format!("{others}  whole:\n    {limits}\n"), "1000000");
    assert_eq!(found["limited"], true, "{found}");
    // In a phase that the trial breaks off it is the same.
    let phased = format!("{few}phases:\n  - {{name: long, runs: 2, ops: 50000}}\n");
    let found = operation(&folder_of(&phased), "Erase_SLC");
    assert_eq!(
        (&found["expected_by_phase"][0]["limited"], &found["expected"]["limited"]),
        (&true.into(), &true.into())
    );
    assert!(found["expected"]["mean"].as_f64().unwrap() <= 4.0, "{found}");
}

#[test]
fn what_shares_of_the_whole_do_not_name_is_rare_because_of_them() {
    let plan = "mix:\n  ERASE: 60 %\n  PROGRAM: 40 %\n";
    let folder = folder(PLAIN, plan);
    let text = explain(&folder, &["Read_SLC"]);
    assert_snapshot!(text);
    let found = operation(&folder, "Read_SLC");
    let cause = &found["causes"][0][0];
    assert_eq!((&cause["kind"], &cause["stated"][0]["path"]), (&"share".into(), &"mix".into()));
    assert_eq!((&cause["stated"][0]["line"], &found["shares"][0]["percent"]), (&2.into(), &0.0.into()));
    let change = found["change"][0].as_str().unwrap();
    assert_eq!(change, "name `Read_SLC` in `mix`, or state shares of less than 100 % together (plan.yaml:2:1)");
    let named = operation(&folder, "Program_SLC");
    let share = &named["shares"][0];
    assert_eq!(
        (&share["share"], &share["percent"], &share["operations"]),
        (&"PROGRAM".into(), &40.0.into(), &2.into())
    );
    assert_eq!((&share["stated"]["line"], &share["missed"]), (&4.into(), &Value::Null));
    assert!(share["reached"].as_f64().unwrap() > 39.0 && named["causes"].as_array().unwrap().is_empty(), "{named}");
    // What is left of shares that cannot be reached falls to it: it is not rare then, and nothing is said.
    let plan = "schema: 1\nmix: {ERASE: 40 %, PROGRAM: 40 %, READ: 20 %}\n";
    fs::write(folder.path().join("plan.yaml"), plan).unwrap();
    let found = operation(&folder, "Dout");
    assert!(found["causes"].as_array().unwrap().is_empty(), "{found}");
    let missed = &operation(&folder, "Erase_SLC")["shares"][0]["missed"];
    assert!(
        missed.is_string()
            && explain(&folder, &["Erase_SLC"]).contains(&format!("(`{}`).\n", missed.as_str().unwrap()))
    );
}

/// A scenario whose steps are these.
fn scenario(hits: u64, steps: &[&str]) -> String {
    let steps: String = steps.iter().map(|step| format!("      - {step}\n")).collect();
    format!("scenarios:\n  life:\n    hits: {hits}\n    steps:\n{steps}")
}

#[test]
fn an_operation_without_a_weight_appears_because_of_a_scenario() {
    let plan = scenario(20, &["e: {op: Erase_SLC}", "p: {op: Program_SLC, block: same as e}"]);
    let folder = folder("    Erase_SLC: 0\n    Erase_TLC: 0.2\n    Dout: 0.2\n", &plan);
    assert_snapshot!(explain(&folder, &["Erase_SLC"]));
    let found = operation(&folder, "Erase_SLC");
    assert_eq!(found["appears"], "in_scenarios");
    let step = &found["scenarios"][0];
    assert_eq!((&step["scenario"], &step["step"], &step["label"]), (&"life".into(), &1.into(), &"e".into()));
    assert_eq!((&step["hits"], &step["starts"], &step["impossible"]), (&20.into(), &true.into(), &Value::Null));
    assert_eq!((&step["trial_hits"], &step["trial_wanted"]), (&20.into(), &20.into()));
    assert!(found["expected"]["counted"].as_u64().unwrap() >= 20, "{found}");
    // What has a weight and needs it appears too.
    assert_eq!(operation(&folder, "Read_SLC")["appears"], "proposed");
}

#[test]
fn an_operation_may_start_to_bring_about_what_a_step_lacks() {
    let folder = folder("    ERASE: 0\n    PROGRAM: 0.4\n    Dout: 0.2\n", &scenario(9, &["{op: Program_SLC}"]));
    assert_snapshot!(explain(&folder, &["Erase_SLC"]));
    let found = operation(&folder, "Erase_SLC");
    assert_eq!((&found["appears"], &found["helps"]), (&"as_help".into(), &serde_json::json!(["life"])));
    assert!(found["expected"]["counted"].as_u64().unwrap() > 0, "{found}");
}

#[test]
fn a_scenario_that_cannot_happen_lets_nothing_start_from_its_impossible_step_on() {
    let steps = ["e: {op: Erase_TLC}", "{op: Read_SLC, in: e.CORE_BUSY, at: 0-50 %, plane: same as e}"];
    let masses = "    Erase_SLC: 0.2\n    READ: 0\n    Dout: 0.2\n    Erase_TLC: 0\n";
    let folder = folder(masses, &scenario(9, &steps));
    let text = explain(&folder, &["Read_SLC"]);
    assert_snapshot!(text);
    let found = operation(&folder, "Read_SLC");
    assert_eq!((&found["appears"], &found["scenarios"][0]["starts"]), (&"never".into(), &false.into()));
    let why = found["scenarios"][0]["impossible"].as_str().unwrap();
    assert!(why.contains("forbids step 2"), "{why}");
    // Attempts begin all the same.
    let first = operation(&folder, "Erase_TLC");
    assert_eq!((&first["appears"], &first["scenarios"][0]["starts"]), (&"in_scenarios".into(), &true.into()));
}

/// Phases of each kind: whole in the trial, longer than it, and ended by what it does not reach.
const PHASES: &str = "phases:
  - {name: short, ops: 400, runs: 2, mix: {ERASE: 50 %}}
  - {name: long, ops: 90000}
  - {name: filled, run_until: 90000000, until: {programmed: 100 %}, probabilities: {global: {READ: 0.5}}}
";

#[test]
fn the_trial_carries_out_the_phases_of_the_plan() {
    let folder = folder(PLAIN, PHASES);
    let text = explain(&folder, &["Erase_SLC"]);
    assert_snapshot!(text);
    let answer: Value = serde_json::from_str(&explain(&folder, &["Erase_SLC", "--format", "json"])).unwrap();
    let phases = answer["trial"]["phases"].as_array().unwrap();
    let ends: Vec<&str> = phases.iter().map(|phase| phase["end"].as_str().unwrap()).collect();
    assert_eq!(ends, ["whole", "cut", "cut_before_until"]);
    let of: Vec<u64> = phases.iter().map(|phase| phase["of"].as_u64().unwrap()).collect();
    assert_eq!(of[..2], [800, 90_000]);
    let found = &answer["operations"][0];
    let sum: f64 = found["expected_by_phase"].as_array().unwrap().iter().map(|row| row["mean"].as_f64().unwrap()).sum();
    assert!((found["expected"]["mean"].as_f64().unwrap() - sum).abs() < 1e-6, "{found}");
    assert_eq!(found["expected"]["of"].as_u64(), Some(of.iter().sum()));
    // The phases say how many operations there are.
    let all = ["explain", "--config", "device.yaml", "--plan", "plan.yaml", "Erase_SLC", "-n", "100"];
    let told = folder.refuse(&all);
    let expected = "the phases of `plan.yaml` say how many operations there are, and -n does too";
    assert!(told.contains(expected) && told.contains("leave the flag out"), "{told}");
}

#[test]
fn what_a_whole_trial_counts_is_what_generate_makes() {
    let phases = "phases:
  - {name: a, ops: 300, runs: 2, mix: {ERASE: 30 %}}
  - {name: b, run_until: 20000, addresses: few, scenarios: life}
addresses: {few: {regions: [{blocks: 0-3}], limits: {erases_per_block: 40}}}
";
    let plan = format!("{phases}{}", scenario(5, &["e: {op: Erase_SLC}", "{op: Program_SLC, block: same as e}"]));
    let folder = folder("    Erase_SLC: 0\n    Erase_TLC: 0.2\n    Dout: 0.2\n", &plan);
    // The seed is that of the trial.
    folder.fall_short(&["--config", "device.yaml", "--plan", "plan.yaml", "--seed", "42", "--stamp", "261121", "-q"]);
    let started = started(&folder);
    let answer: Value =
        serde_json::from_str(&explain(&folder, &["array", "--as", "class", "--format", "json"])).unwrap();
    assert!(answer["trial"]["phases"].as_array().unwrap().iter().all(|phase| phase["end"] == "whole"), "{answer}");
    for found in answer["operations"].as_array().unwrap() {
        let name = found["op_name"].as_str().unwrap();
        let made = started.iter().filter(|started| *started == name).count() as u64;
        assert_eq!(found["expected"]["counted"].as_u64(), Some(made), "{name}");
        assert_eq!(found["expected"]["mean"].as_f64(), Some(made as f64), "{name}");
    }
}

/// The names of all operations that `generate` wrote.
fn started(folder: &Folder) -> Vec<String> {
    let files = crate::runner::files_below(&folder.path().join("out"));
    let sequences = files.iter().filter(|(name, _)| name.contains("operation_sequence"));
    let mut names = Vec::new();
    for (_, text) in sequences {
        let mut rows = csv::Reader::from_reader(&text[..]);
        let at = rows.headers().unwrap().iter().position(|column| column == "op_name").unwrap();
        names.extend(rows.records().map(|row| row.unwrap()[at].to_owned()));
    }
    names
}

#[test]
fn what_is_said_never_to_appear_does_not_and_what_appears_is_not_said_never_to() {
    let masses = [
        PLAIN,
        "    ERASE: 0\n    Dout: 0.2\n",
        "    Erase_SLC: 0\n    Erase_TLC: 0.2\n    Dout: 0.2\n",
        "    ERASE: 0.3\n    PROGRAM: 0\n    Dout: 0.2\n",
    ];
    let sections = [
        "addresses: {a: {regions: [{pages: 2-3}]}}\n".to_owned(),
        "addresses: {a: {regions: [{blocks: 0-1, pages: 0-1}], limits: {erases_per_block: 1}}}\n".to_owned(),
        "mix: {ERASE: 50 %, READ: 50 %}\n".to_owned(),
        scenario(5, &["{op: Erase_SLC}"]),
        scenario(5, &["e: {base: ERASE}", "p: {op: Program_TLC, block: same as e}", "{base: READ, block: same as e}"]),
        scenario(5, &["{op: Read_TLC}"]),
        format!("addresses: {{a: {{regions: [{{pages: 1-3}}]}}}}\n{}", scenario(5, &["{op: Program_SLC}"])),
        format!(
            "phases:\n  - {{name: a, ops: 200, addresses: [], scenarios: []}}\n  - {{name: b, ops: 200}}\naddresses: {{a: {{regions: [{{pages: 3}}]}}}}\n{}",
            scenario(5, &["{op: Read_SLC}"])
        ),
        format!(
            "mix: {{PROGRAM: 100 %}}\n{}",
            scenario(5, &["e: {base: ERASE}", "{base: READ, in: e.CORE_BUSY, plane: same as e, at: 0-9 %}"])
        ),
    ];
    let (mut never, mut appeared) = (0, 0);
    for masses in masses {
        for section in &sections {
            let folder = folder(masses, section);
            let extent: &[&str] = if section.contains("phases") { &[] } else { &["--ops", "400", "-t", "10000000"] };
            let generate = ["--config", "device.yaml", "--plan", "plan.yaml", "--seed", "9", "--stamp", "261121", "-q"];
            let output = folder.run(&[&generate, extent].concat());
            let started: BTreeSet<String> =
                if output.status.code() == Some(2) { BTreeSet::new() } else { started(&folder).into_iter().collect() };
            let answer: Value =
                serde_json::from_str(&explain(&folder, &["array", "--as", "class", "--format", "json"])).unwrap();
            for found in answer["operations"].as_array().unwrap() {
                let name = found["op_name"].as_str().unwrap();
                let is_never = found["appears"] == "never";
                assert!(!(is_never && started.contains(name)), "{name} with\n{masses}{section}: {found}");
                never += u32::from(is_never);
                appeared += u32::from(started.contains(name));
            }
        }
    }
    assert!(never > 40 && appeared > 60, "{never} {appeared}");
}

#[test]
fn what_comes_nowhere_near_its_limit_is_scaled() {
    // Some pages are read twice in the trial, and five million are left.
    let plan = "schema: 1\naddresses:\n  all: {limits: {reads_per_page: 2}}\n";
    let folder = Folder::new().with("plan.yaml", plan);
    let name = "4KB_Page_Read_confirm_SLC";
    let asked = ["explain", "--plan", "plan.yaml", "-q", "--format", "json", name, "-n", "1000000"];
    let said: Value = serde_json::from_slice(&folder.succeed(&asked).stdout).unwrap();
    let said = &said["operations"][0];
    assert!(said["limits"][0]["reached"].as_u64().unwrap() > 0, "{said}");
    let found = &said["expected"];
    assert!(found.get("limited").is_none(), "{found}");
    assert!(found["mean"].as_f64().unwrap() > 20.0 * found["counted"].as_f64().unwrap(), "{found}");
}
