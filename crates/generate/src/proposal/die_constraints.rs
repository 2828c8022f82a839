//! The constraints of a die: masks of the classes that its state forbids, cached until the state changes.
//!
//! A hook asks about its own die and, for commands to the whole target, about every other. Most dies are as they were at the hook
//! before: nothing has started or ended there, and no phase has passed.

use nandseq_device::{Device, DieLogic, DieRegisters, Place, PlaneFact, Tables};
use nandseq_profile::model::{Axis, ByAxis, LatchKind};
use nandseq_profile::{Die, Page, Plane, PlaneSet, Ticks};

use super::address_availability::{AddressAvailability, AvailableClasses};
use crate::setup::groups::{AddressKind, Group};
use crate::setup::{ClassId, ClassSet, Setup};

/// The classes of a chunk that a die forbids or allows.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct ClassMasks {
    /// Classes that the die does not forbid and that have an address. The hook's plane, chains and other dies may still forbid
    /// them.
    pub(crate) open: ClassSet,
    /// Those of `open` that are forbidden while a chain is under way: the chain counts on their address.
    pub(crate) unless_chained: ClassSet,
    /// Classes that look at every die and that this die forbids.
    pub(crate) against: ClassSet,
    /// By plane: the classes that may not work there.
    closed: [ClassSet; 8],
    /// By plane: the classes that a hook there cannot propose.
    pub(crate) not_at: [ClassSet; 8],
}

/// The constraints of a die.
#[derive(Clone, Debug)]
pub(crate) struct DieConstraints {
    /// The stamp of the die's state when the constraints were made. They hold while the die has this stamp and its blocks that of
    /// `availability`, and before `until`. Blocks do not matter to [`ClassMasks::against`].
    stamp: u64,
    until: Ticks,
    /// Whether all masks were made, not [`ClassMasks::against`] alone.
    is_complete: bool,
    /// By chunk.
    pub(crate) chunks: Vec<ClassMasks>,
    /// By plane: what the masks were made of.
    planes: [PlaneFacts; 8],
    /// How many planes there are.
    count: usize,
    availability: AddressAvailability,
}

/// The pairs of planes, in the order of [`AvailableClasses::paired`].
static PAIRS: [(usize, usize); 28] = {
    let mut pairs = [(0, 0); 28];
    let (mut pair, mut second) = (0, 1);
    while second < 8 {
        let mut first = 0;
        while first < second {
            pairs[pair] = (first, second);
            (pair, first) = (pair + 1, first + 1);
        }
        second += 1;
    }
    pairs
};

/// The facts about a plane that constraints depend on.
#[derive(Clone, Copy, Default, Debug)]
struct PlaneFacts {
    /// Those about its registers: see [`DieRegisters::facts`](nandseq_device::DieRegisters::facts).
    registers: u8,
    /// The cell type in its page register; 8 or above for none.
    cell: u8,
    /// Its op_state: see [`Group::state_of`].
    state: u16,
    is_occupied: bool,
}

