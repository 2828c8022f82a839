//! Planted faults in runs of the generator: what is left of them, in how many rounds, and that every candidate is legal.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod faults;
mod runs;
mod searches;

use std::collections::BTreeMap;

use faults::{Fault, in_order, is_legal, read_of_group, triggers, worn};
use nandseq_device::Tables;
use nandseq_shrink::{
    HistoryOperation, KeptOperation, KeptReason, MOST_ROUNDS, RepeatRule, ShrinkState, ShrinkStory, Shrinker,
    TryCounts, record,
};
use nandseq_verify::Verifier;
use runs::{device, history, run};
use searches::{Kind, finish};

/// The most rounds for faults of few operations, and how many times the smallest sequence may be left.
const FEW_ROUNDS: u64 = 30;
const MOST_TIMES: usize = 3;

/// A planted fault.
struct Planted {
    name: &'static str,
    fault: Box<Fault>,
    /// The smallest number of legal operations that has it: with the erase before a program, the data output after a read.
    least: usize,
    /// Blocks of each die.
    blocks: u32,
}

fn planted(name: &'static str, fault: Box<Fault>, least: usize, blocks: u32) -> Planted {
    Planted { name, fault, least, blocks }
}

/// Shrinks a run of each device with its fault. Returns how many of the runs fail.
fn shrink_all(all: &[Planted], seed: u64, operations: u64) -> usize {
    let mut told = Vec::new();
    for Planted { name, fault, least, blocks } in all {
        let profile = device(*blocks);
        let tables = Tables::new(&profile);
        let past = run(&profile, &tables, seed, operations);
        let history = history(&profile, &tables, &past);
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
        let Some(()) = finish(&mut search, &mut |sequence| fault(&tables, &sequence.operations)) else { continue };
        let (left, rounds) = (search.best().operations.len(), search.rounds());
        told.push(format!("{name}: {left} of {least} operations in {rounds} rounds"));
        assert!(fault(&tables, &search.best().operations), "{told:#?}");
        assert!(is_legal(&profile, &history, search.best()));
        let story = ShrinkStory::of(&profile, &search);
        assert!(left <= MOST_TIMES * least && rounds <= FEW_ROUNDS, "{told:#?}\n{story}");
    }
    told.len()
}

#[test]
fn planted_faults_are_shrunk_to_little_in_few_rounds() {
    let all = [
        planted("a read soon after a program", in_order(&[Kind::Program, Kind::Read], 3000), 4, 256),
        planted("a program soon after a read", in_order(&[Kind::Read, Kind::Program], 400), 5, 256),
        planted("an erase, a program, a read", in_order(&[Kind::Erase, Kind::Program, Kind::Read], 9000), 4, 256),
        planted("three erases", in_order(&[Kind::Erase, Kind::Erase, Kind::Erase], 20_000), 3, 256),
        planted("a read of some blocks", read_of_group(1, 3), 4, 64),
        planted("a block erased three times", worn(3), 4, 16),
    ];
    assert_eq!(shrink_all(&all, 7, 1000), all.len());
}

/// Shrinks runs in which the last read fails that has an alike one before it, whatever it reads; `is_alike` compares it with an earlier
/// operation, `is_other` tells from what is left and the history that the read stands for the other one. One of the results must have that,
/// and at most four operations.
fn a_read_stands_for_another(
    is_alike: impl Fn(&Tables, &HistoryOperation, &HistoryOperation) -> bool,
    is_other: impl Fn(&KeptOperation, &HistoryOperation) -> bool,
) {
    let profile = device(64);
    let tables = Tables::new(&profile);
    let mut told = Vec::new();
    for seed in 1..=4 {
        let past = run(&profile, &tables, seed, 1000);
        let history = history(&profile, &tables, &past);
        let is_read = |one: &HistoryOperation| tables.base(tables.op(one.op).base).effects.fill == Some(false);
        let has_alike =
            |at: &usize| is_read(&past[*at]) && past[..*at].iter().any(|one| is_alike(&tables, one, &past[*at]));
        let Some(wanted) = (0..past.len()).rev().find(has_alike) else { continue };
        let fault = |all: &[KeptOperation]| all.iter().any(|kept| kept.item as usize == wanted);
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
        finish(&mut search, &mut |sequence| fault(&sequence.operations)).unwrap();
        let (best, story) = (search.best(), ShrinkStory::of(&profile, &search));
        assert!(fault(&best.operations) && is_legal(&profile, &history, best), "{story}");
        let is_other = best.operations.iter().any(|kept| is_other(kept, &past[kept.item as usize]));
        told.push((is_other && best.operations.len() <= 4, story.to_string()));
    }
    let stories: String = told.iter().map(|(_, story)| story.as_str()).collect();
    assert!(told.iter().any(|(is_changed, _)| *is_changed), "{stories}");
}

