//! Long runs propose the pairs of phase key and op name that are called reachable, and no others.

use crate::adversaries::{self, adversary};
use crate::coverage_of_table::Coverage;
use crate::legacy::legacy;
use crate::vary::vary;
use nandseq_generate::probability::{self, DEFAULT_TABLE_SEED, Distributions};
use nandseq_generate::{RandomNumbers, TableStream};
use nandseq_profile::model::Effect;
use nandseq_profile::{BaseId, OpId, PhaseKey, Profile, builtin};
use nandseq_reach::{MOST_TRIED, Start, Verdict, can_start, never_provided};

#[test]
fn a_run_of_the_built_in_device_proposes_nothing_that_is_called_unreachable() {
    let profile = builtin::profile();
    let coverage = Coverage::of_run(&profile, DEFAULT_TABLE_SEED, 5, 200_000);
    assert_eq!(coverage.wrong(), []);
    let reachable = coverage.with(|verdict| verdict == Verdict::Reachable);
    let missed = coverage.rare(1).len();
    // More than a third of the pairs, in a fiftieth of the operations that it takes to see all.
    assert!(reachable > 5_900 && missed * 3 < reachable * 2, "{missed} of {reachable} pairs were not proposed");
}

/// What a run proposes although it is called unreachable, by name.
fn wrong(profile: &Profile, seed: u64, operations: u64) -> Vec<String> {
    let coverage = Coverage::of_run(profile, DEFAULT_TABLE_SEED, seed, operations);
    assert!(
        coverage.hits.operations > 0 || coverage.with(|verdict| verdict == Verdict::Reachable) == 0,
        "{}",
        profile.name
    );
    let name = |(key, op, count): (PhaseKey, OpId, u64)| {
        format!("{}: {} under {}, {count} times", profile.name, profile.ops[op].name, profile.phase_keys[key].name)
    };
    coverage.wrong().into_iter().map(name).collect()
}

#[test]
fn other_devices_propose_nothing_that_is_called_unreachable() {
    let device = builtin::profile();
    let varied = (0..6).map(|number| vary(&device, number));
    let adverse = (0..adversaries::COUNT).map(|number| adversary(&device, number));
    let found: Vec<String> = varied.chain(adverse).flat_map(|profile| wrong(&profile, 3, 5_000)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored coverage::many_varied_devices_propose_nothing_that_is_called_unreachable"]
fn many_varied_devices_propose_nothing_that_is_called_unreachable() {
    let device = builtin::profile();
    let found: Vec<String> = (0..400).flat_map(|number| wrong(&vary(&device, number), 4, 20_000)).collect();
    assert_eq!(found, [""; 0]);
}

/// Takes their mass from many names under many phase keys of a table, so that little is left to begin with.
fn take_masses(profile: &Profile, table: &mut Distributions, number: u64) {
    let mut stream = TableStream::new([0x7a65_726f, 0], number);
    let mut below = |count: u64| stream.below(count);
    // Of a hundred names, these many keep their mass: under DEFAULT, and under each other phase key.
    let (first, others) = ([2, 5, 20, 60][below(4) as usize], [0, 2, 10, 40][below(4) as usize]);
    let kept = BaseId::from(below(profile.bases.len() as u64) as usize);
    for (key, entries) in table {
        let share = if *key == PhaseKey::DEFAULT { first } else { others };
        for (op, mass) in entries {
            let base = profile.ops[*op].base;
            let erases = number.is_multiple_of(2) && profile.bases[base].has(Effect::Erase) && below(3) == 0;
            if below(100) >= share && base != kept && !erases {
                *mass = 0.0;
            }
        }
    }
}

/// What starts on a device whose names lost their masses under many phase keys although it is said never to, by name; and how
/// many names with a mass are said never to start.
fn wrong_without_masses(profile: &Profile, number: u64, operations: u64) -> (Vec<String>, usize) {
    let mut table = probability::of_profile(profile, DEFAULT_TABLE_SEED);
    take_masses(profile, &mut table, number);
    // A table often gives weights under phase keys that only the bootstrap brings up.
    let bootstrap = number % 4 == 3;
    let coverage = Coverage::of_start(profile, &table, (7, bootstrap), operations);
    let ops: Vec<OpId> = profile.ops.ids().collect();
    let start = Start { bootstrap, ..Start::default() };
    let provided = never_provided(profile, &table, start);
    // Searches of parts of the states, and of all.
    let searched = [1, MOST_TRIED].map(|most| can_start(profile, &table, start, &ops, most));
    let is_never = |op: OpId| {
        let says_so = |verdicts: &Vec<Verdict>| matches!(verdicts[op.index()], Verdict::Unreachable(_));
        provided[op.index()].is_some() || searched.iter().any(says_so) || !coverage.universe.can_run(op)
    };
    let name = |op: OpId| format!("{}, masses {number}: {}", profile.name, profile.ops[op].name);
    let pairs = coverage.wrong().into_iter().map(|(_, op, _)| op);
    let found = coverage.hits.started.iter().copied().filter(|op| is_never(*op)).chain(pairs);
    let has_mass = |op: OpId| table.iter().flat_map(|(_, entries)| entries).any(|&(of, mass)| of == op && mass > 0.0);
    let never = ops.iter().filter(|op| has_mass(**op) && is_never(**op)).count();
    (found.map(name).collect(), never)
}

#[test]
fn names_that_are_said_never_to_start_do_not_whatever_masses_are_0() {
    let device = builtin::profile();
    let mut never = 0;
    for number in 0..12 {
        let varied = vary(&device, number);
        let (wrong, of_device) = wrong_without_masses(&varied, number, 2_000);
        assert_eq!(wrong, [""; 0]);
        never += of_device;
    }
    assert!(never > 100, "{never}");
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored coverage::names_of_many_devices_that_are_said_never_to_start_do_not_whatever_masses_are_0"]
fn names_of_many_devices_that_are_said_never_to_start_do_not_whatever_masses_are_0() {
    let device = builtin::profile();
    for number in 0..600 {
        let profile = if number % 3 == 0 { device.clone() } else { vary(&device, number) };
        assert_eq!(wrong_without_masses(&profile, number, 20_000).0, [""; 0]);
    }
}

#[test]
fn the_predecessors_devices_propose_nothing_that_is_called_unreachable() {
    for name in ["config-2025-09.yaml", "config-2025-10.yaml"] {
        let Some(profile) = legacy(name) else { continue };
        assert_eq!(wrong(&profile, 5, 100_000), [""; 0]);
    }
}

#[test]
#[ignore = "long: scripts/coverage"]
fn ten_million_operations_of_the_built_in_device_propose_all_that_is_called_reachable() {
    let profile = builtin::profile();
    let coverage = Coverage::of_run(&profile, DEFAULT_TABLE_SEED, 1, 10_000_000);
    assert_eq!(coverage.wrong(), []);
    assert_eq!(coverage.rare(1), []);
}
