//! The mix of the built-in device: everything appears in a second, and nothing drowns the rest.

use std::collections::BTreeMap;
use std::io;

use nandseq_generate::probability::{DEFAULT_TABLE_SEED, build};
use nandseq_generate::{RunLimits, Setup, Site};
use nandseq_profile::{OpId, Ticks, builtin};
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

#[test]
fn every_name_that_can_run_appears_within_a_second() {
    let profile = builtin::profile();
    let table = build(&profile, DEFAULT_TABLE_SEED);
    let universe = Universe::new(&profile, &table);
    let setup = Setup::new(&profile, &table, &[]).expect("something to propose");
    let mut all: BTreeMap<OpId, (u64, u64)> = BTreeMap::new();
    for seed in 0..40 {
        let mut names = Names::default();
        let limits = RunLimits { run_until: Ticks::from_us(1_000_000), ..RunLimits::default() };
        Site::new(&setup, seed).run(&limits, &mut names).expect("memory does not fail");
        let missing: Vec<&str> = profile
            .ops
            .iter_ids()
            .filter(|&(op, _)| universe.can_run(op) && !names.0.contains_key(&op))
            .map(|(_, op)| op.name.as_str())
            .collect();
        for (op, n) in &names.0 {
            let e = all.entry(*op).or_default();
            e.0 += n;
            e.1 += 1;
        }
        println!("{seed}: {} ops {} {missing:?}", names.0.values().sum::<u64>(), missing.len());
    }
    let mut v: Vec<_> = all.iter().map(|(o, (n, m))| (*m, *n, profile.ops[*o].name.clone())).collect();
    v.sort();
    for x in v.iter().take(45) {
        println!("0: {x:?}");
    }
    let total: u64 = all.values().map(|v| v.0).sum();
    let mut b: BTreeMap<String, u64> = BTreeMap::new();
    for (o, (n, _)) in &all {
        *b.entry(profile.bases[profile.ops[*o].base].name.clone()).or_default() += n;
    }
    for (k, n) in b {
        println!("0: share {k} {:.2}", n as f64 * 100.0 / total as f64);
    }
}
