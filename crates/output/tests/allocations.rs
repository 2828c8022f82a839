//! The writers allocate no memory once they are warm. The test counts allocations.
#![expect(clippy::unwrap_used, reason = "a failed test is what is wanted")]

mod story;
mod walk;

use std::alloc::System;

use nandseq_output::csv_tables::CsvTables;
use nandseq_output::run_files::RunFiles;
use nandseq_trace::files::Outputs;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use story::{device, stamp};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// What happens again and again but rarely: counts that are sorted when there are many, and buffers that are larger than ever. Each has a bound.
const RARE: usize = 100;

#[test]
fn warm_writers_allocate_nothing_for_an_operation() {
    let profile = device();
    let format = CsvTables::new(&profile).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let events = walk::events(&profile, 7, 20_000);
    let mut files = RunFiles::counting(folder.path(), &format, Outputs::ALL, stamp(), 1).unwrap();
    let (cold, warm) = events.split_at(events.len() / 2);
    cold.iter().for_each(|event| event.tell(&mut files).unwrap());
    let region = Region::new(ALLOCATOR);
    warm.iter().for_each(|event| event.tell(&mut files).unwrap());
    let change = region.change();
    let taken = change.allocations + change.reallocations;
    assert!(taken <= RARE, "{taken} allocations for {} events", warm.len());
    files.finish().unwrap();
}
