//! `--plan`: phases with limits and masses of their own, made in any way; and what is refused.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::in_phases::{PLAN, cut_after, phased, said, the_same_in_every_way, with};
use crate::runner::{checked_manifest, files_below};

#[test]
fn runs_in_phases_are_the_same_however_they_are_made() {
    let folder = phased("plan.yaml", PLAN);
    the_same_in_every_way(&folder, &["--verify"]);
    let manifest = checked_manifest(&folder.path().join("out"));
    let phases: Vec<_> = manifest.runs.iter().map(|run| run.phase.as_deref().unwrap()).collect();
    assert_eq!(phases, ["precondition", "precondition", "stress", "stress", "stress", "read back"]);
    let runs: Vec<u64> = manifest.runs.iter().map(|run| run.operations).collect();
    assert!(runs[0] > 0 && runs[1] == 0, "`until` ends both runs of its phase: {runs:?}");
    assert!(runs[2..5].iter().all(|ops| (40..60).contains(ops)) && runs[5] > 0, "{runs:?}");
    let origin = &manifest.origin;
    assert_eq!((&*origin.plan.as_ref().unwrap().source, origin.phase_runs), ("plan.yaml", Some(6)));
    let limits = ["--num-runs", "--run-until", "--ops"];
    assert!(!origin.arguments.iter().any(|argument| limits.contains(&&**argument)), "{:?}", origin.arguments);
}

#[test]
fn a_site_of_a_batch_in_phases_is_the_same_alone_and_in_a_shard() {
    let folder = phased("plan.yaml", PLAN);
    let of = |out: &str| files_below(&folder.path().join(out));
    folder.succeed(&with(&["--site-count", "3", "--out-dir", "whole"]));
    folder.succeed(&with(&["--site-count", "3", "--out-dir", "alone", "--sites", "2"]));
    assert!(of("alone/site_02") == of("whole/site_02"));
    for shard in ["1/2", "2/2"] {
        folder.succeed(&with(&["--site-count", "3", "--out-dir", "shards", "--shard", shard]));
    }
    assert_eq!(said(&folder, &["merge", "shards"]), "3 sites, 18 runs: complete in shards\n");
    assert!(of("shards") == of("whole"));
    // A part whose manifest lists fewer runs is not complete.
    let path = folder.path().join("whole/manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replacen("\"runs\": 6", "\"runs\": 4", 1)).unwrap();
    let refused = folder.refuse(&["merge", "whole"]);
    assert!(refused.contains("site 1 has 4 of 6 runs in `whole`: runs 5-6 are missing"), "{refused}");
}

#[test]
fn an_empty_plan_changes_no_table() {
    let folder = phased("plan.yaml", "schema: 1\n");
    folder.succeed(&["-t", "900", "-n", "3", "--stamp", "261121", "--out-dir", "plain"]);
    folder.succeed(&["-t", "900", "-n", "3", "--stamp", "261121", "--out-dir", "planned", "--plan", "plan.yaml"]);
    let tables = |out: &str| -> BTreeMap<String, Vec<u8>> {
        let all = files_below(&folder.path().join(out)).into_iter();
        all.filter(|(name, _)| !name.contains("manifest") && !name.contains("snapshot")).collect()
    };
    assert_eq!(tables("plain").len(), 3 * 7);
    assert!(tables("plain") == tables("planned"));
    let [plain, planned] = ["plain", "planned"].map(|out| {
        let path = folder.path().join(out).join("snapshots/state_snapshot_20261121_000000_0000003.json");
        serde_json::from_slice::<Value>(&fs::read(path).unwrap()).unwrap()
    });
    assert_eq!(plain["snapshot"]["state"], planned["snapshot"]["state"]);
    assert_eq!((&plain["version"], &planned["version"]), (&1.into(), &4.into()));
    let manifest = checked_manifest(&folder.path().join("planned"));
    assert_eq!(manifest.origin.plan.unwrap().source, "plan.yaml");
    assert!(manifest.runs.iter().all(|run| run.phase.is_none()) && manifest.origin.phase_runs.is_none());
    // It goes on with more runs, as without a plan.
    let more = ["-t", "900", "-n", "4", "--stamp", "261121", "--out-dir", "planned", "--resume", "planned"];
    folder.succeed(&[&more[..], &["--plan", "plan.yaml"]].concat());
}

