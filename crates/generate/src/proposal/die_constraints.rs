//! The constraints of a die: masks of the classes that its state forbids, cached until the state changes.
//!
//! A hook asks about its own die and, for commands to the whole target, about every other. Most dies are as they were at the hook
//! before: nothing has started or ended there, and no phase has passed.

use nandseq_device::{Device, DieLogic, Place, Tables};
use nandseq_profile::model::{Axis, ByAxis, LatchKind};
use nandseq_profile::{Die, Page, PhaseKey, PlaneSet, Ticks};

use super::address_availability::{AddressAvailability, AvailableClasses};
use crate::setup::groups::{AddressKind, Group, gates_of};
use crate::setup::{ClassId, Setup};

/// The classes of a chunk that a die forbids or allows.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ClassMasks {
    /// Classes that the die does not forbid and that have an address. The hook's plane, chains and other dies may still forbid
    /// them.
    pub(crate) open: u64,
    /// Those of `open` that are forbidden while a chain is under way: the chain counts on their address.
    pub(crate) unless_chained: u64,
    /// Classes that look at every die and that this die forbids.
    pub(crate) against: u64,
    /// By plane: the classes that may not work there.
    closed: [u64; 8],
    /// By plane: the classes that a hook there cannot propose.
    pub(crate) not_at: [u64; 8],
    /// By plane: the classes that its registers or op_state forbid.
    forbidden: [u64; 8],
}

/// The constraints of a die.
#[derive(Clone, Debug)]
pub(crate) struct DieConstraints {
    /// The die's stamp when the constraints were made. They hold while the die has this stamp, and before `until`.
    stamp: u64,
    until: Ticks,
    /// By chunk.
    pub(crate) chunks: Vec<ClassMasks>,
    /// The planes when the constraints were made: most changes of a die concern one of its planes.
    planes: [PlaneFacts; 8],
    availability: AddressAvailability,
}

/// The facts about a plane that constraints depend on, in one word, because planes are compared often. From the lowest bit: its
/// registers (see [`gates_of`]) in 8 bits, its op_state (see [`Group::state_of`]) in 16, the cell type in its page register in 8
/// (the value 8 for none), and whether it is occupied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct PlaneFacts(u64);

impl PlaneFacts {
    /// The facts about no plane.
    const NONE: Self = Self(u64::MAX);

    fn new(register_mask: u8, state: u16, cell: u8, occupied: bool) -> Self {
        Self(u64::from(register_mask) | u64::from(state) << 8 | u64::from(cell) << 24 | u64::from(occupied) << 32)
    }

    const fn register_mask(self) -> u8 {
        self.0 as u8
    }

    const fn state(self) -> u16 {
        (self.0 >> 8) as u16
    }

    const fn cell(self) -> usize {
        (self.0 >> 24) as u8 as usize
    }

    const fn occupied(self) -> bool {
        self.0 >> 32 & 1 == 1
    }
}

/// The facts about a die that constraints depend on, found once for all chunks.
#[derive(Default)]
struct Facts {
    /// The planes that have changed.
    news: PlaneSet,
    /// Whether all operations that occupy the die may interleave with others; `None`: no operation occupies it.
    tolerant: Option<bool>,
    /// By axis: whether a SUSPEND would find something to suspend, a RESUME something to resume.
    suspendable: ByAxis<bool>,
    resumable: ByAxis<bool>,
    /// Whether an operation is in flight whose place is on the die.
    flies: bool,
}

impl DieConstraints {
    /// Constraints that hold at no time.
    pub(crate) fn new(setup: &Setup) -> Self {
        let chunks = vec![ClassMasks::default(); setup.classes.chunks()];
        Self {
            stamp: 0,
            until: Ticks::ZERO,
            chunks,
            planes: [PlaneFacts::NONE; 8],
            availability: AddressAvailability::new(setup),
        }
    }

    /// Brings the constraints of a die up to date.
    #[inline]
    pub(crate) fn refresh(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        if self.stamp != device.stamp(die) || now >= self.until {
            self.make(device, setup, die, now);
        }
    }

    /// The planes on which a class may work now.
    pub(crate) fn allowed(&self, device: &Device, class: ClassId) -> PlaneSet {
        let closed = self.chunks[class.chunk()].closed.iter().enumerate();
        let open = closed.fold(0, |open, (plane, closed)| open | u8::from(closed & class.bit() == 0) << plane);
        PlaneSet(open).and(device.planes())
    }

