//! The three tables of counts.

use std::io;
use std::path::Path;

use nandseq_profile::{Block, CellTypeId, Die, OpId, Page, PhaseKey, Plane, Target, Ticks};

use crate::format::{Table, UnnamedFile};
use crate::model::TableModel;
use crate::sort::Budget;
use crate::sort::CountKey;
use crate::sort::counter::{Counted, Counter};
use nandseq_trace::Operation;
use nandseq_trace::files::FileKind;
use nandseq_trace::rows::{InputTimeRow, ProposalRow, StateId, Touch, TouchRow};

/// The number of rows that a writer gets at a time.
const BATCH: usize = 1024;

/// Counts page accesses, input times and proposals, each if its table is wanted.
pub(super) struct Counts<'f> {
    model: &'f TableModel,
    touches: Option<CountTable<'f, u64, TouchRow>>,
    input_times: Option<CountTable<'f, u64, InputTimeRow>>,
    proposals: Option<CountTable<'f, u128, ProposalRow>>,
}

/// A table of counts with its writer. Keys have the positions of names in sorted order, so keys sort as the columns do.
struct CountTable<'f, K, R> {
    counter: Counter<K>,
    writer: Table<'f, R>,
}

impl<'f, K: CountKey, R> CountTable<'f, K, R> {
    fn new(writer: Table<'f, R>, folder: &Path, budget: Budget) -> Self {
        Self { counter: Counter::new(folder.to_owned(), budget), writer }
    }

    fn finish(self, row: impl Fn(&Counted<K>) -> R) -> io::Result<UnnamedFile> {
        let mut writer = self.writer;
        let mut rows = Vec::with_capacity(BATCH);
        self.counter.finish(|counted| {
            for counted in counted.chunks(BATCH) {
                rows.clear();
                rows.extend(counted.iter().map(&row));
                writer.write(&rows)?;
            }
            Ok(())
        })?;
        writer.finish()
    }
}

impl<'f> Counts<'f> {
    pub(super) fn new(
        model: &'f TableModel,
        folder: &Path,
        budget: Budget,
        touches: Option<Table<'f, TouchRow>>,
        input_times: Option<Table<'f, InputTimeRow>>,
        proposals: Option<Table<'f, ProposalRow>>,
    ) -> Self {
        Self {
            model,
            touches: touches.map(|writer| CountTable::new(writer, folder, budget)),
            input_times: input_times.map(|writer| CountTable::new(writer, folder, budget)),
            proposals: proposals.map(|writer| CountTable::new(writer, folder, budget)),
        }
    }

    /// Counts a page access.
    pub(super) fn touch(&mut self, touch: Touch, target: &Target) -> io::Result<()> {
        let Some(table) = &mut self.touches else { return Ok(()) };
        table.counter.add(touch_key(self.model, touch, target))
    }

    /// Counts the first operation of a proposal.
    pub(super) fn proposal(&mut self, operation: &Operation<'_>) -> io::Result<()> {
        if let Some(table) = &mut self.input_times {
            table.counter.add(input_time_key(self.model, operation))?;
        }
        match &mut self.proposals {
            Some(table) => table.counter.add(proposal_key(self.model, operation)),
            None => Ok(()),
        }
    }

    /// Writes the tables and adds their files to `written`.
    pub(super) fn finish(self, written: &mut Vec<(FileKind, UnnamedFile)>) -> io::Result<()> {
        let model = self.model;
        if let Some(table) = self.touches {
            written.push((FileKind::AddressTouchCount, table.finish(|counted| touch_row(model, counted))?));
        }
        if let Some(table) = self.input_times {
            let file = table.finish(|counted| input_time_row(model, counted))?;
            written.push((FileKind::OpStateNameInputTimeCount, file));
        }
        if let Some(table) = self.proposals {
            written.push((FileKind::PhaseProposalCounts, table.finish(|counted| proposal_row(model, counted))?));
        }
        Ok(())
    }
}

/// The key of a page access, from its highest bits: `op_base` 1 bit, `cell_type` 8, `die` 8, `block` 24, `page` 16.
fn touch_key(model: &TableModel, touch: Touch, target: &Target) -> u64 {
    let touch = match touch {
        Touch::Program => 0,
        Touch::Read => 1u64,
    };
    let cell_type = u64::from(model.cell_type_rank(target.cell_type));
    touch << 56
        | cell_type << 48
        | u64::from(target.die.0) << 40
        | u64::from(target.block.0) << 16
        | u64::from(target.page.0)
}

fn touch_row(model: &TableModel, counted: &Counted<u64>) -> TouchRow {
    let key = counted.key;
    TouchRow {
        touch: if key >> 56 == 0 { Touch::Program } else { Touch::Read },
        cell_type: CellTypeId(model.cell_type_order.id((key >> 48) as u16 & 0xff) as u8),
        die: Die((key >> 40) as u8),
        block: Block((key >> 16) as u32 & 0xff_ffff),
        page: Page(key as u16),
        count: counted.count,
    }
}

/// The key of an input time, from its highest bits: `op_state` 14 bits, phase keys 14 each, `op_name` 15, `input_time` 7.
fn input_time_key(model: &TableModel, operation: &Operation<'_>) -> u64 {
    let proposal = operation.proposal;
    let state = model.state_order.rank(model.state(&proposal.state).0);
    u64::from(state) << 50
        | u64::from(model.key_order.rank(proposal.key_used.0)) << 36
        | u64::from(model.key_order.rank(proposal.key_virtual.0)) << 22
        | u64::from(model.op_order.rank(operation.op.0)) << 7
        | u64::from(proposal.state.hundredths(operation.start))
}

fn input_time_row(model: &TableModel, counted: &Counted<u64>) -> InputTimeRow {
    let part = |shift: u32, bits: u32| (counted.key >> shift) as u16 & ((1 << bits) - 1);
    InputTimeRow {
        state: StateId(model.state_order.id(part(50, 14))),
        key_used: PhaseKey(model.key_order.id(part(36, 14))),
        key_virtual: PhaseKey(model.key_order.id(part(22, 14))),
        op: OpId(model.op_order.id(part(7, 15))),
        hundredths: part(0, 7).into(),
        count: counted.count,
    }
}

/// The key of a proposal, from its highest bits: phase keys 12 bits each, `die` 8, `plane` 8, `propose_time` 64, `op_name` 16.
fn proposal_key(model: &TableModel, operation: &Operation<'_>) -> u128 {
    let proposal = operation.proposal;
    let high = u64::from(model.key_order.rank(proposal.key_used.0)) << 28
        | u64::from(model.key_order.rank(proposal.key_virtual.0)) << 16
        | u64::from(proposal.die.0) << 8
        | u64::from(proposal.plane.0);
    let op = model.op_order.rank(operation.op.0);
    u128::from(high) << 80 | u128::from(proposal.time.0) << 16 | u128::from(op)
}

fn proposal_row(model: &TableModel, counted: &Counted<u128>) -> ProposalRow {
    let high = (counted.key >> 80) as u64;
    ProposalRow {
        key_used: PhaseKey(model.key_order.id((high >> 28) as u16 & 0xfff)),
        key_virtual: PhaseKey(model.key_order.id((high >> 16) as u16 & 0xfff)),
        die: Die((high >> 8) as u8),
        plane: Plane(high as u8),
        time: Ticks((counted.key >> 16) as u64),
        op: OpId(model.op_order.id(counted.key as u16)),
        count: counted.count,
    }
}