/// The facts about a die that constraints depend on, found once for all chunks.
#[derive(Default)]
struct Facts {
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
        let (planes, count) = ([PlaneFacts::default(); 8], usize::from(setup.tables.size.planes).min(8));
        let availability = AddressAvailability::new(setup);
        Self { stamp: 0, until: Ticks::ZERO, is_complete: false, chunks, planes, count, availability }
    }

    /// Brings the constraints of a die up to date.
    #[inline]
    pub(crate) fn refresh(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        let is_other = (self.stamp != device.state_stamp(die)) | (self.availability.stamp != device.book.stamp(die));
        if is_other | (now >= self.until) | !self.is_complete {
            self.make(device, setup, die, now);
        }
    }

    /// Brings what a die forbids on all dies up to date: [`ClassMasks::against`] alone.
    #[inline]
    pub(super) fn refresh_against(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        if self.stamp != device.state_stamp(die) || now >= self.until {
            self.make_against(device, setup, die, now);
        }
    }

    /// The stamp of the die's state with which they hold, and the time before which.
    pub(super) const fn valid(&self) -> (u64, Ticks) {
        (self.stamp, self.until)
    }

    /// The planes on which a class may work now.
    pub(crate) fn allowed(&self, device: &Device, class: ClassId) -> PlaneSet {
        device.planes().minus(PlaneSet(ClassSet::in_each(&self.chunks[class.chunk()].closed, class)))
    }

    fn make(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        self.availability.refresh(device, setup, die);
        let (facts, logic) = (self.look(device, setup, die, now), device.logic(die));
        let availability = self.availability.chunks.iter();
        for ((masks, group), available) in self.chunks.iter_mut().zip(setup.groups.chunks()).zip(availability) {
            masks.look(group, available, &self.planes[..self.count], &facts, logic);
        }
    }

    #[inline(never)]
    fn make_against(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) {
        let facts = self.look_at_others(device, setup, die, now);
        for (masks, group) in self.chunks.iter_mut().zip(setup.groups.chunks()) {
            let planes = self.planes.iter().take(self.count);
            let on_some_plane = planes.fold(ClassSet::NONE, |all, plane| all | plane.forbidden(group));
            masks.against =
                against(group, by_logic(group, facts.flies, device.logic(die)) | on_some_plane, facts.tolerant);
        }
        self.is_complete = false;
    }

    /// Makes the constraints of an imagined die: nothing is in flight, and `logic` is its lasting state. They hold for no hook.
    pub(crate) fn imagine(&mut self, device: &Device, setup: &Setup, die: Die, logic: &DieLogic) {
        self.availability.refresh(device, setup, die);
        self.until = Ticks::ZERO;
        let mut facts = Facts::default();
        let state = setup.groups.chunks()[0].state_of(Tables::NO_OP_STATE);
        for (plane, facts) in (0..).map(Plane).zip(&mut self.planes) {
            *facts = PlaneFacts::new(&logic.planes, plane, PlaneSet::EMPTY, state);
        }
        for axis in Axis::ALL {
            facts.resumable[axis] = is_resumable(&setup.tables, logic, axis);
        }
        let availability = self.availability.chunks.iter();
        for ((masks, group), available) in self.chunks.iter_mut().zip(setup.groups.chunks()).zip(availability) {
            masks.look(group, available, &self.planes[..self.count], &facts, logic);
        }
    }

    /// The classes of a chunk for which the address book has an address on the die.
    pub(crate) fn offered(&self, chunk: usize) -> ClassSet {
        self.availability.chunks[chunk].anywhere()
    }

    /// Finds the facts about a die that matter on all dies, and notes the die's stamp and until when they hold.
    #[inline]
    fn look_at_others(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) -> Facts {
        let (registers, occupied, group) = (&device.logic(die).planes, device.occupied(die), &setup.groups.chunks()[0]);
        self.until = device.op_states(die, now, |plane, key| {
            self.planes[usize::from(plane.0 % 8)] = PlaneFacts::new(registers, plane, occupied, group.state_of(key));
        });
        self.stamp = device.state_stamp(die);
        Facts { tolerant: device.occupants(die), flies: device.flies_on(die), ..Facts::default() }
    }

    /// Finds all facts about a die, and notes the die's stamp and until when they hold.
    fn look(&mut self, device: &Device, setup: &Setup, die: Die, now: Ticks) -> Facts {
        let logic = device.logic(die);
        let mut facts = self.look_at_others(device, setup, die, now);
        let (suspend_targets, until) = device.suspend_targets_until(&setup.tables, die, now);
        self.until = self.until.min(until);
        for axis in Axis::ALL {
            let is_suspended = logic.suspended(axis).is_some();
            facts.resumable[axis] = is_suspended && is_resumable(&setup.tables, logic, axis);
            facts.suspendable[axis] = !is_suspended & suspend_targets[axis];
        }
        self.is_complete = true;
        facts
    }
}

impl PlaneFacts {
    /// The facts about a plane with an op_state: see [`Group::state_of`].
    #[inline]
    const fn new(registers: &DieRegisters, plane: Plane, occupied: PlaneSet, state: u16) -> Self {
        let facts = registers.facts(plane);
        let is_empty = (facts & PlaneFact::WithPage.bit() == 0) as u8;
        let cell = registers.page_cell(plane).0 | is_empty << 3;
        Self { registers: facts, cell, state, is_occupied: occupied.contains(plane) }
    }

    /// The classes that the registers or the op_state of the plane forbid.
    fn forbidden(self, group: &Group) -> ClassSet {
        group.register_mask(self.registers).forbidden | group.in_state(self.state)
    }
}

