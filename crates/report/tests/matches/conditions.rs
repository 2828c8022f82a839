//! Every kind of condition at its edges. On the device, every ISSUE takes 1 µs; CORE_BUSY of an erase 100 µs, of a program 20 µs, of a
//! read 10 µs with a window of 4 µs, of SUSPEND and RESUME 3 µs, of a reset 2 µs.

use std::collections::BTreeMap;

use crate::rows::{DEVICE, ONE_DIE, count_of, count_one, found, plan_of, scenario};

const NOTHING: [Vec<u64>; 0] = [];

/// The number of matches of a step `in e.CORE_BUSY` of an erase at 0 µs, by the time of a status read.
fn in_erase(at: &str, times: &[&str]) -> Vec<u64> {
    let plan = scenario("hits: 1", &["e: {base: ERASE}", &format!("{{base: STATUS, in: e.CORE_BUSY, at: {at}}}")]);
    let rows = |time: &&str| count_one(&plan, &["0 Erase_SLC 0 0 0 0", &format!("{time} Status 0 busy")]).matches;
    times.iter().map(rows).collect()
}

#[test]
fn a_part_of_a_phase_has_its_beginning_and_not_its_end() {
    assert_eq!(in_erase("0-10 %", &["0.5", "0.99", "1", "10.99", "11", "50"]), [0, 0, 1, 1, 0, 0]);
    assert_eq!(in_erase("10-20 %", &["10.99", "11", "20.99", "21"]), [0, 1, 1, 0]);
}

#[test]
fn a_part_that_goes_to_the_whole_has_the_end_of_the_phase() {
    assert_eq!(in_erase("90-100 %", &["90.99", "91", "100.99", "101", "101.01"]), [0, 1, 1, 1, 0]);
    assert_eq!(in_erase("0-100 %", &["0.99", "1", "101", "101.01"]), [0, 1, 1, 0]);
}

#[test]
fn a_distance_has_both_its_ends() {
    let within = |within: &str, after: &str, times: &[&str]| -> Vec<u64> {
        let step = format!("{{base: STATUS, after: e.{after}{within}}}");
        let plan = scenario("hits: 1", &["e: {base: READ}", &step]);
        let rows = |time: &&str| count_one(&plan, &["0 Read_SLC 0 0 0 0", &format!("{time} Status 0 busy")]).matches;
        times.iter().map(rows).collect()
    };
    // The read occupies its plane until 11 µs. Its window lasts until 15 µs.
    assert_eq!(within(", within: 5", "end", &["10.99", "11", "16", "16.01"]), [0, 1, 1, 0]);
    assert_eq!(within(", within: 2-5", "end", &["12.99", "13", "16", "16.01"]), [0, 1, 1, 0]);
    assert_eq!(within(", within: 2-", "end", &["12.99", "13", "9999"]), [0, 1, 1]);
    assert_eq!(within("", "end", &["10.99", "11", "9999"]), [0, 1, 1]);
    assert_eq!(within(", within: 5", "start", &["0", "5", "5.01"]), [1, 1, 0]);
    assert_eq!(within(", within: 5", "ISSUE", &["0.99", "1", "6", "6.01"]), [0, 1, 1, 0]);
    assert_eq!(within(", within: 5", "CORE_BUSY", &["10.99", "11", "16", "16.01"]), [0, 1, 1, 0]);
    assert_eq!(within(", within: 5", "DATA_OUT", &["14.99", "15", "20", "20.01"]), [0, 1, 1, 0]);
}

/// A program that begins CORE_BUSY at 1 µs, is suspended at 6 µs and goes on at 104 µs: a quarter is done, and it ends at 119 µs.
const SUSPENDED: [&str; 3] = ["0 Program_SLC 0 0 0 0", "6 Suspend_Program 0", "100 Resume_Program 0"];

fn with_suspension(step: &str, times: &[&str]) -> Vec<u64> {
    let plan = scenario("hits: 1", &["p: {base: PROGRAM}", step]);
    let matches = |time: &&str| {
        let status = format!("{time} Status 0 busy");
        let mut rows: Vec<&str> = SUSPENDED.iter().copied().chain([&*status]).collect();
        rows.sort_by(|a, b| {
            let time = |row: &str| row.split(' ').next().unwrap().parse::<f64>().unwrap();
            time(a).total_cmp(&time(b))
        });
        count_one(&plan, &rows).matches
    };
    times.iter().map(matches).collect()
}

