//! The tables as CSV.
//!
//! Promises RFC 4180 with `\n`, quotes only where they are needed, and exact decimals. Every part of a row that a profile
//! decides is prepared once; rows are put together in one buffer, without allocation.

use std::io::{self, Write};

use nandseq_profile::model::PhaseKind;
use nandseq_profile::{CellTypeId, IdVec, OpId, PhaseKey, Profile};

use crate::files::{FileKind, NewFile, Stamp};
use crate::format::{SequenceTable, Table, TableFormat, TableWriter, Written};
use crate::model::Model;
use crate::rows::{InputTimeRow, OpStateRow, ProposalRow, StateId, TimelineRow, TouchRow};
use crate::sequence::{self, SequenceLayout, SequenceWriter, csv_field};
use crate::text::{append_hundredths, append_integer, append_us};
use crate::time_column::TimeColumnError;

/// Bytes that are gathered before they are handed on.
const BLOCK: usize = 64 * 1024;

/// The header line of a table; `None` for kinds of file that are no tables.
#[must_use]
pub const fn header(kind: FileKind) -> Option<&'static str> {
    match kind {
        FileKind::OperationSequence => Some(sequence::HEADER),
        FileKind::OperationTimeline => Some(concat!(
            "start,end,die,plane,block,page,op_name,op_base,source,op_uid,op_state,",
            "phase_key_used,phase_key_virtual\n"
        )),
        FileKind::OpStateTimeline => Some("start,end,die,plane,op_state,lane,op_name,duration\n"),
        FileKind::AddressTouchCount => Some("op_base,cell_type,die,block,page,count\n"),
        FileKind::OpStateNameInputTimeCount => {
            Some("op_state,phase_key_used,phase_key_virtual,op_name,input_time,count\n")
        }
        FileKind::PhaseProposalCounts => {
            Some("phase_key_used,phase_key_virtual,die,plane,propose_time,op_name,count\n")
        }
        FileKind::Snapshot | FileKind::ProposerLog => None,
    }
}

/// Everything of the CSV tables that a profile decides. Build it once, share it between the runs of all sites.
#[derive(Clone, Debug)]
pub struct CsvTables {
    model: Model,
    sequence: SequenceLayout,
    /// `,op_name,op_base,` and the same followed by the source of later stretches.
    ops: IdVec<OpId, [Box<[u8]>; 2]>,
    /// `,op_name,`
    op_names: IdVec<OpId, Box<[u8]>>,
    /// `,BASE.PHASE`
    states: Box<[Box<[u8]>]>,
    /// `,BASE.PHASE`
    keys: IdVec<PhaseKey, Box<[u8]>>,
    /// `,die,plane,BASE.PHASE,` and `,BASE,` around the lane: the base of each op_state.
    state_bases: Box<[Box<[u8]>]>,
    cell_types: IdVec<CellTypeId, Box<[u8]>>,
}

impl CsvTables {
    /// Prepares the tables of a profile.
    ///
    /// # Errors
    /// When the profile's time scale or number of decimals is out of range, or too coarse for its start times.
    pub fn new(profile: &Profile) -> Result<Self, TimeColumnError> {
        let model = Model::new(profile);
        let bytes = |text: String| text.into_bytes().into_boxed_slice();
        let base_name = |base: usize| csv_field(&profile.bases[nandseq_profile::BaseId::from(base)].name);
        let ops = profile.ops.iter().map(|op| {
            let names = format!(",{},{},", csv_field(&op.name), csv_field(&profile.bases[op.base].name));
            [bytes(format!("{names},")), bytes(format!("{names}RESUME_CHAIN,"))]
        });
        let states = model.states().map(|state| bytes(format!(",{}", csv_field(model.state_name(state)))));
        let per_base = PhaseKind::ALL.len() + 1;
        let of_state = |at: usize| if at == 0 { String::new() } else { base_name((at - 1) / per_base) };
        let state_bases = model.states().map(|state| bytes(format!(",{},", of_state(usize::from(state.0)))));
        Ok(Self {
            sequence: SequenceLayout::new(profile)?,
            ops: ops.collect(),
            op_names: profile.ops.iter().map(|op| bytes(format!(",{},", csv_field(&op.name)))).collect(),
            states: states.collect(),
            keys: profile.phase_keys.iter().map(|key| bytes(format!(",{}", csv_field(&key.name)))).collect(),
            state_bases: state_bases.collect(),
            cell_types: profile.cell_types.iter().map(|it| bytes(format!(",{},", csv_field(&it.name)))).collect(),
            model,
        })
    }

    fn state(&self, state: StateId) -> &[u8] {
        &self.states[usize::from(state.0)]
    }

    fn table<R>(&self, kind: FileKind, file: NewFile) -> CsvTable<'_, R>
    where
        R: CsvRow,
    {
        let mut buffer = Vec::with_capacity(BLOCK + BLOCK / 4);
        buffer.extend_from_slice(header(kind).unwrap_or_default().as_bytes());
        CsvTable { tables: self, file, buffer, rows: 0, row: std::marker::PhantomData }
    }
}

impl TableFormat for CsvTables {
    fn model(&self) -> &Model {
        &self.model
    }

