//! Which operations belong together: those that hand something on to one another by registers, latches, cache states or suspension.
//!
//! A read belongs to the output of its data, the loads of a one-shot program to the program, a SUSPEND to what it suspends and to its
//! RESUME, a reset to what it ends. [`Links`] hears of the operations of a legal sequence as they happen and joins them into
//! [units](Links::units). Blocks join nothing: that a read needs the program of its page, and a program the erase of its block, is found
//! from the addresses.

use nandseq_device::{Device, Place, Precondition, StateChange, Tables};
use nandseq_profile::model::{AddressSource, Axis, ByAxis, LatchKind};
use nandseq_profile::{Die, OpId, PlaneSet};
use nandseq_trace::Cut;

use crate::player::Happened;

/// The operations that a die's lasting state comes from.
#[derive(Clone, Default, Debug)]
struct DieOwners {
    page: [Option<u32>; 8],
    output: [Option<u32>; 8],
    cache_read: [Option<u32>; 8],
    one_shot: Option<u32>,
    copyback: Option<u32>,
    cache_program: Option<u32>,
    /// The SUSPENDs of what is suspended.
    suspend: ByAxis<Option<u32>>,
}

impl DieOwners {
    const fn latch(&mut self, kind: LatchKind) -> &mut Option<u32> {
        match kind {
            LatchKind::OneShot => &mut self.one_shot,
            LatchKind::Copyback => &mut self.copyback,
        }
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        let of_planes = self.page.iter().chain(&self.output).chain(&self.cache_read);
        let of_die = [&self.one_shot, &self.copyback, &self.cache_program].into_iter().chain(self.suspend.values());
        of_planes.chain(of_die).copied().flatten()
    }
}

/// The operations of a sequence joined into units.
#[derive(Debug)]
pub(crate) struct Links<'t> {
    tables: &'t Tables,
    dies: Vec<DieOwners>,
    odt: Option<u32>,
    write_protect: Option<u32>,
    /// By operation: another one of its unit that comes earlier, or itself.
    above: Vec<u32>,
    /// By reset: the operations whose blocks it left unerased.
    pub(crate) aborted: Vec<(u32, u32)>,
}

impl<'t> Links<'t> {
    pub(crate) fn new(tables: &'t Tables) -> Self {
        let dies = vec![DieOwners::default(); usize::from(tables.size.dies)];
        Self { tables, dies, odt: None, write_protect: None, above: Vec::new(), aborted: Vec::new() }
    }

    fn root(&mut self, mut item: u32) -> u32 {
        while self.above[item as usize] != item {
            let above = self.above[self.above[item as usize] as usize];
            self.above[item as usize] = above;
            item = above;
        }
        item
    }

    fn join(&mut self, one: u32, other: Option<u32>) {
        let Some(other) = other else { return };
        let (one, other) = (self.root(one), self.root(other));
        self.above[one.max(other) as usize] = one.min(other);
    }

    fn join_on(&mut self, item: u32, planes: PlaneSet, owners: [Option<u32>; 8]) {
        planes.iter().for_each(|plane| self.join(item, owners[plane.index()]));
    }

    /// An operation is about to start on a device that allows it. Operations come in order of their numbers, from 0 on.
    pub(crate) fn before(&mut self, item: u32, (op, place): (OpId, &Place), device: &Device) {
        self.above.push(item);
        let info = self.tables.base(self.tables.op(op).base);
        let owners = self.dies[place.die.index()].clone();
        for need in info.effects.needs() {
            match need {
                Precondition::CopybackPage | Precondition::PageToReadOn | Precondition::PageToPutOut => {
                    self.join_on(item, place.planes, owners.page);
                }
                Precondition::Output => self.join_on(item, place.planes, owners.output),
                Precondition::Latch(kind, need) if need != Default::default() => {
                    let loaded = *self.dies[place.die.index()].latch(kind);
                    self.join(item, loaded);
                }
                Precondition::NextOfCacheProgram if device.logic(place.die).cache_program.is_some() => {
                    self.join(item, owners.cache_program);
                }
                Precondition::Suspended(axis) => self.join(item, owners.suspend[axis]),
                // What a SUSPEND cuts is told when it is cut.
                Precondition::InCoreBusy(_) => {}
                Precondition::Latch(..) | Precondition::NextOfCacheProgram => {}
                Precondition::NothingUnread | Precondition::NothingInFlight(_) => {}
            }
        }
        if info.address == AddressSource::SuspendedProgram {
            self.join(item, owners.suspend[Axis::Program]);
        }
        if info.effects.resets() {
            // Data that nobody has put out is lost.
            for die in (0..self.tables.size.dies).map(Die).filter(|die| info.effects.reset_target || *die == place.die)
            {
                let output = self.dies[die.index()].output;
                self.join_on(item, device.logic(die).planes.unread(), output);
            }
        }
    }

