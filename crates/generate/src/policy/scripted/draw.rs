//! Draws an address that meets conditions: uniformly over the blocks that may be erased or programmed, or over the readable pages.
//!
//! Blocks are drawn until one fits, which takes a few draws where many fit. If none of [`DRAWS`] fits, all are looked at, so that a draw
//! never misses an address that is there. Either way each address is as likely as any other.

use nandseq_device::{BaseInfo, BlockStage, Device, Place, Tables};
use nandseq_profile::model::AddressSource;
use nandseq_profile::{CellTypeId, Page, Plane, PlaneSet};

use super::conditions::PlaceConditions;
use crate::random::{RandomNumbers, Stream};

/// How many sets of planes are tried for a multi-plane operation.
const PLANE_SETS: usize = 12;

/// How many blocks are drawn before all are looked at.
const DRAWS: usize = 24;

/// How many pages of a block are tried for a read, since limits may have used some up.
const PAGE_DRAWS: usize = 16;

/// Whether the addresses of a base are those of blocks, so that [`AddressDraw`] finds them.
pub(super) fn is_of_blocks(info: &BaseInfo, device: &Device, conditions: &PlaceConditions) -> bool {
    match info.address {
        AddressSource::AnyBlock | AddressSource::ReadablePage => true,
        AddressSource::NextPage => info.effects.is_program() && device.logic(conditions.die).cache_program.is_none(),
        AddressSource::None
        | AddressSource::Hook
        | AddressSource::OutputRegister
        | AddressSource::PageRegister
        | AddressSource::SuspendedProgram
        | AddressSource::OneShotLatch
        | AddressSource::CopybackLatch => false,
    }
}

/// Memory of draws. Kept, so that drawing allocates nothing.
#[derive(Clone, Default, Debug)]
pub(super) struct AddressDraw {
    /// The groups that fit, with a page to program, and how many pages may be read.
    found: Vec<(Place, u32)>,
    /// Sets of planes.
    sets: Vec<PlaneSet>,
}

/// What limits make of blocks that meet conditions.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct LimitedBlocks {
    /// One fits.
    fits: bool,
    /// One would fit without limits.
    fits_but_for_limits: bool,
    /// One without a page to read may be read once it has one.
    may_come: bool,
    /// One without a page to read may not be read then either.
    never_comes: bool,
}

impl LimitedBlocks {
    /// Whether limits alone keep all of them away.
    pub(super) const fn are_kept_away(self) -> bool {
        !self.fits && (self.fits_but_for_limits || self.never_comes && !self.may_come)
    }
}

/// What an address is drawn for.
#[derive(Clone, Copy)]
pub(super) struct AddressUse<'a> {
    pub(super) tables: &'a Tables,
    pub(super) device: &'a Device,
    pub(super) info: &'a BaseInfo,
    pub(super) cell: CellTypeId,
}