#[test]
fn a_part_of_a_phase_stands_still_during_a_suspension() {
    let step = "{base: STATUS, in: p.CORE_BUSY, at: 25-50 %}";
    assert_eq!(with_suspension(step, &["5.99", "7", "50", "103.99", "104", "108.99", "109"]), [0, 0, 0, 0, 1, 1, 0]);
    assert_eq!(with_suspension("{base: STATUS, in: p.CORE_BUSY, at: 0-25 %}", &["1", "5.99", "104"]), [1, 1, 0]);
    // The SUSPEND itself starts in the phase.
    let suspends = |at: &str| {
        let step = format!("{{base: SUSPEND_PROGRAM, in: p.CORE_BUSY, at: {at}}}");
        count_one(&scenario("hits: 1", &["p: {base: PROGRAM}", &step]), &SUSPENDED).matches
    };
    assert_eq!(["0-25 %", "25-26 %", "24-25 %", "0-100 %"].map(suspends), [0, 1, 0, 1]);
}

#[test]
fn the_end_of_a_suspended_operation_is_its_real_end() {
    let ends = ["{base: STATUS, after: p.end, within: 5}", "{base: STATUS, after: p.CORE_BUSY, within: 5}"];
    for step in ends {
        assert_eq!(
            with_suspension(step, &["21", "26", "118.99", "119", "124", "124.01"]),
            [0, 0, 0, 1, 1, 0],
            "{step}"
        );
    }
    // ISSUE was over before, or at the moment of the suspension.
    let at_once = ["0 Program_SLC 0 0 0 0", "1 Suspend_Program 0", "100 Resume_Program 0", "105 Status 0 busy"];
    let issue = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: STATUS, after: p.ISSUE, within: 104-104}"]);
    assert_eq!(count_one(&issue, &at_once).matches, 1);
    assert_eq!(
        with_suspension("{base: STATUS, after: p.ISSUE, within: 5-6}", &["5.99", "6", "7", "7.01"]),
        [0, 1, 1, 0]
    );
}

#[test]
fn an_operation_may_be_suspended_again_and_a_run_may_end_before_it_goes_on() {
    let plan = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: SUSPEND_PROGRAM, in: p.CORE_BUSY, at: 30-40 %}"]);
    let twice = [SUSPENDED[0], SUSPENDED[1], SUSPENDED[2], "105.5 Suspend_Program 0"];
    assert_eq!(count_one(&plan, &twice).matches, 1);
    let unfinished = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: STATUS, after: p.end}"]);
    assert_eq!(count_one(&unfinished, &[SUSPENDED[0], SUSPENDED[1], "500 Status 0 ready"]).matches, 0);
}

#[test]
fn a_suspension_is_one_of_its_die_and_axis() {
    let plan = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: STATUS, after: p.end, within: 0}"]);
    for other in ["6 Suspend_Program 1", "6 Suspend_Erase 0"] {
        assert_eq!(count_one(&plan, &[SUSPENDED[0], other, "21 Status 0 ready"]).matches, 1, "{other}");
    }
    // An erase that is suspended, and a program meanwhile that is suspended too. The erase has 50 µs left at 204 µs.
    let nested = [
        "0 Erase_SLC 0 0 0 0",
        "51 Suspend_Erase 0",
        "60 Program_SLC 0 1 1 0",
        "71 Suspend_Program 0",
        "100 Resume_Program 0",
        "200 Resume_Erase 0",
        "254 Status 0 ready",
    ];
    let ends = scenario("hits: 1", &["e: {base: ERASE}", "{base: STATUS, after: e.end, within: 0}"]);
    assert_eq!(count_one(&ends, &nested).matches, 1);
}

