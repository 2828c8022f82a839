//! What may be proposed at a hook: which bases, and which kinds of their names, no rule forbids now and have an address.
//!
//! A filter, not a judge: whatever passes here is judged again before it starts. It is made of bit masks of the state and of
//! the address book's counts, so that nearly every draw succeeds.

use std::cell::Cell;

use nandseq_device::{BaseInfo, Device, Place, PlaneLogic};
use nandseq_profile::model::{AddressSource, Axis, LatchKind};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Die, Page, Plane, PlaneSet, Ticks};

use crate::groups::{BaseGroups, Source};
use crate::setup::{Class, Kinds, Setup, kind};

/// Kinds of names that address one plane, and several.
const SINGLE: Kinds = 0x00FF;
const MULTI: Kinds = 0xFF00;

/// The state of a die as a hook sees it.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) die: Die,
    pub(crate) plane: Plane,
    /// The bases that nothing forbids; whether there is an address is asked by [`View::kinds`].
    pub(crate) open: BaseSet,
    /// Those of which only single-plane names may start beside what occupies the die.
    single_only: BaseSet,
    /// For each plane the bases that may not work there.
    closed: [BaseSet; 8],
    /// Planes whose page register holds something, by cell type.
    page_cell: [Option<CellTypeId>; 8],
    /// Whether a chain is under way on the die.
    chained: bool,
    /// The bases that share the planes that [`View::planes_of`] last found: most bases are alike.
    alike: Cell<(BaseSet, PlaneSet)>,
    /// The book's last answers: many bases ask the same of it. By [`Source`].
    answers: [Cell<Option<(PlaneSet, Kinds)>>; 5],
}

impl View {
    pub(crate) fn new(
        device: &Device,
        setup: &Setup,
        (die, plane): (Die, Plane),
        now: Ticks,
        (chained, waiting): (bool, bool),
    ) -> Self {
        let (tables, groups) = (&setup.tables, &setup.groups);
        let logic = device.logic(die);
        let mut view = Self {
            die,
            plane,
            open: BaseSet(u128::MAX),
            single_only: BaseSet::EMPTY,
            closed: [BaseSet::EMPTY; 8],
            page_cell: [None; 8],
            chained,
            alike: Cell::default(),
            answers: Default::default(),
        };
        let mut on_any_plane = BaseSet::EMPTY;
        let mut unread = PlaneSet::EMPTY;
        let busy = device.occupied(die);
        for plane in device.planes().iter() {
            let (cache, latch) = logic.forbidden_by_plane(tables, plane);
            let forbidden = device.forbidden_by_op_state(tables, die, plane, now).union(cache).union(latch);
            on_any_plane = on_any_plane.union(forbidden);
            let mut closed = forbidden.and(groups.on_planes);
            if busy.contains(plane) {
                closed = closed.union(groups.occupying_planes);
            }
            let registers = &logic.planes[usize::from(plane.0)];
            if registers.unread {
                unread.insert(plane);
            }
            view.page_cell[usize::from(plane.0)] = registers.page.map(|page| page.cell_type);
            view.closed[usize::from(plane.0)] = closed.union(closed_by_registers(groups, registers));
        }
        view.close(
            logic
                .forbidden_by_latch(tables)
                .union(logic.forbidden_by_suspension(tables))
                .union(logic.forbidden_by_cache_program(tables))
                .union(device.forbidden_by_odt(tables))
                .union(on_any_plane.and(groups.on_die.union(groups.on_target))),
        );
        if waiting {
            view.close(groups.occupying);
        }
        view.close_at_hook(groups, &logic.planes[usize::from(plane.0)]);
        view.close_beside_others(device, groups, die, groups.joining);
        view.close_without_victim(device, setup, unread, now);
        view.close_by_other_dies(device, setup, now);
        view
    }

    const fn close(&mut self, bases: BaseSet) {
        self.open = self.open.minus(bases);
    }

    /// Closes what addresses the plane of the hook and cannot work there.
    fn close_at_hook(&mut self, groups: &BaseGroups, registers: &PlaneLogic) {
        self.close(self.closed[usize::from(self.plane.0)].and(groups.here));
        if registers.output.is_none() {
            self.close(groups.from_output);
        }
        if registers.page.is_none() {
            self.close(groups.from_page);
        }
    }

