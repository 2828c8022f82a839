//! What may be proposed at a hook: which bases, and which kinds of their names, no rule forbids now and have an address.
//!
//! A filter, not a judge: whatever passes here is judged again before it starts. It is made of bit masks of the state and of
//! the address book's counts, so that nearly every draw succeeds.

use nandseq_device::{BaseInfo, Device, Place, PlaneLogic};
use nandseq_profile::model::{AddressSource, Axis, LatchKind};
use nandseq_profile::{BaseId, BaseSet, CellTypeId, Die, Page, Plane, PlaneSet, Ticks};

use crate::face::Face;
use crate::groups::{BaseGroups, Source};
use crate::lottery::Lottery;
use crate::setup::{Class, Distribution, Kinds, Setup, kind};

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
}

impl View {
    pub(crate) fn new(
        faces: &mut [Face],
        device: &Device,
        setup: &Setup,
        (die, plane): (Die, Plane),
        now: Ticks,
        (chained, waiting): (bool, bool),
    ) -> Self {
        let groups = &setup.groups;
        let own = &mut faces[usize::from(die.0)];
        own.refresh(device, setup, die, now);
        let mut view = Self {
            die,
            plane,
            open: BaseSet(u128::MAX).minus(own.forbidden),
            single_only: BaseSet::EMPTY,
            closed: own.closed,
            page_cell: own.page_cell,
            chained,
        };
        let unread = own.unread;
        let mut addressing = groups.addressing;
        if device.logic(die).cache_program.is_some() {
            addressing = addressing.minus(groups.asking[Source::NextPageOf as usize]); // its page is given
        }
        view.close(own.closed_everywhere.and(addressing));
        view.close(own.on_any_plane.and(groups.on_die.union(groups.on_target)));
        view.close(device.forbidden_by_odt(&setup.tables));
        if waiting {
            view.close(groups.occupying);
        }
        view.close_at_hook(groups, &device.logic(die).planes[usize::from(plane.0)]);
        view.close_beside_others(device, groups, die, groups.joining);
        view.close_without_victim(device, setup, unread, now);
        view.close_by_other_dies(faces, device, setup, now);
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
    fn close_by_other_dies(&mut self, faces: &mut [Face], device: &Device, setup: &Setup, now: Ticks) {
        let groups = &setup.groups;
        for (at, face) in faces.iter_mut().enumerate() {
            let die = Die(at as u8);
            if die == self.die {
                continue;
            }
            if self.open.and(groups.on_target).is_empty() {
                return;
            }
            face.refresh(device, setup, die, now);
            self.close_beside_others(device, groups, die, groups.occupying_target);
            self.close(face.forbidden.union(face.on_any_plane).and(groups.on_target));
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
        self.alike(device, base).1
    }

    /// The planes on which a base may work now, and all bases that share them: most bases are alike.
    fn alike(&self, device: &Device, base: BaseId) -> (BaseSet, PlaneSet) {
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
        (alike, planes)
    }

    /// Fills a lottery with what is eligible.
    pub(crate) fn fill(&self, lottery: &mut Lottery, distribution: &Distribution, device: &Device, setup: &Setup) {
        lottery.start(distribution, self.open);
        let groups = &setup.groups;
        let inside = self.open.and(distribution.set);
        for base in inside.and(groups.plain).and(self.single_only).iter() {
            lottery.limit(distribution, base, SINGLE);
        }
        let mut rest = inside.minus(groups.plain);
        while let Some(first) = rest.first() {
            let (alike, planes) = self.alike(device, first);
            let mut alike = alike.and(rest);
            rest = rest.minus(alike);
            for (source, asking) in Source::ALL.into_iter().zip(groups.asking) {
                let asking = asking.and(alike);
                if asking.is_empty() {
                    continue;
                }
                alike = alike.minus(asking);
                let kinds = self.ask(device, source, planes);
                for base in asking.iter() {
                    lottery.limit(distribution, base, kinds & self.kinds_beside(base));
                }
            }
            for base in alike.iter() {
                // Most often no page register fits: then nothing is asked.
                let kinds = if self.without_page(setup, base, planes) { 0 } else { self.kinds(device, setup, base) };
                lottery.limit(distribution, base, kinds);
            }
        }
    }

    /// Whether a base takes an address from the book for the cell type of a page register, and no plane holds a page.
    fn without_page(&self, setup: &Setup, base: BaseId, planes: PlaneSet) -> bool {
        setup.groups.addressing.contains(base)
            && planes.iter().all(|plane| self.page_cell[usize::from(plane.0)].is_none())
    }

    /// Which kinds of names of a base may start beside what occupies the die.
    const fn kinds_beside(&self, base: BaseId) -> Kinds {
        if self.single_only.contains(base) { SINGLE } else { SINGLE | MULTI }
    }

    /// Which kinds of names of an open base have an address now.
    pub(crate) fn kinds(&self, device: &Device, setup: &Setup, base: BaseId) -> Kinds {
        let groups = &setup.groups;
        let beside = self.kinds_beside(base);
        if groups.plain.contains(base) {
            return beside;
        }
        let planes = self.planes_of(device, base);
        let info = setup.tables.base(base);
        if !groups.with_cell_type.contains(base) {
            return beside & self.kinds_on(device, info, planes);
        }
        let mut kinds = 0;
        for cell in (0..setup.tables.programs.len()).map(CellTypeId::from) {
            let planes = self.with_page_of(planes, cell);
            let of_cell = kind(false, cell) | kind(true, cell);
            kinds |= of_cell & self.kinds_on(device, info, planes);
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
    fn kinds_on(&self, device: &Device, info: &BaseInfo, allowed: PlaneSet) -> Kinds {
        if let Some(source) = Source::of(info) {
            return self.ask(device, source, allowed);
        }
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

    /// Which kinds of names the address book has something for.
    fn ask(&self, device: &Device, source: Source, allowed: PlaneSet) -> Kinds {
        let (book, die) = (&device.book, self.die);
        let all = |some: bool, kinds: Kinds| if some { kinds } else { 0 };
        let cells = |single: u8, multi: u8| Kinds::from(single) | Kinds::from(multi) << 8;
        match source {
            Source::AnyBlock => {
                all(!book.any_planes(die, allowed).is_empty(), SINGLE) | all(book.any_together(die, allowed), MULTI)
            }
            Source::NextPageOf if device.logic(die).cache_program.is_some() => {
                self.next_of_cache_program(device).map_or(0, |next| kind_of(&next))
            }
            Source::NextPageOf => cells(book.next_cells(die, allowed), book.next_cells_together(die, allowed)),
            Source::AnyNextPage => {
                let single = all(!book.any_next_planes(die, allowed).is_empty(), SINGLE);
                single | cells(0, book.next_cells_together(die, allowed))
            }
            Source::ReadablePage => cells(book.read_cells(die, allowed), book.read_cells_together(die, allowed)),
        }
    }
}

const fn kind_of(place: &Place) -> Kinds {
    kind(place.planes.len() > 1, place.cell_type)
}
