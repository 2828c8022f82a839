//! Chains of causes on a small device.

use nandseq_profile::Profile;

use super::*;
use crate::Start;
use crate::sample::{device, key, op, table};

const NO_ERASE: &str = "exclusion_groups: {er: [ERASE]}\nexclusions: {state: {NOT_PROGRAM_SUSPENDED: [er]}}\n";

/// What is asked of the causes of a device.
fn asked<T>(profile: &Profile, ops: &[&str], of: impl Fn(&Causes<'_>) -> T) -> T {
    let search = Search::new(profile, table(profile), Start::default());
    let ops: Vec<OpId> = ops.iter().map(|name| op(profile, name)).collect();
    of(&Causes::new(&search, &ops))
}

#[test]
fn a_chain_under_one_key_judges_what_it_leads_through() {
    let profile = device("EraseA: 0.5, Program: 0.3, Status: 0.2", NO_ERASE);
    let chains =
        asked(&profile, &["Status"], |causes| causes.under(key(&profile, "PROG.CORE_BUSY"), op(&profile, "Status")));
    let [chain] = &chains[..] else { panic!("one chain: {chains:#?}") };
    assert!(matches!(chain[0].blocker, Blocker::Unmet { need: Need::PhaseOf(_), .. }), "{chain:#?}");
    // The program has a weight, and lacks erased blocks; the erase has one too, and a state forbids it.
    assert!(matches!(chain[1].blocker, Blocker::Unmet { need: Need::ErasedBlock(_), .. }), "{chain:#?}");
    assert!(!chain.iter().any(|cause| matches!(cause.blocker, Blocker::NoWeight { .. })), "{chain:#?}");
}

#[test]
fn a_link_names_its_operations_where_the_first_of_them_has_no_weight() {
    let profile = device("EraseB: 0.5, Program: 0.3, Status: 0.2", NO_ERASE);
    let chains = asked(&profile, &["Program"], |causes| causes.of(op(&profile, "Program")));
    assert!(!chains.is_empty());
    for cause in chains.iter().flatten() {
        assert!(!cause.ops.is_empty(), "{cause:#?}");
    }
    assert_eq!(chains[0][1].ops, [op(&profile, "EraseA"), op(&profile, "EraseB")]);
}

#[test]
fn chains_of_one_that_runs_are_empty_and_of_one_without_weight_are_that() {
    let profile = device("EraseA: 0.5, Program: 0.3, Status: 0.2", "");
    asked(&profile, &["Program", "Read"], |causes| {
        assert!(causes.of(op(&profile, "Program")).is_empty());
        let chains = causes.of(op(&profile, "Read"));
        let [chain] = &chains[..] else { panic!("one chain: {chains:#?}") };
        let [Cause { ops, blocker: Blocker::NoWeight { excluded, weightless } }] = &chain[..] else {
            panic!("one link: {chain:#?}")
        };
        assert_eq!((&ops[..], excluded.len()), (&[op(&profile, "Read")][..], 0));
        assert_eq!(weightless.len(), profile.phase_keys.len());
    });
}

#[test]
fn the_shortest_chain_comes_first_and_ends_at_a_root() {
    // Nothing programs: reads lack pages, which a program would make, which has no weight.
    let profile = device("EraseA: 0.5, Read: 0.5", "");
    let chains = asked(&profile, &["Read"], |causes| causes.of(op(&profile, "Read")));
    let lengths: Vec<usize> = chains.iter().map(Vec::len).collect();
    assert!(lengths.is_sorted() && lengths[0] == 2, "{chains:#?}");
    assert_eq!(chains[0][1].ops, [op(&profile, "Program")]);
    assert!(matches!(chains[0][1].blocker, Blocker::NoWeight { .. }));
}

#[test]
fn a_pair_has_the_same_verdict_whoever_asks() {
    let profile = device("EraseA: 0.5, Program: 0.3, Status: 0.1, Read: 0.1", "exclusions: {op_state: {}}\n");
    let search = Search::new(&profile, table(&profile), Start::default());
    let all = Causes::new(&search, &profile.ops.ids().collect::<Vec<_>>());
    let none = Causes::new(&search, &[]);
    for (key, op) in profile.phase_keys.ids().flat_map(|key| profile.ops.ids().map(move |op| (key, op))) {
        assert_eq!(none.verdict(key, op), all.verdict(key, op));
    }
}
