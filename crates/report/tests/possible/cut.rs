//! Scenarios cut out of written sequences: operations that were there, with conditions that held.

use nandseq_generate::{RandomNumbers, TableStream};
use nandseq_plan::model::{
    AddressPart, ExpectedWord, NumberRanges, PlaceRelation, Scenario, ScenarioStep, StepMoment, StepPlace, StepTime,
    WHOLE,
};
use nandseq_profile::model::{PayloadField, PhaseKind};
use nandseq_profile::{OpId, Profile, Target, Ticks};
use nandseq_trace::Status;

use crate::written::{Started, Written};

/// Random numbers.
pub(crate) struct Dice(pub(crate) TableStream);

impl Dice {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound.max(1))
    }

    pub(crate) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize].clone()
    }
}

const PARTS: [(AddressPart, PayloadField); 4] = [
    (AddressPart::Die, PayloadField::Die),
    (AddressPart::Plane, PayloadField::Plane),
    (AddressPart::Block, PayloadField::Block),
    (AddressPart::Page, PayloadField::Page),
];

fn value(target: &Target, part: AddressPart) -> u32 {
    match part {
        AddressPart::Die => u32::from(target.die.0),
        AddressPart::Plane => u32::from(target.plane.0),
        AddressPart::Block => target.block.0,
        AddressPart::Page => u32::from(target.page.0),
    }
}

/// Scenarios from all runs.
pub(crate) fn scenarios(profile: &Profile, written: &Written, seed: u64, count: usize) -> Vec<Scenario> {
    let mut dice = Dice(TableStream::new([0x6375_7473, 0], seed));
    (0..count).filter_map(|_| scenario(profile, written, &mut dice)).collect()
}

fn scenario(profile: &Profile, written: &Written, dice: &mut Dice) -> Option<Scenario> {
    let run = &written.runs[dice.below(written.runs.len() as u64) as usize];
    let others_between = dice.one_in(3);
    let names_die = |row: &Started| profile.bases[profile.ops[row.op].base].payload_has(PayloadField::Die);
    let first = dice.below(run.len() as u64) as usize;
    let die = run.get(first)?.targets.first()?.die;
    let mut rows: Vec<&Started> = vec![&run[first]];
    let length = 2 + dice.below(4) as usize;
    for row in &run[first + 1..] {
        let is_here = !names_die(row) || row.targets.first().is_none_or(|target| target.die == die);
        // Where nothing else may start, forced steps are left out, other dies, and few more.
        if rows.len() == length || rows.len() > 1 && row.start - rows[0].start > Ticks::from_us(40_000) {
            break;
        }
        let skips = dice.one_in(if others_between || row.is_forced || !is_here { 2 } else { 12 });
        if !skips {
            rows.push(row);
        }
    }
    let mut steps: Vec<ScenarioStep> = Vec::new();
    let mut of_steps: Vec<&Started> = Vec::new();
    for row in rows {
        if let (Some(last), Some(step)) = (of_steps.last_mut(), steps.last_mut())
            && last.op == row.op
            && step.places.is_empty()
            && step.when == StepTime::Next
            && dice.one_in(2)
        {
            step.repeat += 1;
            *last = row;
            continue;
        }
        steps.push(step(profile, &of_steps, row, dice));
        of_steps.push(row);
    }
    Some(Scenario { name: "cut".to_owned(), each: Vec::new(), hits: 1, rate: None, others_between, steps })
}

fn step(profile: &Profile, earlier: &[&Started], row: &Started, dice: &mut Dice) -> ScenarioStep {
    let mut ops: Vec<OpId> = vec![row.op];
    if dice.one_in(4) {
        let base = profile.ops[row.op].base;
        ops.extend(profile.ops.ids().filter(|op| profile.ops[*op].base == base));
    }
    let others = if dice.one_in(4) { 3 } else { 0 };
    ops.extend((0..others).map(|_| OpId::from(dice.below(profile.ops.len() as u64) as usize)));
    ops.sort_unstable();
    ops.dedup();
    let expect = row.status.filter(|_| dice.one_in(2)).and_then(|status| match status {
        Status::Busy => Some(ExpectedWord::Busy),
        Status::Ready => Some(ExpectedWord::Ready),
        Status::ExtReady => None,
    });
    let when = if earlier.is_empty() { StepTime::Next } else { time(profile, earlier, row, dice) };
    ScenarioStep { label: None, ops, when, places: places(profile, earlier, row, dice), repeat: 1, expect }
}