    fn make(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        self.availability.refresh(device, setup, die);
        self.stamp = device.stamp(die);
        let facts = self.look(device, setup, die, now);
        let logic = device.logic(die);
        let availability = self.availability.chunks.iter();
        for ((masks, group), available) in self.chunks.iter_mut().zip(setup.groups.chunks()).zip(availability) {
            masks.look_at_planes(group, &self.planes, facts.news);
            masks.look(group, available, usize::from(setup.tables.size.planes), &facts, logic);
        }
    }

    /// Makes the constraints of an imagined die: nothing is in flight, and `logic` is its lasting state. They hold for no hook.
    pub(crate) fn imagine(&mut self, device: &Device, setup: &Setup, die: Die, logic: &DieLogic) {
        self.availability.refresh(device, setup, die);
        self.until = Ticks::ZERO;
        let mut facts = Facts::default();
        self.look_at_planes(device, setup, logic, PlaneSet::EMPTY, &[None; 8], &mut facts);
        for axis in Axis::ALL {
            facts.resumable[axis] = is_resumable(&setup.tables, logic, axis);
        }
        let availability = self.availability.chunks.iter();
        for ((masks, group), available) in self.chunks.iter_mut().zip(setup.groups.chunks()).zip(availability) {
            masks.look_at_planes(group, &self.planes, facts.news);
            masks.look(group, available, usize::from(setup.tables.size.planes), &facts, logic);
        }
    }

    /// Notes the facts about the planes, and which planes have changed.
    #[inline]
    fn look_at_planes(
        &mut self,
        device: &Device,
        setup: &Setup,
        logic: &DieLogic,
        occupied: PlaneSet,
        keys: &[Option<PhaseKey>; 8],
        facts: &mut Facts,
    ) {
        let Some(group) = setup.groups.chunks().first() else { return };
        let gates = gates_of(&logic.planes);
        for plane in device.planes().iter() {
            let at = usize::from(plane.0 % 8);
            let cell = logic.planes.page(plane).map_or(8, |page| page.cell_type.0);
            let state = group.state_of(keys[at]);
            let seen = PlaneFacts::new(gates[at], state, cell, occupied.contains(plane));
            facts.news.0 |= u8::from(self.planes[at] != seen) << at;
            self.planes[at] = seen;
        }
    }

    /// The classes of a chunk for which the address book has an address on the die.
    pub(crate) fn offered(&self, chunk: usize) -> u64 {
        self.availability.chunks[chunk].anywhere()
    }

    /// Finds the facts about a die, and notes until when they hold.
    fn look(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) -> Facts {
        let logic = device.logic(die);
        let mut facts = Facts { tolerant: device.occupants(die), flies: device.flies_on(die), ..Facts::default() };
        let occupied = device.occupied(die);
        let (keys, until) = device.state_keys(die, now);
        self.until = until;
        self.look_at_planes(device, setup, logic, occupied, &keys, &mut facts);
        for axis in Axis::ALL {
            if logic.suspended(axis).is_some() {
                facts.resumable[axis] = is_resumable(&setup.tables, logic, axis);
            } else {
                let (suspend_target, until) = device.suspend_target_until(&setup.tables, die, axis, now);
                facts.suspendable[axis] = suspend_target;
                self.until = self.until.min(until);
            }
        }
        facts
    }
}

impl ClassMasks {
    /// Makes the masks of the planes that have changed.
    fn look_at_planes(&mut self, group: &Group, planes: &[PlaneFacts; 8], news: PlaneSet) {
        for plane in news.iter() {
            let at = usize::from(plane.0 % 8);
            let facts = planes[at];
            let register_mask = group.register_mask(facts.register_mask());
            let state = group.in_state(facts.state());
            let occupied = if facts.occupied() { group.occupying_planes } else { 0 };
            let more = state & group.on_planes | occupied;
            self.forbidden[at] = register_mask.forbidden | state;
            self.not_at[at] = register_mask.not_at | more & group.here;
            self.closed[at] = register_mask.closed | more | group.with_cell_type & !group.cells[facts.cell()];
        }
    }

