//! The floor: what the least that any generator of such sequences must do costs on this machine.
//!
//! An event loop at the engine's rate of events that decides nothing, and a formatter that writes the engine's rows but knows
//! them beforehand. `cargo bench -p nandseq-generate --bench floor`; `docs/performance.md` sets the engine beside them.

mod replay;

use std::io;

use divan::Bencher;
use divan::counter::ItemsCount;
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{OpId, Target, Ticks, builtin};
use nandseq_trace::sequence::{SequenceLayout, SequenceWriter};
use nandseq_trace::{Operation, Sink, Status};
use replay::Known;

fn main() {
    divan::main();
}

const OPERATIONS: u64 = 200_000;
/// A run carried out again, its decisions known: see [`replay`].
#[divan::bench(sample_count = 10, sample_size = 1, args = [(1, 64), (2, 1_020), (16, 4_096)])]
fn known_decisions(bencher: Bencher<'_, '_>, (dies, blocks): (u32, u32)) {
    let mut profile = builtin::profile();
    profile.topology.dies = dies;
    profile.topology.blocks_per_die = blocks;
    let run = Known::new(&profile, OPERATIONS);
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| run.carry_out());
}

/// An operation as a sink saw it.
struct Row {
    seq: u64,
    uid: u64,
    op: OpId,
    start: Ticks,
    status: Option<Status>,
    targets: std::ops::Range<usize>,
}

/// Keeps what it is given.
#[derive(Default)]
struct Recorder {
    rows: Vec<Row>,
    targets: Vec<Target>,
}

impl Sink for Recorder {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let first = self.targets.len();
        self.targets.extend_from_slice(operation.targets);
        let &Operation { seq, uid, op, start, status, .. } = operation;
        self.rows.push(Row { seq, uid, op, start, status, targets: first..self.targets.len() });
        Ok(())
    }
}

/// The rows of the sequence file of a run that is over.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn bare_formatter(bencher: Bencher<'_, '_>) {
    let profile = builtin::profile();
    let table = probability::of_profile(&profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(&profile, &table, &[]).expect("the profile proposes something");
    let layout = SequenceLayout::new(&profile).expect("a valid time column");
    let limits =
        RunLimits { run_until: Ticks::from_us(100_000_000_000), max_ops: Some(OPERATIONS), ..RunLimits::default() };
    let mut run = Recorder::default();
    Site::new(&setup, 42).run(&limits, &mut run).expect("nothing can fail");
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| {
        let mut writer = SequenceWriter::new(&layout, io::sink());
        for row in &run.rows {
            let operation = Operation {
                seq: row.seq,
                uid: row.uid,
                op: row.op,
                start: row.start,
                status: row.status,
                targets: &run.targets[row.targets.clone()],
                ..Operation::default()
            };
            writer.operation(&operation).expect("nothing can fail");
        }
        writer.finish().expect("nothing can fail").1
    });
}
