//! Scenarios that are drawn at random, with regions at times.

use nandseq_generate::TableStream;
use nandseq_plan::TestPlan;
use nandseq_plan::model::{
    AddressEntry, AddressLimits, AddressPart, NumberRanges, PlaceRelation, Region, Scenario, ScenarioStep, StepMoment,
    StepPlace, StepTime, WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId, Profile, Ticks};

use crate::cut::Dice;

/// A plan of random scenarios.
pub(crate) fn plan(profile: &Profile, seed: u64) -> TestPlan {
    let mut dice = Dice(TableStream::new([0x6472_6177, 0], seed));
    let scenarios = (0..8).map(|_| scenario(profile, &mut dice)).collect();
    let addresses = if dice.one_in(2) { vec![addresses(profile, &mut dice)] } else { Vec::new() };
    crate::plan(scenarios, addresses)
}

pub(crate) fn addresses(profile: &Profile, dice: &mut Dice) -> AddressEntry {
    let topology = profile.topology;
    let mut range = |count: u32, whole: u64| {
        let from = if dice.one_in(whole) { dice.below(count.into()) as u32 } else { 0 };
        let to = if dice.one_in(whole) { from + dice.below(u64::from(count - from)) as u32 } else { count - 1 };
        NumberRanges(vec![from..=to])
    };
    let region = Region {
        dies: range(topology.dies, 6),
        planes: range(topology.planes, 6),
        blocks: range(topology.blocks_per_die, 1),
        pages: range(topology.pages_per_block, 4),
        weight: 1,
    };
    AddressEntry { name: "here".to_owned(), regions: vec![region], limits: AddressLimits::default() }
}

fn scenario(profile: &Profile, dice: &mut Dice) -> Scenario {
    let steps = (0..1 + dice.below(3) as usize).map(|at| step(profile, dice, at)).collect();
    let others_between = dice.one_in(3);
    Scenario { name: "drawn".to_owned(), each: Vec::new(), hits: 50, rate: None, others_between, steps }
}

fn step(profile: &Profile, dice: &mut Dice, at: usize) -> ScenarioStep {
    let ops: Vec<OpId> = loop {
        let base = BaseId::from(dice.below(profile.bases.len() as u64) as usize);
        let ops: Vec<OpId> = profile.ops.ids().filter(|op| profile.ops[*op].base == base).collect();
        if !ops.is_empty() {
            break if dice.one_in(2) { ops } else { vec![dice.pick(&ops)] };
        }
    };
    let earlier = |dice: &mut Dice| dice.below(at as u64) as usize;
    let when = match dice.below(4) {
        0 if at > 0 => {
            let from = dice.below(10) as u32 * (WHOLE / 10);
            let to = from + (WHOLE / 10) * (1 + dice.below(9)) as u32;
            let phase = dice.pick(&[PhaseKind::CoreBusy, PhaseKind::CoreBusy, PhaseKind::DataOut, PhaseKind::Issue]);
            StepTime::During { step: earlier(dice), phase, at: (from, to.min(WHOLE)) }
        }
        1 if at > 0 => {
            let moment = dice.pick(&[StepMoment::Start, StepMoment::End, StepMoment::PhaseEnd(PhaseKind::CoreBusy)]);
            let least = dice.pick(&[0, 0, 1, 20, 300]);
            let most = dice.pick(&[None, Some(least + 1), Some(least + 30), Some(least + 3000)]);
            let within = (Ticks::from_us(least), most.map(Ticks::from_us));
            StepTime::After { step: earlier(dice), moment, within }
        }
        _ => StepTime::Next,
    };
    let topology = profile.topology;
    let parts = [
        (AddressPart::Die, topology.dies),
        (AddressPart::Plane, topology.planes),
        (AddressPart::Block, topology.blocks_per_die),
        (AddressPart::Page, topology.pages_per_block),
    ];
    let mut places = Vec::new();
    for (part, count) in parts {
        if !dice.one_in(if part == AddressPart::Die { 8 } else { 3 }) {
            continue;
        }
        let relation = match dice.below(4) {
            0 if at > 0 => PlaceRelation::SameAs(earlier(dice)),
            1 if at > 0 => PlaceRelation::SameAs(earlier(dice)),
            2 if at > 0 => PlaceRelation::OtherThan(earlier(dice)),
            _ if at > 0 && !dice.one_in(3) => continue,
            _ => {
                let from = dice.below(u64::from(count).min(8)) as u32;
                PlaceRelation::In(NumberRanges(vec![from..=(from + dice.below(3) as u32).min(count - 1)]))
            }
        };
        places.push(StepPlace { part, relation });
    }
    let repeat = if dice.one_in(5) { 2 } else { 1 };
    ScenarioStep { label: None, ops, when, places, repeat, expect: None }
}