impl AddressUse<'_> {
    /// Whether some block on a plane fits.
    pub(super) fn has_any(&self, conditions: &PlaceConditions, plane: Plane) -> bool {
        let (first, end) = conditions.groups(&self.tables.size);
        (first..end).any(|group| self.pages(conditions, group, plane).is_some())
    }

    /// Whether the limits leave room for a use of a place.
    fn has_room(&self, place: Place) -> bool {
        !self.device.book.has_limits() || self.device.book.has_room(&std::iter::once((self.info, place)))
    }

    /// Adds to `found` what the limits make of the blocks on a plane.
    pub(super) fn look_at_limits(&self, conditions: &PlaceConditions, plane: Plane, found: &mut LimitedBlocks) {
        let (first, end) = conditions.groups(&self.tables.size);
        let is_read = self.info.address == AddressSource::ReadablePage;
        for group in first..end {
            let place = Place {
                die: conditions.die,
                planes: PlaneSet::one(plane),
                group,
                cell_type: self.cell,
                ..Place::default()
            };
            match self.pages_but_for_limits(conditions, group, plane) {
                Some((page, _)) if !is_read && self.has_room(Place { page, ..place }) => found.fits = true,
                Some((_, count)) if is_read && self.has_readable_room(conditions, place, count) => found.fits = true,
                Some(_) => found.fits_but_for_limits = true,
                None if is_read && self.is_good(conditions, group, plane) => {
                    let pages = conditions.count_pages(self.tables.size.pages.into());
                    let may_come = self.has_readable_room(conditions, place, pages);
                    (found.may_come, found.never_comes) = (found.may_come || may_come, found.never_comes || !may_come);
                }
                None => {}
            }
        }
    }

    /// Whether there is a block that fits and is not bad.
    fn is_good(&self, conditions: &PlaceConditions, group: u32, plane: Plane) -> bool {
        let size = &self.tables.size;
        let block = Place { group, ..Place::default() }.block(size, plane);
        block.0 < size.blocks
            && conditions.fits_block(size, group, plane)
            && self.device.book.record(conditions.die, block).stage != BlockStage::Bad
    }

    /// Whether the limits leave room for a read of a block: as many pages are looked at as are drawn, spread over the first that fit.
    fn has_readable_room(&self, conditions: &PlaceConditions, place: Place, count: u32) -> bool {
        let mut pages = (0..count).step_by((count as usize).div_ceil(PAGE_DRAWS).max(1));
        pages
            .any(|at| conditions.page(at).is_some_and(|page| self.has_room(Place { page: Page(page as u16), ..place })))
    }

    /// The pages of a block that fit within the limits: the page for an erase or program, with 1; how many are readable for a read,
    /// whether limits have used them up or not.
    fn pages(&self, conditions: &PlaceConditions, group: u32, plane: Plane) -> Option<(Page, u32)> {
        let (page, count) = self.pages_but_for_limits(conditions, group, plane)?;
        let planes = PlaneSet::one(plane);
        let place = Place { die: conditions.die, planes, group, page, cell_type: self.cell };
        (self.info.address == AddressSource::ReadablePage || self.has_room(place)).then_some((page, count))
    }

    /// The pages of a block that fit whatever the limits.
    fn pages_but_for_limits(&self, conditions: &PlaceConditions, group: u32, plane: Plane) -> Option<(Page, u32)> {
        let Self { tables, device, info, .. } = *self;
        let place = Place {
            die: conditions.die,
            planes: PlaneSet::one(plane),
            group,
            cell_type: self.cell,
            ..Place::default()
        };
        let block = place.block(&tables.size, plane);
        if block.0 >= tables.size.blocks {
            return None;
        }
        // Most blocks are in another state, which is looked up faster than what a block must be.
        let record = device.book.record(conditions.die, block);
        let fits_block = || conditions.fits_block(&tables.size, group, plane);
        if info.address == AddressSource::ReadablePage {
            let readable = u32::from(record.pages).saturating_sub(tables.offset_guard);
            let is_of_cell = record.stage == BlockStage::Programmed(self.cell) && !record.in_flight;
            let is_free = is_of_cell && record.held_to_change == 0 && readable > 0;
            let pages = if is_free && fits_block() { conditions.count_pages(readable) } else { 0 };
            return (pages > 0).then_some((Page(0), pages));
        }
        let page = Page(if info.address == AddressSource::NextPage { record.pages } else { 0 });
        let place = Place { page, ..place };
        let fits = page.0 < tables.size.pages
            && !record.is_held()
            && fits_block()
            && conditions.pages.iter().any(|&(from, to)| (from..=to).contains(&page.0.into()))
            && device.book.judge(info, &place, self.cell).is_ok();
        fits.then_some((page, 1))
    }
}

