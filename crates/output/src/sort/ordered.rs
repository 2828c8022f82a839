//! Sorting rows that come nearly in order.
//!
//! The watermark is a number below which no further row can come. Rows below the watermark are given out in order. Rows that must
//! wait for an operation that stays open are written to temporary files when they become too many.

use std::io;
use std::path::PathBuf;

use super::groups::settle;
use super::record::{Budget, Record};
use super::runs::Runs;

/// The smallest number of rows that are gathered before they are sorted and given out, if the budget allows as many.
const SMALLEST_BATCH: usize = 4096;

/// A record whose key begins with a number that grows with time.
pub(crate) trait Numbered: Record {
    /// The number at the beginning of the key.
    fn number(&self) -> u64;

    /// The smallest key that begins with a number.
    fn first_key(number: u64) -> Self::Key;
}

/// A buffer that takes rows nearly in order and gives them out in order.
#[derive(Debug)]
pub(crate) struct Ordered<R> {
    budget: Budget,
    /// Rows in memory, in the order in which they came.
    held: Vec<R>,
    /// Rows that are given out next.
    ready: Vec<R>,
    sorter: Sorter<R>,
    runs: Runs<R>,
    /// The number of held rows from which on [`Ordered::is_full`] holds.
    room: usize,
}

impl<R: Numbered> Ordered<R> {
    pub(crate) fn new(folder: PathBuf, budget: Budget) -> Self {
        Self {
            budget,
            held: Vec::new(),
            ready: Vec::new(),
            sorter: Sorter { sorted: Vec::new(), places: Vec::new() },
            runs: Runs::new(folder, budget),
            room: SMALLEST_BATCH.min(budget.rows),
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: R) {
        self.held.push(row);
    }

    /// The number of rows in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(&self) -> usize {
        self.held.len()
    }

    /// Whether it is time to call [`Ordered::release`].
    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= self.room
    }

    /// Gives all rows with numbers below `watermark` to `emit`, in order. No such row may be pushed afterwards.
    pub(crate) fn release(&mut self, watermark: u64, mut emit: impl FnMut(&[R]) -> io::Result<()>) -> io::Result<()> {
        let ready = &mut self.ready;
        ready.clear();
        self.held.retain(|row| {
            let waits = row.number() >= watermark;
            if !waits {
                ready.push(*row);
            }
            waits
        });
        self.sorter.sort(&mut self.ready);
        let limit = R::first_key(watermark);
        if self.runs.has_below(limit) {
            self.runs.drain(Some(limit), std::mem::take(&mut self.ready), &mut emit)?;
        } else {
            emit(&self.ready)?;
        }
        if self.held.len() > self.budget.rows {
            self.sorter.sort(&mut self.held);
            self.runs.add(&self.held)?;
            self.held.clear();
        }
        // Every release looks at all held rows again, so the next one comes when they have doubled.
        self.room = (2 * self.held.len()).clamp(SMALLEST_BATCH.min(self.budget.rows), 2 * self.budget.rows);
        self.room = self.room.max(self.held.len() + 1);
        Ok(())
    }
}

/// Sorts rows, and keeps its buffers for the next time.
#[derive(Debug)]
struct Sorter<R> {
    sorted: Vec<R>,
    places: Vec<u32>,
}

impl<R: Numbered> Sorter<R> {
    /// Sorts by counting, because numbers are dense and rows nearly in order.
    fn sort(&mut self, rows: &mut Vec<R>) {
        let numbers = rows.iter().map(R::number);
        let (Some(lowest), Some(highest)) = (numbers.clone().min(), numbers.max()) else { return };
        if highest - lowest > 8 * rows.len() as u64 {
            rows.sort_by_key(R::key);
            return;
        }
        let places = &mut self.places;
        places.clear();
        places.resize((highest - lowest) as usize + 2, 0);
        let offset = |row: &R| (row.number() - lowest) as usize;
        for row in &*rows {
            places[offset(row) + 1] += 1;
        }
        for at in 1..places.len() {
            places[at] += places[at - 1];
        }
        self.sorted.clear();
        self.sorted.resize(rows.len(), rows[0]);
        for row in &*rows {
            let place = &mut places[offset(row)];
            self.sorted[*place as usize] = *row;
            *place += 1;
        }
        // Rows of one number came in the order of their stretches, so few swaps are left.
        settle(&mut self.sorted, usize::MAX, R::key);
        std::mem::swap(&mut self.sorted, rows);
    }
}
