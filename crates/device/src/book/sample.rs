//! Draws addresses, in constant time and uniformly over the eligible ones.
//!
//! Callers give `below`, which draws uniformly below a bound ≥ 1. A draw calls it once, a draw of several planes three times, and
//! a draw of a readable page up to 63 times more. A draw is `None` if no address qualifies. `allowed` are planes of the device;
//! `max_planes` is the most planes of a draw (below 2: the draw is `None`).
//!
//! A draw on a single plane is exactly uniform over the eligible blocks, or readable pages, of the allowed planes. A draw on
//! several planes picks a plane set first. The size of the set is uniform from 2 to `max_planes`, or to the number of allowed
//! planes. The set is uniform among those of that size on which some group qualifies; if there is none, smaller sizes are tried.
//! The address is then uniform over the groups of that set, or over their readable pages.

use nandseq_profile::{CellTypeId, Die, Page, PlaneSet};

use super::address_book::{AddressBook, PlaneSummary};
use super::masks::{MaskSet, bits};
use super::record::BlockStage;
use super::uses::LENGTHS;
use crate::place::Place;

/// How many times a readable page is drawn. If no draw succeeds, a page of the block drawn last is taken.
///
/// A draw succeeds with probability ≥ 1/2 on single planes, so the deviation from uniform is below 2⁻⁶⁴. Draws on groups with
/// very unlike blocks succeed less often; there the deviation is the same power of their rate of failure.
const REDRAWS: u32 = 64;

impl AddressBook {
    /// The planes among `allowed` with a block that may be erased.
    #[must_use]
    pub fn any_planes(&self, die: Die, allowed: PlaneSet) -> PlaneSet {
        self.dies[usize::from(die.0)].any.and(allowed)
    }

    /// The planes among `allowed` with a block that may be programmed with a cell type.
    #[must_use]
    pub fn next_planes(&self, die: Die, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.dies[usize::from(die.0)].next[cell.index() % 8].and(allowed)
    }

    /// The planes among `allowed` with a readable page of a cell type.
    #[must_use]
    pub fn read_planes(&self, die: Die, cell: CellTypeId, allowed: PlaneSet) -> PlaneSet {
        self.dies[usize::from(die.0)].read[cell.index() % 8].and(allowed)
    }

    /// The cell types, one bit each, with which some block of the allowed planes may be programmed.
    #[must_use]
    pub fn next_cells(&self, die: Die, allowed: PlaneSet) -> u8 {
        self.over_die_planes(die, allowed, |die_plane| die_plane.next_cells)
    }

    /// The cell types, one bit each, as which some page of the allowed planes may be read.
    #[must_use]
    pub fn read_cells(&self, die: Die, allowed: PlaneSet) -> u8 {
        self.over_die_planes(die, allowed, |die_plane| die_plane.read_cells)
    }

    fn over_die_planes(&self, die: Die, allowed: PlaneSet, bits: impl Fn(&PlaneSummary) -> u8) -> u8 {
        let first = usize::from(die.0) * usize::from(self.size.planes);
        allowed.iter().fold(0, |all, plane| all | bits(&self.die_planes[first + usize::from(plane.0)]))
    }

    /// The cell types, one bit each, with which some two of the allowed planes can be programmed together.
    #[must_use]
    pub fn next_cells_together(&self, die: Die, allowed: PlaneSet) -> u8 {
        self.plane_set_index.next_together(die, allowed)
    }

    /// The cell types, one bit each, as which some two of the allowed planes can be read together.
    #[must_use]
    pub fn read_cells_together(&self, die: Die, allowed: PlaneSet) -> u8 {
        self.plane_set_index.read_together(die, allowed)
    }

    /// A block that may be erased, at page 0; the caller fills in the cell type.
    pub fn sample_any(&self, die: Die, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let first = usize::from(die.0) * usize::from(self.size.planes);
        let sets = || allowed.iter().map(|plane| self.any.get(first + usize::from(plane.0)));
        let entry = nth(sets, below)?;
        Some(self.place_of(die, entry, 0))
    }

    /// The next page of a block that may be programmed with a cell type.
    pub fn sample_next(
        &self,
        die: Die,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let planes = self.next_planes(die, cell, allowed);
        let first = usize::from(die.0) * usize::from(self.size.planes);
        let sets = || {
            planes.iter().flat_map(|plane| {
                let base = (first + usize::from(plane.0)) * self.cells * 2;
                self.program_classes(cell.index()).map(move |class| self.next.get(base + class))
            })
        };
        let entry = nth(sets, below)?;
        Some(Place { cell_type: cell, ..self.place_of(die, entry, self.records[entry as usize].pages) })
    }

