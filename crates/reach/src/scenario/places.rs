//! Steps that are impossible by themselves: what they need is nowhere, or what they state contradicts itself.

use std::collections::HashSet;

use nandseq_device::{BaseInfo, OpInfo, Reach, Rule};
use nandseq_plan::TestPlan;
use nandseq_plan::model::{AddressPart, PlaceRelation, Region};
use nandseq_profile::model::{AddressSource, StatusOf};
use nandseq_profile::{Block, Die, OpId, PhaseKey, Profile};

use super::steps::{Obstacle, Steps, code};
use crate::model::Start;
use crate::possible::never_provided;
use crate::reason::Reason;

/// What scenarios find on the device when runs of the plan begin.
pub(crate) struct Surroundings<'a> {
    bad: HashSet<(Die, Block)>,
    /// For each operation why it can never start, whatever the weights.
    never: Vec<Option<Reason>>,
    plan: &'a TestPlan,
    /// The regions of each phase; `None` where addresses are drawn from the whole device.
    regions: Vec<Option<Vec<&'a Region>>>,
}

const OTHER_NUMBERS: &str = "state other numbers, or another relation";

impl<'a> Surroundings<'a> {
    pub(crate) fn new(profile: &Profile, plan: &'a TestPlan, start: Start<'_>) -> Self {
        let all: Vec<(OpId, f64)> = profile.ops.ids().map(|op| (op, 1.0)).collect();
        let everything: Vec<usize> = (0..plan.addresses.len()).collect();
        let phases = plan.phases.iter().map(|phase| &phase.addresses);
        let phases = phases.chain(plan.phases.is_empty().then_some(&everything));
        let mut regions: Vec<Option<Vec<&Region>>> = phases
            .map(|in_force| in_force.iter().flat_map(|&at| &plan.addresses[at].regions).collect())
            .map(|regions: Vec<&Region>| (!regions.is_empty()).then_some(regions))
            .collect();
        if start.bootstrap
            && let Some(first) = regions.first_mut()
        {
            *first = None;
        }
        Self {
            bad: start.bad_blocks.iter().copied().collect(),
            never: never_provided(profile, &[(PhaseKey::DEFAULT, all)], start),
            plan,
            regions,
        }
    }

    /// The regions in force in some of the phases of a scenario, or in any phase; `None` if they do not restrict.
    fn regions(&self, scenario: usize, in_any_phase: bool) -> Option<Vec<&'a Region>> {
        let counts = |at: &usize| {
            let phase = self.plan.phases.get(*at);
            in_any_phase || phase.is_none_or(|phase| phase.scenarios.contains(&scenario))
        };
        let of_phases = (0..self.regions.len()).filter(counts).map(|at| self.regions[at].clone());
        let all: Option<Vec<Vec<&Region>>> = of_phases.collect();
        all.map(Vec::into_iter).map(|all| all.flatten().collect()).filter(|all: &Vec<_>| !all.is_empty())
    }
}