    /// Closes what may not start beside the operations that occupy a die.
    fn close_beside_others(&mut self, device: &Device, groups: &BaseGroups, die: Die, joining: BaseSet) {
        if let Some(tolerant) = device.occupants(die) {
            self.close(if tolerant { joining.minus(groups.interleaved) } else { joining });
            self.single_only = self.single_only.union(joining);
        }
    }

    /// Closes what looks at every die where another die forbids it.
    fn close_by_other_dies(&mut self, device: &Device, setup: &Setup, now: Ticks) {
        let (tables, groups) = (&setup.tables, &setup.groups);
        let own = self.die;
        for die in (0..tables.size.dies).map(Die).filter(|&die| die != own) {
            if self.open.and(groups.on_target).is_empty() {
                return;
            }
            self.close_beside_others(device, groups, die, groups.occupying_target);
            let logic = device.logic(die);
            let mut forbidden = logic
                .forbidden_by_latch(tables)
                .union(logic.forbidden_by_suspension(tables))
                .union(logic.forbidden_by_cache_program(tables));
            for plane in device.planes().iter() {
                let (cache, latch) = logic.forbidden_by_plane(tables, plane);
                let state = device.forbidden_by_op_state(tables, die, plane, now);
                forbidden = forbidden.union(cache).union(latch).union(state);
            }
            self.close(forbidden.and(groups.on_target));
        }
    }

    /// Closes SUSPEND where nothing can be suspended and RESUME where nothing can be resumed.
    fn close_without_victim(&mut self, device: &Device, setup: &Setup, unread: PlaneSet, now: Ticks) {
        let logic = device.logic(self.die);
        for (at, axis) in [Axis::Erase, Axis::Program].into_iter().enumerate() {
            let (suspending, resuming) = (setup.groups.suspending[at], setup.groups.resuming[at]);
            let suspended = logic.suspended(axis);
            if !self.open.and(suspending).is_empty()
                && (suspended.is_some() || device.victim(&setup.tables, self.die, axis, now).is_none())
            {
                self.close(suspending);
            }
            let blocked = axis == Axis::Erase && logic.program.is_some();
            let planes = suspended.filter(|_| !blocked).map(|victim| victim.place.planes);
            if planes.is_none_or(|planes| !planes.and(unread).is_empty()) {
                self.close(resuming);
            }
        }
    }

    /// The planes on which a base may work now, with this cell type.
    pub(crate) fn allowed(&self, device: &Device, setup: &Setup, class: &Class) -> PlaneSet {
        let planes = self.planes_of(device, class.base);
        if setup.groups.with_cell_type.contains(class.base) { self.with_page_of(planes, class.cell) } else { planes }
    }

    /// Those of some planes whose page register holds a page of a cell type.
    fn with_page_of(&self, planes: PlaneSet, cell: CellTypeId) -> PlaneSet {
        let fits = planes.iter().filter(|plane| self.page_cell[usize::from(plane.0)] == Some(cell));
        fits.fold(PlaneSet::EMPTY, |all, plane| all.union(PlaneSet::one(plane)))
    }

    /// The planes on which a base may work now with some cell type.
    fn planes_of(&self, device: &Device, base: BaseId) -> PlaneSet {
        let (alike, planes) = self.alike.get();
        if alike.contains(base) {
            return planes;
        }
        let (mut alike, mut planes) = (BaseSet(u128::MAX), PlaneSet::EMPTY);
        for plane in device.planes().iter() {
            let closed = self.closed[usize::from(plane.0)];
            if closed.contains(base) {
                alike = alike.and(closed);
            } else {
                alike = alike.minus(closed);
                planes.insert(plane);
            }
        }
        self.alike.set((alike, planes));
        planes
    }

    /// The bases of which [`View::kinds`] may leave out some names.
    pub(crate) const fn partly(&self, setup: &Setup) -> BaseSet {
        BaseSet(!setup.groups.plain.0).union(self.single_only)
    }

    /// Which kinds of names of an open base have an address now.
    pub(crate) fn kinds(&self, device: &Device, setup: &Setup, base: BaseId) -> Kinds {
        let groups = &setup.groups;
        let beside = if self.single_only.contains(base) { SINGLE } else { SINGLE | MULTI };
        if groups.plain.contains(base) {
            return beside;
        }
        let planes = self.planes_of(device, base);
        let source = groups.sources[base.index()];
        if !groups.with_cell_type.contains(base) {
            return beside & self.kinds_on(device, setup, (base, source), planes);
        }
        let mut kinds = 0;
        for cell in (0..setup.tables.programs.len()).map(CellTypeId::from) {
            let planes = self.with_page_of(planes, cell);
            if source == Source::Other || !planes.is_empty() {
                let of_cell = kind(false, cell) | kind(true, cell);
                kinds |= of_cell & self.kinds_on(device, setup, (base, source), planes);
            }
        }
        kinds & beside
    }

