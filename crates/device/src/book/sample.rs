//! Draws addresses, in constant time and uniformly over the eligible ones. With regions, one of those that have an eligible address is drawn
//! first, by weight; what follows is of that region.
//!
//! Callers give `below`, which draws uniformly below a bound ≥ 1. A draw calls it once, a draw of several planes three times, a draw of
//! a readable page up to 63 times more, and a draw from several regions once more. A draw is `None` if no address qualifies. `allowed` are planes of the device;
//! `max_planes` is the most planes of a draw (below 2: the draw is `None`).
//!
//! A draw on a single plane is exactly uniform over the eligible blocks, or readable pages, of the allowed planes. A draw on
//! several planes picks a plane set first. The size of the set is uniform from 2 to `max_planes`, or to the number of allowed
//! planes. The set is uniform among those of that size on which some group qualifies; if there is none, smaller sizes are tried.
//! The address is then uniform over the groups of that set, or over their readable pages.

use nandseq_profile::{Block, CellTypeId, Die, Page, PlaneSet};

use super::address_book::AddressBook;
use super::addresses::DieAddresses;
use super::die_index::DieIndex;
use super::masks::{MaskSet, bits};
use super::page_ranges::{PageRanges, UsedUp};
use super::record::BlockStage;
use super::usable_planes::parts;
use super::uses::LENGTHS;
use crate::place::Place;

/// How many times a readable page is drawn. If no draw succeeds, a page of the block drawn last is taken.
///
/// A draw succeeds with probability ≥ 1/2 on single planes, so the deviation from uniform is below 2⁻⁶⁴. Draws on groups with
/// very unlike blocks succeed less often; there the deviation is the same power of their rate of failure.
const REDRAWS: u32 = 64;

/// The index that a draw takes its address from: of a die, or of a region on it.
#[derive(Clone, Copy)]
struct Draws<'a> {
    book: &'a AddressBook,
    die: Die,
    index: &'a DieIndex,
    /// The pages of the region; `None` if all pages may be used.
    pages: Option<&'a PageRanges>,
    /// How many blocks may be opened.
    slots: u32,
}