impl AddressDraw {
    /// Draws an address on some of `planes`; `most` is the number of planes of a multi-plane operation, or `None` for one plane.
    pub(super) fn draw(
        &mut self,
        of: AddressUse<'_>,
        conditions: &PlaceConditions,
        (planes, most): (PlaneSet, Option<u32>),
        stream: &mut Stream,
    ) -> Option<Place> {
        let planes = planes.and(conditions.planes);
        let Some(most) = most else {
            let planes = conditions.has_plane.map_or(planes, |plane| planes.and(PlaneSet::one(plane)));
            if let Some(place) = draw_one(of, conditions, planes, stream) {
                return Some(place);
            }
            self.find(of, conditions, planes.iter().map(PlaneSet::one));
            return self.pick(of, conditions, stream);
        };
        let is_set = |set: &PlaneSet| {
            (2..=most).contains(&set.len()) && conditions.has_plane.is_none_or(|plane| set.contains(plane))
        };
        self.sets.clear();
        self.sets.extend((1..=planes.0).map(PlaneSet).filter(|set| set.is_subset(planes)).filter(is_set));
        for _ in 0..PLANE_SETS.min(self.sets.len()) {
            let at = stream.below(self.sets.len() as u64) as usize;
            let set = self.sets.swap_remove(at);
            self.find(of, conditions, std::iter::once(set));
            if let Some(place) = self.pick(of, conditions, stream) {
                return Some(place);
            }
        }
        None
    }

    /// Finds the groups that fit on each of some sets of planes.
    fn find(&mut self, of: AddressUse<'_>, conditions: &PlaceConditions, sets: impl Iterator<Item = PlaneSet>) {
        self.found.clear();
        let (first, end) = conditions.groups(&of.tables.size);
        for planes in sets {
            for group in first..end {
                let mut each = planes.iter().map(|plane| of.pages(conditions, group, plane));
                let Some(Some(one)) = each.next() else { continue };
                // A program works on one page, a read on a page that all blocks have.
                let all = each.try_fold(one, |(page, count), other| {
                    other.filter(|other| other.0 == page).map(|other| (page, count.min(other.1)))
                });
                if let Some((page, count)) = all {
                    let place = Place { die: conditions.die, planes, group, page, cell_type: of.cell };
                    self.found.push((place, count));
                }
            }
        }
    }

    /// Draws one of the groups that were found, each as likely as its pages are many.
    fn pick(&self, of: AddressUse<'_>, conditions: &PlaceConditions, stream: &mut Stream) -> Option<Place> {
        let &(place, count) = stream.pick(self.found.iter().map(|found| (found, u64::from(found.1))))?;
        if of.info.address != AddressSource::ReadablePage {
            return Some(place);
        }
        for _ in 0..PAGE_DRAWS {
            let page = conditions.page(stream.below(count.into()) as u32)?;
            let place = Place { page: Page(page as u16), ..place };
            if of.has_room(place) {
                return Some(place);
            }
        }
        None
    }
}

/// Draws a block on one of some planes, and a page of it, until both fit; `None` if none of a few does.
fn draw_one(of: AddressUse<'_>, conditions: &PlaceConditions, planes: PlaneSet, stream: &mut Stream) -> Option<Place> {
    let size = &of.tables.size;
    let (first, end) = conditions.groups(size);
    let groups = u64::from(end.saturating_sub(first));
    // Of a read, each page is as likely as any other.
    let is_read = of.info.address == AddressSource::ReadablePage;
    let pages = if is_read { u64::from(conditions.count_pages(size.pages.into())) } else { 1 };
    if planes.is_empty() || groups == 0 || pages == 0 {
        return None;
    }
    (0..DRAWS).find_map(|_| {
        let plane = planes.iter().nth(stream.below(u64::from(planes.len())) as usize)?;
        let group = first + stream.below(groups) as u32;
        let at = stream.below(pages) as u32;
        let (page, _) = of.pages(conditions, group, plane).filter(|&(_, count)| at < count)?;
        let page = if is_read { Page(conditions.page(at)? as u16) } else { page };
        let place = Place { die: conditions.die, planes: PlaneSet::one(plane), group, page, cell_type: of.cell };
        (!is_read || of.has_room(place)).then_some(place)
    })
}
