//! What counts as one match, for which value, and in which runs.

use std::collections::BTreeMap;

use nandseq_report::plan::{AxisValue, MOST_OPEN, PlanReport, WantedValues};

use crate::rows::{DEVICE, count, count_one, found, plan, scenario};

#[test]
fn every_way_to_go_on_is_followed() {
    // The first read in the window is on the wrong page for the last step; the second one fits.
    let steps =
        ["e: {base: ERASE}", "r: {base: READ, in: e.CORE_BUSY}", "{base: PROGRAM, block: same as r, page: same as r}"];
    let rows = [
        "0 Erase_SLC 0 0 0 0",
        "10 Read_SLC 0 1 1 3",
        "30 Read_SLC 0 1 1 4",
        "50 Read_SLC 0 1 1 5",
        "200 Program_SLC 0 1 1 4",
    ];
    assert_eq!(found(&scenario("hits: 1", &steps), &rows), [[1, 3, 5]]);
}

#[test]
fn an_operation_begins_at_most_one_match_which_is_the_one_that_is_complete_first() {
    let plan = scenario("hits: 1", &["e: {base: ERASE}", "{base: STATUS, in: e.CORE_BUSY}", "{base: CALIBRATE}"]);
    let rows = ["0 Erase_SLC 0 0 0 0", "5 Status 0 busy", "9 Status 0 busy", "20 Calibrate", "30 Calibrate"];
    assert_eq!(found(&plan, &rows), [[1, 2, 4]]);
    // Two beginnings may share their later steps.
    let share = scenario("hits: 1", &["r: {base: READ}", "{base: CALIBRATE, after: r.start, within: 20}"]);
    assert_eq!(found(&share, &["0 Read_SLC 0 0 0 0", "1 Read_SLC 0 1 1 0", "20 Calibrate"]), [[1, 3], [2, 3]]);
}

#[test]
fn a_step_is_repeated_so_often_and_refers_to_its_last_time() {
    let plan = scenario("hits: 1", &["r: {base: READ, repeat: 3}", "{base: STATUS, after: r.start, within: 5}"]);
    let reads = |count: usize| {
        let reads = (0..count).map(|at| format!("{} Read_SLC 0 0 0 {at}", 20 * at));
        reads.chain(["42 Status 0 busy".to_owned()]).collect::<Vec<_>>()
    };
    let as_text = |rows: &[String]| found(&plan, &rows.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(as_text(&reads(2)), [] as [Vec<u64>; 0]);
    assert_eq!(as_text(&reads(3)), [[3, 4]]);
    // First steps that are repeated do not overlap on a die.
    let more = |reads: &[u64]| {
        let rows = reads.iter().map(|at| format!("{at} Read_SLC 0 0 0 3")).chain(["144 Status 0 busy".to_owned()]);
        rows.collect::<Vec<_>>()
    };
    assert_eq!(as_text(&[reads(3), more(&[100, 140])].concat()), [[3, 4]]);
    assert_eq!(as_text(&[reads(3), more(&[60, 100, 140])].concat()), [[3, 4], [7, 8]]);
    assert_eq!(found(&scenario("hits: 1", &["{base: STATUS, repeat: 3}"]), &["0 Status 0 busy"; 8]), [[3], [6]]);
    let apart: Vec<String> = (0..8).map(|at| format!("0 Status {} busy", at % 2)).collect();
    let apart: Vec<&str> = apart.iter().map(String::as_str).collect();
    assert_eq!(found(&scenario("hits: 1", &["{base: STATUS, repeat: 4}"]), &apart), [[7], [8]]);
    // More repetitions than beginnings are kept otherwise.
    let often = scenario("hits: 2", &["{base: READ, page: 3, repeat: 20000}"]);
    let rows = (0..40_500).map(|at| format!("{} Read_SLC 0 0 0 3", 20 * at)).collect();
    let (counts, _) = count(&often, &[rows], &BTreeMap::new());
    let counts = &counts.phases[&None].scenarios[&0];
    assert_eq!((counts.matches, counts.given_up), (2, 0));
    // Every repetition keeps the conditions of the step.
    let same = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: READ, block: same as p, repeat: 2}"]);
    let rows = ["0 Program_SLC 0 0 0 0", "30 Read_SLC 0 0 0 0", "50 Read_SLC 0 1 1 0", "70 Read_SLC 0 0 0 0"];
    assert_eq!(found(&same, &rows), [[1, 4]]);
    // The repetitions of a first step are on one die.
    let first = scenario("hits: 1", &["r: {base: READ, repeat: 2}"]);
    assert_eq!(found(&first, &["0 Read_SLC 0 0 0 0", "20 Read_SLC 1 0 0 0"]), [] as [Vec<u64>; 0]);
}