/// A time that the start of a row keeps, if nothing suspends or resets what it refers to.
fn time(profile: &Profile, earlier: &[&Started], row: &Started, dice: &mut Dice) -> StepTime {
    let step = dice.below(earlier.len() as u64) as usize;
    let of = earlier[step];
    let op = &profile.ops[of.op];
    let passed = row.start.0.saturating_sub(of.start.0);
    let mut begin = 0;
    for (phase, length) in profile.bases[op.base].phases.iter().zip(&op.durations) {
        let end = begin + length.0;
        if begin <= passed && passed <= end && length.0 > 0 && !dice.one_in(3) {
            let part = (u128::from(passed - begin) * u128::from(WHOLE) / u128::from(length.0)) as u32;
            let from = dice.pick(&[0, part, part / 2]);
            let to = dice.pick(&[WHOLE, part + 1, part + (WHOLE - part) / 2]);
            return StepTime::During { step, phase: phase.kind, at: (from, to.max(from + 1).min(WHOLE)) };
        }
        begin = end;
    }
    let moments = [
        (StepMoment::Start, 0),
        (
            StepMoment::End,
            profile.bases[op.base]
                .phases
                .iter()
                .zip(&op.durations)
                .filter(|(phase, _)| !phase.kind.is_window())
                .map(|(_, length)| length.0)
                .sum(),
        ),
        (StepMoment::PhaseEnd(PhaseKind::Issue), op.durations.first().map_or(0, |length| length.0)),
    ];
    let (moment, at) = dice.pick(&moments);
    if passed < at || dice.one_in(2) {
        return StepTime::Next;
    }
    let distance = passed - at;
    let least = dice.pick(&[0, distance, distance / 2]);
    let most = dice.pick(&[None, Some(distance), Some(distance * 2)]);
    StepTime::After { step, moment, within: (Ticks(least), most.map(Ticks)) }
}

/// Conditions that the address of a row keeps.
fn places(profile: &Profile, earlier: &[&Started], row: &Started, dice: &mut Dice) -> Vec<StepPlace> {
    let names = |row: &Started, field: PayloadField| profile.bases[profile.ops[row.op].base].payload_has(field);
    let mut places = Vec::new();
    for (part, field) in PARTS {
        if !names(row, field) {
            continue;
        }
        let own: Vec<u32> = row.targets.iter().map(|target| value(target, part)).collect();
        let is_elsewhere = part == AddressPart::Die
            && earlier.first().is_some_and(|first| names(first, field) && value(&first.targets[0], part) != own[0]);
        if !is_elsewhere && !dice.one_in(2) {
            continue;
        }
        let step = dice.below(earlier.len() as u64) as usize;
        let of = earlier.get(step).filter(|of| names(of, field));
        let others: Vec<u32> = of.iter().flat_map(|of| &of.targets).map(|target| value(target, part)).collect();
        let same = own.iter().all(|number| others.contains(number));
        let other = own.iter().all(|number| !others.contains(number));
        let is_next = own.iter().all(|number| {
            others.iter().any(|other| match part {
                AddressPart::Page => number.abs_diff(*other) == 1,
                AddressPart::Block => number.abs_diff(*other) == profile.topology.planes,
                AddressPart::Die | AddressPart::Plane => false,
            })
        });
        let relation = match of {
            Some(_) if is_next && dice.one_in(2) => PlaceRelation::NextTo(step),
            Some(_) if same && !dice.one_in(4) => PlaceRelation::SameAs(step),
            Some(_) if other && !dice.one_in(4) => PlaceRelation::OtherThan(step),
            _ => {
                let (least, most) = (own.iter().min(), own.iter().max());
                PlaceRelation::In(NumberRanges(vec![*least.unwrap()..=*most.unwrap()]))
            }
        };
        places.push(StepPlace { part, relation });
    }
    places
}