impl<'a> DieAddresses<'a> {
    /// The index that a draw takes its address from: that of the whole die, or of a region that was drawn by weight among those that have
    /// an address for the draw.
    #[inline]
    fn draws(&self, has: impl Fn(&DieIndex) -> bool, below: &mut impl FnMut(u64) -> u64) -> Option<Draws<'a>> {
        let (book, die) = (self.book, self.die);
        if let Some(index) = self.whole() {
            return Some(Draws { book, die, index, pages: None, slots: u32::MAX });
        }
        let with_address = || self.regions().iter().filter(|region| has(&region.index));
        let region = if let [alone] = self.regions() {
            has(&alone.index).then_some(alone)?
        } else {
            let total: u64 = with_address().map(|region| region.weight).sum();
            let mut at = if total > 0 { below(total) } else { return None };
            with_address().find(|region| {
                let is_here = at < region.weight;
                at = at.wrapping_sub(region.weight);
                is_here
            })?
        };
        Some(Draws { book, die, index: &region.index, pages: region.pages(book.may_be_used_up()), slots: book.slots })
    }

    /// A block that may be erased, at page 0; the caller fills in the cell type.
    pub fn sample_any(&self, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let draws = self.draws(|index| !index.usable.any_planes(allowed).is_empty(), below)?;
        let sets = || allowed.iter().map(|plane| draws.index.any.get(usize::from(plane.0)));
        let block = draws.index.block(nth(sets, below)?);
        Some(draws.place_of(block, 0))
    }

    /// The next page of a block that may be programmed with a cell type.
    pub fn sample_next(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let draws = self.draws(|index| !index.usable.next_planes(cell, allowed, self.book.slots).is_empty(), below)?;
        let planes = draws.index.usable.next_planes(cell, allowed, draws.slots);
        let sets = || {
            planes.iter().flat_map(|plane| {
                let base = usize::from(plane.0) * draws.index.cells * 2;
                draws.program_classes(cell.index()).map(move |class| draws.index.next.get(base + class))
            })
        };
        let block = draws.index.block(nth(sets, below)?);
        Some(Place { cell_type: cell, ..draws.place_of(block, self.book.record(self.die, Block(block)).pages) })
    }

    /// The next page of a block that may be programmed with some cell type. The place has the cell type that the block is erased
    /// or programmed as.
    pub fn sample_any_next(&self, allowed: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let draws = self.draws(|index| !index.usable.any_next_planes(allowed, self.book.slots).is_empty(), below)?;
        let sets = || {
            allowed.iter().flat_map(|plane| {
                let base = usize::from(plane.0) * draws.index.cells * 2;
                (draws.first_class()..draws.index.cells * 2).map(move |class| draws.index.next.get(base + class))
            })
        };
        let block = draws.index.block(nth(sets, below)?);
        let record = self.book.record(self.die, Block(block));
        let cell = match record.stage {
            BlockStage::Erased(cell) | BlockStage::Programmed(cell) => cell,
            BlockStage::Bad | BlockStage::NotErased => return None,
        };
        Some(Place { cell_type: cell, ..draws.place_of(block, record.pages) })
    }

    /// A readable page of a cell type.
    pub fn sample_read(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let draws = self.draws(|index| !index.usable.read_planes(cell, allowed).is_empty(), below)?;
        let index = draws.index;
        let planes = index.usable.read_planes(cell, allowed);
        // How many pages the sets of a plane count for is known, so that only those of one plane are looked through.
        let (mut total, mut ends) = (0, [u64::MAX; 8]);
        for ((plane, own), end) in (0..).zip(&index.of_planes).zip(&mut ends) {
            total += own.read_shares[cell.index() % 8] * u64::from(planes.0 >> plane & 1);
            *end = total;
        }
        debug_assert!(index.counts_shares(cell), "the shares are those of the sets");
        let find = |at: u64| {
            let plane = ends.iter().map(|&end| usize::from(end <= at)).sum::<usize>() % 8;
            let begin = if plane == 0 { 0 } else { ends[plane - 1] };
            let base = (plane * index.cells + cell.index()) * LENGTHS;
            let lengths = index.of_planes[plane].read_lengths[cell.index()];
            find_in(bits(lengths).map(|length| (index.read.get(base + length), length)), at - begin)
        };
        let limit = |entry: u32| {
            let block = index.block(entry);
            draws.count(draws.readable(block), [block])
        };
        let (entry, page) = nth_page(total, find, limit, below)?;
        let block = index.block(entry);
        Some(Place { cell_type: cell, ..draws.place_of(block, draws.page(page, [block])) })
    }

    /// Blocks of one group that may be erased together, at page 0; the caller fills in the cell type.
    pub fn sample_any_together(
        &self,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let draws = self.draws(|index| index.usable.any_together(allowed), below)?;
        let groups = &draws.index.plane_sets;
        let planes = draws.draw_planes(allowed, max_planes, &groups.any_known().inside, below)?;
        let masks = || draws.supersets(planes, &groups.any_known().masks);
        let group = nth(|| masks().map(|mask| groups.any(mask)), below)?;
        Some(Place { die: self.die, planes, group: draws.index.first + group, ..Place::default() })
    }

    /// Blocks of one group that may be programmed together at the same page.
    pub fn sample_next_together(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.usable.next_together(allowed, self.book.slots) >> cell.0 & 1 == 1;
        let draws = self.draws(has, below)?;
        let planes = draws.draw_planes(allowed, max_planes, &draws.index.next_inside(cell, draws.slots), below)?;
        draws.next_on(cell, planes, below)
    }

    /// Blocks of one group that may be programmed together at the same page, on exactly these planes.
    pub fn sample_next_on(
        &self,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.next_inside(cell, self.book.slots).contains(planes);
        self.draws(has, below)?.next_on(cell, planes, below)
    }

    /// A page that can be read together on several planes of one group.
    pub fn sample_read_together(
        &self,
        cell: CellTypeId,
        allowed: PlaneSet,
        max_planes: u32,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let draws = self.draws(|index| index.usable.read_together(allowed) >> cell.0 & 1 == 1, below)?;
        let known = draws.index.plane_sets.read_known(cell);
        let planes = draws.draw_planes(allowed, max_planes, &known.inside, below)?;
        draws.read_on(cell, planes, below)
    }

    /// A page that can be read together on exactly these planes of one group.
    pub fn sample_read_on(
        &self,
        cell: CellTypeId,
        planes: PlaneSet,
        below: &mut impl FnMut(u64) -> u64,
    ) -> Option<Place> {
        let has = |index: &DieIndex| index.plane_sets.read_known(cell).inside.contains(planes);
        self.draws(has, below)?.read_on(cell, planes, below)
    }
}