#[test]
fn nothing_else_may_start_on_the_dies_between_first_and_last_step() {
    let plan = scenario("between: nothing", &["p: {base: PROGRAM}", "{base: ERASE}"]);
    let with = |between: &[&str]| {
        let rows = ["0 Program_SLC 0 0 0 0"].into_iter().chain(between.iter().copied()).chain(["99 Erase_SLC 0 0 0 0"]);
        count_one(&plan, &rows.collect::<Vec<_>>()).matches
    };
    assert_eq!(with(&[]), 1);
    assert_eq!(with(&["50 Status 0 busy"]), 0);
    assert_eq!(with(&["50 Status 1 busy"]), 1, "another die");
    assert_eq!(with(&["50 Calibrate"]), 0, "it works on every die");
    assert_eq!(with(&["50 Program_SLC 0 1 1 0"]), 1, "the later program begins a match");
    // What starts on a die before the match comes to it counts too.
    let dies = scenario("between: nothing", &["p: {base: PROGRAM}", "{base: ERASE, die: other than p}"]);
    let rows = |between: &'static str| ["0 Program_SLC 0 0 0 0", between, "99 Erase_SLC 1 0 0 0"];
    assert_eq!(count_one(&dies, &rows("50 Status 1 busy")).matches, 0);
    assert_eq!(count_one(&dies, &[rows("")[0], rows("")[2]]).matches, 1);
    // An operation that fits may be left out, so that what follows on its die does not matter.
    let twice = scenario("between: nothing", &["p: {base: PROGRAM}", "{base: READ, dies: 0-1, repeat: 2}"]);
    let left_out = [
        "0 Program_SLC 0 0 0 0",
        "30 Read_SLC 1 0 0 0",
        "50 Status 1 ready",
        "60 Read_SLC 0 0 0 0",
        "80 Read_SLC 0 0 0 0",
    ];
    assert_eq!(found(&twice, &left_out), [[1, 5]]);
}

#[test]
fn steps_that_chains_force_may_start_between() {
    let plan = scenario("between: nothing", &["r: {base: READ}", "{base: ERASE}"]);
    let with = |between: &[&str]| {
        let rows = ["0 Read_SLC_Multi 0 0 0 0 / 0 1 1 0"].into_iter().chain(between.iter().copied());
        count_one(&plan, &rows.chain(["99 Erase_SLC 0 0 0 0"]).collect::<Vec<_>>()).matches
    };
    // The step of a chain may be split into one operation for each plane.
    assert_eq!(with(&["20 Output 0 0 0 0"]), 1);
    assert_eq!(with(&["20 Output 0 0 0 0", "22 Output 0 1 1 0"]), 1);
    // The first output may have been proposed by itself.
    assert_eq!(with(&["20 Output 0 0 0 0", "22 Output 0 0 0 0"]), 1);
    assert_eq!(with(&["11.99 Output 0 0 0 0"]), 0, "no step is due yet");
    assert_eq!(with(&["20 Feature 0"]), 0, "no chain has it");
    assert_eq!(with(&["20 Output 0 2 2 0"]), 0, "the chain is not on this plane");
    assert_eq!(with(&["20 Output 1 0 0 0"]), 1, "another die");
    // A chain that began before the match, of two steps.
    let before = [
        "0 Plane_Read_SLC 0 0 0 0",
        "20 Erase_SLC 0 2 2 0",
        "200 Read_SLC 0 0 0 0",
        "230 Feature 0",
        "250 Status 0 ready",
    ];
    let erase = scenario("between: nothing", &["e: {base: ERASE}", "{base: STATUS}"]);
    assert_eq!(count_one(&erase, &before).matches, 1);
    let out_of_order = [before[0], before[1], "200 Feature 0", before[4]];
    assert_eq!(count_one(&erase, &out_of_order).matches, 0);
}

