//! Random small sequences and scenarios, in which a slow matcher finds the same.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_plan::TestPlan;
use nandseq_plan::model::{
    AddressEntry, AddressLimits, AddressPart, ExpectedWord, NumberRanges, PlaceRelation, Scenario, ScenarioAxis,
    ScenarioStep, StepMoment, StepPlace, StepTime, WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{OpId, Ticks};
use nandseq_report::plan::AxisValue;

use crate::rows::{DEVICE, count};
use crate::slow::{SlowRow, matches};

/// A generator of numbers that every run of the test repeats.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        // Knuth's MMIX generator; its upper bits are the better ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }

    fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }
}

/// Names of which none begins a chain, except reads, whose outputs are not among them.
const NAMES: [&str; 15] = [
    "Erase_SLC",
    "Program_SLC",
    "Program_SLC",
    "Program_TLC",
    "Cache_Program_SLC",
    "Read_TLC",
    "Read_SLC_Multi",
    "Copyback_Read_SLC",
    "Suspend_Program",
    "Suspend_Program",
    "Resume_Program",
    "Suspend_Erase",
    "Resume_Erase",
    "Status",
    "Reset_Die",
];
const RARE: [&str; 3] = ["Reset_All", "Identify", "Calibrate"];

fn op_of(name: &str) -> OpId {
    DEVICE.0.ops.iter_ids().find(|(_, op)| op.name == name).unwrap().0
}

fn rows(numbers: &mut Numbers, count: u64) -> Vec<SlowRow> {
    let mut time = 0;
    let row = |_| {
        time += numbers.of(&[0, 1, 2, 3, 5, 8, 21]) * 1_000_000;
        let name = if numbers.one_in(12) { numbers.of(&RARE) } else { numbers.of(&NAMES) };
        let die = if numbers.one_in(6) { 1 } else { 0 };
        let (plane, group, page) = (numbers.below(2), numbers.below(2), numbers.below(3));
        let planes = if name.ends_with("Multi") { vec![plane, plane + 1] } else { vec![plane] };
        let base = &DEVICE.0.bases[DEVICE.0.ops[op_of(name)].base];
        let has_block = base.payload.len() > 2;
        SlowRow {
            time,
            op: op_of(name),
            targets: planes.iter().filter(|_| has_block).map(|plane| [*plane, 4 * group + plane, page]).collect(),
            die: (!base.payload.is_empty()).then_some(die),
            status: (name == "Status").then(|| numbers.of(&["busy", "ready", "extrdy"])),
        }
    };
    (0..count).map(row).collect()
}

/// A row as [`count`] reads it.
fn text(row: &SlowRow) -> String {
    let die = row.die.map(|die| die.to_string()).unwrap_or_default();
    let address = if row.targets.is_empty() {
        format!("{die} {}", row.status.unwrap_or_default())
    } else {
        let target = |[plane, block, page]: &[u64; 3]| format!("{die} {plane} {block} {page}");
        row.targets.iter().map(target).collect::<Vec<_>>().join(" / ")
    };
    format!("{} {} {address}", row.time / 1_000_000, DEVICE.0.ops[row.op].name)
}

/// A step that the operation of some row may be.
fn step(numbers: &mut Numbers, at: usize, planted: OpId) -> ScenarioStep {
    let count = numbers.below(4);
    let mut ops: Vec<OpId> = (0..count).map(|_| op_of(numbers.of(&NAMES))).chain([planted]).collect();
    ops.extend(numbers.one_in(8).then(|| op_of(numbers.of(&RARE))));
    ops.sort_unstable();
    ops.dedup();
    let earlier = |numbers: &mut Numbers| numbers.below(at.max(1) as u64) as usize;
    let us = |us: u64| Ticks::from_us(us);
    let when = match numbers.below(if at == 0 { 1 } else { 6 }) {
        0..3 => StepTime::Next,
        3 => {
            let (from, to) = numbers.of(&[(0, WHOLE), (0, WHOLE / 4), (WHOLE / 4, WHOLE / 2), (WHOLE / 2, WHOLE)]);
            StepTime::During { step: earlier(numbers), phase: numbers.of(&PhaseKind::ALL), at: (from, to) }
        }
        _ => {
            let moments = [StepMoment::Start, StepMoment::End, StepMoment::PhaseEnd(numbers.of(&PhaseKind::ALL))];
            let within = numbers.of(&[(us(0), Some(us(5))), (us(3), Some(us(30))), (us(2), None), (us(0), None)]);
            StepTime::After { step: earlier(numbers), moment: numbers.of(&moments), within }
        }
    };
    let mut places = Vec::new();
    for part in [AddressPart::Die, AddressPart::Plane, AddressPart::Block, AddressPart::Page] {
        if !numbers.one_in(8) {
            continue;
        }
        let of = earlier(numbers);
        let relation = match numbers.below(if at == 0 { 1 } else { 4 }) {
            0 => PlaceRelation::In(NumberRanges(vec![0..=numbers.below(2) as u32])),
            1 => PlaceRelation::OtherThan(of),
            2 if matches!(part, AddressPart::Block | AddressPart::Page) => PlaceRelation::NextTo(of),
            _ => PlaceRelation::SameAs(of),
        };
        places.push(StepPlace { part, relation });
    }
    let expect = numbers.one_in(10).then(|| numbers.of(&[ExpectedWord::Busy, ExpectedWord::Ready]));
    let repeat = if numbers.one_in(5) { 2 } else { 1 };
    ScenarioStep { label: None, ops, when, places, repeat, expect }
}

