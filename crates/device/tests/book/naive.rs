//! The reference for the address book: what the rules allow, found by looking at every block.

use std::collections::BTreeSet;

use nandseq_device::{AddressBook, AddressRegion, BaseInfo, BlockRecord, BlockStage, Place, Tables};
use nandseq_profile::model::Topology;
use nandseq_profile::{Block, CellTypeId, Die, Page, Plane, PlaneSet, builtin};

/// An address as a plain tuple: planes, group, page, cell type.
pub(crate) type Spot = (u8, u32, u16, u8);

pub(crate) fn spot_of(place: &Place) -> Spot {
    (place.planes.0, place.group, place.page.0, place.cell_type.0)
}

/// A compiled device of this size: dies, planes, blocks of a die, pages of a block.
pub(crate) fn tables(size: (u32, u32, u32, u32), offset_guard: u32) -> Tables {
    let mut profile = builtin::profile();
    let (dies, planes, blocks_per_die, pages_per_block) = size;
    profile.topology = Topology { dies, planes, blocks_per_die, pages_per_block };
    profile.offset_guard = offset_guard;
    Tables::new(&profile)
}

/// A base that does what `test` asks for.
pub(crate) fn base(tables: &Tables, test: impl Fn(&BaseInfo) -> bool) -> BaseInfo {
    tables.bases().find(|(_, info)| test(info)).unwrap().1.clone()
}

pub(crate) fn erase(tables: &Tables) -> BaseInfo {
    base(tables, |info| info.effects.erase)
}

pub(crate) fn program(tables: &Tables) -> BaseInfo {
    base(tables, |info| info.effects.program)
}

/// Every block's record, and no index at all.
#[derive(Debug)]
pub(crate) struct Naive<'t> {
    pub(crate) tables: &'t Tables,
    records: Vec<Vec<BlockRecord>>,
    /// What is looked at; `None` for the whole device.
    pub(crate) region: Option<AddressRegion>,
}

impl<'t> Naive<'t> {
    pub(crate) fn new(tables: &'t Tables, bad: &[(Die, Block)]) -> Self {
        let fresh = BlockRecord {
            stage: BlockStage::NotErased,
            pages: 0,
            in_flight: false,
            held_to_change: 0,
            held_to_read: 0,
        };
        let die = vec![fresh; tables.size.blocks as usize];
        let mut naive = Self { tables, records: vec![die; usize::from(tables.size.dies)], region: None };
        for &(die, block) in bad {
            naive.at(die, block).stage = BlockStage::Bad;
        }
        naive
    }

    /// What a book says of every block, taken at its word.
    pub(crate) fn of_book(tables: &'t Tables, book: &AddressBook) -> Self {
        let mut naive = Self::new(tables, &[]);
        for die in naive.dies() {
            for block in (0..tables.size.blocks).map(Block) {
                *naive.at(die, block) = *book.record(die, block);
            }
        }
        naive
    }

    pub(crate) fn dies(&self) -> impl Iterator<Item = Die> + use<> {
        (0..self.tables.size.dies).map(Die)
    }

    pub(crate) fn cells(&self) -> impl Iterator<Item = CellTypeId> + use<> {
        (0..self.tables.programs.len()).map(CellTypeId::from)
    }

    pub(crate) fn at(&mut self, die: Die, block: Block) -> &mut BlockRecord {
        &mut self.records[usize::from(die.0)][block.0 as usize]
    }

    /// The record on a plane of a group, if there is such a block.
    pub(crate) fn record(&self, die: Die, group: u32, plane: Plane) -> Option<&BlockRecord> {
        let block = group * u32::from(self.tables.size.planes) + u32::from(plane.0);
        self.records[usize::from(die.0)].get(block as usize)
    }

    pub(crate) fn change(&mut self, place: &Place, mut change: impl FnMut(&mut BlockRecord)) {
        for plane in place.planes.iter() {
            let block = Block(place.group * u32::from(self.tables.size.planes) + u32::from(plane.0));
            change(self.at(place.die, block));
        }
    }

    /// The record of a block in the region.
    fn record_in_region(&self, die: Die, group: u32, plane: Plane) -> Option<&BlockRecord> {
        let block = group * u32::from(self.tables.size.planes) + u32::from(plane.0);
        let has = |region: &AddressRegion| {
            let has_block = region.blocks.iter().any(|range| range.contains(&block));
            region.dies >> die.0 & 1 == 1 && region.planes.contains(plane) && has_block
        };
        self.record(die, group, plane).filter(|_| self.region.as_ref().is_none_or(has))
    }

    /// Whether a page is in the region.
    fn has_page(&self, page: u16) -> bool {
        let has = |region: &AddressRegion| region.pages.iter().any(|range| range.contains(&page.into()));
        self.region.as_ref().is_none_or(has)
    }

    /// Whether a block may be erased now.
    fn erasable(&self, die: Die, group: u32, plane: Plane) -> bool {
        let record = self.record_in_region(die, group, plane);
        record.is_some_and(|record| record.stage != BlockStage::Bad && !record.in_flight && !record.is_held())
    }

