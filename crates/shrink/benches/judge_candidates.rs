//! How many candidates are made legal and judged in a second: `cargo bench -p nandseq-shrink`.
#![expect(clippy::unwrap_used, reason = "the runs of the tests are made by code of the tests")]

#[path = "../tests/planted/runs.rs"]
mod runs;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_device::Tables;
use nandseq_shrink::{NextRound, RepeatRule, Shrinker, TryCounts};

fn main() {
    divan::main();
}

/// The rounds of a search in a run of 2,000 operations in which nothing that is smaller fails; an item is a candidate.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn candidates_of_2000_operations(bencher: Bencher<'_, '_>) {
    let profile = runs::device(1020);
    let tables = Tables::new(&profile);
    let past = runs::run(&profile, &tables, 1, 2000);
    let history = runs::history(&profile, &tables, &past);
    let rounds = || {
        let mut search = Shrinker::new(&history, None, RepeatRule::ONCE).expect("a legal run");
        let mut count = 0_u64;
        for _ in 0..8 {
            let NextRound::Try(sequences) = search.next_round() else { break };
            count += sequences.len() as u64;
            let fails = |operations| u64::from(operations == past.len());
            let answers = sequences.iter().map(|one| TryCounts { tries: 1, fails: fails(one.size.operations) });
            search.answer(&answers.collect::<Vec<_>>());
        }
        count
    };
    bencher.counter(ItemsCount::new(rounds())).bench_local(rounds);
}
