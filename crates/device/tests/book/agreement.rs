//! Random histories: after every change the book says of every block, group and page what a count of all blocks says.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use nandseq_device::{AddressBook, AddressRegion, BaseInfo, BlockStage, DieAddresses, Place, Tables, UseLimits};
use nandseq_profile::{Block, CellTypeId, Die, Page, PlaneSet};
use proptest::prelude::*;

use crate::naive::{Naive, Spot, base, spot_of, tables};
use crate::outcomes::{Redraws, Source, alike, evenly, outcomes};

/// One step of a history; numbers are reduced to what there is.
#[derive(Clone, Copy, Debug)]
struct Step {
    kind: u8,
    die: u8,
    group: u32,
    planes: u8,
    cell: u8,
}

fn any_step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![3 => Just(0u8), 6 => Just(1u8), 1 => Just(2u8), 1 => Just(3u8), 8 => Just(4u8), 1 => Just(5u8), 1 => Just(6u8), 1 => Just(7u8)];
    let planes = prop_oneof![1 => any::<u8>(), 2 => Just(u8::MAX)];
    (kind, any::<u8>(), any::<u32>(), planes, 1u8..7).prop_map(|(kind, die, group, planes, cell)| Step {
        kind,
        die,
        group,
        planes,
        cell,
    })
}

/// Two ranges of numbers below a bound, or one.
fn any_ranges(bound: u32) -> impl Strategy<Value = Vec<RangeInclusive<u32>>> {
    let ends = prop::collection::btree_set(0..bound, 1..=4);
    ends.prop_map(|ends| {
        let ends: Vec<u32> = ends.into_iter().collect();
        ends.chunks(2).map(|pair| pair[0]..=pair[pair.len() - 1]).collect()
    })
}

fn any_region() -> impl Strategy<Value = AddressRegion> {
    let planes = prop_oneof![1 => 1u8..16, 2 => Just(15u8)];
    (1u64..4, planes, any_ranges(13), any_ranges(7)).prop_map(|(dies, planes, blocks, pages)| AddressRegion {
        weight: 1,
        dies,
        planes: PlaneSet(planes),
        blocks,
        pages,
    })
}

/// A book and the plain truth, going through the same history.
struct Pair<'t> {
    book: AddressBook,
    naive: Naive<'t>,
    begun: Vec<(Place, BaseInfo)>,
    held: Vec<Place>,
}

impl<'t> Pair<'t> {
    /// Looks at a region, which draws choose by weight alone, or at the whole device.
    fn new(tables: &'t Tables, bad: &[(Die, Block)], region: Option<&AddressRegion>) -> Self {
        let (mut book, mut naive) = (AddressBook::new(tables, bad), Naive::new(tables, bad));
        book.draw_from(tables, region.map(std::slice::from_ref).unwrap_or_default(), &UseLimits::default());
        naive.region = region.cloned();
        Self { book, naive, begun: Vec::new(), held: Vec::new() }
    }

