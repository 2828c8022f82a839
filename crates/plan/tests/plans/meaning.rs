//! Tests of what a plan says, resolved against the built-in device.

use nandseq_plan::model::{
    AddressLimits, AddressPart, ExpectedWord, NumberRanges, PhaseUntil, PlaceRelation, ScenarioAxis, StepMoment,
    StepPlace, StepTime,
};
use nandseq_plan::places::PlanPlaces;
use nandseq_profile::diagnostic::Styling;
use nandseq_profile::model::{OverrideOf, PhaseKind};
use nandseq_profile::{BaseId, OpId, ReadOptions, SourceFile, Ticks, builtin};

use crate::good;

const GOOD: &str = include_str!("../../testdata/good.yaml");

/// The names of the bases of some operations, each once.
fn bases(ops: &[OpId]) -> Vec<String> {
    let device = builtin::profile();
    let mut names: Vec<String> = ops.iter().map(|&op| device.bases[device.ops[op].base].name.clone()).collect();
    names.dedup();
    names.sort();
    names.dedup();
    names
}

#[test]
fn an_empty_plan_says_nothing() {
    assert_eq!(good("schema: 1\n"), nandseq_plan::TestPlan::default());
}

#[test]
fn phases_have_their_runs_and_limits_and_what_they_name() {
    let plan = good(GOOD);
    let [precondition, stress, back, end] = plan.phases.as_slice() else { panic!("{:?}", plan.phases) };
    assert_eq!((precondition.runs, precondition.until), (1, Some(PhaseUntil::Programmed(500_000))));
    assert_eq!((&precondition.addresses, &precondition.scenarios), (&vec![0], &vec![]));
    assert_eq!((stress.runs, stress.run_until, stress.ops), (20, Some(Ticks::from_us(100_000)), None));
    assert_eq!((&stress.addresses, &stress.scenarios), (&vec![0, 1], &vec![0]));
    assert_eq!((back.name.as_str(), back.runs, back.ops), ("read back", 1, Some(20_000)));
    // What a phase does not state is what the plan states.
    assert_eq!((&back.mix, &back.addresses, &back.scenarios), (&plan.mix, &vec![0, 1], &vec![0, 1]));
    assert_eq!(end.until, Some(PhaseUntil::ScenariosDone));
    assert!(end.mix.is_empty());
}

#[test]
fn the_masses_of_a_phase_are_those_of_a_profile() {
    let device = builtin::profile();
    let plan = good(GOOD);
    let names: Vec<(&str, f64)> = plan.phases[2]
        .global
        .iter()
        .map(|(of, mass)| match of {
            OverrideOf::Base(base) => (&*device.bases[*base].name, *mass),
            OverrideOf::Op(op) => (&*device.ops[*op].name, *mass),
        })
        .collect();
    assert_eq!(names, [("READ", 0.9), ("Block_Erase_SLC", 0.0)]);
    let of_base = |name: &str| {
        let masses = plan.phases[2].by_key.iter().find(|(key, _)| device.phase_keys[*key].name == name);
        masses.map(|(_, masses)| masses[0].1)
    };
    // A base has precedence over its class.
    assert_eq!((of_base("READ.CORE_BUSY"), of_base("READ4K.CORE_BUSY")), (Some(0.02), Some(0.01)));
    assert_eq!(of_base("ERASE.CORE_BUSY"), None);
}

#[test]
fn a_more_specific_share_takes_its_operations_out_of_the_others() {
    let plan = good("schema: 1\nmix: {\"*\": 10 %, page_read: 20 %, READ: 30 %, Read_SLC: 5.5 %}\n");
    let device = builtin::profile();
    let one = device.ops.iter_ids().find(|(_, op)| op.name == "Read_SLC").unwrap().0;
    let [any, class, base, op] = plan.mix.as_slice() else { panic!("{:?}", plan.mix) };
    assert_eq!((op.ops.as_slice(), op.share), (&[one][..], 55_000));
    assert_eq!(bases(&base.ops), ["READ"]);
    assert!(!base.ops.contains(&one));
    assert!(bases(&class.ops).contains(&"PLANE_READ".to_owned()) && !bases(&class.ops).contains(&"READ".to_owned()));
    let all: usize = plan.mix.iter().map(|share| share.ops.len()).sum();
    assert_eq!(all, device.ops.len());
    assert_eq!(any.share, 100_000);
}

#[test]
fn regions_and_limits_are_numbers_of_the_device() {
    let plan = good(GOOD);
    let [fill, victim] = plan.addresses.as_slice() else { panic!("{:?}", plan.addresses) };
    assert_eq!(fill.regions[0].blocks, NumberRanges(vec![0..=99, 200..=202]));
    assert_eq!(fill.regions[0].weight, 1);
    assert_eq!(fill.limits, AddressLimits::default());
    let [page, planes] = victim.regions.as_slice() else { panic!("{:?}", victim.regions) };
    assert_eq!((&page.dies.0, &page.pages.0, page.weight), (&vec![0..=0], &vec![0..=15], 8));
    assert_eq!((page.blocks_of_die(4), planes.blocks_of_die(4)), (1, 510));
    assert_eq!(victim.limits.reads_per_page, Some(1000));
}

