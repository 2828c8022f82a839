//! Runs that are shrunk, made by the generator.

use std::io;

use nandseq_device::{Place, Reach, Tables};
use nandseq_generate::{RunLimits, Setup, Site, probability};
use nandseq_profile::{Profile, Ticks, builtin};
use nandseq_shrink::{HistoryOperation, HistoryReader, SequenceHistory};
use nandseq_trace::{Operation, Sink};

/// The built-in device with few blocks, so that blocks are erased again.
pub(crate) fn device(blocks: u32) -> Profile {
    let mut profile = builtin::profile();
    profile.topology.blocks_per_die = blocks;
    profile
}

struct Notes<'a> {
    tables: &'a Tables,
    past: Vec<HistoryOperation>,
}

impl Sink for Notes<'_> {
    fn operation(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        let info = self.tables.base(self.tables.op(operation.op).base);
        let first = operation.targets[0];
        let place = if info.has_block || info.reach == Reach::Planes {
            Place::from_targets(&self.tables.size, operation.targets).expect("the engine's own targets")
        } else {
            Place { cell_type: first.cell_type, ..Place::die(first.die) }
        };
        let (uid, start) = (operation.uid, operation.start);
        self.past.push(HistoryOperation { op: operation.op, place, start, uid, run: 1, row: operation.seq });
        Ok(())
    }
}

/// A run of about this many operations.
pub(crate) fn run(profile: &Profile, tables: &Tables, seed: u64, operations: u64) -> Vec<HistoryOperation> {
    let table = probability::of_profile(profile, probability::DEFAULT_TABLE_SEED);
    let setup = Setup::new(profile, &table, &[]).unwrap();
    let run_until = Ticks::from_us(100_000_000_000);
    let limits = RunLimits { run_until, max_ops: Some(operations), ..RunLimits::default() };
    let mut notes = Notes { tables, past: Vec::new() };
    Site::new(&setup, seed).run(&limits, &mut notes).unwrap();
    notes.past
}

pub(crate) fn history<'t>(profile: &'t Profile, tables: &'t Tables, past: &[HistoryOperation]) -> SequenceHistory<'t> {
    let mut reader = HistoryReader::new(profile, tables, &[]);
    past.iter().for_each(|past| reader.operation(*past).unwrap());
    reader.finish()
}
