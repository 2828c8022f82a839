//! A second reading of all faults: loops over all operations of a run, without memory of what is past.

use nandseq_plan::model::{AddressPart, PlaceRelation};
use nandseq_profile::OpId;
use nandseq_profile::model::Scope;
use nandseq_simulate::{FaultySite, PlantedFault};
use proptest::prelude::*;

use crate::play::{Started, device, fault, op, run};

const ERASE: &str = "Block_Erase_SLC";
const PROGRAM: &str = "Page_Program_SLC";
const READ: &str = "Read_SLC";

fn part(address: [i64; 4], part: AddressPart) -> i64 {
    match part {
        AddressPart::Die => address[0],
        AddressPart::Plane => address[1],
        AddressPart::Block => address[2],
        AddressPart::Page => address[3],
    }
}

/// Whether operations at these places are the steps of the fault.
fn are_steps(fault: &PlantedFault, ops: &[(OpId, &Started)], places: &[usize]) -> bool {
    let fits = |step: usize| fault.steps[step].ops.contains(&ops[places[step]].0);
    let gap = |step: usize| (ops[places[step]].1.0 - ops[places[step - 1]].1.0) * 1_000;
    let in_time = |step: usize| {
        let (least, most) = fault.steps[step].within;
        places[step - 1] < places[step] && (least.0..=most.0).contains(&gap(step))
    };
    let address = |step: usize| ops[places[step]].1.2[0];
    let near = |step: usize| {
        fault.steps[step].places.iter().all(|place| {
            let own = part(address(step), place.part);
            match &place.relation {
                PlaceRelation::SameAs(other) => own == part(address(*other), place.part),
                PlaceRelation::OtherThan(other) => own != part(address(*other), place.part),
                PlaceRelation::In(ranges) => ranges.contains(own as u32),
                PlaceRelation::NextTo(_) => panic!("not tried here"),
            }
        })
    };
    let alone = |step: usize| {
        let between = &ops[places[step - 1] + 1..places[step]];
        fault.others_between || between.iter().all(|(_, other)| other.2[0][0] != address(step)[0])
    };
    let all = 0..fault.steps.len();
    all.clone().all(|step| fits(step) && near(step)) && all.skip(1).all(|step| in_time(step) && alone(step))
}

/// The operations that end the steps of a fault, by trying every choice of them.
fn tried(fault: &PlantedFault, ops: &[Started]) -> Vec<u64> {
    let ops: Vec<(OpId, &Started)> = ops.iter().map(|one| (op(one.1), one)).collect();
    let all = 0..ops.len();
    let ends = |last: usize| match fault.steps.len() {
        1 => are_steps(fault, &ops, &[last]),
        2 => all.clone().any(|one| are_steps(fault, &ops, &[one, last])),
        _ => all.clone().any(|one| all.clone().any(|two| are_steps(fault, &ops, &[one, two, last]))),
    };
    all.clone().filter(|&last| ends(last)).map(|last| last as u64).collect()
}

/// The operations on a block that was erased twice, or on the page behind one that was programmed after the last erase of its block.
fn after_others(ops: &[Started], is_wear: bool) -> Vec<u64> {
    let fails = |&at: &usize| {
        let [die, _, block, page] = ops[at].2[0];
        let of_block = |one: &&Started| one.2[0][0] == die && one.2[0][2] == block;
        let before: Vec<&Started> = ops[..at].iter().filter(of_block).collect();
        let erases = before.iter().filter(|one| one.1 == ERASE).count();
        let last_erase = before.iter().rposition(|one| one.1 == ERASE).map_or(0, |at| at + 1);
        let programmed = before[last_erase..].iter().any(|one| one.1 == PROGRAM && one.2[0][3] == page - 1);
        ops[at].1 == READ && if is_wear { erases >= 2 } else { programmed }
    };
    (0..ops.len()).filter(fails).map(|at| at as u64).collect()
}

