//! The registers of all planes of a die, packed: a question about some planes is one about sets of planes, without a loop.

use nandseq_profile::model::CacheReadKind;
use nandseq_profile::{CellTypeId, Page, Plane, PlaneSet};
use serde::{Deserialize, Serialize};

use crate::place::Place;

/// The contents of a page register or an output register.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Register {
    /// The block group; the plane is that of the register.
    pub group: u32,
    /// The page.
    pub page: Page,
    /// The cell type it was read as.
    pub cell_type: CellTypeId,
    /// Whether a copyback read put it there.
    pub copyback: bool,
}

impl Register {
    /// Whether both hold the same page of the array, read as the same cell type.
    fn same_page(&self, other: &Self) -> bool {
        (self.group, self.page, self.cell_type) == (other.group, other.page, other.cell_type)
    }
}

/// The registers of a plane.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct PlaneLogic {
    /// The page register.
    pub page: Option<Register>,
    /// The output register.
    pub output: Option<Register>,
    /// Whether the output register has not been put out yet.
    pub unread: bool,
    /// The cache-read state.
    pub cache_read: Option<CacheReadKind>,
}

impl PlaneLogic {
    /// Whether both registers hold the same page, read as the same cell type, or both are empty.
    fn hold_the_same_page(&self) -> bool {
        match (self.page, self.output) {
            (Some(page), Some(output)) => page.same_page(&output),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// Whether no unread data is lost when the page register moves to the output register. Only the page counts: it is the same
    /// page whether a copyback read or another read put it there.
    #[cfg(test)]
    pub(super) fn moves_safely(&self) -> bool {
        let same = |(page, output): (Register, Register)| page.same_page(&output);
        !self.unread || self.page.zip(self.output).is_some_and(same)
    }
}

/// The contents of a register in one word; 0 is an empty one. From the lowest bit: whether it holds a page, whether a copyback read
/// put it there, 6 bits without meaning, the cell type in 8 bits, the page in 16, the block group in 32.
type Word = u64;

const FULL: Word = 1;
const COPYBACK: Word = 1 << 1;

const fn word(group: u32, page: Page, cell: CellTypeId) -> Word {
    (group as Word) << 32 | (page.0 as Word) << 16 | (cell.0 as Word) << 8 | FULL
}

/// The page of a place as a register that holds it has it, copyback or not.
const fn word_of(place: &Place) -> Word {
    word(place.group, place.page, place.cell_type)
}

fn pack(register: Option<Register>) -> Word {
    register.map_or(0, |held| word(held.group, held.page, held.cell_type) | if held.copyback { COPYBACK } else { 0 })
}

const fn unpack(word: Word) -> Option<Register> {
    if word == 0 {
        return None;
    }
    Some(Register {
        group: (word >> 32) as u32,
        page: Page((word >> 16) as u16),
        cell_type: CellTypeId((word >> 8) as u8),
        copyback: word & COPYBACK != 0,
    })
}

/// The page register, the output register, unread data and the cache-read state of every plane of a die.
///
/// Functions that take a plane panic on one that is not below 8.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "[PlaneLogic; 8]", into = "[PlaneLogic; 8]")]
pub struct DieRegisters {
    page: [Word; 8],
    output: [Word; 8],
    unread: PlaneSet,
    cache: PlaneSet,
    plane_cache: PlaneSet,
    // What follows from the registers, kept because it is asked for often.
    with_page: PlaneSet,
    with_output: PlaneSet,
    with_copyback_page: PlaneSet,
    with_the_same_page: PlaneSet,
}

impl Default for DieRegisters {
    fn default() -> Self {
        let none = PlaneSet::EMPTY;
        Self {
            page: [0; 8],
            output: [0; 8],
            unread: none,
            cache: none,
            plane_cache: none,
            with_page: none,
            with_output: none,
            with_copyback_page: none,
            with_the_same_page: none.complement(),
        }
    }
}

/// Some planes put into a set, or taken out of it.
const fn put(set: PlaneSet, planes: PlaneSet, is_in: bool) -> PlaneSet {
    if is_in { set.union(planes) } else { set.minus(planes) }
}

impl From<[PlaneLogic; 8]> for DieRegisters {
    fn from(planes: [PlaneLogic; 8]) -> Self {
        let mut all = Self::default();
        planes.into_iter().zip((0..).map(Plane)).for_each(|(held, plane)| all.set_plane(plane, held));
        all
    }
}

impl From<DieRegisters> for [PlaneLogic; 8] {
    fn from(all: DieRegisters) -> Self {
        std::array::from_fn(|at| all.plane(Plane(at as u8)))
    }
}

impl DieRegisters {
    /// The registers of a plane.
    #[must_use]
    pub const fn plane(&self, plane: Plane) -> PlaneLogic {
        let at = plane.0 as usize;
        let cache_read = match (self.cache.contains(plane), self.plane_cache.contains(plane)) {
            (true, _) => Some(CacheReadKind::Cache),
            (false, true) => Some(CacheReadKind::PlaneCache),
            (false, false) => None,
        };
        let unread = self.unread.contains(plane);
        PlaneLogic { page: unpack(self.page[at]), output: unpack(self.output[at]), unread, cache_read }
    }

    /// Gives a plane other registers.
    pub fn set_plane(&mut self, plane: Plane, held: PlaneLogic) {
        let at = usize::from(plane.0);
        (self.page[at], self.output[at]) = (pack(held.page), pack(held.output));
        for (set, is_in) in [
            (&mut self.unread, held.unread),
            (&mut self.cache, held.cache_read == Some(CacheReadKind::Cache)),
            (&mut self.plane_cache, held.cache_read == Some(CacheReadKind::PlaneCache)),
            (&mut self.with_page, held.page.is_some()),
            (&mut self.with_output, held.output.is_some()),
            (&mut self.with_copyback_page, held.page.is_some_and(|page| page.copyback)),
            (&mut self.with_the_same_page, held.hold_the_same_page()),
        ] {
            *set = put(*set, PlaneSet::one(plane), is_in);
        }
    }

    /// The page register of a plane.
    #[must_use]
    pub const fn page(&self, plane: Plane) -> Option<Register> {
        unpack(self.page[plane.0 as usize])
    }

    /// The output register of a plane.
    #[must_use]
    pub const fn output(&self, plane: Plane) -> Option<Register> {
        unpack(self.output[plane.0 as usize])
    }

    /// The planes whose output register has not been put out yet.
    #[must_use]
    pub const fn unread(&self) -> PlaneSet {
        self.unread
    }

    /// The planes in a cache-read state.
    #[must_use]
    pub const fn in_cache_read(&self, kind: CacheReadKind) -> PlaneSet {
        match kind {
            CacheReadKind::Cache => self.cache,
            CacheReadKind::PlaneCache => self.plane_cache,
        }
    }

    /// The planes whose page register holds something.
    #[must_use]
    pub const fn with_page(&self) -> PlaneSet {
        self.with_page
    }

    /// The planes whose output register holds something.
    #[must_use]
    pub const fn with_output(&self) -> PlaneSet {
        self.with_output
    }

    /// The planes whose page register holds a page that a copyback read put there.
    #[must_use]
    pub const fn with_copyback_page(&self) -> PlaneSet {
        self.with_copyback_page
    }

    /// The planes whose registers hold the same page, read as the same cell type, or both nothing. Whether a copyback read put it into one
    /// of them does not matter.
    #[must_use]
    pub const fn with_the_same_page(&self) -> PlaneSet {
        self.with_the_same_page
    }

    /// The planes where unread data would be lost if the page register moved to the output register. An empty page register loses it
    /// too.
    #[must_use]
    pub const fn losing_by_move(&self) -> PlaneSet {
        self.unread.minus(self.with_the_same_page.and(self.with_page))
    }

    /// The planes among some whose page register does not hold a page that was read as a cell type.
    #[must_use]
    pub fn without_page_of(&self, planes: PlaneSet, cell: CellTypeId) -> PlaneSet {
        let wanted = word(0, Page(0), cell);
        without(planes, &self.page, 0xFF00 | FULL, wanted)
    }

    /// The planes among some whose page register does not hold the page of a place, read as its cell type.
    #[must_use]
    pub fn without_page_at(&self, planes: PlaneSet, place: &Place) -> PlaneSet {
        without(planes, &self.page, !COPYBACK, word_of(place))
    }

    /// The planes among some whose output register does not hold the page of a place, read as its cell type.
    #[must_use]
    pub fn without_output_at(&self, planes: PlaneSet, place: &Place) -> PlaneSet {
        without(planes, &self.output, !COPYBACK, word_of(place))
    }

    /// Both registers of some planes are emptied, as an erase or program does.
    pub(super) fn empty(&mut self, planes: PlaneSet) {
        self.unread = self.unread.minus(planes);
        self.with_page = self.with_page.minus(planes);
        self.with_output = self.with_output.minus(planes);
        self.with_copyback_page = self.with_copyback_page.minus(planes);
        self.with_the_same_page = self.with_the_same_page.union(planes);
        for plane in planes.iter() {
            let at = usize::from(plane.0 % 8);
            (self.page[at], self.output[at]) = (0, 0);
        }
    }

    /// Both registers of the planes of a place hold its page, unread.
    pub(super) fn fill(&mut self, place: &Place, copyback: bool) {
        let planes = place.planes;
        self.unread = self.unread.union(planes);
        self.with_page = self.with_page.union(planes);
        self.with_output = self.with_output.union(planes);
        self.with_copyback_page = put(self.with_copyback_page, planes, copyback);
        self.with_the_same_page = self.with_the_same_page.union(planes);
        let own = word_of(place) | if copyback { COPYBACK } else { 0 };
        for plane in planes.iter() {
            let at = usize::from(plane.0 % 8);
            (self.page[at], self.output[at]) = (own, own);
        }
    }

    /// On some planes the page register moves to the output register, unread. What comes into the page register instead is the page of a
    /// place, or nothing.
    pub(super) fn move_on(&mut self, planes: PlaneSet, next: Option<&Place>) {
        let own = next.map_or(0, word_of);
        self.unread = self.unread.union(planes);
        self.with_output = self.with_output.minus(planes).union(self.with_page.and(planes));
        self.with_page = put(self.with_page, planes, next.is_some());
        self.with_copyback_page = self.with_copyback_page.minus(planes);
        for plane in planes.iter() {
            let at = usize::from(plane.0 % 8);
            (self.output[at], self.page[at]) = (self.page[at], own);
            let is_same = (self.output[at] ^ own) & !COPYBACK == 0;
            self.with_the_same_page = put(self.with_the_same_page, PlaneSet::one(plane), is_same);
        }
    }

    /// Some planes enter a cache-read state, or leave it.
    pub(super) const fn set_cache_read(&mut self, planes: PlaneSet, kind: Option<CacheReadKind>) {
        (self.cache, self.plane_cache) = (self.cache.minus(planes), self.plane_cache.minus(planes));
        match kind {
            Some(CacheReadKind::Cache) => self.cache = self.cache.union(planes),
            Some(CacheReadKind::PlaneCache) => self.plane_cache = self.plane_cache.union(planes),
            None => {}
        }
    }

    /// The data of the page of a place has been read, where the output register holds it.
    pub(super) fn put_out(&mut self, place: &Place) {
        let read = self.unread.and(place.planes);
        self.unread = self.unread.minus(read.minus(self.without_output_at(read, place)));
    }

    /// The data on some planes counts as unread.
    pub fn mark_unread(&mut self, planes: PlaneSet) {
        self.unread = self.unread.union(planes);
    }
}

/// The planes among some whose register, in some of its bits, is not the wanted word.
#[inline]
fn without(planes: PlaneSet, registers: &[Word; 8], bits: Word, wanted: Word) -> PlaneSet {
    let is_other = |plane: &Plane| registers[usize::from(plane.0 % 8)] & bits != wanted;
    PlaneSet(planes.iter().filter(is_other).fold(0, |others, plane| others | 1 << plane.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_planes_say_what_each_plane_says() {
        let register = |number: u32| {
            (!number.is_multiple_of(4)).then(|| Register {
                group: number / 4 % 2,
                page: Page((number / 8 % 2) as u16),
                cell_type: CellTypeId((number / 16 % 2) as u8),
                copyback: number.is_multiple_of(3),
            })
        };
        let kinds = [None, Some(CacheReadKind::Cache), Some(CacheReadKind::PlaneCache)];
        for number in 0..4_000u32 {
            let planes: [PlaneLogic; 8] = std::array::from_fn(|at| {
                let own = number.wrapping_mul(2_654_435_761).rotate_left(at as u32 * 4) >> 3;
                let (page, output) = (register(own % 64), register(own / 64 % 64));
                PlaneLogic { page, output, unread: own & 1 << 20 != 0, cache_read: kinds[own as usize / 4_096 % 3] }
            });
            let all = DieRegisters::from(planes);
            assert_eq!(<[PlaneLogic; 8]>::from(all), planes);
            let place = Place { group: number % 2, page: Page(0), cell_type: CellTypeId(1), ..Place::default() };
            for (plane, held) in (0..).map(Plane).zip(&planes) {
                let is_in = |set: PlaneSet| set.contains(plane);
                assert_eq!(is_in(all.unread()), held.unread);
                assert_eq!(is_in(all.with_page()), held.page.is_some());
                assert_eq!(is_in(all.with_output()), held.output.is_some());
                assert_eq!(is_in(all.with_copyback_page()), held.page.is_some_and(|page| page.copyback));
                let is_of = held.page.is_some_and(|page| page.cell_type == CellTypeId(1));
                let everywhere = PlaneSet::first(8);
                assert_eq!(is_in(all.without_page_of(everywhere, CellTypeId(1))), !is_of);
                let is_at = |page: Register| {
                    (page.group, page.page, page.cell_type) == (place.group, place.page, place.cell_type)
                };
                assert_eq!(is_in(all.without_page_at(everywhere, &place)), !held.page.is_some_and(is_at));
                assert!(!is_in(all.without_page_at(PlaneSet::EMPTY, &place)));
                assert_eq!(is_in(all.with_the_same_page()), held.hold_the_same_page());
                assert_eq!(is_in(all.losing_by_move()), !held.moves_safely());
            }
        }
    }
}
