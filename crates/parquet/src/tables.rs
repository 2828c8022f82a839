//! Turning the rows of the five other tables into columns.

use std::io;

use arrow_array::ArrayRef;
use nandseq_trace::rows::{InputTimeRow, OpStateRow, ProposalRow, TableRow, TimelineRow, TouchRow};

use crate::columns::{ColumnNames, FRACTION, decimals, large, names, number, optional_names, small, times};

/// A row that can become part of columns.
pub(crate) trait ParquetRow: TableRow + 'static {
    /// The columns of some rows, in the order of the table's columns.
    fn columns(names: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>>
    where
        Self: Sized;
}

impl ParquetRow for TimelineRow {
    fn columns(all: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>> {
        let op = |row: &Self| number(row.op.index());
        Ok(vec![
            times(rows.iter().map(|row| row.start))?,
            times(rows.iter().map(|row| row.end))?,
            small(rows.iter().map(|row| row.die.0.into())),
            small(rows.iter().map(|row| row.plane.0.into())),
            // Blocks are below 2^20.
            small(rows.iter().map(|row| row.block.0 as i32)),
            small(rows.iter().map(|row| row.page.0.into())),
            names(rows.iter().map(op), &all.ops)?,
            names(rows.iter().map(|row| all.base_of_op[row.op.index()]), &all.bases)?,
            optional_names(rows.iter().map(|row| row.resumed.then_some(0)), &all.sources)?,
            large(rows.iter().map(|row| row.uid))?,
            names(rows.iter().map(|row| number(row.state.index())), &all.states)?,
            names(rows.iter().map(|row| number(row.key_used.index())), &all.keys)?,
            names(rows.iter().map(|row| number(row.key_virtual.index())), &all.keys)?,
        ])
    }
}

impl ParquetRow for OpStateRow {
    fn columns(all: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>> {
        Ok(vec![
            times(rows.iter().map(|row| row.start))?,
            times(rows.iter().map(|row| row.end))?,
            small(rows.iter().map(|row| row.die.0.into())),
            small(rows.iter().map(|row| row.plane.0.into())),
            names(rows.iter().map(|row| number(row.state.index())), &all.states)?,
            names(rows.iter().map(|row| all.die_plane(row.die, row.plane)), &all.die_planes)?,
            names(rows.iter().map(|row| all.base_of_state[row.state.index()]), &all.bases)?,
            times(rows.iter().map(|row| row.end - row.start))?,
        ])
    }
}

impl ParquetRow for TouchRow {
    fn columns(all: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>> {
        Ok(vec![
            names(rows.iter().map(|row| row.touch as i16), &all.touches)?,
            names(rows.iter().map(|row| number(row.cell_type.index())), &all.cell_types)?,
            small(rows.iter().map(|row| row.die.0.into())),
            small(rows.iter().map(|row| row.block.0 as i32)),
            small(rows.iter().map(|row| row.page.0.into())),
            large(rows.iter().map(|row| row.count))?,
        ])
    }
}

impl ParquetRow for InputTimeRow {
    fn columns(all: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>> {
        Ok(vec![
            names(rows.iter().map(|row| number(row.state.index())), &all.states)?,
            names(rows.iter().map(|row| number(row.key_used.index())), &all.keys)?,
            names(rows.iter().map(|row| number(row.key_virtual.index())), &all.keys)?,
            names(rows.iter().map(|row| number(row.op.index())), &all.ops)?,
            decimals(rows.iter().map(|row| row.hundredths.into()), FRACTION)?,
            large(rows.iter().map(|row| row.count))?,
        ])
    }
}

impl ParquetRow for ProposalRow {
    fn columns(all: &ColumnNames, rows: &[Self]) -> io::Result<Vec<ArrayRef>> {
        Ok(vec![
            names(rows.iter().map(|row| number(row.key_used.index())), &all.keys)?,
            names(rows.iter().map(|row| number(row.key_virtual.index())), &all.keys)?,
            small(rows.iter().map(|row| row.die.0.into())),
            small(rows.iter().map(|row| row.plane.0.into())),
            times(rows.iter().map(|row| row.time))?,
            names(rows.iter().map(|row| number(row.op.index())), &all.ops)?,
            large(rows.iter().map(|row| row.count))?,
        ])
    }
}