    /// The page of a block that may be programmed as a cell type now.
    fn next_page(&self, die: Die, group: u32, plane: Plane, cell: CellTypeId) -> Option<u16> {
        let record = self.record_in_region(die, group, plane);
        let record = record.filter(|record| !record.in_flight && !record.is_held() && self.has_page(record.pages))?;
        let fits = match record.stage {
            BlockStage::Bad | BlockStage::NotErased => false,
            BlockStage::Erased(erased) => self.tables.programs[erased.index()] >> cell.0 & 1 == 1,
            BlockStage::Programmed(programmed) => programmed == cell,
        };
        (fits && record.pages < self.tables.size.pages).then_some(record.pages)
    }

    /// Whether a page of a block may be read as a cell type now.
    fn reads(&self, die: Die, group: u32, plane: Plane, page: u16, cell: CellTypeId) -> bool {
        self.record_in_region(die, group, plane).is_some_and(|record| {
            record.stage == BlockStage::Programmed(cell)
                && self.has_page(page)
                && !record.in_flight
                && u32::from(page) + self.tables.offset_guard < u32::from(record.pages)
        })
    }

    fn groups(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.tables.size.groups
    }

    /// Where all of `planes` may be erased together.
    pub(crate) fn any_on(&self, die: Die, planes: PlaneSet) -> BTreeSet<Spot> {
        let fits = |&group: &u32| planes.iter().all(|plane| self.erasable(die, group, plane));
        self.groups().filter(fits).map(|group| (planes.0, group, 0, 0)).collect()
    }

    /// Where all of `planes` may be programmed together as a cell type.
    pub(crate) fn next_on(&self, die: Die, planes: PlaneSet, cell: CellTypeId) -> BTreeSet<Spot> {
        let page_of = |group: u32| {
            let mut pages = planes.iter().map(|plane| self.next_page(die, group, plane, cell));
            let first = pages.next()??;
            pages.all(|page| page == Some(first)).then_some((planes.0, group, first, cell.0))
        };
        self.groups().filter_map(page_of).collect()
    }

    /// Which pages may be read together on all of `planes`.
    pub(crate) fn read_on(&self, die: Die, planes: PlaneSet, cell: CellTypeId) -> BTreeSet<Spot> {
        let mut pages = BTreeSet::new();
        for group in self.groups() {
            let fits = |&page: &u16| planes.iter().all(|plane| self.reads(die, group, plane, page, cell));
            pages.extend((0..self.tables.size.pages).filter(fits).map(|page| (planes.0, group, page, cell.0)));
        }
        pages
    }

    /// The next page of every programmable block of `allowed`, whatever its cell type; with the type it is erased or open as.
    pub(crate) fn any_next(&self, die: Die, allowed: PlaneSet) -> BTreeSet<Spot> {
        let mut pages = BTreeSet::new();
        for (plane, group) in allowed.iter().flat_map(|plane| self.groups().map(move |group| (plane, group))) {
            let page = self.cells().find_map(|cell| self.next_page(die, group, plane, cell));
            let stage = self.record(die, group, plane).map(|record| record.stage);
            if let (Some(page), Some(BlockStage::Erased(cell) | BlockStage::Programmed(cell))) = (page, stage) {
                pages.insert((PlaneSet::one(plane).0, group, page, cell.0));
            }
        }
        pages
    }

    /// The union over the planes of `allowed`, one at a time.
    pub(crate) fn singles(&self, allowed: PlaneSet, on: impl Fn(PlaneSet) -> BTreeSet<Spot>) -> BTreeSet<Spot> {
        allowed.iter().flat_map(|plane| on(PlaneSet::one(plane))).collect()
    }

    /// The probability of every plane set under the rule "size uniform up to the most possible, smaller if there is none".
    pub(crate) fn plane_sets(
        &self,
        allowed: PlaneSet,
        max_planes: u32,
        on: impl Fn(PlaneSet) -> BTreeSet<Spot>,
    ) -> Vec<(PlaneSet, f64)> {
        let most = max_planes.min(allowed.len());
        let sets_of = |size: u32| -> Vec<PlaneSet> {
            let fits = |set: &PlaneSet| set.len() == size && set.is_subset(allowed) && !on(*set).is_empty();
            (0..=u8::MAX).map(PlaneSet).filter(fits).collect()
        };
        let by_size: Vec<Vec<PlaneSet>> = (0..=most).map(sets_of).collect();
        let mut all: Vec<(PlaneSet, f64)> = Vec::new();
        for wanted in 2..=most as usize {
            let Some(sets) = by_size[2..=wanted].iter().rev().find(|sets| !sets.is_empty()) else { continue };
            let share = 1.0 / f64::from(most - 1) / sets.len() as f64;
            for &set in sets {
                match all.iter_mut().find(|(other, _)| *other == set) {
                    Some((_, sum)) => *sum += share,
                    None => all.push((set, share)),
                }
            }
        }
        all
    }
}

/// A place of a book's block or blocks.
pub(crate) fn place(die: u8, planes: u8, group: u32, page: u16, cell: u8) -> Place {
    Place { die: Die(die), planes: PlaneSet(planes), group, page: Page(page), cell_type: CellTypeId(cell) }
}