    /// The one page that may be programmed while a cache program is on and no chain counts on it.
    pub(crate) fn next_of_cache_program(&self, device: &Device) -> Option<Place> {
        let last = device.logic(self.die).cache_program.filter(|_| !self.chained)?.place;
        let page = last.page.0.checked_add(1)?;
        Some(Place { page: Page(page), ..last })
    }

    /// Which kinds of names have an address on some of `allowed`.
    fn kinds_on(
        &self,
        device: &Device,
        setup: &Setup,
        (base, source): (BaseId, Source),
        allowed: PlaneSet,
    ) -> Kinds {
        match source {
            Source::Other => self.kinds_of_what_goes_on(device, setup.tables.base(base), allowed),
            Source::NextPageOf if device.logic(self.die).cache_program.is_some() => {
                self.next_of_cache_program(device).map_or(0, |next| kind_of(&next))
            }
            Source::AnyBlock | Source::NextPageOf | Source::AnyNextPage | Source::ReadablePage => {
                self.ask(device, source, allowed)
            }
        }
    }

    /// Which kinds of names can go on with what has begun on the die.
    fn kinds_of_what_goes_on(&self, device: &Device, info: &BaseInfo, allowed: PlaneSet) -> Kinds {
        let logic = device.logic(self.die);
        let latched = |latch| match logic.latch(latch).filter(|_| !self.chained) {
            Some(loaded) => kind_of(&loaded.place),
            None => 0,
        };
        match info.address {
            AddressSource::SuspendedProgram => match logic.program {
                Some(suspended) if suspended.place.planes.is_subset(allowed) => kind_of(&suspended.place),
                _ => 0,
            },
            AddressSource::OneShotLatch => latched(LatchKind::OneShot),
            AddressSource::CopybackLatch => latched(LatchKind::Copyback),
            AddressSource::None
            | AddressSource::Hook
            | AddressSource::OutputRegister
            | AddressSource::PageRegister
            | AddressSource::AnyBlock
            | AddressSource::NextPage
            | AddressSource::ReadablePage => SINGLE | MULTI,
        }
    }

    /// Asks the address book, unless it has just answered the same.
    fn ask(&self, device: &Device, source: Source, allowed: PlaneSet) -> Kinds {
        let slot = &self.answers[source as usize];
        if let Some((_, known)) = slot.get().filter(|&(of, _)| of == allowed) {
            return known;
        }
        let (book, die) = (&device.book, self.die);
        let all = |some: bool, kinds: Kinds| if some { kinds } else { 0 };
        let cells = |single: u8, multi: u8| Kinds::from(single) | Kinds::from(multi) << 8;
        let answer = match source {
            Source::Other => 0,
            Source::AnyBlock => {
                all(!book.any_planes(die, allowed).is_empty(), SINGLE) | all(book.any_together(die, allowed), MULTI)
            }
            Source::NextPageOf => cells(book.next_cells(die, allowed), book.next_cells_together(die, allowed)),
            Source::AnyNextPage => {
                let single = all(!book.any_next_planes(die, allowed).is_empty(), SINGLE);
                single | cells(0, book.next_cells_together(die, allowed))
            }
            Source::ReadablePage => cells(book.read_cells(die, allowed), book.read_cells_together(die, allowed)),
        };
        slot.set(Some((allowed, answer)));
        answer
    }
}

const fn kind_of(place: &Place) -> Kinds {
    kind(place.planes.len() > 1, place.cell_type)
}

/// The bases that the registers of a plane keep from working there.
fn closed_by_registers(groups: &BaseGroups, registers: &PlaneLogic) -> BaseSet {
    let mut closed = BaseSet::EMPTY;
    if registers.unread {
        closed = closed.union(groups.overwriting);
    }
    // Unread data that is not in the page register too: a cache read would lose it.
    let for_good = registers.unread && registers.page != registers.output;
    if for_good || registers.page.is_none() {
        closed = closed.union(groups.cache_reading);
    }
    if registers.page.is_none_or(|page| !page.copyback) {
        closed = closed.union(groups.from_copyback);
    }
    closed
}
