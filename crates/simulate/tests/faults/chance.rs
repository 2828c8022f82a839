//! Intermittent faults, noise and sites: the same seed gives the same fails, and frequencies are those that are stated.

use nandseq_simulate::FaultySite;

use crate::play::{Started, device, fault, run};

fn reads(count: u64) -> Vec<Started> {
    (0..count).map(|at| (at * 10, "Read_SLC", vec![[0, 0, 4, 3]])).collect()
}

#[test]
fn an_intermittent_fault_fails_as_often_as_it_says_and_always_at_the_same_operations() {
    let fault = fault("{address: {class: read, page: 3}}", "probability: 0.3");
    let play = |seed, number| run(&mut FaultySite::new(device(), &fault, seed, 1), number, 0, &reads(5_000));
    let failed = play(1, 1);
    assert!((1_400..1_600).contains(&failed.len()), "{}", failed.len());
    assert_eq!(play(1, 1), failed);
    assert_ne!(play(2, 1), failed);
    assert_ne!(play(1, 2), failed);
    // What is drawn for an operation does not depend on those before it.
    let mut site = FaultySite::new(device(), &fault, 1, 1);
    let later = run(&mut site, 1, 2_500, &reads(2_500));
    assert_eq!(later, failed.iter().copied().filter(|uid| *uid >= 2_500).collect::<Vec<_>>());
}

#[test]
fn noise_makes_one_operation_of_some_runs_fail_on_every_site() {
    let fault = fault("{address: {class: read, page: 9}}", "noise: 0.1\nsites: 1");
    for number in 1..=2 {
        let mut site = FaultySite::new(device(), &fault, 7, number);
        let runs: Vec<Vec<u64>> = (1..=1_000).map(|of| run(&mut site, of, 0, &reads(20))).collect();
        assert!(runs.iter().all(|failed| failed.len() <= 1));
        let failed: Vec<u64> = runs.into_iter().flatten().collect();
        assert!((70..130).contains(&failed.len()), "{}", failed.len());
        // Every operation is as good as another.
        assert!((0..20).all(|uid| failed.contains(&uid)));
    }
    let mut site = FaultySite::new(device(), &fault, 7, 1);
    assert!((1..=100).all(|of| run(&mut site, of, 0, &[]).is_empty()), "a run without operations cannot fail");
}

#[test]
fn only_the_sites_that_are_stated_have_the_fault() {
    let fault = fault("{address: {class: read, page: 3}}", "sites: [2, 5-7]");
    let has = |site| !run(&mut FaultySite::new(device(), &fault, 1, site), 1, 0, &reads(1)).is_empty();
    assert_eq!((1..=9).filter(|&site| has(site)).collect::<Vec<u32>>(), [2, 5, 6, 7]);
}
