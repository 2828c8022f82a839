//! How many candidates are made legal and judged in a second: `cargo bench -p nandseq-shrink`.
#![expect(clippy::unwrap_used, reason = "the runs of the tests are made by code of the tests")]

#[path = "../tests/planted/runs.rs"]
mod runs;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_device::Tables;
use nandseq_shrink::{NextRound, Shrinker};

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
        let mut search = Shrinker::new(&history, None).expect("a legal run");
        let mut count = 0_u64;
        for _ in 0..8 {
            let NextRound::Try(sequences) = search.next_round() else { break };
            count += sequences.len() as u64;
            let failed: Vec<bool> = sequences.iter().map(|one| one.size.operations == past.len()).collect();
            search.answer(&failed);
        }
        count
    };
    bencher.counter(ItemsCount::new(rounds())).bench_local(rounds);
}
