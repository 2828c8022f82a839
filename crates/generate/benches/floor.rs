//! The floor: what the least that any generator of such sequences must do costs on this machine.
//!
//! An event loop at the engine's rate of events that decides nothing, and a formatter that writes the engine's rows but knows
//! them beforehand. `cargo bench -p nandseq-generate --bench floor`; `docs/performance.md` sets the engine beside them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use nandseq_generate::{RunLimits, Setup, Site, Stream, StreamKind, probability};
use nandseq_profile::{OpId, Target, Ticks, builtin};
use nandseq_trace::sequence::{SequenceLayout, SequenceWriter};
use nandseq_trace::{Operation, Sink, Status};

fn main() {
    divan::main();
}

const OPERATIONS: u64 = 200_000;
/// Events of the built-in device for each operation: ends, due steps, hooks, wakes and refills.
const EVENTS: u64 = 4;
/// How many of them are hooks: each has a stream of its own and draws one name.
const HOOKS: u64 = 2;
/// Events that wait at a time.
const PENDING: u64 = 24;
/// Names among which a hook draws.
const NAMES: usize = 294;

/// Events come and go and names are drawn, but nothing follows from it.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn empty_event_loop(bencher: Bencher<'_, '_>) {
    let weights: Vec<u64> = (1..=NAMES as u64).collect();
    bencher.counter(ItemsCount::new(OPERATIONS)).bench_local(|| {
        let mut queue: BinaryHeap<Reverse<(u64, u64)>> = (0..PENDING).map(|event| Reverse((event, event))).collect();
        for event in 0..OPERATIONS * EVENTS {
            let Some(Reverse((time, _))) = queue.pop() else { break };
            let mut distance = 1 + (event.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54);
            if event % EVENTS < HOOKS {
                let mut stream = Stream::new([42, 0], StreamKind::Hook, event);
                let total: u64 = weights.iter().sum();
                let mut at = stream.below(total);
                let name = weights.iter().position(|&weight| {
                    let here = at < weight;
                    at = at.wrapping_sub(weight);
                    here
                });
                distance += black_box(name).unwrap_or_default() as u64;
            }
            queue.push(Reverse((time + distance, event + PENDING)));
        }
        queue.len()
    });
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
