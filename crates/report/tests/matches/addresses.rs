//! Shares of phases, operations by region, and what is used of limits.

use std::collections::BTreeMap;

use nandseq_report::plan::{PlanCounts, PlanReport};

use crate::rows::{DEVICE, count, plan};

fn report(text: &str, runs: &[&[&str]], phases: &BTreeMap<u64, usize>) -> PlanReport {
    let runs: Vec<Vec<String>> = runs.iter().map(|rows| rows.iter().map(|&row| row.to_owned()).collect()).collect();
    let plan = plan(text);
    let (counts, _) = count(&plan, &runs, phases);
    PlanReport::new(&DEVICE.0, &plan, "plan.yaml", &[counts])
}

/// What is used of each limit of the only entry.
fn used(limits: &str, regions: &str, runs: &[&[&str]]) -> Vec<u64> {
    let text = format!("addresses:\n  one: {{limits: {{{limits}}}{regions}}}\n");
    let report = report(&text, runs, &BTreeMap::new());
    report.addresses[0].limits.iter().map(|limit| limit.used).collect()
}

#[test]
fn limits_count_the_address_that_was_used_most_over_all_runs_of_a_site() {
    let erases = ["0 Erase_SLC 0 0 0 0", "200 Erase_SLC 1 0 0 0", "400 Erase_SLC_Multi 0 0 0 0 / 0 1 1 0"];
    assert_eq!(used("erases_per_block: 9", "", &[&erases]), [2]);
    assert_eq!(used("erases_per_block: 9", "", &[&erases, &erases[1..]]), [3]);
    assert_eq!(used("erases_per_block: 9", ", regions: [{dies: 1}]", &[&erases, &erases]), [2]);
    assert_eq!(
        used("erases_per_block: 9", ", regions: [{planes: 1, blocks: 0-3, pages: 7}]", &[&erases, &erases]),
        [2]
    );
    assert_eq!(used("erases_per_block: 9", ", regions: [{blocks: 8}]", &[&erases]), [0]);
    // A read of a suspended program is none of a page.
    let reads = [
        "0 Read_SLC 0 0 0 1",
        "20 Read_SLC 0 0 0 2",
        "40 Cache_Read_SLC 0 0 0 2",
        "60 Recover_SLC 0 0 0 2",
        "80 Output 0 0 0 2",
    ];
    assert_eq!(used("reads_per_block: 9, reads_per_page: 9", "", &[&reads]), [3, 2]);
    assert_eq!(used("reads_per_block: 9, reads_per_page: 9", ", regions: [{pages: 0-1}]", &[&reads]), [3, 1]);
}