#[test]
fn a_plan_with_one_phase_is_what_the_flags_say() {
    for (phase, flags) in [
        ("runs: 3, run_until: 900", &["-n", "3", "-t", "900"][..]),
        ("runs: 2, ops: 50", &["-n", "2", "--ops", "50"]),
        ("run_until: 90000, ops: 20", &["-t", "90000", "--ops", "20"]),
    ] {
        let folder = phased("plan.yaml", &format!("schema: 1\nphases: [{{name: all, {phase}}}]\n"));
        folder.succeed(&[&["--stamp", "261121", "--out-dir", "flags", "--bootstrap", "-q"], flags].concat());
        folder.succeed(&["--stamp", "261121", "--out-dir", "phases", "--bootstrap", "-q", "--plan", "plan.yaml"]);
        let tables = |out: &str| -> BTreeMap<String, Vec<u8>> {
            let all = files_below(&folder.path().join(out)).into_iter();
            all.filter(|(name, _)| !name.contains("manifest") && !name.contains("snapshot")).collect()
        };
        assert!(tables("flags") == tables("phases"), "{phase}");
    }
}

#[test]
fn what_flags_and_phases_both_say_is_refused() {
    let folder = phased("plan.yaml", PLAN).with("faulty.yaml", "schema: 1\nphases: [{name: a, runs: 0, ops: 5}]\n");
    let told = folder.refuse(&["--plan", "plan.yaml", "-n", "3", "-t", "500", "--ops", "9", "--until-coverage", "50"]);
    let expected = "exit code 2\n\
        error: the phases of `plan.yaml` say how many runs there are, and --num-runs (-n) does too\n  \
        help: leave the flag out, or take `phases` out of the plan\n\
        error: the phases of `plan.yaml` say how long runs are, and --run-until (-t) does too\n  \
        help: leave the flag out, or take `phases` out of the plan\n\
        error: the phases of `plan.yaml` say how many operations runs have, and --ops does too\n  \
        help: leave the flag out, or take `phases` out of the plan\n\
        error: the phases of `plan.yaml` say what ends them, and --until-coverage does too\n  \
        help: end a phase with `until: {covered: …}`, or take `phases` out of the plan\n";
    assert_eq!(told, expected);
    let told = folder.refuse(&["--plan", "faulty.yaml"]);
    assert!(told.starts_with("exit code 2\n") && told.contains("faulty.yaml:2:"), "{told}");
    let told = folder.refuse(&["--plan", "nowhere.yaml"]);
    assert!(told.contains("cannot read test plan `nowhere.yaml`"), "{told}");
    let long = "schema: 1\nphases: [{name: a, runs: 90, run_until: 86400000000}, {name: b, runs: 11, run_until: 86400000000}]\n";
    let told = phased("plan.yaml", long).refuse(&["--plan", "plan.yaml"]);
    assert!(told.contains("longer together than the 100 days") && told.contains("plan.yaml:2:55"), "{told}");
    let many = "schema: 1\nphases: [{name: a, runs: 9999999, ops: 1}, {name: b, runs: 1, ops: 1}]\n";
    let told = phased("plan.yaml", many).refuse(&["--plan", "plan.yaml"]);
    let expected = "the phases up to this one have 10,000,000 runs together";
    assert!(told.contains(expected) && told.contains("plan.yaml:2:44"), "{told}");
}

