//! The mix of the built-in device: nearly everything appears in a second, and nothing drowns the rest.

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

#[test]
fn of_the_names_that_can_run_nearly_all_appear_within_a_second() {
    let profile = builtin::profile();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let universe = Universe::new(&profile, &table);
    let can_run: Vec<OpId> = profile.ops.ids().filter(|&op| universe.can_run(op)).collect();
    let seconds: Vec<Names> = (0..20).map(|seed| second(&profile, &table, seed)).collect();
    let missing = |names: &Names| can_run.iter().filter(|op| !names.0.contains_key(op)).count();
    let total: usize = seconds.iter().map(missing).sum();
    // 19 in 20 names of each second, on average; all in 20 seconds.
    assert!(total * 20 < can_run.len() * seconds.len(), "{total} of {} names missing", can_run.len() * seconds.len());
    let never = can_run.iter().filter(|op| seconds.iter().all(|names| !names.0.contains_key(op))).count();
    assert_eq!(never, 0);
}

#[test]
fn status_reads_do_not_drown_the_rest() {
    let profile = builtin::profile();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let names = second(&profile, &table, 42);
    let status: u64 =
        names.0.iter().filter(|(op, _)| profile.ops[**op].status_of.is_some()).map(|(_, count)| count).sum();
    let all: u64 = names.0.values().sum();
    assert!(status * 4 < all, "{status} of {all} operations read the status");
}
