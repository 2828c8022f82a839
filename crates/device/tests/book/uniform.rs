//! Draws in numbers: chi-square against the uniform distribution, fixed seeds, at the 0.1 % point.

use std::collections::BTreeMap;

use nandseq_device::{AddressBook, Place, Tables};
use nandseq_profile::{CellTypeId, Die, PlaneSet};

use crate::naive::{Naive, Spot, erase, place, program, spot_of, tables};
use crate::outcomes::evenly;

/// SLC and TLC of the built-in device.
const SLC: u8 = 2;
const TLC: u8 = 6;

/// SplitMix64, and numbers below a bound without bias.
#[derive(Debug)]
pub(crate) struct SplitMix(pub(crate) u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a draw below nothing");
        let limit = u64::MAX - u64::MAX % bound;
        loop {
            let drawn = self.next();
            if drawn < limit {
                return drawn % bound;
            }
        }
    }
}

/// Chi-square of `count` draws against a distribution.
fn chi_square<T: Ord>(drawn: &BTreeMap<T, u64>, expected: &BTreeMap<T, f64>, count: u64) -> f64 {
    assert!(drawn.keys().all(|key| expected.contains_key(key)), "something was drawn that is not eligible");
    let term = |(key, share): (&T, &f64)| {
        let mean = share * count as f64;
        assert!(mean >= 5.0, "too few draws for so many outcomes");
        (drawn.get(key).copied().unwrap_or(0) as f64 - mean).powi(2) / mean
    };
    expected.iter().map(term).sum()
}

/// The 0.1 % point of chi-square (Wilson and Hilferty).
fn limit(freedom: usize) -> f64 {
    let freedom = freedom as f64;
    let spread = 2.0 / (9.0 * freedom);
    freedom * (1.0 - spread + 3.090_232 * spread.sqrt()).powi(3)
}

fn count<T: Ord>(draws: u64, mut draw: impl FnMut() -> T) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for _ in 0..draws {
        *counts.entry(draw()).or_insert(0) += 1;
    }
    counts
}

/// Draws under four seeds; their statistics add up, and so do their degrees of freedom.
#[track_caller]
fn assert_distribution(expected: &BTreeMap<Spot, f64>, seed: u64, mut draw: impl FnMut(&mut SplitMix) -> Place) {
    assert!(expected.len() > 1, "nothing to compare");
    let rarest = expected.values().copied().fold(1.0, f64::min);
    let draws = (20.0 / rarest) as u64;
    let mut sum = 0.0;
    for seed in 4 * seed..4 * seed + 4 {
        let mut random = SplitMix(seed);
        sum += chi_square(&count(draws, || spot_of(&draw(&mut random))), expected, draws);
    }
    let limit = limit(4 * (expected.len() - 1));
    assert!(sum < limit, "chi-square {sum} of {} outcomes under four seeds, 0.1 % point {limit}", expected.len());
}

/// Erases blocks as a cell type and programs their first pages.
pub(crate) fn bring(book: &mut AddressBook, tables: &Tables, place: Place, pages: u16) {
    book.finish(&erase(tables), &place);
    if pages > 0 {
        book.finish(&program(tables), &Place { page: nandseq_profile::Page(pages - 1), ..place });
    }
}

/// Two dies of four planes, 61 blocks (the last group has one) of 300 pages, in a mixed state; the page counts of SLC blocks are
/// as unlike as they can be.
fn mixed() -> (Tables, AddressBook) {
    let tables = tables((2, 4, 61, 300), 0);
    let mut book =
        AddressBook::new(&tables, &[(Die(0), nandseq_profile::Block(3)), (Die(1), nandseq_profile::Block(60))]);
    let mut random = SplitMix(7);
    for die in 0..2 {
        for group in 1..15 {
            let planes: &[u8] = if group % 3 == 0 { &[0b1011, 0b0100] } else { &[1, 2, 4, 8] };
            for &planes in planes {
                let cell = if random.below(3) == 0 { TLC } else { SLC };
                let pages = [0, 1, 1, 2, 3, 7, 8, 255, 256, 300][random.below(10) as usize];
                bring(&mut book, &tables, place(die, planes, group, 0, cell), pages);
            }
        }
    }
    book.begin(&place(0, 0b0011, 2, 0, SLC));
    book.hold(&place(0, 0b1111, 4, 0, SLC), true);
    (tables, book)
}

#[test]
fn the_statistic_finds_a_draw_that_favours_one_outcome() {
    let expected = evenly((0u64..100).collect::<Vec<_>>());
    let mut random = SplitMix(1);
    let fair = count(40_000, || random.below(100));
    assert!(chi_square(&fair, &expected, 40_000) < limit(99));
    let biased = count(40_000, || if random.below(50) == 0 { 7 } else { random.below(100) });
    assert!(chi_square(&biased, &expected, 40_000) > limit(99));
    assert!((limit(99) - 148.23).abs() < 0.5, "a table says 148.23");
}

#[test]
fn blocks_to_erase_are_drawn_evenly() {
    let (tables, book) = mixed();
    let naive = Naive::of_book(&tables, &book);
    for (die, allowed) in [(0, 0b1111), (1, 0b1111), (0, 0b0101), (1, 0b1000)] {
        let (die, allowed) = (Die(die), PlaneSet(allowed));
        let expected = evenly(naive.singles(allowed, |set| naive.any_on(die, set)));
        assert_distribution(&expected, 11, |random| {
            book.on(die).sample_any(allowed, &mut |bound| random.below(bound)).unwrap()
        });
    }
}