#[test]
fn a_reset_ends_what_is_in_flight_on_its_die() {
    let step = |step: &str| scenario("hits: 1", &["e: {base: ERASE}", step]);
    let rows =
        |reset: &str, time: &str| ["0 Erase_SLC 0 0 0 0".to_owned(), reset.to_owned(), format!("{time} Status 0 busy")];
    let matches = |plan, reset: &str, time: &str| {
        let rows = rows(reset, time);
        count_one(plan, &rows.iter().map(String::as_str).collect::<Vec<_>>()).matches
    };
    let (during, end, issue) = (
        step("{base: STATUS, in: e.CORE_BUSY}"),
        step("{base: STATUS, after: e.end, within: 2}"),
        step("{base: STATUS, after: e.CORE_BUSY, within: 2}"),
    );
    for (reset, ends) in [("50 Reset_Die 0", 1), ("50 Reset_All 0", 1), ("50 Reset_All 1", 1), ("50 Reset_Die 1", 0)] {
        assert_eq!(matches(&during, reset, "52"), 1 - ends, "{reset}");
        assert_eq!(matches(&end, reset, "52"), ends, "{reset}");
        assert_eq!(matches(&issue, reset, "52"), ends, "{reset}");
        assert_eq!(matches(&end, reset, "102"), 1 - ends, "{reset}");
    }
    // The reset itself starts in the phase. A reset in ISSUE leaves no CORE_BUSY, so it has no end.
    assert_eq!(
        count_one(&step("{base: RESET_DIE, in: e.CORE_BUSY, at: 49-50 %}"), &["0 Erase_SLC 0 0 0 0", "50 Reset_Die 0"])
            .matches,
        1
    );
    let early = ["0 Erase_SLC 0 0 0 0", "0.5 Reset_Die 0", "2 Status 0 busy", "102 Status 0 busy"];
    assert_eq!(count_one(&step("{base: STATUS, after: e.CORE_BUSY}"), &early).matches, 0);
    assert_eq!(count_one(&step("{base: STATUS, after: e.end, within: 1.5}"), &early).matches, 1);
}

#[test]
fn what_works_on_every_die_of_several_ends_by_a_reset_of_all_dies_alone() {
    let steps = "[i: {base: IDENTIFY}, {base: STATUS, after: i.end, within: 0}]";
    for (device, [of_one, of_all]) in [(&DEVICE, [1, 0]), (&ONE_DIE, [0, 0])] {
        let plan = plan_of(device, &format!("scenarios: {{one: {{steps: {steps}}}}}"));
        for (reset, matches) in [("3 Reset_Die 0", of_one), ("3 Reset_All 0", of_all)] {
            let rows = ["0 Identify", reset, "11 Status 0 ready"].map(str::to_owned).to_vec();
            let (counts, _) = count_of(&device.0, &plan, &[rows], &BTreeMap::new());
            let found: u64 = counts.phases.values().map(|phase| phase.scenarios[&0].matches).sum();
            assert_eq!(found, matches, "{reset} of {} dies", device.0.topology.dies);
        }
    }
}

#[test]
fn a_window_ends_where_a_later_operation_cuts_it_on_all_its_planes() {
    let plan = scenario("hits: 1", &["r: {base: READ, multi: true}", "{base: STATUS, in: r.DATA_OUT}"]);
    let read = "0 Read_SLC_Multi 0 0 0 0 / 0 1 1 0";
    let rows = |cuts: &[&str]| {
        let rows: Vec<&str> = [read].into_iter().chain(cuts.iter().copied()).chain(["14 Status 0 extrdy"]).collect();
        count_one(&plan, &rows).matches
    };
    assert_eq!(rows(&[]), 1);
    assert_eq!(rows(&["12 Output 0 0 0 0"]), 1, "an output has no op_state");
    assert_eq!(rows(&["12 Plane_Read_SLC 0 0 4 0"]), 1, "the other plane is in its window");
    assert_eq!(rows(&["12 Plane_Read_SLC 0 0 4 0", "13 Plane_Read_SLC 0 1 5 0"]), 0);
    assert_eq!(rows(&["12 Erase_SLC 0 3 7 0"]), 0, "an erase shows on every plane of its die");
    assert_eq!(rows(&["12 Erase_SLC 1 3 7 0"]), 1);
    let ends = scenario("hits: 1", &["r: {base: READ}", "{base: STATUS, after: r.DATA_OUT, within: 1}"]);
    let cut = ["0 Read_SLC 0 0 0 0", "12 Erase_SLC 0 3 7 0", "13 Status 0 busy"];
    assert_eq!(count_one(&ends, &cut).matches, 1);
    // The one that cuts it starts in it.
    let cuts = scenario("hits: 1", &["r: {base: READ}", "{base: ERASE, in: r.DATA_OUT, at: 25-26 %}"]);
    assert_eq!(count_one(&cuts, &cut).matches, 1);
}

/// Whether a read after a first one, each with an address, fits a place.
fn related(place: &str, first: &str, then: &str) -> bool {
    let plan = scenario("hits: 1", &["p: {base: READ}", &format!("{{base: READ, {place}}}")]);
    let op = |address: &str| if address.contains('/') { "Read_SLC_Multi" } else { "Read_SLC" };
    let rows = [format!("0 {} {first}", op(first)), format!("50 {} {then}", op(then))];
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    count_one(&plan, &rows).matches == 1
}