    fn on(&self, die: Die) -> DieAddresses<'_> {
        self.book.on(die)
    }

    /// How many answers of a draw are varied, of which one is the region.
    fn varied(&self, answers: usize) -> usize {
        answers + usize::from(self.naive.region.is_some())
    }

    /// The place of a step: the good blocks among those it names.
    fn place(&self, step: Step) -> Option<Place> {
        let size = self.naive.tables.size;
        let (die, group) = (Die(step.die % size.dies), step.group % size.groups);
        let mut planes = PlaneSet::EMPTY;
        for plane in PlaneSet(step.planes).and(PlaneSet::first(u32::from(size.planes))).iter() {
            let record = self.naive.record(die, group, plane);
            if record.is_some_and(|record| record.stage != BlockStage::Bad) {
                planes.insert(plane);
            }
        }
        let cell_type = CellTypeId(step.cell);
        (!planes.is_empty()).then_some(Place { die, planes, group, page: Page(0), cell_type })
    }

    fn all(&self, place: &Place, test: impl Fn(&nandseq_device::BlockRecord) -> bool) -> bool {
        place.planes.iter().all(|plane| self.naive.record(place.die, place.group, plane).is_some_and(&test))
    }

    fn begin(&mut self, place: Place, info: BaseInfo) {
        self.book.begin(&place);
        self.naive.change(&place, |record| record.in_flight = true);
        self.begun.push((place, info));
    }

    /// Begins a program of the next page of these blocks if they can take one.
    fn begin_program(&mut self, place: Place, info: BaseInfo) {
        let Some(first) = place.planes.iter().next().and_then(|plane| self.naive.record(place.die, place.group, plane))
        else {
            return;
        };
        let tables = self.naive.tables;
        let page = first.pages;
        let fits = page < tables.size.pages
            && self.all(&place, |record| {
                !record.in_flight
                    && record.pages == page
                    && match record.stage {
                        BlockStage::Bad | BlockStage::NotErased => false,
                        BlockStage::Erased(cell) => tables.programs[cell.index()] >> place.cell_type.0 & 1 == 1,
                        BlockStage::Programmed(cell) => cell == place.cell_type,
                    }
            });
        if fits {
            self.begin(Place { page: Page(page), ..place }, info);
        }
    }

    /// The end of something begun: applied to the records as the rules say.
    fn end(&mut self, which: u32) {
        if self.begun.is_empty() {
            return;
        }
        let (place, info) = self.begun.swap_remove(which as usize % self.begun.len());
        self.book.finish(&info, &place);
        let pages = self.naive.tables.size.pages;
        self.naive.change(&place, |record| {
            record.in_flight = false;
            let effects = &info.effects;
            if effects.erase {
                (record.stage, record.pages) = (BlockStage::Erased(place.cell_type), 0);
            } else if effects.close {
                (record.stage, record.pages) = (BlockStage::Programmed(place.cell_type), pages);
            } else if effects.program {
                (record.stage, record.pages) = (BlockStage::Programmed(place.cell_type), place.page.0 + 1);
            }
        });
    }

    fn abort(&mut self, which: u32) {
        if self.begun.is_empty() {
            return;
        }
        let (place, _) = self.begun.swap_remove(which as usize % self.begun.len());
        self.book.abort(&place);
        self.naive.change(&place, |record| {
            (record.in_flight, record.stage, record.pages) = (false, BlockStage::NotErased, 0);
        });
    }

    fn step(&mut self, step: Step) {
        let tables = self.naive.tables;
        let effects = |test: fn(&BaseInfo) -> bool| base(tables, test);
        match (step.kind, self.place(step)) {
            (0, Some(place)) if self.all(&place, |record| !record.in_flight) => {
                self.begin(place, effects(|info| info.effects.erase));
            }
            (1, Some(place)) => self.begin_program(place, effects(|info| info.effects.program)),
            (2, Some(place)) => self.begin_program(place, effects(|info| info.effects.close)),
            (3, Some(place)) => self.begin_program(place, effects(|info| info.effects.load)),
            (4, _) => self.end(step.group),
            (5, _) => self.abort(step.group),
            (6, Some(place)) => {
                self.book.hold(&place, true);
                self.naive.change(&place, |record| record.held_to_change += 1);
                self.held.push(place);
            }
            (7, _) if !self.held.is_empty() => {
                let place = self.held.swap_remove(step.group as usize % self.held.len());
                self.book.release(&place, true);
                self.naive.change(&place, |record| record.held_to_change -= 1);
            }
            _ => {}
        }
    }

    fn planes(&self) -> u8 {
        PlaneSet::first(u32::from(self.naive.tables.size.planes)).0
    }

    fn assert_records(&self) -> Result<(), TestCaseError> {
        for die in self.naive.dies() {
            for block in (0..self.naive.tables.size.blocks).map(Block) {
                let planes = u32::from(self.naive.tables.size.planes);
                let plane = nandseq_profile::Plane((block.0 % planes) as u8);
                let record = self.naive.record(die, block.0 / planes, plane);
                prop_assert_eq!(Some(self.book.record(die, block)), record);
            }
        }
        Ok(())
    }

    /// Which planes have something, and whether some two of them have something together.
    fn assert_counts(&self, die: Die, allowed: PlaneSet) -> Result<(), TestCaseError> {
        let (book, naive) = (self.on(die), &self.naive);
        let with = |on: &dyn Fn(PlaneSet) -> bool| {
            let mut planes = PlaneSet::EMPTY;
            allowed.iter().filter(|&plane| on(PlaneSet::one(plane))).for_each(|plane| planes.insert(plane));
            planes
        };
        let pairs = |on: &dyn Fn(PlaneSet) -> bool| {
            (0..=u8::MAX).map(PlaneSet).any(|set| set.len() == 2 && set.is_subset(allowed) && on(set))
        };
        let any = |set| !naive.any_on(die, set).is_empty();
        prop_assert_eq!(book.any_planes(allowed), with(&any));
        prop_assert_eq!(book.any_together(allowed), pairs(&any));
        let any_next = |set| !naive.any_next(die, set).is_empty();
        prop_assert_eq!(book.any_next_planes(allowed), with(&any_next));
        for cell in naive.cells() {
            let next = |set| !naive.next_on(die, set, cell).is_empty();
            prop_assert_eq!(book.next_planes(cell, allowed), with(&next));
            prop_assert_eq!(book.next_together(cell, allowed), pairs(&next));
            let read = |set| !naive.read_on(die, set, cell).is_empty();
            prop_assert_eq!(book.read_planes(cell, allowed), with(&read));
            prop_assert_eq!(book.read_together(cell, allowed), pairs(&read));
        }
        Ok(())
    }

    /// The exact distribution of every single-plane draw.
    fn assert_single_draws(&self, die: Die, allowed: PlaneSet) -> Result<(), TestCaseError> {
        let (book, naive) = (self.on(die), &self.naive);
        let drawn = |draw: &dyn Fn(&mut Source) -> Option<Place>| {
            outcomes(self.varied(1), Redraws::Discard, |source| draw(source).map(|place| spot_of(&place)))
        };
        let any = drawn(&|source| book.sample_any(allowed, &mut |bound| source.below(bound)));
        prop_assert!(alike(&any, &evenly(naive.singles(allowed, |set| naive.any_on(die, set)))));
        let any_next = drawn(&|source| book.sample_any_next(allowed, &mut |bound| source.below(bound)));
        prop_assert!(alike(&any_next, &evenly(naive.any_next(die, allowed))));
        for cell in naive.cells() {
            let next = drawn(&|source| book.sample_next(cell, allowed, &mut |bound| source.below(bound)));
            prop_assert!(alike(&next, &evenly(naive.singles(allowed, |set| naive.next_on(die, set, cell)))));
            let read = drawn(&|source| book.sample_read(cell, allowed, &mut |bound| source.below(bound)));
            prop_assert!(alike(&read, &evenly(naive.singles(allowed, |set| naive.read_on(die, set, cell)))));
        }
        Ok(())
    }

    /// The exact distribution of every multi-plane draw.
    fn assert_multi_draws(&self, die: Die, allowed: PlaneSet, most: u32) -> Result<(), TestCaseError> {
        let (book, naive) = (self.on(die), &self.naive);
        let drawn = |varied, draw: &dyn Fn(&mut Source) -> Option<Place>| {
            outcomes(self.varied(varied), Redraws::Count, |source| draw(source).map(|place| spot_of(&place)))
        };
        let joint = |on: &dyn Fn(PlaneSet) -> std::collections::BTreeSet<Spot>| {
            let mut all: BTreeMap<Spot, f64> = BTreeMap::new();
            for (planes, share) in naive.plane_sets(allowed, most, on) {
                all.extend(evenly(on(planes)).into_iter().map(|(spot, p)| (spot, p * share)));
            }
            all
        };
        let any = drawn(3, &|source| book.sample_any_together(allowed, most, &mut |bound| source.below(bound)));
        prop_assert!(alike(&any, &joint(&|set| naive.any_on(die, set))));
        for cell in naive.cells() {
            let next =
                drawn(3, &|source| book.sample_next_together(cell, allowed, most, &mut |bound| source.below(bound)));
            prop_assert!(alike(&next, &joint(&|set| naive.next_on(die, set, cell))));
            self.assert_multi_reads(die, cell, allowed, most)?;
        }
        Ok(())
    }

    /// Plane sets as drawn, then on each of them pages as drawn.
    fn assert_multi_reads(
        &self,
        die: Die,
        cell: CellTypeId,
        allowed: PlaneSet,
        most: u32,
    ) -> Result<(), TestCaseError> {
        let (book, naive) = (self.on(die), &self.naive);
        let on = |set| naive.read_on(die, set, cell);
        let sets = outcomes(self.varied(2), Redraws::Count, |source| {
            let place = book.sample_read_together(cell, allowed, most, &mut |bound| source.below(bound))?;
            Some(place.planes.0)
        });
        let expected = naive.plane_sets(allowed, most, on);
        prop_assert!(alike(&sets, &expected.iter().map(|&(set, share)| (set.0, share)).collect()));
        for (planes, _) in expected {
            let pages = outcomes(self.varied(1), Redraws::Discard, |source| {
                let place = book.sample_read_on(cell, planes, &mut |bound| source.below(bound));
                place.map(|place| spot_of(&place))
            });
            prop_assert!(alike(&pages, &evenly(on(planes))));
            let next = outcomes(self.varied(1), Redraws::Count, |source| {
                let place = book.sample_next_on(cell, planes, &mut |bound| source.below(bound));
                place.map(|place| spot_of(&place))
            });
            prop_assert!(alike(&next, &evenly(naive.next_on(die, planes, cell))));
        }
        Ok(())
    }
}

