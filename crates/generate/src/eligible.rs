//! What may be proposed at a hook: which classes of names no rule forbids now and have an address.
//!
//! A filter, not a judge: whatever passes here is judged again before it starts. It is made of bit masks of the state and of
//! the address book's counts, so that nearly every draw succeeds.

use std::cell::Cell;

use nandseq_device::{BaseInfo, Device, Place, PlaneLogic, Reach, Tables};
use nandseq_profile::model::{AddressSource, Axis, LatchKind};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Die, Page, Plane, PlaneSet, Ticks};

use crate::setup::Class;

/// The state of a die as a hook sees it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    now: Ticks,
    /// Forbidden whatever the planes: latch, suspension, cache program, termination.
    forbidden: BaseSet,
    /// Forbidden by some plane of the die.
    on_any_plane: BaseSet,
    /// Forbidden by each plane.
    on_plane: [BaseSet; 8],
    unread: PlaneSet,
    /// Unread data that is not in the page register too: a cache read would lose it.
    unread_for_good: PlaneSet,
    /// Planes whose page register holds something, by cell type.
    page_cell: [Option<CellTypeId>; 8],
    /// Planes whose page register was filled by a copyback read.
    copyback: PlaneSet,
    busy: PlaneSet,
    /// The planes that the tables and occupation leave to the base last asked for: classes of a base come in a row.
    last_allowed: Cell<(Option<BaseId>, PlaneSet)>,
    /// Whether a chain is under way on the die.
    chained: bool,
    /// Whether a due chain step waits for planes of the die: nothing new may occupy any.
    waiting: bool,
}

impl View {
    pub(crate) fn new(
        device: &Device,
        tables: &Tables,
        (die, plane): (Die, Plane),
        now: Ticks,
        (chained, waiting): (bool, bool),
    ) -> Self {
        let logic = device.logic(die);
        let mut view = Self {
            die,
            plane,
            now,
            forbidden: logic
                .forbidden_by_latch(tables)
                .union(logic.forbidden_by_suspension(tables))
                .union(logic.forbidden_by_cache_program(tables))
                .union(device.forbidden_by_odt(tables)),
            on_any_plane: BaseSet::EMPTY,
            on_plane: [BaseSet::EMPTY; 8],
            unread: PlaneSet::EMPTY,
            unread_for_good: PlaneSet::EMPTY,
            page_cell: [None; 8],
            copyback: PlaneSet::EMPTY,
            busy: device.occupied(die),
            last_allowed: Cell::new((None, PlaneSet::EMPTY)),
            chained,
            waiting,
        };
        for plane in device.planes().iter() {
            let (cache, latch) = logic.forbidden_by_plane(tables, plane);
            let own = device.forbidden_by_op_state(tables, die, plane, now).union(cache).union(latch);
            view.on_plane[usize::from(plane.0)] = own;
            view.on_any_plane = view.on_any_plane.union(own);
            view.note_registers(plane, &logic.planes[usize::from(plane.0)]);
        }
        view
    }

    fn note_registers(&mut self, plane: Plane, registers: &PlaneLogic) {
        if registers.unread {
            self.unread.insert(plane);
            if registers.page != registers.output {
                self.unread_for_good.insert(plane);
            }
        }
        self.page_cell[usize::from(plane.0)] = registers.page.map(|page| page.cell_type);
        if registers.page.is_some_and(|page| page.copyback) {
            self.copyback.insert(plane);
        }
    }

    /// The planes on which a base may work now.
    pub(crate) fn allowed(&self, device: &Device, info: &BaseInfo, class: &Class) -> PlaneSet {
        let (known, planes) = self.last_allowed.get();
        if known == Some(class.base) {
            return self.with_registers(planes, info, class);
        }
        let mut allowed = device.planes();
        if info.reach == Reach::Planes {
            for plane in device.planes().iter() {
                if self.on_plane[usize::from(plane.0)].contains(class.base) {
                    allowed = allowed.minus(PlaneSet::one(plane));
                }
            }
            if info.occupies {
                allowed = allowed.minus(self.busy);
            }
        }
        self.last_allowed.set((Some(class.base), allowed));
        self.with_registers(allowed, info, class)
    }

    /// The planes among `allowed` whose registers let a base work there.
    fn with_registers(&self, mut allowed: PlaneSet, info: &BaseInfo, class: &Class) -> PlaneSet {
        let effects = &info.effects;
        if effects.copyback_source {
            return allowed.and(self.copyback);
        }
        if effects.changes_block() || effects.fill.is_some() {
            return allowed.minus(self.unread);
        }
        if effects.cache_read.is_some() || effects.cache_read_end.is_some() {
            let fits = |cell: Option<CellTypeId>| match cell {
                Some(cell) => effects.cache_read.is_none() || cell == class.cell,
                None => false,
            };
            allowed = allowed.minus(self.unread_for_good);
            for plane in allowed.iter().filter(|plane| !fits(self.page_cell[usize::from(plane.0)])) {
                allowed = allowed.minus(PlaneSet::one(plane));
            }
        }
        allowed
    }

