//! `nandseqgen plan …`

use insta::assert_snapshot;
use serde_json::Value;

use crate::runner::{Folder, legacy};

/// A plan whose mistakes are of every section.
const FAULTY: &str = "schema: 1
phases:
  - {name: fill, runs: 2, until: {programed: 50 %}}
mix: {REED: 5 %}
addresses:
  here: {regions: [{blocks: 5000}]}
scenarios:
  one:
    steps:
      - p: {base: ERASE}
      - {base: SR, in: q.CORE_BUSY}
";

fn stdout(folder: &Folder, arguments: &[&str]) -> String {
    String::from_utf8(folder.succeed(arguments).stdout).unwrap()
}

/// A folder with the plan that `plan new` prints.
fn with_new_plan() -> Folder {
    let plan = stdout(&Folder::new(), &["plan", "new"]);
    Folder::new().with("plan.yaml", plan)
}

#[test]
fn a_new_plan_is_good_and_says_what_it_means() {
    let folder = with_new_plan();
    assert_snapshot!(stdout(&folder, &["plan", "check", "plan.yaml"]));
    assert_snapshot!(stdout(&folder, &["plan", "show", "plan.yaml"]));
    assert_eq!(stdout(&folder, &["plan", "check", "plan.yaml", "-q"]), "");
}

#[test]
fn a_new_plan_reaches_what_it_says() {
    let folder = with_new_plan();
    let output = folder.succeed(&["--plan", "plan.yaml", "--outputs", "operation_sequence", "--seed", "3"]);
    let (told, warned) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(!warned.contains("warning"), "{warned}");
    assert!(told.contains("\nScenarios: stress early_suspend 50 of 50 hits"), "{told}");
    assert!(told.contains("\nShares: 2 of 2 within a percentage point"), "{told}");
}

#[test]
fn a_new_plan_is_good_for_a_device_of_the_predecessor() {
    let Some(config) = legacy("config-2025-09.yaml") else { return };
    let text = stdout(&with_new_plan(), &["plan", "check", "plan.yaml", "--config", config.to_str().unwrap()]);
    assert!(text.contains("plan.yaml can be used on ") && !text.contains("warning"), "{text}");
}

#[test]
fn every_mistake_of_a_plan_is_said_at_once() {
    let folder = Folder::new().with("plan.yaml", FAULTY);
    let refused = folder.refuse(&["plan", "check", "plan.yaml"]);
    assert_snapshot!(refused);
    assert_eq!(folder.refuse(&["plan", "show", "plan.yaml"]), refused);
    assert!(folder.refuse(&["plan", "check", "no.yaml"]).contains("cannot read test plan `no.yaml`"));
}

#[test]
fn the_answers_as_json_say_the_same() {
    let folder = with_new_plan().with("faulty.yaml", FAULTY);
    let json = |arguments: &[&str]| -> Value {
        let output = folder.run(&[arguments, &["--format", "json"]].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let checked = json(&["plan", "check", "plan.yaml"]);
    assert_eq!((&checked["usable"], &checked["command"]), (&true.into(), &"plan check".into()));
    assert_eq!(checked["plan"]["source"], "plan.yaml");
    let checked = json(&["plan", "check", "faulty.yaml"]);
    assert_eq!((&checked["usable"], &checked["plan"]), (&false.into(), &Value::Null));
    assert_eq!(checked["remarks"].as_array().unwrap().len(), 4);
    let shown = json(&["plan", "show", "plan.yaml"]);
    assert_eq!((&shown["phases"][2]["first_run"], &shown["phases"][2]["runs"]), (&3.into(), &2.into()));
    assert_eq!(shown["addresses"][0]["regions"][0]["blocks_of_die"], 4);
    let steps = shown["scenarios"][0]["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| !step["op_names"].as_array().unwrap().is_empty()), "{shown}");
    assert_eq!(steps[1]["where"][0], "die same as p");
}

#[test]
fn the_schema_is_printed() {
    let schema: Value = serde_json::from_str(&stdout(&Folder::new(), &["plan", "schema"])).unwrap();
    assert_eq!(schema["title"], "nandseqgen test plan");
}

#[test]
fn a_class_of_the_profile_is_a_name_of_the_plan() {
    let plan = "schema: 1\nmix: {calibration: 5 %}\n";
    let folder = Folder::new().with("plan.yaml", plan);
    assert_snapshot!(stdout(&folder, &["plan", "show", "plan.yaml"]), @"Shares: calibration 5 % (6 operations)");
    let folder = folder.with("empty.yaml", "schema: 1\n");
    assert_snapshot!(stdout(&folder, &["plan", "show", "empty.yaml"]), @"the plan states nothing");
}

/// A plan of a scenario that cannot happen, of one that can at most at the end of a phase, and of one that can.
const IMPOSSIBLE: &str = "schema: 1
scenarios:
  read_while_erasing:
    steps:
      - e: {base: ERASE}
      - {base: READ, in: e.CORE_BUSY, at: 0-50 %}
  feature_while_reading:
    steps:
      - r: {base: READ}
      - {base: GETFEATURE, in: r.CORE_BUSY}
  status_while_erasing:
    steps:
      - e: {base: ERASE}
      - {base: SR, in: e.CORE_BUSY}
";

#[test]
fn scenarios_that_cannot_happen_are_named_with_step_and_rule() {
    let folder = Folder::new().with("plan.yaml", IMPOSSIBLE);
    assert_snapshot!(stdout(&folder, &["plan", "check", "plan.yaml"]));
    let generated = folder.fall_short(&["--plan", "plan.yaml", "--ops", "20", "--dry-run"]);
    let told = String::from_utf8(generated.stderr).unwrap();
    assert!(
        told.contains("scenario `read_while_erasing` cannot happen, because `plane_busy` forbids step 2"),
        "{told}"
    );
    assert!(
        told.contains("plan.yaml:6:9") && told.contains("plan.yaml:10:9") && !told.contains("status_while"),
        "{told}"
    );
}
