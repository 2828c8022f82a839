//! Writing the five other tables: rows become columns.

use std::io;
use std::marker::PhantomData;
use std::slice::IterMut;

use nandseq_output::format::{TableWriter, UnnamedFile};
use nandseq_output::row_values::{ColumnSink, NameKind, ValueNames, ValueRow};
use nandseq_profile::Ticks;

use crate::chunk::Chunk;
use crate::file::ParquetFile;

/// The number of rows that become columns at once. They stay in the nearest cache while every column takes its values.
const BATCH: usize = 512;

/// A table that is being written to a file.
pub(crate) struct ParquetTable<'t, R> {
    file: ParquetFile<'t>,
    row: PhantomData<fn(R)>,
}

impl<'t, R> ParquetTable<'t, R> {
    pub(crate) const fn new(file: ParquetFile<'t>) -> Self {
        Self { file, row: PhantomData }
    }
}

impl<R: ValueRow> TableWriter<R> for ParquetTable<'_, R> {
    fn write(&mut self, mut rows: &[R]) -> io::Result<()> {
        while !rows.is_empty() {
            let (now, later) = rows.split_at(rows.len().min(BATCH).min(self.file.room()));
            let names = self.file.names();
            R::columns(names, &mut Taken { rows: now, names, chunks: self.file.chunks.iter_mut() });
            self.file.added(now.len())?;
            rows = later;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<UnnamedFile> {
        self.file.finish()
    }
}

/// Some rows, and the columns that take their values.
struct Taken<'r, R> {
    rows: &'r [R],
    names: &'r ValueNames,
    chunks: IterMut<'r, Chunk>,
}

impl<R> Taken<'_, R> {
    /// Adds the values of the next column.
    fn take(&mut self, value: impl Fn(&R) -> u64) {
        if let Some(chunk) = self.chunks.next() {
            chunk.extend(self.rows.iter().map(value));
        }
    }
}

impl<R> ColumnSink<R> for Taken<'_, R> {
    fn addresses(&mut self, value: impl Fn(&R) -> u32) {
        self.take(|row| value(row).into());
    }

    fn counts(&mut self, value: impl Fn(&R) -> u64) {
        self.take(value);
    }

    fn times(&mut self, value: impl Fn(&R) -> Ticks) {
        self.take(|row| value(row).0);
    }

    fn fractions(&mut self, value: impl Fn(&R) -> u32) {
        self.take(|row| value(row).into());
    }

    fn names(&mut self, kind: NameKind, number: impl Fn(&R) -> usize) {
        if let Some(chunk) = self.chunks.next() {
            chunk.of(kind, self.names).extend(self.rows.iter().map(|row| number(row) as u64));
        }
    }

    fn optional_names(&mut self, kind: NameKind, number: impl Fn(&R) -> Option<usize>) {
        let value = |row| {
            let number = number(row).map(|number| number as u64);
            (number.is_some().into(), number)
        };
        if let Some(chunk) = self.chunks.next() {
            chunk.of(kind, self.names).extend_leveled(self.rows.iter().map(value));
        }
    }
}
