//! Each kind of fault, inside and outside of what it says.

use nandseq_simulate::FaultySite;

use crate::play::{Started, device, failing, fault, run};

const ERASE: &str = "Block_Erase_SLC";
const PROGRAM: &str = "All_WL_Dummy_Program";
const READ: &str = "Read_SLC";

/// No operation fails.
const NONE: [u64; 0] = [];

fn at(ns: u64, name: &'static str, address: [i64; 4]) -> Started {
    (ns, name, vec![address])
}

/// Whether the second of two operations fails.
fn second_fails(when: &str, first: Started, second: Started) -> bool {
    match failing(when, "", &[first, second])[..] {
        [] => false,
        [1] => true,
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_pair_fails_within_its_gap_and_not_a_tick_beside_it() {
    let when = "{pair: {first: {base: ERASE}, second: {op: Read_SLC, within: 10-20}}}";
    for (ns, fails) in [(9_999, false), (10_000, true), (20_000, true), (20_001, false)] {
        assert_eq!(second_fails(when, at(0, ERASE, [0, 0, 4, 0]), at(ns, READ, [0, 1, 5, 3])), fails, "{ns}");
    }
    // In the other order, on another die, or without the first, it passes.
    assert!(!second_fails(when, at(0, READ, [0, 1, 5, 3]), at(15_000, ERASE, [0, 0, 4, 0])));
    assert!(!second_fails(when, at(0, ERASE, [0, 0, 4, 0]), at(15_000, READ, [1, 1, 5, 3])));
    assert!(!second_fails(when, at(0, READ, [0, 0, 4, 0]), at(15_000, READ, [0, 1, 5, 3])));
}

#[test]
fn each_relation_of_a_pair_holds_or_does_not() {
    let first = || at(0, READ, [0, 1, 5, 7]);
    for (relation, address, fails) in [
        ("plane: same as first", [0, 1, 9, 0], true),
        ("plane: same as first", [0, 2, 6, 0], false),
        ("plane: other than first", [0, 2, 6, 7], true),
        ("plane: other than first", [0, 1, 9, 7], false),
        ("block: same as first", [0, 1, 5, 0], true),
        ("block: other than first", [0, 1, 5, 0], false),
        ("block: next to first", [0, 1, 9, 0], true),
        ("block: next to first", [0, 1, 1, 0], true),
        ("block: next to first", [0, 2, 6, 0], false),
        ("block: next to first", [0, 1, 13, 0], false),
        ("page: same as first", [0, 1, 9, 7], true),
        ("page: next to first", [0, 1, 5, 8], true),
        ("page: next to first", [0, 1, 5, 6], true),
        ("page: next to first", [0, 1, 5, 9], false),
        ("page: next to first", [0, 1, 9, 8], false),
        ("die: other than first", [1, 1, 5, 7], true),
        ("die: other than first", [0, 1, 5, 7], false),
        ("blocks: 4-6", [0, 1, 5, 0], true),
        ("blocks: 4-6", [0, 1, 9, 0], false),
    ] {
        let when = format!("{{pair: {{first: {{class: read}}, second: {{class: read, {relation}, within: 50}}}}}}");
        assert_eq!(second_fails(&when, first(), at(1_000, READ, address)), fails, "{relation} {address:?}");
    }
}

#[test]
fn what_comes_between_on_the_die_matters_if_the_fault_says_so() {
    let ops = |die| [at(0, ERASE, [0, 0, 4, 0]), at(5, PROGRAM, [die, 1, 5, 0]), at(10, READ, [0, 0, 4, 1])];
    let when = |between| {
        format!("{{pair: {{first: {{base: ERASE}}, second: {{class: read, within: 1}}, between: {between}}}}}")
    };
    assert_eq!(failing(&when("anything"), "", &ops(0)), [2]);
    assert_eq!(failing(&when("nothing"), "", &ops(0)), NONE);
    assert_eq!(failing(&when("nothing"), "", &ops(1)), [2]);
}

#[test]
fn a_triple_needs_its_three_steps_in_order_each_within_its_gap() {
    let when = "{triple: {first: {base: ERASE}, second: {op: All_WL_Dummy_Program, block: same as first, within: 10}, \
                third: {class: read, block: same as first, within: 5}}}";
    let ops = |second: u64, third: u64, block: i64| {
        [at(0, ERASE, [0, 0, 4, 0]), at(second, PROGRAM, [0, 0, 4, 0]), at(third, READ, [0, 0, block, 1])]
    };
    assert_eq!(failing(when, "", &ops(10_000, 15_000, 4)), [2]);
    assert_eq!(failing(when, "", &ops(10_001, 15_000, 4)), NONE);
    assert_eq!(failing(when, "", &ops(10_000, 15_001, 4)), NONE);
    assert_eq!(failing(when, "", &ops(10_000, 15_000, 8)), NONE);
    // A later erase that is too near does not hide the one that fits; steps are found among several.
    let mut more = ops(10_000, 15_000, 4).to_vec();
    more.insert(2, at(10_500, ERASE, [0, 0, 8, 0]));
    assert_eq!(failing(when, "", &more), [3]);
    let [first, second, third] = ops(1_000, 2_000, 4);
    assert_eq!(
        failing(when, "", &[at(0, PROGRAM, [0, 0, 4, 0]), (500, first.1, first.2), (2_000, third.1, third.2)]),
        NONE
    );
    assert_eq!(failing(when, "", &[at(0, ERASE, [0, 0, 4, 0]), second]), NONE);
}

#[test]
fn an_address_fails_alone_and_with_every_part_that_is_stated() {
    let when = "{address: {class: read, die: 1, planes: 0, blocks: 4-8, pages: [0, 3]}}";
    for (address, fails) in [
        ([1, 0, 4, 3], true),
        ([1, 0, 8, 0], true),
        ([0, 0, 4, 3], false),
        ([1, 0, 3, 3], false),
        ([1, 0, 12, 3], false),
        ([1, 0, 4, 1], false),
    ] {
        assert_eq!(failing(when, "", &[at(0, READ, address)]).len(), usize::from(fails), "{address:?}");
    }
    assert_eq!(failing(when, "", &[at(0, ERASE, [1, 0, 4, 3])]), NONE);
    // Without operations, all fit; a target of several is enough.
    assert_eq!(failing("{address: {block: 5}}", "", &[(0, ERASE, vec![[0, 0, 4, 0], [0, 1, 5, 0]])]), [0]);
}

#[test]
fn wear_counts_the_erases_of_the_block_over_all_runs_of_the_site() {
    let fault = fault("{wear: {class: read, erases: 2}}", "");
    let mut site = FaultySite::new(device(), &fault, 1, 1);
    let ops = [at(0, ERASE, [0, 0, 4, 0]), at(9, ERASE, [1, 0, 4, 0]), at(99, READ, [0, 0, 4, 0])];
    assert_eq!(run(&mut site, 1, 0, &ops), NONE);
    assert_eq!(run(&mut site, 2, 3, &[at(999, READ, [0, 0, 4, 0]), at(1_999, ERASE, [0, 0, 4, 0])]), NONE);
    assert_eq!(run(&mut site, 3, 5, &[at(2_999, READ, [1, 0, 4, 0]), at(3_999, READ, [0, 0, 4, 0])]), [6]);
}

#[test]
fn an_operation_fails_in_a_part_of_an_op_state_and_not_a_tick_beside_it() {
    let erase = device().ops.iter().find(|op| op.name == ERASE).unwrap();
    let (issue, busy) = (erase.durations[0].0 / 1_000, erase.durations[1].0 / 1_000);
    let suspend = device().ops.iter().find(|op| op.name.contains("Suspend") && op.name.contains("Erase"));
    let suspend: &'static str = suspend.unwrap().name.clone().leak();
    let when = "{state_time: {class: suspend, state: ERASE.CORE_BUSY, at: 10-20 %}}";
    for (ns, fails) in [
        (issue + busy / 10 - 1, false),
        (issue + busy / 10, true),
        (issue + busy / 5 - 1, true),
        (issue + busy / 5, false),
        (issue, false),
        (0, false),
    ] {
        let ops = [at(0, ERASE, [0, 0, 4, 0]), at(ns, suspend, [0, 0, 0, 0])];
        assert_eq!(failing(when, "", &ops).len(), usize::from(fails), "{ns}");
    }
    // The whole of it has both ends, and an operation of another kind or die is in none.
    let whole = "{state_time: {class: suspend, state: ERASE.CORE_BUSY}}";
    for (ns, die, fails) in [(issue, 0, true), (issue + busy - 1, 0, true), (issue + busy, 0, false), (issue, 1, false)]
    {
        let ops = [at(0, ERASE, [0, 0, 4, 0]), at(ns, suspend, [die, 0, 0, 0])];
        assert_eq!(failing(whole, "", &ops).len(), usize::from(fails), "{ns} {die}");
    }
    // What began on the plane since then hides it.
    let ops = [at(0, ERASE, [0, 0, 4, 0]), at(issue + 1, suspend, [0, 0, 0, 0]), at(issue + 2, suspend, [0, 0, 0, 0])];
    assert_eq!(failing(whole, "", &ops), [1]);
}

#[test]
fn the_pattern_of_the_page_before_decides_until_the_block_is_erased() {
    let slc = "SLC_PGM_Page";
    let program: &'static str = device()
        .ops
        .iter()
        .find(|op| device().bases[op.base].has(nandseq_profile::model::Effect::Program) && !op.multi)
        .map_or(slc, |op| op.name.clone().leak());
    let when = |patterns: &str| format!("{{data: {{class: read, previous_page: {patterns}}}}}");
    let ops = [at(0, program, [0, 0, 4, 6]), at(9, READ, [0, 0, 4, 7])];
    // Of 256 patterns exactly one makes it fail.
    let found: Vec<u32> = (0..256).filter(|one| failing(&when(&one.to_string()), "", &ops) == [1]).collect();
    assert_eq!(found.len(), 1);
    let all = when("0-255");
    for (block, page, fails) in [(4, 7, true), (4, 6, false), (4, 8, false), (8, 7, false)] {
        let ops = [at(0, program, [0, 0, 4, 6]), at(9, READ, [0, 0, block, page])];
        assert_eq!(failing(&all, "", &ops).len(), usize::from(fails), "{block} {page}");
    }
    let erased = [at(0, program, [0, 0, 4, 6]), at(5, ERASE, [0, 0, 4, 0]), at(9, READ, [0, 0, 4, 7])];
    assert_eq!(failing(&all, "", &erased), NONE);
}

#[test]
fn a_fault_is_seen_at_the_next_output_that_can_show_it() {
    let out = device().ops.iter().find(|op| device().bases[op.base].has(nandseq_profile::model::Effect::DataOut));
    let out: &'static str = out.unwrap().name.clone().leak();
    let when = "{address: {class: read, page: 3}}";
    let ops = [
        at(0, READ, [0, 0, 4, 3]),
        at(1, out, [0, 1, 4, 3]),
        at(2, out, [0, 0, 4, 2]),
        at(3, out, [0, 0, 4, 3]),
        at(4, out, [0, 0, 4, 3]),
        at(5, READ, [0, 0, 4, 3]),
    ];
    // The read of row 5 is never put out.
    assert_eq!(failing(when, "detect: output", &ops), [3]);
    assert_eq!(failing(when, "detect: operation", &ops), [0, 5]);
    // Every page of an erased block shows the erase.
    let ops = [at(0, ERASE, [0, 0, 4, 0]), at(1, out, [0, 0, 4, 9])];
    assert_eq!(failing("{address: {base: ERASE, block: 4}}", "detect: output", &ops), [1]);
}
