//! Generated sequences, judged by the independent verifier: real profiles and varied ones, many seeds, several runs. Each test has as many
//! operations as a suite of minutes allows; `scripts/soak` judges as many as anybody asks for.

use std::io;

use crate::adversaries::{COUNT, adversary};
use crate::legacy::legacy;
use crate::random_plans::random_phases;
use crate::vary::vary;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Block, Die, Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use nandseq_verify::{RuleCode, Verifier};

/// Counts operations on their way to the judge.
struct Judge<'p> {
    verifier: Verifier<'p>,
}

impl Sink for Judge<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        self.verifier.operation(operation);
        Ok(())
    }
}

/// Generates `runs` of `run_us` from a profile and returns how many operations the judge found clean.
fn clean_operations(profile: &Profile, seed: u64, runs: u64, run_us: u64, bad: &[(Die, Block)]) -> u64 {
    let table = probability::of_profile(profile, seed);
    let Ok(setup) = Setup::new(profile, &table, bad) else { return 0 };
    let mut site = Site::new(&setup, seed);
    let mut judge = Judge { verifier: Verifier::new(profile, bad) };
    for _ in 0..runs {
        let limits = RunLimits { run_until: Ticks::from_us(run_us), max_ops: Some(60_000), ..RunLimits::default() };
        if let Err(error) = site.run(&limits, &mut judge) {
            panic!("{} with seed {seed}: {error}", profile.name);
        }
        judge.verifier.end_of_file();
    }
    assert_clean(&judge.verifier, profile, seed);
    judge.verifier.operations()
}

fn assert_clean(verifier: &Verifier<'_>, profile: &Profile, seed: u64) {
    if verifier.is_clean() {
        return;
    }
    let counts: Vec<_> = RuleCode::ALL.into_iter().map(|rule| (rule, verifier.counts(rule))).collect();
    let broken: Vec<_> = counts.iter().filter(|(_, counts)| counts.findings > 0).collect();
    let first: Vec<_> = verifier.findings().iter().take(3).collect();
    panic!("{} with seed {seed} breaks {broken:?}\nfirst: {first:#?}", profile.name);
}

#[test]
fn the_built_in_device_breaks_no_rule_over_many_seeds() {
    let profile = builtin::profile();
    let operations: u64 = (0..14).map(|seed| clean_operations(&profile, seed, 4, 8_000_000, &[])).sum();
    assert!(operations > 1_200_000, "only {operations} operations");
}

#[test]
fn the_predecessors_configuration_breaks_no_rule_over_many_seeds() {
    for file in ["config-2025-09.yaml", "config-2025-10.yaml"] {
        let Some(profile) = legacy(file) else { continue };
        let operations: u64 = (0..24).map(|seed| clean_operations(&profile, seed, 5, 500_000, &[])).sum();
        assert!(operations > 20_000, "only {operations} operations of {file}");
    }
}

#[test]
fn varied_devices_break_no_rule() {
    let mut bases = vec![builtin::profile()];
    bases.extend(legacy("config-2025-09.yaml"));
    let mut operations = 0;
    for number in 0..90 {
        let profile = vary(&bases[number as usize % bases.len()], number);
        let bad_count = (number as u32 % 3).min(profile.topology.blocks_per_die - 1);
        let bad: Vec<(Die, Block)> = (0..bad_count).map(|at| (Die(0), Block(at))).collect();
        operations += clean_operations(&profile, number, 3, 800_000, &bad);
    }
    assert!(operations > 700_000, "only {operations} operations");
}

#[test]
fn adversaries_break_no_rule() {
    let device = builtin::profile();
    let operations: u64 =
        (0..2 * COUNT).map(|number| clean_operations(&adversary(&device, number), number, 2, 400_000, &[])).sum();
    assert!(operations > 50_000, "only {operations} operations");
}

#[test]
fn varied_plans_on_varied_devices_break_no_rule() {
    let builtin = builtin::profile();
    let mut operations = 0;
    for number in 0..16 {
        let profile = vary(&builtin, number);
        let table = probability::of_profile(&profile, number);
        let Ok(setup) = Setup::new(&profile, &table, &[]) else { continue };
        let phases = random_phases(&setup, &profile, number);
        let (mut judge, mut site) = (Judge { verifier: Verifier::new(&profile, &[]) }, Site::new(&phases[0], number));
        for phase in &phases {
            site.enter(phase);
            let limits = RunLimits { run_until: Ticks::from_us(200_000), max_ops: Some(600), ..RunLimits::default() };
            site.run(&limits, &mut judge).expect("memory does not fail");
            judge.verifier.end_of_file();
        }
        assert_clean(&judge.verifier, &profile, number);
        operations += judge.verifier.operations();
    }
    assert!(operations > 8_000, "only {operations} operations");
}