/// What keeps an operation from ever being a step.
pub(crate) fn obstacle(
    steps: &Steps<'_>,
    (scenario, device): (usize, &Surroundings<'_>),
    step: usize,
    op: OpId,
) -> Option<Obstacle> {
    let (own, info) = steps.op(op);
    never(steps, device, op)
        .or_else(|| of_status(steps, step, own))
        .or_else(|| contradiction(steps, step))
        .or_else(|| planes(steps, step, (own, info)))
        .or_else(|| if info.has_block { blocks(steps, (scenario, device), step, (own, info)) } else { None })
        .or_else(|| pages(steps, step, info))
}

fn never(steps: &Steps<'_>, device: &Surroundings<'_>, op: OpId) -> Option<Obstacle> {
    let reason = device.never[op.index()]?;
    let (own, info) = steps.op(op);
    let rule = match reason {
        Reason::Missing => Rule::Bounds,
        Reason::BadBlocks => Rule::BadBlock,
        Reason::CellType if info.address == AddressSource::ReadablePage => Rule::ReadBeforeProgram,
        Reason::CellType => Rule::ProgramBeforeErase,
        Reason::NoSuspendTarget(_) => Rule::SuspendTarget,
        Reason::NotSuspended(_) => Rule::ResumeTarget,
        Reason::SuspendedProgram => Rule::RecoveryTarget,
        Reason::Latch(_) => Rule::OneshotOrder,
        Reason::PageRegister => Rule::CacheSequence,
        Reason::CopybackRegister => Rule::CopybackSource,
        Reason::OutputRegister => Rule::DoutSource,
        // The others depend on weights or states, or are about proposals.
        Reason::Excluded
        | Reason::NoWeight
        | Reason::NoHead
        | Reason::NoHook
        | Reason::Delay
        | Reason::OnePlane
        | Reason::NoRegion
        | Reason::OpState(_)
        | Reason::Occupied(_)
        | Reason::NoResume(_)
        | Reason::ProgramFirst
        | Reason::State(_)
        | Reason::UnreadData
        | Reason::ChainUnderWay
        | Reason::NoChain => return None,
    };
    let name = code(&steps.profile.ops[op].name);
    let because =
        format!("{name} can never start on the device: {}", reason.text(steps.profile, PhaseKey::DEFAULT, op));
    let _ = own;
    Some(Obstacle::by(rule, because, "state another operation, or give the device what this one needs"))
}

fn of_status(steps: &Steps<'_>, step: usize, op: &OpInfo) -> Option<Obstacle> {
    let Some(StatusOf::Lun(lun)) = op.status_of else { return None };
    let lun = u32::from(lun);
    let help = "state another operation or another die";
    if lun >= steps.profile.topology.dies {
        return Some(Obstacle::by(
            Rule::Bounds,
            format!("it reads the status of LUN {lun}, which does not exist"),
            help,
        ));
    }
    let because = format!("it reads the status of LUN {lun}, and the step asks for another die");
    (!steps.allows(step, AddressPart::Die, lun)).then(|| Obstacle::by(Rule::StatusValue, because, help))
}

/// What a step states twice, so that it cannot be met.
fn contradiction(steps: &Steps<'_>, step: usize) -> Option<Obstacle> {
    steps.step(step).places.iter().find_map(|place| {
        let PlaceRelation::OtherThan(of) = place.relation else { return None };
        let (part, is_same) = match place.part {
            AddressPart::Die => {
                let die = steps.die(step);
                let is_stated = die.is_some() && die == steps.die(of) && steps.step(of).repeat == 1;
                (
                    "die",
                    is_stated && (steps.profile.topology.dies == 1 || steps.number(step, AddressPart::Die).is_some()),
                )
            }
            AddressPart::Plane => ("plane", steps.is_within(AddressPart::Plane, step, of)),
            AddressPart::Block => ("block", steps.is_within(AddressPart::Block, step, of)),
            AddressPart::Page => ("page", steps.is_within(AddressPart::Page, step, of)),
        };
        let because = format!("it is to be on another {part} than {}, and no other is left for it", steps.name(of));
        is_same.then(|| Obstacle::new("no_address", because, OTHER_NUMBERS))
    })
}

/// The number of planes that an operation needs.
fn needed((op, info): (&OpInfo, &BaseInfo)) -> u32 {
    if op.multi && (info.reach == Reach::Planes || info.has_block) { 2 } else { 1 }
}

fn planes(steps: &Steps<'_>, step: usize, op: (&OpInfo, &BaseInfo)) -> Option<Obstacle> {
    let needed = needed(op);
    let all = steps.profile.topology.planes;
    let help = "state an operation of fewer planes, or leave it more planes";
    let too_few = |because: String| {
        Some(Obstacle::by(if needed > 1 { Rule::MultiPlaneGroup } else { Rule::Bounds }, because, help))
    };
    for place in &steps.step(step).places {
        match place.relation {
            PlaceRelation::OtherThan(of) if place.part == AddressPart::Plane => {
                let used = steps.of(of).map(self::needed).min().unwrap_or(1);
                if needed + used > all {
                    let other = steps.name(of);
                    return too_few(format!(
                        "of {all} planes, {used} are those of {other}, and it needs {needed} others"
                    ));
                }
            }
            PlaceRelation::SameAs(of) | PlaceRelation::NextTo(of) => {
                let is_one = matches!(place.part, AddressPart::Plane | AddressPart::Block);
                if is_one && needed > 1 && steps.is_single(of) {
                    let other = steps.name(of);
                    return too_few(format!(
                        "{other} has one plane, and an operation of several planes does not fit it"
                    ));
                }
            }
            PlaceRelation::OtherThan(_) | PlaceRelation::In(_) => {}
        }
    }
    let left = (0..all).filter(|&plane| steps.allows(step, AddressPart::Plane, plane)).count() as u32;
    (left < needed).then(|| too_few(format!("the step leaves it {left} of {needed} planes")))?
}

/// Whether blocks of one group fit a step, at least as many as are needed.
fn has_blocks(steps: &Steps<'_>, step: usize, needed: u32, good: impl Fn(u32, u32) -> bool) -> bool {
    let topology = steps.profile.topology;
    let fits = |die: u32, block: u32| {
        steps.allows(step, AddressPart::Block, block)
            && steps.allows(step, AddressPart::Plane, block % topology.planes)
            && good(die, block)
    };
    let dies = (0..topology.dies).filter(|&die| steps.allows(step, AddressPart::Die, die));
    dies.into_iter().any(|die| {
        (0..topology.blocks_per_die.div_ceil(topology.planes)).any(|group| {
            let blocks = (group * topology.planes..topology.blocks_per_die).take(topology.planes as usize);
            blocks.filter(|&block| fits(die, block)).count() as u32 >= needed
        })
    })
}

fn blocks(
    steps: &Steps<'_>,
    (scenario, device): (usize, &Surroundings<'_>),
    step: usize,
    (op, info): (&OpInfo, &BaseInfo),
) -> Option<Obstacle> {
    let needed = needed((op, info));
    if !has_blocks(steps, step, 1, |_, _| true) {
        return Some(Obstacle::by(Rule::Bounds, "none of its blocks lies on one of its planes", OTHER_NUMBERS));
    }
    if !has_blocks(steps, step, needed, |_, _| true) {
        let because = "no two of its blocks are of one block group";
        return Some(Obstacle::by(Rule::MultiPlaneGroup, because, "state an operation of one plane, or more blocks"));
    }
    let uses_array = info.changes_block || info.reads_page || info.address == AddressSource::AnyBlock;
    if !uses_array {
        return None;
    }
    let is_good = |die: u32, block: u32| !device.bad.contains(&(Die(die as u8), Block(block)));
    if !has_blocks(steps, step, needed, is_good) {
        return Some(Obstacle::by(Rule::BadBlock, "every block that it may use is bad", OTHER_NUMBERS));
    }
    // What follows from the state of a die is not drawn: the next program of a cache program, which chains or earlier phases may have begun.
    let (in_any_phase, by_page) = match info.address {
        _ if steps.forced.contains(op.base) => return None,
        AddressSource::AnyBlock => (false, false),
        AddressSource::ReadablePage => (false, true),
        AddressSource::NextPage => (true, false),
        AddressSource::None
        | AddressSource::Hook
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => return None,
    };
    let regions = device.regions(scenario, in_any_phase)?;
    let fits_page = |region: &Region| {
        let mut pages = region.pages.0.iter().cloned().flatten();
        !by_page || pages.any(|page| steps.allows(step, AddressPart::Page, page))
    };
    let regions: Vec<&Region> = regions.into_iter().filter(|region| fits_page(region)).collect();
    let is_drawn = |die: u32, block: u32| {
        let planes = steps.profile.topology.planes;
        is_good(die, block)
            && regions.iter().any(|region| {
                region.dies.contains(die) && region.planes.contains(block % planes) && region.blocks.contains(block)
            })
    };
    let because = "no region in force has an address that the step asks for";
    let help = "state numbers of a region, or add them to a region";
    (!has_blocks(steps, step, needed, is_drawn)).then(|| Obstacle::new("no_address", because, help))
}

fn pages(steps: &Steps<'_>, step: usize, info: &BaseInfo) -> Option<Obstacle> {
    let (guard, count) = (steps.profile.offset_guard, steps.profile.topology.pages_per_block);
    let mut readable = 0..count.saturating_sub(guard);
    let lacks = info.reads_page && !readable.any(|page| steps.allows(step, AddressPart::Page, page));
    let because = format!("a read needs a page at least {guard} before the last one of its block, {}", count - 1);
    lacks.then(|| Obstacle::by(Rule::ReadBeforeProgram, because, "state earlier pages"))
}