    /// The planes among `allowed` with a block that may be programmed at all.
    #[must_use]
    pub fn any_next_planes(&self, die: Die, allowed: PlaneSet) -> PlaneSet {
        let next = &self.dies[usize::from(die.0)].next;
        next.iter().fold(PlaneSet::EMPTY, |all, &planes| all.union(planes)).and(allowed)
    }

    /// The next page of a block that may be programmed with some cell type. The place has the cell type that the block is erased
    /// or programmed as.
    pub fn sample_any_next(&self, die: Die, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let first = usize::from(die.0) * usize::from(self.size.planes);
        let sets = || {
            allowed.iter().flat_map(|plane| {
                let base = (first + usize::from(plane.0)) * self.cells * 2;
                (0..self.cells * 2).map(move |class| self.next.get(base + class))
            })
        };
        let entry = nth(sets, below)?;
        let record = &self.records[entry as usize];
        let cell = match record.stage {
            BlockStage::Erased(cell) | BlockStage::Programmed(cell) => cell,
            BlockStage::Bad | BlockStage::NotErased => return None,
        };
        Some(Place { cell_type: cell, ..self.place_of(die, entry, record.pages) })
    }

    /// A readable page of a cell type.
    pub fn sample_read(
        &self,
        die: Die,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let planes = self.read_planes(die, cell, allowed);
        let first = usize::from(die.0) * usize::from(self.size.planes);
        let sets = || {
            planes.iter().flat_map(|plane| {
                let base = ((first + usize::from(plane.0)) * self.cells + cell.index()) * LENGTHS;
                let lengths = self.die_planes[first + usize::from(plane.0)].read_lengths[cell.index()];
                bits(lengths).map(move |length| (self.read.get(base + length), length))
            })
        };
        let limit = |entry: u32| self.readable(&self.records[entry as usize]).map_or(0, |(_, pages)| pages);
        let (entry, page) = nth_page(sets, limit, below)?;
        Some(Place { cell_type: cell, ..self.place_of(die, entry, page) })
    }

    fn place_of(&self, die: Die, entry: u32, page: u16) -> Place {
        let block = entry - u32::from(die.0) * self.size.blocks;
        let planes = u32::from(self.size.planes);
        let plane = PlaneSet(1 << (block % planes));
        Place { die, planes: plane, group: block / planes, page: Page(page), ..Place::default() }
    }

    /// Whether some two of the allowed planes can be erased together.
    #[must_use]
    pub fn any_together(&self, die: Die, allowed: PlaneSet) -> bool {
        self.plane_set_index.any_together(die, allowed)
    }

    /// Whether some two of the allowed planes can be programmed together.
    #[must_use]
    pub fn next_together(&self, die: Die, cell: CellTypeId, allowed: PlaneSet) -> bool {
        self.next_cells_together(die, allowed) >> cell.0 & 1 == 1
    }

    /// Whether some two of the allowed planes can be read together.
    #[must_use]
    pub fn read_together(&self, die: Die, cell: CellTypeId, allowed: PlaneSet) -> bool {
        self.read_cells_together(die, allowed) >> cell.0 & 1 == 1
    }