    /// The operation has started.
    pub(crate) fn started(&mut self, item: u32, (op, place): (OpId, &Place)) {
        let info = self.tables.base(self.tables.op(op).base);
        if let Some(axis) = info.effects.suspend {
            self.dies[place.die.index()].suspend[axis] = Some(item);
        }
        info.effects.at_start.iter().for_each(|change| self.change(item, *change, place, info.effects.reset_target));
    }

    /// Something happened to operations that have started; `by` is the operation that starts now, if that is why.
    pub(crate) fn happened(&mut self, happened: &[Happened], by: Option<u32>) {
        for event in happened {
            match *event {
                Happened::Ended { item, flight, .. } => {
                    let info = self.tables.base(self.tables.op(flight.op).base);
                    info.effects.at_end.iter().for_each(|change| self.change(item, *change, &flight.place, false));
                }
                Happened::Cut { item, cut, .. } => {
                    if let Some(by) = by {
                        self.join(by, Some(item));
                        match cut {
                            Cut::Reset => self.aborted.push((by, item)),
                            Cut::Suspended => {}
                        }
                    }
                }
                Happened::Resumed { .. } => {}
            }
        }
    }

    fn change(&mut self, item: u32, change: StateChange, place: &Place, everywhere: bool) {
        let die = place.die.index();
        let owners = self.dies[die].clone();
        let set = |of: &mut [Option<u32>; 8], from: &dyn Fn(usize) -> Option<u32>| {
            place.planes.iter().for_each(|plane| of[plane.index()] = from(plane.index()));
        };
        let own = &mut self.dies[die];
        match change {
            StateChange::EmptyRegisters => {
                set(&mut own.page, &|_| None);
                set(&mut own.output, &|_| None);
            }
            StateChange::Fill { .. } => {
                set(&mut own.page, &|_| Some(item));
                set(&mut own.output, &|_| Some(item));
            }
            StateChange::EnterCacheRead(_) => {
                set(&mut own.cache_read, &|_| Some(item));
                self.join_on(item, place.planes, owners.cache_read);
            }
            StateChange::ReadOn => {
                set(&mut own.output, &|plane| owners.page[plane]);
                set(&mut own.page, &|_| Some(item));
            }
            StateChange::EndCacheRead(_) => {
                set(&mut own.output, &|plane| owners.page[plane]);
                set(&mut own.page, &|_| None);
                set(&mut own.cache_read, &|_| None);
                self.join_on(item, place.planes, owners.cache_read);
            }
            StateChange::Load(kind, _) => *own.latch(kind) = Some(item),
            StateChange::Clear(kind) => {
                let loaded = own.latch(kind).take();
                self.join(item, loaded);
            }
            StateChange::EnterCacheProgram(_) => {
                own.cache_program = Some(item);
                self.join(item, owners.cache_program);
            }
            StateChange::EndCacheProgram(_) => {
                own.cache_program = None;
                self.join(item, owners.cache_program);
            }
            StateChange::EndSuspension(axis) => {
                own.suspend[axis] = None;
                self.join(item, owners.suspend[axis]);
            }
            StateChange::Reset => self.reset(item, place.die, everywhere),
            StateChange::SwitchOdt { off: true } => self.odt = Some(item),
            StateChange::SwitchOdt { off: false } => {
                let off = self.odt.take();
                self.join(item, off);
            }
            StateChange::SwitchWriteProtect { on: true } => self.write_protect = Some(item),
            StateChange::SwitchWriteProtect { on: false } => {
                let on = self.write_protect.take();
                self.join(item, on);
            }
            StateChange::PutOut | StateChange::EmptyResumed(_) => {}
        }
    }

    fn reset(&mut self, item: u32, die: Die, everywhere: bool) {
        for at in 0..self.dies.len() {
            if everywhere || at == die.index() {
                let owners = std::mem::take(&mut self.dies[at]);
                let live = DieOwners { page: [None; 8], output: [None; 8], ..owners };
                live.all().for_each(|owner| self.join(item, Some(owner)));
            }
        }
    }

    /// The unit of each operation: the number of its first operation.
    pub(crate) fn units(mut self) -> Vec<u32> {
        (0..self.above.len() as u32).map(|item| self.root(item)).collect()
    }
}