    /// Combines the masks of the planes with the die's lasting state and the address book.
    fn look(&mut self, group: &Group, available: &AvailableClasses, planes: usize, facts: &Facts, logic: &DieLogic) {
        let mut on_some_plane = 0;
        let mut sampled = 0;
        for at in 0..planes.min(8) {
            on_some_plane |= self.forbidden[at];
            sampled |= available.single[at] & !self.closed[at];
        }
        let forbidden = by_logic(group, facts.flies, logic);
        let beside = |joining: u64| beside(group, joining, facts.tolerant);
        self.against = (forbidden | on_some_plane | beside(group.occupying_target)) & group.on_target;
        let may_start =
            !(forbidden | on_some_plane & group.beyond_planes | beside(group.joining)) & !without_target(group, facts);
        // While an operation occupies the die, a class of several planes can hardly ever start.
        if may_start & group.multi & !group.plain != 0 {
            let mut pair = 0;
            for second in 1..planes {
                for first in 0..second {
                    sampled |= available.paired(pair) & !(self.closed[first % 8] | self.closed[second % 8]);
                    pair += 1;
                }
            }
        }
        self.open = (group.plain | self.addressed(group, logic, sampled)) & may_start;
    }

    /// The classes that have an address; `sampled` are those with one from the address book. Sets `unless_chained`.
    fn addressed(&mut self, group: &Group, logic: &DieLogic, mut sampled: u64) -> u64 {
        self.unless_chained = 0;
        if logic.cache_program.is_some() {
            let next_page_of = group.asking[AddressKind::NextPageOf as usize];
            sampled &= !next_page_of;
            self.unless_chained |= next_of_cache_program(logic).map_or(0, |next| group.alike(&next) & next_page_of);
        }
        for (latch, classes) in
            [(LatchKind::OneShot, group.from_one_shot), (LatchKind::Copyback, group.from_copyback_latch)]
        {
            self.unless_chained |= logic.latch(latch).map_or(0, |loaded| group.alike(&loaded.place) & classes);
        }
        let mut suspended = 0;
        if let Some(program) = &logic.program {
            let closed = program.place.planes.iter().fold(0, |all, plane| all | self.closed[usize::from(plane.0)]);
            suspended = group.alike(&program.place) & group.from_suspended & !closed;
        }
        sampled | self.unless_chained | suspended
    }
}

/// Whether a RESUME can resume an operation of this axis.
pub(super) fn is_resumable(tables: &Tables, logic: &DieLogic, axis: Axis) -> bool {
    let blocked = axis == Axis::Erase && logic.program.is_some() || logic.protects_suspended(tables, axis);
    logic
        .suspended(axis)
        .is_some_and(|suspend_target| !blocked && suspend_target.place.planes.and(logic.planes.unread()).is_empty())
}

/// The classes among those that join others which the occupants of a die do not let in; `tolerant`: whether all of them may interleave with
/// others, `None` if there are none.
pub(super) const fn beside(group: &Group, joining: u64, tolerant: Option<bool>) -> u64 {
    match tolerant {
        None => 0,
        Some(true) => joining & (group.multi | !group.interleaved),
        Some(false) => joining,
    }
}

/// The classes that the lasting state of a die forbids, whatever their planes. The pattern names every field that can be written, so that
/// none is forgotten.
pub(super) fn by_logic(group: &Group, flies: bool, logic: &DieLogic) -> u64 {
    #[rustfmt::skip]
    let DieLogic { one_shot, copyback: _, cache_program, erase, program, odt_disabled, write_protected, planes: _, .. } = logic;
    let axes = usize::from(erase.is_some()) | usize::from(program.is_some()) << 1;
    let target = usize::from(*odt_disabled) | usize::from(*write_protected) << 1;
    let alone = if flies { group.alone } else { 0 };
    one_shot.map_or(0, |loaded| group.by_latch(loaded.level))
        | cache_program.map_or(0, |state| group.by_cache_program(state.kind))
        | group.suspension[axes]
        | group.target[target]
        | alone
}

/// The classes that suspend while nothing can be suspended, and those that resume while nothing can be resumed.
fn without_target(group: &Group, facts: &Facts) -> u64 {
    let unless = |possible: bool, classes: u64| if possible { 0 } else { classes };
    Axis::ALL.into_iter().fold(0, |out, axis| {
        out | unless(facts.suspendable[axis], group.suspending[axis])
            | unless(facts.resumable[axis], group.resuming[axis])
    })
}

/// The one page that may be programmed while a cache program is on; `None` while none is.
pub(crate) fn next_of_cache_program(logic: &DieLogic) -> Option<Place> {
    let last = logic.cache_program?.place;
    let page = last.page.0.checked_add(1)?;
    Some(Place { page: Page(page), ..last })
}