#[test]
fn blocks_are_open_from_their_first_page_to_the_last() {
    let open = |rows: &[&str]| used("open_blocks: 2", "", &[rows])[0];
    let two = ["0 Program_SLC 0 0 0 0", "30 Program_SLC 0 1 1 0"];
    let then = |more: &[&'static str]| open(&[&two[..], more, &["900 Program_SLC 0 2 2 0"]].concat());
    assert_eq!(open(&two), 2);
    assert_eq!(then(&[]), 3);
    assert_eq!(then(&["60 Program_SLC 0 0 0 1"]), 3, "the block is open already");
    assert_eq!(then(&["60 Program_SLC 0 0 0 7"]), 2, "the last page");
    assert_eq!(then(&["60 Close_SLC 0 0 0 1"]), 2);
    assert_eq!(then(&["60 Erase_SLC 0 0 0 0"]), 2);
    // A program that a reset stops leaves a block that must be erased; one whose array is done does not.
    assert_eq!(then(&["60 Program_SLC 0 0 0 1", "70 Reset_Die 0"]), 2);
    assert_eq!(then(&["60 Cache_Program_SLC 0 0 0 1", "82 Reset_Die 0"]), 3);
    assert_eq!(then(&["60 Load_LSB 0 3 3 0"]), 3, "a load programs nothing");
    assert_eq!(then(&["60 Load_LSB 0 0 0 1", "62 Reset_Die 0"]), 2, "its block must be erased after a reset");
    // So must that of a program which a run before has left suspended.
    let suspended = [&two[..], &["60 Program_SLC 0 0 0 1", "70 Suspend_Program 0"]].concat();
    let later = |rows: &[&'static str]| used("open_blocks: 2", "", &[&suspended, rows])[0];
    assert_eq!(later(&["200 Reset_Die 0", "900 Program_SLC 0 2 2 0"]), 2);
    assert_eq!(later(&["200 Resume_Program 0", "300 Reset_Die 0", "900 Program_SLC 0 2 2 0"]), 3);
}

#[test]
fn operations_that_draw_an_address_count_for_their_regions() {
    let text = "addresses:\n  one:\n    regions: [{blocks: 0-3, pages: 0-1, weight: 3}, {dies: 0}]\n  other: {limits: {open_blocks: 1}}\n";
    let rows = [
        "0 Read_SLC 0 0 0 1",
        "20 Output 0 0 0 1",
        "40 Read_SLC 0 0 0 2",
        "60 Erase_SLC 1 0 0 0",
        "200 Read_SLC 1 0 4 0",
        "220 Program_SLC 1 1 1 1",
    ];
    let report = report(text, &[&rows], &BTreeMap::new());
    let one = &report.addresses[0];
    let regions: Vec<_> = one.regions.iter().map(|region| (region.weight, region.operations)).collect();
    assert_eq!((regions, one.outside), (vec![(3, 3), (1, 2)], 1));
    assert_eq!(one.regions[0].region, "dies 0-1, planes 0-3, blocks 0-3, pages 0-1");
    assert_eq!(one.regions[0].percent, 50.0);
    let text = report.to_text();
    assert!(text.contains("    weight 3: 50.00 % (3 operations) on dies 0-1,"), "{text}");
    assert!(text.contains("    1 operation outside\n") && text.contains("    open_blocks: 1 of 1\n"), "{text}");
}

#[test]
fn shares_and_entries_are_those_of_the_phase() {
    let text = "mix: {READ: 25 %}\n\
                phases:\n  - {name: one, ops: 5, addresses: low}\n  - {name: two, ops: 5, addresses: [], mix: {ERASE: 10 %, READ: 60 %}}\n\
                addresses:\n  low: {regions: [{blocks: 0-3}]}\n";
    let rows = ["0 Read_SLC 0 0 0 1", "20 Output 0 0 0 1", "40 Read_TLC 0 0 0 2"];
    let in_phases = report(text, &[&rows, &rows], &BTreeMap::from([(1, 0), (2, 1)]));
    let shares = |at: usize| {
        let shares = in_phases.phases[at].shares.iter();
        shares.map(|share| (&*share.name, share.wanted, share.reached, share.operations)).collect::<Vec<_>>()
    };
    assert_eq!(shares(0), [("READ", 25.0, 66.6667, 2)]);
    assert_eq!(shares(1), [("ERASE", 10.0, 0.0, 0), ("READ", 60.0, 66.6667, 2)]);
    assert_eq!(in_phases.addresses[0].regions[0].operations, 2);
    // Runs of no phase have no share of a plan with phases, and every entry.
    let foreign = report(text, &[&rows], &BTreeMap::new());
    assert_eq!((foreign.phases[0].shares.len(), foreign.addresses[0].regions[0].operations), (0, 2));
    // A plan without phases is one phase.
    let plain = report("mix: {READ: 25 %}\n", &[&rows], &BTreeMap::new());
    assert_eq!(plain.phases[0].shares[0].reached, 66.6667);
}

#[test]
fn sites_are_added_and_limits_compared_by_site() {
    let plan = plan("addresses:\n  one: {regions: [{blocks: 0}], limits: {erases_per_block: 5}}\n");
    let rows = |count: usize| (0..count).map(|at| format!("{} Erase_SLC 0 0 0 0", 200 * at)).collect::<Vec<_>>();
    let site = |erases| count(&plan, &[rows(erases)], &BTreeMap::new()).0;
    let mut sum = PlanCounts::default();
    [3, 2].map(site).iter().for_each(|one| sum.add(one));
    assert_eq!((sum.addresses[0].erases_per_block.most, sum.addresses[0].regions[0]), (3, 5));
}

#[test]
fn what_is_used_before_a_limit_is_in_force_is_not_too_much() {
    let text = "phases:\n  - {name: wear, ops: 5, addresses: []}\n  - {name: spare, ops: 5, addresses: one}\n\
                addresses:\n  one: {limits: {erases_per_block: 2, reads_per_page: 1, open_blocks: 1}}\n";
    let wear: Vec<String> = (0..4).map(|at| format!("{} Erase_SLC 0 0 0 0", 200 * at)).collect();
    let wear: Vec<&str> = wear.iter().map(String::as_str).chain(["900 Program_SLC 0 1 1 0"]).collect();
    let limits = |spare: &[&str]| {
        let report = report(text, &[&wear, spare], &BTreeMap::from([(1, 0), (2, 1)]));
        let limits = report.addresses[0].limits.iter().map(|limit| (limit.used, limit.beyond)).collect::<Vec<_>>();
        (limits, report.to_text())
    };
    let (kept, text) = limits(&["0 Program_SLC 0 1 1 1", "30 Read_SLC 0 1 1 0"]);
    assert_eq!(kept, [(4, 0), (1, 0), (1, 0)]);
    assert!(text.contains("    erases_per_block: 4 of 2\n"), "{text}");
    let (exceeded, text) = limits(&["0 Erase_SLC 0 0 0 0", "200 Program_SLC 1 5 5 0", "230 Program_SLC 1 6 6 0"]);
    assert_eq!(exceeded, [(5, 1), (0, 0), (3, 2)]);
    assert!(text.contains("erases_per_block: 5 of 2; 1 use was too many\n"), "{text}");
    assert!(text.contains("open_blocks: 3 of 1; 2 uses were too many\n"), "{text}");
}

#[test]
fn open_blocks_are_those_of_the_site_whatever_the_regions() {
    let rows = ["0 Program_SLC 0 0 0 0", "30 Program_SLC 0 1 1 0"];
    assert_eq!(used("open_blocks: 1", ", regions: [{blocks: 9}]", &[&rows]), [2]);
}
