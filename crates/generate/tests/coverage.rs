//! What is called reachable is reached, and nothing else.

#[path = "support/coverage.rs"]
mod support;

use nandseq_generate::probability::DEFAULT_TABLE_SEED;
use nandseq_profile::builtin;
use nandseq_reach::Verdict;
use support::Coverage;

#[test]
fn a_run_of_the_built_in_device_proposes_nothing_that_is_called_unreachable() {
    let profile = builtin::profile();
    let coverage = Coverage::of_run(&profile, DEFAULT_TABLE_SEED, 5, 200_000);
    assert_eq!(coverage.wrong(), []);
    let reachable = coverage.with(|verdict| verdict == Verdict::Reachable);
    let missed = coverage.rare(1).len();
    // Two thirds of the pairs in a fiftieth of the operations that it takes to see all.
    assert!(reachable > 5_900 && missed * 3 < reachable * 2, "{missed} of {reachable} pairs were not proposed");
}

#[test]
#[ignore = "long: scripts/coverage"]
fn ten_million_operations_of_the_built_in_device_propose_all_that_is_called_reachable() {
    let profile = builtin::profile();
    let coverage = Coverage::of_run(&profile, DEFAULT_TABLE_SEED, 1, 10_000_000);
    assert_eq!(coverage.wrong(), []);
    assert_eq!(coverage.rare(1), []);
}
