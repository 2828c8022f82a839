//! The mix of the built-in device: every op name that can run appears within a second, and none crowds out the others.

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::probability::{DEFAULT_TABLE_SEED, build};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::{OpId, Profile, Ticks, builtin};
use nandseq_reach::Universe;
use nandseq_trace::{Operation, Sink};

/// How often each name occurred.
#[derive(Default)]
struct Names(BTreeMap<OpId, u64>);

impl Sink for Names {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        *self.0.entry(operation.op).or_insert(0) += 1;
        Ok(())
    }
}

fn second(profile: &Profile, table: &[(nandseq_profile::PhaseKey, Vec<(OpId, f64)>)], seed: u64) -> Names {
    let setup = Setup::new(profile, table, &[]).expect("something to propose");
    let mut names = Names::default();
    let limits = RunLimits { run_until: Ticks::from_us(1_000_000), ..RunLimits::default() };
    Site::new(&setup, seed).run(&limits, &mut names).expect("memory does not fail");
    names
}

/// Names that can run and that a second lacks, by seed.
fn missing(seeds: std::ops::Range<u64>) -> Vec<(u64, String)> {
    let profile = builtin::profile();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let universe = Universe::new(&profile, &table);
    let can_run: Vec<OpId> = profile.ops.ids().filter(|&op| universe.can_run(op)).collect();
    assert_eq!(can_run.len(), 286, "names that can run");
    let mut missing = Vec::new();
    for seed in seeds {
        let names = second(&profile, &table, seed);
        let lacks = can_run.iter().filter(|op| !names.0.contains_key(op));
        missing.extend(lacks.map(|&op| (seed, profile.ops[op].name.clone())));
    }
    missing
}

#[test]
fn nineteen_of_twenty_seconds_have_every_name_that_can_run() {
    let missing = missing(0..20);
    assert!(missing.len() <= 1, "{missing:?}");
}

#[test]
#[ignore = "long: cargo test --release -p nandseq-generate --test long_engine -- --ignored mix::"]
fn of_two_hundred_seconds_nineteen_in_twenty_have_every_name() {
    let mut seeds: Vec<u64> = missing(0..200).into_iter().map(|(seed, _)| seed).collect();
    seeds.dedup();
    assert!(seeds.len() <= 10, "seconds of the seeds {seeds:?} lack a name");
}

#[test]
fn status_reads_do_not_drown_the_rest() {
    let profile = builtin::profile();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let names = second(&profile, &table, 42);
    let status: u64 =
        names.0.iter().filter(|(op, _)| profile.ops[**op].status_of.is_some()).map(|(_, count)| count).sum();
    let all: u64 = names.0.values().sum();
    assert!(status * 5 < all, "{status} of {all} operations read the status");
}