#[test]
fn a_step_is_on_the_die_of_the_first_unless_it_says_otherwise() {
    assert!(related("multi: false", "0 0 0 0", "0 1 1 5"));
    assert!(!related("multi: false", "0 0 0 0", "1 0 0 0"));
    assert!(related("die: other than p", "0 0 0 0", "1 0 0 0"));
    assert!(!related("die: other than p", "0 0 0 0", "0 0 0 0"));
    assert!(related("die: same as p", "1 0 0 0", "1 1 1 0"));
    assert!(related("dies: 0-1", "0 0 0 0", "1 0 0 0"));
    assert!(!related("die: 1", "1 0 0 0", "0 0 0 0"));
    // An operation that names no die works on all of them.
    let plan = scenario("hits: 1", &["p: {base: READ}", "{base: CALIBRATE}"]);
    assert_eq!(found(&plan, &["0 Read_SLC 1 0 0 0", "3 Calibrate"]), [[1, 2]]);
    let named = scenario("hits: 1", &["p: {base: READ}", "{op: [CALIBRATE, STATUS], die: same as p}"]);
    assert_eq!(found(&named, &["0 Read_SLC 1 0 0 0", "3 Calibrate", "5 Status 1 busy"]), [[1, 3]]);
}

#[test]
fn planes_blocks_and_pages_are_those_of_every_target() {
    let pair = "0 0 4 2 / 0 1 5 2";
    for (place, fits) in [
        ("plane: same as p", [true, true, false, false]),
        ("plane: other than p", [false, false, false, true]),
        ("block: same as p", [true, true, false, false]),
        ("block: other than p", [false, false, false, true]),
        ("page: same as p", [true, true, true, true]),
    ] {
        let then = ["0 0 4 2", pair, "0 1 5 2 / 0 2 6 2", "0 2 6 2 / 0 3 7 2"];
        assert_eq!(then.map(|then| related(place, pair, then)), fits, "{place}");
    }
    assert!(related("page: other than p", "0 0 0 2", "0 0 4 3"));
    assert!(!related("page: other than p", "0 0 0 2", "0 0 4 2"));
    assert!(related("block: 4-5, page: 2", "0 0 0 0", pair) && !related("block: 4", "0 0 0 0", pair));
    assert!(related("block: 4-5, pages: 1-2", "0 0 0 0", "0 0 4 1") && !related("pages: 1-2", "0 0 0 0", "0 0 4 3"));
}

#[test]
fn the_next_page_is_in_the_same_block_and_the_next_block_on_the_same_plane() {
    let page = |then| related("page: next to p", "0 0 4 2", then);
    assert_eq!(["0 0 4 1", "0 0 4 3", "0 0 4 2", "0 0 4 4", "0 0 8 3"].map(page), [true, true, false, false, false]);
    let block = |then| related("block: next to p", "0 1 5 2", then);
    assert_eq!(["0 1 1 0", "0 1 9 7", "0 1 5 2", "0 2 6 2", "0 1 13 2"].map(block), [true, true, false, false, false]);
    assert!(!related("die: other than p, block: next to p", "0 1 5 2", "1 1 9 2"));
}

#[test]
fn an_expected_status_is_that_word() {
    let plan = |word: &str| scenario("hits: 1", &[&format!("{{base: STATUS, expect: {word}}}")]);
    let rows = ["0 Status 0 busy", "2 Status 0 ready", "4 Status 0 extrdy", "6 Status 0 busy"];
    assert_eq!(found(&plan("busy"), &rows), [[1], [4]]);
    assert_eq!(found(&plan("ready"), &rows), [[2]]);
}

#[test]
fn a_step_comes_after_the_one_before_it_whatever_it_refers_to() {
    let plan = scenario("hits: 1", &["e: {base: ERASE}", "s: {base: STATUS}", "{base: CALIBRATE, in: e.CORE_BUSY}"]);
    assert_eq!(found(&plan, &["0 Erase_SLC 0 0 0 0", "3 Calibrate", "5 Status 0 busy"]), NOTHING);
    assert_eq!(found(&plan, &["0 Erase_SLC 0 0 0 0", "3 Status 0 busy", "5 Calibrate"]), [[1, 2, 3]]);
    // One row is one step at most.
    let twice = scenario("hits: 1", &["a: {base: STATUS}", "{base: STATUS, after: a.start, within: 0}"]);
    assert_eq!(found(&twice, &["0 Status 0 busy"]), NOTHING);
    assert_eq!(found(&twice, &["0 Status 0 busy", "0 Status 0 busy"]), [[1, 2]]);
}
