//! The floor: the cost, on this machine, of the least work that any generator of such sequences must do.
//!
//! One bench carries out a run whose decisions are all known; beside it, another makes the decisions. Others make the files of a run that is
//! over once more, without an engine. `cargo bench -p nandseq-generate --bench floor`; `docs/performance.md` compares the engine with them.

mod decide;
mod files;
#[path = "../../tests/support/legacy.rs"]
mod legacy;
mod replay;

use std::io;

use decide::{Decider, Ready};
use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use replay::{Known, Nobody};

fn main() {
    divan::main();
}

const OPERATIONS: u64 = 200_000;
/// The runs that are carried out: DIESxBLOCKS of the built-in device, and a configuration of the predecessor if it is there.
fn runs() -> Vec<&'static str> {
    let sizes = ["1x64", "2x1020", "16x4096"];
    sizes.into_iter().chain(legacy::legacy(CONFIGURATION).map(|_| CONFIGURATION)).collect()
}

const CONFIGURATION: &str = "config-2025-09.yaml";

fn profile_of(run: &str) -> Profile {
    if run == CONFIGURATION {
        return legacy::legacy(run).expect("it was there before");
    }
    let (dies, blocks) = run.split_once('x').expect("DIESxBLOCKS");
    let mut profile = builtin::profile();
    profile.topology.dies = dies.parse().expect("a number of dies");
    profile.topology.blocks_per_die = blocks.parse().expect("a number of blocks");
    profile
}

/// The limits of every run.
fn limits() -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(OPERATIONS), ..RunLimits::default() }
}

/// A run whose decisions are known, carried out again: see [`replay`].
#[divan::bench(sample_count = 10, sample_size = 1, args = runs())]
fn known_decisions(bencher: Bencher<'_, '_>, run: &str) {
    let run = Known::new(&profile_of(run), OPERATIONS);
    let bencher = bencher.counter(ItemsCount::new(OPERATIONS)).with_inputs(|| run.device());
    bencher.bench_local_values(|device| run.carry_out(device, &mut Nobody));
}

/// The same with as much work as finding the decisions out must take: see [`decide`].
#[divan::bench(sample_count = 10, sample_size = 1, args = runs())]
fn decisions_found(bencher: Bencher<'_, '_>, run: &str) {
    let profile = profile_of(run);
    let run = Known::new(&profile, OPERATIONS);
    let ready = Ready::new(&profile, &run);
    let inputs = || (run.device(), Decider::new(&profile, &ready, &run));
    let bencher = bencher.counter(ItemsCount::new(OPERATIONS)).with_inputs(inputs);
    bencher.bench_local_values(|(device, mut decider)| run.carry_out(device, &mut decider));
}

/// Hooks that decide nothing, five for each two operations: see [`replay`].
#[divan::bench(sample_count = 10, sample_size = 1, args = runs())]
fn hooks_alone(bencher: Bencher<'_, '_>, run: &str) {
    let run = Known::new(&profile_of(run), 1);
    let bencher = bencher.counter(ItemsCount::new(OPERATIONS)).with_inputs(|| run.device());
    bencher.bench_local_values(|device| run.make_hooks(device, OPERATIONS * 5 / 2));
}

/// The same runs with their decisions made.
#[divan::bench(sample_count = 10, sample_size = 1, args = runs())]
fn decisions_made(bencher: Bencher<'_, '_>, run: &str) {
    let profile = profile_of(run);
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("the profile proposes something");
    bencher
        .counter(ItemsCount::new(OPERATIONS))
        .with_inputs(|| Site::new(&setup, 42))
        .bench_local_values(|mut site| site.run(&limits(), &mut Nowhere).expect("nothing can fail"));
}

/// Takes operations and does nothing with them.
struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        divan::black_box(operation);
        Ok(())
    }
}