    /// Whether names of a class may be proposed now.
    pub(crate) fn eligible(&self, device: &Device, tables: &Tables, class: &Class) -> bool {
        let info = tables.base(class.base);
        let resets = info.effects.reset_die || info.effects.reset_target;
        if self.forbidden.contains(class.base) || (info.occupies && !resets && self.waiting) {
            return false;
        }
        match info.reach {
            Reach::Planes => {}
            Reach::Die if self.on_any_plane.contains(class.base) => return false,
            Reach::Target if !self.whole_target(device, tables, info, class) => return false,
            Reach::Die | Reach::Target => {}
        }
        let cuts = info.effects.suspend.is_some() || info.effects.reset_die || info.effects.reset_target;
        if info.occupies && !cuts && !device.tolerates(self.die, info, class.multi) {
            return false;
        }
        if !self.has_victim(device, tables, info) {
            return false;
        }
        self.has_address(device, info, class)
    }

    /// Whether no die of the target stands in the way.
    fn whole_target(&self, device: &Device, tables: &Tables, info: &BaseInfo, class: &Class) -> bool {
        (0..tables.size.dies).map(Die).all(|die| {
            let logic = device.logic(die);
            let forbidden = logic
                .forbidden_by_latch(tables)
                .union(logic.forbidden_by_suspension(tables))
                .union(logic.forbidden_by_cache_program(tables));
            let free = |plane| {
                let (cache, latch) = logic.forbidden_by_plane(tables, plane);
                let state = device.forbidden_by_op_state(tables, die, plane, self.now);
                !cache.union(latch).union(state).contains(class.base)
            };
            !forbidden.contains(class.base)
                && (!info.occupies || info.effects.reset_target || device.tolerates(die, info, class.multi))
                && device.planes().iter().all(free)
        })
    }

    /// The one page that may be programmed while a cache program is on and no chain counts on it.
    pub(crate) fn next_of_cache_program(&self, device: &Device) -> Option<Place> {
        let last = device.logic(self.die).cache_program.filter(|_| !self.chained)?.place;
        let page = last.page.0.checked_add(1)?;
        Some(Place { page: Page(page), ..last })
    }

    /// Whether there is something to suspend, or to resume, where a base does either.
    fn has_victim(&self, device: &Device, tables: &Tables, info: &BaseInfo) -> bool {
        let logic = device.logic(self.die);
        if let Some(axis) = info.effects.suspend
            && (logic.suspended(axis).is_some() || device.victim(tables, self.die, axis, self.now).is_none())
        {
            return false;
        }
        let Some(axis) = info.effects.resume else { return true };
        let blocked = axis == Axis::Erase && logic.program.is_some();
        let planes = logic.suspended(axis).filter(|_| !blocked).map(|victim| victim.place.planes);
        planes.is_some_and(|planes| planes.and(self.unread).is_empty())
    }

    fn has_address(&self, device: &Device, info: &BaseInfo, class: &Class) -> bool {
        let allowed = self.allowed(device, info, class);
        let (book, die, cell) = (&device.book, self.die, class.cell);
        let logic = device.logic(die);
        let here = allowed.contains(self.plane);
        let registers = &logic.planes[usize::from(self.plane.0)];
        if info.effects.is_program() && info.address == AddressSource::NextPage {
            if let Some(next) = self.next_of_cache_program(device) {
                return next.cell_type == cell && (next.planes.len() > 1) == class.multi;
            }
            if logic.cache_program.is_some() {
                return false;
            }
        }
        let latched = |kind| {
            !self.chained
                && logic.latch(kind).is_some_and(|loaded| {
                    (loaded.place.planes.len() > 1) == class.multi && loaded.place.cell_type == cell
                })
        };
        match info.address {
            AddressSource::None => true,
            AddressSource::Hook => here || info.reach != Reach::Planes,
            AddressSource::AnyBlock if class.multi => book.any_together(die, allowed),
            AddressSource::AnyBlock => !book.any_planes(die, allowed).is_empty(),
            AddressSource::NextPage if class.multi => book.next_together(die, cell, allowed),
            AddressSource::NextPage if info.effects.is_program() => !book.next_planes(die, cell, allowed).is_empty(),
            AddressSource::NextPage => !book.any_next_planes(die, allowed).is_empty(),
            AddressSource::ReadablePage if class.multi => book.read_together(die, cell, allowed),
            AddressSource::ReadablePage => !book.read_planes(die, cell, allowed).is_empty(),
            AddressSource::OutputRegister => here && registers.output.is_some(),
            AddressSource::PageRegister => here && registers.page.is_some(),
            AddressSource::SuspendedProgram => logic.program.is_some_and(|suspended| {
                let place = &suspended.place;
                (place.planes.len() > 1) == class.multi && place.planes.is_subset(allowed) && place.cell_type == cell
            }),
            AddressSource::OneShotLatch => latched(LatchKind::OneShot),
            AddressSource::CopybackLatch => latched(LatchKind::Copyback),
        }
    }
}
