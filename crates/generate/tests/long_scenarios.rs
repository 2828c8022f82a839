//! Random scenarios on varied devices: nothing breaks a rule, every hit is in the rows, everything ends. And the scenario of the
//! specification, a hundred times for each cell type.

#[path = "support/legacy.rs"]
mod legacy;
#[path = "support/matcher.rs"]
mod matcher;
#[path = "support/mod.rs"]
mod support;

use matcher::{Matcher, Rows, plan, plan_for, rows, setup, until_done};
use nandseq_generate::{RandomNumbers, RunLimits, Setup, Site, TableStream, probability};
use nandseq_plan::TestPlan;
use nandseq_plan::model::{
    AddressPart, NumberRanges, PlaceRelation, Scenario, ScenarioAxis, ScenarioStep, StepMoment, StepPlace, StepTime,
    WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId, Profile, SourceFile, Ticks, builtin};

struct Dice(TableStream);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound.max(1))
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn random_step(profile: &Profile, dice: &mut Dice, at: usize) -> ScenarioStep {
    let ops = loop {
        let base = BaseId::from(dice.below(profile.bases.len() as u64) as usize);
        let ops: Vec<OpId> = profile.ops.ids().filter(|&op| profile.ops[op].base == base).collect();
        if !ops.is_empty() {
            break ops;
        }
    };
    let earlier = |dice: &mut Dice| dice.below(at as u64) as usize;
    let when = match dice.below(4) {
        0 if at > 0 => {
            let from = dice.below(10) as u32 * 100_000;
            let to = from + 100_000 * (1 + dice.below(u64::from((WHOLE - from) / 100_000)) as u32);
            let phase = dice.pick(&[PhaseKind::CoreBusy, PhaseKind::CoreBusy, PhaseKind::DataOut, PhaseKind::Issue]);
            StepTime::During { step: earlier(dice), phase, at: (from, to.min(WHOLE)) }
        }
        1 if at > 0 => {
            let moment = dice.pick(&[StepMoment::Start, StepMoment::End, StepMoment::PhaseEnd(PhaseKind::CoreBusy)]);
            let least = Ticks::from_us(dice.below(50));
            let most = Some(Ticks(least.0 + 1_000_000 * dice.below(300))).filter(|_| dice.below(4) > 0);
            StepTime::After { step: earlier(dice), moment, within: (least, most) }
        }
        _ => StepTime::Next,
    };
    let mut places = Vec::new();
    if at > 0 && dice.below(2) == 0 {
        let part = dice.pick(&[AddressPart::Die, AddressPart::Plane, AddressPart::Block, AddressPart::Page]);
        let step = earlier(dice);
        let relation = match dice.below(4) {
            0 => PlaceRelation::SameAs(step),
            1 => PlaceRelation::OtherThan(step),
            2 if matches!(part, AddressPart::Block | AddressPart::Page) => PlaceRelation::NextTo(step),
            _ => PlaceRelation::In(NumberRanges(vec![0..=dice.below(4) as u32])),
        };
        places.push(StepPlace { part, relation });
    }
    let repeat = if dice.below(4) == 0 { 1 + dice.below(4) as u32 } else { 1 };
    ScenarioStep { label: None, ops, when, places, repeat, expect: None }
}

fn random_plan(profile: &Profile, number: u64) -> TestPlan {
    let mut dice = Dice(TableStream::new([0x7363_656e, 0], number));
    let scenario = |dice: &mut Dice, at: u64| {
        let length = 1 + dice.below(4) as usize;
        let each = [ScenarioAxis::CellType, ScenarioAxis::Die, ScenarioAxis::Plane];
        Scenario {
            name: format!("scenario {at}"),
            each: each.into_iter().filter(|_| dice.below(4) == 0).collect(),
            hits: 1 + dice.below(6) as u32,
            rate: Some(1 + dice.below(100) as u32).filter(|_| dice.below(4) == 0),
            others_between: dice.below(2) == 0,
            steps: (0..length).map(|at| random_step(profile, dice, at)).collect(),
        }
    };
    let count = 1 + dice.below(3);
    TestPlan { scenarios: (0..count).map(|at| scenario(&mut dice, at)).collect(), ..TestPlan::default() }
}

#[test]
fn random_scenarios_break_no_rule_on_some_devices() {
    random_scenarios_break_no_rule(30, 1_500);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_scenarios -- --ignored"]
fn random_scenarios_break_no_rule_on_any_device() {
    random_scenarios_break_no_rule(60, 4_000);
}

fn random_scenarios_break_no_rule(devices: u64, most: u64) {
    let builtin = builtin::profile();
    let (mut hits, mut tried) = (0, 0);
    for number in 0..devices {
        let profile = if number % 4 == 0 { builtin.clone() } else { support::vary(&builtin, number) };
        let plan = random_plan(&profile, number);
        let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
        let Ok(setup) = Setup::new(&profile, &table, &[]) else { continue };
        let setup = setup.with_scenarios(&plan.scenarios).expect("few values");
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
        for (scenario, reached) in plan.scenarios.iter().zip(site.scenarios()) {
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
    let Some(profile) = legacy::legacy(name) else { return };
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/legacy").join(name);
    let text = std::fs::read_to_string(path).expect("it was read before");
    let plan = plan_for(&profile, &SourceFile::new(name, &text), &early_suspend(100, "0-3"));
    assert_all_hits(&profile, &plan, 4_000_000_000);
}