#[test]
fn runs_of_another_plan_are_not_gone_on_with() {
    let folder = phased("plan.yaml", PLAN).with("other.yaml", PLAN.replace("ops: 40", "ops: 41"));
    folder.succeed(&with(&[]));
    cut_after(&folder.path().join("out"), 4);
    let told = folder.refuse(&["--plan", "other.yaml", "--seed", "7", "--resume", "out"]);
    assert!(told.contains("`out` holds runs of another campaign: it has another test plan"), "{told}");
    let told = folder.refuse(&["-n", "6", "--seed", "7", "--resume", "out"]);
    assert!(told.contains("it has another test plan"), "{told}");
    let file = "out/snapshots/state_snapshot_20261121_000000_0000004.json";
    let told = folder.refuse(&["--plan", "other.yaml", "--seed", "7", "--resume", file, "--out-dir", "new"]);
    assert!(told.contains("it belongs to another test plan: "), "{told}");
    // The plan itself may have moved.
    fs::rename(folder.path().join("plan.yaml"), folder.path().join("moved.yaml")).unwrap();
    folder.succeed(&["--plan", "moved.yaml", "--seed", "7", "--stamp", "261121", "--resume", "out", "-q"]);
    fs::write(folder.path().join("moved.yaml"), PLAN.replace("ops: 40", "ops: 42")).unwrap();
    let told = folder.refuse(&["replay", "out"]);
    assert!(told.contains("the test plan `moved.yaml` is not what it was when the manifest was written"), "{told}");
}

#[test]
fn summary_dry_run_and_explanation_name_the_phases() {
    let folder = phased("plan.yaml", PLAN);
    let dry = said(&folder, &["--plan", "plan.yaml", "--dry-run"]);
    assert!(dry.contains("; plan `plan.yaml`\n  phase precondition: 2 runs of at most 30000 µs\n"), "{dry}");
    assert!(dry.contains("\n  phase stress: 3 runs of 40 operations\n"), "{dry}");
    let text = said(&folder, &["--plan", "plan.yaml"]);
    let first = text.lines().next().unwrap();
    assert!(first.ends_with("operations/s; plan `plan.yaml`"), "{text}");
    let phases = text.lines().find(|line| line.starts_with("By phase: ")).unwrap();
    assert!(phases.contains(" in 2 runs; stress ") && phases.ends_with(" in 1 run"), "{phases}");
    folder.succeed(&["report", "out", "-q"]);
    let page = fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains(r#"["Phase stress","runs 3-5","1"#), "the page says which runs are of which phase");
    assert!(said(&folder, &["coverage", "report", "out"]).contains(" of "));
    let missed = PLAN.replace("0.2 %", "90 %");
    let output = phased("plan.yaml", &missed).succeed(&["--plan", "plan.yaml"]);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("the limits of the phase `precondition` came before what `until` asks for"), "{warned}");
    let masses = "schema: 1\nphases: [{name: a, ops: 9, probabilities: {global: {ERASE: 0}}}, {name: b, ops: 9}]\n";
    let folder = phased("masses.yaml", masses);
    let told = said(&folder, &["explain", "Block_Erase_SLC", "--plan", "masses.yaml"]);
    assert!(told.contains("Phases of the plan that give it a weight: b; that do not: a.\n"), "{told}");
}

#[test]
fn a_list_of_campaigns_and_the_environment_name_a_plan() {
    let list = "campaigns:\n  - {name: one, out_dir: one, plan: plan.yaml, stamp: 261121, seed: 7}\n";
    let folder = phased("plan.yaml", PLAN).with("list.yaml", list);
    folder.succeed(&["run-list", "list.yaml"]);
    let mut command = folder.command(&["--seed", "7", "--stamp", "261121", "--out-dir", "two", "-q"]);
    assert!(command.env("NANDSEQGEN_PLAN", "plan.yaml").status().unwrap().success());
    assert!(files_below(&folder.path().join("one")) == files_below(&folder.path().join("two")));
}

