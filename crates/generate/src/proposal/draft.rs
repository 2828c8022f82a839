//! Completes a first operation to a plan: draws the chain that follows it.
//!
//! A plan names every operation of the chain with its address. It is made on a copy of the die's lasting state, where each step
//! is judged and carried out in turn. A plan that is returned can run to its end if no other operation intervenes.

use nandseq_device::{BaseInfo, BlockRecord, Device, DieLogic, OpInfo, Place, Reach, Register};
use nandseq_profile::model::{AddressSource, StepAddress};
use nandseq_profile::{Block, CellTypeId, OpId, Page, Plane, PlaneSet, Ticks};

use super::address::register_place;
use crate::kernel::{Step, carry_out, settle};
use crate::random::{RandomNumbers, Stream};
use crate::reporting::RefusalReason;
use crate::setup::{Setup, StepInfo};

/// Scratch memory of planning. Kept, so that planning allocates nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct DraftScratch {
    blocks: Vec<(Block, BlockRecord)>,
    tried: Vec<usize>,
    steps: Vec<Step>,
}

/// A plan being made.
struct Planner<'a> {
    setup: &'a Setup,
    device: &'a Device,
    sim: DieLogic,
    /// Blocks that the steps so far will have changed.
    blocks: &'a mut Vec<(Block, BlockRecord)>,
    steps: &'a mut Vec<Step>,
}

/// Completes `steps`, which holds the first operation, with a chain drawn for it. `alone` is the factor on the weight of standing
/// alone, if the operation may.
pub(crate) fn expand(
    setup: &Setup,
    device: &Device,
    (steps, scratch): (&mut Vec<Step>, &mut DraftScratch),
    (now, alone): (Ticks, u64),
    stream: &mut Stream,
) -> Result<(), RefusalReason> {
    let head = steps[0];
    let choices = &setup.follow_ups[setup.tables.op(head.op).base.index()].choices;
    if let [(_, None)] = choices[..] {
        return Ok(());
    }
    let weight = |&(weight, chain): &(u64, Option<usize>)| if chain.is_none() { weight * alone } else { weight };
    let DraftScratch { blocks, tried, .. } = scratch;
    tried.clear();
    loop {
        let left = choices.iter().enumerate().filter(|(at, _)| !tried.contains(at));
        let drawn = stream.pick(left.map(|(at, choice)| ((at, choice.1), weight(choice))));
        let (index, chain) = drawn.ok_or(RefusalReason::NoChain)?;
        let Some(chain) = chain else { return Ok(()) };
        blocks.clear();
        let mut planner = Planner { setup, device, sim: *device.logic(head.place.die), blocks, steps };
        settle(&mut planner.sim, device, &setup.tables, head.place.die, (&head, now));
        if planner.run(&setup.chains[chain], stream).is_some() {
            return Ok(());
        }
        steps.truncate(1);
        tried.push(index);
    }
}

