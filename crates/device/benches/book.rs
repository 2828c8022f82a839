//! The cost of a draw and of an update of the address book, on a small device and on one a thousand times its size.
//!
//! Both columns should be alike: no cost may grow with the number of blocks (the larger device only misses more caches). Benches that end in
//! `_from` are of the larger device: they compare draws from the whole of it with draws from regions and within limits.

use divan::{Bencher, black_box};
use nandseq_device::{
    AddressBook, AddressRegion, BaseInfo, CountedUses, Place, Tables, UseCounts, UseLimit, UseLimits,
};
use nandseq_profile::model::Topology;
use nandseq_profile::{CellTypeId, Die, Page, PlaneSet, builtin};

fn main() {
    divan::main();
}

/// Dies and blocks of a die.
const SIZES: [(u32, u32); 2] = [(1, 64), (16, 4096)];
const PLANES: u32 = 4;
const PAGES: u32 = 2564;
const ALL: PlaneSet = PlaneSet(0b1111);

/// A book in a mixed state, and random numbers.
#[derive(Debug)]
struct Fixture {
    tables: Tables,
    book: AddressBook,
    erase: BaseInfo,
    program: BaseInfo,
    cell: CellTypeId,
    random: SplitMix,
}

#[derive(Debug)]
struct SplitMix(u64);

impl SplitMix {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * u128::from(bound)) >> 64) as u64
    }
}

/// What addresses are drawn from.
#[derive(Clone, Copy, Debug)]
enum DrawnFrom {
    /// The whole device.
    Whole,
    /// One region: the first half of the blocks of each die.
    Region,
    /// All blocks but the first 32 of each die, and some pages of these.
    TwoRegions,
    /// Regions that share blocks: all, the middle half, and some pages of the first half.
    ThreeOverlapping,
    /// The whole device, with a limit of open blocks that is far.
    OpenBlocks,
    /// The whole device, with every limit, each far.
    AllLimits,
}

const DRAWN_FROM: [DrawnFrom; 6] = [
    DrawnFrom::Whole,
    DrawnFrom::Region,
    DrawnFrom::TwoRegions,
    DrawnFrom::ThreeOverlapping,
    DrawnFrom::OpenBlocks,
    DrawnFrom::AllLimits,
];

impl DrawnFrom {
    fn regions(self) -> Vec<AddressRegion> {
        let region = |weight, blocks, pages| AddressRegion {
            weight,
            dies: u64::MAX,
            planes: ALL,
            blocks: vec![blocks],
            pages: vec![pages],
        };
        let all = 0..=PAGES - 1;
        match self {
            Self::Whole | Self::OpenBlocks | Self::AllLimits => Vec::new(),
            Self::Region => vec![region(1, 0..=2047, all)],
            Self::TwoRegions => vec![region(2, 32..=4095, all), region(8, 0..=31, 0..=PAGES / 2)],
            Self::ThreeOverlapping => {
                vec![region(2, 0..=4095, all.clone()), region(5, 1024..=3071, all), region(3, 0..=2047, 0..=PAGES / 2)]
            }
        }
    }

    fn limits(self) -> UseLimits {
        let of_each = UseLimit {
            regions: Vec::new(),
            erases: Some(3_000_000),
            reads: Some(1_000_000_000),
            page_reads: Some(1_000_000),
        };
        match self {
            Self::Whole | Self::Region | Self::TwoRegions | Self::ThreeOverlapping => UseLimits::default(),
            Self::OpenBlocks => UseLimits { each: Vec::new(), open_blocks: Some(1_000_000) },
            Self::AllLimits => UseLimits { each: vec![of_each], open_blocks: Some(1_000_000) },
        }
    }
}

impl Fixture {
    /// The book of the larger device, drawn from some of it or within limits.
    fn drawn_from(from: DrawnFrom) -> Self {
        let mut fixture = Self::new(SIZES[1]);
        let (limits, whole) = (from.limits(), AddressRegion::whole(&fixture.tables.size));
        if !limits.is_empty() {
            let counted = CountedUses { block_reads: true, page_reads: vec![whole] };
            fixture.book.count_uses(UseCounts::new(&fixture.tables.size, &counted));
        }
        fixture.book.draw_from(&fixture.tables, &from.regions(), &limits);
        fixture
    }