#[test]
fn operations_of_a_phase_that_are_not_reached_are_said_with_exit_code_4() {
    let made = |phases: &str| {
        let folder = phased("plan.yaml", &format!("schema: 1\nphases: [{phases}]\n"));
        let output = folder.run(&with(&[]));
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = made("{name: a, runs: 2, run_until: 900, ops: 9999}, {name: b, ops: 20}");
    let expected = "phase `a`: 2 of 2 runs have fewer than 9,999 operations: raise its `run_until` in the plan";
    assert!(code == Some(4) && told.contains(expected), "{told}");
    assert!(!told.contains("phase `b`"), "{told}");
    // Beside `until` the operations are a backstop: that it comes first is no more than a warning.
    let (code, told) = made("{name: a, run_until: 900, ops: 9999, until: {erased: 90 %}}");
    assert!(code == Some(0) && told.contains("came before what `until` asks for"), "{told}");
}

#[test]
fn a_scenario_without_an_attempt_says_why() {
    let told = |scenario: &str| {
        let plan = format!("schema: 1\nphases: [{{name: a, run_until: 900}}]\nscenarios: {{one: {{{scenario}}}}}\n");
        String::from_utf8(phased("plan.yaml", &plan).run(&with(&[])).stderr).unwrap()
    };
    let long = told("steps: [e: {op: Block_Erase_SLC}, {base: SR, after: e.end}]");
    let expected = "no attempt began, because its last step comes 7000.11 µs after its first at the earliest, and a run has 900 µs\n";
    assert!(long.contains(expected), "{long}");
    let rare = told("rate: 1, steps: [{base: SR}]");
    assert!(
        rare.contains("no attempt began: with `rate: 1`, the first is due after 1,000 accepted proposals"),
        "{rare}"
    );
}

#[test]
fn dies_that_are_dead_in_one_phase_alone_are_said_of_it() {
    let dead = "{name: dead, run_until: 90000, probabilities: {global: {READ: 1}}}";
    let folder = phased("plan.yaml", &format!("schema: 1\nphases: [{dead}, {{name: alive, run_until: 900}}]\n"));
    let output = folder.run(&with(&[]));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("phase `dead`: nothing can ever start again on any die; nothing ever did"), "{told}");
    assert!(!told.contains("0 of 2 dies") && !told.contains("phase `alive`"), "{told}");
    assert!(checked_manifest(&folder.path().join("out")).runs[1].operations > 0);
}

#[test]
fn shares_of_what_starts_are_steered_the_same_in_every_way_and_told() {
    let plan = "schema: 1
mix: {SR: 40 %}
phases:
  - {name: status, runs: 2, ops: 2000}
  - {name: reads, runs: 4, ops: 300, mix: {READ: 10 %, ERASE: 2 %, NOP: 5 %}}
";
    let folder = phased("plan.yaml", plan);
    the_same_in_every_way(&folder, &["--verify"]);
    let made = &with(&["--site-count", "2", "--out-dir", "batch", "--summary", "json"]);
    let summary: Value = serde_json::from_str(&said(&folder, made)).unwrap();
    let shares = summary["shares"].as_array().unwrap();
    let named: Vec<_> = shares.iter().map(|share| (share["phase"].as_str(), share["name"].as_str().unwrap())).collect();
    let reads = Some("reads");
    assert_eq!(named, [(Some("status"), "SR"), (reads, "READ"), (reads, "ERASE"), (reads, "NOP")]);
    let status = &shares[0];
    assert!((status["wanted"].as_f64(), status["sites"].as_u64()) == (Some(40.0), Some(2)), "{status}");
    assert!((25.0..50.0).contains(&status["reached"].as_f64().unwrap()), "{status}");
    assert!((shares[3]["missed"].as_u64(), &shares[3]["reason"]) == (Some(2), &"no_weight".into()), "{}", shares[3]);
    let warnings = summary["warnings"].to_string();
    let expected = "at 2 sites, the share of `NOP` in the phase `reads` was missed: 0.0 % instead of 5 % on average; \
        no phase key gives its operations a weight";
    assert!(warnings.contains(expected), "{warnings}");
}