#[test]
fn hits_count_for_each_value() {
    let counts = |each: &str, steps: &[&str], rows: &[&str]| {
        let plan = scenario(&format!("each: {each}"), steps);
        let counts = count_one(&plan, rows);
        let profile = &DEVICE.0;
        let text =
            |values: &Vec<AxisValue>| values.iter().map(|value| value.text(profile)).collect::<Vec<_>>().join(" ");
        let by_value = counts.by_value.iter().map(|(values, count)| (text(values), *count)).collect::<Vec<_>>();
        (counts.matches, by_value)
    };
    let of =
        |values: &[(&str, u64)]| values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect::<Vec<_>>();
    let steps = ["r: {op: [READ, ERASE]}", "s: {op: [STATUS, CALIBRATE]}"];
    let rows = ["0 Read_SLC_Multi 0 0 0 0 / 0 1 1 0", "20 Erase_TLC 1 2 2 0", "40 Calibrate", "50 Status 0 busy"];
    assert_eq!(counts("celltype", &steps, &rows), (2, of(&[("SLC", 1), ("TLC", 1)])));
    assert_eq!(counts("die", &steps, &rows), (2, of(&[("0", 1), ("1", 1)])));
    assert_eq!(counts("plane", &steps, &rows), (2, of(&[("0", 1), ("1", 1), ("2", 1)])));
    assert_eq!(counts("[die, celltype]", &steps, &rows), (2, of(&[("0 SLC", 1), ("1 TLC", 1)])));
    // The read begins a match with each of both operations.
    let by_op = counts("op of s", &steps, &rows);
    assert_eq!(by_op, (2, of(&[("Calibrate", 2), ("Status", 1)])));
    assert_eq!(counts("op of r", &steps, &rows).1, of(&[("Erase_TLC", 1), ("Read_SLC_Multi", 1)]));
}

#[test]
fn a_repeated_first_step_is_of_one_value_and_takes_nothing_from_others() {
    let counts = |axes: &str, later: &[&str], planes: &[u64]| {
        let steps: Vec<&str> = ["r: {base: READ, repeat: 2}"].iter().chain(later).copied().collect();
        let rows = planes.iter().enumerate().map(|(at, plane)| format!("{} Read_SLC 0 {plane} {plane} 0", 20 * at));
        let rows: Vec<String> = rows.collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let counts = count_one(&scenario(&format!("each: {axes}"), &steps), &rows);
        let of_plane = |plane| counts.by_value.iter().filter(move |(values, _)| values[0] == AxisValue::Plane(plane));
        [0, 1].map(|plane| of_plane(plane).map(|(_, count)| count).sum::<u64>())
    };
    // A read of another plane begins no match with the reads of this one.
    assert_eq!(counts("plane", &[], &[1, 0, 0]), [1, 0]);
    assert_eq!(counts("plane", &[], &[1, 0, 1, 0]), [1, 1]);
    // Nor does the read that ends a match of another plane.
    for later in ["{base: READ}", "{base: READ, die: same as r}"] {
        assert_eq!(counts("plane", &[later], &[0, 0, 0, 1, 1, 1]), [1, 1], "{later}");
        assert_eq!(counts("plane", &[later], &[0; 5]), [2, 0], "{later}");
    }
    assert_eq!(counts("[plane, op of s]", &["s: {base: READ}"], &[0, 0, 0, 1, 1, 1]), [1, 1]);
}

#[test]
fn wanted_values_are_those_that_the_steps_allow() {
    let count = |fields: &str, first: &str| {
        let plan = scenario(fields, &[first, "s: {op: [STATUS, CALIBRATE]}"]);
        let values = WantedValues::new(&plan.scenarios[0], &DEVICE.0);
        assert_eq!(values.iter().count() as u64, values.count());
        values.count()
    };
    assert_eq!(count("hits: 1", "r: {base: READ}"), 1);
    assert_eq!(count("each: celltype", "r: {base: READ}"), 2);
    assert_eq!(count("each: [die, plane]", "r: {base: READ}"), 8);
    assert_eq!(count("each: [die, plane]", "r: {base: READ, die: 1, planes: 0-2}"), 3);
    assert_eq!(count("each: op of s", "r: {base: READ}"), 4);
    // Six names, each of one cell type.
    assert_eq!(count("each: [celltype, op of r]", "r: {base: READ}"), 6);
    assert_eq!(count("each: [op of r, op of s, celltype]", "r: {base: READ}"), 24);
}

