//! Limits of uses: what the sets offer is what a count of all blocks and pages leaves, and no limit is exceeded.

use std::collections::{BTreeMap, BTreeSet};

use nandseq_device::{
    AddressBook, AddressRegion, BaseInfo, BlockStage, CountedUses, Place, Tables, UseCounts, UseLimit, UseLimits,
};
use nandseq_profile::{Block, CellTypeId, Die, Plane, PlaneSet};

use crate::naive::{Naive, Spot, base, erase, program, spot_of, tables};
use crate::outcomes::{Redraws, Source, alike, evenly, outcomes};
use crate::uniform::SplitMix;

/// SLC of the built-in device.
const SLC: u8 = 2;

/// A book with limits, and the plain counts.
struct Counted<'t> {
    tables: &'t Tables,
    book: AddressBook,
    region: Option<AddressRegion>,
    limits: UseLimits,
    erases: BTreeMap<(Die, Block), u32>,
    reads: BTreeMap<(Die, Block), u32>,
    page_reads: BTreeMap<(Die, Block, u16), u32>,
    in_flight: Vec<(BaseInfo, Place)>,
}

impl<'t> Counted<'t> {
    fn new(tables: &'t Tables, region: Option<AddressRegion>, limit: UseLimit, open: Option<u32>) -> Self {
        let mut book = AddressBook::new(tables, &[(Die(0), Block(1))]);
        let whole = AddressRegion::whole(&tables.size);
        let counted = CountedUses { block_reads: true, page_reads: vec![whole] };
        book.count_uses(UseCounts::new(&tables.size, &counted));
        let limits = UseLimits { each: vec![limit], open_blocks: open };
        book.draw_from(tables, region.as_slice(), &limits);
        Self {
            tables,
            book,
            region,
            limits,
            erases: BTreeMap::new(),
            reads: BTreeMap::new(),
            page_reads: BTreeMap::new(),
            in_flight: Vec::new(),
        }
    }

    fn limit(&self) -> &UseLimit {
        &self.limits.each[0]
    }

    fn block(&self, group: u32, plane: Plane) -> Block {
        Block(group * u32::from(self.tables.size.planes) + u32::from(plane.0))
    }

    /// Starts an operation if the limits leave room, and counts it.
    fn start(&mut self, info: &BaseInfo, place: Place) -> bool {
        if !self.book.has_room(&std::iter::once((info, place))) {
            return false;
        }
        self.book.count_use(info, &place);
        if info.changes_block {
            self.book.begin(&place);
            self.in_flight.push((info.clone(), place));
        }
        for plane in place.planes.iter() {
            let block = self.block(place.group, plane);
            if info.effects.erase {
                *self.erases.entry((place.die, block)).or_default() += 1;
            }
            if info.reads_page {
                *self.reads.entry((place.die, block)).or_default() += 1;
                *self.page_reads.entry((place.die, block, place.page.0)).or_default() += 1;
            }
        }
        true
    }

    fn end(&mut self, random: &mut SplitMix) {
        if self.in_flight.is_empty() {
            return;
        }
        let at = random.below(self.in_flight.len() as u64) as usize;
        let (info, place) = self.in_flight.swap_remove(at);
        if random.below(8) == 0 { self.book.abort(&place) } else { self.book.finish(&info, &place) }
    }

    fn has_page_left(&self, die: Die, block: Block, page: u16) -> bool {
        let count = self.page_reads.get(&(die, block, page)).copied().unwrap_or(0);
        !self.limit().has_page(&self.tables.size, (die, block), page)
            || self.limit().page_reads.is_none_or(|limit| count < limit)
    }

    fn has_left(&self, limit: Option<u32>, counts: &BTreeMap<(Die, Block), u32>, at: (Die, Block)) -> bool {
        let count = counts.get(&at).copied().unwrap_or(0);
        !self.limit().has_block(&self.tables.size, at) || limit.is_none_or(|limit| count < limit)
    }

    /// How many blocks are open; an erased block that is erased again counts until that is done.
    fn open(&self) -> u32 {
        let is_open = |record: &&nandseq_device::BlockRecord| match record.stage {
            BlockStage::Bad | BlockStage::NotErased => false,
            BlockStage::Erased(_) => record.in_flight,
            BlockStage::Programmed(_) => record.pages < self.tables.size.pages,
        };
        self.book.records().iter().filter(is_open).count() as u32
    }