#[test]
fn steps_say_which_operations_when_and_where() {
    let plan = good(GOOD);
    let [early, neighbours] = plan.scenarios.as_slice() else { panic!("{:?}", plan.scenarios) };
    assert_eq!((early.hits, early.rate, early.others_between), (100, Some(5), true));
    assert_eq!(early.each, [ScenarioAxis::CellType]);
    let [program, suspend, read, _, resume, status] = early.steps.as_slice() else { panic!("{:?}", early.steps) };
    assert!(bases(&program.ops).contains(&"CACHE_PROGRAM_SLC".to_owned()));
    assert!(bases(&program.ops).contains(&"ONESHOT_PROGRAM_EXEC_MSB".to_owned()));
    assert!(!bases(&program.ops).contains(&"ONESHOT_PROGRAM_LSB".to_owned()));
    assert_eq!(bases(&read.ops), ["PLANE_CACHE_READ", "PLANE_READ", "PLANE_READ4K"]);
    assert_eq!(suspend.when, StepTime::During { step: 0, phase: PhaseKind::CoreBusy, at: (0, 100_000) });
    let within = (Ticks::ZERO, Some(Ticks::from_us(5)));
    assert_eq!(read.when, StepTime::After { step: 1, moment: StepMoment::End, within });
    assert_eq!(read.places, [StepPlace { part: AddressPart::Plane, relation: PlaceRelation::OtherThan(0) }]);
    let within = (Ticks::from_us(10), Some(Ticks::from_us(200)));
    assert_eq!(resume.when, StepTime::After { step: 2, moment: StepMoment::End, within });
    assert_eq!(status.expect, Some(ExpectedWord::Busy));
    assert_eq!(neighbours.each, [ScenarioAxis::Die, ScenarioAxis::Plane, ScenarioAxis::Op(0)]);
    assert_eq!((neighbours.hits, neighbours.rate, neighbours.others_between), (1, None, false));
    assert_eq!(neighbours.steps[1].repeat, 3);
    let moment = StepMoment::PhaseEnd(PhaseKind::CoreBusy);
    assert_eq!(neighbours.steps[1].when, StepTime::After { step: 0, moment, within: (Ticks::from_us(10), None) });
    assert_eq!(neighbours.steps[2].places.len(), 2);
}

#[test]
fn the_example_is_a_good_plan_with_all_sections() {
    let plan = good(nandseq_plan::EXAMPLE);
    assert!(!plan.mix.is_empty() && !plan.addresses.is_empty() && !plan.scenarios.is_empty());
    assert_eq!(plan.phases.len(), 3);
}

/// The predecessor's profile has no classes. It is outside the repository.
#[test]
fn the_example_is_good_for_the_predecessors_device_too() {
    let name = "config-2025-09.yaml";
    let path = format!("{}/../../../shared/legacy/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {name} is not there");
        return;
    };
    let device = nandseq_profile::read(&SourceFile::new(name, text), ReadOptions { lenient: true }).0.unwrap();
    let source = SourceFile::new("plan.yaml", nandseq_plan::EXAMPLE);
    let (plan, diagnostics) = nandseq_plan::read(&source, &device, &[]);
    assert!(plan.is_some() && diagnostics.is_empty(), "{}", diagnostics.render(&source, Styling::Plain));
}

#[test]
fn standard_classes_go_by_behaviour_and_come_after_the_classes_of_the_profile() {
    let device = builtin::profile();
    let source = |class: &str| {
        SourceFile::new("plan.yaml", format!("schema: 1\nscenarios: {{s: {{steps: [{{class: {class}}}]}}}}\n"))
    };
    let bases_of = |class: &str, of_profile: &[(String, Vec<BaseId>)]| {
        let plan = nandseq_plan::read(&source(class), &device, of_profile).0;
        bases(&plan.unwrap_or_else(|| panic!("{class}")).scenarios[0].steps[0].ops)
    };
    for (class, expected) in [
        ("erase", &["ERASE"][..]),
        ("plane_read", &["PLANE_CACHE_READ", "PLANE_READ", "PLANE_READ4K"]),
        ("cache_read", &["CACHE_READ", "PLANE_CACHE_READ"]),
        ("data_output", &["DOUT", "DOUT4K"]),
        ("status_read", &["SR", "SR_ADD"]),
        ("suspend", &["ERASE_SUSPEND", "PROGRAM_SUSPEND"]),
        ("resume", &["ERASE_RESUME", "PROGRAM_RESUME"]),
        ("reset", &["RESET", "RESET_LUN"]),
    ] {
        assert_eq!(bases_of(class, &[]), expected, "{class}");
    }
    for (class, _) in nandseq_plan::STANDARD_CLASSES {
        assert!(!bases_of(class, &[]).is_empty());
    }
    let nop = device.bases.iter_ids().find(|(_, base)| base.name == "NOP").unwrap().0;
    assert_eq!(bases_of("erase", &[("erase".to_owned(), vec![nop])]), ["NOP"]);
}

#[test]
fn entries_and_steps_are_found_where_they_stand() {
    let places = PlanPlaces::new(&SourceFile::new("good.yaml", GOOD));
    let line = |text: &str| GOOD.lines().position(|line| line.contains(text)).unwrap() + 1;
    assert_eq!(places.entry("addresses", "victim").unwrap().line, line("  victim:"));
    assert_eq!(places.step("early_suspend", 2).unwrap().line, line("- r: {class: plane_read"));
    assert_eq!(places.phase(1).unwrap().line, line("name: stress"));
    assert_eq!((places.step("early_suspend", 6), places.step("other", 0), places.phase(4)), (None, None, None));
}