/// The exact distribution of single-plane draws where several regions are drawn from by weight.
fn assert_mixture(
    pair: &Pair<'_>,
    regions: &[AddressRegion],
    die: Die,
    allowed: PlaneSet,
) -> Result<(), TestCaseError> {
    let naive = |region: &AddressRegion| {
        let mut naive = Naive::of_book(pair.naive.tables, &pair.book);
        naive.region = Some(region.clone());
        naive
    };
    let of_regions: Vec<(f64, Naive<'_>)> =
        regions.iter().map(|region| (f64::from(region.weight), naive(region))).collect();
    let expected = |on: &dyn Fn(&Naive<'_>) -> std::collections::BTreeSet<Spot>| {
        let spots: Vec<(f64, _)> = of_regions.iter().map(|(weight, naive)| (*weight, on(naive))).collect();
        let total: f64 = spots.iter().filter(|(_, spots)| !spots.is_empty()).map(|(weight, _)| weight).sum();
        let mut all: BTreeMap<Spot, f64> = BTreeMap::new();
        for (weight, spots) in &spots {
            for spot in spots {
                *all.entry(*spot).or_insert(0.0) += weight / total / spots.len() as f64;
            }
        }
        all
    };
    let book = pair.book.on(die);
    let drawn = |varied, redraws, draw: &dyn Fn(&mut Source) -> Option<Place>| {
        outcomes(varied, redraws, |source| draw(source).map(|place| spot_of(&place)))
    };
    let any = drawn(2, Redraws::Count, &|source| book.sample_any(allowed, &mut |bound| source.below(bound)));
    prop_assert!(alike(&any, &expected(&|naive| naive.singles(allowed, |set| naive.any_on(die, set)))));
    for cell in pair.naive.cells() {
        let next =
            drawn(2, Redraws::Count, &|source| book.sample_next(cell, allowed, &mut |bound| source.below(bound)));
        prop_assert!(alike(&next, &expected(&|naive| naive.singles(allowed, |set| naive.next_on(die, set, cell)))));
        let planes = |on: &dyn Fn(&Naive<'_>, PlaneSet) -> bool| {
            let on =
                |plane: &nandseq_profile::Plane| of_regions.iter().any(|(_, naive)| on(naive, PlaneSet::one(*plane)));
            allowed.iter().filter(on).fold(PlaneSet::EMPTY, |all, plane| all.union(PlaneSet::one(plane)))
        };
        let reads = |naive: &Naive<'_>, set| !naive.read_on(die, set, cell).is_empty();
        prop_assert_eq!(book.read_planes(cell, allowed), planes(&reads));
    }
    Ok(())
}

/// Runs a history; every `rest` steps all draws are worked out, for every set of allowed planes out of `allowed`.
fn agree(
    size: (u32, u32, u32, u32),
    guard: u32,
    bad: u32,
    steps: &[Step],
    (rest, allowed): (usize, fn(u8) -> bool),
    region: Option<&AddressRegion>,
) -> Result<(), TestCaseError> {
    let tables = tables(size, guard);
    let bad: Vec<(Die, Block)> = (0..bad.min(size.2)).map(|at| (Die(0), Block(size.2 - 1 - at))).collect();
    let mut pair = Pair::new(&tables, &bad, region);
    for (number, &step) in steps.iter().enumerate() {
        pair.step(step);
        pair.assert_records()?;
        let everything = (number + 1) % rest == 0 || number + 1 == steps.len();
        for die in pair.naive.dies() {
            for allowed in (0..=pair.planes()).filter(|&set| allowed(set)).map(PlaneSet) {
                if everything {
                    pair.assert_counts(die, allowed)?;
                    pair.assert_single_draws(die, allowed)?;
                    for most in [2, u32::from(tables.size.planes)] {
                        pair.assert_multi_draws(die, allowed, most)?;
                    }
                } else if allowed.0 == pair.planes() {
                    pair.assert_counts(die, allowed)?;
                }
            }
        }
    }
    Ok(())
}

/// What a die has addresses for, on each set of planes: alone, then together.
fn answers(addresses: DieAddresses<'_>) -> Vec<[u8; 6]> {
    let of_planes = |allowed| {
        let together = [addresses.next_cells_together(allowed), addresses.read_cells_together(allowed)];
        let [next, read] = [addresses.next_cells(allowed), addresses.read_cells(allowed)];
        [addresses.any_planes(allowed).0, next, read, addresses.any_together(allowed).into(), together[0], together[1]]
    };
    (0..8).map(PlaneSet).map(of_planes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_book_agrees_with_a_count_of_all_blocks(
        dies in 1u32..=2,
        planes in 1u32..=4,
        blocks in 0u32..=9,
        pages in 1u32..=7,
        guard in 0u32..=2,
        bad in 0u32..=2,
        steps in prop::collection::vec(any_step(), 1..120),
    ) {
        agree((dies, planes, planes + blocks, pages), guard, bad, &steps, (40, |_| true), None)?;
    }

    #[test]
    fn the_book_agrees_on_a_device_of_eight_planes(
        blocks in 0u32..=12,
        pages in 1u32..=5,
        guard in 0u32..=1,
        steps in prop::collection::vec(any_step(), 1..80),
    ) {
        agree((1, 8, 8 + blocks, pages), guard, 1, &steps, (40, |set| [0xff, 0xa7, 0x81].contains(&set)), None)?;
    }

    #[test]
    fn the_book_agrees_on_a_region_with_a_count_of_all_blocks(
        dies in 1u32..=2,
        planes in 1u32..=4,
        blocks in 0u32..=9,
        pages in 1u32..=7,
        guard in 0u32..=2,
        steps in prop::collection::vec(any_step(), 1..120),
        region in any_region(),
    ) {
        agree((dies, planes, planes + blocks, pages), guard, 1, &steps, (40, |_| true), Some(&region))?;
    }

    #[test]
    fn regions_are_drawn_by_weight_among_those_with_an_address(
        steps in prop::collection::vec(any_step(), 1..90),
        regions in prop::collection::vec((any_region(), 1u32..9), 1..4),
    ) {
        let tables = tables((2, 3, 12, 7), 0);
        let regions: Vec<AddressRegion> =
            regions.into_iter().map(|(region, weight)| AddressRegion { weight, ..region }).collect();
        let mut pair = Pair::new(&tables, &[(Die(0), Block(2))], None);
        pair.book.draw_from(&tables, &regions, &UseLimits::default());
        for (number, &step) in steps.iter().enumerate() {
            pair.step(step);
            if number % 30 == 29 || number + 1 == steps.len() {
                for die in pair.naive.dies() {
                    for allowed in 0..8 {
                        assert_mixture(&pair, &regions, die, PlaneSet(allowed))?;
                    }
                }
            }
        }
    }

    #[test]
    fn regions_have_together_what_each_has_and_the_stamp_grows_when_that_changes(
        steps in prop::collection::vec(any_step(), 1..90),
        regions in prop::collection::vec(any_region(), 2..4),
    ) {
        let tables = tables((2, 3, 12, 7), 0);
        let mut pair = Pair::new(&tables, &[(Die(0), Block(2))], None);
        pair.book.draw_from(&tables, &regions, &UseLimits::default());
        for &step in &steps {
            let before: Vec<_> =
                pair.naive.dies().map(|die| (die, pair.book.stamp(die), answers(pair.on(die)))).collect();
            pair.step(step);
            let mut each = vec![pair.book.clone(); regions.len()];
            let alone = each.iter_mut().zip(&regions);
            alone.for_each(|(book, region)| book.draw_from(&tables, std::slice::from_ref(region), &UseLimits::default()));
            for (die, stamp, answered) in before {
                let now = answers(pair.on(die));
                let mut expected = vec![[0; 6]; now.len()];
                for book in &each {
                    for (all, own) in expected.iter_mut().zip(answers(book.on(die))) {
                        (0..all.len()).for_each(|at| all[at] |= own[at]);
                    }
                }
                prop_assert_eq!(&now, &expected);
                prop_assert!(now == answered || pair.book.stamp(die) > stamp);
            }
        }
    }
}