    fn naive(&self) -> Naive<'t> {
        let mut naive = Naive::of_book(self.tables, &self.book);
        naive.region.clone_from(&self.region);
        naive
    }

    /// The pages that may be read on all of some planes, by the plain counts.
    fn readable(&self, naive: &Naive<'_>, die: Die, planes: PlaneSet, cell: CellTypeId) -> BTreeSet<Spot> {
        let mut spots = naive.read_on(die, planes, cell);
        spots.retain(|&(planes, group, page, _)| {
            PlaneSet(planes).iter().all(|plane| {
                let block = self.block(group, plane);
                self.has_left(self.limit().reads, &self.reads, (die, block)) && self.has_page_left(die, block, page)
            })
        });
        spots
    }

    fn erasable(&self, naive: &Naive<'_>, die: Die, planes: PlaneSet) -> BTreeSet<Spot> {
        let mut spots = naive.any_on(die, planes);
        spots.retain(|&(planes, group, ..)| {
            let mut blocks = PlaneSet(planes).iter().map(|plane| self.block(group, plane));
            blocks.all(|block| self.has_left(self.limit().erases, &self.erases, (die, block)))
        });
        spots
    }

    fn programmable(&self, naive: &Naive<'_>, die: Die, planes: PlaneSet, cell: CellTypeId) -> BTreeSet<Spot> {
        let mut spots = naive.next_on(die, planes, cell);
        let slots = self.limits.open_blocks.map_or(u32::MAX, |most| most.saturating_sub(self.open()));
        spots.retain(|&(planes, _, page, _)| page > 0 || slots >= PlaneSet(planes).len().min(2));
        spots
    }

    fn assert_offers(&self) {
        let (naive, all) = (self.naive(), PlaneSet::first(self.tables.size.planes.into()));
        let cell = CellTypeId(SLC);
        for die in naive.dies() {
            let book = self.book.on(die);
            let varied = 2;
            let drawn = |draw: &dyn Fn(&mut Source) -> Option<Place>| {
                outcomes(varied, Redraws::Discard, |source| draw(source).map(|place| spot_of(&place)))
            };
            let singles = |on: &dyn Fn(PlaneSet) -> BTreeSet<Spot>| evenly(naive.singles(all, on));
            let any = drawn(&|source| book.sample_any(all, &mut |bound| source.below(bound)));
            assert!(alike(&any, &singles(&|set| self.erasable(&naive, die, set))), "erases");
            let next = drawn(&|source| book.sample_next(cell, all, &mut |bound| source.below(bound)));
            assert!(alike(&next, &singles(&|set| self.programmable(&naive, die, set, cell))), "programs");
            let read = drawn(&|source| book.sample_read(cell, all, &mut |bound| source.below(bound)));
            assert!(alike(&read, &singles(&|set| self.readable(&naive, die, set, cell))), "reads");
            let pairs = || (0..=all.0).map(PlaneSet).filter(|set| set.len() == 2 && set.is_subset(all));
            let erasable = pairs().any(|set| !self.erasable(&naive, die, set).is_empty());
            assert_eq!(book.any_together(all), erasable, "erases together");
            let programmable = pairs().any(|set| !self.programmable(&naive, die, set, cell).is_empty());
            assert_eq!(book.next_together(cell, all), programmable, "programs together");
            for set in pairs() {
                let readable = self.readable(&naive, die, set, cell);
                let mut random = SplitMix(7);
                let found = book.sample_read_on(cell, set, &mut |bound| random.below(bound));
                // A pair is left out where more planes have no page in common; what is drawn may always be read.
                assert!(found.is_none_or(|place| readable.contains(&spot_of(&place))), "reads together");
                assert!(self.tables.size.planes > 2 || found.is_some() != readable.is_empty(), "reads together");
            }
        }
    }

    fn assert_within(&self) {
        let within = |limit: Option<u32>, count: u32| limit.is_none_or(|limit| count <= limit);
        let size = &self.tables.size;
        for (at, count) in &self.erases {
            assert!(!self.limit().has_block(size, *at) || within(self.limit().erases, *count));
        }
        for (at, count) in &self.reads {
            assert!(!self.limit().has_block(size, *at) || within(self.limit().reads, *count));
        }
        for ((die, block, page), count) in &self.page_reads {
            assert!(!self.limit().has_page(size, (*die, *block), *page) || within(self.limit().page_reads, *count));
        }
        let is_partly_programmed = |record: &&nandseq_device::BlockRecord| {
            matches!(record.stage, BlockStage::Programmed(_)) && record.pages < size.pages
        };
        let partly_programmed = self.book.records().iter().filter(is_partly_programmed).count() as u32;
        let opening = self.in_flight.iter().filter(|(info, place)| info.effects.program && place.page.0 == 0);
        let opening: u32 = opening.map(|(_, place)| place.planes.len()).sum();
        assert!(within(self.limits.open_blocks, partly_programmed + opening));
    }
}