#[test]
fn values_without_number_are_counted_and_not_listed() {
    let labels = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let each = labels.map(|label| format!("op of {label}")).join(", ");
    let steps = labels.map(|label| format!("{label}: {{op: \"*\"}}"));
    let plan = scenario(&format!("each: [{each}]"), &steps.each_ref().map(String::as_str));
    let rows: Vec<String> = (0..12).map(|at| format!("{at} Status 0 busy")).collect();
    let (counts, _) = count(&plan, &[rows], &BTreeMap::new());
    let report = PlanReport::new(&DEVICE.0, &plan, "plan.yaml", &[counts]);
    let of = &report.scenarios[0];
    assert_eq!((of.matches, of.value_count, of.missing), (1, u64::MAX, u64::MAX - 1));
    assert_eq!(of.values.len(), 1);
    assert!(report.to_text().contains("more values without a match"), "{}", report.to_text());
    // As many as can be looked at are listed, those without a match too.
    let some = scenario("each: [die, plane]", &["r: {base: READ}"]);
    let (counts, _) = count(&some, &[vec!["0 Read_SLC 0 1 1 0".to_owned()]], &BTreeMap::new());
    let of = &PlanReport::new(&DEVICE.0, &some, "plan.yaml", &[counts]).scenarios[0];
    assert_eq!((of.values.len(), of.value_count, of.missing), (8, 8, 7));
}

/// Two phases, the second with another scenario.
fn in_phases() -> nandseq_plan::TestPlan {
    plan(
        "phases:\n  - {name: one, runs: 2, ops: 5, scenarios: a}\n  - {name: two, ops: 5, scenarios: [a, b]}\n\
         scenarios:\n  a: {hits: 2, steps: [{base: READ}, {base: ERASE}]}\n  b: {hits: 2, each: celltype, steps: [{base: READ}]}\n",
    )
}

#[test]
fn matches_are_in_one_run_and_in_phases_in_which_their_scenario_is_in_force() {
    let rows = |rows: &[&str]| rows.iter().map(|&row| row.to_owned()).collect::<Vec<_>>();
    let (read, erase) = ("0 Read_SLC 0 0 0 0", "50 Erase_SLC 0 0 0 0");
    let runs = [rows(&[read]), rows(&[erase, "200 Read_SLC 0 0 0 0"]), rows(&[read, erase])];
    let phases = BTreeMap::from([(1, 0), (2, 0), (3, 1)]);
    let plan = in_phases();
    let (counts, matches) = count(&plan, &runs, &phases);
    assert_eq!(matches.iter().map(|one| (one.run, one.scenario)).collect::<Vec<_>>(), [(3, 1), (3, 0)]);
    let of = |phase: usize| counts.phases[&Some(phase)].scenarios.iter().map(|(at, of)| (*at, of.matches));
    assert_eq!(of(0).collect::<Vec<_>>(), [(0, 0)]);
    assert_eq!(of(1).collect::<Vec<_>>(), [(0, 1), (1, 1)]);
    // Without phases, all scenarios are in force in all runs.
    let (foreign, _) = count(&plan, &runs, &BTreeMap::new());
    let of = &foreign.phases[&None].scenarios;
    assert_eq!((of[&0].matches, of[&1].matches), (1, 3));
}

#[test]
fn the_report_says_what_is_missing_by_value_and_by_phase() {
    let rows = |count: usize| (0..count).map(|at| format!("{} Read_SLC 0 0 0 0", 20 * at)).collect::<Vec<_>>();
    let plan = in_phases();
    let (mut counts, _) = count(&plan, &[rows(1), rows(2)], &BTreeMap::from([(1, 0), (2, 1)]));
    let report = PlanReport::new(&DEVICE.0, &plan, "plan.yaml", std::slice::from_ref(&counts));
    assert_eq!(report.missing(), 4);
    let b = &report.scenarios[1];
    assert_eq!(
        b.values.iter().map(|of| (&*of.value[0], of.matches, of.missing)).collect::<Vec<_>>(),
        [("SLC", 2, 0), ("TLC", 0, 2)]
    );
    assert_eq!(
        report.phases.iter().map(|of| (of.name.as_deref(), of.runs, of.operations)).collect::<Vec<_>>(),
        [(Some("one"), 1, 1), (Some("two"), 1, 2)]
    );
    let text = report.to_text();
    assert!(text.contains("Scenario b: 2 matches, 2 hits wanted for each celltype\n"), "{text}");
    assert!(text.contains("two 2"), "{text}");
    // Sums do not depend on the order.
    let (other, _) = count(&plan, &[rows(3)], &BTreeMap::from([(1, 1)]));
    let mut turned = other.clone();
    turned.add(&counts);
    counts.add(&other);
    assert_eq!(counts, turned);
    assert_eq!(counts.phases[&Some(1)].scenarios[&1].matches, 5);
}

