//! Random test plans for any device: addresses, scenarios, a mix, and phases with all of them. The same number gives the same.

use nandseq_generate::{RandomNumbers, Setup, TableStream};
use nandseq_plan::model::{
    AddressPart, MixShare, NumberRanges, PlaceRelation, Scenario, ScenarioAxis, ScenarioStep, StepMoment, StepPlace,
    StepTime, WHOLE,
};
use nandseq_profile::model::PhaseKind;
use nandseq_profile::{BaseId, OpId, Profile, SourceFile, Ticks};

/// A text of random regions and limits for a device.
pub(crate) fn random_addresses(profile: &Profile, number: u64) -> String {
    let mut random = TableStream::new([0x6164_6472, 0], number);
    let mut range = |count: u32| {
        let (one, other) = (random.below(count.into()), random.below(count.into()));
        format!("{}-{}", one.min(other), one.max(other))
    };
    let topology = profile.topology;
    let mut text = String::from("addresses:\n");
    for entry in 0..1 + number % 3 {
        text += &format!("  e{entry}:\n    regions:\n");
        for region in 0..1 + (number / 3 + entry) % 3 {
            // Half of the regions are on all planes, so that each has a block there.
            let planes = if region % 2 == 0 { format!("0-{}", topology.planes - 1) } else { range(topology.planes) };
            let planes = if topology.blocks_per_die < 2 * topology.planes {
                format!("0-{}", topology.planes - 1)
            } else {
                planes
            };
            let blocks = if region % 2 == 0 {
                range(topology.blocks_per_die)
            } else {
                format!("0-{}", topology.blocks_per_die - 1)
            };
            let (dies, pages) = (range(topology.dies), range(topology.pages_per_block));
            text += &format!(
                "      - {{dies: {dies}, planes: {planes}, blocks: {blocks}, pages: {pages}, weight: {}}}\n",
                region + 1
            );
        }
        let limits = ["erases_per_block: 3", "reads_per_block: 20", "reads_per_page: 2", "open_blocks: 2"];
        let stated: Vec<&str> = limits
            .iter()
            .enumerate()
            .filter(|(at, _)| (number >> (*at as u64 + entry) & 1) == 0)
            .map(|(_, limit)| *limit)
            .collect();
        if !stated.is_empty() {
            text += &format!("    limits: {{{}}}\n", stated.join(", "));
        }
    }
    text
}

struct Dice(TableStream);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0.below(bound.max(1))
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}

fn random_step(profile: &Profile, dice: &mut Dice, at: usize) -> ScenarioStep {
    let ops = loop {
        let base = BaseId::from(dice.below(profile.bases.len() as u64) as usize);
        let ops: Vec<OpId> = profile.ops.ids().filter(|&op| profile.ops[op].base == base).collect();
        if !ops.is_empty() {
            break ops;
        }
    };
    let earlier = |dice: &mut Dice| dice.below(at as u64) as usize;
    let when = match dice.below(4) {
        0 if at > 0 => {
            let from = dice.below(10) as u32 * 100_000;
            let to = from + 100_000 * (1 + dice.below(u64::from((WHOLE - from) / 100_000)) as u32);
            let phase = dice.pick(&[PhaseKind::CoreBusy, PhaseKind::CoreBusy, PhaseKind::DataOut, PhaseKind::Issue]);
            StepTime::During { step: earlier(dice), phase, at: (from, to.min(WHOLE)) }
        }
        1 if at > 0 => {
            let moment = dice.pick(&[StepMoment::Start, StepMoment::End, StepMoment::PhaseEnd(PhaseKind::CoreBusy)]);
            let least = Ticks::from_us(dice.below(50));
            let most = Some(Ticks(least.0 + 1_000_000 * dice.below(300))).filter(|_| dice.below(4) > 0);
            StepTime::After { step: earlier(dice), moment, within: (least, most) }
        }
        _ => StepTime::Next,
    };
    let mut places = Vec::new();
    if at > 0 && dice.below(2) == 0 {
        let part = dice.pick(&[AddressPart::Die, AddressPart::Plane, AddressPart::Block, AddressPart::Page]);
        let step = earlier(dice);
        let relation = match dice.below(4) {
            0 => PlaceRelation::SameAs(step),
            1 => PlaceRelation::OtherThan(step),
            2 if matches!(part, AddressPart::Block | AddressPart::Page) => PlaceRelation::NextTo(step),
            _ => PlaceRelation::In(NumberRanges(vec![0..=dice.below(4) as u32])),
        };
        places.push(StepPlace { part, relation });
    }
    let repeat = if dice.below(4) == 0 { 1 + dice.below(4) as u32 } else { 1 };
    ScenarioStep { label: None, ops, when, places, repeat, expect: None }
}

/// Random scenarios for a device.
pub(crate) fn random_scenarios(profile: &Profile, number: u64) -> Vec<Scenario> {
    let mut dice = Dice(TableStream::new([0x7363_656e, 0], number));
    let scenario = |dice: &mut Dice, at: u64| {
        let length = 1 + dice.below(4) as usize;
        let each = [ScenarioAxis::CellType, ScenarioAxis::Die, ScenarioAxis::Plane];
        Scenario {
            name: format!("scenario {at}"),
            each: each.into_iter().filter(|_| dice.below(4) == 0).collect(),
            hits: 1 + dice.below(6) as u32,
            rate: Some(1 + dice.below(100) as u32).filter(|_| dice.below(4) == 0),
            others_between: dice.below(2) == 0,
            steps: (0..length).map(|at| random_step(profile, dice, at)).collect(),
        }
    };
    let count = 1 + dice.below(3);
    (0..count).map(|at| scenario(&mut dice, at)).collect()
}

/// A mix of some bases, drawn by a number.
pub(crate) fn random_mix(profile: &Profile, number: u64) -> Vec<MixShare> {
    let mut dice = TableStream::new([0x6d69_7865, 0], number);
    let mut left: Vec<BaseId> = profile.bases.ids().collect();
    let (mut mix, mut rest) = (Vec::new(), WHOLE);
    for _ in 0..=dice.below(4) {
        let base = left.swap_remove(dice.below(left.len() as u64) as usize);
        let share = [10_000, 50_000, 100_000, 250_000, 600_000][dice.below(5) as usize].min(rest);
        let ops: Vec<OpId> = profile.ops.ids().filter(|&op| profile.ops[op].base == base).collect();
        if share > 0 && !ops.is_empty() {
            mix.push(MixShare { name: profile.bases[base].name.clone(), ops, share });
            rest -= share;
        }
    }
    mix
}

/// The setups of two phases of a random plan, from that of the device: each with a mix and scenarios, the first with addresses.
pub(crate) fn random_phases(setup: &Setup, profile: &Profile, number: u64) -> [Setup; 2] {
    let source = SourceFile::new("plan.yaml", format!("schema: 1\n{}", random_addresses(profile, number)));
    let (plan, diagnostics) = nandseq_plan::read(&source, profile, &[]);
    let entries = plan.unwrap_or_else(|| panic!("{diagnostics:?}")).addresses;
    let all: Vec<usize> = (0..entries.len()).collect();
    [(number, &all[..]), (number + 1_000_000, &[])].map(|(number, in_force)| {
        let setup = setup.clone().with_mix(&random_mix(profile, number)).with_addresses(&entries, in_force);
        setup.with_scenarios(&random_scenarios(profile, number)).expect("few values")
    })
}
