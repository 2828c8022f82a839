//! Whether one class is eligible at a hook.
//!
//! A hook draws a class first and asks for that class alone: most classes that are drawn are not eligible, and most of these are ruled out
//! by one look at the die. [`DieConstraints`](super::DieConstraints) answer the same question for all classes at once; debug builds
//! compare the two.

use nandseq_device::{Device, Place};
use nandseq_profile::model::{AddressSource, Axis, LatchKind};
use nandseq_profile::{Die, PlaneSet, Ticks};

use super::die_constraints::{beside, by_logic, is_resumable, next_of_cache_program};
use super::view::View;
use crate::setup::groups::Group;
use crate::setup::{Class, ClassId, ClassSet, Setup};

/// A class at a hook.
pub(super) struct ClassCheck<'a> {
    setup: &'a Setup,
    device: &'a Device,
    view: &'a View,
    now: Ticks,
    group: &'a Group,
    id: ClassId,
    class: Class,
}

impl<'a> ClassCheck<'a> {
    pub(super) fn new((setup, device): (&'a Setup, &'a Device), view: &'a View, id: ClassId, now: Ticks) -> Self {
        let group = &setup.groups.chunks()[id.chunk()];
        Self { setup, device, view, now, group, id, class: setup.classes.get(id) }
    }

    const fn is_of(&self, classes: ClassSet) -> bool {
        classes.contains(self.id)
    }

    /// The planes on which the class may work, if it is eligible. `waiting` says whether a due step of a chain waits for planes of the
    /// die.
    pub(super) fn planes(&self, waiting: impl FnOnce() -> bool) -> Option<PlaneSet> {
        let (group, view) = (self.group, self.view);
        let die = view.die;
        if self.is_of(self.by_die(die, group.joining)) || view.rested && self.is_of(group.occupying_target) {
            return None;
        }
        let [forbidding, closed, not_here] = self.look_at_planes(die);
        let is_out = self.is_of(group.beyond_planes) && !forbidding.is_empty() || not_here.contains(view.plane);
        if is_out || !self.has_target() {
            return None;
        }
        let planes = self.device.planes().minus(closed);
        let is_in = (self.is_of(group.plain) || self.has_address(planes))
            && !(self.is_of(group.occupying) && waiting())
            && !(self.is_of(group.on_target) && self.another_die_is_against());
        is_in.then_some(planes)
    }

    /// The classes that a die forbids by what occupies it and by its lasting state; `joining` are those that would join its occupants.
    fn by_die(&self, die: Die, joining: ClassSet) -> ClassSet {
        let device = self.device;
        beside(self.group, joining, device.occupants(die))
            | by_logic(self.group, device.flies_on(die), device.logic(die))
    }

    /// The planes of a die that forbid the class, those on which it may not work, and those at which a hook cannot propose it.
    fn look_at_planes(&self, die: Die) -> [PlaneSet; 3] {
        let (group, logic) = (self.group, self.device.logic(die));
        let [mut forbidding, mut closed, mut not_here] = group.planes_by_registers(self.id, &logic.planes);
        let by_state =
            self.device.forbidding(&self.setup.tables, (die, self.device.planes()), self.class.base, self.now);
        forbidding = forbidding.union(by_state);
        let mut more = if self.is_of(group.on_planes) { by_state } else { PlaneSet::EMPTY };
        if self.is_of(group.occupying_planes) {
            more = more.union(self.device.occupied(die));
        }
        closed = closed.union(more);
        if self.is_of(group.with_cell_type) {
            closed = closed.union(logic.planes.without_page_of(self.device.planes(), self.class.cell));
        }
        if self.is_of(group.here) {
            not_here = not_here.union(more);
        }
        [forbidding, closed, not_here]
    }

    /// Whether a class that suspends, or resumes, finds something to suspend, or to resume.
    fn has_target(&self) -> bool {
        let (tables, logic, die) = (&self.setup.tables, self.device.logic(self.view.die), self.view.die);
        Axis::ALL.into_iter().all(|axis| {
            let can_suspend =
                || logic.suspended(axis).is_none() && self.device.suspend_target(tables, die, axis, self.now).is_some();
            (!self.is_of(self.group.suspending[axis]) || can_suspend())
                && (!self.is_of(self.group.resuming[axis]) || is_resumable(tables, logic, axis))
        })
    }

    /// Whether the class has an address on planes where it may work.
    fn has_address(&self, planes: PlaneSet) -> bool {
        let Class { base, multi, cell } = self.class;
        let (info, logic) = (self.setup.tables.base(base), self.device.logic(self.view.die));
        let addresses = self.device.book.on(self.view.die);
        let fits = |place: &Place| place.cell_type == cell && (place.planes.len() > 1) == multi;
        // While a chain is under way, it counts on what latches and cache programs address.
        let unless_chained = |place: Option<Place>| !self.view.chained && place.is_some_and(|place| fits(&place));
        match info.address {
            AddressSource::None | AddressSource::Hook | AddressSource::OutputRegister | AddressSource::PageRegister => {
                true
            }
            AddressSource::AnyBlock if multi => addresses.any_together(planes),
            AddressSource::AnyBlock => !addresses.any_planes(planes).is_empty(),
            AddressSource::NextPage if info.effects.is_program() && logic.cache_program.is_some() => {
                unless_chained(next_of_cache_program(logic))
            }
            AddressSource::NextPage if info.effects.is_program() && multi => addresses.next_together(cell, planes),
            AddressSource::NextPage if info.effects.is_program() => !addresses.next_planes(cell, planes).is_empty(),
            AddressSource::NextPage if multi => addresses.next_cells_together(planes) != 0,
            AddressSource::NextPage => !addresses.any_next_planes(planes).is_empty(),
            AddressSource::ReadablePage if multi => addresses.read_together(cell, planes),
            AddressSource::ReadablePage => !addresses.read_planes(cell, planes).is_empty(),
            AddressSource::SuspendedProgram => logic
                .program
                .is_some_and(|suspended| fits(&suspended.place) && suspended.place.planes.is_subset(planes)),
            AddressSource::OneShotLatch => unless_chained(logic.latch(LatchKind::OneShot).map(|loaded| loaded.place)),
            AddressSource::CopybackLatch => unless_chained(logic.latch(LatchKind::Copyback).map(|loaded| loaded.place)),
        }
    }

    /// Whether another die forbids a class that looks at every die.
    fn another_die_is_against(&self) -> bool {
        let others = (0..self.setup.tables.size.dies).map(Die).filter(|&die| die != self.view.die);
        others.into_iter().any(|die| {
            self.is_of(self.by_die(die, self.group.occupying_target)) || !self.look_at_planes(die)[0].is_empty()
        })
    }
}