/// A scenario of operations that some of the rows have, in their order.
fn scenario(numbers: &mut Numbers, rows: &[SlowRow]) -> Scenario {
    let count = 1 + numbers.below(4) as usize;
    let mut planted: Vec<usize> = (0..count).map(|_| numbers.below(rows.len() as u64) as usize).collect();
    planted.sort_unstable();
    let steps = planted.iter().enumerate().map(|(at, row)| step(numbers, at, rows[*row].op)).collect();
    let axes = [ScenarioAxis::CellType, ScenarioAxis::Die, ScenarioAxis::Plane, ScenarioAxis::Op(count - 1)];
    let each = axes.into_iter().filter(|_| numbers.one_in(4)).collect();
    Scenario { name: "one".to_owned(), each, hits: 1, rate: None, others_between: !numbers.one_in(3), steps }
}

#[test]
fn a_slow_matcher_finds_the_same_in_random_sequences() {
    let mut numbers = Numbers(2026);
    let (mut beginnings, mut longer) = (0, 0);
    for case in 0..8000 {
        let length = 5 + numbers.below(9);
        let rows = rows(&mut numbers, length);
        let scenario = scenario(&mut numbers, &rows);
        let plan = TestPlan { scenarios: vec![scenario], ..TestPlan::default() };
        let texts: Vec<String> = rows.iter().map(text).collect();
        let (counts, found) = count(&plan, std::slice::from_ref(&texts), &BTreeMap::new());
        let slow = matches(&DEVICE.0, &plan.scenarios[0], &rows);
        let mut wanted: BTreeMap<Vec<AxisValue>, u64> = BTreeMap::new();
        for (_, values) in &slow {
            *wanted.entry(values.clone()).or_default() += 1;
        }
        let counts = &counts.phases[&None].scenarios[&0];
        assert_eq!(counts.by_value, wanted, "case {case}: {texts:#?}\n{:#?}", plan.scenarios[0]);
        assert_eq!(counts.given_up, 0);
        let firsts: BTreeSet<usize> = slow.iter().map(|(first, _)| *first).collect();
        beginnings += firsts.len();
        longer += found.iter().filter(|one| one.steps.len() > 2).count();
    }
    // The cases are no empty ones.
    assert!(beginnings > 2700 && longer > 100, "{beginnings} matches, {longer} of three steps or more");
}

#[test]
fn numbers_that_no_device_has_and_times_that_run_backwards_are_counted_as_well() {
    let mut numbers = Numbers(7);
    for _ in 0..300 {
        let rows = rows(&mut numbers, 30);
        let scenario = scenario(&mut numbers, &rows);
        let limits = AddressLimits {
            erases_per_block: Some(1),
            reads_per_block: Some(1),
            reads_per_page: Some(1),
            open_blocks: Some(1),
        };
        let addresses = vec![AddressEntry { name: "all".to_owned(), regions: Vec::new(), limits }];
        let plan = TestPlan { scenarios: vec![scenario], addresses, ..TestPlan::default() };
        let strange = |row: &SlowRow| {
            let time = numbers.of(&["0", "5", "8640000000000", "0.000001", "70"]);
            let name = &DEVICE.0.ops[row.op].name;
            let odd = ["-1", "0", "1", "7", "64", "4294967296", "999999999999", "-999999999999"];
            let mut target = || match (row.die, row.status) {
                (None, _) => String::new(),
                (Some(_), Some(status)) => format!("{} {status}", numbers.of(&odd)),
                (Some(_), None) => (0..4).map(|_| format!("{} ", numbers.of(&odd))).collect(),
            };
            let targets: Vec<String> = (0..row.targets.len().max(1)).map(|_| target()).collect();
            format!("{time} {name} {}", targets.join(" / "))
        };
        let texts: Vec<String> = rows.iter().map(strange).collect();
        let (counts, _) = count(&plan, &[texts.clone(), texts], &BTreeMap::new());
        assert_eq!(counts.phases[&None].operations.iter().sum::<u64>(), 60);
    }
}
