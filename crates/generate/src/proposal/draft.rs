//! Completes a first operation to a plan: draws the chain that follows it.
//!
//! A plan names every operation of the chain with its address. It is made on a copy of the die's lasting state, where each step
//! is judged and carried out in turn. A plan that is returned can run to its end if no other operation intervenes.

use nandseq_device::{BaseInfo, BlockRecord, Device, DieLogic, OpInfo, Place, Reach, Register};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{BaseId, Block, CellTypeId, OpId, Page, Plane, PlaneSet, Ticks};

use super::address::register_place;
use super::preference::Preference;
use crate::kernel::{Step, carry_out, has_room, settle};
use crate::random::{RandomNumbers, Stream};
use crate::reporting::RefusalReason;
use crate::setup::{Setup, StepInfo, StepSource};

/// Scratch memory of planning. Kept, so that planning allocates nothing.
#[derive(Clone, Default, Debug)]
pub(crate) struct DraftScratch {
    state: DieLogic,
    blocks: Vec<(Block, BlockRecord)>,
    tried: Vec<usize>,
    steps: Vec<Step>,
}

/// A plan being made.
struct Planner<'a> {
    setup: &'a Setup,
    device: &'a Device,
    /// The lasting state after all steps but the last: that is carried out when another follows it.
    state: &'a mut DieLogic,
    /// Blocks that these steps will have changed.
    blocks: &'a mut Vec<(Block, BlockRecord)>,
    steps: &'a mut Vec<Step>,
    /// The planes of the chain: those of its first step that names any.
    planes: PlaneSet,
    /// Whether a limit left no room for a step.
    limited: bool,
}