    fn file_name(&self, kind: FileKind, stamp: Stamp, run: u64) -> String {
        kind.file_name(stamp, run)
    }

    fn operation_sequence(&self, file: NewFile) -> io::Result<Box<dyn SequenceTable + '_>> {
        Ok(Box::new(SequenceWriter::new(&self.sequence, file)))
    }

    fn operation_timeline(&self, file: NewFile) -> io::Result<Table<'_, TimelineRow>> {
        Ok(Box::new(self.table(FileKind::OperationTimeline, file)))
    }

    fn op_state_timeline(&self, file: NewFile) -> io::Result<Table<'_, OpStateRow>> {
        Ok(Box::new(self.table(FileKind::OpStateTimeline, file)))
    }

    fn address_touch_count(&self, file: NewFile) -> io::Result<Table<'_, TouchRow>> {
        Ok(Box::new(self.table(FileKind::AddressTouchCount, file)))
    }

    fn input_time_count(&self, file: NewFile) -> io::Result<Table<'_, InputTimeRow>> {
        Ok(Box::new(self.table(FileKind::OpStateNameInputTimeCount, file)))
    }

    fn phase_proposal_counts(&self, file: NewFile) -> io::Result<Table<'_, ProposalRow>> {
        Ok(Box::new(self.table(FileKind::PhaseProposalCounts, file)))
    }
}

impl SequenceTable for SequenceWriter<'_, NewFile> {
    fn finish(self: Box<Self>) -> io::Result<Written> {
        let (file, rows) = SequenceWriter::finish(*self)?;
        Ok(Written { file, rows })
    }
}

/// A table on its way into a file.
struct CsvTable<'t, R> {
    tables: &'t CsvTables,
    file: NewFile,
    buffer: Vec<u8>,
    rows: u64,
    row: std::marker::PhantomData<fn(R)>,
}

impl<R: CsvRow> TableWriter<R> for CsvTable<'_, R> {
    fn write(&mut self, rows: &[R]) -> io::Result<()> {
        for row in rows {
            row.append(self.tables, &mut self.buffer);
            if self.buffer.len() >= BLOCK {
                self.file.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        self.rows += rows.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> io::Result<Written> {
        self.file.write_all(&self.buffer)?;
        Ok(Written { file: self.file, rows: self.rows })
    }
}

/// A row that can be written as a line.
trait CsvRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>);
}

/// Appends `,` and a number.
fn append_number(value: u64, line: &mut Vec<u8>) {
    line.push(b',');
    append_integer(value, line);
}

impl CsvRow for TimelineRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>) {
        append_us(self.start, line);
        line.push(b',');
        append_us(self.end, line);
        append_number(self.die.0.into(), line);
        append_number(self.plane.0.into(), line);
        append_number(self.block.0.into(), line);
        append_number(self.page.0.into(), line);
        line.extend_from_slice(&tables.ops[self.op][usize::from(self.resumed)]);
        append_integer(self.uid, line);
        line.extend_from_slice(tables.state(self.state));
        line.extend_from_slice(&tables.keys[self.key_used]);
        line.extend_from_slice(&tables.keys[self.key_virtual]);
        line.push(b'\n');
    }
}

impl CsvRow for OpStateRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>) {
        append_us(self.start, line);
        line.push(b',');
        append_us(self.end, line);
        append_number(self.die.0.into(), line);
        append_number(self.plane.0.into(), line);
        line.extend_from_slice(tables.state(self.state));
        line.extend_from_slice(b",d");
        append_integer(self.die.0.into(), line);
        line.extend_from_slice(b"-p");
        append_integer(self.plane.0.into(), line);
        line.extend_from_slice(&tables.state_bases[usize::from(self.state.0)]);
        append_us(self.end - self.start, line);
        line.push(b'\n');
    }
}

impl CsvRow for TouchRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>) {
        line.extend_from_slice(self.touch.name().as_bytes());
        line.extend_from_slice(&tables.cell_types[self.cell_type]);
        append_integer(self.die.0.into(), line);
        append_number(self.block.0.into(), line);
        append_number(self.page.0.into(), line);
        append_number(self.count, line);
        line.push(b'\n');
    }
}

impl CsvRow for InputTimeRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>) {
        line.extend_from_slice(&tables.state(self.state)[1..]);
        line.extend_from_slice(&tables.keys[self.key_used]);
        line.extend_from_slice(&tables.keys[self.key_virtual]);
        line.extend_from_slice(&tables.op_names[self.op]);
        append_hundredths(self.hundredths, line);
        append_number(self.count, line);
        line.push(b'\n');
    }
}

impl CsvRow for ProposalRow {
    fn append(&self, tables: &CsvTables, line: &mut Vec<u8>) {
        line.extend_from_slice(&tables.keys[self.key_used][1..]);
        line.extend_from_slice(&tables.keys[self.key_virtual]);
        append_number(self.die.0.into(), line);
        append_number(self.plane.0.into(), line);
        line.push(b',');
        append_us(self.time, line);
        line.extend_from_slice(&tables.op_names[self.op]);
        append_integer(self.count, line);
        line.push(b'\n');
    }
}