    fn new((dies, blocks_per_die): (u32, u32)) -> Self {
        let mut profile = builtin::profile();
        profile.topology = Topology { dies, planes: PLANES, blocks_per_die, pages_per_block: PAGES };
        let tables = Tables::new(&profile);
        let base =
            |test: fn(&BaseInfo) -> bool| tables.bases().find(|(_, info)| test(info)).expect("such a base").1.clone();
        let (erase, program) = (base(|info| info.effects.erase), base(|info| info.effects.program));
        let cell = tables.ops().find(|(_, op)| op.base == erase_id(&tables)).expect("an erase").1.stated_cell_type;
        let book = AddressBook::new(&tables, &[]);
        let mut fixture = Self { tables, book, erase, program, cell, random: SplitMix(1) };
        for die in 0..dies {
            for group in 0..blocks_per_die / PLANES {
                let place = fixture.place(die, group);
                let pages = fixture.random.below(u64::from(PAGES) + 1) as u16;
                fixture.bring(&place, pages);
            }
        }
        fixture
    }

    fn place(&self, die: u32, group: u32) -> Place {
        Place { die: Die(die as u8), planes: ALL, group, page: Page(0), cell_type: self.cell }
    }

    fn any_die(&mut self) -> Die {
        Die(self.random.below(u64::from(self.tables.size.dies)) as u8)
    }

    fn bring(&mut self, place: &Place, pages: u16) {
        self.book.begin(place);
        self.book.finish(&self.erase, place);
        if pages > 0 {
            let place = Place { page: Page(pages - 1), ..*place };
            self.book.begin(&place);
            self.book.finish(&self.program, &place);
        }
    }
}

fn erase_id(tables: &Tables) -> nandseq_profile::BaseId {
    tables.bases().find(|(_, info)| info.effects.erase).expect("an erase").0
}

/// Times one draw on a random die.
fn draw(
    bencher: Bencher<'_, '_>,
    size: (u32, u32),
    draw: impl Fn(&AddressBook, Die, CellTypeId, &mut SplitMix) -> Option<Place>,
) {
    draw_of(bencher, Fixture::new(size), draw);
}

fn draw_of(
    bencher: Bencher<'_, '_>,
    mut fixture: Fixture,
    draw: impl Fn(&AddressBook, Die, CellTypeId, &mut SplitMix) -> Option<Place>,
) {
    bencher.bench_local(|| {
        let die = fixture.any_die();
        black_box(draw(&fixture.book, die, fixture.cell, &mut fixture.random))
    });
}

#[divan::bench(args = SIZES)]
fn sample_any(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    draw(bencher, size, |book, die, _, random| book.on(die).sample_any(ALL, &mut |bound| random.below(bound)));
}

#[divan::bench(args = SIZES)]
fn sample_next(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    draw(bencher, size, |book, die, cell, random| {
        book.on(die).sample_next(cell, ALL, &mut |bound| random.below(bound))
    });
}

#[divan::bench(args = SIZES)]
fn sample_read(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    draw(bencher, size, |book, die, cell, random| {
        book.on(die).sample_read(cell, ALL, &mut |bound| random.below(bound))
    });
}

#[divan::bench(args = SIZES)]
fn sample_next_together(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    draw(bencher, size, |book, die, cell, random| {
        book.on(die).sample_next_together(cell, ALL, PLANES, &mut |bound| random.below(bound))
    });
}

#[divan::bench(args = SIZES)]
fn sample_read_together(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    draw(bencher, size, |book, die, cell, random| {
        book.on(die).sample_read_together(cell, ALL, PLANES, &mut |bound| random.below(bound))
    });
}

#[divan::bench(args = DRAWN_FROM)]
fn sample_next_from(bencher: Bencher<'_, '_>, from: DrawnFrom) {
    draw_of(bencher, Fixture::drawn_from(from), |book, die, cell, random| {
        book.on(die).sample_next(cell, ALL, &mut |bound| random.below(bound))
    });
}

#[divan::bench(args = DRAWN_FROM)]
fn sample_read_from(bencher: Bencher<'_, '_>, from: DrawnFrom) {
    draw_of(bencher, Fixture::drawn_from(from), |book, die, cell, random| {
        book.on(die).sample_read(cell, ALL, &mut |bound| random.below(bound))
    });
}

/// Erase and program of one block: four updates.
#[divan::bench(args = SIZES)]
fn update_one_block(bencher: Bencher<'_, '_>, size: (u32, u32)) {
    update(bencher, Fixture::new(size));
}

#[divan::bench(args = DRAWN_FROM)]
fn update_one_block_from(bencher: Bencher<'_, '_>, from: DrawnFrom) {
    update(bencher, Fixture::drawn_from(from));
}

fn update(bencher: Bencher<'_, '_>, mut fixture: Fixture) {
    let groups = u64::from(fixture.tables.size.groups);
    bencher.bench_local(|| {
        let die = fixture.any_die();
        let group = fixture.random.below(groups) as u32;
        let planes = PlaneSet(1 << fixture.random.below(u64::from(PLANES)));
        let pages = 1 + fixture.random.below(u64::from(PAGES)) as u16;
        let place = Place { planes, ..fixture.place(u32::from(die.0), group) };
        fixture.bring(&place, pages);
    });
}