#[test]
fn pages_to_program_are_drawn_evenly() {
    let (tables, book) = mixed();
    let naive = Naive::of_book(&tables, &book);
    for (die, allowed, cell) in [(0, 0b1111, SLC), (1, 0b1111, TLC), (0, 0b0110, SLC), (0, 0b1111, 4)] {
        let (die, allowed, cell) = (Die(die), PlaneSet(allowed), CellTypeId(cell));
        let expected = evenly(naive.singles(allowed, |set| naive.next_on(die, set, cell)));
        assert_distribution(&expected, 12, |random| {
            book.on(die).sample_next(cell, allowed, &mut |bound| random.below(bound)).unwrap()
        });
    }
}

#[test]
fn pages_of_any_programmable_block_are_drawn_evenly() {
    let (tables, book) = mixed();
    let naive = Naive::of_book(&tables, &book);
    let allowed = PlaneSet(0b1111);
    assert_distribution(&evenly(naive.any_next(Die(0), allowed)), 13, |random| {
        book.on(Die(0)).sample_any_next(allowed, &mut |bound| random.below(bound)).unwrap()
    });
}

#[test]
fn pages_to_read_are_drawn_evenly_however_unlike_their_blocks() {
    let (tables, book) = mixed();
    let naive = Naive::of_book(&tables, &book);
    for (die, allowed, cell) in [(0, 0b1111, SLC), (1, 0b0100, SLC), (1, 0b1111, TLC)] {
        let (die, allowed, cell) = (Die(die), PlaneSet(allowed), CellTypeId(cell));
        let expected = evenly(naive.singles(allowed, |set| naive.read_on(die, set, cell)));
        assert!(expected.len() > 200);
        assert_distribution(&expected, 14, |random| {
            book.on(die).sample_read(cell, allowed, &mut |bound| random.below(bound)).unwrap()
        });
    }
}

#[test]
fn a_block_of_one_page_is_read_as_often_as_one_page_of_a_full_block() {
    let tables = tables((1, 1, 2, 4096), 0);
    let mut book = AddressBook::new(&tables, &[]);
    bring(&mut book, &tables, place(0, 1, 0, 0, SLC), 1);
    bring(&mut book, &tables, place(0, 1, 1, 0, SLC), 4096);
    let mut random = SplitMix(15);
    let draws = 4_097_000;
    let drawn = count(draws, || {
        let place = book.on(Die(0)).sample_read(CellTypeId(SLC), PlaneSet(1), &mut |bound| random.below(bound));
        place.unwrap().group == 0
    });
    let expected = BTreeMap::from([(true, 1.0 / 4097.0), (false, 4096.0 / 4097.0)]);
    assert!(chi_square(&drawn, &expected, draws) < limit(1), "{drawn:?}");
}

/// The joint distribution of plane set and address under the documented rule.
fn together(
    naive: &Naive<'_>,
    allowed: PlaneSet,
    most: u32,
    on: impl Fn(PlaneSet) -> std::collections::BTreeSet<Spot>,
) -> BTreeMap<Spot, f64> {
    let mut all = BTreeMap::new();
    for (planes, share) in naive.plane_sets(allowed, most, &on) {
        all.extend(evenly(on(planes)).into_iter().map(|(spot, p)| (spot, p * share)));
    }
    all
}

#[test]
fn multi_plane_draws_take_a_plane_set_and_then_its_groups_evenly() {
    let (tables, book) = mixed();
    let naive = Naive::of_book(&tables, &book);
    let (die, cell) = (Die(0), CellTypeId(SLC));
    for (allowed, most) in [(0b1111, 4), (0b1111, 2), (0b1110, 3)] {
        let allowed = PlaneSet(allowed);
        let expected = together(&naive, allowed, most, |set| naive.any_on(die, set));
        assert_distribution(&expected, 16, |random| {
            book.on(die).sample_any_together(allowed, most, &mut |bound| random.below(bound)).unwrap()
        });
        let expected = together(&naive, allowed, most, |set| naive.next_on(die, set, cell));
        assert_distribution(&expected, 17, |random| {
            book.on(die).sample_next_together(cell, allowed, most, &mut |bound| random.below(bound)).unwrap()
        });
    }
}

#[test]
fn multi_plane_reads_are_drawn_evenly_over_the_pages_all_planes_have() {
    let tables = tables((1, 4, 40, 300), 3);
    let mut book = AddressBook::new(&tables, &[]);
    let mut random = SplitMix(18);
    for group in 0..10 {
        for plane in 0..4 {
            let pages = 4 + random.below(16) as u16;
            bring(&mut book, &tables, place(0, 1 << plane, group, 0, SLC), pages);
        }
    }
    let naive = Naive::of_book(&tables, &book);
    let (die, cell, allowed) = (Die(0), CellTypeId(SLC), PlaneSet(0b1111));
    let expected = together(&naive, allowed, 4, |set| naive.read_on(die, set, cell));
    assert_distribution(&expected, 19, |random| {
        book.on(die).sample_read_together(cell, allowed, 4, &mut |bound| random.below(bound)).unwrap()
    });
}