/// The operations that start in a part of the CORE_BUSY of an erase, in millionths: for each, the last operation before it that shows
/// a phase on its plane is looked up, and that operation's phases are laid out from its start.
fn in_erase(ops: &[Started], (from, to): (u64, u64)) -> Vec<u64> {
    let shows_on = |one: &Started, die: i64, plane: i64| {
        let base = &device().bases[device().ops[op(one.1)].base];
        // What does not work on planes alone shows on the whole die.
        base.affects_state && one.2[0][0] == die && (one.2[0][1] == plane || base.scope != Scope::PlaneSet)
    };
    let fails = |&at: &usize| {
        let (now, _, targets) = &ops[at];
        let [die, plane, ..] = targets[0];
        let Some(last) = ops[..at].iter().rfind(|one| shows_on(one, die, plane)) else { return false };
        let erase = &device().ops[op(last.1)];
        if ops[at].1 != READ || last.1 != ERASE {
            return false;
        }
        let issue = last.0 * 1_000 + erase.durations[0].0;
        let busy = erase.durations[1].0;
        let now = now * 1_000;
        (issue..issue + busy).contains(&now) && {
            let part = u128::from(now - issue) * 1_000_000;
            (u128::from(from) * u128::from(busy)..u128::from(to) * u128::from(busy)).contains(&part)
        }
    };
    (0..ops.len()).filter(fails).map(|at| at as u64).collect()
}

fn sequence() -> impl Strategy<Value = Vec<Started>> {
    let name = prop_oneof![Just(ERASE), Just(READ), Just(PROGRAM)];
    let operation = (0_u64..4, name, 0..2_i64, 0..2_i64, 0..3_i64, 0..3_i64);
    proptest::collection::vec(operation, 0..24).prop_map(|all| {
        let mut now = 0;
        let start = |(gap, name, die, plane, block, page)| {
            now += gap * 1_000;
            // Of an erase the row names no page: all have page 0.
            let page = if name == ERASE { 0 } else { page };
            (now, name, vec![[die, plane, plane + 4 * block, page]])
        };
        all.into_iter().map(start).collect()
    })
}

/// Operations with gaps of up to half an erase.
fn slow_sequence() -> impl Strategy<Value = Vec<Started>> {
    let erase = device().ops[op(ERASE)].durations[1].0 / 1_000;
    let name = prop_oneof![Just(ERASE), Just(READ), Just(PROGRAM), Just("Reset_LUN")];
    let operation = (0_u64..64, name, 0..2_i64, 0..2_i64);
    proptest::collection::vec(operation, 0..24).prop_map(move |all| {
        let mut now = 0;
        let start = |(gap, name, die, plane): (u64, _, _, _)| {
            now += gap * erase / 128;
            (now, name, vec![[die, plane, plane, 0]])
        };
        all.into_iter().map(start).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn both_readings_find_the_same_operations_in_a_part_of_an_op_state(ops in slow_sequence()) {
        for (at, part) in [("0-100 %", (0, 1_000_000)), ("10-35 %", (100_000, 350_000)), ("90-100 %", (900_000, 1_000_000))] {
            let when = format!("{{state_time: {{op: {READ}, state: ERASE.CORE_BUSY, at: {at}}}}}");
            let found = run(&mut FaultySite::new(device(), &fault(&when, ""), 1, 1), 1, 0, &ops);
            prop_assert_eq!(found, in_erase(&ops, part), "{}", at);
        }
    }

    #[test]
    fn both_readings_find_the_same_operations(ops in sequence()) {
            for when in [
            "{pair: {first: {base: ERASE}, second: {class: read, within: 2-5}}}",
            "{pair: {first: {base: ERASE}, second: {class: read, block: same as first, within: 6}}}",
            "{pair: {first: {class: read}, second: {class: read, plane: other than first, within: 9}, between: nothing}}",
            "{pair: {first: {class: read, block: 0-5}, second: {class: erase, die: other than first, within: 3}}}",
            "{triple: {first: {base: ERASE}, second: {class: read, within: 4}, third: {class: read, plane: same as first, within: 4}}}",
            "{triple: {first: {class: read}, second: {class: read, within: 9}, third: {base: ERASE, block: same as second, within: 9}, between: nothing}}",
            "{address: {class: read, blocks: 4-8, page: 1}}",
        ] {
            let fault = fault(when, "");
            let found = run(&mut FaultySite::new(device(), &fault, 1, 1), 1, 0, &ops);
            prop_assert_eq!(found, tried(&fault, &ops), "{}", when);
        }
        for (when, is_wear) in [("{wear: {class: read, erases: 2}}", true), ("{data: {class: read, previous_page: 0-255}}", false)] {
            let fault = fault(when, "");
            let found = run(&mut FaultySite::new(device(), &fault, 1, 1), 1, 0, &ops);
            prop_assert_eq!(found, after_others(&ops, is_wear), "{}", when);
        }
    }
}
