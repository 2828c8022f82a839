//! Operations per second, end to end: from an event loop on a compiled profile to a complete sequence file, on one core.
//!
//! Run with `cargo bench -p nandseq-generate`; the column of interest is `item/s`, operations per second. `TMPDIR=/dev/shm`
//! puts the files into memory, so that the disk does not count.

use std::io;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_output::new_file::NewFile;
use nandseq_output::sequence::{SequenceLayout, SequenceWriter};
use nandseq_profile::model::{DeviceState, Effect, OverrideOf};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_trace::{Operation, Sink};

fn main() {
    divan::main();
}

const OPERATIONS: u64 = 200_000;

/// Takes operations and does nothing with them.
struct Nowhere;

impl Sink for Nowhere {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        divan::black_box(operation);
        Ok(())
    }
}

fn setup_of(profile: &Profile) -> Setup {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    Setup::new(profile, &table, &[]).expect("the profile proposes something")
}

fn limits(operations: u64) -> RunLimits<'static> {
    RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(operations), ..RunLimits::default() }
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn full_mix_to_a_file(bencher: Bencher<'_, '_>) {
    let profile = builtin::profile();
    let setup = setup_of(&profile);
    let layout = SequenceLayout::new(&profile).expect("a valid time column");
    let folder = tempfile::tempdir().expect("a folder");
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| {
        let file = NewFile::create(folder.path(), "sequence.csv").expect("a file");
        let mut writer = SequenceWriter::new(&layout, file);
        Site::new(&setup, 42).run(&limits(OPERATIONS), &mut writer).expect("room on the disk");
        let (file, _) = writer.finish().expect("room on the disk");
        file.commit().expect("room on the disk")
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn full_mix_engine_alone(bencher: Bencher<'_, '_>) {
    let setup = setup_of(&builtin::profile());
    bencher
        .counter(ItemsCount::new(OPERATIONS))
        .bench_local(|| Site::new(&setup, 42).run(&limits(OPERATIONS), &mut Nowhere).expect("nothing can fail"));
}

/// A hook at which nothing starts. Delay has nearly all of the mass, but every other name stays in the sampler. `known`: the
/// random numbers of the hook show that it draws the delay. `looking`: some state could forbid the delay, so the eligible classes
/// are found first, on a device that has not changed since the last hook.
#[divan::bench(sample_count = 10, sample_size = 1, args = ["known", "looking"])]
fn hook_that_proposes_nothing(bencher: Bencher<'_, '_>, how: &str) {
    const HOOKS: u64 = 500_000;
    const PERIOD_US: u64 = 1;
    let mut profile = builtin::profile();
    let delay = profile.bases.iter_ids().find(|(_, base)| base.effects.contains(&Effect::Delay));
    let (delay, _) = delay.expect("the built-in device can propose nothing");
    if how == "looking" {
        let on = |state: &DeviceState| matches!(state, DeviceState::CacheProgram(_));
        let (_, groups) = profile.exclusions.by_state.iter().find(|(state, _)| on(state)).expect("a state");
        let group = *groups.first().expect("it forbids something");
        profile.exclusions.groups[group].forbids.insert(delay);
    }
    profile.probabilities.by_key.clear();
    profile.probabilities.phase_conditional.clear();
    profile.probabilities.global = vec![(OverrideOf::Base(delay), 1.0 - 1e-9)];
    profile.policies.queue_refill_period = Ticks::from_us(PERIOD_US);
    let setup = setup_of(&profile);
    let limits = RunLimits { run_until: Ticks::from_us(HOOKS * PERIOD_US), ..RunLimits::default() };
    bencher
        .counter(ItemsCount::new(HOOKS))
        .bench_local(|| Site::new(&setup, 42).run(&limits, &mut Nowhere).expect("nothing can fail"));
}

/// The cost per operation must not depend on the length of a run ...
#[divan::bench(sample_count = 5, sample_size = 1, args = [100_000, 1_000_000])]
fn by_length_of_the_run(bencher: Bencher<'_, '_>, operations: u64) {
    let setup = setup_of(&builtin::profile());
    bencher
        .counter(ItemsCount::new(operations))
        .bench_local(|| Site::new(&setup, 42).run(&limits(operations), &mut Nowhere).expect("nothing can fail"));
}

/// ... nor on the size of the device (dies, blocks of a die).
#[divan::bench(sample_count = 5, sample_size = 1, args = [(1, 64), (2, 1_020), (16, 4_096)])]
fn by_size_of_the_device(bencher: Bencher<'_, '_>, (dies, blocks): (u32, u32)) {
    let mut profile = builtin::profile();
    profile.topology.dies = dies;
    profile.topology.blocks_per_die = blocks;
    let setup = setup_of(&profile);
    bencher
        .counter(ItemsCount::new(OPERATIONS))
        .with_inputs(|| Site::new(&setup, 42))
        .bench_local_values(|mut site| site.run(&limits(OPERATIONS), &mut Nowhere).expect("nothing can fail"));
}