impl Planner<'_> {
    /// Plans every step of a chain; `None` when a step cannot run.
    fn run(&mut self, chain: &[StepInfo], stream: &mut Stream) -> Option<()> {
        let head = self.steps[0];
        self.carry_out(head)?;
        for info in chain {
            // The planes of the chain are those of its first step that names any.
            let planes = self.steps.iter().map(|step| step.place.planes).find(|planes| !planes.is_empty());
            let planes = match planes {
                Some(planes) => planes,
                None if needs_sample(self.setup, info) => self.device.planes(),
                None if self.setup.tables.base(info.base).reach == Reach::Planes => {
                    let count = u64::from(self.setup.tables.size.planes);
                    PlaneSet::one(Plane(stream.below(count) as u8))
                }
                None => PlaneSet::EMPTY,
            };
            let anywhere = self.steps.iter().all(|step| step.place.planes.is_empty());
            if anywhere && !planes.is_empty() {
                self.plan_step(info, planes, Some(false), stream)?;
                continue;
            }
            if planes.len() <= 1 || info.has_multi || !info.per_plane {
                let free = !info.multi && planes.len() > 1 && needs_sample(self.setup, info);
                let multi = planes.len() > 1 && info.has_multi;
                self.plan_step(info, planes, (!free).then_some(multi), stream)?;
                continue;
            }
            let is_output = self.setup.tables.base(info.base).address == AddressSource::OutputRegister;
            let count = if is_output && !self.setup.split_dout { 1 } else { usize::MAX };
            for plane in planes.iter().take(count) {
                self.plan_step(info, PlaneSet::one(plane), Some(false), stream)?;
            }
        }
        Some(())
    }

    fn plan_step(&mut self, info: &StepInfo, planes: PlaneSet, multi: Option<bool>, stream: &mut Stream) -> Option<()> {
        let derived = self.derive(info, planes);
        let previous = self.steps.last().map(|step| step.place)?;
        let cell = match derived {
            Some(place) if !place.planes.is_empty() => Some(place.cell_type),
            _ if info.same_cell_type => Some(previous.cell_type),
            _ => None,
        };
        let multi = match derived {
            Some(place) if info.per_plane => Some(place.planes.len() > 1),
            _ => multi,
        };
        let op = info.fitting(previous.die, multi, cell).draw(stream)?;
        let place = match derived {
            Some(place) => place,
            None if needs_sample(self.setup, info) => self.sample(info, op, planes, stream)?,
            None => return None,
        };
        let fits = self.setup.tables.op(op).multi == (place.planes.len() > 1) && !place.planes.is_empty();
        let shaped = !info.per_plane || fits;
        let step = shaped.then_some(Step { op, place })?;
        self.carry_out(step)?;
        self.steps.push(step);
        Some(())
    }

    /// The address of a step that follows from the steps before; `None`: it must be sampled, or there is none.
    fn derive(&self, info: &StepInfo, planes: PlaneSet) -> Option<Place> {
        let base = self.setup.tables.base(info.base);
        let head = self.steps[0].place;
        let previous = self.steps.last().map(|step| step.place)?;
        let first = planes.iter().next();
        let held = |plane: Plane, register: Option<Register>| Some(register_place(head.die, plane, register?));
        let output = || first.and_then(|plane| held(plane, self.sim.planes.output(plane)));
        match base.address {
            AddressSource::OutputRegister => return output(),
            AddressSource::PageRegister => {
                return first.and_then(|plane| held(plane, self.sim.planes.page(plane)));
            }
            AddressSource::None | AddressSource::Hook => {
                let on_planes = base.reach == Reach::Planes;
                return Some(if on_planes { Place { planes, ..Place::die(head.die) } } else { Place::die(head.die) });
            }
            AddressSource::SuspendedProgram => return self.sim.program.map(|suspended| suspended.place),
            AddressSource::AnyBlock
            | AddressSource::NextPage
            | AddressSource::ReadablePage
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => {}
        }
        match info.address {
            StepAddress::SamePage => Some(Place { planes, ..previous }),
            StepAddress::IncPage => {
                let page = previous.page.0.checked_add(1).filter(|&page| page < self.setup.tables.size.pages)?;
                Some(Place { planes, page: Page(page), ..previous })
            }
            StepAddress::ProgramSamePage => self.last_program().map(|place| Place { planes, ..place }),
            StepAddress::SuspendedProgram => self.sim.program.map(|suspended| suspended.place),
            StepAddress::PreviousPage => output(),
            StepAddress::SameRegister => Some(Place::die(head.die)),
            StepAddress::Sampled => None,
        }
    }

    /// The place of the chain's last program, commits and loads alike.
    fn last_program(&self) -> Option<Place> {
        let programs = |step: &&Step| {
            let tables = &self.setup.tables;
            tables.base(tables.op(step.op).base).effects.is_program()
        };
        self.steps.iter().rev().find(programs).map(|step| step.place)
    }

    /// Samples the address of a step on the planes of the first operation.
    fn sample(&self, info: &StepInfo, op: OpId, planes: PlaneSet, stream: &mut Stream) -> Option<Place> {
        let op: &OpInfo = self.setup.tables.op(op);
        let (book, die) = (&self.device.book, self.steps[0].place.die);
        let cell: CellTypeId = op.stated_cell_type;
        let below = &mut |bound| stream.below(bound);
        let exactly = |place: Place| (place.planes == planes).then_some(place);
        match self.setup.tables.base(info.base).address {
            AddressSource::NextPage if op.multi => book.sample_next_on(die, cell, planes, below).and_then(exactly),
            AddressSource::NextPage => book.sample_next(die, cell, planes, below),
            AddressSource::ReadablePage if op.multi => book.sample_read_on(die, cell, planes, below).and_then(exactly),
            AddressSource::ReadablePage => book.sample_read(die, cell, planes, below),
            AddressSource::AnyBlock if !op.multi => {
                book.sample_any(die, planes, below).map(|place| Place { cell_type: cell, ..place })
            }
            AddressSource::AnyBlock
            | AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::SuspendedProgram
            | AddressSource::OneShotLatch
            | AddressSource::CopybackLatch => None,
        }
    }

    /// Judges a step on the copy and carries it out there. The first operation of a plan has been judged by the device.
    fn carry_out(&mut self, step: Step) -> Option<()> {
        let tables = &self.setup.tables;
        let base = tables.op(step.op).base;
        let info = tables.base(base);
        let first = self.steps.len() == 1 && self.steps[0] == step;
        if !first {
            // A chain cannot suspend: when a step is due, no operation of its chain is in CORE_BUSY. A chain may not change
            // the state of the target: other chains depend on it.
            if info.effects.suspend.is_some() || info.effects.holds_target {
                return None;
            }
            self.sim.allows(tables, info, &step.place, self.device.planes()).then_some(())?;
            self.judge_blocks(info, &step.place)?;
        }
        carry_out(&mut self.sim, tables, base, &step.place);
        self.change_blocks(info, &step.place);
        Some(())
    }

    /// Whether the block rules allow a step after the earlier steps of its chain.
    fn judge_blocks(&self, info: &BaseInfo, place: &Place) -> Option<()> {
        let book = &self.device.book;
        let record = |block: Block| {
            let changed = self.blocks.iter().find(|(changed, _)| *changed == block);
            changed.map_or_else(|| *book.record(place.die, block), |(_, record)| *record)
        };
        book.judge_with(info, place, place.cell_type, record).ok()
    }

    fn change_blocks(&mut self, info: &BaseInfo, place: &Place) {
        if !(info.effects.erase || info.effects.program || info.effects.close) {
            return;
        }
        let size = &self.setup.tables.size;
        for plane in place.planes.iter() {
            let block = place.block(size, plane);
            let known = self.blocks.iter().position(|(changed, _)| *changed == block);
            let at = known.unwrap_or_else(|| {
                self.blocks.push((block, *self.device.book.record(place.die, block)));
                self.blocks.len() - 1
            });
            self.blocks[at].1.finish(info, place, size.pages);
        }
    }
}

/// Whether every step after the first of a plan made earlier is possible now.
pub(crate) fn still_possible(
    setup: &Setup,
    device: &Device,
    scratch: &mut DraftScratch,
    plan: &[Step],
    now: Ticks,
) -> Result<(), RefusalReason> {
    let Some((head, rest)) = plan.split_first().filter(|(_, rest)| !rest.is_empty()) else { return Ok(()) };
    let DraftScratch { blocks, steps, .. } = scratch;
    blocks.clear();
    steps.clear();
    steps.push(*head);
    let mut planner = Planner { setup, device, sim: *device.logic(head.place.die), blocks, steps };
    settle(&mut planner.sim, device, &setup.tables, head.place.die, (head, now));
    planner.carry_out(*head).ok_or(RefusalReason::NoChain)?;
    for step in rest {
        planner.steps.push(*step);
        planner.carry_out(*step).ok_or(RefusalReason::NoChain)?;
    }
    Ok(())
}

fn needs_sample(setup: &Setup, info: &StepInfo) -> bool {
    let sampled = matches!(info.address, StepAddress::Sampled | StepAddress::ProgramSamePage);
    sampled && setup.tables.base(info.base).has_block
}

#[cfg(test)]
mod tests;