impl Draws<'_> {
    /// The classes of blocks that may be programmed with a cell type.
    fn program_classes(&self, cell: usize) -> impl Iterator<Item = usize> {
        let (programs, cells) = (&self.book.programs, self.index.cells);
        let erased = (self.first_class()..cells).filter(move |&erased| programs[erased] >> cell & 1 == 1);
        erased.chain(std::iter::once(cells + cell))
    }

    /// The first class of blocks that may be programmed: without blocks to open, that of blocks with programmed pages.
    const fn first_class(&self) -> usize {
        if self.slots == 0 { self.index.cells } else { 0 }
    }

    /// How many pages of a block may be read, from 0, whatever the region.
    fn readable(&self, block: u32) -> u16 {
        self.book.readable(self.book.record(self.die, Block(block))).map_or(0, |(_, pages)| pages)
    }

    /// How many of so many pages from 0 of some blocks are in the region and have reached no limit.
    #[inline]
    fn count(&self, readable: u16, blocks: impl IntoIterator<Item = u32>) -> u16 {
        self.pages.map_or(readable, |pages| pages.count(readable, &self.used_up(blocks)))
    }

    /// The page with so many such pages below it.
    #[inline]
    fn page(&self, index: u16, blocks: impl IntoIterator<Item = u32>) -> u16 {
        self.pages.map_or(index, |pages| pages.nth(index, &self.used_up(blocks)))
    }

    /// The pages that have reached a limit on one of some blocks.
    fn used_up(&self, blocks: impl IntoIterator<Item = u32>) -> UsedUp<'_> {
        let mut all = UsedUp::default();
        blocks.into_iter().for_each(|block| all.add(self.book.used_up(self.die, Block(block))));
        all
    }

    fn place_of(&self, block: u32, page: u16) -> Place {
        let planes = u32::from(self.book.size.planes);
        let plane = PlaneSet(1 << (block % planes));
        Place { die: self.die, planes: plane, group: block / planes, page: Page(page), ..Place::default() }
    }

    /// A random plane set among the allowed ones on which some group qualifies; `known` are all of these.
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
        let masks = &self.book.masks;
        let found = masks.subsets(allowed).and(known);
        for size in (2..=wanted).rev() {
            let of_size = found.and(masks.of_size(size));
            let count = of_size.len();
            if count > 0 {
                return of_size.iter().nth(below(count.into()) as usize);
            }
        }
        None
    }

    /// The plane sets among `known` that contain `planes`.
    fn supersets(&self, planes: PlaneSet, known: &MaskSet) -> impl Iterator<Item = PlaneSet> + use<> {
        self.book.masks.supersets(planes).and(known).iter()
    }

    /// Blocks of one group that may be programmed together at the same page, on exactly these planes.
    fn next_on(&self, cell: CellTypeId, planes: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let (groups, die) = (&self.index.plane_sets, self.die);
        let sets = || {
            parts(self.index.usable.splits, self.slots).flat_map(|part| {
                let masks = self.supersets(planes, &groups.next_known(part, cell).masks);
                masks.map(move |mask| groups.next(part, cell, mask))
            })
        };
        let entry = nth(sets, below)?;
        let group = self.index.first + groups.next_group(entry);
        let place = Place { die, planes, group, cell_type: cell, ..Place::default() };
        let first = planes.iter().next()?;
        let page = Page(self.book.record(die, place.block(&self.book.size, first)).pages);
        Some(Place { page, ..place })
    }

    /// The sets of groups that can be read together on exactly `mask`, with the bit length of their longest stretch.
    fn read_lists(&self, cell: CellTypeId, mask: PlaneSet) -> impl Iterator<Item = (&[u32], usize)> {
        let groups = &self.index.plane_sets;
        bits(groups.read_lengths(cell, mask)).map(move |length| (groups.read(cell, mask, length), length))
    }

    /// A page that can be read together on exactly these planes of one group.
    fn read_on(&self, cell: CellTypeId, planes: PlaneSet, below: &mut impl FnMut(u64) -> u64) -> Option<Place> {
        let groups = &self.index.plane_sets;
        let group = |entry: u32| self.index.first + groups.read_group(entry);
        let blocks = |entry: u32| {
            let place = Place { planes, group: group(entry), ..Place::default() };
            planes.iter().map(move |plane| place.block(&self.book.size, plane).0)
        };
        let limit = |entry: u32| {
            let pages = blocks(entry).map(|block| self.readable(block));
            self.count(pages.min().unwrap_or(0), blocks(entry))
        };
        let known = groups.read_known(cell);
        let sets = || self.supersets(planes, &known.masks).flat_map(|mask| self.read_lists(cell, mask));
        let total = sets().map(|(set, length)| (set.len() as u64) << length).sum();
        let (entry, page) = nth_page(total, |at| find_in(sets(), at), limit, below)?;
        let page = Page(self.page(page, blocks(entry)));
        Some(Place { die: self.die, planes, group: group(entry), page, cell_type: cell })
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

/// The set at a position of those that follow one another, each with the bit length of its greatest limit, for as many positions as it has
/// entries × 2^length; and what is left of the position there.
fn find_in<'a>(sets: impl Iterator<Item = (&'a [u32], usize)>, mut at: u64) -> Option<(&'a [u32], usize, u64)> {
    for (set, length) in sets {
        let share = (set.len() as u64) << length;
        if at < share {
            return Some((set, length, at));
        }
        at -= share;
    }
    None
}

/// An (entry, page) drawn uniformly from the pages `0..limit(entry)` of all entries.
///
/// `find` finds the set at a position below `total` as [`find_in`] does. A draw over set × 2^length hits a page with a probability of at
/// least 1/2 if all limits of the set have that bit length. A draw that misses is repeated.
fn nth_page<'a>(
    total: u64,
    find: impl Fn(u64) -> Option<(&'a [u32], usize, u64)>,
    limit: impl Fn(u32) -> u16,
    below: &mut impl FnMut(u64) -> u64,
) -> Option<(u32, u16)> {
    if total == 0 {
        return None;
    }
    let mut last = None;
    for _ in 0..REDRAWS {
        let (set, length, at) = find(below(total))?;
        let entry = set[(at >> length) as usize];
        let page = at & ((1 << length) - 1);
        let pages = limit(entry);
        if page < u64::from(pages) {
            return Some((entry, page as u16));
        }
        last = Some((entry, page, pages));
    }
    last.filter(|&(_, _, pages)| pages > 0).map(|(entry, page, pages)| (entry, (page % u64::from(pages)) as u16))
}
