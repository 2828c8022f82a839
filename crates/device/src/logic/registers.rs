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
pub(super) type RegisterWord = u64;

const FULL: RegisterWord = 1;
pub(super) const COPYBACK: RegisterWord = 1 << 1;
/// The bits of a word that say whether it holds a page, and its cell type.
pub(super) const CELL_TYPE: RegisterWord = 0xFF00 | FULL;
/// The bits of a word that say which page it holds.
pub(super) const PAGE: RegisterWord = !COPYBACK;

const fn word(group: u32, page: Page, cell: CellTypeId) -> RegisterWord {
    (group as RegisterWord) << 32 | (page.0 as RegisterWord) << 16 | (cell.0 as RegisterWord) << 8 | FULL
}

/// The page of a place as a register that holds it has it, copyback or not.
pub(super) const fn word_of(place: &Place) -> RegisterWord {
    word(place.group, place.page, place.cell_type)
}

fn pack(register: Option<Register>) -> RegisterWord {
    register.map_or(0, |held| word(held.group, held.page, held.cell_type) | if held.copyback { COPYBACK } else { 0 })
}

const fn unpack(word: RegisterWord) -> Option<Register> {
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

/// For each [`PlaneFact`] the planes of which it is true: a byte for each fact, in it a bit for each plane.
pub(super) type FactSets = u64;

/// What is asked about a plane often. The last five follow from the others and from the registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PlaneFact {
    /// The output register has not been put out yet.
    Unread,
    /// It is in the first cache-read state.
    Cache,
    /// It is in the second cache-read state.
    PlaneCache,
    /// The page register holds something.
    WithPage,
    /// The output register holds something.
    WithOutput,
    /// The page register holds a page that a copyback read put there.
    WithCopybackPage,
    /// Both registers hold the same page, or nothing.
    WithTheSamePage,
    /// Unread data would be lost if the page register moved to the output register. It is in the highest byte.
    LosingByMove,
}

impl PlaneFact {
    /// Its bit among the facts of a plane: see [`DieRegisters::facts`].
    #[must_use]
    pub const fn bit(self) -> u8 {
        1 << self as u32
    }

    /// The place of its byte.
    pub(super) const fn shift(self) -> u32 {
        8 * self as u32
    }

    /// All planes for this fact, none for the others.
    pub(super) const fn byte(self) -> FactSets {
        0xFF << self.shift()
    }

    /// The planes of which it is true.
    pub(super) const fn of(self, sets: FactSets) -> PlaneSet {
        PlaneSet((sets >> self.shift()) as u8)
    }

    pub(super) const fn of_cache_read(kind: CacheReadKind) -> Self {
        match kind {
            CacheReadKind::Cache => Self::Cache,
            CacheReadKind::PlaneCache => Self::PlaneCache,
        }
    }
}

/// Some planes, for every fact.
pub(super) const fn for_every_fact(planes: PlaneSet) -> FactSets {
    planes.0 as FactSets * 0x0101_0101_0101_0101
}

/// Brings [`PlaneFact::LosingByMove`] up to date. An empty page register loses unread data too.
pub(super) const fn with_losing(sets: FactSets) -> FactSets {
    let moves_safely = sets >> PlaneFact::WithTheSamePage.shift() & sets >> PlaneFact::WithPage.shift();
    let losing = (sets >> PlaneFact::Unread.shift() & !moves_safely) << PlaneFact::LosingByMove.shift();
    sets & !PlaneFact::LosingByMove.byte() | losing
}

/// The page register, the output register, unread data and the cache-read state of every plane of a die.
///
/// Functions that take a plane panic on one that is not below 8.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "[PlaneLogic; 8]", into = "[PlaneLogic; 8]")]
pub struct DieRegisters {
    pub(super) page: [RegisterWord; 8],
    pub(super) output: [RegisterWord; 8],
    pub(super) sets: FactSets,
}