/// Starts what a draw finds; the kinds are erase, program and read, of one plane and of several.
fn step(counted: &mut Counted<'_>, kinds: &[BaseInfo; 3], random: &mut SplitMix) -> bool {
    let all = PlaneSet::first(counted.tables.size.planes.into());
    let die = Die(random.below(u64::from(counted.tables.size.dies)) as u8);
    let (kind, together) = (random.below(8), random.below(3) == 0);
    let cell = CellTypeId(SLC);
    let (book, most) = (counted.book.on(die), all.len());
    let below = &mut |bound| random.below(bound);
    let (info, place) = match (kind, together) {
        (0, false) => (&kinds[0], book.sample_any(all, below)),
        (0, true) => (&kinds[0], book.sample_any_together(all, most, below)),
        (1..4, false) => (&kinds[1], book.sample_next(cell, all, below)),
        (1..4, true) => (&kinds[1], book.sample_next_together(cell, all, most, below)),
        (_, false) => (&kinds[2], book.sample_read(cell, all, below)),
        (_, true) => (&kinds[2], book.sample_read_together(cell, all, most, below)),
    };
    place.is_some_and(|place| counted.start(info, Place { cell_type: cell, ..place }))
}

#[test]
fn limits_leave_what_a_count_of_all_blocks_and_pages_leaves() {
    let region =
        |pages| AddressRegion { weight: 1, dies: 1, planes: PlaneSet(0b111), blocks: vec![0..=4, 7..=8], pages };
    let none = UseLimit::default();
    let mut started = 0u32;
    for (seed, (planes, limit, open)) in (0..).zip([
        (2, UseLimit { page_reads: Some(1), ..none.clone() }, None),
        (3, UseLimit { page_reads: Some(2), reads: Some(9), ..none.clone() }, None),
        (3, UseLimit { erases: Some(3), ..none.clone() }, Some(2)),
        (2, UseLimit { erases: Some(40), ..none.clone() }, Some(1)),
        (
            3,
            UseLimit { regions: vec![region(vec![1..=3])], page_reads: Some(2), erases: Some(9), ..none.clone() },
            Some(3),
        ),
        (3, UseLimit { regions: vec![region(vec![0..=0])], reads: Some(5), ..none.clone() }, None),
    ]) {
        let tables = tables((2, planes, 9, 6), 0);
        let kinds =
            [erase(&tables), program(&tables), base(&tables, |info| info.reads_page && !info.effects.cache_read)];
        for region in [None, Some(region(vec![0..=4])), Some(region(vec![0..=0, 2..=2]))] {
            let mut counted = Counted::new(&tables, region, limit.clone(), open);
            let mut random = SplitMix(seed);
            for number in 0..400 {
                started += u32::from(step(&mut counted, &kinds, &mut random));
                if random.below(3) > 0 {
                    counted.end(&mut random);
                }
                counted.assert_within();
                if number % 5 == 0 {
                    counted.assert_offers();
                }
            }
        }
    }
    assert!(started > 2_000, "{started}");
}

#[test]
fn a_plan_counts_all_its_steps_and_what_is_taken_back_is_free_again() {
    let tables = tables((1, 2, 8, 4), 0);
    let read = base(&tables, |info| info.reads_page && !info.effects.cache_read);
    let limit = UseLimit { page_reads: Some(2), reads: Some(5), ..UseLimit::default() };
    let mut counted = Counted::new(&tables, None, limit, None);
    let place = Place { planes: PlaneSet(0b01), cell_type: CellTypeId(SLC), ..Place::default() };
    let plan = |times: usize| std::iter::repeat_n((&read, place), times);
    assert!(counted.book.has_room(&plan(2)) && !counted.book.has_room(&plan(3)));
    counted.book.count_use(&read, &place);
    assert!(counted.book.has_room(&plan(1)) && !counted.book.has_room(&plan(2)));
    counted.book.uncount_use(&read, &place);
    assert!(counted.book.has_room(&plan(2)));
    let other = Place { page: nandseq_profile::Page(1), ..place };
    let third = Place { page: nandseq_profile::Page(2), ..place };
    let steps = [place, place, other, other, third, third];
    let plan = |count: usize| steps[..count].iter().map(|step| (&read, *step));
    assert!(counted.book.has_room(&plan(5)) && !counted.book.has_room(&plan(6)), "the block has five");
    let counts = counted.book.use_counts().map(|counts| counts.reads.iter().sum::<u32>());
    assert_eq!(counts, Some(0));
}