#[test]
fn a_read_becomes_one_of_a_page_that_takes_fewer_operations() {
    let is_alike = |tables: &Tables, one: &HistoryOperation, other: &HistoryOperation| {
        let of = |one: &HistoryOperation| (tables.op(one.op).base, one.place.die, one.place.planes);
        of(one) == of(other) && one.place.cell_type < other.place.cell_type
    };
    a_read_stands_for_another(is_alike, |kept, before| kept.op != before.op);
}

#[test]
fn a_read_of_several_planes_becomes_one_of_fewer_if_that_takes_fewer_operations() {
    let is_alike = |tables: &Tables, one: &HistoryOperation, other: &HistoryOperation| {
        let of = |one: &HistoryOperation| (tables.op(one.op).base, one.place.die, one.place.cell_type);
        let common = one.place.planes.and(other.place.planes);
        of(one) == of(other) && common == one.place.planes && common.len() < other.place.planes.len()
    };
    let is_of_one =
        |kept: &KeptOperation, before: &HistoryOperation| kept.place.planes.len() == 1 && before.place.planes.len() > 1;
    a_read_stands_for_another(is_alike, is_of_one);
}

/// Without an operation the rule that its reason names is broken by the operation that it names; or nothing is, and the rest passes.
#[test]
fn each_reason_that_a_story_gives_is_true() {
    let all = [
        planted("a read soon after a program", in_order(&[Kind::Program, Kind::Read], 3000), 4, 256),
        planted("a program soon after a read", in_order(&[Kind::Read, Kind::Program], 400), 5, 256),
        planted("a program between two reads", in_order(&[Kind::Read, Kind::Program, Kind::Read], 9000), 7, 256),
        planted("a read of some blocks", read_of_group(1, 3), 4, 64),
        planted("a block erased three times", worn(3), 4, 16),
    ];
    let mut reasons = BTreeMap::new();
    for Planted { name, fault, blocks, .. } in &all {
        let profile = device(*blocks);
        let tables = Tables::new(&profile);
        let past = run(&profile, &tables, 7, 1000);
        let history = history(&profile, &tables, &past);
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
        finish(&mut search, &mut |sequence| fault(&tables, &sequence.operations)).unwrap();
        let best = &search.best().operations;
        for (at, kept) in best.iter().enumerate() {
            let mut rest = best.clone();
            rest.remove(at);
            let mut verifier = Verifier::new(&profile, &[]);
            let broken = record(&profile, &history, &rest, &mut verifier).err().map(|error| error.to_string());
            let told = format!("{name}: without operation {} {broken:?}", at + 1);
            let number = |item: u32| 1 + rest.iter().position(|other| other.item == item).unwrap();
            let reason = match search.need(kept.item) {
                KeptReason::Failing => {
                    assert!(broken.is_none() && !fault(&tables, &rest), "{told}");
                    "failing"
                }
                KeptReason::Rule { item, rule: Some(rule), .. } => {
                    let of_rule = format!("operation {} breaks the rule {}", number(item), rule.code());
                    assert_eq!(broken, Some(of_rule), "{told}");
                    "rule"
                }
                KeptReason::Rule { rule: None, .. } => {
                    assert!(broken.is_none(), "{told}");
                    "chain"
                }
            };
            *reasons.entry(reason).or_insert(0) += 1;
        }
    }
    assert!(reasons.len() == 3 && reasons.values().sum::<usize>() >= 20, "{reasons:?}");
}

/// Runs of the built-in device.
#[test]
#[ignore = "long: cargo test --workspace --locked --test planted -- --ignored"]
fn planted_faults_in_long_runs_are_shrunk_to_little_in_few_rounds() {
    const BLOCKS: u32 = 1020;
    let all = [
        planted("a read soon after a program", in_order(&[Kind::Program, Kind::Read], 2100), 4, BLOCKS),
        planted("a program soon after a read", in_order(&[Kind::Read, Kind::Program], 100), 5, BLOCKS),
        planted("an erase soon after a read", in_order(&[Kind::Read, Kind::Erase], 100), 5, BLOCKS),
        planted("an erase soon after a program", in_order(&[Kind::Program, Kind::Erase], 2100), 3, BLOCKS),
        planted(
            "two erases, a program, a read",
            in_order(&[Kind::Erase, Kind::Erase, Kind::Program, Kind::Read], 8000),
            5,
            BLOCKS,
        ),
        planted("a program between two reads", in_order(&[Kind::Read, Kind::Program, Kind::Read], 2500), 7, BLOCKS),
        planted("four erases", in_order(&[Kind::Erase; 4], 15_000), 4, BLOCKS),
        planted("a read of some blocks", read_of_group(0, 77), 4, BLOCKS),
        planted("a block erased twice", worn(2), 3, BLOCKS),
        planted("a block erased three times", worn(3), 4, BLOCKS),
    ];
    for (seed, operations) in [(1, 2000), (2, 20_000)] {
        assert!(shrink_all(&all, seed, operations) >= 7);
    }
}