impl Default for DieRegisters {
    fn default() -> Self {
        Self { page: [0; 8], output: [0; 8], sets: PlaneFact::WithTheSamePage.byte() }
    }
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
        let (cache, plane_cache) = (PlaneFact::Cache.of(self.sets), PlaneFact::PlaneCache.of(self.sets));
        let cache_read = match (cache.contains(plane), plane_cache.contains(plane)) {
            (true, _) => Some(CacheReadKind::Cache),
            (false, true) => Some(CacheReadKind::PlaneCache),
            (false, false) => None,
        };
        let unread = self.unread().contains(plane);
        PlaneLogic { page: unpack(self.page[at]), output: unpack(self.output[at]), unread, cache_read }
    }

    /// Gives a plane other registers.
    pub fn set_plane(&mut self, plane: Plane, held: PlaneLogic) {
        let at = usize::from(plane.0);
        (self.page[at], self.output[at]) = (pack(held.page), pack(held.output));
        for (fact, is_true) in [
            (PlaneFact::Unread, held.unread),
            (PlaneFact::Cache, held.cache_read == Some(CacheReadKind::Cache)),
            (PlaneFact::PlaneCache, held.cache_read == Some(CacheReadKind::PlaneCache)),
            (PlaneFact::WithPage, held.page.is_some()),
            (PlaneFact::WithOutput, held.output.is_some()),
            (PlaneFact::WithCopybackPage, held.page.is_some_and(|page| page.copyback)),
            (PlaneFact::WithTheSamePage, held.hold_the_same_page()),
        ] {
            let own = fact.byte() & for_every_fact(PlaneSet::one(plane));
            self.sets = if is_true { self.sets | own } else { self.sets & !own };
        }
        self.sets = with_losing(self.sets);
    }

    /// The facts that are true of a plane: see [`PlaneFact::bit`].
    #[inline]
    #[must_use]
    pub const fn facts(&self, plane: Plane) -> u8 {
        // The product brings the plane's bit of every byte together in the highest byte.
        let bits = self.sets >> (plane.0 % 8) & 0x0101_0101_0101_0101;
        (bits.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u8
    }

    /// The cell type of the page in the page register of a plane. If there is none, it means nothing.
    #[inline]
    #[must_use]
    pub const fn page_cell(&self, plane: Plane) -> CellTypeId {
        CellTypeId((self.page[plane.0 as usize % 8] >> 8) as u8)
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
        PlaneFact::Unread.of(self.sets)
    }

    /// The planes in a cache-read state.
    #[must_use]
    pub const fn in_cache_read(&self, kind: CacheReadKind) -> PlaneSet {
        PlaneFact::of_cache_read(kind).of(self.sets)
    }

    /// The planes whose page register holds something.
    #[must_use]
    pub const fn with_page(&self) -> PlaneSet {
        PlaneFact::WithPage.of(self.sets)
    }

    /// The planes whose output register holds something.
    #[must_use]
    pub const fn with_output(&self) -> PlaneSet {
        PlaneFact::WithOutput.of(self.sets)
    }

    /// The planes whose page register holds a page that a copyback read put there.
    #[must_use]
    pub const fn with_copyback_page(&self) -> PlaneSet {
        PlaneFact::WithCopybackPage.of(self.sets)
    }

    /// The planes whose registers hold the same page, read as the same cell type, or both nothing. Whether a copyback read put it into one
    /// of them does not matter.
    #[must_use]
    pub const fn with_the_same_page(&self) -> PlaneSet {
        PlaneFact::WithTheSamePage.of(self.sets)
    }

    /// The planes where unread data would be lost if the page register moved to the output register. An empty page register loses it
    /// too.
    #[must_use]
    pub const fn losing_by_move(&self) -> PlaneSet {
        PlaneFact::LosingByMove.of(self.sets)
    }

    /// The planes among some whose page register does not hold a page that was read as a cell type.
    #[must_use]
    pub fn without_page_of(&self, planes: PlaneSet, cell: CellTypeId) -> PlaneSet {
        without(planes, &self.page, CELL_TYPE, word(0, Page(0), cell))
    }

    /// The planes among some whose page register does not hold the page of a place, read as its cell type.
    #[must_use]
    pub fn without_page_at(&self, planes: PlaneSet, place: &Place) -> PlaneSet {
        without(planes, &self.page, PAGE, word_of(place))
    }

    /// The planes among some whose output register does not hold the page of a place, read as its cell type.
    #[must_use]
    pub fn without_output_at(&self, planes: PlaneSet, place: &Place) -> PlaneSet {
        without(planes, &self.output, PAGE, word_of(place))
    }

    /// The data on some planes counts as unread.
    pub const fn mark_unread(&mut self, planes: PlaneSet) {
        self.sets = with_losing(self.sets | PlaneFact::Unread.byte() & for_every_fact(planes));
    }
}

/// The planes among some whose register, in some of its bits, is not the wanted word.
#[inline]
fn without(planes: PlaneSet, registers: &[RegisterWord; 8], bits: RegisterWord, wanted: RegisterWord) -> PlaneSet {
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
                for (fact, is_true) in [
                    (PlaneFact::Unread, held.unread),
                    (PlaneFact::WithTheSamePage, held.hold_the_same_page()),
                    (PlaneFact::LosingByMove, !held.moves_safely()),
                ] {
                    assert_eq!(all.facts(plane) & fact.bit() != 0, is_true);
                }
                assert!(held.page.is_none_or(|page| page.cell_type == all.page_cell(plane)));
            }
        }
    }
}
