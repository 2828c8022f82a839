//! The engine allocates no memory once it is warm. The test counts allocations.

#[path = "support/coverage_model.rs"]
mod coverage_model;

use std::alloc::System;
use std::io;

use coverage_model::coverage_model;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_plan::model::MixShare;
use nandseq_profile::{Ticks, builtin};
use nandseq_trace::{Operation, Sink};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counts allocations between two numbers of operations of a run.
struct Meter<'a> {
    region: Region<'a, System>,
    from: u64,
    to: u64,
    operations: u64,
    /// Allocations and reallocations in between.
    taken: usize,
}

impl Sink for Meter<'_> {
    fn operation(&mut self, _: &Operation<'_>) -> io::Result<()> {
        self.operations += 1;
        if self.operations == self.from {
            self.region.reset();
        }
        if self.operations == self.to {
            let change = self.region.change();
            self.taken = change.allocations + change.reallocations;
        }
        Ok(())
    }
}

/// The one thing that grows: a node of the map of refusals for a phase key, name and reason never met before, and a set of the
/// address book that is longer than ever. Both become rare, and both have a bound.
const RARE: usize = 200;

/// How often a site allocates between two numbers of operations.
fn allocations(setup: &Setup, from: u64, to: u64) -> usize {
    let mut site = Site::new(setup, 42);
    let limits = RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(to), ..RunLimits::default() };
    let mut meter = Meter { region: Region::new(ALLOCATOR), from, to, operations: 0, taken: 0 };
    site.run(&limits, &mut meter).expect("nothing can fail");
    assert!(meter.operations >= to);
    meter.taken
}

// One test for both: allocations are counted for the whole process.
#[test]
fn a_warm_engine_allocates_only_for_what_it_has_never_met() {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let plain = Setup::new(&profile, &table, &[]).expect("something to propose");
    let taken = allocations(&plain, 400_000, 500_000);
    assert!(taken <= RARE, "{taken} allocations");
    let ops = profile.ops.ids().filter(|&op| profile.bases[profile.ops[op].base].name == "READ").collect();
    let mixed = plain.clone().with_mix(&[MixShare { name: "READ".to_owned(), ops, share: 100_000 }]);
    let taken = allocations(&mixed, 60_000, 80_000);
    assert!(taken <= RARE, "{taken} allocations of a site with a mix");
    let directed = plain.with_coverage_model(&profile, coverage_model(&profile, &table, true));
    let taken = allocations(&directed, 60_000, 80_000);
    assert!(taken <= RARE, "{taken} allocations of a directed site");
}