    /// A random plane set among the allowed ones on which some group qualifies; `known` are the plane sets of groups.
    fn draw_planes(
        &self,
        allowed: PlaneSet,
        max_planes: u32,
        known: &MaskSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<PlaneSet> {
        let most = max_planes.min(allowed.len());
        if most < 2 {
            return None;
        }
        let wanted = 2 + below(u64::from(most - 1)) as u32;
        let exists = |mask: &PlaneSet| known.meets(self.masks.supersets(*mask));
        for size in (2..=wanted).rev() {
            let of_size = || self.masks.subsets(allowed).iter().filter(|mask| mask.len() == size);
            let count = of_size().filter(exists).count();
            if count > 0 {
                let pick = below(count as u64) as usize;
                return of_size().filter(exists).nth(pick);
            }
        }
        None
    }

    /// The plane sets among `known` that contain `planes`.
    fn supersets(&self, planes: PlaneSet, known: &MaskSet) -> impl Iterator<Item = PlaneSet> + use<> {
        self.masks.supersets(planes).and(known).iter()
    }

    /// Blocks of one group that may be erased together, at page 0; the caller fills in the cell type.
    pub fn sample_any_together(
        &self,
        die: Die,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let known = self.plane_set_index.any_masks(die);
        let planes = self.draw_planes(allowed, max_planes, known, below)?;
        let entry = nth(|| self.supersets(planes, known).map(|mask| self.plane_set_index.any(die, mask)), below)?;
        Some(Place { die, planes, group: self.plane_set_index.any_group(entry), ..Place::default() })
    }

    /// Blocks of one group that may be programmed together at the same page.
    pub fn sample_next_together(
        &self,
        die: Die,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let planes = self.draw_planes(allowed, max_planes, self.plane_set_index.next_masks(die, cell), below)?;
        self.sample_next_on(die, cell, planes, below)
    }

    /// Blocks of one group that may be programmed together at the same page, on exactly these planes.
    pub fn sample_next_on(
        &self,
        die: Die,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let known = self.plane_set_index.next_masks(die, cell);
        let entry =
            nth(|| self.supersets(planes, known).map(|mask| self.plane_set_index.next(die, cell, mask)), below)?;
        let place =
            Place { die, planes, group: self.plane_set_index.next_group(entry), cell_type: cell, ..Place::default() };
        let first = planes.iter().next()?;
        let page = Page(self.record(die, place.block(&self.size, first)).pages);
        Some(Place { page, ..place })
    }

    /// A page that can be read together on several planes of one group.
    pub fn sample_read_together(
        &self,
        die: Die,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let planes = self.draw_planes(allowed, max_planes, self.plane_set_index.read_masks(die, cell), below)?;
        self.sample_read_on(die, cell, planes, below)
    }

    /// The sets of groups that can be read together on exactly `mask`, with the bit length of their longest stretch.
    fn read_lists(&self, die: Die, cell: CellTypeId, mask: PlaneSet) -> impl Iterator<Item = (&[u32], usize)> {
        let lengths = self.plane_set_index.read_lengths(die, cell, mask);
        bits(lengths).map(move |length| (self.plane_set_index.read(die, cell, mask, length), length))
    }

    /// A page that can be read together on exactly these planes of one group.
    pub fn sample_read_on(
        &self,
        die: Die,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let limit = |entry: u32| {
            let place = Place { die, planes, group: self.plane_set_index.read_group(entry), ..Place::default() };
            let pages = |plane| {
                let record = self.record(die, place.block(&self.size, plane));
                self.readable(record).map_or(0, |(_, pages)| pages)
            };
            planes.iter().map(pages).min().unwrap_or(0)
        };
        let known = self.plane_set_index.read_masks(die, cell);
        let sets = || self.supersets(planes, known).flat_map(|mask| self.read_lists(die, cell, mask));
        let (entry, page) = nth_page(sets, limit, below)?;
        let group = self.plane_set_index.read_group(entry);
        Some(Place { die, planes, group, page: Page(page), cell_type: cell })
    }
}

/// An entry drawn uniformly from the union of disjoint sets.
fn nth<'a, I: Iterator<Item = &'a [u32]>>(sets: impl Fn() -> I, below: &mut impl FnMut(u64) -> u64) -> Option<u32> {
    let total: u64 = sets().map(|set| set.len() as u64).sum();
    if total == 0 {
        return None;
    }
    let mut at = below(total);
    for set in sets() {
        match set.get(at as usize) {
            Some(&entry) => return Some(entry),
            None => at -= set.len() as u64,
        }
    }
    None
}

/// An (entry, page) drawn uniformly from the pages `0..limit(entry)` of all entries.
///
/// Each set comes with the bit length of its greatest limit. A draw over set × 2^length hits a page with a probability of at
/// least 1/2 if all limits of the set have that bit length. A draw that misses is repeated.
fn nth_page<'a, I: Iterator<Item = (&'a [u32], usize)>>(
    sets: impl Fn() -> I,
    limit: impl Fn(u32) -> u16,
    below: &mut impl FnMut(u64) -> u64,
) -> Option<(u32, u16)> {
    let total: u64 = sets().map(|(set, length)| (set.len() as u64) << length).sum();
    if total == 0 {
        return None;
    }
    let mut last = None;
    for _ in 0..REDRAWS {
        let mut at = below(total);
        for (set, length) in sets() {
            let share = (set.len() as u64) << length;
            if at < share {
                let entry = set[(at >> length) as usize];
                let page = at & ((1 << length) - 1);
                let pages = limit(entry);
                if page < u64::from(pages) {
                    return Some((entry, page as u16));
                }
                last = Some((entry, page, pages));
                break;
            }
            at -= share;
        }
    }
    last.filter(|&(_, _, pages)| pages > 0).map(|(entry, page, pages)| (entry, (page % u64::from(pages)) as u16))
}
