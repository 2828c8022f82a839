//! Long runs propose the pairs of phase key and op name that are called reachable, and no others.

#[path = "support/adversaries.rs"]
mod adversaries;
#[path = "support/legacy.rs"]
mod legacy;
#[path = "support/coverage.rs"]
mod support;
#[path = "support/vary.rs"]
mod vary;

use nandseq_generate::probability::DEFAULT_TABLE_SEED;
use nandseq_profile::{OpId, PhaseKey, Profile, builtin};
use nandseq_reach::Verdict;
use support::Coverage;

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
    let varied = (0..6).map(|number| vary::vary(&device, number));
    let adverse = (0..adversaries::COUNT).map(|number| adversaries::adversary(&device, number));
    let found: Vec<String> = varied.chain(adverse).flat_map(|profile| wrong(&profile, 3, 5_000)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_coverage -- --ignored varied"]
fn many_varied_devices_propose_nothing_that_is_called_unreachable() {
    let device = builtin::profile();
    let found: Vec<String> = (0..400).flat_map(|number| wrong(&vary::vary(&device, number), 4, 20_000)).collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_predecessors_devices_propose_nothing_that_is_called_unreachable() {
    for name in ["config-2025-09.yaml", "config-2025-10.yaml"] {
        let Some(profile) = legacy::legacy(name) else { continue };
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
