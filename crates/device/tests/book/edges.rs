//! Edges of the address book: hardly any pages, incomplete groups, the largest numbers, what is held or aborted.

use std::cell::Cell;

use nandseq_device::{AddressBook, BlockStage, Rule, Tables};
use nandseq_profile::{Block, CellTypeId, Die, PlaneSet};

use crate::naive::{base, place, spot_of, tables};
use crate::uniform::{SplitMix, bring};

const SLC: u8 = 2;
const TLC: u8 = 6;
const CELL: CellTypeId = CellTypeId(SLC);
const DIE: Die = Die(0);

fn book_of(size: (u32, u32, u32, u32), guard: u32) -> (Tables, AddressBook) {
    let tables = tables(size, guard);
    let book = AddressBook::new(&tables, &[]);
    (tables, book)
}

#[test]
fn a_fresh_device_can_only_be_erased() {
    let (_, book) = book_of((1, 2, 8, 4), 0);
    let all = PlaneSet(0b11);
    assert_eq!(book.on(DIE).any_planes(all), all);
    assert!(book.on(DIE).any_together(all));
    assert!(book.on(DIE).any_next_planes(all).is_empty());
    assert!(book.on(DIE).read_planes(CELL, all).is_empty());
    let below = &mut |_| 0;
    assert_eq!(book.on(DIE).sample_next(CELL, all, below), None);
    assert_eq!(book.on(DIE).sample_any_next(all, below), None);
    assert_eq!(book.on(DIE).sample_read(CELL, all, below), None);
    assert_eq!(book.on(DIE).sample_next_together(CELL, all, 2, below), None);
    assert_eq!(book.on(DIE).sample_read_together(CELL, all, 2, below), None);
}

#[test]
fn nothing_is_drawn_on_no_planes() {
    let (_, book) = book_of((1, 2, 8, 4), 0);
    assert_eq!(book.on(DIE).sample_any(PlaneSet::EMPTY, &mut |_| 0), None);
    assert_eq!(book.on(DIE).sample_any_together(PlaneSet(0b10), 2, &mut |_| 0), None);
    assert_eq!(book.on(DIE).sample_any_together(PlaneSet(0b11), 1, &mut |_| 0), None);
}

#[test]
fn a_device_of_one_plane_has_no_multi_plane_address() {
    let (tables, mut book) = book_of((1, 1, 4, 4), 0);
    bring(&mut book, &tables, place(0, 1, 0, 0, SLC), 2);
    assert!(!book.on(DIE).any_together(PlaneSet(1)));
    assert_eq!(book.on(DIE).sample_read_together(CELL, PlaneSet(1), 4, &mut |_| 0), None);
    assert_eq!(book.on(DIE).sample_next_on(CELL, PlaneSet(1), &mut |_| 0), None);
    assert_eq!(book.on(DIE).sample_read_on(CELL, PlaneSet(1), &mut |_| 0), None);
    assert!(book.on(DIE).sample_read(CELL, PlaneSet(1), &mut |_| 0).is_some());
}

#[test]
fn the_last_group_serves_only_the_planes_it_has() {
    let (tables, mut book) = book_of((2, 4, 6, 4), 0);
    let die = Die(1);
    for block in 0..4 {
        book.begin(&place(1, 1 << block, 0, 0, SLC));
    }
    assert_eq!(book.on(die).any_planes(PlaneSet(0b1111)), PlaneSet(0b0011));
    assert!(!book.on(die).any_together(PlaneSet(0b1101)));
    let drawn = book.on(die).sample_any_together(PlaneSet(0b1111), 4, &mut |bound| bound - 1).unwrap();
    assert_eq!(spot_of(&drawn), (0b0011, 1, 0, 0));
    bring(&mut book, &tables, place(1, 0b0011, 1, 0, SLC), 3);
    let drawn = book.on(die).sample_read_on(CELL, PlaneSet(0b0011), &mut |_| 2).unwrap();
    assert_eq!(spot_of(&drawn), (0b0011, 1, 2, SLC));
    let judged = book.judge(&crate::naive::erase(&tables), &place(1, 0b0100, 1, 0, SLC), CELL);
    assert_eq!(judged, Err(Rule::Bounds));
}