/// Completes `steps`, which holds the first operation, with a chain drawn for it, or with the one that is preferred.
pub(crate) fn expand(
    setup: &Setup,
    device: &Device,
    (steps, scratch): (&mut Vec<Step>, &mut DraftScratch),
    (now, preference): (Ticks, Preference<'_>),
    stream: &mut Stream,
) -> Result<(), RefusalReason> {
    let head = steps[0];
    let follow_ups = &setup.follow_ups[setup.tables.op(head.op).base.index()];
    if follow_ups.always_alone() {
        return Ok(());
    }
    let DraftScratch { state, blocks, tried, .. } = scratch;
    tried.clear();
    if let Some(only) = preference.chain {
        tried.extend((0..follow_ups.choices.len()).filter(|&choice| choice != only));
    }
    let mut limited = false;
    loop {
        let none = if limited { RefusalReason::Limit } else { RefusalReason::NoChain };
        let drawn = follow_ups.draw(tried, preference.alone, stream).ok_or(none)?;
        let Some(chain) = follow_ups.choices[drawn].1 else { return Ok(()) };
        settle(state, (device, &setup.tables), head.place.die, &head, now);
        blocks.clear();
        let mut planner = Planner { setup, device, state, blocks, steps, planes: head.place.planes, limited: false };
        if planner.run(&setup.chains[chain], stream).is_some() {
            return Ok(());
        }
        limited |= planner.limited;
        steps.truncate(1);
        tried.push(drawn);
    }
}

impl Planner<'_> {
    /// Plans every step of a chain; `None` when a step cannot run.
    fn run(&mut self, chain: &[StepInfo], stream: &mut Stream) -> Option<()> {
        for info in chain {
            let planes = self.planes;
            if planes.is_empty() {
                let planes = if info.may_sample {
                    self.device.planes()
                } else if self.setup.tables.base(info.base).reach == Reach::Planes {
                    let count = u64::from(self.setup.tables.size.planes);
                    PlaneSet::one(Plane(stream.below(count) as u8))
                } else {
                    PlaneSet::EMPTY
                };
                self.plan_step(info, planes, Some(false), stream)?;
            } else if planes.len() == 1 || info.has_multi || !info.per_plane {
                let free = !info.multi && planes.len() > 1 && info.may_sample;
                let multi = planes.len() > 1 && info.has_multi;
                self.plan_step(info, planes, (!free).then_some(multi), stream)?;
            } else {
                let count = if info.first_plane_only { 1 } else { usize::MAX };
                for plane in planes.iter().take(count) {
                    self.plan_step(info, PlaneSet::one(plane), Some(false), stream)?;
                }
            }
        }
        Some(())
    }

    fn plan_step(&mut self, info: &StepInfo, planes: PlaneSet, multi: Option<bool>, stream: &mut Stream) -> Option<()> {
        let previous = self.carry_out_last()?.place;
        let tables = &self.setup.tables;
        let base = tables.base(info.base);
        let derived = self.derive(info.source, planes, &previous);
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
            Some(place) if self.setup.addresses.let_in(&tables.size, base, &place) => place,
            Some(_) => return None,
            None if info.may_sample => self.sample(base, op, planes, stream)?,
            None => return None,
        };
        let is_shaped = !info.per_plane || tables.op(op).multi == (place.planes.len() > 1) && !place.planes.is_empty();
        if !is_shaped {
            return None;
        }
        if info.only_puts_out && derived.is_some() {
            // The register that its address comes from holds its page.
            debug_assert_eq!(self.judge(info.base, &place).is_some(), !self.state.excludes(base, place.planes));
            if self.state.excludes(base, place.planes) {
                return None;
            }
        } else {
            self.judge(info.base, &place)?;
        }
        self.steps.push(Step { op, place });
        if !has_room(self.device, tables, self.steps, self.steps.len() - 1) {
            self.limited = true;
            return None;
        }
        if self.planes.is_empty() {
            self.planes = place.planes;
        }
        Some(())
    }

    /// The address of a step that follows from the steps before; `None`: it must be sampled, or there is none.
    fn derive(&self, source: StepSource, planes: PlaneSet, previous: &Place) -> Option<Place> {
        let die = previous.die;
        let first = || planes.iter().next();
        let held = |plane: Plane, register: Option<Register>| Some(register_place(die, plane, register?));
        match source {
            StepSource::OutputRegister => first().and_then(|plane| held(plane, self.state.planes.output(plane))),
            StepSource::PageRegister => first().and_then(|plane| held(plane, self.state.planes.page(plane))),
            StepSource::Die => Some(Place::die(die)),
            StepSource::Planes => Some(Place { planes, ..Place::die(die) }),
            StepSource::SuspendedProgram => self.state.program.map(|suspended| suspended.place),
            StepSource::SamePage => Some(Place { planes, ..*previous }),
            StepSource::NextPage => {
                let page = previous.page.0.checked_add(1).filter(|&page| page < self.setup.tables.size.pages)?;
                Some(Place { planes, page: Page(page), ..*previous })
            }
            StepSource::LastProgram => self.last_program().map(|place| Place { planes, ..place }),
            StepSource::Sampled => None,
        }
    }

    /// The place of the chain's last program, commits and loads alike.
    fn last_program(&self) -> Option<Place> {
        let programs = |step: &&Step| {
            let tables = &self.setup.tables;
            tables.base_of(step.op).effects.is_program()
        };
        self.steps.iter().rev().find(programs).map(|step| step.place)
    }

    /// Samples the address of a step on the planes of the first operation.
    fn sample(&self, info: &BaseInfo, op: OpId, planes: PlaneSet, stream: &mut Stream) -> Option<Place> {
        let op: &OpInfo = self.setup.tables.op(op);
        let addresses = self.device.book.on(self.steps[0].place.die);
        let cell: CellTypeId = op.stated_cell_type;
        let below = &mut |bound| stream.below(bound);
        let exactly = |place: Place| (place.planes == planes).then_some(place);
        match info.address {
            AddressSource::NextPage if op.multi => addresses.sample_next_on(cell, planes, below).and_then(exactly),
            AddressSource::NextPage => addresses.sample_next(cell, planes, below),
            AddressSource::ReadablePage if op.multi => addresses.sample_read_on(cell, planes, below).and_then(exactly),
            AddressSource::ReadablePage => addresses.sample_read(cell, planes, below),
            AddressSource::AnyBlock if !op.multi => {
                addresses.sample_any(planes, below).map(|place| Place { cell_type: cell, ..place })
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

    /// Carries out the last step so far, which has been judged.
    #[inline]
    fn carry_out_last(&mut self) -> Option<Step> {
        let (tables, step) = (&self.setup.tables, *self.steps.last()?);
        let base = tables.op(step.op).base;
        carry_out(self.state, tables, base, &step.place);
        self.change_blocks(tables.base(base), &step.place);
        Some(step)
    }

    /// Judges a step on the copy.
    fn judge(&self, base: BaseId, place: &Place) -> Option<()> {
        let tables = &self.setup.tables;
        let info = tables.base(base);
        // A chain cannot suspend: when a step is due, no operation of its chain is in CORE_BUSY. A chain may not change
        // the state of the target: other chains depend on it.
        if info.effects.suspend.is_some() || info.effects.holds_target {
            return None;
        }
        self.state.allows(tables, info, place, self.device.planes()).then_some(())?;
        self.judge_blocks(info, place)
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
    let DraftScratch { state, blocks, steps, .. } = scratch;
    settle(state, (device, &setup.tables), head.place.die, head, now);
    blocks.clear();
    steps.clear();
    steps.push(*head);
    let mut planner = Planner { setup, device, state, blocks, steps, planes: head.place.planes, limited: false };
    for step in rest {
        let judged = planner.carry_out_last().and_then(|_| planner.judge(setup.tables.op(step.op).base, &step.place));
        judged.ok_or(RefusalReason::NoChain)?;
        planner.steps.push(*step);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