#[test]
fn hits_are_wanted_at_each_site() {
    let plan = scenario("hits: 3\n    each: celltype", &["r: {base: READ}"]);
    let site = |reads: usize| {
        let rows = (0..reads).map(|at| format!("{} Read_SLC 0 0 0 0", 20 * at)).collect();
        count(&plan, &[rows], &BTreeMap::new()).0
    };
    let report = PlanReport::new(&DEVICE.0, &plan, "plan.yaml", &[site(5), site(1), site(0)]);
    let of = &report.scenarios[0];
    assert_eq!((report.sites, of.hits, of.wanted, of.matches, of.missing), (3, 3, 9, 6, 5 + 9));
    assert_eq!(of.values.iter().map(|value| (value.matches, value.missing)).collect::<Vec<_>>(), [(6, 5), (0, 9)]);
    let text = report.to_text();
    assert!(text.contains("6 matches, 3 hits wanted for each celltype at each of 3 sites\n"), "{text}");
}

#[test]
fn beginnings_that_are_too_many_are_given_up_the_oldest_first_and_counted() {
    let plan = scenario("hits: 1", &["p: {base: PROGRAM}", "{base: ERASE}"]);
    let programs = |count: usize| (0..count).map(|at| format!("{} Program_SLC 0 0 0 0", 30 * at));
    let rows = |count: usize| programs(count).chain(["9000000 Erase_SLC 0 0 0 0".to_owned()]).collect::<Vec<_>>();
    let (counts, _) = count(&plan, &[rows(MOST_OPEN)], &BTreeMap::new());
    let of = &counts.phases[&None].scenarios[&0];
    assert_eq!((of.matches, of.given_up), (MOST_OPEN as u64, 0));
    let (counts, found) = count(&plan, &[rows(MOST_OPEN + 1)], &BTreeMap::new());
    let of = &counts.phases[&None].scenarios[&0];
    assert_eq!(of.matches + of.given_up, MOST_OPEN as u64 + 1);
    assert!(of.given_up > 0 && found.iter().any(|one| one.steps[0].uid == MOST_OPEN as u64 + 1));
    assert!(found.iter().all(|one| one.steps[0].uid > of.given_up));
    let text = PlanReport::new(&DEVICE.0, &plan, "plan.yaml", &[counts]).to_text();
    assert!(text.contains("8,193 were given up, and matches may be missing."), "{text}");
}

#[test]
fn what_nothing_refers_to_is_forgotten_and_what_something_refers_to_is_kept() {
    // More rows than are kept at once between the steps.
    let plan = scenario("hits: 1", &["e: {base: ERASE}", "{base: PROGRAM, block: same as e}"]);
    let reads = (1..9000).map(|at| format!("{} Read_SLC 0 0 0 0", 20 * at));
    let rows = ["0 Erase_SLC 0 1 5 0".to_owned()].into_iter().chain(reads);
    let rows: Vec<String> =
        rows.chain(["190000 Program_SLC 0 1 1 0".to_owned(), "190030 Program_SLC 0 1 5 0".to_owned()]).collect();
    let (_, found) = count(&plan, &[rows], &BTreeMap::new());
    assert_eq!(found.iter().map(|one| one.steps[1].uid).collect::<Vec<_>>(), [9002]);
}

#[test]
fn beginnings_of_one_operation_are_given_up_when_too_many_wait() {
    // Every calibration is a choice for the second step, and none has what the third asks for: they all wait.
    let steps =
        ["e: {base: ERASE}", "c: {base: CALIBRATE}", "{base: PROGRAM, after: c.start, within: 1-, plane: same as e}"];
    let rows = |last: &str| {
        let many = (0..3 * MOST_OPEN as u64).map(|at| format!("{} Calibrate", 200 + 2 * at));
        ["0 Erase_SLC 0 0 0 0".to_owned()].into_iter().chain(many).chain([last.to_owned()]).collect::<Vec<_>>()
    };
    let counts = |last: &str| {
        let (counts, _) = count(&scenario("hits: 1", &steps), &[rows(last)], &BTreeMap::new());
        counts.phases[&None].scenarios[&0].clone()
    };
    let none = counts("900000 Program_SLC 0 1 1 0");
    assert!(none.matches == 0 && none.given_up > 2 * MOST_OPEN as u64, "{none:?}");
    // Those that came last are there.
    assert_eq!(counts("900000 Program_SLC 0 0 0 0").matches, 1);
}