#[test]
fn an_offset_guard_hides_the_pages_next_to_the_last() {
    for guard in 0..5u32 {
        let (tables, mut book) = book_of((1, 2, 4, 8), guard);
        for pages in 0..=8u16 {
            bring(&mut book, &tables, place(0, 0b11, 0, 0, SLC), pages);
            let readable = u32::from(pages).saturating_sub(guard);
            assert_eq!(!book.on(DIE).read_planes(CELL, PlaneSet(0b11)).is_empty(), readable > 0);
            assert_eq!(book.on(DIE).read_together(CELL, PlaneSet(0b11)), readable > 0);
            let mut random = SplitMix(u64::from(guard));
            for _ in 0..20 {
                let drawn =
                    book.on(DIE).sample_read_together(CELL, PlaneSet(0b11), 2, &mut |bound| random.below(bound));
                assert!(drawn.is_none_or(|place| u32::from(place.page.0) < readable));
                assert_eq!(drawn.is_some(), readable > 0);
            }
        }
    }
}

#[test]
fn a_draw_ends_whatever_the_numbers_are() {
    let (tables, mut book) = book_of((1, 2, 4, 65_535), 0);
    bring(&mut book, &tables, place(0, 0b01, 0, 0, SLC), 1);
    bring(&mut book, &tables, place(0, 0b10, 0, 0, SLC), 65_535);
    bring(&mut book, &tables, place(0, 0b11, 1, 0, SLC), 33_000);
    let asked = Cell::new(0);
    let mut worst = |bound: u64| {
        asked.set(asked.get() + 1);
        bound - 1
    };
    let drawn = book.on(DIE).sample_read_on(CELL, PlaneSet(0b11), &mut worst).unwrap();
    assert!(asked.get() <= 64, "{} questions", asked.get());
    let judged = book.judge(&base(&tables, |info| info.effects.fill.is_some()), &drawn, CELL);
    assert_eq!(judged, Ok(()), "{drawn:?}");
    asked.set(0);
    let drawn = book.on(DIE).sample_read(CELL, PlaneSet(0b11), &mut worst).unwrap();
    assert!(asked.get() <= 64);
    assert_eq!(book.judge(&base(&tables, |info| info.effects.fill.is_some()), &drawn, CELL), Ok(()));
}

#[test]
fn one_page_among_long_blocks_is_found_by_ordinary_numbers() {
    let (tables, mut book) = book_of((1, 2, 4, 65_535), 0);
    bring(&mut book, &tables, place(0, 0b01, 0, 0, SLC), 1);
    bring(&mut book, &tables, place(0, 0b10, 0, 0, SLC), 65_535);
    let mut random = SplitMix(3);
    for _ in 0..1000 {
        let drawn = book.on(DIE).sample_read_on(CELL, PlaneSet(0b11), &mut |bound| random.below(bound)).unwrap();
        assert_eq!(spot_of(&drawn), (0b11, 0, 0, SLC));
    }
}

#[test]
fn the_first_and_the_last_page_of_the_longest_block_can_be_read() {
    let (tables, mut book) = book_of((1, 1, 1, 65_535), 0);
    bring(&mut book, &tables, place(0, 1, 0, 0, SLC), 65_535);
    let drawn = |value| book.on(DIE).sample_read(CELL, PlaneSet(1), &mut |_| value).unwrap().page.0;
    assert_eq!((drawn(0), drawn(65_534)), (0, 65_534));
    assert_eq!(book.on(DIE).sample_next(CELL, PlaneSet(1), &mut |_| 0), None, "a full block takes no program");
}

#[test]
fn held_blocks_are_read_and_nothing_else() {
    let (tables, mut book) = book_of((1, 2, 2, 8), 0);
    let both = place(0, 0b11, 0, 0, SLC);
    bring(&mut book, &tables, both, 4);
    book.hold(&both, true);
    book.hold(&both, true);
    for held in [true, true, false] {
        assert_eq!(book.is_held(&both), held);
        let all = PlaneSet(0b11);
        assert_eq!(book.on(DIE).any_planes(all).is_empty(), held);
        assert_eq!(book.on(DIE).next_planes(CELL, all).is_empty(), held);
        assert_eq!(book.on(DIE).any_next_planes(all).is_empty(), held);
        assert_eq!(book.on(DIE).any_together(all), !held);
        assert_eq!(book.on(DIE).next_together(CELL, all), !held);
        assert!(book.on(DIE).read_together(CELL, all));
        if held {
            book.release(&both, true);
        }
    }
}