impl ClassMasks {
    /// Combines what forbids classes on the planes with the die's lasting state and the address book.
    fn look(
        &mut self,
        group: &Group,
        available: &AvailableClasses,
        planes: &[PlaneFacts],
        facts: &Facts,
        logic: &DieLogic,
    ) {
        let mut on_some_plane = ClassSet::NONE;
        let mut sampled = ClassSet::NONE;
        for (at, plane) in planes.iter().enumerate().take(8) {
            let registers = group.register_mask(plane.registers);
            let state = group.in_state(plane.state);
            let more = state & group.on_planes | group.occupying_planes.given(plane.is_occupied);
            let closed = registers.closed | more | group.of_another_cell[usize::from(plane.cell % 16)];
            self.not_at[at] = registers.not_at | more & group.here;
            self.closed[at] = closed;
            on_some_plane |= registers.forbidden | state;
            sampled |= available.single[at] & !closed;
        }
        let forbidden = by_logic(group, facts.flies, logic);
        self.against = against(group, forbidden | on_some_plane, facts.tolerant);
        let may_start = !(forbidden
            | on_some_plane & group.beyond_planes
            | beside(group, group.joining, facts.tolerant)
            | without_target(group, facts));
        // While an operation occupies the die, a class of several planes can hardly ever start.
        if !(may_start & group.multi & !group.plain).is_empty() {
            for (pair, &(first, second)) in PAIRS.iter().enumerate().take(planes.len() * (planes.len() - 1) / 2) {
                sampled |= available.paired(pair) & !(self.closed[first] | self.closed[second]);
            }
        }
        self.open = (group.plain | self.addressed(group, logic, sampled)) & may_start;
    }

    /// The classes that have an address; `sampled` are those with one from the address book. Sets `unless_chained`.
    fn addressed(&mut self, group: &Group, logic: &DieLogic, mut sampled: ClassSet) -> ClassSet {
        self.unless_chained = ClassSet::NONE;
        if logic.cache_program.is_some() {
            let next_page_of = group.asking[AddressKind::NextPageOf as usize];
            sampled &= !next_page_of;
            self.unless_chained |=
                next_of_cache_program(logic).map_or(ClassSet::NONE, |next| group.alike(&next) & next_page_of);
        }
        for (latch, classes) in
            [(LatchKind::OneShot, group.from_one_shot), (LatchKind::Copyback, group.from_copyback_latch)]
        {
            self.unless_chained |=
                logic.latch(latch).map_or(ClassSet::NONE, |loaded| group.alike(&loaded.place) & classes);
        }
        let mut suspended = ClassSet::NONE;
        if let Some(program) = &logic.program {
            let closed = program.place.planes.iter().map(|plane| self.closed[usize::from(plane.0 % 8)]);
            let closed = closed.fold(ClassSet::NONE, |all, closed| all | closed);
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

/// The classes that look at every die and that this die forbids; `forbidden` are those that its lasting state and its planes forbid.
fn against(group: &Group, forbidden: ClassSet, tolerant: Option<bool>) -> ClassSet {
    (forbidden | beside(group, group.occupying_target, tolerant)) & group.on_target
}

/// The classes among those that join others which the occupants of a die do not let in; `tolerant`: whether all of them may interleave with
/// others, `None` if there are none.
pub(super) fn beside(group: &Group, joining: ClassSet, tolerant: Option<bool>) -> ClassSet {
    let out = group.by_itself | ClassSet::ALL.given(tolerant != Some(true));
    (joining & out).given(tolerant.is_some())
}

/// The classes that the lasting state of a die forbids, whatever their planes. The pattern names every field that can be written, so that
/// none is forgotten.
pub(super) fn by_logic(group: &Group, flies: bool, logic: &DieLogic) -> ClassSet {
    #[rustfmt::skip]
    let DieLogic { one_shot, copyback: _, cache_program, erase, program, odt_disabled, write_protected, planes: _, .. } = logic;
    let axes = usize::from(erase.is_some()) | usize::from(program.is_some()) << 1;
    let target = usize::from(*odt_disabled) | usize::from(*write_protected) << 1;
    let alone = group.alone.given(flies);
    one_shot.map_or(ClassSet::NONE, |loaded| group.by_latch(loaded.level))
        | cache_program.map_or(ClassSet::NONE, |state| group.by_cache_program(state.kind))
        | group.suspension[axes]
        | group.target[target]
        | alone
}

/// The classes that suspend while nothing can be suspended, and those that resume while nothing can be resumed.
fn without_target(group: &Group, facts: &Facts) -> ClassSet {
    Axis::ALL.into_iter().fold(ClassSet::NONE, |out, axis| {
        out | group.suspending[axis].given(!facts.suspendable[axis])
            | group.resuming[axis].given(!facts.resumable[axis])
    })
}

/// The one page that may be programmed while a cache program is on; `None` while none is.
pub(crate) fn next_of_cache_program(logic: &DieLogic) -> Option<Place> {
    let last = logic.cache_program?.place;
    let page = last.page.0.checked_add(1)?;
    Some(Place { page: Page(page), ..last })
}