#[test]
fn every_candidate_is_legal_for_the_verifier() {
    let profile = device(32);
    let tables = Tables::new(&profile);
    for seed in 1..=3 {
        let past = run(&profile, &tables, seed, 400);
        let history = history(&profile, &tables, &past);
        let fault = in_order(&[Kind::Program, Kind::Erase], 10_000);
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
        let mut fails = |sequence: &nandseq_shrink::LegalSequence| {
            is_legal(&profile, &history, sequence) && fault(&tables, &sequence.operations)
        };
        assert!(finish(&mut search, &mut fails).is_some());
        let needs = search.best().operations.iter().filter(|kept| search.need(kept.item) == KeptReason::Failing);
        assert!(needs.count() >= 2, "{}", ShrinkStory::of(&profile, &search));
    }
}

#[test]
fn a_search_that_goes_on_from_its_state_after_each_round_ends_with_the_same_result() {
    let profile = device(64);
    let tables = Tables::new(&profile);
    let past = run(&profile, &tables, 5, 400);
    let history = history(&profile, &tables, &past);
    let fault = in_order(&[Kind::Program, Kind::Read], 3000);
    let mut whole = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
    finish(&mut whole, &mut |sequence| fault(&tables, &sequence.operations)).unwrap();
    let mut state: ShrinkState = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap().state().clone();
    loop {
        // A process that is killed after a round has what it wrote after it.
        let text = serde_json::to_string(&state).unwrap();
        let mut search = Shrinker::resume(&history, serde_json::from_str(&text).unwrap(), RepeatRule::ONCE).unwrap();
        match search.next_round() {
            nandseq_shrink::NextRound::Try(sequences) => {
                let fails = |one| u64::from(fault(&tables, &search.carried_out(one).operations));
                let answers: Vec<TryCounts> =
                    sequences.iter().map(|one| TryCounts { tries: 1, fails: fails(one) }).collect();
                search.answer(&answers);
                state = search.state().clone();
            }
            nandseq_shrink::NextRound::NeverFails => panic!("the run fails"),
            nandseq_shrink::NextRound::Done => {
                assert_eq!(search.state(), whole.state());
                assert_eq!(search.best().operations, whole.best().operations);
                break;
            }
        }
    }
}

#[test]
fn the_rounds_are_bounded_and_full_where_little_can_be_removed() {
    let profile = device(256);
    let tables = Tables::new(&profile);
    let past = run(&profile, &tables, 3, 250);
    let history = history(&profile, &tables, &past);
    let every = |number: u32| -> Box<Fault> {
        let least = past.len() / number as usize;
        Box::new(move |_, all| all.iter().filter(|kept| kept.item % number == 0).count() >= least)
    };
    let count = past.len();
    let nearly_all: Box<Fault> = Box::new(move |_, all| all.len() + 4 > count);
    for (fault, most_left) in [(nearly_all, count - 3), (every(2), count - 20), (every(20), count / 2)] {
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
        finish(&mut search, &mut |sequence| fault(&tables, &sequence.operations)).unwrap();
        let (left, rounds, tried) = (search.best().operations.len(), search.rounds(), search.tried());
        assert!(left <= most_left && rounds <= MOST_ROUNDS, "{left} of {count} operations, {rounds} rounds");
        assert!(tried >= 24 * rounds as usize, "{tried} candidates in {rounds} rounds");
    }
}

/// What shows an intermittent fault remains once: the sequence fails as often as the fault was planted with.
#[test]
fn an_intermittent_fault_is_shrunk_to_a_sequence_that_fails_at_its_rate() {
    const PERCENT: u64 = 30;
    let profile = device(256);
    let tables = Tables::new(&profile);
    let triggers = triggers(&[Kind::Program, Kind::Read], 3000);
    for seed in 7..11 {
        let past = run(&profile, &tables, seed, 600);
        let history = history(&profile, &tables, &past);
        // Each trigger fails in 30 % of the tries, drawn by a small generator of the test.
        let mut drawn = seed;
        let mut toss = |sequence: &nandseq_shrink::LegalSequence| {
            let draw = |_| {
                drawn = drawn.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (drawn >> 33) % 100 < PERCENT
            };
            (0..triggers(&tables, &sequence.operations)).map(draw).fold(false, |failed, one| failed | one)
        };
        let rule = RepeatRule { repeat: 5, fails_at_least: 1 };
        let mut search = Shrinker::new(&history, None, rule).unwrap();
        finish(&mut search, &mut toss).unwrap();
        let left = search.best().operations.len();
        assert!(left <= 12, "{left}\n{}", ShrinkStory::of(&profile, &search));
        // 60 of 200 are expected; 34 to 86 are four standard deviations around that.
        let failed = (0..200).filter(|_| toss(search.best())).count();
        assert!((34..=86).contains(&failed), "{failed} of 200\n{}", ShrinkStory::of(&profile, &search));
    }
}

#[test]
fn a_run_that_passes_is_not_shrunk() {
    let profile = device(64);
    let tables = Tables::new(&profile);
    let past = run(&profile, &tables, 5, 100);
    let history = history(&profile, &tables, &past);
    let mut search = Shrinker::new(&history, Some(50), RepeatRule::ONCE).unwrap();
    assert!(finish(&mut search, &mut |_| false).is_none());
}