#[test]
fn holding_does_not_forbid_what_the_rules_allow() {
    let (tables, mut book) = book_of((1, 2, 2, 8), 0);
    let one = place(0, 0b01, 0, 4, SLC);
    bring(&mut book, &tables, one, 4);
    book.hold(&one, true);
    assert_eq!(book.judge(&crate::naive::program(&tables), &one, CELL), Ok(()));
}

#[test]
fn a_block_cut_by_a_reset_is_erased_before_anything_else() {
    let (tables, mut book) = book_of((1, 2, 2, 8), 0);
    let both = place(0, 0b11, 0, 4, SLC);
    bring(&mut book, &tables, both, 4);
    book.begin(&both);
    book.abort(&both);
    let record = book.record(DIE, Block(1));
    assert_eq!((record.stage, record.pages, record.in_flight), (BlockStage::NotErased, 0, false));
    let all = PlaneSet(0b11);
    assert!(book.on(DIE).any_together(all));
    assert!(book.on(DIE).any_next_planes(all).is_empty() && book.on(DIE).read_planes(CELL, all).is_empty());
    assert_eq!(book.judge(&crate::naive::program(&tables), &both, CELL), Err(Rule::ProgramBeforeErase));
}

#[test]
fn a_load_that_ends_leaves_its_block_as_it_was() {
    let (tables, mut book) = book_of((1, 2, 2, 8), 0);
    let both = place(0, 0b11, 0, 0, TLC);
    bring(&mut book, &tables, both, 0);
    let before = *book.record(DIE, Block(0));
    book.begin(&both);
    assert!(!book.on(DIE).next_together(CellTypeId(TLC), PlaneSet(0b11)));
    book.finish(&base(&tables, |info| info.effects.load), &both);
    assert_eq!(*book.record(DIE, Block(0)), before);
    assert!(book.on(DIE).next_together(CellTypeId(TLC), PlaneSet(0b11)));
}

#[test]
fn the_same_history_and_numbers_draw_the_same_addresses() {
    let draw = || {
        let (tables, mut book) = book_of((2, 4, 64, 32), 0);
        let mut random = SplitMix(5);
        let mut drawn = Vec::new();
        for _ in 0..500 {
            let below = &mut |bound| random.below(bound);
            let Some(erased) = book.on(DIE).sample_any(PlaneSet(0b1111), below) else { break };
            let erased = nandseq_device::Place { cell_type: CELL, ..erased };
            let pages = below(33) as u16;
            bring(&mut book, &tables, erased, pages);
            drawn.push(erased);
            drawn.extend(book.on(DIE).sample_read_together(CELL, PlaneSet(0b1111), 4, below));
            drawn.extend(book.on(DIE).sample_next(CELL, PlaneSet(0b0110), below));
        }
        drawn
    };
    assert_eq!(draw(), draw());
    assert!(draw().len() > 1000);
}

#[test]
fn a_single_plane_draw_asks_as_often_on_a_large_device_as_on_a_small_one() {
    let questions = |blocks: u32| {
        let (tables, mut book) = book_of((1, 4, blocks, 256), 0);
        for group in 0..blocks / 4 {
            bring(&mut book, &tables, place(0, 0b1111, group, 0, SLC), 128);
        }
        let asked = Cell::new(0u32);
        let mut random = SplitMix(9);
        let mut below = |bound: u64| {
            asked.set(asked.get() + 1);
            random.below(bound)
        };
        for _ in 0..4_000 {
            book.on(DIE).sample_any(PlaneSet(0b1111), &mut below).unwrap();
            book.on(DIE).sample_next(CELL, PlaneSet(0b1111), &mut below).unwrap();
            book.on(DIE).sample_next_together(CELL, PlaneSet(0b1111), 4, &mut below).unwrap();
            book.on(DIE).sample_read(CELL, PlaneSet(0b1111), &mut below).unwrap();
        }
        asked.get()
    };
    // One question for each single-plane draw, three for a multi-plane one; a stretch of 128 is drawn out of 256: two for a read.
    let expected = f64::from(4_000 * (1 + 1 + 3 + 2));
    for blocks in [8, 64, 4096] {
        let asked = f64::from(questions(blocks));
        assert!((asked - expected).abs() < 0.02 * expected, "{asked} questions with {blocks} blocks");
    }
}
