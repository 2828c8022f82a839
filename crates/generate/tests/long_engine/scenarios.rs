//! Random scenarios on varied devices: nothing breaks a rule, every hit is in the rows, everything ends. And the scenario of the
//! specification, a hundred times for each cell type.

use crate::legacy::legacy;
use crate::matcher::{Matcher, Rows, plan, plan_for, rows, setup, until_done};
use crate::random_plans::random_scenarios;
use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_plan::TestPlan;
use nandseq_profile::{Profile, SourceFile, builtin};

#[test]
fn random_scenarios_break_no_rule_on_some_devices() {
    random_scenarios_break_no_rule(30, 1_500);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored scenarios::"]
fn random_scenarios_break_no_rule_on_any_device() {
    random_scenarios_break_no_rule(60, 4_000);
}

fn random_scenarios_break_no_rule(devices: u64, most: u64) {
    let builtin = builtin::profile();
    let (mut hits, mut tried) = (0, 0);
    for number in 0..devices {
        let profile = if number % 4 == 0 { builtin.clone() } else { vary(&builtin, number) };
        let scenarios = random_scenarios(&profile, number);
        let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
        let Ok(setup) = Setup::new(&profile, &table, &[]) else { continue };
        let setup = setup.with_scenarios(&scenarios).expect("few values");
        let mut site = Site::new(&setup, number);
        let mut sink = Rows::new(&profile);
        for run in 0..2 {
            let until = until_done(30_000);
            let limits = RunLimits {
                max_ops: Some(most),
                of_phase: (run, 2),
                until: until.until.filter(|_| number % 3 == 0),
                ..until
            };
            site.run(&limits, &mut sink).expect("memory does not fail");
            sink.end_run();
        }
        let rows = sink.judged();
        for (scenario, reached) in scenarios.iter().zip(site.scenarios()) {
            let own: u64 = reached.values.iter().map(|value| value.hits).sum();
            tried += 1;
            hits += u64::from(own > 0);
            let matches = Matcher { profile: &profile, scenario, rows: &rows }.matches().len() as u64;
            assert!(matches >= own, "device {number}, {}: {matches} matches, {own} hits: {scenario:?}", scenario.name);
        }
    }
    assert!(hits > tried / 10, "{hits} of {tried} scenarios came");
}

/// The scenario of the specification.
fn early_suspend(hits: u32, blocks: &str) -> String {
    format!(
        "
scenarios:
  early_suspend:
    each: celltype
    hits: {hits}
    steps:
      - p: {{class: array_program, blocks: {blocks}}}
      - s: {{base: PROGRAM_SUSPEND, in: p.CORE_BUSY, at: 0-10 %}}
      - r: {{class: plane_read, after: s.end, within: 5, plane: other than p}}
      - {{base: DOUT}}
      - {{base: PROGRAM_RESUME, after: r.end, within: 10-200}}
      - {{base: SR, in: p.CORE_BUSY, expect: busy}}
"
    )
}

fn assert_all_hits(profile: &Profile, plan: &TestPlan, us: u64) {
    let setup = setup(profile, plan);
    let mut site = Site::new(&setup, 1);
    let rows = rows(profile, &mut site, &until_done(us), 1);
    let reached = &site.scenarios()[0];
    for value in &reached.values {
        assert_eq!(value.hits, reached.wanted, "{value:?}");
    }
    let matches = Matcher { profile, scenario: &plan.scenarios[0], rows: &rows }.matches().len() as u64;
    assert!(matches >= reached.wanted * reached.values.len() as u64, "{matches} matches");
}

#[test]
fn a_hundred_early_suspends_come_for_each_cell_type() {
    let profile = builtin::profile();
    assert_all_hits(&profile, &plan(&early_suspend(100, "0-31")), 100_000_000);
}

#[test]
fn a_hundred_early_suspends_come_on_the_predecessors_device() {
    let name = "config-2025-09.yaml";
    let Some(profile) = legacy(name) else { return };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/legacy").join(name);
    let text = std::fs::read_to_string(path).expect("it was read before");
    let plan = plan_for(&profile, &SourceFile::new(name, &text), &early_suspend(100, "0-3"));
    assert_all_hits(&profile, &plan, 4_000_000_000);
}
