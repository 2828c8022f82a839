//! How many candidates are made legal and judged in a second: `cargo bench -p nandseq-shrink`.
#![expect(clippy::unwrap_used, reason = "the runs of the tests are made by code of the tests")]

#[path = "../tests/planted/runs.rs"]
mod runs;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_device::Tables;
use nandseq_shrink::{NextRound, RepeatRule, SequenceHistory, Shrinker, TryCounts};

fn main() {
    divan::main();
    #[cfg(target_os = "linux")]
    on_one_core();
}

/// Prints how many candidates there are in a second of the processor's time for the program: other programs at work do not count.
#[cfg(target_os = "linux")]
#[expect(clippy::print_stdout, reason = "the library measures the time of a clock only")]
fn on_one_core() {
    // The 14th field, after the name in parentheses: hundredths of a second.
    let used = || -> u64 {
        let text = std::fs::read_to_string("/proc/self/stat").unwrap();
        text.rsplit(')').next().unwrap().split_whitespace().nth(11).unwrap().parse().unwrap()
    };
    let profile = runs::device(1020);
    let tables = Tables::new(&profile);
    let past = runs::run(&profile, &tables, 1, 2000);
    let history = runs::history(&profile, &tables, &past);
    let (before, mut count) = (used(), 0);
    while used() < before + 500 {
        count += rounds(&history);
    }
    let hundredths = used() - before;
    println!("{} candidates of 2,000 operations a second of user time", count * 100 / hundredths);
}

/// The first rounds of a search in which nothing that is smaller fails. Returns how many candidates they had.
fn rounds(history: &SequenceHistory<'_>) -> u64 {
    let mut search = Shrinker::new(history, None, RepeatRule::ONCE).expect("a legal run");
    let mut count = 0;
    for _ in 0..8 {
        let NextRound::Try(sequences) = search.next_round() else { break };
        count += sequences.len() as u64;
        let fails = |operations| u64::from(operations == history.operations().len());
        let answers = sequences.iter().map(|one| TryCounts { tries: 1, fails: fails(one.size.operations) });
        search.answer(&answers.collect::<Vec<_>>());
    }
    count
}

/// Rounds in a run of 2,000 operations; an item is a candidate.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn candidates_of_2000_operations(bencher: Bencher<'_, '_>) {
    let profile = runs::device(1020);
    let tables = Tables::new(&profile);
    let past = runs::run(&profile, &tables, 1, 2000);
    let history = runs::history(&profile, &tables, &past);
    bencher.counter(ItemsCount::new(rounds(&history))).bench_local(|| rounds(&history));
}
