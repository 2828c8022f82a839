//! Intermittent faults and noise, drawn by a rule that was written before any result was seen: what is left of them, in how many rounds.
//!
//! A number gives the fault, the run and every toss. The rule of repeating is the one that docs/shrinking.md gives for the probability and
//! the noise of the fault. Two measures: the fewest operations that the kinds of the fault need with what rules ask for before them, and what
//! a search leaves that is answered without chance.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

#[path = "../planted/runs.rs"]
mod runs;
#[path = "../planted/searches.rs"]
mod searches;

mod drawn;

use drawn::{DrawnFault, Draws};
use nandseq_device::Tables;
use nandseq_shrink::{LegalSequence, MOST_ROUNDS, RepeatRule, Shrinker};
use runs::{device, history, run};
use searches::finish;

const BLOCKS: u32 = 256;
const OPERATIONS: u64 = 2000;

/// What became of a fault.
struct Outcome {
    told: String,
    /// Operations left where a reduction that passed once is never asked about again; `None` if the run seemed to pass.
    never_again: Option<usize>,
    left: usize,
    least: usize,
    certain: usize,
    rounds: u64,
    /// Tries of the result that fail, of a thousand, and those wanted.
    rate: (u64, u64),
}

/// Shrinks the run of a number with its fault; `None` if the fault does not occur in the run.
fn shrink(number: u64, rule_of: fn(&DrawnFault) -> RepeatRule) -> Option<Outcome> {
    let profile = device(BLOCKS);
    let tables = Tables::new(&profile);
    let past = run(&profile, &tables, number, OPERATIONS);
    let history = history(&profile, &tables, &past);
    let fault = DrawnFault::of(number);
    let mut draws = Draws::of(number ^ 0x5eed);
    let mut once = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
    finish(&mut once, &mut |sequence| fault.shows(&tables, &sequence.operations) > 0)?;
    let mut toss = |sequence: &LegalSequence| {
        let shows = fault.shows(&tables, &sequence.operations);
        let failed = (0..shows).fold(false, |failed, _| failed | draws.happens(fault.probability));
        failed | draws.happens(fault.noise)
    };
    let rule = rule_of(&fault);
    let mut never_again = Shrinker::new(&history, None, RepeatRule::ONCE).unwrap();
    let mut seems = |sequence: &LegalSequence| {
        (0..rule.repeat).map(|_| u64::from(toss(sequence))).sum::<u64>() >= rule.fails_at_least
    };
    let never_again = finish(&mut never_again, &mut seems).map(|()| never_again.best().operations.len());
    let mut search = Shrinker::new(&history, None, rule).unwrap();
    finish(&mut search, &mut toss).unwrap();
    let per_mille = (0..1000).map(|_| u64::from(toss(search.best()))).sum();
    let (left, certain) = (search.best().operations.len(), once.best().operations.len());
    let (least, rounds) = (fault.least(), search.rounds());
    let told = format!(
        "{number:>4}  {:<58} {least:>3} {certain:>4} {:>4} {left:>4} {rounds:>3} {per_mille:>5}",
        fault.told(),
        never_again.map_or_else(|| "-".to_owned(), |left| left.to_string())
    );
    let rate = (per_mille, fault.probability / 1000);
    Some(Outcome { told, never_again, left, least, certain, rounds, rate })
}

/// Prints a line for each fault: number, fault, least, left without chance, left if nothing is asked about again, left, rounds, fails of 1,000
/// tries.
#[expect(clippy::print_stdout, reason = "what is left of each fault is worth knowing")]
fn measure(numbers: std::ops::Range<u64>, rule_of: fn(&DrawnFault) -> RepeatRule) -> Vec<Outcome> {
    let outcomes: Vec<Outcome> = numbers.filter_map(|number| shrink(number, rule_of)).collect();
    for outcome in &outcomes {
        let is_large = if outcome.left > 3 * outcome.least { " LARGE" } else { "" };
        println!("{}{is_large}", outcome.told);
    }
    let small = outcomes.iter().filter(|one| one.left <= 3 * one.least).count();
    let before = outcomes.iter().filter(|one| one.never_again.is_some_and(|left| left <= 3 * one.least)).count();
    let as_certain = outcomes.iter().filter(|one| one.left <= one.certain).count();
    let mut rounds: Vec<u64> = outcomes.iter().map(|one| one.rounds).collect();
    rounds.sort_unstable();
    println!(
        "{small} of {} at most 3 times, {before} if nothing is asked about again, {as_certain} as small as without chance, rounds {rounds:?}",
        outcomes.len()
    );
    outcomes
}

#[test]
fn drawn_intermittent_faults_are_shrunk_to_little_that_fails_as_often_as_they_do() {
    let outcomes = measure(100..118, DrawnFault::rule);
    assert!(outcomes.len() >= 10);
    for Outcome { told, left, least, rounds, rate: (rate, wanted), .. } in &outcomes {
        assert!(*left <= 3 * least && *rounds <= MOST_ROUNDS, "{told}");
        // Four standard deviations are 63 of 1,000 at most.
        assert!(rate + 70 >= *wanted, "{told}");
    }
}

/// The numbers that FROM and TO of the environment say.
fn many(rule_of: fn(&DrawnFault) -> RepeatRule) {
    let of = |name: &str, usual| std::env::var(name).ok().and_then(|number| number.parse().ok()).unwrap_or(usual);
    let outcomes = measure(of("FROM", 100)..of("TO", 220), rule_of);
    let small = outcomes.iter().filter(|one| one.left <= 3 * one.least && one.rounds <= MOST_ROUNDS).count();
    assert!(small * 20 >= outcomes.len() * 19, "{small} of {}", outcomes.len());
}

#[test]
#[ignore = "long: cargo test -p nandseq-shrink --test long_intermittent -- --ignored --nocapture"]
fn many_drawn_intermittent_faults() {
    many(DrawnFault::rule);
}

/// Noise that the flags do not expect: one fail of five tries counts.
#[test]
#[ignore = "long: cargo test -p nandseq-shrink --test long_intermittent -- --ignored --nocapture"]
fn many_drawn_intermittent_faults_with_noise_that_nobody_expects() {
    many(|_| RepeatRule { repeat: 5, fails_at_least: 1 });
}
