//! What `nandseq_reach::impossible_steps` calls impossible never happens.
//!
//! Scenarios come from sequences of varied devices: a few operations that were there, with conditions that held. Others are drawn at random
//! and brought about by the generator. The reader of written sequences says which of them happened. Of those the analysis says nothing.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod cut;
mod drawn;
mod never;
#[path = "../../../generate/tests/support/vary.rs"]
mod vary;
mod written;

use std::ops::Range;

use nandseq_plan::TestPlan;
use nandseq_plan::model::{AddressEntry, Scenario, StepTime, WHOLE};
use nandseq_profile::{Profile, ReadOptions, SourceFile, builtin};
use nandseq_reach::{ImpossibleStep, Start, impossible_steps};

use crate::written::Written;

/// The devices that are varied: the built-in one, and the small one of the rulebook, which has few chains.
fn devices() -> [Profile; 2] {
    let text = include_str!("../../../../rulebook/device.yaml");
    let (small, _) = nandseq_profile::read(&SourceFile::new("device.yaml", text), ReadOptions { lenient: false });
    [builtin::profile(), small.unwrap()]
}

/// A plan of some scenarios.
fn plan(scenarios: Vec<Scenario>, addresses: Vec<AddressEntry>) -> TestPlan {
    TestPlan { scenarios, addresses, ..TestPlan::default() }
}

/// How many scenarios happened, and how many of the others were called impossible.
#[derive(Clone, Copy, Default, Debug)]
struct Outcome {
    happened: usize,
    impossible: usize,
}

/// Checks that nothing that happened was called impossible.
fn check(profile: &Profile, plan: &TestPlan, written: &Written, all: &mut Outcome) {
    let found: Vec<ImpossibleStep> = impossible_steps(profile, plan, Start::default());
    let counts = written.matches(profile, plan);
    // Nothing happened before the end of a phase where that is all that is said.
    let before_end = found.iter().filter(|step| step.but_at_end).map(|step| {
        let mut scenario = plan.scenarios[step.scenario].clone();
        if let StepTime::During { at, .. } = &mut scenario.steps[step.step].when {
            at.1 = WHOLE - 1;
        }
        scenario
    });
    let before_end = self::plan(before_end.collect(), Vec::new());
    let early = written.matches(profile, &before_end).into_iter().position(|count| count > 0);
    assert_eq!(early.map(|at| &before_end.scenarios[at]), None, "{found:#?}");
    for (at, scenario) in plan.scenarios.iter().enumerate() {
        let step = found.iter().find(|step| step.scenario == at && !step.but_at_end);
        all.happened += usize::from(counts[at] > 0);
        all.impossible += usize::from(step.is_some());
        if let Some(step) = step.filter(|_| counts[at] > 0) {
            let names =
                scenario.steps.iter().map(|step| step.ops.iter().map(|op| &*profile.ops[*op].name).collect::<Vec<_>>());
            panic!(
                "{} matches on {}, and {step:#?}\n{:?}\n{scenario:#?}",
                counts[at],
                profile.name,
                names.collect::<Vec<_>>()
            );
        }
    }
}

/// Checks scenarios that were cut out of what was written, on these variations of each device.
fn what_was_written_is_possible(variations: Range<u64>, scenarios: usize) -> Outcome {
    let mut all = Outcome::default();
    for number in variations {
        for device in devices() {
            let profile = vary::vary(&device, number);
            let Some(written) = Written::new(&profile, number, &TestPlan::default()) else { continue };
            let cut = cut::scenarios(&profile, &written, number, scenarios);
            check(&profile, &plan(cut, Vec::new()), &written, &mut all);
        }
    }
    all
}

/// Checks scenarios that were drawn, on these variations of each device.
fn what_was_reached_is_possible(variations: Range<u64>) -> Outcome {
    let mut all = Outcome::default();
    for number in variations {
        for device in devices() {
            let profile = vary::vary(&device, number);
            let plan = drawn::plan(&profile, number);
            let Some(written) = Written::new(&profile, number, &plan) else { continue };
            check(&profile, &plan, &written, &mut all);
        }
    }
    all
}

/// Checks what starts in runs of plans, on these variations of each device.
fn what_started_can_start(variations: Range<u64>) -> never::Tried {
    let mut tried = never::Tried::default();
    for number in variations {
        devices().iter().for_each(|device| never::check(&vary::vary(device, number), number, &mut tried));
    }
    tried
}

#[test]
fn what_was_written_is_possible_on_some_devices() {
    let all = what_was_written_is_possible(0..10, 40);
    assert!(all.happened > 300, "{all:?}");
}

#[test]
fn what_was_reached_is_possible_on_some_devices() {
    let all = what_was_reached_is_possible(0..16);
    assert!(all.happened > 10 && all.impossible > 20, "{all:?}");
}

#[test]
fn what_started_in_runs_of_plans_can_start_by_weights_scenarios_and_regions() {
    let tried = what_started_can_start(0..12);
    assert!(tried.plans > 20 && tried.started > 400, "{tried:?}");
    assert!(tried.weightless > 100 && tried.unserved > 500 && tried.impossible > 1_000, "{tried:?}");
}

/// The variations of the long tests. `NANDSEQGEN_DEVICES=FROM..TO` chooses some of them, so that they can be carried out in parts.
fn part_of(all: Range<u64>) -> Range<u64> {
    let Ok(part) = std::env::var("NANDSEQGEN_DEVICES") else { return all };
    let ends = part.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    let part: Range<u64> = ends.expect("NANDSEQGEN_DEVICES is FROM..TO");
    part.start.min(all.end)..part.end.min(all.end)
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-report --test possible -- --ignored"]
#[expect(clippy::print_stdout, reason = "what a part has tried is to be seen")]
fn what_was_written_is_possible_on_any_device() {
    let part = part_of(0..400);
    let (all, variations) = (what_was_written_is_possible(part.clone(), 200), (part.end - part.start) as usize);
    println!("{part:?}: {all:?}");
    assert!(all.happened >= 100 * variations, "{all:?}");
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-report --test possible -- --ignored"]
#[expect(clippy::print_stdout, reason = "what a part has tried is to be seen")]
fn what_was_reached_is_possible_on_any_device() {
    let part = part_of(0..600);
    let (all, variations) = (what_was_reached_is_possible(part.clone()), (part.end - part.start) as usize);
    println!("{part:?}: {all:?}");
    assert!(6 * all.happened >= 5 * variations, "{all:?}");
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-report --test possible -- --ignored"]
#[expect(clippy::print_stdout, reason = "what a part has tried is to be seen")]
fn what_started_in_runs_of_plans_can_start_on_any_device() {
    let part = part_of(0..400);
    let tried = what_started_can_start(part.clone());
    println!("{part:?}: {tried:?}");
    assert!(tried.plans as u64 >= part.end - part.start, "{tried:?}");
}
