//! What is said of a fault that does not show: the first part of it that never occurred.

use nandseq_simulate::FaultySite;

use crate::play::{Started, device, fault, run};

const ERASE: &str = "Block_Erase_SLC";
const READ: &str = "Read_SLC";

fn at(ns: u64, name: &'static str, address: [i64; 4]) -> Started {
    (ns, name, vec![address])
}

/// What is said after two runs of the same operations.
fn never(when: &str, more: &str, ops: &[Started]) -> Option<String> {
    let fault = fault(when, more);
    let mut site = FaultySite::new(device(), &fault, 1, 1);
    run(&mut site, 1, 0, ops);
    run(&mut site, 2, 100, ops);
    let mut all = site.occurrences().clone();
    all.add(site.occurrences());
    all.never(&fault, device())
}

#[test]
fn the_first_part_that_never_occurred_is_named() {
    let ops = [at(0, ERASE, [0, 0, 4, 0]), at(90_000, READ, [0, 1, 5, 3]), at(95_000, READ, [1, 1, 5, 3])];
    let pair = |second: &str| format!("{{pair: {{first: {{base: ERASE}}, second: {{{second}}}}}}}");
    for (when, more, expected) in [
        ("{address: {op: Reset_LUN, die: 0}}", "", "no operation that the fault is about is in these runs"),
        ("{address: {class: read, block: 9}}", "", "no operation that the fault is about is at such an address"),
        (&pair("op: Reset_LUN, within: 5"), "", "no operation of the step `second` is in these runs"),
        ("{pair: {first: {class: read}, second: {base: ERASE, within: 5}}}", "", "`second` never comes after `first`"),
        (
            &pair("class: read, within: 80"),
            "",
            "`second` never starts within 80 µs of `first`: the smallest gap is 90 µs",
        ),
        (
            &pair("class: read, die: other than first, within: 80"),
            "",
            "`second` never starts within 80 µs of `first`: the smallest gap is 90 µs",
        ),
        (
            &pair("class: read, block: same as first, within: 99"),
            "",
            "the steps never come together with such gaps at such addresses",
        ),
        (
            "{state_time: {class: read, state: PROGRAM_SLC.CORE_BUSY}}",
            "",
            "none of 8 operations starts while its plane is in PROGRAM_SLC.CORE_BUSY",
        ),
        (
            "{state_time: {class: read, plane: 0, state: ERASE.CORE_BUSY}}",
            "",
            "no operation that the fault is about is at such an address",
        ),
        (
            "{wear: {class: read, erases: 3}}",
            "",
            "no block that 8 operations worked on was erased 3 times before: 0 is the most",
        ),
        (
            "{data: {class: read, previous_page: 0-255}}",
            "",
            "no page before those of 8 operations holds such a pattern",
        ),
        (
            "{address: {class: read, block: 5}}",
            "probability: 0",
            "8 operations could fail, but `probability` lets all of them pass",
        ),
        ("{address: {class: read, block: 5}}", "detect: output", "no output of data shows what failed at 8 operations"),
    ] {
        assert_eq!(never(when, more, &ops).as_deref(), Some(expected), "{when}");
    }
    // Of a fault that shows nothing is said; a run does not go on in the next one.
    assert_eq!(never("{address: {class: read, block: 5}}", "", &ops), None);
    assert_eq!(never("{wear: {class: erase, erases: 1}}", "", &ops), None);
    let text = never(
        "{state_time: {class: read, die: 0, state: ERASE.CORE_BUSY, at: 99-100 %}}",
        "",
        &[at(0, ERASE, [0, 1, 5, 0]), ops[1].clone()],
    );
    assert_eq!(text.as_deref(), Some("all 4 operations that start in ERASE.CORE_BUSY are in other parts of it"));
}
